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

/* --- TTL */

/* At a distributed gateway port the source is the packet's destination: the port's own address may be another chassis'. */
static struct actions *report_time(const struct lflow_out *l, const struct fact_lrp *lrp,
                                   const struct address *own, bool is_gateway)
{
    bool v6 = own->version == 6;
    struct lflow_list report = {.n = 0};
    lflows_put(l, &report,
               v6 ? "eth.dst <-> eth.src; icmp6.type = 3; icmp6.code = 0;"
                  : "eth.dst <-> eth.src; icmp4.type = 11; icmp4.code = 0;");
    if (is_gateway) {
        lflows_put(l, &report, v6 ? "ip6.dst <-> ip6.src;" : "ip4.dst <-> ip4.src;");
    } else {
        lflows_put(l, &report, v6 ? "ip6.dst = ip6.src;" : "ip4.dst = ip4.src;");
        lflows_put_one(&report, lflows_load_ip(l, v6 ? SYM_IP6_SRC : SYM_IP4_SRC, own));
    }
    lflows_put(l, &report, "ip.ttl = 254;");
    lflows_put_one(&report, action_load_name(l->a, SYM_OUTPORT, lrp->name));
    lflows_put(l, &report, "flags.loopback = 1; output;");
    return lflows_list(l, &report);
}

static void time_exceeded(const struct lflow_out *l, const struct fact_lrp *lrp,
                          const struct fact_network *n, bool is_gateway)
{
    bool v6 = n->address.version == 6;
    struct address own = n->address, network = address_network(&own, own.plen);
    own.plen = (uint16_t)address_bits(&own);
    struct actions *report = report_time(l, lrp, &own, is_gateway);
    struct expr *match =
        expr_and(l->e, lflows_inport(l, lrp->name),
                 lflows_match(l, v6 ? "ip6 && ip.ttl == {0, 1} && !ip.later_frag"
                                    : "ip4 && ip.ttl == {0, 1} && !ip.later_frag"));
    if (v6)
        match = expr_and(l->e, match, lflows_ip_src(l, &network));
    lflows_emit(
        l, STAGE_RTR_IN_IP_INPUT, 31, match,
        actions_of(l->a, action_nest(l->a, v6 ? ACTION_ICMP6 : ACTION_ICMP4, report), NULL));
}

/* --- For the router itself */

/* By version, IPv4 first. */
static const struct {
    unsigned priority;
    const char *match, *actions[2];
} refusals[] = {
    {80,
     "tcp && !ip.later_frag && !eth.mcast",
     {"tcp_reset { eth.dst <-> eth.src; ip4.dst <-> ip4.src; flags.loopback = 1; next; };",
      "tcp_reset { eth.dst <-> eth.src; ip6.dst <-> ip6.src; flags.loopback = 1; next; };"}},
    {80,
     "sctp && !ip.later_frag && !eth.mcast",
     {"sctp_abort { eth.dst <-> eth.src; ip4.dst <-> ip4.src; flags.loopback = 1; next; };",
      "sctp_abort { eth.dst <-> eth.src; ip6.dst <-> ip6.src; flags.loopback = 1; next; };"}},
    {80,
     "udp && !ip.later_frag && !eth.mcast",
     {"icmp4 { eth.dst <-> eth.src; ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 3; "
      "icmp4.code = 3; flags.loopback = 1; next; };",
      "icmp6 { eth.dst <-> eth.src; ip6.dst <-> ip6.src; ip.ttl = 255; icmp6.type = 1; "
      "icmp6.code = 4; flags.loopback = 1; next; };"}},
    {70,
     "!ip.later_frag && !eth.mcast",
     {"icmp4 { eth.dst <-> eth.src; ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 3; "
      "icmp4.code = 2; flags.loopback = 1; next; };",
      "icmp6 { eth.dst <-> eth.src; ip6.dst <-> ip6.src; ip.ttl = 255; icmp6.type = 1; "
      "icmp6.code = 3; flags.loopback = 1; next; };"}},
};

static void unreachable(const struct lflow_out *l, const struct address *own)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
        lflows_emit(
            l, STAGE_RTR_IN_IP_INPUT, refusals[i].priority,
            expr_and(l->e, lflows_ip_dst(l, own), lflows_literal_match(l, refusals[i].match)),
            lflows_literal_actions(l, refusals[i].actions[own->version == 6]));
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
