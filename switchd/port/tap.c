/* tap.c - type "internal": a tap device that the switch makes, named like the port (the bridge's own
 * LOCAL port is one). Type "tap" is the same.
 *
 * Frames cross the descriptor with virtio-net headers, as in af_packet.c, and the device says so to
 * the kernel's stack (TUNSETOFFLOAD), which then leaves checksums and segmentation to the far end.
 * With options:n_rxq the device has several queues, over which its senders' flows spread; each is a descriptor. What is sent leaves by that of its flow's hash, and the kernel
 * gives what is answered to the same queue. Nothing is queued here, so several threads may send at once.
 * The device is made by a chore (port_chore.h), and disappears when the port closes or the process dies. Its state (up or down, addresses)
 * is the administrator's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "switchd/forward/forwarder.h"
#include "switchd/port/device_settings.h"
#include "switchd/port/flow_hash.h"
#include "switchd/port/offload.h"
#include "switchd/port/port_chore.h"

#ifndef TUN_F_USO4 /* senders leave UDP to be cut, too */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

LOG_MODULE(tap);

enum { QUEUES_MAX = 16 };

struct tap_port {
    struct port up;
    uint32_t n_queues;
    struct tap_queue {
        struct tap_port *port;
        int fd;
        struct port_watch *watch;
    } queues[QUEUES_MAX];
};

static struct tap_port *tap_cast(struct port *port)
{
    return CONTAINER_OF(port, struct tap_port, up);
}

static void tap_readable(void *queue_, unsigned events UNUSED)
{
    struct tap_queue *queue = queue_;
    struct tap_port *port = queue->port;
    struct port_host *host = port->up.host;
    size_t n_ok = 0;
    for (int i = 0; i < PORT_BATCH; i++) {
        struct virtio_net_hdr vnet;
        struct packet *p = port_packet(host, n_ok);
        struct iovec iov[2] = {{&vnet, sizeof vnet}, {p->data, PORT_FRAME_MAX}};
        ssize_t n = readv(queue->fd, iov, 2);
        if (n < 0)
            break;
        if ((size_t)n < sizeof vnet + ETH_HEADER_LEN) {
            port_count(&port->up, &port->up.stats.rx_errors, 1);
            continue;
        }
        p->size = (uint32_t)((size_t)n - sizeof vnet);
        if (offload_from_vnet(p, &vnet)) {
            port_count(&port->up, &port->up.stats.rx_errors, 1);
            continue;
        }
        n_ok++;
    }
    if (n_ok)
        port_receive(&port->up, n_ok);
}

static int tap_send(struct port *port_, struct port_out *out UNUSED, const struct packet *packet,
                    const struct dp_tunnel *tunnel UNUSED, bool last UNUSED)
{
    struct tap_port *port = tap_cast(port_);
    struct virtio_net_hdr vnet;
    if (!port->n_queues)
        return ERR_IO;
    offload_to_vnet(packet, &vnet);
    struct iovec iov[2] = {{&vnet, sizeof vnet}, {packet->data, packet->size}};
    uint64_t i = port->n_queues > 1 ? flow_hash(packet) % port->n_queues : 0;
    return writev(port->queues[i].fd, iov, 2) < 0 ? ERR_IO : 0;
}

/* ---- what the kernel takes long for ---- */

/* A descriptor of the device NAME, which is made with the first. MULTI: there will be others. 0, or errno. */
static int create(const char *name, bool multi, int *ret)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno;
    struct ifreq ifr;
    memset(&ifr, 0, sizeof ifr);
    memcpy(ifr.ifr_name, name, strlen(name));
    ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (multi)
        ifr.ifr_flags |= IFF_MULTI_QUEUE;
    int header = sizeof(struct virtio_net_hdr);
    if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0) {
        int e = errno;
        close(fd);
        return e;
    }
    const unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    if (ioctl(fd, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6) < 0) /* before Linux 6.2 */
        (void)ioctl(fd, TUNSETOFFLOAD, offloads);
    *ret = fd;
    return 0;
}

struct opening {
    struct port_chore up;
    struct chores *chores;
    struct mac mac;
    uint32_t n_wanted, n;
    int fds[QUEUES_MAX];
    struct netdev_facts facts;
    int error; /* errno */
};

static void open_run(struct port_chore *up)
{
    struct opening *o = CONTAINER_OF(up, struct opening, up);
    bool is_new = !netdev_ifindex(up->name); /* else somebody else has made it, and keeps it */
    while (o->n < o->n_wanted && !o->error) {
        o->error = create(up->name, o->n_wanted > 1, &o->fds[o->n]);
        o->n += !o->error;
    }
    if (o->n && is_new)
        (void)!netdev_set_mac(up->name, o->mac);
    netdev_read_facts(up->name, &o->facts);
}

struct closing {
    struct chore chore;
    uint32_t n;
    int fds[QUEUES_MAX];
};

static void close_run(struct chore *chore)
{
    const struct closing *c = CONTAINER_OF(chore, struct closing, chore);
    for (uint32_t i = 0; i < c->n; i++)
        close(c->fds[i]);
}

static void close_done(struct chore *chore)
{
    free(CONTAINER_OF(chore, struct closing, chore));
}

static void close_all(struct chores *chores, const int *fds, uint32_t n)
{
    if (!n)
        return;
    struct closing *c = NEW(struct closing);
    c->chore = (struct chore){.run = close_run, .done = close_done};
    c->n = n;
    memcpy(c->fds, fds, n * sizeof *fds);
    chores_add(chores, &c->chore);
}

/* ---- a port's life ---- */

static void open_done(struct port_chore *up)
{
    struct opening *o = CONTAINER_OF(up, struct opening, up);
    struct tap_port *port = up->port ? tap_cast(up->port) : NULL;
    if (!port || o->error)
        close_all(o->chores, o->fds, o->n);
    if (port && o->error) {
        char *why =
            xasprintf("could not open network device %s (%s)", up->name, strerror(o->error));
        port_failed(up->port, why);
        free(why);
    } else if (port) {
        forwarders_settle(up->port->host);
        for (uint32_t i = 0; i < o->n; i++) {
            struct tap_queue *queue = &port->queues[i];
            *queue = (struct tap_queue){.port = port, .fd = o->fds[i]};
            queue->watch = port_watch_new(up->port->host, queue->fd, tap_readable, queue,
                                          port->queues[0].watch);
        }
        port->n_queues = o->n;
        port->up.any_thread = true;
        (void)netdev_read_status(up->name, &port->up.status);
        device_set_facts(up->port, &o->facts);
        port_begun(up->port);
    }
    free(o);
}

static void tap_close(struct port *port_)
{
    struct tap_port *port = tap_cast(port_);
    int fds[QUEUES_MAX];
    for (uint32_t i = 0; i < port->n_queues; i++) {
        port_watch_free(port->queues[i].watch);
        fds[i] = port->queues[i].fd;
    }
    close_all(port_->host->chores, fds, port->n_queues);
    port_fini(port_);
    free(port);
}

/* The device's address is known before there is a device: datapath ids come from it. */
static struct mac choose_mac(struct env *env)
{
    enum { GROUP = 1, LOCAL = 2 };
    struct mac mac;
    env_random(env, &mac, sizeof mac);
    mac.b[0] = (uint8_t)((mac.b[0] & ~GROUP) | LOCAL);
    return mac;
}

static int read_queues(const struct smap *options, uint32_t *ret, struct diag *diag)
{
    int64_t n = smap_get_int(options, "n_rxq", smap_get(options, "n_rxq") ? 0 : 1);
    if (n < 1 || n > QUEUES_MAX)
        return diag_set(diag, ERR_INVALID, "bad value for option n_rxq: %s (wanted: 1 to %d)",
                        smap_get(options, "n_rxq"), QUEUES_MAX);
    *ret = (uint32_t)n;
    return 0;
}

/* The kernel gives a device that has one queue no more. */
static int tap_configure(struct port *port_, const struct smap *options, struct diag *diag)
{
    const struct tap_port *port = tap_cast(port_);
    uint32_t n;
    int err = read_queues(options, &n, diag);
    if (!err && !port_->opening && n != port->n_queues)
        log_info("%s: option n_rxq: %u instead of %u queues when the port is opened next",
                 port_->name, n, port->n_queues);
    return err;
}

static int tap_open(struct port_host *host, const char *name, const struct smap *options,
                    struct port **ret, struct diag *diag)
{
    uint32_t n;
    int err = read_queues(options, &n, diag);
    if (err)
        return err;
    if (strlen(name) > PORT_NAME_MAX)
        return diag_set(diag, ERR_INVALID, "could not open network device %s (%s)", name,
                        strerror(ENAMETOOLONG));
    struct tap_port *port = NEW(struct tap_port);
    port_init(&port->up, &port_class_internal, host, name);
    port->up.opening = true;
    port->up.status.mac = choose_mac(host->env);
    struct opening *o = NEW(struct opening);
    o->up.run = open_run;
    o->up.done = open_done;
    o->chores = host->chores;
    o->mac = port->up.status.mac;
    o->n_wanted = n;
    port_chore_add(&port->up, &o->up);
    *ret = &port->up;
    return 0;
}

static int tap_open_typed(struct port_host *host, const char *name, const struct smap *options,
                          struct port **ret, struct diag *diag)
{
    int err = tap_open(host, name, options, ret, diag);
    if (!err)
        (*ret)->class = &port_class_tap;
    return err;
}

static void tap_refresh(struct port *port)
{
    if (!port->opening)
        device_refresh(port);
}

const struct port_class port_class_internal = {
    .type = "internal",
    .open = tap_open,
    .configure = tap_configure,
    .parallel = true,
    .send = tap_send,
    .refresh = tap_refresh,
    .close = tap_close,
    .set_mtu = device_set_mtu,
    .set_mac = device_set_mac,
};

const struct port_class port_class_tap = {
    .type = "tap",
    .open = tap_open_typed,
    .configure = tap_configure,
    .parallel = true,
    .send = tap_send,
    .refresh = tap_refresh,
    .close = tap_close,
    .set_mtu = device_set_mtu,
    .set_mac = device_set_mac,
};
