/* turn.h - who may touch what the threads of the switch share.
 *
 *     inside   any number of forwarders at once: they read what is shared, and change what is theirs alone or has a lock of its own (base/spin.h)
 *     alone    one of them, who asks for it where it stands, when something must be added or ended; it stays so until it leaves
 *     whole    the main thread, and nobody else
 *
 * A forwarder that comes in and finds nobody who wants more writes a word of its own and reads one that seldom changes: no lock, and nothing that two of
 * them write. Who wants to be alone, or have the whole, closes the door and waits until the others have left.
 *
 * A forwarder that waits to be alone has stopped in its packet, and has pointers to what is shared. So who is alone adds and ends connections, queues
 * packets, and the like, but takes away nothing that another may be standing on (megaflows, ports, flows): that is for the whole, which waits
 * for all to leave. Whoever stood before the door when the whole was given back goes in before it is taken again.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "base/util.h"

struct turn_seat {   /* of a forwarder */
    uint32_t at;     /* enum turn_at, in turn.c */
    bool alone;      /* its own thread's to read */
    char apart[120]; /* from the next one: nobody else writes to this cache line */
};

struct turn {
    uint32_t n_closed; /* who wants to be alone, or the whole; changed with LOCK */
    char apart[60];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct turn_seat *alone; /* NULL: nobody is */
    unsigned n_waiting;      /* before the door */
    unsigned n_owed;         /* of them, who go in before the main thread */
    struct turn_seat *seats;
    unsigned n_seats;
};

/* SEATS, N of them, are the caller's, and stay. */
void turn_init(struct turn *turn, struct turn_seat *seats, unsigned n);
void turn_fini(struct turn *turn);
void turn_enter(struct turn *turn, struct turn_seat *seat);
void turn_leave(struct turn *turn, struct turn_seat *seat);
/* Who is inside is alone from now on, until it leaves. */
void turn_be_alone(struct turn *turn, struct turn_seat *seat);
void turn_take_whole(struct turn *turn);
void turn_give_whole(struct turn *turn);
