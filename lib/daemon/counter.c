/* counter.c - named event counters. See counter.h. */
#include "daemon/counter.h"

#include <stdlib.h>
#include <string.h>

struct counters {
    struct list list; /* struct counter, by name */
};

struct counters *counter_set_new(void)
{
    struct counters *counters = NEW(struct counters);
    list_init(&counters->list);
    return counters;
}

void counter_set_free(struct counters *counters)
{
    if (!counters)
        return;
    while (!list_empty(&counters->list)) {
        struct counter *c = LIST_FIRST(struct counter, node, &counters->list);
        list_remove(&c->node);
        free(c->name);
        free(c);
    }
    free(counters);
}

struct counter *counter_get(struct counters *counters, const char *name)
{
    struct counter *c;
    LIST_FOR_EACH (c, node, &counters->list) {
        int order = strcmp(c->name, name);
        if (!order)
            return c;
        if (order > 0)
            break;
    }
    /* Here C is the first greater one, or what surrounds the head of the list. */
    struct list *before = &c->node;
    c = NEW(struct counter);
    c->name = xstrdup(name);
    list_insert(before, &c->node);
    return c;
}

bool counter_read(const struct counters *counters, const char *name, uint64_t *ret)
{
    const struct counter *c;
    LIST_FOR_EACH (c, node, &counters->list) {
        if (!strcmp(c->name, name)) {
            *ret = __atomic_load_n(&c->n, __ATOMIC_RELAXED);
            return true;
        }
    }
    return false;
}

void counter_for_each(const struct counters *counters,
                      void (*fn)(const struct counter *counter, void *aux), void *aux)
{
    const struct counter *c;
    LIST_FOR_EACH (c, node, &counters->list)
        fn(c, aux);
}
