/* tunnel.c - tunnels over the kernel's UDP: what Geneve and VXLAN share; see tunnel.h.
 *
 * Receiving is an ordinary UDP socket. Sending is a raw socket of protocol UDP: the kernel finds the
 * route, the neighbour and the source address and writes the IP header; the UDP header is made here,
 * so that its source port can be a hash of the inner flow and its checksum follow the port's `csum`.
 * Inner packets are made whole first: finished checksums, TCP cut into segments.
 */
#include "switchd/port/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "net/checksum.h"
#include "net/headers.h"
#include "switchd/port/offload.h"
#include "switchd/port/port.h"

enum { SOURCE_PORT_MIN = 32768, SOCKET_BUFFER = 4 << 20, OUTER_MAX = 8 + 8 + 252 };

struct tunnel_port {
    struct port up;
    const struct tunnel_kind *kind;
    struct list node; /* in endpoint.ports */
    struct endpoint *endpoint;
    struct ip_addr remote; /* version 0: any */
    uint64_t in_key;
    bool any_key; /* key=flow, or none said */
    bool csum;
};

struct endpoint { /* one UDP port of one kind of tunnel */
    struct list node;
    const struct tunnel_kind *kind;
    struct port_host *host;
    uint16_t udp_port;
    int fd;
    struct loop_fd *lfd;
    struct list ports;
};

struct tunnel_table {
    struct list endpoints;
    int raw4, raw6;
    struct counter *no_port, *malformed;
};

static struct tunnel_port *tunnel_cast(struct port *port)
{
    return CONTAINER_OF(port, struct tunnel_port, up);
}

/* ---- receiving ---- */

static struct tunnel_port *find_port(struct endpoint *ep, const struct ip_addr *from, uint64_t vni)
{
    struct tunnel_port *p, *best = NULL;
    LIST_FOR_EACH (p, node, &ep->ports) {
        if (!p->any_key && p->in_key != vni)
            continue;
        if (p->remote.version && ip_addr_equal(&p->remote, from))
            return p;
        if (!p->remote.version)
            best = p;
    }
    return best;
}

static void address_of(const struct sockaddr_in6 *sa, struct ip_addr *ret)
{
    struct ip6 ip;
    memcpy(ip.b, &sa->sin6_addr, sizeof ip.b);
    if (IN6_IS_ADDR_V4MAPPED(&sa->sin6_addr)) {
        be32 v4;
        memcpy(&v4, ip.b + 12, 4);
        *ret = ip_addr_from_v4(v4);
    } else {
        *ret = ip_addr_from_v6(ip);
    }
}

/* The address that the packet was sent to, from the control message. */
static void local_address(struct msghdr *msg, struct ip_addr *ret)
{
    ret->version = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
            continue;
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        struct sockaddr_in6 sa = {.sin6_addr = info.ipi6_addr};
        address_of(&sa, ret);
    }
}

static void tunnel_addresses(struct flow_tunnel *t, const struct ip_addr *src,
                             const struct ip_addr *dst)
{
    if (src->version == 4)
        t->src = src->v4;
    else
        t->ip6_src = src->v6;
    if (dst->version == 4)
        t->dst = dst->v4;
    else if (dst->version == 6)
        t->ip6_dst = dst->v6;
}

/* Takes the tunnel's header off PACKET, which then begins with the inner frame. NULL: dropped, counted. */
static struct tunnel_port *decapsulate(struct endpoint *ep, struct packet *packet,
                                       const struct ip_addr *from, const struct ip_addr *to)
{
    struct tunnel_table *table = ep->host->tunnels;
    struct tunnel_header h;
    if (!ep->kind->read(packet->data, packet->size, &h) || packet->size < h.len + ETH_HEADER_LEN) {
        counter_add(table->malformed, 1);
        return NULL;
    }
    struct tunnel_port *port = find_port(ep, from, h.vni);
    if (!port) {
        counter_add(table->no_port, 1);
        return NULL;
    }
    struct flow_tunnel *t = &packet->md.tunnel;
    memset(t, 0, sizeof *t);
    packet->md.has_tunnel = true;
    t->id = swap64(h.vni);
    t->flags = swap16(h.flags);
    tunnel_addresses(t, from, to);
    static const struct tlv_map none;
    uint8_t known;
    if (!tlv_map_read(port->up.tlvs ? port->up.tlvs : &none, h.options, h.options_len, t->metadata,
                      &known)) {
        port->up.stats.rx_errors++;
        counter_add(table->malformed, 1);
        return NULL;
    }
    packet_pull(packet, h.len);
    return port;
}

/* Takes datagram P in. */
static void endpoint_take(struct endpoint *ep, struct packet *p, const struct ip_addr *from,
                          const struct ip_addr *to)
{
    struct tunnel_port *port = decapsulate(ep, p, from, to);
    if (port)
        port_receive(&port->up, 1);
}

static void endpoint_readable(void *ep_, unsigned events)
{
    (void)events;
    struct endpoint *ep = ep_;
    for (size_t i = 0; i < PORT_BATCH; i++) {
        struct packet *p = port_host_packet(ep->host, 0);
        struct sockaddr_in6 from;
        struct iovec iov = {p->data, PORT_FRAME_MAX};
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
        struct msghdr msg = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
        ssize_t n = recvmsg(ep->fd, &msg, MSG_DONTWAIT);
        if (n < 0)
            return;
        p->size = (uint32_t)n;
        struct ip_addr src, dst;
        address_of(&from, &src);
        local_address(&msg, &dst);
        endpoint_take(ep, p, &src, &dst);
    }
}

void tunnel_receive(struct port_host *host, uint16_t udp_port, const struct ip_addr *from,
                    const struct ip_addr *to, const void *data, size_t n)
{
    struct endpoint *ep;
    if (!host->tunnels || n > PORT_FRAME_MAX)
        return;
    LIST_FOR_EACH (ep, node, &host->tunnels->endpoints) {
        if (ep->udp_port != udp_port)
            continue;
        struct packet *p = port_host_packet(host, 0);
        memcpy(p->data, data, n);
        p->size = (uint32_t)n;
        endpoint_take(ep, p, from, to);
        return;
    }
}

/* ---- sending ---- */

struct sending {
    struct tunnel_port *port;
    const struct dp_tunnel *tunnel;
    int err;
    bool has_source; /* asked for once for all segments of a packet */
    struct sockaddr_in6 source;
};

/* A number for the inner flow: its addresses, protocol and ports. */
static uint64_t flow_hash(const struct packet *packet)
{
    uint64_t hash = hash_bytes(packet->data, MIN(packet->size, 14u), 0);
    const uint8_t *l3 = packet_l3(packet);
    if (l3 && l3[0] >> 4 == 4)
        hash = hash_bytes(l3 + 12, 8, l3[9]);
    else if (l3 && l3[0] >> 4 == 6)
        hash = hash_bytes(l3 + 8, 32, l3[6]);
    if (packet_l4_size(packet) >= 4 && packet->l4_proto != IP_PROTO_ICMP)
        hash = hash_bytes(packet_l4(packet), 4, hash);
    return hash;
}

/* Writes UDP and tunnel headers for PACKET at OUT; returns their length. */
static size_t put_headers(const struct sending *s, const struct packet *packet, uint8_t *out)
{
    struct udp_header *udp = (void *)out;
    size_t n =
        UDP_HEADER_LEN + s->port->kind->write(s->tunnel, s->port->up.tlvs, out + UDP_HEADER_LEN);
    put_be16(&udp->src, (uint16_t)(SOURCE_PORT_MIN + flow_hash(packet) % SOURCE_PORT_MIN));
    put_be16(&udp->dst, s->port->endpoint->udp_port);
    put_be16(&udp->len, (uint16_t)(n + packet->size));
    put_be16(&udp->csum, 0);
    return n;
}

/* The source address that the kernel would choose for DST; for the checksum's pseudo-header. */
static bool source_address(const struct sockaddr *dst, socklen_t len, struct sockaddr_in6 *ret)
{
    int fd = socket(dst->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t n = sizeof *ret;
    bool ok = fd >= 0 && !connect(fd, dst, len) && !getsockname(fd, (struct sockaddr *)ret, &n);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool chosen_source(struct sending *s, const struct sockaddr *dst, socklen_t len)
{
    if (!s->has_source)
        s->has_source = source_address(dst, len, &s->source);
    return s->has_source;
}

static void set_checksum(struct sending *s, uint8_t *head, size_t head_len,
                         const struct packet *packet, const struct sockaddr *dst, socklen_t len)
{
    const struct flow_tunnel *t = &s->tunnel->key;
    uint32_t total = (uint32_t)(head_len + packet->size);
    uint32_t sum;
    if (t->dst) {
        be32 src = t->src;
        if (!src && chosen_source(s, dst, len))
            src = ((struct sockaddr_in *)(void *)&s->source)->sin_addr.s_addr;
        sum = checksum_pseudo4(src, t->dst, IP_PROTO_UDP, total);
    } else {
        struct ip6 src = t->ip6_src;
        if (ip6_is_zero(src) && chosen_source(s, dst, len))
            memcpy(src.b, &s->source.sin6_addr, sizeof src.b);
        sum = checksum_pseudo6(&src, &t->ip6_dst, IP_PROTO_UDP, total);
    }
    sum = checksum_add(sum, head, head_len);
    uint16_t csum = checksum_fold(checksum_add(sum, packet->data, packet->size));
    put_be16(head + offsetof(struct udp_header, csum), csum ? csum : 0xffff);
}

/* Asks the kernel to send from T's source address. */
static void put_source(struct msghdr *msg, const struct flow_tunnel *t)
{
    struct cmsghdr *c = msg->msg_control;
    if (t->dst && t->src) {
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = t->src};
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        msg->msg_controllen = CMSG_SPACE(sizeof info);
    } else if (!t->dst && !ip6_is_zero(t->ip6_src)) {
        struct in6_pktinfo info = {.ipi6_ifindex = 0};
        memcpy(&info.ipi6_addr, t->ip6_src.b, sizeof t->ip6_src.b);
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        msg->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        msg->msg_control = NULL;
        msg->msg_controllen = 0;
    }
}

/* The same by the wire of a simulation. */
static void send_by_wire(struct sending *s, uint8_t *head, size_t head_len,
                         const struct packet *packet)
{
    const struct flow_tunnel *t = &s->tunnel->key;
    struct tunnel_wire *wire = s->port->up.host->wire;
    struct ip_addr src = {.version = 0};
    struct ip_addr dst = t->dst ? ip_addr_from_v4(t->dst) : ip_addr_from_v6(t->ip6_dst);
    if (t->dst && t->src)
        src = ip_addr_from_v4(t->src);
    else if (!t->dst && !ip6_is_zero(t->ip6_src))
        src = ip_addr_from_v6(t->ip6_src);
    struct packet whole;
    packet_init_copy(&whole, packet->data, packet->size);
    size_t n = head_len - UDP_HEADER_LEN;
    memcpy(packet_push(&whole, n), head + UDP_HEADER_LEN, n);
    wire->send(wire, &src, &dst, s->port->endpoint->udp_port, whole.data, whole.size);
    packet_fini(&whole);
}

static void send_plain(void *sending_, const struct packet *packet)
{
    struct sending *s = sending_;
    const struct flow_tunnel *t = &s->tunnel->key;
    struct tunnel_table *table = s->port->up.host->tunnels;
    uint8_t head[OUTER_MAX];
    size_t head_len = put_headers(s, packet, head);
    if (head_len + packet->size > UINT16_MAX - 40) {
        s->err = ERR_TOO_BIG;
        return;
    }
    if (s->port->up.host->wire) {
        send_by_wire(s, head, head_len, packet);
        return;
    }
    struct sockaddr_in dst4 = {.sin_family = AF_INET, .sin_addr.s_addr = t->dst};
    struct sockaddr_in6 dst6 = {.sin6_family = AF_INET6};
    memcpy(&dst6.sin6_addr, t->ip6_dst.b, sizeof t->ip6_dst.b);
    struct sockaddr *dst = t->dst ? (struct sockaddr *)&dst4 : (struct sockaddr *)&dst6;
    socklen_t dst_len = t->dst ? sizeof dst4 : sizeof dst6;
    if (s->port->csum || !t->dst) { /* over IPv6 there is always one */
        ((struct sockaddr_in *)(void *)dst)->sin_port =
            t->dst ? htons(s->port->endpoint->udp_port) : 0;
        dst6.sin6_port = t->dst ? 0 : htons(s->port->endpoint->udp_port);
        set_checksum(s, head, head_len, packet, dst, dst_len);
        dst4.sin_port = dst6.sin6_port = 0;
    }
    struct iovec iov[2] = {{head, head_len}, {packet->data, packet->size}};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    memset(control, 0, sizeof control);
    struct msghdr msg = {.msg_name = dst,
                         .msg_namelen = dst_len,
                         .msg_iov = iov,
                         .msg_iovlen = 2,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    put_source(&msg, t);
    int fd = t->dst ? table->raw4 : table->raw6;
    if (fd < 0 || sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        s->err = ERR_IO;
}

int tunnel_send(struct port *port, const struct packet *packet, const struct dp_tunnel *tunnel,
                bool last UNUSED)
{
    struct sending s = {.port = tunnel_cast(port), .tunnel = tunnel};
    int err = tunnel ? offload_finish(packet, send_plain, &s) : ERR_INVALID;
    return err ? err : s.err;
}

/* ---- opening ---- */

/* A raw socket that only sends: its filter lets nothing in. */
static int raw_open(int family)
{
    int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0)
        return -1;
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &drop};
    int ttl = 64, df = family == AF_INET ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO, size = SOCKET_BUFFER;
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    if (family == AF_INET) {
        (void)setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &df, sizeof df);
    } else {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &df, sizeof df);
    }
    return fd;
}

static struct tunnel_table *table_of(struct port_host *host)
{
    if (!host->tunnels) {
        struct tunnel_table *t = host->tunnels = NEW(struct tunnel_table);
        list_init(&t->endpoints);
        t->raw4 = host->wire ? -1 : raw_open(AF_INET);
        t->raw6 = host->wire ? -1 : raw_open(AF_INET6);
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
    if (table->raw4 >= 0)
        close(table->raw4);
    if (table->raw6 >= 0)
        close(table->raw6);
    free(table);
}

/* A socket for both IP versions, bound to PORT of all addresses. */
static int udp_open(uint16_t port)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int zero = 0, one = 1, size = SOCKET_BUFFER;
    struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

static int endpoint_get(struct port_host *host, const struct tunnel_kind *kind, uint16_t udp_port,
                        struct endpoint **ret, struct diag *diag)
{
    struct tunnel_table *table = table_of(host);
    LIST_FOR_EACH (*ret, node, &table->endpoints) {
        if ((*ret)->udp_port == udp_port && (*ret)->kind == kind)
            return 0;
    }
    int fd = host->wire ? -1 : udp_open(udp_port);
    if (fd < 0 && !host->wire)
        return diag_set(diag, ERR_IO, "could not listen on UDP port %u (%s)", udp_port,
                        strerror(errno));
    struct endpoint *ep = *ret = NEW(struct endpoint);
    ep->host = host;
    ep->kind = kind;
    ep->udp_port = udp_port;
    ep->fd = fd;
    list_init(&ep->ports);
    if (fd >= 0)
        ep->lfd = loop_fd_new(host->loop, fd, LOOP_READ, endpoint_readable, ep);
    list_push_back(&table->endpoints, &ep->node);
    return 0;
}

static void endpoint_release(struct endpoint *ep)
{
    if (!list_empty(&ep->ports))
        return;
    list_remove(&ep->node);
    loop_fd_free(ep->lfd);
    if (ep->fd >= 0)
        close(ep->fd);
    free(ep);
}

int tunnel_configure(struct port *port_, const struct smap *options, struct diag *diag)
{
    struct tunnel_port *port = tunnel_cast(port_);
    uint16_t udp_port = (uint16_t)smap_get_int(options, "dst_port", port->kind->udp_port);
    struct endpoint *ep;
    int err = endpoint_get(port_->host, port->kind, udp_port, &ep, diag);
    if (err)
        return err;
    if (port->endpoint != ep) {
        struct endpoint *old = port->endpoint;
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

int tunnel_open(struct port_host *host, const char *name, const struct port_class *class,
                const struct tunnel_kind *kind, const struct smap *options, struct port **ret,
                struct diag *diag)
{
    struct tunnel_port *port = NEW(struct tunnel_port);
    port_init(&port->up, class, host, name);
    port->kind = kind;
    int err = tunnel_configure(&port->up, options, diag);
    if (err) {
        tunnel_close(&port->up);
        return err;
    }
    port->up.status.admin_up = port->up.status.link_up = true;
    *ret = &port->up;
    return 0;
}
