/* datum.c - making and combining the values of columns.
 *
 * See datum.h. Sets and maps are sorted arrays, so that finding is a binary search, and combining
 * with a small set is a few searches and block copies.
 */
#include "schema/datum.h"

#include <stdlib.h>

#include "base/err.h"
#include "schema/datum_build.h"

static size_t n_atoms(uint8_t value_type, size_t n)
{
    return value_type == DATUM_SET ? n : 2 * n;
}

struct datum *datum_alloc(enum atom_type key_type, uint8_t value_type, size_t n)
{
    INVARIANT(n < UINT32_MAX / 4);
    struct datum *d = xmalloc(sizeof *d + n_atoms(value_type, n) * sizeof(union atom));
    d->refs = 1;
    d->n = (uint32_t)n;
    d->key_type = (uint8_t)key_type;
    d->value_type = value_type;
    return d;
}

static void unref_atoms(uint8_t type, const union atom *atoms, size_t n)
{
    if (type == ATOM_STRING) {
        for (size_t i = 0; i < n; i++)
            rstr_unref(atoms[i].string);
    }
}

void datum_unref(const struct datum *d)
{
    struct datum *m = (struct datum *)(uintptr_t)d;
    if (!m || --m->refs)
        return;
    unref_atoms(m->key_type, m->atoms, m->n);
    if (datum_is_map(m))
        unref_atoms(m->value_type, datum_values(m), m->n);
    free(m);
}

/* ---- sorting ---- */

struct order {
    enum atom_type type;
    const union atom *keys;
};

static int compare_indexes(const void *a, const void *b, void *order_)
{
    const struct order *order = order_;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int c = atom_compare(order->type, &order->keys[i], &order->keys[j]);
    return c ? c : (i > j) - (i < j); /* stable: the first of equal keys stays first */
}

static bool is_ascending(enum atom_type type, const union atom *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (atom_compare(type, &keys[i - 1], &keys[i]) >= 0)
            return false;
    }
    return true;
}

/* Fills D's atoms from KEYS and VALUES in the order of INDEX, without duplicates. Returns how many
 * were dropped. */
static size_t fill_sorted(struct datum *d, const uint32_t *index, union atom *keys,
                          union atom *values, size_t n)
{
    uint32_t kept = 0;
    union atom *out_values = d->atoms + n;
    for (size_t i = 0; i < n; i++) {
        uint32_t j = index[i];
        if (kept && !atom_compare(d->key_type, &d->atoms[kept - 1], &keys[j])) {
            atom_unref(d->key_type, &keys[j]);
            if (values)
                atom_unref(d->value_type, &values[j]);
            continue;
        }
        d->atoms[kept] = keys[j];
        if (values)
            out_values[kept] = values[j];
        kept++;
    }
    if (values && kept < n)
        memmove(d->atoms + kept, out_values, kept * sizeof *out_values);
    d->n = kept;
    return n - kept;
}

static struct datum *build(enum atom_type key_type, uint8_t value_type, union atom *keys,
                           union atom *values, size_t n, size_t *ret_dropped)
{
    struct datum *d = datum_alloc(key_type, value_type, n);
    *ret_dropped = 0;
    if (is_ascending(key_type, keys, n)) {
        if (n)
            memcpy(d->atoms, keys, n * sizeof *keys);
        if (n && values)
            memcpy(d->atoms + n, values, n * sizeof *values);
        return d;
    }
    uint32_t *index = xmalloc(n * sizeof *index);
    for (size_t i = 0; i < n; i++)
        index[i] = (uint32_t)i;
    struct order order = {key_type, keys};
    qsort_r(index, n, sizeof *index, compare_indexes, &order);
    *ret_dropped = fill_sorted(d, index, keys, values, n);
    free(index);
    return d;
}

const struct datum *datum_new_set(enum atom_type type, union atom *keys, size_t n)
{
    size_t dropped;
    return build(type, DATUM_SET, keys, NULL, n, &dropped);
}

const struct datum *datum_new_map(enum atom_type key_type, enum atom_type value_type,
                                  union atom *keys, union atom *values, size_t n)
{
    size_t dropped;
    return build(key_type, (uint8_t)value_type, keys, values, n, &dropped);
}

int datum_new_checked(enum atom_type key_type, uint8_t value_type, union atom *keys,
                      union atom *values, size_t n, const struct datum **ret, struct diag *diag)
{
    size_t dropped;
    struct datum *d = build(key_type, value_type, keys, values, n, &dropped);
    if (!dropped) {
        *ret = d;
        return 0;
    }
    datum_unref(d);
    return diag_set(diag, ERR_CONSTRAINT, "%s",
                    values ? "map contains duplicate key" : "set contains duplicate");
}

const struct datum *datum_new_empty(enum atom_type key_type, uint8_t value_type)
{
    return datum_alloc(key_type, value_type, 0);
}

static const struct datum *new_scalar(enum atom_type type, union atom atom)
{
    struct datum *d = datum_alloc(type, DATUM_SET, 1);
    d->atoms[0] = atom;
    return d;
}

const struct datum *datum_new_integer(int64_t integer)
{
    return new_scalar(ATOM_INTEGER, (union atom){.integer = integer});
}

const struct datum *datum_new_real(double real)
{
    return new_scalar(ATOM_REAL, (union atom){.real = real});
}

const struct datum *datum_new_boolean(bool boolean)
{
    return new_scalar(ATOM_BOOLEAN, (union atom){.boolean = boolean});
}

const struct datum *datum_new_string(const char *text)
{
    return new_scalar(ATOM_STRING, (union atom){.string = rstr_new(text)});
}

const struct datum *datum_new_uuid(const struct uuid *uuid)
{
    return new_scalar(ATOM_UUID, (union atom){.uuid = *uuid});
}

/* ---- comparing ---- */

static bool atoms_equal(uint8_t type, const union atom *a, const union atom *b, size_t n)
{
    _Static_assert(sizeof *a == sizeof a->uuid, "a uuid is a whole atom");
    if (type == ATOM_UUID)
        return !n || !memcmp(a, b, n * sizeof *a);
    for (size_t i = 0; i < n; i++) {
        if (type == ATOM_STRING ? !rstr_equal(a[i].string, b[i].string)
                                : atom_compare(type, &a[i], &b[i]) != 0)
            return false;
    }
    return true;
}

bool datum_equal(const struct datum *a, const struct datum *b)
{
    if (a == b)
        return true;
    if (a->n != b->n || a->key_type != b->key_type || a->value_type != b->value_type)
        return a->n == 0 && b->n == 0;
    return atoms_equal(a->key_type, a->atoms, b->atoms, a->n) &&
           (!datum_is_map(a) || atoms_equal(a->value_type, datum_values(a), datum_values(b), a->n));
}

int datum_compare(const struct datum *a, const struct datum *b)
{
    if (a == b)
        return 0;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    if (a->key_type != b->key_type || a->value_type != b->value_type)
        return a->n == 0
                   ? 0
                   : (a->key_type * 256 + a->value_type) - (b->key_type * 256 + b->value_type);
    for (size_t i = 0; i < a->n; i++) {
        int c = atom_compare(a->key_type, &a->atoms[i], &b->atoms[i]);
        if (!c && datum_is_map(a))
            c = atom_compare(a->value_type, &datum_values(a)[i], &datum_values(b)[i]);
        if (c)
            return c;
    }
    return 0;
}

uint64_t datum_hash(const struct datum *d, uint64_t seed)
{
    uint64_t h = hash_u64(d->n, seed);
    for (size_t i = 0; i < d->n; i++) {
        h = atom_hash(d->key_type, &d->atoms[i], h);
        if (datum_is_map(d))
            h = atom_hash(d->value_type, &datum_values(d)[i], h);
    }
    return h;
}

/* The index of the first key that is not below KEY, searching from LOW. */
size_t datum_lower_bound(const struct datum *d, const union atom *key, size_t low)
{
    size_t high = d->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (atom_compare(d->key_type, &d->atoms[mid], key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

long datum_find(const struct datum *d, const union atom *key)
{
    size_t i = datum_lower_bound(d, key, 0);
    return i < d->n && !atom_compare(d->key_type, &d->atoms[i], key) ? (long)i : -1;
}

static long find_text(const struct datum *d, const char *key)
{
    INVARIANT(d->key_type == ATOM_STRING);
    size_t low = 0, high = d->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(d->atoms[mid].string->s, key);
        if (!c)
            return (long)mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

bool datum_has_string(const struct datum *d, const char *key)
{
    return find_text(d, key) >= 0;
}

const char *datum_map_text(const struct datum *d, const char *key)
{
    INVARIANT(d->value_type == ATOM_STRING || !d->n);
    long i = find_text(d, key);
    return i < 0 ? NULL : datum_values(d)[i].string->s;
}

bool datum_includes(const struct datum *a, const struct datum *b)
{
    if (a == b)
        return true;
    for (size_t i = 0, j = 0; i < b->n; i++, j++) {
        j = datum_lower_bound(a, &b->atoms[i], j);
        if (j == a->n || atom_compare(a->key_type, &a->atoms[j], &b->atoms[i]))
            return false;
        if (datum_is_map(a) && datum_is_map(b) &&
            atom_compare(a->value_type, &datum_values(a)[j], &datum_values(b)[i]))
            return false;
    }
    return true;
}

void datum_print(const struct datum *d, struct str *out)
{
    bool brackets = datum_is_map(d) || d->n != 1;
    if (brackets)
        str_putc(out, datum_is_map(d) ? '{' : '[');
    for (size_t i = 0; i < d->n; i++) {
        if (i)
            str_put(out, ", ");
        atom_print(d->key_type, &d->atoms[i], out);
        if (datum_is_map(d)) {
            str_putc(out, '=');
            atom_print(d->value_type, &datum_values(d)[i], out);
        }
    }
    if (brackets)
        str_putc(out, datum_is_map(d) ? '}' : ']');
}
