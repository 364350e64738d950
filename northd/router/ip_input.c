/* ip_input.c - packets for the router itself (room 3 of docs/architecture.md; docs/seeds.md MB-40, MB-42 to MB-44, SD-4): it answers
 * questions for its addresses and echo requests; the rest it reports (icmp.c) or drops.
 *
 * ARP is answered for senders inside the port's network only, unless the port's options:arp-reply-any-sender is true.
 * An echo reply goes on through routing like any packet, with flags.loopback, since it may leave where it came from.
 */
#include "northd/gateway/gateway.h"
#include "northd/lb/lb.h"
#include "northd/lflows.h"
#include "northd/nat/nat.h"
#include "northd/router/router.h"

static void answer_arp(const struct lflow_out *l, const struct fact_lrp *lrp,
                       const struct address *address, const struct rstr *resident)
{
    struct expr *match = expr_all(l->e, lflows_inport(l, lrp->name), expr_eq(l->e, SYM_ARP_OP, 1),
                                  expr_eq(l->e, SYM_ARP_TPA, address_value(address)), NULL);
    if (!(lrp->flags & LRP_ANSWER_ANY_SENDER))
        match = expr_and(l->e, match, lflows_arp_spa_in(l, address));
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 90, gateway_only_at(l->e, match, resident),
                lflows_arp_reply(l, lrp->mac, address));
}

static void answer_nd(const struct lflow_out *l, const struct fact_lrp *lrp,
                      const struct address *address, const struct rstr *resident)
{
    struct expr *match = expr_and(l->e, lflows_inport(l, lrp->name), lflows_solicits(l, address));
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 90, gateway_only_at(l->e, match, resident),
                lflows_nd_reply(l, ACTION_ND_NA_ROUTER, lrp->mac, address));
}

static void answer_echo(const struct lflow_out *l, const struct address *own)
{
    bool v6 = own->version == 6;
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 90,
                expr_and(l->e, lflows_ip_dst(l, own),
                         lflows_match(l, v6 ? "icmp6.type == 128 && icmp6.code == 0"
                                            : "icmp4.type == 8 && icmp4.code == 0")),
                lflows_actions(l, v6 ? "ip6.dst <-> ip6.src; ip.ttl = 255; icmp6.type = 129; "
                                       "flags.loopback = 1; next;"
                                     : "ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 0; "
                                       "flags.loopback = 1; next;"));
}

/* Nobody else may send from the router's address or from the network's broadcast address. */
static void drop_impostors(const struct lflow_out *l, const struct address *a)
{
    if (a->version != 4)
        return;
    u128 own = address_value(a);
    u128 broadcast = own | (((u128)1 << (32 - a->plen)) - 1);
    struct expr *match = a->plen >= 31 ? expr_eq(l->e, SYM_IP4_SRC, own)
                                       : expr_in(l->e, SYM_IP4_SRC, (u128[]){own, broadcast}, 2);
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 100,
                expr_and(l->e, match, lflow_reg_eq(l->e, LREG_ROUTER_EGRESS_LOOPBACK, 0)),
                lflows_drop(l));
}

void router_ip_input(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct fact_network *n;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, key))
    {
        struct address own = n->address;
        own.plen = (uint16_t)address_bits(&own);
        drop_impostors(&l, &n->address);
        if (own.version == 6)
            answer_nd(&l, lrp, &own, gateway_resident(ctx, p, key, false));
        else
            answer_arp(&l, lrp, &n->address, gateway_resident(ctx, p, key, true));
        answer_echo(&l, &own);
        bool is_vip = lb_has_vip(ctx, p, &lrp->lr, &own);
        /* What may be an answer for somebody behind the address is dropped only when it was not. */
        bool shared = is_vip || nat_shares_address(ctx, p, &lrp->lr, &own);
        lflows_emit(&l, shared ? STAGE_RTR_IN_ARP_RESOLVE : STAGE_RTR_IN_IP_INPUT, shared ? 2 : 60,
                    lflows_ip_dst(&l, &own), lflows_drop(&l));
    }
}
