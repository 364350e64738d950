/* program.c - weft-nbctl: its tables of commands and options, and --wait.
 *
 * With --wait=sb or --wait=hv a transaction that changes something also counts up NB_Global:nb_cfg,
 * and the program ends when northd (sb_cfg) or all hypervisors (hv_cfg) have caught up with that
 * number. "sync" counts up in any case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rows/nb.h"
#include "tools/nbctl/nbctl.h"

enum wait_type { WAIT_NONE, WAIT_SB, WAIT_HV };

enum { OPT_WAIT = 1000, OPT_NO_WAIT, OPT_PRINT_WAIT_TIME, OPT_COST };

struct nbctl {
    enum wait_type wait;
    bool force;     /* sync: count up though nothing changes */
    bool is_known;  /* the number to wait for */
    int64_t target; /* of sb_cfg or hv_cfg */
    bool print_time;
    int64_t start_ms; /* wall clock, when the number was counted up; 0: it was not */
};

static const struct ctl_option options[] = {
    {OPT_WAIT, 0, "wait", "none|sb|hv", "wait until northd (sb) or all hypervisors (hv) caught up"},
    {OPT_NO_WAIT, 0, "no-wait", NULL, "do not wait (default)"},
    {OPT_PRINT_WAIT_TIME, 0, "print-wait-time", NULL, "print how long --wait waited, and for whom"},
    {OPT_COST, 0, "cost", NULL,
     "print what the commands will cost: flows that come and go, and hypervisors (of weft-northd)"},
    {0, 0, NULL, NULL, NULL},
};

static int set_option(struct ctl *ctl, int id, const char *arg, struct diag *diag)
{
    static const char *const names[] = {"none", "sb", "hv"};
    struct nbctl *nbctl = ctl_aux(ctl);
    if (id == OPT_NO_WAIT)
        nbctl->wait = WAIT_NONE;
    if (id == OPT_PRINT_WAIT_TIME)
        nbctl->print_time = true;
    if (id == OPT_COST)
        ctl_want_cost(ctl);
    if (id != OPT_WAIT)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(arg, names[i])) {
            nbctl->wait = (enum wait_type)i;
            return 0;
        }
    return diag_set(diag, ERR_INVALID, "argument to --wait must be \"none\", \"sb\", or \"hv\"");
}

/* NULL when there is none yet. */
static const struct row *global_row(struct view *view)
{
    struct row_list rows = view_rows(view, view_table(view, "NB_Global"));
    const struct row *row = rows.n ? rows.rows[0] : NULL;
    row_list_fini(&rows);
    return row;
}

static int before(struct ctl *ctl, struct diag *diag)
{
    (void)diag;
    if (!global_row(ctl_view(ctl)))
        (void)view_insert(ctl_view(ctl), view_table(ctl_view(ctl), "NB_Global"));
    return 0;
}

static void amend(struct ctl *ctl, struct replica_txn *txn, bool changed)
{
    struct nbctl *nbctl = ctl_aux(ctl);
    const struct row *global = global_row(ctl_view(ctl));
    if (nbctl->wait == WAIT_NONE || (!changed && !nbctl->force))
        return;
    nbctl->start_ms = env_wall_ms(env_real());
    replica_txn_mutate(txn, global->table, &global->uuid, row_column(global, "nb_cfg"), MUTATE_ADD,
                       datum_new_integer(1));
}

/* From the change to each of the times that are told in NB_Global. */
static void print_times(const struct nbctl *nbctl, const struct row *global)
{
    static const struct {
        const char *text, *column;
    } steps[] = {
        {"ovn-northd delay before processing:\t", "nb_cfg_timestamp"},
        {"ovn-northd completion:\t\t\t", "sb_cfg_timestamp"},
        {"ovn-controller(s) completion:\t\t", "hv_cfg_timestamp"},
    };
    printf("Time spent on processing nb_cfg %lld:\n", (long long)nbctl->target);
    for (size_t i = 0; i < ARRAY_SIZE(steps) - (nbctl->wait == WAIT_SB); i++)
        printf("\t%s%lldms\n", steps[i].text,
               (long long)(row_integer(global, steps[i].column, 0) - nbctl->start_ms));
}

static bool is_done(struct ctl *ctl)
{
    struct nbctl *nbctl = ctl_aux(ctl);
    if (nbctl->wait == WAIT_NONE)
        return true;
    /* What the view shows is older than the commit. */
    const struct schema_table *table = view_table(ctl_view(ctl), "NB_Global");
    size_t pos = 0;
    const struct row *global = replica_next_row(ctl_replica(ctl), table, &pos);
    if (!global)
        return false;
    if (!nbctl->is_known) {
        nbctl->target = row_integer(global, "nb_cfg", 0);
        nbctl->is_known = true;
    }
    if (row_integer(global, nbctl->wait == WAIT_SB ? "sb_cfg" : "hv_cfg", 0) < nbctl->target)
        return false;
    if (nbctl->print_time && nbctl->start_ms)
        print_times(nbctl, global);
    return true;
}

static int run_sync(struct ctl_call *call)
{
    struct nbctl *nbctl = ctl_aux(call->ctl);
    if (nbctl->wait != WAIT_NONE)
        nbctl->force = true;
    return 0;
}

static int run_init(struct ctl_call *call)
{
    (void)call; /* the row of NB_Global is made before every command */
    return 0;
}

static const struct ctl_command sync_commands[] = {
    {.help = "Synchronization"},
    {"sync", 0, 0, "", NULL, NULL, NULL, run_sync,
     "wait as --wait says, even if nothing was changed"},
    {"init", 0, 0, "", NULL, NULL, NULL, run_init,
     "make the database's one global row if it is missing"},
    {0},
};

static const struct ctl_command *const commands[] = {
    nb_general_commands,
    nb_check_commands,
    nb_switch_commands,
    nb_acl_commands,
    nb_qos_commands,
    nb_mirror_commands,
    nb_meter_commands,
    nb_port_commands,
    nb_forwarding_commands,
    nb_router_commands,
    nb_router_port_commands,
    nb_gateway_commands,
    nb_route_commands,
    nb_policy_commands,
    nb_nat_commands,
    nb_balancer_commands,
    nb_balancer_use_commands,
    nb_dhcp_commands,
    nb_port_group_commands,
    nb_ha_group_commands,
    nb_copp_commands,
    nb_static_mac_commands,
    sync_commands,
    ctl_connection_commands,
    ctl_db_read_commands,
    ctl_db_write_commands,
    NULL,
};

static const struct ctl_row_id row_ids[] = {
    {"Connection", NULL, "target", NULL, NULL},
    {"HA_Chassis", NULL, "chassis_name", NULL, NULL},
    {"Load_Balancer_Health_Check", NULL, "vip", NULL, NULL},
    {"Static_MAC_Binding", NULL, "logical_port", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int nbctl_main(int argc, char **argv)
{
    static const struct ctl_old_name old_names[] = {
        {"lswitch-", "ls-"}, {"lport-", "lsp-"}, {NULL, NULL}};
    static const struct ctl_program program = {
        .name = "weft-nbctl",
        .peer_name = "ovn-nbctl",
        .summary = "northbound database: virtual switches, routers and their ports",
        .schema_new = nb_schema_new,
        .socket = "ovnnb_db.sock",
        .side = RUNDIR_OVN,
        .db_variable = "OVN_NB_DB",
        .daemon_variable = "OVN_NB_DAEMON",
        .may_follow = true,
        .commands = commands,
        .row_ids = row_ids,
        .options = options,
        .set_option = set_option,
        .before = before,
        .amend = amend,
        .is_done = is_done,
        .tables = "NB_Global",
        .root = "NB_Global",
        .old_names = old_names,
    };
    struct nbctl nbctl = {0};
    return ctl_main(argc, argv, &program, &nbctl);
}
