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
#include "switchd/forward/forwarder.h"
#include "switchd/port/tunnel_parts.h"

static struct tunnel_table *table_of(struct port_host *host)
{
    if (!host->tunnels) {
        struct tunnel_table *t = host->tunnels = NEW(struct tunnel_table);
        list_init(&t->endpoints);
        pthread_mutex_init(&t->lock, NULL);
        t->no_port = counter_get(host->counters, drop_counter(DROP_TUNNEL_KEY));
        t->malformed = counter_get(host->counters, drop_counter(DROP_TUNNEL_BAD));
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
    (void)setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one);
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
    for (uint32_t i = 0; i < ep->n_queues; i++) {
        port_watch_free(ep->queues[i].watch);
        close(ep->queues[i].fd);
    }
    free(ep);
}

int tunnel_configure(struct port *port_, const struct smap *options, struct diag *diag)
{
    struct tunnel_port *port = tunnel_cast(port_);
    uint16_t udp_port = (uint16_t)smap_get_int(options, "dst_port", port->kind->udp_port);
    struct tunnel_endpoint *ep;
    forwarders_settle(port_->host);
    int err = endpoint_get(port_->host, port->kind, udp_port, &ep, diag);
    if (err)
        return err;
    if (port->endpoint != ep) {
        struct tunnel_endpoint *old = port->endpoint;
        if (old)
            list_remove(&port->node);
        list_push_back(&ep->ports, &port->node);
        port->endpoint = ep;
        if (old)
            endpoint_release(old);
    }
    const char *remote = smap_get_or(options, "remote_ip", "flow");
    port->remote.version = 0;
    if (strcmp(remote, "flow") && ip_addr_parse(remote, &port->remote))
        return diag_set(diag, ERR_SYNTAX, "bad value for option remote_ip: %s", remote);
    const char *key = smap_get_or(options, "in_key", smap_get_or(options, "key", "0"));
    port->any_key = !strcmp(key, "flow");
    port->in_key =
        (uint64_t)smap_get_int(options, smap_get(options, "in_key") ? "in_key" : "key", 0);
    port->csum = smap_get_bool(options, "csum", false);
    port->df = smap_get_bool(options, "df_default", true);
    return 0;
}

void tunnel_close(struct port *port_)
{
    struct tunnel_port *port = tunnel_cast(port_);
    if (port->endpoint) {
        list_remove(&port->node);
        endpoint_release(port->endpoint);
    }
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
