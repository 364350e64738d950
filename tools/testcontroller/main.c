/* main.c - weft-testcontroller: a small OpenFlow controller for tests and recipes; the role of ovs-testcontroller.
 *
 * usage: weft-testcontroller [options] METHOD...        a METHOD listens (ptcp:6653) or connects (tcp:10.0.0.1:6653)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "tools/testcontroller/session.h"

LOG_MODULE(main);

enum {
    OPT_HUB = 1,
    OPT_NOFLOW,
    OPT_NORMAL,
    OPT_WILDCARDS,
    OPT_MAX_IDLE,
    OPT_MUTE,
    OPT_QUEUE,
    OPT_WITH_FLOWS,
    OPT_VERSIONS,
    OPT_DNAT,
    OPT_DNAT_INSTANCE,
    OPT_ARP,
    OPT_ARP_REWRITE,
    OPT_ON_DEMAND,
};

struct state {
    struct testcontroller_config config;
    struct daemon *daemon;
    VEC(char *) methods;
    VEC(struct stream_listener *) listeners;
    VEC(struct of_remote *) remotes;
    struct hmap sessions; /* of ready connections */
    VEC(struct of_conn *) accepted;
};

/* --- Connections */

static struct session *find_session(struct state *state, const struct of_conn *conn)
{
    struct session *s;
    HMAP_FOR_EACH_WITH_HASH (s, node, (uint64_t)(uintptr_t)conn, &state->sessions)
        if (s->conn == conn)
            return s;
    return NULL;
}

static void forget_accepted(struct state *state, const struct of_conn *conn)
{
    for (size_t i = 0; i < state->accepted.n; i++)
        if (state->accepted.data[i] == conn) {
            vec_remove(&state->accepted, i);
            return;
        }
}

static void on_ready(void *state_, struct of_conn *conn)
{
    struct state *state = state_;
    struct session *s = NEW(struct session);
    session_init(s, &state->config, conn);
    hmap_insert(&state->sessions, &s->node, (uint64_t)(uintptr_t)conn);
}

static void on_message(void *state_, struct of_conn *conn, const struct of_msg *msg)
{
    struct session *s = find_session(state_, conn);
    if (s)
        session_message(s, msg);
}

static void on_closed(void *state_, struct of_conn *conn, int err UNUSED, const char *reason)
{
    struct state *state = state_;
    struct session *s = find_session(state, conn);
    log_info("%s: connection closed (%s)", of_conn_name(conn), reason);
    if (s) {
        hmap_remove(&state->sessions, &s->node);
        session_fini(s);
        free(s);
    }
}

/* Of an accepted connection, which is ours; that of a struct of_remote is its own. */
static void on_accepted_closed(void *state, struct of_conn *conn, int err, const char *reason)
{
    on_closed(state, conn, err, reason);
    forget_accepted(state, conn);
    of_conn_free(conn);
}

static const struct of_conn_callbacks remote_callbacks = {on_ready, on_message, NULL, on_closed};
static const struct of_conn_callbacks callbacks = {on_ready, on_message, NULL, on_accepted_closed};

static void on_accept(void *state_, struct stream *stream)
{
    struct state *state = state_;
    struct of_conn_options options = {
        .versions = state->config.versions, .hello_bitmap = true, .probe_ms = 15000};
    vec_push(&state->accepted,
             of_conn_new(daemon_loop(state->daemon), stream, &options, &callbacks, state));
}

static int open_method(struct state *state, const char *method, struct diag *diag)
{
    struct loop *loop = daemon_loop(state->daemon);
    struct stream_options stream = {.default_port = TARGET_PORT_OPENFLOW,
                                    .rundir = daemon_rundir(state->daemon),
                                    .tls = daemon_tls(state->daemon)};
    if (target_is_passive(method)) {
        struct stream_listener *listener;
        int err = stream_listen(loop, method, &stream, on_accept, state, &listener, diag);
        if (!err)
            vec_push(&state->listeners, listener);
        return err;
    }
    struct reconnect_options reconnect = {.stream = stream};
    struct of_conn_options options = {
        .versions = state->config.versions, .hello_bitmap = true, .probe_ms = 15000};
    struct of_remote *remote;
    int err =
        of_remote_new(loop, method, &reconnect, &options, &remote_callbacks, state, &remote, diag);
    if (!err)
        vec_push(&state->remotes, remote);
    return err;
}

static void show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                 void *state_)
{
    struct state *state = state_;
    struct str out = STR_INIT;
    struct session *s;
    HMAP_FOR_EACH (s, node, &state->sessions)
        str_putf(
            &out,
            "%s: datapath %016llx, version 0x%02x, %llu packets in, %llu flows, %zu addresses\n",
            of_conn_name(s->conn), (unsigned long long)s->datapath_id, of_conn_version(s->conn),
            (unsigned long long)s->n_packet_ins, (unsigned long long)s->n_flows, s->macs.n);
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

/* --- Options */

static int parse_number(const char *arg, uint64_t max, const char *what, uint64_t *ret,
                        struct diag *diag)
{
    if (text_to_u64(arg, 10, ret) || *ret > max)
        return diag_set(diag, ERR_SYNTAX, "%s: %s must be a number up to %llu", arg, what,
                        (unsigned long long)max);
    return 0;
}

static int set_option(void *state_, int id, const char *arg, struct diag *diag)
{
    struct state *state = state_;
    struct testcontroller_config *c = &state->config;
    uint64_t n = 0;
    int err = 0;
    switch (id) {
    case OPT_HUB:
        c->mode = MODE_HUB;
        break;
    case OPT_NORMAL:
        c->mode = MODE_LEARN_NORMAL;
        break;
    case OPT_NOFLOW:
        c->no_flows = true;
        break;
    case OPT_WILDCARDS:
        c->wildcard = true;
        break;
    case OPT_MUTE:
        c->mute = true;
        break;
    case OPT_MAX_IDLE:
        if (strcmp(arg, "permanent") != 0)
            err = parse_number(arg, 65535, "--max-idle", &n, diag);
        c->max_idle = (uint16_t)n;
        break;
    case OPT_QUEUE:
        err = parse_number(arg, UINT32_MAX - 1, "--queue", &n, diag);
        c->queue = (int64_t)n;
        break;
    case OPT_WITH_FLOWS:
        return config_add_flows(arg, &c->flows, diag);
    case OPT_ON_DEMAND:
        return config_add_flows(arg, &c->on_demand, diag);
    case OPT_ARP:
        return config_add_arp(c, arg, diag);
    case OPT_ARP_REWRITE:
        return config_add_arp_rewrite(c, arg, diag);
    case OPT_VERSIONS:
        return of_versions_parse(arg, &c->versions, diag);
    case OPT_DNAT:
    case OPT_DNAT_INSTANCE:
        return config_add_dnat(c, arg, id == OPT_DNAT_INSTANCE, diag);
    }
    return err;
}

static int set_args(void *state_, int n, char **args, struct diag *diag)
{
    struct state *state = state_;
    if (!n)
        return diag_set(diag, ERR_INVALID,
                        "at least one METHOD is required, such as ptcp:6653; use --help for help");
    for (int i = 0; i < n; i++)
        vec_push(&state->methods, xstrdup(args[i]));
    return 0;
}

/* --- Life */

static int start(void *state_, struct daemon *daemon, bool *ready UNUSED, struct diag *diag)
{
    struct state *state = state_;
    state->daemon = daemon;
    unixctl_register(daemon_unixctl(daemon), "testcontroller/show", "", 0, 0, show, state);
    for (size_t i = 0; i < state->methods.n; i++) {
        int err = open_method(state, state->methods.data[i], diag);
        if (err)
            return err;
    }
    return 0;
}

static void stop(void *state_)
{
    struct state *state = state_;
    struct session *s;
    HMAP_FOR_EACH_SAFE (s, node, &state->sessions) {
        hmap_remove(&state->sessions, &s->node);
        session_fini(s);
        free(s);
    }
    hmap_fini(&state->sessions);
    for (size_t i = 0; i < state->listeners.n; i++)
        stream_listener_free(state->listeners.data[i]);
    for (size_t i = 0; i < state->accepted.n; i++)
        of_conn_free(state->accepted.data[i]);
    for (size_t i = 0; i < state->remotes.n; i++)
        of_remote_free(state->remotes.data[i]);
    for (size_t i = 0; i < state->methods.n; i++)
        free(state->methods.data[i]);
    vec_fini(&state->listeners);
    vec_fini(&state->accepted);
    vec_fini(&state->remotes);
    vec_fini(&state->methods);
    config_fini(&state->config);
}

int main(int argc, char **argv)
{
    static const struct option_spec options[] = {
        {OPT_HUB, 'H', "hub", NULL, "flood every packet"},
        {OPT_NOFLOW, 'n', "noflow", NULL, "set up no flows: every packet comes to the controller"},
        {OPT_NORMAL, 'N', "normal", NULL, "set up flows with the action NORMAL"},
        {OPT_WILDCARDS, 'w', "wildcards", NULL, "flows match Ethernet addresses only"},
        {OPT_MAX_IDLE, 0, "max-idle", "SECONDS",
         "flows go when unused for so long (60), or \"permanent\""},
        {OPT_MUTE, 0, "mute", NULL, "say hello and answer echo requests, nothing else"},
        {OPT_QUEUE, 'q', "queue", "ID", "send packets out through this queue"},
        {OPT_WITH_FLOWS, 0, "with-flows", "FILE", "add the flows of FILE to each switch"},
        {OPT_VERSIONS, 'O', "protocols", "VERSIONS", "allowed OpenFlow versions, e.g. OpenFlow13"},
        {OPT_DNAT, 0, "dnat", "IP:PORT=IP:PORT",
         "answer TCP to the first at the second, on the switch's host; flows for each connection"},
        {OPT_DNAT_INSTANCE, 0, "dnat-instance", "IP:PORT=IP:PORT",
         "the same with flows for each instance"},
        {OPT_ARP, 0, "arp", "IP[=MAC]",
         "answer ARP for IP with MAC; without MAC with the local port's, and announce it"},
        {OPT_ARP_REWRITE, 0, "arp-rewrite", "IP/MAC=IP/MAC",
         "in ARP, make a machine with the first addresses one with the second to all others"},
        {OPT_ON_DEMAND, 0, "on-demand", "FILE",
         "add a flow of FILE when a packet comes up from its table that it covers"},
        OPTION_END,
    };
    static const struct daemon_spec spec = {
        .name = "weft-testcontroller",
        .peer_name = "ovs-testcontroller",
        .side = RUNDIR_OVS,
        .usage = "METHOD...",
        .summary = "A small OpenFlow controller for tests: a learning switch, a hub, services "
                   "moved by flows.\n"
                   "A METHOD listens (ptcp:[PORT][:IP], punix:FILE, pssl:...) or connects "
                   "(tcp:IP:PORT, unix:FILE).",
        .options = options,
        .set_option = set_option,
        .set_args = set_args,
        .start = start,
        .stop = stop,
    };
    struct state state = {
        .config = {.max_idle = 60, .queue = -1, .versions = OF_VERSIONS_ALL},
        .sessions = HMAP_INIT,
    };
    return daemon_main(argc, argv, &spec, &state);
}
