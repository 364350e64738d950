/* hmap.h - intrusive hash table with chaining: objects embed a struct hnode.
 *
 *     struct thing { struct hnode node; ... };
 *     struct thing *t;
 *     HMAP_FOR_EACH_WITH_HASH (t, node, hash, &map) if (matches(t)) return t;
 *     hmap_insert(&map, &t->node, hash);
 *
 * The table grows by itself: up to some 1,000 nodes at once, a larger one by a few buckets with each insert (linear hashing: Litwin, 1980), so that
 * no insert waits for all that is there. It may not be changed during HMAP_FOR_EACH; HMAP_FOR_EACH_SAFE allows
 * removal of the current element. Iteration order is by hash, not by insertion: never let it reach
 * output that must be stable.
 */
#pragma once

#include "base/util.h"

struct hnode {
    struct hnode *next;
    uint64_t hash;
};

struct hmap {
    struct hnode **buckets; /* NULL until the first insert */
    size_t mask;            /* of the hash's bits in use */
    size_t n_buckets;       /* more than half of what MASK can say */
    size_t n;
};

#define HMAP_INIT                                                                                  \
    {                                                                                              \
        NULL, 0, 0, 0                                                                              \
    }

void hmap_insert(struct hmap *map, struct hnode *node, uint64_t hash);
void hmap_remove(struct hmap *map, struct hnode *node); /* NODE must be in MAP */
void hmap_reserve(struct hmap *map, size_t n);
void hmap_clear(struct hmap *map); /* forgets all nodes, keeps the memory */
void hmap_fini(struct hmap *map);  /* does not free the objects */

struct hnode *hmap_first(const struct hmap *map);
struct hnode *hmap_next(const struct hmap *map, const struct hnode *node);

/* The bucket of HASH: its low bits, with one bit less where that bucket is not there yet. */
static inline size_t hmap_at(const struct hmap *map, uint64_t hash)
{
    size_t i = hash & map->mask;
    return i < map->n_buckets ? i : i & map->mask >> 1;
}

static inline struct hnode *hmap_bucket(const struct hmap *map, uint64_t hash)
{
    return map->buckets ? map->buckets[hmap_at(map, hash)] : NULL;
}

static inline struct hnode *hnode_skip(struct hnode *node, uint64_t hash)
{
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

#define HNODE_OBJECT_(NODE, VAR, MEMBER)                                                           \
    ((NODE) ? CONTAINER_OF(NODE, __typeof__(*(VAR)), MEMBER) : NULL)

#define HMAP_FOR_EACH(VAR, MEMBER, MAP)                                                            \
    for (struct hnode *VAR##_n_ = hmap_first(MAP);                                                 \
         VAR = HNODE_OBJECT_(VAR##_n_, VAR, MEMBER), VAR##_n_ != NULL;                             \
         VAR##_n_ = hmap_next(MAP, VAR##_n_))

#define HMAP_FOR_EACH_SAFE(VAR, MEMBER, MAP)                                                       \
    for (struct hnode *VAR##_n_ = hmap_first(MAP), *VAR##_x_;                                      \
         VAR = HNODE_OBJECT_(VAR##_n_, VAR, MEMBER),                                               \
                      VAR##_n_ != NULL && (VAR##_x_ = hmap_next(MAP, VAR##_n_), true);             \
         VAR##_n_ = VAR##_x_)

#define HMAP_FOR_EACH_WITH_HASH(VAR, MEMBER, HASH, MAP)                                            \
    for (struct hnode *VAR##_n_ = hnode_skip(hmap_bucket(MAP, HASH), HASH);                        \
         VAR = HNODE_OBJECT_(VAR##_n_, VAR, MEMBER), VAR##_n_ != NULL;                             \
         VAR##_n_ = hnode_skip(VAR##_n_->next, HASH))
