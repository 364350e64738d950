/* chores.h - what the kernel takes long for, in a thread beside the packets: opening and closing what ports stand on.
 *
 * A packet socket's ring, an XDP program and a tap device are given and taken back only when every processor has been seen at rest (RCU): 7 to 20 ms for
 * a socket, 130 ms for a tap. The thread does one chore after the other, in the order in which they were asked for, so that what follows a
 * closing finds the device free. The database tells that a change is done (cur_cfg) when its chores are.
 *
 * A chore is embedded in what its owner made for it, and touches nothing else while it runs.
 */
#pragma once

#include "base/list.h"
#include "base/util.h"

struct chores;
struct loop;

struct chore {
    struct list node;
    void (*run)(struct chore *chore);  /* in the thread */
    void (*done)(struct chore *chore); /* then, in the loop's: the chore is its owner's again */
};

struct chores *chores_new(struct loop *loop);
void chores_free(struct chores *chores); /* when all are done */
void chores_add(struct chores *chores, struct chore *chore);
bool chores_are_done(const struct chores *chores);
/* Returns when all are done. */
void chores_wait(struct chores *chores);
/* FN(aux) is called in the loop each time that all are done. */
void chores_set_observer(struct chores *chores, void (*fn)(void *aux), void *aux);
