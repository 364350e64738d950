/* af_xdp.c - see af_xdp.h. */
#include "switchd/port/af_xdp.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/headers.h"
#include "switchd/port/netdev.h"
#include "switchd/port/offload.h"
#include "switchd/port/xdp_program.h"
#include "switchd/port/xdp_socket.h"

enum {
    READ_ROUNDS = 8, /* batches of one queue before others have their turn */
    QUEUES_MAX = 64,
    RETRY_MS = 1, /* when the kernel takes no more; twice as long each time */
    RETRY_MAX_MS = 64
};

struct xdp_queue {
    struct af_xdp *x;
    struct xdp_socket socket;
    struct port_watch *watch;
};

struct af_xdp {
    struct port *port;
    struct xdp_program program;
    enum xdp_mode mode;
    bool local; /* the frames come from this machine: their checksums may be unfinished */
    bool zero_copy, no_zero_copy; /* asked for; and not to be had */
    struct timer retry;
    int64_t retry_ms;
    struct stuck *stuck;
    uint32_t n_queues;
    struct xdp_queue queues[];
};

/* What a forwarder tells the loop when the kernel takes no more, as the timer is the loop's. Outlives X while it is on its way. */
struct stuck {
    struct af_xdp *x;
    bool is_posted;
};

static const char *const modes[] = {"best-effort", "native", "native-with-zerocopy", "generic"};

bool af_xdp_is_mode(const char *mode)
{
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (!strcmp(modes[i], mode))
            return true;
    }
    return false;
}

const char *af_xdp_mode(const struct af_xdp *x)
{
    return x->mode == XDP_MODE_GENERIC ? "AF_XDP, generic"
           : x->no_zero_copy           ? "AF_XDP, native (the driver has no zero copy)"
           : x->zero_copy              ? "AF_XDP, native-with-zerocopy"
                                       : "AF_XDP, native";
}

static void queue_readable(void *queue_, unsigned events UNUSED)
{
    struct xdp_queue *queue = queue_;
    struct port *port = queue->x->port;
    bool more = true;
    (void)xdp_socket_release(&queue->socket); /* what a forwarder has sent since it was read */
    for (int i = 0; i < READ_ROUNDS && more; i++) {
        size_t n = xdp_socket_read(&queue->socket, port);
        for (size_t k = 0; k < n && queue->x->local; k++)
            offload_recognize(&port_batch(port->host)[k]);
        if (n)
            port_receive(port, n);
        if (port_io_here)
            break;
        more = xdp_socket_release(&queue->socket);
    }
}

/* ---- opening ---- */

static int open_queues(struct af_xdp *x, const struct af_xdp_options *o, struct diag *diag)
{
    for (uint32_t i = 0; i < x->n_queues; i++) {
        struct xdp_queue *queue = &x->queues[i];
        queue->x = x;
        int err = xdp_socket_open(&queue->socket, o->name, i, o->mtu,
                                  o->n_slots ? o->n_slots : XDP_SLOTS, x->zero_copy, diag);
        if (err)
            return err;
        if (xdp_program_serve(&x->program, i, xdp_socket_fd(&queue->socket)))
            return diag_set(diag, ERR_UNSUPPORTED, "queue %u cannot be served", i);
    }
    return 0;
}

static void close_all(struct af_xdp *x)
{
    xdp_program_detach(&x->program);
    for (uint32_t i = 0; i < x->n_queues; i++) {
        xdp_socket_close(&x->queues[i].socket);
        x->queues[i] = (struct xdp_queue){0};
    }
}

/* What must be so before a device can be asked at all. */
static int check_device(const struct af_xdp *x, const struct af_xdp_options *o, struct diag *diag)
{
    if (!xdp_socket_fits(o->mtu))
        return diag_set(diag, ERR_UNSUPPORTED, "an MTU of %u is too large (frames have one page)",
                        o->mtu);
    if (x->n_queues > QUEUES_MAX)
        return diag_set(diag, ERR_UNSUPPORTED, "the device has %u queues, more than %d",
                        x->n_queues, QUEUES_MAX);
    if (!x->local && netdev_takes_tags(o->name))
        return diag_set(diag, ERR_UNSUPPORTED,
                        "the device takes VLAN tags out of frames (ethtool -K %s rxvlan off)",
                        o->name);
    return 0;
}

static int try_mode(struct af_xdp *x, const struct af_xdp_options *o, enum xdp_mode mode,
                    bool zero_copy, struct diag *diag)
{
    x->mode = mode;
    x->zero_copy = zero_copy;
    int err = xdp_program_attach(&x->program, o->ifindex, x->n_queues, mode, x->local, diag);
    if (!err)
        err = open_queues(x, o, diag);
    if (err)
        close_all(x);
    else
        x->no_zero_copy = zero_copy && !xdp_socket_is_zero_copy(&x->queues[0].socket);
    return err;
}

static void retry(void *x);

struct af_xdp *af_xdp_open(const struct af_xdp_options *o, struct diag *diag)
{
    const char *mode = o->mode;
    uint32_t n_queues = netdev_rx_queues(o->name);
    struct af_xdp *x =
        xcalloc(1, sizeof *x + MIN(n_queues, (uint32_t)QUEUES_MAX) * sizeof *x->queues);
    *x = (struct af_xdp){
        .n_queues = n_queues, .local = netdev_is_local(o->name), .program = {-1, -1}};
    int err = check_device(x, o, diag);
    if (err) {
        free(x);
        return NULL;
    }
    bool best = !strcmp(mode, "best-effort"), zero_copy = strstr(mode, "zerocopy");
    err = ERR_UNSUPPORTED;
    if (strcmp(mode, "generic"))
        err = try_mode(x, o, XDP_MODE_NATIVE, zero_copy, diag);
    if (err && (!strcmp(mode, "generic") || (best && !x->local)))
        err = try_mode(x, o, XDP_MODE_GENERIC, false, diag);
    if (!err)
        return x;
    free(x);
    return NULL;
}

void af_xdp_close(struct af_xdp *x)
{
    close_all(x);
    free(x);
}

void af_xdp_begin(struct af_xdp *x, struct port *port)
{
    x->port = port;
    timer_init(&x->retry, port->host->loop, retry, x);
    x->stuck = NEW(struct stuck);
    x->stuck->x = x;
    for (uint32_t i = 0; i < x->n_queues; i++)
        x->queues[i].watch = port_watch_new(port->host, xdp_socket_fd(&x->queues[i].socket),
                                            queue_readable, &x->queues[i], x->queues[0].watch);
}

void af_xdp_end(struct af_xdp *x)
{
    timer_stop(&x->retry);
    for (uint32_t i = 0; i < x->n_queues; i++)
        port_watch_free(x->queues[i].watch);
    if (x->stuck->is_posted)
        x->stuck->x = NULL;
    else
        free(x->stuck);
}

/* ---- sending ---- */

/* All that is sent leaves by the first queue: one thread sends. */
static struct xdp_socket *sender(struct af_xdp *x)
{
    return &x->queues[0].socket;
}

/* A slot for a frame of that size, or NULL. */
static uint8_t *slot_of(struct af_xdp *x, uint32_t size)
{
    if (size > x->port->status.mtu + ETH_HEADER_LEN + VLAN_HEADER_LEN ||
        size > sender(x)->slot_size)
        return NULL;
    return xdp_socket_slot(sender(x));
}

struct segments {
    struct af_xdp *x;
    int err;
};

static void put_segment(void *segments_, const uint8_t *head, uint32_t head_len,
                        const uint8_t *payload, uint32_t n)
{
    struct segments *s = segments_;
    uint8_t *slot = slot_of(s->x, head_len + n);
    if (!slot) {
        s->err = ERR_NO_SPACE;
        return;
    }
    memcpy(slot, head, head_len);
    memcpy(slot + head_len, payload, n);
    xdp_socket_put(sender(s->x), head_len + n);
}

int af_xdp_send(struct af_xdp *x, const struct packet *packet)
{
    if (packet->gso_type) {
        struct segments s = {x, 0};
        int err = offload_cut(packet, put_segment, &s);
        return err ? err : s.err;
    }
    uint8_t *slot = slot_of(x, packet->size);
    if (!slot)
        return ERR_NO_SPACE;
    memcpy(slot, packet->data, packet->size);
    if (packet->csum_partial) {
        struct packet frame = *packet;
        frame.base = frame.data = slot;
        frame.cap = sender(x)->slot_size;
        frame.lent = true;
        offload_finish_checksum(&frame);
    }
    xdp_socket_put(sender(x), packet->size);
    return 0;
}

static void start_retry(struct af_xdp *x)
{
    if (!timer_is_running(&x->retry))
        timer_start_ms(&x->retry, x->retry_ms);
}

static void told(void *stuck_)
{
    struct stuck *stuck = stuck_;
    struct af_xdp *x = stuck->x;
    if (!x) {
        free(stuck);
        return;
    }
    port_lock(x->port, &x->port->host->out);
    stuck->is_posted = false;
    start_retry(x);
    port_unlock(x->port, &x->port->host->out);
}

/* Tells the kernel; false: something is left. */
static bool kick(struct af_xdp *x)
{
    bool all = xdp_socket_kick(sender(x));
    if (all)
        x->retry_ms = RETRY_MS;
    return all;
}

static void retry(void *x_)
{
    struct af_xdp *x = x_;
    port_lock(x->port, &x->port->host->out);
    x->retry_ms = MIN(MAX(x->retry_ms, RETRY_MS) * 2, RETRY_MAX_MS);
    if (!kick(x))
        start_retry(x);
    port_unlock(x->port, &x->port->host->out);
}

void af_xdp_flush(struct af_xdp *x, const struct port_out *out)
{
    if (kick(x))
        return;
    if (out == &x->port->host->out) {
        start_retry(x);
    } else if (!x->stuck->is_posted) {
        x->stuck->is_posted = true;
        loop_post(x->port->host->loop, told, x->stuck);
    }
}

uint64_t af_xdp_lost(const struct af_xdp *x)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < x->n_queues; i++)
        n += xdp_socket_lost(&x->queues[i].socket);
    return n;
}

bool af_xdp_takes_mtu(const struct af_xdp *x, uint32_t mtu)
{
    return xdp_socket_takes(&x->queues[0].socket, mtu);
}
