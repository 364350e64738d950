/* counter.h - named event counters of a process, shown by coverage/show.
 *
 * A struct counters is owned by the daemon and handed to what counts; a counter is registered once
 * by name ("txn_commit", in the words of the module that counts) and then bumped through a pointer:
 *
 *     struct counter *c = counter_get(counters, "netdev_sent");   counter_add(c, 1);
 *
 * Counters are made by one thread, and may be bumped by all.
 */
#pragma once

#include "base/list.h"
#include "base/str.h"

struct counters;

struct counter {
    uint64_t n;
    char *name;
    struct list node;
};

struct counters *counter_set_new(void);
void counter_set_free(struct counters *counters); /* all its counters become invalid */
/* The counter of that name, made if it is not there. Never NULL; stays valid until counter_set_free.
 */
struct counter *counter_get(struct counters *counters, const char *name);
static inline void counter_add(struct counter *counter, uint64_t n)
{
    if (n)
        (void)__atomic_fetch_add(&counter->n, n, __ATOMIC_RELAXED);
}
/* For what is counted elsewhere: the counter of that name shows N. */
static inline void counter_set(struct counters *counters, const char *name, uint64_t n)
{
    counter_get(counters, name)->n = n;
}
bool counter_read(const struct counters *counters, const char *name, uint64_t *ret);
/* In order of names. */
void counter_for_each(const struct counters *counters,
                      void (*fn)(const struct counter *counter, void *aux), void *aux);
