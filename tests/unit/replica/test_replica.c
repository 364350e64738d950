/* test_replica.c - the copy: differences of resets, filtering, observers; and what a transaction
 * becomes as operations. The source is one of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "replica/replica.h"
#include "replica/row_table.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{"
    "\"A\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},\"n\":{\"type\":"
    "\"integer\"},"
    "\"set\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"B\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"}}}}}";

struct fake_source {
    struct replica_source base;
    struct replica_sink sink;
    struct ops *ops; /* submitted last */
    bool freed;
};

static void fake_start(struct replica_source *base, const struct replica_options *options,
                       const struct replica_sink *sink)
{
    (void)options;
    ((struct fake_source *)base)->sink = *sink;
}

static void fake_submit(struct replica_source *base, struct ops *ops,
                        void (*done)(void *aux, int err, const char *error), void *aux)
{
    struct fake_source *source = (struct fake_source *)base;
    ops_free(source->ops);
    source->ops = ops;
    if (done)
        done(aux, 0, NULL);
}

static void fake_set_condition(struct replica_source *base, const struct schema_table *table,
                               const struct condition *condition)
{
    (void)base;
    (void)table;
    (void)condition;
}

static void fake_set_lock(struct replica_source *base, const char *name)
{
    (void)base;
    (void)name;
}

static void fake_free(struct replica_source *base)
{
    struct fake_source *source = (struct fake_source *)base;
    ops_free(source->ops);
    free(source);
}

struct fixture {
    struct schema *schema;
    struct env_seeded env;
    struct fake_source *source;
    struct replica *replica;
    size_t n_sets, n_changes, n_inserts, n_deletes, n_status;
};

static void on_changes(void *f_, const struct changeset *cs)
{
    struct fixture *f = f_;
    f->n_sets++;
    f->n_changes += cs->n;
    for (size_t i = 0; i < cs->n; i++) {
        f->n_inserts += !cs->changes[i].before;
        f->n_deletes += !cs->changes[i].after;
    }
}

static void on_status(void *f)
{
    ((struct fixture *)f)->n_status++;
}

static void set_up(struct fixture *f, const char *const *tables)
{
    *f = (struct fixture){0};
    assert_int_equal(schema_from_text(schema_text, &f->schema, NULL), 0);
    env_seeded_init(&f->env, 1);
    f->source = NEW(struct fake_source);
    f->source->base = (struct replica_source){fake_start, fake_submit, fake_set_condition,
                                              fake_set_lock, fake_free};
    struct replica_options options = {&f->env.env, f->schema, tables};
    f->replica = replica_new(&options, &f->source->base);
    replica_set_observer(f->replica, on_changes, f);
    replica_set_status_observer(f->replica, on_status, f);
}

static void tear_down(struct fixture *f)
{
    replica_free(f->replica);
    schema_free(f->schema);
}

static const struct row *make_row(struct fixture *f, const char *table, unsigned id,
                                  const char *name)
{
    const struct schema_table *t = schema_table_find(f->schema, table);
    struct uuid uuid = {{(uint8_t)(id >> 8), (uint8_t)id, 1}};
    struct row *row = row_new(t, &uuid);
    row_set(row, schema_column_find(t, "name"), datum_new_string(name));
    return row;
}

/* Takes over the rows. */
static const struct changeset *make_set(struct change *changes, size_t n)
{
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->n = n;
    cs->changes = xmalloc((n + 1) * sizeof *changes);
    memcpy(cs->changes, changes, n * sizeof *changes);
    return cs;
}

static void tell(struct fixture *f, struct change *changes, size_t n, bool reset)
{
    const struct changeset *cs = make_set(changes, n);
    (reset ? f->source->sink.reset : f->source->sink.update)(f->replica, cs);
    changeset_unref(cs);
}

static void test_reset_tells_difference(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NULL);
    assert_false(replica_is_ready(f.replica));
    f.source->sink.status(f.replica, true, false);
    struct change first[] = {{NULL, make_row(&f, "A", 1, "a")}, {NULL, make_row(&f, "A", 2, "b")}};
    tell(&f, first, 2, true);
    assert_true(replica_is_ready(f.replica));
    assert_int_equal(f.n_inserts, 2);

    /* The connection is lost: the copy stays, but is not ready. */
    f.source->sink.status(f.replica, false, false);
    assert_false(replica_is_ready(f.replica));
    const struct schema_table *a = replica_table(f.replica, "A");
    assert_int_equal(replica_n_rows(f.replica, a), 2);

    /* One row is the same, one changed, one is new. */
    f.source->sink.status(f.replica, true, false);
    struct change second[] = {{NULL, make_row(&f, "A", 1, "a")}, {NULL, make_row(&f, "A", 3, "c")}};
    uint64_t seqno = replica_seqno(f.replica);
    f.n_changes = f.n_sets = f.n_inserts = 0;
    tell(&f, second, 2, true);
    assert_int_equal(f.n_sets, 1);
    assert_int_equal(f.n_changes, 2);
    assert_int_equal(f.n_inserts, 1);
    assert_int_equal(f.n_deletes, 1);
    assert_int_equal(replica_seqno(f.replica), seqno + 1);

    /* The same contents again are no change. */
    struct change third[] = {{NULL, make_row(&f, "A", 3, "c")}, {NULL, make_row(&f, "A", 1, "a")}};
    tell(&f, third, 2, true);
    assert_int_equal(f.n_sets, 1);
    tear_down(&f);
}

static void test_filters_tables(void **state)
{
    (void)state;
    static const char *const tables[] = {"B", NULL};
    struct fixture f;
    set_up(&f, tables);
    struct change changes[] = {{NULL, make_row(&f, "A", 1, "a")},
                               {NULL, make_row(&f, "B", 2, "b")}};
    tell(&f, changes, 2, false);
    assert_int_equal(f.n_changes, 1);
    assert_int_equal(replica_n_rows(f.replica, replica_table(f.replica, "A")), 0);
    assert_int_equal(replica_n_rows(f.replica, replica_table(f.replica, "B")), 1);
    struct change only_a[] = {{NULL, make_row(&f, "A", 3, "a")}};
    tell(&f, only_a, 1, false);
    assert_int_equal(f.n_sets, 1); /* nothing for us in it */
    tear_down(&f);
}

static void test_transaction_joins_operations(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NULL);
    const struct row *row = make_row(&f, "A", 1, "a");
    struct change changes[] = {{NULL, row_ref(row)}};
    tell(&f, changes, 1, false);
    const struct schema_table *a = replica_table(f.replica, "A");
    const struct schema_column *name = schema_column_find(a, "name");
    const struct schema_column *n = schema_column_find(a, "n");
    const struct schema_column *set = schema_column_find(a, "set");

    replica_set_lock(f.replica, "L");
    struct replica_txn *txn = replica_txn_new(f.replica);
    assert_true(replica_txn_is_empty(txn));
    struct uuid uuid = replica_txn_insert(txn, a);
    replica_txn_set(txn, a, &uuid, name, datum_new_string("x"));
    replica_txn_set(txn, a, &uuid, name, datum_new_string("y")); /* wins */
    replica_txn_set(txn, a, &row->uuid, n, datum_new_integer(1));
    replica_txn_set(txn, a, &row->uuid, name, datum_new_string("b"));
    replica_txn_mutate(txn, a, &row->uuid, set, MUTATE_INSERT, datum_new_string("e"));
    replica_txn_set(txn, a, &row->uuid, n, datum_new_integer(2)); /* behind the mutation */
    replica_txn_verify(txn, row, name);
    replica_txn_verify(txn, row, n);
    replica_txn_verify(txn, row, n);
    replica_txn_comment(txn, "why");
    replica_txn_commit(txn, NULL, NULL);

    static const enum op_kind kinds[] = {OP_WAIT,   OP_INSERT,  OP_UPDATE, OP_MUTATE,
                                         OP_UPDATE, OP_COMMENT, OP_ASSERT};
    const struct ops *ops = f.source->ops;
    assert_int_equal(ops->n, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(ops->ops[i].kind, kinds[i]);
    assert_int_equal(ops->ops[0].n_columns, 2);
    assert_int_equal(ops->ops[0].rows[0].n, 2);
    assert_int_equal(ops->ops[1].n_values, 1);
    assert_string_equal(ops->ops[1].values[0].value->atoms[0].string->s, "y");
    assert_int_equal(ops->ops[2].n_values, 2);
    assert_string_equal(ops->ops[6].text, "L");
    row_unref(row);
    tear_down(&f);
}

static void test_transaction_may_be_dropped(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, NULL);
    struct replica_txn *txn = replica_txn_new(f.replica);
    const struct schema_table *a = replica_table(f.replica, "A");
    struct uuid uuid = replica_txn_insert(txn, a);
    replica_txn_set(txn, a, &uuid, schema_column_find(a, "name"), datum_new_string("x"));
    replica_txn_free(txn);
    assert_null(f.source->ops);
    tear_down(&f);
}

/* The table of rows against a plain array of bools. */
static void test_row_table_random(void **state)
{
    (void)state;
    enum { N = 400, STEPS = 20000 };
    struct fixture f;
    set_up(&f, NULL);
    struct row_table table = ROW_TABLE_INIT;
    bool there[N] = {false};
    size_t n = 0;
    for (int step = 0; step < STEPS; step++) {
        unsigned id = (unsigned)(env_random_u64(&f.env.env) % N);
        const struct row *row = make_row(&f, "A", id, "r");
        if (env_random_u64(&f.env.env) % 2) {
            n += !there[id];
            there[id] = true;
            row_table_put(&table, row_ref(row));
        } else {
            assert_int_equal(row_table_remove(&table, &row->uuid), there[id]);
            n -= there[id];
            there[id] = false;
        }
        assert_int_equal(table.n, n);
        assert_int_equal(row_table_find(&table, &row->uuid) != NULL, there[id]);
        row_unref(row);
    }
    size_t pos = 0, seen = 0;
    while (row_table_next(&table, &pos))
        seen++;
    assert_int_equal(seen, n);
    for (unsigned id = 0; id < N; id++) {
        struct uuid uuid = {{(uint8_t)(id >> 8), (uint8_t)id, 1}};
        assert_int_equal(row_table_find(&table, &uuid) != NULL, there[id]);
    }
    row_table_clear(&table);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset_tells_difference),
        cmocka_unit_test(test_filters_tables),
        cmocka_unit_test(test_transaction_joins_operations),
        cmocka_unit_test(test_transaction_may_be_dropped),
        cmocka_unit_test(test_row_table_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
