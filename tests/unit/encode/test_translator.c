/* test_translator.c - what the translator remembers is what a fresh translation says, whatever changed in the world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "encode/translator.h"
#include "flow/key.h"
#include "lflow/lflow.h"

enum { N_PORTS = 6, N_SET = 5 };

struct world {                /* ports p0.., set $s, group @g, meters and groups by counter */
    uint32_t number[N_PORTS]; /* 0: there is none */
    bool resident[N_PORTS];
    u128 set[N_SET];
    size_t n_set, n_group; /* @g: p0 .. p(n_group-1) */
    uint32_t base;         /* of ids */
    unsigned n_asked;      /* how often for an id */
};

static bool port(void *aux, const char *name, uint32_t *ret)
{
    const struct world *w = aux;
    unsigned i = (unsigned)(name[1] - '0');
    if (name[0] != 'p' || i >= N_PORTS || !w->number[i])
        return false;
    *ret = w->number[i];
    return true;
}

static bool resident(void *aux, const char *name)
{
    const struct world *w = aux;
    return name[0] == 'p' && w->resident[name[1] - '0'];
}

static bool set(void *aux, const char *name, void (*add)(void *, u128, u128), void *add_aux)
{
    const struct world *w = aux;
    for (size_t i = 0; i < w->n_set; i++)
        add(add_aux, w->set[i], u128_ones(32));
    return !strcmp(name, "s");
}

static bool group(void *aux, const char *name, void (*add)(void *, const char *), void *add_aux)
{
    const struct world *w = aux;
    for (size_t i = 0; i < w->n_group; i++) {
        char text[] = {'p', (char)('0' + i), 0};
        add(add_aux, text);
    }
    return !strcmp(name, "g");
}

static uint32_t id_of(void *aux, const char *text)
{
    struct world *w = aux;
    w->n_asked++;
    return w->base + (uint32_t)strlen(text);
}

static const char *const matches[] = {
    "1",
    "inport == \"p0\"",
    "inport == {\"p1\", \"p2\"} && ip4.src == $s",
    "outport == @g && ip4.src == $s && tcp.dst == {80, 443, 8080}",
    "is_chassis_resident(\"p3\") && eth.dst == 00:00:00:00:00:01",
    "inport == @g || (ip4.dst == $s && udp.src > 1000)",
};
static const char *const actions[] = {
    "drop;",
    "next;",
    "outport = \"p4\"; output;",
    "ct_lb_mark(backends=10.0.0.1:80,10.0.0.2:80);",
    "set_meter(100); next;",
    "log(name=\"x\", verdict=allow, severity=info, meter=\"m\"); next;",
    "sample(probability=100, collector_set=1, obs_domain=1, obs_point=$cookie); next;",
    ("commit_lb_aff(vip = \"1.1.1.1:80\", backend = \"2.2.2.2:80\", proto = tcp, timeout = 10); "
     "next;"),
};

/* Everything that T says, as text. */
static void describe(const struct translation *t, struct str *out)
{
    str_putf(out, "%zu %u ", t->n, t->n_conj);
    for (size_t i = 0; i < t->n; i++) {
        const struct translated_flow *f = &t->flows[i];
        struct match m;
        minimatch_expand(f->match, &m);
        match_put(out, &m, -1, NULL);
        str_putf(out, " conj_id=%u", f->conj_id);
        for (uint32_t k = 0; k < f->n_clauses; k++)
            str_putf(out, " %u:%u/%u", f->clauses[k].conj, f->clauses[k].clause,
                     f->clauses[k].n_clauses);
        str_putc(out, '\n');
    }
    of_actions_put(out, t->actions.data, t->actions.n, NULL);
}

static uint64_t next(uint64_t *rng)
{
    return *rng = hash_u64(*rng, 7);
}

static void change(struct world *w, uint64_t *rng)
{
    unsigned i = (unsigned)(next(rng) % N_PORTS);
    switch (next(rng) % 6) {
    case 0:
        w->number[i] = (uint32_t)(next(rng) % 4);
        break;
    case 1:
        w->resident[i] = !w->resident[i];
        break;
    case 2:
        w->n_set = next(rng) % (N_SET + 1);
        break;
    case 3:
        w->set[next(rng) % N_SET] = next(rng) & 0xff;
        break;
    case 4:
        w->n_group = next(rng) % N_PORTS;
        break;
    case 5:
        w->base = 1 + (uint32_t)(next(rng) % 2);
        break;
    }
}

struct languages {
    struct symtab *symbols;
    struct expr_pool *exprs;
    struct action_pool *pool;
};

static struct languages languages(void)
{
    struct languages l = {.symbols = symtab_new()};
    l.exprs = expr_pool_new(l.symbols);
    l.pool = action_pool_new(l.exprs);
    return l;
}

static void languages_fini(struct languages *l)
{
    action_pool_free(l->pool);
    expr_pool_free(l->exprs);
    symtab_free(l->symbols);
}

struct flow {
    struct languages *l;
    size_t match, action;
};

static int parse(void *flow_, struct expr **match, struct actions **as, struct diag *diag UNUSED)
{
    const struct flow *f = flow_;
    struct expr *e, *prereq;
    struct action_context context = {.n_tables = MAX_INGRESS_TABLES, .table = 3};
    assert_int_equal(actions_parse(f->l->pool, actions[f->action], &context, as, &prereq, NULL), 0);
    assert_int_equal(expr_parse(f->l->exprs, matches[f->match], NULL, &e, NULL), 0);
    *match = expr_and(f->l->exprs, e, prereq);
    return 0;
}

static void translate(struct languages *l, struct translator *t, const struct world *w,
                      size_t match, size_t action, uint32_t dp, struct str *out)
{
    struct flow flow = {l, match, action};
    const struct translate_source source = {.match = rstr_new(matches[match]),
                                            .actions = rstr_new(actions[action]),
                                            .parse = parse,
                                            .aux = &flow};
    const struct expr_world names = {
        .aux = (void *)(uintptr_t)w, .set = set, .group = group, .resident = resident};
    const struct encode_params params = {
        .profile = &encode_modern,
        .table = 3,
        .datapath_key = dp,
        .flow_id = 100 + dp,
        .meter = OF_METER_NONE,
        .aux = (void *)(uintptr_t)w,
        .port = port,
        .group = id_of,
        .meter_id = id_of,
        .resident = resident,
    };
    const struct translate_world world = {
        .names = &names, .params = &params, .norm_flags = NORM_MERGE};
    const struct translation *ret;
    assert_int_equal(translator_run(t, &source, &world, &ret, NULL), 0);
    describe(ret, out);
    rstr_unref(source.match);
    rstr_unref(source.actions);
}

static void test_equals_fresh(void **state UNUSED)
{
    uint64_t state_of_rng = 7, *rng = &state_of_rng;
    struct languages l = languages(), apart = languages();
    struct translator *kept = translator_new();
    struct world w = {.number = {1, 2, 3, 4, 5, 6}, .n_set = 3, .set = {1, 2, 9}, .n_group = 2};
    for (int i = 0; i < 20000; i++) {
        size_t match = next(rng) % ARRAY_SIZE(matches);
        size_t action = next(rng) % ARRAY_SIZE(actions);
        uint32_t dp = 1 + (uint32_t)(next(rng) % 2);
        struct str a = STR_INIT, b = STR_INIT;
        if (!(next(rng) % 4))
            change(&w, rng);
        struct translator *fresh = translator_new();
        w.n_asked = 0;
        translate(&l, kept, &w, match, action, dp, &a);
        unsigned n_asked = w.n_asked;
        w.n_asked = 0;
        /* in other pools; now and then in the same */
        translate(next(rng) % 4 ? &apart : &l, fresh, &w, match, action, dp, &b);
        assert_string_equal(str_c(&a), str_c(&b));
        assert_int_equal(w.n_asked, n_asked);
        translator_free(fresh);
        str_fini(&a);
        str_fini(&b);
    }
    struct translator_stats stats = translator_get_stats(kept);
    assert_true(stats.hits > 2000 && stats.misses > 2000); /* both ways were tried */
    translator_free(kept);
    languages_fini(&l);
    languages_fini(&apart);
}

/* Datapaths whose ports have other numbers have a translation each; one of a set that changes takes the place of the one before. */
static void test_datapaths(void **state UNUSED)
{
    struct languages l = languages();
    struct translator *t = translator_new();
    struct world w[] = {{.number = {1, 2}, .n_group = 2, .n_set = 2},
                        {.number = {2, 1}, .n_group = 2, .n_set = 2}, /* the same group */
                        {.number = {1, 7}, .n_group = 2, .n_set = 2}};
    for (unsigned round = 0; round < 50; round++) {
        for (uint32_t dp = 0; dp < ARRAY_SIZE(w); dp++) {
            struct str out = STR_INIT;
            w[dp].set[0] = round;
            translate(&l, t, &w[dp], 3, 1, 1 + dp, &out);
            str_fini(&out);
        }
        struct translator_stats stats = translator_get_stats(t);
        assert_int_equal(stats.misses, 2 * (round + 1));
        assert_int_equal(stats.hits, round + 1);
        assert_int_equal(stats.entries, 2);
    }
    translator_free(t);
    languages_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equals_fresh),
                                       cmocka_unit_test(test_datapaths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
