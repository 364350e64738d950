/* datapath.c - ls-add, ls-del, ls-list and the same for routers. */
#include "base/err.h"
#include "tools/nbctl/nbctl.h"

/* ls-add, lr-add: a row of TABLE_NAME; names are unique unless that is asked away. */
static int add(struct ctl_call *call, const char *table_name, const char *noun)
{
    const char *name = call->argc ? call->argv[0] : NULL;
    bool may_exist = ctl_has_option(call, "--may-exist");
    bool add_duplicate = ctl_has_option(call, "--add-duplicate");
    if (may_exist && add_duplicate)
        return ctl_fail(call, "--may-exist and --add-duplicate may not be used together");
    if (!name && (may_exist || add_duplicate))
        return ctl_fail(call, "%s requires specifying a name",
                        may_exist ? "--may-exist" : "--add-duplicate");
    const struct schema_table *table = view_table(call->view, table_name);
    if (name && !add_duplicate) {
        struct row_list rows = view_by_name(call->view, table, name);
        bool exists = rows.n > 0;
        row_list_fini(&rows);
        if (exists && may_exist)
            return 0;
        if (exists)
            return ctl_fail(call, "%s: a %s with this name already exists", name, noun);
    }
    const struct row *row = view_insert(call->view, table);
    if (name)
        view_set_text(call->view, row, "name", name);
    return 0;
}

static int list(struct ctl_call *call, const char *table_name)
{
    struct row_list rows = view_rows(call->view, view_table(call->view, table_name));
    nb_put_names(call, &rows);
    row_list_fini(&rows);
    return 0;
}

static int run_ls_add(struct ctl_call *call)
{
    return add(call, "Logical_Switch", "switch");
}

static int run_lr_add(struct ctl_call *call)
{
    return add(call, "Logical_Router", "router");
}

static int run_ls_list(struct ctl_call *call)
{
    return list(call, "Logical_Switch");
}

static int run_lr_list(struct ctl_call *call)
{
    return list(call, "Logical_Router");
}

static int run_ls_del(struct ctl_call *call)
{
    const struct row *row;
    int err = nb_find(call, &nb_switch, call->argv[0], !ctl_has_option(call, "--if-exists"), &row);
    if (!err && row)
        nb_delete_with(call, row, "ports");
    return err;
}

static int run_lr_del(struct ctl_call *call)
{
    const struct row *row;
    int err = nb_find(call, &nb_router, call->argv[0], !ctl_has_option(call, "--if-exists"), &row);
    if (!err && row)
        nb_delete_with(call, row, "ports");
    return err;
}

const struct ctl_command nb_switch_commands[] = {
    {.help = "Logical switch commands"},
    {"ls-add", 0, 1, "[SWITCH]", "--may-exist,--add-duplicate", "Logical_Switch", NULL, run_ls_add,
     "a new switch"},
    {"ls-del", 1, 1, "SWITCH", "--if-exists", "Logical_Switch Logical_Switch_Port", NULL,
     run_ls_del, "remove a switch with its ports"},
    {"ls-list", 0, 0, "", NULL, "Logical_Switch", NULL, run_ls_list, "all switches by name"},
    {0},
};

const struct ctl_command nb_router_commands[] = {
    {.help = "Logical router commands"},
    {"lr-add", 0, 1, "[ROUTER]", "--may-exist,--add-duplicate", "Logical_Router", NULL, run_lr_add,
     "a new router"},
    {"lr-del", 1, 1, "ROUTER", "--if-exists", "Logical_Router Logical_Router_Port", NULL,
     run_lr_del, "remove a router with its ports"},
    {"lr-list", 0, 0, "", NULL, "Logical_Router", NULL, run_lr_list, "all routers by name"},
    {0},
};
