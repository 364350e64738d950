/* routing.c - where a packet goes next (room 3 of docs/architecture.md; docs/seeds.md MB-45, MB-50 to MB-52): the longest prefix
 * wins, and at equal length a connected network beats a static route by destination, which beats one by source.
 *
 * A static route leaves through the port that it names, or else through the port whose network holds the next hop, the
 * longest prefix first. Which prefix lengths a router's networks have is a fact of its own (plen), so that a route
 * asks for a few networks by name instead of reading all; a new port wakes only the routes whose next hop it may hold.
 * Several routes to one prefix share the traffic (ECMP): one stage chooses, the next one acts. A route with a table is for ports
 * that name the table; those do not see the routes of the main one. Routes by a port that is disabled stay: what goes there is not
 * delivered, unless a policy sends it elsewhere.
 */
#include "northd/ecmp/ecmp.h"
#include "northd/lflows.h"
#include "northd/router/router.h"
#include "northd/topology/topology.h"
#include "rows/nb.h"

/* Above the last word of the stage, which has priority 0. */
enum { STATIC_BY_SOURCE = 1, STATIC_BY_DESTINATION, CONNECTED };

/* ip.ttl--; no group; next hop...; loopback; next; - TO NULL: the destination itself. */
static struct actions *forward(const struct lflow_out *l, const struct fact_network *out,
                               const struct address *to)
{
    struct lflow_list list = {.n = 0};
    lflows_put(l, &list, "ip.ttl--;");
    lflows_put_one(&list, lflow_reg_load(l->a, LREG_ROUTER_ECMP_GROUP, 0));
    router_put_hop(l, &list, out, to);
    lflows_put(l, &list, "flags.loopback = 1; next;");
    return lflows_list(l, &list);
}

void router_connected(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct fact_network *n;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
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

/* Where a route leads to now, NULL: nowhere. */
static const struct fact_network *way(struct inc_ctx *ctx, struct northd_program *p,
                                      const struct fact_route *route)
{
    const struct fact_network *n = route->output_port
                                       ? network_on(ctx, p, route)
                                       : router_network_of(ctx, p, &route->lr, &route->nexthop);
    return n && inc_read_one(ctx, p->lrp_by_uuid, &n->lrp) ? n : NULL;
}

struct expr *router_route_match(const struct lflow_out *l, const struct fact_route *route,
                                bool any_table)
{
    bool by_source = route->policy == ROUTE_BY_SOURCE;
    struct expr *match =
        by_source ? lflows_ip_src(l, &route->prefix) : lflows_ip_dst(l, &route->prefix);
    /* A prefix of length 0 matches everything, of its own version only. */
    match = expr_and(l->e, expr_flag(l->e, route->prefix.version == 6 ? SYM_IP6 : SYM_IP4, true),
                     match);
    if (any_table || (by_source && !route->table))
        return match; /* whatever table the port says */
    return expr_and(l->e, lflow_reg_eq(l->e, LREG_ROUTER_ROUTE_TABLE, route->table), match);
}

static unsigned priority_of(const struct fact_route *route)
{
    return route->prefix.plen * 3u +
           (route->policy == ROUTE_BY_SOURCE ? STATIC_BY_SOURCE : STATIC_BY_DESTINATION);
}

/* The routes to one prefix that lead somewhere, each next hop and way once; or one that discards, before all others. */
struct members {
    size_t n;
    const struct fact_route **route;
    const struct fact_network **way;
};

static bool have(const struct members *m, const struct fact_route *route,
                 const struct fact_network *n)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->way[i] == n && !address_compare(&m->route[i]->nexthop, &route->nexthop))
            return true;
    return false;
}

static struct members read_members(struct inc_ctx *ctx, struct northd_program *p, const void *key)
{
    struct inc_facts facts = inc_read(ctx, p->route_by_prefix, key);
    struct arena *arena = inc_arena(ctx);
    struct members m = {.route = arena_alloc(arena, facts.n * sizeof *m.route),
                        .way = arena_alloc(arena, facts.n * sizeof *m.way)};
    for (size_t i = 0; i < facts.n; i++) {
        const struct fact_route *route = facts.v[i];
        const struct fact_network *n = route->nexthop.version ? way(ctx, p, route) : NULL;
        if (!route->nexthop.version)
            m.n = 0;
        else if (!n || have(&m, route, n))
            continue;
        m.route[m.n] = route;
        m.way[m.n++] = n;
        if (!n)
            break;
    }
    return m;
}

static struct uuid group_id(const struct key_route *key)
{
    return fact_derive_uuid("ECMP routes", key, sizeof *key);
}

void router_route_group(struct inc_ctx *ctx, const void *key_, void *aux)
{
    struct northd_program *p = aux;
    const struct key_route *key = key_;
    struct members m = read_members(ctx, p, key);
    struct uuid id = group_id(key);
    if (m.n > 1)
        ecmp_want(ctx, p, &key->lr, ECMP_ROUTES, &id);
}

static void emit_one(const struct lflow_out *l, const struct fact_route *route,
                     const struct fact_network *n)
{
    lflows_emit(l, STAGE_RTR_IN_IP_ROUTING, priority_of(route), router_route_match(l, route, false),
                n ? forward(l, n, &route->nexthop) : lflows_drop(l));
}

static void emit_group(const struct lflow_out *l, const struct members *m, unsigned number)
{
    lflows_emit(l, STAGE_RTR_IN_IP_ROUTING, priority_of(m->route[0]),
                router_route_match(l, m->route[0], false),
                ecmp_select(l, lflows_actions(l, "ip.ttl--; flags.loopback = 1;"), number, m->n));
    for (size_t i = 0; i < m->n; i++)
        lflows_emit(l, STAGE_RTR_IN_IP_ROUTING_ECMP, 100, ecmp_chosen(l, number, i + 1),
                    actions_join(router_hop(l, m->way[i], &m->route[i]->nexthop), lflows_next(l)));
}

void router_route(struct inc_ctx *ctx, const void *key_, void *aux)
{
    struct northd_program *p = aux;
    const struct key_route *key = key_;
    struct members m = read_members(ctx, p, key);
    if (!m.n)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &key->lr, &m.route[0]->route);
    if (m.n == 1) {
        emit_one(&l, m.route[0], m.way[0]);
    } else {
        struct uuid id = group_id(key);
        emit_group(&l, &m, ecmp_number_of(ctx, p, &key->lr, &id));
    }
    if (!inc_read_one(ctx, p->gateway.router_by_lr, &key->lr))
        return;
    for (size_t i = 0; i < m.n; i++)
        if (m.route[i]->symmetric && m.way[i])
            router_symmetric_reply(&l, m.route[i], m.way[i]);
}

void router_route_table(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    uint32_t table = topology_table_id(
        nb_logical_router_port_options_value(nb_logical_router_port_cast(row->row), "route_table"));
    if (!table)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    lflows_emit(&l, STAGE_RTR_IN_IP_ROUTING_PRE, 100, lflows_inport(&l, lrp->name),
                actions_of(l.a, lflow_reg_load(l.a, LREG_ROUTER_ROUTE_TABLE, table),
                           action_next(l.a), NULL));
}
