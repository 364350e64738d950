/* tunnel_send.c - packets to datagrams: puts tunnel headers on and sends; see tunnel.h.
 *
 * The kernel finds route, neighbour and source address and writes the outer headers. Datagrams leave from a set of UDP sockets, of
 * which the hash of the inner flow chooses one, so that the network can spread flows by source port. On each socket, datagrams of a
 * batch that go the same way and are equally long become one message that the kernel (or the card) cuts
 * (UDP_SEGMENT): so do the segments of a large TCP packet, whose payload is sent from where it lies. Inner packets are made
 * whole: finished checksums, segments with headers of their own. The outer header takes the inner mark of congestion (tunnel_ecn.h).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "flow/rewrite.h"
#include "net/headers.h"
#include "switchd/port/flow_hash.h"
#include "switchd/port/offload.h"
#include "switchd/port/tunnel_ecn.h"
#include "switchd/port/tunnel_mtu.h"

enum {
    HEADER_MAX = 8 + 252,
    MESSAGES = 8,
    VECTORS = 256,
    SEGMENTS_MAX = 64,   /* of a message: what every kernel that segments accepts */
    MESSAGE_MAX = 65000, /* bytes */
    DEFAULT_TTL = 64,
    CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) + 3 * CMSG_SPACE(sizeof(int))
};

/* Datagrams that leave as one: all of `segment` bytes, the last one perhaps shorter. */
struct message {
    struct tunnel_port *port;
    struct dp_tunnel to;
    uint32_t n, segment, bytes;
    uint32_t vectors_each; /* 1 or 2 */
    bool closed;           /* the last one is shorter */
};

/* What a thread has queued for a source. */
struct sender {
    struct list node; /* in tunnel_senders.busy while n > 0 */
    struct tunnel_source *source;
    struct port_out *out;
    size_t n, n_vectors;
    struct message messages[MESSAGES];
    struct iovec vectors[VECTORS]; /* of all messages, in order */
};

struct tunnel_senders {
    struct list busy;
    struct sender *each[TUNNEL_FLAVOURS][TUNNEL_SOURCES]; /* made on first use */
};

/* A packet on its way out. */
struct sending {
    struct tunnel_port *port;
    struct port_out *out;
    struct sender *sender; /* NULL: a simulation's wire */
    struct dp_tunnel to;
    uint8_t header[HEADER_MAX];
    size_t header_len;
};

/* ---- sockets ---- */

static int socket_open(bool v6, bool df, bool csum)
{
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* It only sends: its filter lets nothing in. */
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &drop};
    int ttl = DEFAULT_TTL, one = 1, size = TUNNEL_SOCKET_BUFFER;
    int discover = v6 ? (df ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT)
                      : (df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    (void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl,
                     sizeof ttl);
    (void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
                     &discover, sizeof discover);
    if (!csum)
        (void)setsockopt(fd, v6 ? IPPROTO_UDP : SOL_SOCKET, v6 ? UDP_NO_CHECK6_TX : SO_NO_CHECK,
                         &one, sizeof one);
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
    struct sockaddr_in any4 = {.sin_family = AF_INET};
    if (bind(fd, v6 ? (struct sockaddr *)&any6 : (struct sockaddr *)&any4,
             v6 ? sizeof any6 : sizeof any4) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* False: no socket can be had. The kernel cuts no datagrams without a checksum. */
static bool source_open(struct tunnel_table *table, struct tunnel_source *source, bool v6, bool df,
                        bool csum)
{
    pthread_mutex_lock(&table->lock);
    if (!source->fd) {
        source->segments = csum;
        int fd = socket_open(v6, df, csum);
        if (fd >= 0)
            __atomic_store_n(&source->fd, fd, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&table->lock);
    return source->fd;
}

/* OUT's queue for packets of this hash; NULL: none can be had. */
static struct sender *sender_get(struct tunnel_port *port, struct port_out *out, bool v6,
                                 uint64_t hash)
{
    struct tunnel_table *table = out->host->tunnels;
    bool csum = v6 ? port->options.csum6 : port->options.csum, df = port->options.df;
    size_t flavour = v6 | df << 1 | csum << 2;
    struct tunnel_source *source = &table->sources[flavour][hash % TUNNEL_SOURCES];
    if (!out->tunnels) {
        out->tunnels = NEW(struct tunnel_senders);
        list_init(&out->tunnels->busy);
    }
    struct sender **s = &out->tunnels->each[flavour][hash % TUNNEL_SOURCES];
    if (*s)
        return *s;
    if (!__atomic_load_n(&source->fd, __ATOMIC_ACQUIRE) &&
        !source_open(table, source, v6, df, csum))
        return NULL;
    *s = NEW(struct sender);
    (*s)->source = source;
    (*s)->out = out;
    return *s;
}

void tunnel_senders_free(struct tunnel_senders *senders)
{
    if (!senders)
        return;
    for (size_t i = 0; i < TUNNEL_FLAVOURS * TUNNEL_SOURCES; i++)
        free(senders->each[i / TUNNEL_SOURCES][i % TUNNEL_SOURCES]);
    free(senders);
}

/* ---- the queue ---- */

static void put_control(struct msghdr *msg, int level, int type, const void *data, size_t n)
{
    struct cmsghdr *c = (void *)((uint8_t *)msg->msg_control + msg->msg_controllen);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
    msg->msg_controllen += CMSG_SPACE(n);
}

/* The kernel's view of where M goes; DST and CONTROL (zero) are room for it. */
static void put_destination(struct msghdr *msg, const struct message *m, struct sockaddr_in6 *dst,
                            void *control)
{
    const struct flow_tunnel *t = &m->to.key;
    bool v6 = !t->dst;
    struct sockaddr_in *dst4 = (void *)dst;
    uint16_t udp_port = htons(m->port->endpoint->udp_port);
    memset(dst, 0, sizeof *dst);
    if (v6) {
        dst->sin6_family = AF_INET6;
        dst->sin6_port = udp_port;
        memcpy(&dst->sin6_addr, t->ip6_dst.b, sizeof t->ip6_dst.b);
    } else {
        dst4->sin_family = AF_INET;
        dst4->sin_port = udp_port;
        dst4->sin_addr.s_addr = t->dst;
    }
    msg->msg_name = dst;
    msg->msg_namelen = v6 ? sizeof *dst : sizeof *dst4;
    msg->msg_control = control;
    msg->msg_controllen = 0;
    struct in_pktinfo from4 = {.ipi_spec_dst.s_addr = t->src};
    struct in6_pktinfo from6 = {.ipi6_ifindex = 0};
    memcpy(&from6.ipi6_addr, t->ip6_src.b, sizeof t->ip6_src.b);
    if (v6 && !ip6_is_zero(t->ip6_src))
        put_control(msg, IPPROTO_IPV6, IPV6_PKTINFO, &from6, sizeof from6);
    else if (!v6 && t->src)
        put_control(msg, IPPROTO_IP, IP_PKTINFO, &from4, sizeof from4);
    int tos = t->tos, ttl = t->ttl;
    if (tos)
        put_control(msg, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos,
                    sizeof tos);
    if (ttl && ttl != DEFAULT_TTL)
        put_control(msg, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl,
                    sizeof ttl);
}

/* Sends the datagrams of a message one by one: the kernel would not take them as one. True: now it took all. */
static bool send_singly(const struct sender *s, const struct message *m, struct msghdr *msg)
{
    struct iovec *v = msg->msg_iov;
    size_t n_lost = 0;
    for (uint32_t i = 0; i < m->n; i++, v += m->vectors_each) {
        msg->msg_iov = v;
        msg->msg_iovlen = m->vectors_each;
        if (sendmsg(s->source->fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            continue;
        n_lost++;
        if (errno == EMSGSIZE)
            tunnel_mtu_note(m->port, &m->to, v, m->vectors_each);
    }
    port_count_lost(&m->port->up, s->out, n_lost);
    return !n_lost;
}

static void sender_flush(struct sender *s)
{
    struct mmsghdr msgs[MESSAGES];
    struct sockaddr_in6 dst[MESSAGES];
    _Alignas(struct cmsghdr) char control[MESSAGES][CONTROL];
    size_t plain[MESSAGES]; /* msg_controllen without UDP_SEGMENT */
    struct iovec *v = s->vectors;
    memset(msgs, 0, sizeof msgs);
    memset(control, 0, sizeof control);
    for (size_t i = 0; i < s->n; i++) {
        const struct message *m = &s->messages[i];
        struct msghdr *msg = &msgs[i].msg_hdr;
        put_destination(msg, m, &dst[i], control[i]);
        plain[i] = msg->msg_controllen;
        uint16_t segment = (uint16_t)m->segment;
        if (m->n > 1)
            put_control(msg, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
        msg->msg_iov = v;
        msg->msg_iovlen = (size_t)m->n * m->vectors_each;
        v += msg->msg_iovlen;
    }
    for (size_t done = 0; done < s->n; done++) {
        int n = sendmmsg(s->source->fd, msgs + done, (unsigned)(s->n - done),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            done += (size_t)n - 1;
            continue;
        }
        bool cannot_cut = s->messages[done].n > 1 && (errno == EIO || errno == EINVAL);
        msgs[done].msg_hdr.msg_controllen = plain[done];
        if (send_singly(s, &s->messages[done], &msgs[done].msg_hdr) && cannot_cut)
            __atomic_store_n(&s->source->segments, false, __ATOMIC_RELAXED);
    }
    s->n = s->n_vectors = 0;
    list_remove(&s->node);
}

void tunnel_senders_flush(struct port_out *out)
{
    struct sender *s, *next;
    if (!out->tunnels)
        return;
    LIST_FOR_EACH_SAFE (s, next, node, &out->tunnels->busy)
        sender_flush(s);
}

void tunnel_flush(struct port *port UNUSED, struct port_out *out)
{
    tunnel_senders_flush(out);
}

static bool same_way(const struct message *m, const struct sending *s)
{
    const struct flow_tunnel *a = &m->to.key, *b = &s->to.key;
    return m->port == s->port && a->src == b->src && a->dst == b->dst && a->tos == b->tos &&
           a->ttl == b->ttl && ip6_equal(a->ip6_src, b->ip6_src) &&
           ip6_equal(a->ip6_dst, b->ip6_dst);
}

/* Queues a datagram of N bytes in COUNT (1 or 2) vectors. */
static void append(struct sending *s, const struct iovec *v, uint32_t count, uint32_t n)
{
    struct sender *sender = s->sender;
    struct message *m = sender->n ? &sender->messages[sender->n - 1] : NULL;
    bool join = m && __atomic_load_n(&sender->source->segments, __ATOMIC_RELAXED) && !m->closed &&
                n <= m->segment && m->vectors_each == count && m->n < SEGMENTS_MAX &&
                m->bytes + n <= MESSAGE_MAX && same_way(m, s);
    if (sender->n_vectors + count > VECTORS || (!join && sender->n == MESSAGES)) {
        sender_flush(sender);
        join = false;
    }
    if (!join) {
        if (!sender->n)
            list_push_back(&s->out->tunnels->busy, &sender->node);
        m = &sender->messages[sender->n++];
        *m = (struct message){.port = s->port, .to = s->to, .segment = n, .vectors_each = count};
    }
    memcpy(&sender->vectors[sender->n_vectors], v, count * sizeof *v);
    sender->n_vectors += count;
    m->closed = n < m->segment;
    m->bytes += n;
    m->n++;
}

/* ---- packets ---- */

/* The same by the wire of a simulation. */
static void send_by_wire(struct sending *s, const uint8_t *head, size_t head_len,
                         const uint8_t *payload, size_t n)
{
    const struct flow_tunnel *t = &s->to.key;
    struct tunnel_wire *wire = s->port->up.host->wire;
    struct ip_addr src = {.version = 0};
    struct ip_addr dst = t->dst ? ip_addr_from_v4(t->dst) : ip_addr_from_v6(t->ip6_dst);
    if (t->dst && t->src)
        src = ip_addr_from_v4(t->src);
    else if (!t->dst && !ip6_is_zero(t->ip6_src))
        src = ip_addr_from_v6(t->ip6_src);
    struct packet whole;
    packet_init_copy(&whole, s->header, s->header_len);
    memcpy(packet_append(&whole, head_len), head, head_len);
    memcpy(packet_append(&whole, n), payload, n);
    wire->send(wire, &src, &dst, s->port->endpoint->udp_port, whole.data, whole.size);
    packet_fini(&whole);
}

static void send_segment(void *sending_, const uint8_t *head, uint32_t head_len,
                         const uint8_t *payload, uint32_t n)
{
    struct sending *s = sending_;
    if (!s->sender) {
        send_by_wire(s, head, head_len, payload, n);
        return;
    }
    size_t len = s->header_len + head_len;
    uint8_t *room = port_out_room(s->out, len);
    if (!room) {
        port_out_flush(s->out);
        room = port_out_room(s->out, len);
    }
    memcpy(room, s->header, s->header_len);
    memcpy(room + s->header_len, head, head_len);
    struct iovec v[2] = {{room, len}, {(void *)payload, n}};
    append(s, v, 2, (uint32_t)(len + n));
}

static void send_finished(void *sending, const struct packet *packet);

/* PACKET is an ordinary one, but that its checksum may be unfinished. LAST as in port_send. */
static int send_frame(struct sending *s, const struct packet *packet, bool last)
{
    bool lost = packet->csum_partial && packet->l4_ofs == PACKET_NO_OFS; /* offload.h finds it */
    uint8_t *kept = s->sender && !lost ? port_keep(s->out, packet, last, s->header_len) : NULL;
    if (!kept && packet->csum_partial)
        return offload_finish(packet, send_finished, s);
    if (!kept) { /* a wire, or too long to keep */
        send_segment(s, packet->data, 0, packet->data, packet->size);
        tunnel_senders_flush(s->out);
        return 0;
    }
    memcpy(kept, s->header, s->header_len);
    if (packet->csum_partial) {
        struct packet view = *packet;
        view.data = kept + s->header_len;
        packet_finish_checksum(&view);
    }
    struct iovec v = {kept, s->header_len + packet->size};
    append(s, &v, 1, (uint32_t)v.iov_len);
    return 0;
}

static void send_finished(void *sending, const struct packet *packet)
{
    (void)send_frame(sending, packet, false);
}

/* Begins a message for a large packet that does not fit into the last one: so it is torn only if it must be, and its ends meet again at
 * the other side. */
static void keep_together(const struct sending *s, const struct packet *packet)
{
    struct sender *sender = s->sender;
    uint32_t frame = offload_frame_len(packet), n = packet->size / packet->gso_size + 1;
    if (sender->n_vectors + 2 * n > VECTORS && sender->n)
        sender_flush(sender);
    struct message *m = sender->n ? &sender->messages[sender->n - 1] : NULL;
    if (m && (m->n + n > SEGMENTS_MAX || m->bytes + n * (s->header_len + frame) > MESSAGE_MAX))
        m->closed = true;
}

int tunnel_send(struct port *port_, struct port_out *out, const struct packet *packet,
                const struct dp_tunnel *tunnel, bool last)
{
    if (!tunnel)
        return ERR_INVALID;
    struct tunnel_port *port = tunnel_cast(port_);
    struct sending s = {.port = port, .out = out, .to = *tunnel};
    struct flow_tunnel *t = &s.to.key;
    s.header_len = port->kind->write(tunnel, port_->tlvs, s.header);
    if (s.header_len + offload_frame_len(packet) > MESSAGE_MAX)
        return ERR_TOO_BIG;
    t->tos = (uint8_t)((t->tos & ~IP_ECN_MASK) | tunnel_ecn_of(packet));
    if (!port_->host->wire && !(s.sender = sender_get(port, out, !t->dst, flow_hash(packet))))
        return ERR_IO;
    if (packet->gso_type) {
        if (s.sender && packet->gso_size)
            keep_together(&s, packet);
        int err = offload_cut(packet, send_segment, &s);
        if (s.sender && !(packet->lent && last)) /* the payload may not stay */
            tunnel_senders_flush(out);
        return err;
    }
    return send_frame(&s, packet, last);
}
