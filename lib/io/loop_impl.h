/* loop_impl.h - what the parts of the loop share; not for others. */
#pragma once

#include <pthread.h>

#include "base/vec.h"
#include "io/loop.h"

struct event_base;
struct event;

struct posted {
    void (*fn)(void *aux);
    void *aux;
};

struct loop {
    struct env *env;
    struct event_base *base;
    struct event *sleep_end; /* ends the wait when a timer is due */
    int64_t now_us;
    bool stopping, in_timers;
    uint64_t n_calls;         /* of descriptors, timers, deferred calls, posted ones */
    VEC(struct timer *) heap; /* heap.data[0] is the earliest; slots are 1-based */
    struct list deferred[LOOP_N_PHASES];
    int post_fd;
    struct event *post_event;
    pthread_mutex_t post_lock;
    VEC(struct posted) posted;
    struct loop_guard guard;
    bool inside; /* the guard has been entered */
};
