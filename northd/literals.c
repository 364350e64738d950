/* literals.c - see literals.h. Open addressing by the address; nothing is ever removed, since the program has no more texts than were written. */
#include "northd/literals.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_SLOTS = 64 };

static struct literal *slot_of(const struct literals *l, const char *text)
{
    size_t i = hash_pointer(text, 0) & l->mask;
    while (l->slots[i].text && l->slots[i].text != text)
        i = (i + 1) & l->mask;
    return &l->slots[i];
}

static void grow(struct literals *l)
{
    struct literals old = *l;
    size_t n = old.slots ? (old.mask + 1) * 2 : FIRST_SLOTS;
    l->slots = xcalloc(n, sizeof *l->slots);
    l->mask = n - 1;
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i].text)
            *slot_of(l, old.slots[i].text) = old.slots[i];
    free(old.slots);
}

struct literal *literals_get(struct literals *l, const char *text)
{
    struct literal *slot = l->slots ? slot_of(l, text) : NULL;
    if (slot && slot->text)
        return slot;
    if (strchr(text, '%'))
        return NULL;
    if (!slot || (l->n + 1) * 2 > l->mask + 1) {
        grow(l);
        slot = slot_of(l, text);
    }
    l->n++;
    slot->text = text;
    return slot;
}

void literals_fini(struct literals *l)
{
    for (size_t i = 0; l->slots && i <= l->mask; i++) {
        expr_unref(l->slots[i].match);
        actions_unref(l->slots[i].actions);
        rstr_unref(l->slots[i].name);
    }
    free(l->slots);
    *l = (struct literals){0};
}
