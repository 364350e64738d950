/* xlate_key.c - the packet's key in a translation: which of its bits have been asked, so that a megaflow has to keep them, and which
 * have been written, so that the packet says nothing about them. */
#include <string.h>

#include "flow/place.h"
#include "switchd/xlate_ctx.h"

void xctx_use_mask(struct xctx *x, const struct flow_mask *bits)
{
    uint64_t *to = flow_words(&x->out->mask.bits);
    const uint64_t *from = flow_words_const(&bits->bits);
    const uint64_t *written = flow_words_const(&x->written.bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        to[i] |= from[i] & ~written[i];
}

void xctx_use(struct xctx *x, enum field_id id)
{
    struct subfield sub = subfield_whole(id);
    xctx_use_bits(x, &sub);
}

void xctx_use_bits(struct xctx *x, const struct subfield *sub)
{
    if (xctx_is_far(sub)) {
        xctx_use_far(x, sub);
        return;
    }
    u128 bits = u128_ones(sub->n_bits) << sub->ofs;
    struct place at;
    if (field_place(field_get(sub->id), &at)) {
        flow_words(&x->out->mask.bits)[at.word] |=
            place_bits(&at, bits) & ~flow_words(&x->written.bits)[at.word];
        return;
    }
    bits &= ~mask_get(&x->written, sub->id);
    if (bits)
        mask_set_masked(&x->out->mask, sub->id, bits);
}

bool xctx_has(struct xctx *x, enum field_prereq prereq)
{
    if (prereq == PREREQ_NONE)
        return true;
    struct flow_mask bits;
    memset(&bits, 0, sizeof bits);
    mask_set_prereq(&bits, prereq);
    xctx_use_mask(x, &bits);
    return key_has_prereq(&x->key, prereq);
}

u128 xctx_get(struct xctx *x, const struct subfield *sub)
{
    struct place at;
    if (xctx_is_far(sub)) {
        struct tun_value value;
        xctx_get_value(x, sub, &value);
        return tun_value_get(&value, 0, TUN_CHUNK);
    }
    xctx_use_bits(x, sub);
    if (!field_place(field_get(sub->id), &at))
        return key_get_bits(&x->key, sub);
    return (swap64(flow_words(&x->key)[at.word]) >> (at.shift + sub->ofs)) & u128_ones(sub->n_bits);
}

/* The same in a field that is not within one word. */
static void set_wide(struct xctx *x, const struct field *field, u128 value, u128 bits)
{
    key_set(&x->key, field->id, (key_get(&x->key, field->id) & ~bits) | (value & bits));
    mask_set_masked(&x->written, field->id, bits);
    size_t end = (size_t)field->offset + field->size - 1;
    for (size_t i = field->offset / 8u; i <= end / 8; i++)
        x->touched |= UINT64_C(1) << i;
}

void xctx_set_bits(struct xctx *x, const struct field *field, u128 value, u128 bits)
{
    struct place at;
    if (FIELD_IS_TUN_METADATA(field->id) && !xctx_set_near(x, field->id, &value)) {
        struct tun_value v, m;
        tun_value_of(&v, value);
        tun_value_of(&m, bits);
        if (!~bits)
            tun_value_ones(&m, TUN_OPT_BITS);
        xctx_set_tun(x, field->id, &v, &m);
        return;
    }
    if (field_place(field, &at)) {
        uint64_t mask = place_bits(&at, bits), *word = &flow_words(&x->key)[at.word];
        *word = (*word & ~mask) | (place_bits(&at, value) & mask);
        flow_words(&x->written.bits)[at.word] |= mask;
        x->touched |= UINT64_C(1) << at.word;
    } else {
        set_wide(x, field, value, bits);
    }
    if (field->offset >= offsetof(struct flow_key, eth_dst))
        x->dirty = true;
}

void xctx_set(struct xctx *x, const struct subfield *sub, u128 value)
{
    if (xctx_is_far(sub)) {
        struct tun_value v;
        tun_value_of(&v, value);
        xctx_set_value(x, sub, &v);
        return;
    }
    xctx_set_bits(x, field_get(sub->id), value << sub->ofs, u128_ones(sub->n_bits) << sub->ofs);
}
