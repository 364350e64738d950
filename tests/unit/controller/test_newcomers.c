/* test_newcomers.c - interfaces that come after the conditions were made: watched for, a few clauses each, until that is more than making the
 * conditions anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/scope.h"
#include "io/loop.h"
#include "ovsdb/client/source.h"
#include "rows/sb.h"

struct world {
    struct loop *loop;
    struct schema *schema;
    struct replica *sb;
    struct program program;
    struct inc *inc;
    struct scope scope;
};

static void on_watched(void *scope, const struct uuid *port)
{
    scope_found(scope, port);
}

static void world_init(struct world *w)
{
    *w = (struct world){.loop = loop_new(env_real()), .schema = sb_schema_new()};
    w->scope.source = ovsdb_client_source_new(w->loop, "unix:/nonexistent/sb.sock");
    ovsdb_client_source_on_watched(w->scope.source, on_watched, &w->scope);
    struct replica_options options = {.env = env_real(), .schema = w->schema};
    w->sb = replica_new(&options, w->scope.source);
    program_init(&w->program);
    w->inc = inc_new(w->program.inc);
}

static void world_fini(struct world *w)
{
    scope_clear(&w->scope);
    inc_free(w->inc);
    program_fini(&w->program);
    replica_free(w->sb);
    schema_free(w->schema);
    loop_free(w->loop);
}

/* What the engine has, for the conditions. */
static void assert_iface(struct world *w, unsigned i)
{
    char name[16];
    snprintf(name, sizeof name, "lp%u", i);
    struct fact_iface f;
    INC_CLEAR(f);
    f.iface_id = program_name(&w->program, name);
    f.name = rstr_ref(f.iface_id);
    f.ofport = i + 1;
    inc_assert(w->inc, w->program.iface, &f);
    type_iface.unref(&f);
}

static void ask(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_iface(w, i);
    while (!inc_settle(w->inc, SIZE_MAX))
        ;
    scope_ask_ifaces(&w->scope, &w->program, w->inc, w->sb);
}

static bool note(struct world *w, unsigned i, bool added)
{
    char text[16];
    snprintf(text, sizeof text, "lp%u", i);
    struct rstr *name = program_name(&w->program, text);
    bool ret = scope_note_iface(&w->scope, name, added);
    rstr_unref(name);
    return ret;
}

static void test_few_are_watched(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_false(note(&w, 0, true)); /* before there are any conditions */
    assert_true(w.scope.is_stale);
    ask(&w, 10);
    w.scope.is_stale = false;
    assert_int_equal(w.scope.asked.n, 10);
    assert_false(note(&w, 3, true)); /* has got another number */
    assert_true(note(&w, 20, true));
    assert_false(note(&w, 20, false));
    assert_false(note(&w, 20, true));
    assert_true(note(&w, 21, true));
    assert_int_equal(w.scope.watched.n, 2);
    scope_watch(&w.scope, w.sb);
    for (unsigned i = 22; !w.scope.is_stale; i++) {
        assert_true(i < 200);
        (void)note(&w, i, true);
    }
    scope_ask_ifaces(&w.scope, &w.program, w.inc, w.sb);
    assert_int_equal(w.scope.watched.n, 0);
    assert_int_equal(w.scope.asked.n, 10);
    world_fini(&w);
}

static void test_gone(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    ask(&w, 10);
    for (unsigned i = 0; i < 5; i++)
        assert_false(note(&w, i, false));
    assert_false(note(&w, 4, true)); /* is back */
    assert_false(note(&w, 6, false));
    assert_false(w.scope.is_stale);
    assert_false(note(&w, 7, false)); /* the most are gone */
    assert_true(w.scope.is_stale);
    world_fini(&w);
}

static void test_found(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    ask(&w, 1);
    assert_false(scope_has_news(&w.scope, w.sb));
    struct uuid port = {{1, 2, 3}};
    scope_found(&w.scope, &port); /* is not here */
    assert_true(scope_has_news(&w.scope, w.sb));
    assert_false(scope_has_news(&w.scope, w.sb)); /* told once */
    scope_found(&w.scope, NULL);
    assert_true(scope_has_news(&w.scope, w.sb));
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_are_watched),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
