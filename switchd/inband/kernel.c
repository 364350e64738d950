/* kernel.c - questions to the kernel's routing and neighbour tables; see kernel.h. */
#include "switchd/inband/kernel.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

struct route_request {
    struct nlmsghdr nlh;
    struct rtmsg rtm;
    struct rtattr dst;
    be32 ip;
};

/* The answer of rtnetlink to RQ: its length, or -1. */
static ssize_t ask(const struct route_request *rq, void *answer, size_t n)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    ssize_t got = send(fd, rq, sizeof *rq, 0) < 0 ? -1 : recv(fd, answer, n, MSG_DONTWAIT);
    close(fd);
    return got;
}

static int read_route(const struct nlmsghdr *nlh, struct next_hop *ret)
{
    const struct rtmsg *rtm = NLMSG_DATA(nlh);
    unsigned left = RTM_PAYLOAD(nlh), ifindex = 0;
    for (const struct rtattr *a = RTM_RTA(rtm); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == RTA_GATEWAY && RTA_PAYLOAD(a) == sizeof ret->ip)
            memcpy(&ret->ip, RTA_DATA(a), sizeof ret->ip);
        else if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof ifindex)
            memcpy(&ifindex, RTA_DATA(a), sizeof ifindex);
    }
    return if_indextoname(ifindex, ret->device) ? 0 : ERR_NOT_FOUND;
}

static int real_route(void *aux UNUSED, be32 dst, struct next_hop *ret)
{
    struct route_request rq = {
        .nlh = {.nlmsg_len = sizeof rq, .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .rtm = {.rtm_family = AF_INET, .rtm_dst_len = 32},
        .dst = {.rta_len = RTA_LENGTH(sizeof rq.ip), .rta_type = RTA_DST},
        .ip = dst,
    };
    union {
        struct nlmsghdr nlh;
        char bytes[4096];
    } answer;
    ssize_t n = ask(&rq, &answer, sizeof answer);
    if (n < (ssize_t)sizeof answer.nlh || !NLMSG_OK(&answer.nlh, (unsigned)n))
        return ERR_IO;
    if (answer.nlh.nlmsg_type != RTM_NEWROUTE ||
        answer.nlh.nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
        return ERR_NOT_FOUND;
    ret->ip = dst;
    return read_route(&answer.nlh, ret);
}

static int real_neighbour(void *aux UNUSED, const struct next_hop *hop, struct mac *ret)
{
    struct arpreq arp;
    memset(&arp, 0, sizeof arp);
    struct sockaddr_in ip = {.sin_family = AF_INET};
    memcpy(&ip.sin_addr, &hop->ip, sizeof ip.sin_addr);
    memcpy(&arp.arp_pa, &ip, sizeof ip);
    memcpy(arp.arp_dev, hop->device, sizeof arp.arp_dev);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    int rc = ioctl(fd, SIOCGARP, &arp), error = errno;
    close(fd);
    if (rc < 0)
        return error == ENXIO ? ERR_NOT_FOUND : ERR_IO;
    if (!(arp.arp_flags & ATF_COM))
        return ERR_NOT_FOUND;
    memcpy(ret->b, arp.arp_ha.sa_data, sizeof ret->b);
    return mac_is_zero(*ret) ? ERR_NOT_FOUND : 0;
}

const struct inband_kernel inband_kernel_real = {.route = real_route, .neighbour = real_neighbour};
