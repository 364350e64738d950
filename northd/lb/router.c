/* router.c - what a router with load balancers has beside the flows of their VIPs (room 3 of docs/architecture.md;
 * ovn-northd(8) "DNAT", "IP Input"): what becomes of packets of known connections, and answers to ARP for the VIPs. The way
 * back through translation and lb_force_snat_ip are nat/.
 */
#include "northd/gateway/gateway.h"
#include "northd/lb/lb.h"
#include "northd/nat/nat.h"

void lb_router(struct inc_ctx *ctx, const void *key, void *aux)
{
    static const struct lflow_text flows[] = {
        {STAGE_RTR_IN_DNAT, 70,
         "ct.est && !ct.rel && !ct.new && ct_mark.natted && ct_mark.force_snat == 1",
         "flags.force_snat_for_lb = 1; next;"},
        {STAGE_RTR_IN_DNAT, 70,
         "ct.est && !ct.rel && !ct.new && ct_mark.natted && ct_mark.skip_snat == 1",
         "flags.skip_snat_for_lb = 1; next;"},
        {STAGE_RTR_IN_DNAT, 70, "ct.rel && !ct.est && !ct.new && ct_mark.force_snat == 1",
         "flags.force_snat_for_lb = 1; ct_commit_nat;"},
        {STAGE_RTR_IN_DNAT, 70, "ct.rel && !ct.est && !ct.new && ct_mark.skip_snat == 1",
         "flags.skip_snat_for_lb = 1; ct_commit_nat;"},
        {STAGE_RTR_IN_DNAT, 50, "ct.est && !ct.rel && !ct.new && ct_mark.natted", "next;"},
        {STAGE_RTR_IN_DNAT, 50, "ct.rel && !ct.est && !ct.new", "ct_commit_nat;"},
        {STAGE_RTR_OUT_SNAT, 120, "flags.skip_snat_for_lb == 1 && ip", "next;"},
    };
    struct lflow_out l = lflows_begin(ctx, aux, key, NULL);
    lflows_emit_texts(&l, flows, ARRAY_SIZE(flows));
}

/* --- ARP and neighbour discovery for VIPs */

/* Whether IP is in one of the router's networks. */
static bool is_reachable(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                         const struct address *ip)
{
    const struct fact_plen *plen;
    INC_FOR_EACH(plen, inc_read(ctx, p->plen_by_lr, lr))
    {
        if (plen->version != ip->version)
            continue;
        struct key_network key;
        INC_CLEAR(key);
        key.lr = *lr;
        key.network = address_network(ip, plen->plen);
        if (inc_read_one(ctx, p->network_by_prefix, &key))
            return true;
    }
    return false;
}

static void answer(struct inc_ctx *ctx, const struct lflow_out *l, const struct fact_lrp *lrp,
                   const struct address *ip)
{
    struct expr *asks = ip->version == 6 ? lflows_solicits(l, ip)
                                         : expr_and(l->e, expr_eq(l->e, SYM_ARP_OP, 1),
                                                    expr_eq(l->e, SYM_ARP_TPA, address_value(ip)));
    asks = expr_and(l->e, lflows_inport(l, lrp->name), asks);
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 90,
                gateway_only_at(l->e, asks, gateway_resident(ctx, l->p, &lrp->uuid, true)),
                ip->version == 6 ? lflows_nd_reply(l, ACTION_ND_NA, lrp->mac, ip)
                                 : lflows_arp_reply(l, lrp->mac, ip));
}

void lb_router_arp(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lb_on *on = key;
    const struct fact_lb *lb = inc_read_one(ctx, p->lb.lb_by_uuid, &on->lb);
    if (!lb || lb->responder == LB_ANSWER_NONE)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &on->lr, &on->lb);
    const struct fact_lb_vip *vip;
    INC_FOR_EACH(vip, inc_read(ctx, p->lb.vip_by_lb, &on->lb))
    {
        const struct fact_lrp *lrp;
        if (lb->responder == LB_ANSWER_REACHABLE && !is_reachable(ctx, p, &on->lr, &vip->ip))
            continue;
        INC_FOR_EACH(lrp, inc_read(ctx, p->lrp_by_lr, &on->lr))
        answer(ctx, &l, lrp, &vip->ip);
    }
}

void lb_router_announce(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct fact_lb_router_vip *f = key;
    nat_announce_vip(ctx, aux, &f->lr, &f->ip);
}

bool lb_has_vip(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                const struct address *address)
{
    struct fact_lb_router_vip key;
    INC_CLEAR(key);
    key.lr = *lr;
    key.ip = *address;
    return inc_read_one(ctx, p->lb.router_vip_each, &key);
}
