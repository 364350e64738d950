/* ofserver.c - connections of a bridge, and what they ask; see ofserver.h. Messages that change it are in ofmodify.c,
 * the configured controllers in ofcontroller.c. */
#include "switchd/ofserver.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "switchd/ofconn.h"
#include "switchd/tlv_use.h"

LOG_MODULE(ofproto);

enum { PROBE_MANAGEMENT_MS = 60000 };
/* Of asynchronous configuration, and the flag of SET_CONFIG that sets it (OpenFlow 1.1 and 1.2; later peers take it as well). */
enum { FRAG_MODE_DROP = 1, FRAG_MODE_REASSEMBLE, FRAG_MODE_NX_MATCH };
enum { INVALID_TTL = 1 << OF_REASON_INVALID_TTL, INVALID_TTL_TO_CONTROLLER = 4 };

/* ---- connections ---- */

static void async_defaults(struct of_async *a)
{
    *a = (struct of_async){.packet_in = {0x3f & ~INVALID_TTL, 0},
                           .port_status = {0x7, 0x7},
                           .flow_removed = {0x3f, 0}};
}

void ofconn_init(struct ofconn *oc, struct ofserver *of, bool management)
{
    memset(oc, 0, sizeof *oc);
    oc->of = of;
    oc->management = management;
    oc->role = OF_ROLE_EQUAL;
    oc->miss_send_len = management ? 0 : 128;
    async_defaults(&oc->async);
    list_init(&oc->bundles);
    list_init(&oc->monitors);
    list_init(&oc->untold_order);
    list_init(&oc->node);
}

bool ofconn_wants_async(const struct ofconn *oc)
{
    return oc->conn && of_conn_version(oc->conn) && (!oc->management || oc->miss_send_len > 0);
}

/* Table misses go to controllers on connections older than 1.3. */
void ofserver_update_miss(struct ofserver *of)
{
    bool miss = false;
    struct ofconn *oc;
    LIST_FOR_EACH (oc, node, &of->conns)
        miss |= ofconn_wants_async(oc) && of_conn_version(oc->conn) < OF13_VERSION;
    if (miss != of->br->miss_to_controller) {
        of->br->miss_to_controller = miss;
        vswitch_invalidate(of->br->vs);
    }
}

void ofconn_free(struct ofconn *oc)
{
    struct ofserver *of = oc->of;
    list_remove(&oc->node);
    ofcommit_end(oc);
    ofbundles_free(oc);
    ofmonitors_free(oc);
    ofdump_free(oc);
    if (oc->management)
        of_conn_free(oc->conn);
    free(oc);
    ofserver_update_miss(of);
}

void ofconn_send(struct ofconn *oc, struct of_buf *buf)
{
    if (!oc->management)
        ofsnoop_copy(oc->of, buf->data, buf->n);
    of_conn_send_buf(oc->conn, buf);
}

/* ---- configuration and state of a connection ---- */

static int modify_now(struct ofconn *oc, const struct of_msg *msg)
{
    struct journal journal = JOURNAL_INIT;
    oc->of->changer = oc;
    oc->of->changer_xid = msg->xid;
    int err = ofserver_modify(oc, msg, &journal);
    bridge_commit(oc->of->br, &journal);
    oc->of->changer = NULL;
    return err;
}

static void features(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    struct bridge *br = oc->of->br;
    struct of_features f = {.datapath_id = br->datapath_id,
                            .n_tables = N_TABLES_OPEN,
                            .actions = OF10_ACTIONS_ALL,
                            .capabilities = OF_CAP_FLOW_STATS | OF_CAP_TABLE_STATS |
                                            OF_CAP_PORT_STATS | OF_CAP_QUEUE_STATS};
    struct of_buf ports = OF_BUF_INIT;
    if (msg->version == OF10_VERSION) {
        f.capabilities |= OF_CAP_ARP_MATCH_IP;
        vport_vec sorted = VEC_INIT;
        bridge_ports_sorted(br, &sorted);
        for (size_t i = 0; i < sorted.n; i++) {
            struct of_port desc;
            vport_describe(sorted.data[i], &desc);
            of_port_put(&desc, msg->version, &ports);
        }
        vec_fini(&sorted);
        f.ports = ports.data;
        f.ports_len = ports.n;
    } else {
        f.capabilities |= OF_CAP_GROUP_STATS;
        if (msg->version >= OF14_VERSION)
            f.capabilities |= OF_CAP_BUNDLES;
    }
    of_features_encode(&f, msg->version, msg->xid, out);
    of_buf_fini(&ports);
}

static int set_config(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_config c;
    int err = of_config_decode(msg, &c);
    if (err)
        return err;
    oc->miss_send_len = c.miss_send_len;
    if ((c.flags & 3) != FRAG_MODE_REASSEMBLE) /* which is not there: no capability says so */
        oc->of->frag_flags = c.flags & 3;
    struct bridge *br = oc->of->br;
    bool drop = oc->of->frag_flags == FRAG_MODE_DROP;
    bool ports = oc->of->frag_flags == FRAG_MODE_NX_MATCH;
    if (drop != br->drop_fragments || ports != br->frags_have_ports) {
        br->drop_fragments = drop;
        br->frags_have_ports = ports;
        vswitch_invalidate(br->vs);
    }
    if (c.flags & INVALID_TTL_TO_CONTROLLER)
        oc->async.packet_in[0] |= INVALID_TTL;
    else
        oc->async.packet_in[0] &= ~(uint32_t)INVALID_TTL;
    ofserver_update_miss(oc->of);
    return 0;
}

/* OTHER has lost the role of primary, and hears so where its version can say it. */
static void demote(struct ofconn *other)
{
    const struct ofserver *of = other->of;
    struct of_role_status rs = {.role = {OF_ROLE_SECONDARY, of->have_generation, of->generation_id},
                                .reason = OF_ROLE_PRIMARY_REQUEST};
    other->role = OF_ROLE_SECONDARY;
    if (!ofconn_wants_async(other) || of_conn_version(other->conn) < OF13_VERSION)
        return;
    struct of_buf out = OF_BUF_INIT;
    of_role_status_encode(&rs, of_conn_version(other->conn), &out);
    ofconn_send(other, &out);
    of_buf_fini(&out);
}

static int role_request(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    struct of_role_msg r;
    int err = of_role_decode(msg, &r);
    if (err)
        return err;
    struct ofserver *of = oc->of;
    if (r.role == OF_ROLE_PRIMARY || r.role == OF_ROLE_SECONDARY) {
        if (r.have_generation && of->have_generation &&
            (int64_t)(r.generation_id - of->generation_id) < 0)
            return OF_ERR_ROLE_STALE;
        if (r.have_generation) {
            of->generation_id = r.generation_id;
            of->have_generation = true;
        }
    }
    if (r.role == OF_ROLE_PRIMARY) {
        struct ofconn *other;
        LIST_FOR_EACH (other, node, &of->conns) {
            if (other != oc && other->role == OF_ROLE_PRIMARY)
                demote(other);
        }
    }
    if (r.role != OF_ROLE_NOCHANGE)
        oc->role = r.role;
    struct of_role_msg reply = {oc->role, of->have_generation, of->generation_id};
    of_role_encode(OF_ROLE_REPLY, &reply, msg->version, msg->xid, out);
    return 0;
}

static int set_async(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_async a = oc->async;
    int err = of_async_decode(msg, &a);
    if (!err)
        oc->async = a;
    return err;
}

static int number_message(struct ofconn *oc, const struct of_msg *msg)
{
    uint32_t n;
    int err = of_nx_number_decode(msg, &n);
    if (err)
        return err;
    if (msg->type == OF_NX_SET_PACKET_IN_FORMAT) {
        if (n > OF_PIF_NXT2)
            return OF_ERR_PERM;
        oc->packet_in_format = n;
    } else if (msg->type == OF_NX_SET_CONTROLLER_ID) {
        oc->controller_id = (uint16_t)n;
    } else if (msg->type == OF_NX_FLOW_MOD_TABLE_ID) {
        oc->table_ids = n != 0;
    }
    if (msg->type == OF_NX_CT_FLUSH_ZONE) {
        struct of_ct_flush zone = {.has_zone = true, .zone = (uint16_t)n};
        vswitch_ct_flush(oc->of->br->vs, &zone);
    }
    return 0; /* SET_FLOW_FORMAT: nothing to do */
}

static int tlv_mod(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_tlv_mod m;
    int err = of_tlv_mod_decode(msg, &m);
    if (err)
        return err;
    err = tlv_mod_apply(oc->of->br, &m);
    of_tlv_mod_fini(&m);
    vswitch_invalidate(oc->of->br->vs);
    return err;
}

static void tlv_request(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    struct of_tlv_map maps[N_TUN_METADATA];
    struct of_tlv_reply r = {
        .max_option_space = TLV_SPACE, .max_fields = N_TUN_METADATA, .maps = maps};
    const struct tlv_map *tlvs = &oc->of->br->tlvs;
    for (unsigned i = 0; i < N_TUN_METADATA; i++) {
        if (tlvs->mapped >> i & 1)
            maps[r.n++] = tlvs->map[i];
    }
    of_tlv_reply_encode(&r, msg->version, msg->xid, out);
}

static int ct_flush(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_ct_flush f;
    int err = of_ct_flush_decode(msg, &f);
    if (!err)
        vswitch_ct_flush(oc->of->br->vs, &f);
    return err;
}

static int handle(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    uint16_t ttl = oc->async.packet_in[0] & INVALID_TTL ? INVALID_TTL_TO_CONTROLLER : 0;
    struct of_config config = {oc->of->frag_flags | ttl, oc->miss_send_len};
    switch (msg->type) {
    case OF_HELLO:
    case OF_ERROR_MSG:
    case OF_ECHO_REPLY:
        return 0;
    case OF_ECHO_REQUEST:
        of_raw_encode(OF_ECHO_REPLY, msg->version, msg->xid, msg->body, msg->body_len, out);
        return 0;
    case OF_BARRIER_REQUEST:
        of_simple_encode(OF_BARRIER_REPLY, msg->version, msg->xid, out);
        return 0;
    case OF_FEATURES_REQUEST:
        features(oc, msg, out);
        return 0;
    case OF_GET_CONFIG_REQUEST:
        of_config_encode(OF_GET_CONFIG_REPLY, &config, msg->version, msg->xid, out);
        return 0;
    case OF_SET_CONFIG:
        return set_config(oc, msg);
    case OF_FLOW_MOD:
    case OF_GROUP_MOD:
    case OF_PORT_MOD:
    case OF_METER_MOD:
    case OF_PACKET_OUT:
        return modify_now(oc, msg);
    case OF_TABLE_MOD:
        return oftable_mod(oc, msg);
    case OF_ROLE_REQUEST:
        return role_request(oc, msg, out);
    case OF_SET_ASYNC:
        return set_async(oc, msg);
    case OF_GET_ASYNC_REQUEST:
        of_async_put(OF_GET_ASYNC_REPLY, &oc->async, msg->version, msg->xid, out);
        return 0;
    case OF_BUNDLE_CONTROL:
        return ofbundle_control(oc, msg, out);
    case OF_BUNDLE_ADD_MESSAGE:
        return ofbundle_add(oc, msg);
    case OF_NX_SET_PACKET_IN_FORMAT:
    case OF_NX_SET_CONTROLLER_ID:
    case OF_NX_FLOW_MOD_TABLE_ID:
    case OF_NX_SET_FLOW_FORMAT:
    case OF_NX_CT_FLUSH_ZONE:
        return number_message(oc, msg);
    case OF_NX_FLOW_AGE:
        return 0; /* ages are always told */
    case OF_NX_TLV_TABLE_MOD:
        return tlv_mod(oc, msg);
    case OF_NX_TLV_TABLE_REQUEST:
        tlv_request(oc, msg, out);
        return 0;
    case OF_QUEUE_GET_CONFIG_REQUEST:
        return ofqueue_get_config(oc, msg, out);
    case OF_NX_RESUME:
        return ofpacket_resume(oc, msg);
    case OF_NX_CT_FLUSH:
        return ct_flush(oc, msg);
    case OF_NX_FLOW_MONITOR_CANCEL:
        return ofmonitor_cancel(oc, msg);
    default:
        return ofstats_handle(oc, msg, out);
    }
}

static void dispatch(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    oc->version = msg->version;
    int err = handle(oc, msg, out);
    if (err) {
        log_dbg("bridge %s: %s answered with %s", oc->of->br->name,
                of_type_name(msg->type, msg->version), of_error_name(err));
        of_error_encode(err, msg, out);
    }
}

void ofserver_on_message(void *oc_, struct of_conn *conn, const struct of_msg *msg)
{
    struct ofconn *oc = oc_;
    struct of_buf out = OF_BUF_INIT;
    (void)conn;
    if (!oc->management)
        ofsnoop_copy(oc->of, msg->data, msg->len);
    dispatch(oc, msg, &out);
    if (out.n)
        ofconn_send(oc, &out);
    of_buf_fini(&out);
}

void ofconn_inject(struct ofconn *oc, const void *data, size_t n, struct of_buf *replies)
{
    struct of_msg msg;
    int err = of_msg_parse(data, n, &msg);
    if (!err)
        dispatch(oc, &msg, replies);
    else if (n >= OF_HEADER_LEN)
        of_error_encode(err, &msg, replies);
}

void ofserver_inject(struct ofserver *of, uint8_t version, const void *data, size_t n,
                     struct of_buf *replies)
{
    struct ofconn oc;
    ofconn_init(&oc, of, true);
    ofconn_inject(&oc, data, n, replies);
    ofbundles_free(&oc);
    ofmonitors_free(&oc);
    (void)version;
}

/* ---- management connections ---- */

static void management_closed(void *oc_, struct of_conn *conn, int err, const char *reason)
{
    struct ofconn *oc = oc_;
    (void)err;
    log_dbg("bridge %s: %s: %s", oc->of->br->name, of_conn_name(conn), reason);
    ofconn_free(oc);
}

void ofconn_drained(struct ofconn *oc)
{
    ofmonitor_resume(oc);
    ofdump_resume(oc);
}

static void management_drained(void *oc, struct of_conn *conn)
{
    (void)conn;
    ofconn_drained(oc);
}

static const struct of_conn_callbacks management_callbacks = {
    .message = ofserver_on_message, .drained = management_drained, .closed = management_closed};

void ofserver_serve(struct ofserver *of, struct stream *stream, const struct ofcontroller *service)
{
    struct ofconn *oc = NEW(struct ofconn);
    ofconn_init(oc, of, true);
    oc->service = service;
    struct of_conn_options options = {
        .versions = OF_VERSIONS_ALL, .probe_ms = service ? service->probe_ms : PROBE_MANAGEMENT_MS};
    oc->conn = of_conn_new(of->br->vs->loop, stream, &options, &management_callbacks, oc);
    list_push_back(&of->conns, &oc->node);
}

void ofserver_on_accept(void *of, struct stream *stream)
{
    ofserver_serve(of, stream, NULL);
}

int ofserver_new(struct bridge *br, const char *management, struct ofserver **ret,
                 struct diag *diag)
{
    struct ofserver *of = NEW(struct ofserver);
    of->br = br;
    list_init(&of->conns);
    list_init(&of->controllers);
    list_init(&of->snoops);
    list_init(&of->dumps);
    deferred_init(&of->more_dumps, br->vs->loop, LOOP_LATER, ofdumps_go_on, of);
    deferred_init(&of->more_commit, br->vs->loop, LOOP_LATER, ofcommit_go_on, of);
    if (management) {
        struct stream_options options = {.rundir = br->vs->rundir};
        int err = stream_listen(br->vs->loop, management, &options, ofserver_on_accept, of,
                                &of->listener, diag);
        if (err) {
            free(of);
            return err;
        }
    }
    *ret = of;
    return 0;
}

void ofserver_free(struct ofserver *of)
{
    if (!of)
        return;
    ofcontrollers_free(of);
    while (!list_empty(&of->conns))
        ofconn_free(LIST_FIRST(struct ofconn, node, &of->conns));
    stream_listener_free(of->listener);
    ofsnoops_free(of);
    deferred_cancel(&of->more_dumps);
    deferred_cancel(&of->more_commit);
    free(of);
}

void ofserver_tick(struct ofserver *of, int64_t now_ms)
{
    struct ofconn *oc;
    LIST_FOR_EACH (oc, node, &of->conns)
        ofbundles_expire(oc, now_ms);
}

/* ---- what is told unasked ---- */

void ofserver_port_status(struct vport *port, enum of_port_reason reason)
{
    const struct ofserver *of = port->bridge->of;
    struct of_port_status ps = {.reason = reason};
    struct ofconn *oc;
    port->is_told |= reason == OF_PORT_ADD;
    if (!of || !port->is_told)
        return;
    vport_describe(port, &ps.port);
    LIST_FOR_EACH (oc, node, &of->conns) {
        if (!ofconn_wants_async(oc) || !ofconn_async_bit(oc, oc->async.port_status, reason))
            continue;
        struct of_buf out = OF_BUF_INIT;
        of_port_status_encode(&ps, of_conn_version(oc->conn), &out);
        ofconn_send(oc, &out);
        of_buf_fini(&out);
    }
}

void ofserver_flow_removed(struct ofserver *of, const struct rule *rule,
                           const struct minimatch *match, uint8_t reason)
{
    int64_t age_ms = env_now_ms(of->br->vs->env) - rule->created_ms;
    struct of_flow_removed fr = {.cookie = rule->cookie,
                                 .priority = (uint16_t)rule->cls.priority,
                                 .reason = reason,
                                 .table_id = rule->table_id,
                                 .duration_sec = (uint32_t)(age_ms / 1000),
                                 .duration_nsec = (uint32_t)(age_ms % 1000 * 1000000),
                                 .idle_timeout = rule->idle_timeout,
                                 .hard_timeout = rule->hard_timeout,
                                 .packets = rule->n_packets,
                                 .bytes = rule->n_bytes};
    minimatch_expand(match, &fr.match);
    struct ofconn *oc;
    LIST_FOR_EACH (oc, node, &of->conns) {
        if (!ofconn_wants_async(oc) || !ofconn_async_bit(oc, oc->async.flow_removed, reason))
            continue;
        struct of_buf out = OF_BUF_INIT;
        of_flow_removed_encode(&fr, of_conn_version(oc->conn), oc->table_ids, &out);
        ofconn_send(oc, &out);
        of_buf_fini(&out);
    }
}
