/* megaflow.h - the caches in front of the translation.
 *
 * A megaflow says what to do with every packet whose key agrees with its own under its mask. Megaflows
 * with one mask form a subtable; a lookup tries subtables, those hit most first. In front of them the
 * signatures remember, for some 100,000 whole keys by their hash, which megaflow they hit; what they say is
 * verified against the megaflow, so that a batch of packets needs a few cache lines for each, which can be
 * fetched ahead (megaflows_prefetch). Megaflows never contradict each other while they are current (xlate.h),
 * so the first hit is right.
 *
 * Threads that carry packets (worker.h) have signatures of their own and share the rest, which forwarders only read: who inserts and removes has the
 * whole (forward/turn.h).
 *
 * A megaflow is current while nothing that its translation depends on has changed (deps.h); otherwise
 * revalidate.c looks closer, when it is hit and behind the packets' back. The cache counts traffic;
 * megaflows_push credits the flows with it.
 *
 * Room 10 of docs/architecture.md.
 */
#pragma once

#include "switchd/dp.h"
#include "switchd/trail.h"
#include "switchd/worker.h"

enum { MEGAFLOWS_MAX = 200000, MEGAFLOW_IDLE_MS = 10000 };

/* Where a megaflow comes from, and what it has been credited with: not read on a packet's way. */
struct megaflow_origin {
    struct trail *trail;                   /* one reference */
    uint64_t pushed_packets, pushed_bytes; /* of those counted, credited already */
    int64_t created_ms;
};

struct megaflow {
    struct hnode node;
    struct megaflow_table *table; /* NULL: no longer in the cache */
    struct dep_set *deps;
    uint64_t generation; /* of vswitch, and deps.seq, when it was last found right */
    uint64_t checked;
    uint64_t n_packets, n_bytes;
    int64_t used_ms;
    struct dp_actions actions;
    uint32_t refs; /* the cache's, and those that carry it out; without, only a shell is left */
    uint32_t n_signatures; /* and courses that refer to it */
    bool used_macs, delivered;
    bool has_counted; /* is in megaflows.counted */
    uint8_t drop;     /* enum drop_reason */
    struct megaflow_origin *origin;
    struct list all;     /* in megaflows.all */
    struct list counted; /* in megaflows.counted, while there is something to credit */
    int64_t pushed_ms;
    uint64_t values[]; /* masked words, as table->index has them; behind them, the actions */
};

struct megaflow_table { /* one mask */
    struct hmap flows;
    uint64_t n_hits;
    uint16_t n;
    uint16_t index[FLOW_WORDS];
    uint64_t mask[FLOW_WORDS];
};

struct megaflows {
    struct vswitch *vs;
    VEC(struct megaflow_table *) tables; /* hit most first */
    struct list all;                     /* in the order of revalidate.c's walk */
    struct list counted;                 /* with packets that nobody is credited with yet */
    size_t n_counted;
    size_t n_flows, limit;
    size_t n_dead; /* of which only the memory is left, since signatures refer to it */
    struct hmap trails;
    struct lookups past; /* of workers that are gone */
    uint64_t n_full;
    uint64_t until_sort; /* hits of tables */
};

struct megaflows *megaflows_new(struct vswitch *vs);
void megaflows_free(struct megaflows *cache);
/* Of what tells the packets of one switch apart. KEY's in_port is a datapath number, here and below. */
uint64_t megaflow_key_hash(const struct flow_key *key);
/* Whether FLOW is in the cache, and for KEY. */
static inline bool megaflow_answers(const struct megaflow *flow, const struct flow_key *key)
{
    const struct megaflow_table *t = flow->table;
    const uint64_t *words = flow_words_const(key);
    uint64_t differs = 0;
    if (!t)
        return false;
    for (unsigned i = 0; i < t->n; i++)
        differs |= flow->values[i] ^ (words[t->index[i]] & t->mask[i]);
    return !differs;
}
/* The megaflow for the KEY of a packet that WORKER has on its way, current or not: see megaflow_is_current. HASH: KEY's; the packet has come in. */
struct megaflow *megaflows_lookup(struct megaflows *cache, struct worker *worker,
                                  const struct flow_key *key, uint64_t hash);
/* The same for a later pass of the packet that megaflows_lookup was asked about last, until signatures_end; or of any other. */
struct megaflow *megaflows_lookup_again(struct megaflows *cache, struct worker *worker,
                                        const struct flow_key *key);
/* Keeps OUT, whose actions are taken over, for KEY, as of CHECKED (deps.seq before the translation). NULL: the cache is
 * full; OUT is as it was. */
struct megaflow *megaflows_insert(struct megaflows *cache, const struct flow_key *key,
                                  uint64_t hash, struct xlate_out *out, uint64_t checked,
                                  int64_t now_ms);
/* Whether OUT says of all packets of FLOW what FLOW says. Then FLOW credits OUT's effects from now on, and is as of CHECKED. */
bool megaflow_confirm(struct megaflows *cache, struct megaflow *flow, const struct xlate_out *out,
                      uint64_t checked);
/* The key and the mask. */
void megaflow_match(const struct megaflow *flow, struct match *ret);
/* Keeps FLOW while it is being carried out. */
static inline void megaflow_ref(struct megaflow *flow)
{
    flow->refs++;
}
void megaflow_unref(struct megaflows *cache, struct megaflow *flow); /* NULL: nothing */
static inline void megaflow_count(struct megaflows *cache, struct megaflow *flow,
                                  uint64_t n_packets, uint64_t n_bytes, int64_t now_ms)
{
    if (!flow->has_counted) {
        flow->has_counted = true;
        list_push_back(&cache->counted, &flow->counted);
        cache->n_counted++;
    }
    flow->n_packets += n_packets;
    flow->n_bytes += n_bytes;
    flow->used_ms = MAX(flow->used_ms, now_ms);
}
/* Credits what was counted. */
void megaflow_push(struct megaflows *cache, struct megaflow *flow);
void megaflows_push(struct megaflows *cache);
void megaflow_remove(struct megaflows *cache, struct megaflow *flow);
/* After N_HITS more in the tables: now and then, puts those first that are hit most. */
void megaflows_sort(struct megaflows *cache, uint64_t n_hits);
/* All workers'. */
struct lookups megaflows_lookups(const struct megaflows *cache);
/* Drops what the next N_BUCKETS of each thread's signatures remember of megaflows that are dead. */
void megaflows_forget_dead(struct megaflows *cache, unsigned n_buckets);
/* Drops masks without megaflows. */
void megaflows_tidy(struct megaflows *cache);
void megaflows_flush(struct megaflows *cache);
/* In no particular order. */
void megaflows_for_each(const struct megaflows *cache,
                        void (*fn)(const struct megaflow *flow, void *aux), void *aux);
