/* hmap.c - intrusive hash table. */
#include "base/hmap.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 8, AT_ONCE = 1024, PER_INSERT = 8 /* buckets */ };

/* Adds the next bucket, and moves there what belongs there of the one with a bit less. */
static void split(struct hmap *map)
{
    size_t new = map->n_buckets++;
    struct hnode **from = &map->buckets[new & map->mask >> 1], **to = &map->buckets[new];
    *to = NULL;
    while (*from) {
        struct hnode *node = *from;
        if ((node->hash & map->mask) != new) {
            from = &node->next;
            continue;
        }
        *from = node->next;
        node->next = *to;
        *to = node;
    }
}

/* Room for twice the buckets, which split makes. What the C library does with so much memory is no copy (mremap) where it would be felt. */
static void widen(struct hmap *map)
{
    map->mask = map->mask * 2 + 1;
    map->buckets = xrealloc(map->buckets, (map->mask + 1) * sizeof *map->buckets);
}

static void first(struct hmap *map)
{
    map->buckets = xcalloc(FIRST, sizeof *map->buckets);
    map->n_buckets = FIRST;
    map->mask = FIRST - 1;
}

static void grow(struct hmap *map)
{
    bool is_whole = map->n_buckets > map->mask;
    if (is_whole && map->n < map->n_buckets)
        return;
    if (is_whole)
        widen(map);
    size_t n = map->mask < AT_ONCE ? map->mask : PER_INSERT;
    for (size_t i = 0; n == PER_INSERT && i < n; i++) /* those that are split next */
        __builtin_prefetch(map->buckets[(map->n_buckets + i) & map->mask >> 1]);
    for (size_t i = 0; i < n && map->n_buckets <= map->mask; i++)
        split(map);
}

void hmap_reserve(struct hmap *map, size_t n)
{
    if (!map->buckets)
        first(map);
    while (map->n_buckets < n || map->n_buckets <= map->mask) {
        if (map->n_buckets > map->mask)
            widen(map);
        split(map);
    }
}

void hmap_insert(struct hmap *map, struct hnode *node, uint64_t hash)
{
    if (!map->buckets)
        first(map);
    grow(map);
    struct hnode **bucket = &map->buckets[hmap_at(map, hash)];
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    map->n++;
}

void hmap_remove(struct hmap *map, struct hnode *node)
{
    struct hnode **p = &map->buckets[hmap_at(map, node->hash)];
    while (*p != node) {
        INVARIANT(*p);
        p = &(*p)->next;
    }
    *p = node->next;
    map->n--;
}

void hmap_clear(struct hmap *map)
{
    if (map->buckets)
        memset(map->buckets, 0, map->n_buckets * sizeof *map->buckets);
    map->n = 0;
}

void hmap_fini(struct hmap *map)
{
    free(map->buckets);
    *map = (struct hmap)HMAP_INIT;
}

static struct hnode *first_from(const struct hmap *map, size_t i)
{
    for (; i < map->n_buckets; i++) {
        if (map->buckets[i])
            return map->buckets[i];
    }
    return NULL;
}

struct hnode *hmap_first(const struct hmap *map)
{
    return map->n ? first_from(map, 0) : NULL;
}

struct hnode *hmap_next(const struct hmap *map, const struct hnode *node)
{
    return node->next ? node->next : first_from(map, hmap_at(map, node->hash) + 1);
}
