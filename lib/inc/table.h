/* table.h - a set of equally sized items with stable addresses, found by hash and content.
 *
 * Private to lib/inc: facts and buckets live in tables. Items lie in pages; the hash table is one flat array of
 * (hash, item number), probed linearly, so that growing it touches no item. An item keeps its hash and number in its
 * first two words (struct table_item).
 */
#pragma once

#include <string.h>

#include "base/util.h"

struct table_item {
    uint32_t hash;
    uint32_t id; /* its number; in a free item TABLE_FREE and the number of the next free one + 1 */
};

struct table_slot {
    uint32_t hash;
    uint32_t id; /* item number + 1; 0: empty */
};

struct table {
    struct table_slot *slots;
    uint32_t mask; /* slots - 1 */
    uint32_t n;    /* items in use */
    char **pages;
    uint32_t n_made; /* items ever made */
    uint32_t free;   /* first free item + 1 */
    size_t item_size;
};

#define TABLE_FREE (UINT32_C(1) << 31)
enum { TABLE_PAGE_BITS = 8, TABLE_PAGE = 1 << TABLE_PAGE_BITS };

void table_init(struct table *table, size_t item_size);
void table_fini(struct table *table);

static inline void *table_at(const struct table *t, uint32_t id)
{
    return t->pages[id >> TABLE_PAGE_BITS] + (id & (TABLE_PAGE - 1)) * t->item_size;
}

/* The item with HASH whose N bytes at OFFSET are those at BYTES, or NULL. */
static inline void *table_find(const struct table *t, uint32_t hash, const void *bytes, size_t n,
                               size_t offset)
{
    if (!t->n)
        return NULL;
    for (uint32_t i = hash & t->mask; t->slots[i].id; i = (i + 1) & t->mask) {
        if (t->slots[i].hash == hash) {
            char *item = table_at(t, t->slots[i].id - 1);
            if (!n || !memcmp(item + offset, bytes, n))
                return item;
        }
    }
    return NULL;
}

/* A new item with its header set and nothing else. */
void *table_add(struct table *table, uint32_t hash);
void table_remove(struct table *table, struct table_item *item);
size_t table_memory(const struct table *table);

/* Item ID, below n_made; NULL when it is free. */
static inline void *table_get(const struct table *t, uint32_t id)
{
    struct table_item *item = table_at(t, id);
    return item->id == id ? item : NULL;
}

/* for each item in use, in the order in which they lie: the table may not change meanwhile */
#define TABLE_FOR_EACH(VAR, TABLE)                                                                 \
    for (uint32_t VAR##_i_ = 0; VAR##_i_ < (TABLE)->n_made; VAR##_i_++)                            \
        if (((VAR) = table_get((TABLE), VAR##_i_)))
