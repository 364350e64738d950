/* test_engine.c - what the engine promises of units, reads, emissions, differences, slices and wrong programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rstr.h"
#include "base/vec.h"
#include "inc/inc.h"
#include "inc/mark.h"

struct pair {
    uint32_t a, b;
};

static const struct inc_type pair_type = {.name = "pair", .size = sizeof(struct pair)};
static const struct inc_type u32_key = {.name = "u32", .size = 4};

struct prog {
    struct inc_coll *in, *cfg, *mid, *out;
    struct inc_index *in_a, *cfg_a, *mid_a, *out_a;
    unsigned mid_runs, out_runs;
};

/* mid: for each a of in, whether it has an odd b, and the configured b for key 0. */
static void mid_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct prog *g = aux;
    const struct pair *p;
    uint32_t odd = 0, zero = 0;
    g->mid_runs++;
    INC_FOR_EACH(p, inc_read(ctx, g->in_a, key))
    odd |= p->b & 1;
    const struct pair *cfg = inc_read_one(ctx, g->cfg_a, &zero);
    inc_emit(ctx, g->mid, &(struct pair){*(const uint32_t *)key, odd + (cfg ? cfg->b : 0)});
}

static void out_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct prog *g = aux;
    const struct pair *p;
    g->out_runs++;
    INC_FOR_EACH(p, inc_read(ctx, g->mid_a, key))
    inc_emit(ctx, g->out, &(struct pair){0, p->b});
}

static struct inc_program *declare(struct prog *g)
{
    memset(g, 0, sizeof *g);
    struct inc_program *p = inc_program_new("test", g);
    g->in = inc_input(p, "in", &pair_type);
    g->cfg = inc_input(p, "cfg", &pair_type);
    g->mid = inc_derived(p, "mid", &pair_type);
    g->out = inc_derived(p, "out", &pair_type);
    g->in_a = inc_index_field(p, g->in, "a", &u32_key, 0);
    g->cfg_a = inc_index_field(p, g->cfg, "a", &u32_key, 0);
    g->mid_a = inc_index_field(p, g->mid, "a", &u32_key, 0);
    g->out_a = inc_index_field(p, g->out, "a", &u32_key, 0);
    inc_kind(
        p,
        &(struct inc_kind_def){
            .name = "mid", .each = g->in_a, .run = mid_run, .reads = {g->cfg}, .emits = {g->mid}});
    inc_kind(p, &(struct inc_kind_def){
                    .name = "out", .each = g->mid_a, .run = out_run, .emits = {g->out}});
    return p;
}

static void put(struct inc *inc, struct inc_coll *coll, uint32_t a, uint32_t b)
{
    inc_assert(inc, coll, &(struct pair){a, b});
}

static void take(struct inc *inc, struct inc_coll *coll, uint32_t a, uint32_t b)
{
    inc_retract(inc, coll, &(struct pair){a, b});
}

static bool has(struct inc *inc, struct inc_coll *coll, uint32_t a, uint32_t b)
{
    return inc_has(inc, coll, &(struct pair){a, b});
}

static void test_runs_only_what_changed(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    for (uint32_t a = 0; a < 100; a++)
        put(inc, g.in, a, a);
    assert_true(inc_settle(inc, SIZE_MAX));
    assert_int_equal(g.mid_runs, 100);
    assert_int_equal(g.out_runs, 100);
    assert_true(has(inc, g.mid, 7, 1) && has(inc, g.mid, 8, 0));
    assert_int_equal(inc_count(inc, g.out), 2);

    put(inc, g.in, 7, 9); /* still odd: one run, and the wave stops */
    assert_false(inc_is_settled(inc));
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(g.mid_runs, 101);
    assert_int_equal(g.out_runs, 100);
    assert_int_equal(inc_kind_stats(inc, 0).cutoffs, 1);

    put(inc, g.cfg, 5, 5); /* nobody reads key 5 */
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(g.mid_runs, 101);

    put(inc, g.cfg, 0, 10); /* all have read that key 0 is empty */
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(g.mid_runs, 201);
    assert_int_equal(g.out_runs, 200);
    assert_true(has(inc, g.out, 0, 11) && has(inc, g.out, 0, 10) && !has(inc, g.out, 0, 1));

    take(inc, g.cfg, 0, 10); /* and back before the settle: they run, nothing comes out */
    put(inc, g.cfg, 0, 10);
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(g.out_runs, 200);
    assert_true(inc_verify(inc, NULL));
    inc_free(inc);
    inc_program_free(p);
}

static void test_units_end_with_their_key(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    put(inc, g.in, 1, 1);
    put(inc, g.in, 1, 2);
    put(inc, g.in, 2, 4);
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(inc_kind_stats(inc, 0).units, 2);
    take(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    assert_true(has(inc, g.mid, 1, 0));
    take(inc, g.in, 1, 2);
    take(inc, g.in, 2, 4);
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(inc_kind_stats(inc, 0).units, 0);
    assert_int_equal(inc_kind_stats(inc, 1).units, 0);
    assert_int_equal(inc_count(inc, g.out) + inc_count(inc, g.mid) + inc_count(inc, g.in), 0);
    inc_free(inc);
    inc_program_free(p);
}

static void test_assertions_are_counted(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    put(inc, g.in, 1, 1);
    put(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    take(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    assert_true(has(inc, g.in, 1, 1));
    assert_int_equal(g.mid_runs, 1); /* the set did not change */
    take(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    assert_false(has(inc, g.in, 1, 1));
    inc_free(inc);
    inc_program_free(p);
}

static void test_slices_and_waiting_inputs(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    for (uint32_t a = 0; a < 10; a++)
        put(inc, g.in, a, 0);
    unsigned slices = 0;
    while (!inc_settle(inc, 3)) {
        slices++;
        assert_false(inc_is_settled(inc));
        if (slices == 1)
            put(inc, g.in, 77, 1); /* waits */
    }
    assert_int_equal(slices, 6); /* 20 units in slices of 3 */
    assert_false(has(inc, g.mid, 77, 1));
    assert_false(inc_is_settled(inc));
    assert_true(inc_settle(inc, SIZE_MAX));
    assert_true(has(inc, g.mid, 77, 1));
    assert_true(inc_is_settled(inc));
    put(inc, g.in, 78, 1);
    assert_false(inc_settle(inc, 1));
    put(inc, g.in, 79, 1); /* freed while it waits */
    inc_free(inc);
    inc_program_free(p);
}

struct told {
    VEC(struct pair) added, removed;
};

static void tell(const void *fact, bool added, void *told_)
{
    struct told *told = told_;
    if (added)
        vec_push(&told->added, *(const struct pair *)fact);
    else
        vec_push(&told->removed, *(const struct pair *)fact);
}

static void test_differences_are_net(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    struct told told = {.added = VEC_INIT};
    inc_watch(inc, g.out);
    put(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    inc_changes(inc, g.out, tell, &told);
    assert_int_equal(told.added.n, 1);
    assert_int_equal(told.added.data[0].b, 1);
    inc_changes(inc, g.out, tell, &told);
    assert_int_equal(told.added.n, 1);

    put(inc, g.in, 2, 1); /* asserts the same fact */
    inc_settle(inc, SIZE_MAX);
    take(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    assert_false(inc_has_changes(inc, g.out));
    take(inc, g.in, 2, 1); /* goes */
    inc_settle(inc, SIZE_MAX);
    assert_true(inc_has_changes(inc, g.out));
    put(inc, g.in, 3, 1); /* and comes back */
    inc_settle(inc, SIZE_MAX);
    assert_false(inc_has_changes(inc, g.out));
    inc_changes(inc, g.out, tell, &told);
    assert_int_equal(told.added.n + told.removed.n, 1);

    take(inc, g.in, 3, 1);
    put(inc, g.in, 3, 2);
    inc_settle(inc, SIZE_MAX);
    inc_changes(inc, g.out, tell, &told);
    assert_int_equal(told.added.n, 2);
    assert_int_equal(told.removed.n, 1);
    assert_int_equal(told.removed.data[0].b, 1);
    vec_fini(&told.added);
    vec_fini(&told.removed);
    inc_free(inc);
    inc_program_free(p);
}

struct marks {
    struct inc *inc;
    const struct inc_coll *coll;
    size_t n, n_gone;
};

static void count_marks(const void *fact, void *marks_)
{
    struct marks *m = marks_;
    m->n += inc_is_marked(m->inc, m->coll, fact);
}

static void count_gone(const void *fact, bool added, void *marks)
{
    struct marks *m = marks;
    if (!added)
        m->n_gone += inc_is_marked(m->inc, m->coll, fact);
}

static size_t n_marked(struct inc *inc, const struct inc_coll *coll)
{
    struct marks marks = {inc, coll, 0, 0};
    inc_for_each(inc, coll, count_marks, &marks);
    return marks.n;
}

/* A mark stays while its fact does, and until the host has been told that it has gone. */
static void test_marks(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    struct marks marks = {inc, g.in, 0, 0};
    const struct pair one = {1, 1}, other = {9, 9};
    inc_watch(inc, g.in);
    put(inc, g.in, 1, 1);
    put(inc, g.in, 2, 1);
    inc_settle(inc, SIZE_MAX);
    inc_changes(inc, g.in, count_gone, &marks);
    assert_true(inc_mark(inc, g.in, &one));
    assert_false(inc_mark(inc, g.in, &other));
    assert_int_equal(n_marked(inc, g.in), 1);
    take(inc, g.in, 1, 1);
    put(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    inc_changes(inc, g.in, count_gone, &marks);
    assert_int_equal(n_marked(inc, g.in), 1);
    take(inc, g.in, 1, 1);
    take(inc, g.in, 2, 1);
    assert_true(inc_mark(inc, g.in, &one)); /* gone, but not told */
    inc_settle(inc, SIZE_MAX);
    inc_changes(inc, g.in, count_gone, &marks);
    assert_int_equal(marks.n_gone, 1);
    assert_false(inc_mark(inc, g.in, &one));
    put(inc, g.in, 1, 1);
    assert_int_equal(n_marked(inc, g.in), 0);
    assert_true(inc_mark(inc, g.in, &one));
    inc_unmark_all(inc, g.in);
    assert_int_equal(n_marked(inc, g.in), 0);
    inc_free(inc);
    inc_program_free(p);
}

static void tell_key(const struct inc_key_change *c, void *aux)
{
    struct inc_key_change *last = aux;
    *last = *c;
}

static void test_difference_by_key(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    inc_watch(inc, g.in);
    struct inc_key_change c;
    for (uint32_t b = 0; b < 10000; b++)
        put(inc, g.in, 1, b);
    inc_settle(inc, SIZE_MAX);
    inc_changes_by_key(inc, g.in_a, tell_key, &c);
    assert_int_equal(c.now, 10000);
    assert_int_equal(c.n_added, 10000);
    put(inc, g.in, 1, 20000);
    take(inc, g.in, 1, 5);
    take(inc, g.in, 1, 6);
    inc_changes_by_key(inc, g.in_a, tell_key, &c);
    assert_int_equal(c.now, 9999);
    assert_int_equal(c.n_added, 1);
    assert_int_equal(c.n_removed, 2);
    inc_free(inc);
    inc_program_free(p);
}

static int reversed(const void *a_, const void *b_)
{
    const struct pair *a = a_, *b = b_;
    return (a->b < b->b) - (a->b > b->b);
}

static void test_buckets_are_sorted(void **state UNUSED)
{
    static const struct inc_type type = {
        .name = "pair", .size = sizeof(struct pair), .compare = reversed};
    struct inc_program *p = inc_program_new("sorted", NULL);
    struct inc_coll *coll = inc_input(p, "in", &type);
    struct inc_index *all = inc_index_all(p, coll);
    assert_ptr_equal(all, inc_index_all(p, coll));
    struct inc *inc = inc_new(p);
    uint32_t in_set[512] = {0}, n = 0, x = 1;
    for (int round = 0; round < 4000; round++) {
        x = x * 1664525 + 1013904223;
        uint32_t b = (x >> 8) % 512;
        if (in_set[b])
            take(inc, coll, 0, b);
        else
            put(inc, coll, 0, b);
        n += in_set[b] ? -1u : 1;
        in_set[b] = !in_set[b];
        if (x % 5)
            continue;
        struct inc_facts facts = inc_look(inc, all, NULL);
        assert_int_equal(facts.n, n);
        for (size_t i = 0; i < facts.n; i++) {
            const struct pair *f = facts.v[i];
            assert_true(in_set[f->b]);
            assert_true(!i || ((const struct pair *)facts.v[i - 1])->b > f->b);
        }
    }
    assert_true(inc_verify(inc, NULL));
    inc_free(inc);
    inc_program_free(p);
}

static void text_ref(const void *p)
{
    rstr_ref(*(const struct rstr *const *)p);
}
static void text_unref(const void *p)
{
    rstr_unref(*(const struct rstr *const *)p);
}

static void test_references_are_held(void **state UNUSED)
{
    static const struct inc_type type = {
        .name = "text", .size = 8, .ref = text_ref, .unref = text_unref};
    struct inc_program *p = inc_program_new("refs", NULL);
    struct inc_coll *coll = inc_input(p, "in", &type);
    struct inc_index *by = inc_index_field(p, coll, "text", &type, 0);
    struct inc *inc = inc_new(p);
    inc_watch(inc, coll);
    struct rstr *s = rstr_new("x");
    inc_assert(inc, coll, &s);
    assert_int_equal(s->refs, 3); /* ours, the fact's, the bucket's */
    assert_int_equal(inc_look(inc, by, &s).n, 1);
    inc_retract(inc, coll, &s);
    inc_assert(inc, coll, &s);
    inc_retract(inc, coll, &s);
    struct told told = {.added = VEC_INIT};
    inc_changes(inc, coll, tell, &told);
    assert_int_equal(told.added.n + told.removed.n, 0);
    assert_int_equal(s->refs, 1);
    rstr_unref(s);
    inc_free(inc);
    inc_program_free(p);
}

/* Whether FN aborts. */
static bool aborts(void (*fn)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        fn();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void wrong_order(void)
{
    struct inc_program *p = inc_program_new("wrong", NULL);
    struct inc_coll *in = inc_input(p, "in", &pair_type), *out = inc_derived(p, "out", &pair_type);
    struct inc_index *in_a = inc_index_field(p, in, "a", &u32_key, 0);
    struct inc_index *out_a = inc_index_field(p, out, "a", &u32_key, 0);
    inc_kind(p, &(struct inc_kind_def){.name = "reader", .each = out_a, .run = out_run});
    inc_kind(
        p, &(struct inc_kind_def){.name = "writer", .each = in_a, .run = mid_run, .emits = {out}});
    inc_new(p);
}

static void undeclared(const struct inc_kind_def *with)
{
    struct prog g;
    memset(&g, 0, sizeof g);
    struct inc_program *p = inc_program_new("undeclared", &g);
    g.in = inc_input(p, "in", &pair_type);
    g.cfg = inc_input(p, "cfg", &pair_type);
    g.mid = inc_derived(p, "mid", &pair_type);
    g.in_a = inc_index_field(p, g.in, "a", &u32_key, 0);
    g.cfg_a = inc_index_field(p, g.cfg, "a", &u32_key, 0);
    struct inc_kind_def def = {.name = "mid", .each = g.in_a, .run = mid_run};
    if (with->reads[0])
        def.reads[0] = g.cfg;
    if (with->emits[0])
        def.emits[0] = g.mid;
    inc_kind(p, &def);
    struct inc *inc = inc_new(p);
    put(inc, g.in, 1, 1);
    inc_settle(inc, SIZE_MAX);
    inc_free(inc);
    inc_program_free(p);
}

#define SOME ((struct inc_coll *)8)
static void undeclared_read(void)
{
    undeclared(&(struct inc_kind_def){.emits = {SOME}});
}
static void undeclared_emit(void)
{
    undeclared(&(struct inc_kind_def){.reads = {SOME}});
}
static void declared(void)
{
    undeclared(&(struct inc_kind_def){.reads = {SOME}, .emits = {SOME}});
}

static void retract_unknown(void)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    take(inc, g.in, 1, 1);
}

static void test_wrong_programs_abort(void **state UNUSED)
{
    assert_true(aborts(wrong_order));
    assert_true(aborts(undeclared_read));
    assert_true(aborts(undeclared_emit));
    assert_false(aborts(declared));
    assert_true(aborts(retract_unknown));
}

/* A run function that breaks its promise is found by the oracle. */
static void impure_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct prog *g = aux;
    inc_emit(ctx, g->mid, &(struct pair){*(const uint32_t *)key, ++g->mid_runs});
}

static void test_verify_reports_differences(void **state UNUSED)
{
    struct prog g;
    memset(&g, 0, sizeof g);
    struct inc_program *p = inc_program_new("impure", &g);
    g.in = inc_input(p, "in", &pair_type);
    g.mid = inc_derived(p, "mid", &pair_type);
    g.in_a = inc_index_field(p, g.in, "a", &u32_key, 0);
    inc_kind(p, &(struct inc_kind_def){
                    .name = "impure", .each = g.in_a, .run = impure_run, .emits = {g.mid}});
    struct inc *inc = inc_new(p);
    put(inc, g.in, 5, 0);
    inc_settle(inc, SIZE_MAX);
    struct str report = STR_INIT;
    assert_false(inc_verify(inc, &report));
    assert_string_equal(str_c(&report),
                        "mid has too much: 0500000001000000\nmid lacks: 0500000002000000\n");
    str_fini(&report);
    inc_free(inc);
    inc_program_free(p);
}

static void test_recompute_changes_nothing(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = declare(&g);
    struct inc *inc = inc_new(p);
    inc_watch(inc, g.out);
    struct told told = {.added = VEC_INIT};
    for (uint32_t a = 0; a < 50; a++)
        put(inc, g.in, a, a * 3);
    inc_settle(inc, SIZE_MAX);
    inc_changes(inc, g.out, tell, &told);
    size_t n = told.added.n;
    inc_recompute(inc);
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(g.mid_runs, 100);
    assert_int_equal(g.out_runs, 100);
    inc_changes(inc, g.out, tell, &told);
    assert_int_equal(told.added.n, n);
    assert_int_equal(told.removed.n, 0);
    struct str out = STR_INIT;
    inc_print_stats(inc, &out);
    assert_non_null(strstr(str_c(&out), "mid"));
    assert_true(inc_memory(inc) > 1000);
    str_fini(&out);
    vec_fini(&told.added);
    inc_free(inc);
    inc_program_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_only_what_changed),
        cmocka_unit_test(test_units_end_with_their_key),
        cmocka_unit_test(test_assertions_are_counted),
        cmocka_unit_test(test_slices_and_waiting_inputs),
        cmocka_unit_test(test_differences_are_net),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_difference_by_key),
        cmocka_unit_test(test_buckets_are_sorted),
        cmocka_unit_test(test_references_are_held),
        cmocka_unit_test(test_wrong_programs_abort),
        cmocka_unit_test(test_verify_reports_differences),
        cmocka_unit_test(test_recompute_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
