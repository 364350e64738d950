/* icmp.c - errors that a router reports to who sent a packet (room 3 of docs/architecture.md; RFC 792, RFC 4443, RFC 1812 5.2.7.2;
 * ovn-northd(8), IP Input): the TTL was at its end, or it was for an address of the router's own on which nothing listens.
 *
 * Nothing is said about fragments but the first, nor to what came to a group. On a router with a gateway, whose addresses
 * may stand for somebody behind them, the second kind is not reported.
 */
#include "northd/gateway/gateway.h"
#include "northd/lb/lb.h"
#include "northd/lflows.h"
#include "northd/router/router.h"

static const char *ip(const struct address *a)
{
    return a->version == 6 ? "ip6" : "ip4";
}

/* --- TTL */

/* At a distributed gateway port the source is the packet's destination: the port's own address may be another chassis'. */
static void time_exceeded(const struct lflow_out *l, const struct fact_lrp *lrp,
                          const struct fact_network *n, bool is_gateway)
{
    struct str s = STR_INIT;
    bool v6 = n->address.version == 6;
    struct address own = n->address, network = address_network(&own, own.plen);
    own.plen = (uint16_t)address_bits(&own);
    str_putf(&s, "eth.dst <-> eth.src; icmp%d.type = %d; icmp%d.code = 0; ", v6 ? 6 : 4,
             v6 ? 3 : 11, v6 ? 6 : 4);
    if (is_gateway) {
        str_putf(&s, "%s.dst <-> %s.src;", ip(&own), ip(&own));
    } else {
        str_putf(&s, "%s.dst = %s.src; %s.src = ", ip(&own), ip(&own), ip(&own));
        address_put(&s, &own);
        str_put(&s, ";");
    }
    str_put(&s, " ip.ttl = 254;");
    struct actions *report = actions_join(
        lflows_actions(l, "%s", str_c(&s)),
        actions_of(l->a, action_load_name(l->a, SYM_OUTPORT, lrp->name),
                   action_load(l->a, SYM_FLAGS_LOOPBACK, 1), action_output(l->a), NULL));
    str_fini(&s);
    struct expr *match =
        expr_and(l->e, lflows_inport(l, lrp->name),
                 lflows_match(l, "%s && ip.ttl == {0, 1} && !ip.later_frag", ip(&own)));
    if (v6)
        match = expr_and(l->e, match, lflows_ip_src(l, &network));
    lflows_emit(
        l, STAGE_RTR_IN_IP_INPUT, 31, match,
        actions_of(l->a, action_nest(l->a, v6 ? ACTION_ICMP6 : ACTION_ICMP4, report), NULL));
}

/* --- For the router itself */

static void refuse(const struct lflow_out *l, const struct address *own, unsigned priority,
                   const char *what, const char *head, const char *rest)
{
    lflows_emit(
        l, STAGE_RTR_IN_IP_INPUT, priority,
        expr_and(l->e, lflows_ip_dst(l, own),
                 lflows_match(l, "%s!ip.later_frag && !eth.mcast", what)),
        lflows_actions(l,
                       "%s { eth.dst <-> eth.src; %s.dst <-> %s.src; %s flags.loopback = 1; "
                       "next; };",
                       head, ip(own), ip(own), rest));
}

static void unreachable(const struct lflow_out *l, const struct address *own)
{
    bool v6 = own->version == 6;
    const char *icmp = v6 ? "icmp6" : "icmp4";
    refuse(l, own, 80, "tcp && ", "tcp_reset", "");
    refuse(l, own, 80, "sctp && ", "sctp_abort", "");
    refuse(l, own, 80, "udp && ", icmp,
           v6 ? "ip.ttl = 255; icmp6.type = 1; icmp6.code = 4;"
              : "ip.ttl = 255; icmp4.type = 3; icmp4.code = 3;");
    refuse(l, own, 70, "", icmp,
           v6 ? "ip.ttl = 255; icmp6.type = 1; icmp6.code = 3;"
              : "ip.ttl = 255; icmp4.type = 3; icmp4.code = 2;");
}

void router_icmp(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    bool is_gateway = inc_read_one(ctx, p->gateway.port_by_lrp, key) != NULL;
    bool has_gateway = inc_read_one(ctx, p->gateway.router_by_lr, &lrp->lr) ||
                       inc_read_one(ctx, p->gateway.port_by_lr, &lrp->lr);
    bool has_v4 = false;
    const struct fact_network *n;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, key))
    {
        bool v6 = n->address.version == 6;
        struct address own = n->address;
        own.plen = (uint16_t)address_bits(&own);
        if (v6 ? !n->link_local : !has_v4) /* one address of the port's will do */
            time_exceeded(&l, lrp, n, is_gateway);
        has_v4 |= !v6;
        if (!has_gateway && !lb_has_vip(ctx, p, &lrp->lr, &own))
            unreachable(&l, &own);
    }
}
