/* packet_fanout.c - see packet_fanout.h. */
#include "switchd/port/packet_fanout.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/log.h"
#include "net/headers.h"
#include "switchd/port/device_io.h"

LOG_MODULE(packet_fanout);

enum {
    IGNORE_OUTGOING =
        0x4000, /* PACKET_FANOUT_FLAG_*, since Linux 6.2; others do not look at it, so a filter does it too */
    IP4_FRAG_MASK = 0x3fff /* more of them, or not the first */
};

struct packet_fanout {
    struct packet_fanout_base base;
    uint16_t group;
    unsigned n, n_used, n_wanted;   /* with the first */
    bool refused;                   /* there are no more to be had */
    struct device_opening *opening; /* of the next one; NULL: it is not asked for */
    struct queue {
        struct port *port;
        struct device_io io;
        struct port_watch *watch;
    } queues[PACKET_FANOUT_MAX - 1];
};

/* ---- programs ---- */

static int set_filter(int fd, const struct sock_filter *code, size_t n)
{
    const struct sock_fprog program = {(uint16_t)n, (struct sock_filter *)code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int hear_nothing(int fd)
{
    static const struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    return set_filter(fd, code, ARRAY_SIZE(code));
}

/* All but what leaves the device. */
static int hear(int fd)
{
    static const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    return set_filter(fd, code, ARRAY_SIZE(code));
}

/* A program whose jumps are filled in when it is known where they lead to. */
struct code {
    struct sock_filter at[64];
    unsigned n;
};

static unsigned put(struct code *c, uint16_t code, uint32_t k)
{
    INVARIANT(c->n < ARRAY_SIZE(c->at));
    c->at[c->n] = (struct sock_filter){.code = code, .k = k};
    return c->n++;
}

static unsigned put_if(struct code *c, uint16_t test, uint32_t k)
{
    return put(c, (uint16_t)(BPF_JMP | BPF_K | test), k);
}

static void then_here(struct code *c, unsigned i)
{
    c->at[i].jt = (uint8_t)(c->n - i - 1);
}

static void else_here(struct code *c, unsigned i)
{
    c->at[i].jf = (uint8_t)(c->n - i - 1);
}

static void load(struct code *c, uint16_t size, uint32_t offset)
{
    put(c, BPF_LD | BPF_ABS | size, (uint32_t)SKF_NET_OFF + offset);
}

/* Sets X to the sum of N words, and M[0]. */
static void add_words(struct code *c, uint32_t offset, unsigned n)
{
    put(c, BPF_LDX | BPF_IMM, 0);
    for (unsigned i = 0; i < n; i++) {
        load(c, BPF_W, offset + 4 * i);
        put(c, BPF_ALU | BPF_ADD | BPF_X, 0);
        put(c, BPF_MISC | BPF_TAX, 0);
    }
    put(c, BPF_STX, 0);
}

/* Adds both ports behind X bytes of network header to M[0]; the sum is in A. */
static void add_ports(struct code *c)
{
    put(c, BPF_LD | BPF_H | BPF_IND, (uint32_t)SKF_NET_OFF);
    put(c, BPF_ST, 1);
    put(c, BPF_LD | BPF_H | BPF_IND, (uint32_t)SKF_NET_OFF + 2);
    put(c, BPF_LDX | BPF_MEM, 1);
    put(c, BPF_ALU | BPF_ADD | BPF_X, 0);
    put(c, BPF_LDX | BPF_MEM, 0);
    put(c, BPF_ALU | BPF_ADD | BPF_X, 0);
}

/* The number of a frame's socket of N. One that is shorter than it says gets 0, from the kernel. */
static void choose(struct code *c, unsigned n)
{
    enum { GOLDEN = 0x4f1bbcdd };
    put(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    unsigned v4 = put_if(c, BPF_JEQ, ETH_P_IP);
    add_words(c, 12, 2);
    load(c, BPF_H, 6);
    unsigned fragment = put_if(c, BPF_JSET, IP4_FRAG_MASK);
    load(c, BPF_B, 0);
    put(c, BPF_ALU | BPF_AND | BPF_K, 15);
    put(c, BPF_ALU | BPF_LSH | BPF_K, 2);
    put(c, BPF_MISC | BPF_TAX, 0);
    load(c, BPF_B, 9);
    unsigned transport = put(c, BPF_JMP | BPF_JA, 0);
    else_here(c, v4);
    unsigned v6 = put_if(c, BPF_JEQ, ETH_P_IPV6);
    add_words(c, 8, 8);
    put(c, BPF_LDX | BPF_IMM, IP6_HEADER_LEN);
    load(c, BPF_B, 6);
    c->at[transport].k = c->n - transport - 1;
    unsigned tcp = put_if(c, BPF_JEQ, IP_PROTO_TCP), udp = put_if(c, BPF_JEQ, IP_PROTO_UDP);
    unsigned sctp = put_if(c, BPF_JEQ, IP_PROTO_SCTP);
    then_here(c, tcp);
    then_here(c, udp);
    add_ports(c);
    unsigned sum = put(c, BPF_JMP | BPF_JA, 0);
    then_here(c, fragment);
    else_here(c, sctp);
    put(c, BPF_LD | BPF_MEM, 0);
    c->at[sum].k = c->n - sum - 1;
    put(c, BPF_ALU | BPF_MUL | BPF_K, GOLDEN);
    put(c, BPF_ALU | BPF_RSH | BPF_K, 16);
    put(c, BPF_ALU | BPF_MOD | BPF_K, n);
    put(c, BPF_RET | BPF_A, 0);
    else_here(c, v6);
    put(c, BPF_RET | BPF_K, 0);
}

static int deal_out(int fd, unsigned n)
{
    struct code c = {.n = 0};
    choose(&c, n);
    const struct sock_fprog program = {(uint16_t)c.n, c.at};
    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program);
}

/* ---- sockets ---- */

static int join(int fd, unsigned flags, uint16_t group)
{
    unsigned value = group | (PACKET_FANOUT_CBPF | IGNORE_OUTGOING | flags) << 16;
    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof value);
}

/* As the first of a new group, whose number, 0 perhaps, the kernel chooses. */
static int found(int fd, uint16_t *group)
{
    unsigned value;
    socklen_t n = sizeof value;
    if (join(fd, PACKET_FANOUT_FLAG_UNIQUEID, 0) < 0 ||
        getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, &n) < 0)
        return -1;
    *group = (uint16_t)value;
    return 0;
}

static void queue_readable(void *queue_, unsigned events UNUSED)
{
    struct queue *queue = queue_;
    packet_ring_serve(&queue->io.rx, queue->port);
}

/* 0, or errno. */
static int queue_begin(struct packet_fanout *f, struct queue *queue)
{
    const struct packet_fanout_base *base = &f->base;
    struct sockaddr_ll addr = {.sll_family = AF_PACKET,
                               .sll_protocol = swap16(ETH_P_ALL),
                               .sll_ifindex = (int)base->ifindex};
    int fd = queue->io.fd;
    if (hear_nothing(fd) < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        join(fd, 0, f->group) < 0 || hear(fd) < 0)
        return errno;
    queue->watch = port_watch_new(base->port->host, fd, queue_readable, queue, base->watch);
    return 0;
}

static void deal_out_to_all(struct packet_fanout *f)
{
    unsigned n = MIN(f->n, f->n_wanted);
    if (n != f->n_used && !deal_out(f->base.fd, n))
        f->n_used = n;
}

static void open_next(struct packet_fanout *f);

static void queue_opened(void *f_, const struct device_opened *opened)
{
    struct packet_fanout *f = f_;
    struct queue *queue = &f->queues[f->n - 1];
    f->opening = NULL;
    *queue = (struct queue){.port = f->base.port, .io = opened->io};
    int err = opened->error ? opened->error : queue_begin(f, queue);
    if (err) {
        f->refused = true;
        log_warn("%s: cannot receive by more than %u sockets (%s)", f->base.port->name, f->n,
                 strerror(err));
        device_io_close(f->base.port->host->chores, &queue->io);
        return;
    }
    f->n++;
    deal_out_to_all(f);
    open_next(f);
}

static void open_next(struct packet_fanout *f)
{
    const struct port *port = f->base.port;
    const struct af_xdp_options o = {.name = port->name,
                                     .ifindex = f->base.ifindex,
                                     .mtu = port->status.mtu,
                                     .mode = "",
                                     .n_slots = f->base.n_slots};
    if (f->n < f->n_wanted && !f->refused && !f->opening)
        f->opening = device_io_open(port->host->chores, &o, queue_opened, f);
}

void packet_fanout_set(struct packet_fanout **f_, const struct packet_fanout_base *base, unsigned n)
{
    struct packet_fanout *f = *f_;
    if (!f && n < 2)
        return;
    if (!f) {
        f = *f_ = NEW(struct packet_fanout);
        f->base = *base;
        f->n = f->n_used = 1;
        f->refused = hear(base->fd) < 0 || found(base->fd, &f->group) < 0;
        if (f->refused)
            log_warn("%s: cannot receive by several sockets (%s)", base->port->name,
                     strerror(errno));
    }
    f->n_wanted = MIN(n, (unsigned)PACKET_FANOUT_MAX);
    deal_out_to_all(f);
    open_next(f);
}

unsigned packet_fanout_count(const struct packet_fanout *f)
{
    return f ? f->n : 1;
}

void packet_fanout_free(struct packet_fanout *f)
{
    if (!f)
        return;
    device_io_cancel(f->opening);
    for (unsigned i = 1; i < f->n; i++) {
        port_watch_free(f->queues[i - 1].watch);
        device_io_close(f->base.port->host->chores, &f->queues[i - 1].io);
    }
    free(f);
}

uint64_t packet_fanout_lost(struct packet_fanout *f)
{
    uint64_t lost = 0;
    for (unsigned i = 1; f && i < f->n; i++)
        lost += packet_ring_lost(&f->queues[i - 1].io.rx);
    return lost;
}
