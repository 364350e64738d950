/* megaflow.h - the caches in front of the translation.
 *
 * A megaflow says what to do with every packet whose key agrees with its own under its mask. Megaflows
 * with one mask form a subtable; a lookup tries subtables, those hit most first. In front of them the
 * exact cache remembers, for a few thousand whole keys, which megaflow they hit. Megaflows never
 * contradict each other while their generation is current (xlate.h), so the first hit is right.
 *
 * Invalidation is by generation: the switch's number grows with every change that could matter, and a
 * megaflow made under another number is translated anew when it is next hit, or dropped by the sweep.
 * The cache counts traffic; megaflows_push credits the flows with it.
 *
 * Room 10 of docs/architecture.md.
 */
#pragma once

#include "switchd/dp.h"
#include "switchd/xlate.h"

enum { MEGAFLOWS_MAX = 200000, MEGAFLOW_IDLE_MS = 10000, EXACT_ENTRIES = 4096 };

struct megaflow {
    struct hnode node;
    struct megaflow_table *table; /* NULL: no longer in the cache */
    uint32_t refs;                /* the cache's, and the exact cache's */
    struct xlate_out out;         /* actions, mask, effects */
    struct flow_key key;          /* masked */
    uint64_t n_packets, n_bytes;
    uint64_t pushed_packets, pushed_bytes; /* of these, credited already */
    int64_t used_ms, created_ms, pushed_ms;
    uint64_t generation, mac_generation;
};

struct megaflow_table { /* one mask */
    struct hnode node;
    struct hmap flows;
    uint64_t n_hits;
    uint16_t n;
    uint16_t index[FLOW_WORDS];
    uint64_t mask[FLOW_WORDS];
};

struct exact_entry {
    uint64_t hash;
    struct megaflow *flow;
    struct flow_key key;
};

struct megaflows {
    struct vswitch *vs;
    VEC(struct megaflow_table *) tables; /* hit most first */
    size_t n_flows;
    struct exact_entry *exact;
    uint64_t n_exact_hits, n_hits, n_misses, n_stale, n_full;
    uint32_t until_sort;
};

struct megaflows *megaflows_new(struct vswitch *vs);
void megaflows_free(struct megaflows *cache);
/* The megaflow for KEY (in_port is a datapath number), current or not: see megaflow_is_current. */
struct megaflow *megaflows_lookup(struct megaflows *cache, const struct flow_key *key);
bool megaflow_is_current(const struct megaflow *flow, const struct vswitch *vs);
/* Keeps OUT, which is emptied, for KEY. NULL: the cache is full; OUT is as it was. */
struct megaflow *megaflows_insert(struct megaflows *cache, const struct flow_key *key,
                                  struct xlate_out *out, int64_t now_ms);
/* Keeps FLOW while it is being carried out. */
static inline void megaflow_ref(struct megaflow *flow)
{
    flow->refs++;
}
void megaflow_unref(struct megaflow *flow); /* NULL: nothing */
/* Credits what was counted. */
void megaflow_push(struct megaflows *cache, struct megaflow *flow);
void megaflows_push(struct megaflows *cache);
void megaflow_remove(struct megaflows *cache, struct megaflow *flow);
/* Drops what is idle or stale. */
void megaflows_sweep(struct megaflows *cache, int64_t now_ms);
void megaflows_flush(struct megaflows *cache);
/* In no particular order. */
void megaflows_for_each(const struct megaflows *cache,
                        void (*fn)(const struct megaflow *flow, void *aux), void *aux);
