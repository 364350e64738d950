/* classifier.c - see classifier.h; the search across subtables, and their bookkeeping. */
#include "classifier/classifier.h"

#include <stdlib.h>
#include <string.h>

#include "classifier/cursor.h"
#include "classifier/subtable.h"

void classifier_init(struct classifier *cls)
{
    memset(cls, 0, sizeof *cls);
    list_init(&cls->rules);
    list_init(&cls->cursors);
}

void classifier_fini(struct classifier *cls)
{
    INVARIANT(cls->n_rules == 0 && list_empty(&cls->cursors));
    hmap_fini(&cls->subtables);
    vec_fini(&cls->by_priority);
    for (unsigned t = 0; t < CLS_TRIES_L3; t++)
        trie_fini(&cls->tries[t]);
}

static struct cls_subtable *subtable_of(const struct classifier *cls, const struct match *match)
{
    uint64_t map = flow_word_map(&match->mask.bits);
    struct cls_subtable *st;
    HMAP_FOR_EACH_WITH_HASH (st, node, subtable_mask_hash(match, map), &cls->subtables) {
        if (subtable_mask_equal(st, match, map))
            return st;
    }
    return NULL;
}

static void order_remove(struct classifier *cls, const struct cls_subtable *st)
{
    size_t i = 0;
    while (cls->by_priority.data[i] != st)
        i++;
    vec_remove(&cls->by_priority, i);
}

static void order_insert(struct classifier *cls, struct cls_subtable *st)
{
    vec_push(&cls->by_priority, st);
    size_t i = cls->by_priority.n - 1;
    for (; i > 0; i--) {
        struct cls_subtable *before = cls->by_priority.data[i - 1];
        if (subtable_max_priority(before) >= subtable_max_priority(st))
            break;
        cls->by_priority.data[i] = before;
    }
    cls->by_priority.data[i] = st;
}

static void tries_count(struct classifier *cls, const struct cls_rule *rule, bool add)
{
    struct match match;
    bool built = false;
    for (unsigned t = 0; t < CLS_TRIES; t++) {
        unsigned plen = rule->subtable->plen[t];
        if (!plen)
            continue;
        if (!built)
            cls_rule_match(rule, &match);
        built = true;
        const uint8_t *value = (const uint8_t *)&match.key + trie_fields[t].offset;
        struct trie *trie =
            t < CLS_TRIES_L3 ? &cls->tries[t] : subtable_port_trie(rule->subtable, t);
        if (add)
            trie_add(trie, value, plen);
        else
            trie_remove(trie, value, plen);
    }
}

static void insert(struct classifier *cls, struct cls_rule *rule, const struct match *match)
{
    struct cls_subtable *st = subtable_of(cls, match);
    bool is_new = !st;
    if (is_new) {
        st = subtable_new(match);
        hmap_insert(&cls->subtables, &st->node, st->node.hash);
    }
    int32_t old_max = is_new ? 0 : subtable_max_priority(st);
    subtable_insert(st, rule, match);
    if (is_new) {
        order_insert(cls, st);
    } else if (subtable_max_priority(st) != old_max) {
        order_remove(cls, st);
        order_insert(cls, st);
    }
    cls->n_rules++;
    cls->edits++;
    cls->n_soft += rule->n_conjs > 0;
    tries_count(cls, rule, true);
}

void classifier_insert(struct classifier *cls, struct cls_rule *rule, const struct match *match,
                       int32_t priority, const struct cls_conj *conjs, uint32_t n_conjs)
{
    rule->priority = priority;
    rule->conjs = conjs;
    rule->n_conjs = n_conjs;
    rule->seq = cls->next_seq++;
    rule->from = 0;
    rule->until = CLS_FOREVER;
    insert(cls, rule, match);
    list_push_back(&cls->rules, &rule->order);
}

void classifier_restore(struct classifier *cls, struct cls_rule *rule, const struct match *match)
{
    insert(cls, rule, match);
    struct list *pos = &cls->rules;
    while (pos->prev != &cls->rules &&
           CONTAINER_OF(pos->prev, struct cls_rule, order)->seq > rule->seq)
        pos = pos->prev;
    list_insert(pos, &rule->order);
    cls_cursors_restored(cls, rule);
}

void classifier_replace(struct classifier *cls, struct cls_rule *old, struct cls_rule *new,
                        const struct cls_conj *conjs, uint32_t n_conjs)
{
    new->priority = old->priority;
    new->seq = old->seq;
    new->from = old->from;
    new->until = old->until;
    new->conjs = conjs;
    new->n_conjs = n_conjs;
    subtable_replace(old->subtable, old, new);
    list_insert(&old->order, &new->order);
    cls_cursors_removing(cls, old, new);
    list_remove(&old->order);
    cls->edits++;
    cls->n_soft += (n_conjs > 0) - (size_t)(old->n_conjs > 0);
}

void classifier_follow(struct classifier *cls, struct cls_rule *old, struct cls_rule *new,
                       const struct cls_conj *conjs, uint32_t n_conjs)
{
    struct match match;
    cls_rule_match(old, &match);
    new->priority = old->priority;
    new->seq = old->seq;
    new->until = CLS_FOREVER;
    new->conjs = conjs;
    new->n_conjs = n_conjs;
    classifier_from_next(cls, new);
    classifier_until_next(cls, old);
    insert(cls, new, &match);
    list_insert(old->order.next, &new->order);
}

void classifier_remove(struct classifier *cls, struct cls_rule *rule)
{
    struct cls_subtable *st = rule->subtable;
    tries_count(cls, rule, false);
    int32_t old_max = subtable_max_priority(st);
    subtable_remove(st, rule);
    cls_cursors_removing(cls, rule, NULL);
    list_remove(&rule->order);
    cls->n_rules--;
    cls->edits++;
    cls->n_soft -= rule->n_conjs > 0;
    if (st->priorities.n && subtable_max_priority(st) == old_max)
        return;
    order_remove(cls, st);
    if (st->priorities.n) {
        order_insert(cls, st);
    } else {
        hmap_remove(&cls->subtables, &st->node);
        subtable_free(st);
    }
}

static bool rule_beats(const struct cls_rule *a, const struct cls_rule *b)
{
    return !b || a->priority > b->priority || (a->priority == b->priority && a->seq < b->seq);
}

typedef VEC(const struct cls_rule *) soft_matches;

/* The best hard match; soft matches met on the way are appended to SOFT unless it is NULL. */
static struct cls_rule *search_hard(struct cls_search *search, soft_matches *soft)
{
    const struct classifier *cls = search->cls;
    struct cls_rule *best = NULL;
    for (size_t i = 0; i < cls->by_priority.n; i++) {
        const struct cls_subtable *st = cls->by_priority.data[i];
        if (best && subtable_max_priority(st) < best->priority)
            break;
        struct cls_rule *rule = subtable_lookup(st, search);
        for (; rule; rule = rule->lower) {
            if (!cls_rule_is_seen(cls, rule))
                continue;
            if (!rule->n_conjs) {
                if (rule_beats(rule, best))
                    best = rule;
                break;
            }
            if (soft)
                vec_push(soft, rule);
        }
    }
    return best;
}

struct clause {
    int32_t priority;
    uint32_t id;
    uint8_t clause, n_clauses;
};

static int clause_compare(const void *a_, const void *b_)
{
    const struct clause *a = a_, *b = b_;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (int)a->n_clauses - (int)b->n_clauses;
}

static struct cls_rule *lookup_conj_id(const struct cls_search *search, uint32_t id)
{
    struct flow_key key = *(const struct flow_key *)(const void *)search->key;
    key.conj_id = swap32(id);
    struct cls_search again = {.cls = search->cls,
                               .key = key_words(&key),
                               .opts = search->opts,
                               .wc = search->wc,
                               .words = search->words};
    return search_hard(&again, NULL);
}

/* The answer through a complete conjunction of a priority above HARD's, or NULL. */
static struct cls_rule *search_conjunctions(const struct cls_search *search,
                                            const soft_matches *soft, const struct cls_rule *hard)
{
    VEC(struct clause) clauses = VEC_INIT;
    for (size_t i = 0; i < soft->n; i++) {
        const struct cls_rule *rule = soft->data[i];
        if (hard && rule->priority <= hard->priority)
            continue;
        for (uint32_t c = 0; c < rule->n_conjs; c++) {
            struct clause clause = {rule->priority, rule->conjs[c].id, rule->conjs[c].clause,
                                    rule->conjs[c].n_clauses};
            vec_push(&clauses, clause);
        }
    }
    if (clauses.n)
        qsort(clauses.data, clauses.n, sizeof clauses.data[0], clause_compare);
    struct cls_rule *found = NULL;
    for (size_t i = 0; i < clauses.n && !found;) {
        const struct clause *first = &clauses.data[i];
        uint64_t have = 0;
        for (; i < clauses.n && !clause_compare(first, &clauses.data[i]); i++)
            have |= UINT64_C(1) << (clauses.data[i].clause % CLS_CLAUSES_MAX);
        if (__builtin_popcountll(have) == first->n_clauses)
            found = lookup_conj_id(search, first->id);
    }
    vec_fini(&clauses);
    return found;
}

struct cls_rule *classifier_lookup_words(const struct classifier *cls, const struct flow_key *key,
                                         const struct tun_opts *opts, struct flow_mask *wc,
                                         uint64_t *words)
{
    static const struct tun_opts none;
    struct cls_search search = {.cls = cls,
                                .key = key_words(key),
                                .opts = opts ? opts : &none,
                                .wc = (uint64_t *)(void *)wc,
                                .words = words};
    *words = 0;
    if (!cls->n_soft) {
        struct cls_rule *rule = search_hard(&search, NULL);
        if (wc)
            wc->bits.conj_id = 0;
        return rule;
    }

    soft_matches soft = VEC_INIT;
    struct cls_rule *hard = search_hard(&search, &soft);
    struct cls_rule *found = soft.n ? search_conjunctions(&search, &soft, hard) : NULL;
    vec_fini(&soft);
    if (wc)
        wc->bits.conj_id = 0;
    return found ? found : hard;
}

struct cls_rule *classifier_lookup(const struct classifier *cls, const struct flow_key *key,
                                   struct flow_mask *wc)
{
    uint64_t words;
    return classifier_lookup_words(cls, key, NULL, wc, &words);
}

struct cls_rule *classifier_find(const struct classifier *cls, const struct match *match,
                                 int32_t priority)
{
    const struct cls_subtable *st = subtable_of(cls, match);
    struct cls_rule *rule = st ? subtable_find(st, match) : NULL;
    while (rule && (rule->priority != priority || rule->until != CLS_FOREVER))
        rule = rule->lower;
    return rule;
}

bool classifier_overlaps(const struct classifier *cls, const struct match *match, int32_t priority)
{
    const struct cls_rule *rule;
    CLASSIFIER_FOR_EACH(rule, cls)
    {
        if (rule->priority == priority && rule->until == CLS_FOREVER &&
            subtable_rule_agrees(rule, match))
            return true;
    }
    return false;
}

static int seq_compare(const void *a_, const void *b_)
{
    const struct cls_rule *const *a = a_, *const *b = b_;
    return (*a)->seq < (*b)->seq ? -1 : (*a)->seq > (*b)->seq;
}

void classifier_select(const struct classifier *cls, const struct match *match, cls_rules *ret)
{
    uint64_t map = flow_word_map(&match->mask.bits);
    size_t first = ret->n;
    for (size_t i = 0; i < cls->by_priority.n; i++) {
        const struct cls_subtable *st = cls->by_priority.data[i];
        struct cls_rule *head;
        if (subtable_mask_equal(st, match, map)) { /* at most one chain */
            for (head = subtable_find(st, match); head; head = head->lower)
                vec_push(ret, head);
            continue;
        }
        if (!subtable_covers(st, match))
            continue;
        HMAP_FOR_EACH (head, node, &st->rules) {
            if (!subtable_rule_agrees(head, match))
                continue;
            for (struct cls_rule *rule = head; rule; rule = rule->lower)
                vec_push(ret, rule);
        }
    }
    if (ret->n > first)
        qsort(ret->data + first, ret->n - first, sizeof ret->data[0], seq_compare);
}

size_t classifier_may_select(const struct classifier *cls, const struct match *match)
{
    uint64_t map = flow_word_map(&match->mask.bits);
    size_t n = 0;
    for (size_t i = 0; i < cls->by_priority.n; i++) {
        const struct cls_subtable *st = cls->by_priority.data[i];
        if (subtable_mask_equal(st, match, map))
            n += subtable_find(st, match) != NULL;
        else if (subtable_covers(st, match))
            n += st->rules.n;
    }
    return n;
}

void cls_rule_match(const struct cls_rule *rule, struct match *ret)
{
    const struct cls_subtable *st = rule->subtable;
    match_init(ret);
    uint64_t *key = (uint64_t *)(void *)&ret->key, *mask = (uint64_t *)(void *)&ret->mask;
    for (unsigned i = 0; i < st->n; i++) {
        key[st->index[i]] = rule->values[i];
        mask[st->index[i]] = st->mask[i];
    }
    if (st->tun) {
        tun_opts_copy(&ret->tun, rule_opts(rule));
        tun_mask_copy(&ret->tun_mask, st->tun);
    }
}
