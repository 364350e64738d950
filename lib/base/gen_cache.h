/* gen_cache.h - a cache of bounded size, in two generations: what is found moves to the young one; when that is full, the old
 * one is dropped and the young one becomes old. So what is used stays, memory is bounded by twice a generation, and no call
 * costs more than constant time (except the one that drops a generation).
 *
 * Entries embed a struct gen_node. The cache owns them and gives them up through release().
 */
#pragma once

#include "base/slots.h"

struct gen_node {
    uint64_t hash;
    size_t bytes;        /* what the entry is charged for */
    uint64_t generation; /* in which it was inserted or used last */
};

struct gen_cache {
    struct slots young, old;
    uint64_t generation;           /* of the young one */
    size_t bytes;                  /* the same */
    size_t max_entries, max_bytes; /* of a generation */
    void (*release)(struct gen_node *);
};

/* Adds NODE, which is not in the cache; its bytes are set. May release others, never NODE. */
void gen_cache_insert(struct gen_cache *c, struct gen_node *node, uint64_t hash);
/* Releases NODE, which is in the cache. */
void gen_cache_remove(struct gen_cache *c, struct gen_node *node);
/* The node with HASH that IS finds equal to what AUX describes, or NULL; valid until the next call. */
struct gen_node *gen_cache_find(struct gen_cache *c, uint64_t hash,
                                bool (*is)(const struct gen_node *, const void *aux),
                                const void *aux);
/* NODE, which is in the cache, was found in another way: it stays as if by gen_cache_find. */
void gen_cache_use(struct gen_cache *c, struct gen_node *node);
void gen_cache_clear(struct gen_cache *c);
