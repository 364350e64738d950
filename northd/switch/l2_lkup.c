/* l2_lkup.c - where a frame goes: to the port that has its destination address; to all for a group address (common.c); to
 * the ports with "unknown" when nobody has it. What is for a disabled port is dropped, not taken for unknown (room 3 of
 * docs/architecture.md).
 */
#include "northd/gateway/gateway.h"
#include "northd/lflows.h"
#include "northd/switch/switch.h"

void switch_l2_lkup(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (lsp->type == LSP_EXTERNAL)
        return; /* by the localnet port, as what is unknown */
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, key);
    const struct rstr *resident = link ? gateway_resident(ctx, p, &link->lrp, true) : NULL;
    const struct fact_port_addr *addr;
    INC_FOR_EACH(addr, inc_read(ctx, p->port_addr_by_lsp, key))
    {
        if (addr->ip.version)
            continue;
        lflows_emit(&l, STAGE_SW_IN_L2_LKUP, 50,
                    gateway_only_at(l.e, expr_eq(l.e, SYM_ETH_DST, addr->mac), resident),
                    lsp->flags & PORT_DISABLED ? lflows_drop(&l)
                                               : lflows_output_port(&l, lsp->name));
    }
}

/* A destination that is nobody's by NB may have been learned (fdb.c), and if not, is for the ports with "unknown". */
void switch_l2_common(const struct lflow_out *l)
{
    static const struct lflow_text flows[] = {
        {STAGE_SW_IN_L2_LKUP, 0, "1", "outport = get_fdb(eth.dst); next;"},
        {STAGE_SW_IN_L2_UNKNOWN, 40, "outport == \"none\"", "drop;"},
    };
    lflows_emit_texts(l, flows, ARRAY_SIZE(flows));
}

/* To all ports that are no routers; NULL: there is none. */
static struct actions *to_others(struct inc_ctx *ctx, const struct lflow_out *l)
{
    struct fact_group group;
    INC_CLEAR(group);
    group.datapath = l->datapath;
    group.group = GROUP_FLOOD_L2;
    return inc_read_one(ctx, l->p->group_each, &group)
               ? lflows_output_to(l, group_name(GROUP_FLOOD_L2))
               : NULL;
}

/* Questions that a router asks go to the ports that are no routers, since routers are known to each other; and of routers, a question
 * for a router's address is for that one only. */
void switch_l2_router(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, key);
    struct lflow_out l = lflows_begin(ctx, p, &link->ls, &link->lsp);
    struct actions *others = to_others(ctx, &l);
    lflows_emit(&l, STAGE_SW_IN_L2_LKUP, 75,
                expr_and(l.e, expr_eq(l.e, SYM_ETH_SRC, link->mac),
                         lflows_match(&l, "arp.op == 1 || nd_ns")),
                others ? actions_ref(others) : lflows_drop(&l));
    const struct fact_network *n;
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, &link->lrp))
    {
        u128 ip = address_value(&n->address);
        bool v6 = n->address.version == 6;
        struct expr *for_it = expr_and(
            l.e, lflows_match(&l, v6 ? "flags[1] == 0 && nd_ns" : "flags[1] == 0 && arp.op == 1"),
            expr_eq(l.e, v6 ? SYM_ND_TARGET : SYM_ARP_TPA, ip));
        struct actions *to_router = lflows_output_port(&l, link->lsp_name);
        if (others)
            to_router =
                actions_join(actions_of(l.a, action_nest(l.a, ACTION_CLONE, to_router), NULL),
                             actions_ref(others));
        lflows_emit(&l, STAGE_SW_IN_L2_LKUP, 80, for_it, to_router);
    }
    actions_unref(others);
}

void switch_l2_unknown(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct lflow_out l = lflows_begin(ctx, p, key, NULL);
    lflows_emit(&l, STAGE_SW_IN_L2_UNKNOWN, 50, lflows_match(&l, "outport == \"none\""),
                lflows_output_to(&l, group_name(GROUP_UNKNOWN)));
}
