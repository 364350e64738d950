/* megaflow.c - see megaflow.h. */
#include "switchd/megaflow.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/vswitch.h"

enum { SORT_EVERY = 4096 };

struct megaflows *megaflows_new(struct vswitch *vs)
{
    struct megaflows *cache = NEW(struct megaflows);
    cache->vs = vs;
    cache->exact = xcalloc(EXACT_ENTRIES, sizeof *cache->exact);
    cache->until_sort = SORT_EVERY;
    return cache;
}

void megaflow_unref(struct megaflow *flow)
{
    if (!flow || --flow->refs)
        return;
    xlate_out_fini(&flow->out);
    free(flow);
}

void megaflows_free(struct megaflows *cache)
{
    megaflows_flush(cache);
    free(cache->exact);
    vec_fini(&cache->tables);
    free(cache);
}

static uint64_t key_hash(const struct flow_key *key)
{
    return flow_key_hash(key, 0);
}

static uint64_t masked_hash(const struct megaflow_table *t, const struct flow_key *key)
{
    const uint64_t *words = flow_words_const(key);
    uint64_t hash = 0;
    for (unsigned i = 0; i < t->n; i++)
        hash = hash_u64(words[t->index[i]] & t->mask[i], hash);
    return hash;
}

static bool masked_equal(const struct megaflow_table *t, const struct flow_key *masked,
                         const struct flow_key *key)
{
    const uint64_t *a = flow_words_const(masked), *b = flow_words_const(key);
    for (unsigned i = 0; i < t->n; i++) {
        if (a[t->index[i]] != (b[t->index[i]] & t->mask[i]))
            return false;
    }
    return true;
}

static int compare_hits(const void *a_, const void *b_)
{
    const struct megaflow_table *const *a = a_, *const *b = b_;
    return (*a)->n_hits > (*b)->n_hits ? -1 : (*a)->n_hits < (*b)->n_hits;
}

static void sort_tables(struct megaflows *cache)
{
    cache->until_sort = SORT_EVERY;
    if (cache->tables.n < 2)
        return;
    qsort(cache->tables.data, cache->tables.n, sizeof cache->tables.data[0], compare_hits);
    for (size_t i = 0; i < cache->tables.n; i++)
        cache->tables.data[i]->n_hits /= 2;
}

static struct megaflow *lookup_tables(struct megaflows *cache, const struct flow_key *key)
{
    for (size_t i = 0; i < cache->tables.n; i++) {
        struct megaflow_table *t = cache->tables.data[i];
        struct megaflow *flow;
        HMAP_FOR_EACH_WITH_HASH (flow, node, masked_hash(t, key), &t->flows) {
            if (masked_equal(t, &flow->key, key)) {
                t->n_hits++;
                if (!--cache->until_sort)
                    sort_tables(cache);
                return flow;
            }
        }
    }
    return NULL;
}

static void exact_put(struct megaflows *cache, uint64_t hash, const struct flow_key *key,
                      struct megaflow *flow)
{
    struct exact_entry *e = &cache->exact[hash % EXACT_ENTRIES];
    flow->refs++;
    megaflow_unref(e->flow);
    e->hash = hash;
    e->flow = flow;
    e->key = *key;
}

struct megaflow *megaflows_lookup(struct megaflows *cache, const struct flow_key *key)
{
    uint64_t hash = key_hash(key);
    struct exact_entry *e = &cache->exact[hash % EXACT_ENTRIES];
    if (e->flow && e->flow->table && e->hash == hash && flow_key_equal(&e->key, key)) {
        cache->n_exact_hits++;
        return e->flow;
    }
    struct megaflow *flow = lookup_tables(cache, key);
    if (!flow) {
        cache->n_misses++;
        return NULL;
    }
    cache->n_hits++;
    exact_put(cache, hash, key, flow);
    return flow;
}

bool megaflow_is_current(const struct megaflow *flow, const struct vswitch *vs)
{
    return flow->generation == vs->generation &&
           (!flow->out.used_macs || flow->mac_generation == vs->mac_generation);
}

static bool table_has_mask(const struct megaflow_table *t, const uint64_t *mask)
{
    unsigned pos = 0;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        if (!mask[i])
            continue;
        if (pos == t->n || t->index[pos] != i || t->mask[pos] != mask[i])
            return false;
        pos++;
    }
    return pos == t->n;
}

static struct megaflow_table *table_for(struct megaflows *cache, const struct flow_mask *mask)
{
    const uint64_t *words = flow_words_const(&mask->bits);
    for (size_t i = 0; i < cache->tables.n; i++) {
        if (table_has_mask(cache->tables.data[i], words))
            return cache->tables.data[i];
    }
    struct megaflow_table *t = NEW(struct megaflow_table);
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        if (words[i]) {
            t->index[t->n] = (uint16_t)i;
            t->mask[t->n++] = words[i];
        }
    }
    vec_push(&cache->tables, t);
    return t;
}

struct megaflow *megaflows_insert(struct megaflows *cache, const struct flow_key *key,
                                  struct xlate_out *out, int64_t now_ms)
{
    if (cache->n_flows >= MEGAFLOWS_MAX) {
        cache->n_full++;
        return NULL;
    }
    struct megaflow *flow = NEW(struct megaflow);
    flow->refs = 1;
    flow->out = *out;
    xlate_out_init(out);
    flow->key = *key;
    flow_key_and(&flow->key, &flow->out.mask);
    flow->created_ms = flow->used_ms = flow->pushed_ms = now_ms;
    flow->generation = cache->vs->generation;
    flow->mac_generation = cache->vs->mac_generation;
    flow->table = table_for(cache, &flow->out.mask);
    hmap_insert(&flow->table->flows, &flow->node, masked_hash(flow->table, key));
    cache->n_flows++;
    exact_put(cache, key_hash(key), key, flow);
    return flow;
}

void megaflow_push(struct megaflows *cache, struct megaflow *flow)
{
    uint64_t packets = flow->n_packets - flow->pushed_packets;
    uint64_t bytes = flow->n_bytes - flow->pushed_bytes;
    if (!packets)
        return;
    flow->pushed_packets = flow->n_packets;
    flow->pushed_bytes = flow->n_bytes;
    flow->pushed_ms = flow->used_ms;
    effects_apply(cache->vs, flow->out.effects.data, flow->out.effects.n, packets, bytes,
                  flow->used_ms, megaflow_is_current(flow, cache->vs));
}

void megaflows_push(struct megaflows *cache)
{
    for (size_t i = 0; i < cache->tables.n; i++) {
        struct megaflow *flow;
        HMAP_FOR_EACH (flow, node, &cache->tables.data[i]->flows)
            megaflow_push(cache, flow);
    }
}

/* Leaves an empty table in place: the sweep removes those. */
void megaflow_remove(struct megaflows *cache, struct megaflow *flow)
{
    megaflow_push(cache, flow);
    hmap_remove(&flow->table->flows, &flow->node);
    flow->table = NULL;
    cache->n_flows--;
    megaflow_unref(flow);
}

static void remove_empty_tables(struct megaflows *cache)
{
    size_t kept = 0;
    for (size_t i = 0; i < cache->tables.n; i++) {
        struct megaflow_table *t = cache->tables.data[i];
        if (t->flows.n) {
            cache->tables.data[kept++] = t;
        } else {
            hmap_fini(&t->flows);
            free(t);
        }
    }
    cache->tables.n = kept;
}

/* The exact cache must not keep rules alive for long. */
static void forget_dead_exact(struct megaflows *cache)
{
    for (size_t i = 0; i < EXACT_ENTRIES; i++) {
        struct exact_entry *e = &cache->exact[i];
        if (e->flow && !e->flow->table) {
            megaflow_unref(e->flow);
            e->flow = NULL;
        }
    }
}

static void remove_where(struct megaflows *cache, int64_t now_ms, bool all)
{
    for (size_t i = 0; i < cache->tables.n; i++) {
        struct megaflow *flow;
        HMAP_FOR_EACH_SAFE (flow, node, &cache->tables.data[i]->flows) {
            bool idle = now_ms - flow->used_ms >= MEGAFLOW_IDLE_MS;
            bool unused = now_ms - flow->used_ms >= 1000;
            if (all || idle || (unused && !megaflow_is_current(flow, cache->vs)))
                megaflow_remove(cache, flow);
        }
    }
    remove_empty_tables(cache);
    forget_dead_exact(cache);
}

void megaflows_sweep(struct megaflows *cache, int64_t now_ms)
{
    megaflows_push(cache);
    remove_where(cache, now_ms, false);
}

void megaflows_flush(struct megaflows *cache)
{
    remove_where(cache, 0, true);
}

void megaflows_for_each(const struct megaflows *cache,
                        void (*fn)(const struct megaflow *flow, void *aux), void *aux)
{
    for (size_t i = 0; i < cache->tables.n; i++) {
        struct megaflow *flow;
        HMAP_FOR_EACH (flow, node, &cache->tables.data[i]->flows)
            fn(flow, aux);
    }
}
