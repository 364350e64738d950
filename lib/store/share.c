/* share.c - equal small values are kept once, as far as a small cache can see.
 *
 * Rows of one table repeat a few values (a pipeline, a priority, a datapath) hundreds of thousands of
 * times. Each value that enters a row passes through a direct-mapped cache by its hash; if the same
 * value was there lately, the row gets that one. Nothing depends on a hit: it saves memory and makes
 * later comparisons a comparison of pointers.
 */
#include <stdlib.h>

#include "store/store_private.h"

enum { MAX_ELEMENTS = 4, MAX_TEXT = 32 };

static bool is_small(const struct datum *d)
{
    if (d->n > MAX_ELEMENTS)
        return false;
    for (size_t i = 0; i < d->n; i++) {
        if (d->key_type == ATOM_STRING && d->atoms[i].string->n > MAX_TEXT)
            return false;
        if (d->value_type == ATOM_STRING && datum_values(d)[i].string->n > MAX_TEXT)
            return false;
    }
    return true;
}

const struct datum *share_value(struct store *store, const struct schema_column *column,
                                const struct datum *value)
{
    const struct datum *def = column->default_value;
    if (value->n == def->n && datum_equal(value, def))
        return datum_ref(def);
    if (!is_small(value))
        return datum_ref(value);
    if (!store->shared)
        store->shared = xcalloc(SHARED_SLOTS, sizeof *store->shared);
    uint64_t seed = (uint64_t)value->key_type << 8 | value->value_type;
    const struct datum **slot = &store->shared[datum_hash(value, seed) % SHARED_SLOTS];
    if (*slot && (*slot)->key_type == value->key_type && (*slot)->value_type == value->value_type &&
        datum_equal(*slot, value))
        return datum_ref(*slot);
    datum_unref(*slot);
    *slot = datum_ref(value);
    return datum_ref(value);
}

void share_fini(struct store *store)
{
    for (size_t i = 0; store->shared && i < SHARED_SLOTS; i++)
        datum_unref(store->shared[i]);
    free(store->shared);
}
