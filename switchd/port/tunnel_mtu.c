/* tunnel_mtu.c - see tunnel_mtu.h. */
#include "switchd/port/tunnel_mtu.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "net/checksum.h"
#include "net/headers.h"

LOG_MODULE(tunnel_mtu);

enum {
    KEPT = 8 + 252 + ETH_HEADER_LEN + 2 * VLAN_HEADER_LEN + 1280, /* bytes of a datagram */
    QUOTED4 = 576 - IP4_HEADER_LEN - ICMP_HEADER_LEN,             /* RFC 1812 section 4.3.2.3 */
    QUOTED6 = 1280 - IP6_HEADER_LEN - ICMP_HEADER_LEN,            /* RFC 4443 section 2.4 (c) */
    MTU_MIN4 = 68,
    MTU_MIN6 = 1280,
    ANSWER_TTL = 64
};

struct note {
    uint16_t udp_port;
    struct flow_tunnel to;
    uint32_t n, n_header; /* bytes that are kept, of them the tunnel's header */
    uint8_t data[KEPT];
};

struct tunnel_mtu {
    struct port_host *host;
    pthread_mutex_t lock; /* of what follows */
    uint32_t n;
    struct note notes[TUNNEL_MTU_NOTES];
};

/* ---- the answer ---- */

/* Where the network header of a frame is, and its type; 0: nowhere. */
static size_t find_l3(const uint8_t *frame, size_t n, uint16_t *type)
{
    size_t at = ETH_HEADER_LEN;
    for (int tags = 0; tags <= 2 && n > at + IP4_HEADER_LEN; tags++, at += VLAN_HEADER_LEN) {
        *type = get_be16(frame + at - 2);
        if (*type != ETH_TYPE_VLAN && *type != ETH_TYPE_QINQ)
            return at;
    }
    return 0;
}

static bool is_error4(uint8_t type)
{
    return type == ICMP_DST_UNREACH || type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
           type == 4 || type == 12; /* source quench, parameter problem */
}

/* Whether an error may be sent about the packet of N bytes: RFC 1122 section 3.2.2. */
static bool may_tell4(const struct ip4_header *ip, size_t n, uint32_t mtu)
{
    size_t head = (ip->ihl_ver & 15u) * 4u;
    uint16_t frag = get_be16(&ip->frag_off);
    uint8_t first = *(const uint8_t *)&ip->src;
    if (ip->ihl_ver >> 4 != 4 || head < IP4_HEADER_LEN || n < head + 8 || !(frag & IP4_DF) ||
        frag & IP4_FRAG_OFF_MASK || mtu < MTU_MIN4)
        return false;
    return first && first < 224 && first != 127 &&
           !(ip->proto == IP_PROTO_ICMP && is_error4(((const uint8_t *)ip)[head]));
}

static bool may_tell6(const struct ip6_header *ip, size_t n, uint32_t mtu)
{
    const uint8_t *p = (const void *)ip;
    if (p[0] >> 4 != 6 || n < IP6_HEADER_LEN + 8 || mtu < MTU_MIN6 || ip->src.b[0] == 0xff ||
        ip6_is_zero(ip->src))
        return false;
    return ip->next != IP_PROTO_ICMPV6 || p[IP6_HEADER_LEN] & 0x80; /* else an error */
}

static void put_answer4(struct packet *ret, const uint8_t *quoted, size_t n, uint32_t mtu)
{
    const struct ip4_header *of = (const void *)quoted;
    uint8_t *l3 = packet_append(ret, IP4_HEADER_LEN + ICMP_HEADER_LEN + n);
    struct ip4_header *ip = (void *)l3;
    struct icmp_header *icmp = (void *)(l3 + IP4_HEADER_LEN);
    memset(l3, 0, IP4_HEADER_LEN + ICMP_HEADER_LEN);
    ip->ihl_ver = 0x45;
    put_be16(&ip->tot_len, (uint16_t)(IP4_HEADER_LEN + ICMP_HEADER_LEN + n));
    ip->ttl = ANSWER_TTL;
    ip->proto = IP_PROTO_ICMP;
    ip->src = of->dst;
    ip->dst = of->src;
    put_be16(&ip->csum, checksum(ip, IP4_HEADER_LEN));
    icmp->type = ICMP_DST_UNREACH;
    icmp->code = 4; /* fragmentation needed */
    put_be32(&icmp->rest, MIN(mtu, (uint32_t)UINT16_MAX));
    memcpy(icmp + 1, quoted, n);
    put_be16(&icmp->csum, checksum(icmp, ICMP_HEADER_LEN + n));
}

static void put_answer6(struct packet *ret, const uint8_t *quoted, size_t n, uint32_t mtu)
{
    const struct ip6_header *of = (const void *)quoted;
    uint8_t *l3 = packet_append(ret, IP6_HEADER_LEN + ICMP_HEADER_LEN + n);
    struct ip6_header *ip = (void *)l3;
    struct icmp_header *icmp = (void *)(l3 + IP6_HEADER_LEN);
    memset(l3, 0, IP6_HEADER_LEN + ICMP_HEADER_LEN);
    l3[0] = 0x60;
    put_be16(&ip->payload_len, (uint16_t)(ICMP_HEADER_LEN + n));
    ip->next = IP_PROTO_ICMPV6;
    ip->hop_limit = ANSWER_TTL;
    ip->src = of->dst;
    ip->dst = of->src;
    icmp->type = ICMP6_PACKET_TOO_BIG;
    put_be32(&icmp->rest, mtu);
    memcpy(icmp + 1, quoted, n);
    uint32_t sum =
        checksum_pseudo6(&ip->src, &ip->dst, IP_PROTO_ICMPV6, (uint32_t)(ICMP_HEADER_LEN + n));
    put_be16(&icmp->csum, checksum_fold(checksum_add(sum, icmp, ICMP_HEADER_LEN + n)));
}

bool tunnel_mtu_answer(const uint8_t *frame, size_t n, uint32_t mtu, struct packet *ret)
{
    uint16_t type;
    size_t at = find_l3(frame, n, &type);
    if (!at || (frame[0] | frame[6]) & 1) /* to or from many */
        return false;
    const uint8_t *l3 = frame + at;
    n -= at;
    bool v4 = type == ETH_TYPE_IP;
    if (v4 ? !may_tell4((const void *)l3, n, mtu)
           : type != ETH_TYPE_IPV6 || !may_tell6((const void *)l3, n, mtu))
        return false;
    uint8_t *eth = packet_append(ret, at);
    memcpy(eth, frame + 6, 6);
    memcpy(eth + 6, frame, 6);
    memcpy(eth + 12, frame + 12, at - 12);
    if (v4)
        put_answer4(ret, l3, MIN(n, (size_t)QUOTED4), mtu);
    else
        put_answer6(ret, l3, MIN(n, (size_t)QUOTED6), mtu);
    return true;
}

/* ---- answering ---- */

/* What the kernel knows of the path to T: bytes of an IP packet; 0: nothing. */
static uint32_t path_mtu(const struct flow_tunnel *t)
{
    bool v6 = !t->dst;
    struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = 1, .sin_addr.s_addr = t->dst};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = 1};
    memcpy(&to6.sin6_addr, t->ip6_dst.b, sizeof to6.sin6_addr);
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = 0;
    socklen_t n = sizeof mtu;
    if (fd < 0)
        return 0;
    if (connect(fd, v6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4,
                v6 ? sizeof to6 : sizeof to4) ||
        getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &n))
        mtu = 0;
    close(fd);
    return (uint32_t)MAX(mtu, 0);
}

static struct ip_addr address(be32 v4, const struct ip6 *v6)
{
    struct ip_addr none = {.version = 0};
    return v4 ? ip_addr_from_v4(v4) : ip6_is_zero(*v6) ? none : ip_addr_from_v6(*v6);
}

static void answer(struct port_host *host, const struct note *note)
{
    static struct log_rate rate = LOG_RATE(1, 1);
    const struct flow_tunnel *t = &note->to;
    struct ip_addr from = address(t->dst, &t->ip6_dst), to = address(t->src, &t->ip6_src);
    const uint8_t *frame = note->data + note->n_header;
    size_t n = note->n - note->n_header;
    uint16_t type;
    uint32_t path = path_mtu(t), outer = (t->dst ? IP4_HEADER_LEN : IP6_HEADER_LEN) +
                                         UDP_HEADER_LEN + note->n_header +
                                         (uint32_t)find_l3(frame, n, &type);
    if (path <= outer)
        return;
    struct packet out;
    packet_init_copy(&out, note->data, note->n_header);
    if (tunnel_mtu_answer(frame, n, path - outer, &out)) {
        struct str s = STR_INIT;
        ip_addr_put(&s, &from);
        log_info_limited(&rate,
                         "tunnel to %s: the path takes packets of %u bytes, inner ones of %u; "
                         "their senders are told",
                         str_c(&s), path, path - outer);
        str_fini(&s);
        tunnel_receive(host, note->udp_port, &from, &to, out.data, out.size);
    }
    packet_fini(&out);
}

static void serve(void *mtu_)
{
    struct tunnel_mtu *mtu = mtu_;
    pthread_mutex_lock(&mtu->lock);
    uint32_t n = mtu->n;
    struct note *notes = n ? xmemdup(mtu->notes, n * sizeof *notes) : NULL;
    mtu->n = 0;
    pthread_mutex_unlock(&mtu->lock);
    for (uint32_t i = 0; i < n; i++)
        answer(mtu->host, &notes[i]);
    free(notes);
}

void tunnel_mtu_note(struct tunnel_port *port, const struct dp_tunnel *to, const struct iovec *v,
                     size_t n)
{
    struct tunnel_mtu *mtu = port->up.host->tunnels->mtu;
    struct tunnel_header h;
    pthread_mutex_lock(&mtu->lock);
    struct note *note = mtu->n < TUNNEL_MTU_NOTES ? &mtu->notes[mtu->n] : NULL;
    if (note) {
        note->n = 0;
        for (size_t i = 0; i < n; i++) {
            size_t len = MIN(v[i].iov_len, sizeof note->data - note->n);
            memcpy(note->data + note->n, v[i].iov_base, len);
            note->n += (uint32_t)len;
        }
        note->udp_port = port->endpoint->udp_port;
        note->to = to->key;
        if (port->kind->read(note->data, note->n, &h)) {
            note->n_header = (uint32_t)h.len;
            if (!mtu->n++)
                loop_post(port->up.host->loop, serve, mtu);
        }
    }
    pthread_mutex_unlock(&mtu->lock);
}

struct tunnel_mtu *tunnel_mtu_new(struct port_host *host)
{
    struct tunnel_mtu *mtu = NEW(struct tunnel_mtu);
    mtu->host = host;
    pthread_mutex_init(&mtu->lock, NULL);
    return mtu;
}

void tunnel_mtu_free(struct tunnel_mtu *mtu)
{
    if (!mtu)
        return;
    pthread_mutex_destroy(&mtu->lock);
    free(mtu);
}
