/* key.h - the flow key (a parsed packet with its metadata), masks, and matches: key and mask
 * together.
 *
 * The key has a fixed layout, a multiple of 8 bytes without holes, so keys compare by memcmp and
 * hash by words. All members are in network order. What does not exist in a packet is zero;
 * eth_type and nw_proto tell what does. Members come in the order in which a lookup can stop early:
 * metadata, Ethernet, network, transport (FLOW_STAGE_*).
 *
 * A match is a key with a mask of the same layout: bits outside the mask are zero in the key
 * ("normal form"), so matches compare by memcmp too. A match built through match_set* is always in
 * normal form.
 */
#pragma once

#include "flow/field.h"
#include "flow/tun_opts.h"
#include "net/addr.h"

struct flow_tunnel {
    be64 id;
    be32 src, dst;
    struct ip6 ip6_src, ip6_dst;
    be16 flags; /* TUN_FLAG_* */
    uint8_t tos, ttl;
    be16 gbp_id;
    uint8_t gbp_flags;
    uint8_t present;           /* bit i: the option of metadata[i] is there */
    be64 metadata[TUN_INLINE]; /* the lower bits of options */
    be64
        more; /* the number of the rest of them (tun_opts.h), as its owner counts; 0: there is none */
};

struct flow_ct {
    be32 state; /* CT_* */
    be32 mark;
    struct ip6 label; /* 128 bits, most significant byte first */
    be16 zone;
    uint8_t nw_proto; /* the original direction's tuple */
    uint8_t pad;
    be32 nw_src, nw_dst;
    be16 tp_src, tp_dst;
    struct ip6 ip6_src, ip6_dst;
};

struct flow_key {
    /* metadata */
    union {
        be32 reg[N_REGS];
        be64 xreg[N_XREGS];
        struct ip6 xxreg[N_XXREGS];
    };
    be64 metadata;
    union {
        be32 in_port;
        struct {
            be16 in_port_upper, in_port16;
        };
    };
    be32 conj_id;
    be32 pkt_mark;
    be32 skb_priority;
    be32 recirc_id;
    be32 dp_hash;
    be32 actset_output;
    be32 packet_type;
    struct flow_tunnel tunnel;
    struct flow_ct ct;
    /* Ethernet */
    struct mac eth_dst, eth_src;
    be16 vlan_tci; /* with VLAN_CFI set when there is a tag */
    be16 eth_type; /* after the outermost tag */
    be32 mpls_lse;
    be32 pbb_tci;
    /* network */
    struct ip6 ip6_src, ip6_dst;
    be32 nw_src, nw_dst;
    be32 ip6_label;
    uint8_t nw_tos, nw_ttl, nw_frag, nw_proto;
    be32 arp_spa, arp_tpa;
    struct mac arp_sha, arp_tha;
    be16 arp_op;
    be16 pad_l3;
    /* transport */
    be16 tp_src, tp_dst; /* TCP, UDP, SCTP */
    be16 tcp_flags;
    uint8_t icmp_type, icmp_code; /* ICMP and ICMPv6 */
    struct ip6 nd_target;
    struct mac nd_sll, nd_tll;
    be32 pad_l4;
};

#define FLOW_WORDS (sizeof(struct flow_key) / 8)
_Static_assert(sizeof(struct flow_key) % 8 == 0, "the key is whole words");
_Static_assert(FLOW_WORDS < 64, "a bitmap of its words fits in 63 bits");

/* Ends of the stages, in words. */
#define FLOW_STAGE_METADATA_END (offsetof(struct flow_key, eth_dst) / 8)
#define FLOW_STAGE_L2_END (offsetof(struct flow_key, ip6_src) / 8)
#define FLOW_STAGE_L3_END (offsetof(struct flow_key, tp_src) / 8)
#define FLOW_STAGE_L4_END FLOW_WORDS
_Static_assert(offsetof(struct flow_key, eth_dst) % 8 == 0, "stages begin at words");
_Static_assert(offsetof(struct flow_key, ip6_src) % 8 == 0, "stages begin at words");
_Static_assert(offsetof(struct flow_key, tp_src) % 8 == 0, "stages begin at words");

struct flow_mask {
    struct flow_key bits;
};

struct match {
    struct flow_key key;
    struct flow_mask mask;
    /* Of tunnel options, what has no room in the key, where tunnel.more is 0. */
    struct tun_opts tun;
    struct tun_mask tun_mask;
};

/* ---- Words: the layout-blind view ---- */

static inline uint64_t *flow_words(struct flow_key *key)
{
    return (uint64_t *)(void *)key;
}

static inline const uint64_t *flow_words_const(const struct flow_key *key)
{
    return (const uint64_t *)(const void *)key;
}

/* Bit i set: word i is not zero. */
uint64_t flow_word_map(const struct flow_key *key);
bool flow_key_equal(const struct flow_key *a, const struct flow_key *b);
uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed);
/* A and B agree on all bits of MASK. */
bool flow_key_equal_masked(const struct flow_key *a, const struct flow_key *b,
                           const struct flow_mask *mask);
uint64_t flow_key_hash_masked(const struct flow_key *key, const struct flow_mask *mask,
                              uint64_t seed);
void flow_key_and(struct flow_key *key,
                  const struct flow_mask *mask); /* clears what MASK does not cover */
void flow_mask_or(struct flow_mask *mask,
                  const struct flow_mask *more); /* MASK |= MORE: un-wildcarding */

/* ---- Fields of a key ---- */

u128 key_get(const struct flow_key *key, enum field_id id);
void key_set(struct flow_key *key, enum field_id id,
             u128 value); /* upper bits of VALUE are ignored */
u128 key_get_bits(const struct flow_key *key, const struct subfield *sub);
void key_set_bits(struct flow_key *key, const struct subfield *sub, u128 value);

static inline uint32_t key_in_port(const struct flow_key *key)
{
    return swap32(key->in_port);
}

/* The packet that KEY describes has the field's header. */
bool key_has_prereq(const struct flow_key *key, enum field_prereq prereq);

/* Tunnel options: KEY and OPTS, its rest, together. Functions of a key alone see the lower 64 bits of the first TUN_INLINE of them. */
void key_get_tun(const struct flow_key *key, const struct tun_opts *opts, enum field_id id,
                 struct tun_value *ret);
bool key_has_tun(const struct flow_key *key, const struct tun_opts *opts, enum field_id id);
/* Sets the option, or takes it away (VALUE NULL). False: OPTS had no room for all of it. */
bool key_set_tun(struct flow_key *key, struct tun_opts *opts, enum field_id id,
                 const struct tun_value *value);

/* ---- Masks: which bits a decision depended on ---- */

u128 mask_get(const struct flow_mask *mask, enum field_id id);
void mask_set(struct flow_mask *mask, enum field_id id);                /* all bits of the field */
void mask_set_bits(struct flow_mask *mask, const struct subfield *sub); /* adds those bits */
void mask_set_masked(struct flow_mask *mask, enum field_id id, u128 bits); /* adds BITS */
/* Adds the bits that key_has_prereq() looked at. */
void mask_set_prereq(struct flow_mask *mask, enum field_prereq prereq);

/* ---- Matches ---- */

void match_init(struct match *match); /* matches everything */
void match_set(struct match *match, enum field_id id, u128 value);
/* Replaces what MATCH said of the field (not of others that share its bits' container). VALUE is
 * cut to MASK. */
void match_set_masked(struct match *match, enum field_id id, u128 value, u128 mask);
/* Of a tun_metadata field: its option is there, whatever it holds. A match on any bits of the field says that as well. */
void match_set_present(struct match *match, enum field_id id);
/* Adds a constraint on some bits and leaves the field's other bits alone. */
void match_set_bits(struct match *match, const struct subfield *sub, u128 value);
/* Adds what PREREQ asks, as far as it is one definite thing (PREREQ_IP and PREREQ_ND add nothing).
 */
void match_set_prereq(struct match *match, enum field_prereq prereq);
static inline bool match_has(const struct match *match, enum field_id id)
{
    return mask_get(&match->mask, id) != 0;
}
static inline bool match_is_exact(const struct match *match, enum field_id id)
{
    return mask_get(&match->mask, id) == u128_ones(field_get(id)->n_bits);
}
/* Whether MATCH wants the option of a tun_metadata field to be there. */
bool match_has_present(const struct match *match, enum field_id id);
/* Replaces what MATCH says of a tun_metadata field. MASK NULL: all of its bits. False: there is no room for it, and it says nothing of it. */
bool match_set_tun(struct match *match, enum field_id id, const struct tun_value *value,
                   const struct tun_value *mask);
/* match_set_bits with as many bits as SUB has, from VALUE's lowest. */
void match_set_tun_bits(struct match *match, const struct subfield *sub,
                        const struct tun_value *value);
/* Exact matches on the options that are there. OPTS NULL: KEY has no more. */
void match_set_options(struct match *match, const struct flow_key *key,
                       const struct tun_opts *opts);
/* What MATCH says of it: of all bits (then MASK is all ones), of some, of its being there alone (MASK 0). False: nothing. */
enum tun_match { TUN_NOT, TUN_PRESENT, TUN_MASKED, TUN_EXACT };
enum tun_match match_get_tun(const struct match *match, enum field_id id, struct tun_value *value,
                             struct tun_value *mask);
/* The match itself guarantees PREREQ, with exact bits. */
bool match_implies_prereq(const struct match *match, enum field_prereq prereq);
bool match_equal(const struct match *a, const struct match *b);
int match_compare(const struct match *a, const struct match *b); /* some order, 0: equal */
uint64_t match_hash(const struct match *match, uint64_t seed);
bool match_covers_key(const struct match *match,
                      const struct flow_key *key); /* which has no more options */
bool match_covers(const struct match *match, const struct flow_key *key,
                  const struct tun_opts *opts);
/* Every packet that A covers is covered by B. */
bool match_is_subset(const struct match *a, const struct match *b);
/* Some packet is covered by both. */
bool match_overlaps(const struct match *a, const struct match *b);
/* What both cover; false: nothing (RET is then undefined). */
bool match_intersect(const struct match *a, const struct match *b, struct match *ret);

/* In the order and form of ovs-ofctl, without blanks, e.g. "ip,metadata=0x1,nw_dst=10.0.0.0/24";
 * nothing for the match of everything. PRIORITY, unless it is 32768 or negative, comes first as
 * "priority=N". */
void match_put(struct str *s, const struct match *match, int priority,
               const struct port_names *names);

/* ---- The small form ---- */

/* A match in one block: the words of the mask that are not zero, each with its value. Immutable;
 * compared, hashed and freed as bytes. */
struct minimatch {
    uint64_t map; /* words of the mask that are not zero; MINIMATCH_TUN */
    uint64_t words
        []; /* as many as they are of the key, then of the mask; with MINIMATCH_TUN, a struct minimatch_tun */
};
#define MINIMATCH_TUN (UINT64_C(1) << 63)
struct minimatch_tun { /* zeros where it is not in use */
    struct tun_opts tun;
    struct tun_mask mask;
};
static inline uint64_t minimatch_words(const struct minimatch *mini)
{
    return mini->map & ~MINIMATCH_TUN;
}

struct minimatch *minimatch_new(const struct match *match); /* free() it */
/* The same at BUF, which has room for MINIMATCH_MAX bytes and is aligned to 8; returns the bytes used. */
enum { MINIMATCH_MAX = 8 + 2 * sizeof(struct flow_key) + sizeof(struct minimatch_tun) };
size_t minimatch_put(const struct match *match, void *buf);
size_t minimatch_size(const struct minimatch *mini); /* bytes of the block */
void minimatch_expand(const struct minimatch *mini, struct match *ret);
bool minimatch_equal(const struct minimatch *a, const struct minimatch *b);
uint64_t minimatch_hash(const struct minimatch *mini, uint64_t seed);
bool minimatch_covers_key(const struct minimatch *mini, const struct flow_key *key);
