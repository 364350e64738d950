/* port.c - ports, bonds and interfaces of bridges. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/vsctl/vsctl.h"

/* ---- add-port, add-bond ---- */

struct port_request {
    struct vs_bridge bridge;
    const char *name;
    char **interfaces;
    int n_interfaces;
    bool is_bond;
    char **settings;
    int n_settings;
};

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join_words(char *const *words, int n)
{
    struct str s = STR_INIT;
    char **sorted = xcalloc((size_t)n + 1, sizeof *sorted);
    memcpy(sorted, words, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, compare_words);
    for (int i = 0; i < n; i++)
        str_putf(&s, "%s%s", i ? ", " : "", sorted[i]);
    free(sorted);
    return str_steal(&s);
}

static char *join_rows(const struct row_list *rows)
{
    struct str s = STR_INIT;
    for (size_t i = 0; i < rows->n; i++)
        str_putf(&s, "%s%s", i ? ", " : "", row_text(rows->rows[i], "name"));
    return str_steal(&s);
}

/* --may-exist and there is a port of that name: is it the one that was asked for? */
static int check_same(struct ctl_call *call, const struct port_request *r,
                      const struct vs_place *place)
{
    struct str line = STR_INIT;
    str_putf(&line, "--may-exist %s", call->command->name);
    for (int i = 0; i < call->argc; i++)
        str_putf(&line, " %s", call->argv[i]);
    int err = 0;
    if (strcmp(place->bridge.name, r->bridge.name))
        err = ctl_fail(call, "\"%s\" but %s is actually attached to bridge %s", str_c(&line),
                       r->name, place->bridge.name);
    struct row_list has = view_referenced(call->view, place->port, "interfaces");
    char *want_text = join_words(r->interfaces, r->n_interfaces), *has_text = join_rows(&has);
    if (!err && strcmp(want_text, has_text))
        err = ctl_fail(call, "\"%s\" but %s actually has interface(s) %s", str_c(&line), r->name,
                       has_text);
    row_list_fini(&has);
    free(want_text);
    free(has_text);
    str_fini(&line);
    return err;
}

static int check_free(struct ctl_call *call, const struct port_request *r)
{
    char *what = xasprintf("cannot create a port named %s", r->name);
    int err = vs_check_free(call, r->name, what);
    free(what);
    for (int i = 0; !err && i < r->n_interfaces; i++) {
        what = xasprintf("cannot create an interface named %s", r->interfaces[i]);
        err = vs_check_free(call, r->interfaces[i], what);
        free(what);
    }
    return err;
}

static int add_port(struct ctl_call *call, const struct port_request *r)
{
    struct vs_place place;
    if (ctl_has_option(call, "--may-exist") && vs_port_get(call, r->name, &place))
        return check_same(call, r, &place);
    int err = check_free(call, r);
    if (err)
        return err;
    const struct row *port = view_insert(call->view, view_table(call->view, "Port"));
    port = view_set_text(call->view, port, "name", r->name);
    for (int i = 0; i < r->n_interfaces; i++) {
        const struct row *interface = view_insert(call->view, view_table(call->view, "Interface"));
        interface = view_set_text(call->view, interface, "name", r->interfaces[i]);
        port = view_add_ref(call->view, port, "interfaces", interface);
        vs_check_later(call, r->interfaces[i]);
    }
    if (r->is_bond && ctl_has_option(call, "--fake-iface"))
        port = view_set_bool(call->view, port, "bond_fake_iface", true);
    if (r->bridge.port)
        port = view_set_integer(call->view, port, "tag", r->bridge.vlan);
    for (int i = 0; !err && i < r->n_settings; i++)
        err = ctl_assign(call, &port, r->settings[i]);
    view_add_ref(call->view, r->bridge.row, "ports", port);
    return err;
}

static int run_add_port(struct ctl_call *call)
{
    struct port_request r = {.name = call->argv[1],
                             .interfaces = call->argv + 1,
                             .n_interfaces = 1,
                             .settings = call->argv + 2,
                             .n_settings = call->argc - 2};
    int err = vs_bridge_find(call, call->argv[0], &r.bridge);
    return err ? err : add_port(call, &r);
}

static int run_add_bond(struct ctl_call *call)
{
    struct port_request r = {.name = call->argv[1], .interfaces = call->argv + 2, .is_bond = true};
    int n = call->argc - 2;
    while (r.n_interfaces < n && !strchr(r.interfaces[r.n_interfaces], '='))
        r.n_interfaces++;
    r.settings = r.interfaces + r.n_interfaces;
    r.n_settings = n - r.n_interfaces;
    if (r.n_interfaces < 2)
        return ctl_fail(call, "add-bond requires at least 2 interfaces, but only %d were specified",
                        r.n_interfaces);
    int err = vs_bridge_find(call, call->argv[0], &r.bridge);
    return err ? err : add_port(call, &r);
}

/* ---- del-port ---- */

/* The port that BRIDGE (may be NULL) and NAME mean; *found false with --if-exists. */
static int find_doomed(struct ctl_call *call, const char *bridge_name, const char *name,
                       struct vs_place *ret, bool *found)
{
    bool if_exists = ctl_has_option(call, "--if-exists");
    struct vs_bridge bridge;
    if (bridge_name) {
        int err = vs_bridge_find(call, bridge_name, &bridge);
        if (err)
            return err;
    }
    *found = vs_port_get(call, name, ret);
    if (!*found && ctl_has_option(call, "--with-iface"))
        *found = vs_interface_get(call, name, ret);
    if (!*found)
        return if_exists ? 0 : ctl_fail(call, "no port named %s", name);
    struct vs_bridge as_bridge;
    if (vs_bridge_get(call, name, &as_bridge))
        return ctl_fail(call,
                        "cannot delete port %s because it is the local port for bridge %s "
                        "(deleting this port requires deleting the entire bridge)",
                        name, name);
    if (!bridge_name || !strcmp(ret->bridge.name, bridge_name))
        return 0;
    if (uuid_equal(&ret->bridge.row->uuid, &bridge.row->uuid) && !bridge.port)
        return ctl_fail(call,
                        "bridge %s does not have a port %s (although its child bridge %s does)",
                        bridge_name, name, ret->bridge.name);
    return ctl_fail(call, "bridge %s does not have a port %s", bridge_name, name);
}

static int run_del_port(struct ctl_call *call)
{
    bool has_bridge = call->argc == 2, found = false;
    struct vs_place place;
    int err = find_doomed(call, has_bridge ? call->argv[0] : NULL, call->argv[has_bridge], &place,
                          &found);
    if (!err && found)
        vs_delete_port(call, place.bridge.row, place.port);
    return err;
}

/* ---- looking ---- */

static int run_list_ports(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (err)
        return err;
    struct row_list ports = vs_bridge_ports(call, &bridge);
    for (size_t i = 0; i < ports.n; i++)
        str_putf(&call->out, "%s\n", row_text(ports.rows[i], "name"));
    row_list_fini(&ports);
    return 0;
}

static int run_list_ifaces(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (err)
        return err;
    VEC(char *) names = VEC_INIT;
    struct row_list ports = vs_bridge_ports(call, &bridge);
    for (size_t i = 0; i < ports.n; i++) {
        struct row_list interfaces = view_referenced(call->view, ports.rows[i], "interfaces");
        for (size_t j = 0; j < interfaces.n; j++)
            vec_push(&names, xstrdup(row_text(interfaces.rows[j], "name")));
        row_list_fini(&interfaces);
    }
    row_list_fini(&ports);
    if (names.n)
        qsort(names.data, names.n, sizeof *names.data, compare_words);
    for (size_t i = 0; i < names.n; i++) {
        str_putf(&call->out, "%s\n", names.data[i]);
        free(names.data[i]);
    }
    vec_fini(&names);
    return 0;
}

static int run_port_to_br(struct ctl_call *call)
{
    struct vs_place place;
    struct vs_bridge bridge;
    if (!vs_port_get(call, call->argv[0], &place) || vs_bridge_get(call, call->argv[0], &bridge))
        return ctl_fail(call, "no port named %s", call->argv[0]);
    str_putf(&call->out, "%s\n", place.bridge.name);
    return 0;
}

static int run_iface_to_br(struct ctl_call *call)
{
    struct vs_place place;
    struct vs_bridge bridge;
    if (!vs_interface_get(call, call->argv[0], &place) ||
        vs_bridge_get(call, call->argv[0], &bridge))
        return ctl_fail(call, "no interface named %s", call->argv[0]);
    str_putf(&call->out, "%s\n", place.bridge.name);
    return 0;
}

const struct ctl_command vs_port_commands[] = {
    {.help = "Port commands (a bond is a single port)"},
    {"list-ports", 1, 1, "BRIDGE", NULL, VS_TABLES, NULL, run_list_ports,
     "print the names of all ports of BRIDGE"},
    {"add-port", 2, CTL_ANY, "BRIDGE PORT [COLUMN[:KEY]=VALUE]...", "--may-exist", VS_TABLES, NULL,
     run_add_port, "plug a network device into a bridge"},
    {"add-bond", 4, CTL_ANY, "BRIDGE PORT IFACE... [COLUMN[:KEY]=VALUE]...",
     "--may-exist,--fake-iface", VS_TABLES, NULL, run_add_bond,
     "add bonded port PORT of IFACEs to BRIDGE"},
    {"del-port", 1, 2, "[BRIDGE] PORT", "--if-exists,--with-iface", VS_TABLES, NULL, run_del_port,
     "delete PORT from BRIDGE"},
    {"port-to-br", 1, 1, "PORT", NULL, VS_TABLES, NULL, run_port_to_br,
     "print the name of the bridge that has PORT"},
    {.help = "Interface commands (a bond has several)"},
    {"list-ifaces", 1, 1, "BRIDGE", NULL, VS_TABLES, NULL, run_list_ifaces,
     "print the names of all interfaces of BRIDGE"},
    {"iface-to-br", 1, 1, "IFACE", NULL, VS_TABLES, NULL, run_iface_to_br,
     "print the name of the bridge that has IFACE"},
    {0},
};
