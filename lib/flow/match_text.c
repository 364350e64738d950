/* match_text.c - matches as ovs-ofctl prints them: which fields, in which order, in which words. */
#include "flow/flow_text.h"
#include "flow/packet.h"

/* The text being built and what it says of types, on which the names of fields depend. */
struct printer {
    struct str *s;
    const struct match *m;
    const struct port_names *names;
    struct flow_mask done; /* what has been printed */
    uint16_t eth_type;     /* 0: not exactly known */
    uint8_t proto;
    bool know_proto;
    bool packet; /* a packet's fields: a tag has another one, or none, behind it */
};

static void begin(struct printer *p, enum field_id id, const char *name)
{
    mask_set(&p->done, id);
    str_put(p->s, name);
}

/* A field under NAME in the general form of its values. */
static void put_as(struct printer *p, enum field_id id, const char *name)
{
    u128 mask = mask_get(&p->m->mask, id);
    if (!mask)
        return;
    begin(p, id, name);
    str_putc(p->s, '=');
    field_put(p->s, field_get(id), key_get(&p->m->key, id), mask, p->names);
    str_putc(p->s, ',');
}

static void put(struct printer *p, enum field_id id)
{
    put_as(p, id, field_get(id)->name);
}

/* Like put_as for small numbers: decimal, but hexadecimal on both sides of a mask. */
static void put_number(struct printer *p, enum field_id id, const char *name)
{
    u128 mask = mask_get(&p->m->mask, id);
    if (!mask)
        return;
    begin(p, id, name);
    unsigned long long value = (unsigned long long)key_get(&p->m->key, id);
    if (mask == u128_ones(field_get(id)->n_bits))
        str_putf(p->s, "=%llu,", value);
    else
        str_putf(p->s, "=%#llx/%#llx,", value, (unsigned long long)mask);
}

static void put_word(struct printer *p, const char *word)
{
    str_put(p->s, word);
    str_putc(p->s, ',');
}

/* "eth" for an Ethernet frame, the type of what begins with another header. */
static void put_packet_type(struct printer *p)
{
    if (match_is_exact(p->m, FIELD_PACKET_TYPE) && !p->m->key.packet_type) {
        mask_set(&p->done, FIELD_PACKET_TYPE);
        put_word(p, "eth");
    } else {
        put(p, FIELD_PACKET_TYPE);
    }
}

/* The keyword that stands for eth_type and perhaps nw_proto. */
static void put_type(struct printer *p)
{
    static const struct {
        uint8_t proto;
        const char *v4, *v6;
    } protos[] = {
        {IP_PROTO_ICMP, "icmp", NULL},    {IP_PROTO_ICMPV6, NULL, "icmp6"},
        {IP_PROTO_TCP, "tcp", "tcp6"},    {IP_PROTO_UDP, "udp", "udp6"},
        {IP_PROTO_SCTP, "sctp", "sctp6"},
    };
    const char *word = NULL;
    bool v6 = p->eth_type == ETH_TYPE_IPV6;
    switch (p->eth_type) {
    case ETH_TYPE_IP:
    case ETH_TYPE_IPV6:
        word = v6 ? "ipv6" : "ip";
        for (size_t i = 0; p->know_proto && i < ARRAY_SIZE(protos); i++) {
            const char *w = v6 ? protos[i].v6 : protos[i].v4;
            if (w && protos[i].proto == p->proto) {
                word = w;
                mask_set(&p->done, FIELD_IP_PROTO);
            }
        }
        break;
    case ETH_TYPE_ARP:
        word = "arp";
        break;
    case ETH_TYPE_RARP:
        word = "rarp";
        break;
    case ETH_TYPE_MPLS:
        word = "mpls";
        break;
    case ETH_TYPE_MPLS_MCAST:
        word = "mplsm";
        break;
    }
    if (word) {
        mask_set(&p->done, FIELD_ETH_TYPE);
        put_word(p, word);
    }
}

static void put_option(struct printer *p, enum field_id id)
{
    struct tun_value value, mask;
    enum tun_match kind = match_get_tun(p->m, id, &value, &mask);
    if (kind == TUN_NOT)
        return;
    str_put(p->s, field_get(id)->name);
    if (kind != TUN_PRESENT) {
        str_putc(p->s, '=');
        tun_value_put(p->s, &value, kind == TUN_MASKED ? &mask : NULL);
    }
    str_putc(p->s, ',');
}

static void put_metadata(struct printer *p)
{
    put(p, FIELD_PKT_MARK);
    put(p, FIELD_RECIRC_ID);
    put(p, FIELD_CONJ_ID);
    put(p, FIELD_DP_HASH);
    put(p, FIELD_SKB_PRIORITY);
    put(p, FIELD_ACTSET_OUTPUT);
    put(p, FIELD_CT_STATE);
    put(p, FIELD_CT_ZONE);
    put(p, FIELD_CT_MARK);
    put(p, FIELD_CT_LABEL);
    put(p, FIELD_CT_NW_SRC);
    put(p, FIELD_CT_IPV6_SRC);
    put(p, FIELD_CT_NW_DST);
    put(p, FIELD_CT_IPV6_DST);
    put(p, FIELD_CT_NW_PROTO);
    put_number(p, FIELD_CT_TP_SRC, "ct_tp_src");
    put_number(p, FIELD_CT_TP_DST, "ct_tp_dst");
    put_packet_type(p);
    put_type(p);
    for (unsigned i = 0; i < N_REGS; i++)
        put(p, FIELD_REG0 + i);
    static const uint8_t tunnel[] = {
        FIELD_TUN_ID,       FIELD_TUN_SRC,    FIELD_TUN_IPV6_SRC,  FIELD_TUN_DST,
        FIELD_TUN_IPV6_DST, FIELD_TUN_GBP_ID, FIELD_TUN_GBP_FLAGS, FIELD_TUN_TOS,
        FIELD_TUN_TTL,      FIELD_TUN_FLAGS,
    };
    for (size_t i = 0; i < sizeof tunnel; i++)
        put(p, tunnel[i]);
    for (unsigned i = 0; i < N_TUN_METADATA; i++) {
        put_option(p, FIELD_TUN_METADATA0 + i);
    }
    put(p, FIELD_METADATA);
    put_as(p, FIELD_IN_PORT_OXM, "in_port");
}

static void put_vlan(struct printer *p)
{
    uint16_t tci = (uint16_t)key_get(&p->m->key, FIELD_VLAN_TCI);
    uint16_t mask = (uint16_t)mask_get(&p->m->mask, FIELD_VLAN_TCI);
    uint16_t vid = mask & VLAN_VID_MASK, pcp = mask & VLAN_PCP_MASK;
    if (!mask)
        return;
    mask_set(&p->done, FIELD_VLAN_TCI);
    if (mask & tci & VLAN_CFI && (!vid || vid == VLAN_VID_MASK) && (!pcp || pcp == VLAN_PCP_MASK) &&
        (vid || pcp)) {
        if (vid)
            str_putf(p->s, "dl_vlan=%u,", tci & VLAN_VID_MASK);
        if (pcp)
            str_putf(p->s, "dl_vlan_pcp=%u,", tci >> VLAN_PCP_SHIFT);
    } else if (mask == 0xffff) {
        str_putf(p->s, "vlan_tci=0x%04x,", tci);
    } else {
        str_putf(p->s, "vlan_tci=0x%04x/0x%04x,", tci, mask);
    }
    if (p->packet && tci & VLAN_CFI && p->eth_type != ETH_TYPE_VLAN && p->eth_type != ETH_TYPE_QINQ)
        put_word(p, "vlan_tci1=0x0000");
}

static void put_l2(struct printer *p)
{
    put_vlan(p);
    put_as(p, FIELD_ETH_SRC, "dl_src");
    put_as(p, FIELD_ETH_DST, "dl_dst");
    if (!p->done.bits.eth_type && match_has(p->m, FIELD_ETH_TYPE)) {
        mask_set(&p->done, FIELD_ETH_TYPE);
        str_putf(p->s, "dl_type=0x%04x,", (unsigned)key_get(&p->m->key, FIELD_ETH_TYPE));
    }
}

static void put_label(struct printer *p)
{
    unsigned mask = (unsigned)mask_get(&p->m->mask, FIELD_IPV6_LABEL);
    unsigned value = (unsigned)key_get(&p->m->key, FIELD_IPV6_LABEL);
    if (!mask)
        return;
    mask_set(&p->done, FIELD_IPV6_LABEL);
    str_putf(p->s, "ipv6_label=0x%05x", value);
    if (mask != IP6_LABEL_MASK)
        str_putf(p->s, "/0x%05x", mask);
    str_putc(p->s, ',');
}

static void put_l3(struct printer *p)
{
    put(p, FIELD_IPV6_SRC);
    put(p, FIELD_IPV6_DST);
    put_label(p);
    put_as(p, FIELD_IP_SRC, "nw_src");
    put_as(p, FIELD_IP_DST, "nw_dst");
    put(p, FIELD_ARP_SPA);
    put(p, FIELD_ARP_TPA);
    if (!p->done.bits.nw_proto)
        put(p, FIELD_IP_PROTO);
    put(p, FIELD_ARP_OP);
    put(p, FIELD_ARP_SHA);
    put(p, FIELD_ARP_THA);
    if (match_is_exact(p->m, FIELD_IP_DSCP)) {
        mask_set(&p->done, FIELD_IP_DSCP);
        str_putf(p->s, "nw_tos=%u,", (unsigned)key_get(&p->m->key, FIELD_IP_DSCP) << 2);
    }
    put_as(p, FIELD_IP_ECN, "nw_ecn");
    put(p, FIELD_IP_TTL);
    put(p, FIELD_MPLS_LABEL);
    put(p, FIELD_MPLS_TC);
    put(p, FIELD_MPLS_TTL);
    put(p, FIELD_MPLS_BOS);
    put(p, FIELD_PBB_ISID);
    put(p, FIELD_PBB_UCA);
    put_as(p, FIELD_IP_FRAG, "nw_frag");
}

static void put_l4(struct printer *p)
{
    put(p, FIELD_ICMP_TYPE);
    put(p, FIELD_ICMP_CODE);
    put(p, FIELD_ND_TARGET);
    put(p, FIELD_ND_SLL);
    put(p, FIELD_ND_TLL);
    put_number(p, FIELD_TCP_SRC, "tp_src");
    put_number(p, FIELD_TCP_DST, "tp_dst");
    put(p, FIELD_TCP_FLAGS);
}

static void put_match(struct str *s, const struct match *match, int priority, bool packet,
                      const struct port_names *names)
{
    struct printer p = {.s = s, .m = match, .names = names, .packet = packet};
    memset(&p.done, 0, sizeof p.done);
    if (match_is_exact(match, FIELD_ETH_TYPE))
        p.eth_type = (uint16_t)key_get(&match->key, FIELD_ETH_TYPE);
    p.know_proto = match_is_exact(match, FIELD_IP_PROTO);
    p.proto = match->key.nw_proto;

    size_t start = s->n;
    if (priority >= 0 && priority != 32768)
        str_putf(s, "priority=%d,", priority);
    put_metadata(&p);
    put_l2(&p);
    put_l3(&p);
    put_l4(&p);
    if (s->n > start)
        str_truncate(s, s->n - 1);
}

void match_put(struct str *s, const struct match *match, int priority,
               const struct port_names *names)
{
    put_match(s, match, priority, false, names);
}

void flow_put(struct str *s, const struct flow_key *key, const struct port_names *names)
{
    struct match m;
    flow_shown(&m, key, NULL);
    if (key->actset_output)
        match_set(&m, FIELD_ACTSET_OUTPUT, key_get(key, FIELD_ACTSET_OUTPUT));
    if (key->packet_type)
        match_set(&m, FIELD_PACKET_TYPE, key_get(key, FIELD_PACKET_TYPE));
    put_match(s, &m, -1, true, names);
}

void packet_put_text(struct str *s, const struct packet *packet)
{
    struct packet view;
    struct flow_key key;
    packet_init_view(&view, packet->data, packet->size);
    flow_extract(&view, &key);
    key.in_port = 0;
    flow_put(s, &key, NULL);
}
