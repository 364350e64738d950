/* key.c - flow keys and masks: words, fields, prerequisites. Matches are in match.c. */
#include "flow/key.h"

#include "base/hash.h"
#include "net/headers.h"

_Static_assert(sizeof(struct flow_tunnel) == 56 + 8 * (TUN_INLINE + 1), "no holes");
_Static_assert(sizeof(struct flow_ct) == 72, "no holes");
_Static_assert(offsetof(struct flow_key, tunnel) == 104, "no holes");
_Static_assert(offsetof(struct flow_key, ip6_src) - offsetof(struct flow_key, eth_dst) == 24,
               "no holes");
_Static_assert(offsetof(struct flow_key, tp_src) - offsetof(struct flow_key, ip6_src) == 72,
               "no holes");
_Static_assert(sizeof(struct flow_key) - offsetof(struct flow_key, tp_src) == 40, "no holes");

uint64_t flow_word_map(const struct flow_key *key)
{
    const uint64_t *w = flow_words_const(key);
    uint64_t map = 0;
    unsigned i = 0;
    for (; i + 4 <= FLOW_WORDS; i += 4) /* few are not zero */
        if (w[i] | w[i + 1] | w[i + 2] | w[i + 3])
            for (unsigned k = i; k < i + 4; k++)
                map |= (uint64_t)(w[k] != 0) << k;
    for (; i < FLOW_WORDS; i++)
        map |= (uint64_t)(w[i] != 0) << i;
    return map;
}

bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
    return !memcmp(a, b, sizeof *a);
}

uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed)
{
    return hash_bytes(key, sizeof *key, seed);
}

bool flow_key_equal_masked(const struct flow_key *a, const struct flow_key *b,
                           const struct flow_mask *mask)
{
    const uint64_t *x = flow_words_const(a), *y = flow_words_const(b);
    const uint64_t *m = flow_words_const(&mask->bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        if ((x[i] ^ y[i]) & m[i])
            return false;
    return true;
}

uint64_t flow_key_hash_masked(const struct flow_key *key, const struct flow_mask *mask,
                              uint64_t seed)
{
    const uint64_t *k = flow_words_const(key), *m = flow_words_const(&mask->bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        if (m[i])
            seed = hash_u64(k[i] & m[i], seed);
    return seed;
}

void flow_key_and(struct flow_key *key, const struct flow_mask *mask)
{
    uint64_t *k = flow_words(key);
    const uint64_t *m = flow_words_const(&mask->bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        k[i] &= m[i];
}

void flow_mask_or(struct flow_mask *mask, const struct flow_mask *more)
{
    uint64_t *m = flow_words(&mask->bits);
    const uint64_t *n = flow_words_const(&more->bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        m[i] |= n[i];
}

/* ---- Fields ---- */

static u128 container_load(const struct flow_key *key, const struct field *f)
{
    const uint8_t *p = (const uint8_t *)key + f->offset;
    switch (f->size) {
    case 1:
        return *p;
    case 2:
        return get_be16(p);
    case 4:
        return get_be32(p);
    case 8:
        return get_be64(p);
    case 16:
        return get_be128(p);
    default:
        return get_be_n(p, f->size);
    }
}

static void container_store(struct flow_key *key, const struct field *f, u128 x)
{
    uint8_t *p = (uint8_t *)key + f->offset;
    switch (f->size) {
    case 1:
        *p = (uint8_t)x;
        break;
    case 2:
        put_be16(p, (uint16_t)x);
        break;
    case 4:
        put_be32(p, (uint32_t)x);
        break;
    case 8:
        put_be64(p, (uint64_t)x);
        break;
    case 16:
        put_be128(p, x);
        break;
    default:
        put_be_n(p, f->size, x);
    }
}

/* A tunnel option of which the key has nothing but a number. */
static bool is_far(enum field_id id)
{
    return id >= FIELD_TUN_METADATA0 + TUN_INLINE && id <= FIELD_TUN_METADATA63;
}

u128 key_get(const struct flow_key *key, enum field_id id)
{
    const struct field *f = field_get(id);
    if (id == FIELD_IN_PORT)
        return port_to_16(swap32(key->in_port));
    if (is_far(id))
        return 0;
    return container_load(key, f) >> f->shift & u128_ones(f->n_bits);
}

void key_set(struct flow_key *key, enum field_id id, u128 value)
{
    const struct field *f = field_get(id);
    if (id == FIELD_IN_PORT) {
        key->in_port = swap32(port_from_16((uint16_t)value));
        return;
    }
    INVARIANT(!is_far(id));
    u128 bits = u128_ones(f->n_bits) << f->shift;
    container_store(key, f, (container_load(key, f) & ~bits) | (value << f->shift & bits));
}

u128 key_get_bits(const struct flow_key *key, const struct subfield *sub)
{
    return key_get(key, sub->id) >> sub->ofs & u128_ones(sub->n_bits);
}

void key_set_bits(struct flow_key *key, const struct subfield *sub, u128 value)
{
    u128 bits = u128_ones(sub->n_bits) << sub->ofs;
    key_set(key, sub->id, (key_get(key, sub->id) & ~bits) | (value << sub->ofs & bits));
}

/* ---- Masks ---- */

u128 mask_get(const struct flow_mask *mask, enum field_id id)
{
    const struct field *f = field_get(id);
    if (id == FIELD_IN_PORT)
        return mask->bits.in_port == UINT32_MAX ? 0xffff : 0;
    if (is_far(id))
        return 0;
    return container_load(&mask->bits, f) >> f->shift & u128_ones(f->n_bits);
}

void mask_set_masked(struct flow_mask *mask, enum field_id id, u128 bits)
{
    const struct field *f = field_get(id);
    if (id == FIELD_IN_PORT) {
        if (bits)
            mask->bits.in_port = UINT32_MAX;
        return;
    }
    if (is_far(id)) {
        mask->bits.tunnel.more = bits ? UINT64_MAX : mask->bits.tunnel.more;
        return;
    }
    bits = (bits & u128_ones(f->n_bits)) << f->shift;
    container_store(&mask->bits, f, container_load(&mask->bits, f) | bits);
}

void mask_set(struct flow_mask *mask, enum field_id id)
{
    mask_set_masked(mask, id, ~(u128)0);
}

void mask_set_bits(struct flow_mask *mask, const struct subfield *sub)
{
    mask_set_masked(mask, sub->id, u128_ones(sub->n_bits) << sub->ofs);
}

/* ---- Prerequisites ---- */

static bool is_arp(uint16_t eth_type)
{
    return eth_type == ETH_TYPE_ARP || eth_type == ETH_TYPE_RARP;
}

static bool is_ip(uint16_t eth_type)
{
    return eth_type == ETH_TYPE_IP || eth_type == ETH_TYPE_IPV6;
}

static bool is_mpls(uint16_t eth_type)
{
    return eth_type == ETH_TYPE_MPLS || eth_type == ETH_TYPE_MPLS_MCAST;
}

static bool has_l4(const struct flow_key *key, uint8_t proto)
{
    return is_ip(swap16(key->eth_type)) && key->nw_proto == proto && !(key->nw_frag & FRAG_LATER);
}

static bool has_icmp6(const struct flow_key *key)
{
    return key->eth_type == swap16(ETH_TYPE_IPV6) && has_l4(key, IP_PROTO_ICMPV6);
}

static bool has_nd(const struct flow_key *key, uint8_t first, uint8_t last)
{
    return has_icmp6(key) && key->icmp_type >= first && key->icmp_type <= last &&
           key->icmp_code == 0;
}

bool key_has_prereq(const struct flow_key *key, enum field_prereq prereq)
{
    uint16_t eth_type = swap16(key->eth_type);
    switch (prereq) {
    case PREREQ_NONE:
        return true;
    case PREREQ_CT:
        return (swap32(key->ct.state) & CT_TRK) != 0;
    case PREREQ_VLAN:
        return (key->vlan_tci & swap16(VLAN_CFI)) != 0;
    case PREREQ_ARP:
        return is_arp(eth_type);
    case PREREQ_IPV4:
        return eth_type == ETH_TYPE_IP;
    case PREREQ_IPV6:
        return eth_type == ETH_TYPE_IPV6;
    case PREREQ_IP:
        return is_ip(eth_type);
    case PREREQ_MPLS:
        return is_mpls(eth_type);
    case PREREQ_PBB:
        return eth_type == ETH_TYPE_PBB;
    case PREREQ_TCP:
        return has_l4(key, IP_PROTO_TCP);
    case PREREQ_UDP:
        return has_l4(key, IP_PROTO_UDP);
    case PREREQ_SCTP:
        return has_l4(key, IP_PROTO_SCTP);
    case PREREQ_ICMP:
        return eth_type == ETH_TYPE_IP && has_l4(key, IP_PROTO_ICMP);
    case PREREQ_ICMPV6:
        return has_icmp6(key);
    case PREREQ_ND:
        return has_nd(key, ICMP6_NEIGHBOR_SOLICIT, ICMP6_NEIGHBOR_ADVERT);
    case PREREQ_ND_SOLICIT:
        return has_nd(key, ICMP6_NEIGHBOR_SOLICIT, ICMP6_NEIGHBOR_SOLICIT);
    case PREREQ_ND_ADVERT:
        return has_nd(key, ICMP6_NEIGHBOR_ADVERT, ICMP6_NEIGHBOR_ADVERT);
    }
    return false;
}

void mask_set_prereq(struct flow_mask *mask, enum field_prereq prereq)
{
    switch (prereq) {
    case PREREQ_NONE:
        return;
    case PREREQ_CT:
        mask_set_masked(mask, FIELD_CT_STATE, CT_TRK);
        return;
    case PREREQ_VLAN:
        mask->bits.vlan_tci |= swap16(VLAN_CFI);
        return;
    case PREREQ_ND:
    case PREREQ_ND_SOLICIT:
    case PREREQ_ND_ADVERT:
        mask->bits.icmp_type = UINT8_MAX;
        mask->bits.icmp_code = UINT8_MAX;
        /* fallthrough */
    case PREREQ_TCP:
    case PREREQ_UDP:
    case PREREQ_SCTP:
    case PREREQ_ICMP:
    case PREREQ_ICMPV6:
        mask->bits.nw_proto = UINT8_MAX;
        mask->bits.nw_frag = FRAG_ANY | FRAG_LATER;
        /* fallthrough */
    case PREREQ_ARP:
    case PREREQ_IPV4:
    case PREREQ_IPV6:
    case PREREQ_IP:
    case PREREQ_MPLS:
    case PREREQ_PBB:
        mask->bits.eth_type = UINT16_MAX;
        return;
    }
}
