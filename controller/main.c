/* main.c - weft-controller, in the role of ovn-controller.
 *
 * usage: weft-controller [options] [OVS-DATABASE]      default: unix:RUNDIR/db.sock
 */
#include <malloc.h>
#include <stdlib.h>

#include "base/err.h"
#include "controller/controller.h"
#include "daemon/daemon.h"

enum { OPTION_VERIFY = 1 };

struct state {
    struct controller *controller;
    struct daemon *daemon;
    char *switch_db;
    bool verify;
};

static int set_option(void *state_, int id, const char *arg UNUSED, struct diag *diag UNUSED)
{
    struct state *state = state_;
    if (id == OPTION_VERIFY)
        state->verify = true;
    return 0;
}

static int set_args(void *state_, int n, char **args, struct diag *diag)
{
    struct state *state = state_;
    if (n > 1)
        return diag_set(diag, ERR_INVALID,
                        "at most one argument, the switch database, is expected");
    if (n)
        state->switch_db = xstrdup(args[0]);
    return 0;
}

static void on_left(void *state_)
{
    struct state *state = state_;
    daemon_exit(state->daemon, 0);
}

/* exit [--restart]: takes our rows back, unless the controller is only being replaced. */
static void on_exit_command(struct unixctl_conn *conn, int argc, const char *argv[], void *state_)
{
    struct state *state = state_;
    bool is_restart = argc > 1 && !strcmp(argv[1], "--restart");
    unixctl_reply(conn, NULL);
    if (is_restart)
        daemon_exit(state->daemon, 0);
    else
        controller_cleanup(state->controller, on_left, state);
}

static int start(void *state_, struct daemon *daemon, bool *ready UNUSED, struct diag *diag)
{
    struct state *state = state_;
    state->daemon = daemon;
    if (!state->switch_db)
        state->switch_db = xasprintf("unix:%s/db.sock", daemon_rundir(daemon));
    struct controller_options options = {
        .loop = daemon_loop(daemon),
        .switch_db = state->switch_db,
        .rundir = daemon_rundir(daemon),
        .tls = daemon_tls(daemon),
        .unixctl = daemon_unixctl(daemon),
        .verify = state->verify,
    };
    state->controller = controller_new(&options, diag);
    if (!state->controller)
        return ERR_INVALID;
    unixctl_register(daemon_unixctl(daemon), "exit", "[--restart]", 0, 1, on_exit_command, state);
    return 0;
}

static void stop(void *state_)
{
    struct state *state = state_;
    controller_free(state->controller);
    free(state->switch_db);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {OPTION_VERIFY, 0, "verify", NULL, "compare with a full compute after each change (slow)"},
        OPTION_END,
    };
    static const struct daemon_spec spec = {
        .name = "weft-controller",
        .peer_name = "ovn-controller",
        .side = RUNDIR_OVS,
        .usage = "[OVS-DATABASE]",
        .summary =
            "Connects this hypervisor's switch to the virtual network of the southbound database.",
        .options = options,
        .set_option = set_option,
        .set_args = set_args,
        .start = start,
        .stop = stop,
    };
    struct state state = {0};
    mallopt(M_MXFAST, 0); /* or each message that is freed gathers the small pieces of everything */
    return daemon_main(argc, argv, &spec, &state);
}
