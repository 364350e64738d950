/* probe.h - notices that a peer has gone silent.
 *
 * After an interval without input SEND is called (send an echo request); after another one without
 * input DEAD (close the connection). Any input counts as activity.
 */
#pragma once

#include "io/loop.h"

struct probe {
    struct timer timer;
    int64_t interval_ms; /* 0: off */
    int64_t last_us;     /* of the last activity */
    bool sent;
    void (*send)(void *aux);
    void (*dead)(void *aux);
    void *aux;
};

void probe_init(struct probe *probe, struct loop *loop, void (*send)(void *aux),
                void (*dead)(void *aux), void *aux);
void probe_set_interval(struct probe *probe, int64_t interval_ms); /* starts; 0 stops */
void probe_activity(struct probe *probe);                          /* cheap */
void probe_stop(struct probe *probe);
