/* flow_mod.h - FLOW_MOD, FLOW_REMOVED, and flow and aggregate statistics. */
#pragma once

#include "openflow/actions.h"

enum of_flow_command {
    OF_FLOW_ADD,
    OF_FLOW_MODIFY,
    OF_FLOW_MODIFY_STRICT,
    OF_FLOW_DELETE,
    OF_FLOW_DELETE_STRICT,
};

#define OF_FLOW_SEND_FLOW_REM 1
#define OF_FLOW_CHECK_OVERLAP 2
#define OF_FLOW_RESET_COUNTS 4
#define OF_FLOW_NO_PKT_COUNTS 8
#define OF_FLOW_NO_BYT_COUNTS 16

#define OF_GROUP_ANY 0xffffffffu
#define OF_GROUP_ALL 0xfffffffcu

struct of_flow_mod {
    enum of_flow_command command;
    uint8_t table_id; /* OF_TABLE_ALL: all (delete), or the switch chooses (1.0 add) */
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout; /* seconds, 0: none */
    uint16_t flags;                      /* OF_FLOW_* */
    uint16_t importance;                 /* 1.4 and later */
    uint64_t cookie;                     /* of the new flow */
    uint64_t cookie_match; /* modify, delete: only flows whose cookie is this under cookie_mask */
    uint64_t cookie_mask;
    bool modify_cookie; /* modify: also set the cookie */
    uint32_t buffer_id; /* OF_BUFFER_NONE */
    uint32_t out_port;  /* delete: PORT_ANY: no filter */
    uint32_t out_group; /* delete: OF_GROUP_ANY: no filter */
    struct match match;
    struct of_actions actions; /* and instructions */
};

/* An add of priority 32768 with no filter, no actions and a match of everything, to table 0. */
void of_flow_mod_init(struct of_flow_mod *fm, enum of_flow_command command);
void of_flow_mod_fini(struct of_flow_mod *fm);
/* In 1.0 Nicira's message with TABLE_IDS. */
void of_flow_mod_encode(const struct of_flow_mod *fm, uint8_t version, uint32_t xid,
                        struct of_buf *out);
/* In 1.0: PLAIN: OFPT_FLOW_MOD, whose match has 1.0's fields alone (what else FM says is lost), or NXT_FLOW_MOD. TABLE_IDS as below; without
 * them FM's table is the switch's choice. */
void of_flow_mod_encode_10(const struct of_flow_mod *fm, bool plain, bool table_ids, uint32_t xid,
                           struct of_buf *out);
/* TABLE_IDS: in 1.0, the upper byte of the command is the table (after NXT_FLOW_MOD_TABLE_ID). Does not call
 * of_actions_check. RET is to be finished whatever is returned. */
int of_flow_mod_decode(const struct of_msg *msg, bool table_ids,
                       struct of_flow_mod *ret) MUST_CHECK;

struct of_flow_removed {
    struct match match;
    uint64_t cookie;
    uint16_t priority;
    uint8_t reason; /* OF_REMOVED_* */
    uint8_t table_id;
    uint32_t duration_sec, duration_nsec;
    uint16_t idle_timeout, hard_timeout;
    uint64_t packets, bytes;
};
enum {
    OF_REMOVED_IDLE,
    OF_REMOVED_HARD,
    OF_REMOVED_DELETE,
    OF_REMOVED_GROUP_DELETE,
    OF_REMOVED_METER_DELETE,
    OF_REMOVED_EVICTION
};
/* NX: in 1.0, as NXT_FLOW_REMOVED. */
void of_flow_removed_encode(const struct of_flow_removed *fr, uint8_t version, bool nx,
                            struct of_buf *out);
int of_flow_removed_decode(const struct of_msg *msg, struct of_flow_removed *ret) MUST_CHECK;

/* FLOW_STATS and AGGREGATE requests. */
struct of_flow_stats_request {
    bool aggregate;
    uint8_t table_id; /* OF_TABLE_ALL */
    uint32_t out_port, out_group;
    uint64_t cookie, cookie_mask;
    struct match match;
};
/* Asks for everything. */
void of_flow_stats_request_init(struct of_flow_stats_request *req);
/* NX: in 1.0, as NXST_FLOW or NXST_AGGREGATE. */
void of_flow_stats_request_encode(const struct of_flow_stats_request *req, uint8_t version, bool nx,
                                  uint32_t xid, struct of_buf *out);
int of_flow_stats_request_decode(const struct of_msg *msg,
                                 struct of_flow_stats_request *ret) MUST_CHECK;

struct of_flow_stats {
    struct match match;
    uint64_t cookie;
    uint8_t table_id;
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout, flags, importance;
    int32_t idle_age, hard_age; /* seconds, -1: unknown (only NXST_FLOW tells) */
    uint32_t duration_sec, duration_nsec;
    uint64_t packets, bytes; /* UINT64_MAX: unknown */
    struct of_actions actions;
};
/* Replies: of_multipart_reply gathers entries and splits them over as many messages as needed. The encoders below
 * append one entry. */
struct of_reply {
    struct of_buf *out;
    uint8_t version;
    bool nx;
    uint32_t xid;
    enum of_type type;
    size_t start; /* of the message being built */
};
/* Begins the reply to REQUEST in OUT; of_reply_end completes the last message (there is always one). */
void of_reply_begin(struct of_reply *reply, const struct of_msg *request, struct of_buf *out);
void of_reply_end(struct of_reply *reply);
/* Appends N bytes that belong together; begins a further message when the present one would grow beyond 64 kB. */
void of_reply_put(struct of_reply *reply, const void *bytes, size_t n);

void of_flow_stats_put(struct of_reply *reply, const struct of_flow_stats *fs);
/* Walks the entries of a reply: *OFS starts at 0. 1: RET is filled (finish it), 0: the end, negative: -OF_ERROR. */
int of_flow_stats_next(const struct of_msg *msg, size_t *ofs, struct of_flow_stats *ret) MUST_CHECK;
void of_flow_stats_fini(struct of_flow_stats *fs);

struct of_aggregate {
    uint64_t packets, bytes;
    uint32_t flows;
};
void of_aggregate_put(struct of_reply *reply, const struct of_aggregate *agg);
int of_aggregate_decode(const struct of_msg *msg, struct of_aggregate *ret) MUST_CHECK;
