/* gen_cache.c - a cache of bounded size, in two generations; see gen_cache.h. */
#include "base/gen_cache.h"

static void drop(struct gen_cache *c, struct hmap *map)
{
    struct gen_node *e;
    HMAP_FOR_EACH_SAFE (e, node, map) {
        hmap_remove(map, &e->node);
        c->release(e);
    }
    hmap_fini(map);
    *map = (struct hmap)HMAP_INIT;
}

void gen_cache_clear(struct gen_cache *c)
{
    drop(c, &c->young);
    drop(c, &c->old);
    c->bytes = 0;
}

void gen_cache_insert(struct gen_cache *c, struct gen_node *node, uint64_t hash)
{
    if (c->young.n && (c->young.n >= c->max_entries || c->bytes + node->bytes > c->max_bytes)) {
        drop(c, &c->old);
        c->old = c->young;
        c->young = (struct hmap)HMAP_INIT;
        c->bytes = 0;
    }
    c->bytes += node->bytes;
    hmap_insert(&c->young, &node->node, hash);
}

static struct gen_node *find_in(const struct hmap *map, uint64_t hash,
                                bool (*is)(const struct gen_node *, const void *), const void *aux)
{
    struct gen_node *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, map)
        if (is(e, aux))
            return e;
    return NULL;
}

struct gen_node *gen_cache_find(struct gen_cache *c, uint64_t hash,
                                bool (*is)(const struct gen_node *, const void *), const void *aux)
{
    struct gen_node *e = find_in(&c->young, hash, is, aux);
    if (e || !c->old.n)
        return e;
    e = find_in(&c->old, hash, is, aux);
    if (e) {
        hmap_remove(&c->old, &e->node);
        gen_cache_insert(c, e, hash);
    }
    return e;
}

void gen_cache_remove(struct gen_cache *c, struct gen_node *node)
{
    struct hnode *n = hmap_bucket(&c->young, node->node.hash);
    while (n && n != &node->node)
        n = n->next;
    if (n)
        c->bytes -= node->bytes;
    hmap_remove(n ? &c->young : &c->old, &node->node);
    c->release(node);
}
