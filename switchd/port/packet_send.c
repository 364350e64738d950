/* packet_send.c - see packet_send.h. */
#include "switchd/port/packet_send.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "net/headers.h"
#include "switchd/forward/forwarder.h"
#include "switchd/port/bypass.h"
#include "switchd/port/device_io.h"
#include "switchd/port/offload.h"
#include "switchd/port/port_chore.h"
#include "switchd/qos/qos.h"

enum {
    BUFFER = 4 << 20,
    FAST_SLOTS = SEND_QUEUE
}; /* they come back at once where nothing holds frames */

struct fast_opening {
    struct port_chore up;
    struct packet_send *tx; /* NULL: it does not want it any more */
    struct chores *chores;
    struct xdp_socket *fast;
    int err;
};

static void seen(struct bypass_asker *asker)
{
    struct port *port = CONTAINER_OF(asker, struct packet_send, asker)->port;
    port->class->refresh(port);
}

void packet_send_init(struct packet_send *tx, struct port *port, int fd, bool fast)
{
    *tx = (struct packet_send){.port = port, .fd = fd, .refused = !fast};
    tx->asker.seen = seen;
    list_init(&tx->asker.node);
}

struct xdp_socket *packet_send_fini(struct packet_send *tx)
{
    struct xdp_socket *fast = tx->fast;
    if (tx->opening)
        tx->opening->tx = NULL;
    if (tx->port)
        bypass_forget(&tx->asker);
    *tx = (struct packet_send){.fd = -1};
    return fast;
}

static void fast_run(struct port_chore *up)
{
    struct fast_opening *opening = CONTAINER_OF(up, struct fast_opening, up);
    opening->err = xdp_socket_open_sender(opening->fast, up->name, FAST_SLOTS);
    if (!opening->err)
        return;
    xdp_socket_close(opening->fast);
    free(opening->fast);
    opening->fast = NULL;
}

static void fast_done(struct port_chore *up)
{
    struct fast_opening *opening = CONTAINER_OF(up, struct fast_opening, up);
    struct packet_send *tx = opening->tx;
    if (tx) {
        forwarders_settle(tx->port->host);
        tx->opening = NULL;
        tx->fast = opening->fast; /* if the way is still free */
        tx->refused = opening->err && opening->err != ERR_AGAIN;
        if (tx->fast)
            tx->port->class->refresh(tx->port);
    } else if (opening->fast) {
        device_io_close(opening->chores, &(struct device_io){.fd = -1, .fast = opening->fast});
    }
    free(opening);
}

static void open_fast(struct packet_send *tx)
{
    struct fast_opening *opening = tx->opening = NEW(struct fast_opening);
    opening->up.run = fast_run;
    opening->up.done = fast_done;
    opening->tx = tx;
    opening->chores = tx->port->host->chores;
    opening->fast = NEW(struct xdp_socket);
    port_chore_add(tx->port, &opening->up);
}

void packet_send_refresh(struct packet_send *tx, unsigned n_own)
{
    struct port *port = tx->port;
    bool is_free =
        !tx->refused && bypass_is_free(port->host, port->status.ifindex, n_own, &tx->asker);
    tx->use_fast = is_free && tx->fast;
    if (is_free && !tx->fast && !tx->opening)
        open_fast(tx);
}

static void flush_fast(struct packet_send *tx)
{
    tx->n_fast = 0;
    (void)xdp_socket_kick(tx->fast); /* what a device that is down leaves goes with the next */
}

static void flush_messages(struct packet_send *tx, struct port_out *out)
{
    size_t n = tx->n;
    tx->n = 0;
    port_send_messages(tx->port, out, tx->fd, tx->msgs, tx->bytes, n);
}

void packet_send_flush(struct packet_send *tx, struct port_out *out)
{
    if (tx->n_fast)
        flush_fast(tx);
    if (tx->n)
        flush_messages(tx, out);
}

/* Puts a plain frame on the cheap way; false: it is not free for it. */
static bool put_fast(struct packet_send *tx, struct port_out *out, const struct packet *packet)
{
    if (!tx->use_fast || !offload_is_plain(packet) || packet->md.skb_priority ||
        packet->size > tx->fast->slot_size || packet->size > tx->port->status.mtu + ETH_HEADER_LEN)
        return false;
    uint8_t *slot = xdp_socket_slot(tx->fast);
    if (!slot)
        return false;
    if (tx->n)
        flush_messages(tx, out);
    memcpy(slot, packet->data, packet->size);
    xdp_socket_put(tx->fast, packet->size);
    if (++tx->n_fast == SEND_QUEUE)
        flush_fast(tx);
    return true;
}

/* A queue's packets are told apart by the socket's priority, so one batch is of one queue. */
static void set_queue(struct packet_send *tx, struct port_out *out, uint32_t queue)
{
    uint32_t priority = queue ? qos_priority(queue) : 0;
    if (priority == tx->priority)
        return;
    if (tx->n)
        flush_messages(tx, out);
    tx->priority = priority;
    (void)setsockopt(tx->fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
}

void packet_send_put(struct packet_send *tx, struct port_out *out, const struct packet *packet,
                     bool last)
{
    if (put_fast(tx, out, packet))
        return;
    if (tx->n_fast)
        flush_fast(tx);
    set_queue(tx, out, packet->md.skb_priority);
    struct virtio_net_hdr vnet;
    offload_to_vnet(packet, &vnet);
    uint8_t *kept = port_keep(out, packet, last, sizeof vnet);
    size_t i = tx->n++;
    struct iovec *iov = tx->iov[i];
    if (kept)
        iov[0] = (struct iovec){memcpy(kept, &vnet, sizeof vnet), sizeof vnet + packet->size};
    else
        iov[0] = (struct iovec){&vnet, sizeof vnet},
        iov[1] = (struct iovec){packet->data, packet->size};
    tx->msgs[i].msg_hdr = (struct msghdr){.msg_iov = iov, .msg_iovlen = kept ? 1 : 2};
    if (tx->to.sll_family) {
        tx->msgs[i].msg_hdr.msg_name = &tx->to;
        tx->msgs[i].msg_hdr.msg_namelen = sizeof tx->to;
    }
    tx->bytes[i] = packet->size;
    if (!kept || tx->n == SEND_QUEUE)
        flush_messages(tx, out);
}

/* ---- beside ---- */

static struct packet_send *beside_new(void)
{
    int one = 1, size = BUFFER;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0) {
        close(fd);
        return NULL;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    struct packet_send *beside = NEW(struct packet_send);
    packet_send_init(beside, NULL, fd, false);
    return beside;
}

struct packet_send *packet_send_beside(struct port_out *out, struct port *port)
{
    if (!out->beside)
        out->beside = beside_new();
    if (out->beside) {
        out->beside->port = port;
        out->beside->to =
            (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = (int)port->status.ifindex};
    }
    return out->beside;
}

void packet_send_beside_free(struct packet_send *beside)
{
    if (beside)
        close(beside->fd);
    free(beside);
}
