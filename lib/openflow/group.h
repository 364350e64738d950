/* group.h - groups: GROUP_MOD (1.3 to 1.5), descriptions, statistics, features. */
#pragma once

#include "openflow/flow_mod.h"

enum of_group_type {
    OF_GROUP_TYPE_ALL,
    OF_GROUP_TYPE_SELECT,
    OF_GROUP_TYPE_INDIRECT,
    OF_GROUP_TYPE_FF
};
enum of_group_command {
    OF_GROUP_ADD,
    OF_GROUP_MODIFY,
    OF_GROUP_DELETE,
    OF_GROUP_INSERT_BUCKET = 3,
    OF_GROUP_REMOVE_BUCKET = 5,
    OF_GROUP_ADD_OR_MODIFY = 0x8000
};
#define OF_BUCKET_MAX 0xffffff00u /* ids of buckets are below */
#define OF_BUCKET_FIRST 0xfffffffdu
#define OF_BUCKET_LAST 0xfffffffeu
#define OF_BUCKET_ALL 0xffffffffu

struct of_bucket {
    uint32_t id;
    uint16_t weight;
    bool has_weight;
    uint32_t watch_port;  /* PORT_ANY: none */
    uint32_t watch_group; /* OF_GROUP_ANY: none */
    struct of_actions actions;
};
struct of_group {
    uint32_t id;
    enum of_group_type type;
    char method[17]; /* selection method: "", "hash", "dp_hash" */
    uint64_t method_param;
    struct flow_mask fields; /* of method hash: what to hash; all zero: not said */
    uint8_t field_order
        [16]; /* enum field_id of FIELDS in the order given, ended by FIELD_NONE or the end */
    struct of_bucket *buckets; /* owned */
    size_t n_buckets;
};
struct of_group_mod {
    enum of_group_command command;
    uint32_t command_bucket_id; /* 1.5: INSERT, REMOVE */
    struct of_group group;
};
/* "command_bucket_id:last,group_id=3,bucket=...": what changes buckets only. */
void of_group_put_buckets(struct str *s, const struct of_group_mod *gm, uint8_t version,
                          const struct port_names *names);
void of_group_init(struct of_group *g);
void of_group_fini(struct of_group *g);
struct of_bucket *
of_group_add_bucket(struct of_group *g); /* the new last one, its id following the last */
void of_group_copy(struct of_group *dst, const struct of_group *src); /* DST is overwritten */
bool of_group_equal(const struct of_group *a, const struct of_group *b);
void of_group_mod_init(struct of_group_mod *gm, enum of_group_command command, uint32_t group_id);
void of_group_mod_fini(struct of_group_mod *gm);
void of_group_mod_encode(const struct of_group_mod *gm, uint8_t version, uint32_t xid,
                         struct of_buf *out);
int of_group_mod_decode(const struct of_msg *msg, struct of_group_mod *ret) MUST_CHECK;

/* Requests for one group or OF_GROUP_ALL: TYPE OF_GROUP_DESC_REQUEST or OF_GROUP_STATS_REQUEST. */
void of_group_request_encode(enum of_type type, uint32_t group, uint8_t version, uint32_t xid,
                             struct of_buf *out);
int of_group_request_decode(const struct of_msg *msg, uint32_t *group) MUST_CHECK;
void of_group_desc_put(struct of_reply *reply, const struct of_group *g);
int of_group_desc_next(const struct of_msg *msg, size_t *ofs, struct of_group *ret) MUST_CHECK;
struct of_group_stats {
    uint32_t id, ref_count;
    uint64_t packets, bytes;
    uint32_t duration_sec, duration_nsec;
    struct {
        uint64_t packets, bytes;
    } * buckets; /* owned */
    size_t n_buckets;
};
void of_group_stats_put(struct of_reply *reply, const struct of_group_stats *gs);
int of_group_stats_next(const struct of_msg *msg, size_t *ofs,
                        struct of_group_stats *ret) MUST_CHECK;
void of_group_stats_fini(struct of_group_stats *gs);
struct of_group_features {
    uint32_t types, capabilities;
    uint32_t max_groups[4], actions[4];
};
void of_group_features_put(struct of_reply *reply, const struct of_group_features *gf);
int of_group_features_decode(const struct of_msg *msg, struct of_group_features *ret) MUST_CHECK;

/* "group_id=1,type=select,bucket=..." as ovs-ofctl writes and reads it. */
void of_group_put(struct str *s, const struct of_group *g, uint8_t version,
                  const struct port_names *names);
int of_group_mod_parse(const char *text, enum of_group_command command,
                       const struct port_names *names, struct of_group_mod *ret,
                       struct diag *diag) MUST_CHECK;
