/* table.c - see table.h. Part of the incremental engine (docs/architecture.md, row 3). At most two thirds of the slots are
 * in use; removal shifts later entries of the run back, so that there are no tombstones. Pages are never given back
 * before the table goes.
 */
#include "inc/table.h"

#include <stdlib.h>

void table_init(struct table *t, size_t item_size)
{
    memset(t, 0, sizeof *t);
    t->item_size = ROUND_UP(item_size, 8);
}

void table_fini(struct table *t)
{
    for (size_t i = 0; i < DIV_ROUND_UP((size_t)t->n_made, TABLE_PAGE); i++)
        free(t->pages[i]);
    free(t->pages);
    free(t->slots);
    memset(t, 0, sizeof *t);
}

static void put_slot(struct table *t, uint32_t hash, uint32_t id)
{
    uint32_t i = hash & t->mask;
    while (t->slots[i].id)
        i = (i + 1) & t->mask;
    t->slots[i] = (struct table_slot){hash, id};
}

static void grow_slots(struct table *t)
{
    struct table_slot *old = t->slots;
    size_t n_old = old ? (size_t)t->mask + 1 : 0;
    size_t n_new = n_old ? n_old * 2 : 16;
    INVARIANT(n_new <= UINT32_C(1) << 31);
    t->slots = xcalloc(n_new, sizeof *t->slots);
    t->mask = (uint32_t)(n_new - 1);
    for (size_t i = 0; i < n_old; i++)
        if (old[i].id)
            put_slot(t, old[i].hash, old[i].id);
    free(old);
}

static uint32_t new_id(struct table *t)
{
    if (t->free) {
        uint32_t id = t->free - 1;
        t->free = ((struct table_item *)table_at(t, id))->id & ~TABLE_FREE;
        return id;
    }
    if (!(t->n_made & (TABLE_PAGE - 1))) {
        size_t page = t->n_made >> TABLE_PAGE_BITS;
        if (!(page & (page - 1))) /* the array of pages grows at powers of two */
            t->pages = xrealloc(t->pages, (page ? page * 2 : 1) * sizeof *t->pages);
        t->pages[page] = xmalloc(TABLE_PAGE * t->item_size);
    }
    return t->n_made++;
}

void *table_add(struct table *t, uint32_t hash)
{
    if (!t->slots || (uint64_t)(t->n + 1) * 3 > ((uint64_t)t->mask + 1) * 2)
        grow_slots(t);
    uint32_t id = new_id(t);
    struct table_item *item = table_at(t, id);
    item->hash = hash;
    item->id = id;
    put_slot(t, hash, id + 1);
    t->n++;
    return item;
}

void table_remove(struct table *t, struct table_item *item)
{
    uint32_t i = item->hash & t->mask;
    while (t->slots[i].id != item->id + 1) {
        INVARIANT(t->slots[i].id);
        i = (i + 1) & t->mask;
    }
    for (uint32_t j = (i + 1) & t->mask; t->slots[j].id; j = (j + 1) & t->mask) {
        uint32_t home = t->slots[j].hash & t->mask;
        if (((j - home) & t->mask) >= ((j - i) & t->mask)) {
            t->slots[i] = t->slots[j];
            i = j;
        }
    }
    t->slots[i].id = 0;
    uint32_t id = item->id;
    item->id = t->free | TABLE_FREE;
    t->free = id + 1;
    t->n--;
}

size_t table_memory(const struct table *t)
{
    size_t pages = DIV_ROUND_UP((size_t)t->n_made, TABLE_PAGE);
    return (t->slots ? ((size_t)t->mask + 1) * sizeof *t->slots : 0) +
           pages * (TABLE_PAGE * t->item_size + sizeof *t->pages);
}
