/* dp.h - datapath actions: what to do with a packet, with nothing left to decide.
 *
 * A translation (xlate.c) of a packet's way through the OpenFlow tables ends in such a list; the
 * caches keep it (megaflow.c), exec.c carries it out. This list is the seam between the two: another
 * executor (a kernel, a card) would take the same values. Ports are datapath numbers (struct
 * vport.dp_no), so that a list outlives the ports that it names.
 *
 * Room 10 of docs/architecture.md.
 */
#pragma once

#include "base/str.h"
#include "base/vec.h"
#include "conntrack/conntrack.h"

enum drop_reason {
#define DROP(NAME, COUNTER, TEXT) DROP_##NAME,
#include "switchd/drop.def"
#undef DROP
    N_DROP_REASONS
};
const char *drop_counter(enum drop_reason reason);
const char *drop_text(enum drop_reason reason);

enum dp_type {
    DP_OUTPUT,    /* port */
    DP_SET,       /* field, value: a header field, whole */
    DP_PUSH_VLAN, /* eth_type, tci */
    DP_POP_VLAN,  /* the outermost */
    DP_PUSH_MPLS, /* eth_type, value: the label stack entry */
    DP_POP_MPLS,  /* eth_type */
    DP_PUSH_PBB,  /* value: the I-TAG's control information */
    DP_POP_PBB,
    DP_CLONE,      /* n: that many actions follow that work on a copy */
    DP_CONTROLLER, /* pin */
    DP_METER,      /* meter; the rest is not done when it says drop */
    DP_QUEUE,      /* n: the queue of what is output from here on */
    DP_TRUNC,      /* n: the next output sends at most so many bytes */
    DP_CT,         /* ct: through the connection tracker, which may change the packet */
    DP_SAMPLE,     /* sample: told to collectors, by chance */
    DP_RECIRC,     /* recirc: a copy is looked up and carried out anew */
};

/* What a packet-in says besides the packet. Shared by the lists that hold it. */
struct dp_packet_in {
    uint32_t refs;
    uint32_t bridge_no; /* struct bridge.number */
    uint8_t table_id;
    uint8_t reason; /* OF_REASON_* */
    uint16_t max_len;
    uint16_t controller_id;
    uint64_t cookie;
    uint32_t meter_id;
    struct flow_key key;  /* metadata at that point */
    struct tun_opts *tun; /* owned; NULL: none but KEY's */
    uint8_t *userdata;
    size_t userdata_len;
    uint8_t *continuation; /* for pause: what RESUME brings back; see continuation.c */
    size_t continuation_len;
};

struct recirc_state;

/* Where a tunnel port sends to. */
struct dp_tunnel {
    struct flow_tunnel key;
    uint64_t options;            /* bit i: tun_metadata<i> travels, by the bridge's TLV map */
    const struct tun_opts *more; /* what KEY has no room for; NULL: nothing */
};

/* What a set of collectors is told besides the packet. */
struct dp_sample {
    uint32_t bridge_no, set_id;
    uint32_t domain, point, out_port; /* OUT_PORT: an OpenFlow number, 0: none */
    uint16_t probability;             /* of 65535 */
    uint16_t egress;
};

struct dp_action {
    uint8_t type; /* enum dp_type */
    uint8_t field;
    uint16_t eth_type;
    union {
        uint32_t port, n, meter;
        uint16_t tci;
    };
    union {
        struct {
            uint64_t value_hi, value_lo;
        };
        struct dp_tunnel *tunnel;    /* DP_OUTPUT to a tunnel, owned; else NULL */
        struct dp_packet_in *pin;    /* one reference */
        struct ct_action *ct;        /* owned */
        struct dp_sample *sample;    /* owned */
        struct recirc_state *recirc; /* one reference */
    };
};

struct dp_actions {
    VEC(struct dp_action) list;
};
#define DP_ACTIONS_INIT                                                                            \
    {                                                                                              \
        VEC_INIT                                                                                   \
    }

void dp_actions_clear(struct dp_actions *actions);
void dp_actions_fini(struct dp_actions *actions);
/* TUNNEL is copied, with its options; NULL for other ports. */
void dp_put_output(struct dp_actions *actions, uint32_t port, const struct dp_tunnel *tunnel);
void dp_put_set(struct dp_actions *actions, enum field_id field, u128 value);
void dp_put_push_vlan(struct dp_actions *actions, uint16_t eth_type, uint16_t tci);
void dp_put_pop_vlan(struct dp_actions *actions);
void dp_put_mpls(struct dp_actions *actions, bool push, uint16_t eth_type, uint32_t lse);
void dp_put_push_pbb(struct dp_actions *actions, uint32_t tci);
void dp_put_pop_pbb(struct dp_actions *actions);
void dp_put_meter(struct dp_actions *actions, uint32_t meter);
void dp_put_queue(struct dp_actions *actions, uint32_t queue);
void dp_put_trunc(struct dp_actions *actions, uint32_t max_len);
void dp_put_ct(struct dp_actions *actions, const struct ct_action *ct);         /* copied */
void dp_put_sample(struct dp_actions *actions, const struct dp_sample *sample); /* copied */
void dp_put_recirc(struct dp_actions *actions, struct recirc_state *state);     /* takes over */
void dp_put_controller(struct dp_actions *actions, struct dp_packet_in *pin);   /* takes over */
/* What is put between the two works on a copy of the packet; an empty clone leaves nothing. */
size_t dp_begin_clone(struct dp_actions *actions);
void dp_end_clone(struct dp_actions *actions, size_t start);
/* Removes the clone itself and keeps what it holds. */
void dp_undo_clone(struct dp_actions *actions, size_t start);

/* Appends copies of N actions. */
void dp_actions_copy(struct dp_actions *actions, const struct dp_action *from, size_t n);
bool dp_actions_equal(const struct dp_actions *a, const struct dp_actions *b);
/* "drop", or like "set(eth_dst=..),output:3". PORT_NAME may be NULL. */
void dp_actions_put_text(struct str *s, const struct dp_actions *actions,
                         const char *(*port_name)(void *aux, uint32_t dp_no), void *aux);
void dp_packet_in_unref(struct dp_packet_in *pin);
