/* forward.c - bare forwarders between two devices: what packet sockets cost when nothing is done with the packets.
 *
 * ring: frames from a TPACKET_V3 ring to a sending ring, one way, polling: the least CPU a small packet. vnet: both ways with
 * virtio-net headers, so that segments of 64 kB stay whole, waiting for packets: the most bytes, and the latency of a wake-up.
 * CPU time is counted in rounds that had packets.
 */
#include "packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum {
    BLOCK = 256 << 10,
    BLOCKS = 32,
    SLOT = 2048,
    SLOTS = 1024,
    BURST = 64,
    FRAME_MAX = 65536 + 64
};
enum { DATA_OFFSET = TPACKET2_HDRLEN - sizeof(struct sockaddr_ll) };

static uint8_t *map(int fd, size_t n)
{
    uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        fail("mmap");
    return p;
}

static uint8_t *rx_ring(int fd)
{
    int version = TPACKET_V3;
    struct tpacket_req3 req = {.tp_block_size = BLOCK,
                               .tp_block_nr = BLOCKS,
                               .tp_frame_size = SLOT,
                               .tp_frame_nr = BLOCK / SLOT * BLOCKS,
                               .tp_retire_blk_tov = 1};
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req) < 0)
        fail("PACKET_RX_RING");
    return map(fd, (size_t)BLOCK * BLOCKS);
}

static uint8_t *tx_ring(int fd)
{
    int version = TPACKET_V2;
    struct tpacket_req req = {.tp_block_size = BLOCK,
                              .tp_block_nr = SLOT * SLOTS / BLOCK,
                              .tp_frame_size = SLOT,
                              .tp_frame_nr = SLOTS};
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof req) < 0)
        fail("PACKET_TX_RING");
    return map(fd, (size_t)SLOT * SLOTS);
}

struct sender {
    int fd;
    uint8_t *ring;
    size_t slot, waiting;
};

static void kick(struct sender *tx)
{
    (void)send(tx->fd, NULL, 0, MSG_DONTWAIT);
    tx->waiting = 0;
}

static void ring_send(struct sender *tx, const uint8_t *frame, uint32_t n)
{
    struct tpacket2_hdr *h = (void *)(tx->ring + tx->slot * SLOT);
    while (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE && !stopped)
        kick(tx);
    memcpy((uint8_t *)h + DATA_OFFSET, frame, n);
    h->tp_len = n;
    __atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
    tx->slot = (tx->slot + 1) % SLOTS;
    if (++tx->waiting == BURST)
        kick(tx);
}

static uint64_t forward_block(struct tpacket_block_desc *block, struct sender *tx)
{
    struct tpacket3_hdr *h = (void *)((uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
        if (h->tp_snaplen <= SLOT - DATA_OFFSET)
            ring_send(tx, (uint8_t *)h + h->tp_mac, h->tp_snaplen);
        h = (void *)((uint8_t *)h + h->tp_next_offset);
    }
    kick(tx);
    return block->hdr.bh1.num_pkts;
}

static void forward_ring(const struct options *o, const char *a, const char *b)
{
    int in = packet_socket();
    uint8_t *rx = rx_ring(in);
    struct sender tx = {.fd = packet_socket()};
    tx.ring = tx_ring(tx.fd);
    packet_bind(tx.fd, b, false);
    packet_bind(in, a, true);
    size_t at = 0;
    uint64_t n = 0;
    double busy = 0, start = now();
    while (!stopped && now() - start < o->seconds) {
        struct tpacket_block_desc *block = (void *)(rx + at * BLOCK);
        if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            continue;
        double t = cpu_time();
        n += forward_block(block, &tx);
        __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        at = (at + 1) % BLOCKS;
        busy += cpu_time() - t;
    }
    printf("%.4f %.0f\n", n ? busy / (double)n * 1e6 : 0, (double)n / (now() - start));
}

struct batch {
    struct mmsghdr msgs[BURST];
    struct iovec iov[BURST];
    uint8_t *buffers;
};

/* Moves what is there from IN to OUT, a batch. */
static uint64_t pass(struct batch *batch, int in, int out)
{
    for (size_t i = 0; i < BURST; i++)
        batch->iov[i].iov_len = FRAME_MAX;
    int n = recvmmsg(in, batch->msgs, BURST, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        batch->iov[i].iov_len = batch->msgs[i].msg_len;
    for (int done = 0; done < n;) {
        int sent = sendmmsg(out, batch->msgs + done, (unsigned)(n - done), 0);
        done += sent > 0 ? sent : 1;
    }
    return n > 0 ? (uint64_t)n : 0;
}

static int vnet_socket(const char *device)
{
    int fd = packet_socket(), one = 1, size = 4 << 20;
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0)
        fail("PACKET_VNET_HDR");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    packet_bind(fd, device, true);
    return fd;
}

static void forward_vnet(const struct options *o, const char *a, const char *b)
{
    struct pollfd fds[2] = {{.fd = vnet_socket(a), .events = POLLIN},
                            {.fd = vnet_socket(b), .events = POLLIN}};
    static struct batch batch;
    batch.buffers = malloc((size_t)BURST * FRAME_MAX);
    if (!batch.buffers)
        fail("malloc");
    for (size_t i = 0; i < BURST; i++) {
        batch.iov[i].iov_base = batch.buffers + i * FRAME_MAX;
        batch.msgs[i].msg_hdr.msg_iov = &batch.iov[i];
        batch.msgs[i].msg_hdr.msg_iovlen = 1;
    }
    uint64_t n = 0;
    double start = now();
    while (!stopped && now() - start < o->seconds) {
        if (poll(fds, 2, 100) <= 0)
            continue;
        n += pass(&batch, fds[0].fd, fds[1].fd);
        n += pass(&batch, fds[1].fd, fds[0].fd);
    }
    printf("%.4f %.0f\n", n ? cpu_time() / (double)n * 1e6 : 0, (double)n / (now() - start));
}

void forward(const struct options *o, const char *a, const char *b)
{
    if (!strcmp(o->mode, "ring"))
        forward_ring(o, a, b);
    else if (!strncmp(o->mode, "xdp", 3))
        forward_xdp(o, a, b, !strcmp(o->mode, "xdpdrv"));
    else
        forward_vnet(o, a, b);
}
