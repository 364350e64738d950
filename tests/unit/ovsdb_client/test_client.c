/* test_client.c - a session against a scripted server in the same process: how it begins and falls
 * back, updates in all three notations, lost connections, transactions, locks, nonsense. */
#include "unit/ovsdb_client/session.h"

static void test_begins(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    assert_false(replica_is_ready(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    run_a_little(&f);
    assert_string_equal(f.log, "get_schema monitor_cond monitor_cond_since set_db_change_aware");
    assert_string_equal(f.last_since, "00000000-0000-0000-0000-000000000000");
    assert_int_equal(f.n_changes, 1);
    assert_int_equal(value_1(&f, "set")->n, 2);
    assert_int_equal(value_1(&f, "new")->atoms[0].integer, 0); /* the default */
    assert_false(ovsdb_client_source_has_column(f.source, schema_column_find(f.a, "new")));
    assert_true(ovsdb_client_source_has_column(f.source, schema_column_find(f.a, "set")));
    tear_down(&f);
}

static void check_fallback(bool lacks_server, bool lacks_since, bool lacks_cond, const char *log)
{
    struct fixture f;
    set_up(&f);
    f.lacks_server = lacks_server;
    f.lacks_since = lacks_since;
    f.lacks_cond = lacks_cond;
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_string_equal(f.log, log);
    assert_int_equal(value_1(&f, "set")->n, 2);
    tear_down(&f);
}

static void test_falls_back(void **state)
{
    (void)state;
    check_fallback(false, true, false,
                   "get_schema monitor_cond monitor_cond_since set_db_change_aware monitor_cond");
    check_fallback(false, true, true,
                   "get_schema monitor_cond get_schema monitor_cond set_db_change_aware monitor");
    check_fallback(true, true, false, "get_schema get_schema monitor_cond set_db_change_aware");
    check_fallback(true, true, true,
                   "get_schema get_schema monitor_cond set_db_change_aware monitor");
}

static void test_refuses_follower(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.not_leader = true;
    start(&f);
    RUN_UNTIL(&f, ovsdb_client_source_failures(f.source) > 0);
    assert_string_equal(ovsdb_client_source_error(f.source),
                        "clustered database server is not cluster leader");
    ovsdb_client_source_set_leader_only(f.source, false);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    tear_down(&f);
}

/* ---- updates ---- */

static void test_update3(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    unsigned sets = f.n_sets;
    notify(&f, "update3",
           "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1 "\":{\"modify\":{\"name\":\"b\","
           "\"set\":[\"set\",[\"x\",\"z\"]],\"map\":[\"map\",[[\"k\",\"v\"]]],\"one\":77}},"
           "\"" U2 "\":{\"insert\":{}}}}]");
    RUN_UNTIL(&f, f.n_sets > sets);
    assert_int_equal(f.n_sets, sets + 1); /* one transaction, one change set */
    assert_int_equal(replica_n_rows(f.replica, f.a), 2);
    assert_string_equal(value_1(&f, "name")->atoms[0].string->s, "b");
    assert_int_equal(value_1(&f, "set")->n, 2); /* x toggled out, z in */
    assert_string_equal(value_1(&f, "set")->atoms[1].string->s, "z");
    assert_int_equal(value_1(&f, "one")->atoms[0].integer, 77); /* beyond our range: accepted */
    notify(&f, "update3",
           "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1
           "\":{\"modify\":{\"map\":[\"map\",[[\"k\","
           "\"w\"]]],\"one\":[\"set\",[]]}},\"" U2 "\":{\"delete\":null}}}]");
    RUN_UNTIL(&f, f.n_sets > sets + 1);
    assert_string_equal(datum_map_text(value_1(&f, "map"), "k"), "w");
    assert_int_equal(value_1(&f, "one")->n, 0);
    assert_int_equal(replica_n_rows(f.replica, f.a), 1);
    tear_down(&f);
}

static void test_plain_update(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.lacks_server = f.lacks_since = f.lacks_cond = true;
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    unsigned sets = f.n_sets;
    notify(&f, "update",
           "[[\"monid\",\"T\"],{\"A\":{\"" U1
           "\":{\"old\":{\"name\":\"a\"},\"new\":{\"name\":\"b\","
           "\"set\":\"q\"}}}}]");
    RUN_UNTIL(&f, f.n_sets > sets);
    assert_string_equal(value_1(&f, "name")->atoms[0].string->s, "b");
    assert_int_equal(value_1(&f, "set")->n, 1);
    notify(&f, "update", "[[\"monid\",\"T\"],{\"A\":{\"" U1 "\":{\"old\":{\"name\":\"b\"}}}}]");
    RUN_UNTIL(&f, !replica_n_rows(f.replica, f.a));
    tear_down(&f);
}

static void test_nonsense_ends_connection(void **state)
{
    static const char *const nonsense[] = {
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U2 "\":{\"modify\":{\"name\":\"b\"}}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"xyz\":{\"insert\":{}}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1 "\":{\"modify\":{\"name\":5}}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1 "\":{}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",7]",
        "[[\"monid\",\"T\"],7,{}]",
        "[[\"monid\",\"T\"]]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        struct fixture f;
        set_up(&f);
        start(&f);
        RUN_UNTIL(&f, replica_is_ready(f.replica));
        notify(&f, "update3", nonsense[i]);
        RUN_UNTIL(&f, ovsdb_client_source_failures(f.source) == 1);
        assert_false(replica_is_ready(f.replica));
        assert_non_null(row_1(&f));                 /* still readable */
        RUN_UNTIL(&f, replica_is_ready(f.replica)); /* and here again, from the beginning */
        assert_string_equal(f.last_since, "00000000-0000-0000-0000-000000000000");
        tear_down(&f);
    }
}

/* ---- lost connections ---- */

static void test_reconnects_with_difference(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    unsigned changes = f.n_changes;
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_int_equal(f.n_changes, changes); /* nothing had changed */
    assert_string_equal(f.last_since, TXN);
    /* A server with history sends only what was missed. */
    f.since_found = true;
    f.initial = "{\"A\":{\"" U1 "\":{\"modify\":{\"name\":\"missed\"}}}}%.0s";
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_int_equal(f.n_changes, changes + 1);
    assert_string_equal(value_1(&f, "name")->atoms[0].string->s, "missed");
    assert_int_equal(value_1(&f, "set")->n, 2);
    tear_down(&f);
}

static void commit_name(struct fixture *f, const char *name)
{
    struct replica_txn *txn = replica_txn_new(f->replica);
    const struct row *row = row_1(f);
    replica_txn_set(txn, f->a, &row->uuid, schema_column_find(f->a, "name"),
                    datum_new_string(name));
    replica_txn_set(txn, f->a, &row->uuid, schema_column_find(f->a, "new"), datum_new_integer(5));
    replica_txn_commit(txn, on_done, f);
}

static void test_transactions(void **state)
{
    static const struct {
        const char *result;
        int err;
    } cases[] = {
        {"[{\"count\":1}]", 0},
        {"[{\"error\":\"timed out\",\"details\":\"x\"},null]", ERR_AGAIN},
        {"[{\"error\":\"not owner\"}]", ERR_NOT_OWNER},
        {"[{\"count\":1},{\"error\":\"constraint violation\",\"details\":\"x\"}]", ERR_CONSTRAINT},
        {"[{\"count\":1},{\"error\":\"referential integrity violation\"}]", ERR_REFERENCE},
        {"[{\"error\":\"never heard of\"}]", ERR_INVALID},
        {"[]", 0},
    };
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f.transact_result = cases[i].result;
        commit_name(&f, "n");
        assert_int_equal(f.n_done, (int)i);
        RUN_UNTIL(&f, f.n_done == (int)i + 1);
        assert_int_equal(f.done_err, cases[i].err);
    }
    assert_non_null(strstr(f.last_params, "\"row\":{\"name\":\"n\"}")); /* "new" is not written */
    tear_down(&f);
}

static void test_lost_transaction(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.silent_transact = true;
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    commit_name(&f, "n");
    run_a_little(&f);
    assert_int_equal(f.n_done, 0);
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, f.n_done == 1);
    assert_int_equal(f.done_err, ERR_AGAIN);
    /* And one that is submitted while there is no connection. */
    commit_name(&f, "n");
    assert_int_equal(f.n_done, 1);
    RUN_UNTIL(&f, f.n_done == 2);
    assert_int_equal(f.done_err, ERR_AGAIN);
    tear_down(&f);
}

static void test_lock(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    replica_set_lock(f.replica, "L");
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_false(replica_has_lock(f.replica));
    notify(&f, "locked", "[\"other\"]");
    run_a_little(&f);
    assert_false(replica_has_lock(f.replica));
    notify(&f, "locked", "[\"L\"]");
    RUN_UNTIL(&f, replica_has_lock(f.replica));
    notify(&f, "stolen", "[\"L\"]");
    RUN_UNTIL(&f, !replica_has_lock(f.replica));
    tear_down(&f);
}

static void test_no_server(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    stream_listener_free(f.listener);
    f.listener = NULL;
    start(&f);
    RUN_UNTIL(&f, ovsdb_client_source_failures(f.source) > 0);
    assert_string_equal(ovsdb_client_source_error(f.source), "No such file or directory");
    listen_again(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_falls_back),
        cmocka_unit_test(test_refuses_follower),
        cmocka_unit_test(test_update3),
        cmocka_unit_test(test_plain_update),
        cmocka_unit_test(test_nonsense_ends_connection),
        cmocka_unit_test(test_reconnects_with_difference),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_lost_transaction),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
