/* text_cache.h - what texts were parsed to, remembered within bounds.
 *
 * Room 6 of docs/architecture.md: used by the pools of expressions and of actions, so that a text seen before costs a lookup.
 * Entries hold references to their values (strong), in two generations: a lookup moves an entry to the young one; when
 * that is full, the old one is dropped and the young one becomes old. So what is used stays, memory is bounded by twice a
 * generation, and no lookup costs more than constant time. Does not cache errors.
 */
#pragma once

#include "base/hmap.h"

struct text_cached {
    struct hnode node;
    uint64_t key;       /* what else the meaning depends on */
    void *value, *more; /* owned by the cache */
    size_t n;
    char text[];
};

struct text_cache {
    struct hmap young, old;
    size_t bytes;                                         /* of the young generation */
    void (*release)(const void *value, const void *more); /* gives up what an entry holds */
};

void text_cache_clear(struct text_cache *c);
/* The entry for TEXT under KEY, or NULL; valid until the next call. */
const struct text_cached *text_cache_find(struct text_cache *c, const char *text, uint64_t key);
/* Remembers VALUE and MORE, whose references it takes. There must be no such entry yet. */
void text_cache_add(struct text_cache *c, const char *text, uint64_t key, void *value, void *more);
