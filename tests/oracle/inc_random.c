/* inc_random.c - oracle of the incremental engine: after each of many random commits to a program of several kinds its
 * state equals that of a fresh engine, and what a watcher was told adds up to the collection.
 *
 * usage: oracle_inc_random [commits [seed]]
 */
#include "base/env.h"
#include "base/hash.h"
#include "base/rstr.h"
#include "base/vec.h"
#include "inc/deadline.h"
#include "inc/inc.h"

#include <inttypes.h>
#include <stdio.h>

struct port { /* input */
    uint32_t id, sw;
    const struct rstr *name;
};
struct cfg { /* input: one number a switch */
    uint32_t sw, value;
};
struct link { /* input: edges of the reach, and peers of switches */
    uint32_t from, to;
};
struct wide { /* input: a fact with many keys */
    uint32_t lo, n;
};
struct sw_fact { /* derived by several kinds */
    uint32_t sw, x;
};
struct flow { /* derived */
    uint32_t sw, prio;
    const struct rstr *match;
};
struct when { /* deadline */
    int64_t at;
    uint64_t sw;
};
struct node {
    uint32_t sw;
};

static int port_compare(const void *a_, const void *b_)
{
    const struct port *a = a_, *b = b_;
    int c = rstr_compare(a->name, b->name);
    if (!c)
        c = (a->id > b->id) - (a->id < b->id);
    return c ? c : (a->sw > b->sw) - (a->sw < b->sw);
}
static void port_ref(const void *p)
{
    rstr_ref(((const struct port *)p)->name);
}
static void port_unref(const void *p)
{
    rstr_unref(((const struct port *)p)->name);
}
static int flow_compare(const void *a_, const void *b_)
{
    const struct flow *a = a_, *b = b_;
    int c = (a->sw > b->sw) - (a->sw < b->sw);
    if (!c)
        c = (a->prio > b->prio) - (a->prio < b->prio);
    return c ? c : rstr_compare(a->match, b->match);
}
static void flow_ref(const void *p)
{
    rstr_ref(((const struct flow *)p)->match);
}
static void flow_unref(const void *p)
{
    rstr_unref(((const struct flow *)p)->match);
}
static void flow_print(const void *p, struct str *out)
{
    const struct flow *f = p;
    str_putf(out, "sw%u prio %u %s", f->sw, f->prio, f->match->s);
}
static void name_ref(const void *p)
{
    rstr_ref(*(const struct rstr *const *)p);
}
static void name_unref(const void *p)
{
    rstr_unref(*(const struct rstr *const *)p);
}

static const struct inc_type port_type = {.name = "port",
                                          .size = sizeof(struct port),
                                          .compare = port_compare,
                                          .ref = port_ref,
                                          .unref = port_unref};
static const struct inc_type flow_type = {.name = "flow",
                                          .size = sizeof(struct flow),
                                          .compare = flow_compare,
                                          .ref = flow_ref,
                                          .unref = flow_unref,
                                          .print = flow_print};
static const struct inc_type cfg_type = {.name = "cfg", .size = sizeof(struct cfg)};
static const struct inc_type link_type = {.name = "link", .size = sizeof(struct link)};
static const struct inc_type wide_type = {.name = "wide", .size = sizeof(struct wide)};
static const struct inc_type sw_type = {.name = "sw_fact", .size = sizeof(struct sw_fact)};
static const struct inc_type node_type = {.name = "node", .size = sizeof(struct node)};
static const struct inc_type when_type = {.name = "when", .size = sizeof(struct when)};
static const struct inc_type u32_key = {.name = "u32", .size = 4};
static const struct inc_type u64_key = {.name = "u64", .size = 8};
static const struct inc_type name_key = {
    .name = "name", .size = sizeof(void *), .ref = name_ref, .unref = name_unref};

struct prog {
    struct rstr_pool pool;
    struct inc_coll *port, *cfg, *link, *wide, *passed;
    struct inc_coll *reached, *sum, *dup, *flow, *when, *total, *own;
    struct inc_index *port_sw, *port_name, *cfg_sw, *link_from, *wide_keys, *passed_sw, *reached_sw,
        *sum_sw, *flow_sw, *flow_all;
};

/* Sum of ports of a switch and its configured number, and of its neighbours' numbers (reads absent buckets, too). */
static void sum_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *p = aux;
    struct sw_fact out = {.sw = *(const uint32_t *)key};
    const struct port *port;
    const struct cfg *cfg;
    const struct link *link;
    INC_FOR_EACH(port, inc_read(ctx, p->port_sw, key))
    out.x = out.x * 31 + port->id;
    INC_FOR_EACH(cfg, inc_read(ctx, p->cfg_sw, key))
    out.x += cfg->value;
    if (out.x % 3 == 0) /* what is read depends on what was read */
        INC_FOR_EACH(link, inc_read(ctx, p->link_from, key))
    INC_FOR_EACH(cfg, inc_read(ctx, p->cfg_sw, &link->to))
    out.x += cfg->value * 7;
    out.x %= 5; /* so that outputs are often equal */
    inc_emit(ctx, p->sum, &out);
    if (out.x == 2) { /* a deadline as long as it is wanted */
        struct when when = {.at = out.sw % 50, .sw = out.sw};
        uint64_t sw = out.sw;
        inc_emit(ctx, p->when, &when);
        if (inc_read(ctx, p->passed_sw, &sw).n)
            inc_emit(ctx, p->dup, &(struct sw_fact){out.sw, 99});
    }
}

/* Emits the same fact from many units, and several times from one. */
static void dup_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *p = aux;
    uint32_t x = *(const uint32_t *)key;
    const struct wide *wide;
    INC_FOR_EACH(wide, inc_read(ctx, p->wide_keys, key))
    {
        inc_emit(ctx, p->dup, &(struct sw_fact){x % 4, wide->n});
        inc_emit(ctx, p->dup, &(struct sw_fact){x % 4, 0});
    }
}

static void flow_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct prog *p = aux;
    uint32_t sw = *(const uint32_t *)key;
    const struct sw_fact *sum = inc_read_one(ctx, p->sum_sw, key);
    const struct port *port;
    if (!inc_read(ctx, p->reached_sw, key).n)
        return;
    INC_FOR_EACH(port, inc_read(ctx, p->port_sw, key))
    {
        size_t same_name = inc_read(ctx, p->port_name, &port->name).n;
        char *text =
            arena_printf(inc_arena(ctx), "%s/%zu/%u", port->name->s, same_name, sum ? sum->x : 0);
        struct flow flow = {sw, 100, rstr_pool_get(&p->pool, text)};
        if (port->id % 2) {
            inc_emit_take(ctx, p->flow, &flow);
        } else {
            inc_emit(ctx, p->flow, &flow);
            rstr_unref(flow.match);
        }
    }
}

static void total_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct prog *p = aux;
    INVARIANT(!key);
    struct sw_fact out = {.x = (uint32_t)inc_read(ctx, p->flow_all, NULL).n};
    const struct flow *flow, *before = NULL;
    INC_FOR_EACH(flow, inc_read(ctx, p->flow_all, NULL))
    {
        INVARIANT(!before || flow_compare(before, flow) < 0); /* content order */
        before = flow;
        out.sw = (uint32_t)hash_u64(hash_text(flow->match->s), out.sw);
    }
    inc_emit(ctx, p->total, &out);
}

static void wide_keys(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct wide *w = fact;
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t key = (w->lo + i * i) % 23; /* repeats keys */
        inc_key_add(keys, &key);
    }
}

/* Units at the facts themselves: of an input, and of what units emit. */
static void own_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *p = aux;
    const struct port *port = key;
    const struct cfg *cfg = inc_read_one(ctx, p->cfg_sw, &port->sw);
    struct sw_fact out = {port->sw, port->id * 5 + (uint32_t)strlen(port->name->s)};
    out.x += cfg ? cfg->value : 0;
    if (out.x % 4)
        inc_emit(ctx, p->own, &out);
}

static void echo_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *p = aux;
    const struct sw_fact *sum = key;
    struct sw_fact out = {sum->sw, sum->x * 3};
    inc_emit(ctx, p->own, &out);
}

static struct inc_program *declare(struct prog *g)
{
    struct inc_program *p = inc_program_new("random", g);
    g->port = inc_input(p, "port", &port_type);
    g->cfg = inc_input(p, "cfg", &cfg_type);
    g->link = inc_input(p, "link", &link_type);
    g->wide = inc_input(p, "wide", &wide_type);
    g->passed = inc_input(p, "passed", &when_type);
    g->reached = inc_derived(p, "reached", &node_type);
    g->sum = inc_derived(p, "sum", &sw_type);
    g->dup = inc_derived(p, "dup", &sw_type);
    g->flow = inc_derived(p, "flow", &flow_type);
    g->when = inc_derived(p, "when", &when_type);
    g->total = inc_derived(p, "total", &sw_type);
    g->own = inc_derived(p, "own", &sw_type);
    struct inc_index *ports = inc_index_self(p, g->port, "each");
    struct inc_index *sums = inc_index_self(p, g->sum, "each");
    g->port_sw = inc_index_field(p, g->port, "sw", &u32_key, offsetof(struct port, sw));
    g->port_name = inc_index_field(p, g->port, "name", &name_key, offsetof(struct port, name));
    g->cfg_sw = inc_index_field(p, g->cfg, "sw", &u32_key, offsetof(struct cfg, sw));
    g->link_from = inc_index_field(p, g->link, "from", &u32_key, offsetof(struct link, from));
    g->wide_keys = inc_index_fn(p, g->wide, "keys", &u32_key, wide_keys);
    g->passed_sw = inc_index_field(p, g->passed, "sw", &u64_key, offsetof(struct when, sw));
    g->reached_sw = inc_index_field(p, g->reached, "sw", &u32_key, 0);
    g->sum_sw = inc_index_field(p, g->sum, "sw", &u32_key, 0);
    g->flow_sw = inc_index_host(p, g->flow, "sw", &u32_key, 0);
    g->flow_all = inc_index_all(p, g->flow);
    inc_reach(p, &(struct inc_reach_def){.name = "reach",
                                         .roots = g->cfg,
                                         .edges = g->link,
                                         .out = g->reached,
                                         .node_size = 4,
                                         .root_offset = 0,
                                         .from_offset = 0,
                                         .to_offset = 4});
    inc_kind(p, &(struct inc_kind_def){.name = "sum",
                                       .each = g->port_sw,
                                       .run = sum_run,
                                       .reads = {g->cfg, g->link, g->passed},
                                       .emits = {g->sum, g->dup, g->when}});
    inc_kind(p, &(struct inc_kind_def){
                    .name = "dup", .each = g->wide_keys, .run = dup_run, .emits = {g->dup}});
    inc_kind(p, &(struct inc_kind_def){.name = "flow",
                                       .each = g->port_sw,
                                       .run = flow_run,
                                       .reads = {g->sum, g->reached},
                                       .emits = {g->flow}});
    inc_kind(p, &(struct inc_kind_def){
                    .name = "total", .run = total_run, .reads = {g->flow}, .emits = {g->total}});
    inc_kind(
        p, &(struct inc_kind_def){
               .name = "own", .each = ports, .run = own_run, .reads = {g->cfg}, .emits = {g->own}});
    inc_kind(p, &(struct inc_kind_def){
                    .name = "echo", .each = sums, .run = echo_run, .emits = {g->own}});
    return p;
}

/* The host's copy of FLOW as the differences tell it, by switch. */
struct mirror {
    size_t n[64];
};

static void on_flow(const struct inc_key_change *c, void *aux)
{
    struct mirror *m = aux;
    uint32_t sw = *(const uint32_t *)c->key;
    INVARIANT(c->n_added + c->n_removed);
    INVARIANT(m->n[sw] + c->n_added - c->n_removed == c->now);
    m->n[sw] = c->now;
}

static void on_total(const void *fact UNUSED, bool added, void *aux)
{
    *(int *)aux += added ? 1 : -1;
}

struct rnd {
    struct env_seeded env;
};

static uint32_t below(struct rnd *r, uint32_t n)
{
    return (uint32_t)(env_random_u64(&r->env.env) % n);
}

/* Sets of inputs that are asserted at present, to retract from. */
struct inputs {
    VEC(struct port) ports;
    VEC(struct cfg) cfgs;
    VEC(struct link) links;
    VEC(struct wide) wides;
};

#define CHANGE(V, COLL, FRESH)                                                                     \
    do {                                                                                           \
        if ((V)->n && below(r, 100) < ((V)->n > 60 ? 70u : 40u)) {                                 \
            size_t victim = below(r, (uint32_t)(V)->n);                                            \
            inc_retract(inc, (COLL), &(V)->data[victim]);                                          \
            vec_remove_swap((V), victim);                                                          \
        } else {                                                                                   \
            vec_push((V), (FRESH));                                                                \
            inc_assert(inc, (COLL), &vec_last(V));                                                 \
        }                                                                                          \
    } while (0)

static void change_one(struct inc *inc, struct prog *g, struct inputs *in,
                       const struct rstr **names, struct rnd *r)
{
    switch (below(r, 5)) {
    case 0:
    case 1:
        CHANGE(&in->ports, g->port,
               ((struct port){below(r, 50), below(r, 16), names[below(r, 8)]}));
        break;
    case 2:
        CHANGE(&in->cfgs, g->cfg, ((struct cfg){below(r, 40), below(r, 3)}));
        break;
    case 3:
        CHANGE(&in->links, g->link, ((struct link){below(r, 24), below(r, 24)}));
        break;
    default:
        CHANGE(&in->wides, g->wide, ((struct wide){below(r, 23), below(r, 12)}));
        break;
    }
}

/* Settles in slices of random size, with inputs arriving in between. */
static void settle(struct inc *inc, struct prog *g, struct inputs *in, const struct rstr **names,
                   struct rnd *r)
{
    size_t budget = below(r, 3) ? SIZE_MAX : 1 + below(r, 5);
    do {
        while (!inc_settle(inc, budget))
            if (!below(r, 20))
                change_one(inc, g, in, names, r);
    } while (!inc_is_settled(inc));
}

int main(int argc, char **argv)
{
    unsigned commits = argc > 1 ? (unsigned)atoi(argv[1]) : 12000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    struct rnd rnd, *r = &rnd;
    env_seeded_init(&rnd.env, seed);
    struct prog g = {.pool = RSTR_POOL_INIT};
    const struct rstr *names[8];
    for (int i = 0; i < 8; i++) {
        char text[8];
        snprintf(text, sizeof text, "p%d", i);
        names[i] = rstr_pool_get(&g.pool, text);
    }
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    struct inputs in = {.ports = VEC_INIT};
    struct mirror mirror = {.n = {0}};
    int totals = 0;
    inc_watch(inc, g.flow);
    inc_watch(inc, g.total);
    struct inc_deadlines *deadlines = inc_deadlines_new(inc, g.when, g.passed);
    struct str report = STR_INIT;
    int status = 0;
    for (unsigned c = 0; c < commits && !status; c++) {
        for (uint32_t i = 1 + below(r, below(r, 10) ? 3 : 60); i; i--)
            change_one(inc, &g, &in, names, r);
        settle(inc, &g, &in, names, r);
        if (!below(r, 200))
            inc_recompute(inc);
        while (inc_deadlines_run(deadlines, c / 100))
            settle(inc, &g, &in, names, r);
        settle(inc, &g, &in, names, r);
        if (!inc_verify(inc, &report)) {
            printf("commit %u, seed %" PRIu64 ":\n%s", c, seed, str_c(&report));
            status = 1;
        }
        if (below(r, 3)) {
            inc_changes_by_key(inc, g.flow_sw, on_flow, &mirror);
            size_t sum = 0;
            for (int i = 0; i < 64; i++)
                sum += mirror.n[i];
            INVARIANT(sum == inc_count(inc, g.flow) && !inc_has_changes(inc, g.flow));
            inc_changes(inc, g.total, on_total, &totals);
            INVARIANT(totals == 1);
        }
    }
    str_clear(&report);
    inc_print_stats(inc, &report);
    printf("%u commits, seed %" PRIu64 "\n%s", commits, seed, str_c(&report));
    inc_deadlines_free(deadlines);
    inc_free(inc);
    inc_program_free(p);
    for (int i = 0; i < 8; i++)
        rstr_unref(names[i]);
    rstr_pool_fini(&g.pool);
    str_fini(&report);
    vec_fini(&in.ports);
    vec_fini(&in.cfgs);
    vec_fini(&in.links);
    vec_fini(&in.wides);
    return status;
}
