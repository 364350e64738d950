/* gateway_chassis.c - lrp-*-gateway-chassis: where traffic of a router port leaves, by priority. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define GATEWAY_TABLES "Logical_Router_Port Gateway_Chassis"

bool nb_is_gateway_port(const struct row *port)
{
    return row_value(port, "gateway_chassis")->n || row_value(port, "ha_chassis_group")->n;
}

static const struct row *find_gateway(struct ctl_call *call, const struct row *port,
                                      const char *chassis)
{
    return nb_find_in(call, port, "gateway_chassis", "chassis_name", chassis);
}

static int run_lrp_set_gateway_chassis(struct ctl_call *call)
{
    const struct row *port;
    int64_t priority = 0;
    int err = nb_find(call, &nb_router_port, call->argv[0], true, &port);
    if (!err && call->argc > 2)
        err = nb_parse_priority(call, call->argv[2], &priority);
    if (err)
        return err;
    const char *chassis = call->argv[1];
    const struct row *gateway = find_gateway(call, port, chassis);
    if (!gateway) {
        char *name = xasprintf("%s-%s", row_text(port, "name"), chassis);
        gateway = nb_insert_into(call, port, "gateway_chassis");
        gateway = view_set_text(call->view, gateway, "name", name);
        gateway = view_set_text(call->view, gateway, "chassis_name", chassis);
        free(name);
    }
    view_set_integer(call->view, gateway, "priority", priority);
    return 0;
}

static int run_lrp_del_gateway_chassis(struct ctl_call *call)
{
    const struct row *port;
    int err = nb_find(call, &nb_router_port, call->argv[0], true, &port);
    if (err)
        return err;
    const struct row *gateway = find_gateway(call, port, call->argv[1]);
    if (!gateway)
        return ctl_fail(call, "chassis %s is not added to logical port %s", call->argv[1],
                        call->argv[0]);
    nb_delete_from(call, port, "gateway_chassis", gateway);
    return 0;
}

static int compare_priorities(const void *a_, const void *b_)
{
    const struct row *a = *(const struct row *const *)a_, *b = *(const struct row *const *)b_;
    int64_t x = row_integer(a, "priority", 0), y = row_integer(b, "priority", 0);
    return x != y ? (x < y) - (x > y) : strcmp(row_text(a, "name"), row_text(b, "name"));
}

struct row_list nb_gateways(struct ctl_call *call, const struct row *port)
{
    struct row_list rows = view_referenced(call->view, port, "gateway_chassis");
    if (rows.n)
        qsort(rows.rows, rows.n, sizeof *rows.rows, compare_priorities);
    return rows;
}

static int run_lrp_get_gateway_chassis(struct ctl_call *call)
{
    const struct row *port;
    int err = nb_find(call, &nb_router_port, call->argv[0], true, &port);
    if (err)
        return err;
    struct row_list rows = nb_gateways(call, port);
    for (size_t i = 0; i < rows.n; i++)
        str_putf(&call->out, "%s %5lld\n", row_text(rows.rows[i], "name"),
                 (long long)row_integer(rows.rows[i], "priority", 0));
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_gateway_commands[] = {
    {"lrp-set-gateway-chassis", 2, 3, "PORT CHASSIS [PRIORITY]", NULL, GATEWAY_TABLES, NULL,
     run_lrp_set_gateway_chassis, "let CHASSIS be a gateway of PORT"},
    {"lrp-del-gateway-chassis", 2, 2, "PORT CHASSIS", NULL, GATEWAY_TABLES, NULL,
     run_lrp_del_gateway_chassis, "let CHASSIS not be a gateway of PORT any more"},
    {"lrp-get-gateway-chassis", 1, 1, "PORT", NULL, GATEWAY_TABLES, NULL,
     run_lrp_get_gateway_chassis, "print the gateways of PORT with their priorities"},
    {0},
};
