/* text_cache.h - what texts were parsed to, remembered within bounds.
 *
 * Room 6 of docs/architecture.md: used by the pools of expressions and of actions, so that a text seen before costs a lookup.
 * Entries hold references to their values (strong); base/gen_cache.h bounds them. Does not cache errors.
 */
#pragma once

#include "base/gen_cache.h"
#include "base/pool.h"

struct text_cached {
    struct gen_node node;
    struct pool *memory; /* where it lies */
    uint64_t key;        /* what else the meaning depends on */
    void *value, *more;  /* owned by the cache */
    size_t n;
    char text[];
};

struct text_cache {
    struct gen_cache cache;
    struct pool memory; /* of the entries */
};

/* RELEASE gets the node of a struct text_cached, gives up its value and more, and calls text_cached_free. */
void text_cache_init(struct text_cache *c, void (*release)(struct gen_node *));
void text_cache_fini(struct text_cache *c);
void text_cached_free(struct text_cached *e);
/* What is looked for, hashed once. */
struct text_key {
    const char *text;
    size_t n;
    uint64_t key, hash;
};
struct text_key text_key(const char *text, uint64_t key);
/* The entry for KEY, or NULL; valid until the next call. */
const struct text_cached *text_cache_find(struct text_cache *c, const struct text_key *key);
/* Remembers VALUE and MORE, whose references it takes. There must be no such entry yet. */
void text_cache_add(struct text_cache *c, const struct text_key *key, void *value, void *more);
/* Forgets everything. */
void text_cache_clear(struct text_cache *c);
