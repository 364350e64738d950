/* memo.c - see memo.h. */
#include "classifier/memo.h"

#include <stdlib.h>

#include "base/hash.h"

enum { SETS = 1024, WAYS = 4, ANSWER_WORDS = 10, SUBTABLES_MIN = 2 };

struct answer { /* three cache lines */
    uint64_t edits;
    uint64_t words; /* of the key, as classifier_lookup_words tells them */
    struct cls_rule *rule;
    uint32_t number; /* of the classifier */
    uint32_t used;   /* false: nothing is here */
    struct {
        uint64_t mask, value;
    } bits[ANSWER_WORDS];
};

struct cls_memo {
    struct answer *answers; /* NULL until the first look-up */
    unsigned next;          /* way to be replaced */
};

struct cls_memo *cls_memo_new(void)
{
    return NEW(struct cls_memo);
}

void cls_memo_free(struct cls_memo *memo)
{
    free(memo->answers);
    free(memo);
}

static bool holds(const struct answer *a, const struct classifier *cls, unsigned number,
                  const uint64_t *key)
{
    if (!a->used || a->number != number || a->edits != cls->edits)
        return false;
    unsigned i = 0;
    for (uint64_t words = a->words; words; words &= words - 1, i++) {
        if ((key[__builtin_ctzll(words)] & a->bits[i].mask) != a->bits[i].value)
            return false;
    }
    return true;
}

static struct cls_rule *tell(const struct answer *a, uint64_t *wc, uint64_t *ret)
{
    unsigned i = 0;
    for (uint64_t words = a->words; words; words &= words - 1, i++)
        wc[__builtin_ctzll(words)] = a->bits[i].mask;
    *ret = a->words;
    return a->rule;
}

static void keep(struct answer *a, const struct classifier *cls, unsigned number,
                 const uint64_t *key, const uint64_t *wc, uint64_t words)
{
    *a = (struct answer){.edits = cls->edits, .words = words, .number = number, .used = 1};
    for (unsigned i = 0; words; words &= words - 1, i++) {
        unsigned at = (unsigned)__builtin_ctzll(words);
        a->bits[i].mask = wc[at];
        a->bits[i].value = key[at] & wc[at];
    }
}

struct cls_rule *cls_memo_lookup(struct cls_memo *memo, const struct classifier *cls,
                                 unsigned number, const struct flow_key *key,
                                 const struct tun_opts *opts, struct flow_mask *wc, uint64_t *words)
{
    if (cls->by_priority.n < SUBTABLES_MIN)
        return classifier_lookup_words(cls, key, opts, wc, words);
    if (!memo->answers)
        memo->answers = xcalloc(SETS * WAYS, sizeof *memo->answers);
    struct answer *set = &memo->answers[hash_u64(key->metadata, number) % SETS * WAYS];
    uint64_t *bits = flow_words(&wc->bits);
    for (unsigned way = 0; way < WAYS; way++) {
        if (holds(&set[way], cls, number, flow_words_const(key)))
            return tell(&set[way], bits, words);
    }
    struct cls_rule *rule = classifier_lookup_words(cls, key, opts, wc, words);
    if (__builtin_popcountll(*words) <= ANSWER_WORDS) {
        struct answer *a = &set[memo->next++ % WAYS];
        keep(a, cls, number, flow_words_const(key), bits, *words);
        a->rule = rule;
    }
    return rule;
}
