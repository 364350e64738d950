/* dhcp.c - dhcp-options-* and the options of a port: lsp-set-dhcpv4-options and the like. */
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define DHCP_TABLES "DHCP_Options"
#define PORT_TABLES "DHCP_Options Logical_Switch_Port"

/* Such rows have no names: only by uuid. */
static int find_options(struct ctl_call *call, const char *id, const struct row **ret)
{
    struct uuid uuid;
    *ret = uuid_parse(id, &uuid)
               ? view_find(call->view, view_table(call->view, "DHCP_Options"), &uuid)
               : NULL;
    return *ret ? 0 : ctl_fail(call, "%s: dhcp options UUID not found", id);
}

static int run_create(struct ctl_call *call)
{
    struct ip_prefix prefix;
    if (ip_prefix_parse(call->argv[0], &prefix))
        return ctl_fail(call, "Invalid cidr format '%s'", call->argv[0]);
    const struct row *row = view_insert(call->view, view_table(call->view, "DHCP_Options"));
    row = view_set_text(call->view, row, "cidr", call->argv[0]);
    nb_set_pairs(call, row, "external_ids", call->argv + 1, call->argc - 1);
    return 0;
}

static int run_del(struct ctl_call *call)
{
    const struct row *row;
    int err = find_options(call, call->argv[0], &row);
    if (!err)
        view_delete(call->view, row);
    return err;
}

static int run_list(struct ctl_call *call)
{
    char uuid[UUID_TEXT_LEN + 1];
    struct row_list rows = view_rows(call->view, view_table(call->view, "DHCP_Options"));
    for (size_t i = 0; i < rows.n; i++)
        str_putf(&call->out, "%s\n", uuid_print(&rows.rows[i]->uuid, uuid));
    row_list_fini(&rows);
    return 0;
}

static int run_set_options(struct ctl_call *call)
{
    const struct row *row;
    int err = find_options(call, call->argv[0], &row);
    if (!err)
        nb_set_pairs(call, row, "options", call->argv + 1, call->argc - 1);
    return err;
}

static int run_get_options(struct ctl_call *call)
{
    const struct row *row;
    int err = find_options(call, call->argv[0], &row);
    const struct datum *options = err ? NULL : row_value(row, "options");
    for (size_t i = 0; options && i < options->n; i++)
        str_putf(&call->out, "%s=%s\n", options->atoms[i].string->s,
                 datum_values(options)[i].string->s);
    return err;
}

/* ---- of a port ---- */

static int set_of_port(struct ctl_call *call, const char *column)
{
    const struct row *port, *options = NULL;
    int err = nb_find(call, &nb_port, call->argv[0], true, &port);
    if (!err && call->argc > 1)
        err = find_options(call, call->argv[1], &options);
    if (err)
        return err;
    if (options)
        view_set(call->view, port, row_column(port, column), datum_new_uuid(&options->uuid));
    else
        view_clear(call->view, port, column);
    return 0;
}

static int put_of_port(struct ctl_call *call, const char *column)
{
    const struct row *port;
    char uuid[UUID_TEXT_LEN + 1];
    int err = nb_find(call, &nb_port, call->argv[0], true, &port);
    if (err)
        return err;
    struct row_list rows = view_referenced(call->view, port, column);
    for (size_t i = 0; i < rows.n; i++)
        str_putf(&call->out, "%s (%s)\n", uuid_print(&rows.rows[i]->uuid, uuid),
                 row_text(rows.rows[i], "cidr"));
    row_list_fini(&rows);
    return 0;
}

static int run_set_v4(struct ctl_call *call)
{
    return set_of_port(call, "dhcpv4_options");
}

static int run_set_v6(struct ctl_call *call)
{
    return set_of_port(call, "dhcpv6_options");
}

static int run_get_v4(struct ctl_call *call)
{
    return put_of_port(call, "dhcpv4_options");
}

static int run_get_v6(struct ctl_call *call)
{
    return put_of_port(call, "dhcpv6_options");
}

const struct ctl_command nb_dhcp_commands[] = {
    {.help = "DHCP options commands"},
    {"dhcp-options-create", 1, CTL_ANY, "CIDR [KEY=VALUE]...", NULL, DHCP_TABLES, NULL, run_create,
     "new DHCP options for the network CIDR, with external ids"},
    {"dhcp-options-del", 1, 1, "UUID", NULL, DHCP_TABLES, NULL, run_del, "delete DHCP options"},
    {"dhcp-options-list", 0, 0, "", NULL, DHCP_TABLES, NULL, run_list, "print the uuids of all"},
    {"dhcp-options-set-options", 1, CTL_ANY, "UUID [KEY=VALUE]...", NULL, DHCP_TABLES, NULL,
     run_set_options, "set the options that clients are given"},
    {"dhcp-options-get-options", 1, 1, "UUID", NULL, DHCP_TABLES, NULL, run_get_options,
     "print the options that clients are given"},
    {"lsp-set-dhcpv4-options", 1, 2, "PORT [UUID]", NULL, PORT_TABLES, NULL, run_set_v4,
     "set the DHCPv4 options of PORT"},
    {"lsp-get-dhcpv4-options", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_get_v4,
     "print the DHCPv4 options of PORT"},
    {"lsp-set-dhcpv6-options", 1, 2, "PORT [UUID]", NULL, PORT_TABLES, NULL, run_set_v6,
     "set the DHCPv6 options of PORT"},
    {"lsp-get-dhcpv6-options", 1, 1, "PORT", NULL, PORT_TABLES, NULL, run_get_v6,
     "print the DHCPv6 options of PORT"},
    {0},
};
