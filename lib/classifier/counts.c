/* counts.c - see counts.h: open addressing, by the tag's lower bits, at most three quarters full. */
#include "classifier/counts.h"

#include <stdlib.h>

/* The slot of TAG, or the free one where it belongs. */
static uint32_t slot_of(const struct counts *counts, uint32_t tag)
{
    uint32_t i = tag & counts->mask;
    while (counts->slots[i].count && counts->slots[i].tag != tag)
        i = (i + 1) & counts->mask;
    return i;
}

static void grow(struct counts *counts)
{
    struct counts old = *counts;
    size_t n_slots = old.slots ? ((size_t)old.mask + 1) * 2 : 8;
    counts->slots = xcalloc(n_slots, sizeof *counts->slots);
    counts->mask = (uint32_t)(n_slots - 1);
    for (size_t i = 0; old.slots && i <= old.mask; i++) {
        if (old.slots[i].count)
            counts->slots[slot_of(counts, old.slots[i].tag)] = old.slots[i];
    }
    free(old.slots);
}

void counts_add(struct counts *counts, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    if (!counts->slots || counts->n >= (counts->mask + UINT64_C(1)) / 4 * 3)
        grow(counts);
    struct counts_slot *slot = &counts->slots[slot_of(counts, tag)];
    counts->n += !slot->count;
    slot->tag = tag;
    slot->count++;
}

void counts_remove(struct counts *counts, uint64_t hash)
{
    INVARIANT(counts->slots);
    uint32_t mask = counts->mask, hole = slot_of(counts, (uint32_t)(hash >> 32));
    struct counts_slot *slots = counts->slots;
    INVARIANT(slots[hole].count);
    if (--slots[hole].count)
        return;
    counts->n--;
    /* What follows without a gap moves up, unless it would come before its place. */
    for (uint32_t i = (hole + 1) & mask; slots[i].count; i = (i + 1) & mask) {
        if (((i - slots[i].tag) & mask) >= ((i - hole) & mask)) {
            slots[hole] = slots[i];
            hole = i;
        }
    }
    slots[hole].count = 0;
}

void counts_fini(struct counts *counts)
{
    free(counts->slots);
    *counts = (struct counts){.slots = NULL};
}
