/* forwarding.c - fwd-group-*: one virtual address for several ports of a switch. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define GROUP_TABLES "Forwarding_Group Logical_Switch"
#define ADD_TABLES GROUP_TABLES " Logical_Switch_Port"

static const struct row *find_group(struct ctl_call *call, const char *name)
{
    struct row_list rows =
        view_by_name(call->view, view_table(call->view, "Forwarding_Group"), name);
    const struct row *group = rows.n ? rows.rows[0] : NULL;
    row_list_fini(&rows);
    return group;
}

/* The ports that the arguments from the fifth on name are all of LS. */
static int check_ports(struct ctl_call *call, const struct row *ls)
{
    for (int i = 4; i < call->argc; i++) {
        const struct row *port;
        int err = nb_find(call, &nb_port, call->argv[i], false, &port);
        if (err)
            return err;
        if (!port)
            return ctl_fail(call, "%s: logical switch port does not exist", call->argv[i]);
        const struct row *owner = nb_owner(call, "Logical_Switch", "ports", port);
        if (!owner || !uuid_equal(&owner->uuid, &ls->uuid))
            return ctl_fail(call, "%s: port already exists but in logical switch %s", call->argv[i],
                            owner ? row_text(owner, "name") : "");
    }
    return 0;
}

static int run_add(struct ctl_call *call)
{
    const struct row *ls;
    struct mac mac;
    be32 ip;
    if (call->argc < 5)
        return ctl_fail(call, "Usage : ovn-nbctl fwd-group-add group switch vip vmac "
                              "child_ports...");
    if (find_group(call, call->argv[0]))
        return ctl_fail(call, "%s: a forwarding group by this name already exists", call->argv[0]);
    int err = nb_find(call, &nb_switch, call->argv[1], true, &ls);
    if (err)
        return err;
    if (ip4_parse(call->argv[2], &ip))
        return ctl_fail(call, "invalid ip address %s", call->argv[2]);
    if (mac_parse(call->argv[3], &mac))
        return ctl_fail(call, "invalid mac address %s", call->argv[3]);
    err = check_ports(call, ls);
    if (err)
        return err;
    const struct row *group = nb_insert_into(call, ls, "forwarding_groups");
    group = view_set_text(call->view, group, "name", call->argv[0]);
    group = view_set_text(call->view, group, "vip", call->argv[2]);
    group = view_set_text(call->view, group, "vmac", call->argv[3]);
    group = view_set_texts(call->view, group, "child_port", call->argv + 4, (size_t)call->argc - 4);
    if (ctl_has_option(call, "--liveness"))
        view_set_bool(call->view, group, "liveness", true);
    return 0;
}

static int run_del(struct ctl_call *call)
{
    const struct row *group = find_group(call, call->argv[0]);
    if (group)
        nb_delete_from(call, nb_owner(call, "Logical_Switch", "forwarding_groups", group),
                       "forwarding_groups", group);
    return 0;
}

static void put_groups(struct ctl_call *call, const struct row *ls)
{
    struct row_list groups = view_referenced(call->view, ls, "forwarding_groups");
    for (size_t i = 0; i < groups.n; i++) {
        const struct row *group = groups.rows[i];
        const struct datum *ports = row_value(group, "child_port");
        str_putf(&call->out, "%-16.16s%-14.14s%-15.15s%-23s", row_text(group, "name"),
                 row_text(ls, "name"), row_text(group, "vip"), row_text(group, "vmac"));
        for (size_t j = 0; j < ports->n; j++)
            str_putf(&call->out, "%s%s", j ? " " : "", ports->atoms[j].string->s);
        str_putc(&call->out, '\n');
    }
    row_list_fini(&groups);
}

static int run_list(struct ctl_call *call)
{
    const struct row *ls = NULL;
    int err = call->argc ? nb_find(call, &nb_switch, call->argv[0], true, &ls) : 0;
    if (err)
        return err;
    str_putf(&call->out, "%-16s%-14s%-16s%-22s%s\n", "FWD_GROUP", "LS", "VIP", "VMAC",
             "CHILD_PORTS");
    if (ls) {
        put_groups(call, ls);
        return 0;
    }
    struct row_list all = view_rows(call->view, view_table(call->view, "Logical_Switch"));
    for (size_t i = 0; i < all.n; i++)
        put_groups(call, all.rows[i]);
    row_list_fini(&all);
    return 0;
}

const struct ctl_command nb_forwarding_commands[] = {
    {.help = "Forwarding group commands"},
    {"fwd-group-add", 4, CTL_ANY, "GROUP SWITCH VIP VMAC PORT...", "--liveness", ADD_TABLES, NULL,
     run_add, "let ports of SWITCH share an address"},
    {"fwd-group-del", 1, 1, "GROUP", "--if-exists", GROUP_TABLES, NULL, run_del, "delete GROUP"},
    {"fwd-group-list", 0, 1, "[SWITCH]", NULL, GROUP_TABLES, NULL, run_list,
     "print the groups of SWITCH, or all"},
    {0},
};
