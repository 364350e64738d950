/* busy_poll.c - see busy_poll.h. */
#include "switchd/port/busy_poll.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "daemon/counter.h"

enum {
    SHORT = 16, /* gaps, to begin */
    SHORT_MAX = 32,
    MISS = 8,
    REST_US = 1000,
    REST_MAX_US = 1024 * REST_US,
    UNDISTURBED = 64,  /* times that it looked: the last rest was long enough */
    LOOKS_US_MAX = 50, /* times in a microsecond: more only where the clock stands still */
    NAP_US = 20,
    NAP_SLACK_NS = 1000,
    GATHER_MIN = 2,
    GATHER_MAX = 24,   /* packets of a look that it is worth to gather behind */
    GATHER_EACH_US = 5 /* they came at least so fast */
};

/* A thread that gives way to nobody goes on without a switch. Those since the last call count too: others want this processor; but not those of a rest, which was long. */
static bool gave_way(struct busy_poll *poll)
{
    struct rusage usage;
    if (poll->rested && !getrusage(RUSAGE_THREAD, &usage))
        poll->n_switches = usage.ru_nivcsw;
    poll->rested = false;
    (void)sched_yield();
    if (getrusage(RUSAGE_THREAD, &usage))
        return true;
    bool result = usage.ru_nivcsw != poll->n_switches;
    poll->n_switches = usage.ru_nivcsw;
    return result;
}

void busy_poll_init(struct busy_poll *poll, struct counters *counters)
{
    *poll = (struct busy_poll){.gave_way = gave_way,
                               .paid = counter_get(counters, "busy_poll_paid"),
                               .unpaid = counter_get(counters, "busy_poll_unpaid"),
                               .disturbed = counter_get(counters, "busy_poll_disturbed")};
}

void busy_poll_set(struct busy_poll *poll, int64_t limit_us)
{
    if (poll->limit_us == limit_us)
        return;
    poll->limit_us = limit_us;
    poll->n_short = 0;
    poll->armed = false;
}

static void miss(struct busy_poll *poll)
{
    poll->n_short -= MIN(poll->n_short, (unsigned)MISS);
}

static void count(struct busy_poll *poll)
{
    counter_add(poll->paid, poll->n_paid);
    counter_add(poll->unpaid, poll->n_unpaid);
    counter_add(poll->disturbed, poll->n_disturbed);
    poll->n_paid = poll->n_unpaid = poll->n_disturbed = 0;
}

void busy_poll_saw(struct busy_poll *poll, int64_t now_us)
{
    if (!poll->limit_us)
        return;
    if (now_us - poll->saw_us >= 2 * poll->limit_us)
        miss(poll);
    else if (poll->n_short < SHORT_MAX)
        poll->n_short++;
    poll->n_paid += poll->armed && poll->n_looks > 1;
    count(poll);
    poll->saw_us = now_us;
    poll->n_looks = 0;
    poll->armed = poll->n_short >= SHORT && now_us >= poll->rest_until_us;
}

bool busy_poll_gathers(struct busy_poll *poll, int64_t now_us)
{
    unsigned n = poll->n_packets;
    int64_t us = now_us - poll->gathered_us;
    poll->n_packets = 0;
    poll->gathered_us = now_us;
    return poll->limit_us && n >= GATHER_MIN && n < GATHER_MAX && us < (int64_t)n * GATHER_EACH_US;
}

void busy_poll_nap(void)
{
    static _Thread_local bool has_slack;
    const struct timespec nap = {.tv_nsec = NAP_US * 1000};
    if (!has_slack)
        (void)prctl(PR_SET_TIMERSLACK, NAP_SLACK_NS); /* the kernel's is 50 us */
    has_slack = true;
    (void)nanosleep(&nap, NULL);
}

static void rest(struct busy_poll *poll, int64_t now_us)
{
    poll->n_disturbed++;
    poll->rested = true;
    poll->rest_us = poll->n_undisturbed >= UNDISTURBED
                        ? REST_US
                        : MIN(MAX(2 * poll->rest_us, REST_US), REST_MAX_US);
    poll->rest_until_us = now_us + poll->rest_us;
    poll->n_undisturbed = 0;
    poll->armed = false;
}

bool busy_poll_goes_on(struct busy_poll *poll, int64_t now_us)
{
    if (!poll->armed)
        return false;
    switch (poll->n_looks++) {
    case 0: /* under load there is more at once, and nothing else is to be done */
        return true;
    case 1:
        poll->until_us = now_us + poll->limit_us;
        if (!poll->gave_way(poll)) {
            poll->n_undisturbed++;
            return true;
        }
        rest(poll, now_us);
        return false;
    default:
        if (now_us < poll->until_us && poll->n_looks < LOOKS_US_MAX * poll->limit_us)
            return true;
    }
    poll->n_unpaid++;
    miss(poll);
    poll->armed = false;
    return false;
}
