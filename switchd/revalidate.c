/* revalidate.c - see revalidate.h. */
#include "switchd/revalidate.h"

#include <stdlib.h>

#include "switchd/heap.h"

enum {
    WALK_SLICE_US = 300,   /* packets wait no longer for it */
    WALK_PAUSE_MS = 3,     /* between slices */
    WALK_AFTER_MS = 500,   /* a change */
    WALK_CLOCK_EVERY = 16, /* megaflows */
    DEAD_BUCKETS = 2048,   /* of signatures, a slice */
    UNUSED_MS = 1000       /* not worth a translation */
};

bool megaflow_still_holds(struct megaflow *flow, const struct vswitch *vs)
{
    if (flow->generation != vs->generation || !flow->table)
        return false;
    const struct trail *trail = flow->origin->trail;
    struct dep_view view = {.set = flow->deps,
                            .effects = trail->effects,
                            .n_effects = trail->n_effects,
                            .writes = trail->writes,
                            .written = trail->written,
                            .values = flow->values,
                            .masks = flow->table->mask,
                            .index = flow->table->index,
                            .n_words = flow->table->n};
    if (flow->checked < flow->deps->changed && deps_affect(&view, flow->checked)) {
        flow->generation = 0; /* once is enough */
        return false;
    }
    flow->checked = vs->deps.seq;
    return true;
}

/* Whether the MACs that FLOW teaches are where it says: if not, its next packet must be seen to teach it anew. */
static bool macs_are_learned(const struct vswitch *vs, const struct xlate_out *out)
{
    const struct effect *e;
    VEC_FOR_EACH (e, &out->effects) {
        if (e->kind != EFFECT_MAC)
            continue;
        const struct bridge *br = vswitch_bridge_numbered(vs, e->mac.bridge_no);
        const struct mac_entry *entry =
            br ? mac_table_find(&br->macs, e->mac.mac, e->mac.vlan) : NULL;
        if (!entry || entry->port != e->mac.port)
            return false;
    }
    return true;
}

/* Translates FLOW's key anew; false: it says something else now, or cannot be said without a packet. */
static bool translate_again(struct vswitch *vs, struct megaflow *flow)
{
    struct match match;
    megaflow_match(flow, &match);
    struct vport *port = vswitch_port(vs, key_in_port(&match.key));
    struct recirc_state *state =
        match.key.recirc_id ? recirc_find(&vs->recirc, swap32(match.key.recirc_id)) : NULL;
    if (!state && match.key.recirc_id)
        return false;
    struct bridge *br = state  ? vswitch_bridge_numbered(vs, state->bridge_no)
                        : port ? port->bridge
                               : NULL;
    if (!br || (!state && br->inband))
        return false;
    struct xlate_in in = {.bridge = br,
                          .in_port = port,
                          .recirc = state,
                          .key = match.key,
                          .depends = true,
                          .now_ms = env_now_ms(vs->env)};
    in.key.in_port = swap32(port ? port->ofport : PORT_ANY);
    struct xlate_out out;
    xlate_out_init(&out);
    uint64_t checked = vs->deps.seq;
    xlate(&in, &out);
    bool same = macs_are_learned(vs, &out) && megaflow_confirm(vs->cache, flow, &out, checked);
    xlate_out_fini(&out);
    return same;
}

static void visit(struct vswitch *vs, struct megaflow *flow, int64_t now_ms)
{
    if (now_ms - flow->used_ms >= MEGAFLOW_IDLE_MS) {
        megaflow_remove(vs->cache, flow);
        return;
    }
    megaflow_push(vs->cache, flow);
    if (megaflow_is_current(flow, vs))
        return;
    vs->walk.n_revalidated++;
    if (now_ms - flow->used_ms >= UNUSED_MS || !translate_again(vs, flow))
        megaflow_remove(vs->cache, flow);
}

static void begin(struct vswitch *vs)
{
    vs->walk.left = vs->cache->n_flows;
    vs->walk.seq = vs->deps.seq;
    vs->walk.began_ms = env_now_ms(vs->env);
    vs->walk.on = true;
}

static void finish(struct vswitch *vs)
{
    vs->walk.on = false;
    vs->walk.credited_ms = vs->walk.began_ms;
    deps_forget(&vs->deps, vs->walk.seq);
    megaflows_tidy(vs->cache);
}

void revalidate_walk(struct vswitch *vs)
{
    struct megaflows *cache = vs->cache;
    int64_t now_ms = env_now_ms(vs->env), start_us = env_now_us(vs->env);
    if (!vs->walk.on)
        begin(vs);
    for (unsigned n = 1; vs->walk.left && !list_empty(&cache->all); n++) {
        if (n % WALK_CLOCK_EVERY == 0 && env_now_us(vs->env) - start_us >= WALK_SLICE_US)
            break;
        struct megaflow *flow = LIST_FIRST(struct megaflow, all, &cache->all);
        list_remove(&flow->all);
        list_push_back(&cache->all, &flow->all);
        vs->walk.left--;
        visit(vs, flow, now_ms);
    }
    if (list_empty(&cache->all))
        vs->walk.left = 0;
    megaflows_forget_dead(cache, DEAD_BUCKETS);
    heap_settle();
    if (!vs->walk.left)
        finish(vs);
    if (vs->walk.on || cache->n_dead)
        timer_start_ms(&vs->walk.timer, WALK_PAUSE_MS);
}

static void walk_timer(void *vs)
{
    revalidate_walk(vs);
}

void revalidate_init(struct vswitch *vs)
{
    timer_init(&vs->walk.timer, vs->loop, walk_timer, vs);
}

void revalidate_fini(struct vswitch *vs)
{
    timer_stop(&vs->walk.timer);
}

void revalidate_soon(struct vswitch *vs)
{
    if (vs->cache->n_flows && !timer_is_running(&vs->walk.timer))
        timer_start_ms(&vs->walk.timer, WALK_AFTER_MS);
}
