/* gen_cache.c - a cache of bounded size, in two generations; see gen_cache.h. */
#include "base/gen_cache.h"

#include <stdlib.h>

static struct gen_node *table_find(const struct slots *t, uint64_t hash,
                                   bool (*is)(const struct gen_node *, const void *),
                                   const void *aux)
{
    struct gen_node *node;
    SLOTS_FOR_EACH_WITH_HASH (node, hash, t)
        if (is(node, aux))
            return node;
    return NULL;
}

static void drop(struct gen_cache *c, struct slots *t)
{
    for (size_t i = 0; t->n && i <= t->mask; i++)
        if (t->slot[i].object)
            c->release(t->slot[i].object);
    slots_fini(t);
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
        c->young = (struct slots){0};
        c->bytes = 0;
        c->generation++;
    }
    c->bytes += node->bytes;
    node->hash = hash;
    node->generation = c->generation;
    slots_insert(&c->young, node, hash);
}

struct gen_node *gen_cache_find(struct gen_cache *c, uint64_t hash,
                                bool (*is)(const struct gen_node *, const void *), const void *aux)
{
    struct gen_node *e = table_find(&c->young, hash, is, aux);
    if (e || !c->old.n)
        return e;
    e = table_find(&c->old, hash, is, aux);
    if (e)
        gen_cache_use(c, e);
    return e;
}

void gen_cache_use(struct gen_cache *c, struct gen_node *node)
{
    if (node->generation == c->generation)
        return;
    slots_remove(&c->old, node, node->hash);
    gen_cache_insert(c, node, node->hash);
}

void gen_cache_remove(struct gen_cache *c, struct gen_node *node)
{
    bool is_young = node->generation == c->generation;
    bool was_there = slots_remove(is_young ? &c->young : &c->old, node, node->hash);
    INVARIANT(was_there);
    if (is_young)
        c->bytes -= node->bytes;
    c->release(node);
}
