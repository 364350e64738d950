/* text_cache.c - what texts were parsed to, remembered within bounds; see text_cache.h. */
#include "expr/text_cache.h"

#include <string.h>

#include "base/hash.h"
#include "base/util.h"

static bool is_wanted(const struct gen_node *node, const void *aux)
{
    const struct text_cached *e = CONTAINER_OF(node, const struct text_cached, node);
    const struct text_key *w = aux;
    return e->key == w->key && e->n == w->n && !memcmp(e->text, w->text, w->n);
}

void text_cache_init(struct text_cache *c, void (*release)(struct gen_node *))
{
    *c = (struct text_cache){
        .cache = {.max_entries = 262144, .max_bytes = (size_t)48 << 20, .release = release},
        .memory = {.is_plain = POOL_IS_PLAIN}};
}

void text_cache_fini(struct text_cache *c)
{
    text_cache_clear(c);
    pool_fini(&c->memory);
}

void text_cache_clear(struct text_cache *c)
{
    gen_cache_clear(&c->cache);
}

struct text_key text_key(const char *text, uint64_t key)
{
    size_t n = strlen(text);
    return (struct text_key){text, n, key, hash_bytes(text, n, key)};
}

const struct text_cached *text_cache_find(struct text_cache *c, const struct text_key *key)
{
    struct gen_node *e = gen_cache_find(&c->cache, key->hash, is_wanted, key);
    return e ? CONTAINER_OF(e, struct text_cached, node) : NULL;
}

void text_cache_add(struct text_cache *c, const struct text_key *key, void *value, void *more)
{
    size_t bytes = sizeof(struct text_cached) + key->n + 1;
    struct text_cached *e = pool_alloc(&c->memory, bytes);
    *e = (struct text_cached){.node.bytes = bytes,
                              .memory = &c->memory,
                              .key = key->key,
                              .value = value,
                              .more = more,
                              .n = key->n};
    memcpy(e->text, key->text, key->n + 1);
    gen_cache_insert(&c->cache, &e->node, key->hash);
}

void text_cached_free(struct text_cached *e)
{
    pool_release(e->memory, e, e->node.bytes);
}
