/* norm.h - the normal form of a match: a list of OpenFlow matches, with conjunctions where they
 * save flows.
 *
 * Room 7 of docs/architecture.md. A *cube* is a conjunction of masked field values, which is what one
 * flow can match. An expression that is an AND of several alternatives (addresses by ports by
 * addresses) becomes one flow per alternative of each dimension, tied together by a conjunction id,
 * so that flows grow by sums and not by products.
 *
 * The flows are counted before any is made where the parts of an expression speak of different bits: one that costs more than
 * the limit is refused with the count. Where parts share bits only making the alternatives tells how many remain: their number is bounded (some
 * times the limit), and so is memory.
 */
#pragma once

#include "base/diag.h"
#include "expr/expr.h"

struct cube_field {
    const struct symbol *sym; /* a stored field */
    u128 value, mask;         /* value within mask, mask not 0 */
};

/* Fields in order of their symbols' index. */
struct cube {
    uint32_t n;
    struct cube_field field[];
};

struct norm_clause {
    uint32_t conj; /* 1, 2, ... within this norm */
    uint8_t clause, n_clauses;
};

struct norm_flow {
    const struct cube *cube;
    uint32_t conj_id;   /* not 0: also matches this conj_id, and carries the actions */
    uint32_t n_clauses; /* not 0: the actions are these conjunction() clauses instead of the logical
                           flow's */
    struct norm_clause *clauses;
};

struct norm {
    struct norm_flow *flows;
    size_t n;
    uint32_t n_conj;     /* conjunction ids used: 1..n_conj */
    bool is_true;        /* one flow that matches everything */
    struct arena *arena; /* owns cubes and clauses */
};

enum { NORM_LIMIT = 1000000 };

enum norm_flags {
    NORM_MERGE = 1 << 0,   /* merge adjacent prefixes and values */
    NORM_NO_CONJ = 1 << 1, /* multiply everything out */
};

/* Number of a port that SYM is compared with; false if it has none (then nothing matches it). The names "" and "none" are port 0,
 * and not asked for. */
struct norm_ports {
    void *aux;
    bool (*number)(void *aux, const struct symbol *sym, const char *name, uint32_t *ret);
};

/* E must be simplified and free of EXPR_RESIDENT. ERR_TOO_BIG with the count if more than LIMIT flows (0: NORM_LIMIT; a clause
 * counts as one), if it takes too many steps to know, or if a flow would be in more conjunctions than a message has room for. */
int norm_build(const struct expr *e, const struct norm_ports *ports, unsigned flags, size_t limit,
               struct norm *ret, struct diag *diag) MUST_CHECK;
void norm_fini(struct norm *norm);
/* The whole way: expand, annotate, simplify, normalise. */
int norm_from_expr(const struct expr *e, const struct expr_world *world,
                   const struct norm_ports *ports, unsigned flags, size_t limit, struct norm *ret,
                   struct diag *diag) MUST_CHECK;

struct match; /* flow/match.h */
/* Adds FLOW's fields to MATCH (conj_id: FLOW->conj_id + CONJ_BASE when not 0). */
void norm_flow_to_match(const struct norm_flow *flow, uint32_t conj_base, struct match *match);
