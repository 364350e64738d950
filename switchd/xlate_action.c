/* xlate_action.c - the translation of each kind of OpenFlow action; see xlate_ctx.h. */
#include <stdlib.h>
#include <string.h>

#include "flow/rewrite.h"
#include "switchd/port/offload.h"
#include "switchd/xlate_ctx.h"

static bool field_is_vlan(enum field_id id)
{
    return id == FIELD_VLAN_TCI || id == FIELD_DL_VLAN || id == FIELD_VLAN_VID ||
           id == FIELD_DL_VLAN_PCP || id == FIELD_VLAN_PCP;
}

static void set_tag_present(struct xctx *x)
{
    struct subfield cfi = subfield_make(FIELD_VLAN_TCI, 12, 1);
    xctx_set(x, &cfi, 1);
}

static void do_set_field(struct xctx *x, const struct of_set_field *a)
{
    const struct field *field = field_get(a->field);
    u128 mask = of_set_field_mask(a), value = of_set_field_value(a);
    if (field_is_vlan(field->id)) {
        /* mod_vlan_vid and mod_vlan_pcp tag an untagged packet; so does a vlan_vid with the
         * present bit. */
        struct subfield cfi = subfield_make(FIELD_VLAN_TCI, 12, 1);
        bool tagged = xctx_get(x, &cfi) != 0;
        bool tags = a->form == OF_FORM_MOD || field->id == FIELD_DL_VLAN ||
                    field->id == FIELD_DL_VLAN_PCP || field->id == FIELD_VLAN_TCI ||
                    (field->id == FIELD_VLAN_VID && value & VLAN_CFI);
        if (!tagged && !tags)
            return;
        if (!tagged)
            xtags_cover(x, ETH_TYPE_VLAN);
    } else if (!xctx_has(x, field->prereq)) {
        return;
    }
    xctx_set_bits(x, field, value, mask);
    if (!field_is_vlan(field->id))
        return;
    if (a->form == OF_FORM_MOD)
        set_tag_present(x);
    else if (!(x->key.vlan_tci & swap16(VLAN_CFI)))
        x->tags.n = 0; /* no tag at all, not the one behind */
}

static void do_set_tun(struct xctx *x, const struct of_action *a)
{
    struct tun_value value, mask;
    bool exact;
    enum field_id id = of_get_set_tun(a, &value, &mask, &exact);
    xctx_set_tun(x, id, &value, &mask);
}

static void do_move(struct xctx *x, const struct of_move *a)
{
    if (!xctx_has(x, field_get(a->src.id)->prereq) || !xctx_has(x, field_get(a->dst.id)->prereq))
        return;
    if (a->src.n_bits > TUN_CHUNK) {
        struct tun_value value;
        xctx_get_value(x, &a->src, &value);
        xctx_set_value(x, &a->dst, &value);
    } else {
        xctx_set(x, &a->dst, xctx_get(x, &a->src));
    }
    note_value(x, &a->dst);
}

static void do_push(struct xctx *x, const struct of_stack *a)
{
    struct stack_entry e = {.n_bits = a->sub.n_bits};
    xctx_get_value(x, &a->sub, &e.value);
    size_t bytes = DIV_ROUND_UP(e.n_bits, 8u);
    if (x->stack_bytes + bytes > XLATE_MAX_STACK) {
        xctx_guard(x, DROP_STACK);
        return;
    }
    x->stack_bytes += bytes;
    vec_push(&x->stack, e);
}

static void do_pop(struct xctx *x, const struct of_stack *a)
{
    if (!x->stack.n) {
        xctx_note(x, "     >>>> stack underflow <<<<");
        return;
    }
    struct stack_entry e = vec_pop(&x->stack);
    x->stack_bytes -= DIV_ROUND_UP(e.n_bits, 8u);
    if (xctx_has(x, field_get(a->sub.id)->prereq))
        xctx_set_value(x, &a->sub, &e.value);
    note_value(x, &a->sub);
}

void xctx_forget_network(struct xctx *x, uint16_t eth_type)
{
    size_t from = offsetof(struct flow_key, mpls_lse);
    memset((char *)&x->key + from, 0, sizeof x->key - from);
    memset((char *)&x->written.bits + from, 0xff, sizeof x->key - from);
    memset((char *)&x->base + from, 0, sizeof x->base - from);
    memset((char *)&x->base_written.bits + from, 0xff, sizeof x->base - from);
    put_be16(&x->key.eth_type, eth_type);
    put_be16(&x->base.eth_type, eth_type);
    memset(&x->written.bits.eth_type, 0xff, sizeof x->key.eth_type);
}

static void do_push_mpls(struct xctx *x, uint16_t eth_type)
{
    bool labelled = xctx_has(x, PREREQ_MPLS);
    uint32_t lse = 0;
    struct subfield ttl = subfield_whole(FIELD_IP_TTL), tos = subfield_whole(FIELD_IP_TOS);
    if (labelled) {
        struct flow_mask all;
        memset(&all, 0, sizeof all);
        all.bits.mpls_lse = UINT32_MAX;
        xctx_use_mask(x, &all);
        lse = swap32(x->key.mpls_lse) & ~(1u << MPLS_BOS_SHIFT);
    } else if (xctx_has(x, PREREQ_IP)) {
        /* As Open vSwitch: explicit null (RFC 3032 2.1), the lower bits of DSCP. */
        lse = (uint32_t)xctx_get(x, &ttl) |
              ((uint32_t)xctx_get(x, &tos) >> 2 & 7) << MPLS_TC_SHIFT | 1u << MPLS_BOS_SHIFT |
              (xctx_has(x, PREREQ_IPV6) ? 2u << MPLS_LABEL_SHIFT : 0);
    } else {
        lse = 64 | 1u << MPLS_BOS_SHIFT;
    }
    xlate_commit(x);
    dp_put_mpls(&x->out->actions, true, eth_type, lse);
    xctx_forget_network(x, eth_type);
    x->key.mpls_lse = x->base.mpls_lse = swap32(lse);
}

static void do_pop_mpls(struct xctx *x, uint16_t eth_type)
{
    if (!xctx_has(x, PREREQ_MPLS))
        return;
    xlate_commit(x);
    dp_put_mpls(&x->out->actions, false, eth_type, 0);
    xctx_forget_network(x, eth_type);
}

/* The new header has the old addresses and the tag's priority (OpenFlow 1.3 5.12); what is inside is not known any more. */
static void do_push_pbb(struct xctx *x)
{
    struct subfield tci = subfield_whole(FIELD_VLAN_TCI), isid = subfield_whole(FIELD_PBB_ISID);
    uint16_t tag = (uint16_t)xctx_get(x, &tci);
    uint32_t itag = tag & VLAN_CFI ? (uint32_t)(tag >> VLAN_PCP_SHIFT) << PBB_PCP_SHIFT : 0;
    if (xctx_has(x, PREREQ_PBB))
        itag |= (uint32_t)xctx_get(x, &isid);
    xlate_commit(x);
    dp_put_push_pbb(&x->out->actions, itag);
    xctx_forget_network(x, ETH_TYPE_PBB);
    x->key.vlan_tci = x->base.vlan_tci = 0;
    x->written.bits.vlan_tci = x->base_written.bits.vlan_tci = UINT16_MAX;
    memset(&x->tags, 0, sizeof x->tags);
    x->key.pbb_tci = x->base.pbb_tci = swap32(itag);
}

static void do_pop_pbb(struct xctx *x)
{
    if (!xctx_has(x, PREREQ_PBB))
        return;
    xlate_commit(x);
    dp_put_pop_pbb(&x->out->actions);
    continuation_begin(x, NULL);
}

/* The time to live in FIELD goes down; IDS hear of it if it has run out. False: it has, and the rest of the list is not done. */
static bool decrement(struct xctx *x, enum field_id field, const char *name, const uint16_t *ids,
                      unsigned n_ids)
{
    struct subfield ttl = subfield_whole(field);
    u128 value = xctx_get(x, &ttl);
    if (value > 1) {
        xctx_set(x, &ttl, value - 1);
        return true;
    }
    xctx_note(x, "     >> %s decrement TTL exception", name);
    xctx_drop(x, DROP_TTL);
    for (unsigned i = 0; i < n_ids; i++)
        xlate_controller(x, UINT16_MAX, ids[i], OF_REASON_INVALID_TTL, NULL, 0, false,
                         OF_METER_NONE);
    return false;
}

static bool do_dec_ttl(struct xctx *x, const struct of_dec_ttl *a)
{
    if (!xctx_has(x, PREREQ_IP))
        return true;
    bool v6 = x->key.eth_type == swap16(ETH_TYPE_IPV6);
    return decrement(x, FIELD_IP_TTL, v6 ? "IPv6" : "IPv4", a->ids, a->n_ids);
}

static bool do_dec_mpls_ttl(struct xctx *x)
{
    static const uint16_t id = 0;
    return !xctx_has(x, PREREQ_MPLS) || decrement(x, FIELD_MPLS_TTL, "MPLS", &id, 1);
}

/* Where a resubmit goes to; the lookup there follows at once. */
static struct xjump resubmit_target(struct xctx *x, const struct of_resubmit *a)
{
    x->lookup_original = a->with_ct;
    return (struct xjump){.table = a->table == OF_TABLE_ALL ? x->table_id : a->table,
                          .in_port =
                              a->in_port == PORT_IN_PORT ? key_in_port(&x->key) : a->in_port};
}

static void do_resubmit(struct xctx *x, const struct of_resubmit *a)
{
    if (!xctx_enter(x))
        return;
    struct xjump to = resubmit_target(x, a);
    struct xpage page = note_table(x);
    xlate_table(x, (uint8_t)to.table, to.in_port);
    x->page = page;
    xctx_leave(x);
}

static void do_clone(struct xctx *x, const struct of_action *a)
{
    if (!xctx_enter(x))
        return;
    size_t n;
    const void *nested = of_action_nested(a, &n);
    struct xfork *fork = xmalloc(sizeof *fork);
    bool exit = x->exit;
    struct xpage page = note_inner(x);
    xctx_fork(x, fork);
    xlate_actions(x, nested, n);
    xctx_join(x, fork);
    free(fork);
    x->exit = exit;
    x->page = page;
    xctx_leave(x);
}

static void do_check_pkt_larger(struct xctx *x, const struct of_check_pkt_larger *a)
{
    x->out->cacheable = false;
    const struct packet *packet = x->in->packet;
    bool larger = packet && offload_frame_len(packet) > a->pkt_len;
    xctx_set(x, &a->dst, larger);
}

static void do_meter(struct xctx *x, uint32_t id)
{
    dp_put_meter(&x->out->actions, id);
    vec_last(&x->out->actions.list).value_lo = x->br->number;
}

static void do_write_metadata(struct xctx *x, const struct of_write_metadata *a)
{
    u128 now = key_get(&x->key, FIELD_METADATA);
    key_set(&x->key, FIELD_METADATA, (now & ~(u128)a->mask) | (a->value & a->mask));
}

/* A FIN or RST ends the connection that the flow is for. */
static void do_fin_timeout(struct xctx *x, const struct of_fin_timeout *a)
{
    struct subfield flags = subfield_whole(FIELD_TCP_FLAGS);
    flags.n_bits = 3; /* FIN, SYN, RST */
    if (!x->rule || !xctx_has(x, PREREQ_TCP) || !(xctx_get(x, &flags) & (TCP_FIN | TCP_RST)))
        return;
    struct effect *e = xctx_effect(x, EFFECT_FIN);
    e->rule.rule = rule_ref(x->rule);
    e->rule.bridge_no = x->br->number;
    e->rule.fin_idle = a->idle;
    e->rule.fin_hard = a->hard;
}

/* ---- the list ---- */

/* The actions on fields and tags. False: not one of them. */
static bool do_field_action(struct xctx *x, const struct of_action *a)
{
    switch (a->type) {
    case OF_SET_FIELD:
        do_set_field(x, (const void *)a);
        return true;
    case OF_SET_TUN:
        do_set_tun(x, a);
        return true;
    case OF_MOVE:
        do_move(x, (const void *)a);
        return true;
    case OF_STACK_PUSH:
        do_push(x, (const void *)a);
        return true;
    case OF_STACK_POP:
        do_pop(x, (const void *)a);
        return true;
    case OF_PUSH_VLAN:
        xlate_push_vlan(x, ((const struct of_push_vlan *)(const void *)a)->eth_type);
        return true;
    case OF_POP_VLAN:
        xlate_pop_vlan(x);
        return true;
    case OF_PUSH_MPLS:
        do_push_mpls(x, ((const struct of_push_vlan *)(const void *)a)->eth_type);
        return true;
    case OF_POP_MPLS:
        do_pop_mpls(x, ((const struct of_push_vlan *)(const void *)a)->eth_type);
        return true;
    case OF_PUSH_PBB:
        do_push_pbb(x);
        return true;
    case OF_POP_PBB:
        do_pop_pbb(x);
        return true;
    case OF_WRITE_METADATA:
        do_write_metadata(x, (const void *)a);
        return true;
    case OF_SET_QUEUE:
        x->key.skb_priority = swap32(((const struct of_id *)(const void *)a)->id);
        x->written.bits.skb_priority = UINT32_MAX;
        return true;
    case OF_POP_QUEUE:
        x->key.skb_priority = 0;
        x->written.bits.skb_priority = UINT32_MAX;
        return true;
    case OF_DELETE_FIELD: {
        unsigned id = ((const struct of_delete_field *)(const void *)a)->field;
        struct subfield whole = subfield_whole(id);
        if (FIELD_IS_TUN_METADATA(id))
            xctx_delete_tun(x, id);
        else
            xctx_set(x, &whole, 0);
        return true;
    }
    default:
        return false;
    }
}

static void do_enqueue(struct xctx *x, const struct of_enqueue *a)
{
    be32 queue = x->key.skb_priority;
    x->key.skb_priority = swap32(a->queue);
    xlate_output(x, a->port, 0);
    x->key.skb_priority = queue;
}

/* The actions that send the packet somewhere. */
static void do_output_action(struct xctx *x, const struct of_action *a)
{
    const void *p = a;
    const struct of_output *output = p;
    const struct of_output_reg *reg = p;
    const struct of_output_trunc *trunc = p;
    const struct of_controller *c = p;
    switch (a->type) {
    case OF_OUTPUT:
        xlate_output(x, output->port, output->max_len);
        break;
    case OF_ENQUEUE:
        do_enqueue(x, p);
        break;
    case OF_OUTPUT_REG: {
        uint32_t port = (uint32_t)xctx_get(x, &reg->src);
        xctx_note(x, "     -> output port is %u", port);
        xlate_output(x, reg->src.n_bits <= 16 ? port_from_16((uint16_t)port) : port, reg->max_len);
        break;
    }
    case OF_OUTPUT_TRUNC:
        x->trunc = trunc->max_len;
        xlate_output(x, trunc->port, 0);
        x->trunc = 0;
        break;
    case OF_CONTROLLER:
        xlate_controller(x, c->max_len, c->controller_id, c->reason, c->userdata, c->userdata_len,
                         c->pause, c->meter_id);
        break;
    case OF_RESUBMIT:
        do_resubmit(x, p);
        break;
    case OF_GROUP:
        xlate_group(x, ((const struct of_id *)p)->id);
        break;
    case OF_CLONE:
        do_clone(x, a);
        break;
    case OF_CT:
        xlate_ct(x, p);
        break;
    case OF_CT_CLEAR:
        xlate_ct_clear(x);
        break;
    case OF_LEARN:
        xlate_learn(x, p);
        break;
    case OF_MULTIPATH:
        xlate_multipath(x, p);
        break;
    case OF_BUNDLE:
        xlate_bundle(x, p);
        break;
    case OF_CHECK_PKT_LARGER:
        do_check_pkt_larger(x, p);
        break;
    case OF_FIN_TIMEOUT:
        do_fin_timeout(x, p);
        break;
    case OF_METER:
        do_meter(x, ((const struct of_id *)p)->id);
        break;
    case OF_SAMPLE:
        xlate_sample(x, p);
        break;
    default: /* CONJUNCTION, NOTE: nothing to do to the packet */
        break;
    }
}

struct xjump xlate_list(struct xctx *x, const void *actions, size_t n)
{
    const struct xjump nowhere = {-1, 0};
    struct xjump jump = nowhere;
    if (!n) {
        xctx_note(x, "    drop");
        return nowhere;
    }
    const uint8_t *end = (const uint8_t *)actions + n;
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        if (x->exit || x->stop)
            return nowhere;
        if (x->unwinds) {
            continuation_add_level(x, a, (size_t)(end - (const uint8_t *)a));
            return nowhere;
        }
        note_action(x, a, end);
        if (a->type == OF_EXIT) {
            x->exit = true;
        } else if (a->type == OF_GOTO_TABLE) {
            jump.table = ((const struct of_goto_table *)(const void *)a)->table;
            jump.in_port = key_in_port(&x->key);
        } else if (a->type == OF_RESUBMIT && (const uint8_t *)a + a->len == end) {
            jump = resubmit_target(x, (const void *)a);
        } else if (a->type == OF_CLEAR_ACTIONS) {
            note_action_set(x, "was");
            of_actions_clear(&x->action_set);
        } else if (a->type == OF_WRITE_ACTIONS) {
            size_t nested_n;
            const void *nested = of_action_nested(a, &nested_n);
            of_actions_append(&x->action_set, nested, nested_n);
            note_action_set(x, "is");
        } else if (a->type == OF_DEC_TTL) {
            if (!do_dec_ttl(x, (const void *)a))
                return nowhere;
        } else if (a->type == OF_DEC_MPLS_TTL) {
            if (!do_dec_mpls_ttl(x))
                return nowhere;
        } else if (!do_field_action(x, a)) {
            do_output_action(x, a);
        }
        if (a->type != OF_SET_FIELD && a->type != OF_MOVE && a->type != OF_RESUBMIT)
            x->touched = UINT64_MAX; /* those tell which words */
    }
    return x->exit || x->stop || x->unwinds ? nowhere : jump;
}

void xlate_actions(struct xctx *x, const void *actions, size_t n)
{
    struct xjump jump = xlate_list(x, actions, n);
    if (jump.table >= 0 && xctx_enter(x)) {
        struct xpage page = note_table(x);
        xlate_table(x, (uint8_t)jump.table, jump.in_port);
        x->page = page;
        xctx_leave(x);
    }
}
