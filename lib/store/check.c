/* check.c - recomputes from the rows what a store keeps up to date by small steps, and compares.
 *
 * For tests: see store_private.h. Aborts where the two differ.
 */
#include <stdlib.h>

#include "store/store_private.h"

struct recount {
    const struct ref_side *side;
    struct entry *source;
    struct hmap strong; /* struct count: references by target */
    size_t n_weak;
};

struct count {
    struct hnode node;
    const struct entry *target;
    uint32_t n;
};

static struct count *count_get(struct hmap *map, const struct entry *target)
{
    struct count *count;
    uint64_t hash = hash_pointer(target, 0);
    HMAP_FOR_EACH_WITH_HASH (count, node, hash, map) {
        if (count->target == target)
            return count;
    }
    count = NEW(struct count);
    count->target = target;
    hmap_insert(map, &count->node, hash);
    return count;
}

static void recount_one(void *aux, const struct uuid *uuid, int delta)
{
    struct recount *r = aux;
    struct entry *target = entry_find(r->side->target, uuid);
    INVARIANT(delta == 1 && target && target->row);
    if (r->side->kind == REF_STRONG && target != r->source)
        count_get(&r->strong, target)->n++;
    if (r->side->kind == REF_WEAK) {
        bool found = false;
        const struct weak_ref *ref;
        LIST_FOR_EACH (ref, by_target, &target->weak_referrers)
            found |= ref->source == r->source && ref->column == r->side->column;
        INVARIANT(found);
        r->n_weak++;
    }
}

static void check_entry(struct recount *r, struct entry *entry)
{
    const struct store_table *table = entry->table;
    INVARIANT(!entry->touched && !entry->queued && !entry->before);
    INVARIANT(entry->row || entry->told || entry->n_pending);
    if (!entry->row)
        return;
    r->source = entry;
    for (size_t i = 0; i < table->n_refs; i++) {
        r->side = &table->refs[i];
        refs_side_changes(r->side, NULL, entry->row, recount_one, r);
    }
    for (size_t i = 0; i < table->schema->n_indexes; i++) {
        uint64_t hash = table_index_hash(&table->schema->indexes[i], entry->row);
        INVARIANT(table_index_find(table, i, entry->row, hash) == entry);
    }
}

static void check_counts(struct recount *r, const struct entry *entry)
{
    uint32_t n = count_get(&r->strong, entry)->n;
    INVARIANT(entry->n_strong == n);
    INVARIANT(!entry->row || entry->table->schema->is_root || n > 0);
}

static void free_counts(struct hmap *map)
{
    struct count *count;
    HMAP_FOR_EACH_SAFE (count, node, map) {
        hmap_remove(map, &count->node);
        free(count);
    }
    hmap_fini(map);
}

void store_check_invariants(struct store *store)
{
    struct recount r = {.strong = HMAP_INIT};
    size_t n_weak = 0;
    struct weak_ref *ref;
    for (size_t i = 0; i < store->schema->n_tables; i++) {
        struct store_table *table = &store->tables[i];
        struct entry *entry;
        size_t n = 0;
        HMAP_FOR_EACH (entry, node, &table->entries) {
            check_entry(&r, entry);
            n += entry->row != NULL;
        }
        INVARIANT(n == table->n_rows);
        for (size_t j = 0; j < table->schema->n_indexes; j++)
            INVARIANT(table->indexes[j].n == n);
    }
    for (size_t i = 0; i < store->schema->n_tables; i++) {
        struct entry *entry;
        HMAP_FOR_EACH (entry, node, &store->tables[i].entries)
            check_counts(&r, entry);
    }
    HMAP_FOR_EACH (ref, node, &store->weak_refs)
        n_weak += ref->n;
    INVARIANT(n_weak == r.n_weak);
    free_counts(&r.strong);
}
