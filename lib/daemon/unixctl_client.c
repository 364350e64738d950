/* unixctl_client.c - asks a daemon through its control socket and waits for the answer. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/pidfile.h"
#include "daemon/unixctl.h"
#include "io/jsonrpc.h"
#include "io/rundir.h"

struct asking {
    struct loop *loop;
    char **reply;
    struct diag *diag;
    const char *path;
    int err;
};

static void asking_message(void *a_, const struct jsonrpc_message *msg)
{
    struct asking *a = a_;
    if (msg->kind != JSONRPC_REPLY && msg->kind != JSONRPC_ERROR)
        return;
    const json_t *value = msg->kind == JSONRPC_REPLY ? msg->result : msg->error;
    a->err = msg->kind == JSONRPC_REPLY ? 0 : ERR_INVALID;
    *a->reply = xstrdup(json_is_string(value) ? json_string_value(value) : "");
    loop_stop(a->loop);
}

static void asking_closed(void *a_, int err, const char *reason)
{
    struct asking *a = a_;
    /* The reason of a connection that was refused begins with the target. */
    const char *text = strrchr(reason, ':');
    if (*a->reply)
        return;
    if (err == ERR_CLOSED)
        a->err = diag_set(a->diag, ERR_CLOSED, "%s: transaction error (%s)", a->path, reason);
    else
        a->err = diag_set(a->diag, ERR_IO, "cannot connect to \"%s\" (%s)", a->path,
                          text ? text + 2 : reason);
    loop_stop(a->loop);
}

static void asking_timeout(void *a_)
{
    struct asking *a = a_;
    a->err = diag_set(a->diag, ERR_TIMEOUT, "%s: no answer within the time-out", a->path);
    loop_stop(a->loop);
}

static int ask(const char *path, int argc, const char *argv[], int64_t timeout_ms, char **reply,
               struct diag *diag)
{
    static const struct jsonrpc_callbacks callbacks = {.message = asking_message,
                                                       .closed = asking_closed};
    static const struct stream_options options = {0};
    struct asking a = {loop_new(env_real()), reply, diag, path, 0};
    struct stream *stream;
    char *target = xasprintf("unix:%s", path);
    int err = stream_connect(a.loop, target, &options, &stream, diag);
    free(target);
    if (err) {
        loop_free(a.loop);
        return err;
    }
    struct jsonrpc *rpc = jsonrpc_new(stream, &callbacks, &a);
    json_t *params = json_array();
    for (int i = 1; i < argc; i++) {
        json_t *text = json_string(argv[i]);
        json_array_append_new(params, text ? text : json_string(""));
    }
    jsonrpc_request(rpc, argv[0], params);
    struct timer timer;
    timer_init(&timer, a.loop, asking_timeout, &a);
    if (timeout_ms)
        timer_start_ms(&timer, timeout_ms);
    loop_run(a.loop);
    timer_stop(&timer);
    jsonrpc_free(rpc);
    loop_free(a.loop);
    return a.err;
}

int unixctl_request(const char *target, const char *rundir, int argc, const char *argv[],
                    int64_t timeout_ms, char **reply, struct diag *diag)
{
    *reply = NULL;
    char *path;
    if (strchr(target, '/')) {
        path = xstrdup(target);
    } else {
        char *pidfile = xasprintf("%s/%s.pid", rundir, target);
        pid_t pid;
        int err = pidfile_read(pidfile, &pid, diag);
        if (!err)
            path = xasprintf("%s/%s.%ld.ctl", rundir, target, (long)pid);
        free(pidfile);
        if (err)
            return err;
    }
    int err = ask(path, argc, argv, timeout_ms, reply, diag);
    free(path);
    return err;
}
