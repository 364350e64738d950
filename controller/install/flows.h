/* flows.h - the flows of the switch, each as it should be and as it is: part of the installer (installer.h).
 *
 * Room 8 of docs/architecture.md. What should be there is what the facts in the engine say. A fact that the switch has just so is marked (inc/mark.h), and that is all
 * that is held of half a million flows; an entry there is for each key of which something else is to be said: there but not wanted, on its way,
 * refused, or made of several facts. It knows what would have to be sent, and neither sends nor receives: that is installer.c. The bytes of a
 * message are flow_wire.c's.
 */
#pragma once

#include "base/hmap.h"
#include "base/pool.h"
#include "base/vec.h"
#include "controller/facts.h"
#include "controller/program.h"
#include "openflow/actions.h"
#include "openflow/protocol.h"

struct flow_value {
    struct rstr *actions; /* NULL: no flow */
    uint64_t cookie;
};

struct flow_change {
    uint64_t cookie; /* desired */
    struct flow_value there;
};

/* At times there are as many as flows, so they are small: what is desired and what the switch has are mostly the same, one value. */
struct flow_entry {
    struct hnode node;
    struct rstr *match; /* with the next three a struct oflow_key */
    uint32_t dp;
    uint16_t priority;
    uint8_t table;
    uint8_t flags;        /* FLOW_... */
    struct rstr *actions; /* desired, else what the switch has; NULL: neither */
    union {
        uint64_t cookie;            /* the same */
        struct flow_change *change; /* FLOW_OTHER */
    };
};

enum {
    FLOW_WANTED = 1 << 0,   /* it is desired */
    FLOW_THERE = 1 << 1,    /* the switch has it */
    FLOW_OTHER = 1 << 2,    /* both, and with other actions or another cookie */
    FLOW_REJECTED = 1 << 3, /* the switch refused these actions */
    FLOW_DIRTY = 1 << 4,    /* in flows->dirty: something may have to be sent */
    FLOW_SENT = 1 << 5,     /* in the batch on its way */
};

typedef VEC(struct flow_entry *) flow_entry_vec;

struct flows {
    struct inc *inc;
    struct program *program;
    struct hmap entries;
    struct pool memory; /* of them */
    flow_entry_vec dirty;
    bool is_known;   /* what the switch has, and it has been compared */
    size_t n_read;   /* flows that it had */
    size_t n_marked; /* facts */
};

void flows_init(struct flows *flows, struct inc *inc, struct program *program);
void flows_fini(struct flows *flows);

/* What the switch has is not known any longer. No entry may be on its way. */
void flows_forget(struct flows *flows);
/* It has this one. */
void flows_read_back(struct flows *flows, const struct oflow_key *key, struct flow_value there);
/* What the facts of the settled engine say is wanted from now on. WHOLE: all that flows_read_back told is known. */
void flows_take(struct flows *flows, bool whole);
/* What nobody wants is dirty: facts say all that is wanted. */
void flows_sweep(struct flows *flows);
/* After many entries have gone: their memory goes too. No entry may be on its way; those that stay move. */
void flows_shrink(struct flows *flows);
struct flows_count {
    size_t desired, there, rejected;
};
struct flows_count flows_count(const struct flows *flows);

/* What it is for, and what it should be; borrowed. */
struct oflow_key flow_entry_key(const struct flow_entry *entry);
struct flow_value flow_entry_desired(const struct flow_entry *entry);
/* What is desired has been sent. */
void flow_entry_sent(struct flows *flows, struct flow_entry *entry);
/* Logs WHY what is desired is left out from now on. */
void flow_entry_set_aside(struct flow_entry *entry, const char *why);
/* Whether something must be sent. */
bool flow_entry_differs(const struct flow_entry *entry);
/* Frees it if a mark, or nothing, says as much. */
void flow_entry_settle(struct flows *flows, struct flow_entry *entry);

/* ---- flow_wire.c ---- */

/* What the facts (struct fact_oflow) of one key make together, a new reference: the first in content order that does something by itself; if all
 * are clauses of conjunctions, all of them. NULL: there is none. */
struct rstr *flow_actions_of(struct rstr_pool *blobs, struct inc_facts facts, uint64_t *cookie);
/* The list as an interned blob (a new reference); nothing, a drop, is a blob too. */
struct rstr *flow_actions_blob(struct rstr_pool *blobs, const struct of_actions *actions);
/* The two forms are the same flow to a switch: equal, or equal after a trip over the wire. */
bool flow_actions_same(struct rstr_pool *blobs, struct rstr *a, struct rstr *b);
/* Whether a flow mod, and a bundle around it, can hold the actions: a message has 65535 bytes. */
bool flow_actions_fit(const struct rstr *actions);
/* Appends a flow mod: ADD with the desired actions, or DELETE_STRICT when none are desired. */
void flow_entry_encode(const struct flow_entry *entry, uint8_t version, uint32_t xid,
                       struct of_buf *out);
