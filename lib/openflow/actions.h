/* actions.h - OpenFlow actions and instructions as one value: a packed sequence in one buffer.
 *
 * A list of actions is N bytes; each action begins with struct of_action (kind, form, length in bytes, a multiple of 8)
 * and goes on as the struct of its kind, all padding zero. So lists are equal exactly when their bytes are; they are
 * hashed, copied and freed as bytes. CT, CLONE and WRITE_ACTIONS hold further actions behind their struct. The
 * instructions of OpenFlow 1.1 and later are members of the list too, in the order in which they take effect: METER,
 * actions to apply, CLEAR_ACTIONS, WRITE_ACTIONS, WRITE_METADATA, GOTO_TABLE.
 *
 * Building:     struct of_actions a = OF_ACTIONS_INIT;
 *               of_put_set_field(&a, FIELD_REG0, 5);  size_t ct = of_begin_ct(&a, ...); ...; of_end_nested(&a, ct);
 * Reading:      const struct of_action *x;  OF_ACTION_FOR_EACH (x, a.data, a.n) switch (x->type) { ... }
 *
 * Pointers into a list move when it grows.
 */
#pragma once

#include "base/diag.h"
#include "net/addr.h"
#include "openflow/protocol.h"

enum of_action_type {
    OF_ACTION_NONE, /* never in a list */
    OF_OUTPUT,
    OF_OUTPUT_REG,
    OF_OUTPUT_TRUNC,
    OF_CONTROLLER,
    OF_ENQUEUE,
    OF_SET_FIELD, /* also load, mod_*: see form */
    OF_SET_TUN,   /* SET_FIELD of a tunnel option, with more than 128 bits */
    OF_MOVE,
    OF_STACK_PUSH,
    OF_STACK_POP,
    OF_PUSH_VLAN,
    OF_POP_VLAN,
    OF_PUSH_MPLS,
    OF_POP_MPLS,
    OF_PUSH_PBB,
    OF_POP_PBB,
    OF_DEC_TTL,
    OF_DEC_MPLS_TTL,
    OF_RESUBMIT,
    OF_LEARN,
    OF_CT,
    OF_NAT, /* inside CT only */
    OF_CT_CLEAR,
    OF_CLONE,
    OF_CONJUNCTION,
    OF_NOTE,
    OF_EXIT,
    OF_SET_QUEUE,
    OF_POP_QUEUE,
    OF_GROUP,
    OF_CHECK_PKT_LARGER,
    OF_MULTIPATH,
    OF_BUNDLE,
    OF_SAMPLE,
    OF_FIN_TIMEOUT,
    OF_DELETE_FIELD,
    OF_METER,
    OF_CLEAR_ACTIONS,
    OF_WRITE_ACTIONS,
    OF_WRITE_METADATA,
    OF_GOTO_TABLE,
    N_OF_ACTIONS
};

/* How an action was spelled where there are several spellings of one meaning. */
enum of_action_form {
    OF_FORM_PLAIN,
    OF_FORM_LOAD, /* SET_FIELD: "load:", NXAST_REG_LOAD (1.0 to 1.4) */
    OF_FORM_MOD,  /* SET_FIELD: "mod_nw_src:" etc., the actions of 1.0; POP_VLAN: "strip_vlan" */
    OF_FORM_2, /* CONTROLLER: as CONTROLLER2; DEC_TTL: with ids; RESUBMIT: with a table; SET_FIELD: with
                   * a mask though it is all of the bits, for fields that do not fill their bytes */
};

struct of_action {
    uint8_t type;         /* enum of_action_type */
    uint8_t form;         /* enum of_action_form */
    uint16_t len;         /* of the whole action */
    uint32_t pad_or_data; /* the structs below name it */
};

struct of_actions {
    uint8_t *data;
    size_t n, cap; /* bytes */
};
#define OF_ACTIONS_INIT                                                                            \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* Each struct begins like struct of_action up to len. */
#define OF_ACTION_HEAD                                                                             \
    uint8_t type;                                                                                  \
    uint8_t form;                                                                                  \
    uint16_t len

struct of_output { /* CONTROLLER as a port: packet-in with at most max_len bytes */
    OF_ACTION_HEAD;
    uint32_t port;
    uint16_t max_len;
    uint16_t pad[3];
};
struct of_output_reg {
    OF_ACTION_HEAD;
    struct subfield src;
    uint16_t max_len;
    uint16_t pad[3];
};
struct of_output_trunc {
    OF_ACTION_HEAD;
    uint32_t port;
    uint32_t max_len;
    uint32_t pad;
};
struct of_controller {
    OF_ACTION_HEAD;
    uint16_t max_len;
    uint16_t controller_id;
    uint32_t meter_id; /* 0xffffffff: none (as given: 0 is a meter id that was said) */
    uint8_t reason;    /* OF_REASON_* of packet_io.h */
    bool pause;
    uint16_t userdata_len;
    uint8_t userdata[]; /* padded to 8 with zeros */
};
#define OF_METER_NONE 0xffffffffu
struct of_enqueue {
    OF_ACTION_HEAD;
    uint32_t port;
    uint32_t queue;
    uint32_t pad;
};
struct of_set_field {
    OF_ACTION_HEAD;
    uint8_t field; /* enum field_id */
    bool tagged;   /* dl_vlan, dl_vlan_pcp: packets are known to have a tag (of_actions_check) */
    uint8_t pad[2];
    uint64_t value_hi, value_lo; /* bits outside the mask are zero */
    uint64_t mask_hi, mask_lo;
};
static inline u128 of_set_field_value(const struct of_set_field *a)
{
    return (u128)a->value_hi << 64 | a->value_lo;
}
static inline u128 of_set_field_mask(const struct of_set_field *a)
{
    return (u128)a->mask_hi << 64 | a->mask_lo;
}
struct of_set_tun {
    OF_ACTION_HEAD;
    uint8_t field; /* enum field_id */
    uint8_t masked;
    uint8_t n; /* bytes of the value */
    uint8_t pad;
    uint8_t data[]; /* value, cut to the mask, and mask; padded to 8 with zeros */
};
struct of_move {
    OF_ACTION_HEAD;
    uint32_t pad;
    struct subfield src, dst;
};
struct of_stack { /* STACK_PUSH, STACK_POP */
    OF_ACTION_HEAD;
    struct subfield sub;
};
struct of_push_vlan { /* also PUSH_MPLS, POP_MPLS, PUSH_PBB */
    OF_ACTION_HEAD;
    uint16_t eth_type;
    uint16_t pad;
};
struct of_dec_ttl {
    OF_ACTION_HEAD;
    uint16_t n_ids; /* controllers that hear of TTLs that run out; plain dec_ttl: id 0 alone */
    uint16_t ids[]; /* padded with zeros */
};
struct of_resubmit {
    OF_ACTION_HEAD;
    uint32_t in_port; /* PORT_IN_PORT: the present one */
    uint8_t table;    /* 255: the present one */
    bool with_ct; /* with the connection's original addresses and ports in place of the packet's */
    uint8_t pad[6];
};
struct of_ct {
    OF_ACTION_HEAD;
    uint16_t flags;           /* OF_CT_COMMIT, OF_CT_FORCE */
    uint16_t alg;             /* port of the protocol (21, 69), 0: none */
    struct subfield zone_src; /* id FIELD_NONE: zone_imm counts */
    uint16_t zone_imm;
    uint8_t table; /* 255: does not recirculate */
    uint8_t pad;
    /* nested: at most one NAT, SET_FIELD and MOVE to ct_mark and ct_label ("exec") */
};
#define OF_CT_COMMIT 1
#define OF_CT_FORCE 2
#define OF_CT_NO_RECIRC 0xff
struct of_nat {
    OF_ACTION_HEAD;
    uint16_t flags;              /* OF_NAT_* */
    uint8_t addr_version;        /* 0: no address given, 4, 6 */
    uint8_t has_max;             /* bit 0: addr_max was said; bit 1: port_max was said */
    uint16_t port_min, port_max; /* 0: none; port_max == port_min when one was given */
    uint32_t pad;
    struct ip6 addr_min, addr_max; /* IPv4 in the first 4 bytes; equal when one was given */
};
#define OF_NAT_SRC 1
#define OF_NAT_DST 2
#define OF_NAT_PERSISTENT 4
#define OF_NAT_HASH 8
#define OF_NAT_RANDOM 16
struct of_plain { /* CT_CLEAR, EXIT, POP_QUEUE, DEC_MPLS_TTL, CLEAR_ACTIONS, POP_VLAN, POP_PBB */
    OF_ACTION_HEAD;
    uint32_t pad;
};
struct of_nested { /* CLONE, WRITE_ACTIONS: nested actions follow */
    OF_ACTION_HEAD;
    uint32_t pad;
};
struct of_conjunction {
    OF_ACTION_HEAD;
    uint32_t id;
    uint8_t clause; /* from 0 */
    uint8_t n_clauses;
    uint8_t pad[6];
};
struct of_note {
    OF_ACTION_HEAD;
    uint16_t n;
    uint8_t bytes[]; /* padded with zeros */
};
struct of_id { /* SET_QUEUE, GROUP, METER */
    OF_ACTION_HEAD;
    uint32_t id;
};
struct of_check_pkt_larger {
    OF_ACTION_HEAD;
    uint16_t pkt_len;
    uint16_t pad;
    struct subfield dst;
    uint32_t pad2;
};
struct of_multipath {
    OF_ACTION_HEAD;
    uint16_t fields; /* OF_HASH_* */
    uint16_t basis;
    uint16_t algorithm; /* OF_MP_* */
    uint16_t max_link;  /* number of links - 1 */
    uint32_t arg;
    struct subfield dst;
    uint32_t pad;
};
enum {
    OF_HASH_ETH_SRC,
    OF_HASH_SYMMETRIC_L4,
    OF_HASH_SYMMETRIC_L3L4,
    OF_HASH_SYMMETRIC_L3L4_UDP,
    OF_HASH_NW_SRC,
    OF_HASH_NW_DST,
    OF_HASH_SYMMETRIC_L3
};
enum { OF_MP_MODULO_N, OF_MP_HASH_THRESHOLD, OF_MP_HRW, OF_MP_ITER_HASH };
struct of_bundle_action {
    OF_ACTION_HEAD;
    uint16_t algorithm; /* OF_BD_* */
    uint16_t fields;    /* OF_HASH_* */
    uint16_t basis;
    uint16_t n_members;
    struct subfield dst; /* bundle_load; FIELD_NONE: output */
    uint32_t members[];  /* ports */
};
enum { OF_BD_ACTIVE_BACKUP, OF_BD_HRW };
struct of_sample {
    OF_ACTION_HEAD;
    uint16_t probability;
    uint8_t direction; /* 0 default, 1 ingress, 2 egress */
    uint8_t version;   /* 1..4: the subtype that carried it */
    uint32_t collector_set_id;
    uint32_t obs_domain_imm, obs_point_imm; /* when the subfield is FIELD_NONE */
    struct subfield obs_domain_src, obs_point_src;
    uint32_t sampling_port; /* PORT_ANY: none */
};
struct of_fin_timeout {
    OF_ACTION_HEAD;
    uint16_t idle, hard;
};
struct of_delete_field {
    OF_ACTION_HEAD;
    uint8_t field;
    uint8_t pad[3];
};
struct of_write_metadata {
    OF_ACTION_HEAD;
    uint32_t pad;
    uint64_t value, mask;
};
struct of_goto_table {
    OF_ACTION_HEAD;
    uint8_t table;
    uint8_t pad[3];
};

/* learn: what the new flow is made of. Specs follow the struct. */
enum of_learn_dst { OF_LEARN_MATCH, OF_LEARN_LOAD, OF_LEARN_OUTPUT };
struct of_learn_spec {
    uint8_t dst_type;    /* enum of_learn_dst */
    uint8_t src_imm;     /* 1: value_hi/lo, 0: src */
    uint16_t n_bits;     /* 1..128; from a tunnel option to another up to 992 */
    struct subfield src; /* its n_bits is the spec's */
    struct subfield dst; /* none for OUTPUT */
    uint32_t pad2;
    uint64_t value_hi, value_lo;
};
struct of_learn {
    OF_ACTION_HEAD;
    uint16_t idle_timeout, hard_timeout;
    uint16_t priority;
    uint8_t table;
    uint8_t pad;
    uint16_t flags; /* OF_LEARN_* */
    uint16_t fin_idle_timeout, fin_hard_timeout;
    uint16_t n_specs;
    uint32_t limit; /* 0: none */
    uint64_t cookie;
    struct subfield result_dst; /* for OF_LEARN_WRITE_RESULT: one bit */
    uint32_t pad2;
    struct of_learn_spec specs[];
};
#define OF_LEARN_SEND_FLOW_REM 1
#define OF_LEARN_DELETE_LEARNED 2
#define OF_LEARN_WRITE_RESULT 4

/* ---- Reading ---- */

#define OF_ACTION_FOR_EACH(VAR, DATA, N)                                                           \
    for (VAR = (const void *)(DATA); (uintptr_t)(VAR) < (uintptr_t)(DATA) + (N);                   \
         VAR = (const void *)((const uint8_t *)(VAR) + (VAR)->len))

/* The actions inside CT, CLONE or WRITE_ACTIONS: *N bytes. */
const void *of_action_nested(const struct of_action *action, size_t *n);
/* The NAT inside a CT, or NULL. */
const struct of_nat *of_ct_nat(const struct of_ct *ct);
bool of_actions_equal(const struct of_actions *a, const struct of_actions *b);

/* ---- Building ---- */

void of_actions_fini(struct of_actions *actions);
void of_actions_clear(struct of_actions *actions); /* keeps the memory */
void of_actions_copy(struct of_actions *dst,
                     const struct of_actions *src); /* replaces DST's contents */
void of_actions_append(struct of_actions *dst, const void *data, size_t n);
/* N zeroed bytes (rounded up to 8) with head filled in; for kinds without a function below. */
void *of_put(struct of_actions *actions, enum of_action_type type, size_t n);

void of_put_output(struct of_actions *actions,
                   uint32_t port); /* max_len 0, as ovn-controller sends it */
/* controller(...): userdata may be NULL. METER_ID OF_METER_NONE: none. */
void of_put_controller(struct of_actions *actions, uint16_t max_len, uint16_t controller_id,
                       uint8_t reason, const void *userdata, size_t n, bool pause,
                       uint32_t meter_id);
void of_put_set_field(struct of_actions *actions, enum field_id id, u128 value);
void of_put_set_field_masked(struct of_actions *actions, enum field_id id, u128 value, u128 mask);
/* VALUE, given as the subfield's own bits, into SUB: a set_field with a mask. */
/* Of a tunnel option; MASK NULL: all of it. Makes the one or the other. */
void of_put_set_tun(struct of_actions *a, enum field_id id, const struct tun_value *value,
                    const struct tun_value *mask);
/* Bits of one, as many as SUB has. */
void of_put_load_tun(struct of_actions *a, const struct subfield *sub,
                     const struct tun_value *value);
/* A specification for learn with the bits of VALUE, or as many as they take. */
void of_put_learn_imm(struct of_actions *a, size_t at, const struct of_learn_spec *spec,
                      const struct tun_value *value);
/* What either does to a tunnel option. MASK is all ones if it is set whole. */
enum field_id of_get_set_tun(const struct of_action *action, struct tun_value *value,
                             struct tun_value *mask, bool *exact);
void of_set_tun_put(struct str *s, const struct of_action *action); /* as text */
void of_put_load(struct of_actions *actions, const struct subfield *sub, u128 value);
void of_put_move(struct of_actions *actions, const struct subfield *src,
                 const struct subfield *dst);
void of_put_stack_push(struct of_actions *actions, const struct subfield *sub);
void of_put_stack_pop(struct of_actions *actions, const struct subfield *sub);
void of_put_push_vlan(struct of_actions *actions, uint16_t eth_type);
void of_put_pop_vlan(struct of_actions *actions);
void of_put_dec_ttl(struct of_actions *actions);
void of_put_resubmit(struct of_actions *actions, uint32_t in_port, uint8_t table);
/* ZONE_SRC NULL: ZONE_IMM. TABLE OF_CT_NO_RECIRC: none. Until of_end_nested with the returned offset, what is put goes
 * inside. */
size_t of_begin_ct(struct of_actions *actions, uint16_t flags, const struct subfield *zone_src,
                   uint16_t zone_imm, uint8_t table);
size_t of_begin_clone(struct of_actions *actions);
size_t of_begin_write_actions(struct of_actions *actions);
void of_end_nested(struct of_actions *actions, size_t start);
/* IP NULL: no address (for flags 0: undo NAT). MAX NULL: one address. */
void of_put_nat(struct of_actions *actions, uint16_t flags, const struct ip_addr *min,
                const struct ip_addr *max, uint16_t port_min, uint16_t port_max);
void of_put_ct_clear(struct of_actions *actions);
void of_put_conjunction(struct of_actions *actions, uint32_t id, uint8_t clause, uint8_t n_clauses);
void of_put_note(struct of_actions *actions, const void *bytes, size_t n);
void of_put_exit(struct of_actions *actions);
void of_put_set_queue(struct of_actions *actions, uint32_t queue);
void of_put_group(struct of_actions *actions, uint32_t group);
void of_put_meter(struct of_actions *actions, uint32_t meter);
void of_put_check_pkt_larger(struct of_actions *actions, uint16_t len, const struct subfield *dst);
void of_put_goto_table(struct of_actions *actions, uint8_t table);
void of_put_write_metadata(struct of_actions *actions, uint64_t value, uint64_t mask);
void of_put_clear_actions(struct of_actions *actions);
/* Begins a learn; of_put_learn_spec appends to it until another action is put. Returns its offset. */
size_t of_put_learn(struct of_actions *actions, const struct of_learn *head);
void of_put_learn_spec(struct of_actions *actions, size_t learn, const struct of_learn_spec *spec);

/* ---- Wire ---- */

/* Appends the actions alone (as in PACKET_OUT, groups, CT); instructions in the list are left out. */
void of_actions_encode(const void *data, size_t n, uint8_t version, struct of_buf *out);
/* Appends instructions (1.1 and later) as in FLOW_MOD; in 1.0 the same as of_actions_encode. */
void of_instructions_encode(const void *data, size_t n, uint8_t version, struct of_buf *out);
/* Appends to RET. Depth of nesting and total size are bounded. 0 or OF_ERROR; RET is then to be dropped. */
int of_actions_decode(const void *wire, size_t n, uint8_t version,
                      struct of_actions *ret) MUST_CHECK;
int of_instructions_decode(const void *wire, size_t n, uint8_t version,
                           struct of_actions *ret) MUST_CHECK;
/* Checks against the flow's match and table: prerequisites of fields, goto_table forwards only, ports and widths; turns
 * the 1.0 actions on transport ports into those of MATCH's protocol. Groups and meters are the switch's to check.
 * MATCH NULL: nothing is known of packets (packet-out). Returns 0 or OF_ERROR. */
int of_actions_check(struct of_actions *actions, const struct match *match, uint8_t table_id,
                     uint8_t n_tables) MUST_CHECK;

/* Some action (also inside clone, write_actions) outputs to PORT, or goes to GROUP: filters of FLOW_MOD. */
bool of_actions_output_to(const void *data, size_t n, uint32_t port);
bool of_actions_use_group(const void *data, size_t n, uint32_t group);

/* ---- Text ---- */

/* "drop" when empty, else comma-separated, in ovs-ofctl's words. */
void of_actions_put(struct str *s, const void *data, size_t n, const struct port_names *names);
/* Parses a whole list. ERR_SYNTAX with DIAG. MATCH (may be NULL) decides what mod_tp_src and the like mean. */
int of_actions_parse(const char *text, const struct match *match, const struct port_names *names,
                     struct of_actions *ret, struct diag *diag) MUST_CHECK;
