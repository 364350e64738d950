/* process.c - detaching and monitoring. See process.h.
 *
 * The monitor waits with sigwaitinfo, so it needs no handler and no global. It restarts a child that
 * a signal ended (a crash, kill -9, the out-of-memory killer), at once the first time and then after
 * a pause that grows while the child keeps dying young. A child that ends by itself, or by SIGTERM,
 * SIGINT or SIGHUP, is not restarted.
 */
#include "daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

LOG_MODULE(daemon);

enum { LONG_LIFE_S = 10, MAX_PAUSE_S = 8, EXIT_BY_SIGNAL = 128 };

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BY_SIGNAL + WTERMSIG(status);
}

static void leave_standard_streams(void)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        return;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
}

static void tell_ready(int *fd)
{
    if (*fd < 0)
        return;
    /* Whoever waited may be gone after a restart; SIGPIPE is ignored. */
    while (write(*fd, "", 1) < 0 && errno == EINTR)
        ;
    close(*fd);
    *fd = -1;
}

static bool wait_for_byte(int fd)
{
    char byte;
    ssize_t n;
    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    return n == 1;
}

/* In the process that the user started: returns only by exit. */
static _Noreturn void wait_for_ready(int fd, pid_t child)
{
    if (wait_for_byte(fd))
        _exit(0);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    int code = exit_status(status);
    _exit(code ? code : 1);
}

static int detach(struct process *process, struct diag *diag)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC))
        return diag_set(diag, ERR_IO, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        return diag_set(diag, ERR_IO, "fork: %s", strerror(errno));
    if (pid > 0) {
        close(fds[1]);
        wait_for_ready(fds[0], pid);
    }
    close(fds[0]);
    process->ready_fd = fds[1];
    process->detached = true;
    setsid();
    return 0;
}

static bool should_restart(int status)
{
    if (!WIFSIGNALED(status))
        return false;
    int signo = WTERMSIG(status);
    return signo != SIGTERM && signo != SIGINT && signo != SIGHUP;
}

/* Waits until CHILD has ended, passing on what it is told. Returns the wait status. */
static int watch_child(pid_t child, const sigset_t *signals)
{
    for (;;) {
        int status, signo = sigwaitinfo(signals, NULL);
        if (signo == SIGCHLD) {
            if (waitpid(child, &status, WNOHANG) == child)
                return status;
        } else if (signo > 0) {
            kill(child, signo);
        }
    }
}

static void pause_before_restart(time_t lived_s, unsigned *pause_s)
{
    if (lived_s >= LONG_LIFE_S)
        *pause_s = 0;
    struct timespec ts = {.tv_sec = *pause_s};
    while (nanosleep(&ts, &ts) && errno == EINTR)
        ;
    *pause_s = *pause_s ? MIN(*pause_s * 2, MAX_PAUSE_S) : 1;
}

static time_t now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static int monitor(struct process *process, const struct process_options *options,
                   struct diag *diag)
{
    static const int watched[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    sigset_t signals, old;
    unsigned pause_s = 0, restarts = 0;
    bool was_ready = false;
    sigemptyset(&signals);
    for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
        sigaddset(&signals, watched[i]);
    sigprocmask(SIG_BLOCK, &signals, &old);
    for (;;) {
        int fds[2]; /* how the child says that it is ready */
        time_t born = now_s();
        if (pipe2(fds, O_CLOEXEC))
            return diag_set(diag, ERR_IO, "pipe: %s", strerror(errno));
        pid_t child = fork();
        if (child < 0)
            return diag_set(diag, ERR_IO, "fork: %s", strerror(errno));
        if (!child) {
            sigprocmask(SIG_SETMASK, &old, NULL);
            close(fds[0]);
            if (process->ready_fd >= 0)
                close(process->ready_fd);
            process->ready_fd = fds[1];
            return 0;
        }
        close(fds[1]);
        bool ready = wait_for_byte(fds[0]);
        close(fds[0]);
        if (ready) {
            tell_ready(&process->ready_fd);
            if (process->detached)
                leave_standard_streams();
            was_ready = true;
        }
        int status = watch_child(child, &signals);
        if (!was_ready || !should_restart(status))
            _exit(exit_status(status));
        if (options->died)
            options->died(options->aux, child);
        log_err("%s died by signal %d (%s), restarting (%u)", options->name, WTERMSIG(status),
                strsignal(WTERMSIG(status)), ++restarts);
        pause_before_restart(now_s() - born, &pause_s);
    }
}

void process_fill_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int process_start(struct process *process, const struct process_options *options, struct diag *diag)
{
    process->ready_fd = -1;
    process->detached = false;
    int err = options->detach ? detach(process, diag) : 0;
    if (!err && options->monitor)
        err = monitor(process, options, diag);
    return err;
}

void process_ready(struct process *process, bool leave_directory)
{
    tell_ready(&process->ready_fd);
    if (!process->detached)
        return;
    leave_standard_streams();
    if (leave_directory && chdir("/"))
        log_warn("cannot leave the current directory: %s", strerror(errno));
}
