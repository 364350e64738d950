/* subtable.h - private to lib/classifier: the rules that share one mask.
 *
 * See classifier.h for the picture. A subtable knows its mask as a list of the words that are not
 * zero, in key order, and where each stage ends in that list. It promises that subtable_lookup adds
 * to WC enough of the mask to prove its answer. It does not know other subtables or priorities
 * across them.
 */
#pragma once

#include "classifier/classifier.h"
#include "classifier/counts.h"

enum { CLS_STAGE_METADATA, CLS_STAGE_L2, CLS_STAGE_L3, CLS_STAGE_L4 };

struct prio_count {
    int32_t priority;
    uint32_t count;
};

struct cls_subtable {
    struct hnode node;                 /* in classifier.subtables */
    struct hmap rules;                 /* heads, by hash of the masked words */
    struct counts partial[CLS_STAGES]; /* chains, by hash of the words up to the end of a stage */
    VEC(struct prio_count) priorities; /* highest first */
    uint16_t stage_end[CLS_STAGES];    /* index past the last word of the stage */
    struct cls_step {
        uint16_t end; /* as stage_end */
        bool indexed; /* there is an index partial[stage] */
        uint8_t stage;
        uint8_t trie, trie_end; /* tries to ask before */
    } steps[CLS_STAGES];        /* the stages that have words */
    uint16_t n_steps;
    struct trie ports[CLS_TRIES - CLS_TRIES_L3];
    uint8_t plen[CLS_TRIES]; /* prefix length of the trie's field; 0: not a prefix, or absent */
    uint16_t n;
    uint64_t map;    /* bit i: word i of the key */
    uint16_t *index; /* of the word in the key */
    uint64_t *mask;
    struct tun_mask *tun; /* of options that the key has no room for; NULL: nothing */
};

/* The part of a lookup that all subtables share. */
struct cls_search {
    const struct classifier *cls;
    const uint64_t *key;
    const struct tun_opts *opts; /* what belongs to the key */
    uint64_t *wc;                /* NULL: not wanted */
    uint64_t *words;             /* bit i: word i of wc */
    struct trie_answer answers[CLS_TRIES_L3];
    unsigned answered; /* bit t: answers[t] is there */
};

/* Ports are looked up in what the subtable alone has: few bits tell a port from those, and many from all of the table's. */
static inline struct trie *subtable_port_trie(struct cls_subtable *st, unsigned t)
{
    return &st->ports[t - CLS_TRIES_L3];
}

static inline const uint64_t *key_words(const struct flow_key *key)
{
    return flow_words_const(key);
}

static inline const uint64_t *mask_words(const struct flow_mask *mask)
{
    return flow_words_const(&mask->bits);
}

/* Of the rules of a subtable that has a mask of options: the values of RULE. */
static inline struct tun_opts *rule_opts(const struct cls_rule *rule)
{
    return (struct tun_opts *)(void *)(rule->values + rule->subtable->n);
}

/* Whether RULE agrees with MATCH in the bits of its mask that RULE's own mask has too. */
bool subtable_rule_agrees(const struct cls_rule *rule, const struct match *match);
/* Whether every bit of MATCH's mask is in the mask of ST. */
bool subtable_covers(const struct cls_subtable *st, const struct match *match);
/* Of MATCH's mask, whose flow_word_map is MAP. */
uint64_t subtable_mask_hash(const struct match *match, uint64_t map);
bool subtable_mask_equal(const struct cls_subtable *st, const struct match *match, uint64_t map);
struct cls_subtable *subtable_new(const struct match *match); /* for MATCH's mask */
void subtable_free(struct cls_subtable *st);                  /* which holds no rules */

static inline int32_t subtable_max_priority(const struct cls_subtable *st)
{
    return st->priorities.data[0].priority;
}

/* The head of the chain with MATCH's values, or NULL. They need not be masked. */
struct cls_rule *subtable_find(const struct cls_subtable *st, const struct match *match);
/* The same, staged and with the tries' help, adding to SEARCH->wc. */
struct cls_rule *subtable_lookup(const struct cls_subtable *st, struct cls_search *search);

/* RULE->priority is set; fills its other members and links it. */
void subtable_insert(struct cls_subtable *st, struct cls_rule *rule, const struct match *match);
void subtable_remove(struct cls_subtable *st, struct cls_rule *rule);
/* Puts NEW where OLD is; takes over OLD's values. */
void subtable_replace(struct cls_subtable *st, struct cls_rule *old, struct cls_rule *new);

/* The fields with tries: where they are in the key. */
struct trie_field {
    uint16_t offset; /* bytes */
    uint16_t n_bytes;
};
extern const struct trie_field trie_fields[CLS_TRIES];
