/* rewrite.c - writing fields of packets with incremental checksums. Composing packets is compose.c's work. */
#include "flow/rewrite.h"

#include "net/checksum.h"

static void own(struct packet *p)
{
    if (!p->base)
        packet_reserve(p, PACKET_HEADROOM, 0);
}

/* What kind of network packet it is, as far as its bytes allow writing: ETH_TYPE_IP, _IPV6, _ARP or 0. */
static uint16_t l3_kind(const struct packet *p)
{
    if (p->l3_ofs == PACKET_NO_OFS || p->l3_ofs < 2)
        return 0;
    uint16_t type = get_be16(p->data + p->l3_ofs - 2);
    size_t n = p->size - p->l3_ofs;
    const uint8_t *l3 = packet_l3(p);
    switch (type) {
    case ETH_TYPE_IP:
        return n >= IP4_HEADER_LEN && l3[0] >> 4 == 4 ? type : 0;
    case ETH_TYPE_IPV6:
        return n >= IP6_HEADER_LEN && l3[0] >> 4 == 6 ? type : 0;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        return n >= ARP_HEADER_LEN ? ETH_TYPE_ARP : 0;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        return n >= 4 ? ETH_TYPE_MPLS : 0;
    case ETH_TYPE_PBB:
        return n >= PBB_TCI_LEN + ETH_HEADER_LEN ? ETH_TYPE_PBB : 0;
    default:
        return 0;
    }
}

/* Where the transport checksum lies; NULL when there is none to keep. */
static uint8_t *l4_checksum(const struct packet *p)
{
    uint8_t *l4 = packet_l4(p);
    if (!l4)
        return NULL;
    switch (p->l4_proto) {
    case IP_PROTO_TCP:
        return l4 + offsetof(struct tcp_header, csum);
    case IP_PROTO_UDP: {
        uint8_t *csum = l4 + offsetof(struct udp_header, csum);
        return get_be16(csum) || p->csum_partial ? csum : NULL;
    }
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        return l4 + offsetof(struct icmp_header, csum);
    default:
        return NULL;
    }
}

static void store_l4_checksum(const struct packet *p, uint8_t *at, uint16_t csum)
{
    if (!csum && p->l4_proto == IP_PROTO_UDP)
        csum = 0xffff;
    put_be16(at, csum);
}

/* N bytes of the pseudo-header change from OLD to NEW. */
static void fix_pseudo(struct packet *p, const void *old, const void *new, size_t n)
{
    uint8_t *at = l4_checksum(p);
    if (!at || p->l4_proto == IP_PROTO_ICMP)
        return;
    if (p->csum_partial)
        put_be16(at, (uint16_t)~checksum_update((uint16_t)~get_be16(at), old, new, n));
    else
        store_l4_checksum(p, at, checksum_update(get_be16(at), old, new, n));
}

static void finish_sctp(struct packet *p)
{
    if (p->l4_proto != IP_PROTO_SCTP || p->csum_partial)
        return;
    struct sctp_header *sctp = packet_l4(p);
    memset(&sctp->csum, 0, 4);
    uint32_t crc = checksum_crc32c(sctp, packet_l4_size(p));
    uint8_t bytes[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                        (uint8_t)(crc >> 24)};
    memcpy(&sctp->csum, bytes, 4);
}

/* Writes N bytes at an offset of the transport header; the checksum follows. */
static void write_l4(struct packet *p, size_t ofs, const void *new, size_t n)
{
    uint8_t *l4 = packet_l4(p), *at = l4_checksum(p);
    if (ofs + n > packet_l4_size(p) || !memcmp(l4 + ofs, new, n))
        return;
    uint8_t old[32], now[32];
    size_t start = ofs & ~(size_t)1, len = ROUND_UP(ofs + n, 2) - start;
    bool whole = start + len <= packet_l4_size(p);
    memset(old, 0, sizeof old);
    memcpy(old, l4 + start, whole ? len : len - 1);
    memcpy(now, old, sizeof now);
    memcpy(now + (ofs - start), new, n);
    memcpy(l4 + ofs, new, n);
    if (p->l4_proto == IP_PROTO_SCTP)
        finish_sctp(p);
    else if (at && !p->csum_partial)
        store_l4_checksum(p, at, checksum_update(get_be16(at), old, now, len));
}

/* Writes N bytes at an even offset of the IPv4 header. */
static void write_ip4(struct packet *p, size_t ofs, const void *new, size_t n)
{
    struct ip4_header *ip = packet_l3(p);
    uint8_t *at = (uint8_t *)ip + ofs;
    put_be16(&ip->csum, checksum_update(get_be16(&ip->csum), at, new, n));
    memcpy(at, new, n);
}

static void set_ip4_addr(struct packet *p, size_t ofs, uint32_t addr)
{
    uint8_t new[4], *at = (uint8_t *)packet_l3(p) + ofs;
    put_be32(new, addr);
    fix_pseudo(p, at, new, 4);
    write_ip4(p, ofs, new, 4);
}

static void set_ip6_addr(struct packet *p, size_t ofs, u128 addr)
{
    uint8_t new[16], *at = (uint8_t *)packet_l3(p) + ofs;
    put_be128(new, addr);
    fix_pseudo(p, at, new, 16);
    memcpy(at, new, 16);
}

static void set_tos(struct packet *p, uint16_t kind, uint8_t tos, uint8_t mask)
{
    uint8_t *l3 = packet_l3(p);
    if (kind == ETH_TYPE_IP) {
        uint8_t new[2] = {l3[0], (uint8_t)((l3[1] & ~mask) | (tos & mask))};
        write_ip4(p, 0, new, 2);
    } else {
        uint32_t word = get_be32(l3), m = (uint32_t)mask << 20;
        put_be32(l3, (word & ~m) | ((uint32_t)tos << 20 & m));
    }
}

static void set_ttl(struct packet *p, uint16_t kind, uint8_t ttl)
{
    uint8_t *l3 = packet_l3(p);
    if (kind == ETH_TYPE_IP) {
        uint8_t new[2] = {ttl, l3[9]};
        write_ip4(p, 8, new, 2);
    } else {
        l3[offsetof(struct ip6_header, hop_limit)] = ttl;
    }
}

static void set_ip(struct packet *p, uint16_t kind, enum field_id id, u128 value)
{
    uint8_t *l3 = packet_l3(p);
    switch (id) {
    case FIELD_IP_SRC:
        if (kind == ETH_TYPE_IP)
            set_ip4_addr(p, offsetof(struct ip4_header, src), (uint32_t)value);
        break;
    case FIELD_IP_DST:
        if (kind == ETH_TYPE_IP)
            set_ip4_addr(p, offsetof(struct ip4_header, dst), (uint32_t)value);
        break;
    case FIELD_IPV6_SRC:
        if (kind == ETH_TYPE_IPV6)
            set_ip6_addr(p, offsetof(struct ip6_header, src), value);
        break;
    case FIELD_IPV6_DST:
        if (kind == ETH_TYPE_IPV6)
            set_ip6_addr(p, offsetof(struct ip6_header, dst), value);
        break;
    case FIELD_IPV6_LABEL:
        if (kind == ETH_TYPE_IPV6)
            put_be32(l3, (get_be32(l3) & ~(uint32_t)IP6_LABEL_MASK) |
                             ((uint32_t)value & IP6_LABEL_MASK));
        break;
    case FIELD_IP_TOS:
        set_tos(p, kind, (uint8_t)value, 0xff);
        break;
    case FIELD_IP_DSCP:
        set_tos(p, kind, (uint8_t)(value << 2), IP_DSCP_MASK);
        break;
    case FIELD_IP_ECN:
        set_tos(p, kind, (uint8_t)value, IP_ECN_MASK);
        break;
    case FIELD_IP_TTL:
        set_ttl(p, kind, (uint8_t)value);
        break;
    default:
        break;
    }
}

static void set_arp(struct packet *p, enum field_id id, u128 value)
{
    struct arp_header *arp = packet_l3(p);
    switch (id) {
    case FIELD_ARP_OP:
        put_be16(&arp->op, (uint16_t)value);
        break;
    case FIELD_ARP_SPA:
        put_be32(&arp->spa, (uint32_t)value);
        break;
    case FIELD_ARP_TPA:
        put_be32(&arp->tpa, (uint32_t)value);
        break;
    case FIELD_ARP_SHA:
        arp->sha = mac_from_u64((uint64_t)value);
        break;
    case FIELD_ARP_THA:
        arp->tha = mac_from_u64((uint64_t)value);
        break;
    default:
        break;
    }
}

static bool has_ports(const struct packet *p)
{
    return p->l4_ofs != PACKET_NO_OFS &&
           (p->l4_proto == IP_PROTO_TCP || p->l4_proto == IP_PROTO_UDP ||
            p->l4_proto == IP_PROTO_SCTP);
}

static bool has_icmp(const struct packet *p)
{
    return p->l4_ofs != PACKET_NO_OFS &&
           (p->l4_proto == IP_PROTO_ICMP || p->l4_proto == IP_PROTO_ICMPV6);
}

static bool is_nd(const struct packet *p)
{
    const uint8_t *l4 = packet_l4(p);
    return has_icmp(p) && p->l4_proto == IP_PROTO_ICMPV6 && packet_l4_size(p) >= ND_HEADER_LEN &&
           (l4[0] == ICMP6_NEIGHBOR_SOLICIT || l4[0] == ICMP6_NEIGHBOR_ADVERT);
}

/* The link-layer address of the first option of TYPE. */
static void set_nd_option(struct packet *p, uint8_t type, u128 value)
{
    const uint8_t *l4 = packet_l4(p);
    size_t n = packet_l4_size(p);
    for (size_t ofs = ND_HEADER_LEN; ofs + 8 <= n;) {
        size_t len = l4[ofs + 1] * 8u;
        if (!len)
            return;
        if (l4[ofs] == type && len == 8) {
            struct mac mac = mac_from_u64((uint64_t)value);
            write_l4(p, ofs + 2, &mac, 6);
            return;
        }
        ofs += len;
    }
}

static void set_l4(struct packet *p, enum field_id id, u128 value)
{
    uint8_t bytes[16];
    switch (id) {
    case FIELD_TCP_SRC:
    case FIELD_UDP_SRC:
    case FIELD_SCTP_SRC:
    case FIELD_TCP_DST:
    case FIELD_UDP_DST:
    case FIELD_SCTP_DST:
        put_be16(bytes, (uint16_t)value);
        if (has_ports(p))
            write_l4(p, id == FIELD_TCP_SRC || id == FIELD_UDP_SRC || id == FIELD_SCTP_SRC ? 0 : 2,
                     bytes, 2);
        break;
    case FIELD_ICMP_TYPE:
    case FIELD_ICMPV6_TYPE:
    case FIELD_ICMP_CODE:
    case FIELD_ICMPV6_CODE:
        bytes[0] = (uint8_t)value;
        if (has_icmp(p))
            write_l4(p, id == FIELD_ICMP_TYPE || id == FIELD_ICMPV6_TYPE ? 0 : 1, bytes, 1);
        break;
    case FIELD_ND_TARGET:
        put_be128(bytes, value);
        if (is_nd(p))
            write_l4(p, offsetof(struct nd_header, target), bytes, 16);
        break;
    case FIELD_ND_SLL:
    case FIELD_ND_TLL:
        if (is_nd(p))
            set_nd_option(p, id == FIELD_ND_SLL ? ND_OPT_SLL : ND_OPT_TLL, value);
        break;
    default:
        break;
    }
}

/* ---- Tags ---- */

static bool has_vlan(const struct packet *p)
{
    if (p->size < ETH_HEADER_LEN + VLAN_HEADER_LEN)
        return false;
    uint16_t type = get_be16(p->data + 12);
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

void packet_push_vlan(struct packet *p, uint16_t tpid, uint16_t tci)
{
    if (p->size < 12)
        return;
    own(p);
    uint8_t *d = packet_push(p, VLAN_HEADER_LEN);
    memmove(d, d + VLAN_HEADER_LEN, 12);
    put_be16(d + 12, tpid);
    put_be16(d + 14, tci);
}

void packet_pop_vlan(struct packet *p)
{
    if (!has_vlan(p))
        return;
    own(p);
    memmove(p->data + VLAN_HEADER_LEN, p->data, 12);
    packet_pull(p, VLAN_HEADER_LEN);
}

static void set_vlan(struct packet *p, uint16_t value, uint16_t mask)
{
    if (!has_vlan(p)) {
        packet_push_vlan(p, ETH_TYPE_VLAN, value & mask & (uint16_t)~VLAN_CFI);
        return;
    }
    uint8_t *at = p->data + 14;
    put_be16(at, (uint16_t)((get_be16(at) & ~mask) | (value & mask)));
}

static void set_vlan_tci(struct packet *p, uint16_t tci)
{
    if (tci & VLAN_CFI)
        set_vlan(p, tci, (uint16_t)~VLAN_CFI);
    else
        packet_pop_vlan(p);
}

/* Inserts (N > 0) or removes (N < 0) bytes between the Ethernet header and what follows it. */
static void shift_l2(struct packet *p, long n)
{
    size_t head = p->l3_ofs;
    if (n > 0) {
        uint8_t *d = packet_push(p, (size_t)n);
        memmove(d, d + n, head);
    } else {
        memmove(p->data - n, p->data, head);
        packet_pull(p, (size_t)-n);
    }
    p->l3_ofs = (uint16_t)head;
}

void packet_push_mpls(struct packet *p, uint16_t eth_type, uint32_t lse)
{
    if (p->l3_ofs == PACKET_NO_OFS || p->l3_ofs < ETH_HEADER_LEN)
        return;
    own(p);
    shift_l2(p, 4);
    put_be16(p->data + p->l3_ofs - 2, eth_type);
    put_be32(p->data + p->l3_ofs, lse);
    p->l4_ofs = PACKET_NO_OFS;
}

void packet_pop_mpls(struct packet *p, uint16_t eth_type)
{
    if (l3_kind(p) != ETH_TYPE_MPLS)
        return;
    own(p);
    shift_l2(p, -4);
    put_be16(p->data + p->l3_ofs - 2, eth_type);
    struct flow_key key;
    flow_extract(p, &key); /* finds the layers behind the label */
}

/* A part of the word behind the Ethernet type: a label stack entry, or an I-TAG. */
static void set_l25(struct packet *p, enum field_id id, u128 value)
{
    const struct field *f = field_get(id);
    uint8_t *word = packet_l3(p);
    uint32_t mask = (uint32_t)(u128_ones(f->n_bits) << f->shift);
    put_be32(word, (get_be32(word) & ~mask) | ((uint32_t)value << f->shift & mask));
}

/* The whole frame becomes the contents of a backbone frame with its addresses. */
void packet_push_pbb(struct packet *p, uint32_t tci)
{
    uint8_t macs[12];
    if (p->size < ETH_HEADER_LEN)
        return;
    own(p);
    memcpy(macs, p->data, sizeof macs);
    uint8_t *d = packet_push(p, ETH_HEADER_LEN + PBB_TCI_LEN);
    memcpy(d, macs, sizeof macs);
    put_be16(d + 12, ETH_TYPE_PBB);
    put_be32(d + ETH_HEADER_LEN, tci);
    p->l3_ofs = ETH_HEADER_LEN;
    p->l4_ofs = PACKET_NO_OFS;
}

void packet_pop_pbb(struct packet *p)
{
    if (l3_kind(p) != ETH_TYPE_PBB)
        return;
    own(p);
    packet_pull(p, p->l3_ofs + PBB_TCI_LEN);
    struct flow_key key;
    flow_extract(p, &key); /* finds the layers of the customer's frame */
}

/* ---- The public functions ---- */

static void set_l2(struct packet *p, enum field_id id, u128 value)
{
    switch (id) {
    case FIELD_ETH_DST:
    case FIELD_ETH_SRC:
        if (p->size >= 12)
            put_be_n(p->data + (id == FIELD_ETH_DST ? 0 : 6), 6, value);
        break;
    case FIELD_VLAN_TCI:
        set_vlan_tci(p, (uint16_t)value);
        break;
    case FIELD_VLAN_VID:
    case FIELD_DL_VLAN:
        set_vlan(p, (uint16_t)value, VLAN_VID_MASK);
        break;
    case FIELD_VLAN_PCP:
    case FIELD_DL_VLAN_PCP:
        set_vlan(p, (uint16_t)(value << VLAN_PCP_SHIFT), VLAN_PCP_MASK);
        break;
    default:
        break;
    }
}

void packet_set_field(struct packet *p, enum field_id id, u128 value)
{
    own(p);
    if (id >= FIELD_ETH_SRC && id <= FIELD_VLAN_PCP) {
        set_l2(p, id, value);
        return;
    }
    uint16_t kind = l3_kind(p);
    if (id >= FIELD_MPLS_LABEL && id <= FIELD_MPLS_TTL) {
        if (kind == ETH_TYPE_MPLS)
            set_l25(p, id, value);
    } else if (id == FIELD_PBB_ISID || id == FIELD_PBB_UCA) {
        if (kind == ETH_TYPE_PBB)
            set_l25(p, id, value);
    } else if (id >= FIELD_IP_SRC && id <= FIELD_IP_FRAG) {
        if (kind == ETH_TYPE_IP || kind == ETH_TYPE_IPV6)
            set_ip(p, kind, id, value);
    } else if (id >= FIELD_ARP_OP && id <= FIELD_ARP_THA) {
        if (kind == ETH_TYPE_ARP)
            set_arp(p, id, value);
    } else if (id >= FIELD_TCP_SRC && id <= FIELD_ND_TLL) {
        set_l4(p, id, value);
    }
}

void packet_apply_key(struct packet *p, const struct flow_key *old, const struct flow_key *key)
{
    static const uint8_t ids[] = {
        FIELD_ETH_SRC,    FIELD_ETH_DST, FIELD_VLAN_TCI, FIELD_MPLS_LABEL, FIELD_MPLS_TC,
        FIELD_MPLS_TTL,   FIELD_IP_SRC,  FIELD_IP_DST,   FIELD_IPV6_SRC,   FIELD_IPV6_DST,
        FIELD_IPV6_LABEL, FIELD_IP_TOS,  FIELD_IP_TTL,   FIELD_ARP_OP,     FIELD_ARP_SPA,
        FIELD_ARP_TPA,    FIELD_ARP_SHA, FIELD_ARP_THA,  FIELD_TCP_SRC,    FIELD_TCP_DST,
        FIELD_ND_TARGET,  FIELD_ND_SLL,  FIELD_ND_TLL,   FIELD_ICMP_TYPE,  FIELD_ICMP_CODE,
        FIELD_PBB_ISID,   FIELD_PBB_UCA,
    };
    const uint64_t *a = flow_words_const(old), *b = flow_words_const(key);
    if (!memcmp(a + FLOW_STAGE_METADATA_END, b + FLOW_STAGE_METADATA_END,
                (FLOW_WORDS - FLOW_STAGE_METADATA_END) * sizeof *a))
        return;
    for (size_t i = 0; i < sizeof ids; i++) {
        u128 x = key_get(key, ids[i]);
        if (x != key_get(old, ids[i]))
            packet_set_field(p, ids[i], x);
    }
}

bool packet_dec_ttl(struct packet *p)
{
    uint16_t kind = l3_kind(p);
    if (kind != ETH_TYPE_IP && kind != ETH_TYPE_IPV6)
        return false;
    const uint8_t *l3 = packet_l3(p);
    uint8_t ttl = kind == ETH_TYPE_IP ? l3[8] : l3[7];
    if (ttl <= 1)
        return false;
    packet_set_field(p, FIELD_IP_TTL, ttl - 1u);
    return true;
}

void packet_set_ip_src(struct packet *p, const struct ip_addr *ip)
{
    packet_set_field(p, ip->version == 6 ? FIELD_IPV6_SRC : FIELD_IP_SRC, ip_addr_to_u128(ip));
}

void packet_set_ip_dst(struct packet *p, const struct ip_addr *ip)
{
    packet_set_field(p, ip->version == 6 ? FIELD_IPV6_DST : FIELD_IP_DST, ip_addr_to_u128(ip));
}

void packet_set_ports(struct packet *p, uint16_t src, uint16_t dst)
{
    uint8_t bytes[2];
    own(p);
    if (has_ports(p)) {
        put_be16(bytes, src);
        write_l4(p, 0, bytes, 2);
        put_be16(bytes, dst);
        write_l4(p, 2, bytes, 2);
    } else if (has_icmp(p) && packet_l4_size(p) >= ICMP_HEADER_LEN) {
        put_be16(bytes, src);
        write_l4(p, offsetof(struct icmp_header, rest), bytes, 2);
    }
}

void packet_finish_checksum(struct packet *p)
{
    p->csum_partial = false;
    if (p->l4_ofs == PACKET_NO_OFS)
        return;
    own(p);
    if (p->l4_proto == IP_PROTO_SCTP) {
        finish_sctp(p);
        return;
    }
    uint8_t *l4 = packet_l4(p);
    size_t n = packet_l4_size(p);
    uint8_t *at = l4 + (p->l4_proto == IP_PROTO_TCP   ? offsetof(struct tcp_header, csum)
                        : p->l4_proto == IP_PROTO_UDP ? offsetof(struct udp_header, csum)
                                                      : offsetof(struct icmp_header, csum));
    const struct ip4_header *ip4 = packet_l3(p);
    const struct ip6_header *ip6 = packet_l3(p);
    uint32_t sum = 0;
    if (l3_kind(p) == ETH_TYPE_IPV6)
        sum = checksum_pseudo6(&ip6->src, &ip6->dst, p->l4_proto, (uint32_t)n);
    else if (p->l4_proto != IP_PROTO_ICMP)
        sum = checksum_pseudo4(ip4->src, ip4->dst, p->l4_proto, (uint32_t)n);
    put_be16(at, 0);
    store_l4_checksum(p, at, checksum_fold(checksum_add(sum, l4, n)));
}
