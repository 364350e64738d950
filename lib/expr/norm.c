/* norm.c - simplified expressions to flows; see norm.h.
 *
 * Working form: a list of *products*. A product is a base cube AND one alternative of each of its dimensions, a dimension
 * being a list of cubes. OR joins lists. AND takes the children apart into a base and lists of alternatives, and then, until
 * nothing is left to do,
 *   - filters every list by the base, and moves lists of one into the base;
 *   - splits on fields whose value other fields depend on (SF_CROSS: eth.type, ip.proto), so that each flow says what kind
 *     of packet it speaks of;
 *   - multiplies out alternatives that are products themselves;
 *   - intersects lists about the same field (the two ends of a range).
 * The lists that remain are dimensions: two or more become a conjunction if that is no dearer than multiplying them.
 */
#include "expr/norm.h"

#include "base/err.h"
#include "base/hash.h"
#include "expr/cube.h"

struct product {
    const struct cube *base;
    cube_vec *dims; /* in the arena; their arrays are listed in build->vecs */
    size_t n_dims;
};

typedef VEC(struct product) product_vec;

struct build {
    struct arena *arena; /* the norm's: what is computed on the way lives as long */
    const struct norm_ports *ports;
    unsigned flags;
    size_t limit;
    uint64_t work; /* cubes made so far */
    struct diag *diag;
};

enum { MAX_CLAUSES = 64 };

static int too_big(struct build *b, uint64_t n)
{
    return diag_set(b->diag, ERR_TOO_BIG,
                    "The match needs %llu flows or more, which is above the limit of %zu.",
                    (unsigned long long)n, b->limit);
}

static int charge(struct build *b, uint64_t n)
{
    b->work += n;
    return b->work > 8 * (uint64_t)b->limit + 1000 ? too_big(b, b->work / 8) : 0;
}

static void push_cube(product_vec *out, const struct cube *c)
{
    vec_push(out, ((struct product){.base = c}));
}

static void prune(struct build *b, cube_vec *v)
{
    cubes_prune(b->arena, v, b->flags & NORM_MERGE);
}

/* -- Lists of alternatives on the way through an AND. -- */

struct alternatives {
    cube_vec cubes;    /* if pure */
    product_vec mixed; /* otherwise */
    bool pure;
};

struct and_state {
    const struct cube *base;
    VEC(struct alternatives) alts;
};

static void alternatives_fini(struct alternatives *a)
{
    vec_fini(&a->cubes);
    vec_fini(&a->mixed);
}

static void and_state_fini(struct and_state *s)
{
    for (size_t i = 0; i < s->alts.n; i++)
        alternatives_fini(&s->alts.data[i]);
    vec_fini(&s->alts);
}

static void copy_vec(cube_vec *to, const cube_vec *from)
{
    *to = (cube_vec)VEC_INIT;
    vec_reserve(to, from->n);
    if (from->n)
        memcpy(to->data, from->data, from->n * sizeof *from->data);
    to->n = from->n;
}

static struct alternatives alternatives_copy(const struct alternatives *a)
{
    struct alternatives c = {.pure = a->pure, .mixed = VEC_INIT};
    copy_vec(&c.cubes, &a->cubes);
    for (size_t i = 0; i < a->mixed.n; i++)
        vec_push(&c.mixed, a->mixed.data[i]);
    return c;
}

/* A copy of S without alternative SKIP, with BASE. */
static struct and_state and_state_copy(const struct and_state *s, size_t skip,
                                       const struct cube *base)
{
    struct and_state c = {.base = base, .alts = VEC_INIT};
    for (size_t i = 0; i < s->alts.n; i++)
        if (i != skip)
            vec_push(&c.alts, alternatives_copy(&s->alts.data[i]));
    return c;
}

static void add_pure(struct and_state *s, const cube_vec *cubes)
{
    struct alternatives a = {.pure = true, .mixed = VEC_INIT};
    copy_vec(&a.cubes, cubes);
    vec_push(&s->alts, a);
}

/* Filters alternative A by the base. 1: it can be removed (the base implies it or took it in), 0: it stays, -1: nothing
 * is left. */
static int filter(struct build *b, struct and_state *s, struct alternatives *a)
{
    if (a->pure) {
        size_t n = 0;
        for (size_t i = 0; i < a->cubes.n; i++) {
            const struct cube *c = a->cubes.data[i];
            if (cube_is_subset(s->base, c))
                return 1;
            if (cube_overlaps(s->base, c))
                a->cubes.data[n++] = c;
        }
        a->cubes.n = n;
        if (n == 1) {
            s->base = cube_and(b->arena, s->base, a->cubes.data[0]);
            return 1;
        }
        return n ? 0 : -1;
    }
    size_t n = 0;
    for (size_t i = 0; i < a->mixed.n; i++)
        if (cube_overlaps(s->base, a->mixed.data[i].base))
            a->mixed.data[n++] = a->mixed.data[i];
    a->mixed.n = n;
    return n ? 0 : -1;
}

/* Filters until the base grows no more. False: the whole AND is empty. */
static bool filter_all(struct build *b, struct and_state *s)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < s->alts.n;) {
            const struct cube *before = s->base;
            int r = filter(b, s, &s->alts.data[i]);
            if (r < 0)
                return false;
            if (r > 0) {
                alternatives_fini(&s->alts.data[i]);
                vec_remove(&s->alts, i);
                changed |= s->base != before;
            } else {
                i++;
            }
        }
    }
    return true;
}

/* -- The steps of an AND. -- */

static int resolve(struct build *b, struct and_state *s, product_vec *out) MUST_CHECK;

/* Splits alternative I by what its cubes say of SF_CROSS fields. *DONE tells whether there was anything to split. */
static int split_cross(struct build *b, const struct and_state *s, size_t i, product_vec *out,
                       bool *done)
{
    const struct alternatives *a = &s->alts.data[i];
    *done = false;
    if (!a->pure)
        return 0;
    cube_vec keys = VEC_INIT;
    for (size_t j = 0; j < a->cubes.n; j++)
        vec_push(&keys, (const struct cube *)cube_cross_part(b->arena, a->cubes.data[j], s->base));
    for (size_t j = 0; j < keys.n; j++)
        *done |= keys.data[j]->n > 0;
    int rc = 0;
    for (size_t j = 0; *done && !rc && j < keys.n; j++) {
        const struct cube *key = keys.data[j];
        if (!key)
            continue;
        cube_vec same = VEC_INIT;
        for (size_t k = j; k < keys.n; k++)
            if (keys.data[k] && cube_equal(keys.data[k], key)) {
                vec_push(&same, a->cubes.data[k]);
                keys.data[k] = NULL;
            }
        struct and_state sub = and_state_copy(s, i, cube_and(b->arena, s->base, key));
        add_pure(&sub, &same);
        vec_fini(&same);
        rc = charge(b, 1);
        if (!rc)
            rc = resolve(b, &sub, out);
        and_state_fini(&sub);
    }
    vec_fini(&keys);
    return rc;
}

/* Multiplies out alternative I, a list of products. */
static int multiply_mixed(struct build *b, const struct and_state *s, size_t i, product_vec *out)
{
    const struct alternatives *a = &s->alts.data[i];
    for (size_t j = 0; j < a->mixed.n; j++) {
        const struct product *p = &a->mixed.data[j];
        const struct cube *base = cube_and(b->arena, s->base, p->base);
        if (!base)
            continue;
        struct and_state sub = and_state_copy(s, i, base);
        for (size_t k = 0; k < p->n_dims; k++)
            add_pure(&sub, &p->dims[k]);
        int rc = charge(b, 1);
        if (!rc)
            rc = resolve(b, &sub, out);
        and_state_fini(&sub);
        if (rc)
            return rc;
    }
    return 0;
}

/* *TO becomes the cubes that lie in one of *TO and one of FROM. */
static int cross_vec(struct build *b, cube_vec *to, const cube_vec *from)
{
    cube_vec r = VEC_INIT;
    for (size_t i = 0; i < to->n; i++)
        for (size_t j = 0; j < from->n; j++) {
            if (r.n > 4 * b->limit) {
                vec_fini(&r);
                return too_big(b, (uint64_t)to->n * from->n);
            }
            const struct cube *c = cube_and(b->arena, to->data[i], from->data[j]);
            if (c)
                vec_push(&r, c);
        }
    vec_fini(to);
    *to = r;
    prune(b, to);
    return charge(b, r.n);
}

/* Intersects pairs of alternatives about the same one field. */
static int join_same_field(struct build *b, struct and_state *s, bool *changed)
{
    *changed = false;
    for (size_t i = 0; i < s->alts.n; i++)
        for (size_t j = i + 1; j < s->alts.n;) {
            const struct symbol *sym = cubes_only_symbol(&s->alts.data[i].cubes);
            if (!sym || cubes_only_symbol(&s->alts.data[j].cubes) != sym) {
                j++;
                continue;
            }
            int rc = cross_vec(b, &s->alts.data[i].cubes, &s->alts.data[j].cubes);
            if (rc)
                return rc;
            alternatives_fini(&s->alts.data[j]);
            vec_remove(&s->alts, j);
            *changed = true;
        }
    return 0;
}

/* Dimensions are numbered by the names of their fields, which makes the numbers independent of how the match is written. */
static int compare_dims(const void *a_, const void *b_)
{
    const struct alternatives *a = a_, *b = b_;
    const struct cube *x = a->cubes.data[0], *y = b->cubes.data[0];
    return strcmp(x->n ? x->field[0].sym->name : "", y->n ? y->field[0].sym->name : "");
}

/* All alternatives are pure and independent: emit one product with them as dimensions, or the multiplied cubes. */
static int emit(struct build *b, struct and_state *s, product_vec *out)
{
    uint64_t product = 1, sum = 1;
    size_t n = s->alts.n;
    for (size_t i = 0; i < n; i++) {
        uint64_t k = s->alts.data[i].cubes.n;
        product = product > UINT64_MAX / k ? UINT64_MAX : product * k;
        sum += k;
    }
    if (n < 2 || product < sum || b->flags & NORM_NO_CONJ) {
        if (product > b->limit)
            return too_big(b, product);
        cube_vec v = VEC_INIT;
        vec_push(&v, s->base);
        int rc = charge(b, product);
        for (size_t i = 0; i < n && !rc; i++)
            rc = cross_vec(b, &v, &s->alts.data[i].cubes);
        for (size_t i = 0; i < v.n && !rc; i++)
            push_cube(out, v.data[i]);
        vec_fini(&v);
        return rc;
    }
    if (sum > b->limit)
        return too_big(b, sum);
    qsort(s->alts.data, n, sizeof *s->alts.data, compare_dims);
    struct product p = {.base = s->base, .n_dims = n};
    p.dims = arena_alloc(b->arena, n * sizeof *p.dims);
    for (size_t i = 0; i < n; i++) {
        const cube_vec *from = &s->alts.data[i].cubes;
        p.dims[i].n = p.dims[i].cap = from->n;
        p.dims[i].data = arena_memdup(b->arena, from->data, from->n * sizeof *from->data);
    }
    vec_push(out, p);
    return charge(b, sum);
}

static int resolve(struct build *b, struct and_state *s, product_vec *out)
{
    bool changed;
    do {
        if (!filter_all(b, s))
            return 0;
        for (size_t i = 0; i < s->alts.n; i++) {
            bool done;
            int rc = split_cross(b, s, i, out, &done);
            if (rc || done)
                return rc;
        }
        for (size_t i = 0; i < s->alts.n; i++)
            if (!s->alts.data[i].pure)
                return multiply_mixed(b, s, i, out);
        int rc = join_same_field(b, s, &changed);
        if (rc)
            return rc;
    } while (changed);
    while (s->alts.n > MAX_CLAUSES) {
        size_t last = s->alts.n - 1;
        int rc = cross_vec(b, &s->alts.data[last - 1].cubes, &s->alts.data[last].cubes);
        alternatives_fini(&s->alts.data[last]);
        s->alts.n--;
        if (rc)
            return rc;
    }
    return emit(b, s, out);
}

/* -- The walk over the expression. -- */

static int walk(struct build *b, const struct expr *e, product_vec *out) MUST_CHECK;

/* Prunes the products of OUT that are plain cubes. */
static void prune_products(struct build *b, product_vec *out)
{
    cube_vec v = VEC_INIT;
    size_t n = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (out->data[i].n_dims)
            out->data[n++] = out->data[i];
        else
            vec_push(&v, out->data[i].base);
    }
    out->n = n;
    prune(b, &v);
    for (size_t i = 0; i < v.n; i++)
        push_cube(out, v.data[i]);
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
            !(b->ports && b->ports->number(b->ports->aux, e->name->s, &port)))
            return NULL;
        value = port;
        mask = u128_ones(e->sym->width);
    }
    b->work++;
    return cube_new(b->arena, e->sym, value, mask);
}

/* Most of what there is: an OR of leaves as a list, filtered by what is known of the base. *EMPTY: nothing is left. */
static void add_leaves(struct build *b, struct and_state *s, const struct expr *e, bool *empty)
{
    struct alternatives a = {.pure = true, .cubes = VEC_INIT, .mixed = VEC_INIT};
    bool implied = false;
    for (uint32_t i = 0; i < e->n && !implied; i++) {
        const struct cube *c = leaf_cube(b, e->sub[i]);
        implied = c && cube_is_subset(s->base, c);
        if (c && !implied && cube_overlaps(s->base, c))
            vec_push(&a.cubes, c);
    }
    prune(b, &a.cubes);
    *empty = !implied && !a.cubes.n;
    if (!implied && a.cubes.n == 1)
        s->base = cube_and(b->arena, s->base, a.cubes.data[0]);
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

/* Leaves make the base; lists of leaves come next, when most of them can be decided; the rest last. */
static int walk_and(struct build *b, const struct expr *e, product_vec *out)
{
    struct and_state s = {.base = cube_new(b->arena, NULL, 0, 0), .alts = VEC_INIT};
    int rc = 0;
    bool empty = false;
    for (uint32_t i = 0; i < e->n && !empty; i++)
        if (is_leaf(e->sub[i])) {
            const struct cube *c = leaf_cube(b, e->sub[i]);
            s.base = c ? cube_and(b->arena, s.base, c) : NULL;
            empty = !s.base;
        }
    for (uint32_t i = 0; i < e->n && !empty; i++)
        if (all_leaves(e->sub[i]))
            add_leaves(b, &s, e->sub[i], &empty);
    for (uint32_t i = 0; i < e->n && !rc && !empty; i++) {
        if (is_leaf(e->sub[i]) || all_leaves(e->sub[i]))
            continue;
        product_vec list = VEC_INIT;
        rc = walk(b, e->sub[i], &list);
        empty = !rc && !list.n;
        if (!rc && list.n)
            add_child(&s, &list);
        vec_fini(&list);
    }
    if (!rc && !empty)
        rc = charge(b, 0);
    if (!rc && !empty)
        rc = resolve(b, &s, out);
    and_state_fini(&s);
    return rc;
}

static int walk_or(struct build *b, const struct expr *e, product_vec *out)
{
    product_vec list = VEC_INIT; /* of one child: what it prunes is its own */
    int rc = 0;
    for (uint32_t i = 0; i < e->n && !rc; i++) {
        vec_clear(&list);
        rc = walk(b, e->sub[i], &list);
        for (size_t j = 0; j < list.n; j++)
            vec_push(out, list.data[j]);
    }
    vec_fini(&list);
    return rc;
}

static int walk(struct build *b, const struct expr *e, product_vec *out)
{
    const struct cube *leaf;
    int rc = 0;
    switch (e->kind) {
    case EXPR_BOOL:
        if (e->b)
            push_cube(out, cube_new(b->arena, NULL, 0, 0));
        return 0;
    case EXPR_CMP:
    case EXPR_STR:
        leaf = leaf_cube(b, e);
        if (leaf)
            push_cube(out, leaf);
        return charge(b, 0);
    case EXPR_AND:
        rc = walk_and(b, e, out);
        break;
    case EXPR_OR:
        rc = walk_or(b, e, out);
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

/* -- From products to flows. -- */

struct flow_entry {
    struct hnode node;
    size_t index;
};

struct assembly {
    struct norm *norm;
    size_t cap;
    struct hmap by_cube; /* flows without conj_id */
};

static struct norm_flow *add_flow(struct assembly *as, const struct cube *c)
{
    struct norm *n = as->norm;
    if (n->n == as->cap) {
        as->cap = as->cap ? as->cap * 2 : 16;
        n->flows = xrealloc(n->flows, as->cap * sizeof *n->flows);
    }
    struct norm_flow *f = &n->flows[n->n++];
    *f = (struct norm_flow){.cube = c};
    return f;
}

/* The flow with cube C, made if there is none; *IS_NEW tells. */
static struct norm_flow *get_flow(struct assembly *as, const struct cube *c, bool *is_new)
{
    uint64_t hash = cube_hash(c);
    struct flow_entry *e;
    *is_new = false;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &as->by_cube)
        if (cube_equal(as->norm->flows[e->index].cube, c))
            return &as->norm->flows[e->index];
    *is_new = true;
    e = arena_alloc(as->norm->arena, sizeof *e);
    e->index = as->norm->n;
    hmap_insert(&as->by_cube, &e->node, hash);
    return add_flow(as, c);
}

static void add_clause(struct assembly *as, const struct cube *c, struct norm_clause clause)
{
    bool is_new;
    struct norm_flow *f = get_flow(as, c, &is_new);
    if (!is_new && !f->n_clauses)
        return; /* already a flow that does the whole action: it matches more than the clause would */
    struct norm_clause *v = arena_alloc(as->norm->arena, (f->n_clauses + 1) * sizeof *f->clauses);
    if (f->n_clauses)
        memcpy(v, f->clauses, f->n_clauses * sizeof *v);
    v[f->n_clauses++] = clause;
    f->clauses = v;
}

static void assemble(struct build *b, const product_vec *products, struct norm *norm)
{
    struct assembly as = {.norm = norm, .by_cube = HMAP_INIT};
    bool is_new;
    for (size_t i = 0; i < products->n; i++)
        if (!products->data[i].n_dims)
            get_flow(&as, products->data[i].base, &is_new);
    for (size_t i = 0; i < products->n; i++) {
        const struct product *p = &products->data[i];
        if (!p->n_dims)
            continue;
        uint32_t id = ++norm->n_conj;
        add_flow(&as, p->base)->conj_id = id;
        for (size_t d = 0; d < p->n_dims; d++)
            for (size_t k = 0; k < p->dims[d].n; k++) {
                const struct cube *c = cube_and(b->arena, p->base, p->dims[d].data[k]);
                add_clause(&as, c, (struct norm_clause){id, (uint8_t)d, (uint8_t)p->n_dims});
            }
    }
    norm->is_true = norm->n == 1 && !norm->flows[0].conj_id && !norm->flows[0].cube->n;
    hmap_fini(&as.by_cube);
}

int norm_build(const struct expr *e, const struct norm_ports *ports, unsigned flags, size_t limit,
               struct norm *ret, struct diag *diag)
{
    *ret = (struct norm){.arena = NEW(struct arena)};
    struct build b = {.arena = ret->arena,
                      .ports = ports,
                      .flags = flags,
                      .limit = limit ? limit : NORM_LIMIT,
                      .diag = diag};
    product_vec products = VEC_INIT;
    int rc = walk(&b, e, &products);
    if (!rc) {
        uint64_t n = 0;
        for (size_t i = 0; i < products.n; i++) {
            n++;
            for (size_t d = 0; d < products.data[i].n_dims; d++)
                n += products.data[i].dims[d].n;
        }
        rc = n > b.limit ? too_big(&b, n) : 0;
    }
    if (!rc)
        assemble(&b, &products, ret);
    else
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
    struct expr *expanded = expr_expand(e, world), *annotated;
    int rc = expr_annotate(expanded, &annotated, diag);
    expr_unref(expanded);
    if (rc)
        return rc;
    struct expr *simple = expr_simplify(annotated);
    expr_unref(annotated);
    rc = norm_build(simple, ports, flags, limit, ret, diag);
    expr_unref(simple);
    return rc;
}
