/* log_options.c - options about the process rather than about the database: where log lines go, and those that only a daemon makes
 * something of.
 *
 * The console gets warnings, a log file and syslog also which command line changed what. Without --detach there is neither a pidfile
 * nor a monitor, as with the field's tools, whose scripts give these options to every call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "ctl/ctl_internal.h"
#include "daemon/vlog.h"

LOG_MODULE(ctl);

const struct ctl_option ctl_log_options[] = {
    {OPT_VERBOSE, 'v', "verbose", "[SPEC]", "log more: [MODULE:][DESTINATION:]LEVEL"},
    {OPT_LOG_FILE, 0, "log-file", "[FILE]", "append log lines to FILE (LOGDIR/PROGRAM.log)"},
    {OPT_SYSLOG_METHOD, 0, "syslog-method", "METHOD",
     "tell syslog what is changed, by libc, unix:FILE, udp:IP:PORT or null"},
    {OPT_SYSLOG_TARGET, 0, "syslog-target", "IP:PORT", "the same as --syslog-method=udp:IP:PORT"},
    {OPT_NO_SYSLOG, 0, "no-syslog", NULL, "tell syslog of warnings only"},
    {0, 0, NULL, NULL, NULL},
};

const struct ctl_option ctl_daemon_options[] = {
    {OPT_DETACH, 0, "detach", NULL,
     "run commands of later calls in the background; prints its socket"},
    {OPT_UNIXCTL, 'u', "unixctl", "SOCKET", "let the daemon at SOCKET do it, or be it there"},
    {OPT_OF_DAEMON, 0, "monitor", NULL, "with --detach: restart it when it crashes"},
    {OPT_OF_DAEMON, 0, "no-chdir", NULL, "with --detach: keep the current directory"},
    {OPT_OF_DAEMON, 0, "pidfile", "[FILE]", "with --detach: write the process id to FILE"},
    {OPT_OF_DAEMON, 0, "overwrite-pidfile", NULL, "with --detach: start even if FILE is locked"},
    {OPT_OF_DAEMON, 0, "user", "USER[:GROUP]", "with --detach: become this user"},
    {OPT_OF_DAEMON, 0, "no-self-confinement", NULL, NULL}, /* there is none */
    {0, 0, NULL, NULL, NULL},
};

static int open_file(const struct ctl *ctl, const char *name, struct diag *diag)
{
    char *dir = rundir_log_get(ctl->program->side, ctl->is_peer);
    char *path = name ? rundir_path(dir, name) : xasprintf("%s/%s.log", dir, ctl->name);
    int err = log_set_file(path);
    if (err)
        err = diag_set(diag, err, "%s: cannot log to it: %s", path, strerror(errno));
    free(path);
    free(dir);
    return err;
}

/* A target that is none is no reason not to do the work. */
static void open_target(const struct ctl *ctl, const char *target)
{
    struct diag diag = DIAG_INIT;
    char *method = xasprintf("udp:%s", target);
    if (vlog_open_syslog(method, ctl->name, &diag))
        ctl_warn_now("ctl", "--syslog-target: %s", diag_text(&diag));
    diag_fini(&diag);
    free(method);
}

void ctl_log_begin(void)
{
    log_set_level_at(LOG_TO_CONSOLE, NULL, LOG_WARN);
    log_set_level_at(LOG_TO_SYSLOG, NULL, LOG_INFO); /* which is not open yet */
}

int ctl_set_log_option(struct ctl *ctl, int id, const char *arg, struct diag *diag)
{
    switch (id) {
    case OPT_VERBOSE:
        return vlog_set(arg, diag);
    case OPT_LOG_FILE:
        return open_file(ctl, arg, diag);
    case OPT_SYSLOG_METHOD:
        return vlog_open_syslog(arg, ctl->name, diag);
    case OPT_SYSLOG_TARGET:
        open_target(ctl, arg);
        return 0;
    case OPT_NO_SYSLOG:
        log_set_level_at(LOG_TO_SYSLOG, NULL, LOG_WARN);
        return 0;
    case OPT_OF_DAEMON:
        return 0;
    }
    return ERR_NOT_FOUND;
}

void ctl_log_change(const struct ctl *ctl)
{
    log_info("Called as %s", ctl->command_line);
}
