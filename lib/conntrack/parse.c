/* parse.c - what a packet says of its connection: addresses, ports, and whether it can be believed. See conn.h.
 * The headers are read anew, not taken from a flow key, since the packet inside an ICMP error is read the same way. */
#include "conntrack/conn.h"
#include "net/checksum.h"

bool ct_proto_is_icmp(uint8_t proto)
{
    return proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6;
}

bool ct_proto_has_ports(uint8_t proto)
{
    return proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP;
}

/* The answer to an ICMP query, or the query of an answer; 0xff: it is neither. */
static uint8_t icmp_counterpart(uint8_t proto, uint8_t type)
{
    static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
    if (proto == IP_PROTO_ICMPV6)
        return type == ICMP6_ECHO_REQUEST ? ICMP6_ECHO_REPLY
               : type == ICMP6_ECHO_REPLY ? ICMP6_ECHO_REQUEST
                                          : 0xff;
    for (unsigned i = 0; i < ARRAY_SIZE(v4); i++) {
        if (type == v4[i][0] || type == v4[i][1])
            return type == v4[i][0] ? v4[i][1] : v4[i][0];
    }
    return 0xff;
}

void ct_tuple_reverse(const struct ct_tuple *t, struct ct_tuple *ret)
{
    *ret = *t;
    ret->src = t->dst;
    ret->dst = t->src;
    if (ct_proto_is_icmp(t->proto)) {
        ret->dst_port = (uint16_t)(icmp_counterpart(t->proto, (uint8_t)(t->dst_port >> 8)) << 8);
    } else {
        ret->src_port = t->dst_port;
        ret->dst_port = t->src_port;
    }
}

static bool icmp_is_error(uint8_t proto, uint8_t type)
{
    if (proto == IP_PROTO_ICMPV6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool parse_ip4(uint8_t *l3, size_t n, bool cut, struct ct_headers *ret)
{
    const struct ip4_header *ip = (const void *)l3;
    if (n < IP4_HEADER_LEN)
        return false;
    size_t hlen = (ip->ihl_ver & 15u) * 4u, total = get_be16(&ip->tot_len);
    if (hlen < IP4_HEADER_LEN || hlen > n || total < hlen || (total > n && !cut))
        return false;
    ret->tuple.version = 4;
    memcpy(&ret->tuple.src, &ip->src, 4);
    memcpy(&ret->tuple.dst, &ip->dst, 4);
    ret->tuple.proto = ip->proto;
    uint16_t frag = get_be16(&ip->frag_off);
    ret->fragment = frag & (IP4_FRAG_OFF_MASK | IP4_MF);
    ret->later = frag & IP4_FRAG_OFF_MASK;
    ret->l4 = l3 + hlen;
    ret->l4_len = (uint32_t)(MIN(total, n) - hlen);
    return true;
}

/* Walks extension headers from L3 + OFS. False: they are broken. */
static bool walk_ip6(uint8_t *l3, size_t n, size_t ofs, uint8_t next, struct ct_headers *ret)
{
    for (unsigned i = 0; i < 16; i++) {
        size_t len;
        if (next == IP_PROTO_HOPOPTS || next == IP_PROTO_ROUTING || next == IP_PROTO_DSTOPTS ||
            next == IP_PROTO_MOBILITY || next == IP_PROTO_AH || next == IP_PROTO_FRAGMENT) {
            if (n - ofs < 8)
                return false;
            len = next == IP_PROTO_FRAGMENT ? 8
                  : next == IP_PROTO_AH     ? (l3[ofs + 1] + 2u) * 4
                                            : (l3[ofs + 1] + 1u) * 8;
            if (len > n - ofs)
                return false;
            if (next == IP_PROTO_FRAGMENT) {
                uint16_t offlg = get_be16(l3 + ofs + 2);
                ret->fragment |= (offlg & 0xfff9) != 0;
                ret->later |= (offlg & 0xfff8) != 0;
            }
            next = l3[ofs];
            ofs += len;
            if (!ret->later)
                continue;
        }
        ret->tuple.proto = next;
        ret->l4 = l3 + ofs;
        ret->l4_len = (uint32_t)(n - ofs);
        return true;
    }
    return false;
}

static bool parse_ip6(uint8_t *l3, size_t n, bool cut, struct ct_headers *ret)
{
    const struct ip6_header *ip = (const void *)l3;
    if (n < IP6_HEADER_LEN)
        return false;
    size_t total = IP6_HEADER_LEN + get_be16(&ip->payload_len);
    if (total > n && !cut)
        return false;
    ret->tuple.version = 6;
    ret->tuple.src = ip->src;
    ret->tuple.dst = ip->dst;
    return walk_ip6(l3, MIN(total, n), IP6_HEADER_LEN, ip->next, ret);
}

/* Ports, or the ICMP query, of what lies at h->l4. */
static bool parse_l4(struct ct_headers *h, bool cut)
{
    static const uint8_t min_len[256] = {
        [IP_PROTO_TCP] = TCP_HEADER_LEN,     [IP_PROTO_UDP] = UDP_HEADER_LEN,
        [IP_PROTO_SCTP] = SCTP_HEADER_LEN,   [IP_PROTO_ICMP] = ICMP_HEADER_LEN,
        [IP_PROTO_ICMPV6] = ICMP_HEADER_LEN,
    };
    uint8_t proto = h->tuple.proto;
    if (h->l4_len < (cut ? MIN(min_len[proto], 8) : min_len[proto]))
        return false;
    if (ct_proto_has_ports(proto)) {
        h->tuple.src_port = get_be16(h->l4);
        h->tuple.dst_port = get_be16(h->l4 + 2);
    } else if (ct_proto_is_icmp(proto)) {
        if ((proto == IP_PROTO_ICMP) != (h->tuple.version == 4))
            return false;
        h->tuple.src_port = get_be16(h->l4 + 4);
        h->tuple.dst_port = get_be16(h->l4);
    }
    return true;
}

bool ct_headers_parse(uint8_t *l3, size_t n, bool cut, struct ct_headers *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->l3 = l3;
    if (!n || !(l3[0] >> 4 == 4   ? parse_ip4(l3, n, cut, ret)
                : l3[0] >> 4 == 6 ? parse_ip6(l3, n, cut, ret)
                                  : false))
        return false;
    return ret->later || parse_l4(ret, cut);
}

static bool sctp_checksum_right(const struct ct_headers *h)
{
    uint8_t head[SCTP_HEADER_LEN];
    memcpy(head, h->l4, sizeof head);
    memset(h->l4 + offsetof(struct sctp_header, csum), 0, 4);
    uint32_t crc = checksum_crc32c(h->l4, h->l4_len);
    memcpy(h->l4, head, sizeof head);
    const uint8_t *c = head + offsetof(struct sctp_header, csum);
    return crc ==
           ((uint32_t)c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[2] << 16 | (uint32_t)c[3] << 24);
}

/* What was right once stays so: whoever changes the packet keeps its checksum, and the packet says so on its next passes. */
static bool checksum_right(struct packet *packet, const struct ct_headers *h)
{
    const struct ct_tuple *t = &h->tuple;
    uint32_t len = h->l4_len;
    if (packet->csum_valid || packet->csum_partial || h->fragment)
        return true;
    switch (t->proto) {
    case IP_PROTO_SCTP:
        return packet->csum_valid = sctp_checksum_right(h);
    case IP_PROTO_ICMP:
        return packet->csum_valid = !checksum(h->l4, len);
    case IP_PROTO_UDP:
        if (t->version == 4 && !get_be16(h->l4 + offsetof(struct udp_header, csum)))
            return true;
        break;
    case IP_PROTO_TCP:
    case IP_PROTO_ICMPV6:
        break;
    default:
        return true;
    }
    be32 src, dst;
    memcpy(&src, &t->src, 4);
    memcpy(&dst, &t->dst, 4);
    uint32_t sum = t->version == 4 ? checksum_pseudo4(src, dst, t->proto, len)
                                   : checksum_pseudo6(&t->src, &t->dst, t->proto, len);
    return packet->csum_valid = !checksum_fold(checksum_add(sum, h->l4, len));
}

/* Whether the transport header makes sense in itself. */
static bool l4_sane(const struct packet *packet, const struct ct_headers *h)
{
    switch (h->tuple.proto) {
    case IP_PROTO_TCP: {
        uint16_t ctl = get_be16(h->l4 + offsetof(struct tcp_header, ctl));
        uint32_t hlen = (ctl >> 12) * 4u;
        return hlen >= TCP_HEADER_LEN && hlen <= h->l4_len && tcp_flags_valid(ctl);
    }
    case IP_PROTO_UDP: {
        uint16_t len = get_be16(h->l4 + offsetof(struct udp_header, len));
        return packet->gso_type || (len >= UDP_HEADER_LEN && len <= h->l4_len);
    }
    default:
        return true;
    }
}

/* An ICMP error is about the packet that it quotes. */
static bool parse_error(struct ct_packet *p)
{
    const struct ct_headers *h = &p->outer;
    if (!ct_headers_parse(h->l4 + ICMP_HEADER_LEN, h->l4_len - ICMP_HEADER_LEN, true, &p->inner) ||
        p->inner.later || p->inner.tuple.version != h->tuple.version)
        return false;
    if (ct_proto_is_icmp(p->inner.tuple.proto) &&
        icmp_is_error(p->inner.tuple.proto, p->inner.l4[0]))
        return false;
    ct_tuple_reverse(&p->inner.tuple, &p->tuple);
    p->is_error = true;
    return true;
}

bool ct_packet_parse(struct packet *packet, uint16_t zone, struct ct_packet *ret)
{
    struct ct_headers *h = &ret->outer;
    ret->packet = packet;
    ret->is_error = false;
    if (packet->l3_ofs == PACKET_NO_OFS || packet->l3_end <= packet->l3_ofs)
        return false;
    uint16_t type = get_be16(packet->data + packet->l3_ofs - 2);
    if (type != ETH_TYPE_IP && type != ETH_TYPE_IPV6)
        return false;
    packet_reserve(packet, packet->base ? 0 : PACKET_HEADROOM, 0);
    if (!ct_headers_parse(packet_l3(packet), packet->l3_end - packet->l3_ofs, false, h) ||
        h->later || (h->tuple.version == 4) != (type == ETH_TYPE_IP))
        return false;
    if (h->tuple.version == 4 && checksum(h->l3, (size_t)(h->l4 - h->l3)))
        return false;
    if (!l4_sane(packet, h) || !checksum_right(packet, h))
        return false;
    ret->tuple = h->tuple;
    if (ct_proto_is_icmp(h->tuple.proto)) {
        if (icmp_is_error(h->tuple.proto, h->l4[0])) {
            if (!parse_error(ret))
                return false;
        } else if (icmp_counterpart(h->tuple.proto, h->l4[0]) == 0xff) {
            return false;
        }
    }
    ret->tuple.zone = zone;
    return true;
}
