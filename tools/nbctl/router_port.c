/* router_port.c - lrp-*: ports of logical routers. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/addr.h"
#include "tools/nbctl/nbctl.h"

#define ROUTER_TABLES "Logical_Router Logical_Router_Port"
#define PORT_TABLES "Logical_Router_Port"

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
    const struct row *owner = nb_owner(call, "Logical_Router", "ports", port);
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
    int err = nb_find(call, &nb_router, call->argv[0], true, &router);
    if (!err)
        err = nb_find(call, &nb_router_port, name, false, &port);
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
    int err =
        nb_find(call, &nb_router_port, call->argv[0], !ctl_has_option(call, "--if-exists"), &port);
    if (err || !port)
        return err;
    nb_delete_from(call, nb_owner(call, "Logical_Router", "ports", port), "ports", port);
    return 0;
}

static int run_lrp_list(struct ctl_call *call)
{
    return nb_list_names(call, &nb_router, "ports");
}

static int run_lrp_set_enabled(struct ctl_call *call)
{
    return nb_set_enabled(call, &nb_router_port);
}

static int run_lrp_get_enabled(struct ctl_call *call)
{
    return nb_put_bool(call, &nb_router_port, "enabled", true, "enabled", "disabled");
}

static int run_lrp_set_options(struct ctl_call *call)
{
    return nb_set_options(call, &nb_router_port);
}

static int run_lrp_set_redirect_type(struct ctl_call *call)
{
    const struct row *port;
    const char *type = call->argv[1];
    int err = nb_find(call, &nb_router_port, call->argv[0], true, &port);
    if (err)
        return err;
    if (strcmp(type, "overlay") && strcmp(type, "bridged"))
        return ctl_fail(call, "Invalid redirect type: %s", type);
    view_set_key(call->view, port, "options", "redirect-type", type);
    return 0;
}

static int run_lrp_get_redirect_type(struct ctl_call *call)
{
    const struct row *port;
    int err = nb_find(call, &nb_router_port, call->argv[0], true, &port);
    const char *type = err ? NULL : row_map_text(port, "options", "redirect-type");
    if (!err)
        str_putf(&call->out, "%s\n", type ? type : "overlay");
    return err;
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
    {"lrp-set-redirect-type", 2, 2, "PORT TYPE", NULL, PORT_TABLES, NULL, run_lrp_set_redirect_type,
     "how packets reach the gateway: overlay or bridged"},
    {"lrp-get-redirect-type", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lrp_get_redirect_type,
     "print how packets reach the gateway of PORT"},
    {0},
};
