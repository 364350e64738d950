/* spin.h - a bit that says who may change what it stands beside, for a few instructions at a time: the state of one connection, a meter, a policer. Who finds
 * it taken looks again, and gives way to others now and then, since who has it may have lost the processor.
 */
#pragma once

#include <sched.h>

#include "base/util.h"

enum { SPIN_LOOKS = 100 };

struct spin {
    bool taken;
};

static inline void spin_take(struct spin *spin)
{
    for (unsigned i = 1; __atomic_exchange_n(&spin->taken, true, __ATOMIC_ACQUIRE); i++) {
        if (i % SPIN_LOOKS == 0)
            (void)sched_yield();
    }
}

static inline void spin_give(struct spin *spin)
{
    __atomic_store_n(&spin->taken, false, __ATOMIC_RELEASE);
}
