/* unixctl.h - the control socket of a daemon, and its client (what ovs-appctl and weft-appctl do).
 *
 * JSON-RPC on a unix socket: {"method": command, "params": [text...], "id": n}, answered with a
 * text as result or as error. Commands are registered with their usage and how many arguments they
 * take; "list-commands", "version", "vlog/list", "vlog/set", "vlog/reopen",
 * "coverage/show", "coverage/read-counter" and "memory/show" are there from the start (exit is
 * daemon.c's).
 *
 * A command answers with unixctl_reply or unixctl_error, at once or later: until it does, further
 * commands of the same connection wait.
 */
#pragma once

#include "daemon/counter.h"
#include "io/stream.h"

struct unixctl;
struct unixctl_conn; /* one outstanding command */

typedef void unixctl_fn(struct unixctl_conn *conn, int argc, const char *argv[], void *aux);

/* Listens at PATH (removed at the end). COUNTERS may be NULL. */
int unixctl_new(struct loop *loop, const char *path, const char *version, struct counters *counters,
                struct unixctl **ret, struct diag *diag) MUST_CHECK;
void unixctl_free(struct unixctl *ctl); /* NULL is allowed; answers nothing more */
const char *unixctl_path(const struct unixctl *ctl);

/* NAME as in "ofproto/trace"; USAGE of its arguments ("[bridge] flow"), "" for none. argv[0] is the
 * name; MIN and MAX count the arguments behind it. Registering a name again replaces it. Does
 * nothing when CTL is NULL, so that a program runs without control socket in tests. */
void unixctl_register(struct unixctl *ctl, const char *name, const char *usage, int min, int max,
                      unixctl_fn *fn, void *aux);
/* A program's table of commands: as the arguments of unixctl_register. */
struct unixctl_entry {
    const char *name, *usage;
    int min, max;
    unixctl_fn *fn;
};
void unixctl_register_all(struct unixctl *ctl, const struct unixctl_entry *entries, size_t n,
                          void *aux);
void unixctl_unregister(struct unixctl *ctl, const char *name);
/* Exactly one of these for each call of FN. TEXT is copied; NULL is "". */
void unixctl_reply(struct unixctl_conn *conn, const char *text);
void unixctl_error(struct unixctl_conn *conn, const char *text);

/* memory/show: each reporter adds "name:number" words. */
void unixctl_add_memory(struct unixctl *ctl, void (*fn)(void *aux, struct str *out), void *aux);

/* coverage/show and coverage/read-counter: FN is called before, and sets counters to what is counted elsewhere. */
void unixctl_add_counters(struct unixctl *ctl, void (*fn)(void *aux, struct counters *counters),
                          void *aux);

/* Runs one command without a socket (tests, weft-lab in-process). 0 with the text in *reply, or
 * ERR_INVALID with the error text there; *reply is owned by the caller. A command that answers
 * later is ERR_AGAIN and *reply NULL. */
int unixctl_call(struct unixctl *ctl, int argc, const char *argv[], char **reply) MUST_CHECK;

/* Client, blocking. TARGET: a path of a socket, or a daemon's name whose pid file RUNDIR/NAME.pid
 * leads to RUNDIR/NAME.PID.ctl. TIMEOUT_MS 0: none. 0: *reply is the result; ERR_INVALID: *reply is
 * the error of the command; otherwise DIAG says why it could not be asked. */
int unixctl_request(const char *target, const char *rundir, int argc, const char *argv[],
                    int64_t timeout_ms, char **reply, struct diag *diag) MUST_CHECK;
