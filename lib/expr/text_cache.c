/* text_cache.c - what texts were parsed to, remembered within bounds; see text_cache.h. */
#include "expr/text_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"

#define MAX_ENTRIES 65536
#define MAX_BYTES ((size_t)8 << 20)

static void drop(struct text_cache *c, struct hmap *map)
{
    struct text_cached *e;
    HMAP_FOR_EACH_SAFE (e, node, map) {
        hmap_remove(map, &e->node);
        c->release(e->value, e->more);
        free(e);
    }
    hmap_fini(map);
    *map = (struct hmap)HMAP_INIT;
}

void text_cache_clear(struct text_cache *c)
{
    drop(c, &c->young);
    drop(c, &c->old);
    c->bytes = 0;
}

/* Adds E to the young generation, which becomes old if it is full. */
static void insert(struct text_cache *c, struct text_cached *e, uint64_t hash)
{
    size_t bytes = sizeof *e + e->n + 1;
    if (c->young.n >= MAX_ENTRIES || c->bytes + bytes > MAX_BYTES) {
        drop(c, &c->old);
        c->old = c->young;
        c->young = (struct hmap)HMAP_INIT;
        c->bytes = 0;
    }
    c->bytes += bytes;
    hmap_insert(&c->young, &e->node, hash);
}

static struct text_cached *find_in(struct hmap *map, const char *text, size_t n, uint64_t key,
                                   uint64_t hash)
{
    struct text_cached *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, map)
        if (e->key == key && e->n == n && !memcmp(e->text, text, n))
            return e;
    return NULL;
}

const struct text_cached *text_cache_find(struct text_cache *c, const char *text, uint64_t key)
{
    size_t n = strlen(text);
    uint64_t hash = hash_bytes(text, n, key);
    struct text_cached *e = find_in(&c->young, text, n, key, hash);
    if (e || !c->old.n)
        return e;
    e = find_in(&c->old, text, n, key, hash);
    if (e) {
        hmap_remove(&c->old, &e->node);
        insert(c, e, hash);
    }
    return e;
}

void text_cache_add(struct text_cache *c, const char *text, uint64_t key, void *value, void *more)
{
    size_t n = strlen(text);
    struct text_cached *e = xmalloc(sizeof *e + n + 1);
    *e = (struct text_cached){.key = key, .value = value, .more = more, .n = n};
    memcpy(e->text, text, n + 1);
    insert(c, e, hash_bytes(text, n, key));
}
