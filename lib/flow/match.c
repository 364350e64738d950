/* match.c - matches: construction, algebra, the small form. Text is in match_text.c. */
#include "flow/key.h"

#include <stdlib.h>

#include "base/hash.h"
#include "net/headers.h"

void match_init(struct match *match)
{
    memset(match, 0, sizeof *match);
}

void match_set_masked(struct match *match, enum field_id id, u128 value, u128 mask)
{
    const struct field *f = field_get(id);
    if (id == FIELD_IN_PORT) {
        match->mask.bits.in_port = mask ? UINT32_MAX : 0;
        match->key.in_port = mask ? swap32(port_from_16((uint16_t)value)) : 0;
        return;
    }
    mask &= u128_ones(f->n_bits);
    key_set(&match->mask.bits, id, mask);
    key_set(&match->key, id, value & mask);
    if (FIELD_IS_TUN_METADATA(id)) {
        uint8_t bit = (uint8_t)(1u << (id - FIELD_TUN_METADATA0));
        match->mask.bits.tunnel.present &= (uint8_t)~bit;
        match->key.tunnel.present &= (uint8_t)~bit;
        if (mask)
            match_set_present(match, id);
    }
}

void match_set_present(struct match *match, enum field_id id)
{
    uint8_t bit = (uint8_t)(1u << (id - FIELD_TUN_METADATA0));
    match->mask.bits.tunnel.present |= bit;
    match->key.tunnel.present |= bit;
}

void match_set(struct match *match, enum field_id id, u128 value)
{
    match_set_masked(match, id, value, u128_ones(field_get(id)->n_bits));
}

void match_set_bits(struct match *match, const struct subfield *sub, u128 value)
{
    u128 bits = u128_ones(sub->n_bits) << sub->ofs;
    u128 old = key_get(&match->key, sub->id), old_mask = mask_get(&match->mask, sub->id);
    match_set_masked(match, sub->id, (old & ~bits) | (value << sub->ofs & bits), old_mask | bits);
}

void match_set_prereq(struct match *match, enum field_prereq prereq)
{
    static const struct {
        uint16_t eth_type;
        uint8_t proto, icmp_type;
    } wants[] = {
        [PREREQ_ARP] = {ETH_TYPE_ARP, 0, 0},
        [PREREQ_IPV4] = {ETH_TYPE_IP, 0, 0},
        [PREREQ_IPV6] = {ETH_TYPE_IPV6, 0, 0},
        [PREREQ_MPLS] = {ETH_TYPE_MPLS, 0, 0},
        [PREREQ_PBB] = {ETH_TYPE_PBB, 0, 0},
        [PREREQ_TCP] = {0, IP_PROTO_TCP, 0},
        [PREREQ_UDP] = {0, IP_PROTO_UDP, 0},
        [PREREQ_SCTP] = {0, IP_PROTO_SCTP, 0},
        [PREREQ_ICMP] = {ETH_TYPE_IP, IP_PROTO_ICMP, 0},
        [PREREQ_ICMPV6] = {ETH_TYPE_IPV6, IP_PROTO_ICMPV6, 0},
        [PREREQ_ND_SOLICIT] = {ETH_TYPE_IPV6, IP_PROTO_ICMPV6, ICMP6_NEIGHBOR_SOLICIT},
        [PREREQ_ND_ADVERT] = {ETH_TYPE_IPV6, IP_PROTO_ICMPV6, ICMP6_NEIGHBOR_ADVERT},
    };
    if (prereq == PREREQ_VLAN) {
        match->key.vlan_tci |= swap16(VLAN_CFI);
        match->mask.bits.vlan_tci |= swap16(VLAN_CFI);
    } else if (prereq == PREREQ_CT) {
        struct subfield valid = subfield_make(FIELD_CT_STATE, 4, 2); /* -inv+trk */
        match_set_bits(match, &valid, 2);
    } else if (prereq < ARRAY_SIZE(wants)) {
        if (wants[prereq].eth_type)
            match_set(match, FIELD_ETH_TYPE, wants[prereq].eth_type);
        if (wants[prereq].proto)
            match_set(match, FIELD_IP_PROTO, wants[prereq].proto);
        if (wants[prereq].icmp_type) {
            match_set(match, FIELD_ICMPV6_TYPE, wants[prereq].icmp_type);
            match_set(match, FIELD_ICMPV6_CODE, 0);
        }
    }
}

bool match_implies_prereq(const struct match *match, enum field_prereq prereq)
{
    if (prereq == PREREQ_NONE || !key_has_prereq(&match->key, prereq))
        return prereq == PREREQ_NONE;
    struct flow_mask need;
    memset(&need, 0, sizeof need);
    mask_set_prereq(&need, prereq);
    /* A match on ports need not speak of fragments, nor one of neighbor discovery of the code. */
    need.bits.nw_frag = 0;
    need.bits.icmp_code = 0;
    const struct flow_key *n = &need.bits, *m = &match->mask.bits;
    return !((n->ct.state & ~m->ct.state) | (n->vlan_tci & ~m->vlan_tci) |
             (n->eth_type & ~m->eth_type) | (n->nw_proto & ~m->nw_proto) |
             (n->icmp_type & ~m->icmp_type));
}

bool match_equal(const struct match *a, const struct match *b)
{
    return !memcmp(a, b, sizeof *a);
}

uint64_t match_hash(const struct match *match, uint64_t seed)
{
    return hash_bytes(match, sizeof *match, seed);
}

bool match_covers_key(const struct match *match, const struct flow_key *key)
{
    return flow_key_equal_masked(&match->key, key, &match->mask);
}

bool match_is_subset(const struct match *a, const struct match *b)
{
    const uint64_t *am = flow_words_const(&a->mask.bits), *bm = flow_words_const(&b->mask.bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        if (bm[i] & ~am[i])
            return false;
    return flow_key_equal_masked(&a->key, &b->key, &b->mask);
}

bool match_overlaps(const struct match *a, const struct match *b)
{
    const uint64_t *ak = flow_words_const(&a->key), *bk = flow_words_const(&b->key);
    const uint64_t *am = flow_words_const(&a->mask.bits), *bm = flow_words_const(&b->mask.bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        if ((ak[i] ^ bk[i]) & am[i] & bm[i])
            return false;
    return true;
}

bool match_intersect(const struct match *a, const struct match *b, struct match *ret)
{
    if (!match_overlaps(a, b))
        return false;
    const uint64_t *aw = (const uint64_t *)(const void *)a, *bw = (const uint64_t *)(const void *)b;
    uint64_t *rw = (uint64_t *)(void *)ret;
    for (unsigned i = 0; i < 2 * FLOW_WORDS; i++)
        rw[i] = aw[i] | bw[i];
    return true;
}

/* ---- The small form ---- */

/* MINI becomes MATCH, whose mask has the words MAP. */
static void fill(struct minimatch *mini, uint64_t map, const struct match *match)
{
    unsigned n = (unsigned)__builtin_popcountll(map), j = 0;
    const uint64_t *k = flow_words_const(&match->key), *m = flow_words_const(&match->mask.bits);
    mini->map = map;
    for (; map; map &= map - 1, j++) {
        unsigned i = (unsigned)__builtin_ctzll(map);
        mini->words[j] = k[i];
        mini->words[n + j] = m[i];
    }
}

struct minimatch *minimatch_new(const struct match *match)
{
    uint64_t map = flow_word_map(&match->mask.bits);
    unsigned n = (unsigned)__builtin_popcountll(map);
    struct minimatch *mini = xmalloc(sizeof *mini + 2 * n * sizeof(uint64_t));
    fill(mini, map, match);
    return mini;
}

size_t minimatch_put(const struct match *match, void *buf)
{
    struct minimatch *mini = buf;
    fill(mini, flow_word_map(&match->mask.bits), match);
    return minimatch_size(mini);
}

size_t minimatch_size(const struct minimatch *mini)
{
    return sizeof *mini + 2 * (size_t)__builtin_popcountll(mini->map) * sizeof(uint64_t);
}

void minimatch_expand(const struct minimatch *mini, struct match *ret)
{
    match_init(ret);
    unsigned n = (unsigned)__builtin_popcountll(mini->map), j = 0;
    uint64_t *k = flow_words(&ret->key), *m = flow_words(&ret->mask.bits);
    for (uint64_t map = mini->map; map; map &= map - 1, j++) {
        unsigned i = (unsigned)__builtin_ctzll(map);
        k[i] = mini->words[j];
        m[i] = mini->words[n + j];
    }
}

bool minimatch_equal(const struct minimatch *a, const struct minimatch *b)
{
    return a->map == b->map && !memcmp(a, b, minimatch_size(a));
}

uint64_t minimatch_hash(const struct minimatch *mini, uint64_t seed)
{
    return hash_bytes(mini, minimatch_size(mini), seed);
}

bool minimatch_covers_key(const struct minimatch *mini, const struct flow_key *key)
{
    unsigned n = (unsigned)__builtin_popcountll(mini->map), j = 0;
    const uint64_t *k = flow_words_const(key);
    for (uint64_t map = mini->map; map; map &= map - 1, j++)
        if ((k[__builtin_ctzll(map)] & mini->words[n + j]) != mini->words[j])
            return false;
    return true;
}
