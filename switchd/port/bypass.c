/* bypass.c - see bypass.h: /proc/net/packet and rtnetlink's IFLA_QDISC, which waits for whoever configures devices: a thread asks. */
#include "switchd/port/bypass.h"

#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vec.h"
#include "switchd/port/chores.h"

enum { FRESH_MS = 500, WANTED_MS = 5000 };

struct device {
    uint32_t ifindex;
    bool is_seen;
    bool no_queue;      /* as of the last answer */
    unsigned listeners; /* packet sockets that hear it */
    int64_t wanted_ms;  /* when it was asked for last */
};
typedef VEC(struct device) device_vec;

struct bypass {
    struct env *env;
    struct chores *chores;
    struct chore look;
    struct deferred call; /* begins it */
    struct timer later;   /* the same */
    struct list askers;
    bool is_looking;
    int64_t looked_ms;
    device_vec devices; /* ascending; those that are asked for */
    /* the thread's while it looks: */
    device_vec asked;
    VEC(uint32_t) listeners; /* the devices that packet sockets hear, ascending; 0: all devices */
    bool unknown;            /* /proc cannot be read */
};

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Only sockets for all protocols hear what is sent. */
static void read_listeners(struct bypass *b)
{
    b->listeners.n = 0;
    FILE *f = fopen("/proc/self/net/packet", "re");
    b->unknown = !f;
    if (!f)
        return;
    char line[160];
    while (fgets(line, sizeof line, f)) {
        unsigned type, proto, ifindex;
        if (sscanf(line, "%*s %*s %u %x %u", &type, &proto, &ifindex) == 3 && proto == ETH_P_ALL)
            vec_push(&b->listeners, ifindex);
    }
    fclose(f);
    if (b->listeners.n)
        qsort(b->listeners.data, b->listeners.n, sizeof *b->listeners.data, compare);
}

/* Packet sockets that hear IFINDEX, and those that hear every device. */
static size_t count_listeners(const struct bypass *b, uint32_t ifindex)
{
    size_t n = 0, low = 0, high = b->listeners.n;
    for (size_t i = 0; i < b->listeners.n && !b->listeners.data[i]; i++)
        n++;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->listeners.data[middle] < ifindex)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < b->listeners.n && b->listeners.data[low] == ifindex; low++)
        n++;
    return n;
}

/* Reads the root queue discipline's name out of a message about a device. */
static bool says_noqueue(struct nlmsghdr *n, size_t len)
{
    if (!NLMSG_OK(n, len) || n->nlmsg_type != RTM_NEWLINK)
        return false;
    int left = (int)IFLA_PAYLOAD(n);
    for (struct rtattr *a = IFLA_RTA(NLMSG_DATA(n)); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == IFLA_QDISC)
            return RTA_PAYLOAD(a) == sizeof "noqueue" && !memcmp(RTA_DATA(a), "noqueue", 8);
    }
    return false;
}

static bool has_no_queue(int fd, uint32_t ifindex)
{
    struct {
        struct nlmsghdr n;
        struct ifinfomsg i;
    } request = {
        .n = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
        .i = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex}};
    union {
        struct nlmsghdr n;
        uint8_t bytes[16384];
    } answer;
    ssize_t len = send(fd, &request, sizeof request, 0) < 0
                      ? -1
                      : recv(fd, &answer, sizeof answer, MSG_TRUNC);
    return len > 0 && (size_t)len <= sizeof answer && says_noqueue(&answer.n, (size_t)len);
}

static void look_run(struct chore *chore)
{
    struct bypass *b = CONTAINER_OF(chore, struct bypass, look);
    struct device *d;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    read_listeners(b);
    VEC_FOR_EACH (d, &b->asked) {
        d->no_queue = fd >= 0 && !b->unknown && has_no_queue(fd, d->ifindex);
        d->listeners = (unsigned)count_listeners(b, d->ifindex);
    }
    if (fd >= 0)
        close(fd);
}

/* The place of IFINDEX, or where it would be. */
static size_t place(const device_vec *devices, uint32_t ifindex)
{
    size_t low = 0, high = devices->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (devices->data[middle].ifindex < ifindex)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct device *find(const device_vec *devices, uint32_t ifindex)
{
    size_t i = place(devices, ifindex);
    return i < devices->n && devices->data[i].ifindex == ifindex ? &devices->data[i] : NULL;
}

/* Looks again as soon as it may. */
static void want_look(struct bypass *b)
{
    int64_t wait_ms = FRESH_MS - (env_now_ms(b->env) - b->looked_ms);
    if (b->is_looking)
        return;
    if (wait_ms <= 0)
        deferred_schedule(&b->call);
    else if (!timer_is_running(&b->later))
        timer_start_ms(&b->later, wait_ms);
}

/* Tells all; whose device the look came too early for asks again. */
static void tell_askers(struct bypass *b)
{
    struct list askers;
    list_init(&askers);
    list_splice_back(&askers, &b->askers);
    while (!list_empty(&askers)) {
        struct bypass_asker *asker = LIST_FIRST(struct bypass_asker, node, &askers);
        bypass_forget(asker);
        asker->seen(asker);
    }
}

static void look_done(struct chore *chore)
{
    struct bypass *b = CONTAINER_OF(chore, struct bypass, look);
    const struct device *answer;
    VEC_FOR_EACH (answer, &b->asked) {
        struct device *d = find(&b->devices, answer->ifindex);
        if (d) {
            d->is_seen = true;
            d->no_queue = answer->no_queue;
            d->listeners = answer->listeners;
        }
    }
    b->is_looking = false;
    tell_askers(b);
}

/* In the next turn, so that all ports of a round are asked about at once. */
static void look(void *bypass)
{
    struct bypass *b = bypass;
    size_t n = 0;
    timer_stop(&b->later);
    if (b->is_looking)
        return;
    b->looked_ms = env_now_ms(b->env);
    for (size_t i = 0; i < b->devices.n; i++)
        if (b->looked_ms - b->devices.data[i].wanted_ms < WANTED_MS)
            b->devices.data[n++] = b->devices.data[i];
    b->devices.n = n;
    vec_clear(&b->asked);
    vec_reserve(&b->asked, n);
    if (n)
        memcpy(b->asked.data, b->devices.data, n * sizeof *b->asked.data);
    b->asked.n = n;
    b->is_looking = true;
    chores_add(b->chores, &b->look);
}

bool bypass_is_free(struct port_host *host, uint32_t ifindex, unsigned n_own,
                    struct bypass_asker *asker)
{
    int64_t now_ms = env_now_ms(host->env);
    struct bypass *b = host->bypass;
    if (!b) {
        b = host->bypass = NEW(struct bypass);
        b->env = host->env;
        b->chores = host->questions;
        b->look = (struct chore){.run = look_run, .done = look_done};
        b->looked_ms = now_ms - FRESH_MS;
        deferred_init(&b->call, host->loop, LOOP_LATER, look, b);
        timer_init(&b->later, host->loop, look, b);
        list_init(&b->askers);
    }
    struct device *d = find(&b->devices, ifindex);
    if (!d) {
        size_t i = place(&b->devices, ifindex);
        vec_push(&b->devices, ((struct device){.ifindex = ifindex}));
        d = &b->devices.data[i];
        memmove(d + 1, d, (b->devices.n - 1 - i) * sizeof *d);
        *d = (struct device){.ifindex = ifindex};
    }
    d->wanted_ms = now_ms;
    bypass_forget(asker);
    if (!d->is_seen) {
        list_push_back(&b->askers, &asker->node);
        want_look(b);
    } else if (!b->is_looking && now_ms - b->looked_ms >= FRESH_MS) {
        deferred_schedule(&b->call);
    }
    return d->no_queue && d->listeners <= n_own;
}

void bypass_forget(struct bypass_asker *asker)
{
    list_remove(&asker->node);
}

void bypass_free(struct bypass *b)
{
    if (!b)
        return;
    INVARIANT(!b->is_looking);
    deferred_cancel(&b->call);
    timer_stop(&b->later);
    vec_fini(&b->devices);
    vec_fini(&b->asked);
    vec_fini(&b->listeners);
    free(b);
}
