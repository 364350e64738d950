/* loop.c - the event loop: libevent waits for descriptors and signals, the rest is done here.
 *
 * Below every room of the architecture: all daemons and tools run in it. Timers are a binary heap
 * on the env's clock, deferred calls a list a phase. Promises the order of a turn that loop.h
 * describes; does not read any clock but the env's.
 */
#include "io/loop_impl.h"

#include <event2/event.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

struct loop_fd {
    struct loop *loop;
    struct event *event;
    int fd;
    unsigned events;
    void (*fn)(void *aux, unsigned events);
    void *aux;
};

struct loop_signal {
    struct loop *loop;
    struct event *event;
    int signo;
    void (*fn)(void *aux, int signo);
    void *aux;
};

static void sleep_end_cb(evutil_socket_t fd UNUSED, short what UNUSED, void *aux UNUSED)
{
}

void loop_enter(struct loop *loop)
{
    if (loop->inside || !loop->guard.enter)
        return;
    loop->guard.enter(loop->guard.aux);
    loop->inside = true;
}

static void leave(struct loop *loop)
{
    if (loop->inside)
        loop->guard.leave(loop->guard.aux);
    loop->inside = false;
}

void loop_set_guard(struct loop *loop, const struct loop_guard *guard)
{
    leave(loop);
    loop->guard = guard ? *guard : (struct loop_guard){0};
    loop_enter(loop);
}

static void post_cb(evutil_socket_t fd, short what UNUSED, void *loop_)
{
    struct loop *loop = loop_;
    uint64_t n;
    loop_enter(loop);
    if (read(fd, &n, sizeof n) < 0)
        return;
    pthread_mutex_lock(&loop->post_lock);
    size_t n_posted = loop->posted.n;
    struct posted *posted = loop->posted.data;
    loop->posted.data = NULL;
    loop->posted.n = loop->posted.cap = 0;
    pthread_mutex_unlock(&loop->post_lock);
    loop->n_calls += n_posted;
    for (size_t i = 0; i < n_posted; i++)
        posted[i].fn(posted[i].aux);
    free(posted);
}

struct loop *loop_new(struct env *env)
{
    struct loop *loop = NEW(struct loop);
    loop->env = env;
    loop->now_us = env_now_us(env);
    struct event_config *config = event_config_new();
    INVARIANT(config);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    INVARIANT(loop->base);
    loop->sleep_end = evtimer_new(loop->base, sleep_end_cb, NULL);
    for (size_t i = 0; i < LOOP_N_PHASES; i++)
        list_init(&loop->deferred[i]);
    pthread_mutex_init(&loop->post_lock, NULL);
    loop->post_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    INVARIANT(loop->post_fd >= 0);
    loop->post_event = event_new(loop->base, loop->post_fd, EV_READ | EV_PERSIST, post_cb, loop);
    INVARIANT(loop->sleep_end && loop->post_event && !event_add(loop->post_event, NULL));
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    INVARIANT(!loop->heap.n);
    for (size_t i = 0; i < LOOP_N_PHASES; i++)
        INVARIANT(list_empty(&loop->deferred[i]));
    event_free(loop->post_event);
    event_free(loop->sleep_end);
    event_base_free(loop->base);
    close(loop->post_fd);
    pthread_mutex_destroy(&loop->post_lock);
    vec_fini(&loop->posted);
    vec_fini(&loop->heap);
    free(loop);
}

struct env *loop_env(const struct loop *loop)
{
    return loop->env;
}

int64_t loop_now_us(const struct loop *loop)
{
    return loop->now_us;
}

int64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_us / 1000;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

bool loop_is_stopping(const struct loop *loop)
{
    return loop->stopping;
}

static bool has_deferred(const struct loop *loop)
{
    for (size_t i = 0; i < LOOP_N_PHASES; i++) {
        if (!list_empty(&loop->deferred[i]))
            return true;
    }
    return false;
}

int64_t loop_next_us(const struct loop *loop)
{
    if (has_deferred(loop))
        return loop->now_us;
    return loop->heap.n ? loop->heap.data[0]->at_us : INT64_MAX;
}

/* Waits for descriptors at most SLEEP_US (-1: for ever) and calls back the ready ones. */
static void wait_for_events(struct loop *loop, int64_t sleep_us)
{
    /* Without EVLOOP_ONCE libevent would go on as long as anything is ready: no end of the turn. */
    int flags = EVLOOP_ONCE | EVLOOP_NONBLOCK;
    if (sleep_us) {
        flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
        if (sleep_us > 0) {
            struct timeval tv = {sleep_us / 1000000, sleep_us % 1000000};
            evtimer_add(loop->sleep_end, &tv);
        }
    }
    event_base_loop(loop->base, flags);
    if (sleep_us > 0)
        evtimer_del(loop->sleep_end);
}

static void run_timers(struct loop *loop)
{
    int64_t now = loop->now_us;
    loop->in_timers = true;
    while (loop->heap.n && loop->heap.data[0]->at_us <= now) {
        struct timer *timer = loop->heap.data[0];
        timer_stop(timer);
        loop->n_calls++;
        timer->fn(timer->aux);
    }
    loop->in_timers = false;
}

static void run_deferred(struct loop *loop, enum loop_phase phase)
{
    struct list batch;
    if (list_empty(&loop->deferred[phase]))
        return;
    /* What is scheduled from now on for this phase is for the next turn. */
    batch = loop->deferred[phase];
    batch.next->prev = batch.prev->next = &batch;
    list_init(&loop->deferred[phase]);
    while (!list_empty(&batch)) {
        struct deferred *d = LIST_FIRST(struct deferred, node, &batch);
        list_remove(&d->node);
        loop->n_calls++;
        d->fn(d->aux);
    }
}

bool loop_run_once(struct loop *loop, int64_t max_sleep_us)
{
    uint64_t n_calls = loop->n_calls;
    int64_t next = loop_next_us(loop), sleep_us = max_sleep_us;
    if (next != INT64_MAX && sleep_us) {
        int64_t until = MAX(next - env_now_us(loop->env), 0);
        sleep_us = sleep_us < 0 ? until : MIN(sleep_us, until);
    }
    /* Long sleeps are cut: struct timeval and jumps of the clock are then no concern. */
    if (sleep_us > INT64_C(3600000000))
        sleep_us = INT64_C(3600000000);
    leave(loop);
    wait_for_events(loop, sleep_us);
    loop_enter(loop);
    loop->now_us = env_now_us(loop->env);
    run_timers(loop);
    for (enum loop_phase phase = 0; phase < LOOP_N_PHASES; phase++)
        run_deferred(loop, phase);
    leave(loop);
    return loop->n_calls != n_calls;
}

void loop_run(struct loop *loop)
{
    while (!loop->stopping)
        loop_run_once(loop, -1);
}

/* ---- descriptors ---- */

static void fd_cb(evutil_socket_t fd UNUSED, short what, void *lfd_)
{
    struct loop_fd *lfd = lfd_;
    loop_enter(lfd->loop);
    lfd->loop->now_us = env_now_us(lfd->loop->env);
    unsigned events = (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0);
    lfd->loop->n_calls++;
    lfd->fn(lfd->aux, events);
}

struct loop_fd *loop_fd_new(struct loop *loop, int fd, unsigned events,
                            void (*fn)(void *aux, unsigned events), void *aux)
{
    struct loop_fd *lfd = NEW(struct loop_fd);
    lfd->loop = loop;
    lfd->fd = fd;
    lfd->fn = fn;
    lfd->aux = aux;
    lfd->event = event_new(loop->base, fd, EV_PERSIST, fd_cb, lfd);
    INVARIANT(lfd->event);
    loop_fd_set(lfd, events);
    return lfd;
}

void loop_fd_set(struct loop_fd *lfd, unsigned events)
{
    if (lfd->events == events)
        return;
    if (lfd->events)
        event_del(lfd->event);
    lfd->events = events;
    if (events) {
        short what = (short)((events & LOOP_READ ? EV_READ : 0) |
                             (events & LOOP_WRITE ? EV_WRITE : 0) | EV_PERSIST);
        event_assign(lfd->event, lfd->loop->base, lfd->fd, what, fd_cb, lfd);
        INVARIANT(!event_add(lfd->event, NULL));
    }
}

void loop_fd_free(struct loop_fd *lfd)
{
    if (!lfd)
        return;
    event_free(lfd->event);
    free(lfd);
}

/* ---- signals and other threads ---- */

static void signal_cb(evutil_socket_t signo, short what UNUSED, void *ls_)
{
    struct loop_signal *ls = ls_;
    loop_enter(ls->loop);
    ls->fn(ls->aux, (int)signo);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signo, void (*fn)(void *aux, int signo),
                                    void *aux)
{
    struct loop_signal *ls = NEW(struct loop_signal);
    ls->loop = loop;
    ls->signo = signo;
    ls->fn = fn;
    ls->aux = aux;
    ls->event = evsignal_new(loop->base, signo, signal_cb, ls);
    INVARIANT(ls->event && !event_add(ls->event, NULL));
    return ls;
}

void loop_signal_free(struct loop_signal *ls)
{
    if (!ls)
        return;
    event_free(ls->event);
    free(ls);
}

void loop_post(struct loop *loop, void (*fn)(void *aux), void *aux)
{
    struct posted posted = {fn, aux};
    pthread_mutex_lock(&loop->post_lock);
    vec_push(&loop->posted, posted);
    pthread_mutex_unlock(&loop->post_lock);
    uint64_t one = 1;
    if (write(loop->post_fd, &one, sizeof one) < 0) {
        /* The counter is full: the loop is awake already. */
    }
}
