/* fact.c - collections: facts interned by content, counted by asserters, put into and taken out of the buckets of their
 * indexes (docs/architecture.md, row 3).
 *
 * Promises that a fact is in exactly the buckets of its keys while its count is above zero, and that every reader of
 * such a bucket, every recursive kind over the collection and the log of a watched collection hear of each coming and
 * going.
 */
#include "inc/internal.h"

void coll_init(struct inc *inc, const struct inc_coll *coll)
{
    struct coll_state *cs = &inc->colls[coll->id];
    cs->fact_size = coll->type->size;
    cs->n_indexes = (uint32_t)coll->indexes.n;
    cs->content = (uint32_t)ROUND_UP(
        sizeof(struct fact) + coll->indexes.n * (sizeof(void *) + sizeof(uint32_t)), 8);
    table_init(&cs->facts, cs->content + coll->type->size);
}

void coll_fini(struct inc *inc, const struct inc_coll *coll)
{
    struct coll_state *cs = &inc->colls[coll->id];
    if (coll->type->unref) {
        struct fact *fact;
        TABLE_FOR_EACH(fact, &cs->facts)
        coll->type->unref(fact_content(cs, fact));
    }
    table_fini(&cs->facts);
    vec_fini(&cs->log);
}

struct fact *fact_intern(struct inc *inc, const struct inc_coll *coll, const void *content,
                         bool take)
{
    struct coll_state *cs = &inc->colls[coll->id];
    const struct inc_type *type = coll->type;
    uint32_t hash = bytes_hash(content, cs->fact_size);
    struct fact *fact = table_find(&cs->facts, hash, content, cs->fact_size, cs->content);
    if (fact) {
        if (take && type->unref)
            type->unref(content);
        return fact;
    }
    fact = table_add(&cs->facts, hash);
    fact->count = 0;
    fact->coll = (uint16_t)coll->id;
    fact->flags = 0;
    memcpy(fact_content(cs, fact), content, cs->fact_size);
    if (!take && type->ref)
        type->ref(content);
    return fact;
}

void fact_free(struct inc *inc, struct fact *fact)
{
    struct coll_state *cs = &inc->colls[fact->coll];
    const struct inc_type *type = inc->program->colls.data[fact->coll]->type;
    if (type->unref)
        type->unref(fact_content(cs, fact));
    table_remove(&cs->facts, &fact->item);
}

void inc_key_add(struct inc_keys *keys, const void *key)
{
    struct inc *inc = keys->inc;
    if (keys->collector) {
        inc_keys_collect(keys, key);
        return;
    }
    struct bucket *bucket = bucket_get(inc, keys->index, key);
    if (bucket->stamp == keys->stamp)
        return;
    bucket->stamp = keys->stamp;
    struct coll_state *cs = &inc->colls[keys->fact->coll];
    struct place place = {.bucket = bucket};
    place.pos = bucket_insert(inc, bucket, fact_content(cs, keys->fact));
    vec_push(&inc->key_places, place);
}

static void enter_by_fn(struct inc *inc, struct fact *fact, const struct inc_index *index)
{
    struct coll_state *cs = &inc->colls[fact->coll];
    struct inc_keys keys = {inc, index, fact, inc_new_stamp(inc), NULL};
    vec_clear(&inc->key_places);
    index->fn(fact_content(cs, fact), &keys, inc->program->aux);
    size_t n = inc->key_places.n;
    *fact_place(fact, index->slot) = NULL;
    *fact_pos(cs, fact, index->slot) = PLACES_MANY;
    if (n == 1) {
        *fact_place(fact, index->slot) = inc->key_places.data[0].bucket;
        *fact_pos(cs, fact, index->slot) = inc->key_places.data[0].pos;
    } else if (n > 1) {
        struct places *places = pool_alloc(&inc->pool, sizeof *places + n * sizeof *places->v);
        places->n = (uint32_t)n;
        memcpy(places->v, inc->key_places.data, n * sizeof *places->v);
        *fact_place(fact, index->slot) = places;
    }
}

static void tell_watchers(struct inc *inc, struct fact *fact, bool added)
{
    const struct inc_coll *coll = inc->program->colls.data[fact->coll];
    struct coll_state *cs = &inc->colls[fact->coll];
    inc->changes++;
    for (size_t i = 0; i < coll->reaches.n; i++)
        reach_changed(inc, coll->reaches.data[i], coll, fact_content(cs, fact), added);
    if (cs->watched && !(fact->flags & FACT_LOGGED)) {
        fact->flags |= FACT_LOGGED | (added ? 0 : FACT_WAS);
        vec_push(&cs->log, fact);
    }
}

/* Units at the fact itself. */
static void enter_as_key(struct inc *inc, struct fact *fact, const struct inc_index *index)
{
    if (!(fact->flags & FACT_UNITS))
        *fact_units(fact, index) = NULL;
    units_make(inc, index, fact_units(fact, index), fact);
    if (*fact_units(fact, index))
        fact->flags |= FACT_UNITS;
}

static void fact_enter(struct inc *inc, struct fact *fact)
{
    const struct inc_coll *coll = inc->program->colls.data[fact->coll];
    struct coll_state *cs = &inc->colls[fact->coll];
    const char *content = fact_content(cs, fact);
    cs->n++;
    for (size_t i = 0; i < coll->indexes.n; i++) {
        const struct inc_index *index = coll->indexes.data[i];
        if (index->is_self) {
            enter_as_key(inc, fact, index);
        } else if (index->fn) {
            enter_by_fn(inc, fact, index);
        } else {
            struct bucket *bucket = bucket_get(inc, index, content + index->offset);
            *fact_place(fact, index->slot) = bucket;
            *fact_pos(cs, fact, index->slot) = bucket_insert(inc, bucket, content);
        }
    }
    for (size_t i = 0; i < coll->lookups.n; i++)
        lookup_enter(inc, coll->lookups.data[i], fact);
    tell_watchers(inc, fact, true);
}

static void leave_many(struct inc *inc, struct places *places)
{
    for (uint32_t i = 0; i < places->n; i++)
        bucket_delete(inc, places->v[i].bucket, places->v[i].pos);
    pool_release(&inc->pool, places, sizeof *places + places->n * sizeof *places->v);
}

static void fact_leave(struct inc *inc, struct fact *fact)
{
    const struct inc_coll *coll = inc->program->colls.data[fact->coll];
    struct coll_state *cs = &inc->colls[fact->coll];
    cs->n--;
    for (size_t i = 0; i < coll->indexes.n; i++) {
        if (coll->indexes.data[i]->is_self) {
            for (struct unit *u = *fact_units(fact, coll->indexes.data[i]); u; u = u->next)
                unit_mark(inc, u);
            continue;
        }
        void *place = *fact_place(fact, (unsigned)i);
        uint32_t pos = *fact_pos(cs, fact, (unsigned)i);
        if (pos != PLACES_MANY)
            bucket_delete(inc, place, pos);
        else if (place)
            leave_many(inc, place);
    }
    for (size_t i = 0; i < coll->lookups.n; i++)
        lookup_leave(inc, coll->lookups.data[i], fact);
    tell_watchers(inc, fact, false);
    if (!(fact->flags & FACT_KEPT))
        fact_free(inc, fact);
}

void fact_add(struct inc *inc, struct fact *fact, uint32_t count)
{
    INVARIANT(fact->count + count > fact->count);
    bool enters = !fact->count;
    fact->count += count;
    if (enters)
        fact_enter(inc, fact);
}

void fact_drop(struct inc *inc, struct fact *fact)
{
    INVARIANT(fact->count);
    if (!--fact->count)
        fact_leave(inc, fact);
}
