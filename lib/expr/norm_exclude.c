/* norm_exclude.c - several "not this value" about the same bits of one field; see norm.c.
 *
 * Each alone is a list of prefixes: the first bit is another, or the second, ... Intersecting two at a time takes as many steps as both are long, and a thousand
 * of them millions. What all of them leave is the space without some points: cut in halves from the highest bit down, it is the halves that have no
 * point in them, at most one for each bit of each point.
 */
#include "expr/norm_internal.h"

/* The cubes of V say that the bits MASK of SYM are not VALUE. */
struct exclusion {
    const struct symbol *sym; /* NULL: V says something else */
    u128 value, mask;
};

static struct exclusion exclusion_of(const cube_vec *v)
{
    struct exclusion x = {.sym = cubes_only_symbol(v)};
    u128 seen = 0;
    for (size_t i = 0; i < v->n && x.sym; i++) {
        const struct cube_field *f = &v->data[i]->field[0];
        if (v->data[i]->n == 1 && f->mask > x.mask) {
            x.mask = f->mask;
            x.value = f->value ^ (f->mask & -f->mask);
        }
    }
    for (size_t i = 0; i < v->n && x.sym; i++) {
        const struct cube_field *f = &v->data[i]->field[0];
        u128 last = f->mask & -f->mask;
        bool is_one = v->data[i]->n == 1 && f->mask == (x.mask & -last) && !(seen & last) &&
                      f->value == ((x.value & f->mask) ^ last);
        if (!is_one)
            x.sym = NULL;
        seen |= last;
    }
    if (seen != x.mask)
        x.sym = NULL;
    return x;
}

/* The points that are left out, in the order of their values, and what remains of a range of them. */
struct cut {
    struct build *b;
    const struct symbol *sym;
    u128 mask;
    const u128 *points;
    cube_vec *out; /* NULL: only count */
    uint64_t n;
};

/* What is left where the bits FIXED are VALUE, which are the highest of the mask: without points FROM to TO, all that are there. */
static void cut_part(struct cut *c, u128 value, u128 fixed, size_t from, size_t to)
{
    if (from == to) {
        c->n++;
        if (c->out)
            vec_push(c->out, (const struct cube *)cube_new(c->b->arena, c->sym, value, fixed));
        return;
    }
    u128 open = c->mask & ~fixed;
    if (!open)
        return; /* the point itself */
    u128 bit = (u128)1 << (u128_width(open) - 1);
    size_t middle = from;
    while (middle < to && !(c->points[middle] & bit))
        middle++;
    cut_part(c, value, fixed | bit, from, middle);
    cut_part(c, value | bit, fixed | bit, middle, to);
}

static int compare_points(const void *a, const void *b)
{
    u128 x = *(const u128 *)a, y = *(const u128 *)b;
    return (x > y) - (x < y);
}

/* The list that says as much as the N exclusions of POINTS, in *OUT. */
static int cut_out(struct build *b, const struct exclusion *like, u128 *points, size_t n,
                   cube_vec *out)
{
    qsort(points, n, sizeof *points, compare_points);
    struct cut c = {.b = b, .sym = like->sym, .mask = like->mask, .points = points};
    cut_part(&c, 0, 0, 0, n);
    if (c.n > b->limit)
        return norm_too_big(b, c.n);
    int rc = norm_charge(b, c.n);
    if (rc)
        return rc;
    c.out = out;
    cut_part(&c, 0, 0, 0, n);
    return 0;
}

int norm_join_exclusions(struct build *b, struct and_state *s, bool *changed)
{
    VEC(u128) points = VEC_INIT;
    int rc = 0;
    for (size_t i = 0; i < s->alts.n && !rc; i++) {
        struct exclusion x = exclusion_of(&s->alts.data[i].cubes);
        if (!x.sym)
            continue;
        vec_clear(&points);
        vec_push(&points, x.value);
        for (size_t j = i + 1; j < s->alts.n;) {
            struct exclusion y = exclusion_of(&s->alts.data[j].cubes);
            if (y.sym != x.sym || y.mask != x.mask) {
                j++;
                continue;
            }
            vec_push(&points, y.value);
            vec_fini(&s->alts.data[j].cubes);
            vec_remove(&s->alts, j);
        }
        if (points.n < 2)
            continue;
        vec_clear(&s->alts.data[i].cubes);
        rc = cut_out(b, &x, points.data, points.n, &s->alts.data[i].cubes);
        *changed = true;
    }
    vec_fini(&points);
    return rc;
}
