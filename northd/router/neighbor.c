/* neighbor.c - what a router learns of its neighbours (room 3 of docs/architecture.md; docs/seeds.md MB-41, MB-55, MB-71).
 *
 * lookup_neighbor looks whether a packet has news: bit NEIGHBOR_KNOWN (reg9[2]) says that the binding is known as it stands (or that
 * there is nothing to learn), NEIGHBOR_IP_KNOWN (reg9[3]) that it may be learned. learn_neighbor then writes it.
 *
 * IPv4, as it is by default: "learn what was asked".
 *   - a reply to the port's own address, from an address of its network: the answer to a question of ours; learned;
 *   - a request or reply of any kind from an address of the network that is bound already: it was asked about before
 *     and has moved (a gratuitous ARP); the binding follows;
 *   - anything else teaches nothing. So what nobody asked for makes no rows.
 * options:learn-from-any-reply=true learns from every reply, options:always_learn_from_arp_request=true also from
 * every request from the network.
 *
 * What was not asked for is learned on the chassis of a distributed gateway port alone, since all may hear it.
 *
 * IPv6: advertisements and solicitations are learned from, as RFC 4861 7.2.3 and 7.2.5 have it.
 */
#include "northd/gateway/gateway.h"
#include "northd/lflows.h"
#include "northd/router/router.h"

static struct actions *may_learn_arp(const struct lflow_out *l)
{
    return lflows_actions(l, "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); reg9[3] = 1; next;");
}

static struct actions *may_follow(const struct lflow_out *l)
{
    return lflows_actions(l, "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); "
                             "reg9[3] = lookup_arp_ip(inport, arp.spa); next;");
}

static void look_up_nd(const struct lflow_out *l)
{
    lflows_emit(
        l, STAGE_RTR_IN_LOOKUP_NEIGHBOR, 100, expr_flag(l->e, SYM_ND_NA, true),
        lflows_actions(l, "reg9[2] = lookup_nd(inport, nd.target, nd.tll); reg9[3] = 1; next;"));
    lflows_emit(
        l, STAGE_RTR_IN_LOOKUP_NEIGHBOR, 100, expr_flag(l->e, SYM_ND_NS, true),
        lflows_actions(l, "reg9[2] = lookup_nd(inport, ip6.src, nd.sll); reg9[3] = 1; next;"));
}

static void learn(const struct lflow_out *l)
{
    lflows_emit(l, STAGE_RTR_IN_LEARN_NEIGHBOR, 100,
                expr_or(l->e, lflow_reg_eq(l->e, LREG_ROUTER_NEIGHBOR_KNOWN, 1),
                        lflow_reg_eq(l->e, LREG_ROUTER_NEIGHBOR_IP_KNOWN, 0)),
                lflows_next(l));
    lflows_emit(
        l, STAGE_RTR_IN_LEARN_NEIGHBOR, 95,
        expr_and(l->e, expr_flag(l->e, SYM_ND_NS, true),
                 expr_or(l->e, expr_eq(l->e, SYM_IP6_SRC, 0), expr_eq(l->e, SYM_ND_SLL, 0))),
        lflows_next(l)); /* duplicate address detection names no sender */
    lflows_emit(l, STAGE_RTR_IN_LEARN_NEIGHBOR, 90, expr_flag(l->e, SYM_ARP, true),
                actions_of(l->a, action_put_arp(l->a, SYM_INPORT, SYM_ARP_SPA, SYM_ARP_SHA),
                           action_next(l->a), NULL));
    lflows_emit(l, STAGE_RTR_IN_LEARN_NEIGHBOR, 95,
                expr_and(l->e, expr_flag(l->e, SYM_ND_NA, true), expr_eq(l->e, SYM_ND_TLL, 0)),
                actions_of(l->a, action_put_nd(l->a, SYM_INPORT, SYM_ND_TARGET, SYM_ETH_SRC),
                           action_next(l->a), NULL));
    lflows_emit(l, STAGE_RTR_IN_LEARN_NEIGHBOR, 90, expr_flag(l->e, SYM_ND_NA, true),
                actions_of(l->a, action_put_nd(l->a, SYM_INPORT, SYM_ND_TARGET, SYM_ND_TLL),
                           action_next(l->a), NULL));
    lflows_emit(l, STAGE_RTR_IN_LEARN_NEIGHBOR, 90, expr_flag(l->e, SYM_ND_NS, true),
                actions_of(l->a, action_put_nd(l->a, SYM_INPORT, SYM_IP6_SRC, SYM_ND_SLL),
                           action_next(l->a), NULL));
}

void router_neighbor_common(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_datapath *lr = inc_read_one(ctx, p->router_by_uuid, key);
    struct lflow_out l = lflows_begin(ctx, p, key, NULL);
    look_up_nd(&l);
    learn(&l);
    if (lr->flags & DATAPATH_LEARN_ANY_REPLY)
        lflows_emit(&l, STAGE_RTR_IN_LOOKUP_NEIGHBOR, 120, expr_eq(l.e, SYM_ARP_OP, 2),
                    may_learn_arp(&l));
}

static struct expr *from_network(const struct lflow_out *l, const struct fact_network *n)
{
    return expr_and(l->e, lflows_inport(l, n->lrp_name), lflows_arp_spa_in(l, &n->address));
}

void router_neighbor(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct fact_datapath *lr = inc_read_one(ctx, p->datapath_by_uuid, &lrp->lr);
    const struct rstr *resident = gateway_resident(ctx, p, key, false);
    const struct fact_network *n;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, key))
    {
        if (n->address.version != 4)
            continue;
        struct expr *answer =
            expr_all(l.e, expr_eq(l.e, SYM_ARP_OP, 2), expr_eq(l.e, SYM_ETH_DST, lrp->mac),
                     expr_eq(l.e, SYM_ARP_TPA, address_value(&n->address)), NULL);
        lflows_emit(&l, STAGE_RTR_IN_LOOKUP_NEIGHBOR, 110,
                    expr_and(l.e, from_network(&l, n), answer), may_learn_arp(&l));
        if (lr && lr->flags & DATAPATH_LEARN_REQUESTS)
            lflows_emit(
                &l, STAGE_RTR_IN_LOOKUP_NEIGHBOR, 110,
                gateway_only_at(
                    l.e, expr_and(l.e, from_network(&l, n), expr_eq(l.e, SYM_ARP_OP, 1)), resident),
                may_learn_arp(&l));
        lflows_emit(
            &l, STAGE_RTR_IN_LOOKUP_NEIGHBOR, 100,
            gateway_only_at(l.e, expr_and(l.e, from_network(&l, n), expr_flag(l.e, SYM_ARP, true)),
                            resident),
            may_follow(&l));
    }
}
