/* counts.h - how often each of many hashes has been added: 8 bytes a slot, one cache line a question, nothing allocated for each.
 *
 * Part of the classifier (docs/architecture.md, room 9). Hashes count as equal when their upper halves are; who asks must be content with a
 * wrong "yes" once in four billion.
 */
#pragma once

#include "base/util.h"

struct counts_slot {
    uint32_t tag;   /* the hash's upper half */
    uint32_t count; /* 0: the slot is free */
};
struct counts_table {
    struct counts_slot *slots; /* NULL until the first is added */
    uint32_t mask;             /* number of slots - 1 */
    uint32_t n;                /* of them that are not free */
};
struct counts {
    struct counts_table now;
    struct counts_table
        before;     /* while it grows: what has not been moved yet, a little with each addition */
    uint32_t moved; /* slots of BEFORE that have been emptied */
};

void counts_add(struct counts *counts, uint64_t hash);
void counts_remove(struct counts *counts, uint64_t hash); /* which was added */
void counts_fini(struct counts *counts);

/* HASH will be added soon. */
static inline void counts_fetch(const struct counts *counts, uint64_t hash)
{
    if (counts->now.slots)
        __builtin_prefetch(&counts->now.slots[(uint32_t)(hash >> 32) & counts->now.mask], 1);
}

static inline bool counts_is_empty(const struct counts *counts)
{
    return !counts->now.n && !counts->before.n;
}

static inline bool counts_table_has(const struct counts_table *t, uint32_t tag)
{
    if (!t->slots)
        return false;
    const struct counts_slot *slot;
    for (uint32_t i = tag; slot = &t->slots[i & t->mask], slot->count; i++) {
        if (slot->tag == tag)
            return true;
    }
    return false;
}

static inline bool counts_has(const struct counts *counts, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    return counts_table_has(&counts->now, tag) || counts_table_has(&counts->before, tag);
}
