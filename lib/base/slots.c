/* slots.c - a hash table of pointers with their hashes; see slots.h. */
#include "base/slots.h"

#include <stdlib.h>

static void put(struct slots *s, void *object, uint64_t hash)
{
    size_t i = hash & s->mask;
    while (s->slot[i].object)
        i = (i + 1) & s->mask;
    s->slot[i] = (struct slot){hash, object};
}

void slots_insert(struct slots *s, void *object, uint64_t hash)
{
    if (!s->slot || s->n >= s->mask / 4 * 3) {
        struct slots bigger = {.mask = s->slot ? 2 * s->mask + 1 : 15, .n = s->n};
        bigger.slot = xcalloc(bigger.mask + 1, sizeof *bigger.slot);
        for (size_t i = 0; s->slot && i <= s->mask; i++)
            if (s->slot[i].object)
                put(&bigger, s->slot[i].object, s->slot[i].hash);
        free(s->slot);
        *s = bigger;
    }
    put(s, object, hash);
    s->n++;
}

bool slots_remove(struct slots *s, const void *object, uint64_t hash)
{
    if (!s->slot)
        return false;
    size_t i = hash & s->mask;
    for (; s->slot[i].object != object; i = (i + 1) & s->mask)
        if (!s->slot[i].object)
            return false;
    /* What comes behind moves up, unless it would come before the place where it is looked for. */
    for (size_t k = i;;) {
        k = (k + 1) & s->mask;
        if (!s->slot[k].object)
            break;
        size_t home = s->slot[k].hash & s->mask;
        if (((k - home) & s->mask) < ((k - i) & s->mask))
            continue;
        s->slot[i] = s->slot[k];
        i = k;
    }
    s->slot[i].object = NULL;
    s->n--;
    return true;
}

void slots_fini(struct slots *s)
{
    free(s->slot);
    *s = (struct slots){0};
}
