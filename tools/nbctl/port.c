/* port.c - lsp-*: ports of logical switches. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"
#include "validate/validate.h"

#define SWITCH_TABLES "Logical_Switch Logical_Switch_Port"
#define PORT_TABLES "Logical_Switch_Port"

enum { MAX_TAG = 4095 };

static int find_port(struct ctl_call *call, const struct row **ret)
{
    return nb_find(call, &nb_port, call->argv[0], true, ret);
}

/* ---- lsp-add ---- */

/* The port exists and --may-exist was given: is it the same port? */
static int check_same(struct ctl_call *call, const struct row *port, const struct row *ls,
                      const char *parent, int64_t tag)
{
    const char *name = row_text(port, "name");
    const struct row *owner = nb_owner(call, "Logical_Switch", "ports", port);
    if (!owner)
        return ctl_fail(call, "%s: port already exists but is not part of a switch", name);
    if (!uuid_equal(&owner->uuid, &ls->uuid))
        return ctl_fail(call, "%s: port already exists but in switch %s", name,
                        row_text(owner, "name"));
    const char *has = row_text(port, "parent_name");
    if (parent && !*has)
        return ctl_fail(call, "%s: port already exists but has no parent", name);
    if (parent && strcmp(has, parent))
        return ctl_fail(call, "%s: port already exists with different parent %s", name, has);
    if (!parent && *has)
        return ctl_fail(call, "%s: port already exists but has parent %s", name, has);
    int64_t has_tag = row_integer(port, "tag_request", -1);
    if (parent && has_tag < 0)
        return ctl_fail(call, "%s: port already exists but has no tag_request", name);
    if (parent && has_tag != tag)
        return ctl_fail(call, "%s: port already exists with different tag_request %lld", name,
                        (long long)has_tag);
    return 0;
}

static int run_lsp_add(struct ctl_call *call)
{
    const char *name = call->argv[1];
    const char *parent = call->argc >= 4 ? call->argv[2] : NULL;
    int64_t tag = -1;
    const struct row *ls, *port;
    int err = nb_find(call, &nb_switch, call->argv[0], true, &ls);
    if (err)
        return err;
    if (call->argc == 3)
        return ctl_fail(call, "lsp-add with parent must also specify a tag");
    if (parent && (text_to_i64(call->argv[3], 10, &tag) || tag < 0 || tag > MAX_TAG))
        return ctl_fail(call, "%s: invalid tag (must be in range 0 to 4095)", call->argv[3]);
    err = nb_find(call, &nb_port, name, false, &port);
    if (err)
        return err;
    if (port && !ctl_has_option(call, "--may-exist"))
        return ctl_fail(call, "%s: a port with this name already exists", name);
    if (port)
        return check_same(call, port, ls, parent, tag);
    port = nb_insert_into(call, ls, "ports");
    port = view_set_text(call->view, port, "name", name);
    if (parent) {
        port = view_set_text(call->view, port, "parent_name", parent);
        view_set_integer(call->view, port, "tag_request", tag);
    }
    return 0;
}

static int run_lsp_del(struct ctl_call *call)
{
    const struct row *port;
    int err = nb_find(call, &nb_port, call->argv[0], !ctl_has_option(call, "--if-exists"), &port);
    if (err || !port)
        return err;
    nb_delete_from(call, nb_owner(call, "Logical_Switch", "ports", port), "ports", port);
    return 0;
}

static int run_lsp_list(struct ctl_call *call)
{
    return nb_list_names(call, &nb_switch, "ports");
}

static int run_lsp_get_ls(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    const struct row *ls = err ? NULL : nb_owner(call, "Logical_Switch", "ports", port);
    if (ls) {
        struct row_list one = {&ls, 1};
        nb_put_names(call, &one);
    }
    return err;
}

static int run_lsp_get_parent(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    if (!err && *row_text(port, "parent_name"))
        str_putf(&call->out, "%s\n", row_text(port, "parent_name"));
    return err;
}

static int run_lsp_get_tag(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    if (!err && row_value(port, "tag")->n)
        str_putf(&call->out, "%lld\n", (long long)row_integer(port, "tag", 0));
    return err;
}

/* ---- addresses and security ---- */

static int run_lsp_set_addresses(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    for (int i = 1; !err && i < call->argc; i++)
        err = nb_check_address(call, port, call->argv[i]);
    if (!err)
        view_set_texts(call->view, port, "addresses", call->argv + 1, (size_t)call->argc - 1);
    return err;
}

static int run_lsp_get_addresses(struct ctl_call *call)
{
    return nb_put_texts(call, &nb_port, "addresses");
}

static int run_lsp_set_port_security(struct ctl_call *call)
{
    return nb_set_texts(call, &nb_port, "port_security");
}

static int run_lsp_get_port_security(struct ctl_call *call)
{
    return nb_put_texts(call, &nb_port, "port_security");
}

/* ---- state, type, options ---- */

static int run_lsp_get_up(struct ctl_call *call)
{
    return nb_put_bool(call, &nb_port, "up", false, "up", "down");
}

static int run_lsp_set_enabled(struct ctl_call *call)
{
    return nb_set_enabled(call, &nb_port);
}

static int run_lsp_get_enabled(struct ctl_call *call)
{
    return nb_put_bool(call, &nb_port, "enabled", true, "enabled", "disabled");
}

static int run_lsp_set_type(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    if (!err && !validate_is_port_type(call->argv[1]))
        return ctl_fail(call, "Logical switch port type '%s' is unrecognized. Not setting type.",
                        call->argv[1]);
    if (!err)
        view_set_text(call->view, port, "type", call->argv[1]);
    return err;
}

static int run_lsp_get_type(struct ctl_call *call)
{
    const struct row *port;
    int err = find_port(call, &port);
    if (!err)
        str_putf(&call->out, "%s\n", row_text(port, "type"));
    return err;
}

static int run_lsp_set_options(struct ctl_call *call)
{
    return nb_set_options(call, &nb_port);
}

static int run_lsp_get_options(struct ctl_call *call)
{
    return nb_put_options(call, &nb_port);
}

const struct ctl_command nb_port_commands[] = {
    {.help = "Logical switch port commands"},
    {"lsp-add", 2, 4, "SWITCH PORT [PARENT TAG]", "--may-exist", SWITCH_TABLES, NULL, run_lsp_add,
     "add PORT to SWITCH (nested in port PARENT, with VLAN tag TAG)"},
    {"lsp-del", 1, 1, "PORT", "--if-exists", SWITCH_TABLES, NULL, run_lsp_del,
     "delete PORT from its switch"},
    {"lsp-list", 1, 1, "SWITCH", NULL, SWITCH_TABLES, NULL, run_lsp_list,
     "print the names of all ports of SWITCH"},
    {"lsp-get-ls", 1, 1, "PORT", NULL, SWITCH_TABLES, NULL, run_lsp_get_ls,
     "print the switch that PORT belongs to"},
    {"lsp-get-parent", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_parent,
     "print the parent of PORT, if it has one"},
    {"lsp-get-tag", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_tag,
     "print the VLAN tag of PORT, if it has one"},
    {"lsp-set-addresses", 1, CTL_ANY, "PORT [ADDRESS]...", NULL, SWITCH_TABLES, NULL,
     run_lsp_set_addresses, "set addresses: \"MAC IP...\", unknown, dynamic or router"},
    {"lsp-get-addresses", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_addresses,
     "print the addresses of PORT"},
    {"lsp-set-port-security", 1, CTL_ANY, "PORT [ADDRESS]...", NULL, PORT_TABLES, NULL,
     run_lsp_set_port_security, "set the addresses that PORT may use"},
    {"lsp-get-port-security", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_port_security,
     "print the addresses that PORT may use"},
    {"lsp-get-up", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_up,
     "print the state of PORT: up or down"},
    {"lsp-set-enabled", 2, 2, "PORT STATE", NULL, PORT_TABLES, NULL, run_lsp_set_enabled,
     "set the administrative state: enabled or disabled"},
    {"lsp-get-enabled", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_enabled,
     "print the administrative state of PORT"},
    {"lsp-set-type", 2, 2, "PORT TYPE", NULL, PORT_TABLES, NULL, run_lsp_set_type,
     "set the type of PORT (\"\" for a VM, router, localnet, ...)"},
    {"lsp-get-type", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_type,
     "print the type of PORT"},
    {"lsp-set-options", 1, CTL_ANY, "PORT [KEY=VALUE]...", NULL, PORT_TABLES, NULL,
     run_lsp_set_options, "set the options that belong to the type of PORT"},
    {"lsp-get-options", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_lsp_get_options,
     "print the options of PORT"},
    {0},
};
