/* underlay.c - see underlay.h: rtnetlink(7), one question or change a call. */
#include "switchd/underlay.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "switchd/rtnetlink.h"

/* Routes that this program made, among those of the kernel and of routing daemons (rtnetlink(7), rtm_protocol: above 99). */
enum { PROTOCOL_WEFT = 119 };

struct request {
    struct nlmsghdr nlh;
    union {
        struct rtmsg rtm;
        struct ndmsg ndm;
    };
    uint8_t attributes[96];
};

static struct request request_make(uint16_t type, uint16_t flags, size_t body)
{
    return (struct request){.nlh = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(body),
                                    .nlmsg_type = type,
                                    .nlmsg_flags = NLM_F_REQUEST | flags}};
}

static void put_attribute(struct request *rq, uint16_t type, const void *data, size_t n)
{
    struct rtattr *a = (void *)((char *)rq + NLMSG_ALIGN(rq->nlh.nlmsg_len));
    a->rta_type = type;
    a->rta_len = (uint16_t)RTA_LENGTH(n);
    memcpy(RTA_DATA(a), data, n);
    rq->nlh.nlmsg_len = NLMSG_ALIGN(rq->nlh.nlmsg_len) + (uint32_t)RTA_SPACE(n);
}

static uint8_t family_of(const struct ip_addr *ip)
{
    return ip->version == 6 ? AF_INET6 : AF_INET;
}

static void put_ip(struct request *rq, uint16_t type, const struct ip_addr *ip)
{
    put_attribute(rq, type, &ip->v6, ip_addr_bits(ip) / 8);
}

/* Sends RQ and hands what comes to FN, to the end. 0; ERR_NOT_FOUND: the kernel knows none; ERR_IO. */
static int talk(const struct request *rq, void (*fn)(const struct nlmsghdr *nlh, void *aux),
                void *aux)
{
    union rtnetlink_answer answer;
    int fd = rtnetlink_ask(rq, rq->nlh.nlmsg_len), err = 0;
    bool more = true;
    if (fd < 0)
        return ERR_IO;
    while (more) {
        ssize_t got = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
        unsigned n = got < 0 ? 0 : (unsigned)got;
        more = n > 0;
        for (const struct nlmsghdr *nlh = &answer.nlh; NLMSG_OK(nlh, n); nlh = NLMSG_NEXT(nlh, n)) {
            const struct nlmsgerr *e = NLMSG_DATA(nlh);
            more &= (nlh->nlmsg_flags & NLM_F_MULTI) && nlh->nlmsg_type != NLMSG_DONE;
            if (nlh->nlmsg_type == NLMSG_ERROR && e->error)
                err = e->error == -ENETUNREACH || e->error == -ESRCH || e->error == -EHOSTUNREACH
                          ? ERR_NOT_FOUND
                          : ERR_IO;
            else if (fn && nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE)
                fn(nlh, aux);
        }
    }
    close(fd);
    return err;
}

/* ---- Routes ---- */

static bool read_route(const struct nlmsghdr *nlh, struct underlay_route *ret)
{
    const struct rtmsg *rtm = NLMSG_DATA(nlh);
    memset(ret, 0, sizeof *ret);
    if (nlh->nlmsg_type != RTM_NEWROUTE || nlh->nlmsg_len < NLMSG_LENGTH(sizeof *rtm) ||
        rtm->rtm_flags & RTM_F_CLONED ||
        (rtm->rtm_type != RTN_UNICAST && rtm->rtm_type != RTN_LOCAL))
        return false;
    unsigned left = RTM_PAYLOAD(nlh), ifindex = 0;
    ret->dst.version = rtm->rtm_family == AF_INET6 ? 6 : 4;
    ret->prefix = rtm->rtm_dst_len;
    ret->local = rtm->rtm_type == RTN_LOCAL;
    ret->added = rtm->rtm_protocol == PROTOCOL_WEFT;
    for (const struct rtattr *a = RTM_RTA(rtm); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == RTA_DST)
            ret->dst = rtnetlink_ip(a);
        else if (a->rta_type == RTA_GATEWAY)
            ret->gateway = rtnetlink_ip(a);
        else if (a->rta_type == RTA_PREFSRC)
            ret->source = rtnetlink_ip(a);
        else if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof ifindex)
            memcpy(&ifindex, RTA_DATA(a), sizeof ifindex);
    }
    return if_indextoname(ifindex, ret->device) != NULL;
}

static void take_route(const struct nlmsghdr *nlh, void *routes_)
{
    underlay_routes *routes = routes_;
    struct underlay_route r;
    if (read_route(nlh, &r))
        vec_push(routes, r);
}

/* An address of this host needs no source but itself; else the source is what the kernel would take. */
static void find_source(struct underlay_route *r)
{
    struct underlay_route to;
    if (r->local && !r->source.version)
        r->source = r->dst;
    else if (!r->source.version &&
             !underlay_route_lookup(r->gateway.version ? &r->gateway : &r->dst, &to))
        r->source = to.source;
}

static int compare_routes(const void *a_, const void *b_)
{
    const struct underlay_route *a = a_, *b = b_;
    unsigned host_a = ip_addr_bits(&a->dst) - a->prefix, host_b = ip_addr_bits(&b->dst) - b->prefix;
    if (a->dst.version != b->dst.version)
        return a->dst.version < b->dst.version ? -1 : 1;
    if (host_a != host_b)
        return host_a < host_b ? -1 : 1;
    int order = memcmp(&a->dst.v6, &b->dst.v6, sizeof a->dst.v6);
    return order ? order : strcmp(a->device, b->device);
}

int underlay_routes_get(underlay_routes *ret)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        struct request rq = request_make(RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
        rq.rtm.rtm_family = families[i];
        int err = talk(&rq, take_route, ret);
        if (err)
            return err;
    }
    struct underlay_route *r;
    VEC_FOR_EACH (r, ret)
        find_source(r);
    if (ret->n)
        qsort(ret->data, ret->n, sizeof *ret->data, compare_routes);
    return 0;
}

struct lookup {
    struct underlay_route *ret;
    bool found;
};

static void take_lookup(const struct nlmsghdr *nlh, void *lookup_)
{
    struct lookup *l = lookup_;
    struct nlmsghdr *own = (struct nlmsghdr *)(uintptr_t)nlh;
    ((struct rtmsg *)NLMSG_DATA(own))->rtm_flags &= ~(unsigned)RTM_F_CLONED;
    l->found = read_route(nlh, l->ret);
}

int underlay_route_lookup(const struct ip_addr *dst, struct underlay_route *ret)
{
    struct request rq = request_make(RTM_GETROUTE, 0, sizeof(struct rtmsg));
    struct lookup l = {.ret = ret};
    rq.rtm.rtm_family = family_of(dst);
    rq.rtm.rtm_dst_len = (uint8_t)ip_addr_bits(dst);
    put_ip(&rq, RTA_DST, dst);
    int err = talk(&rq, take_lookup, &l);
    return err || l.found ? err : ERR_NOT_FOUND;
}

int underlay_route_add(const struct underlay_route *route)
{
    struct request rq =
        request_make(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, sizeof(struct rtmsg));
    unsigned ifindex = if_nametoindex(route->device);
    if (!ifindex)
        return ERR_NOT_FOUND;
    rq.rtm = (struct rtmsg){.rtm_family = family_of(&route->dst),
                            .rtm_dst_len = route->prefix,
                            .rtm_table = RT_TABLE_MAIN,
                            .rtm_protocol = PROTOCOL_WEFT,
                            .rtm_scope = route->gateway.version ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
                            .rtm_type = RTN_UNICAST};
    put_ip(&rq, RTA_DST, &route->dst);
    put_attribute(&rq, RTA_OIF, &ifindex, sizeof ifindex);
    if (route->gateway.version)
        put_ip(&rq, RTA_GATEWAY, &route->gateway);
    return talk(&rq, NULL, NULL);
}

int underlay_route_del(const struct ip_addr *dst, uint8_t prefix)
{
    struct request rq = request_make(RTM_DELROUTE, NLM_F_ACK, sizeof(struct rtmsg));
    rq.rtm = (struct rtmsg){.rtm_family = family_of(dst),
                            .rtm_dst_len = prefix,
                            .rtm_table = RT_TABLE_MAIN,
                            .rtm_protocol = PROTOCOL_WEFT,
                            .rtm_scope = RT_SCOPE_NOWHERE};
    put_ip(&rq, RTA_DST, dst);
    return talk(&rq, NULL, NULL);
}

/* ---- Neighbours ---- */

static void take_neighbour(const struct nlmsghdr *nlh, void *neighbours_)
{
    underlay_neighbours *neighbours = neighbours_;
    const struct ndmsg *ndm = NLMSG_DATA(nlh);
    struct underlay_neighbour n = {0};
    if (nlh->nlmsg_type != RTM_NEWNEIGH || nlh->nlmsg_len < NLMSG_LENGTH(sizeof *ndm) ||
        ndm->ndm_state & (NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP) ||
        (ndm->ndm_family != AF_INET && ndm->ndm_family != AF_INET6))
        return;
    unsigned left = (unsigned)(nlh->nlmsg_len - NLMSG_LENGTH(sizeof *ndm));
    const struct rtattr *a = (const void *)((const char *)ndm + NLMSG_ALIGN(sizeof *ndm));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == NDA_DST)
            n.ip = rtnetlink_ip(a);
        else if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) == sizeof n.mac)
            memcpy(&n.mac, RTA_DATA(a), sizeof n.mac);
    }
    n.permanent = ndm->ndm_state & NUD_PERMANENT;
    if (n.ip.version && !mac_is_zero(n.mac) && if_indextoname((unsigned)ndm->ndm_ifindex, n.device))
        vec_push(neighbours, n);
}

int underlay_neighbours_get(underlay_neighbours *ret)
{
    struct request rq = request_make(RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
    return talk(&rq, take_neighbour, ret);
}

static int change_neighbour(const struct underlay_neighbour *neighbour, struct request *rq)
{
    rq->ndm.ndm_family = family_of(&neighbour->ip);
    rq->ndm.ndm_ifindex = (int)if_nametoindex(neighbour->device);
    if (!rq->ndm.ndm_ifindex)
        return ERR_NOT_FOUND;
    put_ip(rq, NDA_DST, &neighbour->ip);
    return 0;
}

int underlay_neighbour_set(const struct underlay_neighbour *neighbour)
{
    struct request rq =
        request_make(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, sizeof(struct ndmsg));
    int err = change_neighbour(neighbour, &rq);
    if (err)
        return err;
    rq.ndm.ndm_state = NUD_REACHABLE;
    put_attribute(&rq, NDA_LLADDR, &neighbour->mac, sizeof neighbour->mac);
    return talk(&rq, NULL, NULL);
}

int underlay_neighbour_del(const struct underlay_neighbour *neighbour)
{
    struct request rq = request_make(RTM_DELNEIGH, NLM_F_ACK, sizeof(struct ndmsg));
    int err = change_neighbour(neighbour, &rq);
    return err ? err : talk(&rq, NULL, NULL);
}
