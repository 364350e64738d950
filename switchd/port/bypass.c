/* bypass.c - see bypass.h: /proc/net/packet and rtnetlink's IFLA_QDISC. */
#include "switchd/port/bypass.h"

#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vec.h"

enum { FRESH_MS = 500 };

struct bypass {
    int64_t read_ms;
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

static bool has_no_queue(uint32_t ifindex)
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
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return false;
    ssize_t len = send(fd, &request, sizeof request, 0) < 0
                      ? -1
                      : recv(fd, &answer, sizeof answer, MSG_TRUNC);
    close(fd);
    return len > 0 && (size_t)len <= sizeof answer && says_noqueue(&answer.n, (size_t)len);
}

bool bypass_is_free(struct port_host *host, uint32_t ifindex, unsigned n_own)
{
    int64_t now_ms = env_now_ms(host->env);
    struct bypass *b = host->bypass;
    if (!b)
        b = host->bypass = NEW(struct bypass);
    if (!b->read_ms || now_ms - b->read_ms >= FRESH_MS) {
        read_listeners(b);
        b->read_ms = now_ms;
    }
    return !b->unknown && count_listeners(b, ifindex) <= n_own && has_no_queue(ifindex);
}

void bypass_free(struct bypass *b)
{
    if (!b)
        return;
    vec_fini(&b->listeners);
    free(b);
}
