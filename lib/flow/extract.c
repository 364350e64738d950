/* extract.c - from a frame to a flow key. The frame may be anything: every read is behind a check of what is left,
 * and headers whose lengths contradict each other count as not there. */
#include "flow/packet.h"

/* What is left to read, with the start of the frame for offsets. */
struct reader {
    const uint8_t *frame, *p, *end;
};

static const void *take(struct reader *r, size_t n)
{
    if ((size_t)(r->end - r->p) < n)
        return NULL;
    const void *at = r->p;
    r->p += n;
    return at;
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->p);
}

/* The Ethernet type at R, behind IEEE 802.2 headers if need be. */
static be16 read_eth_type(struct reader *r)
{
    if (left(r) < 2)
        return 0;
    uint16_t type = get_be16(r->p);
    r->p += 2;
    if (type >= ETH_TYPE_MIN)
        return swap16(type);
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    if (left(r) >= 8 && !memcmp(r->p, snap, sizeof snap)) {
        type = get_be16(r->p + 6);
        if (type >= ETH_TYPE_MIN) {
            r->p += 8;
            return swap16(type);
        }
    }
    return swap16(ETH_TYPE_NONE);
}

static bool is_vlan_type(uint16_t type)
{
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

/* False: the frame is too short to have a type. */
static bool read_l2(struct reader *r, struct flow_key *key)
{
    const struct mac *macs = take(r, 12);
    if (!macs)
        return false;
    key->eth_dst = macs[0];
    key->eth_src = macs[1];
    if (left(r) >= 6 && is_vlan_type(get_be16(r->p))) {
        key->vlan_tci = swap16(get_be16(r->p + 2) | VLAN_CFI);
        r->p += 4;
    }
    if (left(r) < 2)
        return false;
    key->eth_type = read_eth_type(r);
    return true;
}

static void read_nd(struct reader *r, struct flow_key *key)
{
    const struct nd_header *nd = take(r, sizeof *nd);
    if (!nd)
        return;
    struct mac sll = {{0}}, tll = {{0}};
    bool have_sll = false, have_tll = false;
    while (left(r) >= 8) {
        const struct nd_option_lla *opt = (const void *)r->p;
        size_t len = (size_t)opt->len * 8;
        if (!len || len > left(r))
            return;
        if (opt->type == ND_OPT_SLL && len == 8) {
            if (have_sll)
                return;
            have_sll = true;
            sll = opt->mac;
        } else if (opt->type == ND_OPT_TLL && len == 8) {
            if (have_tll)
                return;
            have_tll = true;
            tll = opt->mac;
        }
        r->p += len;
    }
    key->nd_target = nd->target;
    key->nd_sll = sll;
    key->nd_tll = tll;
}

/* R stands at the transport header of a packet that is no later fragment. */
static void read_l4(struct reader *r, struct flow_key *key, struct packet *packet)
{
    static const uint8_t min_len[256] = {
        [IP_PROTO_TCP] = TCP_HEADER_LEN,
        [IP_PROTO_UDP] = UDP_HEADER_LEN,
        [IP_PROTO_SCTP] = SCTP_HEADER_LEN,
        [IP_PROTO_ICMP] = ICMP_HEADER_LEN,
        [IP_PROTO_ICMPV6] = 4,
    };
    uint8_t proto = key->nw_proto;
    bool v6 = key->eth_type == swap16(ETH_TYPE_IPV6);
    if (!min_len[proto] || left(r) < min_len[proto] || (proto == IP_PROTO_ICMP && v6) ||
        (proto == IP_PROTO_ICMPV6 && !v6))
        return;
    packet->l4_ofs = (uint16_t)(r->p - r->frame);
    packet->l4_proto = proto;
    if (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6) {
        key->icmp_type = r->p[0];
        key->icmp_code = r->p[1];
        if (v6 && !key->icmp_code && key->icmp_type >= ICMP6_NEIGHBOR_SOLICIT &&
            key->icmp_type <= ICMP6_NEIGHBOR_ADVERT)
            read_nd(r, key);
        return;
    }
    memcpy(&key->tp_src, r->p, 2);
    memcpy(&key->tp_dst, r->p + 2, 2);
    if (proto == IP_PROTO_TCP)
        key->tcp_flags = swap16(get_be16(r->p + 12) & TCP_FLAGS_MASK);
}

static void read_ip4(struct reader *r, struct flow_key *key, struct packet *packet)
{
    const struct ip4_header *ip = (const void *)r->p;
    size_t avail = left(r);
    if (avail < IP4_HEADER_LEN || ip->ihl_ver >> 4 != 4)
        return;
    size_t hlen = (ip->ihl_ver & 15u) * 4u, total = get_be16(&ip->tot_len);
    if (hlen < IP4_HEADER_LEN || total < hlen || total > avail)
        return;
    packet->l3_end = (uint32_t)((size_t)(r->p - r->frame) + total);
    r->end = r->p + total;
    memcpy(&key->nw_src, &ip->src, 4);
    memcpy(&key->nw_dst, &ip->dst, 4);
    key->nw_tos = ip->tos;
    key->nw_ttl = ip->ttl;
    key->nw_proto = ip->proto;
    uint16_t frag = get_be16(&ip->frag_off);
    if (frag & (IP4_FRAG_OFF_MASK | IP4_MF))
        key->nw_frag = FRAG_ANY | (frag & IP4_FRAG_OFF_MASK ? FRAG_LATER : 0);
    r->p += hlen;
    if (!(key->nw_frag & FRAG_LATER))
        read_l4(r, key, packet);
}

/* Walks the extension headers: sets nw_proto and nw_frag; false when they are broken. */
static bool read_ip6_extensions(struct reader *r, struct flow_key *key, uint8_t next)
{
    for (;;) {
        size_t len;
        switch (next) {
        case IP_PROTO_HOPOPTS:
        case IP_PROTO_ROUTING:
        case IP_PROTO_DSTOPTS:
        case IP_PROTO_MOBILITY:
            if (left(r) < 8)
                return false;
            len = (r->p[1] + 1u) * 8u;
            break;
        case IP_PROTO_AH:
            if (left(r) < 8)
                return false;
            len = (r->p[1] + 2u) * 4u;
            break;
        case IP_PROTO_FRAGMENT: {
            const struct ip6_frag_header *fh = (const void *)r->p;
            if (left(r) < sizeof *fh)
                return false;
            uint16_t offlg = get_be16(&fh->offlg);
            if (offlg & 0xfff9) /* an atomic fragment (RFC 6946) is no fragment */
                key->nw_frag = FRAG_ANY | (offlg & 0xfff8 ? FRAG_LATER : 0);
            if (offlg & 0xfff8) {
                key->nw_proto = fh->next;
                return true;
            }
            len = sizeof *fh;
            break;
        }
        default:
            key->nw_proto = next;
            return true;
        }
        if (len > left(r))
            return false;
        next = r->p[0];
        r->p += len;
    }
}

static void read_ip6(struct reader *r, struct flow_key *key, struct packet *packet)
{
    const struct ip6_header *ip = (const void *)r->p;
    size_t avail = left(r);
    if (avail < IP6_HEADER_LEN || r->p[0] >> 4 != 6)
        return;
    size_t total = IP6_HEADER_LEN + get_be16(&ip->payload_len);
    if (total > avail)
        return;
    packet->l3_end = (uint32_t)((size_t)(r->p - r->frame) + total);
    r->end = r->p + total;
    r->p += IP6_HEADER_LEN;
    key->ip6_src = ip->src;
    key->ip6_dst = ip->dst;
    uint32_t word = get_be32(&ip->ver_tc_flow);
    key->ip6_label = swap32(word & IP6_LABEL_MASK);
    key->nw_tos = (uint8_t)(word >> 20);
    key->nw_ttl = ip->hop_limit;
    if (!read_ip6_extensions(r, key, ip->next))
        key->nw_proto = IP_PROTO_NONE;
    else if (!(key->nw_frag & FRAG_LATER))
        read_l4(r, key, packet);
}

static void read_arp(struct reader *r, struct flow_key *key)
{
    const struct arp_header *arp = take(r, ARP_HEADER_LEN);
    if (!arp || get_be16(&arp->hrd) != 1 || get_be16(&arp->pro) != ETH_TYPE_IP || arp->hln != 6 ||
        arp->pln != 4)
        return;
    memcpy(&key->arp_op, &arp->op, 2);
    memcpy(&key->arp_spa, &arp->spa, 4);
    memcpy(&key->arp_tpa, &arp->tpa, 4);
    key->arp_sha = arp->sha;
    key->arp_tha = arp->tha;
}

static void read_metadata(const struct packet_metadata *md, struct flow_key *key)
{
    key->in_port = swap32(md->in_port);
    key->pkt_mark = swap32(md->pkt_mark);
    key->skb_priority = swap32(md->skb_priority);
    key->recirc_id = swap32(md->recirc_id);
    key->dp_hash = swap32(md->dp_hash);
    if (md->has_tunnel)
        key->tunnel = md->tunnel;
    if (md->has_ct)
        key->ct = md->ct;
}

void flow_extract(struct packet *packet, struct flow_key *key)
{
    memset(key, 0, sizeof *key);
    read_metadata(&packet->md, key);
    packet->l3_ofs = packet->l4_ofs = PACKET_NO_OFS;
    packet->l4_proto = 0;
    packet->l3_end = 0;

    if (!packet->size)
        return;
    struct reader r = {packet->data, packet->data, packet->data + packet->size};
    if (!read_l2(&r, key))
        return;
    packet->l3_ofs = (uint16_t)(r.p - r.frame);
    packet->l3_end = packet->size;
    switch (swap16(key->eth_type)) {
    case ETH_TYPE_IP:
        read_ip4(&r, key, packet);
        break;
    case ETH_TYPE_IPV6:
        read_ip6(&r, key, packet);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        read_arp(&r, key);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        if (left(&r) >= 4)
            memcpy(&key->mpls_lse, r.p, 4);
        break;
    case ETH_TYPE_PBB:
        if (left(&r) >= PBB_TCI_LEN + ETH_HEADER_LEN)
            memcpy(&key->pbb_tci, r.p, PBB_TCI_LEN);
        break;
    }
}
