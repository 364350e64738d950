/* timer.h - timers of a loop: embedded in their owner; one shot, and set again by their function if
 * wanted. Times are the env's monotonic microseconds. See loop.h for when they run.
 */
#pragma once

#include "base/util.h"

struct loop;

struct timer {
    struct loop *loop;
    void (*fn)(void *aux);
    void *aux;
    int64_t at_us;
    size_t slot; /* 1-based place in the heap; 0: not running */
};
void timer_init(struct timer *timer, struct loop *loop, void (*fn)(void *aux), void *aux);
void timer_set_us(struct timer *timer, int64_t at_us);      /* at this monotonic time */
void timer_start_us(struct timer *timer, int64_t after_us); /* from now */
void timer_start_ms(struct timer *timer, int64_t after_ms);
void timer_stop(struct timer *timer); /* also when it is not running */
static inline bool timer_is_running(const struct timer *timer)
{
    return timer->slot != 0;
}
