/* af_packet.c - type "system": an existing device (veth, physical), through a packet socket.
 *
 * Every frame crosses the socket with a virtio-net header (packet(7), PACKET_VNET_HDR), so checksums
 * that a local sender left unfinished and TCP segments of 64 kB are known for what they are. The
 * kernel takes 802.1Q tags out of received frames and tells them aside (PACKET_AUXDATA); they are put
 * back. The device is set up and promiscuous while the port is open.
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
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "flow/rewrite.h"
#include "switchd/port/ingress.h"
#include "switchd/port/netdev.h"
#include "switchd/port/offload.h"

LOG_MODULE(af_packet);

struct system_port {
    struct port up;
    uint32_t ifindex; /* of the device that the socket is bound to */
    int fd;
    struct loop_fd *lfd;
};

enum { CONTROL_SIZE = CMSG_SPACE(sizeof(struct tpacket_auxdata)), SOCKET_BUFFER = 4 << 20 };

static struct system_port *system_cast(struct port *port)
{
    return CONTAINER_OF(port, struct system_port, up);
}

/* Puts the tag that the kernel took out back into the frame. */
static void restore_vlan(struct packet *packet, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
            c->cmsg_len < CMSG_LEN(sizeof(struct tpacket_auxdata)))
            continue;
        struct tpacket_auxdata aux;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
            return;
        uint16_t tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q;
        packet_push_vlan(packet, tpid, aux.tp_vlan_tci);
        return;
    }
}

struct rx_batch {
    struct mmsghdr msgs[PORT_BATCH];
    struct iovec iov[PORT_BATCH][2];
    struct virtio_net_hdr vnet[PORT_BATCH];
    _Alignas(struct cmsghdr) char control[PORT_BATCH][CONTROL_SIZE];
};

static void rx_batch_init(struct rx_batch *rx, struct port_host *host)
{
    for (size_t i = 0; i < PORT_BATCH; i++) {
        struct packet *p = port_host_packet(host, i);
        rx->iov[i][0] = (struct iovec){&rx->vnet[i], sizeof rx->vnet[i]};
        rx->iov[i][1] = (struct iovec){p->data, PORT_FRAME_MAX};
        rx->msgs[i].msg_hdr = (struct msghdr){.msg_iov = rx->iov[i],
                                              .msg_iovlen = 2,
                                              .msg_control = rx->control[i],
                                              .msg_controllen = CONTROL_SIZE};
    }
}

/* Makes packet N_OK of the batch from message I; false when it must be dropped. */
static bool rx_one(struct rx_batch *rx, struct port_host *host, size_t i, size_t n_ok)
{
    if (i != n_ok) {
        struct packet swap = host->batch[i];
        host->batch[i] = host->batch[n_ok];
        host->batch[n_ok] = swap;
    }
    struct packet *p = &host->batch[n_ok];
    size_t n = rx->msgs[i].msg_len;
    if (n < sizeof rx->vnet[i] + ETH_HEADER_LEN || rx->msgs[i].msg_hdr.msg_flags & MSG_TRUNC)
        return false;
    p->size = (uint32_t)(n - sizeof rx->vnet[i]);
    if (offload_from_vnet(p, &rx->vnet[i]))
        return false;
    restore_vlan(p, &rx->msgs[i].msg_hdr);
    return true;
}

static void system_readable(void *port_, unsigned events)
{
    (void)events;
    struct system_port *port = port_;
    struct port_host *host = port->up.host;
    struct rx_batch rx;
    rx_batch_init(&rx, host);
    int n = recvmmsg(port->fd, rx.msgs, PORT_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    size_t n_ok = 0;
    for (int i = 0; i < n; i++) {
        if (rx_one(&rx, host, (size_t)i, n_ok)) {
            port->up.stats.rx_packets++;
            port->up.stats.rx_bytes += host->batch[n_ok].size;
            n_ok++;
        } else {
            port->up.stats.rx_errors++;
        }
    }
    if (n_ok)
        host->rx(host->aux, &port->up, host->batch, n_ok);
}

static int system_send(struct port *port_, const struct packet *packet,
                       const struct dp_tunnel *tunnel)
{
    (void)tunnel;
    struct system_port *port = system_cast(port_);
    struct virtio_net_hdr vnet;
    offload_to_vnet(packet, &vnet);
    struct iovec iov[2] = {{&vnet, sizeof vnet}, {packet->data, packet->size}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    return sendmsg(port->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? ERR_IO : 0;
}

/* Opens and binds the socket; reading begins with the bind, so options come first. */
static int socket_open(const char *name, uint32_t ifindex, int *ret, struct diag *diag)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return diag_set(diag, ERR_IO, "could not open network device %s (%s)", name,
                        strerror(errno));
    int one = 1, size = SOCKET_BUFFER;
    struct sockaddr_ll addr = {
        .sll_family = AF_PACKET, .sll_protocol = swap16(ETH_P_ALL), .sll_ifindex = (int)ifindex};
    struct packet_mreq mreq = {.mr_ifindex = (int)ifindex, .mr_type = PACKET_MR_PROMISC};
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
        int e = errno;
        close(fd);
        return diag_set(diag, ERR_IO, "could not open network device %s (%s)", name, strerror(e));
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    *ret = fd;
    return 0;
}

static int system_open(struct port_host *host, const char *name, const struct smap *options,
                       struct port **ret, struct diag *diag)
{
    (void)options;
    uint32_t ifindex = netdev_ifindex(name);
    if (!ifindex)
        return diag_set(diag, ERR_NOT_FOUND, "could not open network device %s (%s)", name,
                        strerror(ENODEV));
    int fd;
    int err = socket_open(name, ifindex, &fd, diag);
    if (err)
        return err;
    if (netdev_set_up(name)) {
        close(fd);
        return diag_set(diag, ERR_IO, "could not set network device %s up", name);
    }
    struct system_port *port = NEW(struct system_port);
    port_init(&port->up, &port_class_system, host, name);
    port->fd = fd;
    port->ifindex = ifindex;
    if (ingress_close(ifindex))
        log_info("%s: the kernel cannot be kept from hearing it too", name);
    port->lfd = loop_fd_new(host->loop, fd, LOOP_READ, system_readable, port);
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
    loop_fd_free(port->lfd);
    if (netdev_ifindex(port_->name) == port->ifindex)
        ingress_open(port->ifindex);
    close(port->fd);
    port_fini(port_);
    free(port);
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
    .refresh = system_refresh,
    .close = system_close,
    .set_mtu = system_set_mtu,
    .set_mac = system_set_mac,
};
