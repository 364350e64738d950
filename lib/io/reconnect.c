/* reconnect.c - keeps a connection to one of several targets. See reconnect.h. */
#include "io/reconnect.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"

/* At least so long an attempt may take: one SYN may be lost. */
enum { ATTEMPT_MS = 2000 };

enum reconnect_state { RC_WAITING, RC_CONNECTING, RC_LISTENING, RC_CONNECTED };

struct reconnect {
    struct loop *loop;
    struct reconnect_options options;
    struct reconnect_callbacks cb;
    void *aux;
    char *rundir;
    VEC(char *) targets;
    size_t current;
    enum reconnect_state state;
    struct stream *stream; /* of an attempt; given away when it stands */
    struct stream_listener *listener;
    struct timer timer;
    int64_t backoff_ms, connected_us;
    unsigned n_connections;
    int tries;
};

static void on_timer(void *r_);

static void split_targets(struct reconnect *r, const char *text)
{
    char *copy = xstrdup(text), *save = NULL;
    for (char *t = strtok_r(copy, ", ", &save); t; t = strtok_r(NULL, ", ", &save))
        vec_push(&r->targets, xstrdup(t));
    free(copy);
}

static int check_targets(struct reconnect *r, struct diag *diag)
{
    if (!r->targets.n)
        return diag_set(diag, ERR_SYNTAX, "no target to connect to");
    for (size_t i = 0; i < r->targets.n; i++) {
        struct target target;
        int err = target_parse(r->targets.data[i], r->options.stream.default_port,
                               r->options.stream.rundir, &target, diag);
        if (!err && target.kind == TARGET_SSL && !r->options.stream.tls)
            err = diag_set(diag, ERR_INVALID, "%s: needs a private key, certificate and CA",
                           r->targets.data[i]);
        target_fini(&target);
        if (err)
            return err;
    }
    return 0;
}

/* Waits for the next attempt, longer each time. */
static void wait_more(struct reconnect *r)
{
    r->state = RC_WAITING;
    r->current = (r->current + 1) % r->targets.n;
    if (r->options.max_tries && ++r->tries >= r->options.max_tries) {
        if (r->cb.gave_up)
            r->cb.gave_up(r->aux);
        return;
    }
    /* The other targets of a round are tried at once. */
    if (r->current && r->targets.n > 1) {
        timer_start_ms(&r->timer, 0);
        return;
    }
    r->backoff_ms = r->backoff_ms ? MIN(r->backoff_ms * 2, r->options.max_backoff_ms)
                                  : r->options.min_backoff_ms;
    timer_start_ms(&r->timer, r->backoff_ms);
}

static void attempt_connected(void *r_)
{
    struct reconnect *r = r_;
    struct stream *s = r->stream;
    static const struct stream_callbacks none = {0};
    timer_stop(&r->timer);
    r->stream = NULL;
    r->state = RC_CONNECTED;
    r->n_connections++;
    r->tries = 0;
    r->connected_us = env_now_us(loop_env(r->loop));
    stream_set_callbacks(s, &none, NULL);
    r->cb.connected(r->aux, s);
}

static void attempt_closed(void *r_, int err UNUSED, const char *reason)
{
    struct reconnect *r = r_;
    char *target = xstrdup(reconnect_target(r)), *copy = xstrdup(reason);
    stream_free(r->stream);
    r->stream = NULL;
    wait_more(r);
    if (r->cb.failed)
        r->cb.failed(r->aux, target, copy); /* may free r */
    free(target);
    free(copy);
}

static void drop_readable(void *r_ UNUSED)
{
}

static const struct stream_callbacks attempt_callbacks = {
    .connected = attempt_connected, .readable = drop_readable, .closed = attempt_closed};

static void accepted(void *r_, struct stream *s)
{
    struct reconnect *r = r_;
    if (r->state == RC_CONNECTED || r->stream) {
        stream_free(s);
        return;
    }
    r->stream = s;
    stream_set_callbacks(s, &attempt_callbacks, r);
}

static void try_now(struct reconnect *r)
{
    const char *target = r->targets.data[r->current];
    struct diag diag = DIAG_INIT;
    int err;
    if (target_is_passive(target)) {
        if (r->listener)
            return;
        r->state = RC_LISTENING;
        err = stream_listen(r->loop, target, &r->options.stream, accepted, r, &r->listener, &diag);
    } else {
        r->state = RC_CONNECTING;
        err = stream_connect(r->loop, target, &r->options.stream, &r->stream, &diag);
        if (!err) {
            stream_set_callbacks(r->stream, &attempt_callbacks, r);
            timer_start_ms(&r->timer, MAX(r->backoff_ms, ATTEMPT_MS));
        }
    }
    if (err) {
        wait_more(r);
        if (r->cb.failed)
            r->cb.failed(r->aux, target, diag_text(&diag));
    }
    diag_fini(&diag);
}

static void on_timer(void *r_)
{
    struct reconnect *r = r_;
    if (r->state == RC_CONNECTING)
        attempt_closed(r, ERR_TIMEOUT, "connection timed out");
    else
        try_now(r);
}

int reconnect_new(struct loop *loop, const char *targets, const struct reconnect_options *options,
                  const struct reconnect_callbacks *callbacks, void *aux, struct reconnect **ret,
                  struct diag *diag)
{
    struct reconnect *r = NEW(struct reconnect);
    r->loop = loop;
    r->options = *options;
    r->rundir = options->stream.rundir ? xstrdup(options->stream.rundir) : NULL;
    r->options.stream.rundir = r->rundir;
    if (!r->options.min_backoff_ms)
        r->options.min_backoff_ms = 1000;
    if (!r->options.max_backoff_ms)
        r->options.max_backoff_ms = MAX(8000, r->options.min_backoff_ms);
    r->cb = *callbacks;
    r->aux = aux;
    timer_init(&r->timer, loop, on_timer, r);
    split_targets(r, targets);
    int err = check_targets(r, diag);
    if (err) {
        reconnect_free(r);
        return err;
    }
    timer_start_ms(&r->timer, 0);
    *ret = r;
    return 0;
}

void reconnect_free(struct reconnect *r)
{
    if (!r)
        return;
    timer_stop(&r->timer);
    stream_free(r->stream);
    stream_listener_free(r->listener);
    for (size_t i = 0; i < r->targets.n; i++)
        free(r->targets.data[i]);
    vec_fini(&r->targets);
    free(r->rundir);
    free(r);
}

void reconnect_disconnected(struct reconnect *r)
{
    if (r->state != RC_CONNECTED)
        return;
    int64_t stood_us = env_now_us(loop_env(r->loop)) - r->connected_us;
    if (r->listener) {
        r->state = RC_LISTENING;
        return;
    }
    r->state = RC_WAITING;
    if (stood_us >= r->backoff_ms * 1000)
        r->backoff_ms = 0;
    if (!r->backoff_ms && stood_us >= r->options.min_backoff_ms * 1000) {
        timer_start_ms(&r->timer, 0); /* it stood well: once at once */
        return;
    }
    wait_more(r);
}

void reconnect_next(struct reconnect *r)
{
    if (r->state != RC_CONNECTED || r->listener) {
        reconnect_disconnected(r);
        return;
    }
    wait_more(r);
}

void reconnect_now(struct reconnect *r)
{
    if (r->state == RC_WAITING)
        timer_start_ms(&r->timer, 0);
}

bool reconnect_is_connected(const struct reconnect *r)
{
    return r->state == RC_CONNECTED;
}

bool reconnect_is_waiting(const struct reconnect *r)
{
    return r->state == RC_WAITING;
}

const char *reconnect_target(const struct reconnect *r)
{
    return r->targets.data[r->current];
}

unsigned reconnect_n_connections(const struct reconnect *r)
{
    return r->n_connections;
}
