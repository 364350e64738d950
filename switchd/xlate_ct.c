/* xlate_ct.c - the ct and ct_clear actions, and the way on behind a ct with a table, or a pop; see xlate_ctx.h.
 *
 * Such a ct forks: the packet goes through the tracker, which may give it other addresses, and a copy is translated anew from a state that
 * is frozen here (recirc.h). This translation goes on with the packet, which has these addresses and is untracked; what its flows see
 * are the old ones, since nobody knows the others here. */
#include <string.h>

#include "switchd/recirc.h"
#include "switchd/xlate_ctx.h"

/* Bytes of the key that are metadata. */
#define METADATA_LEN offsetof(struct flow_key, eth_dst)

static void clear_ct(struct xctx *x)
{
    memset(&x->key.ct, 0, sizeof x->key.ct);
    memset(&x->written.bits.ct, 0xff, sizeof x->key.ct);
}

void xlate_ct_clear(struct xctx *x)
{
    clear_ct(x);
}

/* The nested set_field and move actions work on mark and label as if they were the packet's; which bits they write is what
 * the commit changes. */
static void exec_nested(struct xctx *x, const struct of_ct *a, struct ct_action *ct)
{
    struct flow_ct saved = x->key.ct, saved_written = x->written.bits.ct;
    size_t n;
    const void *nested = of_action_nested((const void *)a, &n);
    const struct of_action *each;
    memset(&x->written.bits.ct.mark, 0, sizeof saved.mark);
    memset(&x->written.bits.ct.label, 0, sizeof saved.label);
    OF_ACTION_FOR_EACH(each, nested, n)
    {
        if (each->type == OF_SET_FIELD || each->type == OF_MOVE)
            xlate_actions(x, each, each->len);
        else
            note_action(x, each, NULL);
    }
    ct->mark_mask = x->written.bits.ct.mark;
    ct->mark = x->key.ct.mark & ct->mark_mask;
    ct->label_mask = x->written.bits.ct.label;
    put_be128(&ct->label, get_be128(&x->key.ct.label) & get_be128(&ct->label_mask));
    x->key.ct = saved;
    x->written.bits.ct = saved_written;
}

static void nat_from_action(const struct of_nat *a, struct ct_action *ct)
{
    static const struct {
        uint16_t of;
        uint8_t ct;
    } flags[] = {{OF_NAT_SRC, CT_NAT_SRC},
                 {OF_NAT_DST, CT_NAT_DST},
                 {OF_NAT_PERSISTENT, CT_NAT_PERSISTENT},
                 {OF_NAT_HASH, CT_NAT_HASH},
                 {OF_NAT_RANDOM, CT_NAT_RANDOM}};
    ct->flags |= CT_TRANSLATE;
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (a->flags & flags[i].of)
            ct->nat.flags |= flags[i].ct;
    }
    ct->nat.version = a->addr_version;
    ct->nat.port_min = a->port_min;
    ct->nat.port_max = MAX(a->port_min, a->port_max);
    ct->nat.addr_min = a->addr_min;
    ct->nat.addr_max = a->addr_max;
}

static void fill_action(struct xctx *x, const struct of_ct *a, struct ct_action *ct)
{
    size_t n;
    const void *nested = of_action_nested((const void *)a, &n);
    const struct of_action *each;
    memset(ct, 0, sizeof *ct);
    ct->zone = a->zone_src.id == FIELD_NONE ? a->zone_imm : (uint16_t)xctx_get(x, &a->zone_src);
    ct->flags = (uint8_t)((a->flags & OF_CT_COMMIT ? CT_COMMIT : 0) |
                          (a->flags & OF_CT_FORCE ? CT_FORCE : 0));
    ct->helper = a->alg == 21 ? CT_HELPER_FTP : a->alg == 69 ? CT_HELPER_TFTP : CT_HELPER_NONE;
    OF_ACTION_FOR_EACH(each, nested, n)
    {
        if (each->type == OF_NAT)
            nat_from_action((const void *)each, ct);
    }
    if (n)
        exec_nested(x, a, ct);
    else
        xctx_note(x, "    drop");
}

struct recirc_state *xlate_freeze(struct xctx *x, uint8_t table_id, const struct of_buf *levels)
{
    struct recirc_state s;
    memset(&s, 0, sizeof s);
    s.bridge_no = x->br->number;
    s.table_id = table_id;
    s.tun_options = x->tun_options;
    s.mirrored = x->mirrored;
    memcpy(&s.written, &x->written, METADATA_LEN);
    if (levels) {
        s.levels = levels->data;
        s.levels_len = levels->n;
    } else { /* a ct: the tracker will say */
        memset(&s.written.bits.ct, 0, sizeof s.written.bits.ct);
    }
    s.written.bits.recirc_id = 0;
    memcpy(&s.key, &x->key, METADATA_LEN);
    flow_key_and(&s.key, &s.written);
    s.stack = x->stack.data;
    s.n_stack = x->stack.n;
    s.action_set = x->action_set.data;
    s.action_set_len = x->action_set.n;
    return recirc_get(&x->vs->recirc, &s);
}

void xlate_ct(struct xctx *x, const struct of_ct *a)
{
    struct ct_action action;
    fill_action(x, a, &action);
    xlate_commit(x);
    struct dp_actions *out = &x->out->actions;
    if (a->table == OF_CT_NO_RECIRC) {
        dp_put_ct(out, &action);
    } else {
        dp_put_ct(out, &action);
        dp_put_recirc(out, xlate_freeze(x, a->table, NULL));
        x->out->delivered = true; /* what comes of it is decided over there */
        xctx_note(
            x,
            "     -> A clone of the packet is forked to recirculate. The forked pipeline will be "
            "resumed at table %u.",
            a->table);
    }
    clear_ct(x);
    xctx_note(
        x, "     -> Sets the packet to an untracked state, and clears all the conntrack fields.");
}

void xlate_thaw(struct xctx *x, const struct recirc_state *s)
{
    uint64_t *key = flow_words(&x->key), *written = flow_words(&x->written.bits);
    const uint64_t *frozen = flow_words_const(&s->key), *known = flow_words_const(&s->written.bits);
    key_set(&x->key, FIELD_RECIRC_ID, 0); /* flows do not see it */
    for (size_t i = 0; i < METADATA_LEN / 8; i++) {
        key[i] = (key[i] & ~known[i]) | frozen[i];
        written[i] = known[i];
    }
    x->written.bits.recirc_id = UINT32_MAX;
    x->base = x->key;
    if (!xctx_know_opts(x))
        return;
    x->tun_options = s->tun_options;
    x->mirrored = s->mirrored;
    for (size_t i = 0; i < s->n_stack; i++) {
        vec_push(&x->stack, s->stack[i]);
        x->stack_bytes += DIV_ROUND_UP(s->stack[i].n_bits, 8u);
    }
    if (s->action_set_len)
        of_actions_append(&x->action_set, s->action_set, s->action_set_len);
    xctx_note(x, "    thaw\n        Resuming from table %u", s->table_id);
    if (s->levels_len)
        continuation_run(x, s->levels, s->levels_len);
    else
        xlate_table(x, s->table_id, key_in_port(&x->key));
}
