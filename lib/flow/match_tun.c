/* match_tun.c - tunnel options of keys and matches: the lower bits in the key's own words, the rest in a list of units (tun_opts.h).
 *
 * Of the first TUN_INLINE fields, a match of all of the 64 bits in the key is one of all bits of the option, unless tun_mask names the
 * field: then that says. So a match on an option of up to eight bytes is in the key alone.
 */
#include "flow/match_tun.h"

#include <string.h>

static unsigned number(enum field_id id)
{
    return (unsigned)id - FIELD_TUN_METADATA0;
}

/* The first of the units of FIELD that are not in the key, and the one behind the last. */
static unsigned first_unit(unsigned field)
{
    return field * TUN_FIELD_UNITS + (field < TUN_INLINE ? 2 : 0);
}

static unsigned end_unit(unsigned field)
{
    return (field + 1) * TUN_FIELD_UNITS;
}

static uint32_t unit_of(const struct tun_value *value, unsigned index)
{
    return (uint32_t)tun_value_get(value, index % TUN_FIELD_UNITS * 32, 32);
}

/* ---- keys ---- */

void key_get_tun(const struct flow_key *key, const struct tun_opts *opts, enum field_id id,
                 struct tun_value *ret)
{
    unsigned field = number(id), first = first_unit(field);
    memset(ret, 0, sizeof *ret);
    if (field < TUN_INLINE)
        tun_value_set(ret, 0, 64, swap64(key->tunnel.metadata[field]));
    for (unsigned i = 0; i < opts->n; i++) {
        if (opts->index[i] >= first && opts->index[i] < end_unit(field))
            tun_value_set(ret, opts->index[i] % TUN_FIELD_UNITS * 32, 32, opts->value[i]);
    }
}

bool key_has_tun(const struct flow_key *key, const struct tun_opts *opts, enum field_id id)
{
    unsigned field = number(id);
    return field < TUN_INLINE ? key->tunnel.present >> field & 1 : opts->present >> field & 1;
}

static bool set_units(struct tun_opts *opts, unsigned field, const struct tun_value *value)
{
    bool room = true;
    for (unsigned i = first_unit(field); i < end_unit(field); i++)
        (void)tun_opts_set_unit(opts, i, 0);
    for (unsigned i = first_unit(field); value && i < end_unit(field); i++)
        room &= tun_opts_set_unit(opts, i, unit_of(value, i));
    return room;
}

bool key_set_tun(struct flow_key *key, struct tun_opts *opts, enum field_id id,
                 const struct tun_value *value)
{
    unsigned field = number(id);
    if (field < TUN_INLINE) {
        uint8_t bit = (uint8_t)(1u << field);
        key->tunnel.present = (uint8_t)((key->tunnel.present & ~bit) | (value ? bit : 0));
        key->tunnel.metadata[field] = value ? swap64((uint64_t)tun_value_get(value, 0, 64)) : 0;
    } else {
        uint64_t bit = UINT64_C(1) << field;
        opts->present = (opts->present & ~bit) | (value ? bit : 0);
    }
    return set_units(opts, field, value);
}

/* ---- matches ---- */

bool match_has_present(const struct match *match, enum field_id id)
{
    unsigned field = number(id);
    return field < TUN_INLINE ? match->mask.bits.tunnel.present >> field & 1
                              : match->tun_mask.present >> field & 1;
}

void match_set_present(struct match *match, enum field_id id)
{
    unsigned field = number(id);
    if (field < TUN_INLINE) {
        match->mask.bits.tunnel.present |= (uint8_t)(1u << field);
        match->key.tunnel.present |= (uint8_t)(1u << field);
    } else {
        match->tun.present |= UINT64_C(1) << field;
        match->tun_mask.present |= UINT64_C(1) << field;
    }
}

static void clear(struct match *match, unsigned field)
{
    struct flow_tunnel *mask = &match->mask.bits.tunnel;
    (void)key_set_tun(&match->key, &match->tun, FIELD_TUN_METADATA0 + field, NULL);
    tun_mask_clear(&match->tun_mask, field);
    if (field < TUN_INLINE) {
        mask->present &= (uint8_t) ~(1u << field);
        mask->metadata[field] = 0;
    }
}

/* MASK's units that are not in the key; false: there is no room. */
static bool set_mask_units(struct match *match, unsigned field, const struct tun_value *mask)
{
    for (unsigned i = first_unit(field); i < end_unit(field); i++) {
        if (!tun_mask_set_unit(&match->tun_mask, i, unit_of(mask, i)))
            return false;
    }
    return true;
}

bool match_set_tun(struct match *match, enum field_id id, const struct tun_value *value,
                   const struct tun_value *mask)
{
    unsigned field = number(id);
    uint64_t bit = UINT64_C(1) << field;
    struct tun_value ones, masked = *value;
    tun_value_ones(&ones, TUN_OPT_BITS);
    clear(match, field);
    bool exact = !mask || !memcmp(mask, &ones, sizeof ones);
    if (!exact && tun_value_is_zero(mask))
        return true;
    if (exact)
        mask = &ones;
    tun_value_and(&masked, mask);
    if (!key_set_tun(&match->key, &match->tun, id, &masked) ||
        (!exact && !set_mask_units(match, field, mask))) {
        clear(match, field);
        return false;
    }
    match_set_present(match, id);
    if (field < TUN_INLINE) {
        uint64_t lower = (uint64_t)tun_value_get(mask, 0, 64);
        match->mask.bits.tunnel.metadata[field] = swap64(lower);
        bool upper = tun_value_len(exact ? &masked : mask) > 8;
        if (upper || (!exact && !~lower))
            match->tun_mask.present |= bit;
        if (upper && exact)
            match->tun_mask.exact |= bit;
    } else if (exact) {
        match->tun_mask.exact |= bit;
    }
    return true;
}

void match_set_tun_bits(struct match *match, const struct subfield *sub,
                        const struct tun_value *value)
{
    struct tun_value old, mask, ones;
    match_get_tun(match, sub->id, &old, &mask);
    tun_value_ones(&ones, sub->n_bits);
    tun_value_place(&old, sub->ofs, value, 0, sub->n_bits);
    tun_value_place(&mask, sub->ofs, &ones, 0, sub->n_bits);
    (void)match_set_tun(match, sub->id, &old, &mask);
}

void match_set_options(struct match *match, const struct flow_key *key, const struct tun_opts *opts)
{
    static const struct tun_opts none;
    opts = opts ? opts : &none;
    for (unsigned i = 0; i < TUN_FIELDS; i++) {
        struct tun_value value;
        enum field_id id = FIELD_TUN_METADATA0 + i;
        if (i == TUN_INLINE && tun_opts_is_empty(opts))
            break;
        key_get_tun(key, opts, id, &value);
        if (key_has_tun(key, opts, id) || !tun_value_is_zero(&value))
            (void)match_set_tun(match, id, &value, NULL);
    }
}

enum tun_match match_get_tun(const struct match *match, enum field_id id, struct tun_value *value,
                             struct tun_value *mask)
{
    unsigned field = number(id), first = first_unit(field);
    const struct tun_mask *tm = &match->tun_mask;
    be64 lower = field < TUN_INLINE ? match->mask.bits.tunnel.metadata[field] : 0;
    bool exact = tm->present >> field & 1 ? tm->exact >> field & 1 : !~lower;
    key_get_tun(&match->key, &match->tun, id, value);
    memset(mask, 0, sizeof *mask);
    if (exact) {
        tun_value_ones(mask, TUN_OPT_BITS);
        return TUN_EXACT;
    }
    tun_value_set(mask, 0, 64, swap64(lower));
    for (unsigned i = 0; i < tm->n; i++) {
        if (tm->index[i] >= first && tm->index[i] < end_unit(field))
            tun_value_set(mask, tm->index[i] % TUN_FIELD_UNITS * 32, 32, tm->bits[i]);
    }
    return !tun_value_is_zero(mask)       ? TUN_MASKED
           : match_has_present(match, id) ? TUN_PRESENT
                                          : TUN_NOT;
}

bool match_cut_tun(struct match *match, enum field_id id, unsigned n_bits)
{
    struct tun_value value, mask, ones;
    enum tun_match kind = match_get_tun(match, id, &value, &mask);
    if (kind == TUN_NOT)
        return true;
    tun_value_ones(&ones, n_bits);
    struct tun_value kept = value;
    tun_value_and(&kept, &ones);
    if (memcmp(&kept, &value, sizeof kept) != 0)
        return false;
    tun_value_and(&mask, &ones);
    bool exact = !memcmp(&mask, &ones, sizeof ones);
    if (!n_bits || kind == TUN_PRESENT) {
        clear(match, number(id));
        match_set_present(match, id);
        return true;
    }
    bool room = match_set_tun(match, id, &value, exact ? NULL : &mask);
    if (exact && number(id) < TUN_INLINE && n_bits > 64) {
        match->tun_mask.present |= UINT64_C(1) << number(id);
        match->tun_mask.exact |= UINT64_C(1) << number(id);
    }
    return room;
}

/* A unit, or what is said of one, of two matches that agree. */
static bool add_units(struct match *ret, const struct match *from)
{
    struct tun_value value, mask, other, other_mask;
    for (unsigned field = 0; field < TUN_FIELDS; field++) {
        enum field_id id = FIELD_TUN_METADATA0 + field;
        if (match_get_tun(from, id, &value, &mask) == TUN_NOT)
            continue;
        match_get_tun(ret, id, &other, &other_mask);
        for (unsigned i = 0; i < TUN_OPT_MAX; i++) {
            other.b[i] |= value.b[i];
            other_mask.b[i] |= mask.b[i];
        }
        if (!match_set_tun(ret, id, &other, &other_mask))
            return false;
        match_set_present(ret, id);
    }
    return true;
}

bool match_intersect_tun(const struct match *a, const struct match *b, struct match *ret)
{
    tun_opts_init(&ret->tun);
    tun_mask_init(&ret->tun_mask);
    if (tun_mask_is_empty(&a->tun_mask) && tun_mask_is_empty(&b->tun_mask))
        return true;
    for (unsigned i = 0; i < TUN_INLINE; i++)
        clear(ret, i);
    return add_units(ret, a) && add_units(ret, b);
}
