/* daemon.c - the skeleton of every daemon. See daemon.h.
 *
 * Beside the rooms of the architecture: it starts the process that a program then fills.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/pidfile.h"
#include "daemon/privilege.h"
#include "daemon/process.h"
#include "daemon/vlog.h"

LOG_MODULE(main);

struct daemon {
    const struct daemon_spec *spec;
    void *aux;
    const char *program;
    bool peer_name;
    char *rundir, *dbdir, *logdir;

    bool detach, monitor, no_chdir, overwrite_pidfile, has_syslog, help, version;
    char *pidfile, *log_file, *unixctl_path, *user;
    char *tls_texts[TLS_N];

    struct process process;
    int pidfile_fd;
    struct loop *loop;
    struct unixctl *unixctl;
    struct counters *counters;
    struct tls_config *tls;
    struct loop_signal *signals[3];
    bool ready;
    int status;
};

enum option_id {
    OPT_DETACH = 0x10000,
    OPT_MONITOR,
    OPT_NO_CHDIR,
    OPT_PIDFILE,
    OPT_OVERWRITE_PIDFILE,
    OPT_LOG_FILE,
    OPT_VERBOSE,
    OPT_SYSLOG_METHOD,
    OPT_USER,
    OPT_NO_SELF_CONFINEMENT,
    OPT_UNIXCTL,
    OPT_PRIVATE_KEY,
    OPT_CERTIFICATE,
    OPT_CA_CERT,
    OPT_SSL_PROTOCOLS,
    OPT_SSL_CIPHERS,
    OPT_SSL_CIPHERSUITES,
    OPT_BOOTSTRAP_CA_CERT,
    OPT_PEER_CA_CERT,
    OPT_HELP,
    OPT_VERSION,
};

/* Those of TLS in the order of enum tls_text. */
_Static_assert(OPT_PEER_CA_CERT - OPT_PRIVATE_KEY == TLS_PEER_CA, "same order");

static const struct option_spec common_options[] = {
    OPTION_HEADING("Daemon options"),
    {OPT_DETACH, 0, "detach", NULL, "run in the background; return when ready"},
    {OPT_MONITOR, 0, "monitor", NULL, "restart the daemon when it crashes"},
    {OPT_NO_CHDIR, 0, "no-chdir", NULL, "keep the current directory when in the background"},
    {OPT_PIDFILE, 0, "pidfile", "[FILE]", "write the process id to FILE (RUNDIR/PROGRAM.pid)"},
    {OPT_OVERWRITE_PIDFILE, 0, "overwrite-pidfile", NULL, "start even if FILE is locked"},
    {OPT_USER, 0, "user", "[USER][:GROUP]",
     "become this user when files and sockets can be opened"},
    {OPT_NO_SELF_CONFINEMENT, 0, "no-self-confinement", NULL, NULL}, /* there is none */
    {OPT_UNIXCTL, 0, "unixctl", "PATH", "control socket (RUNDIR/PROGRAM.PID.ctl)"},
    OPTION_HEADING("Logging"),
    {OPT_LOG_FILE, 0, "log-file", "[FILE]", "append to FILE (LOGDIR/PROGRAM.log)"},
    {OPT_VERBOSE, 'v', "verbose", "[SPEC]",
     "log levels: [MODULE:][DESTINATION:]LEVEL, DESTINATION being console,\n"
     "file or syslog (which is off); everything without SPEC"},
    {OPT_SYSLOG_METHOD, 0, "syslog-method", "METHOD",
     "how to reach syslog: libc (the default), unix:FILE, udp:IP:PORT or null"},
    OPTION_HEADING("TLS"),
    {OPT_PRIVATE_KEY, 'p', "private-key", "FILE", "PEM file with the private key"},
    {OPT_CERTIFICATE, 'c', "certificate", "FILE", "PEM file with the certificate"},
    {OPT_CA_CERT, 'C', "ca-cert", "FILE",
     "PEM file with the CA that peers must be signed by; none: whoever"},
    {OPT_BOOTSTRAP_CA_CERT, 0, "bootstrap-ca-cert", "FILE",
     "the same; FILE is made of what the first peer sends if there is none"},
    {OPT_PEER_CA_CERT, 0, "peer-ca-cert", "FILE", "PEM file with certificates to send to peers"},
    {OPT_SSL_PROTOCOLS, 0, "ssl-protocols", "LIST", "allow only these of TLSv1.2, TLSv1.3"},
    {OPT_SSL_CIPHERS, 0, "ssl-ciphers", "LIST", "allow only these TLS 1.2 ciphers"},
    {OPT_SSL_CIPHERSUITES, 0, "ssl-ciphersuites", "LIST", "allow only these TLS 1.3 suites"},
    OPTION_HEADING("Other"),
    {OPT_HELP, 'h', "help", NULL, "print this text"},
    {OPT_VERSION, 'V', "version", NULL, "print the version"},
    OPTION_END,
};

/* ---- the command line ---- */

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = value ? xstrdup(value) : NULL;
}

static int set_option(void *d_, int id, const char *arg, struct diag *diag)
{
    struct daemon *d = d_;
    switch ((enum option_id)id) {
    case OPT_DETACH:
        d->detach = true;
        return 0;
    case OPT_MONITOR:
        d->monitor = true;
        return 0;
    case OPT_NO_CHDIR:
        d->no_chdir = true;
        return 0;
    case OPT_PIDFILE:
        free(d->pidfile);
        d->pidfile =
            arg ? rundir_path(d->rundir, arg) : xasprintf("%s/%s.pid", d->rundir, d->program);
        return 0;
    case OPT_OVERWRITE_PIDFILE:
        d->overwrite_pidfile = true;
        return 0;
    case OPT_LOG_FILE:
        free(d->log_file);
        d->log_file =
            arg ? rundir_path(d->logdir, arg) : xasprintf("%s/%s.log", d->logdir, d->program);
        return 0;
    case OPT_VERBOSE:
        return vlog_set(arg, diag);
    case OPT_SYSLOG_METHOD:
        d->has_syslog = true;
        return vlog_open_syslog(arg, d->program, diag);
    case OPT_USER:
        set_text(&d->user, arg);
        return 0;
    case OPT_NO_SELF_CONFINEMENT:
        return 0;
    case OPT_UNIXCTL:
        free(d->unixctl_path);
        d->unixctl_path = strcmp(arg, "none") ? rundir_path(d->rundir, arg) : xstrdup("");
        return 0;
    case OPT_PRIVATE_KEY:
    case OPT_CERTIFICATE:
    case OPT_CA_CERT:
    case OPT_SSL_PROTOCOLS:
    case OPT_SSL_CIPHERS:
    case OPT_SSL_CIPHERSUITES:
    case OPT_BOOTSTRAP_CA_CERT:
    case OPT_PEER_CA_CERT:
        set_text(&d->tls_texts[id - OPT_PRIVATE_KEY], arg);
        return 0;
    case OPT_HELP:
        d->help = true;
        return 0;
    case OPT_VERSION:
        d->version = true;
        return 0;
    }
    return d->spec->set_option(d->aux, id, arg, diag);
}

static char *version_text(const struct daemon *d)
{
    if (d->peer_name)
        return xasprintf("%s (Weft) " WEFT_VERSION "\n", d->program);
    return xasprintf("%s " WEFT_VERSION "\n", d->program);
}

static void print_help(const struct daemon *d)
{
    struct str out = STR_INIT;
    str_putf(&out, "%s: %s\nusage: %s [OPTIONS]%s%s\n", d->program, d->spec->summary, d->program,
             d->spec->usage ? " " : "", d->spec->usage ? d->spec->usage : "");
    if (d->spec->options)
        options_put_help(d->spec->options, &out);
    options_put_help(common_options, &out);
    fputs(str_c(&out), stdout);
    str_fini(&out);
}

static int parse_command_line(struct daemon *d, int argc, char **argv, struct diag *diag)
{
    const struct option_spec *tables[3] = {common_options, d->spec->options, NULL};
    struct options options = {.tables = tables, .set = set_option, .aux = d};
    int first, err = options_parse(&options, argc, argv, &first, diag);
    if (err || d->help || d->version)
        return err;
    if (d->spec->set_args)
        return d->spec->set_args(d->aux, argc - first, argv + first, diag);
    if (first < argc)
        return diag_set(diag, ERR_INVALID, "unexpected argument \"%s\"", argv[first]);
    return 0;
}

/* ---- start and stop ---- */

static void on_signal(void *d_, int signo)
{
    struct daemon *d = d_;
    if (signo == SIGHUP) {
        if (log_reopen())
            log_warn("the log file cannot be opened again");
        return;
    }
    log_info("received signal %d, exiting", signo);
    daemon_exit(d, 0);
}

static void exit_command(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                         void *d_)
{
    unixctl_reply(conn, NULL);
    daemon_exit(d_, 0);
}

static int load_tls(struct daemon *d, struct diag *diag)
{
    for (size_t i = 0; i < TLS_N; i++) {
        if (!d->tls_texts[i] || !text_starts_with(d->tls_texts[i], "db:"))
            continue;
        return d->spec->has_databases
                   ? 0
                   : diag_set(diag, ERR_INVALID, "%s: this program serves no database",
                              d->tls_texts[i]);
    }
    if (!d->tls_texts[TLS_KEY] || !d->tls_texts[TLS_CERTIFICATE])
        return 0;
    if (!d->tls_texts[TLS_CA] && !d->tls_texts[TLS_BOOTSTRAP_CA])
        return diag_set(diag, ERR_INVALID,
                        "TLS needs --ca-cert=FILE, or \"none\" to let everybody in");
    d->tls = tls_config_new();
    return tls_config_set(d->tls, daemon_tls_texts(d), diag);
}

static int open_log(struct daemon *d, struct diag *diag)
{
    if (!d->log_file)
        return 0;
    mkdir(d->logdir, 0755);
    if (log_set_file(d->log_file))
        return diag_set(diag, ERR_IO, "%s: %s", d->log_file, strerror(errno));
    return 0;
}

static char *control_path(const struct daemon *d, pid_t pid)
{
    return xasprintf("%s/%s.%ld.ctl", d->rundir, d->program, (long)pid);
}

/* A killed child leaves its control socket, which no later one would ever replace. */
static void remove_control(void *d_, pid_t pid)
{
    char *path = control_path(d_, pid);
    unlink(path);
    free(path);
}

static int open_control(struct daemon *d, struct diag *diag)
{
    if (!d->unixctl_path)
        d->unixctl_path = control_path(d, getpid());
    if (!*d->unixctl_path)
        return 0;
    char *version = version_text(d);
    int err = unixctl_new(d->loop, d->unixctl_path, version, d->counters, &d->unixctl, diag);
    free(version);
    unixctl_register(d->unixctl, "exit", "[--cleanup]", 0, 1, exit_command, d);
    return err;
}

static void make_loop(struct daemon *d, struct env *env)
{
    d->loop = loop_new(env);
    d->counters = counter_set_new();
}

/* The folder of sockets and pidfiles, if it is not there, and becoming --user, to whom it and the log
 * then belong. A folder that cannot be made is the concern of what needs it. */
static int prepare_user(struct daemon *d, struct diag *diag)
{
    struct privilege user;
    bool is_new = !mkdir(d->rundir, 0755);
    if (!d->user)
        return 0;
    int err = privilege_parse(d->user, &user, diag);
    if (err)
        return err;
    if ((is_new && chown(d->rundir, user.uid, user.gid)) ||
        (d->log_file && chown(d->log_file, user.uid, user.gid)))
        err = diag_set(diag, ERR_IO, "--user: cannot give files away: %s", strerror(errno));
    if (!err)
        err = privilege_become(&user, d->spec->is_datapath, diag);
    privilege_fini(&user);
    return err;
}

static int start(struct daemon *d, struct diag *diag)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    signal(SIGPIPE, SIG_IGN);
    int err = open_log(d, diag);
    if (!err && !d->has_syslog)
        err = vlog_open_syslog("libc", d->program, diag);
    struct process_options process = {.detach = d->detach,
                                      .monitor = d->monitor,
                                      .name = d->program,
                                      .died = remove_control,
                                      .aux = d};
    if (!err)
        err = process_start(&d->process, &process, diag);
    if (err)
        return err;
    err = prepare_user(d, diag);
    if (!err && d->pidfile)
        err = pidfile_create(d->pidfile, d->overwrite_pidfile, &d->pidfile_fd, diag);
    if (!err)
        err = load_tls(d, diag);
    if (err)
        return err;
    make_loop(d, env_real());
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        d->signals[i] = loop_signal_new(d->loop, signals[i], on_signal, d);
    err = open_control(d, diag);
    if (err)
        return err;
    bool ready = true;
    err = d->spec->start(d->aux, d, &ready, diag);
    if (!err && ready)
        daemon_ready(d);
    return err;
}

static void stop(struct daemon *d)
{
    d->spec->stop(d->aux);
    unixctl_free(d->unixctl);
    counter_set_free(d->counters);
    for (size_t i = 0; i < ARRAY_SIZE(d->signals); i++)
        loop_signal_free(d->signals[i]);
    loop_free(d->loop);
    tls_config_free(d->tls);
    if (d->pidfile_fd >= 0)
        pidfile_remove(d->pidfile, d->pidfile_fd);
    for (size_t i = 0; i < TLS_N; i++)
        free(d->tls_texts[i]);
    char *texts[] = {d->rundir,   d->dbdir,        d->logdir, d->pidfile,
                     d->log_file, d->unixctl_path, d->user};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
}

static const char *program_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int daemon_main(int argc, char **argv, const struct daemon_spec *spec, void *aux)
{
    struct daemon d = {.spec = spec, .aux = aux, .pidfile_fd = -1};
    struct diag diag = DIAG_INIT;
    process_fill_streams();
    d.process.ready_fd = -1;
    d.program = program_of(argv[0]);
    d.peer_name = spec->peer_name && !strcmp(d.program, spec->peer_name);
    d.rundir = rundir_get(spec->side, d.peer_name);
    d.dbdir = rundir_db_get(spec->side, d.peer_name);
    d.logdir = rundir_log_get(spec->side, d.peer_name);
    int err = parse_command_line(&d, argc, argv, &diag);
    if (!err && d.help) {
        print_help(&d);
    } else if (!err && d.version) {
        char *version = version_text(&d);
        fputs(version, stdout);
        free(version);
    } else if (!err) {
        err = start(&d, &diag);
        if (!err)
            loop_run(d.loop);
    }
    if (err) {
        fprintf(stderr, "%s: %s\n", d.program, diag_text(&diag));
        if (d.log_file && d.loop)
            log_err("%s", diag_text(&diag));
        d.status = 1;
    }
    diag_fini(&diag);
    stop(&d);
    return d.status;
}

struct daemon *daemon_embed(struct env *env, const char *dir, int argc, char **argv,
                            const struct daemon_spec *spec, void *aux, struct diag *diag)
{
    struct daemon *d = NEW(struct daemon);
    *d = (struct daemon){.spec = spec, .aux = aux, .pidfile_fd = -1, .ready = true};
    d->program = program_of(argv[0]);
    d->rundir = xstrdup(dir);
    d->dbdir = xstrdup(dir);
    d->logdir = xstrdup(dir);
    int err = parse_command_line(d, argc, argv, diag);
    make_loop(d, env);
    bool ready = true;
    if (!err)
        err = spec->start(aux, d, &ready, diag);
    if (!err)
        return d;
    daemon_embed_free(d);
    return NULL;
}

void daemon_embed_free(struct daemon *d)
{
    stop(d);
    free(d);
}

struct loop *daemon_loop(struct daemon *d)
{
    return d->loop;
}

struct env *daemon_env(struct daemon *d)
{
    return loop_env(d->loop);
}

struct unixctl *daemon_unixctl(struct daemon *d)
{
    return d->unixctl;
}

struct counters *daemon_counters(struct daemon *d)
{
    return d->counters;
}

const char *daemon_rundir(struct daemon *d)
{
    return d->rundir;
}

const char *daemon_dbdir(struct daemon *d)
{
    return d->dbdir;
}

const char *daemon_logdir(struct daemon *d)
{
    return d->logdir;
}

const char *daemon_program(struct daemon *d)
{
    return d->program;
}

bool daemon_has_peer_name(struct daemon *d)
{
    return d->peer_name;
}

const struct tls_config *daemon_tls(struct daemon *d)
{
    return d->tls;
}

const char *const *daemon_tls_texts(struct daemon *d)
{
    return (const char *const *)d->tls_texts;
}

void daemon_log_disk(void *aux UNUSED, const char *file, const char *why)
{
    if (why)
        log_err("%s: cannot be written, changes are refused: %s", file, why);
    else
        log_info("%s: can be written again", file);
}

void daemon_log_tls(void *aux UNUSED, const char *why)
{
    if (why)
        log_err("keys and certificates that the database names cannot be used: %s", why);
    else
        log_info("keys and certificates are as the database says");
}

void daemon_ready(struct daemon *d)
{
    if (d->ready)
        return;
    d->ready = true;
    process_ready(&d->process, !d->no_chdir);
    if (d->process.detached)
        log_set_stderr(false);
}

void daemon_exit(struct daemon *d, int status)
{
    d->status = status;
    loop_stop(d->loop);
}
