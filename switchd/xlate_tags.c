/* xlate_tags.c - VLAN tags that are pushed and popped; see xlate_ctx.h.
 *
 * The key has the outermost tag. Those that actions put another one in front of are kept beside it, so that they come back when that one
 * goes, and what is behind all of them stays known. A new tag is 0 in all its bits, whatever the one behind it has: so Open vSwitch
 * does, and not OpenFlow 1.3.5 (section 5.11). Tags that the packet had behind its first one are not known: then it is read again. */
#include <string.h>

#include "switchd/xlate_ctx.h"

static unsigned is_tag(be16 tci)
{
    return (tci & swap16(VLAN_CFI)) != 0;
}

/* Whether the packet's tags are to change, noting the bits on which that depends: see xlate.h. */
static bool need_commit(struct xctx *x)
{
    return xlate_needs_commit(x, FIELD_VLAN_TCI) || x->tags.n != x->tags.n_base;
}

void xlate_commit_tags(struct xctx *x)
{
    struct xtags *t = &x->tags;
    struct dp_actions *out = &x->out->actions;
    if (!need_commit(x))
        return;
    mask_set(&x->out->mask, FIELD_VLAN_TCI);
    unsigned wanted = t->n + is_tag(x->key.vlan_tci);
    while (t->n_base + is_tag(x->base.vlan_tci) > wanted) {
        dp_put_pop_vlan(out);
        x->base.vlan_tci = t->n_base ? t->behind[--t->n_base].tci : 0;
    }
    uint16_t tci = swap16(x->key.vlan_tci);
    if (tci & VLAN_CFI) {
        if (t->n_base + is_tag(x->base.vlan_tci) < wanted)
            dp_put_push_vlan(out, t->type ? t->type : ETH_TYPE_VLAN, tci & (uint16_t)~VLAN_CFI);
        else if (x->key.vlan_tci != x->base.vlan_tci)
            dp_put_set(out, FIELD_VLAN_TCI, tci);
        t->n_base = t->n;
        x->base.vlan_tci = x->key.vlan_tci;
    }
    x->base_written.bits.vlan_tci = UINT16_MAX;
}

void xtags_cover(struct xctx *x, uint16_t eth_type)
{
    struct xtags *t = &x->tags;
    xlate_commit_tags(x);
    t->type = eth_type;
    if (!is_tag(x->key.vlan_tci))
        return;
    if (t->n == ARRAY_SIZE(t->behind)) { /* the innermost is forgotten, and what is behind it */
        xlate_commit(x);
        memmove(t->behind, t->behind + 1, sizeof t->behind - sizeof *t->behind);
        t->n--;
        t->n_base--;
        xctx_forget_network(x, ETH_TYPE_VLAN);
    }
    t->behind[t->n].tci = x->key.vlan_tci;
    t->behind[t->n++].written = x->written.bits.vlan_tci;
}

void xtags_uncover(struct xctx *x)
{
    struct xtags *t = &x->tags;
    t->n--;
    t->type = 0;
    x->key.vlan_tci = t->behind[t->n].tci;
    x->written.bits.vlan_tci = t->behind[t->n].written;
    x->dirty = true;
}

void xlate_push_vlan(struct xctx *x, uint16_t eth_type)
{
    struct subfield cfi = subfield_make(FIELD_VLAN_TCI, 12, 1);
    struct subfield tci = subfield_whole(FIELD_VLAN_TCI);
    xctx_use_bits(x, &cfi);
    xtags_cover(x, eth_type);
    xctx_set(x, &tci, VLAN_CFI);
}

void xlate_pop_vlan(struct xctx *x)
{
    struct subfield cfi = subfield_make(FIELD_VLAN_TCI, 12, 1);
    struct subfield tci = subfield_whole(FIELD_VLAN_TCI), type = subfield_whole(FIELD_ETH_TYPE);
    if (!xctx_get(x, &cfi))
        return;
    if (x->tags.n) {
        xtags_uncover(x);
        return;
    }
    xctx_set(x, &tci, 0);
    uint16_t behind = (uint16_t)xctx_get(x, &type);
    if (behind != ETH_TYPE_VLAN && behind != ETH_TYPE_QINQ)
        return;
    xlate_commit(x);
    continuation_begin(x, NULL);
}
