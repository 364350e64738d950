/* slots.h - hash table of pointers, each beside its hash: open addressing, by linear probing.
 *
 * For tables larger than the processor's caches: an object is looked at only if it has the hash that is looked for, so that not
 * finding one costs one access to memory and finding one two (hmap.h follows a chain through objects, but needs no room of its own beside them). Objects
 * know their hash; equality is the caller's.
 *
 *     struct thing *t;
 *     SLOTS_FOR_EACH_WITH_HASH (t, hash, &slots) if (matches(t)) return t;
 *     slots_insert(&slots, t, hash);
 */
#pragma once

#include "base/util.h"

struct slot {
    uint64_t hash;
    void *object; /* NULL: free */
};

struct slots {
    struct slot *slot; /* NULL until the first insert; some are free always */
    size_t mask;       /* number of slots - 1 */
    size_t n;
};

void slots_insert(struct slots *s, void *object, uint64_t hash);
/* False: OBJECT is not in S. */
bool slots_remove(struct slots *s, const void *object, uint64_t hash);
void slots_fini(struct slots *s); /* does not free the objects */

/* The first slot from I on that is free or has HASH. */
static inline struct slot *slots_seek(const struct slots *s, size_t i, uint64_t hash)
{
    for (;; i++) {
        struct slot *slot = &s->slot[i & s->mask];
        if (!slot->object || slot->hash == hash)
            return slot;
    }
}

static inline struct slot *slots_first(const struct slots *s, uint64_t hash)
{
    return s->slot ? slots_seek(s, hash, hash) : NULL;
}

static inline struct slot *slots_next(const struct slots *s, const struct slot *slot)
{
    return slots_seek(s, (size_t)(slot - s->slot) + 1, slot->hash);
}

/* S may not be changed meanwhile. */
#define SLOTS_FOR_EACH_WITH_HASH(VAR, HASH, SLOTS)                                                 \
    for (struct slot *VAR##_s_ = slots_first(SLOTS, HASH);                                         \
         (VAR = VAR##_s_ ? VAR##_s_->object : NULL); VAR##_s_ = slots_next(SLOTS, VAR##_s_))
