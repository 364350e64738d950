/* kernel.c - questions to the kernel's routing and neighbour tables; see kernel.h. */
#include "switchd/inband/kernel.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "switchd/rtnetlink.h"

struct route_request {
    struct nlmsghdr nlh;
    struct rtmsg rtm;
    struct rtattr dst;
    uint8_t ip[16];
};

struct neighbour_request {
    struct nlmsghdr nlh;
    struct ndmsg ndm;
};

/* ---- Routes ---- */

static int read_route(const struct nlmsghdr *nlh, struct next_hop *ret)
{
    const struct rtmsg *rtm = NLMSG_DATA(nlh);
    unsigned left = RTM_PAYLOAD(nlh), ifindex = 0;
    for (const struct rtattr *a = RTM_RTA(rtm); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == RTA_GATEWAY && rtnetlink_ip(a).version == ret->ip.version)
            ret->ip = rtnetlink_ip(a);
        else if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof ifindex)
            memcpy(&ifindex, RTA_DATA(a), sizeof ifindex);
    }
    return if_indextoname(ifindex, ret->device) ? 0 : ERR_NOT_FOUND;
}

static int real_route(void *aux UNUSED, const struct ip_addr *dst, struct next_hop *ret)
{
    unsigned n_ip = ip_addr_bits(dst) / 8;
    struct route_request rq = {
        .nlh = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .rtm = {.rtm_family = dst->version == 6 ? AF_INET6 : AF_INET,
                .rtm_dst_len = (uint8_t)(n_ip * 8)},
        .dst = {.rta_len = (uint16_t)RTA_LENGTH(n_ip), .rta_type = RTA_DST},
    };
    rq.nlh.nlmsg_len = (uint32_t)(sizeof rq - sizeof rq.ip + n_ip);
    memcpy(rq.ip, &dst->v6, n_ip);
    union rtnetlink_answer answer;
    int fd = rtnetlink_ask(&rq, rq.nlh.nlmsg_len);
    if (fd < 0)
        return ERR_IO;
    ssize_t n = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
    close(fd);
    if (n < (ssize_t)sizeof answer.nlh || !NLMSG_OK(&answer.nlh, (unsigned)n))
        return ERR_IO;
    if (answer.nlh.nlmsg_type != RTM_NEWROUTE ||
        answer.nlh.nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
        return ERR_NOT_FOUND;
    ret->ip = *dst;
    return read_route(&answer.nlh, ret);
}

/* ---- Neighbours ---- */

static int neighbour4(const struct next_hop *hop, struct mac *ret)
{
    struct arpreq arp;
    memset(&arp, 0, sizeof arp);
    struct sockaddr_in ip = {.sin_family = AF_INET};
    memcpy(&ip.sin_addr, &hop->ip.v4, sizeof ip.sin_addr);
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

/* Whether the entry is HOP's, with a MAC. */
static bool read_neighbour(const struct nlmsghdr *nlh, unsigned ifindex, const struct ip_addr *ip,
                           struct mac *ret)
{
    const struct ndmsg *ndm = NLMSG_DATA(nlh);
    struct mac mac = {{0}};
    bool same = false;
    if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof *ndm) || (unsigned)ndm->ndm_ifindex != ifindex ||
        ndm->ndm_state & (NUD_INCOMPLETE | NUD_FAILED))
        return false;
    unsigned left = (unsigned)(nlh->nlmsg_len - NLMSG_LENGTH(sizeof *ndm));
    const struct rtattr *a = (const void *)((const char *)ndm + NLMSG_ALIGN(sizeof *ndm));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        struct ip_addr dst = rtnetlink_ip(a);
        if (a->rta_type == NDA_DST)
            same = ip_addr_equal(&dst, ip);
        else if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) == sizeof mac)
            memcpy(&mac, RTA_DATA(a), sizeof mac);
    }
    if (same)
        *ret = mac;
    return same && !mac_is_zero(mac);
}

/* There is no ioctl for IPv6: the table is gone through. */
static int neighbour6(const struct next_hop *hop, struct mac *ret)
{
    struct neighbour_request rq = {
        .nlh = {.nlmsg_len = sizeof rq,
                .nlmsg_type = RTM_GETNEIGH,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .ndm = {.ndm_family = AF_INET6},
    };
    unsigned ifindex = if_nametoindex(hop->device);
    int fd = rtnetlink_ask(&rq, sizeof rq), err = ERR_NOT_FOUND;
    union rtnetlink_answer answer;
    bool more = true;
    if (fd < 0 || !ifindex) {
        if (fd >= 0)
            close(fd);
        return ERR_IO;
    }
    while (more) {
        ssize_t got = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
        unsigned n = got < 0 ? 0 : (unsigned)got;
        more = n > 0;
        for (const struct nlmsghdr *nlh = &answer.nlh; NLMSG_OK(nlh, n); nlh = NLMSG_NEXT(nlh, n)) {
            if (nlh->nlmsg_type != RTM_NEWNEIGH)
                more = false; /* done, or an error */
            else if (err && read_neighbour(nlh, ifindex, &hop->ip, ret))
                err = 0;
        }
    }
    close(fd);
    return err;
}

static int real_neighbour(void *aux UNUSED, const struct next_hop *hop, struct mac *ret)
{
    return hop->ip.version == 6 ? neighbour6(hop, ret) : neighbour4(hop, ret);
}

const struct inband_kernel inband_kernel_real = {.route = real_route, .neighbour = real_neighbour};
