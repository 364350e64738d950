/* language.c - how fast text of logical flows becomes OpenFlow flows: the program behind "tools/bench language".
 *
 * Usage: bench_language FLOWS-FILE SWITCHES. A line of the file is pipeline, table, priority, match and actions with tabs between. Everything that
 * a controller does with a flow is done: parse, expand, annotate, simplify, normalise, encode. Prints a JSON object a figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/hash.h"
#include "base/hmap.h"
#include "base/str.h"
#include "base/vec.h"
#include "encode/encode.h"
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
    size_t n_switches;
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
    char port[64];
    for (size_t i = 0; i < b->n_switches; i++) {
        for (unsigned p = 0; p < 20; p++) {
            snprintf(port, sizeof port, "lp-%zu-%u", i, p);
            add(add_aux, port);
        }
    }
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
    struct expr_world world = {.aux = b, .group = port_group, .resident = resident};
    struct norm_ports ports = {.aux = b, .number = port_number};
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
    struct norm norm;
    bool ok = !norm_from_expr(match, &world, &ports, NORM_MERGE, 0, &norm, NULL);
    if (ok) {
        struct of_actions out = OF_ACTIONS_INIT;
        encode_actions(actions, &params, &out);
        for (size_t i = 0; i < norm.n; i++) {
            struct match m;
            match_init(&m);
            norm_flow_to_match(&norm.flows[i], 0, &m);
        }
        b->n_flows += norm.n;
        of_actions_fini(&out);
        norm_fini(&norm);
    }
    expr_unref(match);
    actions_unref(actions);
    return ok;
}

static double pass(struct bench *b)
{
    b->n_flows = b->n_failed = 0;
    int64_t start = env_now_us(env_real());
    struct line *line;
    VEC_FOR_EACH (line, &b->lines) {
        if (!translate(b, line))
            b->n_failed++;
    }
    return (double)(env_now_us(env_real()) - start);
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
    struct bench b = {.lines = VEC_INIT};
    uint64_t n_switches;
    if (argc != 3 || text_to_u64(argv[2], 10, &n_switches)) {
        fprintf(stderr, "usage: %s FLOWS-FILE SWITCHES\n", argv[0]);
        return 2;
    }
    b.n_switches = n_switches;
    b.symtab = symtab_new();
    b.exprs = expr_pool_new(b.symtab);
    b.pool = action_pool_new(b.exprs);
    char *text = read_lines(&b, argv[1]);
    double cold = pass(&b);
    fprintf(stderr, "%zu logical flows, %zu OpenFlow flows, %zu not understood, %.3f s\n",
            b.lines.n, b.n_flows, b.n_failed, cold / 1e6);
    printf("{\"name\": \"text_to_flows\", \"unit\": \"us\", \"ours\": %.4f}\n",
           cold / (double)b.n_flows);
    double warm = pass(&b);
    for (int i = 0; i < 4; i++) {
        double again = pass(&b);
        warm = MIN(warm, again);
    }
    printf("{\"name\": \"text_to_flows_cached\", \"unit\": \"us\", \"ours\": %.4f}\n",
           warm / (double)b.n_flows);
    set_1000x1000(&b);
    free(text);
    vec_fini(&b.lines);
    action_pool_free(b.pool);
    expr_pool_free(b.exprs);
    symtab_free(b.symtab);
    return 0;
}
