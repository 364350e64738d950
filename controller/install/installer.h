/* installer.h - keeps the flows of the switch what they should be, by differences only (room 8 of docs/architecture.md).
 *
 * The installer holds two answers to each (table, priority, match): what is desired and what the switch has. On connecting it
 * makes sure that the Geneve option is mapped, reads back all flows of the bridge, and from then on sends what differs: one
 * atomic bundle and a barrier at a time. It never clears a switch; restarted with the same desires it sends nothing. A
 * flow that the switch refuses is set aside (and logged), so that it does not hold up the others.
 */
#pragma once

#include "controller/facts.h"
#include "io/loop.h"
#include "openflow/actions.h"
#include "openflow/connection.h"

struct installer;

struct installer_options {
    struct loop *loop;
    const char *target; /* of the bridge's management socket */
    const char *rundir;
    const struct tls_config *tls;
    struct rstr_pool *blobs; /* where matches and actions of flows are interned */
};

struct installer_stats {
    bool is_connected; /* and read back */
    size_t desired, installed, rejected;
    uint64_t objects;                          /* groups and meters sent since the start */
    uint64_t adds, deletes, bundles, failures; /* sent since the start */
};

/* CONFIRMED is called when the switch is known to have all flows of a generation. NULL and DIAG when the target is bad. */
struct installer *installer_new(const struct installer_options *options,
                                void (*confirmed)(void *aux, uint64_t generation), void *aux,
                                struct diag *diag);
void installer_free(struct installer *installer);
/* The tun_metadata field of the switch that carries the ports through Geneve tunnels; 0 until it is known. */
unsigned installer_tunnel_option(const struct installer *installer);

/* The flow KEY should have these ACTIONS (bytes of an of_actions list); NULL: it should not be there. */
void installer_set(struct installer *installer, const struct oflow_key *key, uint64_t cookie,
                   struct rstr *actions);
/* A group (ID_GROUP) or meter (ID_METER) should be as SPEC says: ovs-ofctl's syntax without the number; NULL: not there. */
void installer_set_object(struct installer *installer, enum id_kind kind, uint32_t id,
                          const char *spec);
/* Connections of a zone that has a new owner are forgotten before its first flow is there. */
void installer_flush_zone(struct installer *installer, uint32_t zone);
/* What was set makes up GENERATION: sends the difference as soon as the switch is ready for it. Nothing is sent
 * before the first call. */
void installer_commit(struct installer *installer, uint64_t generation);

/* The last generation known to be in the switch; 0: none. */
uint64_t installer_confirmed(const struct installer *installer);
struct installer_stats installer_stats(const struct installer *installer);

/* ---- Between the files of this folder ---- */

struct flow_value {
    struct rstr *actions; /* NULL: no flow */
    uint64_t cookie;
};

struct flow_change {
    uint64_t cookie; /* desired */
    struct flow_value there;
};

/* There are as many as flows, so they are small: what is desired and what the switch has are mostly the same, one value. */
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
    FLOW_DIRTY = 1 << 4,    /* in installer->dirty */
    FLOW_SENT = 1 << 5,     /* in installer->batch */
};

/* What the facts (struct fact_oflow) of one key make together, a new reference: the first in content order that does something by itself; if all
 * are clauses of conjunctions, all of them. NULL: there is none. */
struct rstr *flow_actions_of(struct rstr_pool *blobs, struct inc_facts facts, uint64_t *cookie);
/* The list as an interned blob (a new reference); nothing, a drop, is a blob too. */
struct rstr *flow_actions_blob(struct rstr_pool *blobs, const struct of_actions *actions);
/* The two forms are the same flow to a switch: equal, or equal after a trip over the wire. */
bool flow_actions_same(struct rstr_pool *blobs, struct rstr *a, struct rstr *b);
/* Whether a flow mod, and a bundle around it, can hold the actions: a message has 65535 bytes. */
bool flow_actions_fit(const struct rstr *actions);
/* What ENTRY is for, borrowed. */
struct oflow_key flow_entry_key(const struct flow_entry *entry);
/* What it should be, borrowed. */
struct flow_value flow_entry_desired(const struct flow_entry *entry);
/* Appends a flow mod: ADD with the desired actions, or DELETE_STRICT when none are desired. */
void flow_entry_encode(const struct flow_entry *entry, uint8_t version, uint32_t xid,
                       struct of_buf *out);
