/* norm_and.c - what an AND of alternatives becomes; see norm.c.
 *
 * Until nothing is left to do:
 *   - every list is filtered by the base, and lists of one move into the base;
 *   - lists are split on fields whose value other fields depend on (SF_CROSS: eth.type, ip.proto), so that each flow says
 *     what kind of packet it speaks of;
 *   - alternatives that are products themselves are multiplied out;
 *   - lists about the same field (the two ends of a range) are intersected.
 * The lists that remain are dimensions: two or more become a conjunction if that is no dearer than multiplying them.
 */
#include "expr/norm_internal.h"

enum { MAX_CLAUSES = 64 };

static void alternatives_fini(struct alternatives *a)
{
    vec_fini(&a->cubes);
    vec_fini(&a->mixed);
}

void and_state_fini(struct and_state *s)
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

/* What copying S costs. */
static uint64_t size_of(const struct and_state *s)
{
    uint64_t n = 1;
    for (size_t i = 0; i < s->alts.n; i++)
        n += s->alts.data[i].cubes.n + s->alts.data[i].mixed.n;
    return n;
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
        rc = norm_charge(b, size_of(&sub));
        if (!rc)
            rc = and_state_resolve(b, &sub, out);
        and_state_fini(&sub);
    }
    vec_fini(&keys);
    return rc;
}

/* Multiplies out alternative I, a list of products. */
static int multiply_mixed(struct build *b, const struct and_state *s, size_t i, product_vec *out)
{
    const struct alternatives *a = &s->alts.data[i];
    int rc = norm_count_products(b, s);
    for (size_t j = 0; j < a->mixed.n && !rc; j++) {
        const struct product *p = &a->mixed.data[j];
        const struct cube *base = cube_and(b->arena, s->base, p->base);
        if (!base)
            continue;
        struct and_state sub = and_state_copy(s, i, base);
        for (size_t k = 0; k < p->n_dims; k++)
            add_pure(&sub, &p->dims[k]);
        rc = norm_charge(b, size_of(&sub));
        if (!rc)
            rc = and_state_resolve(b, &sub, out);
        and_state_fini(&sub);
    }
    return rc;
}

static bool shares_field(const struct cube *a, const cube_vec *v)
{
    for (size_t i = 0; i < v->n; i++)
        for (uint32_t k = 0; k < v->data[i]->n; k++)
            if (cube_find(a, v->data[i]->field[k].sym))
                return true;
    return false;
}

/* *TO becomes the cubes that lie in one of *TO and one of FROM. Both are pruned, before and after. */
static int cross_vec(struct build *b, cube_vec *to, const cube_vec *from)
{
    cube_vec r = VEC_INIT;
    uint64_t n = (uint64_t)to->n * from->n;
    if (n > b->limit && norm_are_apart(to, from))
        return norm_too_big(b, n);
    bool stays_pruned = to->n == 1 && !shares_field(to->data[0], from);
    for (size_t i = 0; i < to->n; i++)
        for (size_t j = 0; j < from->n; j++) {
            const struct cube *c = cube_and(b->arena, to->data[i], from->data[j]);
            if (c)
                vec_push(&r, c);
            int rc = norm_charge(
                b, c ? 1 : (i + j) % 16 == 0); /* to see that there is nothing is not much */
            if (rc) {
                vec_fini(&r);
                return rc;
            }
        }
    vec_fini(to);
    *to = r;
    if (!stays_pruned)
        norm_prune(b, to);
    return 0;
}

/* The bits, of the one field that V is about, that any of its cubes asks for. */
static u128 bits_of(const cube_vec *v)
{
    u128 bits = 0;
    for (size_t i = 0; i < v->n; i++)
        for (uint32_t k = 0; k < v->data[i]->n; k++)
            bits |= v->data[i]->field[k].mask;
    return bits;
}

/* Intersects pairs of alternatives about the same bits of one field. Two registers that are stored in one field stay apart. */
static int join_same_field(struct build *b, struct and_state *s, bool *changed)
{
    *changed = false;
    int rc = norm_join_exclusions(b, s, changed);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->alts.n; i++)
        for (size_t j = i + 1; j < s->alts.n;) {
            const struct symbol *sym = cubes_only_symbol(&s->alts.data[i].cubes);
            if (!sym || cubes_only_symbol(&s->alts.data[j].cubes) != sym ||
                !(bits_of(&s->alts.data[i].cubes) & bits_of(&s->alts.data[j].cubes))) {
                j++;
                continue;
            }
            rc = cross_vec(b, &s->alts.data[i].cubes, &s->alts.data[j].cubes);
            if (rc)
                return rc;
            alternatives_fini(&s->alts.data[j]);
            vec_remove(&s->alts, j);
            *changed = true;
        }
    return 0;
}

/* Moves the shortest list from AT on to AT. */
static void shortest_first(struct and_state *s, size_t at)
{
    size_t best = at;
    for (size_t i = at + 1; i < s->alts.n; i++)
        if (s->alts.data[i].cubes.n < s->alts.data[best].cubes.n)
            best = i;
    struct alternatives a = s->alts.data[at];
    s->alts.data[at] = s->alts.data[best];
    s->alts.data[best] = a;
}

/* A conjunction has so many clauses and no more: of the lists beyond that the two shortest become one, again and again. */
static int join_shortest(struct build *b, struct and_state *s)
{
    while (s->alts.n > MAX_CLAUSES) {
        shortest_first(s, 0);
        shortest_first(s, 1);
        int rc = cross_vec(b, &s->alts.data[0].cubes, &s->alts.data[1].cubes);
        if (rc)
            return rc;
        alternatives_fini(&s->alts.data[1]);
        vec_remove_swap(&s->alts, 1);
    }
    return 0;
}

/* Dimensions are numbered by the names of their fields and the bits in them, which makes the numbers independent of how the match is written. */
static int compare_dims(const void *a_, const void *b_)
{
    const struct alternatives *a = a_, *b = b_;
    const struct cube *x = a->cubes.data[0], *y = b->cubes.data[0];
    int c = strcmp(x->n ? x->field[0].sym->name : "", y->n ? y->field[0].sym->name : "");
    u128 p = bits_of(&a->cubes), q = bits_of(&b->cubes);
    return c ? c : (p > q) - (p < q);
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
    if (!n) { /* most often */
        b->n_emitted++;
        norm_push_cube(out, s->base);
        return norm_charge(b, 1);
    }
    if (n < 2 || product < sum || b->flags & NORM_NO_CONJ) {
        if (product > b->limit)
            return norm_too_big(b, product);
        cube_vec v = VEC_INIT;
        b->n_emitted++;
        vec_push(&v, s->base);
        int rc = 0;
        for (size_t i = 0; i < n && !rc; i++)
            rc = cross_vec(b, &v, &s->alts.data[i].cubes);
        for (size_t i = 0; i < v.n && !rc; i++)
            norm_push_cube(out, v.data[i]);
        vec_fini(&v);
        return rc;
    }
    if (sum > b->limit)
        return norm_too_big(b, sum);
    qsort(s->alts.data, n, sizeof *s->alts.data, compare_dims);
    struct product p = {.base = s->base, .n_dims = n};
    p.dims = arena_alloc(b->arena, n * sizeof *p.dims);
    for (size_t i = 0; i < n; i++) {
        const cube_vec *from = &s->alts.data[i].cubes;
        p.dims[i].n = p.dims[i].cap = from->n;
        p.dims[i].data = arena_memdup(b->arena, from->data, from->n * sizeof *from->data);
    }
    vec_push(out, p);
    return norm_charge(b, sum);
}

int and_state_resolve(struct build *b, struct and_state *s, product_vec *out)
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
    int rc = join_shortest(b, s);
    return rc ? rc : emit(b, s, out);
}
