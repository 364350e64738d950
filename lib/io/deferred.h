/* deferred.h - calls that are put off to a phase at the end of the loop's turn: embedded in their
 * owner. See loop.h for the phases and their order.
 */
#pragma once

#include "base/list.h"

struct loop;

enum loop_phase { LOOP_LATER, LOOP_COMMIT, LOOP_OUTPUT, LOOP_N_PHASES };
struct deferred {
    struct list node;
    struct loop *loop;
    enum loop_phase phase;
    void (*fn)(void *aux);
    void *aux;
};
void deferred_init(struct deferred *d, struct loop *loop, enum loop_phase phase,
                   void (*fn)(void *aux), void *aux);
void deferred_schedule(struct deferred *d); /* once, however often it is asked for */
void deferred_cancel(struct deferred *d);
static inline bool deferred_is_scheduled(const struct deferred *d)
{
    return !list_empty(&d->node);
}
