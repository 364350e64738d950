/* test_view.c - the view of uncommitted changes, and the operations that it becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/view.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{"
    "\"A\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"B\"},\"min\":1,\"max\":"
    "\"unlimited\"}},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}}}"
    ","
    "\"B\":{\"columns\":{\"name\":{\"type\":\"string\"}}}}}";

struct fixture {
    struct replica_source source; /* first: the replica's source is the fixture */
    struct replica_sink sink;
    struct schema *schema;
    struct env_seeded env;
    struct replica *replica;
    struct view *view;
    struct ops *ops;
    struct condition conditions[2]; /* by table index, as they were set last */
    const struct schema_table *a, *b;
};

static void start(struct replica_source *f, const struct replica_options *options,
                  const struct replica_sink *sink)
{
    (void)options;
    ((struct fixture *)f)->sink = *sink;
}

static void submit(struct replica_source *f, struct ops *ops,
                   void (*done)(void *aux, int err, const char *error), void *aux)
{
    (void)done;
    (void)aux;
    ((struct fixture *)f)->ops = ops;
}

static void set_condition(struct replica_source *source, const struct schema_table *table,
                          const struct condition *condition)
{
    struct condition *c = &((struct fixture *)source)->conditions[table->index];
    condition_fini(c);
    if (!condition->n)
        return;
    *c = (struct condition){condition->n,
                            xmemdup(condition->clauses, condition->n * sizeof *condition->clauses)};
    for (size_t i = 0; i < c->n; i++)
        if (c->clauses[i].arg)
            datum_ref(c->clauses[i].arg);
}

static void free_source(struct replica_source *source)
{
    struct fixture *f = (struct fixture *)source;
    ops_free(f->ops);
    condition_fini(&f->conditions[0]);
    condition_fini(&f->conditions[1]);
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){
        .source = {
            .start = start, .submit = submit, .set_condition = set_condition, .free = free_source}};
    assert_int_equal(schema_from_text(schema_text, &f->schema, NULL), 0);
    env_seeded_init(&f->env, 1);
    struct replica_options options = {&f->env.env, f->schema, NULL};
    f->replica = replica_new(&options, &f->source);
    f->view = view_new(f->replica, &f->env.env);
    f->a = view_table(f->view, "A");
    f->b = view_table(f->view, "B");
}

static void tear_down(struct fixture *f)
{
    view_free(f->view);
    replica_free(f->replica);
    schema_free(f->schema);
}

/* A row of A that the database has. */
static const struct row *existing(struct fixture *f, const char *name)
{
    struct uuid uuid = uuid_random(&f->env.env);
    struct row *row = row_new(f->a, &uuid);
    row_set(row, row_column(row, "name"), datum_new_string(name));
    union atom keys[] = {{.string = rstr_new("k1")}, {.string = rstr_new("k2")}};
    union atom values[] = {{.string = rstr_new("v1")}, {.string = rstr_new("v2")}};
    row_set(row, row_column(row, "map"), datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, 2));
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->n = 1;
    cs->changes = NEW(struct change);
    cs->changes->after = row;
    f->sink.update(f->sink.replica, cs);
    changeset_unref(cs);
    return replica_row_find(f->replica, f->a, &uuid);
}

static const struct ops *commit(struct fixture *f)
{
    replica_txn_commit(view_make_txn(f->view), NULL, NULL);
    return f->ops;
}

static void test_sees_its_changes(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct row *old = existing(&f, "m");
    const struct row *new = view_insert(f.view, f.a);
    new = view_set_text(f.view, new, "name", "a");
    view_set_text(f.view, old, "name", "z");
    struct row_list rows = view_rows(f.view, f.a);
    assert_int_equal(rows.n, 2);
    assert_string_equal(row_text(rows.rows[0], "name"), "a");
    assert_string_equal(row_text(rows.rows[1], "name"), "z");
    assert_string_equal(row_text(old, "name"), "m"); /* what was handed out stays */
    row_list_fini(&rows);
    view_delete(f.view, view_find(f.view, f.a, &old->uuid));
    assert_null(view_find(f.view, f.a, &old->uuid));
    view_reset(f.view);
    assert_false(view_is_changed(f.view));
    assert_ptr_equal(view_find(f.view, f.a, &old->uuid), old);
    tear_down(&f);
}

static void test_elements_become_mutations(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct row *row = existing(&f, "m");
    row = view_set_key(f.view, row, "map", "k1", "changed");
    row = view_set_key(f.view, row, "map", "k3", "v3");
    row = view_remove_key(f.view, row, "map", "k2");
    const struct ops *ops = commit(&f);
    assert_int_equal(ops->n, 1);
    assert_int_equal(ops->ops[0].kind, OP_MUTATE);
    assert_int_equal(ops->ops[0].n_mutations, 2);
    const struct mutation *m = ops->ops[0].mutations;
    assert_int_equal(m[0].mutator, MUTATE_DELETE); /* keys k1 and k2 */
    assert_int_equal(m[0].arg->n, 2);
    assert_false(datum_is_map(m[0].arg));
    assert_int_equal(m[1].mutator, MUTATE_INSERT); /* k1 and k3 */
    assert_int_equal(m[1].arg->n, 2);
    assert_string_equal(datum_map_text(m[1].arg, "k1"), "changed");
    tear_down(&f);
}

static void test_whole_values_are_written_whole(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct row *row = existing(&f, "m");
    view_clear(f.view, row, "map");
    view_set_text(f.view, row, "name", "m"); /* as it was: not written */
    const struct ops *ops = commit(&f);
    assert_int_equal(ops->n, 1);
    assert_int_equal(ops->ops[0].kind, OP_UPDATE);
    assert_int_equal(ops->ops[0].n_values, 1);
    assert_int_equal(ops->ops[0].values[0].value->n, 0);
    tear_down(&f);
}

static void test_insert(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct row *kid = view_insert(f.view, f.b);
    const struct row *row = view_insert(f.view, f.a);
    row = view_add_ref(f.view, row, "kids", kid); /* and no zero uuid beside it */
    struct row_list kids = view_referenced(f.view, row, "kids");
    assert_int_equal(kids.n, 1);
    row_list_fini(&kids);
    const struct ops *ops = commit(&f);
    assert_int_equal(ops->n, 2);
    assert_int_equal(ops->ops[0].n_values, 0); /* defaults are not written */
    assert_int_equal(ops->ops[1].n_values, 1);
    assert_int_equal(ops->ops[1].values[0].value->n, 1);
    tear_down(&f);
}

static void test_what_comes_to_nothing(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct row *old = existing(&f, "m");
    view_delete(f.view, view_insert(f.view, f.a));
    view_set_text(f.view, view_set_text(f.view, old, "name", "x"), "name", "m");
    assert_false(view_is_changed(f.view));
    struct replica_txn *txn = view_make_txn(f.view);
    assert_true(replica_txn_is_empty(txn));
    replica_txn_free(txn);
    tear_down(&f);
}

static void test_delete_and_verify(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct row *a = existing(&f, "a"), *b = existing(&f, "b");
    view_verify(f.view, a, row_column(a, "name"));
    view_delete(f.view, b);
    const struct ops *ops = commit(&f);
    assert_int_equal(ops->n, 2);
    assert_int_equal(ops->ops[0].kind, OP_WAIT);
    assert_int_equal(ops->ops[1].kind, OP_DELETE);
    tear_down(&f);
}

/* What is read becomes what is asked for, once; too much of it becomes the whole table. */
static void test_demand(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct demand *demand = demand_new(f.schema);
    view_set_demand(f.view, demand);
    struct row_list rows = view_by_name(f.view, f.a, "x");
    row_list_fini(&rows);
    assert_true(view_is_waiting(f.view));
    demand_apply(demand, f.replica);
    assert_false(view_is_waiting(f.view));
    const struct condition *a = &f.conditions[f.a->index], *b = &f.conditions[f.b->index];
    assert_int_equal(a->n, 1);
    assert_int_equal(a->clauses[0].function, FN_EQ);
    assert_string_equal(a->clauses[0].column->name, "name");
    assert_int_equal(b->n, 1);
    assert_int_equal(b->clauses[0].function, FN_FALSE);

    struct uuid kid = uuid_random(&f.env.env);
    rows = view_by_name(f.view, f.a, "x");
    row_list_fini(&rows);
    assert_false(view_is_waiting(f.view));
    rows = view_referrers(f.view, f.a, "kids", &kid);
    row_list_fini(&rows);
    demand_apply(demand, f.replica);
    assert_int_equal(a->n, 2);
    assert_int_equal(a->clauses[1].function, FN_INCLUDES);

    for (int i = 0; i < 1000; i++) {
        struct uuid uuid = uuid_random(&f.env.env);
        assert_null(view_find(f.view, f.b, &uuid));
    }
    demand_apply(demand, f.replica);
    assert_int_equal(b->n, 0);
    assert_int_equal(a->n, 2);
    view_set_demand(f.view, NULL);
    demand_free(demand);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sees_its_changes),
        cmocka_unit_test(test_elements_become_mutations),
        cmocka_unit_test(test_whole_values_are_written_whole),
        cmocka_unit_test(test_insert),
        cmocka_unit_test(test_what_comes_to_nothing),
        cmocka_unit_test(test_delete_and_verify),
        cmocka_unit_test(test_demand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
