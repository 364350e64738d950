/* gen_cache.c - a cache of bounded size, in two generations; see gen_cache.h. */
#include "base/gen_cache.h"

#include <stdlib.h>

struct gen_slot {
    uint64_t hash;
    struct gen_node *node; /* NULL: free */
};

/* --- Tables */

static void put(struct gen_table *t, uint64_t hash, struct gen_node *node)
{
    size_t i = hash & t->mask;
    while (t->slots[i].node)
        i = (i + 1) & t->mask;
    t->slots[i] = (struct gen_slot){hash, node};
}

static void table_insert(struct gen_table *t, struct gen_node *node)
{
    if (!t->slots || t->n >= t->mask / 4 * 3) {
        struct gen_table bigger = {.mask = t->slots ? 2 * t->mask + 1 : 15, .n = t->n};
        bigger.slots = xcalloc(bigger.mask + 1, sizeof *bigger.slots);
        for (size_t i = 0; t->slots && i <= t->mask; i++)
            if (t->slots[i].node)
                put(&bigger, t->slots[i].hash, t->slots[i].node);
        free(t->slots);
        *t = bigger;
    }
    put(t, node->hash, node);
    t->n++;
}

/* False: NODE is not in T. */
static bool table_remove(struct gen_table *t, const struct gen_node *node)
{
    if (!t->slots)
        return false;
    size_t i = node->hash & t->mask;
    for (; t->slots[i].node != node; i = (i + 1) & t->mask)
        if (!t->slots[i].node)
            return false;
    /* What comes behind moves up, unless it would come before the place where it is looked for. */
    for (size_t k = i;;) {
        k = (k + 1) & t->mask;
        if (!t->slots[k].node)
            break;
        size_t home = t->slots[k].hash & t->mask;
        if (((k - home) & t->mask) < ((k - i) & t->mask))
            continue;
        t->slots[i] = t->slots[k];
        i = k;
    }
    t->slots[i].node = NULL;
    t->n--;
    return true;
}

static struct gen_node *table_find(const struct gen_table *t, uint64_t hash,
                                   bool (*is)(const struct gen_node *, const void *),
                                   const void *aux)
{
    if (!t->slots)
        return NULL;
    for (size_t i = hash & t->mask; t->slots[i].node; i = (i + 1) & t->mask)
        if (t->slots[i].hash == hash && is(t->slots[i].node, aux))
            return t->slots[i].node;
    return NULL;
}

static void drop(struct gen_cache *c, struct gen_table *t)
{
    for (size_t i = 0; t->n && i <= t->mask; i++)
        if (t->slots[i].node)
            c->release(t->slots[i].node);
    free(t->slots);
    *t = (struct gen_table){0};
}

/* --- The cache */

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
        c->young = (struct gen_table){0};
        c->bytes = 0;
    }
    c->bytes += node->bytes;
    node->hash = hash;
    table_insert(&c->young, node);
}

struct gen_node *gen_cache_find(struct gen_cache *c, uint64_t hash,
                                bool (*is)(const struct gen_node *, const void *), const void *aux)
{
    struct gen_node *e = table_find(&c->young, hash, is, aux);
    if (e || !c->old.n)
        return e;
    e = table_find(&c->old, hash, is, aux);
    if (e) {
        table_remove(&c->old, e);
        gen_cache_insert(c, e, hash);
    }
    return e;
}

void gen_cache_remove(struct gen_cache *c, struct gen_node *node)
{
    if (table_remove(&c->young, node)) {
        c->bytes -= node->bytes;
    } else {
        bool is_old = table_remove(&c->old, node);
        INVARIANT(is_old);
    }
    c->release(node);
}
