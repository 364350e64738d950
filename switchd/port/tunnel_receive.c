/* tunnel_receive.c - datagrams to packets: takes tunnel headers off; see tunnel.h.
 *
 * The kernel may hand over many datagrams of a flow as one (UDP_GRO): they are taken apart where they lie, and TCP segments among
 * them that follow one another become one packet again (coalesce.h). An outer mark of congestion is put on the inner packet
 * (tunnel_ecn.h).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "net/headers.h"
#include "switchd/forward/lane.h"
#include "switchd/port/coalesce.h"
#include "switchd/port/tunnel_ecn.h"
#include "switchd/port/tunnel_parts.h"
#include "switchd/tun_store.h"

enum {
    MESSAGES = 16, /* of one system call */
    LONG = 16384,  /* bytes */
    LONG_MESSAGES = 4,
    CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) + 3 * CMSG_SPACE(sizeof(int))
};

/* What the kernel says about a datagram. */
struct arrival {
    struct ip_addr from, to;
    uint8_t tos, ttl;
    size_t segment; /* bytes of each datagram of many; 0: it is one */
};

/* Packets of one port that are not given to the host yet. */
struct gathering {
    struct tunnel_port *port;
    size_t n;
    struct coalesce tcp; /* of the last packet */
    const uint8_t *end;  /* of the buffer in which that lies */
};

/* The best of the ports of REMOTE (version 0: any) that take this packet, if it is better than BEST. */
static struct tunnel_port *better_port(const struct tunnel_endpoint *ep,
                                       const struct ip_addr *remote, const struct arrival *a,
                                       uint64_t vni, struct tunnel_port *best, int *best_score)
{
    struct tunnel_port *p;
    HMAP_FOR_EACH_WITH_HASH (p, by_remote, tunnel_remote_hash(remote), &ep->remotes) {
        const struct tunnel_options *o = &p->options;
        if (!ip_addr_equal(&o->dst, remote) || (!o->in_any && o->in_key != vni) ||
            (o->src.version && !ip_addr_equal(&o->src, &a->to)))
            continue;
        int score = !o->in_any * 4 + (o->dst.version != 0) * 2 + (o->src.version != 0);
        if (score >= *best_score) {
            best = p;
            *best_score = score;
        }
    }
    return best;
}

static struct tunnel_port *find_port(const struct tunnel_endpoint *ep, const struct arrival *a,
                                     uint64_t vni)
{
    static const struct ip_addr any = {.version = 0};
    int score = 0;
    struct tunnel_port *best = better_port(ep, &a->from, a, vni, NULL, &score);
    return better_port(ep, &any, a, vni, best, &score);
}

static void address_of(const struct in6_addr *a, struct ip_addr *ret)
{
    struct ip6 ip;
    memcpy(ip.b, a, sizeof ip.b);
    if (IN6_IS_ADDR_V4MAPPED(a)) {
        be32 v4;
        memcpy(&v4, ip.b + 12, 4);
        *ret = ip_addr_from_v4(v4);
    } else {
        *ret = ip_addr_from_v6(ip);
    }
}

static int control_int(const struct cmsghdr *c)
{
    int value = 0;
    memcpy(&value, CMSG_DATA(c), MIN(c->cmsg_len - CMSG_LEN(0), sizeof value));
    return value;
}

static void read_arrival(struct msghdr *msg, struct arrival *ret)
{
    const struct sockaddr_in6 *from = msg->msg_name;
    *ret = (struct arrival){.segment = 0};
    address_of(&from->sin6_addr, &ret->from);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        bool v6 = c->cmsg_level == IPPROTO_IPV6, v4 = c->cmsg_level == IPPROTO_IP;
        if (v6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            address_of(&info.ipi6_addr, &ret->to);
        } else if ((v6 && c->cmsg_type == IPV6_TCLASS) || (v4 && c->cmsg_type == IP_TOS)) {
            ret->tos = (uint8_t)control_int(c);
        } else if ((v6 && c->cmsg_type == IPV6_HOPLIMIT) || (v4 && c->cmsg_type == IP_TTL)) {
            ret->ttl = (uint8_t)control_int(c);
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            ret->segment = (size_t)MAX(control_int(c), 0);
        }
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
static struct tunnel_port *decapsulate(struct tunnel_endpoint *ep, struct packet *packet,
                                       const struct arrival *a)
{
    struct tunnel_table *table = ep->host->tunnels;
    struct tunnel_header h;
    if (!ep->kind->read(packet->data, packet->size, &h) || packet->size < h.len + ETH_HEADER_LEN) {
        counter_add(table->malformed, 1);
        return NULL;
    }
    struct tunnel_port *port = find_port(ep, a, h.vni);
    if (!port) {
        counter_add(table->no_port, 1);
        return NULL;
    }
    struct flow_tunnel *t = &packet->md.tunnel;
    memset(t, 0, sizeof *t);
    packet->md.has_tunnel = true;
    t->id = swap64(h.vni);
    t->flags = swap16(h.flags);
    t->tos = a->tos;
    t->ttl = a->ttl;
    tunnel_addresses(t, &a->from, &a->to);
    static const struct tlv_map none;
    if (h.options_len) {
        struct tun_opts opts;
        const struct tlv_map *tlvs = port->up.tlvs ? port->up.tlvs : &none;
        if (!tlv_map_read(tlvs, h.options, h.options_len, t, &opts)) {
            port_count(&port->up, &port->up.stats.rx_errors, 1);
            counter_add(table->malformed, 1);
            return NULL;
        }
        if (!tun_opts_is_empty(&opts)) {
            lane_be_alone();
            t->more = tun_store_put(ep->host->tun_opts, &opts);
        }
    }
    packet_pull(packet, h.len);
    if (a->tos & IP_ECN_MASK && !tunnel_ecn_mark(packet, a->tos & IP_ECN_MASK)) {
        port_count(&port->up, &port->up.stats.rx_dropped, 1);
        counter_add(table->congested, 1);
        return NULL;
    }
    return port;
}

/* Takes datagram P in. */
static void deliver(struct gathering *g)
{
    if (!g->n)
        return;
    coalesce_end(&g->tcp);
    size_t n = g->n;
    g->n = 0;
    port_receive(&g->port->up, n);
}

/* Adds P to the last packet, if it belongs there. END: of P's buffer; in one buffer nothing lies between them that anybody wants. */
static bool join(struct gathering *g, const struct tunnel_port *port, const struct packet *p,
                 const uint8_t *end)
{
    const struct packet *last = g->tcp.packet;
    if (!g->n || !last || port != g->port ||
        memcmp(&last->md.tunnel, &p->md.tunnel, sizeof p->md.tunnel) != 0)
        return false;
    uint32_t room = g->end == end ? UINT32_MAX : (uint32_t)(g->end - (last->data + last->size));
    return coalesce_add(&g->tcp, p, room);
}

/* Takes one datagram of LEN bytes; behind it are TAIL more that nobody uses, up to END. */
static void take(struct tunnel_endpoint *ep, struct gathering *g, const struct arrival *a,
                 uint8_t *data, size_t len, size_t tail, const uint8_t *end)
{
    struct packet *p = &port_batch(ep->host)[g->n];
    packet_init_lent(p, data, len + tail, data, len);
    struct tunnel_port *port = decapsulate(ep, p, a);
    if (!port || join(g, port, p, end))
        return;
    if (g->n && (port != g->port || g->n == PORT_BATCH - 1)) {
        struct packet last = *p;
        deliver(g);
        p = &port_batch(ep->host)[0];
        *p = last;
    }
    if (g->n)
        coalesce_end(&g->tcp);
    coalesce_begin(&g->tcp, p);
    g->port = port;
    g->end = end;
    g->n++;
}

/* DATA: a buffer of PORT_FRAME_MAX bytes. */
static void take_message(struct tunnel_endpoint *ep, struct gathering *g, const struct arrival *a,
                         uint8_t *data, size_t n)
{
    size_t step = a->segment && a->segment < n ? a->segment : n;
    for (size_t at = 0; at < n || !at; at += step) {
        size_t len = MIN(step, n - at);
        take(ep, g, a, data + at, len, at + len == n ? PORT_FRAME_MAX - n : 0,
             data + PORT_FRAME_MAX);
        if (!step)
            break;
    }
}

/* Up to COUNT into the host's buffers from number FIRST on. */
static int read_messages(struct tunnel_queue *queue, size_t first, size_t count)
{
    struct tunnel_endpoint *ep = queue->endpoint;
    struct mmsghdr msgs[MESSAGES];
    struct sockaddr_in6 from[MESSAGES];
    struct iovec iov[MESSAGES];
    _Alignas(struct cmsghdr) char control[MESSAGES][CONTROL];
    for (size_t i = 0; i < count; i++) {
        iov[i] = (struct iovec){port_packet(ep->host, first + i)->data, PORT_FRAME_MAX};
        msgs[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                          .msg_namelen = sizeof from[i],
                                          .msg_iov = &iov[i],
                                          .msg_iovlen = 1,
                                          .msg_control = control[i],
                                          .msg_controllen = CONTROL};
    }
    int n = recvmmsg(queue->fd, msgs, (unsigned)count, MSG_DONTWAIT, NULL);
    size_t bytes = 0;
    struct gathering g = {.n = 0};
    for (int i = 0; i < n; i++) {
        struct arrival a;
        bytes += msgs[i].msg_len;
        read_arrival(&msgs[i].msg_hdr, &a);
        take_message(ep, &g, &a, iov[i].iov_base, msgs[i].msg_len);
    }
    deliver(&g);
    if (n > 0)
        queue->is_long = bytes / (size_t)n >= LONG;
    return n;
}

/* What a forwarder has read stays where it lies until it is sent, so each round of its turn has buffers of its own. Of long
 * messages some are sent before more are read, while the processor still has them in its cache. */
void tunnel_queue_readable(void *queue_, unsigned events UNUSED)
{
    struct tunnel_queue *queue = queue_;
    const struct port_lane *lane = lane_here();
    size_t count;
    for (size_t at = 0; at + MESSAGES <= PORT_BATCH; at += count) {
        count = queue->is_long ? LONG_MESSAGES : MESSAGES;
        if (read_messages(queue, lane ? at : 0, count) < (int)count || (lane && lane_is_full(lane)))
            return;
    }
}

void tunnel_receive(struct port_host *host, uint16_t udp_port, const struct ip_addr *from,
                    const struct ip_addr *to, const void *data, size_t n)
{
    struct tunnel_endpoint *ep;
    if (!host->tunnels || n > PORT_FRAME_MAX)
        return;
    LIST_FOR_EACH (ep, node, &host->tunnels->endpoints) {
        if (ep->udp_port != udp_port)
            continue;
        uint8_t *buffer = port_packet(host, 0)->data;
        memcpy(buffer, data, n);
        struct gathering g = {.n = 0};
        struct arrival a = {.from = *from, .to = *to};
        take_message(ep, &g, &a, buffer, n);
        deliver(&g);
        return;
    }
}
