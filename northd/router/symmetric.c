/* symmetric.c - on a gateway router: answers to a connection that came in by one of several equal routes go back by the same next hop
 * (room 3 of docs/architecture.md; ovn-nb(5), Logical_Router_Static_Route options:ecmp_symmetric_reply; ovn-northd(8), ECMP symmetric
 * reply processing). The connection keeps in its label from which MAC address it came, and in its mark through which port.
 */
#include <inttypes.h>

#include "northd/router/router.h"

enum { SYMMETRIC = 100, ROUTE = 10300, POLICY = 65535, RESOLVE = 200 };

static void remember(const struct lflow_out *l, struct expr *from, const struct address *prefix,
                     uint64_t key)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp"};
    static const char *const states[] = {"ct.new && !ct.est", "!ct.rpl && ct.est && reg9[5] == 0"};
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
        for (size_t k = 0; k < ARRAY_SIZE(states); k++)
            lflows_emit(l, STAGE_RTR_IN_ECMP_STATEFUL, SYMMETRIC,
                        expr_and(l->e, expr_ref(from),
                                 lflows_match(l, "%s && %s", states[k], protocols[i])),
                        lflows_actions(l,
                                       "ct_commit { ct_label.ecmp_reply_eth = eth.src; "
                                       "ct_mark.ecmp_reply_port = %" PRIu64 "; }; "
                                       "commit_ecmp_nh(ipv6 = %s, proto = %s); next;",
                                       key, prefix->version == 6 ? "true" : "false", protocols[i]));
}

void router_symmetric_reply(const struct lflow_out *l, const struct fact_route *route,
                            const struct fact_network *out)
{
    const struct fact_key *key = inc_read_one(l->ctx, l->p->key_by_id, &out->lrp);
    if (!key)
        return;
    struct lflow_out shared = *l; /* what several routes through the port have in common */
    shared.hint = 0;
    struct expr *from =
        expr_and(l->e, lflows_inport(l, out->lrp_name),
                 route->policy == ROUTE_BY_SOURCE ? lflows_ip_dst(l, &route->prefix)
                                                  : lflows_ip_src(l, &route->prefix));
    struct expr *reply =
        lflows_match(l, "ct.rpl && reg9[5] == 1 && ct_mark.ecmp_reply_port == %" PRIu64, key->key);
    lflows_emit(&shared, STAGE_RTR_IN_DEFRAG, SYMMETRIC, expr_ref(from),
                lflows_actions(l, "reg9[5] = chk_ecmp_nh_mac(); ct_next;"));
    lflows_emit(l, STAGE_RTR_IN_DEFRAG, SYMMETRIC, router_route_match(l, route, true),
                lflows_actions(l, "reg9[5] = chk_ecmp_nh(); ct_next;"));
    remember(&shared, from, &route->prefix, key->key);
    bool v6 = out->address.version == 6;
    struct address self = out->address;
    struct actions *back =
        actions_of(l->a, lflows_load_mac(l, SYM_ETH_SRC, out->mac),
                   lflows_load_ip(l, v6 ? SYM_XXREG1 : SYM_REG1, &self),
                   action_load_name(l->a, SYM_OUTPORT, out->lrp_name), action_next(l->a), NULL);
    lflows_emit(
        &shared, STAGE_RTR_IN_IP_ROUTING, ROUTE,
        expr_and(l->e, expr_ref(reply), router_route_match(l, route, false)),
        actions_join(lflows_actions(l, "ip.ttl--; reg8[0..15] = 0; flags.loopback = 1;"), back));
    lflows_emit(&shared, STAGE_RTR_IN_POLICY, POLICY, expr_ref(reply),
                lflows_actions(l, "reg8[0..15] = 0; next;"));
    lflows_emit(&shared, STAGE_RTR_IN_ARP_RESOLVE, RESOLVE, reply,
                lflows_actions(l, "push(xxreg1); xxreg1 = ct_label; eth.dst = xxreg1[32..79]; "
                                  "pop(xxreg1); next;"));
    expr_unref(from);
}
