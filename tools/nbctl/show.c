/* show.c - "show": switches and routers with their ports, as a tree. */
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define SHOW_TABLES                                                                                \
    "Logical_Switch Logical_Switch_Port Logical_Router Logical_Router_Port Gateway_Chassis NAT"

static void put_alias(struct ctl_call *call, const struct row *row, const char *key)
{
    const char *alias = row_map_text(row, "external_ids", key);
    if (alias && *alias)
        str_putf(&call->out, " (aka %s)", alias);
}

static void put_head(struct ctl_call *call, const char *word, const struct row *row,
                     const char *alias_key)
{
    char uuid[UUID_TEXT_LEN + 1];
    str_putf(&call->out, "%s %s (%s)", word, uuid_print(&row->uuid, uuid), row_text(row, "name"));
    put_alias(call, row, alias_key);
    str_putc(&call->out, '\n');
}

/* "        WORD: ["a", "b"]" */
static void put_texts(struct ctl_call *call, const char *word, const struct datum *texts)
{
    str_putf(&call->out, "        %s: [", word);
    for (size_t i = 0; i < texts->n; i++)
        str_putf(&call->out, "%s\"%s\"", i ? ", " : "", texts->atoms[i].string->s);
    str_put(&call->out, "]\n");
}

static void show_switch_port(struct ctl_call *call, const struct row *port)
{
    const char *type = row_text(port, "type");
    str_putf(&call->out, "    port %s", row_text(port, "name"));
    put_alias(call, port, "neutron:port_name");
    str_putc(&call->out, '\n');
    if (*type)
        str_putf(&call->out, "        type: %s\n", type);
    if (*row_text(port, "parent_name"))
        str_putf(&call->out, "        parent: %s\n", row_text(port, "parent_name"));
    if (row_value(port, "tag")->n)
        str_putf(&call->out, "        tag: %lld\n", (long long)row_integer(port, "tag", 0));
    if (row_value(port, "addresses")->n && strcmp(type, "router"))
        put_texts(call, "addresses", row_value(port, "addresses"));
    const char *router_port = row_map_text(port, "options", "router-port");
    if (router_port)
        str_putf(&call->out, "        router-port: %s\n", router_port);
}

static void show_switch(struct ctl_call *call, const struct row *ls)
{
    put_head(call, "switch", ls, "neutron:network_name");
    struct row_list ports = view_referenced(call->view, ls, "ports");
    for (size_t i = 0; i < ports.n; i++)
        show_switch_port(call, ports.rows[i]);
    row_list_fini(&ports);
}

static void show_router_port(struct ctl_call *call, const struct row *port)
{
    str_putf(&call->out, "    port %s\n", row_text(port, "name"));
    if (*row_text(port, "mac"))
        str_putf(&call->out, "        mac: \"%s\"\n", row_text(port, "mac"));
    if (row_value(port, "networks")->n)
        put_texts(call, "networks", row_value(port, "networks"));
    struct row_list gateways = nb_gateways(call, port);
    if (gateways.n) {
        str_put(&call->out, "        gateway chassis: [");
        for (size_t i = 0; i < gateways.n; i++)
            str_putf(&call->out, "%s%s", i ? " " : "", row_text(gateways.rows[i], "chassis_name"));
        str_put(&call->out, "]\n");
    }
    row_list_fini(&gateways);
}

static void show_nat(struct ctl_call *call, const struct row *nat)
{
    char uuid[UUID_TEXT_LEN + 1];
    str_putf(&call->out, "    nat %s\n", uuid_print(&nat->uuid, uuid));
    str_putf(&call->out, "        external ip: \"%s\"\n", row_text(nat, "external_ip"));
    if (*row_text(nat, "external_port_range"))
        str_putf(&call->out, "        external port(s): \"%s\"\n",
                 row_text(nat, "external_port_range"));
    str_putf(&call->out, "        logical ip: \"%s\"\n", row_text(nat, "logical_ip"));
    str_putf(&call->out, "        type: \"%s\"\n", row_text(nat, "type"));
}

static void show_router(struct ctl_call *call, const struct row *lr)
{
    put_head(call, "router", lr, "neutron:router_name");
    struct row_list ports = view_referenced(call->view, lr, "ports");
    for (size_t i = 0; i < ports.n; i++)
        show_router_port(call, ports.rows[i]);
    row_list_fini(&ports);
    struct row_list nats = view_referenced(call->view, lr, "nat");
    for (size_t i = 0; i < nats.n; i++)
        show_nat(call, nats.rows[i]);
    row_list_fini(&nats);
}

static int run_show(struct ctl_call *call)
{
    if (call->argc == 1) {
        const struct row *ls, *lr;
        int err = nb_find(call, &nb_switch, call->argv[0], false, &ls);
        if (!err && ls)
            show_switch(call, ls);
        if (!err)
            err = nb_find(call, &nb_router, call->argv[0], false, &lr);
        if (!err && lr)
            show_router(call, lr);
        return err;
    }
    struct row_list switches = view_rows(call->view, view_table(call->view, "Logical_Switch"));
    for (size_t i = 0; i < switches.n; i++)
        show_switch(call, switches.rows[i]);
    row_list_fini(&switches);
    struct row_list routers = view_rows(call->view, view_table(call->view, "Logical_Router"));
    for (size_t i = 0; i < routers.n; i++)
        show_router(call, routers.rows[i]);
    row_list_fini(&routers);
    return 0;
}

const struct ctl_command nb_general_commands[] = {
    {.help = "General commands"},
    {"show", 0, 1, "[SWITCH|ROUTER]", NULL, SHOW_TABLES, NULL, run_show,
     "print an overview of the database or of one switch or router"},
    {0},
};
