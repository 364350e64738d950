/* forwarder.c - see forwarder.h. */
#include "switchd/forward/forwarder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/thread.h"
#include "switchd/forward/lane.h"
#include "switchd/forward/turn.h"

LOG_MODULE(forwarder);

enum { EVENTS = 16 };

struct forwarder {
    struct turn_seat *seat;
    struct forwarders *all;
    pthread_t thread;
    int epoll, wake; /* WAKE: it is to stop */
    unsigned n_watches;
    struct port_lane lane;
    struct busy_poll poll;
    bool away; /* set inside, cleared under ALL->back's lock */
};

struct forwarders {
    struct port_host *host;
    struct turn turn;
    struct hmap watches; /* by id */
    uint64_t last_id;    /* 0 is that of WAKE */
    bool quit;           /* the whole's */
    struct turn_seat *seats;
    pthread_mutex_t back_lock;
    pthread_cond_t back; /* somebody is no longer away */
    unsigned n;
    struct forwarder each[];
};

/* ---- the thread ---- */

static struct port_watch *watch_find(const struct forwarders *all, uint64_t id)
{
    struct port_watch *w;
    HMAP_FOR_EACH_WITH_HASH (w, node, hash_u64(id, 0), &all->watches) {
        if (w->id == id)
            return w;
    }
    return NULL;
}

/* Inside, and once more at the end. The watch may be gone: then there is nothing to do. */
static void serve(struct forwarder *f, uint64_t id)
{
    struct forwarders *all = f->all;
    struct port_watch *w = watch_find(all, id);
    if (!w)
        return;
    w->fn(w->aux, LOOP_READ);
    if (lane_is_empty(&f->lane))
        return;
    f->away = true;
    turn_leave(&all->turn, f->seat);
    lane_send(&f->lane);
    pthread_mutex_lock(&all->back_lock);
    f->away = false;
    pthread_cond_signal(&all->back);
    pthread_mutex_unlock(&all->back_lock);
    turn_enter(&all->turn, f->seat);
    lane_finish(&f->lane);
}

static void *run(void *f_)
{
    struct forwarder *f = f_;
    struct forwarders *all = f->all;
    port_io_here = &f->lane.io;
    for (bool quit = false; !quit;) {
        struct epoll_event events[EVENTS];
        bool looks = busy_poll_goes_on(&f->poll, env_now_us(all->host->env));
        int n = epoll_wait(f->epoll, events, EVENTS, looks ? 0 : -1);
        INVARIANT(n >= 0 || errno == EINTR);
        if (n <= 0)
            continue;
        turn_enter(&all->turn, f->seat);
        busy_poll_set(&f->poll, all->host->poll.limit_us);
        busy_poll_saw(&f->poll, env_now_us(all->host->env));
        for (int i = 0; i < n && !all->quit; i++)
            serve(f, events[i].data.u64);
        quit = all->quit;
        turn_leave(&all->turn, f->seat);
    }
    return NULL;
}

/* ---- watches ---- */

static struct forwarder *least_busy(struct forwarders *all)
{
    struct forwarder *best = &all->each[0];
    for (unsigned i = 1; i < all->n; i++) {
        if (all->each[i].n_watches < best->n_watches)
            best = &all->each[i];
    }
    return best;
}

static void place(struct port_watch *w)
{
    struct forwarders *all = w->host->forwarders;
    if (!all) {
        w->lfd = loop_fd_new(w->host->loop, w->fd, LOOP_READ, w->fn, w->aux);
        return;
    }
    w->id = ++all->last_id;
    w->owner = w->first ? &all->each[(unsigned)(w->first->owner - all->each + w->index) % all->n]
                        : least_busy(all);
    w->owner->n_watches++;
    hmap_insert(&all->watches, &w->node, hash_u64(w->id, 0));
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = w->id};
    INVARIANT(!epoll_ctl(w->owner->epoll, EPOLL_CTL_ADD, w->fd, &event));
}

static void take_away(struct port_watch *w)
{
    loop_fd_free(w->lfd);
    w->lfd = NULL;
    if (!w->owner)
        return;
    (void)epoll_ctl(w->owner->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    hmap_remove(&w->owner->all->watches, &w->node);
    w->owner->n_watches--;
    w->owner = NULL;
}

struct port_watch *port_watch_new(struct port_host *host, int fd,
                                  void (*fn)(void *aux, unsigned events), void *aux,
                                  struct port_watch *first)
{
    struct port_watch *w = NEW(struct port_watch);
    w->host = host;
    w->fd = fd;
    w->fn = fn;
    w->aux = aux;
    w->first = first;
    w->index = first ? ++first->n_others : 0;
    list_push_back(&host->watches, &w->all);
    place(w);
    return w;
}

void port_watch_free(struct port_watch *w)
{
    if (!w)
        return;
    take_away(w);
    list_remove(&w->all);
    free(w);
}

/* ---- start and stop ---- */

static void collect(const struct forwarder *f)
{
    const struct port_host *host = f->all->host;
    if (host->worker_new)
        host->worker_collect(host->aux, f->lane.io.worker);
}

/* What the forwarders counted is in before the main thread looks at anything. */
static void enter(void *all_)
{
    struct forwarders *all = all_;
    turn_take_whole(&all->turn);
    for (unsigned i = 0; i < all->n; i++)
        collect(&all->each[i]);
}

static void leave(void *all)
{
    turn_give_whole(&((struct forwarders *)all)->turn);
}

static void forwarder_fini(struct forwarder *f)
{
    const struct port_host *host = f->all->host;
    if (host->worker_new)
        host->worker_free(host->aux, f->lane.io.worker);
    if (f->wake >= 0)
        close(f->wake);
    if (f->epoll >= 0)
        close(f->epoll);
    lane_fini(&f->lane);
}

/* 0, or the errno of what there was too little of; then nothing is left of it. */
static int start_one(struct forwarders *all, struct forwarder *f)
{
    *f = (struct forwarder){.all = all,
                            .seat = &all->seats[f - all->each],
                            .epoll = epoll_create1(EPOLL_CLOEXEC),
                            .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
    int err = 0;
    lane_init(&f->lane, all->host, &all->turn, f->seat);
    if (all->host->worker_new)
        f->lane.io.worker = all->host->worker_new(all->host->aux);
    busy_poll_init(&f->poll, all->host->counters);
    if (f->epoll < 0 || f->wake < 0 || epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->wake, &event) < 0 ||
        !thread_start(&f->thread, run, f))
        err = errno;
    if (err) {
        forwarder_fini(f);
        return err;
    }
    char name[16];
    snprintf(name, sizeof name, "handler%u", (unsigned)(f - all->each) + 1);
    (void)pthread_setname_np(f->thread, name);
    return 0;
}

static void free_all(struct forwarders *all)
{
    hmap_fini(&all->watches);
    pthread_cond_destroy(&all->back);
    pthread_mutex_destroy(&all->back_lock);
    turn_fini(&all->turn);
    free(all->seats);
    free(all);
}

/* As many of N as can be had. */
static void start(struct port_host *host, unsigned n)
{
    int err = 0;
    struct forwarders *all = xcalloc(1, sizeof *all + n * sizeof all->each[0]);
    const struct loop_guard guard = {enter, leave, all};
    all->host = host;
    all->seats = xcalloc(n, sizeof *all->seats);
    turn_init(&all->turn, all->seats, n);
    pthread_mutex_init(&all->back_lock, NULL);
    pthread_cond_init(&all->back, NULL);
    loop_set_guard(host->loop, &guard);
    while (all->n < n && !(err = start_one(all, &all->each[all->n])))
        all->n++;
    if (err)
        log_warn("cannot start forwarding thread %u of %u (%s)", all->n + 1, n, strerror(err));
    if (all->n) {
        host->forwarders = all;
        return;
    }
    loop_set_guard(host->loop, NULL);
    free_all(all);
}

static void stop(struct port_host *host)
{
    struct forwarders *all = host->forwarders;
    uint64_t one = 1;
    loop_enter(host->loop);
    all->quit = true;
    loop_set_guard(host->loop, NULL);
    for (unsigned i = 0; i < all->n; i++) {
        struct forwarder *f = &all->each[i];
        INVARIANT(write(f->wake, &one, sizeof one) == sizeof one);
        pthread_join(f->thread, NULL);
    }
    for (unsigned i = 0; i < all->n; i++) {
        collect(&all->each[i]);
        forwarder_fini(&all->each[i]);
    }
    free_all(all);
    host->forwarders = NULL;
}

bool forwarders_set(struct port_host *host, unsigned n)
{
    struct port_watch *w;
    n = n < 2 ? 0 : MIN(n, (unsigned)FORWARDERS_MAX);
    if (n == host->n_wanted)
        return false;
    host->n_wanted = n;
    LIST_FOR_EACH (w, all, &host->watches)
        take_away(w);
    if (host->forwarders)
        stop(host);
    if (n)
        start(host, n);
    LIST_FOR_EACH (w, all, &host->watches)
        place(w);
    if (host->forwarders)
        log_info("%u threads forward packets", forwarders_count(host));
    else
        log_info("the main thread forwards packets");
    return true;
}

unsigned forwarders_count(const struct port_host *host)
{
    return host->forwarders ? host->forwarders->n : 0;
}

void forwarders_settle(struct port_host *host)
{
    struct forwarders *all = host->forwarders;
    if (!all)
        return;
    loop_enter(host->loop);
    pthread_mutex_lock(&all->back_lock);
    for (unsigned i = 0; i < all->n; i++) {
        while (all->each[i].away)
            pthread_cond_wait(&all->back, &all->back_lock);
    }
    pthread_mutex_unlock(&all->back_lock);
}
