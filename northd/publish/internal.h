/* internal.h - the state of the publisher, shared by the files of this folder; see publisher.h. Not for users. */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/vec.h"
#include "northd/publish/publisher.h"
#include "rows/nb.h"
#include "rows/sb.h"

/* Rows that stand for nothing, or a second time for the same thing: deleted by the next transaction. */
struct surplus {
    const struct schema_table *table;
    struct uuid uuid;
};

struct pub_datapath {
    struct hnode by_nb, by_sb, by_hash, by_key;
    struct uuid nb, sb; /* SB zero: no row is known or on its way */
    u128 hash;          /* what the datapath adds to the identity of a set of datapaths */
    bool has_want, in_sb;
    struct fact_datapath_binding want;
    const struct row *row; /* while there is one, the datapath is in datapaths_by_key */
    struct list dirty;
};

struct text_change {
    const struct rstr *text;
    bool added;
};

struct pub_port {
    struct hnode by_name, by_key;
    const struct rstr *name;
    struct uuid sb; /* zero: no row is known or on its way */
    bool has_want;
    struct fact_port_binding want;
    const struct row *row;        /* while there is one, the port is in ports_by_key */
    VEC(struct uuid) neighbors;   /* MAC_Binding rows that name this port */
    VEC(struct text_change) nats; /* of nat_addresses, unless all are to be compared */
    bool check_nats;
    struct list dirty;
};

struct member_change {
    const struct rstr *port;
    bool added;
};

struct pub_group {
    struct hnode node;
    struct uuid datapath; /* NB */
    enum group group;
    bool has_want, check_all;
    struct uuid sb;
    const struct row *row;
    VEC(struct member_change) changes;
    struct list dirty;
};

/* A set of at least two datapaths that flows share. Its identity is the sum of its members' hashes, so that a set with one
 * more is known without looking at the others. */
struct pub_dpset {
    struct hnode node;
    u128 sum;
    size_t users;                /* flows that are placed here */
    VEC(struct uuid) members;    /* NB uuids, sorted */
    struct uuid sb;              /* of the row; zero: none */
    bool differs;                /* the row has other members */
    VEC(struct pub_flow *) into; /* while building: flows that want to be placed here */
};

struct dp_change {
    struct uuid datapath;
    bool added;
};

/* A class of datapaths (northd/classes.h). */
struct pub_class {
    struct hnode node;
    struct uuid id;
    VEC(struct uuid) members; /* NB uuids */
    struct list links;        /* its flows */
};

struct class_link {
    struct list node;
    struct pub_class *class;
    struct pub_flow *flow;
};

/* What of a row is made once, when the flow becomes wanted, and known again when the row is there. */
enum flow_text { FLOW_MATCH, FLOW_ACTIONS, FLOW_IDS, N_FLOW_TEXTS };

/* Flows equal but for the datapath: one row. */
struct pub_flow {
    struct hnode by_value, by_text; /* by_text: once its texts are made */
    struct fact_lflow value;        /* datapath: zero. MATCH NULL: not wanted, only a row */
    uint64_t text_hash[2];
    size_t n; /* datapaths that want it */
    u128 sum; /* of their hashes */
    const struct row *row;
    struct uuid sb;                          /* zero: no row is known or on its way */
    const struct datum *texts[N_FLOW_TEXTS]; /* until the row is there; NULL: not made */
    struct pub_dpset
        *placed; /* where the last transaction put it; NULL: with a single datapath or nowhere */
    VEC(struct class_link *) links; /* classes whose members want it */
    VEC(struct dp_change) moves;    /* since then; forgotten when they are many and of no use */
    u128 placed_sum;                /* of the single datapath, when placed is NULL */
    struct list dirty;
};

enum { N_USUAL = 256 };

struct publisher {
    struct northd_program *p;
    struct inc *inc;
    struct replica *sb;
    const struct schema *schema;
    struct hmap datapaths_by_nb, datapaths_by_sb, datapaths_by_hash, datapaths_by_key, ports_by_key;
    struct hmap ports, groups, dpsets, flows_by_value, flows_by_text, rows, classes;
    struct list dirty_datapaths, dirty_ports, dirty_groups, dirty_flows, dirty_rows, dirty_sets;
    struct list
        single_flows;    /* of dirty_flows those that only their datapath has, while building */
    struct texts *texts; /* of flows that are new */
    struct hmap sets_by_name, sets_by_owner;
    VEC(struct surplus) surplus;
    VEC(struct uuid) stations;         /* FDB rows that came or changed */
    bool check_stations;               /* all of them */
    VEC(struct pub_dpset *) differing; /* sets whose row differs */
    const struct datum *pipelines[2];
    const struct datum *numbers[N_USUAL],
        *uuids[N_USUAL]; /* values that flows had, for the next ones: NULL or some */
    const struct rstr *stage_names[N_STAGES], *id_keys[3], *source; /* of flows' external_ids */
    struct pub_switches { /* of the load balancer that was written last, while building */
        struct uuid at;
        const struct datum *datum;
    } last_switches;
    size_t part; /* operations of a large transaction */
    bool seed_dirty;
    bool in_flight;
    bool must_restart;       /* a transaction failed: nothing that is known can be relied on */
    struct replica_txn *txn; /* while building */
};

/* ---- publisher.c: helpers ---- */
/* The transaction is as large as one should be, and may end here. */
bool publisher_is_full(const struct publisher *pub);
const struct schema_table *publisher_table(const struct publisher *pub, size_t index);
/* Inserts a row. Its uuid is WISH, so that a row that is made again is the same to those who knew it (derived tables do not
 * outlive a crash), unless that is taken; then any. */
struct uuid publisher_insert(struct publisher *pub, size_t table, const struct uuid *wish);
/* Sets a column of a row that is inserted (ROW NULL: what is the default is left out) or of ROW (what is equal is left
 * out). Takes over VALUE. */
void publisher_put(struct publisher *pub, size_t table, const struct uuid *uuid,
                   const struct row *row, int column, const struct datum *value);
void publisher_delete(struct publisher *pub, size_t table, const struct uuid *uuid);
void publisher_mutate(struct publisher *pub, size_t table, const struct uuid *uuid, int column,
                      enum mutator mutator, const struct datum *value);
void publisher_surplus(struct publisher *pub, const struct row *row);
/* Replaces *SLOT by a reference to ROW. */
void publisher_hold(const struct row **slot, const struct row *row);
void publisher_mark(struct list *head, struct list *node);

/* Maps of strings, growing to MAX_PAIRS: for external_ids and options. */
enum { MAX_PAIRS = 64 };
struct pairs {
    size_t n;
    union atom keys[MAX_PAIRS], values[MAX_PAIRS];
};
void pairs_put(struct pairs *pairs, const char *key, const char *value);
bool pairs_have(const struct pairs *pairs, const char *key);
/* All of a map but what is there already. */
void pairs_put_all(struct pairs *pairs, const struct datum *map);
const struct datum *pairs_take(struct pairs *pairs);

/* ---- datapaths.c ---- */
void datapaths_take_row(struct publisher *pub, const struct row *before, const struct row *after);
void datapaths_take_fact(const void *fact, bool added, void *pub);
void datapaths_build(struct publisher *pub);
void datapaths_clear(struct publisher *pub);
struct pub_datapath *datapaths_find(const struct publisher *pub, const struct uuid *nb);
struct pub_datapath *datapaths_find_sb(const struct publisher *pub, const struct uuid *sb);
struct pub_datapath *datapaths_find_hash(const struct publisher *pub, u128 hash);
/* Deletes what was learned (FDB) on the datapath of ROW: on the port with a key, 0: on any. */
void datapaths_delete_learned(struct publisher *pub, const struct row *row, int64_t port);
/* The wanted datapath whose row has a key; NULL: none. */
struct pub_datapath *datapaths_find_key(const struct publisher *pub, int64_t key);
u128 datapaths_hash(const struct uuid *nb);

/* ---- ports.c ---- */
void ports_take_row(struct publisher *pub, const struct row *before, const struct row *after);
void ports_take_neighbor(struct publisher *pub, const struct row *before, const struct row *after);
void ports_take_fact(const void *fact, bool added, void *pub);
void ports_take_extra(const void *fact, bool added, void *pub); /* begins with the port's name */
void ports_take_nat(const void *fact, bool added, void *pub);
void ports_build(struct publisher *pub);
void ports_clear(struct publisher *pub);
struct pub_port *ports_find(const struct publisher *pub, const struct rstr *name);
/* Has a wanted port of DP the key KEY, by its row? */
bool ports_have_key(const struct publisher *pub, const struct pub_datapath *dp, int64_t key);

/* ---- stations.c: after datapaths.c and ports.c ---- */
void stations_take_row(struct publisher *pub, const struct row *after);
void stations_check_all(struct publisher *pub); /* keys have changed */
void stations_build(struct publisher *pub);
void stations_clear(struct publisher *pub);

/* ---- groups.c ---- */
void groups_take_row(struct publisher *pub, const struct row *before, const struct row *after);
void groups_take_fact(const void *fact, bool added, void *pub);
void groups_take_member(const void *fact, bool added, void *pub);
void groups_build(struct publisher *pub);
void groups_clear(struct publisher *pub);

/* ---- sets.c ---- */
void sets_take_row(struct publisher *pub, const struct row *before, const struct row *after);
void sets_take_fact(const void *fact, bool added, void *pub);
void sets_take_element(const void *fact, bool added, void *pub);
void sets_build(struct publisher *pub);
void sets_clear(struct publisher *pub);

/* ---- lflows_sb.c ---- */
void lflows_sb_take_row(struct publisher *pub, const struct row *before, const struct row *after);
void lflows_sb_take_fact(const void *fact, bool added, void *pub);
/* For classes.c: the flow that a fact is, made if need be; it is wanted on one datapath more or less. */
struct pub_flow *lflows_sb_get(struct publisher *pub, const struct fact_lflow *fact);
void lflows_sb_move(struct publisher *pub, struct pub_flow *flow, const struct uuid *datapath,
                    bool added);
/* Flows whose texts are made now: these must be before anything is built or rows are taken in. */
void lflows_sb_name(struct publisher *pub, struct pub_flow *flow);
/* Adds to the transaction while publisher_is_full does not say so; whether that was all. */
bool lflows_sb_build(struct publisher *pub);
void lflows_sb_clear(struct publisher *pub);

void lflows_sb_hash(const struct fact_lflow *f, const struct datum *const texts[N_FLOW_TEXTS],
                    uint64_t ret[2]); /* of texts; in any thread */

/* ---- texts.c ---- */
struct texts *texts_new(size_t many); /* from so many on, a thread makes them */
void texts_free(struct texts *texts);
/* What is printed of a flow; in any thread. */
void texts_make(const struct fact_lflow *f, const struct datum *ret[N_FLOW_TEXTS]);
void texts_want(struct texts *texts,
                struct pub_flow *flow); /* made by texts_finish at the latest */
void texts_start(struct texts *texts);
/* All that were wanted are there and told to lflows_sb_name, in the order in which they were wanted. */
void texts_finish(struct texts *texts, struct publisher *pub);

/* ---- classes.c ---- */
void classes_take_member(const void *fact, bool added, void *pub);
void classes_take_flow(const void *fact, bool added, void *pub);
void classes_clear(struct publisher *pub); /* before lflows_sb_clear */

/* ---- dpsets.c ---- */
void dpsets_take_row(struct publisher *pub, const struct row *before, const struct row *after);
struct pub_dpset *dpsets_find(const struct publisher *pub, u128 sum);
/* A set that is not there yet, to be filled by dpsets_settle. */
struct pub_dpset *dpsets_expect(struct publisher *pub, u128 sum);
/* Gives every set that flows go INTO its row: an old one's when all its flows move alike, else a new one. */
void dpsets_settle(struct publisher *pub, struct pub_dpset *set);
void dpsets_leave(struct publisher *pub, struct pub_flow *flow);
void dpsets_build(struct publisher *pub);
void dpsets_clear(struct publisher *pub);

/* ---- rows.c ---- */
void rows_watch(struct publisher *pub);
void rows_start(struct publisher *pub); /* takes what SB holds */
void rows_take_row(struct publisher *pub, const struct row *before, const struct row *after);
void rows_take_facts(struct publisher *pub, bool restart);
void rows_build(struct publisher *pub);
void rows_clear(struct publisher *pub);

/* ---- ha.c ---- */
void ha_write_group(struct publisher *pub, const void *fact, const struct row *row);
/* dns.c, for rows.c */
void dns_write(struct publisher *pub, const void *fact, const struct row *row);
/* lb.c, for rows.c */
void lb_write_binding(struct publisher *pub, const void *fact, const struct row *row);
void lb_end(struct publisher *pub); /* the last row of a transaction is written */
void lb_write_monitor(struct publisher *pub, const void *fact, const struct row *row);
void ha_write_member(struct publisher *pub, const void *fact, const struct row *row);

/* ---- meters.c ---- */
void meters_write(struct publisher *pub, const void *fact, const struct row *row);
void meters_write_band(struct publisher *pub, const void *fact, const struct row *row);
/* ---- static_mac_sb.c ---- */
void static_mac_sb_write(struct publisher *pub, const void *fact, const struct row *row);

/* ---- seed.c ---- */
void seed_build(struct publisher *pub);
bool seed_is_seed_table(size_t table);
