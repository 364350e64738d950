/* tunnel.c - tunnel ports, their options and where they listen; see tunnel.h. Packets are tunnel_send.c's and tunnel_receive.c's work. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "switchd/forward/forwarder.h"
#include "switchd/port/tunnel_mtu.h"

LOG_MODULE(tunnel);

static struct tunnel_table *table_of(struct port_host *host)
{
    if (!host->tunnels) {
        struct tunnel_table *t = host->tunnels = NEW(struct tunnel_table);
        list_init(&t->endpoints);
        pthread_mutex_init(&t->lock, NULL);
        t->no_port = counter_get(host->counters, drop_counter(DROP_TUNNEL_KEY));
        t->malformed = counter_get(host->counters, drop_counter(DROP_TUNNEL_BAD));
        t->mtu = tunnel_mtu_new(host);
        t->congested = counter_get(host->counters, drop_counter(DROP_TUNNEL_ECN));
    }
    return host->tunnels;
}

void tunnel_table_free(struct tunnel_table *table)
{
    if (!table)
        return;
    INVARIANT(list_empty(&table->endpoints));
    for (size_t i = 0; i < TUNNEL_FLAVOURS * TUNNEL_SOURCES; i++) {
        int fd = table->sources[i / TUNNEL_SOURCES][i % TUNNEL_SOURCES].fd;
        if (fd)
            close(fd);
    }
    pthread_mutex_destroy(&table->lock);
    tunnel_mtu_free(table->mtu);
    free(table);
}

/* A socket for both IP versions, bound to PORT of all addresses. SHARED: by this process's. */
static int udp_open(uint16_t port, bool shared)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int zero = 0, one = 1, size = TUNNEL_SOCKET_BUFFER;
    struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    (void)setsockopt(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, &one, sizeof one); /* RFC 6935 */
    if (shared)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

/* Adds a socket, -1 on an error. The first is bound alone, so that a port which another process has is told. */
static int add_queue(struct tunnel_endpoint *ep)
{
    int one = 1;
    uint32_t i = ep->n_queues;
    if (i == 1)
        (void)setsockopt(ep->queues[0].fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    int fd = udp_open(ep->udp_port, i > 0);
    if (fd < 0)
        return -1;
    struct tunnel_queue *queue = &ep->queues[ep->n_queues++];
    *queue = (struct tunnel_queue){.endpoint = ep, .fd = fd};
    queue->watch = port_watch_new(ep->host, fd, tunnel_queue_readable, queue, ep->queues[0].watch);
    return 0;
}

/* A queue for each forwarder. None is closed before its endpoint is, as packets may be in it. */
static void spread(struct tunnel_endpoint *ep)
{
    uint32_t wanted = MIN(forwarders_count(ep->host), (unsigned)TUNNEL_QUEUES);
    while (ep->n_queues && ep->n_queues < wanted && !add_queue(ep))
        ;
}

static int endpoint_get(struct port_host *host, const struct tunnel_kind *kind, uint16_t udp_port,
                        struct tunnel_endpoint **ret, struct diag *diag)
{
    struct tunnel_table *table = table_of(host);
    LIST_FOR_EACH (*ret, node, &table->endpoints) {
        if ((*ret)->udp_port == udp_port && (*ret)->kind == kind)
            return 0;
    }
    struct tunnel_endpoint *ep = NEW(struct tunnel_endpoint);
    *ep = (struct tunnel_endpoint){.host = host, .kind = kind, .udp_port = udp_port};
    if (!host->wire && add_queue(ep)) {
        free(ep);
        return diag_set(diag, ERR_IO, "could not listen on UDP port %u (%s)", udp_port,
                        strerror(errno));
    }
    list_init(&ep->ports);
    ep->remotes = (struct hmap)HMAP_INIT;
    list_push_back(&table->endpoints, &ep->node);
    spread(ep);
    *ret = ep;
    return 0;
}

static void endpoint_release(struct tunnel_endpoint *ep)
{
    if (!list_empty(&ep->ports))
        return;
    list_remove(&ep->node);
    hmap_fini(&ep->remotes);
    for (uint32_t i = 0; i < ep->n_queues; i++) {
        port_watch_free(ep->queues[i].watch);
        close(ep->queues[i].fd);
    }
    free(ep);
}

uint64_t tunnel_remote_hash(const struct ip_addr *remote)
{
    return remote->version == 4   ? hash_u64(remote->v4, 4)
           : remote->version == 6 ? hash_bytes(&remote->v6, sizeof remote->v6, 6)
                                  : 0;
}

static void leave(struct tunnel_port *port)
{
    if (!port->endpoint)
        return;
    list_remove(&port->node);
    hmap_remove(&port->endpoint->remotes, &port->by_remote);
    port->endpoint = NULL;
}

/* Says that PORT will hear nothing when another one takes the very same packets; both may send. */
static void enter(struct tunnel_port *port, struct tunnel_endpoint *ep)
{
    const struct tunnel_options *a = &port->options;
    uint64_t hash = tunnel_remote_hash(&a->dst);
    const struct tunnel_port *p;
    HMAP_FOR_EACH_WITH_HASH (p, by_remote, hash, &ep->remotes) {
        const struct tunnel_options *b = &p->options;
        if (ip_addr_equal(&a->dst, &b->dst) && ip_addr_equal(&a->src, &b->src) &&
            a->in_any == b->in_any && a->in_key == b->in_key)
            log_warn("%s: %s has the same remote_ip, local_ip and key, and takes their packets",
                     port->up.name, p->up.name);
    }
    list_push_back(&ep->ports, &port->node);
    hmap_insert(&ep->remotes, &port->by_remote, hash);
    port->endpoint = ep;
}

int tunnel_configure(struct port *port_, const struct smap *options, struct diag *diag)
{
    struct tunnel_port *port = tunnel_cast(port_);
    struct tunnel_options o;
    struct tunnel_endpoint *ep;
    int err = tunnel_options_parse(options, port->kind->udp_port, &o, diag);
    if (err)
        return err;
    forwarders_settle(port_->host);
    err = endpoint_get(port_->host, port->kind, o.udp_port, &ep, diag);
    if (err)
        return err;
    struct tunnel_endpoint *old = port->endpoint;
    leave(port);
    port->options = o;
    enter(port, ep);
    if (old && old != ep)
        endpoint_release(old);
    const char *unknown = tunnel_options_unknown(options);
    if (unknown)
        log_warn("%s: option %s has no effect here", port_->name, unknown);
    return 0;
}

const struct tunnel_options *tunnel_port_options(struct port *port)
{
    return &tunnel_cast(port)->options;
}

void tunnel_close(struct port *port_)
{
    struct tunnel_port *port = tunnel_cast(port_);
    struct tunnel_endpoint *ep = port->endpoint;
    leave(port);
    if (ep)
        endpoint_release(ep);
    port_fini(port_);
    free(port);
}

void tunnel_refresh(struct port *port)
{
    spread(tunnel_cast(port)->endpoint);
}

int tunnel_open(struct port_host *host, const char *name, const struct port_class *class,
                const struct tunnel_kind *kind, const struct smap *options, struct port **ret,
                struct diag *diag)
{
    struct tunnel_port *port = NEW(struct tunnel_port);
    port_init(&port->up, class, host, name);
    port->kind = kind;
    port->up.any_thread = !host->wire;
    int err = tunnel_configure(&port->up, options, diag);
    if (err) {
        tunnel_close(&port->up);
        return err;
    }
    port->up.status.admin_up = port->up.status.link_up = true;
    *ret = &port->up;
    return 0;
}
