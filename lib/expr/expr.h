/* expr.h - match expressions of the logical language, as values.
 *
 * Room 6 of docs/architecture.md. northd builds expressions with the functions below, the controller
 * parses them from the southbound database; both hold the same thing: an immutable, interned node
 * in a pool. Within a pool equal expressions are equal pointers, so comparing is ==, and an
 * expression that was seen before costs a lookup.
 *
 * The stages, each a function from an expression to an expression of the same pool:
 *
 *   expr_parse     text -> expression     "tcp.dst == {80, 443} && ip4.src == $web"
 *   expr_expand    address sets, port groups and is_chassis_resident replaced by their contents
 *   expr_annotate  symbols replaced by the fields that store them, prerequisites added
 *   expr_simplify  inequalities turned into masked equalities, constants folded
 *   norm_build     (norm.h) -> OpenFlow matches, with conjunctions
 *   expr_print     expression -> text; parse(print(x)) is x
 *
 * Canonical shape, kept by every builder: `!` is pushed down to comparisons; AND holds no AND and
 * no TRUE, OR holds no OR and no FALSE; order is the writer's. A set in braces is an OR (with !=,
 * an AND) of comparisons.
 *
 * References: every function that returns a node returns a new reference, to be given up with
 * expr_unref. Builders *take over* the references of the nodes they are given, so calls nest
 * without temporaries:
 *
 *   e = expr_all(p, expr_eq(p, SYM_ARP_OP, 1), expr_str_eq(p, SYM_INPORT, "lsp1"), NULL);
 *   ...
 *   expr_unref(e);
 *
 * A pool belongs to one thread. Nothing here is global.
 */
#pragma once

#include "base/diag.h"
#include "base/rstr.h"
#include "base/slots.h"
#include "base/str.h"
#include "base/trail.h"
#include "expr/symbol.h"

enum expr_kind {
    EXPR_BOOL, /* b */
    EXPR_CMP,  /* sym relop value/mask, in bits of SYM; a lone bit or predicate is == or != 1/1 */
    EXPR_STR,  /* sym == "name" */
    EXPR_SET,  /* sym relop $name */
    EXPR_PORT_GROUP, /* sym relop @name */
    EXPR_RESIDENT,   /* is_chassis_resident("name"), or its negation with EXPR_NE */
    EXPR_AND,
    EXPR_OR,
};

enum expr_relop { EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE };

struct expr_pool;

/* Read freely, change never. */
struct expr {
    uint64_t hash; /* by content, but not stable between runs */
    struct expr_pool *pool;
    uint32_t refs;
    uint32_t n_refs_text; /* how many EXPR_SET, EXPR_PORT_GROUP and EXPR_RESIDENT are inside, itself
                             included */
    const struct symbol *sym; /* CMP, STR, SET, PORT_GROUP */
    struct rstr *name;        /* STR, SET (without $), PORT_GROUP (without @), RESIDENT */
    u128 value, mask;         /* CMP */
    enum expr_kind kind : 8;
    enum expr_relop relop : 8; /* CMP, SET; EQ or NE for PORT_GROUP, RESIDENT, STR */
    bool b : 1;                /* BOOL */
    bool is_simple : 1;        /* expr_simplify has nothing to do */
    uint16_t depth;            /* 0 for leaves */
    uint32_t n;                /* AND, OR: at least 2 */
    struct trail_node trail;   /* of the pool */
    struct expr *sub[];
};

/* SYMTAB must outlive the pool. */
struct expr_pool *expr_pool_new(const struct symtab *symtab);
void expr_pool_free(struct expr_pool *pool); /* every node must have been released */
const struct symtab *expr_pool_symtab(const struct expr_pool *pool);
struct rstr_pool *expr_pool_names(struct expr_pool *pool); /* where names are interned */
size_t expr_pool_count(const struct expr_pool *pool);      /* live nodes */
/* Drops what the pool remembers of predicates, prerequisites and parsed texts, which are nodes too. */
void expr_pool_forget(struct expr_pool *pool);

struct expr *expr_ref(const struct expr *e);
void expr_unref(const struct expr *e); /* NULL is allowed */

/* -- Builders. They do not enforce levels of measurement (the parser does): comparing a nominal
 * field with != is the caller's business. Values wider than the symbol are a bug. -- */

struct expr *expr_bool(struct expr_pool *p, bool b);
struct expr *expr_true(struct expr_pool *p);
struct expr *expr_false(struct expr_pool *p);
/* SYM relop VALUE; SYM may be any field or subfield. */
struct expr *expr_cmp(struct expr_pool *p, enum symbol_id sym, enum expr_relop relop, u128 value);
struct expr *expr_eq(struct expr_pool *p, enum symbol_id sym, u128 value);
/* SYM == VALUE/MASK. A zero MASK gives TRUE. */
struct expr *expr_eq_masked(struct expr_pool *p, enum symbol_id sym, u128 value, u128 mask);
/* SYM == the PLEN first bits of VALUE: networks. */
struct expr *expr_eq_prefix(struct expr_pool *p, enum symbol_id sym, u128 value, unsigned plen);
/* SYM[OFS..OFS+WIDTH-1] == VALUE */
struct expr *expr_eq_bits(struct expr_pool *p, enum symbol_id sym, unsigned ofs, unsigned width,
                          u128 value);
/* A predicate or one-bit symbol: SYM_IP4, SYM_CT_NEW, SYM_FLAGS_LOOPBACK; expr_flag(p, S, false) is
 * !S. */
struct expr *expr_flag(struct expr_pool *p, enum symbol_id sym, bool is_set);
struct expr *expr_str_eq(struct expr_pool *p, enum symbol_id sym, const char *name);
/* The same; faster when NAME is of expr_pool_names. */
struct expr *expr_name_eq(struct expr_pool *p, enum symbol_id sym, const struct rstr *name);
/* SYM == {name, name...}; FALSE for N 0. */
struct expr *expr_str_in(struct expr_pool *p, enum symbol_id sym, const char *const *names,
                         size_t n);
/* SYM == {value, value...}. */
struct expr *expr_in(struct expr_pool *p, enum symbol_id sym, const u128 *values, size_t n);
/* SYM == $name, SYM == @name (RELOP EXPR_EQ or EXPR_NE). */
struct expr *expr_set(struct expr_pool *p, enum symbol_id sym, enum expr_relop relop,
                      const char *name);
struct expr *expr_port_group(struct expr_pool *p, enum symbol_id sym, enum expr_relop relop,
                             const char *name);
struct expr *expr_resident(struct expr_pool *p, const char *port, bool negate);
struct expr *expr_and(struct expr_pool *p, struct expr *a, struct expr *b);
struct expr *expr_or(struct expr_pool *p, struct expr *a, struct expr *b);
struct expr *expr_and_n(struct expr_pool *p, struct expr **subs,
                        size_t n); /* takes each; TRUE for N 0 */
struct expr *expr_or_n(struct expr_pool *p, struct expr **subs, size_t n); /* FALSE for N 0 */
struct expr *expr_all(struct expr_pool *p, ...)
    __attribute__((sentinel)); /* AND of the nodes before NULL */
struct expr *expr_any(struct expr_pool *p, ...)
    __attribute__((sentinel)); /* OR of the nodes before NULL */
struct expr *expr_not(struct expr_pool *p, struct expr *e);
/* The general comparison, of any symbol of the pool's table (of a port: with its number): VALUE
 * within MASK within SYM's width. */
struct expr *expr_cmp_sym(struct expr_pool *p, const struct symbol *sym, enum expr_relop relop,
                          u128 value, u128 mask);
struct expr *expr_str_sym(struct expr_pool *p, const struct symbol *sym, enum expr_relop relop,
                          const char *name, size_t n);

/* -- Text. -- */

/* What the parser asks about the world. Any function may be NULL. */
struct expr_names {
    void *aux;
    bool (*has_set)(void *aux, const char *name);   /* NULL: every name is accepted */
    bool (*has_group)(void *aux, const char *name); /* NULL: every name is accepted */
};

/* Parses the whole of TEXT. 0 and *RET, or ERR_SYNTAX, ERR_TYPE or ERR_TOO_BIG with the sentence
 * and the byte offset in DIAG. Types and levels are checked, prerequisites are not added. Nesting
 * is bounded (100 parentheses), memory is linear in TEXT. NAMES may be NULL. */
int expr_parse(struct expr_pool *p, const char *text, const struct expr_names *names,
               struct expr **ret, struct diag *diag) MUST_CHECK;

enum expr_style {
    EXPR_STYLE_TEXT,      /* for people and databases: addresses as addresses, sets in braces */
    EXPR_STYLE_CANONICAL, /* constants in shortest hexadecimal, runs of bits as subfields, no sets
                           */
};
void expr_print(const struct expr *e, enum expr_style style, struct str *out);
/* The same as a fresh text, in EXPR_STYLE_TEXT. */
char *expr_to_text(const struct expr *e);

/* -- Steps. Each leaves E alone and gives *RET a new reference. -- */

/* Where the names inside an expression get their contents. */
struct expr_world {
    void *aux;
    /* Calls ADD for every element (VALUE/MASK) of an address set; false if there is no such set
     * (counts as empty). */
    bool (*set)(void *aux, const char *name, void (*add)(void *add_aux, u128 value, u128 mask),
                void *add_aux);
    /* Calls ADD for every port name of a port group. */
    bool (*group)(void *aux, const char *name, void (*add)(void *add_aux, const char *port),
                  void *add_aux);
    bool (*resident)(void *aux, const char *port); /* is the port bound here? */
    /* If not NULL, asked instead of GROUP: the numbers of its ports, those that have one where SYM
     * is compared with them. */
    bool (*members)(void *aux, const struct symbol *sym, const char *name,
                    void (*add)(void *add_aux, uint32_t number), void *add_aux);
};

/* Calls FN for each EXPR_SET, EXPR_PORT_GROUP, EXPR_RESIDENT and EXPR_STR node inside E: what E
 * depends on. */
void expr_for_each_name(const struct expr *e, void (*fn)(void *aux, const struct expr *leaf),
                        void *aux);
/* Never fails: unknown sets and groups are empty. */
struct expr *expr_expand(const struct expr *e, const struct expr_world *world);
/* Fails with ERR_SYNTAX or ERR_TYPE if a prerequisite or predicate (of an added symbol) is wrong or
 * recursive. E must be free of EXPR_SET, EXPR_PORT_GROUP; EXPR_RESIDENT may stay. */
int expr_annotate(const struct expr *e, struct expr **ret, struct diag *diag) MUST_CHECK;
/* E must be annotated. Only EXPR_BOOL, CMP with ==, STR with ==, AND and OR are left (and
 * EXPR_RESIDENT). */
struct expr *expr_simplify(const struct expr *e);
/* Convenience: the prerequisite of a symbol, annotated; TRUE if it has none. */
int expr_prereq(struct expr_pool *p, const struct symbol *sym, struct expr **ret,
                struct diag *diag) MUST_CHECK;

/* -- Evaluation, the meaning that the other forms are tested against. -- */

struct expr_packet {
    void *aux;
    u128 (*field)(void *aux, const struct symbol *base); /* value of a stored field */
    bool (*port)(void *aux, const char *name,
                 uint32_t *ret); /* number of a port; false when unknown */
    bool (*resident)(void *aux, const char *port);
};
/* E must be annotated (names of ports are compared by number through PACKET->port; unknown ports
 * match nothing). */
bool expr_eval(const struct expr *e, const struct expr_packet *packet);
