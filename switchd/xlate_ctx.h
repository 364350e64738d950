/* xlate_ctx.h - private to the translation (xlate*.c): the state of one translation, see xlate.h.
 *
 *     xlate.c          tables, resubmit, the guards, the notebook
 *     xlate_action.c   one function an action
 *     xlate_tags.c     VLAN tags
 *     xlate_set.c      action sets, and buckets, which are such
 *     xlate_tun.c      tunnel options
 *     xlate_output.c   commits, ports, patch ports, tunnels, controllers
 *     xlate_normal.c   the NORMAL action
 *     xlate_mirror.c   copies for mirrors
 *     xlate_group.c    groups, multipath, bundle
 *     xlate_learn.c    learn
 *     xlate_sample.c   sample
 *     xlate_ct.c       ct, ct_clear, and what comes behind a ct
 *     continuation.c   what a translation that unwinds leaves to RESUME, or to the packet that has lost a header
 */
#pragma once

#include "openflow/packet_io.h"
#include "switchd/recirc.h"
#include "switchd/vswitch.h"
#include "switchd/xlate.h"

/* Where the notebook's next line stands (xlate_note.c). */
struct xpage {
    unsigned level, below; /* of flows; BELOW: the next one so many levels less */
    bool last;             /* the present action is the last of its list */
    bool list_last;        /* and what ends the list ends the page */
};

/* The tags behind those of the working key (N) and of what the actions so far have left (N_BASE), innermost first: these are the same
 * packet's, so the shorter list begins the longer one. */
struct xtags {
    uint16_t type; /* of the working key's, when actions put it there; else 0 */
    uint8_t n, n_base;
    struct {
        be16 tci, written;
    } behind[8];
};

struct xctx {
    const struct xlate_in *in;
    struct xlate_out *out;
    struct vswitch *vs;
    struct bridge *br;
    /* The working key, and which of its bits are no longer the packet's. */
    struct flow_key key;
    struct flow_mask written;
    /* The packet's headers as the actions put so far have left them, and which bits they set. */
    struct flow_key base;
    struct flow_mask base_written;
    struct xtags tags;
    bool dirty;        /* a header field was written since the last commit */
    struct rule *rule; /* whose actions are carried out; NULL: the caller's */
    uint8_t table_id;
    unsigned depth;       /* of nested resubmits, clones, patch ports */
    unsigned backward;    /* jumps to an earlier table, at the ends of lists, on the way here */
    bool lookup_original; /* the next lookup: resubmit(,N,ct) */
    /* The working key as dep_writes have it. */
    struct flow_key noted;
    struct flow_mask noted_written;
    uint64_t touched;           /* bit i: word i of the working key may differ from that */
    struct flow_mask looked_at; /* of a lookup; 0 between them */
    bool exit;                  /* no further action anywhere */
    bool stop;                  /* a guard has struck: the packet is dropped */
    VEC(struct stack_entry) stack;
    size_t stack_bytes;
    struct of_actions action_set;
    uint64_t tun_options; /* tun_metadata fields that actions wrote */
    uint32_t trunc;       /* for the next output; 0: whole */
    uint32_t mirrored;    /* mirrors of the bridge that have the packet */
    /* While a pause or a pop unwinds: what is left to do at each level, innermost first. */
    bool unwinds;
    struct dp_packet_in *paused; /* NULL: a pop */
    uint8_t unwinds_from;        /* table */
    struct of_buf resume;        /* continuation.c */
    struct xpage page;
    struct tun_opts
        opts; /* the tunnel options that the working key has a number for; the last member: not cleared */
};

/* What a fork saves: packet state that is put back when the fork ends. */
struct xfork {
    struct flow_key key, base;
    struct flow_mask written, base_written;
    struct xtags tags;
    bool dirty;
    uint64_t tun_options;
    struct tun_opts opts;
    size_t clone;
};

/* ---- reading and writing the working key ---- */
void xctx_use_mask(struct xctx *x, const struct flow_mask *bits);
void xctx_use(struct xctx *x, enum field_id id); /* all of a field */
void xctx_use_bits(struct xctx *x, const struct subfield *sub);
/* Whether the packet has the header that the field belongs to; that it was asked is noted. */
bool xctx_has(struct xctx *x, enum field_prereq prereq);
u128 xctx_get(struct xctx *x, const struct subfield *sub);
void xctx_set(struct xctx *x, const struct subfield *sub, u128 value);
/* Tunnel options of any width: xlate_tun.c. */
static inline bool xctx_is_far(const struct subfield *sub)
{
    return FIELD_IS_TUN_METADATA(sub->id) &&
           (sub->id >= FIELD_TUN_METADATA0 + TUN_INLINE || sub->ofs + sub->n_bits > 64);
}
void xctx_use_far(struct xctx *x, const struct subfield *sub);
/* Whether all that there may be of the option is in the key's own word; then VALUE is cut to it, and the option is there from here on. */
bool xctx_set_near(struct xctx *x, enum field_id id, u128 *value);
/* The bits of any field, from bit 0 of RET on; those of an option that are looked at. */
void xctx_get_value(struct xctx *x, const struct subfield *sub, struct tun_value *ret);
void xctx_set_value(struct xctx *x, const struct subfield *sub, const struct tun_value *value);
/* Sets the bits MASK of an option, which is there from then on. */
void xctx_set_tun(struct xctx *x, enum field_id id, const struct tun_value *value,
                  const struct tun_value *mask);
void xctx_delete_tun(struct xctx *x, enum field_id id);
/* Takes the options of the working key's number; false: they are not known any more, and the packet is dropped. */
bool xctx_know_opts(struct xctx *x);
/* BITS of the field, from VALUE. */
void xctx_set_bits(struct xctx *x, const struct field *field, u128 value, u128 bits);

/* ---- flow of control ---- */
/* Where a list of actions goes on after its last one: goto_table, or a resubmit at the very end, which
 * is therefore no deeper nesting. */
struct xjump {
    int table; /* -1: nowhere */
    uint32_t in_port;
};
struct xjump xlate_list(struct xctx *x, const void *actions, size_t n);
/* The list, and the tables that it jumps to. */
void xlate_actions(struct xctx *x, const void *actions, size_t n);
/* Looks up in TABLE_ID of x->br as if the packet had come in on IN_PORT, and goes on from there. */
void xlate_table(struct xctx *x, uint8_t table_id, uint32_t in_port);
void xctx_fork(struct xctx *x, struct xfork *fork);
void xctx_join(struct xctx *x, struct xfork *fork);
void xctx_guard(struct xctx *x, enum drop_reason reason);
bool xctx_enter(struct xctx *x); /* one level deeper; false: too deep, and stopped */
void xctx_leave(struct xctx *x);
/* Notes why nothing came of it, for the packet as a whole if nothing else does. */
void xctx_drop(struct xctx *x, enum drop_reason reason);
struct effect *xctx_effect(struct xctx *x, enum effect_kind kind);
/* Notes that the result depends on KEY. */
void xctx_depend(struct xctx *x, struct dep_key key);

/* ---- the notebook: xlate_note.c ---- */
/* A line, indented to where flows stand: 4 blanks more for an action, "     -> " for what came of it. */
void xctx_note(struct xctx *x, const char *format, ...) PRINTF_FORMAT(2, 3);
void note_lookup(struct xctx *x,
                 const struct rule *rule); /* in x->table_id; NULL: no flow matched */
/* A, of the list that goes until END. */
void note_action(struct xctx *x, const struct of_action *a, const void *end);
/* What is noted from here on belongs to a table, a bucket, another bridge (x->br), actions inside an action. They return what
 * x->page is to be again behind it. */
struct xpage note_table(struct xctx *x);
struct xpage note_bucket(struct xctx *x, const struct of_bucket *bucket);
struct xpage note_bridge(struct xctx *x);
struct xpage note_inner(struct xctx *x);
void note_value(struct xctx *x, const struct subfield *sub); /* what it has become */
void note_action_set(struct xctx *x, const char *verb);
/* What a learn action installed, or would have. */
void note_learned(struct xctx *x, const struct of_flow_mod *fm);

/* ---- sets: xlate_set.c ---- */
/* What a set comes to, as a list, into RET, which is empty: in the set's order, the last action of each kind, and one that sends the packet
 * somewhere; nothing if none does. */
void xlate_order_set(const struct of_actions *set, struct of_actions *ret);
bool xlate_set_is_empty(const struct of_actions *set); /* whether that is nothing */
void xlate_set(struct xctx *x, const struct of_actions *set);
/* Carries out what write_actions has gathered; at the end of the pipeline. */
void xlate_action_set(struct xctx *x);

/* ---- pause and pop: continuation.c ---- */
/* The translation unwinds from here; PIN is what RESUME brings back, NULL: the packet's headers are not known any more. */
void continuation_begin(struct xctx *x, struct dp_packet_in *pin);
/* What is left of one level's actions while it unwinds. */
void continuation_add_level(struct xctx *x, const void *actions, size_t n);
/* The unwinding is over (top, or the end of a fork): seals the continuation. */
void continuation_finish(struct xctx *x);
/* Runs what a continuation holds. */
void continuation_run(struct xctx *x, const uint8_t *data, size_t n);

/* ---- tags: xlate_tags.c ---- */
void xlate_push_vlan(struct xctx *x, uint16_t eth_type);
/* Behind the tag may be another one, which is not known: then the packet is read again. */
void xlate_pop_vlan(struct xctx *x);
/* The working key is about to have a new outermost tag, of that type. */
void xtags_cover(struct xctx *x, uint16_t eth_type);
void xtags_uncover(struct xctx *x); /* the outermost is gone, and there is one behind it */
void xlate_commit_tags(struct xctx *x);
/* Nothing is known any more of what is behind the Ethernet header, but that it is of ETH_TYPE. */
void xctx_forget_network(struct xctx *x, uint16_t eth_type);

/* ---- output ---- */
void xlate_commit(struct xctx *x);
/* Whether the packet's field must be set, noting the bits on which that depends: see xlate.h. */
bool xlate_needs_commit(struct xctx *x, enum field_id id);
void xlate_output(struct xctx *x, uint32_t port, uint16_t max_len);
void xlate_output_port(struct xctx *x, struct vport *port);
void xlate_flood(struct xctx *x, bool all);
void xlate_normal(struct xctx *x);
/* Copies for the mirrors that select packets that come in on PORT (INPUT), or have just left through it. */
void xlate_mirror(struct xctx *x, const struct vport *port, bool input);
/* The VLAN that a packet with TCI belongs to on PORT (NULL: none); -1: it may not be there. */
int xlate_vlan_of(const struct vport *port, uint16_t tci);
void xlate_flood_vlan(struct xctx *x, uint16_t vlan, uint32_t in_port);
void xlate_controller(struct xctx *x, uint16_t max_len, uint16_t id, uint8_t reason,
                      const uint8_t *userdata, size_t userdata_len, bool pause, uint32_t meter_id);
void xlate_group(struct xctx *x, uint32_t id);
void xlate_multipath(struct xctx *x, const struct of_multipath *a);
void xlate_bundle(struct xctx *x, const struct of_bundle_action *a);
void xlate_sample(struct xctx *x, const struct of_sample *a);
void xlate_learn(struct xctx *x, const struct of_learn *a);
void xlate_ct(struct xctx *x, const struct of_ct *a);
void xlate_ct_clear(struct xctx *x);
/* The present state, to go on behind what recirculates: in TABLE_ID, or with LEVELS. One reference. */
struct recirc_state *xlate_freeze(struct xctx *x, uint8_t table_id, const struct of_buf *levels);
/* Goes on where a ct or a pop stopped. */
void xlate_thaw(struct xctx *x, const struct recirc_state *state);
