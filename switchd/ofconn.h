/* ofconn.h - private to the OpenFlow server (ofserver.h): one connection and what it has set.
 *
 * Every handler works on a message of a connection and appends its replies to OUT; a handler that fails
 * returns an OF_ERROR, which the dispatcher answers with.
 */
#pragma once

#include "openflow/bundle.h"
#include "openflow/connection.h"
#include "openflow/packet_io.h"
#include "openflow/switch.h"
#include "switchd/ofserver.h"
#include "switchd/vswitch.h"

enum { BUNDLES_MAX = 64, BUNDLE_MESSAGES_MAX = 4000000 };

struct bundle_block { /* many messages in one piece of memory */
    uint32_t n_messages, n_bytes, size;
    _Alignas(8) uint8_t bytes[];
};
struct bundle_message {
    uint8_t *data; /* in the block; NULL: released */
    struct bundle_block *block;
    uint32_t n;
};

struct bundle {
    struct list node;
    uint32_t id;
    uint16_t flags;
    bool closed;
    int64_t used_ms;
    VEC(struct bundle_message) messages;
    struct bundle_block *block; /* of the last message */
};

struct ofcontroller;

struct ofconn {
    struct list node; /* in ofserver.conns */
    struct ofserver *of;
    struct of_conn *conn; /* NULL for an injected message */
    bool management;
    uint8_t version; /* of the message in work */
    uint16_t miss_send_len;
    uint16_t controller_id;
    enum of_packet_in_format packet_in_format;
    enum of_role role;
    struct of_async async;
    bool table_ids; /* NXT_FLOW_MOD_TABLE_ID */
    struct list bundles;
    struct list monitors; /* of struct ofmonitor, ofmonitor.c */
    bool monitors_paused; /* since it does not read as fast as flows change */
    struct hmap untold;   /* of struct untold: what changed since */
    struct list untold_order;
    struct ofdump *dump; /* a dump of flows that is not done; until then it is not read */
    const struct ofcontroller
        *service; /* that it came in by; NULL: none, or the management socket */
};

struct ofcontroller {
    struct list node;
    char *target;
    int64_t probe_ms, max_backoff_ms;
    struct of_remote *remote;
    struct stream_listener *listener; /* a passive target: a service, in place of a remote */
    struct ofserver *of;
    struct ofconn *conn;                   /* NULL: not connected */
    int64_t connected_ms, disconnected_ms; /* when it last was; 0: never */
};

struct ofserver {
    struct bridge *br;
    struct stream_listener *listener;
    struct list conns;
    struct list controllers;
    struct stream_listener *snoop_listener; /* ofsnoop.c */
    struct list snoops;
    struct list dumps; /* of struct ofdump, ofdump.c */
    struct deferred more_dumps;
    struct ofcommit *commit; /* of a bundle, on its way (ofcommit.c), or NULL */
    struct deferred more_commit;
    uint16_t frag_flags;
    uint64_t generation_id;
    bool have_generation;
    uint64_t n_packet_ins, n_packet_ins_lost;
    struct ofconn *changer; /* whose message is being carried out, or NULL */
    uint32_t changer_xid;
};

/* ofstats.c: the multipart requests. */
int ofstats_handle(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out);
void ofstats_age(int64_t now_ms, int64_t since_ms, uint32_t *sec, uint32_t *nsec);
/* ofdump.c: of flows. What is done at once is appended to OUT, else it is sent later. */
int ofdump_begin(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out);
void ofdump_resume(struct ofconn *oc); /* the connection is no longer congested */
void ofdump_free(struct ofconn *oc);
void ofdumps_go_on(void *ofserver);
/* ofpacket.c */
int ofpacket_out(struct ofconn *oc, const struct of_msg *msg);
int ofpacket_resume(struct ofconn *oc, const struct of_msg *msg);
/* ofserver.c: of_flow_mod_decode; only a delete may be for all tables, but for those of OpenFlow 1.0 that name none. RET needs of_flow_mod_fini. */
int ofconn_flow_mod_decode(const struct ofconn *oc, const struct of_msg *msg,
                           struct of_flow_mod *ret) MUST_CHECK;
/* ofbundle.c */
int ofbundle_control(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out);
int ofbundle_add(struct ofconn *oc, const struct of_msg *msg);
struct bundle *ofbundle_of(const struct of_msg *msg); /* alone, and in no connection's list */
void ofbundle_free(struct bundle *bundle);
void ofbundle_release(struct bundle_message *message); /* its memory */
void ofbundles_free(struct ofconn *oc);
void ofbundles_expire(struct ofconn *oc, int64_t now_ms);
/* oftable.c: TABLE_MOD; the multipart requests for TABLE, TABLE_FEATURES, TABLE_DESC. */
int oftable_mod(struct ofconn *oc, const struct of_msg *msg);
int oftable_stats(struct ofconn *oc, const struct of_msg *msg, struct of_reply *reply);
/* ofsnoop.c: shows whole messages between the bridge and a controller; ends what ofserver_listen_snoop began. */
void ofsnoop_copy(struct ofserver *of, const uint8_t *data, size_t n);
void ofsnoops_free(struct ofserver *of);
/* ofcommit.c: takes BUNDLE over. The answer is appended to OUT or sent later. */
void ofcommit_begin(struct ofconn *oc, struct bundle *bundle, const struct of_msg *msg,
                    struct of_buf *out);
/* Whether a flow mod of OC is of so many flows that a commit is to carry it out, and that: the one at work, or one of MSG alone, which
 * tells OC of errors later. FM may be taken over. */
bool ofcommit_takes(const struct ofconn *oc, const struct of_flow_mod *fm);
int ofcommit_walk(struct ofconn *oc, const struct of_msg *msg, struct of_flow_mod *fm) MUST_CHECK;
/* The same for the deletion of a group or meter (TYPE OF_GROUP, OF_METER) and of the flows that use it, or all of them (use_count.h). */
bool ofcommit_takes_users(const struct ofconn *oc);
int ofcommit_walk_users(struct ofconn *oc, const struct of_msg *msg, enum of_action_type type,
                        uint32_t id) MUST_CHECK;
/* At the flip of the commit at work. */
void ofcommit_port_mod(struct ofserver *of, const struct of_port_mod *pm);
void ofcommit_end(struct ofconn *oc); /* finishes that of OC, if there is one */
void ofcommit_settle(void *ofserver); /* finishes it, if there is one */
void ofcommit_go_on(void *ofserver);
/* ofqueue.c */
int ofqueue_stats(struct bridge *br, const struct of_msg *msg, struct of_reply *reply);
int ofqueue_desc(struct bridge *br, const struct of_msg *msg, struct of_reply *reply);
int ofqueue_get_config(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out);
/* ofmonitor.c */
int ofmonitor_request(struct ofconn *oc, const struct of_msg *msg, struct of_reply *reply);
int ofmonitor_cancel(struct ofconn *oc, const struct of_msg *msg);
void ofmonitor_resume(struct ofconn *oc); /* the connection is no longer congested */
void ofmonitors_free(struct ofconn *oc);
/* ofcontroller.c: ends what ofserver_set_controllers began. */
void ofcontrollers_free(struct ofserver *of);
/* ofserver.c: one connection's life, and its messages. */
void ofconn_init(struct ofconn *oc, struct ofserver *of, bool management);
void ofconn_free(struct ofconn *oc);
/* A message of a connection that is none (OC->conn is NULL), as ofserver_inject: for tests that send several. */
void ofconn_inject(struct ofconn *oc, const void *msg, size_t n, struct of_buf *replies);
void ofconn_drained(struct ofconn *oc); /* it is no longer congested */
void ofserver_update_miss(struct ofserver *of);
void ofserver_on_message(void *oc, struct of_conn *conn, const struct of_msg *msg);
/* A connection to the management socket or, with SERVICE, to a passive target: it ends with that. */
void ofserver_on_accept(void *of, struct stream *stream);
void ofserver_serve(struct ofserver *of, struct stream *stream, const struct ofcontroller *service);
/* ofserver.c: one modification, for itself or in a bundle. */
int ofserver_modify(struct ofconn *oc, const struct of_msg *msg, struct journal *journal);
/* Whether asynchronous messages go to this connection at all. */
bool ofconn_wants_async(const struct ofconn *oc);
/* The role decides which half of the asynchronous configuration holds. */
static inline bool ofconn_async_bit(const struct ofconn *oc, const uint32_t masks[2],
                                    unsigned reason)
{
    return masks[oc->role == OF_ROLE_SECONDARY] >> reason & 1;
}
void ofconn_send(struct ofconn *oc, struct of_buf *buf);
