/* flow_shown.c - which fields of a packet's key are worth showing; see flow_text.h. */
#include "flow/flow_text.h"

/* Fields of headers: shown when the packet has the header. */
static const uint8_t headers[] = {
    FIELD_VLAN_TCI,  FIELD_ETH_SRC,   FIELD_ETH_DST,   FIELD_ETH_TYPE,    FIELD_IP_SRC,
    FIELD_IP_DST,    FIELD_IPV6_SRC,  FIELD_IPV6_DST,  FIELD_IPV6_LABEL,  FIELD_IP_PROTO,
    FIELD_IP_TOS,    FIELD_IP_TTL,    FIELD_IP_FRAG,   FIELD_ARP_OP,      FIELD_ARP_SPA,
    FIELD_ARP_TPA,   FIELD_ARP_SHA,   FIELD_ARP_THA,   FIELD_MPLS_LABEL,  FIELD_MPLS_TC,
    FIELD_MPLS_TTL,  FIELD_MPLS_BOS,  FIELD_PBB_ISID,  FIELD_PBB_UCA,     FIELD_TCP_SRC,
    FIELD_TCP_DST,   FIELD_UDP_SRC,   FIELD_UDP_DST,   FIELD_SCTP_SRC,    FIELD_SCTP_DST,
    FIELD_TCP_FLAGS, FIELD_ICMP_TYPE, FIELD_ICMP_CODE, FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE,
    FIELD_ND_TARGET,
};

/* Fields of metadata: shown when they are not zero. Registers are shown singly; the rest is the caller's business. */
static bool is_metadata(const struct field *f)
{
    return f->offset < FLOW_STAGE_METADATA_END * 8 && f->id != FIELD_IN_PORT &&
           f->id != FIELD_ACTSET_OUTPUT && f->id != FIELD_PACKET_TYPE &&
           (FIELD_IS_REG(f->id) || !FIELD_IS_ANY_REG(f->id)) && !FIELD_IS_TUN_METADATA(f->id);
}

void flow_shown(struct match *ret, const struct flow_key *key, const struct tun_opts *opts)
{
    match_init(ret);
    for (unsigned id = FIELD_NONE + 1; id < N_FIELDS; id++) {
        if (is_metadata(field_get(id)) && key_get(key, id))
            match_set(ret, id, key_get(key, id));
    }
    match_set_options(ret, key, opts);
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        if (key_has_prereq(key, field_get(headers[i])->prereq))
            match_set(ret, headers[i], key_get(key, headers[i]));
    }
    if (key_has_prereq(key, PREREQ_ND)) { /* both, whichever it is */
        match_set(ret, FIELD_ND_SLL, key_get(key, FIELD_ND_SLL));
        match_set(ret, FIELD_ND_TLL, key_get(key, FIELD_ND_TLL));
    }
}
