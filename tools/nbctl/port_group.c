/* port_group.c - pg-*: groups of switch ports that ACLs apply to. */
#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define GROUP_TABLES "Port_Group Logical_Switch_Port"

/* The ports that the arguments from the second on name become those of GROUP. */
static int set_ports(struct ctl_call *call, const struct row *group)
{
    group = view_clear(call->view, group, "ports");
    for (int i = 1; i < call->argc; i++) {
        const struct row *port;
        int err = nb_find(call, &nb_port, call->argv[i], true, &port);
        if (err)
            return err;
        group = view_add_ref(call->view, group, "ports", port);
    }
    return 0;
}

static int run_pg_add(struct ctl_call *call)
{
    const struct row *group = view_insert(call->view, view_table(call->view, "Port_Group"));
    group = view_set_text(call->view, group, "name", call->argv[0]);
    return set_ports(call, group);
}

static int run_pg_set_ports(struct ctl_call *call)
{
    const struct row *group;
    int err = nb_find(call, &nb_port_group, call->argv[0], true, &group);
    return err ? err : set_ports(call, group);
}

static int run_pg_get_ports(struct ctl_call *call)
{
    return nb_list_names(call, &nb_port_group, "ports");
}

static int run_pg_del(struct ctl_call *call)
{
    const struct row *group;
    int err = nb_find(call, &nb_port_group, call->argv[0], true, &group);
    if (!err)
        view_delete(call->view, group);
    return err;
}

const struct ctl_command nb_port_group_commands[] = {
    {.help = "Port group commands"},
    {"pg-add", 1, CTL_ANY, "GROUP [PORT]...", NULL, GROUP_TABLES, NULL, run_pg_add,
     "a new group of switch ports"},
    {"pg-set-ports", 2, CTL_ANY, "GROUP PORT...", NULL, GROUP_TABLES, NULL, run_pg_set_ports,
     "set the ports of GROUP"},
    {"pg-get-ports", 1, 1, "GROUP", NULL, GROUP_TABLES, NULL, run_pg_get_ports,
     "print the ports of GROUP"},
    {"pg-del", 1, 1, "GROUP", NULL, GROUP_TABLES, NULL, run_pg_del, "delete GROUP"},
    {0},
};
