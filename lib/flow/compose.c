/* compose.c - a frame made from a key, for tests and for tools that send what a user described. */
#include "flow/compose.h"
#include "flow/rewrite.h"
#include "net/checksum.h"

struct payload {
    const uint8_t *data; /* NULL: counting */
    size_t n;
};

/* HLEN bytes of zeros, which are returned, and the payload behind them. */
static uint8_t *append_l4(struct packet *p, size_t hlen, const struct payload *payload)
{
    uint8_t *l4 = packet_append(p, hlen + payload->n);
    memset(l4, 0, hlen);
    for (size_t i = 0; i < payload->n; i++)
        l4[hlen + i] = payload->data ? payload->data[i] : (uint8_t)i;
    return l4;
}

static void compose_ports(struct packet *p, const struct flow_key *key, size_t hlen,
                          const struct payload *payload)
{
    uint8_t *l4 = append_l4(p, hlen, payload);
    memcpy(l4, &key->tp_src, 2);
    memcpy(l4 + 2, &key->tp_dst, 2);
    if (key->nw_proto == IP_PROTO_TCP)
        put_be16(l4 + 12, (uint16_t)(5 << 12 | swap16(key->tcp_flags)));
    else if (key->nw_proto == IP_PROTO_UDP)
        put_be16(l4 + 4, (uint16_t)(hlen + payload->n));
}

static void compose_icmp(struct packet *p, const struct flow_key *key,
                         const struct payload *payload)
{
    uint8_t *l4 = append_l4(p, ICMP_HEADER_LEN, payload);
    l4[0] = key->icmp_type;
    l4[1] = key->icmp_code;
}

static void compose_nd(struct packet *p, const struct flow_key *key)
{
    static const struct payload none = {NULL, 0};
    bool sll = !mac_is_zero(key->nd_sll), option = sll || !mac_is_zero(key->nd_tll);
    uint8_t *l4 = append_l4(p, ND_HEADER_LEN + (option ? 8 : 0), &none);
    l4[0] = key->icmp_type;
    l4[1] = key->icmp_code;
    memcpy(l4 + 8, &key->nd_target, 16);
    if (option) {
        l4[24] = sll ? ND_OPT_SLL : ND_OPT_TLL;
        l4[25] = 1;
        memcpy(l4 + 26, sll ? &key->nd_sll : &key->nd_tll, 6);
    }
}

static void compose_l4(struct packet *p, const struct flow_key *key, const struct payload *payload)
{
    uint8_t proto = key->nw_frag & FRAG_LATER ? IP_PROTO_NONE : key->nw_proto;
    switch (proto) {
    case IP_PROTO_TCP:
        compose_ports(p, key, TCP_HEADER_LEN, payload);
        break;
    case IP_PROTO_UDP:
        compose_ports(p, key, UDP_HEADER_LEN, payload);
        break;
    case IP_PROTO_SCTP:
        compose_ports(p, key, SCTP_HEADER_LEN, payload);
        break;
    case IP_PROTO_ICMP:
        compose_icmp(p, key, payload);
        break;
    case IP_PROTO_ICMPV6:
        if (key_has_prereq(key, PREREQ_ND))
            compose_nd(p, key);
        else
            compose_icmp(p, key, payload);
        break;
    default:
        if (payload->data)
            append_l4(p, 0, payload);
        else
            memset(packet_append(p, payload->n), 0, payload->n);
    }
}

static void compose_ip4(struct packet *p, const struct flow_key *key, const struct payload *payload)
{
    size_t l3 = p->size;
    struct ip4_header ip = {.ihl_ver = 0x45, .tos = key->nw_tos, .ttl = key->nw_ttl};
    ip.proto = key->nw_proto;
    ip.src = key->nw_src;
    ip.dst = key->nw_dst;
    if (key->nw_frag & FRAG_LATER)
        ip.frag_off = swap16(100);
    else if (key->nw_frag & FRAG_ANY)
        ip.frag_off = swap16(IP4_MF);
    memcpy(packet_append(p, sizeof ip), &ip, sizeof ip);
    compose_l4(p, key, payload);
    uint8_t *at = p->data + l3;
    put_be16(at + 2, (uint16_t)(p->size - l3));
    put_be16(at + 10, checksum(at, sizeof ip));
}

static void compose_ip6(struct packet *p, const struct flow_key *key, const struct payload *payload)
{
    size_t l3 = p->size;
    struct ip6_header ip;
    memset(&ip, 0, sizeof ip);
    ip.ver_tc_flow = swap32(6u << 28 | (uint32_t)key->nw_tos << 20 | swap32(key->ip6_label));
    ip.next = key->nw_frag ? IP_PROTO_FRAGMENT : key->nw_proto;
    ip.hop_limit = key->nw_ttl;
    ip.src = key->ip6_src;
    ip.dst = key->ip6_dst;
    memcpy(packet_append(p, sizeof ip), &ip, sizeof ip);
    if (key->nw_frag) {
        struct ip6_frag_header fh = {.next = key->nw_proto};
        fh.offlg = swap16(key->nw_frag & FRAG_LATER ? 0x100 : 1);
        memcpy(packet_append(p, sizeof fh), &fh, sizeof fh);
    }
    compose_l4(p, key, payload);
    put_be16(p->data + l3 + 4, (uint16_t)(p->size - l3 - IP6_HEADER_LEN));
}

static void compose_arp(struct packet *p, const struct flow_key *key)
{
    struct arp_header arp = {
        swap16(1),    swap16(ETH_TYPE_IP), 6,           4, key->arp_op, key->arp_sha,
        key->arp_spa, key->arp_tha,        key->arp_tpa};
    memcpy(packet_append(p, sizeof arp), &arp, sizeof arp);
}

void packet_compose(struct packet *p, const struct flow_key *key, size_t l4_len)
{
    packet_compose_payload(p, key, NULL, l4_len);
}

void packet_compose_payload(struct packet *p, const struct flow_key *key, const void *data,
                            size_t n)
{
    const struct payload payload = {data, n};
    packet_reserve(p, PACKET_HEADROOM, 128 + n);
    memcpy(packet_append(p, 6), &key->eth_dst, 6);
    memcpy(packet_append(p, 6), &key->eth_src, 6);
    if (key->vlan_tci & swap16(VLAN_CFI)) {
        put_be16(packet_append(p, 2), ETH_TYPE_VLAN);
        put_be16(packet_append(p, 2), swap16(key->vlan_tci) & (uint16_t)~VLAN_CFI);
    }
    if (key->eth_type == swap16(ETH_TYPE_NONE)) {
        static const uint8_t llc[5] = {0, 3, 0x42, 0x42,
                                       0x03}; /* a length, then a spanning-tree header */
        memcpy(packet_append(p, sizeof llc), llc, sizeof llc);
        return;
    }
    memcpy(packet_append(p, 2), &key->eth_type, 2);
    switch (swap16(key->eth_type)) {
    case ETH_TYPE_IP:
        compose_ip4(p, key, &payload);
        break;
    case ETH_TYPE_IPV6:
        compose_ip6(p, key, &payload);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        compose_arp(p, key);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        memcpy(packet_append(p, 4), &key->mpls_lse, 4);
        if (!(key->mpls_lse & swap32(1u << MPLS_BOS_SHIFT))) /* more labels follow */
            memset(packet_append(p, 8), 0, 8);
        break;
    case ETH_TYPE_PBB: /* around a frame without contents */
        memcpy(packet_append(p, PBB_TCI_LEN), &key->pbb_tci, PBB_TCI_LEN);
        memset(packet_append(p, ETH_HEADER_LEN), 0, ETH_HEADER_LEN);
        break;
    }
    struct flow_key read;
    struct packet_metadata md = p->md;
    flow_extract(p, &read);
    p->md = md;
    if (!(key->nw_frag & FRAG_ANY))
        packet_finish_checksum(p);
}
