/* relay.c - one end of the barest tunnel: frames of a device as UDP datagrams to another relay, and back. Nothing is looked at, no frame is
 * given headers, and no checksum is made or checked: what sockets cost that carry frames between hosts.
 *
 * vnet: frames of up to 64 kB with their virtio-net headers, each sent in one call that the kernel cuts (UDP_SEGMENT) and the other end
 * receives in one (UDP_GRO). ring: small frames of one size from a ring, as many as came together a datagram each, likewise in one call.
 */
#include "packet.h"
#include "ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { SEGMENT = 1500, SEGMENTS_MAX = 64, FRAME_MAX = 65536 + 64, BUFFER = 8 << 20 };

struct relay {
    int device, tunnel; /* descriptors; device is rx's, too */
    bool rings;
    struct receiver rx;
    struct sender tx;
    struct sockaddr_in peer;
    uint8_t buffer[FRAME_MAX];
};

static void tunnel_open(struct relay *r, const struct options *o)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_port = htons(o->port),
                              .sin_addr.s_addr = inet_addr(o->address)};
    int one = 1, size = BUFFER;
    r->peer = own;
    r->peer.sin_addr.s_addr = inet_addr(o->to);
    r->tunnel = socket(AF_INET, SOCK_DGRAM, 0);
    if (r->tunnel < 0 || setsockopt(r->tunnel, IPPROTO_UDP, UDP_GRO, &one, sizeof one) < 0 ||
        bind(r->tunnel, (struct sockaddr *)&own, sizeof own) < 0)
        fail(o->address);
    (void)setsockopt(r->tunnel, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    (void)setsockopt(r->tunnel, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
}

/* Sends what V holds, cut every SEGMENT bytes. */
static void send_cut(struct relay *r, struct iovec *v, size_t n, uint16_t segment)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof segment)];
    struct msghdr msg = {.msg_name = &r->peer,
                         .msg_namelen = sizeof r->peer,
                         .msg_iov = v,
                         .msg_iovlen = n,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(c), &segment, sizeof segment);
    (void)sendmsg(r->tunnel, &msg, MSG_DONTWAIT);
}

/* The size of one datagram of those that were received as one. */
static size_t segment_of(struct msghdr *msg, size_t n)
{
    int segment = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
    return segment > 0 ? (size_t)segment : n;
}

/* Frames of one block, which are equally long. */
static uint64_t block_out(struct relay *r, const struct tpacket_block_desc *block)
{
    const struct tpacket3_hdr *h =
        (const void *)((const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
    struct iovec v[SEGMENTS_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
        if (n == SEGMENTS_MAX || (n && v[0].iov_len != h->tp_snaplen)) {
            send_cut(r, v, n, (uint16_t)v[0].iov_len);
            n = 0;
        }
        v[n++] = (struct iovec){(uint8_t *)h + h->tp_mac, h->tp_snaplen};
        h = (const void *)((const uint8_t *)h + h->tp_next_offset);
    }
    if (n)
        send_cut(r, v, n, (uint16_t)v[0].iov_len);
    return block->hdr.bh1.num_pkts;
}

static uint64_t pass_out(struct relay *r)
{
    if (r->rings) {
        const struct tpacket_block_desc *block = receiver_block(&r->rx);
        if (!block)
            return 0;
        uint64_t n = block_out(r, block);
        receiver_release(&r->rx);
        return n;
    }
    ssize_t n = recv(r->device, r->buffer, sizeof r->buffer, MSG_DONTWAIT);
    if (n <= 0)
        return 0;
    send_cut(r, &(struct iovec){r->buffer, (size_t)n}, 1, SEGMENT);
    return 1;
}

static uint64_t pass_in(struct relay *r)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec v = {r->buffer, sizeof r->buffer};
    struct msghdr msg = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(r->tunnel, &msg, MSG_DONTWAIT);
    if (n <= 0)
        return 0;
    if (!r->rings) {
        (void)send(r->device, r->buffer, (size_t)n, MSG_DONTWAIT);
        return 1;
    }
    size_t step = segment_of(&msg, (size_t)n), at = 0;
    for (; at + step <= (size_t)n; at += step)
        if (step <= RING_FRAME_MAX)
            sender_put(&r->tx, r->buffer + at, (uint32_t)step);
    sender_kick(&r->tx);
    return at / step;
}

void relay(const struct options *o, const char *device)
{
    static struct relay r;
    r.rings = !strcmp(o->mode, "ring");
    tunnel_open(&r, o);
    if (r.rings) {
        sender_open(&r.tx, device);
        receiver_open(&r.rx, device);
        r.device = r.rx.fd;
    } else {
        r.device = vnet_socket(device);
    }
    struct pollfd fds[2] = {{.fd = r.device, .events = POLLIN}, {.fd = r.tunnel, .events = POLLIN}};
    uint64_t n = 0;
    double start = now();
    while (!stopped && now() - start < o->seconds) {
        uint64_t moved = pass_out(&r) + pass_in(&r);
        n += moved;
        if (!moved)
            (void)poll(fds, 2, 100);
    }
    printf("%.4f %.0f\n", n ? cpu_time() / (double)n * 1e6 : 0, (double)n / (now() - start));
}
