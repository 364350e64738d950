/* af_packet.c - type "system": an existing device (veth, physical), through a packet socket.
 *
 * Every frame crosses the socket with a virtio-net header (packet(7), PACKET_VNET_HDR), so checksums
 * that a local sender left unfinished and TCP segments of 64 kB are known for what they are. The
 * kernel takes 802.1Q tags out of received frames and tells them aside; they are put back. Receiving is a ring
 * (packet_ring.h), sending one sendmmsg for all of a batch, from where the frames lie. The device is set up and
 * promiscuous while the port is open.
 *
 * The kernel's own stack does not see what the device receives (ingress.h), so it should have no
 * address there.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "switchd/port/ingress.h"
#include "switchd/port/netdev.h"
#include "switchd/port/offload.h"
#include "switchd/port/packet_ring.h"
#include "switchd/qos/qos.h"

LOG_MODULE(af_packet);

enum {
    SEND_QUEUE = 64,
    READ_ROUNDS = 8, /* batches of one port before others have their turn */
    SEND_BUFFER = 16 << 20
};

struct system_port {
    struct port up;
    uint32_t ifindex; /* of the device that the socket is bound to */
    int fd;
    struct loop_fd *lfd;
    struct packet_ring rx;
    uint32_t priority; /* of the socket: what is sent goes into that queue of the device */
    struct send_queue {
        size_t n;
        struct mmsghdr msgs[SEND_QUEUE];
        struct iovec iov[SEND_QUEUE][2];
        uint32_t bytes[SEND_QUEUE];
    } tx;
};

static struct system_port *system_cast(struct port *port)
{
    return CONTAINER_OF(port, struct system_port, up);
}

static void system_readable(void *port_, unsigned events UNUSED)
{
    struct system_port *port = port_;
    bool more = true;
    for (int i = 0; i < READ_ROUNDS && more; i++) {
        size_t n = packet_ring_read(&port->rx, &port->up);
        if (n)
            port_receive(&port->up, n);
        more = packet_ring_release(&port->rx);
    }
}

static void system_flush(struct port *port_)
{
    struct system_port *port = system_cast(port_);
    size_t n = port->tx.n;
    port->tx.n = 0;
    port_send_messages(port_, port->fd, port->tx.msgs, port->tx.bytes, n);
}

/* A queue's packets are told apart by the socket's priority, so one batch is of one queue. */
static void set_queue(struct system_port *port, uint32_t queue)
{
    uint32_t priority = queue ? qos_priority(queue) : 0;
    if (priority == port->priority)
        return;
    if (port->tx.n)
        system_flush(&port->up);
    port->priority = priority;
    (void)setsockopt(port->fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
}

static int system_send(struct port *port_, const struct packet *packet,
                       const struct dp_tunnel *tunnel UNUSED, bool last)
{
    struct send_queue *tx = &system_cast(port_)->tx;
    set_queue(system_cast(port_), packet->md.skb_priority);
    struct virtio_net_hdr vnet;
    offload_to_vnet(packet, &vnet);
    uint8_t *kept = port_host_keep(port_->host, packet, last, sizeof vnet);
    size_t i = tx->n++;
    struct iovec *iov = tx->iov[i];
    if (kept)
        iov[0] = (struct iovec){memcpy(kept, &vnet, sizeof vnet), sizeof vnet + packet->size};
    else
        iov[0] = (struct iovec){&vnet, sizeof vnet},
        iov[1] = (struct iovec){packet->data, packet->size};
    tx->msgs[i].msg_hdr = (struct msghdr){.msg_iov = iov, .msg_iovlen = kept ? 1 : 2};
    tx->bytes[i] = packet->size;
    if (!kept || tx->n == SEND_QUEUE)
        system_flush(port_);
    return 0;
}

/* Opens the port's socket with its ring and binds it; reading begins with the bind, so options come first. */
static int socket_open(struct system_port *port, const char *name, uint32_t n_slots)
{
    int one = 1, size = SEND_BUFFER;
    struct sockaddr_ll addr = {.sll_family = AF_PACKET,
                               .sll_protocol = swap16(ETH_P_ALL),
                               .sll_ifindex = (int)port->ifindex};
    struct packet_mreq mreq = {.mr_ifindex = (int)port->ifindex, .mr_type = PACKET_MR_PROMISC};
    struct port_status status;
    netdev_read_status(name, &status);
    port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->fd < 0 || packet_ring_open(&port->rx, port->fd, status.mtu, n_slots) ||
        setsockopt(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
        setsockopt(port->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq) < 0 ||
        bind(port->fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        return ERR_IO;
    (void)setsockopt(port->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    return 0;
}

static void system_free(struct system_port *port)
{
    loop_fd_free(port->lfd);
    if (port->rx.map && port->rx.map != MAP_FAILED)
        packet_ring_close(&port->rx);
    if (port->fd >= 0)
        close(port->fd);
    port_fini(&port->up);
    free(port);
}

static int system_open(struct port_host *host, const char *name, const struct smap *options,
                       struct port **ret, struct diag *diag)
{
    uint32_t ifindex = netdev_ifindex(name);
    if (!ifindex)
        return diag_set(diag, ERR_NOT_FOUND, "could not open network device %s (%s)", name,
                        strerror(ENODEV));
    struct system_port *port = NEW(struct system_port);
    port_init(&port->up, &port_class_system, host, name);
    port->ifindex = ifindex;
    port->fd = -1;
    int64_t n_slots = smap_get_int(options, "n_rxq_desc", PACKET_RING_SLOTS);
    int err = 0;
    if (n_slots < 1 || n_slots > PACKET_RING_SLOTS_MAX)
        err = diag_set(diag, ERR_INVALID, "bad value for option n_rxq_desc: %s (wanted: 1 to %d)",
                       smap_get(options, "n_rxq_desc"), PACKET_RING_SLOTS_MAX);
    else if (socket_open(port, name, (uint32_t)n_slots))
        err =
            diag_set(diag, ERR_IO, "could not open network device %s (%s)", name, strerror(errno));
    else if (netdev_set_up(name))
        err = diag_set(diag, ERR_IO, "could not set network device %s up", name);
    if (err) {
        system_free(port);
        return err;
    }
    if (ingress_close(ifindex))
        log_info("%s: the kernel cannot be kept from hearing it too", name);
    port->lfd = loop_fd_new(host->loop, port->fd, LOOP_READ, system_readable, port);
    netdev_read_status(name, &port->up.status);
    *ret = &port->up;
    return 0;
}

static void system_refresh(struct port *port_)
{
    struct system_port *port = system_cast(port_);
    netdev_read_status(port_->name, &port_->status);
    if (port_->status.ifindex != port->ifindex)
        memset(&port_->status, 0, sizeof port_->status); /* gone, even if its name is there again */
    struct tpacket_stats stats;
    socklen_t n = sizeof stats;
    if (!getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n))
        port_->stats.rx_dropped += stats.tp_drops;
}

static void system_close(struct port *port_)
{
    struct system_port *port = system_cast(port_);
    if (netdev_ifindex(port_->name) == port->ifindex)
        ingress_open(port->ifindex);
    system_free(port);
}

static int system_set_mtu(struct port *port, uint32_t mtu)
{
    return netdev_set_mtu(port->name, mtu);
}

static int system_set_mac(struct port *port, struct mac mac)
{
    return netdev_set_mac(port->name, mac);
}

const struct port_class port_class_system = {
    .type = "system",
    .open = system_open,
    .send = system_send,
    .flush = system_flush,
    .refresh = system_refresh,
    .close = system_close,
    .set_mtu = system_set_mtu,
    .set_mac = system_set_mac,
};
