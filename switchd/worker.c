/* worker.c - see worker.h. */
#include "switchd/worker.h"

#include <stdlib.h>
#include <string.h>

#include "switchd/forward/lane.h"
#include "switchd/megaflow.h"
#include "switchd/vswitch.h"

void worker_init(struct worker *worker, struct vswitch *vs)
{
    *worker = (struct worker){.tallies = NULL};
    signatures_init(&worker->signatures, &vs->cache->n_dead);
    list_push_back(&vs->workers, &worker->node);
}

void worker_fini(struct worker *worker, struct vswitch *vs)
{
    list_remove(&worker->node);
    lookups_add(&vs->cache->past, &worker->n);
    signatures_fini(&worker->signatures);
    free(worker->tallies);
    free(worker->used);
}

void *worker_new(void *vs)
{
    struct worker *worker = NEW(struct worker);
    worker_init(worker, vs);
    worker->tallies = xcalloc(TALLIES, sizeof *worker->tallies);
    worker->used = xcalloc(TALLIES, sizeof *worker->used);
    return worker;
}

void worker_free(void *vs, void *worker)
{
    if (worker) {
        worker_fini(worker, vs);
        free(worker);
    }
}

/* ---- counting ---- */

void worker_collect(void *vs_, void *worker_)
{
    struct vswitch *vs = vs_;
    struct worker *w = worker_;
    struct megaflows *cache = vs->cache;
    megaflows_sort(cache, w->n.hits - w->n_sorted);
    w->n_sorted = w->n.hits;
    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        counter_add(vs->drops[i], w->drops[i]);
    memset(w->drops, 0, sizeof w->drops);
    for (unsigned i = 0; i < w->n_used; i++) {
        struct tally *t = &w->tallies[w->used[i]];
        megaflow_count(cache, t->flow, t->n_packets, t->n_bytes, t->used_ms);
        t->flow = NULL;
    }
    w->n_used = 0;
}

/* FLOW's, or a free one; NULL: there is no place for it. */
static struct tally *tally_for(const struct worker *w, const struct megaflow *flow)
{
    size_t at = (uintptr_t)flow >> 6;
    for (unsigned i = 0; i < TALLY_LOOKS; i++) {
        struct tally *t = &w->tallies[(at + at / TALLIES + i) % TALLIES];
        if (!t->flow || t->flow == flow)
            return t;
    }
    return NULL;
}

static void tally(struct vswitch *vs, struct worker *w, struct megaflow *flow, size_t n_bytes,
                  int64_t now_ms)
{
    struct tally *t = tally_for(w, flow);
    if (!t) {
        lane_be_alone();
        worker_collect(vs, w);
        t = tally_for(w, flow);
    }
    if (!t->flow) {
        *t = (struct tally){.flow = flow};
        w->used[w->n_used++] = (uint16_t)(t - w->tallies);
    }
    t->n_packets++;
    t->n_bytes += n_bytes;
    t->used_ms = now_ms;
}

void worker_count(struct vswitch *vs, struct worker *worker, struct megaflow *flow, size_t n_bytes,
                  int64_t now_ms)
{
    if (worker->tallies)
        tally(vs, worker, flow, n_bytes, now_ms);
    else
        megaflow_count(vs->cache, flow, 1, n_bytes, now_ms);
}
