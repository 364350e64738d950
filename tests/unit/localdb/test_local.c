/* test_local.c - a replica on a store in the same process: shared rows, order, errors told later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "localdb/local_source.h"
#include "store/store.h"

static const char schema_text[] = "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{"
                                  "\"A\":{\"isRoot\":true,\"indexes\":[[\"name\"]],\"columns\":{"
                                  "\"name\":{\"type\":\"string\"}}}}}";

struct fixture {
    struct env_seeded env;
    struct store *store;
    struct replica *replica;
    const struct schema_table *a;
    const struct schema_column *name;
    size_t n_changes, n_done, changes_at_done;
    int err;
};

static void on_changes(void *f, const struct changeset *cs)
{
    ((struct fixture *)f)->n_changes += cs->n;
}

static void on_done(void *f_, int err, const char *error)
{
    struct fixture *f = f_;
    f->n_done++;
    f->err = err;
    f->changes_at_done = f->n_changes;
    assert_int_equal(err != 0, error != NULL);
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    env_seeded_init(&f->env, 1);
    struct store_options options = {.env = &f->env.env, .schema_text = schema_text};
    assert_int_equal(store_open(&options, &f->store, NULL), 0);
}

static void start_replica(struct fixture *f)
{
    struct replica_options options = {&f->env.env, store_schema(f->store), NULL};
    f->replica = replica_new(&options, local_source_new(f->store));
    replica_set_observer(f->replica, on_changes, f);
    f->a = replica_table(f->replica, "A");
    f->name = schema_column_find(f->a, "name");
}

static void tear_down(struct fixture *f)
{
    replica_free(f->replica);
    store_close(f->store);
}

static struct uuid insert(struct fixture *f, const char *name)
{
    struct replica_txn *txn = replica_txn_new(f->replica);
    struct uuid uuid = replica_txn_insert(txn, f->a);
    replica_txn_set(txn, f->a, &uuid, f->name, datum_new_string(name));
    replica_txn_commit(txn, on_done, f);
    return uuid;
}

static void test_shares_rows(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start_replica(&f);
    assert_true(replica_is_ready(f.replica));
    assert_true(replica_has_lock(f.replica));
    struct uuid uuid = insert(&f, "x");
    assert_int_equal(f.n_done, 0); /* never from inside the call */
    assert_int_equal(replica_n_rows(f.replica, f.a), 0);
    store_flush(f.store);
    assert_int_equal(f.n_done, 1);
    assert_int_equal(f.err, 0);
    assert_int_equal(f.changes_at_done, 1); /* the change comes first */
    const struct row *row = replica_row_find(f.replica, f.a, &uuid);
    assert_ptr_equal(row, store_row_find(f.store, f.a, &uuid));
    tear_down(&f);
}

static void test_initial_contents(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start_replica(&f);
    insert(&f, "x");
    insert(&f, "y");
    store_flush(f.store);
    replica_free(f.replica);
    start_replica(&f);
    assert_int_equal(replica_n_rows(f.replica, f.a), 2);
    tear_down(&f);
}

static void test_errors_are_told_later(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start_replica(&f);
    insert(&f, "x");
    store_flush(f.store);
    insert(&f, "x"); /* the name is an index */
    assert_int_equal(f.n_done, 1);
    store_flush(f.store);
    assert_int_equal(f.n_done, 2);
    assert_int_equal(f.err, ERR_CONSTRAINT);
    tear_down(&f);
}

static void test_verify(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start_replica(&f);
    struct uuid uuid = insert(&f, "x");
    store_flush(f.store);
    const struct row *old = row_ref(replica_row_find(f.replica, f.a, &uuid));
    struct replica_txn *txn = replica_txn_new(f.replica);
    replica_txn_verify(txn, old, f.name);
    replica_txn_set(txn, f.a, &uuid, f.name, datum_new_string("y"));
    replica_txn_commit(txn, on_done, &f);
    store_flush(f.store);
    assert_int_equal(f.err, 0);
    txn = replica_txn_new(f.replica);
    replica_txn_verify(txn, old, f.name); /* holds no longer */
    replica_txn_set(txn, f.a, &uuid, f.name, datum_new_string("z"));
    replica_txn_commit(txn, on_done, &f);
    store_flush(f.store);
    assert_int_equal(f.n_done, 3);
    assert_int_equal(f.err, ERR_AGAIN);
    row_unref(old);
    tear_down(&f);
}

static void test_free_with_requests_outstanding(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start_replica(&f);
    insert(&f, "x");
    insert(&f, "x");
    tear_down(&f);
    assert_int_equal(f.n_done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_rows),
        cmocka_unit_test(test_initial_contents),
        cmocka_unit_test(test_errors_are_told_later),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_free_with_requests_outstanding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
