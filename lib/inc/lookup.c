/* lookup.c - indexes for the host alone: facts by the hash of their key, without buckets (docs/architecture.md, row 3).
 *
 * A controller holds a flow for each of half a million keys and asks for one when it has changed: a bucket for each would be the most of its
 * memory. One flat table of (hash, number of the fact), probed linearly, at most four fifths full.
 */
#include "inc/internal.h"

#include <stdlib.h>

static const char *key_of(const struct inc *inc, const struct inc_index *index,
                          const struct fact *fact)
{
    return (const char *)fact_content(&inc->colls[index->coll->id], fact) + index->offset;
}

static uint32_t hash_of(const struct inc_index *index, const void *key)
{
    return index->key_type->size ? bytes_hash(key, index->key_type->size) : 0;
}

static void put_slot(struct lookup *l, struct table_slot slot)
{
    uint32_t i = slot.hash & l->mask;
    while (l->slots[i].id)
        i = (i + 1) & l->mask;
    l->slots[i] = slot;
}

static void grow(struct lookup *l)
{
    struct table_slot *old = l->slots;
    size_t n_old = old ? (size_t)l->mask + 1 : 0, n_new = n_old ? n_old * 2 : 16;
    INVARIANT(n_new <= UINT32_C(1) << 31);
    l->slots = xcalloc(n_new, sizeof *l->slots);
    l->mask = (uint32_t)(n_new - 1);
    for (size_t i = 0; i < n_old; i++)
        if (old[i].id)
            put_slot(l, old[i]);
    free(old);
}

void lookup_fini(struct inc *inc, const struct inc_index *index)
{
    free(inc->indexes[index->id].lookup.slots);
}

void lookup_enter(struct inc *inc, const struct inc_index *index, const struct fact *fact)
{
    struct lookup *l = &inc->indexes[index->id].lookup;
    if (!l->slots || (uint64_t)(l->n + 1) * 5 > ((uint64_t)l->mask + 1) * 4)
        grow(l);
    put_slot(l, (struct table_slot){hash_of(index, key_of(inc, index, fact)), fact->item.id + 1});
    l->n++;
}

void lookup_leave(struct inc *inc, const struct inc_index *index, const struct fact *fact)
{
    struct lookup *l = &inc->indexes[index->id].lookup;
    uint32_t i = hash_of(index, key_of(inc, index, fact)) & l->mask;
    while (l->slots[i].id != fact->item.id + 1) {
        INVARIANT(l->slots[i].id);
        i = (i + 1) & l->mask;
    }
    for (uint32_t j = (i + 1) & l->mask; l->slots[j].id; j = (j + 1) & l->mask) {
        uint32_t home = l->slots[j].hash & l->mask;
        if (((j - home) & l->mask) >= ((j - i) & l->mask)) {
            l->slots[i] = l->slots[j];
            i = j;
        }
    }
    l->slots[i].id = 0;
    l->n--;
}

static int compare_looked(const void *a_, const void *b_, void *type_)
{
    const struct inc_type *type = type_;
    const void *a = *(const void *const *)a_, *b = *(const void *const *)b_;
    return type->compare ? type->compare(a, b) : memcmp(a, b, type->size);
}

struct inc_facts lookup_find(struct inc *inc, const struct inc_index *index, const void *key)
{
    const struct lookup *l = &inc->indexes[index->id].lookup;
    const struct coll_state *cs = &inc->colls[index->coll->id];
    uint32_t hash = hash_of(index, key);
    vec_clear(&inc->looked);
    for (uint32_t i = hash & l->mask; l->n && l->slots[i].id; i = (i + 1) & l->mask) {
        if (l->slots[i].hash != hash)
            continue;
        const struct fact *fact = table_at(&cs->facts, l->slots[i].id - 1);
        if (!memcmp(key_of(inc, index, fact), key, index->key_type->size))
            vec_push(&inc->looked, fact_content(cs, fact));
    }
    if (inc->looked.n > 1)
        qsort_r(inc->looked.data, inc->looked.n, sizeof *inc->looked.data, compare_looked,
                (void *)(uintptr_t)index->coll->type);
    return (struct inc_facts){inc->looked.data, inc->looked.n};
}

size_t lookup_memory(const struct inc *inc, const struct inc_index *index)
{
    const struct lookup *l = &inc->indexes[index->id].lookup;
    return l->slots ? ((size_t)l->mask + 1) * sizeof *l->slots : 0;
}
