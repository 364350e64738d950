/* switch.c - what a switch with load balancers has beside the flows of their VIPs (room 3 of docs/architecture.md;
 * ovn-northd(8) "Pre-LB", "Hairpin"): all IP goes through connection tracking, but for what is between routers and
 * neighbours; a packet whose backend is its own sender goes back with the VIP as its source.
 */
#include "northd/classes.h"
#include "northd/lb/lb.h"

void lb_switch(struct inc_ctx *ctx, const void *key, void *aux)
{
    static const struct lflow_text flows[] = {
        {STAGE_SW_IN_PRE_LB, 110, "eth.mcast", "next;"},
        {STAGE_SW_IN_PRE_LB, 110, "nd || nd_rs || nd_ra || mldv1 || mldv2", "next;"},
        {STAGE_SW_IN_PRE_LB, 110, "reg0[16] == 1", "next;"},
        {STAGE_SW_IN_PRE_LB, 100, "ip", "reg0[2] = 1; next;"},
        {STAGE_SW_OUT_PRE_LB, 110, "eth.mcast", "next;"},
        {STAGE_SW_OUT_PRE_LB, 110, "nd || nd_rs || nd_ra || mldv1 || mldv2", "next;"},
        {STAGE_SW_OUT_PRE_LB, 110, "reg0[16] == 1", "next;"},
        {STAGE_SW_OUT_PRE_LB, 100, "ip", "reg0[2] = 1; next;"},
        {STAGE_SW_IN_PRE_HAIRPIN, 100, "ip && ct.trk",
         "reg0[6] = chk_lb_hairpin(); reg0[12] = chk_lb_hairpin_reply(); next;"},
        {STAGE_SW_IN_NAT_HAIRPIN, 100, "ip && ct.new && ct.trk && reg0[6] == 1",
         "ct_snat_to_vip; next;"},
        {STAGE_SW_IN_NAT_HAIRPIN, 100, "ip && ct.est && ct.trk && reg0[6] == 1", "ct_snat;"},
        {STAGE_SW_IN_NAT_HAIRPIN, 90, "ip && reg0[12] == 1", "ct_snat;"},
        {STAGE_SW_IN_HAIRPIN, 1, "reg0[6] == 1 || reg0[12] == 1",
         "eth.dst <-> eth.src; outport = inport; flags.loopback = 1; output;"},
    };
    struct lflow_out l = classes_begin(ctx, aux, CLASS_LB, key);
    lflows_emit_texts(&l, flows, ARRAY_SIZE(flows));
}

/* Routers keep their own account of connections. Towards them what the sender's port knew is forgotten, unless ACLs ask whether the packet
 * is of a connection. The world outside has no router of ours before it: what comes in by a localnet port is balanced here. */
void lb_switch_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (lsp->type != LSP_ROUTER || !inc_read_one(ctx, p->lb.datapath_by_switch, &lsp->ls))
        return;
    bool stateful = program_switch_has(ctx, p, &lsp->ls, SWITCH_HAS_STATEFUL_ACL);
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    lflows_emit(&l, STAGE_SW_IN_PRE_LB, 110,
                expr_and(l.e, expr_flag(l.e, SYM_IP, true), lflows_inport(&l, lsp->name)),
                lflows_next(&l));
    lflows_emit(&l, STAGE_SW_OUT_PRE_LB, 110,
                expr_and(l.e, expr_flag(l.e, SYM_IP, true), lflows_outport(&l, lsp->name)),
                stateful ? lflows_next(&l) : lflows_actions(&l, "ct_clear; next;"));
}
