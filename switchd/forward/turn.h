/* turn.h - whose turn it is to work on what all threads of the switch share: a lock that is given in the order in which it was asked for, so that
 * a busy main thread, which gives it up only between its own turns, keeps nobody out. Who waits looks for a moment before it sleeps.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/util.h"

struct turn {
    uint64_t next, now; /* tickets: to be given, being served */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

void turn_init(struct turn *turn);
void turn_fini(struct turn *turn);
void turn_take(struct turn *turn);
void turn_give(struct turn *turn);
