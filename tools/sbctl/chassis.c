/* chassis.c - hypervisors, and which of them has a port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/sbctl/sbctl.h"

#define CHASSIS_TABLES "Chassis Encap"
#define BINDING_TABLES "Chassis Port_Binding"

static const struct row *find_by(struct ctl_call *call, const char *table, const char *column,
                                 const char *text)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, table));
    const struct row *found = NULL;
    for (size_t i = 0; i < rows.n && !found; i++)
        if (!strcmp(row_text(rows.rows[i], column), text))
            found = rows.rows[i];
    row_list_fini(&rows);
    return found;
}

/* ---- chassis ---- */

static void add_encaps(struct ctl_call *call, const struct row *chassis, const char *types,
                       const char *ip)
{
    char *copy = xstrdup(types), *rest = copy, *type;
    while ((type = strsep(&rest, ",")) != NULL) {
        if (!*type)
            continue;
        const struct row *encap = view_insert(call->view, view_table(call->view, "Encap"));
        encap = view_set_text(call->view, encap, "type", type);
        encap = view_set_text(call->view, encap, "ip", ip);
        encap = view_set_text(call->view, encap, "chassis_name", row_text(chassis, "name"));
        encap = view_set_key(call->view, encap, "options", "csum", "true");
        chassis = view_add_ref(call->view, chassis, "encaps", encap);
    }
    free(copy);
}

static int run_chassis_add(struct ctl_call *call)
{
    const char *name = call->argv[0];
    if (find_by(call, "Chassis", "name", name))
        return ctl_has_option(call, "--may-exist")
                   ? 0
                   : ctl_fail(call,
                              "cannot create a chassis named %s because a chassis named %s already "
                              "exists",
                              name, name);
    const struct row *chassis = view_insert(call->view, view_table(call->view, "Chassis"));
    chassis = view_set_text(call->view, chassis, "name", name);
    add_encaps(call, chassis, call->argv[1], call->argv[2]);
    return 0;
}

static int run_chassis_del(struct ctl_call *call)
{
    const struct row *chassis = find_by(call, "Chassis", "name", call->argv[0]);
    if (!chassis)
        return ctl_has_option(call, "--if-exists")
                   ? 0
                   : ctl_fail(call, "no chassis named %s", call->argv[0]);
    struct row_list encaps = view_referenced(call->view, chassis, "encaps");
    for (size_t i = 0; i < encaps.n; i++)
        view_delete(call->view, encaps.rows[i]);
    row_list_fini(&encaps);
    view_delete(call->view, chassis);
    return 0;
}

/* ---- bindings ---- */

static int run_lsp_bind(struct ctl_call *call)
{
    const char *port_name = call->argv[0], *chassis_name = call->argv[1];
    const struct row *chassis = find_by(call, "Chassis", "name", chassis_name);
    const struct row *port = find_by(call, "Port_Binding", "logical_port", port_name);
    if (!chassis)
        return ctl_fail(call, "no chassis named %s", chassis_name);
    if (!port)
        return ctl_fail(call, "no port named %s", port_name);
    struct row_list now = view_referenced(call->view, port, "chassis");
    const struct row *has = now.n ? now.rows[0] : NULL;
    row_list_fini(&now);
    if (has && has != chassis)
        return ctl_fail(call, "lport (%s) has already been binded to chassis (%s)", port_name,
                        row_text(has, "name"));
    if (has)
        return ctl_has_option(call, "--may-exist")
                   ? 0
                   : ctl_fail(call, "lport (%s) has already been binded to chassis (%s)", port_name,
                              chassis_name);
    port = view_set(call->view, port, row_column(port, "chassis"), datum_new_uuid(&chassis->uuid));
    view_set_bool(call->view, port, "up", true);
    return 0;
}

static int run_lsp_unbind(struct ctl_call *call)
{
    const struct row *port = find_by(call, "Port_Binding", "logical_port", call->argv[0]);
    if (!port)
        return ctl_has_option(call, "--if-exists")
                   ? 0
                   : ctl_fail(call, "no port named %s", call->argv[0]);
    port = view_clear(call->view, port, "chassis");
    view_clear(call->view, port, "up");
    return 0;
}

static const char *name_of(struct ctl_call *call, const struct row *row, const char *column)
{
    struct row_list rows = view_referenced(call->view, row, column);
    const char *name = "";
    if (rows.n && !strcmp(column, "datapath"))
        name = row_map_text(rows.rows[0], "external_ids", "name");
    else if (rows.n)
        name = row_text(rows.rows[0], "name");
    row_list_fini(&rows);
    return name ? name : "";
}

static int compare_ports(const void *a, const void *b)
{
    return strcmp(row_text(*(const struct row *const *)a, "logical_port"),
                  row_text(*(const struct row *const *)b, "logical_port"));
}

static int run_list_bindings(struct ctl_call *call)
{
    static const char *const headings[] = {"port", "type", "datapath", "key", "chassis", "up"};
    struct row_list rows = view_rows(call->view, view_table(call->view, "Port_Binding"));
    if (rows.n)
        qsort(rows.rows, rows.n, sizeof *rows.rows, compare_ports);
    struct table_text *table = table_text_new();
    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_text_add_heading(table, headings[i]);
    for (size_t i = 0; i < rows.n; i++) {
        const struct row *port = rows.rows[i];
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)row_integer(port, "tunnel_key", 0));
        table_text_add_text(table, row_text(port, "logical_port"));
        table_text_add_text(table, row_text(port, "type"));
        table_text_add_text(table, name_of(call, port, "datapath"));
        table_text_add_text(table, key);
        table_text_add_text(table, name_of(call, port, "chassis"));
        table_text_add_text(table, row_bool(port, "up", false) ? "up" : "down");
    }
    struct table_style style = *ctl_table_style(call->ctl);
    if (style.format == TABLE_LIST)
        style.format = TABLE_TABLE;
    table_text_print(table, &style, &call->out);
    table_text_free(table);
    row_list_fini(&rows);
    return 0;
}

const struct ctl_command sb_chassis_commands[] = {
    {.help = "Chassis commands"},
    {"chassis-add", 3, 3, "CHASSIS ENCAP-TYPE ENCAP-IP", "--may-exist", CHASSIS_TABLES, NULL,
     run_chassis_add, "create CHASSIS with tunnels of ENCAP-TYPE(s, with commas) at ENCAP-IP"},
    {"chassis-del", 1, 1, "CHASSIS", "--if-exists", CHASSIS_TABLES, NULL, run_chassis_del,
     "delete CHASSIS and its tunnels"},
    {.help = "Port binding commands"},
    {"lsp-bind", 2, 2, "PORT CHASSIS", "--may-exist", BINDING_TABLES, NULL, run_lsp_bind,
     "say that a port is on a chassis"},
    {"lsp-unbind", 1, 1, "PORT", "--if-exists", BINDING_TABLES, NULL, run_lsp_unbind,
     "reset the binding of logical port PORT"},
    {"list-bindings", 0, 0, "", NULL, "Chassis Port_Binding Datapath_Binding", NULL,
     run_list_bindings, "print every logical port with its datapath and chassis"},
    {0},
};
