/* classifier.h - finds the rule of highest priority that matches a packet, and says what it looked
 * at.
 *
 * A classifier holds rules: each a match (key and mask over struct flow_key), a priority, and a
 * place in the order of insertion. It answers
 *
 *     classifier_lookup(cls, key, wc)
 *
 * with the rule of highest priority among those whose match covers KEY; among rules of equal
 * priority with the one that was inserted first (docs/seeds.md SD-13). That is all a linear list would do;
 * the rest is speed, and one promise more:
 *
 *   Un-wildcarding. The lookup sets bits in WC such that every key that agrees with KEY in these
 * bits gets the same answer. A cache may therefore answer for all of them. Bits that did not matter
 * are left alone, so the fewer bits a lookup needs to reject the rules that do not match, the more
 *   packets one cache entry serves.
 *
 * How: tuple space search. Rules with the same mask form a subtable, a hash table over the masked
 * words; subtables are tried from the highest maximum priority down, and the search ends when no
 * remaining subtable can win. Two refinements keep both time and un-wildcarding small. Staged
 * lookup: a subtable's words are hashed in four stages (metadata, L2, L3, L4); each prefix of
 * stages has its own index, and a miss in an early one leaves the later fields wildcarded. Prefix
 * tries: for IP addresses and ports a trie tells which prefix lengths can match at all, so that the
 * subtables of other lengths are skipped after looking at only as many bits as tell them apart.
 *
 * Conjunctions. A rule may be a soft match: it names clauses (id, k of n). When a packet matches
 * soft rules of one priority that cover all n clauses of an id, the lookup is repeated with conj_id
 * = id, and its result, if any, is the answer (ovs-fields(7), "conjunctive match fields"). A hard
 * rule of the same or a higher priority comes first. When several ids are complete the lowest wins.
 *
 * What it does not do: it owns no rules (struct cls_rule is embedded), counts nothing, and is for
 * one thread.
 *
 * Room 9 of docs/architecture.md.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/vec.h"
#include "classifier/trie.h"
#include "flow/key.h"

struct cls_subtable;

/* One clause that a soft match satisfies: CLAUSE (0-based) of N_CLAUSES of conjunction ID. */
struct cls_conj {
    uint32_t id;
    uint8_t clause, n_clauses;
};
enum { CLS_CLAUSES_MAX = 64 };

struct cls_rule {
    struct hnode node;             /* in the subtable; only the head of a chain is in the table */
    struct cls_rule *lower;        /* same match, next in precedence */
    struct list order;             /* in classifier.rules, by seq */
    struct cls_subtable *subtable; /* NULL while not inserted */
    uint64_t *values;              /* masked words, in the order of the subtable's */
    uint64_t seq;
    int32_t priority;
    uint32_t from, until;         /* look-ups find it in versions FROM up to UNTIL */
    uint32_t n_conjs;             /* > 0: a soft match */
    const struct cls_conj *conjs; /* borrowed, valid while inserted */
};

enum { CLS_STAGES = 4, CLS_TRIES = 6, CLS_TRIES_L3 = 4 };

struct classifier {
    struct hmap subtables;                  /* by mask */
    VEC(struct cls_subtable *) by_priority; /* highest maximum first */
    struct list rules;                      /* all, in insertion order */
    struct list cursors;                    /* cursor.h */
    uint32_t version;                       /* what look-ups see */
    size_t n_rules, n_soft;
    uint64_t next_seq;
    uint64_t edits;                  /* grows whenever a look-up may have another answer */
    struct trie tries[CLS_TRIES_L3]; /* those of ports are the subtables' */
};

void classifier_init(struct classifier *cls);
/* Every rule must have been removed. */
void classifier_fini(struct classifier *cls);

/* Inserts RULE. A rule with the same match and priority must not be there (classifier_find). CONJS
 * is borrowed; N_CONJS 0 for a hard match. */
void classifier_insert(struct classifier *cls, struct cls_rule *rule, const struct match *match,
                       int32_t priority, const struct cls_conj *conjs, uint32_t n_conjs);
/* Puts NEW, not inserted, in the place of OLD: same match, priority and place in the order. */
void classifier_replace(struct classifier *cls, struct cls_rule *old, struct cls_rule *new,
                        const struct cls_conj *conjs, uint32_t n_conjs);
void classifier_remove(struct classifier *cls, struct cls_rule *rule);

/* Versions: what is prepared a piece at a time becomes visible at once, with classifier_flip. A rule that was
 * inserted is made one of the next version (look-ups pass it over until then), one that is there is made to end with this version (look-ups
 * find it until then, classifier_find and classifier_overlaps do not); or NEW is put beside OLD to follow it, with the same match,
 * priority and place. The owner removes what has ended, or takes back what was not to be. */
enum { CLS_FOREVER = UINT32_MAX };
static inline void classifier_from_next(const struct classifier *cls, struct cls_rule *rule)
{
    rule->from = cls->version + 1;
}
static inline void classifier_until_next(const struct classifier *cls, struct cls_rule *rule)
{
    rule->until = cls->version + 1;
}
static inline void classifier_flip(struct classifier *cls)
{
    cls->version++;
    cls->edits++;
}
void classifier_follow(struct classifier *cls, struct cls_rule *old, struct cls_rule *new,
                       const struct cls_conj *conjs, uint32_t n_conjs);
static inline bool cls_rule_is_seen(const struct classifier *cls, const struct cls_rule *rule)
{
    return rule->from <= cls->version && cls->version < rule->until;
}
/* Puts a rule that was removed back into the place that it had (its seq, priority and conjs). */
void classifier_restore(struct classifier *cls, struct cls_rule *rule, const struct match *match);

/* The rule that wins for KEY, or NULL. Adds to WC (may be NULL) the bits that the answer depended
 * on. KEY's conj_id must be 0. */
struct cls_rule *classifier_lookup(const struct classifier *cls, const struct flow_key *key,
                                   struct flow_mask *wc);
/* The same with WC, and *WORDS gets bit i for each word i of WC that it may have added to. OPTS: the options that KEY has a number
 * for, and NULL where there are none. */
struct cls_rule *classifier_lookup_words(const struct classifier *cls, const struct flow_key *key,
                                         const struct tun_opts *opts, struct flow_mask *wc,
                                         uint64_t *words);
/* The rule with exactly this match and priority, or NULL. */
struct cls_rule *classifier_find(const struct classifier *cls, const struct match *match,
                                 int32_t priority);
/* Whether some rule of PRIORITY and MATCH could cover one packet. */
bool classifier_overlaps(const struct classifier *cls, const struct match *match, int32_t priority);

/* The rules, in insertion order, whose match is MATCH or more specific (OpenFlow's non-strict
 * selection). Appended to RET. */
typedef VEC(struct cls_rule *) cls_rules;
void classifier_select(const struct classifier *cls, const struct match *match, cls_rules *ret);
/* How many different matches those rules have at most; 0: there is none. */
size_t classifier_may_select(const struct classifier *cls, const struct match *match);
/* Rebuilds the match of a rule that is inserted. */
void cls_rule_match(const struct cls_rule *rule, struct match *ret);

#define CLASSIFIER_FOR_EACH(RULE, CLS)                                                             \
    for (RULE = CONTAINER_OF((CLS)->rules.next, struct cls_rule, order);                           \
         &(RULE)->order != &(CLS)->rules;                                                          \
         RULE = CONTAINER_OF((RULE)->order.next, struct cls_rule, order))
