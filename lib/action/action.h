/* action.h - the actions of logical flows, as values.
 *
 * Room 6 of docs/architecture.md, beside expr.h and in the same manner: immutable, interned,
 * reference-counted; builders for northd, a parser for the controller, one printer. `struct
 * actions` is a sequence, `struct action` one action with its operands. actions.def lists all
 * actions.
 *
 *   a = actions_of(p, action_dec_ttl(p), action_load(p, SYM_ETH_SRC, mac), action_load_str(p,
 * SYM_OUTPORT, "lrp1"), action_next(p), NULL); text = actions_to_text(a);     "ip.ttl--; eth.src =
 * 00:00:00:00:ff:01; outport = \"lrp1\"; next;" actions_unref(a);
 *
 * Builders take over the references they are given and return a new one. An empty sequence prints
 * as "drop;". A symbol in a builder is written SYM_REG0; a part of it is action_field_bits(p,
 * SYM_REG9, 0, 1) where an operand is a struct sym_bits.
 */
#pragma once

#include "base/diag.h"
#include "base/str.h"
#include "expr/expr.h"

enum action_op {
#define ACTION(ID, NAME, SHAPE, PREREQ) ACTION_##ID,
#include "action/actions.def"
#undef ACTION
    N_ACTION_OPS
};

enum pipeline { PIPELINE_INGRESS, PIPELINE_EGRESS };

enum operand_kind {
    OPERAND_FIELD,   /* field: a run of bits of a symbol */
    OPERAND_VALUE,   /* value[/mask], to be written as its const_format */
    OPERAND_STRING,  /* text in quotes */
    OPERAND_WORD,    /* a bare word or fragment, printed as it stands */
    OPERAND_ACTIONS, /* { ... } */
    OPERAND_OPTION,  /* the name of an option; its values follow, up to the next OPTION */
};

/* How a constant was written, and is printed again. */
enum const_format { CONST_DECIMAL, CONST_HEX, CONST_IP4, CONST_IP6, CONST_MAC };

struct operand {
    enum operand_kind kind;
    enum const_format format;
    bool is_masked;
    struct sym_bits field;
    u128 value, mask;
    struct rstr *text;
    struct actions *actions;
};

struct action {
    uint64_t hash;
    struct action_pool *pool;
    uint32_t refs;
    enum action_op op;
    uint32_t n;
    struct trail_node trail; /* of the pool, as in struct expr */
    struct operand operand[];
};

struct actions {
    uint64_t hash;
    struct action_pool *pool;
    uint32_t refs;
    uint32_t n;
    struct trail_node trail;
    struct action *action[];
};

/* Shares symbols and interned names with EXPRS, which must outlive it. */
struct action_pool *action_pool_new(struct expr_pool *exprs);
void action_pool_free(struct action_pool *pool); /* everything must have been released */
/* Drops what the pool remembers of parsed texts. */
void action_pool_forget(struct action_pool *pool);
struct expr_pool *action_pool_exprs(const struct action_pool *pool);

struct action *action_ref(const struct action *a);
void action_unref(const struct action *a); /* NULL is allowed */
struct actions *actions_ref(const struct actions *as);
void actions_unref(const struct actions *as); /* NULL is allowed */

/* -- Sequences. -- */
struct actions *actions_of(struct action_pool *p, ...) __attribute__((sentinel)); /* up to NULL */
struct actions *actions_of_n(struct action_pool *p, struct action **list, size_t n);
struct actions *actions_join(struct actions *a, struct actions *b); /* A then B; takes both */
struct actions *actions_drop(struct action_pool *p);                /* the empty sequence */

/* -- Single actions. -- */
struct action *action_next(struct action_pool *p);                       /* next; */
struct action *action_next_table(struct action_pool *p, unsigned table); /* next(table); */
struct action *action_next_in(struct action_pool *p, enum pipeline pipeline, unsigned table);
struct action *action_output(struct action_pool *p);
struct action *action_load(struct action_pool *p, enum symbol_id dst, u128 value);
struct action *action_load_bits(struct action_pool *p, enum symbol_id dst, unsigned ofs,
                                unsigned width, u128 value);
struct action *action_load_str(struct action_pool *p, enum symbol_id dst, const char *name);
/* The same; faster when NAME is of the pool of names. */
struct action *action_load_name(struct action_pool *p, enum symbol_id dst, const struct rstr *name);
/* An IPv4 address into a register, printed as an address. */
struct action *action_load_as(struct action_pool *p, enum symbol_id dst, u128 value,
                              enum const_format format);
struct action *action_move(struct action_pool *p, enum symbol_id dst, enum symbol_id src);
struct action *action_move_bits(struct action_pool *p, struct sym_bits dst, struct sym_bits src);
struct action *action_exchange(struct action_pool *p, enum symbol_id a, enum symbol_id b);
struct action *action_dec_ttl(struct action_pool *p);
/* An action that is one word or has no operands: ACTION_CT_CLEAR, ACTION_CT_NEXT, ACTION_CT_DNAT,
 * ACTION_CT_COMMIT... */
struct action *action_word(struct action_pool *p, enum action_op op);
/* name { INNER }: ACTION_ARP, ACTION_CLONE, ACTION_ICMP4, ACTION_ND_NA, ACTION_CT_COMMIT... */
struct action *action_nest(struct action_pool *p, enum action_op op, struct actions *inner);
struct action *action_get_arp(struct action_pool *p, enum symbol_id port, enum symbol_id ip);
struct action *action_put_arp(struct action_pool *p, enum symbol_id port, enum symbol_id ip,
                              enum symbol_id mac);
struct action *action_get_nd(struct action_pool *p, enum symbol_id port, enum symbol_id ip);
struct action *action_put_nd(struct action_pool *p, enum symbol_id port, enum symbol_id ip,
                             enum symbol_id mac);
/* dst = name(args): DST is one bit, e.g. action_bits(p, SYM_REG9, 2, 1). OP: LOOKUP_ARP (port, ip,
 * mac), LOOKUP_ARP_IP (port, ip), LOOKUP_ND..., GET_FDB (mac), LOOKUP_FDB (port, mac),
 * CHECK_IN_PORT_SEC (none) ... */
struct action *action_result(struct action_pool *p, enum action_op op, struct sym_bits dst,
                             size_t n_args, const enum symbol_id *args);
struct action *action_put_fdb(struct action_pool *p, enum symbol_id port, enum symbol_id mac);
/* bind_vport(NAME, port) */
struct action *action_bind_vport(struct action_pool *p, const char *name, enum symbol_id port);
/* ct_dnat(IP), ct_snat(IP) and the in_czone forms; CONST_IP4 or CONST_IP6. */
struct action *action_ct_nat(struct action_pool *p, enum action_op op, u128 ip,
                             enum const_format format);
struct sym_bits action_bits(struct action_pool *p, enum symbol_id sym, unsigned ofs,
                            unsigned width);
/* Any action from operands (texts and actions are taken over): what the parser uses. */
struct action *action_new(struct action_pool *p, enum action_op op, const struct operand *operands,
                          size_t n);

/* -- Text. -- */

struct action_context {
    enum pipeline pipeline; /* of the flow */
    unsigned table;         /* of the flow, within its pipeline */
    unsigned n_tables;      /* of the pipeline: next must stay below; 0: any table goes */
    unsigned n_other;       /* of the other pipeline */
};

/* Parses the whole of TEXT. PREREQ (may be NULL) gets what must hold for the actions (TRUE when nothing): AND it with the
 * flow's match before expr_annotate. Errors as expr_parse; nesting is bounded, memory linear. CONTEXT may be NULL: then any
 * table goes, and next(table) stays as it is written. */
int actions_parse(struct action_pool *p, const char *text, const struct action_context *context,
                  struct actions **ret, struct expr **prereq, struct diag *diag) MUST_CHECK;
void actions_print(const struct actions *as, struct str *out);
char *actions_to_text(const struct actions *as);
const char *action_op_name(enum action_op op);
bool action_has_result(enum action_op op); /* dst = name(args): operand 0 is dst */
