/* share.c - see share.h. */
#include "schema/share.h"

#include <stdlib.h>

enum { SLOTS = 8192, MAX_ELEMENTS = 4, MAX_TEXT = 32 };

struct share {
    const struct datum *values[SLOTS];
    struct rstr *texts[SLOTS]; /* of values that are not shared as a whole */
};

struct share *share_new(void)
{
    return NEW(struct share);
}

void share_free(struct share *share)
{
    for (size_t i = 0; share && i < SLOTS; i++) {
        datum_unref(share->values[i]);
        rstr_unref(share->texts[i]);
    }
    free(share);
}

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

/* One of a pool may have to end before we do. */
static void share_text(struct share *share, union atom *atom)
{
    struct rstr **slot = &share->texts[atom->string->node.hash % SLOTS];
    if (atom->string->n > MAX_TEXT || atom->string->pool || *slot == atom->string)
        return;
    if (*slot && rstr_equal(*slot, atom->string)) {
        rstr_unref(atom->string);
        atom->string = rstr_ref(*slot);
        return;
    }
    rstr_unref(*slot);
    *slot = rstr_ref(atom->string);
}

/* The texts in a value that only the caller knows. */
static void share_texts(struct share *share, const struct datum *value)
{
    struct datum *own = (struct datum *)(uintptr_t)value;
    for (size_t i = 0; own->refs == 1 && i < own->n; i++) {
        if (own->key_type == ATOM_STRING)
            share_text(share, &own->atoms[i]);
        if (own->value_type == ATOM_STRING)
            share_text(share, &own->atoms[own->n + i]);
    }
}

const struct datum *share_value(struct share *share, const struct schema_column *column,
                                const struct datum *value)
{
    const struct datum *def = column->default_value;
    if (value == def || (value->n == def->n && datum_equal(value, def)))
        return datum_ref(def);
    if (is_small(value)) {
        uint64_t seed = (uint64_t)value->key_type << 8 | value->value_type;
        const struct datum **slot = &share->values[datum_hash(value, seed) % SLOTS];
        if (*slot && (*slot)->key_type == value->key_type &&
            (*slot)->value_type == value->value_type && datum_equal(*slot, value))
            return datum_ref(*slot);
        share_texts(share, value);
        datum_unref(*slot);
        *slot = datum_ref(value);
    } else {
        share_texts(share, value);
    }
    return datum_ref(value);
}
