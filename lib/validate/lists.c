/* lists.c - see lists.h: which lists there are, and their rows with what is new. */
#include "validate/lists.h"

#include <stdlib.h>
#include <string.h>

#include "validate/given.h"
#include "validate/internal.h"
#include "validate/twice.h"
#include "validate/way.h"

#define RULE_COLUMNS                                                                               \
    {                                                                                              \
        "match", "direction", "chain", "tier", "priority", "options", "action", "bandwidth"        \
    }
#define NAT_COLUMNS                                                                                \
    {                                                                                              \
        "type", "external_ip", "logical_ip", "external_port_range", "gateway_port", "match",       \
            "allowed_ext_ips"                                                                      \
    }

const struct validate_list validate_lists[] = {
    {"Logical_Switch", "acls", "ACL", RULE_COLUMNS, NULL, NULL, false},
    {"Port_Group", "acls", "ACL", RULE_COLUMNS, NULL, NULL, false},
    {"Logical_Switch", "qos_rules", "QoS", RULE_COLUMNS, NULL, NULL, false},
    {"Logical_Router", "policies", "Logical_Router_Policy", RULE_COLUMNS, NULL, NULL, false},
    {"Logical_Switch", "ports", "Logical_Switch_Port", {"addresses"}, twice_addresses, NULL, false},
    {"Logical_Switch",
     "ports",
     "Logical_Switch_Port",
     {"addresses", "dynamic_addresses"},
     NULL,
     given_addresses,
     true},
    {"Logical_Router", "ports", "Logical_Router_Port", {"networks"}, twice_networks, NULL, false},
    {"Logical_Router",
     "static_routes",
     "Logical_Router_Static_Route",
     {"route_table", "ip_prefix", "policy", "nexthop", "output_port"},
     twice_routes,
     NULL,
     false},
    {"Logical_Router",
     "static_routes",
     "Logical_Router_Static_Route",
     {"nexthop", "output_port"},
     NULL,
     way_routes,
     false},
    {"Logical_Router", "nat", "NAT", NAT_COLUMNS, twice_nats, NULL, false},
    {"Logical_Switch",
     "load_balancer",
     "Load_Balancer",
     {"vips", "protocol"},
     twice_vips,
     NULL,
     false},
    {"Logical_Router",
     "load_balancer",
     "Load_Balancer",
     {"vips", "protocol"},
     twice_vips,
     NULL,
     false},
};
const size_t validate_n_lists = ARRAY_SIZE(validate_lists);

bool validate_list_same(const struct validate_list *list, const struct row *before,
                        const struct row *after)
{
    for (size_t i = 0; i < ARRAY_SIZE(list->columns) && list->columns[i]; i++) {
        const struct datum *a = validate_value(before, list->columns[i]);
        const struct datum *b = validate_value(after, list->columns[i]);
        if (a && b && a != b && !datum_equal(a, b))
            return false;
    }
    return true;
}

void validate_list(struct validate *v, const struct validate_list *list, const struct row *before,
                   const struct row *owner, const struct validate_list_world *world)
{
    const struct schema_table *child = schema_table_find(v->schema, list->child);
    const struct datum *now = validate_value(owner, list->column);
    const struct datum *old = before ? validate_value(before, list->column) : NULL;
    if (!child || !now || !now->n)
        return;
    const struct row **rows = xcalloc(now->n, sizeof *rows);
    bool *is_new = xcalloc(now->n, sizeof *is_new), any = false;
    size_t n = 0;
    for (size_t i = 0; i < now->n; i++) {
        const struct row *row = world->find(world->aux, child, &now->atoms[i].uuid);
        if (!row)
            continue;
        is_new[n] = !old || (old != now && datum_find(old, &now->atoms[i]) < 0) ||
                    world->is_changed(world->aux, row);
        any |= is_new[n];
        rows[n++] = row;
    }
    if (any && list->judge)
        list->judge(v, owner, rows, is_new, n, world);
    else if (any && list->tell)
        list->tell(rows, is_new, n, world->report, world->aux);
    else if (any)
        validate_rules(v, rows, is_new, n, world->report, world->aux);
    free(rows);
    free(is_new);
}
