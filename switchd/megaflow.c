/* megaflow.c - see megaflow.h. */
#include "switchd/megaflow.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/revalidate.h"
#include "switchd/vswitch.h"

enum { SORT_EVERY = 4096 };

struct megaflows *megaflows_new(struct vswitch *vs)
{
    struct megaflows *cache = NEW(struct megaflows);
    cache->vs = vs;
    cache->limit = MEGAFLOWS_MAX;
    list_init(&cache->all);
    list_init(&cache->counted);
    cache->until_sort = SORT_EVERY;
    return cache;
}

void megaflow_unref(struct megaflows *cache, struct megaflow *flow)
{
    if (!flow || --flow->refs)
        return;
    trail_unref(&cache->trails, flow->origin->trail);
    free(flow->origin);
    dep_set_unref(&cache->vs->deps, flow->deps);
    dp_actions_clear(&flow->actions); /* which are no block of their own */
    if (flow->n_signatures)
        cache->n_dead++;
    else
        free(flow);
}

void megaflows_free(struct megaflows *cache)
{
    megaflows_flush(cache);
    hmap_fini(&cache->trails);
    vec_fini(&cache->tables);
    free(cache);
}

/* ---- lookups ---- */

uint64_t megaflow_key_hash(const struct flow_key *key)
{
    uint64_t seed = (uint64_t)key->in_port << 32 | key->recirc_id;
    if (key->tunnel.flags || key->tunnel.dst || key->recirc_id || !ip6_is_zero(key->tunnel.ip6_dst))
        seed = hash_bytes(&key->tunnel, sizeof key->tunnel + sizeof key->ct, seed);
    size_t from = offsetof(struct flow_key, eth_dst);
    return hash_bytes((const char *)key + from, sizeof *key - from, seed);
}

static uint64_t masked_hash(const struct megaflow_table *t, const struct flow_key *key)
{
    const uint64_t *words = flow_words_const(key);
    uint64_t hash = 0;
    for (unsigned i = 0; i < t->n; i++)
        hash = hash_u64(words[t->index[i]] & t->mask[i], hash);
    return hash;
}

static int compare_hits(const void *a_, const void *b_)
{
    const struct megaflow_table *const *a = a_, *const *b = b_;
    return (*a)->n_hits > (*b)->n_hits ? -1 : (*a)->n_hits < (*b)->n_hits;
}

void megaflows_sort(struct megaflows *cache, uint64_t n_hits)
{
    if (n_hits < cache->until_sort) {
        cache->until_sort -= n_hits;
        return;
    }
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
            if (megaflow_answers(flow, key)) {
                (void)__atomic_fetch_add(&t->n_hits, 1, __ATOMIC_RELAXED);
                return flow;
            }
        }
    }
    return NULL;
}

/* Beyond the signatures. */
static struct megaflow *look_deeper(struct megaflows *cache, struct worker *worker,
                                    const struct flow_key *key)
{
    struct megaflow *flow = lookup_tables(cache, key);
    *(flow ? &worker->n.hits : &worker->n.misses) += 1;
    if (!worker->tallies)
        megaflows_sort(cache, flow != NULL);
    return flow;
}

static struct megaflow *look_up(struct megaflows *cache, struct worker *worker,
                                const struct flow_key *key, uint64_t hash, bool begin)
{
    struct megaflow *flow = signatures_find(&worker->signatures, key, hash, begin);
    if (flow) {
        worker->n.exact_hits++;
        return flow;
    }
    flow = look_deeper(cache, worker, key);
    if (flow)
        signatures_put(&worker->signatures, hash, flow, begin);
    return flow;
}

struct megaflow *megaflows_lookup(struct megaflows *cache, struct worker *worker,
                                  const struct flow_key *key, uint64_t hash)
{
    return look_up(cache, worker, key, hash, true);
}

struct megaflow *megaflows_lookup_again(struct megaflows *cache, struct worker *worker,
                                        const struct flow_key *key)
{
    struct megaflow **at = signatures_next_flow(&worker->signatures);
    if (!at)
        return look_up(cache, worker, key, megaflow_key_hash(key), false);
    if (*at && megaflow_answers(*at, key)) {
        worker->n.exact_hits++;
        return *at;
    }
    struct megaflow *flow = look_deeper(cache, worker, key);
    signatures_leave_flow(&worker->signatures, at, flow);
    return flow;
}

void megaflow_match(const struct megaflow *flow, struct match *ret)
{
    memset(ret, 0, sizeof *ret);
    for (unsigned i = 0; i < flow->table->n; i++) {
        flow_words(&ret->key)[flow->table->index[i]] = flow->values[i];
        flow_words(&ret->mask.bits)[flow->table->index[i]] = flow->table->mask[i];
    }
}

/* ---- insertion ---- */

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

/* What OUT credits and depends on is FLOW's from now on; OUT keeps its own. */
static void take_origin(struct megaflows *cache, struct megaflow *flow, const struct xlate_out *out,
                        uint64_t checked)
{
    struct megaflow_origin *o = flow->origin;
    struct dep_set *before = flow->deps;
    struct trail *trail_before = o->trail;
    flow->deps = deps_intern(&cache->vs->deps, out->deps.data, out->deps.n);
    dep_set_unref(&cache->vs->deps, before);
    o->trail = trail_intern(&cache->trails, out);
    trail_unref(&cache->trails, trail_before);
    flow->generation = cache->vs->generation;
    flow->checked = checked;
}

struct megaflow *megaflows_insert(struct megaflows *cache, const struct flow_key *key,
                                  uint64_t hash, struct xlate_out *out, uint64_t checked,
                                  int64_t now_ms)
{
    if (cache->n_flows >= cache->limit) {
        cache->n_full++;
        return NULL;
    }
    struct megaflow_table *t = table_for(cache, &out->mask);
    size_t n_actions = out->actions.list.n * sizeof *out->actions.list.data;
    struct megaflow *flow = xcalloc(1, sizeof *flow + t->n * sizeof flow->values[0] + n_actions);
    flow->refs = 1;
    flow->table = t;
    for (unsigned i = 0; i < t->n; i++)
        flow->values[i] = flow_words_const(key)[t->index[i]] & t->mask[i];
    flow->actions.list.data = (struct dp_action *)(void *)&flow->values[t->n];
    flow->actions.list.n = out->actions.list.n;
    if (n_actions)
        memcpy(flow->actions.list.data, out->actions.list.data, n_actions);
    vec_clear(&out->actions.list);
    flow->used_macs = out->used_macs;
    flow->delivered = out->delivered;
    flow->drop = (uint8_t)out->drop;
    flow->origin = NEW(struct megaflow_origin);
    flow->origin->created_ms = flow->used_ms = flow->pushed_ms = now_ms;
    take_origin(cache, flow, out, checked);
    hmap_insert(&t->flows, &flow->node, masked_hash(t, key));
    list_push_back(&cache->all, &flow->all);
    cache->n_flows++;
    signatures_put(&cache->vs->own.signatures, hash, flow, false);
    return flow;
}

/* Whether every bit of MASK is in T's. */
static bool table_covers(const struct megaflow_table *t, const struct flow_mask *mask)
{
    const uint64_t *words = flow_words_const(&mask->bits);
    unsigned pos = 0;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        uint64_t have = pos < t->n && t->index[pos] == i ? t->mask[pos++] : 0;
        if (words[i] & ~have)
            return false;
    }
    return true;
}

bool megaflow_confirm(struct megaflows *cache, struct megaflow *flow, const struct xlate_out *out,
                      uint64_t checked)
{
    if (!out->cacheable || out->delivered != flow->delivered || out->drop != flow->drop ||
        out->used_macs != flow->used_macs || !dp_actions_equal(&out->actions, &flow->actions) ||
        !table_covers(flow->table, &out->mask))
        return false;
    megaflow_push(cache, flow);
    take_origin(cache, flow, out, checked);
    return true;
}

/* ---- statistics, removal ---- */

void megaflow_push(struct megaflows *cache, struct megaflow *flow)
{
    if (!flow->has_counted)
        return;
    struct megaflow_origin *o = flow->origin;
    uint64_t packets = flow->n_packets - o->pushed_packets;
    uint64_t bytes = flow->n_bytes - o->pushed_bytes;
    flow->has_counted = false;
    list_remove(&flow->counted);
    cache->n_counted--;
    o->pushed_packets = flow->n_packets;
    o->pushed_bytes = flow->n_bytes;
    flow->pushed_ms = flow->used_ms;
    effects_apply(cache->vs, o->trail->effects, o->trail->n_effects, packets, bytes, flow->used_ms,
                  flow->used_macs && megaflow_is_current(flow, cache->vs));
}

void megaflows_push(struct megaflows *cache)
{
    while (!list_empty(&cache->counted))
        megaflow_push(cache, LIST_FIRST(struct megaflow, counted, &cache->counted));
}

/* Leaves an empty table in place: megaflows_tidy removes those. */
void megaflow_remove(struct megaflows *cache, struct megaflow *flow)
{
    megaflow_push(cache, flow);
    hmap_remove(&flow->table->flows, &flow->node);
    list_remove(&flow->all);
    flow->table = NULL;
    cache->n_flows--;
    megaflow_unref(cache, flow);
}

void megaflows_tidy(struct megaflows *cache)
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

struct lookups megaflows_lookups(const struct megaflows *cache)
{
    struct lookups sum = cache->past;
    const struct worker *w;
    LIST_FOR_EACH (w, node, &cache->vs->workers)
        lookups_add(&sum, &w->n);
    return sum;
}

void megaflows_forget_dead(struct megaflows *cache, unsigned n_buckets)
{
    struct worker *w;
    LIST_FOR_EACH (w, node, &cache->vs->workers)
        signatures_forget_dead(&w->signatures, n_buckets);
}

void megaflows_flush(struct megaflows *cache)
{
    while (!list_empty(&cache->all))
        megaflow_remove(cache, LIST_FIRST(struct megaflow, all, &cache->all));
    megaflows_tidy(cache);
    megaflows_forget_dead(cache, SIGNATURE_BUCKETS);
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
