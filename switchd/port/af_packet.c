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
#include <strings.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/log.h"
#include "switchd/forward/forwarder.h"
#include "switchd/port/chores.h"
#include "switchd/port/device_io.h"
#include "switchd/port/device_settings.h"
#include "switchd/port/packet_fanout.h"
#include "switchd/port/packet_send.h"

LOG_MODULE(af_packet);

enum {
    SPREAD = 4 /* sockets to receive by, at most, unless it is said */
};

struct system_port {
    struct port up;
    uint32_t ifindex;               /* of the device */
    char mode[24];                  /* of AF_XDP, as asked for; "": a packet socket is asked for */
    uint32_t n_slots;               /* as asked for; 0: nothing was */
    bool direct;                    /* options:direct-send */
    uint32_t mtu_wanted;            /* asked for while OPENING; 0: none was */
    uint64_t lost_before;           /* rx_dropped without what xdp has lost */
    struct device_opening *opening; /* NULL: done */
    struct device_io io;
    struct port_watch *watch; /* of io.fd */
    uint32_t n_rxq;           /* sockets, as asked for; 0: nothing was */
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
    packet_ring_serve(&port->io.rx, &port->up);
}

static void system_flush(struct port *port_, struct port_out *out)
{
    struct system_port *port = system_cast(port_);
    if (out->is_beside)
        packet_send_flush(out->beside, out);
    else if (port->io.xdp)
        af_xdp_flush(port->io.xdp, out);
    else
        packet_send_flush(&port->tx, out);
}

static int system_send(struct port *port_, struct port_out *out, const struct packet *packet,
                       const struct dp_tunnel *tunnel UNUSED, bool last)
{
    struct system_port *port = system_cast(port_);
    if (port->io.xdp && !out->is_beside)
        return af_xdp_send(port->io.xdp, packet);
    if (port->io.fd < 0 && !port->io.xdp)
        return ERR_IO;
    packet_send_put(out->is_beside ? out->beside : &port->tx, out, packet, last);
    return 0;
}

/* ---- opening ---- */

static void system_set_mtu(struct port *port, uint32_t mtu);

static void read_status(struct system_port *port)
{
    device_refresh(&port->up);
    if (port->watch)
        packet_send_refresh(&port->tx, packet_fanout_count(port->fanout));
    port->up.status.packet_io = port->io.xdp        ? af_xdp_mode(port->io.xdp)
                                : port->tx.use_fast ? "AF_PACKET, sends by AF_XDP"
                                : port->watch       ? "AF_PACKET"
                                                    : NULL;
}

static void system_stop(struct system_port *port)
{
    forwarders_settle(port->up.host);
    port->up.any_thread = port->up.has_beside = false;
    device_io_cancel(port->opening);
    port->opening = NULL;
    if (port->io.xdp) {
        port->lost_before += af_xdp_lost(port->io.xdp);
        af_xdp_end(port->io.xdp);
    }
    packet_fanout_free(port->fanout);
    port->fanout = NULL;
    port_watch_free(port->watch);
    port->watch = NULL;
    port->io.fast = packet_send_fini(&port->tx);
    device_io_close(port->up.host->chores, &port->io);
    port->io = DEVICE_IO_INIT;
}

/* Where several forwarders can receive from it, they do. */
static void spread(struct system_port *port)
{
    unsigned n = forwarders_count(port->up.host);
    if (!port->watch)
        return;
    const struct packet_fanout_base base = {&port->up, port->io.fd, port->watch, port->ifindex,
                                            port->io.rx.n_slots};
    packet_fanout_set(&port->fanout, &base,
                      n < 2         ? 1
                      : port->n_rxq ? port->n_rxq
                                    : MIN(n, (unsigned)SPREAD));
}

/* Reading begins with the bind. */
static int begin_socket(struct system_port *port)
{
    struct sockaddr_ll addr = {.sll_family = AF_PACKET,
                               .sll_protocol = swap16(ETH_P_ALL),
                               .sll_ifindex = (int)port->ifindex};
    if (bind(port->io.fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        return errno;
    packet_send_init(&port->tx, &port->up, port->io.fd, port->direct);
    port->watch = port_watch_new(port->up.host, port->io.fd, system_readable, port, NULL);
    port->up.any_thread = port->up.has_beside = true;
    spread(port);
    return 0;
}

/* It could not be opened; what it had before is gone, and the next refresh tries again. */
static void fail(struct system_port *port, const char *what, int error)
{
    static struct log_rate rate = LOG_RATE(1, 10);
    struct diag why = DIAG_INIT;
    (void)!diag_set(&why, ERR_IO, "could not %s network device %s (%s)", what, port->up.name,
                    strerror(error));
    log_warn_limited(&rate, "%s", diag_text(&why));
    system_stop(port);
    if (port->up.opening)
        port_failed(&port->up, diag_text(&why));
    diag_fini(&why);
}

/* The port has what it was to have, or less. */
static void system_begin(void *port_, const struct device_opened *opened)
{
    struct system_port *port = port_;
    const char *name = port->up.name;
    port->opening = NULL;
    port->io = opened->io;
    forwarders_settle(port->up.host);
    if (opened->no_xdp)
        log_warn("%s: packets cross by AF_PACKET instead of AF_XDP: %s", name, opened->no_xdp);
    if (opened->is_heard)
        log_info("%s: the kernel cannot be kept from hearing it too", name);
    int error = opened->error;
    if (port->io.xdp) {
        af_xdp_begin(port->io.xdp, &port->up);
        port->up.any_thread = port->up.has_beside = true;
        log_info("%s: packets cross by %s", name, af_xdp_mode(port->io.xdp));
    } else if (!error) {
        error = begin_socket(port);
    }
    if (error) {
        fail(port, opened->failed ? opened->failed : "open", error);
        return;
    }
    read_status(port);
    device_set_facts(&port->up, &opened->facts);
    port_begun(&port->up);
    if (port->mtu_wanted && port->mtu_wanted != port->up.status.mtu)
        system_set_mtu(&port->up, port->mtu_wanted);
}

/* Begins to send and receive, as the options say, as soon as the kernel is ready. */
static void system_start(struct system_port *port)
{
    read_status(port);
    const struct af_xdp_options o = {.name = port->up.name,
                                     .ifindex = port->ifindex,
                                     .mtu = port->up.status.mtu,
                                     .mode = port->mode,
                                     .n_slots = port->n_slots};
    port->opening = device_io_open(port->up.host->chores, &o, system_begin, port);
}

static void system_restart(struct system_port *port)
{
    if (port->up.queued)
        system_flush(&port->up, &port->up.host->out);
    system_stop(port);
    system_start(port);
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
    const char *direct_text = smap_get_or(options, "direct-send", "true");
    bool direct = !strcasecmp(direct_text, "true");
    if (!direct && strcasecmp(direct_text, "false"))
        return diag_set(diag, ERR_INVALID,
                        "bad value for option direct-send: %s (wanted: true or false)",
                        direct_text);
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
    port->io = DEVICE_IO_INIT;
    bool changed;
    int err = read_options(port, options, &changed, diag);
    if (err) {
        system_free(port);
        return err;
    }
    port->up.opening = true;
    system_start(port);
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
    else if (!port->watch && !port->io.xdp && !port->opening) /* it could not be opened */
        system_restart(port);
    else if (port->io.xdp && !af_xdp_takes_mtu(port->io.xdp, port_->status.mtu))
        system_restart(port);
    spread(port);
    if (port->io.fd >= 0)
        port->lost_before += packet_ring_lost(&port->io.rx) + packet_fanout_lost(port->fanout);
    port_->stats.rx_dropped = port->lost_before + (port->io.xdp ? af_xdp_lost(port->io.xdp) : 0);
}

static void system_close(struct port *port_)
{
    struct system_port *port = system_cast(port_);
    device_give_back(port_->host->chores, port_->name, port->ifindex);
    system_free(port);
}

/* The device does not take an MTU that AF_XDP cannot have while it is there. */
static void system_set_mtu(struct port *port_, uint32_t mtu)
{
    struct system_port *port = system_cast(port_);
    port->mtu_wanted = port->opening ? mtu : 0;
    if (port->opening || device_is_getting_mtu(port_, mtu))
        return;
    bool too_large = port->io.xdp && !af_xdp_takes_mtu(port->io.xdp, mtu);
    if (too_large)
        system_stop(port);
    device_set_mtu(port_, mtu);
    if (too_large)
        system_start(port);
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
    .set_mac = device_set_mac,
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
    .set_mac = device_set_mac,
};
