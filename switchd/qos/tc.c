/* tc.c - see tc.h. */
#include "switchd/qos/tc.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/util.h"

enum { MESSAGE_MAX = 4096, LINKLAYER_ETHERNET = 1, HTB_VERSION = 3, TICK_SHIFT = 6 };

/* ---- messages ---- */

struct message {
    union {
        struct nlmsghdr head;
        uint8_t bytes[MESSAGE_MAX];
    };
};

static struct tcmsg *begin(struct message *m, uint16_t type, uint16_t flags, uint32_t ifindex,
                           uint32_t parent, uint32_t handle)
{
    memset(m, 0, sizeof *m);
    m->head.nlmsg_type = type;
    m->head.nlmsg_flags = NLM_F_REQUEST | flags;
    m->head.nlmsg_len = NLMSG_LENGTH(sizeof(struct tcmsg));
    struct tcmsg *t = NLMSG_DATA(&m->head);
    t->tcm_family = AF_UNSPEC;
    t->tcm_ifindex = (int)ifindex;
    t->tcm_parent = parent;
    t->tcm_handle = handle;
    return t;
}

static struct rtattr *put(struct message *m, uint16_t type, const void *data, size_t n)
{
    struct rtattr *a = (void *)(m->bytes + NLMSG_ALIGN(m->head.nlmsg_len));
    INVARIANT(NLMSG_ALIGN(m->head.nlmsg_len) + RTA_SPACE(n) <= MESSAGE_MAX);
    a->rta_type = type;
    a->rta_len = (uint16_t)RTA_LENGTH(n);
    if (n)
        memcpy(RTA_DATA(a), data, n);
    m->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->head.nlmsg_len) + RTA_SPACE(n));
    return a;
}

static void end(struct message *m, struct rtattr *nest)
{
    nest->rta_len = (uint16_t)(m->bytes + m->head.nlmsg_len - (uint8_t *)nest);
}

/* Sends M and gives each answer to FN (may be NULL) until the last. 0, ERR_NOT_FOUND, ERR_UNSUPPORTED, ERR_IO; errno tells more. */
static int transact(struct message *m, void (*fn)(void *aux, const struct nlmsghdr *h), void *aux)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct timeval limit = {.tv_sec = 1};
    _Alignas(struct nlmsghdr) uint8_t answer[32768];
    int err = ERR_IO;
    if (fd < 0)
        return err;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    bool dump = (m->head.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP, done = false;
    if (!dump)
        m->head.nlmsg_flags |= NLM_F_ACK;
    if (send(fd, m, m->head.nlmsg_len, 0) < 0)
        done = true;
    while (!done) {
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        if (n < 0)
            break;
        int left = (int)n;
        for (const struct nlmsghdr *h = (void *)answer; !done && NLMSG_OK(h, (unsigned)left);
             h = NLMSG_NEXT(h, left)) {
            done = h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE;
            const struct nlmsgerr *e = NLMSG_DATA(h);
            errno = h->nlmsg_type == NLMSG_ERROR ? -e->error : 0;
            if (done)
                err = errno ? ERR_IO : 0;
            else if (fn)
                fn(aux, h);
        }
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return err;
}

static int run(struct message *m, const char *what, struct diag *diag)
{
    if (!transact(m, NULL, NULL))
        return 0;
    return diag_set(diag, ERR_IO, "%s: %s", what,
                    errno == ENOENT || errno == EOPNOTSUPP ? "the kernel does not have it"
                                                           : strerror(errno));
}

/* ---- disciplines ---- */

int tc_clear(uint32_t ifindex)
{
    struct message m;
    begin(&m, RTM_DELQDISC, 0, ifindex, TC_H_ROOT, 0);
    int err = transact(&m, NULL, NULL);
    return err && (errno == ENOENT || errno == EINVAL || errno == ENODEV) ? 0 : err;
}

int tc_set_classful(uint32_t ifindex, const char *kind, uint32_t default_class, struct diag *diag)
{
    struct message m;
    begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_ROOT, TC_H_MAKE(1u << 16, 0));
    put(&m, TCA_KIND, kind, strlen(kind) + 1);
    if (!strcmp(kind, "htb")) {
        struct rtattr *nest = put(&m, TCA_OPTIONS, NULL, 0);
        struct tc_htb_glob glob = {
            .version = HTB_VERSION, .rate2quantum = 10, .defcls = default_class};
        put(&m, TCA_HTB_INIT, &glob, sizeof glob);
        end(&m, nest);
    } else {
        struct tc_hfsc_qopt options = {.defcls = (uint16_t)default_class};
        put(&m, TCA_OPTIONS, &options, sizeof options);
    }
    return run(&m, kind, diag);
}

static void put_u32_if(struct message *m, uint16_t type, int64_t value)
{
    uint32_t x = (uint32_t)value;
    if (value >= 0)
        put(m, type, &x, sizeof x);
}

static uint32_t or_else(int64_t value, uint32_t otherwise)
{
    return value >= 0 ? (uint32_t)value : otherwise;
}

int tc_set_simple(uint32_t ifindex, const char *kind,
                  int64_t (*value)(const void *aux, const char *key), const void *aux,
                  struct diag *diag)
{
    struct message m;
    begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, TC_H_ROOT, TC_H_MAKE(1u << 16, 0));
    put(&m, TCA_KIND, kind, strlen(kind) + 1);
    if (!strcmp(kind, "sfq")) {
        struct tc_sfq_qopt o = {.quantum = or_else(value(aux, "quantum"), 0),
                                .perturb_period = (int)or_else(value(aux, "perturb"), 10)};
        put(&m, TCA_OPTIONS, &o, sizeof o);
    } else if (!strcmp(kind, "netem")) {
        int64_t loss = value(aux, "loss"); /* per cent */
        struct tc_netem_qopt o = {
            .latency = (uint32_t)(or_else(value(aux, "latency"), 0) * 1000u >> TICK_SHIFT),
            .limit = or_else(value(aux, "limit"), 1000),
            .loss = loss > 0 ? (uint32_t)(UINT32_MAX / 100 * (uint64_t)MIN(loss, 100)) : 0,
            .jitter = (uint32_t)(or_else(value(aux, "jitter"), 0) * 1000u >> TICK_SHIFT)};
        put(&m, TCA_OPTIONS, &o, sizeof o);
    } else {
        bool fq = !strcmp(kind, "fq_codel");
        struct rtattr *nest = put(&m, TCA_OPTIONS, NULL, 0);
        put_u32_if(&m, fq ? TCA_FQ_CODEL_TARGET : TCA_CODEL_TARGET, value(aux, "target"));
        put_u32_if(&m, fq ? TCA_FQ_CODEL_LIMIT : TCA_CODEL_LIMIT, value(aux, "limit"));
        put_u32_if(&m, fq ? TCA_FQ_CODEL_INTERVAL : TCA_CODEL_INTERVAL, value(aux, "interval"));
        if (fq) {
            put_u32_if(&m, TCA_FQ_CODEL_FLOWS, value(aux, "flows"));
            put_u32_if(&m, TCA_FQ_CODEL_QUANTUM, value(aux, "quantum"));
        }
        end(&m, nest);
    }
    return run(&m, kind, diag);
}

/* ---- classes ---- */

/* How long BITS last at RATE, in the scheduler's ticks of 64 ns. */
static uint32_t ticks(uint64_t bits, uint64_t rate)
{
    uint64_t ns = rate ? (uint64_t)((double)bits * 1e9 / (double)rate) : 0;
    return (uint32_t)MIN(ns >> TICK_SHIFT, UINT32_MAX);
}

static void put_htb(struct message *m, const struct tc_class_options *o)
{
    uint64_t rate = o->min_rate / 8, ceil = o->max_rate / 8;
    struct tc_htb_opt parms = {
        .rate = {.linklayer = LINKLAYER_ETHERNET, .rate = (uint32_t)MIN(rate, UINT32_MAX)},
        .ceil = {.linklayer = LINKLAYER_ETHERNET, .rate = (uint32_t)MIN(ceil, UINT32_MAX)},
        .buffer = ticks(o->burst, o->min_rate),
        .cbuffer = ticks(o->burst, o->max_rate),
        .quantum = o->mtu,
        .prio = o->priority};
    put(m, TCA_HTB_PARMS, &parms, sizeof parms);
    if (rate > UINT32_MAX)
        put(m, TCA_HTB_RATE64, &rate, sizeof rate);
    if (ceil > UINT32_MAX)
        put(m, TCA_HTB_CEIL64, &ceil, sizeof ceil);
}

static void put_hfsc(struct message *m, const struct tc_class_options *o)
{
    struct tc_service_curve min = {.m2 = (uint32_t)MIN(o->min_rate / 8, UINT32_MAX)};
    struct tc_service_curve max = {.m2 = (uint32_t)MIN(o->max_rate / 8, UINT32_MAX)};
    min.m1 = min.m2;
    max.m1 = max.m2;
    put(m, TCA_HFSC_RSC, &min, sizeof min);
    put(m, TCA_HFSC_FSC, &min, sizeof min);
    put(m, TCA_HFSC_USC, &max, sizeof max);
}

int tc_set_class(uint32_t ifindex, const char *kind, uint32_t parent, uint32_t minor,
                 const struct tc_class_options *options, struct diag *diag)
{
    struct message m;
    begin(&m, RTM_NEWTCLASS, NLM_F_CREATE, ifindex, TC_H_MAKE(1u << 16, parent),
          TC_H_MAKE(1u << 16, minor));
    put(&m, TCA_KIND, kind, strlen(kind) + 1);
    struct rtattr *nest = put(&m, TCA_OPTIONS, NULL, 0);
    if (!strcmp(kind, "htb"))
        put_htb(&m, options);
    else
        put_hfsc(&m, options);
    end(&m, nest);
    return run(&m, kind, diag);
}

int tc_delete_class(uint32_t ifindex, uint32_t minor)
{
    struct message m;
    begin(&m, RTM_DELTCLASS, 0, ifindex, 0, TC_H_MAKE(1u << 16, minor));
    return transact(&m, NULL, NULL);
}

struct reader {
    void (*fn)(void *aux, uint32_t minor, const struct tc_class_stats *stats);
    void *aux;
};

static void read_stats(const struct rtattr *stats2, struct tc_class_stats *ret)
{
    int n = RTA_PAYLOAD(stats2);
    for (const struct rtattr *a = RTA_DATA(stats2); RTA_OK(a, n); a = RTA_NEXT(a, n)) {
        if (a->rta_type == TCA_STATS_BASIC && RTA_PAYLOAD(a) >= 12) {
            uint32_t packets; /* netlink aligns to 4 */
            memcpy(&ret->bytes, RTA_DATA(a), sizeof ret->bytes);
            memcpy(&packets, (const uint8_t *)RTA_DATA(a) + sizeof ret->bytes, sizeof packets);
            ret->packets = packets;
        } else if (a->rta_type == TCA_STATS_QUEUE &&
                   RTA_PAYLOAD(a) >= sizeof(struct gnet_stats_queue)) {
            ret->drops = ((const struct gnet_stats_queue *)RTA_DATA(a))->drops;
        }
    }
}

static void on_class(void *reader_, const struct nlmsghdr *h)
{
    const struct reader *reader = reader_;
    const struct tcmsg *t = NLMSG_DATA(h);
    struct tc_class_stats stats = {0};
    if (h->nlmsg_type != RTM_NEWTCLASS || TC_H_MAJ(t->tcm_handle) != 1u << 16)
        return;
    int n = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof *t));
    for (const struct rtattr *a = (const void *)((const uint8_t *)t + NLMSG_ALIGN(sizeof *t));
         RTA_OK(a, n); a = RTA_NEXT(a, n)) {
        if ((a->rta_type & ~NLA_F_NESTED) == TCA_STATS2)
            read_stats(a, &stats);
    }
    reader->fn(reader->aux, TC_H_MIN(t->tcm_handle), &stats);
}

int tc_read_classes(uint32_t ifindex,
                    void (*fn)(void *aux, uint32_t minor, const struct tc_class_stats *stats),
                    void *aux)
{
    struct message m;
    struct reader reader = {fn, aux};
    begin(&m, RTM_GETTCLASS, NLM_F_DUMP, ifindex, 0, 0);
    return transact(&m, on_class, &reader);
}
