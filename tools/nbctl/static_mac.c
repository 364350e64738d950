/* static_mac.c - static-mac-binding-*: neighbours of a router port that need no resolution. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define BINDING_TABLES "Static_MAC_Binding"
#define ADD_TABLES BINDING_TABLES " Logical_Router_Port"

/* The port exists and *ip is the address in its usual form, owned by the caller. */
static int parse_arguments(struct ctl_call *call, char **ip)
{
    const struct row *port;
    *ip = NULL;
    int err = nb_find(call, &nb_router_port, call->argv[0], true, &port);
    if (err)
        return err;
    *ip = nb_normal_address(call->argv[1], 0);
    return *ip ? 0 : ctl_fail(call, "%s: Not a valid IPv4 or IPv6 address.", call->argv[1]);
}

static const struct row *find_binding(struct ctl_call *call, const char *port, const char *ip)
{
    struct row_list rows = view_any_rows(call->view, view_table(call->view, "Static_MAC_Binding"));
    const struct row *found = NULL;
    for (size_t i = 0; i < rows.n && !found; i++)
        if (!strcmp(row_text(rows.rows[i], "logical_port"), port) &&
            !strcmp(row_text(rows.rows[i], "ip"), ip))
            found = rows.rows[i];
    row_list_fini(&rows);
    return found;
}

static int add(struct ctl_call *call, const char *ip)
{
    struct mac mac;
    if (mac_parse(call->argv[2], &mac))
        return ctl_fail(call, "invalid mac address %s.", call->argv[2]);
    const struct row *row = find_binding(call, call->argv[0], ip);
    if (row && !ctl_has_option(call, "--may-exist"))
        return ctl_fail(call,
                        "%s, %s: a Static_MAC_Binding with this logical_port and ip already exists",
                        call->argv[0], ip);
    if (!row) {
        row = view_insert(call->view, view_table(call->view, "Static_MAC_Binding"));
        row = view_set_text(call->view, row, "logical_port", call->argv[0]);
        row = view_set_text(call->view, row, "ip", ip);
    }
    view_set_text(call->view, row, "mac", call->argv[2]);
    return 0;
}

static int run_add(struct ctl_call *call)
{
    char *ip;
    int err = parse_arguments(call, &ip);
    if (!err)
        err = add(call, ip);
    free(ip);
    return err;
}

static int run_del(struct ctl_call *call)
{
    char *ip;
    int err = parse_arguments(call, &ip);
    const struct row *row = err ? NULL : find_binding(call, call->argv[0], ip);
    if (row)
        view_delete(call->view, row);
    else if (!err && !ctl_has_option(call, "--if-exists"))
        err = ctl_fail(call, "no matching Static_MAC_Binding with port %s and ip %s", call->argv[0],
                       ip);
    free(ip);
    return err;
}

static int compare_bindings(const void *a_, const void *b_)
{
    const struct row *a = *(const struct row *const *)a_, *b = *(const struct row *const *)b_;
    int c = strcmp(row_text(a, "logical_port"), row_text(b, "logical_port"));
    return c ? c : strcmp(row_text(a, "ip"), row_text(b, "ip"));
}

static int run_list(struct ctl_call *call)
{
    struct row_list rows = view_any_rows(call->view, view_table(call->view, "Static_MAC_Binding"));
    if (rows.n) {
        qsort(rows.rows, rows.n, sizeof *rows.rows, compare_bindings);
        str_putf(&call->out, "%-25s%-25s%s\n", "LOGICAL_PORT", "IP", "MAC");
    }
    for (size_t i = 0; i < rows.n; i++)
        str_putf(&call->out, "%-25s%-25s%s\n", row_text(rows.rows[i], "logical_port"),
                 row_text(rows.rows[i], "ip"), row_text(rows.rows[i], "mac"));
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command nb_static_mac_commands[] = {
    {.help = "Static MAC binding commands"},
    {"static-mac-binding-add", 3, 3, "PORT IP MAC", "--may-exist", ADD_TABLES, NULL, run_add,
     "tell router port PORT the MAC address of IP"},
    {"static-mac-binding-del", 2, 2, "PORT IP", "--if-exists", ADD_TABLES, NULL, run_del,
     "delete what was told"},
    {"static-mac-binding-list", 0, 0, "", NULL, BINDING_TABLES, NULL, run_list,
     "print all static bindings"},
    {0},
};
