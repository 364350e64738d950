/* program.c - weft-sbctl: its tables of commands, and by what names rows are known. */
#include "rows/sb.h"
#include "tools/sbctl/sbctl.h"

static int before(struct ctl *ctl, struct diag *diag)
{
    (void)diag;
    struct view *view = ctl_view(ctl);
    struct row_list rows = view_rows(view, view_table(view, "SB_Global"));
    if (!rows.n)
        (void)view_insert(view, view_table(view, "SB_Global"));
    row_list_fini(&rows);
    return 0;
}

static int run_init(struct ctl_call *call)
{
    (void)call; /* the row of SB_Global is made before every command */
    return 0;
}

static const struct ctl_command general_commands[] = {
    {.help = "General commands"},
    {"init", 0, 0, "", NULL, NULL, NULL, run_init,
     "make the database's one global row if it is missing"},
    {"show", 0, 0, "", NULL, NULL, ctl_show_prepare, ctl_show_run,
     "print the chassis with their tunnels and the ports bound to them"},
    {0},
};

static const struct ctl_command *const commands[] = {
    general_commands,        sb_chassis_commands,  sb_lflow_commands,     sb_neighbor_commands,
    ctl_connection_commands, ctl_db_read_commands, ctl_db_write_commands, NULL,
};

static const struct ctl_show show[] = {
    {"Chassis", "name", {"hostname", "encaps"}, "Port_Binding", "chassis", "logical_port"},
    {"Encap", "type", {"ip", "options"}, NULL, NULL, NULL},
    {NULL, NULL, {NULL}, NULL, NULL, NULL},
};

static const struct ctl_row_id row_ids[] = {
    {"Chassis_Template_Var", NULL, "chassis", NULL, NULL},
    {"Connection", NULL, "target", NULL, NULL},
    {"Datapath_Binding", NULL, "external_ids", "name", NULL},
    {"Datapath_Binding", NULL, "external_ids", "name2", NULL},
    {"Datapath_Binding", NULL, "external_ids", "logical-switch", NULL},
    {"Datapath_Binding", NULL, "external_ids", "logical-router", NULL},
    {"IGMP_Group", NULL, "address", NULL, NULL},
    {"MAC_Binding", NULL, "logical_port", NULL, NULL},
    {"Multicast_Group", NULL, "name", NULL, NULL},
    {"Port_Binding", NULL, "logical_port", NULL, NULL},
    {"Port_Binding", NULL, "external_ids", "name", NULL},
    {"Static_MAC_Binding", NULL, "logical_port", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int sbctl_main(int argc, char **argv)
{
    static const struct ctl_program program = {
        .name = "weft-sbctl",
        .peer_name = "ovn-sbctl",
        .summary = "southbound database: logical flows, bindings and chassis",
        .schema_new = sb_schema_new,
        .socket = "ovnsb_db.sock",
        .side = RUNDIR_OVN,
        .db_variable = "OVN_SB_DB",
        .daemon_variable = "OVN_SB_DAEMON",
        .may_follow = true,
        .commands = commands,
        .row_ids = row_ids,
        .show = show,
        .before = before,
        .tables = "SB_Global",
        .root = "SB_Global",
    };
    return ctl_main(argc, argv, &program, NULL);
}
