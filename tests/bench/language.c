/* language.c - how fast text of logical flows becomes OpenFlow flows: the program behind "tools/bench language".
 *
 * Usage: bench_language NETWORK-FILE (language/network.h). Everything that a controller does with a logical flow is done: its texts are parsed once, and
 * it is expanded, annotated, simplified, normalised and encoded for each datapath that it is on. Prints a JSON object a figure; times are CPU time.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "base/str.h"
#include "base/vec.h"
#include "encode/translator.h"
#include "expr/norm.h"
#include "language/network.h"
#include "lflow/lflow.h"

struct texts {
    struct rstr *match, *actions;
};

struct bench {
    struct symtab *symtab;
    struct expr_pool *exprs;
    struct action_pool *pool;
    struct translator *translator;
    struct network net;
    VEC(struct texts) texts; /* of the net's flows, as rows have them */
    size_t n_failed, n_flows, n_pairs;
};

/* In whose terms names are understood: aux of the callbacks. */
struct place {
    const struct bench *bench;
    uint32_t datapath;
};

static bool port_number(void *aux, const char *name, uint32_t *ret)
{
    const struct place *at = aux;
    return network_port(&at->bench->net, at->datapath, name, false, ret);
}

/* As a controller: what only machines elsewhere send or get needs no flow. */
static bool port_number_at(void *aux, const char *name, uint32_t *ret)
{
    const struct place *at = aux;
    return network_port(&at->bench->net, at->datapath, name, true, ret);
}

static bool match_port(void *aux, const struct symbol *sym UNUSED, const char *name, uint32_t *ret)
{
    return port_number(aux, name, ret);
}

static bool port_group(void *aux, const char *name, void (*add)(void *, const char *),
                       void *add_aux)
{
    const struct place *at = aux;
    return network_group(&at->bench->net, at->datapath, name, add, add_aux);
}

static bool resident(void *aux UNUSED, const char *port UNUSED)
{
    return true;
}

static uint32_t group_id(void *aux UNUSED, const char *spec)
{
    return 1 + (uint32_t)(hash_text(spec) & 0xffff);
}

static uint32_t meter_id(void *aux UNUSED, const char *name)
{
    return 1 + (uint32_t)(hash_text(name) & 0xff);
}

static struct action_context context_of(const struct net_flow *flow)
{
    bool is_ingress = flow->pipeline == PIPELINE_INGRESS;
    return (struct action_context){
        .pipeline = flow->pipeline,
        .table = flow->table,
        .n_tables = is_ingress ? MAX_INGRESS_TABLES : MAX_EGRESS_TABLES,
        .n_other = is_ingress ? MAX_EGRESS_TABLES : MAX_INGRESS_TABLES,
    };
}

static struct encode_params params_of(struct place *at, const struct net_flow *flow)
{
    const struct network *net = &at->bench->net;
    return (struct encode_params){
        .profile = &encode_modern,
        .pipeline = flow->pipeline,
        .table = flow->table,
        .is_router = at->datapath < net->is_router.n && net->is_router.data[at->datapath],
        .datapath_key = at->datapath,
        .meter = OF_METER_NONE,
        .aux = at,
        .port = port_number,
        .port_at = port_number_at,
        .group = group_id,
        .meter_id = meter_id,
    };
}

struct source { /* aux of parse */
    struct bench *b;
    const struct net_flow *flow;
};

/* The texts of a flow to trees. */
static int parse(void *source_, struct expr **match, struct actions **actions, struct diag *diag)
{
    const struct source *source = source_;
    struct bench *b = source->b;
    struct action_context context = context_of(source->flow);
    struct expr *own, *prereq;
    int rc = actions_parse(b->pool, source->flow->actions, &context, actions, &prereq, diag);
    if (rc)
        return rc;
    rc = expr_parse(b->exprs, source->flow->match, NULL, &own, diag);
    if (rc) {
        actions_unref(*actions);
        expr_unref(prereq);
        return rc;
    }
    *match = expr_and(b->exprs, own, prereq);
    return 0;
}

static void make_texts(struct bench *b)
{
    const struct net_flow *flow;
    VEC_FOR_EACH (flow, &b->net.flows)
        vec_push(&b->texts, ((struct texts){rstr_new(flow->match), rstr_new(flow->actions)}));
}

static void forget(struct bench *b)
{
    struct texts *texts;
    VEC_FOR_EACH (texts, &b->texts) {
        rstr_unref(texts->match);
        rstr_unref(texts->actions);
    }
    vec_fini(&b->texts);
}

/* Flow K of the network on one datapath. */
static void translate(struct bench *b, size_t k, uint32_t datapath)
{
    const struct net_flow *flow = &b->net.flows.data[k];
    struct place at = {b, datapath};
    struct source aux = {b, flow};
    const struct translate_source source = {.match = b->texts.data[k].match,
                                            .actions = b->texts.data[k].actions,
                                            .parse = parse,
                                            .aux = &aux};
    struct expr_world names = {.aux = &at, .group = port_group, .resident = resident};
    struct encode_params params = params_of(&at, flow);
    struct translate_world world = {.names = &names, .params = &params, .norm_flags = NORM_MERGE};
    const struct translation *out;
    if (translator_run(b->translator, &source, &world, &out, NULL)) {
        b->n_failed++;
        return;
    }
    b->n_pairs++;
    b->n_flows += out->n;
    for (size_t i = 0; i < out->n; i++) {
        struct match m;
        minimatch_expand(out->flows[i].match, &m);
    }
}

/* CPU time: other work on the machine does not count. */
static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Each flow on all its datapaths to OpenFlow flows: at first, or once more because something near it changed. */
static double pass(struct bench *b)
{
    b->n_flows = b->n_failed = b->n_pairs = 0;
    double start = cpu_us();
    for (size_t k = 0; k < b->net.flows.n; k++) {
        const struct net_flow *flow = &b->net.flows.data[k];
        for (size_t i = 0; i < flow->over->datapaths.n; i++)
            translate(b, k, flow->over->datapaths.data[i]);
    }
    return cpu_us() - start;
}

/* Texts that the pools have seen before. */
static double parse_again(struct bench *b)
{
    const struct net_flow *flow;
    double start = cpu_us();
    VEC_FOR_EACH (flow, &b->net.flows) {
        struct source source = {b, flow};
        struct expr *match;
        struct actions *actions;
        if (!parse(&source, &match, &actions, NULL)) {
            expr_unref(match);
            actions_unref(actions);
        }
    }
    return cpu_us() - start;
}

static void figure(const char *name, const char *unit, double value)
{
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"ours\": %.4g}\n", name, unit, value);
}

/* The two halves alone, without what is remembered: matches a second, actions a second, and what a tree costs. */
static void halves(struct bench *b)
{
    static const struct expr_names no_names; /* with these no text is remembered */
    VEC(struct expr *) trees = VEC_INIT;
    struct expr_pool *pool = expr_pool_new(b->symtab); /* where nothing was seen yet */
    vec_reserve(&trees, b->net.flows.n);
    size_t bytes = mallinfo2().uordblks;
    const struct net_flow *flow;
    double start = cpu_us();
    VEC_FOR_EACH (flow, &b->net.flows) {
        struct expr *e;
        if (expr_parse(pool, flow->match, &no_names, &e, NULL))
            bug("not understood: \"%s\"", flow->match);
        vec_push(&trees, e);
    }
    double parsed = cpu_us() - start;
    bytes = mallinfo2().uordblks - bytes;
    size_t nodes = expr_pool_count(pool);
    figure("match_parsed", "1/s", 1e6 * (double)trees.n / parsed);
    figure("match_bytes_a_node", "B", (double)bytes / (double)nodes);
    figure("match_bytes_a_match", "B", (double)bytes / (double)trees.n);
    start = cpu_us();
    for (size_t i = 0; i < trees.n; i++) {
        struct place at = {b, b->net.flows.data[i].over->datapaths.data[0]};
        struct expr_world world = {.aux = &at, .group = port_group, .resident = resident};
        struct norm_ports ports = {.aux = &at, .number = match_port};
        struct norm norm;
        if (!norm_from_expr(trees.data[i], &world, &ports, NORM_MERGE, 0, &norm, NULL))
            norm_fini(&norm);
    }
    figure("match_parsed_and_normalised", "1/s",
           1e6 * (double)trees.n / (parsed + cpu_us() - start));
    struct expr **e;
    VEC_FOR_EACH (e, &trees)
        expr_unref(*e);
    vec_fini(&trees);
    expr_pool_free(pool);
}

static void actions_alone(struct bench *b)
{
    struct of_actions out = OF_ACTIONS_INIT;
    double spent = 0;
    size_t n = 0;
    const struct net_flow *flow;
    VEC_FOR_EACH (flow, &b->net.flows) {
        struct action_context context = context_of(flow);
        struct place at = {b, flow->over->datapaths.data[0]};
        struct encode_params params = params_of(&at, flow);
        struct actions *as;
        if (actions_parse(b->pool, flow->actions, &context, &as, NULL, NULL))
            continue;
        double start = cpu_us();
        for (int i = 0; i < 8; i++) {
            of_actions_clear(&out);
            encode_actions(as, &params, &out);
        }
        spent += cpu_us() - start;
        n += 8;
        actions_unref(as);
    }
    figure("actions_encoded", "1/s", 1e6 * (double)n / spent);
    of_actions_fini(&out);
}

/* --- ACLs over large address sets: src and dst in two of ten sets of 1,000 addresses, none of which merge */

enum { N_ACLS = 1000, N_SETS = 10, SET_SIZE = 1000 };

struct sets {
    unsigned grown; /* this set has one address more */
};

static bool big_set(void *aux, const char *name, void (*add)(void *, u128, u128), void *add_aux)
{
    const struct sets *s = aux;
    unsigned k = (unsigned)(name[1] - '0');
    for (unsigned i = 0; i < SET_SIZE + (s->grown == k); i++)
        add(add_aux, 0x0a000000u + (k << 16) + 2 * i + 1, u128_ones(32));
    return true;
}

/* All ACLs that name set ONLY, or all. */
static size_t translate_acls(struct bench *b, struct sets *sets, unsigned only, size_t *n_acls)
{
    const struct expr_world names = {.aux = sets, .set = big_set};
    struct net_flow flow = {.pipeline = PIPELINE_INGRESS, .table = 8, .actions = "next;"};
    struct place at = {b, 0};
    struct encode_params params = params_of(&at, &flow);
    const struct translate_world world = {
        .names = &names, .params = &params, .norm_flags = NORM_MERGE};
    struct rstr *next = rstr_new(flow.actions);
    size_t n = 0;
    *n_acls = 0;
    for (unsigned i = 0; i < N_ACLS; i++) {
        unsigned src = i % N_SETS, dst = (i + 1) % N_SETS;
        if (only < N_SETS && src != only && dst != only)
            continue;
        char text[128];
        const struct translation *out;
        snprintf(text, sizeof text, "ip4.src == $s%u && ip4.dst == $s%u && tcp.dst == %u", src, dst,
                 1000 + i);
        flow.match = text;
        struct source aux = {b, &flow};
        const struct translate_source source = {
            .match = rstr_new(text), .actions = next, .parse = parse, .aux = &aux};
        int err = translator_run(b->translator, &source, &world, &out, NULL);
        INVARIANT(!err);
        n += out->n;
        ++*n_acls;
        rstr_unref(source.match);
    }
    rstr_unref(next);
    return n;
}

static void acls(struct bench *b)
{
    struct sets sets = {.grown = N_SETS};
    size_t n_acls;
    double start = cpu_us();
    size_t n = translate_acls(b, &sets, N_SETS, &n_acls);
    double all = cpu_us() - start;
    figure("acls_1000_sets_1000_flows", "flows", (double)n);
    figure("acls_1000_sets_1000", "ms", all / 1e3);
    sets.grown = 3;
    start = cpu_us();
    translate_acls(b, &sets, 3, &n_acls);
    figure("acls_one_address_more", "ms", (cpu_us() - start) / 1e3);
    figure("acls_one_address_more_an_acl", "us", (cpu_us() - start) / (double)n_acls);
}

static void whole_way(struct bench *b)
{
    double cold = pass(b);
    size_t n_flows = b->n_flows, n_lflows = b->net.flows.n;
    fprintf(stderr,
            "%zu logical flows, on %zu datapaths in sum: %zu OpenFlow flows, %zu not translated, "
            "%.3f s\n",
            n_lflows, b->n_pairs, n_flows, b->n_failed, cold / 1e6);
    figure("logical_flows", "flows", (double)n_lflows);
    figure("logical_flows_times_datapaths", "flows", (double)b->n_pairs);
    figure("openflow_flows", "flows", (double)n_flows);
    figure("text_to_flows_total", "ms", cold / 1e3);
    figure("text_to_flows", "us", cold / (double)n_flows);
    figure("text_to_flows_a_logical_flow", "us", cold / (double)n_lflows);
    double warm = pass(b), parsed = parse_again(b);
    for (int i = 0; i < 10; i++) {
        double t = pass(b);
        warm = MIN(warm, t);
        t = parse_again(b);
        parsed = MIN(parsed, t);
    }
    figure("cached_total", "ms", warm / 1e3);
    figure("cached", "us", warm / (double)n_flows);
    figure("cached_a_logical_flow_and_datapath", "us", warm / (double)b->n_pairs);
    figure("cached_text", "us", parsed / (double)n_lflows);
}

int main(int argc, char *argv[])
{
    struct bench b = {.texts = VEC_INIT};
    if (argc != 2) {
        fprintf(stderr, "usage: %s NETWORK-FILE\n", argv[0]);
        return 2;
    }
    network_read(&b.net, argv[1]);
    make_texts(&b);
    b.symtab = symtab_new();
    b.exprs = expr_pool_new(b.symtab);
    b.pool = action_pool_new(b.exprs);
    b.translator = translator_new();
    whole_way(&b);
    halves(&b);
    actions_alone(&b);
    acls(&b);
    forget(&b);
    network_free(&b.net);
    translator_free(b.translator);
    action_pool_free(b.pool);
    expr_pool_free(b.exprs);
    symtab_free(b.symtab);
    return 0;
}
