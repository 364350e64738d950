/* watch.c - how the host looks at collections: differences since the last look, buckets, membership (docs/architecture.md,
 * row 3). A difference is net: a fact that went and came back between two looks is not told. The cost is that of the
 * difference.
 */
#include "inc/internal.h"

#include <stdlib.h>

void inc_watch(struct inc *inc, const struct inc_coll *coll)
{
    struct coll_state *cs = &inc->colls[coll->id];
    INVARIANT(cs->watched || !cs->n);
    cs->watched = true;
}

bool inc_has_changes(const struct inc *inc, const struct inc_coll *coll)
{
    const struct coll_state *cs = &inc->colls[coll->id];
    INVARIANT(cs->watched);
    for (size_t i = 0; i < cs->log.n; i++)
        if (!cs->log.data[i]->count == !!(cs->log.data[i]->flags & FACT_WAS))
            return true;
    return false;
}

/* What a look tells: the first N_REMOVED are gone, the others have come. */
struct look {
    VEC(struct fact *) facts;
    size_t n_removed;
};

/* Takes the log of COLL. The facts of the look are pinned until look_end. */
static void look_begin(struct inc *inc, const struct inc_coll *coll, struct look *look)
{
    struct coll_state *cs = &inc->colls[coll->id];
    INVARIANT(cs->watched && !inc->settling && !inc->running);
    VEC(struct fact *) added = VEC_INIT;
    memset(look, 0, sizeof *look);
    added.data = cs->log.data; /* in place: after a start it is long */
    added.cap = cs->log.cap;
    for (size_t i = 0; i < cs->log.n; i++) {
        struct fact *fact = cs->log.data[i];
        bool was = fact->flags & FACT_WAS, is = fact->count;
        fact->flags &= (uint16_t) ~(FACT_LOGGED | FACT_WAS);
        if (was != is)
            fact->flags |= FACT_PINNED;
        if (was && !is)
            vec_push(&look->facts, fact);
        else if (is && !was)
            added.data[added.n++] = fact;
        else if (!is && !(fact->flags & FACT_KEPT))
            fact_free(inc, fact);
    }
    memset(&cs->log, 0, sizeof cs->log);
    look->n_removed = look->facts.n;
    if (!look->n_removed) {
        memcpy(&look->facts, &added, sizeof added);
        return;
    }
    for (size_t i = 0; i < added.n; i++)
        vec_push(&look->facts, added.data[i]);
    vec_fini(&added);
}

static void look_end(struct inc *inc, struct look *look)
{
    for (size_t i = 0; i < look->facts.n; i++) {
        struct fact *fact = look->facts.data[i];
        fact->flags &= (uint16_t)~FACT_PINNED;
        if (!fact->count && !(fact->flags & FACT_KEPT))
            fact_free(inc, fact);
    }
    vec_fini(&look->facts);
}

void inc_changes(struct inc *inc, const struct inc_coll *coll, inc_change_fn *fn, void *aux)
{
    struct look look;
    look_begin(inc, coll, &look);
    for (size_t i = 0; i < look.facts.n; i++)
        fn(fact_content(&inc->colls[coll->id], look.facts.data[i]), i >= look.n_removed, aux);
    look_end(inc, &look);
}

/* --- By key: the changed facts with their keys, sorted by key */

struct keyed {
    const char *key;
    const void *fact;
    size_t key_size;
    bool added;
};

/* A key function run outside of insertion: it only collects. */
struct key_collector {
    struct arena arena;
    VEC(struct keyed) list;
    const struct inc_index *index;
    const void *fact;
    bool added;
};

static int compare_keyed(const void *a_, const void *b_)
{
    const struct keyed *a = a_, *b = b_;
    int c = a->key_size ? memcmp(a->key, b->key, a->key_size) : 0;
    if (!c)
        c = (int)a->added - (int)b->added;
    return c ? c : (a->fact > b->fact) - (a->fact < b->fact);
}

static void collect(struct key_collector *c, const void *key)
{
    size_t size = c->index->key_type->size;
    struct keyed keyed = {size ? arena_memdup(&c->arena, key, size) : NULL, c->fact, size,
                          c->added};
    vec_push(&c->list, keyed);
}

void inc_keys_collect(struct inc_keys *keys, const void *key)
{
    collect(keys->collector, key);
}

static void tell_group(struct inc *inc, const struct inc_index *index, const struct keyed *group,
                       size_t n, inc_key_change_fn *fn, void *aux)
{
    const void **facts = xmalloc(n * sizeof *facts);
    size_t n_facts = 0, n_removed = 0;
    for (size_t i = 0; i < n; i++) {
        if (n_facts && group[i].fact == facts[n_facts - 1])
            continue; /* the key function named the key twice */
        facts[n_facts++] = group[i].fact;
        n_removed += !group[i].added;
    }
    const struct bucket *bucket = index->is_lookup ? NULL : bucket_find(inc, index, group->key);
    struct inc_key_change change = {
        .key = group->key,
        .removed = facts,
        .n_removed = n_removed,
        .added = facts + n_removed,
        .n_added = n_facts - n_removed,
        .now = index->is_lookup ? lookup_find(inc, index, group->key).n
               : bucket         ? bucket->n
                                : 0,
    };
    fn(&change, aux);
    free(facts);
}

void inc_changes_by_key(struct inc *inc, const struct inc_index *index, inc_key_change_fn *fn,
                        void *aux)
{
    struct look look;
    look_begin(inc, index->coll, &look);
    struct key_collector c = {.arena = ARENA_INIT, .index = index};
    struct inc_keys keys = {.inc = inc, .index = index, .collector = &c};
    for (size_t i = 0; i < look.facts.n; i++) {
        c.fact = fact_content(&inc->colls[index->coll->id], look.facts.data[i]);
        c.added = i >= look.n_removed;
        if (index->fn)
            index->fn(c.fact, &keys, inc->program->aux);
        else
            collect(&c, (const char *)c.fact + index->offset);
    }
    if (c.list.n)
        qsort(c.list.data, c.list.n, sizeof *c.list.data, compare_keyed);
    size_t size = index->key_type->size;
    for (size_t i = 0, j; i < c.list.n; i = j) {
        const struct keyed *group = &c.list.data[i];
        for (j = i + 1; j < c.list.n && (!size || !memcmp(c.list.data[j].key, group->key, size));)
            j++;
        tell_group(inc, index, group, j - i, fn, aux);
    }
    vec_fini(&c.list);
    arena_fini(&c.arena);
    look_end(inc, &look);
}

/* --- Looking */

struct inc_facts inc_look(struct inc *inc, const struct inc_index *index, const void *key)
{
    INVARIANT(!inc->settling && !inc->running && !index->is_self);
    if (index->is_lookup)
        return lookup_find(inc, index, key);
    struct bucket *bucket = bucket_find(inc, index, key);
    if (!bucket || !bucket->n)
        return (struct inc_facts){NULL, 0};
    bucket_sort(inc, bucket);
    return (struct inc_facts){bucket_facts(bucket), bucket->n};
}

bool inc_has(const struct inc *inc, const struct inc_coll *coll, const void *content)
{
    const struct coll_state *cs = &inc->colls[coll->id];
    const struct fact *fact = table_find(&cs->facts, bytes_hash(content, cs->fact_size), content,
                                         cs->fact_size, cs->content);
    return fact && fact->count;
}

size_t inc_count(const struct inc *inc, const struct inc_coll *coll)
{
    return inc->colls[coll->id].n;
}

void inc_for_each(const struct inc *inc, const struct inc_coll *coll,
                  void (*fn)(const void *fact, void *aux), void *aux)
{
    const struct coll_state *cs = &inc->colls[coll->id];
    const struct fact *fact;
    TABLE_FOR_EACH(fact, &cs->facts)
    if (fact->count)
        fn(fact_content(cs, fact), aux);
}
