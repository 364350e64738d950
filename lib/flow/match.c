/* match.c - matches: construction, algebra, the small form. Text is in match_text.c. */
#include "flow/key.h"

#include <stdlib.h>

#include "base/hash.h"
#include "flow/match_tun.h"
#include "net/headers.h"

void match_init(struct match *match)
{
    memset(match, 0, offsetof(struct match, tun));
    tun_opts_init(&match->tun);
    tun_mask_init(&match->tun_mask);
}

/* In the terms of field.h: 128 ones are all bits. */
static void set_tun_masked(struct match *match, enum field_id id, u128 value, u128 mask)
{
    struct tun_value v, m;
    tun_value_of(&v, value & mask);
    tun_value_of(&m, mask);
    (void)match_set_tun(match, id, &v, ~mask ? &m : NULL);
}

void match_set_masked(struct match *match, enum field_id id, u128 value, u128 mask)
{
    const struct field *f = field_get(id);
    if (FIELD_IS_TUN_METADATA(id)) {
        set_tun_masked(match, id, value, mask);
        return;
    }
    if (id == FIELD_IN_PORT) {
        match->mask.bits.in_port = mask ? UINT32_MAX : 0;
        match->key.in_port = mask ? swap32(port_from_16((uint16_t)value)) : 0;
        return;
    }
    mask &= u128_ones(f->n_bits);
    key_set(&match->mask.bits, id, mask);
    key_set(&match->key, id, value & mask);
}

void match_set(struct match *match, enum field_id id, u128 value)
{
    match_set_masked(match, id, value, u128_ones(field_get(id)->n_bits));
}

void match_set_bits(struct match *match, const struct subfield *sub, u128 value)
{
    if (FIELD_IS_TUN_METADATA(sub->id)) {
        struct tun_value v;
        tun_value_of(&v, value);
        match_set_tun_bits(match, sub, &v);
        return;
    }
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
    struct flow_mask need; /* of which nothing but these is looked at */
    struct flow_key *n = &need.bits;
    n->ct.state = 0;
    n->vlan_tci = n->eth_type = 0;
    n->nw_proto = n->icmp_type = 0;
    mask_set_prereq(&need, prereq);
    /* A match on ports need not speak of fragments, nor one of neighbor discovery of the code. */
    const struct flow_key *m = &match->mask.bits;
    return !((n->ct.state & ~m->ct.state) | (n->vlan_tci & ~m->vlan_tci) |
             (n->eth_type & ~m->eth_type) | (n->nw_proto & ~m->nw_proto) |
             (n->icmp_type & ~m->icmp_type));
}

bool match_equal(const struct match *a, const struct match *b)
{
    return !memcmp(a, b, offsetof(struct match, tun)) && tun_opts_equal(&a->tun, &b->tun) &&
           tun_mask_equal(&a->tun_mask, &b->tun_mask);
}

int match_compare(const struct match *a, const struct match *b)
{
    int c = memcmp(a, b, offsetof(struct match, tun));
    if (c || match_equal(a, b))
        return c;
    struct minimatch *x = minimatch_new(a), *y = minimatch_new(b);
    size_t nx = minimatch_size(x), ny = minimatch_size(y);
    c = memcmp(x, y, MIN(nx, ny));
    free(x);
    free(y);
    return c ? c : nx < ny ? -1 : 1;
}

uint64_t match_hash(const struct match *match, uint64_t seed)
{
    seed = hash_bytes(match, offsetof(struct match, tun), seed);
    if (tun_mask_is_empty(&match->tun_mask))
        return seed;
    return tun_mask_hash(&match->tun_mask, tun_opts_hash(&match->tun, seed));
}

bool match_covers_key(const struct match *match, const struct flow_key *key)
{
    static const struct tun_opts none;
    return match_covers(match, key, &none);
}

bool match_covers(const struct match *match, const struct flow_key *key,
                  const struct tun_opts *opts)
{
    struct tun_opts seen;
    if (!flow_key_equal_masked(&match->key, key, &match->mask))
        return false;
    if (tun_mask_is_empty(&match->tun_mask))
        return true;
    tun_opts_and(opts, &match->tun_mask, &seen);
    return tun_opts_equal(&seen, &match->tun);
}

bool match_is_subset(const struct match *a, const struct match *b)
{
    const uint64_t *am = flow_words_const(&a->mask.bits), *bm = flow_words_const(&b->mask.bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        if (bm[i] & ~am[i])
            return false;
    if (!flow_key_equal_masked(&a->key, &b->key, &b->mask))
        return false;
    return tun_mask_is_empty(&b->tun_mask) ||
           (tun_mask_covers(&a->tun_mask, &b->tun_mask) &&
            tun_opts_agree(&a->tun, &a->tun_mask, &b->tun, &b->tun_mask));
}

bool match_overlaps(const struct match *a, const struct match *b)
{
    const uint64_t *ak = flow_words_const(&a->key), *bk = flow_words_const(&b->key);
    const uint64_t *am = flow_words_const(&a->mask.bits), *bm = flow_words_const(&b->mask.bits);
    for (unsigned i = 0; i < FLOW_WORDS; i++)
        if ((ak[i] ^ bk[i]) & am[i] & bm[i])
            return false;
    return tun_opts_agree(&a->tun, &a->tun_mask, &b->tun, &b->tun_mask);
}

bool match_intersect(const struct match *a, const struct match *b, struct match *ret)
{
    if (!match_overlaps(a, b))
        return false;
    const uint64_t *aw = (const uint64_t *)(const void *)a, *bw = (const uint64_t *)(const void *)b;
    uint64_t *rw = (uint64_t *)(void *)ret;
    for (unsigned i = 0; i < 2 * FLOW_WORDS; i++)
        rw[i] = aw[i] | bw[i];
    return match_intersect_tun(a, b, ret);
}

/* ---- The small form ---- */

static struct minimatch_tun *tun_of(const struct minimatch *mini)
{
    size_t n = 2 * (size_t)__builtin_popcountll(minimatch_words(mini));
    return (void *)(uintptr_t)&mini->words[n];
}

/* The words of the mask that are not zero, and MINIMATCH_TUN. */
static uint64_t map_of(const struct match *match)
{
    return flow_word_map(&match->mask.bits) |
           (tun_mask_is_empty(&match->tun_mask) ? 0 : MINIMATCH_TUN);
}

/* MINI becomes MATCH, whose map is MAP. */
static void fill(struct minimatch *mini, uint64_t map, const struct match *match)
{
    mini->map = map;
    map = minimatch_words(mini);
    unsigned n = (unsigned)__builtin_popcountll(map), j = 0;
    const uint64_t *k = flow_words_const(&match->key), *m = flow_words_const(&match->mask.bits);
    for (; map; map &= map - 1, j++) {
        unsigned i = (unsigned)__builtin_ctzll(map);
        mini->words[j] = k[i];
        mini->words[n + j] = m[i];
    }
    if (mini->map & MINIMATCH_TUN) {
        struct minimatch_tun *t = tun_of(mini);
        memset(t, 0, sizeof *t);
        tun_opts_copy(&t->tun, &match->tun);
        tun_mask_copy(&t->mask, &match->tun_mask);
    }
}

struct minimatch *minimatch_new(const struct match *match)
{
    struct minimatch head = {.map = map_of(match)};
    struct minimatch *mini = xmalloc(minimatch_size(&head));
    fill(mini, head.map, match);
    return mini;
}

size_t minimatch_put(const struct match *match, void *buf)
{
    struct minimatch *mini = buf;
    fill(mini, map_of(match), match);
    return minimatch_size(mini);
}

size_t minimatch_size(const struct minimatch *mini)
{
    size_t n = 2 * (size_t)__builtin_popcountll(minimatch_words(mini)) * sizeof(uint64_t);
    return sizeof *mini + n + (mini->map & MINIMATCH_TUN ? sizeof(struct minimatch_tun) : 0);
}

void minimatch_expand(const struct minimatch *mini, struct match *ret)
{
    match_init(ret);
    uint64_t map = minimatch_words(mini);
    unsigned n = (unsigned)__builtin_popcountll(map), j = 0;
    uint64_t *k = flow_words(&ret->key), *m = flow_words(&ret->mask.bits);
    for (; map; map &= map - 1, j++) {
        unsigned i = (unsigned)__builtin_ctzll(map);
        k[i] = mini->words[j];
        m[i] = mini->words[n + j];
    }
    if (mini->map & MINIMATCH_TUN) {
        ret->tun = tun_of(mini)->tun;
        ret->tun_mask = tun_of(mini)->mask;
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
    uint64_t map = minimatch_words(mini);
    unsigned n = (unsigned)__builtin_popcountll(map), j = 0;
    const uint64_t *k = flow_words_const(key);
    if (mini->map & MINIMATCH_TUN) {
        struct match match;
        minimatch_expand(mini, &match);
        return match_covers_key(&match, key);
    }
    for (; map; map &= map - 1, j++)
        if ((k[__builtin_ctzll(map)] & mini->words[n + j]) != mini->words[j])
            return false;
    return true;
}
