/* forward.c - bare forwarders between two devices: what packet sockets cost when nothing is done with the packets.
 *
 * ring: frames from a TPACKET_V3 ring to a sending ring, one way, polling: the least CPU a small packet. vnet: both ways with
 * virtio-net headers, so that segments of 64 kB stay whole, waiting for packets: the most bytes, and the latency of a wake-up.
 * CPU time is counted in rounds that had packets.
 */
#include "packet.h"
#include "ring.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BURST = 64, FRAME_MAX = 65536 + 64 };

static uint64_t forward_block(const struct tpacket_block_desc *block, struct sender *tx)
{
    const struct tpacket3_hdr *h =
        (const void *)((const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
        if (h->tp_snaplen <= RING_FRAME_MAX)
            sender_put(tx, (const uint8_t *)h + h->tp_mac, h->tp_snaplen);
        h = (const void *)((const uint8_t *)h + h->tp_next_offset);
    }
    sender_kick(tx);
    return block->hdr.bh1.num_pkts;
}

static void forward_ring(const struct options *o, const char *a, const char *b)
{
    struct receiver rx;
    struct sender tx;
    sender_open(&tx, b);
    receiver_open(&rx, a);
    uint64_t n = 0;
    double busy = 0, start = now();
    while (!stopped && now() - start < o->seconds) {
        const struct tpacket_block_desc *block = receiver_block(&rx);
        if (!block)
            continue;
        double t = cpu_time();
        n += forward_block(block, &tx);
        receiver_release(&rx);
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

int vnet_socket(const char *device)
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
