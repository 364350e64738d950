/* test_history.c - what the file keeps of past transactions: read back after reopening it is the very
 * same change sets, it is bounded, and a file of an older format is brought up to date. */
#include "harness.h"

#include <unistd.h>

#include "store/store_private.h"

static char *make_path(void)
{
    char dir[] = "/tmp/weft-history-XXXXXX";
    assert_non_null(mkdtemp(dir));
    return xasprintf("%s/db", dir);
}

static void remove_path(char *path)
{
    char *command = xasprintf("rm -rf $(dirname %s)", path);
    assert_int_equal(system(command), 0);
    free(command);
    free(path);
}

typedef VEC(const struct changeset *) set_vec;

static void collect(void *sets_, const struct changeset *cs)
{
    set_vec *sets = sets_;
    vec_push(sets, changeset_ref(cs));
}

static void drop(set_vec *sets)
{
    for (size_t i = 0; i < sets->n; i++)
        changeset_unref(sets->data[i]);
    vec_fini(sets);
}

/* Rows under two loads of a schema. */
static void same_row(const struct row *a, const struct row *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (!a)
        return;
    assert_true(uuid_equal(&a->uuid, &b->uuid) && uuid_equal(&a->version, &b->version));
    assert_string_equal(a->table->name, b->table->name);
    for (size_t i = 0; i < a->table->n_columns; i++) {
        if (!a->table->columns[i].is_ephemeral && !datum_equal(a->values[i], b->values[i]))
            fail_msg("%s.%s differs", a->table->name, a->table->columns[i].name);
    }
}

static const struct change *find_change(const struct changeset *cs, const struct change *like)
{
    const struct uuid *uuid = &(like->after ? like->after : like->before)->uuid;
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after ? cs->changes[i].after : cs->changes[i].before;
        if (uuid_equal(&row->uuid, uuid))
            return &cs->changes[i];
    }
    fail_msg("a change is missing");
    return NULL;
}

static void same_set(const struct changeset *a, const struct changeset *b)
{
    assert_int_equal(a->number, b->number);
    assert_true(uuid_equal(&a->id, &b->id));
    assert_int_equal(a->wall_ms, b->wall_ms);
    assert_int_equal(a->comment != NULL, b->comment != NULL);
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct change *c = find_change(b, &a->changes[i]);
        same_row(a->changes[i].before, c->before);
        same_row(a->changes[i].after, c->after);
    }
}

/* Random work over a few rows: all kinds of columns, references, garbage. */
static char *random_ops(struct env *env, int k)
{
    unsigned name = (unsigned)(env_random_u64(env) % 6), n = (unsigned)(env_random_u64(env) % 9);
    switch (env_random_u64(env) % 5) {
    case 0:
        return xasprintf("{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"%u\",\"si\":["
                         "\"set\",[%u,77]],\"r\":%u.5,\"leaf\":[\"named-uuid\",\"l\"],\"weak\":["
                         "\"named-uuid\",\"l\"]}},{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-"
                         "name\":\"l\",\"row\":{\"name\":\"l%d\"}}",
                         name, n, n, k);
    case 1:
        return xasprintf("{\"op\":\"delete\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"%u\"]"
                         "]}",
                         name);
    case 2:
        return xasprintf("{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[],\"mutations\":[["
                         "\"si\",\"%s\",%u],[\"mss\",\"insert\",[\"map\",[[\"k%u\",\"v%d\"]]]]]}",
                         n % 2 ? "insert" : "delete", n, name, k);
    case 3:
        return xasprintf("{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"%u\"]"
                         "],\"mutations\":[[\"mss\",\"delete\",[\"set\",[\"k%u\"]]],[\"i\",\"+=\","
                         "1]]},{\"op\":\"comment\",\"comment\":\"c%d\"}",
                         name, n, k);
    default:
        return xasprintf("{\"op\":\"update\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"%u\"]"
                         "],\"row\":{\"oi\":%u,\"en\":\"%s\",\"s\":\"x\\\"%d\\u0001\"}}",
                         name, n, n % 2 ? "red" : "green", k);
    }
}

static void is_the_same_after_reopening(void **state)
{
    char *path = make_path();
    struct env_seeded env;
    struct store *store = open_interop(path), *again;
    set_vec told = VEC_INIT, kept = VEC_INIT;
    struct uuid zero_id = store_last_id(store);
    (void)state;
    env_seeded_init(&env, 11);
    store_subscribe(store, collect, &told);
    for (int k = 0; k < 300; k++) {
        char *ops = random_ops(&env.env, k);
        free(transact(store, ops));
        free(ops);
        store_check_invariants(store);
    }
    assert_true(told.n > 100);
    struct uuid last = store_last_id(store);
    /* Rows hold on to the schema: a second store reads a copy while the first is there. */
    char *copy = xasprintf("%s-copy", path),
         *command = xasprintf("sqlite3 %s '.backup %s'", path, copy);
    assert_int_equal(system(command), 0);
    again = open_interop(copy);
    assert_true(store_history_since(again, &zero_id, collect, &kept));
    assert_int_equal(kept.n, told.n);
    for (size_t i = 0; i < kept.n; i++)
        same_set(told.data[i], kept.data[i]);
    drop(&kept);
    assert_true(store_history_since(again, &told.data[told.n - 3]->id, collect, &kept));
    assert_int_equal(kept.n, 2);
    drop(&kept);
    assert_true(store_history_since(again, &last, collect, &kept));
    assert_int_equal(kept.n, 0);
    struct uuid unknown = uuid_random(&env.env);
    assert_false(store_history_since(again, &unknown, collect, &kept));
    drop(&kept);
    store_close(again);
    drop(&told);
    store_close(store);
    free(command);
    free(copy);
    remove_path(path);
}

/* A transaction too large for the history: it goes on after it, not across it. */
static void ends_at_what_is_not_kept(void **state)
{
    char *path = make_path();
    struct store *store = open_interop(path);
    struct uuid before = store_last_id(store);
    struct str big = STR_INIT;
    set_vec kept = VEC_INIT;
    (void)state;
    for (int i = 0; i < 10001; i++)
        str_putf(&big, "%s{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"r%d\"}}",
                 i ? "," : "", i);
    free(transact(store, str_c(&big)));
    struct uuid middle = store_last_id(store);
    free(transact(store, "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"last\"}}"));
    store_close(store);
    store = open_interop(path);
    assert_false(store_history_since(store, &before, collect, &kept));
    assert_true(store_history_since(store, &middle, collect, &kept));
    assert_int_equal(kept.n, 1);
    drop(&kept);
    str_fini(&big);
    store_close(store);
    remove_path(path);
}

static void is_bounded(void **state)
{
    char *path = make_path(),
         *query = xasprintf("sqlite3 %s 'select count(*) from _history'", path);
    struct store *store = open_interop(path);
    char line[64] = "";
    (void)state;
    free(transact(store, "{\"op\":\"insert\",\"table\":\"One\",\"row\":{\"x\":0}}"));
    for (int i = 0; i < 21000; i += 1000) {
        struct call calls[1000] = {{0}};
        json_t *params = json_loads("[\"db\",{\"op\":\"mutate\",\"table\":\"One\",\"where\":[],"
                                    "\"mutations\":[[\"x\",\"+=\",1]]}]",
                                    0, NULL);
        for (size_t j = 0; j < ARRAY_SIZE(calls); j++)
            call_start(&calls[j], store, params);
        store_flush(store);
        for (size_t j = 0; j < ARRAY_SIZE(calls); j++)
            call_fini(&calls[j]);
        json_decref(params);
    }
    FILE *f = popen(query, "r");
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    assert_in_range(atoi(line), 10000, 10300);
    store_close(store);
    free(query);
    remove_path(path);
}

static void is_upgraded_from_format_1(void **state)
{
    char *path = make_path();
    char *command = xasprintf("sqlite3 %s < " TEST_DATA "/ovsdb/format-1.sql >/dev/null", path);
    (void)state;
    assert_int_equal(system(command), 0);
    for (int i = 0; i < 2; i++) {
        struct store *store = open_interop(path);
        store_check_invariants(store);
        assert_int_equal(store_last_number(store), 2 + i);
        expect(
            store,
            "{\"op\":\"select\",\"table\":\"Root\",\"where\":[],\"columns\":[\"name\",\"i\",\"si\","
            "\"mss\",\"en\"]}",
            i ? "[{\"rows\":[{\"en\":\"red\",\"i\":-4,\"mss\":[\"map\",[[\"k\",\"v\"],[\"l\",\"w\"]"
                "]],"
                "\"name\":\"a\",\"si\":[\"set\",[1,2,3,5]]}]}]"
              : "[{\"rows\":[{\"en\":\"red\",\"i\":-5,\"mss\":[\"map\",[[\"k\",\"v\"],[\"l\",\"w\"]"
                "]],"
                "\"name\":\"a\",\"si\":[\"set\",[1,2,3,5]]}]}]");
        expect(
            store,
            "{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[],\"mutations\":[[\"i\",\"+=\",1]]}",
            "[{\"count\":1}]");
        store_close(store);
    }
    free(command);
    remove_path(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_same_after_reopening),
        cmocka_unit_test(ends_at_what_is_not_kept),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(is_upgraded_from_format_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
