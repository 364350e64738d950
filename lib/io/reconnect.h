/* reconnect.h - keeps trying to have a connection to one of several targets.
 *
 * TARGETS is a list such as "ssl:10.0.0.1:6641,ssl:10.0.0.2:6641" (tried in turn) or one target.
 * While not connected it connects, waits, connects again: the first retry after min_backoff_ms,
 * then twice as long each time up to max_backoff_ms; a connection that stood longer than its
 * back-off starts from the beginning. An attempt that gets no answer ends after its back-off, but not before two seconds. Passive targets are served as well (a switch that waits for
 * its controller): one accepted connection at a time, further ones are refused.
 *
 * The stream belongs to the user from connected() on, who says reconnect_disconnected when it is
 * over (and frees it). Until then no other attempt is made.
 */
#pragma once

#include "io/stream.h"

struct reconnect;

struct reconnect_options {
    struct stream_options stream;
    int64_t min_backoff_ms; /* 0: 1000 */
    int64_t max_backoff_ms; /* 0: 8000 */
    int max_tries;          /* 0: no limit; then gave_up is called */
};

struct reconnect_callbacks {
    void (*connected)(void *aux, struct stream *stream); /* stands; set callbacks, write */
    void (*failed)(void *aux, const char *target, const char *reason); /* may be NULL */
    void (*gave_up)(void *aux);                                        /* may be NULL */
};

/* Fails only on a bad target text. The first attempt is made in the next turn. */
int reconnect_new(struct loop *loop, const char *targets, const struct reconnect_options *options,
                  const struct reconnect_callbacks *callbacks, void *aux, struct reconnect **ret,
                  struct diag *diag) MUST_CHECK;
void reconnect_free(struct reconnect *r); /* NULL is allowed; not the stream it has given away */
/* The stream given to connected() is over. */
void reconnect_disconnected(struct reconnect *r);
/* Like reconnect_disconnected, but goes to the next target at once (this one is not the leader). */
void reconnect_next(struct reconnect *r);
void reconnect_now(struct reconnect *r); /* ends a wait */
bool reconnect_is_connected(const struct reconnect *r);
bool reconnect_is_waiting(const struct reconnect *r); /* between two attempts */
/* The target of the connection or of the attempt. */
const char *reconnect_target(const struct reconnect *r);
unsigned reconnect_n_connections(const struct reconnect *r); /* ever made */
