/* test_peer.c - the flows that controllers of OVN installed for their logical flows are among those that are made here for
 * the same logical flows: tests/data/lflow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "encode/encode.h"
#include "expr/lexer.h"
#include "expr/norm.h"
#include "flow/key.h"

struct name {
    char kind; /* p, s, g */
    char *name, *contents;
    uint32_t number;
    bool resident;
};

struct peer {
    struct symtab *st;
    struct expr_pool *exprs;
    struct action_pool *actions;
    struct encode_profile profile;
    VEC(struct name) names;
    VEC(char *) made; /* of the present logical flow: "MATCH\tACTIONS", the match sorted */
    size_t n;
};

static const struct name *find(const struct peer *p, char kind, const char *name)
{
    const struct name *n;
    VEC_FOR_EACH (n, &p->names)
        if (n->kind == kind && !strcmp(n->name, name))
            return n;
    return NULL;
}

static bool port(void *aux, const char *name, uint32_t *ret)
{
    const struct name *n = find(aux, 'p', name);
    if (n)
        *ret = n->number;
    return n;
}

static bool match_port(void *aux, const struct symbol *sym UNUSED, const char *name, uint32_t *ret)
{
    return port(aux, name, ret);
}

static bool resident(void *aux, const char *name)
{
    const struct name *n = find(aux, 'p', name);
    return n && n->resident;
}

static bool set(void *aux, const char *name, void (*add)(void *add_aux, u128 value, u128 mask),
                void *add_aux)
{
    const struct name *n = find(aux, 's', name);
    if (!n)
        return false;
    struct lexer lx;
    lexer_init(&lx, n->contents);
    for (; lx.token.type != LEX_END; lexer_get(&lx))
        add(add_aux, lx.token.value, lx.token.mask);
    lexer_fini(&lx);
    return true;
}

static bool group(void *aux, const char *name, void (*add)(void *add_aux, const char *port),
                  void *add_aux)
{
    const struct name *n = find(aux, 'g', name);
    if (!n)
        return false;
    add(add_aux, n->contents); /* the recordings have groups of one port */
    return true;
}

static uint32_t some_id(void *aux UNUSED, const char *what UNUSED)
{
    return 1;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* MATCH with its fields in alphabetical order, a tab, ACTIONS with # for ids. */
static char *canonical(const char *match, const char *actions)
{
    VEC(char *) fields = VEC_INIT;
    char *copy = xstrdup(match), *save = NULL;
    for (char *f = strtok_r(copy, ",", &save); f; f = strtok_r(NULL, ",", &save))
        vec_push(&fields, f);
    if (fields.n)
        qsort(fields.data, fields.n, sizeof *fields.data, compare_texts);
    struct str s = STR_INIT;
    for (size_t i = 0; i < fields.n; i++)
        str_putf(&s, "%s%s", i ? "," : "", fields.data[i]);
    str_putc(&s, '\t');
    for (const char *a = actions; *a;) {
        size_t n = !strncmp(a, "group:", 6) || !strncmp(a, "meter:", 6) ? 6
                   : !strncmp(a, "meter_id=", 9)                        ? 9
                                                                        : 0;
        str_put_n(&s, a, n ? n : 1);
        a += n ? n : 1;
        if (n && *a != '#') {
            str_putc(&s, '#');
            a += strspn(a, "0123456789");
        }
    }
    vec_fini(&fields);
    free(copy);
    return str_steal(&s);
}

static void clear_made(struct peer *p)
{
    for (size_t i = 0; i < p->made.n; i++)
        free(p->made.data[i]);
    vec_clear(&p->made);
}

static void make(struct peer *p, const struct norm *norm, const struct of_actions *of)
{
    struct str actions = STR_INIT;
    of_actions_put(&actions, of->data, of->n, NULL);
    for (size_t i = 0; i < norm->n; i++) {
        struct match match;
        struct str s = STR_INIT;
        match_init(&match);
        norm_flow_to_match(&norm->flows[i], 0, &match);
        match_put(&s, &match, -1, NULL);
        if (!norm->flows[i].n_clauses)
            vec_push(&p->made, canonical(str_c(&s), str_c(&actions)));
        str_fini(&s);
    }
    str_fini(&actions);
}

/* flow ID PIPELINE TABLE ROUTER DATAPATH MATCH ACTIONS */
static void take_flow(struct peer *p, char **f)
{
    struct action_context context = {!strcmp(f[2], "ingress") ? PIPELINE_INGRESS : PIPELINE_EGRESS,
                                     (unsigned)atoi(f[3]), 35, 0};
    const struct expr_world world = {.aux = p, .set = set, .group = group, .resident = resident};
    const struct norm_ports ports = {p, match_port};
    struct encode_params params = {
        .profile = &p->profile,
        .pipeline = context.pipeline,
        .table = context.table,
        .is_router = atoi(f[4]),
        .datapath_key = (uint32_t)atoi(f[5]),
        .flow_id = (uint32_t)strtoul(f[1], NULL, 16),
        .ct_zero_snat = true,
        .meter = OF_METER_NONE,
        .aux = p,
        .port = port,
        .group = some_id,
        .meter_id = some_id,
        .resident = resident,
    };
    struct expr *match, *prereq;
    struct actions *as;
    struct norm norm;
    struct of_actions of = OF_ACTIONS_INIT;
    assert_int_equal(expr_parse(p->exprs, f[6], NULL, &match, NULL), 0);
    assert_int_equal(actions_parse(p->actions, f[7], &context, &as, &prereq, NULL), 0);
    match = expr_and(p->exprs, match, prereq);
    assert_int_equal(norm_from_expr(match, &world, &ports, 0, 0, &norm, NULL), 0);
    encode_actions(as, &params, &of);
    clear_made(p);
    make(p, &norm, &of);
    norm_fini(&norm);
    of_actions_fini(&of);
    actions_unref(as);
    expr_unref(match);
}

/* is ID MATCH ACTIONS */
static void check_flow(struct peer *p, char **f)
{
    char *want = canonical(f[2], f[3]);
    bool found = false;
    for (size_t i = 0; i < p->made.n; i++)
        found |= !strcmp(p->made.data[i], want);
    if (!found)
        fail_msg("logical flow %s: no flow %s; the first is %s", f[1], want,
                 p->made.n ? p->made.data[0] : "(none)");
    free(want);
    p->n++;
}

static void take_line(struct peer *p, char *line)
{
    char *f[8] = {0};
    unsigned n = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *s = line, *t; n < 8 && (t = strsep(&s, "\t"));)
        f[n++] = t;
    if (!strcmp(f[0], "flow")) {
        take_flow(p, f);
    } else if (!strcmp(f[0], "is")) {
        check_flow(p, f);
    } else if (n >= 3 && strchr("psg", f[0][0]) && f[0][0] != '#') {
        struct name name = {.kind = f[0][0],
                            .name = xstrdup(f[1]),
                            .contents = xstrdup(f[2]),
                            .number = (uint32_t)atoi(f[2]),
                            .resident = f[3] && !strcmp(f[3], "1")};
        vec_push(&p->names, name);
    }
}

static void run(const char *path, const struct encode_profile *profile, size_t expect)
{
    struct peer p = {.st = symtab_new(), .profile = *profile};
    p.exprs = expr_pool_new(p.st);
    p.actions = action_pool_new(p.exprs);
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    assert_non_null(file);
    while (getline(&line, &cap, file) >= 0)
        take_line(&p, line);
    assert_int_equal(p.n, expect);
    free(line);
    fclose(file);
    clear_made(&p);
    vec_fini(&p.made);
    for (size_t i = 0; i < p.names.n; i++) {
        free(p.names.data[i].name);
        free(p.names.data[i].contents);
    }
    vec_fini(&p.names);
    action_pool_free(p.actions);
    expr_pool_free(p.exprs);
    symtab_free(p.st);
}

static void ovn_23_03(void **state UNUSED)
{
    struct encode_profile profile = encode_modern;
    profile.output_ingress = 37; /* it looks for large packets first */
    run(TEST_DATA "/lflow/ovn-controller-23.03.txt", &profile, 268);
}

static void ovn_26_03(void **state UNUSED)
{
    struct encode_profile profile = encode_modern;
    profile.output_ingress = 42;
    profile.egress = 48;
    run(TEST_DATA "/lflow/ovn-controller-26.03.txt", &profile, 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ovn_23_03), cmocka_unit_test(ovn_26_03)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
