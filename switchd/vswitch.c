/* vswitch.c - see vswitch.h. */
#include "switchd/vswitch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "openflow/packet_io.h"
#include "openflow/switch.h"
#include "switchd/bfd/bfd.h"
#include "switchd/exec.h"
#include "switchd/forward/forwarder.h"
#include "switchd/forward/lane.h"
#include "switchd/inband/inband.h"
#include "switchd/megaflow.h"
#include "switchd/ofserver.h"
#include "switchd/revalidate.h"
#include "switchd/tun_store.h"

LOG_MODULE(vswitch);

enum {
    TICK_MS = 1000,
    CT_TICK_MS = 100,
    BATCH = 32,
    JOURNAL_LOOKED_AT = 1000, /* changes; a longer one makes everything stale */
    CHANGES_KEPT = 16384,
    OUT_KEPT_MAX = 16384, /* actions and effects */
    PUSH_MAC_MS = 100,
    MAX_RECIRC_DEPTH = 32,
    MAX_RECIRCS = 4096
};

static void tick(void *vs_)
{
    struct vswitch *vs = vs_;
    vswitch_tick(vs);
    timer_start_ms(&vs->tick, TICK_MS);
}

static void ct_tick(void *vs_)
{
    struct vswitch *vs = vs_;
    conntrack_expire(vs->ct, env_now_ms(vs->env));
    timer_start_ms(&vs->ct_tick, CT_TICK_MS);
}

static void port_begins(void *vs UNUSED, struct port *port)
{
    if (port->owner)
        vport_begun(port->owner);
}

static void port_changed(void *vs_, struct port *port)
{
    struct vswitch *vs = vs_;
    const struct vport *vport = port->owner;
    if (vport && vs->on_port && (port->error || vport->qos.config.type))
        vs->on_port(vs->tick_aux, vport->name);
}

void vswitch_init(struct vswitch *vs, struct loop *loop, struct counters *counters,
                  const char *rundir)
{
    memset(vs, 0, sizeof *vs);
    vs->loop = loop;
    vs->env = loop_env(loop);
    vs->counters = counters;
    vs->rundir = xstrdup(rundir);
    vs->tls = vs->tls_db = tls_config_new();
    list_init(&vs->bridges);
    vec_push(&vs->dp_ports, NULL);
    vs->generation = 1;
    vs->bundle_idle_ms = BUNDLE_IDLE_DEFAULT_MS;
    for (unsigned i = 0; i < N_DROP_REASONS; i++)
        vs->drops[i] = counter_get(counters, drop_counter(i));
    deps_init(&vs->deps);
    list_init(&vs->workers);
    vs->cache = megaflows_new(vs);
    worker_init(&vs->own, vs);
    revalidate_init(vs);
    upcalls_init(vs);
    handoffs_init(vs);
    expiry_init(vs);
    port_refresh_init(vs);
    vs->ct = conntrack_new(vs->env);
    conntrack_on_drop_fragment(vs->ct, exec_drop_fragment, vs);
    port_host_init(&vs->host, loop, vs->env, counters, vswitch_rx, vs);
    vs->host.begun = port_begins;
    vs->host.changed = port_changed;
    vs->host.io.worker = &vs->own;
    vs->host.worker_new = worker_new;
    vs->host.worker_free = worker_free;
    vs->host.worker_collect = worker_collect;
    timer_init(&vs->tick, loop, tick, vs);
    timer_start_ms(&vs->tick, TICK_MS);
    timer_init(&vs->ct_tick, loop, ct_tick, vs);
    timer_start_ms(&vs->ct_tick, CT_TICK_MS);
}

void vswitch_fini(struct vswitch *vs)
{
    forwarders_set(&vs->host, 1);
    timer_stop(&vs->tick);
    timer_stop(&vs->ct_tick);
    while (!list_empty(&vs->bridges))
        bridge_free(LIST_FIRST(struct bridge, node, &vs->bridges));
    revalidate_fini(vs);
    expiry_fini(vs);
    port_refresh_fini(vs);
    upcalls_fini(vs);
    handoffs_fini(vs);
    worker_fini(&vs->own, vs);
    megaflows_free(vs->cache);
    if (vs->spare)
        xlate_out_fini(vs->spare);
    free(vs->spare);
    deps_fini(&vs->deps);
    conntrack_free(vs->ct);
    recirc_table_fini(&vs->recirc);
    port_host_fini(&vs->host);
    vec_fini(&vs->dp_ports);
    free(vs->rundir);
    tls_config_free(vs->tls_db);
}

struct bridge *vswitch_bridge(const struct vswitch *vs, const char *name)
{
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        if (!strcmp(br->name, name))
            return br;
    }
    return NULL;
}

struct bridge *vswitch_bridge_numbered(const struct vswitch *vs, uint32_t number)
{
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        if (br->number == number)
            return br;
    }
    return NULL;
}

struct vport *vswitch_port(const struct vswitch *vs, uint32_t dp_no)
{
    return dp_no < vs->dp_ports.n ? vs->dp_ports.data[dp_no] : NULL;
}

void vswitch_attach(struct vswitch *vs, struct vport *port)
{
    for (uint32_t i = 1; i < vs->dp_ports.n; i++) {
        if (!vs->dp_ports.data[i]) {
            vs->dp_ports.data[i] = port;
            port->dp_no = i;
            return;
        }
    }
    port->dp_no = (uint32_t)vs->dp_ports.n;
    vec_push(&vs->dp_ports, port);
}

/* The number is free for another port at once, so nothing may remember the old one. */
void vswitch_detach(struct vswitch *vs, struct vport *port)
{
    megaflows_flush(vs->cache);
    conntrack_drop_fragments(vs->ct);
    upcalls_forget(vs, port);
    handoffs_forget(vs, port->dp_no);
    vs->dp_ports.data[port->dp_no] = NULL;
}

/* ---- changes ---- */

void vswitch_invalidate(struct vswitch *vs)
{
    vs->generation++;
    deps_forget(&vs->deps, UINT64_MAX);
    revalidate_soon(vs);
}

static void changed(struct vswitch *vs)
{
    if (vs->deps.n_changes > CHANGES_KEPT)
        vswitch_invalidate(vs);
    else
        revalidate_soon(vs);
}

void vswitch_flows_changed(struct vswitch *vs, const struct bridge *br,
                           const struct journal *journal)
{
    if (journal->changes.n > JOURNAL_LOOKED_AT) {
        vswitch_invalidate(vs);
    } else {
        deps_journal(&vs->deps, br->number, journal);
        changed(vs);
    }
}

void vswitch_group_changed(struct vswitch *vs, const struct bridge *br, uint32_t id)
{
    deps_change(&vs->deps, &(struct dep_key){.kind = DEP_GROUP, .bridge_no = br->number, .id = id});
    changed(vs);
}

void vswitch_mac_changed(struct vswitch *vs, const struct bridge *br, struct mac mac, uint16_t vlan)
{
    deps_change(
        &vs->deps,
        &(struct dep_key){.kind = DEP_MAC, .bridge_no = br->number, .id = dep_mac_id(mac, vlan)});
    changed(vs);
}

/* ---- packets ---- */

/* A packet on its way: from a port, or again behind a ct action. */
struct arrival {
    struct bridge *bridge;
    struct vport *port;         /* NULL: none (a controller's packet) */
    struct recirc_state *state; /* NULL: it comes from the port */
};

static void translate(struct vswitch *vs, const struct arrival *arrival,
                      const struct packet *packet, const struct flow_key *key,
                      struct xlate_out *out)
{
    struct xlate_in in = {.bridge = arrival->bridge,
                          .in_port = arrival->port,
                          .recirc = arrival->state,
                          .key = *key,
                          .packet = packet,
                          .may_learn = true,
                          .depends = !vs->no_cache,
                          .now_ms = env_now_ms(vs->env)};
    in.key.in_port = swap32(arrival->port ? arrival->port->ofport : PORT_ANY);
    xlate(&in, out);
    if (arrival->port && !arrival->state && arrival->bridge->inband)
        inband_amend(arrival->bridge->inband, arrival->port, packet, key, out);
    effects_apply(vs, out->effects.data, out->effects.n, 1, packet->size, in.now_ms, true);
}

/* The memory of the last translation, unless a packet further out on this one's way has it. */
static struct xlate_out *out_take(struct vswitch *vs)
{
    struct xlate_out *out = vs->spare ? vs->spare : NEW(struct xlate_out);
    vs->spare = NULL;
    return out;
}

static void out_give(struct vswitch *vs, struct xlate_out *out)
{
    bool keep = !vs->spare && out->effects.cap + out->actions.list.cap < OUT_KEPT_MAX;
    if (keep) {
        xlate_out_clear(out);
        vs->spare = out;
    } else {
        xlate_out_fini(out);
        free(out);
    }
}

static void carry_out(struct vswitch *vs, struct packet *packet, const struct dp_actions *actions,
                      bool delivered, enum drop_reason drop)
{
    if (!delivered)
        vswitch_drop(vs, drop);
    exec_actions(vs, packet, actions);
}

/* Where translations are made, a recirculation may find FLOW stale. */
static void carry_out_flow(struct vswitch *vs, struct packet *packet, struct megaflow *flow)
{
    bool may_go = !port_io_here;
    if (may_go)
        megaflow_ref(flow);
    carry_out(vs, packet, &flow->actions, flow->delivered, flow->drop);
    if (may_go)
        megaflow_unref(vs->cache, flow);
}

/* A packet that no current megaflow answers for. STALE: the one that did. */
static void miss(struct vswitch *vs, const struct arrival *arrival, struct packet *packet,
                 const struct flow_key *key, struct megaflow *stale)
{
    uint64_t generation = vs->generation, seq = vs->deps.seq;
    INVARIANT(!port_io_here);
    struct xlate_out *out = out_take(vs);
    if (stale)
        megaflow_ref(stale);
    translate(vs, arrival, packet, key, out);
    struct megaflow *flow = stale;
    if (stale && stale->table && !megaflow_confirm(vs->cache, stale, out, seq))
        megaflow_remove(vs->cache, stale);
    if (!stale || !stale->table)
        flow = out->cacheable ? megaflows_insert(vs->cache, key, megaflow_key_hash(key), out, seq,
                                                 env_now_ms(vs->env))
                              : NULL;
    /* What this packet did (a MAC, a flow learned) may have outdated the translation already; then the
     * next one finds out. */
    if (flow && (generation != vs->generation || seq != vs->deps.seq))
        flow->generation = 0;
    if (flow)
        carry_out_flow(vs, packet, flow);
    else
        carry_out(vs, packet, &out->actions, out->delivered, out->drop);
    megaflow_unref(vs->cache, stale);
    out_give(vs, out);
}

static void uncached(struct vswitch *vs, const struct arrival *arrival, struct packet *packet,
                     const struct flow_key *key)
{
    struct xlate_out *out = out_take(vs);
    translate(vs, arrival, packet, key, out);
    carry_out(vs, packet, &out->actions, out->delivered, out->drop);
    out_give(vs, out);
}

/* What a closer look at FLOW finds is noted in it, so a forwarder looks alone. */
static bool is_current(const struct vswitch *vs, struct megaflow *flow)
{
    if (megaflow_is_fresh(flow, vs))
        return true;
    lane_be_alone();
    return megaflow_is_current(flow, vs);
}

/* HASH is KEY's, where the packet comes from a port. */
static void process(struct vswitch *vs, const struct arrival *arrival, struct packet *packet,
                    const struct flow_key *key, uint64_t hash, int64_t now_ms)
{
    if (vs->no_cache) {
        uncached(vs, arrival, packet, key);
        return;
    }
    struct worker *worker = vswitch_worker(vs);
    struct megaflow *flow = arrival->state ? megaflows_lookup_again(vs->cache, worker, key)
                                           : megaflows_lookup(vs->cache, worker, key, hash);
    bool current = flow && is_current(vs, flow);
    if ((!flow || (!current && port_io_here)) && upcall_put(vs, packet, arrival->state)) {
        worker->n.misses -= !flow; /* it is looked up again */
        return;
    }
    if (!current) {
        worker->n.stale += flow != NULL;
        miss(vs, arrival, packet, key, flow);
        return;
    }
    worker_count(vs, worker, flow, packet->size, now_ms);
    if (flow->used_macs && !port_io_here && now_ms - flow->pushed_ms >= PUSH_MAC_MS)
        megaflow_push(vs->cache, flow);
    carry_out_flow(vs, packet, flow);
}

struct ct_hint *vswitch_next_conn(struct vswitch *vs)
{
    return signatures_next_conn(&vswitch_worker(vs)->signatures);
}

void vswitch_recirculate(struct vswitch *vs, struct packet *packet, struct recirc_state *state)
{
    static struct log_rate rate = LOG_RATE(5, 5);
    struct worker *worker = vswitch_worker(vs);
    struct arrival arrival = {.bridge = vswitch_bridge_numbered(vs, state->bridge_no),
                              .port = vswitch_port(vs, packet->md.in_port),
                              .state = state};
    if (!arrival.bridge) {
        vswitch_drop(vs, DROP_NO_BRIDGE);
    } else if (worker->recirc_depth >= MAX_RECIRC_DEPTH || worker->n_recircs >= MAX_RECIRCS) {
        vswitch_drop(vs, DROP_RECIRC_DEPTH);
        lane_be_alone(); /* RATE */
        log_warn_limited(&rate, "bridge %s, table %u: %s; the packet is dropped",
                         arrival.bridge->name, state->table_id, drop_text(DROP_RECIRC_DEPTH));
    } else {
        packet->md.recirc_id = state->id;
        worker->n_recircs = worker->recirc_depth++ ? worker->n_recircs + 1 : 0;
        struct flow_key key;
        flow_extract(packet, &key);
        process(vs, &arrival, packet, &key, 0, port_host_now_ms(&vs->host));
        worker->recirc_depth--;
    }
}

/* A packet that came in: through the caches, unless it has to wait behind others of its flow. */
static void arrive(struct vswitch *vs, const struct arrival *arrival, struct packet *packet,
                   const struct flow_key *key, uint64_t hash, int64_t now_ms)
{
    struct worker *worker = vswitch_worker(vs);
    worker->first = key;
    if (!upcall_waits(arrival->port, key) || !upcall_put(vs, packet, NULL))
        process(vs, arrival, packet, key, hash, now_ms);
    signatures_end(&worker->signatures);
}

/* What the caches will be asked, and the tracker, by as far as that is known. */
static void fetch(const struct signatures *s, const uint64_t *hashes, size_t n)
{
    bool courses = false;
    for (size_t i = 0; i < n; i++)
        courses |= signatures_prefetch_flow(s, hashes[i]);
    for (size_t i = 0; courses && i < n; i++)
        signatures_prefetch_course(s, hashes[i]);
}

/* Whether PACKET is BFD's own, which the main thread hears. */
static bool take_control(struct vswitch *vs, struct vport *port, const struct packet *packet,
                         const struct flow_key *key)
{
    const uint8_t *control;
    size_t n;
    if (!port->bfd)
        return false;
    if (!port_io_here)
        return bfd_take(port->bfd, packet);
    vswitch_worker(vs)->first = key;
    return bfd_is_control(port->bfd, packet, &control, &n) && upcall_put(vs, packet, NULL);
}

/* What the caches will be asked is fetched for all packets before the first goes its way. */
static void receive(struct vswitch *vs, struct vport *port, struct packet *packets, size_t n)
{
    struct worker *worker = vswitch_worker(vs);
    struct arrival arrival = {.bridge = port->bridge, .port = port};
    struct flow_key keys[BATCH];
    uint64_t hashes[BATCH];
    int64_t now_ms = port_host_now_ms(&vs->host);
    for (size_t i = 0; i < n; i++) {
        packets[i].md.in_port = port->dp_no;
        flow_extract(&packets[i], &keys[i]);
        hashes[i] = megaflow_key_hash(&keys[i]);
        signatures_prefetch(&worker->signatures, hashes[i]);
    }
    fetch(&worker->signatures, hashes, n);
    upcalls_begin(vs, vs->no_cache ? NULL : port);
    bool policed = port->policer.bits_per_s || port->policer.packets_per_s;
    for (size_t i = 0; i < n; i++) {
        if (policed && !vport_police(port, packets[i].size))
            vswitch_drop(vs, DROP_POLICED);
        else if (!take_control(vs, port, &packets[i], &keys[i]))
            arrive(vs, &arrival, &packets[i], &keys[i], hashes[i], now_ms);
    }
    upcalls_begin(vs, NULL);
}

void vswitch_translate(struct vswitch *vs, struct vport *port, struct packet *packet)
{
    struct arrival arrival = {.bridge = port->bridge, .port = port};
    struct flow_key key;
    flow_extract(packet, &key);
    if (port->bfd && bfd_take(port->bfd, packet))
        return;
    process(vs, &arrival, packet, &key, megaflow_key_hash(&key), port_host_now_ms(&vs->host));
    signatures_end(&vs->own.signatures);
}

void vswitch_rx(void *vs_, struct port *port, struct packet *packets, size_t n)
{
    struct vswitch *vs = vs_;
    struct vport *vport = port->owner;
    if (!vport) {
        counter_add(vs->drops[DROP_NO_BRIDGE], n);
        return;
    }
    if (vs->restore_wait) {
        counter_add(vs->drops[DROP_RESTORE_WAIT], n);
        return;
    }
    while (n) {
        size_t batch = MIN(n, (size_t)BATCH);
        receive(vs, vport, packets, batch);
        packets += batch;
        n -= batch;
    }
}

void vswitch_rx_uncached(struct vswitch *vs, struct vport *port, struct packet *packet)
{
    vs->no_cache = true;
    receive(vs, port, packet, 1);
    vs->no_cache = false;
}

/* Translates and carries out a packet that a controller sent. */
static void controller_packet(struct xlate_in *in, const struct packet *packet,
                              const struct match *metadata)
{
    struct vswitch *vs = in->bridge->vs;
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    in->packet = &copy;
    in->may_learn = true;
    in->now_ms = env_now_ms(vs->env);
    vswitch_metadata_key(vs, &copy, metadata, &in->key);
    in->in_port = bridge_port(in->bridge, key_in_port(&in->key));
    copy.md.in_port = in->in_port ? in->in_port->dp_no : 0;
    struct xlate_out out;
    xlate_out_init(&out);
    xlate(in, &out);
    effects_apply(vs, out.effects.data, out.effects.n, 1, copy.size, in->now_ms, true);
    carry_out(vs, &copy, &out.actions, out.delivered, out.drop);
    xlate_out_fini(&out);
    packet_fini(&copy);
}

void vswitch_packet_out(struct bridge *br, const struct packet *packet,
                        const struct match *metadata, const void *actions, size_t n)
{
    struct xlate_in in = {
        .bridge = br, .actions = n ? actions : "", .n_actions = n, .reason = OF_REASON_PACKET_OUT};
    controller_packet(&in, packet, metadata);
}

void vswitch_resume(struct bridge *br, const struct packet *packet, const struct match *metadata,
                    const uint8_t *data, size_t n)
{
    struct xlate_in in = {.bridge = br, .continuation = data, .n_continuation = n};
    controller_packet(&in, packet, metadata);
}

void vswitch_metadata_key(struct vswitch *vs, struct packet *packet, const struct match *metadata,
                          struct flow_key *ret)
{
    flow_extract(packet, ret);
    memcpy(ret, &metadata->key, offsetof(struct flow_key, eth_dst));
    ret->conj_id = ret->recirc_id = 0;
    ret->tunnel.more = tun_store_put(vs->host.tun_opts, &metadata->tun);
}

void vswitch_match_options(const struct vswitch *vs, struct match *match)
{
    const struct tun_opts *opts = tun_store_get(vs->host.tun_opts, match->key.tunnel.more);
    bool looks = match->mask.bits.tunnel.more != 0;
    match->key.tunnel.more = match->mask.bits.tunnel.more = 0;
    if (!looks || !opts)
        return;
    tun_opts_copy(&match->tun, opts);
    match->tun_mask.present = match->tun_mask.exact = opts->present;
    for (unsigned i = 0; i < opts->n; i++) {
        unsigned field = opts->index[i] / TUN_FIELD_UNITS;
        if (field < TUN_INLINE) {
            match->tun_mask.present |= UINT64_C(1) << field;
            (void)tun_mask_set_unit(&match->tun_mask, opts->index[i], UINT32_MAX);
        }
    }
}

static struct ct_tuple_filter tuple_filter(const struct of_ct_tuple *t, uint8_t proto)
{
    return (struct ct_tuple_filter){.src = t->src,
                                    .dst = t->dst,
                                    .proto = proto,
                                    .src_port = t->src_port,
                                    .dst_port = t->dst_port,
                                    .icmp_id = t->icmp_id,
                                    .icmp_type = t->icmp_type,
                                    .icmp_code = t->icmp_code};
}

void vswitch_ct_flush(struct vswitch *vs, const struct of_ct_flush *f)
{
    bool tuples = !of_ct_tuple_is_any(&f->orig) || !of_ct_tuple_is_any(&f->reply);
    uint8_t proto = f->orig.proto ? f->orig.proto : f->reply.proto;
    struct ct_filter filter = {
        .has_zone = f->has_zone || tuples,
        .zone = f->zone,
        .tuple = {tuple_filter(&f->orig, proto), tuple_filter(&f->reply, proto)},
        .mark = f->mark,
        .mark_mask = f->mark_mask,
        .label = f->label,
        .label_mask = f->label_mask};
    conntrack_flush(vs->ct, &filter);
}

void vswitch_push_stats(struct vswitch *vs)
{
    megaflows_push(vs->cache);
}

/* ---- the tick ---- */

void vswitch_tick(struct vswitch *vs)
{
    int64_t now_ms = env_now_ms(vs->env);
    revalidate_walk(vs);
    expiry_go_on(vs);
    port_refresh_round(vs);
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        exports_tick(&br->exports);
        if (br->of)
            ofserver_tick(br->of, now_ms);
        if (br->fail_mode_applied)
            bridge_apply_fail_mode(br);
    }
    if (vs->on_tick)
        vs->on_tick(vs->tick_aux);
}
