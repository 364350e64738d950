/* warn.c - see warn.h (room 1 of docs/architecture.md; docs/seeds.md MB-53). What is a next hop is decided in topology/route.c;
 * this says which were not.
 */
#include "northd/warn.h"

#include <string.h>

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

/* Tables that the user's network would behave differently without, and that no compile unit reads. */
static bool is_without_effect(int table)
{
    switch (table) {
    case NB_TABLE_BFD:
    case NB_TABLE_COPP:
    case NB_TABLE_DHCP_RELAY:
    case NB_TABLE_FORWARDING_GROUP:
    case NB_TABLE_MIRROR:
    case NB_TABLE_NETWORK_FUNCTION:
        return true;
    default:
        return false;
    }
}

/* Once for a table and change set: a database may begin with ten thousand of its rows. */
static void check_table(const struct row *row, uint64_t *said)
{
    static struct log_rate rate = LOG_RATE(20, 20);
    uint64_t bit = UINT64_C(1) << (row->table->index % 64);
    if (!is_without_effect(row->table->index) || *said & bit)
        return;
    *said |= bit;
    log_warn_limited(&rate,
                     "table %s has rows, and this version of weft-northd does not act on "
                     "them: packets go as if it were empty",
                     row->table->name);
}

static bool is_true(const char *value)
{
    return value && !strcmp(value, "true");
}

/* The key in column options that the row sets and no compile unit reads, or NULL. */
static const char *idle_option(const struct row *row)
{
    if (!row)
        return NULL;
    switch (row->table->index) {
    case NB_TABLE_LOAD_BALANCER:
        return is_true(nb_load_balancer_options_value(nb_load_balancer_cast(row), "add_route"))
                   ? "add_route"
                   : NULL;
    case NB_TABLE_NAT:
        return is_true(nb_nat_options_value(nb_nat_cast(row), "add_route")) ? "add_route" : NULL;
    case NB_TABLE_LOGICAL_ROUTER_STATIC_ROUTE:
        return is_true(nb_logical_router_static_route_options_value(
                   nb_logical_router_static_route_cast(row), "override-connected"))
                   ? "override-connected"
                   : NULL;
    default:
        return NULL;
    }
}

/* Once for a table and change set, too. */
static void check_options(const struct change *change, uint64_t *said)
{
    static struct log_rate rate = LOG_RATE(20, 20);
    const char *key = idle_option(change->after);
    uint64_t bit = key ? UINT64_C(1) << (change->after->table->index % 64) : 0;
    if (!key || *said & bit || idle_option(change->before))
        return;
    *said |= bit;
    log_warn_limited(&rate,
                     "rows of table %s have options:%s, and this version of weft-northd does not "
                     "act on it: packets go as if it were not set",
                     change->after->table->name, key);
}

void warn_take_nb(const struct changeset *cs)
{
    uint64_t said = 0, options_said = 0;
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after;
        check_options(&cs->changes[i], &options_said);
        if (row && !cs->changes[i].before)
            check_table(row, &said);
        if (row && row->table->index == NB_TABLE_LOGICAL_ROUTER_STATIC_ROUTE)
            check_route(row);
    }
}

static void complain(const void *fact, bool added, void *aux UNUSED)
{
    static struct log_rate rate = LOG_RATE(20, 20);
    if (added)
        log_warn_limited(&rate, "%s", ((const struct fact_complaint *)fact)->text->s);
}

void warn_watch(struct inc *inc, const struct northd_program *program)
{
    inc_watch(inc, program->complaint);
}

void warn_take_facts(struct inc *inc, const struct northd_program *program)
{
    inc_changes(inc, program->complaint, complain, NULL);
}
