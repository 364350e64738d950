/* ha_group.c - ha-chassis-group-*: chassis that stand in for one another, by priority. */
#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define HA_TABLES "HA_Chassis_Group HA_Chassis"

static int run_add(struct ctl_call *call)
{
    const struct row *group = view_insert(call->view, view_table(call->view, "HA_Chassis_Group"));
    view_set_text(call->view, group, "name", call->argv[0]);
    return 0;
}

static int run_del(struct ctl_call *call)
{
    const struct row *group;
    int err = nb_find(call, &nb_ha_group, call->argv[0], true, &group);
    if (!err)
        nb_delete_with(call, group, "ha_chassis");
    return err;
}

static int run_list(struct ctl_call *call)
{
    char uuid[UUID_TEXT_LEN + 1];
    struct row_list groups = view_rows(call->view, view_table(call->view, "HA_Chassis_Group"));
    for (size_t i = 0; i < groups.n; i++) {
        str_putf(&call->out, "%s (%s)\n", uuid_print(&groups.rows[i]->uuid, uuid),
                 row_text(groups.rows[i], "name"));
        struct row_list members = view_referenced(call->view, groups.rows[i], "ha_chassis");
        for (size_t j = 0; j < members.n; j++)
            str_putf(&call->out, "    %s (%s)\n    priority %lld\n\n",
                     uuid_print(&members.rows[j]->uuid, uuid),
                     row_text(members.rows[j], "chassis_name"),
                     (long long)row_integer(members.rows[j], "priority", 0));
        row_list_fini(&members);
        str_putc(&call->out, '\n');
    }
    row_list_fini(&groups);
    return 0;
}

/* The group and its member that the first two arguments name. */
static int find_member(struct ctl_call *call, bool must_exist, const struct row **group,
                       const struct row **member)
{
    int err = nb_find(call, &nb_ha_group, call->argv[0], true, group);
    *member = err ? NULL : nb_find_in(call, *group, "ha_chassis", "chassis_name", call->argv[1]);
    if (!err && !*member && must_exist)
        return ctl_fail(call, "%s: ha chassis not found in %s ha chassis group", call->argv[1],
                        call->argv[0]);
    return err;
}

static int set_priority(struct ctl_call *call, bool must_exist)
{
    const struct row *group, *member;
    int64_t priority;
    int err = find_member(call, must_exist, &group, &member);
    if (!err)
        err = nb_parse_priority(call, call->argv[2], &priority);
    if (err)
        return err;
    if (!member) {
        member = nb_insert_into(call, group, "ha_chassis");
        member = view_set_text(call->view, member, "chassis_name", call->argv[1]);
    }
    view_set_integer(call->view, member, "priority", priority);
    return 0;
}

static int run_add_chassis(struct ctl_call *call)
{
    return set_priority(call, false);
}

static int run_set_chassis_prio(struct ctl_call *call)
{
    return set_priority(call, true);
}

static int run_remove_chassis(struct ctl_call *call)
{
    const struct row *group, *member;
    int err = find_member(call, true, &group, &member);
    if (!err)
        nb_delete_from(call, group, "ha_chassis", member);
    return err;
}

const struct ctl_command nb_ha_group_commands[] = {
    {.help = "HA chassis group commands"},
    {"ha-chassis-group-add", 1, 1, "GROUP", NULL, HA_TABLES, NULL, run_add,
     "a new group of chassis"},
    {"ha-chassis-group-del", 1, 1, "GROUP", NULL, HA_TABLES, NULL, run_del, "delete GROUP"},
    {"ha-chassis-group-list", 0, 0, "", NULL, HA_TABLES, NULL, run_list,
     "print all groups with their chassis"},
    {"ha-chassis-group-add-chassis", 3, 3, "GROUP CHASSIS PRIORITY", NULL, HA_TABLES, NULL,
     run_add_chassis, "add CHASSIS to GROUP, or change its priority"},
    {"ha-chassis-group-remove-chassis", 2, 2, "GROUP CHASSIS", NULL, HA_TABLES, NULL,
     run_remove_chassis, "take CHASSIS out of GROUP"},
    {"ha-chassis-group-set-chassis-prio", 3, 3, "GROUP CHASSIS PRIORITY", NULL, HA_TABLES, NULL,
     run_set_chassis_prio, "change the priority of CHASSIS in GROUP"},
    {0},
};
