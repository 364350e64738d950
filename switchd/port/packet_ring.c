/* packet_ring.c - see packet_ring.h. */
#include "switchd/port/packet_ring.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/err.h"
#include "flow/rewrite.h"
#include "switchd/port/offload.h"

enum {
    BLOCK = 64 << 10, /* what the kernel allocates at a time */
    SLOT_MIN = 2048,
    SLOT_MAX = 16384,
    SLOTS_MIN = 64,
    BATCH_BYTES = 192 << 10, /* sent before more are read: the processor's cache still has them */
    ROUNDS = 8,              /* batches of one ring before others have their turn */
    OVERHEAD = TPACKET2_HDRLEN + 64 + PACKET_HEADROOM + ETH_HEADER_LEN + VLAN_HEADER_LEN,
    QUEUE_BYTES = 16 << 20 /* of long frames that wait in the socket */
};

static int set_ring(struct packet_ring *ring)
{
    struct tpacket_req req = {.tp_block_size = BLOCK,
                              .tp_block_nr = ring->n_slots / (BLOCK / ring->slot_size),
                              .tp_frame_size = ring->slot_size,
                              .tp_frame_nr = ring->n_slots};
    return setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req);
}

int packet_ring_open(struct packet_ring *ring, int fd, uint32_t mtu, uint32_t n_slots)
{
    *ring = (struct packet_ring){.fd = fd, .slot_size = SLOT_MIN, .n_slots = SLOTS_MIN};
    while (ring->slot_size < MIN(mtu + OVERHEAD, (uint32_t)SLOT_MAX))
        ring->slot_size *= 2;
    while (ring->n_slots < MIN(n_slots, (uint32_t)PACKET_RING_SLOTS_MAX))
        ring->n_slots *= 2;
    int version = TPACKET_V2, one = 1, headroom = PACKET_HEADROOM, size = QUEUE_BYTES;
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RESERVE, &headroom, sizeof headroom) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_COPY_THRESH, &one, sizeof one) < 0)
        return ERR_IO;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    while (set_ring(ring) < 0) {
        if (errno != ENOMEM || ring->n_slots == SLOTS_MIN)
            return ERR_IO;
        ring->n_slots /= 2;
    }
    ring->map = mmap(NULL, (size_t)ring->slot_size * ring->n_slots, PROT_READ | PROT_WRITE,
                     MAP_SHARED, fd, 0);
    return ring->map == MAP_FAILED ? ERR_IO : 0;
}

void packet_ring_close(struct packet_ring *ring)
{
    if (ring->map && ring->map != MAP_FAILED)
        (void)munmap(ring->map, (size_t)ring->slot_size * ring->n_slots);
    ring->map = NULL;
}

static struct tpacket2_hdr *slot_at(const struct packet_ring *ring, uint32_t i)
{
    uint32_t slot = (ring->at + i) & (ring->n_slots - 1);
    return (void *)(ring->map + (size_t)slot * ring->slot_size);
}

/* Reads the frame that the kernel put whole into the socket's queue. */
static bool read_long(struct packet_ring *ring, struct packet *packet, struct virtio_net_hdr *vnet)
{
    struct iovec iov[2] = {{vnet, sizeof *vnet}, {packet->data, PORT_FRAME_MAX}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t n = recvmsg(ring->fd, &msg, MSG_DONTWAIT);
    if (n < (ssize_t)(sizeof *vnet + ETH_HEADER_LEN) || msg.msg_flags & MSG_TRUNC)
        return false;
    packet->size = (uint32_t)n - (uint32_t)sizeof *vnet;
    return true;
}

/* Makes PACKET, number I of HOST's batch, of a slot; false: it is lost. */
static bool read_slot(struct packet_ring *ring, struct port_host *host, size_t i,
                      struct tpacket2_hdr *h, uint32_t status)
{
    struct packet *packet = &port_batch(host)[i];
    uint8_t *base = (uint8_t *)h + TPACKET2_HDRLEN, *frame = (uint8_t *)h + h->tp_mac;
    struct virtio_net_hdr vnet;
    if (h->tp_snaplen == h->tp_len && h->tp_snaplen >= ETH_HEADER_LEN) {
        memcpy(&vnet, frame - sizeof vnet, sizeof vnet);
        packet_init_lent(packet, base, ring->slot_size - TPACKET2_HDRLEN, frame, h->tp_snaplen);
    } else if (!(status & TP_STATUS_COPY) || !read_long(ring, port_packet(host, i), &vnet)) {
        return false;
    }
    if (offload_from_vnet(packet, &vnet))
        return false;
    if (status & TP_STATUS_VLAN_VALID) /* the kernel took the tag out */
        packet_push_vlan(packet, status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q,
                         h->tp_vlan_tci);
    return true;
}

size_t packet_ring_read(struct packet_ring *ring, struct port *port)
{
    size_t n = 0, bytes = 0;
    while (n < PORT_BATCH && ring->n_read < ring->n_slots && bytes < BATCH_BYTES) {
        struct tpacket2_hdr *h = slot_at(ring, ring->n_read);
        uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
        if (!(status & TP_STATUS_USER))
            break;
        ring->n_read++;
        if (read_slot(ring, port->host, n, h, status))
            bytes += port_batch(port->host)[n++].size;
        else
            port_count(port, &port->stats.rx_errors, 1);
    }
    return n;
}

bool packet_ring_release(struct packet_ring *ring)
{
    uint32_t n = ring->n_read;
    for (uint32_t i = 0; i < n; i++)
        __atomic_store_n(&slot_at(ring, i)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring->at += n;
    ring->n_read = 0;
    return n > 0;
}

void packet_ring_serve(struct packet_ring *ring, struct port *port)
{
    bool more = true;
    (void)packet_ring_release(ring); /* what a forwarder has sent since it was read */
    for (int i = 0; i < ROUNDS && more; i++) {
        size_t n = packet_ring_read(ring, port);
        if (n)
            port_receive(port, n);
        if (port_io_here)
            break;
        more = packet_ring_release(ring);
    }
}

uint64_t packet_ring_lost(const struct packet_ring *ring)
{
    struct tpacket_stats stats;
    socklen_t n = sizeof stats;
    return getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n) ? 0 : stats.tp_drops;
}
