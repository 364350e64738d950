/* warn.c - see warn.h (room 1 of docs/architecture.md; SEEDS row MB-53). What is a next hop is decided in topology/route.c;
 * this says which were not.
 */
#include "northd/warn.h"

#include "base/log.h"
#include "net/addr.h"
#include "rows/nb.h"

LOG_MODULE(northd_warn);

static void check_route(const struct row *row)
{
    static struct log_rate rate = LOG_RATE(5, 1);
    const struct nb_logical_router_static_route *route = nb_logical_router_static_route_cast(row);
    const char *nexthop = nb_logical_router_static_route_nexthop(route);
    struct ip_addr ip;
    if (strcmp(nexthop, "discard") && (ip_addr_parse(nexthop, &ip) || !ip_addr_to_u128(&ip)))
        log_warn_limited(&rate, "static route %s: next hop \"%s\" is not a plain address",
                         nb_logical_router_static_route_ip_prefix(route), nexthop);
}

void warn_take_nb(const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after;
        if (row && row->table->index == NB_TABLE_LOGICAL_ROUTER_STATIC_ROUTE)
            check_route(row);
    }
}
