/* program.c - weft-vsctl: its tables of commands and options, and waiting for the switch daemon.
 *
 * A transaction that changes something also counts up Open_vSwitch:next_cfg, and the program ends
 * when the switch daemon has set cur_cfg to that number, unless --no-wait is given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rows/ovs.h"
#include "tools/vsctl/vsctl.h"

enum { OPT_NO_WAIT = 1000 };

struct vsctl {
    bool no_wait;
    bool has_changed, is_known;
    int64_t target;        /* of cur_cfg */
    const char *name;      /* of the program, for messages */
    VEC(char *) to_report; /* interfaces that were added */
};

static const struct ctl_option options[] = {
    {OPT_NO_WAIT, 0, "no-wait", NULL, "do not wait for the switch daemon to reconfigure"},
    {0, 0, NULL, NULL, NULL},
};

static int set_option(struct ctl *ctl, int id, const char *arg, struct diag *diag)
{
    (void)arg;
    (void)diag;
    struct vsctl *vsctl = ctl_aux(ctl);
    if (id == OPT_NO_WAIT)
        vsctl->no_wait = true;
    return 0;
}

static void forget_interfaces(struct vsctl *vsctl)
{
    for (size_t i = 0; i < vsctl->to_report.n; i++)
        free(vsctl->to_report.data[i]);
    vec_clear(&vsctl->to_report);
}

void vs_check_later(struct ctl_call *call, const char *interface)
{
    struct vsctl *vsctl = ctl_aux(call->ctl);
    struct view *view = ctl_view(call->ctl);
    vec_push(&vsctl->to_report, xstrdup(interface));
    /* So that the row is asked for, and comes when the switch has written what became of it. */
    struct row_list rows = view_by_name(view, view_table(view, "Interface"), interface);
    row_list_fini(&rows);
}

static int before(struct ctl *ctl, struct diag *diag)
{
    (void)diag;
    struct view *view = ctl_view(ctl);
    forget_interfaces(ctl_aux(ctl));
    struct row_list rows = view_rows(view, view_table(view, "Open_vSwitch"));
    if (!rows.n)
        (void)view_insert(view, view_table(view, "Open_vSwitch"));
    row_list_fini(&rows);
    return 0;
}

static void amend(struct ctl *ctl, struct replica_txn *txn, bool changed)
{
    struct vsctl *vsctl = ctl_aux(ctl);
    vsctl->has_changed = changed;
    if (vsctl->no_wait || !changed)
        return;
    struct view *view = ctl_view(ctl);
    struct row_list rows = view_rows(view, view_table(view, "Open_vSwitch"));
    replica_txn_mutate(txn, rows.rows[0]->table, &rows.rows[0]->uuid,
                       row_column(rows.rows[0], "next_cfg"), MUTATE_ADD, datum_new_integer(1));
    row_list_fini(&rows);
}

/* Says what the switch daemon could not set up. */
static void report(struct ctl *ctl)
{
    struct vsctl *vsctl = ctl_aux(ctl);
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, ctl_replica(ctl), view_table(ctl_view(ctl), "Interface"))
    {
        for (size_t i = 0; i < vsctl->to_report.n; i++) {
            const char *error = row_text(row, "error");
            if (strcmp(row_text(row, "name"), vsctl->to_report.data[i]) ||
                row_integer(row, "ofport", 0) != -1)
                continue;
            fprintf(stderr,
                    "%s: Error detected while setting up '%s'%s%s.  See the log of the "
                    "switch daemon for details.\n",
                    vsctl->name, row_text(row, "name"), *error ? ": " : "", error);
        }
    }
}

static bool is_done(struct ctl *ctl)
{
    struct vsctl *vsctl = ctl_aux(ctl);
    if (vsctl->no_wait || !vsctl->has_changed)
        return true;
    const struct schema_table *table = view_table(ctl_view(ctl), "Open_vSwitch");
    size_t pos = 0;
    const struct row *root = replica_next_row(ctl_replica(ctl), table, &pos);
    if (!root)
        return false;
    if (!vsctl->is_known) {
        vsctl->target = row_integer(root, "next_cfg", 0);
        vsctl->is_known = true;
    }
    if (row_integer(root, "cur_cfg", 0) < vsctl->target)
        return false;
    if (vsctl->to_report.n)
        report(ctl);
    return true;
}

static int run_init(struct ctl_call *call)
{
    (void)call; /* the row of Open_vSwitch is made before every command */
    return 0;
}

const struct ctl_command vs_general_commands[] = {
    {.help = "General commands"},
    {"init", 0, 0, "", NULL, NULL, NULL, run_init, "initialize the database, if it is not yet"},
    {"show", 0, 0, "", NULL, NULL, ctl_show_prepare, ctl_show_run,
     "print an overview of the database"},
    {0},
};

static const struct ctl_command *const commands[] = {
    vs_general_commands, vs_bridge_commands,   vs_port_commands,      vs_controller_commands,
    vs_ssl_commands,     ctl_db_read_commands, ctl_db_write_commands, NULL,
};

static const struct ctl_show show[] = {
    {"Open_vSwitch", NULL, {"manager_options", "bridges", "ovs_version"}, NULL, NULL, NULL},
    {"Bridge", "name", {"controller", "fail_mode", "datapath_type", "ports"}, NULL, NULL, NULL},
    {"Port", "name", {"tag", "trunks", "interfaces"}, NULL, NULL, NULL},
    {"Interface", "name", {"type", "options", "error", "bfd_status"}, NULL, NULL, NULL},
    {"Controller", "target", {"is_connected"}, NULL, NULL, NULL},
    {"Manager", "target", {"is_connected"}, NULL, NULL, NULL},
    {NULL, NULL, {NULL}, NULL, NULL, NULL},
};

static const struct ctl_row_id row_ids[] = {
    {"AutoAttach", "Bridge", "name", NULL, "auto_attach"},
    {"Controller", "Bridge", "name", NULL, "controller"},
    {"Flow_Sample_Collector_Set", NULL, "id", NULL, NULL},
    {"IPFIX", "Bridge", "name", NULL, "ipfix"},
    {"Manager", NULL, "target", NULL, NULL},
    {"NetFlow", "Bridge", "name", NULL, "netflow"},
    {"QoS", "Port", "name", NULL, "qos"},
    {"sFlow", "Bridge", "name", NULL, "sflow"},
    {NULL, NULL, NULL, NULL, NULL},
};

int vsctl_main(int argc, char **argv)
{
    static const struct ctl_program program = {
        .name = "weft-vsctl",
        .peer_name = "ovs-vsctl",
        .summary = "switch database: bridges, ports and interfaces of this host",
        .schema_new = ovs_schema_new,
        .socket = "db.sock",
        .side = RUNDIR_OVS,
        .commands = commands,
        .row_ids = row_ids,
        .show = show,
        .options = options,
        .set_option = set_option,
        .before = before,
        .amend = amend,
        .is_done = is_done,
        .tables = "Open_vSwitch",
    };
    const char *slash = strrchr(argv[0], '/');
    struct vsctl vsctl = {.name = slash ? slash + 1 : argv[0]};
    int status = ctl_main(argc, argv, &program, &vsctl);
    forget_interfaces(&vsctl);
    vec_fini(&vsctl.to_report);
    return status;
}
