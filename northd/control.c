/* control.c - see control.h. Each command is a line of the table at the end. */
#include "northd/control.h"

#include <stdlib.h>

#include "base/err.h"
#include "ovsdb/server/server.h"

struct control {
    struct northd *northd;
    struct replica *nb, *sb;
    struct ovsdb_server *nb_server, *sb_server;
};

typedef struct unixctl_conn conn;

static void cmd_status(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    struct control *control = aux;
    unixctl_reply(c, northd_is_paused(control->northd)   ? "Status: paused\n"
                     : northd_is_active(control->northd) ? "Status: active\n"
                                                         : "Status: standby\n");
}

/* The database hosted here is written by who has its lock: this northd, while it is not paused. */
static void control_hold_lock(struct control *control)
{
    if (control->sb_server)
        ovsdb_server_hold_lock(control->sb_server, NORTHD_LOCK, !northd_is_paused(control->northd));
}

static void cmd_pause(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    struct control *control = aux;
    northd_pause(control->northd, true);
    control_hold_lock(control);
    unixctl_reply(c, NULL);
}

static void cmd_resume(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    struct control *control = aux;
    northd_pause(control->northd, false);
    control_hold_lock(control);
    unixctl_reply(c, NULL);
}

static void cmd_is_paused(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    struct control *control = aux;
    unixctl_reply(c, northd_is_paused(control->northd) ? "true\n" : "false\n");
}

static void reply_connection(conn *c, const struct replica *replica)
{
    unixctl_reply(c, replica_is_connected(replica) ? "connected\n" : "not connected\n");
}

static void cmd_nb_connection(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    reply_connection(c, ((struct control *)aux)->nb);
}

static void cmd_sb_connection(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    reply_connection(c, ((struct control *)aux)->sb);
}

static void cmd_inc_show(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    struct control *control = aux;
    struct str out = STR_INIT;
    northd_put_stats(control->northd, &out);
    unixctl_reply(c, str_c(&out));
    str_fini(&out);
}

static void cmd_recompute(conn *c, int argc UNUSED, const char *argv[] UNUSED, void *aux)
{
    struct control *control = aux;
    northd_recompute(control->northd);
    unixctl_reply(c, NULL);
}

/* Either database hosted here: add, remove or list the addresses that it is served at. */
static struct ovsdb_server *find_server(struct control *control, const char *db)
{
    if (!strcmp(db, "nb") || !strcmp(db, "OVN_Northbound"))
        return control->nb_server;
    if (!strcmp(db, "sb") || !strcmp(db, "OVN_Southbound"))
        return control->sb_server;
    return NULL;
}

static void cmd_add_remote(conn *c, int argc UNUSED, const char *argv[], void *aux)
{
    struct ovsdb_server *server = find_server(aux, argv[1]);
    struct diag diag = DIAG_INIT;
    if (!server)
        unixctl_error(c, "no such database is served here");
    else if (ovsdb_server_add_remote(server, argv[2], &diag))
        unixctl_error(c, diag_text(&diag));
    else
        unixctl_reply(c, NULL);
    diag_fini(&diag);
}

static void cmd_remove_remote(conn *c, int argc UNUSED, const char *argv[], void *aux)
{
    struct ovsdb_server *server = find_server(aux, argv[1]);
    if (!server)
        unixctl_error(c, "no such database is served here");
    else if (ovsdb_server_remove_remote(server, argv[2]))
        unixctl_error(c, "no such remote");
    else
        unixctl_reply(c, NULL);
}

static void put_line(void *out, const char *target)
{
    str_putf(out, "%s\n", target);
}

static void cmd_list_remotes(conn *c, int argc UNUSED, const char *argv[], void *aux)
{
    struct ovsdb_server *server = find_server(aux, argv[1]);
    struct str out = STR_INIT;
    if (!server) {
        unixctl_error(c, "no such database is served here");
        return;
    }
    ovsdb_server_for_each_remote(server, put_line, &out);
    unixctl_reply(c, str_c(&out));
    str_fini(&out);
}

static void put_memory(void *aux, struct str *out)
{
    struct control *control = aux;
    northd_put_memory(control->northd, out);
}

static void put_counters(void *aux, struct counters *counters)
{
    struct control *control = aux;
    struct northd_counts counts = northd_counts(control->northd);
    counter_set(counters, "nb_update", counts.nb_updates);
    counter_set(counters, "sb_update", counts.sb_updates);
    counter_set(counters, "nb_transaction", counts.nb_transactions);
    counter_set(counters, "sb_transaction", counts.sb_transactions);
    counter_set(counters, "transaction_failed", counts.failures);
    counter_set(counters, "recompute", counts.recomputes);
}

struct control *control_new(struct northd *northd, struct replica *nb, struct replica *sb,
                            struct ovsdb_server *nb_server, struct ovsdb_server *sb_server,
                            struct unixctl *ctl)
{
    static const struct unixctl_entry commands[] = {
        {"status", "", 0, 0, cmd_status},
        {"pause", "", 0, 0, cmd_pause},
        {"resume", "", 0, 0, cmd_resume},
        {"is-paused", "", 0, 0, cmd_is_paused},
        {"nb-connection-status", "", 0, 0, cmd_nb_connection},
        {"sb-connection-status", "", 0, 0, cmd_sb_connection},
        {"inc/show", "", 0, 0, cmd_inc_show},
        {"inc-engine/show-stats", "", 0, 0, cmd_inc_show},
        {"inc-engine/recompute", "", 0, 0, cmd_recompute},
        {"remote/add", "nb|sb REMOTE", 2, 2, cmd_add_remote},
        {"remote/remove", "nb|sb REMOTE", 2, 2, cmd_remove_remote},
        {"remote/list", "nb|sb", 1, 1, cmd_list_remotes},
    };
    struct control *control = NEW(struct control);
    control->northd = northd;
    control->nb = nb;
    control->sb = sb;
    control->nb_server = nb_server;
    control->sb_server = sb_server;
    control_hold_lock(control);
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), control);
    unixctl_add_memory(ctl, put_memory, control);
    unixctl_add_counters(ctl, put_counters, control);
    return control;
}

void control_free(struct control *control)
{
    free(control);
}
