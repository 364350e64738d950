/* deferred.c - deferred calls: a list a phase in the loop. See deferred.h. */
#include "io/loop_impl.h"

void deferred_init(struct deferred *d, struct loop *loop, enum loop_phase phase,
                   void (*fn)(void *aux), void *aux)
{
    *d = (struct deferred){.loop = loop, .phase = phase, .fn = fn, .aux = aux};
    list_init(&d->node);
}

void deferred_schedule(struct deferred *d)
{
    if (list_empty(&d->node))
        list_push_back(&d->loop->deferred[d->phase], &d->node);
}

void deferred_cancel(struct deferred *d)
{
    list_remove(&d->node);
}
