/* bucket.c - the buckets of an index: which facts have a key, and which units have read it (docs/architecture.md, row 3).
 *
 * Insertion and removal cost O(1): a removed entry leaves a hole, a new one goes to the end, and order is made when
 * somebody reads. A bucket exists while it has facts, readers or units. It promises that after any change of its facts
 * every reader is dirty.
 */
#include "inc/internal.h"

#include <stdlib.h>

void index_init(struct inc *inc, const struct inc_index *index)
{
    if (!index->is_lookup && !index->is_self)
        table_init(&inc->indexes[index->id].buckets, sizeof(struct bucket) + index->key_type->size);
}

void index_fini(struct inc *inc, const struct inc_index *index)
{
    struct table *buckets = &inc->indexes[index->id].buckets;
    if (index->is_self)
        return;
    if (index->is_lookup) {
        lookup_fini(inc, index);
        return;
    }
    if (index->key_type->unref) {
        struct bucket *bucket;
        TABLE_FOR_EACH(bucket, buckets)
        index->key_type->unref(bucket_key(bucket));
    }
    table_fini(buckets);
}

struct bucket *bucket_find(const struct inc *inc, const struct inc_index *index, const void *key)
{
    size_t n = index->key_type->size;
    return table_find(&inc->indexes[index->id].buckets, n ? bytes_hash(key, n) : 0, key, n,
                      sizeof(struct bucket));
}

struct bucket *bucket_get(struct inc *inc, const struct inc_index *index, const void *key)
{
    struct table *buckets = &inc->indexes[index->id].buckets;
    size_t n = index->key_type->size;
    uint32_t hash = n ? bytes_hash(key, n) : 0;
    struct bucket *bucket = table_find(buckets, hash, key, n, sizeof *bucket);
    if (bucket)
        return bucket;
    bucket = table_add(buckets, hash);
    struct table_item item = bucket->item;
    memset(bucket, 0, sizeof *bucket);
    bucket->item = item;
    bucket->index = (uint16_t)index->id;
    if (n) {
        memcpy(bucket_key(bucket), key, n);
        if (index->key_type->ref)
            index->key_type->ref(bucket_key(bucket));
    }
    return bucket;
}

static size_t entries_size(uint32_t cap)
{
    return sizeof(struct entries) + cap * sizeof(void *);
}

static size_t readers_size(uint32_t cap)
{
    return sizeof(struct readers) + cap * sizeof(struct reader);
}

static void drop_entries(struct inc *inc, struct bucket *bucket)
{
    if (bucket->is_many)
        pool_release(&inc->pool, bucket->entries, entries_size(bucket->entries->cap));
    bucket->is_many = false;
    bucket->one = NULL;
}

void bucket_gone(struct inc *inc, struct bucket *bucket)
{
    if (bucket->n || bucket->n_readers || bucket->units)
        return;
    const struct inc_index *index = inc->program->indexes.data[bucket->index];
    drop_entries(inc, bucket);
    if (bucket->has_readers)
        pool_release(&inc->pool, bucket->readers, readers_size(bucket->readers->cap));
    if (index->key_type->unref)
        index->key_type->unref(bucket_key(bucket));
    table_remove(&inc->indexes[index->id].buckets, &bucket->item);
}

const void **bucket_facts(struct bucket *bucket)
{
    return bucket->is_many ? bucket->entries->v : &bucket->one;
}

uint32_t bucket_len(const struct bucket *bucket)
{
    return bucket->is_many ? bucket->entries->len : bucket->n;
}

static struct reader *readers_of(struct bucket *bucket)
{
    return bucket->has_readers ? bucket->readers->v : &bucket->reader;
}

/* Tells the fact at CONTENT that its entry in BUCKET is at POS now. */
static void set_pos(struct inc *inc, struct bucket *bucket, const void *content, uint32_t pos)
{
    const struct inc_index *index = inc->program->indexes.data[bucket->index];
    const struct coll_state *cs = &inc->colls[index->coll->id];
    *fact_pos_in(cs, fact_of(cs, content), index->slot, bucket) = pos;
}

/* Removes the holes and keeps the order. */
static void close_holes(struct inc *inc, struct bucket *bucket)
{
    struct entries *entries = bucket->entries;
    const void **facts = entries->v;
    uint32_t out = 0, sorted = 0;
    for (uint32_t i = 0; i < entries->len; i++) {
        if (!facts[i])
            continue;
        if (i < entries->sorted)
            sorted++;
        if (i != out) {
            facts[out] = facts[i];
            set_pos(inc, bucket, facts[out], out);
        }
        out++;
    }
    INVARIANT(out == bucket->n);
    entries->len = out;
    entries->sorted = sorted;
}

static int compare_contents(const void *a_, const void *b_, void *type_)
{
    const struct inc_type *type = type_;
    const void *a = *(const void *const *)a_, *b = *(const void *const *)b_;
    return type->compare ? type->compare(a, b) : memcmp(a, b, type->size);
}

/* Puts entry I, whose predecessors are in order, where it belongs; returns the first entry that moved. */
static uint32_t insert_sorted(const void **facts, uint32_t i, const struct inc_type *type)
{
    const void *x = facts[i];
    uint32_t lo = 0, hi = i;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (compare_contents(&facts[mid], &x, (void *)(uintptr_t)type) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    memmove(&facts[lo + 1], &facts[lo], (i - lo) * sizeof *facts);
    facts[lo] = x;
    return lo;
}

/* Merges the sorted entries from MID on into the sorted ones before; returns the first entry that moved. */
static uint32_t merge_tail(struct inc *inc, struct entries *entries, uint32_t mid,
                           const struct inc_type *type)
{
    const void **facts = entries->v;
    uint32_t n_tail = entries->len - mid;
    vec_clear(&inc->tail);
    for (uint32_t i = mid; i < entries->len; i++)
        vec_push(&inc->tail, facts[i]);
    uint32_t a = mid, b = n_tail, out = entries->len;
    while (b) {
        if (a &&
            compare_contents(&facts[a - 1], &inc->tail.data[b - 1], (void *)(uintptr_t)type) > 0)
            facts[--out] = facts[--a];
        else
            facts[--out] = inc->tail.data[--b];
    }
    return out;
}

void bucket_sort(struct inc *inc, struct bucket *bucket)
{
    enum { FEW = 12 };
    struct entries *entries = bucket->entries;
    if (!bucket->is_many)
        return;
    if (entries->len != bucket->n)
        close_holes(inc, bucket);
    if (entries->sorted == entries->len)
        return;
    const struct inc_type *type = inc->program->indexes.data[bucket->index]->coll->type;
    const void **facts = entries->v;
    uint32_t first = entries->sorted;
    if (entries->len - entries->sorted <= FEW) {
        for (uint32_t i = entries->sorted; i < entries->len; i++) {
            uint32_t moved = insert_sorted(facts, i, type);
            first = MIN(first, moved);
        }
    } else {
        qsort_r(&facts[first], entries->len - first, sizeof *facts, compare_contents,
                (void *)(uintptr_t)type);
        first = merge_tail(inc, entries, first, type);
    }
    for (uint32_t i = first; i < entries->len; i++)
        set_pos(inc, bucket, facts[i], i);
    entries->sorted = entries->len;
}

static void notify(struct inc *inc, struct bucket *bucket)
{
    if (bucket->notified)
        return;
    struct reader *readers = readers_of(bucket);
    for (uint32_t i = 0; i < bucket->n_readers; i++)
        unit_mark(inc, unit_numbered(inc, readers[i].unit));
    bucket->notified = true;
}

/* Room for one more entry beside the one or more that there are. */
static void reserve(struct inc *inc, struct bucket *bucket)
{
    enum { FIRST = 2 };
    struct entries *old = bucket->is_many ? bucket->entries : NULL, *new;
    if (old && old->len < old->cap)
        return;
    if (old && bucket->n <= old->len / 2) {
        close_holes(inc, bucket);
        return;
    }
    uint32_t cap = old ? old->cap * 2 : FIRST;
    new = pool_alloc(&inc->pool, entries_size(cap));
    *new = old ? *old : (struct entries){.len = 1, .sorted = 1};
    new->cap = cap;
    memcpy(new->v, bucket_facts(bucket), new->len * sizeof *new->v);
    drop_entries(inc, bucket);
    bucket->entries = new;
    bucket->is_many = true;
}

uint32_t bucket_insert(struct inc *inc, struct bucket *bucket, const void *content)
{
    uint32_t pos = 0;
    if (bucket->n || bucket->is_many) {
        reserve(inc, bucket);
        pos = bucket->entries->len++;
        if (!pos)
            bucket->entries->sorted = 1;
    }
    bucket_facts(bucket)[pos] = content;
    if (++bucket->n == 1)
        units_make(inc, inc->program->indexes.data[bucket->index], &bucket->units, bucket);
    notify(inc, bucket);
    return pos;
}

void bucket_delete(struct inc *inc, struct bucket *bucket, uint32_t pos)
{
    bucket_facts(bucket)[pos] = NULL;
    notify(inc, bucket);
    if (--bucket->n)
        return;
    drop_entries(inc, bucket);
    for (struct unit *unit = bucket->units; unit; unit = unit->next)
        unit_mark(inc, unit);
    bucket_gone(inc, bucket);
}

uint32_t bucket_add_reader(struct inc *inc, struct bucket *bucket, struct unit *unit, uint32_t edge)
{
    struct readers *old = bucket->has_readers ? bucket->readers : NULL;
    uint32_t have = old ? old->cap : 1;
    if (bucket->n_readers == have) {
        uint32_t cap = have * 2 + 1;
        struct readers *new = pool_alloc(&inc->pool, readers_size(cap));
        new->cap = cap;
        memcpy(new->v, readers_of(bucket), bucket->n_readers * sizeof *new->v);
        if (old)
            pool_release(&inc->pool, old, readers_size(have));
        bucket->readers = new;
        bucket->has_readers = true;
    }
    readers_of(bucket)[bucket->n_readers] = (struct reader){unit->number, edge};
    return bucket->n_readers++;
}

void bucket_remove_reader(struct inc *inc, struct bucket *bucket, uint32_t pos)
{
    struct reader *readers = readers_of(bucket);
    struct reader last = readers[--bucket->n_readers];
    if (pos < bucket->n_readers) {
        struct unit *unit = unit_numbered(inc, last.unit);
        readers[pos] = last;
        if (unit == inc->ctx.unit)
            inc->ctx.reads.data[last.edge].pos = pos;
        else
            unit_pos(unit)[last.edge] = pos;
    }
    bucket_gone(inc, bucket);
}
