/* conntrack.c - bench of the connection tracker alone: what a packet of an established connection costs among few and among many
 * connections, what a new connection costs, the longest single call, and the memory a connection takes. Packets are UDP of 64
 * bytes with verified checksums, in random order of connections. Prints JSON lines.
 *
 * usage: bench_conntrack [--quick]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conntrack/conntrack.h"
#include "flow/rewrite.h"

struct bench {
    struct env_seeded env;
    struct conntrack *ct;
    struct packet packet[2]; /* of each direction */
    uint64_t random;
};

/* CPU time, so that other work on the machine does not count. */
static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static uint32_t next_random(struct bench *b)
{
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(b->random >> 33);
}

static void make(struct packet *p, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    key_set(&key, FIELD_IP_SRC, src);
    key_set(&key, FIELD_IP_DST, dst);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_UDP);
    key_set(&key, FIELD_UDP_SRC, sport);
    key_set(&key, FIELD_UDP_DST, dport);
    packet_init(p);
    packet_compose(p, &key, 22);
    flow_extract(p, &key);
    p->csum_valid = true;
}

/* Makes the packet of direction DIR that of connection I, keeping the IP header's checksum. */
static struct packet *packet_of(struct bench *b, int dir, uint32_t i)
{
    struct packet *p = &b->packet[dir];
    struct ip_addr client = ip_addr_from_v4(swap32(0x0a000000 + (i >> 14)));
    uint16_t port = (uint16_t)(1024 + (i & 0x3fff));
    if (dir == CT_ORIG) {
        packet_set_ip_src(p, &client);
        packet_set_ports(p, port, 53);
    } else {
        packet_set_ip_dst(p, &client);
        packet_set_ports(p, 53, port);
    }
    return p;
}

static void print(const char *name, uint32_t n, const char *unit, double value)
{
    printf("{\"name\": \"%s, %u connections\", \"unit\": \"%s\", \"ours\": %.1f}\n", name, n, unit,
           value);
}

/* Commits connections FROM to TO - 1. */
static void fill(struct bench *b, uint32_t from, uint32_t to)
{
    struct ct_action commit = {.flags = CT_COMMIT}, track = {0};
    int64_t longest = 0, start = now_ns();
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    uint32_t middle = from + (to - from) / 2, i = from;
    for (; i < middle; i++) {
        conntrack_execute(b->ct, packet_of(b, CT_ORIG, i), &commit, 1000);
        conntrack_execute(b->ct, packet_of(b, CT_REPLY, i), &track, 1000);
    }
    int64_t took = now_ns() - start;
    for (; i < to; i++) {
        int64_t t = now_ns();
        conntrack_execute(b->ct, packet_of(b, CT_ORIG, i), &commit, 1000);
        longest = MAX(longest, now_ns() - t);
        conntrack_execute(b->ct, packet_of(b, CT_REPLY, i), &track, 1000);
    }
    print("a new connection and its first answer", to, "ns", (double)took / (middle - from));
    print("longest call of a commit", to, "us", (double)longest / 1000);
    print("memory a connection", to, "bytes",
          (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / (to - from));
    INVARIANT(conntrack_count(b->ct) == to);
}

static void hits(struct bench *b, uint32_t n, unsigned rounds)
{
    struct ct_action track = {0};
    int64_t start = now_ns(), made;
    for (unsigned i = 0; i < rounds; i++)
        packet_of(b, CT_REPLY, next_random(b) % n);
    made = now_ns() - start;
    start = now_ns();
    for (unsigned i = 0; i < rounds; i++) {
        struct packet *p = packet_of(b, CT_REPLY, next_random(b) % n);
        conntrack_execute(b->ct, p, &track, 1000);
        INVARIANT(p->md.ct.state == swap32(CT_TRK | CT_EST | CT_RPL));
    }
    print("a packet of an established connection", n, "ns",
          (double)(now_ns() - start - made) / rounds);
}

int main(int argc, char *argv[])
{
    bool quick = argc > 1 && !strcmp(argv[1], "--quick");
    static const uint32_t sizes[] = {100, 100000, 1000000};
    struct bench b = {.random = 1};
    env_seeded_init(&b.env, 1);
    b.ct = conntrack_new(&b.env.env);
    make(&b.packet[CT_ORIG], 0x0a000000, 0xc0a80001, 1, 53);
    make(&b.packet[CT_REPLY], 0xc0a80001, 0x0a000000, 53, 1);
    uint32_t done = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(sizes) - quick; i++) {
        fill(&b, done, sizes[i]);
        done = sizes[i];
        hits(&b, done, quick ? 100000 : 2000000);
    }
    packet_fini(&b.packet[0]);
    packet_fini(&b.packet[1]);
    conntrack_free(b.ct);
    return 0;
}
