/* controller_random.c - oracle of the controller's compiler: after each of many random changes of SB and of the hypervisor the
 * desired OpenFlow flows (and claims, tunnels, everything derived) equal those of a controller that starts from scratch.
 *
 * The rows reach the engine as they do in the daemon: source -> replica -> feed -> engine.
 *
 * usage: oracle_controller_random [commits [seed]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "oracle/controller_rows.h"

/* --- The hypervisor's side */

static void change_uplink(struct world *w, uint32_t i)
{
    struct fact_uplink *f = &w->uplinks[i];
    if (w->has_uplink[i]) {
        inc_retract(w->inc, w->program.uplink, f);
        type_uplink.unref(f);
    }
    w->has_uplink[i] = below(w, 4) != 0;
    if (w->has_uplink[i]) {
        char name[16];
        INC_CLEAR(*f);
        port_name(i, name);
        f->port = program_name(&w->program, name);
        f->ofport = 300 + i;
        inc_assert(w->inc, w->program.uplink, f);
    }
}

static void change_mapping(struct world *w)
{
    if (w->has_mapping) {
        inc_retract(w->inc, w->program.mapping, &w->mapping);
        type_mapping.unref(&w->mapping);
    }
    w->has_mapping = below(w, 6) != 0;
    if (w->has_mapping) {
        INC_CLEAR(w->mapping);
        w->mapping.network = program_name(&w->program, "phys");
        inc_assert(w->inc, w->program.mapping, &w->mapping);
    }
}

static void change_self(struct world *w)
{
    if (w->has_self) {
        inc_retract(w->inc, w->program.self, &w->self);
        type_self.unref(&w->self);
    }
    w->has_self = below(w, 8) != 0;
    if (w->has_self) {
        INC_CLEAR(w->self);
        w->self.chassis = uuid_of(6, 0);
        w->self.name = program_name(&w->program, "hv0");
        w->self.hostname = program_name(&w->program, "host0");
        inc_assert(w->inc, w->program.self, &w->self);
    }
}

static void change_iface(struct world *w, uint32_t i)
{
    struct fact_iface *f = &w->ifaces[i];
    if (w->has_iface[i]) {
        inc_retract(w->inc, w->program.iface, f);
        rstr_unref(f->iface_id);
        rstr_unref(f->name);
    }
    w->has_iface[i] = below(w, 3) != 0;
    if (w->has_iface[i]) {
        char name[16];
        INC_CLEAR(*f);
        port_name(below(w, N_PORTS), name);
        f->iface_id = program_name(&w->program, name);
        snprintf(name, sizeof name, "tap%u", i);
        f->name = program_name(&w->program, name);
        f->ofport = 10 + i + 100 * below(w, 2);
        inc_assert(w->inc, w->program.iface, f);
    }
}

static void change_tunnel(struct world *w, uint32_t i)
{
    struct fact_tunnel *f = &w->tunnels[i];
    if (w->has_tunnel[i]) {
        inc_retract(w->inc, w->program.tunnel, f);
        type_tunnel.unref(f);
    }
    w->has_tunnel[i] = below(w, 4) != 0;
    if (w->has_tunnel[i]) {
        char name[16];
        INC_CLEAR(*f);
        snprintf(name, sizeof name, "hv%u", i);
        f->chassis = program_name(&w->program, name);
        f->ip = program_name(&w->program, below(w, 2) ? "192.168.0.1" : "192.168.0.11");
        f->type = (uint16_t)below(w, 2);
        f->is_down = !below(w, 3);
        f->option = (uint8_t)(2 * below(w, 2));
        f->ofport = 1 + i + 100 * below(w, 2);
        inc_assert(w->inc, w->program.tunnel, f);
    }
}

/* --- Commits */

static void change_one(struct world *w)
{
    switch (below(w, 24)) {
    case 0:
        change_datapath(w, below(w, N_DATAPATHS));
        break;
    case 1:
    case 2:
    case 3:
        change_port(w, below(w, N_PORTS));
        break;
    case 4:
        change_group(w, below(w, N_GROUPS));
        break;
    case 5:
        change_dp_group(w, below(w, N_DP_GROUPS));
        break;
    case 6:
        change_chassis(w, below(w, N_CHASSIS));
        break;
    case 7:
        change_mac(w, below(w, N_MACS));
        change_fdb(w, below(w, N_FDBS));
        break;
    case 8:
        change_set(w, below(w, N_SETS));
        break;
    case 9:
        change_iface(w, below(w, N_PORTS));
        break;
    case 10:
        change_tunnel(w, below(w, N_CHASSIS));
        break;
    case 11:
        if (!below(w, 5))
            change_self(w);
        break;
    case 12:
        change_port_group(w, below(w, N_DATAPATHS));
        break;
    case 13:
        change_meter(w, below(w, N_METERS));
        break;
    case 14:
        change_lb(w, below(w, N_LBS));
        break;
    case 15:
        change_ha(w, below(w, N_HAS));
        change_global(w);
        break;
    case 16:
        change_uplink(w, below(w, N_PORTS));
        change_mapping(w);
        break;
    default:
        change_lflow(w, below(w, N_LFLOWS));
        break;
    }
}

static void push(struct world *w)
{
    if (!w->pending.n)
        return;
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->n = w->pending.n;
    cs->changes = w->pending.data;
    memset(&w->pending, 0, sizeof w->pending);
    w->source->sink.update(w->source->sink.replica, cs);
    changeset_unref(cs);
}

struct comparison {
    struct program *p;
    const struct inc *other;
    const struct inc_coll *coll;
    size_t missing;
};

static void check_fact(const void *fact, void *c_)
{
    struct comparison *c = c_;
    const struct fact_oflow *f = fact;
    if (inc_has(c->other, c->coll, fact))
        return;
    struct str s = STR_INIT;
    struct match match;
    oflow_key_match(&f->key, &match);
    str_putf(&s, "not from scratch: table=%u,", f->key.table);
    match_put(&s, &match, f->key.priority, NULL);
    str_put(&s, " actions=");
    of_actions_put(&s, f->actions->s, f->actions->n, NULL);
    printf("%s\n", str_c(&s));
    str_fini(&s);
    c->missing++;
}

static void settle(struct inc *inc, struct ids *ids, size_t budget)
{
    while (!inc_settle(inc, budget) || ids_run(ids))
        ;
}

static void watch(struct world *w, struct inc *inc, struct ids *ids)
{
    inc_watch(inc, w->program.want);
    ids_init(ids, &w->program, inc);
}

static void restore_zone(const char *name, uint32_t id, void *ids)
{
    ids_restore(ids, ID_ZONE, name, id);
}

static void restore_meter(const char *name, uint32_t id, void *ids)
{
    ids_restore(ids, ID_METER, name, id);
}

/* A second controller from scratch: another engine, fed from the replica by another feed; its numbers are what was kept, or follow from names. */
static bool compare_with_scratch(struct world *w)
{
    struct inc *fresh = inc_new(w->program.inc);
    struct ids ids;
    watch(w, fresh, &ids);
    ids_for_each(&w->ids, ID_ZONE, restore_zone, &ids);
    ids_for_each(&w->ids, ID_METER, restore_meter, &ids);
    feed_free(w->feed); /* the replica has one observer: hand it over and take it back */
    struct feed *feed = feed_new(fresh, w->replica, &w->program.names);
    program_feed(&w->program, feed);
    feed_start(feed, NULL, NULL);
    if (w->has_self)
        inc_assert(fresh, w->program.self, &w->self);
    for (int i = 0; i < N_PORTS; i++)
        if (w->has_iface[i])
            inc_assert(fresh, w->program.iface, &w->ifaces[i]);
    for (int i = 0; i < N_CHASSIS; i++)
        if (w->has_tunnel[i])
            inc_assert(fresh, w->program.tunnel, &w->tunnels[i]);
    for (int i = 0; i < N_PORTS; i++)
        if (w->has_uplink[i])
            inc_assert(fresh, w->program.uplink, &w->uplinks[i]);
    if (w->has_mapping)
        inc_assert(fresh, w->program.mapping, &w->mapping);
    settle(fresh, &ids, SIZE_MAX);
    bool has_flushed = ids.flush.n;
    feed_free(feed);
    w->feed = feed_new(w->inc, w->replica, &w->program.names);
    program_feed(&w->program, w->feed);
    feed_start(w->feed, NULL, NULL);
    settle(w->inc, &w->ids, SIZE_MAX);
    struct comparison a = {&w->program, fresh, w->program.oflow, 0};
    inc_for_each(w->inc, w->program.oflow, check_fact, &a);
    /* feed_free has retracted the fresh engine's inputs but nothing has settled since: its flows stand */
    bool same = !has_flushed && !a.missing &&
                inc_count(fresh, w->program.oflow) == inc_count(w->inc, w->program.oflow);
    inc_free(fresh);
    ids_fini(&ids);
    return same;
}

static void world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->rnd, seed);
    w->schema = sb_schema_new();
    w->source = NEW(struct source);
    w->source->base = (struct replica_source){.start = source_start, .free = source_free};
    struct replica_options options = {.env = &w->rnd.env, .schema = w->schema};
    w->replica = replica_new(&options, &w->source->base);
    program_init(&w->program);
    w->inc = inc_new(w->program.inc);
    watch(w, w->inc, &w->ids);
    w->feed = feed_new(w->inc, w->replica, &w->program.names);
    program_feed(&w->program, w->feed);
    feed_start(w->feed, NULL, NULL);
}

static void drop(const struct row **rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        row_unref(rows[i]);
}

static void world_fini(struct world *w)
{
    feed_free(w->feed);
    inc_free(w->inc);
    ids_fini(&w->ids);
    replica_free(w->replica);
    drop(w->datapaths, N_DATAPATHS);
    drop(w->ports, N_PORTS);
    drop(w->groups, N_GROUPS);
    drop(w->lflows, N_LFLOWS);
    drop(w->dp_groups, N_DP_GROUPS);
    drop(w->chassis, N_CHASSIS);
    drop(w->encaps, N_CHASSIS);
    drop(w->macs, N_MACS);
    drop(w->fdbs, N_FDBS);
    drop(w->sets, N_SETS);
    drop(w->port_groups, N_DATAPATHS);
    drop(w->meters, N_METERS);
    drop(w->bands, N_METERS);
    drop(w->lbs, N_LBS);
    drop(w->ha_groups, N_HAS);
    drop(w->ha_chassis, N_HAS * N_CHASSIS);
    drop(&w->global, 1);
    for (int i = 0; i < N_PORTS; i++) {
        if (w->has_iface[i]) {
            rstr_unref(w->ifaces[i].iface_id);
            rstr_unref(w->ifaces[i].name);
        }
    }
    for (int i = 0; i < N_CHASSIS; i++)
        if (w->has_tunnel[i])
            type_tunnel.unref(&w->tunnels[i]);
    for (int i = 0; i < N_PORTS; i++)
        if (w->has_uplink[i])
            type_uplink.unref(&w->uplinks[i]);
    if (w->has_mapping)
        type_mapping.unref(&w->mapping);
    if (w->has_self)
        type_self.unref(&w->self);
    program_fini(&w->program);
    schema_free(w->schema);
}

int main(int argc, char **argv)
{
    unsigned commits = argc > 1 ? (unsigned)atoi(argv[1]) : 3000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    struct world w;
    world_init(&w, seed);
    struct str report = STR_INIT;
    int status = 0;
    size_t most = 0;
    change_self(&w);
    for (unsigned c = 0; c < commits && !status; c++) {
        for (uint32_t i = c < 20 ? 20 : 1 + below(&w, 4); i; i--)
            change_one(&w);
        push(&w);
        size_t budget = below(&w, 3) ? SIZE_MAX : 1 + below(&w, 20);
        settle(w.inc, &w.ids, budget);
        vec_clear(&w.ids.flush);
        most = MAX(most, inc_count(w.inc, w.program.oflow));
        if (!inc_verify(w.inc, &report)) {
            printf("commit %u, seed %" PRIu64 ":\n%s", c, seed, str_c(&report));
            status = 1;
        }
        if (c % 50 == 49 && !compare_with_scratch(&w)) {
            printf("commit %u, seed %" PRIu64 ": flows differ from a controller from scratch\n", c,
                   seed);
            status = 1;
        }
    }
    str_clear(&report);
    inc_print_stats(w.inc, &report);
    printf("%s%u commits, seed %" PRIu64 ", at most %zu flows\n", str_c(&report), commits, seed,
           most);
    if (most < 100) {
        printf("too few flows to be a test\n");
        status = 1;
    }
    str_fini(&report);
    world_fini(&w);
    return status;
}
