/* test_row_index.c - what appears and vanishes when a condition changes: found by an index it is what a look at all rows finds, while rows change, and
 * costs nothing more for the rows that there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/vec.h"
#include "ovsdb/server/row_index.h"
#include "ovsdb/server/shape.h"

static const char schema_text[] =
    "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{"
    "\"A\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"parent\":{\"type\":{\"key\":\"string\",\"min\":0}},\"i\":{\"type\":\"integer\"}}}}}";

enum { NAMES = 6, STEPS = 400 };

struct fixture {
    struct env_seeded env;
    struct store *store;
    struct store_subscription *subscription;
    struct row_index *index;
    VEC(struct uuid) uuids;
};

static void on_told(void *f, const struct changeset *cs)
{
    row_index_tell(((struct fixture *)f)->index, cs);
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    env_seeded_init(&f->env, 7);
    struct store_options options = {.env = &f->env.env, .schema_text = schema_text};
    assert_int_equal(store_open(&options, &f->store, NULL), 0);
    f->index = row_index_new(f->store);
    f->subscription = store_subscribe(f->store, on_told, f);
}

static void tear_down(struct fixture *f)
{
    store_unsubscribe(f->subscription);
    row_index_free(f->index);
    store_close(f->store);
    vec_fini(&f->uuids);
}

static void on_done(void *f_, const struct store_result *result)
{
    struct fixture *f = f_;
    assert_true(result->committed);
    if (!uuid_is_zero(&result->results[0].uuid))
        vec_push(&f->uuids, result->results[0].uuid);
}

/* One operation, as JSON. */
static void run(struct fixture *f, const char *op)
{
    char *text = xasprintf("[\"X\",%s]", op);
    json_t *params = json_loads(text, 0, NULL);
    assert_non_null(params);
    struct ops *ops = ops_from_json(store_schema(f->store), params, &f->env.env);
    struct store_request request = {.ops = ops, .done = on_done, .aux = f};
    (void)store_submit(f->store, &request);
    ops_free(ops);
    json_decref(params);
    free(text);
}

static unsigned pick(struct fixture *f, unsigned n)
{
    return (unsigned)(env_random_u64(&f->env.env) % n);
}

static void insert(struct fixture *f, const char *name, const char *parent)
{
    char *text =
        parent ? xasprintf("{\"op\":\"insert\",\"table\":\"A\",\"row\":{\"name\":\"%s\","
                           "\"parent\":\"%s\"}}",
                           name, parent)
               : xasprintf("{\"op\":\"insert\",\"table\":\"A\",\"row\":{\"name\":\"%s\"}}", name);
    run(f, text);
    free(text);
}

static void random_change(struct fixture *f)
{
    char uuid[UUID_TEXT_LEN + 1], name[8], parent[8], *text = NULL;
    snprintf(name, sizeof name, "n%u", pick(f, NAMES));
    snprintf(parent, sizeof parent, "n%u", pick(f, NAMES));
    if (f->uuids.n < 5 || !pick(f, 3)) {
        insert(f, pick(f, 5) ? name : "", pick(f, 2) ? parent : NULL);
        return;
    }
    uuid_print(&f->uuids.data[pick(f, (unsigned)f->uuids.n)], uuid); /* it may be gone already */
    char *set = NULL;
    switch (pick(f, 4)) {
    case 0:
        text = xasprintf("{\"op\":\"delete\",\"table\":\"A\",\"where\":[[\"_uuid\",\"==\","
                         "[\"uuid\",\"%s\"]]]}",
                         uuid);
        break;
    case 1:
        set = xasprintf("\"name\":\"%s\"", name);
        break;
    case 2:
        set = xasprintf("\"parent\":\"%s\"", parent);
        break;
    default:
        set = xstrdup("\"parent\":[\"set\",[]],\"i\":1");
        break;
    }
    if (set)
        text = xasprintf("{\"op\":\"update\",\"table\":\"A\",\"where\":[[\"_uuid\",\"==\","
                         "[\"uuid\",\"%s\"]]],\"row\":{%s}}",
                         uuid, set);
    run(f, text);
    free(set);
    free(text);
}

static struct shape *shape_of(struct fixture *f, const char *where)
{
    struct op_error error = {0};
    char *text = xasprintf("{\"A\":{\"where\":[%s]}}", where);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    struct shape *shape = shape_from_json(store_schema(f->store), MONITOR_V2, json, &error);
    assert_non_null(shape);
    json_decref(json);
    free(text);
    return shape;
}

/* Clauses that are found by the index, and some that are not. */
static char *random_where(struct fixture *f, bool is_plain)
{
    struct str out = STR_INIT;
    str_put(&out, "false");
    for (unsigned n = pick(f, 8), i = 0; i < n; i++)
        str_putf(&out, ",[\"%s\",\"==\",\"n%u\"]", pick(f, 2) ? "name" : "parent", pick(f, NAMES));
    if (!is_plain)
        str_put(&out, pick(f, 2) ? ",[\"i\",\"==\",1]" : ",[\"parent\",\"==\",[\"set\",[]]]");
    return str_steal(&out);
}

/* The rows that appear (INSERT) or vanish, by looking at each. */
static json_t *expected(struct fixture *f, const struct shape *from, const struct shape *to)
{
    const struct schema_table *table = &store_schema(f->store)->tables[0];
    json_t *all = json_object();
    const struct row *row;
    for (size_t pos = 0; (row = store_next_told_row(f->store, table, &pos)) != NULL;) {
        bool was = filter_matches(from->tables[0]->filter, row);
        bool is = filter_matches(to->tables[0]->filter, row);
        char uuid[UUID_TEXT_LEN + 1];
        if (was != is)
            json_object_set_new(all, uuid_print(&row->uuid, uuid),
                                json_string(is ? "insert" : "delete"));
    }
    return all;
}

static json_t *found(struct fixture *f, const struct shape *from, const struct shape *to)
{
    struct str out = STR_INIT;
    json_t *all = json_object(), *json = NULL, *update;
    const char *uuid;
    if (shape_put_transition(from, to, f->store, f->index, &out))
        assert_non_null(json = json_loads(str_c(&out), 0, NULL));
    json_object_foreach(json_object_get(json, "A"), uuid, update)
        json_object_set_new(all, uuid, json_string(json_object_iter_key(json_object_iter(update))));
    json_decref(json);
    str_fini(&out);
    return all;
}

static void test_random(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct shape *shape = shape_of(&f, "false");
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned i = pick(&f, 4); i; i--)
            random_change(&f);
        if (pick(&f, 4)) /* else the index has not heard of it, nor may it be shown */
            store_flush(f.store);
        char *where = random_where(&f, pick(&f, 4));
        struct shape *next = shape_of(&f, where);
        json_t *want = expected(&f, shape, next), *have = found(&f, shape, next);
        if (!json_equal(want, have))
            fail_msg("step %u, %s: %s instead of %s", step, where, json_dumps(have, 0),
                     json_dumps(want, 0));
        json_decref(want);
        json_decref(have);
        free(where);
        shape_free(shape);
        shape = next;
    }
    store_flush(f.store);
    shape_free(shape);
    tear_down(&f);
}

/* Rows that one name more makes the server look at, among N. */
static uint64_t looks_for_one(unsigned n)
{
    struct fixture f;
    char name[16];
    set_up(&f);
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "x%u", i);
        insert(&f, name, NULL);
    }
    insert(&f, "nested", "me");
    insert(&f, "me", NULL);
    store_flush(f.store);
    struct shape *none = shape_of(&f, "false");
    struct shape *first = shape_of(&f, "[\"name\",\"==\",\"other\"],[\"parent\",\"==\",\"other\"]");
    struct shape *second = shape_of(&f, "[\"name\",\"==\",\"me\"],[\"parent\",\"==\",\"me\"]");
    json_decref(found(&f, none, first)); /* makes the indexes */
    uint64_t before = row_index_n_looks(f.index);
    json_t *rows = found(&f, first, second);
    assert_int_equal(json_object_size(rows), 2);
    json_decref(rows);
    uint64_t looks = row_index_n_looks(f.index) - before;
    shape_free(none);
    shape_free(first);
    shape_free(second);
    tear_down(&f);
    return looks;
}

static void test_flat(void **state)
{
    (void)state;
    assert_int_equal(looks_for_one(2), 2);
    assert_int_equal(looks_for_one(2000), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_flat)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
