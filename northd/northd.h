/* northd.h - a northd over two replicas: a library that knows no sockets, no files and no main (rooms 1 to 5 of
 * docs/architecture.md).
 *
 *     NB replica --feed--> engine (program.c) --publisher--> SB replica
 *                             ^ keys (topology/keys.c)          |
 *     NB replica <-------- status.c <-------------------------- +
 *
 * northd_run does the next slice of work: a part of a settle, or, when all is settled, the transactions that make both
 * databases what they should be. At most one difference to each is out, a large one in several transactions; while one is, inputs go on being taken in and
 * settled. Without the lock of its replicas, or paused, a northd settles but writes nothing, so that it can take over at once.
 *
 * Several may live in one process: there is no state but this.
 */
#pragma once

#include "base/env.h"
#include "base/str.h"
#include "replica/replica.h"

struct northd;

/* The lock of SB that the one who writes it has: OVN's. */
#define NORTHD_LOCK "ovn_northd"

struct northd_options {
    struct env *env;
    struct replica *nb, *sb; /* borrowed; their observers are taken */
    bool
        verify; /* after each settle compute everything anew and compare; a difference is a bug: aborts */
    bool paused;
    size_t budget; /* compile units a slice; 0: no limit */
    size_t
        part; /* operations that make a transaction so large that the rest goes into the next; 0: the usual */
    /* There is work: northd_run should be called soon. Never called from inside northd_run. */
    void (*wakeup)(void *aux);
    void *aux;
};

struct northd *northd_new(const struct northd_options *options);
void northd_free(struct northd *northd);

/* True: there is more to do, call again soon. */
bool northd_run(struct northd *northd);
/* When to call northd_run even if nothing happens (after a failed transaction), env's monotonic ms; INT64_MAX: no need. */
int64_t northd_next_ms(const struct northd *northd);
/* Everything known is settled and written, and nothing is out. */
bool northd_is_idle(const struct northd *northd);

/* It is settling, or has written a part of what is to be written: what comes now is not answered at once anyway. */
bool northd_is_busy(const struct northd *northd);

void northd_pause(struct northd *northd, bool paused);
bool northd_is_paused(const struct northd *northd);
/* Holds the lock (or needs none) and is not paused. */
bool northd_is_active(const struct northd *northd);
/* Computes everything anew in the following slices. */
void northd_recompute(struct northd *northd);
/* Compares what is settled with a computation from nothing. False: REPORT gets the differences. Only when idle. */
bool northd_verify(struct northd *northd, struct str *report);
struct cost; /* northd/cost/cost.h */
/* What CS, a transaction that the NB replica has not seen and that may never be, would cost. False: not idle, ask again. */
bool northd_cost(struct northd *northd, const struct changeset *cs, struct cost *ret);
struct northd_counts {
    uint64_t nb_transactions, sb_transactions, failures; /* written, and those that failed */
    uint64_t nb_updates, sb_updates;                     /* sets of changes that came */
    uint64_t recomputes;
};
struct northd_counts northd_counts(const struct northd *northd); /* since the start */
/* Transactions written so far, to NB and SB: tests of "writes nothing". */
uint64_t northd_n_transactions(const struct northd *northd);
void northd_put_stats(const struct northd *northd, struct str *out);
void northd_put_memory(const struct northd *northd, struct str *out);
