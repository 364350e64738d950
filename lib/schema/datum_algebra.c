/* datum_algebra.c - union, subtraction and differences of sets and maps.
 *
 * See datum.h. Each walks the smaller operand and copies the parts of the larger one between, so
 * that one element added to a set of 10,000 costs a search and a block copy.
 */
#include "schema/datum_build.h"

void datum_build_init(struct datum_build *build, enum atom_type key_type, uint8_t value_type,
                      size_t cap)
{
    build->d = datum_alloc(key_type, value_type, cap);
    build->d->n = 0;
    build->cap = cap;
}

static void share(uint8_t type, union atom *to, const union atom *from, size_t n)
{
    if (!n)
        return;
    memcpy(to, from, n * sizeof *to);
    if (type == ATOM_STRING) {
        for (size_t i = 0; i < n; i++)
            to[i].string->refs++;
    }
}

void datum_build_copy(struct datum_build *build, const struct datum *src, size_t from, size_t to)
{
    struct datum *d = build->d;
    INVARIANT(from <= to && to <= src->n && d->n + (to - from) <= build->cap);
    share(d->key_type, d->atoms + d->n, src->atoms + from, to - from);
    if (datum_is_map(d))
        share(d->value_type, d->atoms + build->cap + d->n, datum_values(src) + from, to - from);
    d->n += (uint32_t)(to - from);
}

const struct datum *datum_build_done(struct datum_build *build)
{
    struct datum *d = build->d;
    if (datum_is_map(d) && d->n < build->cap)
        memmove(d->atoms + d->n, d->atoms + build->cap, d->n * sizeof *d->atoms);
    if (d->n >= build->cap / 2)
        return d;
    size_t n = datum_is_map(d) ? 2 * (size_t)d->n : d->n;
    return xrealloc(d, sizeof *d + n * sizeof *d->atoms);
}

static bool key_at(const struct datum *d, size_t i, const union atom *key)
{
    return i < d->n && !atom_compare(d->key_type, &d->atoms[i], key);
}

const struct datum *datum_union(const struct datum *a, const struct datum *b)
{
    struct datum_build build;
    size_t i = 0, n_new = 0;
    for (size_t j = 0; j < b->n; j++) {
        i = datum_lower_bound(a, &b->atoms[j], i);
        n_new += !key_at(a, i, &b->atoms[j]);
    }
    if (!n_new)
        return datum_ref(a);
    datum_build_init(&build, a->key_type, a->value_type, a->n + n_new);
    i = 0;
    for (size_t j = 0; j < b->n; j++) {
        size_t k = datum_lower_bound(a, &b->atoms[j], i);
        datum_build_copy(&build, a, i, k);
        i = k;
        if (!key_at(a, k, &b->atoms[j]))
            datum_build_copy(&build, b, j, j + 1);
    }
    datum_build_copy(&build, a, i, a->n);
    return datum_build_done(&build);
}

/* Does element J of B take element I of A away? */
static bool removes(const struct datum *a, size_t i, const struct datum *b, size_t j)
{
    return key_at(a, i, &b->atoms[j]) &&
           (!datum_is_map(a) || !datum_is_map(b) ||
            !atom_compare(a->value_type, &datum_values(a)[i], &datum_values(b)[j]));
}

const struct datum *datum_subtract(const struct datum *a, const struct datum *b)
{
    struct datum_build build = {0};
    size_t i = 0;
    for (size_t j = 0; j < b->n && a->n; j++) {
        size_t k = datum_lower_bound(a, &b->atoms[j], i);
        if (!removes(a, k, b, j))
            continue;
        if (!build.d)
            datum_build_init(&build, a->key_type, a->value_type, a->n);
        datum_build_copy(&build, a, i, k);
        i = k + 1;
    }
    if (!build.d)
        return datum_ref(a);
    datum_build_copy(&build, a, i, a->n);
    return datum_build_done(&build);
}

const struct datum *datum_difference(const struct datum *before, const struct datum *after)
{
    struct datum_build build;
    size_t i = 0, j = 0;
    datum_build_init(&build, after->key_type, after->value_type, before->n + after->n);
    while (i < before->n || j < after->n) {
        int c = i == before->n ? 1
                : j == after->n
                    ? -1
                    : atom_compare(after->key_type, &before->atoms[i], &after->atoms[j]);
        if (c < 0) {
            datum_build_copy(&build, before, i, i + 1);
        } else if (c > 0) {
            datum_build_copy(&build, after, j, j + 1);
        } else if (datum_is_map(after) && atom_compare(after->value_type, &datum_values(before)[i],
                                                       &datum_values(after)[j])) {
            datum_build_copy(&build, after, j, j + 1);
        }
        i += c <= 0;
        j += c >= 0;
    }
    return datum_build_done(&build);
}

const struct datum *datum_apply_difference(const struct datum *before, const struct datum *diff)
{
    struct datum_build build;
    size_t i = 0;
    datum_build_init(&build, before->key_type, before->value_type, before->n + diff->n);
    for (size_t j = 0; j < diff->n; j++) {
        size_t k = datum_lower_bound(before, &diff->atoms[j], i);
        datum_build_copy(&build, before, i, k);
        i = k;
        bool present = key_at(before, k, &diff->atoms[j]);
        if (!present || (datum_is_map(before) && !removes(before, k, diff, j)))
            datum_build_copy(&build, diff, j, j + 1);
        i += present;
    }
    datum_build_copy(&build, before, i, before->n);
    return datum_build_done(&build);
}
