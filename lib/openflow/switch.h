/* switch.h - what a switch as a whole says and is told: features, configuration, description, roles, asynchronous messages,
 * packet-in format, controller id, tunnel options, connection flushes. */
#pragma once

#include "openflow/port.h"

#define OF_CAP_FLOW_STATS (1u << 0)
#define OF_CAP_TABLE_STATS (1u << 1)
#define OF_CAP_PORT_STATS (1u << 2)
#define OF_CAP_GROUP_STATS (1u << 3)
#define OF_CAP_STP (1u << 3) /* 1.0 */
#define OF_CAP_IP_REASM (1u << 5)
#define OF_CAP_QUEUE_STATS (1u << 6)
#define OF_CAP_ARP_MATCH_IP (1u << 7) /* 1.0 */
#define OF_CAP_PORT_BLOCKED (1u << 8)
#define OF_CAP_BUNDLES (1u << 9)
#define OF_CAP_FLOW_MONITORING (1u << 10)

struct of_features {
    uint64_t datapath_id;
    uint32_t n_buffers;
    uint8_t n_tables;
    uint8_t auxiliary_id;
    uint32_t capabilities; /* OF_CAP_*, those of the version */
    uint32_t actions;      /* 1.0: bitmap of action types */
    const uint8_t
        *ports; /* 1.0, decoded: borrowed, for of_port_next; encoding: of_port_put entries */
    size_t ports_len;
};
#define OF10_ACTIONS_ALL 0xfffu
void of_features_encode(const struct of_features *f, uint8_t version, uint32_t xid,
                        struct of_buf *out);
int of_features_decode(const struct of_msg *msg, struct of_features *ret) MUST_CHECK;

struct of_config {
    uint16_t flags; /* 0 normal, 1 drop, 2 reassemble, 3 nx-match fragments */
    uint16_t miss_send_len;
};
/* TYPE: OF_GET_CONFIG_REPLY or OF_SET_CONFIG. */
void of_config_encode(enum of_type type, const struct of_config *c, uint8_t version, uint32_t xid,
                      struct of_buf *out);
int of_config_decode(const struct of_msg *msg, struct of_config *ret) MUST_CHECK;

struct of_desc {
    char mfr[257], hw[257], sw[257], serial[33], dp[257];
};
void of_desc_put(struct of_reply *reply, const struct of_desc *desc);
int of_desc_decode(const struct of_msg *msg, struct of_desc *ret) MUST_CHECK;

/* A multipart request without a body: DESC, TABLE_STATS, GROUP_FEATURES, METER_FEATURES, TABLE_FEATURES, TABLE_DESC.. */
void of_multipart_request_encode(enum of_type type, uint8_t version, uint32_t xid,
                                 struct of_buf *out);

enum of_role { OF_ROLE_NOCHANGE, OF_ROLE_EQUAL, OF_ROLE_PRIMARY, OF_ROLE_SECONDARY };
struct of_role_msg {
    enum of_role role;
    bool have_generation;
    uint64_t generation_id;
};
/* TYPE: OF_ROLE_REQUEST or OF_ROLE_REPLY; NX: Nicira's form (1.0). */
void of_role_encode(enum of_type type, const struct of_role_msg *r, uint8_t version, uint32_t xid,
                    struct of_buf *out);
int of_role_decode(const struct of_msg *msg, struct of_role_msg *ret) MUST_CHECK;
/* What a controller hears whose role somebody else changed (OpenFlow 1.4 section 7.4.4; 1.3 by ONF's extension). */
enum of_role_reason { OF_ROLE_PRIMARY_REQUEST, OF_ROLE_CONFIG, OF_ROLE_EXPERIMENTER };
struct of_role_status {
    struct of_role_msg role;
    enum of_role_reason reason;
};
void of_role_status_encode(const struct of_role_status *rs, uint8_t version, struct of_buf *out);
int of_role_status_decode(const struct of_msg *msg, struct of_role_status *ret) MUST_CHECK;

/* Which reasons of which asynchronous messages a controller wants: bitmaps of reasons, [0] as primary or equal, [1] as
 * secondary. */
struct of_async {
    uint32_t packet_in[2], port_status[2], flow_removed[2];
    uint32_t role_status[2], table_status[2]; /* 1.4 and later */
};
void of_async_put(enum of_type type, const struct of_async *a, uint8_t version, uint32_t xid,
                  struct of_buf *out);
/* Since 1.4 a message may leave things as they are: as they are in RET. */
int of_async_decode(const struct of_msg *msg, struct of_async *ret) MUST_CHECK;

/* Nicira messages that carry one number: SET_PACKET_IN_FORMAT, SET_CONTROLLER_ID, FLOW_MOD_TABLE_ID, SET_FLOW_FORMAT,
 * CT_FLUSH_ZONE. */
void of_nx_number_encode(enum of_type type, uint32_t number, uint8_t version, uint32_t xid,
                         struct of_buf *out);
int of_nx_number_decode(const struct of_msg *msg, uint32_t *ret) MUST_CHECK;

/* ---- Tunnel options ---- */
struct of_tlv_map {
    uint16_t opt_class;
    uint8_t type;
    uint8_t len;    /* bytes, a multiple of 4 */
    uint16_t index; /* tun_metadata<index> */
};
enum of_tlv_command { OF_TLV_ADD, OF_TLV_DELETE, OF_TLV_CLEAR };
struct of_tlv_mod {
    enum of_tlv_command command;
    struct of_tlv_map *maps; /* owned */
    size_t n;
};
void of_tlv_mod_encode(const struct of_tlv_mod *m, uint8_t version, uint32_t xid,
                       struct of_buf *out);
int of_tlv_mod_decode(const struct of_msg *msg, struct of_tlv_mod *ret) MUST_CHECK;
void of_tlv_mod_fini(struct of_tlv_mod *m);
struct of_tlv_reply {
    uint32_t max_option_space;
    uint16_t max_fields;
    struct of_tlv_map *maps; /* owned */
    size_t n;
};
void of_tlv_reply_encode(const struct of_tlv_reply *r, uint8_t version, uint32_t xid,
                         struct of_buf *out);
int of_tlv_reply_decode(const struct of_msg *msg, struct of_tlv_reply *ret) MUST_CHECK;
void of_tlv_reply_fini(struct of_tlv_reply *r);

/* ---- NXT_CT_FLUSH: connections to forget ---- */
struct of_ct_tuple {
    uint8_t proto;               /* 0: any */
    struct ip_addr src, dst;     /* version 0: any */
    uint16_t src_port, dst_port; /* 0: any */
    uint8_t icmp_type, icmp_code;
    uint16_t icmp_id;
};
struct of_ct_flush {
    bool has_zone;
    uint16_t zone;
    struct of_ct_tuple orig, reply;
    uint32_t mark, mark_mask;
    u128 label, label_mask;
};
bool of_ct_tuple_is_any(const struct of_ct_tuple *t); /* but for the protocol */
void of_ct_flush_encode(const struct of_ct_flush *cf, uint8_t version, uint32_t xid,
                        struct of_buf *out);
/* "ct_nw_src=10.0.0.1,ct_nw_proto=6,...", in any order; "" is any. ERR_SYNTAX with DIAG. */
int of_ct_tuple_parse(const char *text, struct of_ct_tuple *ret, struct diag *diag) MUST_CHECK;
int of_ct_flush_decode(const struct of_msg *msg, struct of_ct_flush *ret) MUST_CHECK;
