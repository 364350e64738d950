/* routing.c - where a packet goes next (room 3 of docs/architecture.md; docs/seeds.md MB-45, MB-50 to MB-52): the longest prefix
 * wins, and at equal length a connected network beats a static route by destination, which beats one by source.
 *
 * A static route leaves through the port that it names, or else through the port whose network holds the next hop, the
 * longest prefix first. Which prefix lengths a router's networks have is a fact of its own (plen), so that a route
 * asks for a few networks by name instead of reading all; a new port wakes only the routes whose next hop it may hold.
 * Of several routes to one prefix the one with the lowest next hop is in force.
 */
#include "northd/lflows.h"
#include "northd/router/router.h"

/* Above the last word of the stage, which has priority 0. */
enum { STATIC_BY_SOURCE = 1, STATIC_BY_DESTINATION, CONNECTED };

/* ip.ttl--; next hop; source address; eth.src; outport; loopback; next; - TO NULL: the destination itself. */
static struct actions *forward(const struct lflow_out *l, const struct fact_network *out,
                               const struct address *to)
{
    bool v6 = out->address.version == 6;
    enum symbol_id hop = v6 ? SYM_XXREG0 : SYM_REG0, own = v6 ? SYM_XXREG1 : SYM_REG1;
    struct address self = out->address;
    return actions_of(l->a, action_dec_ttl(l->a),
                      to ? lflows_load_ip(l, hop, to)
                         : action_move(l->a, hop, v6 ? SYM_IP6_DST : SYM_IP4_DST),
                      lflows_load_ip(l, own, &self), lflows_load_mac(l, SYM_ETH_SRC, out->mac),
                      action_load_str(l->a, SYM_OUTPORT, out->lrp_name->s),
                      action_load(l->a, SYM_FLAGS_LOOPBACK, 1), action_next(l->a), NULL);
}

void router_connected(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct fact_network *n;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    if (lrp->flags & PORT_DISABLED)
        return;
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, key))
    {
        struct address network = address_network(&n->address, n->address.plen);
        struct expr *match = lflows_ip_dst(&l, &network);
        if (n->link_local) /* the same network on every port: stay on the one it came from */
            match = expr_and(l.e, lflows_inport(&l, lrp->name), match);
        lflows_emit(&l, STAGE_RTR_IN_IP_ROUTING, network.plen * 3u + CONNECTED, match,
                    forward(&l, n, NULL));
    }
}

static const struct fact_network *network_of(struct inc_ctx *ctx, struct northd_program *p,
                                             const struct uuid *lr, const struct address *hop)
{
    const struct fact_plen *plen;
    INC_FOR_EACH(plen, inc_read(ctx, p->plen_by_lr, lr))
    { /* longest first */
        if (plen->version != hop->version)
            continue;
        struct key_network key;
        INC_CLEAR(key);
        key.lr = *lr;
        key.network = address_network(hop, plen->plen);
        const struct fact_network *n = inc_read_one(ctx, p->network_by_prefix, &key);
        if (n)
            return n;
    }
    return NULL;
}

/* The network of the named port that holds HOP, or its first one of the same version: the next hop may be off-link. */
static const struct fact_network *network_on(struct inc_ctx *ctx, struct northd_program *p,
                                             const struct fact_route *route)
{
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_name, &route->output_port);
    if (!lrp || !uuid_equal(&lrp->lr, &route->lr))
        return NULL;
    const struct fact_network *n, *any = NULL;
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, &lrp->uuid))
    {
        if (n->address.version != route->prefix.version)
            continue;
        if (address_in(&route->nexthop, &n->address))
            return n;
        if (!any)
            any = n;
    }
    return any;
}

static bool emit_route(struct inc_ctx *ctx, struct northd_program *p,
                       const struct fact_route *route)
{
    struct lflow_out l = lflows_begin(ctx, p, &route->lr, &route->route);
    bool by_source = route->policy == ROUTE_BY_SOURCE;
    unsigned priority =
        route->prefix.plen * 3u + (by_source ? STATIC_BY_SOURCE : STATIC_BY_DESTINATION);
    struct actions *actions = NULL;
    if (!route->nexthop.version) {
        actions = lflows_drop(&l);
    } else {
        const struct fact_network *n = route->output_port
                                           ? network_on(ctx, p, route)
                                           : network_of(ctx, p, &route->lr, &route->nexthop);
        const struct fact_lrp *lrp = n ? inc_read_one(ctx, p->lrp_by_uuid, &n->lrp) : NULL;
        if (!lrp || lrp->flags & PORT_DISABLED)
            return false;
        actions = forward(&l, n, &route->nexthop);
    }
    struct expr *match =
        by_source ? lflows_ip_src(&l, &route->prefix) : lflows_ip_dst(&l, &route->prefix);
    /* A prefix of length 0 matches everything, of its own version only. */
    match =
        expr_and(l.e, expr_flag(l.e, route->prefix.version == 6 ? SYM_IP6 : SYM_IP4, true), match);
    lflows_emit(&l, STAGE_RTR_IN_IP_ROUTING, priority, match, actions);
    return true;
}

void router_route(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_route *route;
    INC_FOR_EACH(route, inc_read(ctx, p->route_by_prefix, key))
    if (emit_route(ctx, p, route))
        return;
}
