/* refs.c - bookkeeping of references between rows.
 *
 * See store_private.h. The work is in proportion to what changed: the common beginning and end of an
 * old and a new set are skipped as blocks of memory.
 */
#include <stdlib.h>

#include "store/store_private.h"

typedef void ref_fn(void *aux, const struct uuid *target, int delta);

static void all_refs(const struct datum *d, bool is_value, int delta, ref_fn *fn, void *aux)
{
    const union atom *atoms = is_value ? datum_values(d) : d->atoms;
    for (size_t i = 0; i < d->n; i++)
        fn(aux, &atoms[i].uuid, delta);
}

/* How many atoms A and B have in common at their beginnings. Atoms of uuids fill their memory. */
static size_t common_prefix(const union atom *a, const union atom *b, size_t n)
{
    enum { BLOCK = 64 };
    size_t i = 0;
    while (i + BLOCK <= n && !memcmp(a + i, b + i, BLOCK * sizeof *a))
        i += BLOCK;
    while (i < n && !memcmp(a + i, b + i, sizeof *a))
        i++;
    return i;
}

static void set_changes(const struct datum *before, const struct datum *after, ref_fn *fn,
                        void *aux)
{
    size_t skip = common_prefix(before->atoms, after->atoms, MIN(before->n, after->n));
    size_t i = skip, j = skip, i_end = before->n, j_end = after->n;
    while (i < i_end && j < j_end &&
           uuid_equal(&before->atoms[i_end - 1].uuid, &after->atoms[j_end - 1].uuid)) {
        i_end--;
        j_end--;
    }
    while (i < i_end || j < j_end) {
        int c = i == i_end   ? 1
                : j == j_end ? -1
                             : uuid_compare(&before->atoms[i].uuid, &after->atoms[j].uuid);
        if (c < 0)
            fn(aux, &before->atoms[i].uuid, -1);
        if (c > 0)
            fn(aux, &after->atoms[j].uuid, 1);
        i += c <= 0;
        j += c >= 0;
    }
}

void refs_side_changes(const struct ref_side *side, const struct row *before,
                       const struct row *after, ref_fn *fn, void *aux)
{
    const struct datum *a = before ? row_get(before, side->column) : NULL;
    const struct datum *b = after ? row_get(after, side->column) : NULL;
    if (a == b)
        return;
    if (a && b && !datum_is_map(b)) {
        set_changes(a, b, fn, aux);
        return;
    }
    if (b)
        all_refs(b, side->is_value, 1, fn, aux);
    if (a)
        all_refs(a, side->is_value, -1, fn, aux);
}

/* ---- weak ---- */

static uint64_t weak_hash(const struct entry *source, const struct schema_column *column,
                          const struct entry *target)
{
    return hash_pointer(source, hash_pointer(target, (uint64_t)column->index));
}

static struct weak_ref *weak_find(struct entry *source, const struct schema_column *column,
                                  struct entry *target, uint64_t hash)
{
    struct weak_ref *ref;
    HMAP_FOR_EACH_WITH_HASH (ref, node, hash, &source->table->store->weak_refs) {
        if (ref->source == source && ref->target == target && ref->column == column)
            return ref;
    }
    return NULL;
}

struct weak_context {
    struct entry *source;
    const struct ref_side *side;
};

static void weak_add(struct store *store, struct weak_context *context, struct entry *target)
{
    uint64_t hash = weak_hash(context->source, context->side->column, target);
    struct weak_ref *ref = weak_find(context->source, context->side->column, target, hash);
    if (!ref) {
        ref = NEW(struct weak_ref);
        ref->source = context->source;
        ref->target = target;
        ref->column = context->side->column;
        hmap_insert(&store->weak_refs, &ref->node, hash);
        list_push_back(&target->weak_referrers, &ref->by_target);
    }
    ref->n++;
}

static void weak_remove(struct store *store, struct weak_context *context, struct entry *target)
{
    uint64_t hash = weak_hash(context->source, context->side->column, target);
    struct weak_ref *ref = weak_find(context->source, context->side->column, target, hash);
    INVARIANT(ref);
    if (--ref->n)
        return;
    hmap_remove(&store->weak_refs, &ref->node);
    list_remove(&ref->by_target);
    free(ref);
}

static void weak_change(void *aux, const struct uuid *uuid, int delta)
{
    struct weak_context *context = aux;
    struct entry *target = entry_find(context->side->target, uuid);
    INVARIANT(target);
    if (delta > 0)
        weak_add(context->source->table->store, context, target);
    else
        weak_remove(context->source->table->store, context, target);
}

void refs_account_weak(struct entry *entry, const struct row *before, const struct row *after)
{
    for (size_t i = 0; i < entry->table->n_refs; i++) {
        const struct ref_side *side = &entry->table->refs[i];
        struct weak_context context = {entry, side};
        if (side->kind == REF_WEAK)
            refs_side_changes(side, before, after, weak_change, &context);
    }
}

/* ---- strong ---- */

struct strong_context {
    struct entry *source;
    const struct ref_side *side;
    bool all_exist;
};

static void strong_change(void *aux, const struct uuid *uuid, int delta)
{
    struct strong_context *context = aux;
    struct entry *target = entry_find(context->side->target, uuid);
    if (!target) {
        context->all_exist = false;
        return;
    }
    if (target != context->source)
        target->n_strong += (uint32_t)delta;
}

bool refs_account_strong(struct entry *entry, const struct row *before, const struct row *after)
{
    struct strong_context context = {.source = entry, .all_exist = true};
    for (size_t i = 0; i < entry->table->n_refs; i++) {
        context.side = &entry->table->refs[i];
        if (context.side->kind == REF_STRONG)
            refs_side_changes(context.side, before, after, strong_change, &context);
    }
    return context.all_exist;
}
