/* nat.c - address translation: choosing a free tuple at the commit, and rewriting packets by it. See conntrack.h. */
#include <string.h>

#include "base/hash.h"
#include "conntrack/conn.h"
#include "flow/rewrite.h"
#include "net/checksum.h"

enum { EPHEMERAL_MIN = 1024, EPHEMERAL_MAX = 65535, MAX_TRIES = 1 << 17 };

/* ---- choosing ---- */

/* The search: addresses and ports to go through, and where to start. */
struct search {
    struct conntrack *ct;
    const struct ct_tuple *orig; /* of the connection, not in the table yet */
    struct ct_tuple *reply;      /* what is being found */
    int64_t now_ms;
    bool src;               /* which side of the connection changes */
    u128 addr_min, n_addrs; /* n_addrs 0: all of 2^128 */
    u128 addr_start;        /* an index */
    unsigned tries;
};

static u128 addr_number(const struct ct_tuple *t, const struct ip6 *a)
{
    return t->version == 4 ? get_be32(a) : get_be128(a);
}

static void addr_set(const struct ct_tuple *t, struct ip6 *a, u128 number)
{
    if (t->version == 4)
        put_be32(a, (uint32_t)number);
    else
        put_be128(a, number);
}

/* The port of the reply tuple that the search changes: source NAT changes where replies go. */
static uint16_t *reply_port(const struct search *s)
{
    return s->src && !ct_proto_is_icmp(s->reply->proto) ? &s->reply->dst_port : &s->reply->src_port;
}

static bool try_tuple(struct search *s)
{
    s->tries++;
    return memcmp(s->reply, s->orig, sizeof *s->orig) != 0 &&
           ct_tuple_is_free(s->ct, s->reply, s->now_ms);
}

/* All ports from MIN to MAX beginning at START. */
static bool try_ports(struct search *s, uint16_t *port, uint16_t min, uint16_t max, uint32_t start)
{
    uint32_t n = (uint32_t)max - min + 1;
    for (uint32_t i = 0; i < n && s->tries < MAX_TRIES; i++) {
        *port = (uint16_t)(min + (start + i) % n);
        if (try_tuple(s))
            return true;
    }
    return false;
}

static uint64_t port_hash(const struct search *s, const struct ct_tuple *orig)
{
    struct ct_tuple t = *orig;
    if (s->src)
        t.src_port = 0;
    else
        t.dst_port = 0;
    return hash_bytes(&t, sizeof t, s->ct->seed);
}

/* One address: the ports that ACTION allows. */
static bool try_address(struct search *s, const struct ct_tuple *orig, const struct ct_nat *nat)
{
    uint16_t *port = reply_port(s);
    bool has_ports = ct_proto_has_ports(orig->proto), icmp = ct_proto_is_icmp(orig->proto);
    uint16_t own = s->src || icmp ? orig->src_port : orig->dst_port;
    uint32_t start = nat->flags & CT_NAT_RANDOM ? (uint32_t)env_random_u64(s->ct->env)
                                                : (uint32_t)port_hash(s, orig);
    if (has_ports && nat->port_min) {
        if (nat->flags & (CT_NAT_RANDOM | CT_NAT_HASH) || own < nat->port_min ||
            own > nat->port_max)
            return try_ports(s, port, nat->port_min, nat->port_max, start);
        return try_ports(s, port, nat->port_min, nat->port_max, own - (uint32_t)nat->port_min);
    }
    *port = own;
    if (try_tuple(s))
        return true;
    if (!s->src)
        return false;
    return has_ports ? try_ports(s, port, EPHEMERAL_MIN, EPHEMERAL_MAX, start)
           : icmp    ? try_ports(s, port, 0, UINT16_MAX, start)
                     : false;
}

static void search_addresses(struct search *s, const struct ct_tuple *orig,
                             const struct ct_nat *nat)
{
    struct ct_tuple t = *orig;
    s->addr_min = addr_number(orig, &nat->addr_min);
    u128 max = addr_number(orig, &nat->addr_max);
    s->n_addrs = max < s->addr_min ? 1 : max - s->addr_min + 1;
    t.src_port = t.dst_port = 0;
    t.zone = 0;
    if (nat->flags & CT_NAT_PERSISTENT)
        memset(s->src ? &t.dst : &t.src, 0, sizeof t.dst);
    uint64_t hash = hash_bytes(&t, sizeof t, nat->flags & CT_NAT_PERSISTENT ? 0 : s->ct->seed);
    s->addr_start = s->n_addrs ? hash % s->n_addrs : hash;
}

/* The sender's port, where the destination alone finds nothing free. */
static bool try_other_side(struct search *s, const struct ct_tuple *orig)
{
    uint64_t hash = port_hash(s, orig);
    if (!ct_proto_has_ports(orig->proto))
        return false;
    s->tries = 0;
    return try_ports(s, &s->reply->dst_port, EPHEMERAL_MIN, EPHEMERAL_MAX, (uint32_t)hash);
}

static bool choose(struct search *s, const struct ct_tuple *orig, const struct ct_nat *nat)
{
    struct ip6 *addr = s->src ? &s->reply->dst : &s->reply->src;
    if (!nat->version || (s->src && ip6_is_zero(nat->addr_max)))
        return try_address(s, orig, nat);
    if (nat->version != orig->version)
        return try_tuple(s);
    search_addresses(s, orig, nat);
    u128 index = s->addr_start;
    do {
        addr_set(orig, addr, s->addr_min + index);
        if (try_address(s, orig, nat))
            return true;
        index = index + 1 == s->n_addrs ? 0 : index + 1;
    } while (index != s->addr_start && s->tries < MAX_TRIES);
    if (s->src || nat->port_min)
        return false;
    addr_set(orig, addr, s->addr_min + s->addr_start);
    s->reply->src_port = orig->dst_port;
    return try_other_side(s, orig);
}

bool ct_nat_choose(struct conntrack *ct, struct ct_conn *conn, const struct ct_action *action,
                   int64_t now_ms)
{
    const struct ct_tuple *orig = &conn->end[CT_ORIG].tuple;
    struct ct_tuple plain, *reply = &conn->end[CT_REPLY].tuple;
    struct search s = {.ct = ct, .orig = orig, .reply = reply, .now_ms = now_ms};
    ct_tuple_reverse(orig, &plain);
    *reply = plain;
    if (action->flags & CT_TRANSLATE && action->nat.flags & (CT_NAT_SRC | CT_NAT_DST)) {
        s.src = action->nat.flags & CT_NAT_SRC;
        if (!choose(&s, orig, &action->nat)) {
            ct->counters.n_nat_exhausted++;
            return false;
        }
    } else if (!try_tuple(&s)) {
        ct->counters.n_clash++;
        return false;
    }
    bool icmp = ct_proto_is_icmp(orig->proto);
    if (memcmp(&reply->dst, &plain.dst, sizeof plain.dst) || reply->dst_port != plain.dst_port ||
        (icmp && reply->src_port != plain.src_port))
        conn->nat |= CT_NAT_SRC;
    if (memcmp(&reply->src, &plain.src, sizeof plain.src) ||
        (!icmp && reply->src_port != plain.src_port))
        conn->nat |= CT_NAT_DST;
    return true;
}

/* ---- rewriting ---- */

static struct ip_addr tuple_addr(const struct ct_tuple *t, const struct ip6 *a)
{
    be32 v4;
    memcpy(&v4, a, 4);
    return t->version == 4 ? ip_addr_from_v4(v4) : ip_addr_from_v6(*a);
}

static void set_addresses(struct packet *packet, const struct ct_tuple *to)
{
    struct ip_addr src = tuple_addr(to, &to->src), dst = tuple_addr(to, &to->dst);
    packet_set_ip_src(packet, &src);
    packet_set_ip_dst(packet, &dst);
}

/* Replaces N bytes at AT, and keeps the checksum at CSUM (NULL: none). */
static void replace(uint8_t *at, const void *new, size_t n, uint8_t *csum)
{
    if (csum)
        put_be16(csum, checksum_update(get_be16(csum), at, new, n));
    memcpy(at, new, n);
}

/* The checksum of a quoted transport header, if the quotation reaches that far and there is one. */
static uint8_t *inner_checksum(const struct ct_headers *h)
{
    uint32_t ofs = h->tuple.proto == IP_PROTO_TCP     ? offsetof(struct tcp_header, csum)
                   : h->tuple.proto == IP_PROTO_UDP   ? offsetof(struct udp_header, csum)
                   : ct_proto_is_icmp(h->tuple.proto) ? offsetof(struct icmp_header, csum)
                                                      : UINT32_MAX;
    if (ofs > h->l4_len || h->l4_len - ofs < 2)
        return NULL;
    if (h->tuple.proto == IP_PROTO_UDP && !get_be16(h->l4 + ofs))
        return NULL;
    return h->l4 + ofs;
}

/* Makes the quoted packet's headers those of TO. */
static void rewrite_inner(const struct ct_headers *h, const struct ct_tuple *to)
{
    size_t n = to->version == 4 ? 4 : 16;
    uint8_t *src = h->l3 + (to->version == 4 ? offsetof(struct ip4_header, src)
                                             : offsetof(struct ip6_header, src));
    uint8_t *csum = inner_checksum(h), port[2];
    const struct ip6 *new[2] = {&to->src, &to->dst};
    for (int i = 0; i < 2; i++) {
        uint8_t *at = src + (size_t)i * n;
        if (csum && h->tuple.proto != IP_PROTO_ICMP)
            put_be16(csum, checksum_update(get_be16(csum), at, new[i], n));
        replace(at, new[i], n, to->version == 4 ? h->l3 + offsetof(struct ip4_header, csum) : NULL);
    }
    if (ct_proto_has_ports(to->proto)) {
        put_be16(port, to->src_port);
        replace(h->l4, port, 2, csum);
        put_be16(port, to->dst_port);
        replace(h->l4 + 2, port, 2, csum);
    } else if (ct_proto_is_icmp(to->proto)) {
        put_be16(port, to->src_port);
        replace(h->l4 + 4, port, 2, csum);
    }
}

/* An error of direction DIR quotes a packet of the other direction, which is given back the headers with which its sender
 * sent it. */
static void apply_error(const struct ct_conn *conn, int dir, const struct ct_tuple *to,
                        struct ct_packet *p)
{
    struct ct_tuple outer = p->outer.tuple, inner = conn->end[!dir].tuple;
    const struct ct_tuple *from = &conn->end[dir].tuple;
    /* The error comes from the end itself, or from a router before it, which keeps its address unless it stands for the end. */
    if (!memcmp(&outer.src, &from->src, sizeof outer.src))
        outer.src = to->src;
    outer.dst = to->dst;
    rewrite_inner(&p->inner, &inner);
    set_addresses(p->packet, &outer);
    struct packet *packet = p->packet;
    packet->csum_partial = false;
    packet_finish_checksum(packet);
}

uint32_t ct_nat_apply(const struct ct_conn *conn, int dir, struct ct_packet *p)
{
    struct ct_tuple to;
    if (!conn->nat)
        return 0;
    ct_tuple_reverse(&conn->end[!dir].tuple, &to);
    if (p->is_error) {
        apply_error(conn, dir, &to, p);
    } else {
        set_addresses(p->packet, &to);
        packet_set_ports(p->packet, to.src_port, to.dst_port);
    }
    uint32_t src = conn->nat & CT_NAT_SRC ? 1 : 0, dst = conn->nat & CT_NAT_DST ? 1 : 0;
    if (dir == CT_REPLY)
        return (src ? CT_DNAT : 0) | (dst ? CT_SNAT : 0);
    return (src ? CT_SNAT : 0) | (dst ? CT_DNAT : 0);
}
