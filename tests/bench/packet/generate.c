/* generate.c - frames of 60 bytes (64 with their check sequence) as fast as a ring can send them, and the count at the other end. */
#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum { FRAME = 60, SLOT = 2048, SLOTS = 512, BURST = 64, FIRST_PORT = 1024, PORTS = 60000 };
enum { DATA_OFFSET = TPACKET2_HDRLEN - sizeof(struct sockaddr_ll) };

struct frame {
    struct ether_header eth;
    struct iphdr ip;
    struct udphdr udp;
    uint8_t rest[FRAME - 42];
} __attribute__((packed));

static void parse_mac(const char *text, uint8_t *mac)
{
    unsigned v[6];
    if (sscanf(text, "%x:%x:%x:%x:%x:%x", v, v + 1, v + 2, v + 3, v + 4, v + 5) != 6) {
        errno = EINVAL;
        fail(text);
    }
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)v[i];
}

static uint16_t ip_checksum(const void *ip)
{
    uint16_t words[10];
    uint32_t sum = 0;
    memcpy(words, ip, sizeof words);
    for (int i = 0; i < 10; i++)
        sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void frame_init(const struct options *o, struct frame *f)
{
    memset(f, 0, sizeof *f);
    parse_mac(o->dst, f->eth.ether_dhost);
    parse_mac(o->src, f->eth.ether_shost);
    f->eth.ether_type = htons(ETHERTYPE_IP);
    f->ip.version = 4;
    f->ip.ihl = 5;
    f->ip.ttl = 64;
    f->ip.protocol = IPPROTO_UDP;
    f->ip.tot_len = htons(FRAME - sizeof f->eth);
    f->ip.saddr = inet_addr(o->from);
    f->ip.daddr = inet_addr(o->to);
    f->ip.check = ip_checksum(&f->ip);
    f->udp.source = htons(FIRST_PORT);
    f->udp.dest = htons(o->port);
    f->udp.len = htons(FRAME - sizeof f->eth - sizeof f->ip);
}

/* Flow K: its source port, and beyond those an address. */
static void set_flow(struct frame *f, const struct frame *first, uint32_t k)
{
    f->udp.source = htons((uint16_t)(FIRST_PORT + k % PORTS));
    uint32_t address = htonl(ntohl(first->ip.saddr) + k / PORTS);
    if (f->ip.saddr == address)
        return;
    f->ip.saddr = address;
    f->ip.check = 0;
    f->ip.check = ip_checksum(&f->ip);
}

static uint8_t *ring_open(int fd)
{
    int version = TPACKET_V2;
    struct tpacket_req req = {.tp_block_size = SLOT * 64,
                              .tp_block_nr = SLOTS / 64,
                              .tp_frame_size = SLOT,
                              .tp_frame_nr = SLOTS};
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof req) < 0)
        fail("PACKET_TX_RING");
    uint8_t *ring = mmap(NULL, (size_t)SLOT * SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring == MAP_FAILED)
        fail("mmap");
    return ring;
}

void generate(const struct options *o, const char *device)
{
    int fd = packet_socket();
    uint8_t *ring = ring_open(fd);
    packet_bind(fd, device, false);
    struct frame first;
    frame_init(o, &first);
    for (size_t i = 0; i < SLOTS; i++)
        memcpy(ring + i * SLOT + DATA_OFFSET, &first, sizeof first);
    uint64_t n = 0;
    uint32_t flow = 0;
    size_t slot = 0;
    double start = now(), t = start;
    for (; !stopped && t - start < o->seconds; t = now()) {
        for (int i = 0; i < BURST; i++) {
            struct tpacket2_hdr *h = (void *)(ring + slot * SLOT);
            if (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
                break;
            set_flow((void *)((uint8_t *)h + DATA_OFFSET), &first, flow);
            flow = (flow + 1) % (uint32_t)o->flows;
            h->tp_len = FRAME;
            __atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
            slot = (slot + 1) % SLOTS;
            n++;
        }
        if (send(fd, NULL, 0, 0) < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
            fail("send");
    }
    printf("%.0f\n", (double)n / (t - start));
}

static double received(const char *device)
{
    FILE *f = fopen("/proc/net/dev", "r");
    if (!f)
        fail("/proc/net/dev");
    char line[512];
    double packets = -1;
    while (fgets(line, sizeof line, f)) {
        char name[IFNAMSIZ];
        double bytes, n;
        if (sscanf(line, " %15[^:]: %lf %lf", name, &bytes, &n) == 3 && !strcmp(name, device))
            packets = n;
    }
    fclose(f);
    if (packets < 0) {
        errno = ENODEV;
        fail(device);
    }
    return packets;
}

void count(const struct options *o, const char *device)
{
    double n = received(device), start = now();
    struct timespec t = {(time_t)o->seconds,
                         (long)((o->seconds - (double)(time_t)o->seconds) * 1e9)};
    nanosleep(&t, NULL);
    n = received(device) - n;
    printf("%.0f %.0f\n", n, n / (now() - start));
}
