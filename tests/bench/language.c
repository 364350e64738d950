/* language.c - how fast text of logical flows becomes OpenFlow flows: the program behind "tools/bench language".
 *
 * Usage: bench_language FLOWS-FILE SWITCHES. A line of the file is pipeline, table, priority, match and actions with tabs between. Everything that
 * a controller does with a flow is done: parse, expand, annotate, simplify, normalise, encode. Prints a JSON object a figure.
 */
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

/* Every port group holds all ports of the network. */
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

/* One logical flow all the way; false when it could not be. */
static bool translate(struct bench *b, const struct line *line)
{
    struct action_context context = {
        .pipeline = line->pipeline,
        .table = line->table,
        .n_tables = line->pipeline == PIPELINE_INGRESS ? MAX_INGRESS_TABLES : MAX_EGRESS_TABLES,
    };
    struct expr_world names = {.aux = b, .group = port_group, .resident = resident};
    struct encode_params params = {
        .profile = &encode_modern,
        .pipeline = line->pipeline,
        .table = line->table,
        .meter = OF_METER_NONE,
        .aux = b,
        .port = port_number,
        .group = group_id,
        .meter_id = meter_id,
    };
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

static void set_1000x1000(struct bench *b)
{
    struct str text = STR_INIT;
    static const char *const fields[] = {"ip4.src", "ip4.dst"};
    for (size_t k = 0; k < ARRAY_SIZE(fields); k++) {
        str_putf(&text, "%s%s == {", k ? " && " : "", fields[k]);
        for (unsigned i = 0; i < 1000; i++) /* every other address, so that none merge */
            str_putf(&text, "%s10.%zu.%u.%u", i ? ", " : "", k, i / 100, i % 100 * 2 + 1);
        str_put(&text, "}");
    }
    struct expr *e;
    struct norm norm;
    struct norm_ports ports = {.aux = b, .number = port_number};
    struct expr_world world = {.aux = b};
    int err = expr_parse(b->exprs, str_c(&text), NULL, &e, NULL);
    INVARIANT(!err);
    err = norm_from_expr(e, &world, &ports, NORM_MERGE, 0, &norm, NULL);
    INVARIANT(!err);
    printf("{\"name\": \"set_1000x1000_flows\", \"unit\": \"flows\", \"ours\": %zu}\n", norm.n);
    norm_fini(&norm);
    expr_unref(e);
    str_fini(&text);
}

int main(int argc, char *argv[])
{
    struct bench b = {.lines = VEC_INIT, .ports = VEC_INIT};
    uint64_t n_switches;
    if (argc != 3 || text_to_u64(argv[2], 10, &n_switches)) {
        fprintf(stderr, "usage: %s FLOWS-FILE SWITCHES\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < n_switches; i++)
        for (unsigned port = 0; port < 20; port++)
            vec_push(&b.ports, xasprintf("lp-%zu-%u", i, port));
    b.symtab = symtab_new();
    b.exprs = expr_pool_new(b.symtab);
    b.pool = action_pool_new(b.exprs);
    b.translator = translator_new();
    char *text = read_lines(&b, argv[1]);
    double cold = pass(&b);
    fprintf(stderr, "%zu logical flows, %zu OpenFlow flows, %zu not understood, %.3f s\n",
            b.lines.n, b.n_flows, b.n_failed, cold / 1e6);
    printf("{\"name\": \"text_to_flows\", \"unit\": \"us\", \"ours\": %.4f}\n",
           cold / (double)b.n_flows);
    double warm = pass(&b);
    for (int i = 0; i < 30; i++) {
        double again = pass(&b);
        warm = MIN(warm, again);
    }
    printf("{\"name\": \"text_to_flows_cached\", \"unit\": \"us\", \"ours\": %.4f}\n",
           warm / (double)b.n_flows);
    set_1000x1000(&b);
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
