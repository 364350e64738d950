/* subtable.c - see subtable.h. */
#include "classifier/subtable.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

const struct trie_field trie_fields[CLS_TRIES] = {
    {offsetof(struct flow_key, nw_dst), 4},   {offsetof(struct flow_key, nw_src), 4},
    {offsetof(struct flow_key, ip6_dst), 16}, {offsetof(struct flow_key, ip6_src), 16},
    {offsetof(struct flow_key, tp_src), 2}, /* CLS_TRIES_L3 */
    {offsetof(struct flow_key, tp_dst), 2},
};

static unsigned word_stage(unsigned word)
{
    return word < FLOW_STAGE_METADATA_END ? CLS_STAGE_METADATA
           : word < FLOW_STAGE_L2_END     ? CLS_STAGE_L2
           : word < FLOW_STAGE_L3_END     ? CLS_STAGE_L3
                                          : CLS_STAGE_L4;
}

uint64_t subtable_mask_hash(const struct match *match, uint64_t map)
{
    uint64_t hash = map;
    for (; map; map &= map - 1)
        hash = hash_u64(mask_words(&match->mask)[__builtin_ctzll(map)], hash);
    return tun_mask_is_empty(&match->tun_mask) ? hash : tun_mask_hash(&match->tun_mask, hash);
}

bool subtable_mask_equal(const struct cls_subtable *st, const struct match *match, uint64_t map)
{
    uint64_t differs = map ^ st->map;
    for (unsigned i = 0; i < st->n; i++)
        differs |= st->mask[i] ^ mask_words(&match->mask)[st->index[i]];
    if (differs)
        return false;
    return st->tun ? tun_mask_equal(st->tun, &match->tun_mask)
                   : tun_mask_is_empty(&match->tun_mask);
}

/* The number of leading one bits when BYTES are ones followed by zeros, else 0. */
static uint8_t prefix_length(const uint8_t *bytes, unsigned n)
{
    unsigned plen = 0;
    while (plen < n * 8 && bytes[plen / 8] >> (7 - plen % 8) & 1)
        plen++;
    for (unsigned i = plen; i < n * 8; i++) {
        if (bytes[i / 8] >> (7 - i % 8) & 1)
            return 0;
    }
    return (uint8_t)plen;
}

/* Whether stage S of ST has an index of its own: it has words, and more words follow. */
static bool stage_indexed(const struct cls_subtable *st, unsigned s)
{
    return st->stage_end[s] < st->n && st->stage_end[s] > (s ? st->stage_end[s - 1] : 0);
}

static void steps_fill(struct cls_subtable *st)
{
    for (unsigned s = 0; s < CLS_STAGES; s++) {
        if (st->stage_end[s] == (s ? st->stage_end[s - 1] : 0))
            continue;
        struct cls_step *step = &st->steps[st->n_steps++];
        *step = (struct cls_step){
            .end = st->stage_end[s], .indexed = stage_indexed(st, s), .stage = (uint8_t)s};
        unsigned first = s == CLS_STAGE_L3 ? 0 : CLS_TRIES_L3;
        unsigned end = s == CLS_STAGE_L3 ? CLS_TRIES_L3 : CLS_TRIES;
        for (unsigned t = first; s >= CLS_STAGE_L3 && t < end; t++) {
            if (st->plen[t] && !step->trie_end)
                step->trie = (uint8_t)t;
            if (st->plen[t])
                step->trie_end = (uint8_t)(t + 1);
        }
    }
}

struct cls_subtable *subtable_new(const struct match *match)
{
    const struct flow_mask *mask = &match->mask;
    const uint64_t *words = mask_words(mask);
    struct cls_subtable *st = NEW(struct cls_subtable);
    st->map = flow_word_map(&mask->bits);
    st->n = (uint16_t)__builtin_popcountll(st->map);
    st->index = xcalloc(st->n + 1, sizeof *st->index);
    st->mask = xcalloc(st->n + 1, sizeof *st->mask);
    unsigned pos = 0;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        if (words[i]) {
            st->index[pos] = (uint16_t)i;
            st->mask[pos++] = words[i];
            for (unsigned s = word_stage(i); s < CLS_STAGES; s++)
                st->stage_end[s] = (uint16_t)pos;
        }
    }
    for (unsigned t = 0; t < CLS_TRIES; t++)
        st->plen[t] =
            prefix_length((const uint8_t *)mask + trie_fields[t].offset, trie_fields[t].n_bytes);
    steps_fill(st);
    if (!tun_mask_is_empty(&match->tun_mask)) {
        st->tun = NEW(struct tun_mask);
        tun_mask_copy(st->tun, &match->tun_mask);
    }
    st->node.hash = subtable_mask_hash(match, st->map);
    return st;
}

void subtable_free(struct cls_subtable *st)
{
    INVARIANT(st->rules.n == 0);
    hmap_fini(&st->rules);
    for (unsigned s = 0; s < CLS_STAGES; s++) {
        INVARIANT(counts_is_empty(&st->partial[s]));
        counts_fini(&st->partial[s]);
    }
    for (unsigned t = 0; t < ARRAY_SIZE(st->ports); t++)
        trie_fini(&st->ports[t]);
    vec_fini(&st->priorities);
    free(st->index);
    free(st->mask);
    free(st->tun);
    free(st);
}

/* Extends HASH over the masked words FROM up to TO. */
static uint64_t words_hash(const struct cls_subtable *st, const uint64_t *key, unsigned from,
                           unsigned to, uint64_t hash)
{
    for (unsigned i = from; i < to; i++)
        hash = hash_u64(key[st->index[i]] & st->mask[i], hash);
    return hash;
}

static bool values_match(const struct cls_subtable *st, const struct cls_rule *rule,
                         const uint64_t *key)
{
    for (unsigned i = 0; i < st->n; i++) {
        if ((key[st->index[i]] & st->mask[i]) != rule->values[i])
            return false;
    }
    return true;
}

/* In a subtable with a mask of options. HASH: that of all words. */
static struct cls_rule *find_with_opts(const struct cls_subtable *st, const uint64_t *key,
                                       const struct tun_opts *opts, uint64_t hash)
{
    struct cls_rule *rule;
    struct tun_opts seen;
    tun_opts_and(opts, st->tun, &seen);
    HMAP_FOR_EACH_WITH_HASH (rule, node, tun_opts_hash(&seen, hash), &st->rules) {
        if (values_match(st, rule, key) && tun_opts_equal(rule_opts(rule), &seen))
            return rule;
    }
    return NULL;
}

static struct cls_rule *find_with_hash(const struct cls_subtable *st, const uint64_t *key,
                                       const struct tun_opts *opts, uint64_t hash)
{
    struct cls_rule *rule;
    if (st->tun)
        return find_with_opts(st, key, opts, hash);
    HMAP_FOR_EACH_WITH_HASH (rule, node, hash, &st->rules) {
        if (values_match(st, rule, key))
            return rule;
    }
    return NULL;
}

/* Whoever asks for one rule mostly adds it next: what that counts is fetched meanwhile. */
static uint64_t hash_to_add(const struct cls_subtable *st, const uint64_t *key)
{
    uint64_t hash = 0;
    unsigned done = 0;
    for (unsigned s = 0; s < CLS_STAGES; s++) {
        hash = words_hash(st, key, done, st->stage_end[s], hash);
        done = st->stage_end[s];
        if (stage_indexed(st, s))
            counts_fetch(&st->partial[s], hash);
    }
    return hash;
}

struct cls_rule *subtable_find(const struct cls_subtable *st, const struct match *match)
{
    const uint64_t *key = key_words(&match->key);
    return find_with_hash(st, key, &match->tun, hash_to_add(st, key));
}

static void wc_add_mask(const struct cls_subtable *st, unsigned n, struct cls_search *search)
{
    for (unsigned i = 0; search->wc && i < n; i++) {
        search->wc[st->index[i]] |= st->mask[i];
        *search->words |= UINT64_C(1) << st->index[i];
    }
}

/* The number of the options stands for all of them. */
static void wc_add_opts(struct cls_search *search)
{
    enum { WORD = offsetof(struct flow_key, tunnel.more) / 8 };
    if (!search->wc)
        return;
    search->wc[WORD] = UINT64_MAX;
    *search->words |= UINT64_C(1) << WORD;
}

static void wc_add_prefix(struct cls_search *search, const struct trie_field *field, unsigned plen)
{
    uint8_t *bytes = (uint8_t *)search->wc;
    if (!bytes)
        return;
    bytes += field->offset;
    for (unsigned i = 0; i < plen; i += 8)
        bytes[i / 8] |= plen - i >= 8 ? 0xff : (uint8_t)(0xff00 >> (plen - i));
    for (unsigned at = field->offset / 8; at <= (field->offset + field->n_bytes - 1u) / 8; at++)
        *search->words |= UINT64_C(1) << at;
}

/* What the trie of field T says of the packet; OWN is for an answer that other subtables have no use for. */
static const struct trie_answer *ask_trie(const struct cls_subtable *st, struct cls_search *search,
                                          unsigned t, struct trie_answer *own)
{
    const struct trie_field *field = &trie_fields[t];
    const uint8_t *value = (const uint8_t *)search->key + field->offset;
    if (t >= CLS_TRIES_L3) {
        trie_lookup(&st->ports[t - CLS_TRIES_L3], value, field->n_bytes, own);
        return own;
    }
    if (!(search->answered & 1u << t))
        trie_lookup(&search->cls->tries[t], value, field->n_bytes, &search->answers[t]);
    search->answered |= 1u << t;
    return &search->answers[t];
}

/* Whether a trie shows that no rule of ST can match; then the bits that show it are added to wc. */
static bool tries_exclude(const struct cls_subtable *st, struct cls_search *search,
                          const struct cls_step *step)
{
    for (unsigned t = step->trie; t < step->trie_end; t++) {
        if (!st->plen[t])
            continue;
        struct trie_answer own;
        const struct trie_answer *answer = ask_trie(st, search, t, &own);
        if (!trie_has_plen(answer, st->plen[t])) {
            wc_add_prefix(search, &trie_fields[t], MIN(st->plen[t], answer->examined));
            return true;
        }
    }
    return false;
}

struct cls_rule *subtable_lookup(const struct cls_subtable *st, struct cls_search *search)
{
    uint64_t hash = 0;
    unsigned done = 0;
    for (unsigned i = 0; i < st->n_steps; i++) {
        const struct cls_step *step = &st->steps[i];
        if (step->trie < step->trie_end && tries_exclude(st, search, step)) {
            wc_add_mask(st, done, search);
            return NULL;
        }
        hash = words_hash(st, search->key, done, step->end, hash);
        done = step->end;
        if (step->indexed && !counts_has(&st->partial[step->stage], hash)) {
            wc_add_mask(st, done, search);
            return NULL;
        }
    }
    wc_add_mask(st, st->n, search);
    if (st->tun)
        wc_add_opts(search);
    return find_with_hash(st, search->key, search->opts, hash);
}

/* Counts a chain (of a new head) in, or out of, the indexes of the stages. */
static void partials_count(struct cls_subtable *st, const uint64_t *values, bool add)
{
    uint64_t hash = 0;
    unsigned done = 0;
    for (unsigned s = 0; s < CLS_STAGES; s++) {
        for (; done < st->stage_end[s]; done++)
            hash = hash_u64(values[done], hash);
        if (!stage_indexed(st, s))
            continue;
        if (add)
            counts_add(&st->partial[s], hash);
        else
            counts_remove(&st->partial[s], hash);
    }
}

static void priorities_count(struct cls_subtable *st, int32_t priority, bool add)
{
    size_t lo = 0, hi = st->priorities.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (st->priorities.data[mid].priority > priority)
            lo = mid + 1;
        else
            hi = mid;
    }
    bool there = lo < st->priorities.n && st->priorities.data[lo].priority == priority;
    INVARIANT(add || there);
    if (!there) {
        (void)vec_push_zero(&st->priorities);
        memmove(&st->priorities.data[lo + 1], &st->priorities.data[lo],
                (st->priorities.n - 1 - lo) * sizeof st->priorities.data[0]);
        st->priorities.data[lo] = (struct prio_count){priority, 0};
    }
    st->priorities.data[lo].count += add ? 1 : UINT32_MAX;
    if (!st->priorities.data[lo].count)
        vec_remove(&st->priorities, lo);
}

void subtable_insert(struct cls_subtable *st, struct cls_rule *rule, const struct match *match)
{
    const uint64_t *key = key_words(&match->key);
    size_t more = st->tun ? DIV_ROUND_UP(sizeof(struct tun_opts), sizeof *rule->values) : 1;
    rule->subtable = st;
    rule->lower = NULL;
    rule->values = xcalloc(st->n + more, sizeof *rule->values);
    for (unsigned i = 0; i < st->n; i++)
        rule->values[i] = key[st->index[i]] & st->mask[i];
    uint64_t hash = words_hash(st, key, 0, st->n, 0);
    struct cls_rule *head = find_with_hash(st, key, &match->tun, hash);
    if (st->tun) {
        tun_opts_and(&match->tun, st->tun, rule_opts(rule));
        hash = tun_opts_hash(rule_opts(rule), hash);
    }
    rule->node.hash = hash;
    if (!head) {
        hmap_insert(&st->rules, &rule->node, hash);
        partials_count(st, rule->values, true);
    } else if (rule->priority > head->priority) {
        hmap_remove(&st->rules, &head->node);
        rule->lower = head;
        hmap_insert(&st->rules, &rule->node, hash);
    } else {
        while (head->lower && head->lower->priority > rule->priority)
            head = head->lower;
        rule->lower = head->lower;
        head->lower = rule;
    }
    priorities_count(st, rule->priority, true);
}

/* The head of the chain that RULE is in. */
static struct cls_rule *chain_head(const struct cls_subtable *st, const struct cls_rule *rule)
{
    struct cls_rule *head;
    HMAP_FOR_EACH_WITH_HASH (head, node, rule->node.hash, &st->rules) {
        if (!memcmp(head->values, rule->values, st->n * sizeof *head->values) &&
            (!st->tun || tun_opts_equal(rule_opts(head), rule_opts(rule))))
            return head;
    }
    bug("a rule is not in its subtable");
}

/* Puts TO (may be NULL) where FROM is linked. */
static void chain_relink(struct cls_subtable *st, struct cls_rule *from, struct cls_rule *to)
{
    struct cls_rule *head = chain_head(st, from);
    if (head == from) {
        uint64_t hash = from->node.hash;
        hmap_remove(&st->rules, &from->node);
        if (to)
            hmap_insert(&st->rules, &to->node, hash);
        return;
    }
    while (head->lower != from)
        head = head->lower;
    head->lower = to;
}

void subtable_remove(struct cls_subtable *st, struct cls_rule *rule)
{
    bool last = chain_head(st, rule) == rule && !rule->lower;
    chain_relink(st, rule, rule->lower);
    if (last)
        partials_count(st, rule->values, false);
    priorities_count(st, rule->priority, false);
    free(rule->values);
    rule->values = NULL;
    rule->lower = NULL;
    rule->subtable = NULL;
}

void subtable_replace(struct cls_subtable *st, struct cls_rule *old, struct cls_rule *new)
{
    new->subtable = st;
    new->values = old->values;
    new->lower = old->lower;
    new->node.hash = old->node.hash;
    chain_relink(st, old, new);
    old->values = NULL;
    old->lower = NULL;
    old->subtable = NULL;
}

bool subtable_rule_agrees(const struct cls_rule *rule, const struct match *match)
{
    const uint64_t *key = key_words(&match->key), *mask = mask_words(&match->mask);
    const struct cls_subtable *st = rule->subtable;
    for (unsigned i = 0; i < st->n; i++) {
        if ((rule->values[i] ^ key[st->index[i]]) & st->mask[i] & mask[st->index[i]])
            return false;
    }
    return !st->tun || tun_opts_agree(rule_opts(rule), st->tun, &match->tun, &match->tun_mask);
}

bool subtable_covers(const struct cls_subtable *st, const struct match *match)
{
    static const struct tun_mask none;
    const uint64_t *mask = mask_words(&match->mask);
    unsigned pos = 0;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        while (pos < st->n && st->index[pos] < i)
            pos++;
        uint64_t have = pos < st->n && st->index[pos] == i ? st->mask[pos] : 0;
        if (mask[i] & ~have)
            return false;
    }
    return tun_mask_covers(st->tun ? st->tun : &none, &match->tun_mask);
}
