/* run.c - a server for the time of one command. See run.h.
 *
 * The shell gets the signals as a login gives them, not as the daemon has set them.
 */
#include "dbd/run.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/log.h"

LOG_MODULE(run);

struct run {
    struct daemon *daemon;
    struct loop_signal *ended;
    pid_t pid; /* 0: it has ended */
};

static void child_changed(void *run_, int signo UNUSED)
{
    struct run *run = run_;
    int status;
    if (!run->pid || waitpid(run->pid, &status, WNOHANG) != run->pid)
        return;
    run->pid = 0;
    bool is_good = WIFEXITED(status) && !WEXITSTATUS(status);
    if (WIFSIGNALED(status))
        log_info("the command was ended by signal %d", WTERMSIG(status));
    else if (!is_good)
        log_info("the command ended with status %d", WEXITSTATUS(status));
    daemon_exit(run->daemon, is_good ? 0 : 1);
}

static int spawn_shell(const char *command, pid_t *pid)
{
    char sh[] = "sh", option[] = "-c";
    char *const argv[] = {sh, option, (char *)(uintptr_t)command, NULL};
    posix_spawnattr_t attr;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    int error = posix_spawn(pid, "/bin/sh", NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    return error;
}

int run_start(struct daemon *daemon, const char *command, struct run **ret, struct diag *diag)
{
    struct run *run = NEW(struct run);
    run->daemon = daemon;
    run->ended = loop_signal_new(daemon_loop(daemon), SIGCHLD, child_changed, run);
    int error = spawn_shell(command, &run->pid);
    if (error) {
        run_free(run);
        return diag_set(diag, ERR_IO, "--run: /bin/sh: %s", strerror(error));
    }
    *ret = run;
    return 0;
}

void run_free(struct run *run)
{
    if (!run)
        return;
    loop_signal_free(run->ended);
    free(run);
}
