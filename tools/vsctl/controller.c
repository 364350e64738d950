/* controller.c - OpenFlow controllers and fail mode of a bridge, OVSDB managers. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/target.h"
#include "tools/vsctl/vsctl.h"

#define CONTROLLER_TABLES VS_TABLES " Controller"
#define MANAGER_TABLES "Open_vSwitch Manager"

static int compare_targets(const void *a, const void *b)
{
    return strcmp(row_text(*(const struct row *const *)a, "target"),
                  row_text(*(const struct row *const *)b, "target"));
}

static void put_targets(struct ctl_call *call, const struct row *owner, const char *column)
{
    struct row_list rows = view_referenced(call->view, owner, column);
    if (rows.n)
        qsort(rows.rows, rows.n, sizeof *rows.rows, compare_targets);
    for (size_t i = 0; i < rows.n; i++)
        str_putf(&call->out, "%s\n", row_text(rows.rows[i], "target"));
    row_list_fini(&rows);
}

static void delete_targets(struct ctl_call *call, const struct row *owner, const char *column)
{
    struct row_list rows = view_referenced(call->view, owner, column);
    view_clear(call->view, owner, column);
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
}

static int set_targets(struct ctl_call *call, const struct row *owner, const char *column,
                       const char *table, char **targets, int n)
{
    const char *probe = ctl_option(call, "--inactivity-probe");
    int64_t probe_ms = 0;
    if (probe && (text_to_i64(probe, 10, &probe_ms) || probe_ms < 0))
        return ctl_fail(call, "%s: invalid inactivity probe value", probe);
    delete_targets(call, owner, column);
    for (int i = 0; i < n; i++) {
        if (!target_is_active(targets[i]) && !target_is_passive(targets[i]))
            ctl_warn(call, "vsctl", "target type \"%.*s\" is possibly erroneous",
                     (int)strcspn(targets[i], ":"), targets[i]);
        const struct row *row = view_insert(call->view, view_table(call->view, table));
        row = view_set_text(call->view, row, "target", targets[i]);
        if (probe)
            row = view_set_integer(call->view, row, "inactivity_probe", probe_ms);
        owner = view_add_ref(call->view, owner, column, row);
    }
    return 0;
}

/* ---- controllers ---- */

static int run_get_controller(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (!err)
        put_targets(call, bridge.row, "controller");
    return err;
}

static int run_del_controller(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_real_bridge_find(call, call->argv[0], &bridge);
    if (!err)
        delete_targets(call, bridge.row, "controller");
    return err;
}

static int run_set_controller(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_real_bridge_find(call, call->argv[0], &bridge);
    if (!err)
        err = set_targets(call, bridge.row, "controller", "Controller", call->argv + 1,
                          call->argc - 1);
    return err;
}

/* ---- fail mode ---- */

static int run_get_fail_mode(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_bridge_find(call, call->argv[0], &bridge);
    if (!err && *row_text(bridge.row, "fail_mode"))
        str_putf(&call->out, "%s\n", row_text(bridge.row, "fail_mode"));
    return err;
}

static int run_del_fail_mode(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_real_bridge_find(call, call->argv[0], &bridge);
    if (!err)
        view_clear(call->view, bridge.row, "fail_mode");
    return err;
}

static int run_set_fail_mode(struct ctl_call *call)
{
    struct vs_bridge bridge;
    int err = vs_real_bridge_find(call, call->argv[0], &bridge);
    if (err)
        return err;
    if (strcmp(call->argv[1], "standalone") && strcmp(call->argv[1], "secure"))
        return ctl_fail(call, "fail-mode must be \"standalone\" or \"secure\"");
    view_set_text(call->view, bridge.row, "fail_mode", call->argv[1]);
    return 0;
}

/* ---- managers ---- */

static int run_get_manager(struct ctl_call *call)
{
    put_targets(call, vs_root(call), "manager_options");
    return 0;
}

static int run_del_manager(struct ctl_call *call)
{
    delete_targets(call, vs_root(call), "manager_options");
    return 0;
}

static int run_set_manager(struct ctl_call *call)
{
    return set_targets(call, vs_root(call), "manager_options", "Manager", call->argv, call->argc);
}

const struct ctl_command vs_controller_commands[] = {
    {.help = "Controller commands"},
    {"get-controller", 1, 1, "BRIDGE", NULL, CONTROLLER_TABLES, NULL, run_get_controller,
     "print the controllers of BRIDGE"},
    {"del-controller", 1, 1, "BRIDGE", NULL, CONTROLLER_TABLES, NULL, run_del_controller,
     "delete the controllers of BRIDGE"},
    {"set-controller", 1, CTL_ANY, "BRIDGE TARGET...", "--inactivity-probe=", CONTROLLER_TABLES,
     NULL, run_set_controller, "set the controllers of BRIDGE"},
    {"get-fail-mode", 1, 1, "BRIDGE", NULL, VS_TABLES, NULL, run_get_fail_mode,
     "print the fail mode of BRIDGE"},
    {"del-fail-mode", 1, 1, "BRIDGE", NULL, VS_TABLES, NULL, run_del_fail_mode,
     "delete the fail mode of BRIDGE"},
    {"set-fail-mode", 2, 2, "BRIDGE MODE", NULL, VS_TABLES, NULL, run_set_fail_mode,
     "without controller BRIDGE is a learning switch (standalone) or forwards nothing (secure)"},
    {.help = "Manager commands"},
    {"get-manager", 0, 0, "", NULL, MANAGER_TABLES, NULL, run_get_manager,
     "where managers are served or connected to"},
    {"del-manager", 0, 0, "", NULL, MANAGER_TABLES, NULL, run_del_manager,
     "stop listening where set-manager said"},
    {"set-manager", 1, CTL_ANY, "TARGET...", "--inactivity-probe=", MANAGER_TABLES, NULL,
     run_set_manager, "set the list of managers to TARGETs"},
    {0},
};
