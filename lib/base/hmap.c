/* hmap.c - intrusive hash table. */
#include "base/hmap.h"

#include <stdlib.h>
#include <string.h>

static void resize(struct hmap *map, size_t n_buckets)
{
    struct hnode **buckets = xcalloc(n_buckets, sizeof *buckets);
    if (map->buckets) {
        for (size_t i = 0; i <= map->mask; i++) {
            struct hnode *node = map->buckets[i];
            while (node) {
                struct hnode *next = node->next;
                size_t b = node->hash & (n_buckets - 1);
                node->next = buckets[b];
                buckets[b] = node;
                node = next;
            }
        }
        free(map->buckets);
    }
    map->buckets = buckets;
    map->mask = n_buckets - 1;
}

void hmap_reserve(struct hmap *map, size_t n)
{
    size_t buckets = 8;
    while (buckets < n)
        buckets *= 2;
    if (!map->buckets || buckets > map->mask + 1)
        resize(map, buckets);
}

void hmap_insert(struct hmap *map, struct hnode *node, uint64_t hash)
{
    if (!map->buckets || map->n > map->mask)
        resize(map, map->buckets ? (map->mask + 1) * 2 : 8);
    struct hnode **bucket = &map->buckets[hash & map->mask];
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    map->n++;
}

void hmap_remove(struct hmap *map, struct hnode *node)
{
    struct hnode **p = &map->buckets[node->hash & map->mask];
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
        memset(map->buckets, 0, (map->mask + 1) * sizeof *map->buckets);
    map->n = 0;
}

void hmap_fini(struct hmap *map)
{
    free(map->buckets);
    *map = (struct hmap)HMAP_INIT;
}

static struct hnode *first_from(const struct hmap *map, size_t i)
{
    for (; i <= map->mask; i++) {
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
    return node->next ? node->next : first_from(map, (node->hash & map->mask) + 1);
}
