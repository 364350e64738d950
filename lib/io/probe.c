/* probe.c - inactivity probes. See probe.h. Activity costs one store: the timer looks at it. */
#include "io/probe.h"

static void probe_due(void *p_)
{
    struct probe *p = p_;
    int64_t now = env_now_us(loop_env(p->timer.loop));
    int64_t due = p->last_us + p->interval_ms * 1000;
    if (now < due) {
        timer_set_us(&p->timer, due);
        return;
    }
    if (p->sent) {
        p->dead(p->aux);
        return;
    }
    /* The second interval begins now, also when the loop was late. */
    p->sent = true;
    p->last_us = now;
    timer_start_ms(&p->timer, p->interval_ms);
    p->send(p->aux);
}

void probe_init(struct probe *p, struct loop *loop, void (*send)(void *aux),
                void (*dead)(void *aux), void *aux)
{
    *p = (struct probe){.send = send, .dead = dead, .aux = aux};
    timer_init(&p->timer, loop, probe_due, p);
}

void probe_set_interval(struct probe *p, int64_t interval_ms)
{
    p->interval_ms = interval_ms;
    timer_stop(&p->timer);
    if (interval_ms > 0) {
        probe_activity(p);
        timer_start_ms(&p->timer, interval_ms);
    }
}

void probe_activity(struct probe *p)
{
    if (p->interval_ms > 0) {
        p->last_us = loop_now_us(p->timer.loop);
        p->sent = false;
    }
}

void probe_stop(struct probe *p)
{
    timer_stop(&p->timer);
    p->interval_ms = 0;
}
