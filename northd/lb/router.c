/* router.c - what a router with load balancers has beside the flows of their VIPs (room 3 of docs/architecture.md;
 * ovn-northd(8) "DNAT", "UNDNAT", "SNAT"): what becomes of packets of known connections, the way back through translation on
 * gateway routers, lb_force_snat_ip, and answers to ARP for the VIPs.
 */
#include "northd/gateway/gateway.h"
#include "northd/lb/lb.h"

static void known_connections(const struct lflow_out *l)
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
    lflows_emit_texts(l, flows, ARRAY_SIZE(flows));
}

/* Everything that leaves may be an answer of a backend. */
static void way_back(const struct lflow_out *l)
{
    static const struct lflow_text flows[] = {
        {STAGE_RTR_OUT_UNDNAT, 100, "nd || nd_rs || nd_ra", "next;"},
        {STAGE_RTR_OUT_UNDNAT, 50, "ip", "flags.loopback = 1; ct_dnat;"},
        {STAGE_RTR_OUT_POST_UNDNAT, 50, "ip && ct.new", "ct_commit { }; next;"},
    };
    lflows_emit_texts(l, flows, ARRAY_SIZE(flows));
}

static struct actions *ct_snat_to(const struct lflow_out *l, const struct address *ip)
{
    return actions_of(l->a,
                      action_ct_nat(l->a, ACTION_CT_SNAT, address_value(ip),
                                    ip->version == 6 ? CONST_IP6 : CONST_IP4),
                      NULL);
}

static struct expr *forced(const struct lflow_out *l, const struct address *ip)
{
    return lflows_match(l, "flags.force_snat_for_lb == 1 && ip%u", ip->version);
}

static void snat_to(const struct lflow_out *l, const struct address *ip)
{
    lflows_emit(l, STAGE_RTR_IN_UNSNAT, 110, lflows_ip_dst(l, ip), lflows_actions(l, "ct_snat;"));
    lflows_emit(l, STAGE_RTR_OUT_SNAT, 100, forced(l, ip), ct_snat_to(l, ip));
}

/* lb_force_snat_ip=router_ip: the first address of each version on the port that the packet leaves by. */
static void snat_to_port(struct inc_ctx *ctx, const struct lflow_out *l, const struct fact_lrp *lrp)
{
    bool seen[7] = {false};
    const struct fact_network *n;
    INC_FOR_EACH(n, inc_read(ctx, l->p->network_by_lrp, &lrp->uuid))
    {
        struct address own = n->address;
        if (n->link_local || seen[own.version])
            continue;
        seen[own.version] = true;
        own.plen = (uint16_t)address_bits(&own);
        lflows_emit(l, STAGE_RTR_IN_UNSNAT, 110,
                    expr_and(l->e, lflows_inport(l, lrp->name), lflows_ip_dst(l, &own)),
                    lflows_actions(l, "ct_snat;"));
        lflows_emit(l, STAGE_RTR_OUT_SNAT, 110,
                    expr_and(l->e, forced(l, &own), lflows_outport(l, lrp->name)),
                    ct_snat_to(l, &own));
    }
}

void lb_router(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct lflow_out l = lflows_begin(ctx, p, key, NULL);
    const struct fact_lb_snat *snat;
    const struct fact_lrp *lrp;
    known_connections(&l);
    if (inc_read_one(ctx, p->gateway.router_by_lr, key))
        way_back(&l);
    INC_FOR_EACH(snat, inc_read(ctx, p->lb.snat_by_lr, key))
    {
        if (snat->ip.version)
            snat_to(&l, &snat->ip);
        else
            INC_FOR_EACH(lrp, inc_read(ctx, p->lb.lrp_by_lr, key))
        snat_to_port(ctx, &l, lrp);
    }
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
    if (on->kind != DATAPATH_ROUTER || !lb || lb->responder == LB_ANSWER_NONE)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &on->datapath, &on->lb);
    const struct fact_lb_vip *vip;
    INC_FOR_EACH(vip, inc_read(ctx, p->lb.vip_by_lb, &on->lb))
    {
        const struct fact_lrp *lrp;
        if (lb->responder == LB_ANSWER_REACHABLE && !is_reachable(ctx, p, &on->datapath, &vip->ip))
            continue;
        INC_FOR_EACH(lrp, inc_read(ctx, p->lb.lrp_by_lr, &on->datapath))
        answer(ctx, &l, lrp, &vip->ip);
    }
}
