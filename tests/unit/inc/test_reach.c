/* test_reach.c - the recursive kind against a naive search, with cycles, deletions and doubled edges; deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/env.h"
#include "inc/deadline.h"
#include "inc/inc.h"

struct edge {
    uint8_t from, to, tag, pad; /* facts with other tags speak of the same edge */
};
struct root {
    uint8_t node, tag;
};

static const struct inc_type edge_type = {.name = "edge", .size = sizeof(struct edge)};
static const struct inc_type root_type = {.name = "root", .size = sizeof(struct root)};
static const struct inc_type node_type = {.name = "node", .size = 1};

enum { N = 12, TAGS = 2 };

static void spread(bool edges[N][N][TAGS], bool seen[N], unsigned node)
{
    if (seen[node])
        return;
    seen[node] = true;
    for (unsigned to = 0; to < N; to++)
        if (edges[node][to][0] || edges[node][to][1])
            spread(edges, seen, to);
}

static void test_against_search(void **state UNUSED)
{
    struct inc_program *p = inc_program_new("reach", NULL);
    struct inc_coll *roots = inc_input(p, "roots", &root_type),
                    *edges = inc_input(p, "edges", &edge_type);
    struct inc_coll *out = inc_derived(p, "out", &node_type);
    inc_reach(p, &(struct inc_reach_def){.name = "reach",
                                         .roots = roots,
                                         .edges = edges,
                                         .out = out,
                                         .node_size = 1,
                                         .to_offset = 1});
    struct inc *inc = inc_new(p);
    struct env_seeded env;
    env_seeded_init(&env, 42);
    bool e[N][N][TAGS] = {0}, r[N][TAGS] = {0};
    for (int round = 0; round < 20000; round++) {
        for (unsigned i = (unsigned)(env_random_u64(&env.env) % 4); i; i--) {
            uint64_t x = env_random_u64(&env.env);
            uint8_t a = x % N, b = (x >> 8) % N, tag = (x >> 16) % TAGS;
            bool add = (x >> 24) % 5 < 2;
            if ((x >> 32) % 6) {
                if (e[a][b][tag] == add)
                    continue;
                e[a][b][tag] = add;
                (add ? inc_assert : inc_retract)(inc, edges, &(struct edge){a, b, tag, 0});
            } else {
                if (r[a][tag] == add)
                    continue;
                r[a][tag] = add;
                (add ? inc_assert : inc_retract)(inc, roots, &(struct root){a, tag});
            }
        }
        inc_settle(inc, SIZE_MAX);
        bool seen[N] = {0};
        for (unsigned a = 0; a < N; a++)
            if (r[a][0] || r[a][1])
                spread(e, seen, a);
        for (uint8_t a = 0; a < N; a++)
            assert_int_equal(inc_has(inc, out, &a), seen[a]);
    }
    inc_free(inc);
    inc_program_free(p);
}

struct when {
    int64_t at;
    uint32_t who, pad;
};
struct want {
    uint32_t who, at;
};

static const struct inc_type when_type = {.name = "when", .size = sizeof(struct when)};
static const struct inc_type want_type = {.name = "want", .size = sizeof(struct want)};
static const struct inc_type u32_key = {.name = "u32", .size = 4};

struct prog {
    struct inc_coll *want, *when, *passed, *done;
    struct inc_index *want_who, *passed_who;
};

/* For each wanting one: a deadline, and DONE once it has passed. */
static void wait_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct prog *g = aux;
    const struct want *want;
    INC_FOR_EACH(want, inc_read(ctx, g->want_who, key))
    {
        struct when when = {.at = want->at, .who = want->who};
        inc_emit(ctx, g->when, &when);
        const struct when *passed;
        INC_FOR_EACH(passed, inc_read(ctx, g->passed_who, key))
        if (passed->at == when.at)
            inc_emit(ctx, g->done, want);
    }
}

static void test_deadlines(void **state UNUSED)
{
    struct prog g;
    struct inc_program *p = inc_program_new("deadlines", &g);
    g.want = inc_input(p, "want", &want_type);
    g.passed = inc_input(p, "passed", &when_type);
    g.when = inc_derived(p, "when", &when_type);
    g.done = inc_derived(p, "done", &want_type);
    g.want_who = inc_index_field(p, g.want, "who", &u32_key, 0);
    g.passed_who = inc_index_field(p, g.passed, "who", &u32_key, offsetof(struct when, who));
    inc_kind(p, &(struct inc_kind_def){.name = "wait",
                                       .each = g.want_who,
                                       .run = wait_run,
                                       .reads = {g.passed},
                                       .emits = {g.when, g.done}});
    struct inc *inc = inc_new(p);
    struct inc_deadlines *d = inc_deadlines_new(inc, g.when, g.passed);
    assert_true(inc_deadlines_next(d) == INT64_MAX);
    for (uint32_t i = 0; i < 20; i++)
        inc_assert(inc, g.want, &(struct want){i, 100 + (i * 7) % 20});
    inc_settle(inc, SIZE_MAX);
    assert_false(inc_deadlines_run(d, 99));
    assert_int_equal(inc_deadlines_next(d), 100);
    for (uint32_t i = 0; i < 20; i += 3) /* taken back before they pass */
        inc_retract(inc, g.want, &(struct want){i, 100 + (i * 7) % 20});
    inc_settle(inc, SIZE_MAX);
    size_t done = 0;
    for (int64_t now = 100; now < 120; now++) {
        bool changed = inc_deadlines_run(d, now);
        inc_settle(inc, SIZE_MAX);
        assert_int_equal(inc_count(inc, g.done), done + changed);
        done += changed;
        assert_false(inc_deadlines_run(d, now));
        assert_true(inc_verify(inc, NULL));
    }
    assert_int_equal(done, 13);
    assert_true(inc_deadlines_next(d) == INT64_MAX);
    inc_retract(inc, g.want, &(struct want){1, 107});
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(inc_count(inc, g.done), 12);
    assert_true(inc_deadlines_run(d, 200)); /* takes the passed fact back */
    inc_settle(inc, SIZE_MAX);
    assert_int_equal(inc_count(inc, g.passed), 12);
    inc_deadlines_free(d);
    inc_free(inc);
    inc_program_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_search),
        cmocka_unit_test(test_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
