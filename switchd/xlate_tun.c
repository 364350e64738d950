/* xlate_tun.c - tunnel options in a translation, of any width; see xlate_ctx.h.
 *
 * What the key has no room for is one whole: its number. To look at any of it is to look at all of it, and so is to write some of it: the rest
 * stays what it was, and the number is another one.
 */
#include "switchd/tun_store.h"
#include "switchd/xlate_ctx.h"

enum {
    MORE_WORD = offsetof(struct flow_key, tunnel.more) / 8,
    PRESENT_WORD = offsetof(struct flow_key, tunnel.present) / 8
};

static unsigned number(enum field_id id)
{
    return (unsigned)id - FIELD_TUN_METADATA0;
}

/* Bits of the option that a field stands for in the bridge. */
static unsigned option_bits(const struct xctx *x, unsigned field)
{
    return x->br->tlvs.mapped >> field & 1 ? 8u * x->br->tlvs.map[field].len : 0;
}

static void use_more(struct xctx *x)
{
    x->out->mask.bits.tunnel.more |= ~x->written.bits.tunnel.more;
}

void xctx_use_far(struct xctx *x, const struct subfield *sub)
{
    unsigned field = number(sub->id);
    if (field < TUN_INLINE && sub->ofs < 64) {
        struct subfield near = subfield_make(sub->id, sub->ofs, MIN(64u - sub->ofs, sub->n_bits));
        xctx_use_bits(x, &near);
    }
    if (field >= TUN_INLINE || option_bits(x, field) > 64)
        use_more(x);
}

void xctx_get_value(struct xctx *x, const struct subfield *sub, struct tun_value *ret)
{
    if (!xctx_is_far(sub)) {
        tun_value_of(ret, xctx_get(x, sub));
        return;
    }
    struct tun_value whole;
    xctx_use_bits(x, sub);
    key_get_tun(&x->key, &x->opts, sub->id, &whole);
    tun_value_of(ret, 0);
    tun_value_place(ret, 0, &whole, sub->ofs, sub->n_bits);
}

void xctx_set_value(struct xctx *x, const struct subfield *sub, const struct tun_value *value)
{
    if (!FIELD_IS_TUN_METADATA(sub->id)) {
        xctx_set(x, sub, tun_value_get(value, 0, TUN_CHUNK));
        return;
    }
    struct tun_value at, mask, ones;
    tun_value_of(&at, 0);
    tun_value_of(&mask, 0);
    tun_value_ones(&ones, sub->n_bits);
    tun_value_place(&at, sub->ofs, value, 0, sub->n_bits);
    tun_value_place(&mask, sub->ofs, &ones, 0, sub->n_bits);
    xctx_set_tun(x, sub->id, &at, &mask);
}

/* The working key's options have changed, and so has their number. */
static void renumber(struct xctx *x)
{
    use_more(x);
    x->key.tunnel.more = tun_store_put(x->vs->host.tun_opts, &x->opts);
    x->written.bits.tunnel.more = UINT64_MAX;
    x->touched |= UINT64_C(1) << MORE_WORD;
}

/* The part of a field that is in the key: its word, and that it is there. */
static void touch_near(struct xctx *x, unsigned field, uint64_t bits)
{
    x->written.bits.tunnel.metadata[field] |= swap64(bits);
    x->written.bits.tunnel.present |= (uint8_t)(1u << field);
    x->touched |= UINT64_C(1) << (offsetof(struct flow_key, tunnel.metadata) / 8 + field) |
                  UINT64_C(1) << PRESENT_WORD;
}

bool xctx_set_near(struct xctx *x, enum field_id id, u128 *value)
{
    unsigned field = number(id), n_bits = option_bits(x, field);
    if (field >= TUN_INLINE || n_bits > 64)
        return false;
    *value &= u128_ones(n_bits);
    x->tun_options |= UINT64_C(1) << field;
    x->key.tunnel.present |= (uint8_t)(1u << field);
    touch_near(x, field, 0);
    return true;
}

void xctx_set_tun(struct xctx *x, enum field_id id, const struct tun_value *value,
                  const struct tun_value *mask)
{
    unsigned field = number(id), n_bits = option_bits(x, field);
    struct tun_value result, option;
    key_get_tun(&x->key, &x->opts, id, &result);
    for (unsigned i = 0; i < TUN_OPT_MAX; i++)
        result.b[i] = (uint8_t)((result.b[i] & ~mask->b[i]) | (value->b[i] & mask->b[i]));
    tun_value_ones(&option, n_bits);
    tun_value_and(&result, &option);
    (void)key_set_tun(&x->key, &x->opts, id, &result);
    x->tun_options |= UINT64_C(1) << field;
    if (field < TUN_INLINE)
        touch_near(x, field, (uint64_t)tun_value_get(mask, 0, 64));
    if (field >= TUN_INLINE || n_bits > 64)
        renumber(x);
}

void xctx_delete_tun(struct xctx *x, enum field_id id)
{
    unsigned field = number(id);
    (void)key_set_tun(&x->key, &x->opts, id, NULL);
    x->tun_options &= ~(UINT64_C(1) << field);
    if (field < TUN_INLINE)
        touch_near(x, field, UINT64_MAX);
    if (field >= TUN_INLINE || option_bits(x, field) > 64)
        renumber(x);
}

bool xctx_know_opts(struct xctx *x)
{
    const struct tun_opts *opts = tun_store_get(x->vs->host.tun_opts, x->key.tunnel.more);
    if (opts) {
        tun_opts_copy(&x->opts, opts);
        return true;
    }
    use_more(x);
    xctx_guard(x, DROP_TUN_OPTIONS);
    return false;
}
