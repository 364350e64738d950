/* norm.c - simplified expressions to flows; see norm.h.
 *
 * A walk over the expression: OR joins the lists of products of its children (norm_internal.h), AND collects a base and lists
 * of alternatives for norm_and.c; norm_flows.c turns the products that are left at the top into flows.
 */
#include "base/err.h"
#include "expr/norm_internal.h"
#include "expr/scratch.h"

enum { SPARE_WORK = 100000 }; /* which a match may always do */

int norm_too_big(struct build *b, uint64_t n)
{
    return diag_set(b->diag, ERR_TOO_BIG,
                    "The match needs %llu flows or more, which is above the limit of %zu.",
                    (unsigned long long)n, b->limit);
}

int norm_charge(struct build *b, uint64_t n)
{
    b->work += n;
    if (b->work <= 4 * (uint64_t)b->limit + SPARE_WORK)
        return 0;
    return diag_set(b->diag, ERR_TOO_BIG,
                    "The match needs up to %llu flows, and to tell how many takes more than %llu "
                    "steps; the limit is %zu flows.",
                    (unsigned long long)norm_count_at_most(b->whole), (unsigned long long)b->work,
                    b->limit);
}

void norm_push_cube(product_vec *out, const struct cube *c)
{
    vec_push(out, ((struct product){.base = c}));
}

void norm_prune(struct build *b, cube_vec *v)
{
    cubes_prune(b->arena, v, b->flags & NORM_MERGE);
}

/* GIVEN holds wherever the products of E will be used: what contradicts it is left out, what it implies is true. */
static int walk(struct build *b, const struct expr *e, const struct cube *given,
                product_vec *out) MUST_CHECK;

/* Prunes the products of OUT that are plain cubes. */
static void prune_products(struct build *b, product_vec *out)
{
    cube_vec v = VEC_INIT;
    size_t n = 0;
    if (out->n < 2)
        return;
    for (size_t i = 0; i < out->n; i++) {
        if (out->data[i].n_dims)
            out->data[n++] = out->data[i];
        else
            vec_push(&v, out->data[i].base);
    }
    out->n = n;
    norm_prune(b, &v);
    for (size_t i = 0; i < v.n; i++)
        norm_push_cube(out, v.data[i]);
    vec_fini(&v);
}

static void add_child(struct and_state *s, const product_vec *list)
{
    struct alternatives a = {.pure = true, .cubes = VEC_INIT, .mixed = VEC_INIT};
    for (size_t i = 0; i < list->n; i++)
        a.pure &= !list->data[i].n_dims;
    for (size_t i = 0; i < list->n; i++) {
        if (a.pure)
            vec_push(&a.cubes, list->data[i].base);
        else
            vec_push(&a.mixed, list->data[i]);
    }
    vec_push(&s->alts, a);
}

static bool is_leaf(const struct expr *e)
{
    return e->kind == EXPR_CMP || e->kind == EXPR_STR;
}

/* What the leaf E matches; NULL: nothing. */
static const struct cube *leaf_cube(struct build *b, const struct expr *e)
{
    u128 value = e->value, mask = e->mask;
    if (e->kind == EXPR_CMP) {
        INVARIANT(e->relop == EXPR_EQ || (e->relop == EXPR_NE && u128_popcount(mask) == 1));
        if (e->relop == EXPR_NE)
            value = 0;
    } else {
        uint32_t port = 0;
        INVARIANT(e->relop == EXPR_EQ);
        if (e->name->n && strcmp(e->name->s, "none") != 0 &&
            !(b->ports && b->ports->number(b->ports->aux, e->sym, e->name->s, &port)))
            return NULL;
        value = port;
        mask = u128_ones(e->sym->width);
    }
    b->work++;
    return cube_new(b->arena, e->sym, value, mask);
}

/* Most of what there is: an OR of leaves as a list, filtered by GIVEN, which the base is a part of. *EMPTY: nothing is left. */
static void add_leaves(struct build *b, struct and_state *s, const struct expr *e,
                       const struct cube **given, bool *empty)
{
    struct alternatives a = {.pure = true, .cubes = VEC_INIT, .mixed = VEC_INIT};
    bool implied = false;
    for (uint32_t i = 0; i < e->n && !implied; i++) {
        const struct cube *c = leaf_cube(b, e->sub[i]);
        implied = c && cube_is_subset(*given, c);
        if (c && !implied && cube_overlaps(*given, c))
            vec_push(&a.cubes, c);
    }
    norm_prune(b, &a.cubes);
    *empty = !implied && !a.cubes.n;
    if (!implied && a.cubes.n == 1) {
        s->base = cube_and(b->arena, s->base, a.cubes.data[0]);
        *given = cube_and(b->arena, *given, a.cubes.data[0]);
    }
    if (!implied && a.cubes.n > 1)
        vec_push(&s->alts, a);
    else
        vec_fini(&a.cubes);
}

static bool all_leaves(const struct expr *e)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (!is_leaf(e->sub[i]))
            return false;
    return e->kind == EXPR_OR;
}

/* Adds the leaves of E to the base of S and to GIVEN; false: they contradict each other. */
static bool add_base(struct build *b, struct and_state *s, const struct expr *e,
                     const struct cube **given)
{
    for (uint32_t i = 0; i < e->n; i++) {
        if (!is_leaf(e->sub[i]))
            continue;
        const struct cube *c = leaf_cube(b, e->sub[i]);
        if (!c || !cube_overlaps(*given, c))
            return false;
        if (cube_is_subset(*given, c))
            continue;
        s->base = cube_and(b->arena, s->base, c);
        *given = cube_and(b->arena, *given, c);
    }
    return true;
}

/* Leaves make the base; lists of leaves come next, when most of them can be decided; the rest last. */
static int walk_and(struct build *b, const struct expr *e, const struct cube *given,
                    product_vec *out)
{
    struct and_state s = {.base = b->nothing, .alts = VEC_INIT};
    int rc = 0;
    bool empty = !add_base(b, &s, e, &given);
    for (uint32_t i = 0; i < e->n && !empty; i++)
        if (all_leaves(e->sub[i]))
            add_leaves(b, &s, e->sub[i], &given, &empty);
    for (uint32_t i = 0; i < e->n && !rc && !empty; i++) {
        if (is_leaf(e->sub[i]) || all_leaves(e->sub[i]))
            continue;
        product_vec list = VEC_INIT;
        rc = walk(b, e->sub[i], given, &list);
        empty = !rc && !list.n;
        if (!rc && list.n)
            add_child(&s, &list);
        vec_fini(&list);
    }
    if (!rc && !empty)
        rc = norm_charge(b, 0);
    if (!rc && !empty)
        rc = and_state_resolve(b, &s, out);
    and_state_fini(&s);
    return rc;
}

static int walk_or(struct build *b, const struct expr *e, const struct cube *given,
                   product_vec *out)
{
    product_vec list = VEC_INIT; /* of one child: what it prunes is its own */
    int rc = 0;
    for (uint32_t i = 0; i < e->n && !rc; i++) {
        vec_clear(&list);
        rc = walk(b, e->sub[i], given, &list);
        for (size_t j = 0; j < list.n; j++)
            vec_push(out, list.data[j]);
    }
    vec_fini(&list);
    return rc;
}

static int walk(struct build *b, const struct expr *e, const struct cube *given, product_vec *out)
{
    const struct cube *leaf;
    int rc = 0;
    uint64_t n_emitted = b->n_emitted;
    switch (e->kind) {
    case EXPR_BOOL:
        if (e->b)
            norm_push_cube(out, b->nothing);
        return 0;
    case EXPR_CMP:
    case EXPR_STR:
        leaf = leaf_cube(b, e);
        if (leaf && cube_overlaps(given, leaf))
            norm_push_cube(out, cube_is_subset(given, leaf) ? b->nothing : leaf);
        return norm_charge(b, 0);
    case EXPR_AND:
        rc = walk_and(b, e, given, out);
        if (b->n_emitted <= n_emitted + 1)
            return rc; /* one list is pruned as it is */
        break;
    case EXPR_OR:
        rc = walk_or(b, e, given, out);
        break;
    case EXPR_SET:
    case EXPR_PORT_GROUP:
    case EXPR_RESIDENT:
        bug("norm_build: names must be expanded first");
    }
    if (!rc)
        prune_products(b, out);
    return rc;
}

int norm_build(const struct expr *e, const struct norm_ports *ports, unsigned flags, size_t limit,
               struct norm *ret, struct diag *diag)
{
    *ret = (struct norm){.arena = NEW(struct arena)};
    struct build b = {.whole = e,
                      .arena = ret->arena,
                      .ports = ports,
                      .flags = flags,
                      .limit = limit ? limit : NORM_LIMIT,
                      .diag = diag};
    product_vec products = VEC_INIT;
    b.nothing = cube_new(b.arena, NULL, 0, 0);
    int rc = walk(&b, e, b.nothing, &products);
    if (!rc) {
        uint64_t n = 0;
        for (size_t i = 0; i < products.n; i++) {
            n++;
            for (size_t d = 0; d < products.data[i].n_dims; d++)
                n += products.data[i].dims[d].n;
        }
        rc = n > b.limit ? norm_too_big(&b, n) : 0;
    }
    if (!rc)
        rc = norm_assemble(&b, &products, ret);
    if (rc)
        norm_fini(ret);
    vec_fini(&products);
    return rc;
}

void norm_fini(struct norm *norm)
{
    free(norm->flows);
    if (norm->arena)
        arena_fini(norm->arena);
    free(norm->arena);
    *norm = (struct norm){0};
}

int norm_from_expr(const struct expr *e, const struct expr_world *world,
                   const struct norm_ports *ports, unsigned flags, size_t limit, struct norm *ret,
                   struct diag *diag)
{
    struct expr_pool *p = expr_scratch_begin(e->pool);
    struct expr *expanded = expr_expand_in(p, e, world), *annotated;
    int rc = expr_annotate_in(p, expanded, &annotated, diag);
    expr_unref(expanded);
    if (!rc) {
        struct expr *simple = expr_simplify_in(p, annotated);
        expr_unref(annotated);
        rc = norm_build(simple, ports, flags, limit, ret, diag);
        expr_unref(simple);
    }
    expr_scratch_end(p);
    return rc;
}
