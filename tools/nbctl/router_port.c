/* router_port.c - lrp-*: ports of logical routers, and their gateway chassis. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/addr.h"
#include "tools/nbctl/nbctl.h"

#define ROUTER_TABLES "Logical_Router Logical_Router_Port"
#define PORT_TABLES "Logical_Router_Port"
#define GATEWAY_TABLES "Logical_Router_Port Gateway_Chassis"

enum { MAX_PRIORITY = 32767 };

static int find_port(struct ctl_call *call, const struct row **ret)
{
    return nb_router_port_find(call, call->argv[0], true, ret);
}

/* ---- lrp-add ---- */

static int check_networks(struct ctl_call *call, const char *name, char **networks, int n)
{
    for (int i = 0; i < n; i++) {
        struct ip_prefix prefix;
        if (ip_prefix_parse(networks[i], &prefix))
            return ctl_fail(call, "%s: invalid network address: %s", name, networks[i]);
    }
    return 0;
}

/* Do both hold the same networks, whatever the hosts in them? */
static bool is_same_network(const char *a, const char *b)
{
    struct ip_prefix x, y;
    if (ip_prefix_parse(a, &x) || ip_prefix_parse(b, &y))
        return !strcmp(a, b);
    struct ip_addr p = ip_prefix_network(&x), q = ip_prefix_network(&y);
    return x.len == y.len && ip_addr_equal(&p, &q);
}

static bool has_networks(const struct row *port, char **networks, int n)
{
    const struct datum *has = row_value(port, "networks");
    if ((int)has->n != n)
        return false;
    for (size_t i = 0; i < has->n; i++) {
        bool found = false;
        for (int j = 0; j < n; j++)
            found |= is_same_network(has->atoms[i].string->s, networks[j]);
        if (!found)
            return false;
    }
    return true;
}

/* The value of the last "peer=PEER" of WORDS, or "". */
static const char *peer_of(char **words, int n)
{
    const char *peer = "";
    for (int i = 0; i < n; i++)
        if (text_starts_with(words[i], "peer="))
            peer = words[i] + strlen("peer=");
    return peer;
}

/* The port exists and --may-exist was given: is it the same port? */
static int check_same(struct ctl_call *call, const struct row *port, const struct row *router,
                      struct mac mac)
{
    const char *name = row_text(port, "name");
    const struct row *owner = nb_owner(call, "Logical_Router", port);
    if (!owner)
        return ctl_fail(call, "%s: port already exists but is not part of a router", name);
    if (!uuid_equal(&owner->uuid, &router->uuid))
        return ctl_fail(call, "%s: port already exists but in router %s", name,
                        row_text(owner, "name"));
    struct mac has;
    if (mac_parse(row_text(port, "mac"), &has) || !mac_equal(has, mac))
        return ctl_fail(call, "%s: port already exists with mac %s", name, row_text(port, "mac"));
    return 0;
}

/* The COLUMN[:KEY]=VALUE words at the end. */
static int set_settings(struct ctl_call *call, const struct row *port, char **words, int n)
{
    int err = 0;
    for (int i = 0; !err && i < n; i++)
        err = ctl_assign(call, &port, words[i]);
    return err;
}

static int run_lrp_add(struct ctl_call *call)
{
    const char *name = call->argv[1];
    const struct row *router, *port;
    struct mac mac;
    int err = nb_router_find(call, call->argv[0], true, &router);
    if (!err)
        err = nb_router_port_find(call, name, false, &port);
    if (err)
        return err;
    char **networks = call->argv + 3;
    int n_networks = 0, n_settings;
    while (3 + n_networks < call->argc && !strchr(networks[n_networks], '='))
        n_networks++;
    n_settings = call->argc - 3 - n_networks;
    if (!n_networks)
        return ctl_fail(call, "%s: router port requires specifying a network", name);
    if (port && !ctl_has_option(call, "--may-exist"))
        return ctl_fail(call, "%s: a port with this name already exists", name);
    if (mac_parse(call->argv[2], &mac))
        return ctl_fail(call, "%s: invalid mac address %s", name, call->argv[2]);
    if (port) {
        err = check_same(call, port, router, mac);
        if (!err && !has_networks(port, networks, n_networks))
            err = ctl_fail(call, "%s: port already exists with different network", name);
        if (!err && strcmp(row_text(port, "peer"), peer_of(networks + n_networks, n_settings)))
            err = ctl_fail(call, "%s: port already exists with mismatching peer", name);
        return err;
    }
    err = check_networks(call, name, networks, n_networks);
    if (err)
        return err;
    for (int i = 0; i < n_settings; i++)
        if (!strchr(networks[n_networks + i], '='))
            return ctl_fail(call, "%s: networks must come before settings",
                            networks[n_networks + i]);
    port = view_insert(call->view, view_table(call->view, "Logical_Router_Port"));
    port = view_set_text(call->view, port, "name", name);
    port = view_set_text(call->view, port, "mac", call->argv[2]);
    port = view_set_texts(call->view, port, "networks", networks, (size_t)n_networks);
    view_add_ref(call->view, router, "ports", port);
    return set_settings(call, port, networks + n_networks, n_settings);
}

static int run_lrp_del(struct ctl_call *call)
{
    const struct row *port;
    int err = nb_router_port_find(call, call->argv[0], !ctl_has_option(call, "--if-exists"), &port);
    if (err || !port)
        return err;
    const struct row *router = nb_owner(call, "Logical_Router", port);
    if (router)
        view_remove_ref(call->view, router, "ports", &port->uuid);
    view_delete(call->view, port);
    return 0;
}

static int run_lrp_list(struct ctl_call *call)
{
    const struct row *router;
    int err = nb_router_find(call, call->argv[0], true, &router);
    if (err)
        return err;
    struct row_list ports = view_referenced(call->view, router, "ports");
    nb_put_names(call, &ports);
    row_list_fini(&ports);
    return 0;
}

static int run_lrp_set_enabled(struct ctl_call *call)
{
    const struct row *port;
    bool enabled;
    int err = find_port(call, &port);
    if (!err)
        err = nb_parse_enabled(call, call->argv[1], &enabled);
    if (!err)
        view_set_bool(call->view, port, "enabled", enabled);
    return err;
}

static int run_lrp_get_enabled(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    if (!err)
        str_putf(&call->out, "%s\n", row_bool(port, "enabled", true) ? "enabled" : "disabled");
    return err;
}

static int run_lrp_set_options(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    if (!err)
        nb_set_options(call, port, "options", call->argv + 1, call->argc - 1);
    return err;
}

/* ---- gateway chassis ---- */

static const struct row *find_gateway(struct ctl_call *call, const struct row *port,
                                      const char *chassis)
{
    struct row_list rows = view_referenced(call->view, port, "gateway_chassis");
    const struct row *found = NULL;
    for (size_t i = 0; i < rows.n; i++)
        if (!strcmp(row_text(rows.rows[i], "chassis_name"), chassis))
            found = rows.rows[i];
    row_list_fini(&rows);
    return found;
}

static int run_lrp_set_gateway_chassis(struct ctl_call *call)
{
    const struct row *port;
    int64_t priority = 0;
    int err = find_port(call, &port);
    if (err)
        return err;
    if (call->argc > 2 &&
        (text_to_i64(call->argv[2], 10, &priority) || priority < 0 || priority > MAX_PRIORITY))
        return ctl_fail(call, "%s: priority must in range 0...32767", call->argv[2]);
    const char *chassis = call->argv[1];
    const struct row *gateway = find_gateway(call, port, chassis);
    if (!gateway) {
        char *name = xasprintf("%s-%s", row_text(port, "name"), chassis);
        gateway = view_insert(call->view, view_table(call->view, "Gateway_Chassis"));
        gateway = view_set_text(call->view, gateway, "name", name);
        gateway = view_set_text(call->view, gateway, "chassis_name", chassis);
        view_add_ref(call->view, port, "gateway_chassis", gateway);
        free(name);
    }
    view_set_integer(call->view, gateway, "priority", priority);
    return 0;
}

static int run_lrp_del_gateway_chassis(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    if (err)
        return err;
    const struct row *gateway = find_gateway(call, port, call->argv[1]);
    if (!gateway)
        return ctl_fail(call, "chassis %s is not added to logical port %s", call->argv[1],
                        call->argv[0]);
    view_remove_ref(call->view, port, "gateway_chassis", &gateway->uuid);
    view_delete(call->view, gateway);
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
    int err = find_port(call, &port);
    if (err)
        return err;
    struct row_list rows = nb_gateways(call, port);
    for (size_t i = 0; i < rows.n; i++)
        str_putf(&call->out, "%s %5lld\n", row_text(rows.rows[i], "name"),
                 (long long)row_integer(rows.rows[i], "priority", 0));
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_router_port_commands[] = {
    {.help = "Logical router port commands"},
    {"lrp-add", 4, CTL_ANY, "ROUTER PORT MAC NETWORK... [peer=PEER]", "--may-exist", ROUTER_TABLES,
     NULL, run_lrp_add, "add PORT to ROUTER, with its addresses (10.0.0.1/24)"},
    {"lrp-del", 1, 1, "PORT", "--if-exists", ROUTER_TABLES, NULL, run_lrp_del,
     "delete PORT from its router"},
    {"lrp-list", 1, 1, "ROUTER", NULL, ROUTER_TABLES, NULL, run_lrp_list,
     "print the names of all ports of ROUTER"},
    {"lrp-set-enabled", 2, 2, "PORT STATE", NULL, PORT_TABLES, NULL, run_lrp_set_enabled,
     "set the administrative state: enabled or disabled"},
    {"lrp-get-enabled", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lrp_get_enabled,
     "print the administrative state of PORT"},
    {"lrp-set-options", 1, CTL_ANY, "PORT [KEY=VALUE]...", NULL, PORT_TABLES, NULL,
     run_lrp_set_options, "set the options of PORT"},
    {"lrp-set-gateway-chassis", 2, 3, "PORT CHASSIS [PRIORITY]", NULL, GATEWAY_TABLES, NULL,
     run_lrp_set_gateway_chassis, "let CHASSIS be a gateway of PORT"},
    {"lrp-del-gateway-chassis", 2, 2, "PORT CHASSIS", NULL, GATEWAY_TABLES, NULL,
     run_lrp_del_gateway_chassis, "let CHASSIS not be a gateway of PORT any more"},
    {"lrp-get-gateway-chassis", 1, 1, "PORT", NULL, GATEWAY_TABLES, NULL,
     run_lrp_get_gateway_chassis, "print the gateways of PORT with their priorities"},
    {0},
};
