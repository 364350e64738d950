/* norm_count.c - how many products an AND makes, before any is made; see norm_and.c.
 *
 * Lists that speak of different bits cannot contradict one another: each of one goes with each of the others, and all of these are flows in the end. So their
 * number is known beforehand, and a match that needs 2^30 is refused at once. Where lists share bits only making the products tells, which norm_charge bounds; what is refused
 * then is told with the most that it can need.
 */
#include "expr/norm_internal.h"

/* The bits that something speaks of, by field. */
typedef VEC(struct cube_field) bits_vec;

static u128 *bits_at(bits_vec *v, const struct symbol *sym)
{
    struct cube_field *f;
    VEC_FOR_EACH (f, v)
        if (f->sym == sym)
            return &f->mask;
    vec_push(v, ((struct cube_field){.sym = sym}));
    return &v->data[v->n - 1].mask;
}

static void add_cube(bits_vec *v, const struct cube *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        *bits_at(v, c->field[i].sym) |= c->field[i].mask;
}

static void add_cubes(bits_vec *v, const cube_vec *cubes)
{
    for (size_t i = 0; i < cubes->n; i++)
        add_cube(v, cubes->data[i]);
}

/* Adds the bits OWN to ALL; false if some were there already. */
static bool add_bits(bits_vec *all, const bits_vec *own)
{
    bool is_apart = true;
    const struct cube_field *f;
    VEC_FOR_EACH (f, own) {
        u128 *bits = bits_at(all, f->sym);
        is_apart &= !(*bits & f->mask);
        *bits |= f->mask;
    }
    return is_apart;
}

bool norm_are_apart(const cube_vec *a, const cube_vec *b)
{
    bits_vec all = VEC_INIT, own = VEC_INIT;
    add_cubes(&all, a);
    add_cubes(&own, b);
    bool is_apart = add_bits(&all, &own);
    vec_fini(&all);
    vec_fini(&own);
    return is_apart;
}

static bool add_alternatives(bits_vec *all, const struct alternatives *a)
{
    bits_vec own = VEC_INIT;
    add_cubes(&own, &a->cubes);
    for (size_t i = 0; i < a->mixed.n; i++) {
        add_cube(&own, a->mixed.data[i].base);
        for (size_t d = 0; d < a->mixed.data[i].n_dims; d++)
            add_cubes(&own, &a->mixed.data[i].dims[d]);
    }
    bool is_apart = add_bits(all, &own);
    vec_fini(&own);
    return is_apart;
}

int norm_count_products(struct build *b, const struct and_state *s)
{
    uint64_t n = 1;
    for (size_t i = 0; i < s->alts.n; i++) {
        uint64_t k = s->alts.data[i].pure ? 1 : s->alts.data[i].mixed.n;
        n = n > UINT64_MAX / k ? UINT64_MAX : n * k;
    }
    if (n <= b->limit)
        return 0;
    bits_vec all = VEC_INIT;
    bool is_apart = true;
    add_cube(&all, s->base);
    for (size_t i = 0; i < s->alts.n && is_apart; i++)
        is_apart = add_alternatives(&all, &s->alts.data[i]);
    vec_fini(&all);
    return is_apart ? norm_too_big(b, n) : 0;
}

uint64_t norm_count_at_most(const struct expr *e)
{
    if (e->kind == EXPR_BOOL)
        return e->b;
    if (e->kind != EXPR_AND && e->kind != EXPR_OR)
        return 1;
    uint64_t n = e->kind == EXPR_AND;
    for (uint32_t i = 0; i < e->n; i++) {
        uint64_t k = norm_count_at_most(e->sub[i]);
        if (e->kind == EXPR_AND ? __builtin_mul_overflow(n, k, &n)
                                : __builtin_add_overflow(n, k, &n))
            n = UINT64_MAX;
    }
    return n;
}
