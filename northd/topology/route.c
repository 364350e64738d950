/* route.c - Logical_Router_Static_Route rows, with the router that they are on, into route facts (rooms 1 and 2 of
 * docs/architecture.md). The default gateway is the route to 0.0.0.0/0 or ::/0. A next hop is a plain address: with a mask,
 * zero, or of the other version than the prefix it makes no route.
 */
#include "northd/topology/topology.h"

#include <string.h>

#include "base/hash.h"
#include "rows/nb.h"

static bool parse_nexthop(const char *text, unsigned version, struct address *ret)
{
    struct ip_addr ip;
    if (ip_addr_parse(text, &ip) || ip.version != version || !ip_addr_to_u128(&ip))
        return false;
    *ret = address_make(ip.version, ip_addr_to_u128(&ip), ip_addr_bits(&ip));
    return true;
}

uint32_t topology_table_id(const char *name)
{
    uint32_t id = name && *name ? (uint32_t)hash_bytes(name, strlen(name), 0) : 0;
    return name && *name && !id ? 1 : id;
}

void topology_route(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_route_by_uuid, key);
    const struct feed_ref *on;
    const struct nb_logical_router_static_route *row = nb_logical_router_static_route_cast(f->row);
    struct fact_route route;
    INC_CLEAR(route);
    struct address prefix;
    if (!topology_parse_network(nb_logical_router_static_route_ip_prefix(row), &prefix))
        return;
    const char *nexthop = nb_logical_router_static_route_nexthop(row);
    if (strcmp(nexthop, "discard") && !parse_nexthop(nexthop, prefix.version, &route.nexthop))
        return;
    const char *policy = nb_logical_router_static_route_policy(row);
    route.route = f->uuid;
    route.prefix = address_network(&prefix, prefix.plen);
    route.policy = policy && !strcmp(policy, "src-ip") ? ROUTE_BY_SOURCE : ROUTE_BY_DESTINATION;
    const char *symmetric =
        nb_logical_router_static_route_options_value(row, "ecmp_symmetric_reply");
    route.symmetric = symmetric && !strcmp(symmetric, "true");
    route.table = topology_table_id(nb_logical_router_static_route_route_table(row));
    route.output_port = program_intern(p, nb_logical_router_static_route_output_port(row));
    INC_FOR_EACH(on, inc_read(ctx, p->in_lr_route_by_route, key))
    {
        route.lr = on->row;
        inc_emit(ctx, p->route, &route);
    }
    rstr_unref(route.output_port);
}
