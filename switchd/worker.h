/* worker.h - what a thread that carries packets has of its own: the exact-match cache, the state of the packet on its way, and what it counts.
 *
 * The main thread has one (vswitch.own), each forwarder another (forward/forwarder.h). Forwarders share the megaflows, which they only read; what they
 * count of them, and of drops and look-ups, is theirs until the main thread takes the whole and collects it (worker_collect), so that no two
 * threads write to one cache line for every packet. The main thread's own counts go where they belong at once.
 *
 * A tally is what a forwarder counted of one megaflow. They lie in a table by the megaflow's address; when there is no place, the forwarder
 * is alone for a moment and collects them itself.
 */
#pragma once

#include "base/list.h"
#include "switchd/dp.h"
#include "switchd/port/port.h"
#include "switchd/signature.h"

enum { TALLIES = 2048, TALLY_LOOKS = 4 };

struct megaflows;
struct vport;
struct vswitch;

struct tally {
    struct megaflow *flow; /* NULL: free */
    uint64_t n_packets, n_bytes;
    int64_t used_ms;
};

struct lookups {
    uint64_t exact_hits, hits, misses, stale;
};

struct worker {
    struct list node; /* in vswitch.workers */
    struct signatures signatures;
    struct lookups n;
    /* Of the packet on its way. */
    unsigned recirc_depth, n_recircs;
    struct vport *from; /* it came in by this, and may be queued there; NULL: it may not */
    const struct flow_key *first; /* its key as it came in */
    /* A forwarder's, to be collected. */
    uint64_t drops[N_DROP_REASONS];
    struct tally *tallies; /* TALLIES places; NULL: it is the main thread's */
    uint16_t *used;        /* their numbers, N_USED */
    unsigned n_used;
    uint64_t n_sorted; /* of n.hits, what megaflows_sort knows of */
};

static inline void lookups_add(struct lookups *to, const struct lookups *n)
{
    to->exact_hits += n->exact_hits;
    to->hits += n->hits;
    to->misses += n->misses;
    to->stale += n->stale;
}

void worker_init(struct worker *worker, struct vswitch *vs);
void worker_fini(struct worker *worker, struct vswitch *vs);
/* For port_host: a forwarder's. */
void *worker_new(void *vs);
void worker_free(void *vs, void *worker);
/* Puts what WORKER counted where it belongs. With the whole, or alone. */
void worker_collect(void *vs, void *worker);
/* Counts a packet of FLOW. */
void worker_count(struct vswitch *vs, struct worker *worker, struct megaflow *flow, size_t n_bytes,
                  int64_t now_ms);
