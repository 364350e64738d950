/* xdp_socket.c - see xdp_socket.h. */
#include "switchd/port/xdp_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "net/headers.h"

#ifndef XDP_MAX_TX_SKB_BUDGET /* since Linux 6.18 */
#define XDP_MAX_TX_SKB_BUDGET 9
#endif

enum {
    SLOT_MIN = 2048,
    TAGS = 2 * VLAN_HEADER_LEN,
    KICKS = 64, /* the kernel sends some 32 frames a call, if it cannot be told otherwise */
    /* A worker of the kernel's lets go of a queue, when it has its turn. */
    BUSY_TRIES = 300,
    BUSY_NAP_NS = 5 * 1000 * 1000
};

/* The kernel leaves XDP_PACKET_HEADROOM in front of a frame. */
static uint32_t slot_for(uint32_t mtu)
{
    uint32_t need = XDP_PACKET_HEADROOM + ETH_HEADER_LEN + TAGS + mtu;
    return need <= SLOT_MIN ? SLOT_MIN : need <= XDP_SLOT_MAX ? XDP_SLOT_MAX : 0;
}

bool xdp_socket_fits(uint32_t mtu)
{
    return slot_for(mtu) != 0;
}

bool xdp_socket_takes(const struct xdp_socket *s, uint32_t mtu)
{
    uint32_t size = slot_for(mtu);
    return size && size <= s->slot_size;
}

static size_t memory_size(const struct xdp_socket *s)
{
    return (size_t)s->slot_size * (s->n_rx + s->n_tx);
}

static int memory_open(struct xdp_socket *s)
{
    s->memory =
        mmap(NULL, memory_size(s), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->memory == MAP_FAILED)
        return -errno;
    /* Twice the slots: the kernel hands out frames before it says that it has taken their places. */
    const struct xsk_umem_config config = {
        .fill_size = MAX(2 * s->n_rx, 1u), .comp_size = s->n_tx, .frame_size = s->slot_size};
    return xsk_umem__create(&s->umem, s->memory, memory_size(s), &s->fill, &s->done, &config);
}

static int sockets_open(struct xdp_socket *s, const char *name, uint32_t queue, bool zero_copy)
{
    const struct xsk_socket_config config = {
        .rx_size = s->n_rx,
        .tx_size = 2 * s->n_tx, /* for the same reason */
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .bind_flags = (uint16_t)(XDP_USE_NEED_WAKEUP | (zero_copy ? 0 : XDP_COPY)),
    };
    bool apart = s->n_rx && !zero_copy;
    int budget = PORT_BATCH;
    int rc = xsk_socket__create(&s->xsk, name, queue, s->umem, s->n_rx ? &s->rx : NULL,
                                apart ? NULL : &s->tx, &config);
    if (!rc && apart)
        rc = xsk_socket__create_shared(&s->sender, name, queue, s->umem, NULL, &s->tx, NULL, NULL,
                                       &config);
    else
        s->sender = s->xsk;
    if (!rc)
        (void)setsockopt(xsk_socket__fd(s->sender), SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget,
                         sizeof budget);
    return rc;
}

/* The first slots to the kernel, the others free. */
static void share_out(struct xdp_socket *s)
{
    uint32_t at;
    INVARIANT(xsk_ring_prod__reserve(&s->fill, s->n_rx, &at) == s->n_rx);
    for (uint32_t i = 0; i < s->n_rx; i++)
        *xsk_ring_prod__fill_addr(&s->fill, at + i) = (uint64_t)i * s->slot_size;
    xsk_ring_prod__submit(&s->fill, s->n_rx);
    s->free = xmalloc(s->n_tx * sizeof *s->free);
    for (s->n_free = 0; s->n_free < s->n_tx; s->n_free++)
        s->free[s->n_free] = (uint64_t)(s->n_rx + s->n_free) * s->slot_size;
}

/* 0, or -errno and in STEP what failed. */
static int open_all(struct xdp_socket *s, const char *name, uint32_t queue, bool zero_copy,
                    const char **step)
{
    *step = "no memory to share with the kernel";
    int rc = memory_open(s);
    if (rc)
        return rc;
    *step = "no AF_XDP socket on the queue";
    rc = sockets_open(s, name, queue, zero_copy);
    if (rc)
        return rc;
    share_out(s);
    return 0;
}

int xdp_socket_open(struct xdp_socket *s, const char *name, uint32_t queue, uint32_t mtu,
                    uint32_t n_slots, bool zero_copy, struct diag *diag)
{
    const struct timespec nap = {.tv_nsec = BUSY_NAP_NS};
    const char *step;
    uint32_t n = 64;
    int rc = -EBUSY;
    while (n < MIN(n_slots, (uint32_t)XDP_SLOTS_MAX))
        n *= 2;
    for (int i = 0; i < BUSY_TRIES && rc == -EBUSY; i++) {
        if (i) {
            xdp_socket_close(s);
            (void)nanosleep(&nap, NULL);
        }
        *s = (struct xdp_socket){.slot_size = slot_for(mtu), .n_rx = n, .n_tx = n};
        rc = open_all(s, name, queue, zero_copy, &step);
    }
    if (rc)
        return diag_set(diag, ERR_UNSUPPORTED, "queue %u: %s (%s)", queue, step, strerror(-rc));
    return 0;
}

int xdp_socket_open_sender(struct xdp_socket *s, const char *name, uint32_t n_slots)
{
    const char *step;
    *s = (struct xdp_socket){.slot_size = SLOT_MIN, .n_tx = n_slots};
    int rc = open_all(s, name, 0, false, &step);
    return rc == -EBUSY ? ERR_AGAIN : rc ? ERR_UNSUPPORTED : 0;
}

void xdp_socket_close(struct xdp_socket *s)
{
    if (s->sender != s->xsk)
        xsk_socket__delete(s->sender);
    xsk_socket__delete(s->xsk);
    if (s->umem)
        (void)xsk_umem__delete(s->umem);
    if (s->memory && s->memory != MAP_FAILED)
        (void)munmap(s->memory, memory_size(s));
    free(s->free);
}

int xdp_socket_fd(const struct xdp_socket *s)
{
    return xsk_socket__fd(s->xsk);
}

bool xdp_socket_is_zero_copy(const struct xdp_socket *s)
{
    struct xdp_options options = {0};
    socklen_t n = sizeof options;
    return !getsockopt(xdp_socket_fd(s), SOL_XDP, XDP_OPTIONS, &options, &n) &&
           options.flags & XDP_OPTIONS_ZEROCOPY;
}

size_t xdp_socket_read(struct xdp_socket *s, struct port *port)
{
    uint32_t at, n = xsk_ring_cons__peek(&s->rx, PORT_BATCH, &at), n_ok = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct xdp_desc *d = xsk_ring_cons__rx_desc(&s->rx, at + i);
        s->read[i] = d->addr & ~(uint64_t)(s->slot_size - 1);
        if (d->len < ETH_HEADER_LEN) {
            port_count(port, &port->stats.rx_errors, 1);
            continue;
        }
        packet_init_lent(&port_batch(port->host)[n_ok++], s->memory + s->read[i], s->slot_size,
                         s->memory + d->addr, d->len);
    }
    xsk_ring_cons__release(&s->rx, n);
    s->n_read = n;
    return n_ok;
}

bool xdp_socket_release(struct xdp_socket *s)
{
    uint32_t at, n = s->n_read;
    if (!n)
        return false;
    s->n_read = 0;
    INVARIANT(xsk_ring_prod__reserve(&s->fill, n, &at) == n);
    for (uint32_t i = 0; i < n; i++)
        *xsk_ring_prod__fill_addr(&s->fill, at + i) = s->read[i];
    xsk_ring_prod__submit(&s->fill, n);
    if (xsk_ring_prod__needs_wakeup(&s->fill))
        (void)recvfrom(xdp_socket_fd(s), NULL, 0, MSG_DONTWAIT, NULL, NULL);
    return true;
}

/* Takes back the slots that have been sent. */
static void collect(struct xdp_socket *s)
{
    uint32_t at, n = xsk_ring_cons__peek(&s->done, s->n_tx, &at);
    for (uint32_t i = 0; i < n; i++)
        s->free[s->n_free++] = *xsk_ring_cons__comp_addr(&s->done, at + i);
    xsk_ring_cons__release(&s->done, n);
}

uint8_t *xdp_socket_slot(struct xdp_socket *s)
{
    if (!s->n_free) {
        (void)xdp_socket_kick(s);
        collect(s);
    }
    return s->n_free ? s->memory + s->free[s->n_free - 1] : NULL;
}

void xdp_socket_put(struct xdp_socket *s, uint32_t size)
{
    uint32_t at;
    INVARIANT(xsk_ring_prod__reserve(&s->tx, 1, &at) == 1); /* there are more places than slots */
    *xsk_ring_prod__tx_desc(&s->tx, at) = (struct xdp_desc){s->free[--s->n_free], size, 0};
}

/* Frames in the sending ring that the kernel has not taken. */
static uint32_t waiting(const struct xdp_socket *s)
{
    return *s->tx.producer - __atomic_load_n(s->tx.consumer, __ATOMIC_ACQUIRE);
}

bool xdp_socket_kick(struct xdp_socket *s)
{
    xsk_ring_prod__submit(&s->tx, s->tx.cached_prod - *s->tx.producer);
    uint32_t left = waiting(s), before = UINT32_MAX;
    for (int i = 0; i < KICKS && left && left != before; i++) {
        before = left;
        if (xsk_ring_prod__needs_wakeup(&s->tx))
            (void)sendto(xsk_socket__fd(s->sender), NULL, 0, MSG_DONTWAIT, NULL, 0);
        left = waiting(s);
    }
    collect(s);
    return !left;
}

uint64_t xdp_socket_lost(const struct xdp_socket *s)
{
    struct xdp_statistics stats;
    socklen_t n = sizeof stats;
    memset(&stats, 0, sizeof stats);
    if (getsockopt(xdp_socket_fd(s), SOL_XDP, XDP_STATISTICS, &stats, &n))
        return 0;
    return stats.rx_dropped + stats.rx_ring_full;
}
