/* test_watch.c - which rows a session asks for: conditions, also unanswered ones, and look-outs (watch.c). */
#include "unit/ovsdb_client/session.h"

/* ---- conditions and locks ---- */

static void test_conditions(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    struct clause *clause = NEW(struct clause);
    *clause = (struct clause){FN_EQ, schema_column_find(f.a, "name"), datum_new_string("a")};
    struct condition condition = {1, clause};
    replica_set_condition(f.replica, f.a, &condition);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    run_a_little(&f);
    assert_null(strstr(f.log, "monitor_cond_change")); /* part of the first request */
    replica_set_condition(f.replica, f.a, NULL);
    RUN_UNTIL(&f, strstr(f.log, "monitor_cond_change"));
    assert_non_null(strstr(f.last_params, "[{\"where\":[true]}]"));
    unsigned sets = f.n_sets;
    replica_set_condition(f.replica, f.a, NULL); /* no change, no request */
    run_a_little(&f);
    assert_int_equal(f.n_sets, sets);
    assert_null(strstr(strstr(f.log, "monitor_cond_change") + 1, "monitor_cond_change"));
    tear_down(&f);
}

/* The connection ends before new conditions are answered: rows that only they ask for have not come, and are not among what has changed since. */
static void test_unanswered_conditions(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    struct clause *clause = NEW(struct clause);
    *clause = (struct clause){FN_EQ, schema_column_find(f.a, "name"), datum_new_string("a")};
    struct condition condition = {1, clause};
    f.silent_conditions = true;
    replica_set_condition(f.replica, f.a, &condition);
    RUN_UNTIL(&f, strstr(f.log, "monitor_cond_change"));
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_string_equal(f.last_since, "00000000-0000-0000-0000-000000000000");
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_string_equal(f.last_since, TXN); /* all is here */
    tear_down(&f);
}

struct watched {
    unsigned n, n_unknown;
    struct uuid last;
};

static void on_watched(void *watched_, const struct uuid *row)
{
    struct watched *w = watched_;
    w->n += row != NULL;
    w->n_unknown += row == NULL;
    if (row)
        w->last = *row;
}

static void watch_name(struct fixture *f, const char *name)
{
    struct condition where = {0, NULL};
    if (name) {
        where.clauses = NEW(struct clause);
        where.clauses[where.n++] =
            (struct clause){FN_EQ, schema_column_find(f->a, "name"), datum_new_string(name)};
    }
    ovsdb_client_source_watch(f->source, f->a, &where);
    assert_false(replica_is_connected(f->replica) &&
                 ovsdb_client_source_is_settled(f->source)); /* not known yet */
}

static void begin_watch(struct fixture *f, struct watched *w)
{
    memset(w, 0, sizeof *w);
    set_up(f);
    start(f);
    ovsdb_client_source_on_watched(f->source, on_watched, w);
    RUN_UNTIL(f, replica_is_ready(f->replica));
}

/* A look-out is a monitor of its own, in each connection, whose rows are told and not copied. */
static void test_watch(void **state)
{
    (void)state;
    struct fixture f;
    struct watched w;
    begin_watch(&f, &w);
    run_a_little(&f);
    unsigned changes = f.n_changes;
    watch_name(&f, "a");
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_non_null(strstr(f.last_params, "[\"T\",[\"watch\",\"T\"],{\"A\":[{\"columns\":[],"
                                          "\"where\":[[\"name\",\"==\",\"a\"]]}]}]"));
    assert_int_equal(w.n, 1);
    notify(&f, "update2", "[[\"watch\",\"T\"],{\"A\":{\"" U2 "\":{\"insert\":{}}}}]");
    RUN_UNTIL(&f, w.n == 2);
    char text[UUID_TEXT_LEN + 1];
    assert_string_equal(uuid_print(&w.last, text), U2);
    notify(&f, "update2", "[[\"watch\",\"T\"],{\"A\":{\"" U2 "\":{\"delete\":null}}}]");
    run_a_little(&f);
    assert_int_equal(w.n, 2);
    assert_int_equal(f.n_changes, changes);
    watch_name(&f, "b");
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_non_null(strstr(f.last_params, "\"where\":[[\"name\",\"==\",\"b\"]]"));
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_int_equal(w.n, 3); /* asked and told again */
    watch_name(&f, NULL);
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_non_null(strstr(f.last_params, "\"where\":[false]"));
    f.lacks_cond = f.silent_conditions = true; /* the server refuses to watch */
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    run_a_little(&f);
    assert_int_equal(w.n_unknown, 0); /* nothing is watched */
    tear_down(&f);
}

static void test_server_that_does_not_watch(void **state)
{
    (void)state;
    struct fixture f;
    struct watched w;
    begin_watch(&f, &w);
    f.lacks_cond = true;
    watch_name(&f, "a");
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_int_equal(w.n_unknown, 1);
    assert_int_equal(w.n, 0);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_unanswered_conditions),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_server_that_does_not_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
