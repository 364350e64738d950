/* xlate.h - translation: a packet's way through the OpenFlow tables, as a list of datapath actions.
 *
 * Given a key (and the packet, where there is one) the translation looks up rules, carries out their
 * actions on a working copy of the key, and yields what to do to the packet and which bits of the key
 * that depended on. The result holds for every packet whose key agrees in these bits; that is the
 * promise the megaflow cache stands on, and tests/unit/switchd holds it against translation without
 * caches.
 *
 * How bits are known. The working key starts as the packet's, and each of its bits is either still
 * the packet's or has been overwritten (mask `written`). Reading a bit that is still the packet's adds
 * it to the result's mask; reading an overwritten bit adds nothing, since whatever was copied into it
 * was read, and so added, at the time. Setting a header field costs nothing until an output: then the
 * fields that differ from what the packet already got are committed as DP_SET actions.
 *
 * What is not a function of the key (meters, learning, controllers' packets) is an action or an
 * effect. An effect is what each packet that takes this way must be credited to: rules, patch ports,
 * MAC learning.
 *
 * Guards: nesting deeper than XLATE_MAX_DEPTH and more than XLATE_MAX_RESUBMITS resubmits drop the
 * packet with a counted reason, and the log names bridge and table. There is no other limit: output to
 * any number of ports is fine.
 *
 * Room 10 of docs/architecture.md.
 */
#pragma once

#include "switchd/bridge.h"
#include "switchd/deps.h"
#include "switchd/dp.h"

enum {
    XLATE_MAX_DEPTH = 64,
    XLATE_MAX_RESUBMITS = 1000000,
    XLATE_MAX_STACK = 65536,
    XLATE_MAX_ACTIONS = 1000000 /* of the result; as bytes, of the action set */
};

enum effect_kind {
    EFFECT_RULE,
    EFFECT_FIN, /* the rule's connection ends: its timeouts become shorter (fin_timeout) */
    EFFECT_MAC,
    EFFECT_PATCH,
    EFFECT_TABLE_MISS,
    EFFECT_GROUP,
    EFFECT_MIRROR /* at.id: its place in the bridge's list */
};
struct effect {
    uint8_t kind;      /* enum effect_kind */
    bool soft;         /* a lookup in a table with conjunctions */
    uint16_t n_writes; /* a lookup: of xlate_out.writes, made before it; or DEP_UNKNOWN */
    union {
        struct {
            struct rule *rule; /* one reference */
            uint32_t bridge_no;
            uint16_t fin_idle, fin_hard;
        } rule;
        struct { /* a MAC seen */
            uint32_t bridge_no;
            uint32_t port;
            struct mac mac;
            uint16_t vlan;
        } mac;
        struct {             /* out of one patch port, into its peer */
            uint32_t tx, rx; /* dp_no */
        } patch;
        struct { /* a table that had no flow for it; a group that it went through */
            uint32_t bridge_no;
            uint32_t id;
            uint32_t bucket_id; /* that the group chose, or OF_BUCKET_ALL */
        } at;
    };
};

static inline bool effect_has_rule(const struct effect *e)
{
    return e->kind == EFFECT_RULE || e->kind == EFFECT_FIN;
}

struct xlate_in {
    struct bridge *bridge;
    struct vport *in_port;       /* NULL: none (packet-out from the controller) */
    struct flow_key key;         /* in_port is an OpenFlow number here */
    const struct packet *packet; /* NULL: only the key is there */
    /* Instead of table 0: these actions. */
    const void *actions;
    size_t n_actions;
    const struct recirc_state *recirc; /* or what a ct action left */
    const uint8_t *continuation; /* or what RESUME brought back, checked by continuation_check */
    size_t n_continuation;
    int start_table;        /* used when none of these is given */
    bool may_learn;         /* changes to MAC tables and learned flows may be made */
    bool depends;           /* what it depends on is wanted: xlate_out.deps, writes */
    struct str *notes;      /* ofproto/trace's notebook, or NULL */
    bool names;             /* it shows ports by name */
    struct flow_key *final; /* gets the working key as it is in the end, or NULL */
    uint8_t reason; /* OF_REASON_* that controller actions of 1.0 to 1.3 get; 0: as they say */
    int64_t now_ms;
};

struct xlate_out {
    struct dp_actions actions;
    struct flow_mask mask; /* in_port is always in it */
    VEC(struct effect) effects;
    VEC(struct dep_key) deps; /* in order; a DEP_TABLE for each effect that is a lookup */
    VEC(struct dep_write) writes;
    bool cacheable;        /* false: the next packet like this one may go another way */
    bool used_macs;        /* it learns MACs */
    bool delivered;        /* something was output, or sent to a controller */
    enum drop_reason drop; /* why not; DROP_NONE when delivered */
    uint32_t n_resubmits;
};

void xlate_out_init(struct xlate_out *out);
void xlate_out_fini(struct xlate_out *out);
/* As after xlate_out_init, but memory is kept for the next result. */
void xlate_out_clear(struct xlate_out *out);
void xlate(const struct xlate_in *in, struct xlate_out *out);

/* Whether DATA can be resumed on BR: it is one that this bridge made. */
bool continuation_check(const struct bridge *br, const uint8_t *data, size_t n);

/* Credits what OUT's effects name with traffic. LEARN: MACs too, which must not come late: after a
 * MAC has moved, what was counted before would move it back. */
void effects_apply(struct vswitch *vs, const struct effect *effects, size_t n, uint64_t n_packets,
                   uint64_t n_bytes, int64_t now_ms, bool learn);
