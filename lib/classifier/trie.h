/* trie.h - a path-compressed binary trie that counts prefixes of up to 128 bits.
 *
 * Part of the classifier (docs/architecture.md, room 9): for a field that most rules match by prefix it
 * answers which prefix lengths can match a value at all, and how many leading bits of the value the
 * answer depended on. It promises that any value with the same leading bits gets the same answer.
 * It does not know rules or fields.
 */
#pragma once

#include "base/util.h"

enum { TRIE_BYTES = 16, TRIE_BITS = 128 };

struct trie_node;
struct trie {
    struct trie_node *root;
};

struct trie_answer {
    uint64_t plens[3]; /* bit L is set when a prefix of L bits that was added covers the value */
    unsigned examined; /* leading bits that were looked at */
};

/* Counts one more, or one fewer, prefix of the first PLEN bits of VALUE (PLEN 1 to 128). Removing
 * one that was not added is a bug. VALUE holds at least DIV_ROUND_UP(PLEN, 8) bytes. */
void trie_add(struct trie *trie, const uint8_t *value, unsigned plen);
void trie_remove(struct trie *trie, const uint8_t *value, unsigned plen);
/* VALUE holds N_BYTES, not less than the longest prefix added. */
void trie_lookup(const struct trie *trie, const uint8_t *value, unsigned n_bytes,
                 struct trie_answer *ret);
void trie_fini(struct trie *trie);

static inline bool trie_has_plen(const struct trie_answer *answer, unsigned plen)
{
    return answer->plens[plen / 64] >> (plen % 64) & 1;
}
