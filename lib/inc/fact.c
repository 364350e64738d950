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
    cs->content = (uint32_t)(sizeof(struct fact) + coll->indexes.n * sizeof(struct places));
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
    struct inc_keys keys = {inc, index, fact, ++inc->stamp, NULL};
    vec_clear(&inc->key_places);
    index->fn(fact_content(cs, fact), &keys, inc->program->aux);
    struct places *places = fact_places(fact, index->slot);
    places->n = (uint32_t)inc->key_places.n;
    if (places->n == 1) {
        places->one = inc->key_places.data[0];
    } else if (places->n > 1) {
        size_t size = places->n * sizeof *places->many;
        places->many = pool_alloc(&inc->pool, size);
        memcpy(places->many, inc->key_places.data, size);
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

static void fact_enter(struct inc *inc, struct fact *fact)
{
    const struct inc_coll *coll = inc->program->colls.data[fact->coll];
    struct coll_state *cs = &inc->colls[fact->coll];
    const char *content = fact_content(cs, fact);
    cs->n++;
    for (size_t i = 0; i < coll->indexes.n; i++) {
        const struct inc_index *index = coll->indexes.data[i];
        if (index->fn) {
            enter_by_fn(inc, fact, index);
        } else {
            struct places *places = fact_places(fact, index->slot);
            places->n = 1;
            places->one.bucket = bucket_get(inc, index, content + index->offset);
            places->one.pos = bucket_insert(inc, places->one.bucket, content);
        }
    }
    tell_watchers(inc, fact, true);
}

static void fact_leave(struct inc *inc, struct fact *fact)
{
    const struct inc_coll *coll = inc->program->colls.data[fact->coll];
    inc->colls[fact->coll].n--;
    for (size_t i = 0; i < coll->indexes.n; i++) {
        struct places *places = fact_places(fact, (unsigned)i);
        if (places->n == 1) {
            bucket_delete(inc, places->one.bucket, places->one.pos);
            continue;
        }
        for (uint32_t j = 0; j < places->n; j++)
            bucket_delete(inc, places->many[j].bucket, places->many[j].pos);
        if (places->n)
            pool_release(&inc->pool, places->many, places->n * sizeof *places->many);
    }
    tell_watchers(inc, fact, false);
    if (!(fact->flags & (FACT_LOGGED | FACT_PINNED)))
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
