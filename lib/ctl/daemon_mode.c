/* daemon_mode.c - a program as a daemon that runs commands for later calls, as the field's tools offer it (--detach, OVN_NB_DAEMON), and
 * the calls that use one.
 *
 * The daemon keeps no copy of the database: a call asks for the rows that it needs, which costs less than to look at a daemon's copy
 * would save. So each command that arrives at the control socket is this program again, in a process of its own, whose output is the
 * answer; commands do not wait for one another, and one that fails or hangs harms nobody.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/list.h"
#include "ctl/ctl_internal.h"
#include "daemon/daemon.h"

extern char **environ;

struct server {
    const struct ctl_program *program;
    const char *name;    /* argv[0] of the children */
    VEC(char *) options; /* in front of those of each command */
    struct daemon *daemon;
    struct loop_signal *ended;
    struct list children;
};

/* A command that runs. */
struct child {
    struct list node;
    struct unixctl_conn *conn;
    pid_t pid;
    int out, err; /* files in memory */
};

/* ---- children ---- */

static char *read_all(int fd)
{
    struct str s = STR_INIT;
    char buf[4096];
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, buf, sizeof buf, at)) > 0; at += n)
        str_put_n(&s, buf, (size_t)n);
    return str_steal(&s);
}

static void child_free(struct child *child)
{
    list_remove(&child->node);
    close(child->out);
    close(child->err);
    free(child);
}

/* An error as the caller prints it again behind its own name: "weft-nbctl: TEXT" without the name. */
static void reply(const struct server *server, struct child *child, int status)
{
    char *out = read_all(child->out), *err = read_all(child->err);
    size_t n = strlen(server->name);
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        unixctl_reply(child->conn, out);
    else if (WIFSIGNALED(status))
        unixctl_error(child->conn, strsignal(WTERMSIG(status)));
    else
        unixctl_error(child->conn,
                      !strncmp(err, server->name, n) && err[n] == ':' ? err + n + 2 : err);
    free(out);
    free(err);
}

static void on_ended(void *server_, int signo UNUSED)
{
    struct server *server = server_;
    struct child *child, *next;
    int status;
    LIST_FOR_EACH_SAFE (child, next, node, &server->children) {
        if (waitpid(child->pid, &status, WNOHANG) != child->pid)
            continue;
        reply(server, child, status);
        child_free(child);
    }
}

static int spawn(const struct server *server, struct child *child, int argc, const char *argv[])
{
    posix_spawn_file_actions_t actions;
    const char **words = xcalloc(server->options.n + (size_t)argc + 2, sizeof *words);
    size_t n = 0;
    words[n++] = server->name;
    for (size_t i = 0; i < server->options.n; i++)
        words[n++] = server->options.data[i];
    for (int i = 1; i < argc; i++)
        words[n++] = argv[i];
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child->out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child->err, STDERR_FILENO);
    int err = posix_spawn(&child->pid, "/proc/self/exe", &actions, NULL,
                          (char *const *)(const void *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    free(words);
    return err;
}

static void cmd_run(struct unixctl_conn *conn, int argc, const char *argv[], void *server_)
{
    struct server *server = server_;
    struct child *child = NEW(struct child);
    child->conn = conn;
    child->out = memfd_create("out", MFD_CLOEXEC);
    child->err = memfd_create("err", MFD_CLOEXEC);
    list_push_back(&server->children, &child->node);
    int err = child->out < 0 || child->err < 0 ? errno : spawn(server, child, argc, argv);
    if (!err)
        return;
    unixctl_error(conn, strerror(err));
    child_free(child);
}

/* ---- the daemon ---- */

enum {
    OPT_SERVER_DB = 1000,
    OPT_SERVER_TIMEOUT,
    OPT_SERVER_FOLLOWER,
    OPT_SERVER_LEADER,
    OPT_SERVER_SHUFFLE,
    OPT_SERVER_NO_SHUFFLE,
    OPT_SERVER_NO_SYSLOG,
    OPT_SERVER_SYSLOG_TARGET,
};

static const struct option_spec server_options[] = {
    {OPT_SERVER_DB, 0, "db", "DATABASE", "connect to DATABASE"},
    {OPT_SERVER_TIMEOUT, 't', "timeout", "SECS", "of each command, unless it says otherwise"},
    {OPT_SERVER_FOLLOWER, 0, "no-leader-only", NULL, "accept any server of a cluster"},
    {OPT_SERVER_LEADER, 0, "leader-only", NULL, "accept only its leader (default)"},
    {OPT_SERVER_SHUFFLE, 0, "shuffle-remotes", NULL, "try several databases in random order"},
    {OPT_SERVER_NO_SHUFFLE, 0, "no-shuffle-remotes", NULL, "try them in the order given"},
    {OPT_SERVER_NO_SYSLOG, 0, "no-syslog", NULL, "tell syslog of warnings only"},
    {OPT_SERVER_SYSLOG_TARGET, 0, "syslog-target", "IP:PORT", "where commands find a syslog"},
    OPTION_END,
};

static int server_set_option(void *server_, int id, const char *arg, struct diag *diag UNUSED)
{
    struct server *server = server_;
    static const char *const names[] = {
        "--db=",         "--timeout=",        "--no-leader-only",
        "--leader-only", "--shuffle-remotes", "--no-shuffle-remotes",
        "--no-syslog",   "--syslog-target="};
    vec_push(&server->options, xasprintf("%s%s", names[id - OPT_SERVER_DB], arg ? arg : ""));
    return 0;
}

static int server_set_args(void *server UNUSED, int n, char **args UNUSED, struct diag *diag)
{
    return n ? diag_set(diag, ERR_INVALID,
                        "non-option arguments not supported with --detach (use --help for help)")
             : 0;
}

static int server_start(void *server_, struct daemon *daemon, bool *ready UNUSED,
                        struct diag *diag UNUSED)
{
    static const char *const tls[TLS_N] = {
        [TLS_KEY] = "private-key",
        [TLS_CERTIFICATE] = "certificate",
        [TLS_CA] = "ca-cert",
        [TLS_PROTOCOLS] = "ssl-protocols",
        [TLS_CIPHERS] = "ssl-ciphers",
        [TLS_CIPHERSUITES] = "ssl-ciphersuites",
        [TLS_BOOTSTRAP_CA] = "bootstrap-ca-cert",
    };
    struct server *server = server_;
    const char *const *texts = daemon_tls_texts(daemon);
    for (size_t i = 0; i < ARRAY_SIZE(tls); i++)
        if (texts[i] && tls[i])
            vec_push(&server->options, xasprintf("--%s=%s", tls[i], texts[i]));
    unsetenv(server->program->daemon_variable); /* the children are to do it themselves */
    server->daemon = daemon;
    server->ended = loop_signal_new(daemon_loop(daemon), SIGCHLD, on_ended, server);
    unixctl_register(daemon_unixctl(daemon), "run", "[OPTIONS] COMMAND [ARG...] [-- ...]", 1,
                     INT_MAX, cmd_run, server);
    if (daemon_unixctl(daemon)) {
        printf("%s\n", unixctl_path(daemon_unixctl(daemon)));
        fflush(stdout);
    }
    return 0;
}

static void server_stop(void *server_)
{
    struct server *server = server_;
    struct child *child, *next;
    LIST_FOR_EACH_SAFE (child, next, node, &server->children) {
        unixctl_error(child->conn, "the daemon ends");
        child_free(child); /* and ends by itself */
    }
    loop_signal_free(server->ended);
    for (size_t i = 0; i < server->options.n; i++)
        free(server->options.data[i]);
    vec_fini(&server->options);
}

int ctl_serve(int argc, char **argv, const struct ctl_program *program)
{
    const char *slash = strrchr(argv[0], '/');
    struct server server = {.program = program, .name = slash ? slash + 1 : argv[0]};
    const struct daemon_spec spec = {
        .name = program->name,
        .peer_name = program->peer_name,
        .side = program->side,
        .usage = "",
        .summary = "runs commands for calls that find its control socket in the environment",
        .options = server_options,
        .set_option = server_set_option,
        .set_args = server_set_args,
        .start = server_start,
        .stop = server_stop,
    };
    list_init(&server.children);
    char **words = xcalloc((size_t)argc + 1, sizeof *words), long_name[] = "--unixctl";
    for (int i = 0; i < argc; i++) /* -u: daemons know the long name only */
        words[i] = i && !strcmp(argv[i], "-u") ? long_name : argv[i];
    int status = daemon_main(argc, words, &spec, &server);
    free(words);
    return status;
}

bool ctl_wants_to_serve(int argc, char **argv, const struct ctl_program *program)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (program->daemon_variable && !strcmp(argv[i], "--detach"))
            return true;
    return false;
}

/* ---- calls ---- */

const char *ctl_server_socket(const struct ctl *ctl)
{
    const char *variable = ctl->program->daemon_variable;
    const char *socket = ctl->unixctl ? ctl->unixctl : variable ? getenv(variable) : NULL;
    if (!socket || !*socket)
        return NULL;
    if (!ctl->db)
        return socket;
    ctl_warn_now("ctl", "not using %s daemon because of db option", ctl->name);
    return NULL;
}

/* Everything but what says where the daemon is. */
static const char **forwarded(int argc, char **argv, int *n)
{
    const char **words = xcalloc((size_t)argc + 1, sizeof *words);
    bool are_options = true;
    *n = 0;
    words[(*n)++] = "run";
    for (int i = 1; i < argc; i++) {
        are_options = are_options && argv[i][0] == '-' && strcmp(argv[i], "--");
        if (are_options && (!strcmp(argv[i], "-u") || !strcmp(argv[i], "--unixctl")))
            i++;
        else if (!are_options ||
                 (strncmp(argv[i], "-u", 2) && !text_starts_with(argv[i], "--unixctl=")))
            words[(*n)++] = argv[i];
    }
    return words;
}

int ctl_ask(struct ctl *ctl, const char *socket, int argc, char **argv, struct diag *diag)
{
    struct diag why = DIAG_INIT;
    char *reply = NULL, *rundir = rundir_get(ctl->program->side, ctl->is_peer);
    int n;
    const char **words = forwarded(argc, argv, &n);
    int err =
        unixctl_request(socket, rundir, n, words, (int64_t)ctl->timeout_s * 1000, &reply, &why);
    if (!err)
        fputs(reply, stdout);
    else if (reply)
        diag_set(diag, err, "%.*s", (int)strcspn(reply, "\n"), reply);
    else
        diag_set(diag, err, "%s: could not ask the %s daemon (%s); unset %s to avoid using daemon",
                 socket, ctl->name, diag_text(&why), ctl->program->daemon_variable);
    diag_fini(&why);
    free(reply);
    free(rundir);
    free(words);
    return err;
}
