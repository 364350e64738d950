/* language.c - how fast text of logical flows becomes OpenFlow flows: the program behind "tools/bench language".
 *
 * Usage: bench_language FLOWS-FILE. A line of the file is pipeline, table, priority, match and actions with tabs between. Everything that
 * a controller does with a flow is done: parse, expand, annotate, simplify, normalise, encode. Prints a JSON object a figure.
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
#include "lflow/lflow.h"

enum { PORTS_A_SWITCH = 20 };

struct line {
    enum pipeline pipeline;
    unsigned table;
    const char *match, *actions;
};

struct bench {
    struct symtab *symtab;
    struct expr_pool *exprs;
    struct action_pool *pool;
    struct translator *translator;
    VEC(char *) ports;
    VEC(struct line) lines;
    size_t n_failed, n_flows;
};

/* Any name is a port; its number is a hash, which is as good as another. */
static bool port_number(void *aux UNUSED, const char *name, uint32_t *ret)
{
    *ret = 1 + (uint32_t)(hash_text(name) % 32767);
    return true;
}

static bool match_port(void *aux, const struct symbol *sym UNUSED, const char *name, uint32_t *ret)
{
    return port_number(aux, name, ret);
}

/* A port group has, of a datapath, that datapath's ports: the twenty of a switch. */
static bool port_group(void *aux, const char *name UNUSED, void (*add)(void *, const char *),
                       void *add_aux)
{
    const struct bench *b = aux;
    for (size_t i = 0; i < b->ports.n; i++)
        add(add_aux, b->ports.data[i]);
    return true;
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

static struct action_context context_of(const struct line *line)
{
    return (struct action_context){
        .pipeline = line->pipeline,
        .table = line->table,
        .n_tables = line->pipeline == PIPELINE_INGRESS ? MAX_INGRESS_TABLES : MAX_EGRESS_TABLES,
    };
}

static struct encode_params params_of(struct bench *b, const struct line *line)
{
    return (struct encode_params){
        .profile = &encode_modern,
        .pipeline = line->pipeline,
        .table = line->table,
        .meter = OF_METER_NONE,
        .aux = b,
        .port = port_number,
        .group = group_id,
        .meter_id = meter_id,
    };
}

/* One logical flow all the way; false when it could not be. */
static bool translate(struct bench *b, const struct line *line)
{
    struct action_context context = context_of(line);
    struct expr_world names = {.aux = b, .group = port_group, .resident = resident};
    struct encode_params params = params_of(b, line);
    struct translate_world world = {.names = &names, .params = &params, .norm_flags = NORM_MERGE};
    struct actions *actions = NULL;
    struct expr *match = NULL, *prereq = NULL;
    if (actions_parse(b->pool, line->actions, &context, &actions, &prereq, NULL))
        return false;
    if (expr_parse(b->exprs, line->match, NULL, &match, NULL)) {
        actions_unref(actions);
        expr_unref(prereq);
        return false;
    }
    match = expr_and(b->exprs, match, prereq);
    const struct translation *out;
    bool ok = !translator_run(b->translator, match, actions, &world, &out, NULL);
    for (size_t i = 0; ok && i < out->n; i++) {
        struct match m;
        minimatch_expand(out->flows[i].match, &m);
        b->n_flows++;
    }
    expr_unref(match);
    actions_unref(actions);
    return ok;
}

/* CPU time: other work on the machine does not count. */
static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double pass(struct bench *b)
{
    b->n_flows = b->n_failed = 0;
    double start = cpu_us();
    struct line *line;
    VEC_FOR_EACH (line, &b->lines) {
        if (!translate(b, line))
            b->n_failed++;
    }
    return cpu_us() - start;
}

static char *read_lines(struct bench *b, const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t cap = 0;
    if (!f || getdelim(&text, &cap, '\0', f) < 0)
        bug("%s: cannot be read", path);
    fclose(f);
    for (char *p = text, *save; (p = strtok_r(p, "\n", &save)) != NULL; p = NULL) {
        char *field, *rest = p;
        const char *fields[5];
        size_t n = 0;
        while (n < 5 && (field = strsep(&rest, "\t")) != NULL)
            fields[n++] = field;
        if (n < 5)
            bug("%s: a line has %zu fields", path, n);
        struct line line = {
            .pipeline = strcmp(fields[0], "ingress") ? PIPELINE_EGRESS : PIPELINE_INGRESS,
            .table = (unsigned)strtoul(fields[1], NULL, 10),
            .match = fields[3],
            .actions = fields[4],
        };
        vec_push(&b->lines, line);
    }
    return text;
}

static void figure(const char *name, const char *unit, double value)
{
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"ours\": %.4g}\n", name, unit, value);
}

/* The two halves alone, without what is remembered: matches a second, actions a second, and what a tree costs. */
static void halves(struct bench *b)
{
    static const struct expr_names no_names; /* with these no text is remembered */
    struct expr_world world = {.aux = b, .group = port_group, .resident = resident};
    struct norm_ports ports = {.aux = b, .number = match_port};
    VEC(struct expr *) trees = VEC_INIT;
    struct expr_pool *pool = expr_pool_new(b->symtab); /* where nothing was seen yet */
    vec_reserve(&trees, b->lines.n);
    size_t bytes = mallinfo2().uordblks;
    struct line *line;
    double start = cpu_us();
    VEC_FOR_EACH (line, &b->lines) {
        struct expr *e;
        if (!expr_parse(pool, line->match, &no_names, &e, NULL))
            vec_push(&trees, e);
    }
    double parsed = cpu_us() - start;
    bytes = mallinfo2().uordblks - bytes;
    size_t nodes = expr_pool_count(pool);
    figure("match_parsed", "1/s", 1e6 * (double)trees.n / parsed);
    figure("match_bytes_a_node", "B", (double)bytes / (double)nodes);
    figure("match_bytes_a_match", "B", (double)bytes / (double)trees.n);
    struct expr **e;
    start = cpu_us();
    VEC_FOR_EACH (e, &trees) {
        struct norm norm;
        if (!norm_from_expr(*e, &world, &ports, NORM_MERGE, 0, &norm, NULL))
            norm_fini(&norm);
    }
    figure("match_parsed_and_normalised", "1/s",
           1e6 * (double)trees.n / (parsed + cpu_us() - start));
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
    struct line *line;
    VEC_FOR_EACH (line, &b->lines) {
        struct action_context context = context_of(line);
        struct encode_params params = params_of(b, line);
        struct actions *as;
        if (actions_parse(b->pool, line->actions, &context, &as, NULL, NULL))
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
    struct line line = {.pipeline = PIPELINE_INGRESS, .table = 8};
    struct encode_params params = params_of(b, &line);
    const struct translate_world world = {
        .names = &names, .params = &params, .norm_flags = NORM_MERGE};
    struct action_context context = context_of(&line);
    size_t n = 0;
    *n_acls = 0;
    for (unsigned i = 0; i < N_ACLS; i++) {
        unsigned src = i % N_SETS, dst = (i + 1) % N_SETS;
        if (only < N_SETS && src != only && dst != only)
            continue;
        char text[128];
        struct expr *e;
        struct actions *as;
        const struct translation *out;
        snprintf(text, sizeof text, "ip4.src == $s%u && ip4.dst == $s%u && tcp.dst == %u", src, dst,
                 1000 + i);
        int err = expr_parse(b->exprs, text, NULL, &e, NULL) ||
                  actions_parse(b->pool, "next;", &context, &as, NULL, NULL) ||
                  translator_run(b->translator, e, as, &world, &out, NULL);
        INVARIANT(!err);
        n += out->n;
        ++*n_acls;
        expr_unref(e);
        actions_unref(as);
    }
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

int main(int argc, char *argv[])
{
    struct bench b = {.lines = VEC_INIT, .ports = VEC_INIT};
    if (argc != 2) {
        fprintf(stderr, "usage: %s FLOWS-FILE\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < PORTS_A_SWITCH; i++)
        vec_push(&b.ports, xasprintf("lp-0-%zu", i));
    b.symtab = symtab_new();
    b.exprs = expr_pool_new(b.symtab);
    b.pool = action_pool_new(b.exprs);
    b.translator = translator_new();
    char *text = read_lines(&b, argv[1]);
    double cold = pass(&b);
    fprintf(stderr, "%zu logical flows, %zu OpenFlow flows, %zu not understood, %.3f s\n",
            b.lines.n, b.n_flows, b.n_failed, cold / 1e6);
    figure("logical_flows", "flows", (double)b.lines.n);
    figure("openflow_flows", "flows", (double)b.n_flows);
    figure("text_to_flows_total", "ms", cold / 1e3);
    figure("text_to_flows", "us", cold / (double)b.n_flows);
    figure("text_to_flows_a_logical_flow", "us", cold / (double)b.lines.n);
    double warm = pass(&b);
    for (int i = 0; i < 30; i++) {
        double again = pass(&b);
        warm = MIN(warm, again);
    }
    figure("text_to_flows_cached", "us", warm / (double)b.n_flows);
    halves(&b);
    actions_alone(&b);
    acls(&b);
    free(text);
    char **port;
    VEC_FOR_EACH (port, &b.ports)
        free(*port);
    vec_fini(&b.ports);
    vec_fini(&b.lines);
    translator_free(b.translator);
    action_pool_free(b.pool);
    expr_pool_free(b.exprs);
    symtab_free(b.symtab);
    return 0;
}
