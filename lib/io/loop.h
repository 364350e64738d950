/* loop.h - the event loop of a process: descriptors, timers, deferred calls, signals.
 *
 * A turn of the loop is: wait for the first of a ready descriptor, a due timer or posted work; call
 * back what is ready; run due timers; then run the deferred calls, phase by phase:
 *
 *     LOOP_LATER   work that was put off: the rest of a long input, a completion to report
 *     LOOP_COMMIT  what all the callbacks of the turn share: the group commit of a store
 *     LOOP_OUTPUT  streams write what was queued in the turn
 *
 * So everything that arrived in one turn shares one commit and one write(2) a connection. A call
 * that is scheduled for a later phase runs in the same turn, for the running or an earlier phase in
 * the next one, which then does not sleep: a call that always schedules itself again cannot starve
 * descriptors.
 *
 * Time is the env's. With a seeded env on virtual time no descriptor is needed: a simulation asks
 * loop_next_us of each of its loops, moves the time to the earliest and calls loop_run_once(l, 0).
 * Connections between loops of one process are stream_pair (io/stream.h).
 *
 * The only user of libevent is this folder. A loop and all that hangs on it belong to one thread;
 * only loop_post may be called from others. Every object may be freed or stopped from inside any
 * callback, its own included.
 */
#pragma once

#include "base/env.h"
#include "io/deferred.h"
#include "io/timer.h"

struct loop;

struct loop *loop_new(struct env *env); /* ENV is borrowed */
void loop_free(struct loop *loop);      /* everything on it must have been freed or stopped */
struct env *loop_env(const struct loop *loop);
/* Microseconds of the env's monotonic clock, read once a turn: cheap. */
int64_t loop_now_us(const struct loop *loop);
int64_t loop_now_ms(const struct loop *loop);

void loop_run(struct loop *loop); /* until loop_stop */
/* One turn that sleeps at most MAX_SLEEP_US (0: does not sleep, -1: as long as nothing happens).
 * False: nothing was called in it. */
bool loop_run_once(struct loop *loop, int64_t max_sleep_us);
void loop_stop(struct loop *loop); /* loop_run returns at the end of the turn */
bool loop_is_stopping(const struct loop *loop);
/* When the next turn has something to do without a descriptor: the earliest timer, now when a
 * deferred call is scheduled, INT64_MAX when nothing is. Microseconds. */
int64_t loop_next_us(const struct loop *loop);

/* ---- descriptors ---- */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_fd;
/* Calls FN with the LOOP_ bits for which FD is ready, each turn while it is (level-triggered). An
 * error or hang-up of FD shows as readable and writable. FD stays the caller's and must stay open
 * until loop_fd_free. */
struct loop_fd *loop_fd_new(struct loop *loop, int fd, unsigned events,
                            void (*fn)(void *aux, unsigned events), void *aux);
void loop_fd_set(struct loop_fd *lfd, unsigned events); /* 0: none for now */
void loop_fd_free(struct loop_fd *lfd);                 /* NULL is allowed; does not close */

/* ---- signals: FN runs in the loop, not in the handler. One loop of a process may watch one. ----
 */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *loop, int signo, void (*fn)(void *aux, int signo),
                                    void *aux);
void loop_signal_free(struct loop_signal *ls);

/* From any thread: FN(aux) is called in LOOP's thread, in its next turn, in order of posting. */
void loop_post(struct loop *loop, void (*fn)(void *aux), void *aux);

/* What else must be held while the loop calls anybody, because other threads touch the same things: entered before the first call of a turn, left
 * at its end, and never held while the loop waits. */
struct loop_guard {
    void (*enter)(void *aux);
    void (*leave)(void *aux);
    void *aux;
};
/* GUARD (copied; NULL: none) from now on; it is entered at once, until the end of the turn or the beginning of the next. */
void loop_set_guard(struct loop *loop, const struct loop_guard *guard);
/* For who does the loop's thread's work between turns: enters the guard, if it is not yet. */
void loop_enter(struct loop *loop);
