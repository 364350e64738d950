/* tun_opts.c - see tun_opts.h: sorted lists of units, and values of any width. */
#include "flow/tun_opts.h"

#include <string.h>

#include "base/hash.h"

/* ---- lists of units: indexes with 32 bits each that are not 0 ---- */

/* Where INDEX is among N, or belongs. */
static unsigned place(const uint16_t *index, unsigned n, unsigned wanted)
{
    unsigned lo = 0;
    while (lo < n && index[lo] < wanted)
        lo++;
    return lo;
}

static uint32_t unit_get(const uint16_t *index, const uint32_t *units, unsigned n, unsigned wanted)
{
    unsigned i = place(index, n, wanted);
    return i < n && index[i] == wanted ? units[i] : 0;
}

static bool unit_set(uint16_t *index, uint32_t *units, uint16_t *n, unsigned at, uint32_t value)
{
    unsigned i = place(index, *n, at), behind = *n - i;
    if (i < *n && index[i] == at) {
        units[i] = value;
        if (value)
            return true;
        memmove(&index[i], &index[i + 1], (behind - 1) * sizeof *index);
        memmove(&units[i], &units[i + 1], (behind - 1) * sizeof *units);
        --*n;
        return true;
    }
    if (!value)
        return true;
    if (*n == TUN_UNITS)
        return false;
    memmove(&index[i + 1], &index[i], behind * sizeof *index);
    memmove(&units[i + 1], &units[i], behind * sizeof *units);
    index[i] = (uint16_t)at;
    units[i] = value;
    ++*n;
    return true;
}

static bool units_equal(const uint16_t *ai, const uint32_t *av, unsigned an, const uint16_t *bi,
                        const uint32_t *bv, unsigned bn)
{
    return an == bn &&
           (!an || (!memcmp(ai, bi, an * sizeof *ai) && !memcmp(av, bv, an * sizeof *av)));
}

static uint64_t units_hash(const uint16_t *index, const uint32_t *units, unsigned n, uint64_t seed)
{
    for (unsigned i = 0; i < n; i++)
        seed = hash_u64((uint64_t)index[i] << 32 | units[i], seed);
    return seed;
}

static uint64_t field_bit(unsigned index)
{
    return UINT64_C(1) << index / TUN_FIELD_UNITS;
}

/* ---- options ---- */

void tun_opts_copy(struct tun_opts *to, const struct tun_opts *from)
{
    to->present = from->present;
    to->n = from->n;
    memcpy(to->index, from->index, from->n * sizeof *to->index);
    memcpy(to->value, from->value, from->n * sizeof *to->value);
}

bool tun_opts_equal(const struct tun_opts *a, const struct tun_opts *b)
{
    return a->present == b->present &&
           units_equal(a->index, a->value, a->n, b->index, b->value, b->n);
}

uint64_t tun_opts_hash(const struct tun_opts *opts, uint64_t seed)
{
    return units_hash(opts->index, opts->value, opts->n, hash_u64(opts->present, seed));
}

uint32_t tun_opts_unit(const struct tun_opts *opts, unsigned index)
{
    return unit_get(opts->index, opts->value, opts->n, index);
}

bool tun_opts_set_unit(struct tun_opts *opts, unsigned index, uint32_t value)
{
    return unit_set(opts->index, opts->value, &opts->n, index, value);
}

void tun_opts_and(const struct tun_opts *opts, const struct tun_mask *mask, struct tun_opts *ret)
{
    unsigned n = 0;
    ret->present = opts->present & mask->present;
    for (unsigned i = 0; i < opts->n; i++) {
        uint16_t index = opts->index[i];
        uint32_t value = opts->value[i] & tun_mask_unit(mask, index);
        if (!value)
            continue;
        ret->index[n] = index;
        ret->value[n++] = value;
    }
    ret->n = (uint16_t)n;
}

/* ---- masks ---- */

void tun_mask_copy(struct tun_mask *to, const struct tun_mask *from)
{
    to->present = from->present;
    to->exact = from->exact;
    to->n = from->n;
    memcpy(to->index, from->index, from->n * sizeof *to->index);
    memcpy(to->bits, from->bits, from->n * sizeof *to->bits);
}

bool tun_mask_equal(const struct tun_mask *a, const struct tun_mask *b)
{
    return a->present == b->present && a->exact == b->exact &&
           units_equal(a->index, a->bits, a->n, b->index, b->bits, b->n);
}

uint64_t tun_mask_hash(const struct tun_mask *mask, uint64_t seed)
{
    seed = hash_u64(mask->exact, hash_u64(mask->present, seed));
    return units_hash(mask->index, mask->bits, mask->n, seed);
}

uint32_t tun_mask_unit(const struct tun_mask *mask, unsigned index)
{
    if (mask->exact & field_bit(index))
        return UINT32_MAX;
    return unit_get(mask->index, mask->bits, mask->n, index);
}

bool tun_mask_set_unit(struct tun_mask *mask, unsigned index, uint32_t bits)
{
    return unit_set(mask->index, mask->bits, &mask->n, index, bits);
}

void tun_mask_clear(struct tun_mask *mask, unsigned field)
{
    unsigned n = 0;
    mask->present &= ~(UINT64_C(1) << field);
    mask->exact &= ~(UINT64_C(1) << field);
    for (unsigned i = 0; i < mask->n; i++) {
        if (mask->index[i] / TUN_FIELD_UNITS == field)
            continue;
        mask->index[n] = mask->index[i];
        mask->bits[n++] = mask->bits[i];
    }
    mask->n = (uint16_t)n;
}

bool tun_mask_covers(const struct tun_mask *a, const struct tun_mask *b)
{
    if (b->present & ~a->present || b->exact & ~a->exact)
        return false;
    for (unsigned i = 0; i < b->n; i++) {
        if (b->bits[i] & ~tun_mask_unit(a, b->index[i]))
            return false;
    }
    return true;
}

/* Whether each unit of A is B's too, as far as both masks go. */
static bool units_agree(const struct tun_opts *a, const struct tun_mask *am,
                        const struct tun_opts *b, const struct tun_mask *bm)
{
    for (unsigned i = 0; i < a->n; i++) {
        unsigned index = a->index[i];
        uint32_t both = tun_mask_unit(am, index) & tun_mask_unit(bm, index);
        if ((a->value[i] ^ tun_opts_unit(b, index)) & both)
            return false;
    }
    return true;
}

bool tun_opts_agree(const struct tun_opts *a, const struct tun_mask *am, const struct tun_opts *b,
                    const struct tun_mask *bm)
{
    return !((a->present ^ b->present) & am->present & bm->present) && units_agree(a, am, b, bm) &&
           units_agree(b, bm, a, am);
}

/* ---- values ---- */

u128 tun_value_get(const struct tun_value *value, unsigned ofs, unsigned n)
{
    u128 ret = 0;
    INVARIANT(n <= TUN_CHUNK);
    for (unsigned i = 0; i < n && ofs + i < TUN_OPT_BITS;) {
        unsigned at = ofs + i, shift = at % 8, take = MIN(8 - shift, n - i);
        unsigned bits = value->b[TUN_OPT_MAX - 1 - at / 8] >> shift;
        ret |= (u128)(bits & ((1u << take) - 1)) << i;
        i += take;
    }
    return ret;
}

void tun_value_set(struct tun_value *value, unsigned ofs, unsigned n, u128 bits)
{
    INVARIANT(n <= TUN_CHUNK);
    for (unsigned i = 0; i < n && ofs + i < TUN_OPT_BITS;) {
        unsigned at = ofs + i, shift = at % 8, take = MIN(8 - shift, n - i);
        unsigned mask = ((1u << take) - 1) << shift;
        uint8_t *byte = &value->b[TUN_OPT_MAX - 1 - at / 8];
        *byte = (uint8_t)((*byte & ~mask) | ((unsigned)(bits >> i) << shift & mask));
        i += take;
    }
}

bool tun_value_is_zero(const struct tun_value *value)
{
    for (unsigned i = 0; i < TUN_OPT_MAX; i++) {
        if (value->b[i])
            return false;
    }
    return true;
}

void tun_value_and(struct tun_value *value, const struct tun_value *mask)
{
    for (unsigned i = 0; i < TUN_OPT_MAX; i++)
        value->b[i] &= mask->b[i];
}

void tun_value_ones(struct tun_value *value, unsigned n_bits)
{
    unsigned n = n_bits / 8;
    memset(value, 0, sizeof *value);
    memset(value->b + TUN_OPT_MAX - n, 0xff, n);
    if (n_bits % 8)
        value->b[TUN_OPT_MAX - n - 1] = (uint8_t)((1u << n_bits % 8) - 1);
}

void tun_value_place(struct tun_value *to, unsigned to_ofs, const struct tun_value *from,
                     unsigned ofs, unsigned n_bits)
{
    struct tun_value source = *from; /* which may be TO */
    for (unsigned i = 0; i < n_bits; i += TUN_CHUNK) {
        unsigned n = MIN(n_bits - i, (unsigned)TUN_CHUNK);
        tun_value_set(to, to_ofs + i, n, tun_value_get(&source, ofs + i, n));
    }
}

unsigned tun_value_len(const struct tun_value *value)
{
    unsigned zeros = 0;
    while (zeros < TUN_OPT_MAX - 1 && !value->b[zeros])
        zeros++;
    return TUN_OPT_MAX - zeros;
}

void tun_value_from(struct tun_value *value, const uint8_t *bytes, size_t n)
{
    memset(value, 0, sizeof *value);
    if (n)
        memcpy(value->b + TUN_OPT_MAX - n, bytes, n);
}

bool tun_value_fits(const struct tun_value *value, u128 *ret)
{
    *ret = tun_value_get(value, 0, TUN_CHUNK);
    return tun_value_len(value) <= TUN_CHUNK / 8;
}

void tun_value_of(struct tun_value *value, u128 x)
{
    memset(value, 0, sizeof *value);
    tun_value_set(value, 0, TUN_CHUNK, x);
}
