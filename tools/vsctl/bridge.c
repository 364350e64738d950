/* bridge.c - add-br, del-br, list-br, br-exists, br-to-vlan, br-to-parent, br-*-external-id. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/vsctl/vsctl.h"

#define FAKE_PREFIX "fake-bridge-"

/* ---- add-br ---- */

/* --may-exist and there is a bridge: is it the one that was asked for? */
static int check_same(struct ctl_call *call, const struct vs_bridge *bridge, const char *parent,
                      int64_t vlan)
{
    const char *name = call->argv[0];
    if (!parent && bridge->port)
        return ctl_fail(call, "\"--may-exist add-br %s\" but %s is a VLAN bridge for VLAN %lld",
                        name, name, (long long)bridge->vlan);
    if (!parent)
        return 0;
    if (!bridge->port)
        return ctl_fail(call, "\"--may-exist add-br %s %s %lld\" but %s is not a VLAN bridge", name,
                        parent, (long long)vlan, name);
    if (strcmp(row_text(bridge->row, "name"), parent))
        return ctl_fail(call, "\"--may-exist add-br %s %s %lld\" but %s has the wrong parent %s",
                        name, parent, (long long)vlan, name, row_text(bridge->row, "name"));
    if (bridge->vlan != vlan)
        return ctl_fail(call,
                        "\"--may-exist add-br %s %s %lld\" but %s is a VLAN bridge for the wrong "
                        "VLAN %lld",
                        name, parent, (long long)vlan, name, (long long)bridge->vlan);
    return 0;
}

/* A port of type internal with one interface of its name. */
static const struct row *insert_local_port(struct ctl_call *call, const char *name)
{
    const struct row *interface = view_insert(call->view, view_table(call->view, "Interface"));
    interface = view_set_text(call->view, interface, "name", name);
    interface = view_set_text(call->view, interface, "type", "internal");
    const struct row *port = view_insert(call->view, view_table(call->view, "Port"));
    port = view_set_text(call->view, port, "name", name);
    return view_add_ref(call->view, port, "interfaces", interface);
}

static int add_fake(struct ctl_call *call, const char *name, const char *parent_name, int64_t vlan)
{
    struct vs_bridge parent;
    if (!vs_bridge_get(call, parent_name, &parent))
        return ctl_fail(call, "parent bridge %s does not exist", parent_name);
    if (parent.port)
        return ctl_fail(call, "cannot create bridge with fake bridge as parent");
    vs_bridge_vec all = VEC_INIT;
    int err = 0;
    vs_bridges(call, &all);
    for (size_t i = 0; i < all.n; i++)
        if (all.data[i].port && all.data[i].vlan == vlan &&
            uuid_equal(&all.data[i].row->uuid, &parent.row->uuid))
            err = ctl_fail(call, "bridge %s already has a child VLAN bridge %s on VLAN %lld",
                           parent_name, all.data[i].name, (long long)vlan);
    vec_fini(&all);
    if (err)
        return err;
    const struct row *port = insert_local_port(call, name);
    port = view_set_bool(call->view, port, "fake_bridge", true);
    port = view_set_integer(call->view, port, "tag", vlan);
    view_add_ref(call->view, parent.row, "ports", port);
    return 0;
}

static int run_add_br(struct ctl_call *call)
{
    enum { MAX_VLAN = 4095 };
    const char *name = call->argv[0], *parent = call->argc == 3 ? call->argv[1] : NULL;
    int64_t vlan = 0;
    if (call->argc == 2)
        return ctl_fail(call, "'add-br' command takes exactly 1 or 3 arguments");
    if (parent && (text_to_i64(call->argv[2], 10, &vlan) || vlan < 0 || vlan > MAX_VLAN))
        return ctl_fail(call, "add-br: vlan must be between 0 and 4095");
    struct vs_bridge existing;
    if (ctl_has_option(call, "--may-exist") && vs_bridge_get(call, name, &existing))
        return check_same(call, &existing, parent, vlan);
    char *what = xasprintf("cannot create a bridge named %s", name);
    int err = vs_check_free(call, name, what);
    free(what);
    if (err || parent)
        return err ? err : add_fake(call, name, parent, vlan);
    const struct row *port = insert_local_port(call, name);
    const struct row *bridge = view_insert(call->view, view_table(call->view, "Bridge"));
    bridge = view_set_text(call->view, bridge, "name", name);
    bridge = view_add_ref(call->view, bridge, "ports", port);
    view_add_ref(call->view, vs_root(call), "bridges", bridge);
    vs_check_later(call, name);
    return 0;
}

/* ---- del-br ---- */

static void delete_real(struct ctl_call *call, const struct vs_bridge *bridge)
{
    struct row_list ports = view_referenced(call->view, bridge->row, "ports");
    for (size_t i = 0; i < ports.n; i++)
        vs_delete_port(call, bridge->row, ports.rows[i]);
    row_list_fini(&ports);
    view_remove_ref(call->view, vs_root(call), "bridges", &bridge->row->uuid);
    view_delete(call->view, bridge->row);
}

static int run_del_br(struct ctl_call *call)
{
    struct vs_bridge bridge;
    if (!vs_bridge_get(call, call->argv[0], &bridge))
        return ctl_has_option(call, "--if-exists")
                   ? 0
                   : ctl_fail(call, "no bridge named %s", call->argv[0]);
    if (!bridge.port) {
        delete_real(call, &bridge);
        return 0;
    }
    struct row_list ports = vs_bridge_ports(call, &bridge);
    for (size_t i = 0; i < ports.n; i++)
        vs_delete_port(call, bridge.row, ports.rows[i]);
    row_list_fini(&ports);
    vs_delete_port(call, bridge.row, bridge.port);
    return 0;
}

/* ---- looking ---- */

static int run_list_br(struct ctl_call *call)
{
    bool real = ctl_has_option(call, "--real"), fake = ctl_has_option(call, "--fake");
    vs_bridge_vec all = VEC_INIT;
    vs_bridges(call, &all);
    for (size_t i = 0; i < all.n; i++)
        if (real == fake || fake == (all.data[i].port != NULL))
            str_putf(&call->out, "%s\n", all.data[i].name);
    vec_fini(&all);
    return 0;
}

static int run_br_exists(struct ctl_call *call)
{
    enum { STATUS_NO_BRIDGE = 2 };
    struct vs_bridge bridge;
    if (!vs_bridge_get(call, call->argv[0], &bridge))
        ctl_set_status(call, STATUS_NO_BRIDGE);
    return 0;
}

static int run_br_to_vlan(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (!err)
        str_putf(&call->out, "%lld\n", (long long)bridge.vlan);
    return err;
}

static int run_br_to_parent(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (!err)
        str_putf(&call->out, "%s\n", row_text(bridge.row, "name"));
    return err;
}

/* ---- external ids: of the Bridge row, or of a fake bridge's port under prefixed keys ---- */

static int run_br_set_external_id(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (err)
        return err;
    const struct row *row = bridge.port ? bridge.port : bridge.row;
    char *key = xasprintf("%s%s", bridge.port ? FAKE_PREFIX : "", call->argv[1]);
    if (call->argc > 2)
        view_set_key(call->view, row, "external_ids", key, call->argv[2]);
    else
        view_remove_key(call->view, row, "external_ids", key);
    free(key);
    return 0;
}

static int run_br_get_external_id(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (err)
        return err;
    const char *prefix = bridge.port ? FAKE_PREFIX : "";
    const struct datum *ids = row_value(bridge.port ? bridge.port : bridge.row, "external_ids");
    for (size_t i = 0; i < ids->n; i++) {
        const char *key = ids->atoms[i].string->s;
        if (!text_starts_with(key, prefix))
            continue;
        key += strlen(prefix);
        if (call->argc < 2)
            str_putf(&call->out, "%s=%s\n", key, datum_values(ids)[i].string->s);
        else if (!strcmp(key, call->argv[1]))
            str_putf(&call->out, "%s\n", datum_values(ids)[i].string->s);
    }
    return 0;
}

const struct ctl_command vs_bridge_commands[] = {
    {.help = "Bridge commands"},
    {"add-br", 1, 3, "BRIDGE [PARENT VLAN]", "--may-exist", VS_TABLES, NULL, run_add_br,
     "create a bridge (or, in PARENT, a fake one for VLAN)"},
    {"del-br", 1, 1, "BRIDGE", "--if-exists", VS_TABLES, NULL, run_del_br,
     "remove a bridge with its ports"},
    {"list-br", 0, 0, "", "--real,--fake", VS_TABLES, NULL, run_list_br,
     "print the names of all bridges"},
    {"br-exists", 1, 1, "BRIDGE", NULL, VS_TABLES, NULL, run_br_exists,
     "exit with status 2 if BRIDGE does not exist"},
    {"br-to-vlan", 1, 1, "BRIDGE", NULL, VS_TABLES, NULL, run_br_to_vlan,
     "print the VLAN that BRIDGE is on"},
    {"br-to-parent", 1, 1, "BRIDGE", NULL, VS_TABLES, NULL, run_br_to_parent,
     "the bridge that a VLAN bridge belongs to"},
    {"br-set-external-id", 2, 3, "BRIDGE KEY [VALUE]", NULL, VS_TABLES, NULL,
     run_br_set_external_id, "set KEY of BRIDGE to VALUE, or unset it"},
    {"br-get-external-id", 1, 2, "BRIDGE [KEY]", NULL, VS_TABLES, NULL, run_br_get_external_id,
     "print the value of KEY of BRIDGE, or all"},
    {0},
};
