/* engine.c - bench of the incremental engine alone: a synthetic program of 50,000 ports on 2,000 switches that gives
 * 374,100 flows. Prints full_50000 (seconds from nothing), one_change_50000 (milliseconds for one changed port) and
 * bytes_per_unit as JSON lines. It promises nothing about programs with other shapes.
 *
 * usage: bench_engine [--quick] [ports]
 */
#include "base/env.h"
#include "inc/inc.h"

#include <stdio.h>
#include <stdlib.h>

struct port { /* input: a row of a database, in a new version at each change */
    uint32_t id, sw;
    uint64_t version;
    uint64_t mac;
    uint32_t ip, enabled;
};
struct addr { /* derived: what the stages need of a port */
    uint32_t id, sw;
    uint64_t mac;
    uint32_t ip, pad;
};
struct sw {
    uint32_t id;
};
struct flow { /* derived: what goes out */
    uint32_t sw;
    uint16_t stage, prio;
    uint64_t match, actions;
};

static const struct inc_type port_type = {.name = "port", .size = sizeof(struct port)};
static const struct inc_type addr_type = {.name = "addr", .size = sizeof(struct addr)};
static const struct inc_type sw_type = {.name = "sw", .size = sizeof(struct sw)};
static const struct inc_type flow_type = {.name = "flow", .size = sizeof(struct flow)};
static const struct inc_type u32_key = {.name = "u32", .size = 4};

enum { PER_SWITCH = 25, SWITCH_FLOWS = 12, PORT_FLOWS = 7 };

struct prog {
    struct inc_coll *port, *sw, *addr, *flow;
    struct inc_index *port_id, *addr_id, *sw_id;
};

static void addr_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *p = aux;
    const struct port *port;
    INC_FOR_EACH(port, inc_read(ctx, p->port_id, key))
    if (port->enabled)
        inc_emit(ctx, p->addr, &(struct addr){port->id, port->sw, port->mac, port->ip, 0});
}

static void port_flows_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *p = aux;
    const struct addr *a;
    INC_FOR_EACH(a, inc_read(ctx, p->addr_id, key))
    {
        for (uint16_t i = 0; i < PORT_FLOWS; i++) {
            struct flow flow = {a->sw, i, 50, a->mac ^ (uint64_t)i << 40,
                                a->ip + ((uint64_t)a->id << 32)};
            inc_emit(ctx, p->flow, &flow);
        }
    }
}

static void switch_flows_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *p = aux;
    uint32_t sw = *(const uint32_t *)key;
    if (!inc_read(ctx, p->sw_id, key).n)
        return;
    /* 2,000 switches share 24,100 flows: 12 each, 13 for every twentieth */
    for (uint16_t i = 0; i < SWITCH_FLOWS + (sw % 20 == 0); i++)
        inc_emit(ctx, p->flow, &(struct flow){sw, (uint16_t)(100 + i), 0, i, i});
}

static struct inc_program *declare(struct prog *g)
{
    struct inc_program *p = inc_program_new("bench", g);
    g->port = inc_input(p, "port", &port_type);
    g->sw = inc_input(p, "switch", &sw_type);
    g->addr = inc_derived(p, "addr", &addr_type);
    g->flow = inc_derived(p, "flow", &flow_type);
    g->port_id = inc_index_field(p, g->port, "id", &u32_key, offsetof(struct port, id));
    g->sw_id = inc_index_field(p, g->sw, "id", &u32_key, 0);
    g->addr_id = inc_index_field(p, g->addr, "id", &u32_key, offsetof(struct addr, id));
    inc_kind(p, &(struct inc_kind_def){
                    .name = "addr", .each = g->port_id, .run = addr_run, .emits = {g->addr}});
    inc_kind(p, &(struct inc_kind_def){.name = "port_flows",
                                       .each = g->addr_id,
                                       .run = port_flows_run,
                                       .emits = {g->flow}});
    inc_kind(p, &(struct inc_kind_def){.name = "switch_flows",
                                       .each = g->sw_id,
                                       .run = switch_flows_run,
                                       .emits = {g->flow}});
    return p;
}

static struct port port_row(uint32_t id, uint64_t version)
{
    return (struct port){
        id, id / PER_SWITCH, version, 0x020000000000u + id + (version << 24), 0x0a000000u + id, 1};
}

static struct inc *full(struct inc_program *p, const struct prog *g, uint32_t n_ports)
{
    struct inc *inc = inc_new(p);
    inc_watch(inc, g->flow);
    for (uint32_t i = 0; i < n_ports / PER_SWITCH; i++)
        inc_assert(inc, g->sw, &(struct sw){i});
    for (uint32_t i = 0; i < n_ports; i++) {
        struct port port = port_row(i, 0);
        inc_assert(inc, g->port, &port);
    }
    inc_settle(inc, SIZE_MAX);
    return inc;
}

static void count(const void *fact UNUSED, bool added UNUSED, void *n)
{
    ++*(size_t *)n;
}

static void print(const char *name, const char *unit, double ours)
{
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"ours\": %.6g}\n", name, unit, ours);
}

int main(int argc, char **argv)
{
    bool quick = false;
    uint32_t n_ports = 50000;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--quick"))
            quick = true;
        else
            n_ports = (uint32_t)atoi(argv[i]);
    }
    struct env *env = env_real();
    struct prog g;
    struct inc_program *p = declare(&g);
    double best = 1e9;
    struct inc *inc = NULL;
    for (int i = 0; i < (quick ? 1 : 5); i++) { /* the best of five */
        inc_free(inc);
        int64_t start = env_now_us(env);
        inc = full(p, &g, n_ports);
        best = MIN(best, (double)(env_now_us(env) - start) / 1e6);
    }
    size_t units = 0, changes = 0;
    for (size_t k = 0; k < inc_n_kinds(inc); k++)
        units += inc_kind_stats(inc, k).units;
    double bytes = (double)inc_memory(inc) / (double)units;
    INVARIANT(n_ports != 50000 || inc_count(inc, g.flow) == 374100);
    inc_changes(inc, g.flow, count, &changes);

    enum { CHANGES = 10000 };
    int64_t start = env_now_us(env);
    for (uint32_t i = 0; i < CHANGES; i++) {
        uint32_t id = (uint32_t)(((uint64_t)i * 7919) % n_ports);
        struct port old = port_row(id, i >= n_ports), port = port_row(id, 1 + (i >= n_ports));
        inc_retract(inc, g.port, &old);
        inc_assert(inc, g.port, &port);
        inc_settle(inc, SIZE_MAX);
        inc_changes(inc, g.flow, count, &changes);
    }
    double one = (double)(env_now_us(env) - start) / 1e3 / CHANGES;
    print("full_50000", "s", best);
    print("one_change_50000", "ms", one);
    print("bytes_per_unit", "bytes", bytes);
    inc_free(inc);
    inc_program_free(p);
    return 0;
}
