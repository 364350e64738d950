/* busy_poll.h - whether who forwards packets looks for the next one for a moment before it sleeps (Open_vSwitch other_config:busy-poll-usecs;
 * docs/adr/0027-busy-polling.md).
 *
 * A processor that sleeps takes 10 to 30 us to wake, so that request and response between two machines cost four of these, two of them the
 * switch's. Looking costs the processor instead, so it is done only where it pays:
 *
 *     SHORT gaps in a row between packets: it looks after each packet, for as long as the setting says. A gap is short that is shorter than two such
 *         times (who sleeps sees gaps with the time it takes to wake in them); one that is not undoes MISS short ones, and so does looking in vain.
 *     Without packets nobody looks.
 *     If another process wants this processor, it gets it at once, and nobody looks for a while (1 ms, or twice the last time if that was of
 *         no use either, up to about 1 s): a packet wakes who sleeps faster than it would be seen by who waits for its turn.
 *
 * Where small packets come by hundreds of thousands a second, one that looks at once finds few each time, and pays for the way there and back with each: there the
 * main thread gathers, that is, sleeps NAP_US before it looks again, so that a fifth of the processor is saved (busy_poll_gathers). Streams of large packets and
 * requests never come so fast.
 *
 * One of these belongs to one thread. It knows nothing of descriptors: who uses it looks by asking all of its descriptors without sleeping.
 */
#pragma once

#include <stdint.h>

#include "base/util.h"

enum { BUSY_POLL_US = 100, BUSY_POLL_US_MAX = 1000 };

struct counter;
struct counters;

struct busy_poll {
    int64_t limit_us; /* 0: never */
    int64_t saw_us;   /* the last packets */
    int64_t until_us, rest_until_us, rest_us;
    unsigned n_short; /* gaps */
    unsigned n_looks; /* since those packets; 0 as well when it is not to look */
    unsigned n_undisturbed;
    unsigned n_packets;  /* since it was asked last whether to gather */
    int64_t gathered_us; /* when that was */
    bool armed;
    bool rested;                              /* since it looked last */
    bool (*gave_way)(struct busy_poll *poll); /* lets others run; true: some did */
    long n_switches;
    unsigned n_paid, n_unpaid, n_disturbed; /* not yet in */
    struct counter *paid, *unpaid, *disturbed;
};

void busy_poll_init(struct busy_poll *poll, struct counters *counters);
/* LIMIT_US: for how long to look; 0: not at all. */
void busy_poll_set(struct busy_poll *poll, int64_t limit_us);
/* Packets are there. Counts how it was used until now (busy_poll_paid, _unpaid, _disturbed). */
void busy_poll_saw(struct busy_poll *poll, int64_t now_us);
/* Whether so many packets came since the last call, and so fast, that it is worth waiting for more before the next look. */
bool busy_poll_gathers(struct busy_poll *poll, int64_t now_us);
void busy_poll_nap(void); /* this thread sleeps some 20 us */
/* All that was there has been done: whether to look again, and not to sleep. Touches nothing but POLL. */
bool busy_poll_goes_on(struct busy_poll *poll, int64_t now_us) MUST_CHECK;
