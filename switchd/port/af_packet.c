/* af_packet.c - type "system": an existing device (veth, physical), through a packet socket.
 *
 * Every frame crosses the socket with a virtio-net header (packet(7), PACKET_VNET_HDR), so checksums
 * that a local sender left unfinished and TCP segments of 64 kB are known for what they are. The
 * kernel takes 802.1Q tags out of received frames and tells them aside; they are put back. Receiving is a ring
 * (packet_ring.h), sending is packet_send.h. The device is set up and
 * promiscuous while the port is open.
 *
 * The kernel's own stack does not see what the device receives (ingress.h), so it should have no
 * address there.
 *
 * Type "afxdp", and options:xdp-mode, ask for AF_XDP sockets instead (af_xdp.h). Where these cannot be, the packet socket is used all the
 * same, and a log line says why.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "switchd/forward/forwarder.h"
#include "switchd/port/af_xdp.h"
#include "switchd/port/ingress.h"
#include "switchd/port/netdev.h"
#include "switchd/port/packet_fanout.h"
#include "switchd/port/packet_ring.h"
#include "switchd/port/packet_send.h"

LOG_MODULE(af_packet);

enum {
    SPREAD = 4, /* sockets to receive by, at most, unless it is said */
    SEND_BUFFER = 16 << 20
};

struct system_port {
    struct port up;
    uint32_t ifindex; /* of the device that the socket is bound to */
    char mode[24];    /* of AF_XDP, as asked for; "": a packet socket is asked for */
    uint32_t n_slots; /* as asked for; 0: nothing was */
    bool direct;      /* options:direct-send */
    struct af_xdp *xdp;
    uint64_t lost_before; /* rx_dropped without what xdp has lost */
    int fd;               /* -1: not open */
    struct port_watch *watch;
    struct packet_ring rx;
    uint32_t n_rxq; /* sockets, as asked for; 0: nothing was */
    struct packet_fanout *fanout;
    struct packet_send tx;
};

static struct system_port *system_cast(struct port *port)
{
    return CONTAINER_OF(port, struct system_port, up);
}

static void system_readable(void *port_, unsigned events UNUSED)
{
    struct system_port *port = port_;
    packet_ring_serve(&port->rx, &port->up);
}

static void system_flush(struct port *port_, struct port_out *out)
{
    struct system_port *port = system_cast(port_);
    if (port->xdp) {
        af_xdp_flush(port->xdp);
        return;
    }
    packet_send_flush(&port->tx, out);
}

static int system_send(struct port *port_, struct port_out *out, const struct packet *packet,
                       const struct dp_tunnel *tunnel UNUSED, bool last)
{
    struct system_port *port = system_cast(port_);
    if (port->xdp)
        return af_xdp_send(port->xdp, packet);
    if (port->fd < 0)
        return ERR_IO;
    packet_send_put(&port->tx, out, packet, last);
    return 0;
}

/* ---- opening ---- */

/* Opens the port's socket with its ring and binds it; reading begins with the bind, so options come first. */
static int socket_open(struct system_port *port)
{
    int one = 1, size = SEND_BUFFER;
    struct sockaddr_ll addr = {.sll_family = AF_PACKET,
                               .sll_protocol = swap16(ETH_P_ALL),
                               .sll_ifindex = (int)port->ifindex};
    struct packet_mreq mreq = {.mr_ifindex = (int)port->ifindex, .mr_type = PACKET_MR_PROMISC};
    port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->fd < 0 ||
        packet_ring_open(&port->rx, port->fd, port->up.status.mtu,
                         port->n_slots ? port->n_slots : PACKET_RING_SLOTS) ||
        setsockopt(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) < 0 ||
        setsockopt(port->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq) < 0 ||
        bind(port->fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        return ERR_IO;
    (void)setsockopt(port->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    packet_send_init(&port->tx, &port->up, port->fd, port->direct);
    return 0;
}

/* Takes the device over by AF_XDP; false: a log line has said why not. */
static bool start_xdp(struct system_port *port)
{
    const char *name = port->up.name;
    struct diag why = DIAG_INIT;
    port->xdp = af_xdp_open(&port->up, port->ifindex, port->mode, port->n_slots, &why);
    if (port->xdp)
        log_info("%s: packets cross by %s", name, af_xdp_mode(port->xdp));
    else
        log_warn("%s: packets cross by AF_PACKET instead of AF_XDP: %s", name, diag_text(&why));
    diag_fini(&why);
    return port->xdp;
}

static void read_status(struct system_port *port)
{
    netdev_read_status(port->up.name, &port->up.status);
    if (port->watch)
        packet_send_refresh(&port->tx, packet_fanout_count(port->fanout));
    port->up.status.packet_io = port->xdp           ? af_xdp_mode(port->xdp)
                                : port->tx.use_fast ? "AF_PACKET, sends by AF_XDP"
                                : port->watch       ? "AF_PACKET"
                                                    : NULL;
}

static void system_stop(struct system_port *port)
{
    forwarders_settle(port->up.host);
    port->up.any_thread = false;
    if (port->xdp)
        port->lost_before += af_xdp_lost(port->xdp);
    af_xdp_close(port->xdp);
    port->xdp = NULL;
    packet_fanout_free(port->fanout);
    port->fanout = NULL;
    port_watch_free(port->watch);
    port->watch = NULL;
    packet_send_fini(&port->tx);
    packet_ring_close(&port->rx);
    port->rx = (struct packet_ring){0};
    if (port->fd >= 0)
        close(port->fd);
    port->fd = -1;
}

/* Where several forwarders can receive from it, they do. */
static void spread(struct system_port *port)
{
    unsigned n = forwarders_count(port->up.host);
    if (!port->watch)
        return;
    const struct packet_fanout_base base = {&port->up, port->fd, port->watch, port->ifindex,
                                            port->rx.n_slots};
    packet_fanout_set(&port->fanout, &base,
                      n < 2         ? 1
                      : port->n_rxq ? port->n_rxq
                                    : MIN(n, (unsigned)SPREAD));
}

/* Begins to send and receive, as the options say. */
static int system_start(struct system_port *port, struct diag *diag)
{
    const char *name = port->up.name;
    read_status(port);
    if (*port->mode && start_xdp(port))
        return 0;
    if (socket_open(port)) {
        int err =
            diag_set(diag, ERR_IO, "could not open network device %s (%s)", name, strerror(errno));
        system_stop(port);
        return err;
    }
    if (ingress_close(port->ifindex))
        log_info("%s: the kernel cannot be kept from hearing it too", name);
    port->watch = port_watch_new(port->up.host, port->fd, system_readable, port, NULL);
    port->up.any_thread = true;
    spread(port);
    return 0;
}

static void system_restart(struct system_port *port)
{
    struct diag diag = DIAG_INIT;
    if (port->up.queued)
        system_flush(&port->up, &port->up.host->out);
    system_stop(port);
    if (system_start(port, &diag))
        log_warn("%s", diag_text(&diag)); /* the next refresh tries again */
    diag_fini(&diag);
}

/* Reads how the packets are to cross. CHANGED: not as before. */
static int read_options(struct system_port *port, const struct smap *options, bool *changed,
                        struct diag *diag)
{
    const char *none = port->up.class == &port_class_afxdp ? "best-effort" : "";
    const char *mode = smap_get_or(options, "xdp-mode", none);
    int64_t n_slots = smap_get_int(options, "n_rxq_desc", 0);
    if (smap_get(options, "n_rxq_desc") && (n_slots < 1 || n_slots > PACKET_RING_SLOTS_MAX))
        return diag_set(diag, ERR_INVALID, "bad value for option n_rxq_desc: %s (wanted: 1 to %d)",
                        smap_get(options, "n_rxq_desc"), PACKET_RING_SLOTS_MAX);
    if (*mode && !af_xdp_is_mode(mode))
        return diag_set(diag, ERR_INVALID,
                        "bad value for option xdp-mode: %s (wanted: best-effort, native, "
                        "native-with-zerocopy or generic)",
                        mode);
    bool direct = smap_get_bool(options, "direct-send", true);
    int64_t n_rxq = smap_get_int(options, "n_rxq", 0);
    if (smap_get(options, "n_rxq") && (n_rxq < 1 || n_rxq > PACKET_FANOUT_MAX))
        return diag_set(diag, ERR_INVALID, "bad value for option n_rxq: %s (wanted: 1 to %d)",
                        smap_get(options, "n_rxq"), PACKET_FANOUT_MAX);
    *changed = strcmp(mode, port->mode) != 0 || n_slots != port->n_slots || direct != port->direct;
    port->direct = direct;
    snprintf(port->mode, sizeof port->mode, "%s", mode);
    port->n_slots = (uint32_t)n_slots;
    port->n_rxq = (uint32_t)n_rxq;
    return 0;
}

static void system_free(struct system_port *port)
{
    system_stop(port);
    port_fini(&port->up);
    free(port);
}

static int open_device(const struct port_class *class, struct port_host *host, const char *name,
                       const struct smap *options, struct port **ret, struct diag *diag)
{
    uint32_t ifindex = netdev_ifindex(name);
    if (!ifindex)
        return diag_set(diag, ERR_NOT_FOUND, "could not open network device %s (%s)", name,
                        strerror(ENODEV));
    struct system_port *port = NEW(struct system_port);
    port_init(&port->up, class, host, name);
    port->ifindex = ifindex;
    port->fd = -1;
    bool changed;
    int err = read_options(port, options, &changed, diag);
    if (!err && netdev_set_up(name))
        err = diag_set(diag, ERR_IO, "could not set network device %s up", name);
    if (!err)
        err = system_start(port, diag);
    if (err) {
        system_free(port);
        return err;
    }
    read_status(port);
    *ret = &port->up;
    return 0;
}

static int system_open(struct port_host *host, const char *name, const struct smap *options,
                       struct port **ret, struct diag *diag)
{
    return open_device(&port_class_system, host, name, options, ret, diag);
}

static int afxdp_open(struct port_host *host, const char *name, const struct smap *options,
                      struct port **ret, struct diag *diag)
{
    return open_device(&port_class_afxdp, host, name, options, ret, diag);
}

static int system_configure(struct port *port_, const struct smap *options, struct diag *diag)
{
    struct system_port *port = system_cast(port_);
    bool changed;
    int err = read_options(port, options, &changed, diag);
    if (!err && changed)
        system_restart(port);
    if (!err)
        spread(port);
    return err;
}

static void system_refresh(struct port *port_)
{
    struct system_port *port = system_cast(port_);
    forwarders_settle(port_->host);
    read_status(port);
    if (port_->status.ifindex != port->ifindex)
        memset(&port_->status, 0, sizeof port_->status); /* gone, even if its name is there again */
    else if (!port->watch && !port->xdp)                 /* a restart failed */
        system_restart(port);
    else if (port->xdp && !af_xdp_takes_mtu(port->xdp, port_->status.mtu))
        system_restart(port);
    spread(port);
    if (port->fd >= 0)
        port->lost_before += packet_ring_lost(&port->rx) + packet_fanout_lost(port->fanout);
    port_->stats.rx_dropped = port->lost_before + (port->xdp ? af_xdp_lost(port->xdp) : 0);
}

static void system_close(struct port *port_)
{
    struct system_port *port = system_cast(port_);
    if (netdev_ifindex(port_->name) == port->ifindex)
        ingress_open(port->ifindex);
    system_free(port);
}

static int system_set_mtu(struct port *port_, uint32_t mtu)
{
    struct system_port *port = system_cast(port_);
    bool too_large = port->xdp && !af_xdp_takes_mtu(port->xdp, mtu);
    if (too_large) /* nor does the device take it while XDP is there */
        system_stop(port);
    int err = netdev_set_mtu(port_->name, mtu);
    if (too_large)
        system_restart(port);
    return err;
}

static int system_set_mac(struct port *port, struct mac mac)
{
    return netdev_set_mac(port->name, mac);
}

const struct port_class port_class_system = {
    .type = "system",
    .open = system_open,
    .configure = system_configure,
    .send = system_send,
    .flush = system_flush,
    .refresh = system_refresh,
    .close = system_close,
    .set_mtu = system_set_mtu,
    .set_mac = system_set_mac,
};

const struct port_class port_class_afxdp = {
    .type = "afxdp",
    .open = afxdp_open,
    .configure = system_configure,
    .send = system_send,
    .flush = system_flush,
    .refresh = system_refresh,
    .close = system_close,
    .set_mtu = system_set_mtu,
    .set_mac = system_set_mac,
};
