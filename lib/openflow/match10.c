/* match10.c - struct ofp_match of OpenFlow 1.0 (section 5.2.3): 40 bytes with a word of wildcards. */
#include "net/headers.h"
#include "openflow/oxm.h"

enum {
    WC_IN_PORT = 1 << 0,
    WC_DL_VLAN = 1 << 1,
    WC_DL_SRC = 1 << 2,
    WC_DL_DST = 1 << 3,
    WC_DL_TYPE = 1 << 4,
    WC_NW_PROTO = 1 << 5,
    WC_TP_SRC = 1 << 6,
    WC_TP_DST = 1 << 7,
    WC_NW_SRC_SHIFT = 8,
    WC_NW_DST_SHIFT = 14,
    WC_DL_VLAN_PCP = 1 << 20,
    WC_NW_TOS = 1 << 21,
    VLAN_NONE = 0xffff,
};

static unsigned wildcard_bits(const struct match *m, enum field_id id)
{
    int len = ip4_prefix_len(swap32((uint32_t)mask_get(&m->mask, id)));
    return len < 0 ? 32 : 32 - (unsigned)len;
}

static bool arp_match(const struct match *m)
{
    return key_has_prereq(&m->key, PREREQ_ARP);
}

static uint32_t wildcards_of(const struct match *m)
{
    static const struct {
        enum field_id id;
        uint32_t bit;
    } exact[] = {
        {FIELD_IN_PORT_OXM, WC_IN_PORT}, {FIELD_ETH_SRC, WC_DL_SRC}, {FIELD_ETH_DST, WC_DL_DST},
        {FIELD_ETH_TYPE, WC_DL_TYPE},    {FIELD_TCP_SRC, WC_TP_SRC}, {FIELD_TCP_DST, WC_TP_DST},
        {FIELD_IP_PROTO, WC_NW_PROTO},   {FIELD_IP_DSCP, WC_NW_TOS},
    };
    uint32_t wc = WC_DL_VLAN | WC_DL_VLAN_PCP;
    for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
        if (!match_is_exact(m, exact[i].id))
            wc |= exact[i].bit;
    bool arp = arp_match(m);
    if (arp && match_is_exact(m, FIELD_ARP_OP))
        wc &= ~(uint32_t)WC_NW_PROTO;
    if (match_is_exact(m, FIELD_ICMP_TYPE))
        wc &= ~(uint32_t)WC_TP_SRC;
    if (match_is_exact(m, FIELD_ICMP_CODE))
        wc &= ~(uint32_t)WC_TP_DST;
    uint16_t tci = (uint16_t)mask_get(&m->mask, FIELD_VLAN_TCI);
    if ((tci & VLAN_CFI) &&
        ((tci & VLAN_VID_MASK) == VLAN_VID_MASK || !(m->key.vlan_tci & swap16(VLAN_CFI))))
        wc &= ~(uint32_t)WC_DL_VLAN;
    if ((tci & VLAN_PCP_MASK) == VLAN_PCP_MASK)
        wc &= ~(uint32_t)WC_DL_VLAN_PCP;
    wc |= wildcard_bits(m, arp ? FIELD_ARP_SPA : FIELD_IP_SRC) << WC_NW_SRC_SHIFT;
    wc |= wildcard_bits(m, arp ? FIELD_ARP_TPA : FIELD_IP_DST) << WC_NW_DST_SHIFT;
    return wc;
}

void of_match10_encode(const struct match *m, struct of_buf *out)
{
    bool arp = arp_match(m), icmp = key_has_prereq(&m->key, PREREQ_ICMP);
    uint16_t tci = swap16(m->key.vlan_tci);
    uint32_t wc = wildcards_of(m);
    of_buf_put32(out, wc);
    of_buf_put16(out, wc & WC_IN_PORT ? 0 : port_to_16(key_in_port(&m->key)));
    of_buf_put(out, &m->key.eth_src, 6);
    of_buf_put(out, &m->key.eth_dst, 6);
    of_buf_put16(out, wc & WC_DL_VLAN ? 0 : tci & VLAN_CFI ? tci & VLAN_VID_MASK : VLAN_NONE);
    of_buf_put8(out, wc & WC_DL_VLAN_PCP ? 0 : (uint8_t)(tci >> VLAN_PCP_SHIFT));
    of_buf_put8(out, 0);
    of_buf_put(out, &m->key.eth_type, 2);
    of_buf_put8(out, wc & WC_NW_TOS ? 0 : m->key.nw_tos & IP_DSCP_MASK);
    of_buf_put8(out, arp ? (uint8_t)swap16(m->key.arp_op) : m->key.nw_proto);
    of_buf_put16(out, 0);
    of_buf_put(out, arp ? &m->key.arp_spa : &m->key.nw_src, 4);
    of_buf_put(out, arp ? &m->key.arp_tpa : &m->key.nw_dst, 4);
    of_buf_put16(out, icmp ? m->key.icmp_type : swap16(m->key.tp_src));
    of_buf_put16(out, icmp ? m->key.icmp_code : swap16(m->key.tp_dst));
}

static void set_vlan(struct match *m, uint32_t wc, uint16_t vlan, uint8_t pcp)
{
    uint16_t tci = 0, mask = 0;
    if (!(wc & WC_DL_VLAN) && vlan == VLAN_NONE) {
        mask = UINT16_MAX; /* no tag at all; a priority would make no sense */
    } else {
        if (!(wc & WC_DL_VLAN)) {
            tci |= (vlan & VLAN_VID_MASK) | VLAN_CFI;
            mask |= VLAN_VID_MASK | VLAN_CFI;
        }
        if (!(wc & WC_DL_VLAN_PCP)) {
            tci |= (uint16_t)((pcp & 7) << VLAN_PCP_SHIFT) | VLAN_CFI;
            mask |= VLAN_PCP_MASK | VLAN_CFI;
        }
    }
    if (mask)
        match_set_masked(m, FIELD_VLAN_TCI, tci, mask);
}

static void set_prefix(struct match *m, enum field_id id, const uint8_t *p, unsigned wild)
{
    if (wild < 32)
        match_set_masked(m, id, get_be32(p), swap32(ip4_prefix_mask(32 - wild)));
}

static void set_l4(struct match *m, uint32_t wc, const uint8_t *p)
{
    static const uint8_t ids[][2] = {{FIELD_TCP_SRC, FIELD_TCP_DST},
                                     {FIELD_UDP_SRC, FIELD_UDP_DST},
                                     {FIELD_SCTP_SRC, FIELD_SCTP_DST},
                                     {FIELD_ICMP_TYPE, FIELD_ICMP_CODE}};
    int row = key_has_prereq(&m->key, PREREQ_TCP)    ? 0
              : key_has_prereq(&m->key, PREREQ_UDP)  ? 1
              : key_has_prereq(&m->key, PREREQ_SCTP) ? 2
              : key_has_prereq(&m->key, PREREQ_ICMP) ? 3
                                                     : -1;
    if (row < 0)
        return;
    if (!(wc & WC_TP_SRC))
        match_set(m, ids[row][0], get_be16(p));
    if (!(wc & WC_TP_DST))
        match_set(m, ids[row][1], get_be16(p + 2));
}

int of_match10_decode(const void *data, size_t n, struct match *ret)
{
    const uint8_t *p = data;
    match_init(ret);
    if (n < OF10_MATCH_LEN)
        return OF_ERR_BAD_LEN;
    uint32_t wc = get_be32(p);
    if (!(wc & WC_IN_PORT))
        match_set(ret, FIELD_IN_PORT, get_be16(p + 4));
    if (!(wc & WC_DL_SRC))
        match_set(ret, FIELD_ETH_SRC, get_be_n(p + 6, 6));
    if (!(wc & WC_DL_DST))
        match_set(ret, FIELD_ETH_DST, get_be_n(p + 12, 6));
    set_vlan(ret, wc, get_be16(p + 18), p[20]);
    if (wc & WC_DL_TYPE)
        return 0; /* nothing below it can be meant */
    match_set(ret, FIELD_ETH_TYPE, get_be16(p + 22));
    bool arp = arp_match(ret), ip = key_has_prereq(&ret->key, PREREQ_IPV4);
    if (!arp && !ip)
        return 0;
    if (!(wc & WC_NW_TOS) && ip)
        match_set(ret, FIELD_IP_DSCP, p[24] >> 2);
    if (!(wc & WC_NW_PROTO))
        match_set(ret, arp ? FIELD_ARP_OP : FIELD_IP_PROTO, p[25]);
    set_prefix(ret, arp ? FIELD_ARP_SPA : FIELD_IP_SRC, p + 28, wc >> WC_NW_SRC_SHIFT & 63);
    set_prefix(ret, arp ? FIELD_ARP_TPA : FIELD_IP_DST, p + 32, wc >> WC_NW_DST_SHIFT & 63);
    if (!(wc & WC_NW_PROTO) && ip)
        set_l4(ret, wc, p + 36);
    return 0;
}
