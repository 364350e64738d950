/* counts.c - see counts.h: open addressing, by the tag's lower bits, at most three quarters full.
 *
 * When it grows, the table before stays beside the new one and is emptied from its first slot to its last, a few with each addition, so that no
 * addition waits for all of them. A tag is in one of the two.
 */
#include "classifier/counts.h"

#include <stdlib.h>

enum { FIRST = 8, AT_ONCE = 1024, PER_ADDITION = 8 /* slots */ };

/* The slot of TAG, or the free one where it belongs. */
static uint32_t slot_of(const struct counts_table *t, uint32_t tag)
{
    uint32_t i = tag & t->mask;
    while (t->slots[i].count && t->slots[i].tag != tag)
        i = (i + 1) & t->mask;
    return i;
}

/* Frees a slot; what follows without a gap moves up, unless it would come before its place. */
static void clear(struct counts_table *t, uint32_t hole)
{
    uint32_t mask = t->mask;
    struct counts_slot *slots = t->slots;
    t->n--;
    for (uint32_t i = (hole + 1) & mask; slots[i].count; i = (i + 1) & mask) {
        if (((i - slots[i].tag) & mask) >= ((i - hole) & mask)) {
            slots[hole] = slots[i];
            hole = i;
        }
    }
    slots[hole].count = 0;
}

static void put(struct counts_table *t, struct counts_slot slot)
{
    t->slots[slot_of(t, slot.tag)] = slot;
    t->n++;
}

/* Empties the next N slots of the table before. Those up to there stay empty: only what follows moves up into a slot. */
static void move(struct counts *counts, uint32_t n)
{
    struct counts_table *before = &counts->before;
    for (; before->n && n; n--, counts->moved++) {
        struct counts_slot *slot = &before->slots[counts->moved];
        while (slot->count) {
            put(&counts->now, *slot);
            clear(before, counts->moved);
        }
    }
    if (!before->n) {
        free(before->slots);
        *before = (struct counts_table){.slots = NULL};
    }
}

static void grow(struct counts *counts)
{
    struct counts_table *now = &counts->now;
    size_t n_slots = now->slots ? ((size_t)now->mask + 1) * 2 : FIRST;
    counts->before = *now;
    counts->moved = 0;
    *now = (struct counts_table){.slots = xcalloc(n_slots, sizeof *now->slots),
                                 .mask = (uint32_t)(n_slots - 1)};
    if (n_slots <= AT_ONCE)
        move(counts, (uint32_t)n_slots);
}

void counts_add(struct counts *counts, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    if (counts->before.slots)
        move(counts, PER_ADDITION);
    else if (!counts->now.slots || counts->now.n >= (counts->now.mask + UINT64_C(1)) / 4 * 3)
        grow(counts);
    struct counts_table *t =
        counts_table_has(&counts->before, tag) ? &counts->before : &counts->now;
    struct counts_slot *slot = &t->slots[slot_of(t, tag)];
    t->n += !slot->count;
    slot->tag = tag;
    slot->count++;
}

void counts_remove(struct counts *counts, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    struct counts_table *t =
        counts_table_has(&counts->before, tag) ? &counts->before : &counts->now;
    INVARIANT(t->slots);
    uint32_t at = slot_of(t, tag);
    INVARIANT(t->slots[at].count);
    if (!--t->slots[at].count)
        clear(t, at);
}

void counts_fini(struct counts *counts)
{
    free(counts->now.slots);
    free(counts->before.slots);
    *counts = (struct counts){.moved = 0};
}
