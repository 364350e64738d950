/* fixture.h - what the tests of lib/expr share: a small world where every packet can be tried.
 *
 * Fields a (2 bits), b (2 bits), c (1 bit), n (2 bits, nominal) and s (a string field whose ports p0..p3 are 0..3): 512
 * packets. A normal form is tried as flows: plain ones, and conjunctions as the switch would put them together.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "expr/expr.h"
#include "expr/norm.h"

enum { N_PACKETS = 512 };

struct world {
    struct symtab *st;
    struct expr_pool *pool;
    const struct symbol *a, *b, *c, *n, *s;
    unsigned packet; /* the one being tried */
};

static inline void world_init(struct world *w)
{
    w->st = symtab_new();
    symtab_add_field(w->st, "a", -1, 2, false, NULL, 0);
    symtab_add_field(w->st, "b", -1, 2, false, NULL, 0);
    symtab_add_field(w->st, "c", -1, 1, false, NULL, 0);
    symtab_add_field(w->st, "n", -1, 2, false, NULL, SF_NOMINAL | SF_CROSS);
    symtab_add_field(w->st, "s", -1, 2, true, NULL, 0);
    w->a = symtab_find(w->st, "a", 1);
    w->b = symtab_find(w->st, "b", 1);
    w->c = symtab_find(w->st, "c", 1);
    w->n = symtab_find(w->st, "n", 1);
    w->s = symtab_find(w->st, "s", 1);
    w->pool = expr_pool_new(w->st);
    w->packet = 0;
}

static inline void world_fini(struct world *w)
{
    expr_pool_forget(w->pool);
    assert_int_equal(expr_pool_count(w->pool), 0);
    expr_pool_free(w->pool);
    symtab_free(w->st);
}

static inline u128 world_field(void *aux, const struct symbol *sym)
{
    const struct world *w = aux;
    unsigned shift = sym == w->a ? 0 : sym == w->b ? 2 : sym == w->n ? 4 : sym == w->s ? 6 : 8;
    return w->packet >> shift & (unsigned)u128_ones(sym->width);
}

static inline bool world_port(void *aux UNUSED, const char *name, uint32_t *ret)
{
    if (name[0] != 'p' || name[1] < '0' || name[1] > '3' || name[2])
        return false;
    *ret = (uint32_t)(name[1] - '0');
    return true;
}

static inline bool world_match_port(void *aux, const struct symbol *sym UNUSED, const char *name,
                                    uint32_t *ret)
{
    return world_port(aux, name, ret);
}

static inline bool cube_matches(struct world *w, const struct cube *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        if ((world_field(w, c->field[i].sym) & c->field[i].mask) != c->field[i].value)
            return false;
    return true;
}

/* What a switch with the flows of NORM says of the packet. */
static inline bool norm_matches(struct world *w, const struct norm *norm)
{
    uint64_t clauses[64] = {0};
    unsigned need[64] = {0};
    assert_true(norm->n_conj < 64);
    for (size_t i = 0; i < norm->n; i++) {
        const struct norm_flow *f = &norm->flows[i];
        if (f->conj_id || !cube_matches(w, f->cube))
            continue;
        if (!f->n_clauses)
            return true;
        for (uint32_t j = 0; j < f->n_clauses; j++) {
            clauses[f->clauses[j].conj] |= 1ull << f->clauses[j].clause;
            need[f->clauses[j].conj] = f->clauses[j].n_clauses;
        }
    }
    for (size_t i = 0; i < norm->n; i++) {
        const struct norm_flow *f = &norm->flows[i];
        if (f->conj_id && need[f->conj_id] &&
            clauses[f->conj_id] == (uint64_t)u128_ones(need[f->conj_id]) &&
            cube_matches(w, f->cube))
            return true;
    }
    return false;
}

/* E, simplified, and as flows (with conjunctions, without, merged) must say the same of every packet. */
static inline void check_agreement(struct world *w, const struct expr *e)
{
    static const unsigned flags[] = {0, NORM_MERGE, NORM_NO_CONJ, NORM_MERGE | NORM_NO_CONJ};
    const struct norm_ports ports = {NULL, world_match_port};
    const struct expr_packet packet = {w, world_field, world_port, NULL};
    struct expr *simple = expr_simplify(e);
    struct norm norms[ARRAY_SIZE(flags)];
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        assert_int_equal(norm_build(simple, &ports, flags[i], 0, &norms[i], NULL), 0);
    for (w->packet = 0; w->packet < N_PACKETS; w->packet++) {
        bool truth = expr_eval(e, &packet);
        bool okay = expr_eval(simple, &packet) == truth;
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
            okay &= norm_matches(w, &norms[i]) == truth;
        if (!okay) {
            struct str s = STR_INIT;
            expr_print(e, EXPR_STYLE_CANONICAL, &s);
            fail_msg("packet %#x: %s should be %d", w->packet, str_c(&s), truth);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        norm_fini(&norms[i]);
    expr_unref(simple);
}
