/* timer.c - timers: a binary heap by due time in the loop. See timer.h. */
#include "io/loop_impl.h"

static void heap_place(struct loop *loop, struct timer *timer, size_t i)
{
    loop->heap.data[i] = timer;
    timer->slot = i + 1;
}

static void heap_up(struct loop *loop, struct timer *timer, size_t i)
{
    while (i && loop->heap.data[(i - 1) / 2]->at_us > timer->at_us) {
        heap_place(loop, loop->heap.data[(i - 1) / 2], i);
        i = (i - 1) / 2;
    }
    heap_place(loop, timer, i);
}

static void heap_down(struct loop *loop, struct timer *timer, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= loop->heap.n)
            break;
        if (child + 1 < loop->heap.n &&
            loop->heap.data[child + 1]->at_us < loop->heap.data[child]->at_us)
            child++;
        if (loop->heap.data[child]->at_us >= timer->at_us)
            break;
        heap_place(loop, loop->heap.data[child], i);
        i = child;
    }
    heap_place(loop, timer, i);
}

void timer_init(struct timer *timer, struct loop *loop, void (*fn)(void *aux), void *aux)
{
    *timer = (struct timer){.loop = loop, .fn = fn, .aux = aux};
}

void timer_set_us(struct timer *timer, int64_t at_us)
{
    struct loop *loop = timer->loop;
    timer_stop(timer);
    /* A timer that is set by a timer waits for the next turn, also on a clock that stands. */
    timer->at_us = loop->in_timers ? MAX(at_us, loop->now_us + 1) : at_us;
    vec_push(&loop->heap, timer);
    heap_up(loop, timer, loop->heap.n - 1);
}

void timer_start_us(struct timer *timer, int64_t after_us)
{
    timer_set_us(timer, env_now_us(timer->loop->env) + after_us);
}

void timer_start_ms(struct timer *timer, int64_t after_ms)
{
    timer_start_us(timer, after_ms * 1000);
}

void timer_stop(struct timer *timer)
{
    if (!timer->slot)
        return;
    struct loop *loop = timer->loop;
    size_t i = timer->slot - 1;
    timer->slot = 0;
    struct timer *last = vec_pop(&loop->heap);
    if (last == timer)
        return;
    if (i && loop->heap.data[(i - 1) / 2]->at_us > last->at_us)
        heap_up(loop, last, i);
    else
        heap_down(loop, last, i);
}
