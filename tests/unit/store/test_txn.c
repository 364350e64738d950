/* test_txn.c - tests of what a store promises about transactions: what subscribers are told and when, ghosts,
 * references, waiting, reading the told state, permission, history, hostile operations. */
#include "harness.h"

#include "base/err.h"

struct watch {
    struct str log;
    struct store *store;
    struct str *shared; /* log of several, for order */
};

static void log_changes(void *aux, const struct changeset *cs)
{
    struct watch *w = aux;
    const struct schema_table *last = NULL;
    str_putf(&w->log, "#%llu", (unsigned long long)cs->number);
    if (cs->comment)
        str_putf(&w->log, "(%s)", cs->comment->s);
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        const struct row *row = c->after ? c->after : c->before;
        const struct schema_column *name = schema_column_find(row->table, "name");
        assert_true(!last || last->index <= row->table->index);
        last = row->table;
        str_putf(&w->log, " %s%s", !c->before ? "+" : !c->after ? "-" : "~", row->table->name);
        if (name)
            str_putf(&w->log, ":%s", row_get(row, name)->atoms[0].string->s);
    }
    str_putc(&w->log, '\n');
}

static void expect_log(struct watch *w, const char *text)
{
    if (strcmp(str_c(&w->log), text))
        fail_msg("told %s\nwanted %s", str_c(&w->log), text);
    str_clear(&w->log);
}

static void subscribers_see_what_changed(void **state)
{
    struct store *store = open_interop(NULL);
    struct watch w = {.log = STR_INIT};
    (void)state;
    struct store_subscription *s = store_subscribe(store, log_changes, &w);
    free(transact(
        store,
        "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"a\",\"leaf\":[\"named-uuid\","
        "\"l\"]}},"
        "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"l\",\"row\":{\"name\":\"x\"}},"
        "{\"op\":\"insert\",\"table\":\"Leaf\",\"row\":{\"name\":\"lone\"}},"
        "{\"op\":\"insert\",\"table\":\"Peer\",\"row\":{\"name\":\"p\"}},"
        "{\"op\":\"delete\",\"table\":\"Peer\",\"where\":[]},"
        "{\"op\":\"comment\",\"comment\":\"c1\"},{\"op\":\"comment\",\"comment\":\"c2\"}"));
    expect_log(&w, "#1(c1\nc2) +Leaf:x +Root:a\n");
    /* no change: nothing is told */
    free(transact(store, "{\"op\":\"update\",\"table\":\"Root\",\"where\":[],\"row\":{\"i\":5}},"
                         "{\"op\":\"update\",\"table\":\"Root\",\"where\":[],\"row\":{\"i\":0}}"));
    free(transact(store, "{\"op\":\"select\",\"table\":\"Root\",\"where\":[]}"));
    free(transact(store, ""));
    expect_log(&w, "");
    /* garbage is collected with what held it; the leaf goes although nobody named it */
    free(transact(store, "{\"op\":\"delete\",\"table\":\"Root\",\"where\":[]}"));
    expect_log(&w, "#2 -Leaf:x -Root:a\n");
    /* a failed transaction tells nothing and costs no number */
    free(transact(
        store,
        "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"b\"}},{\"op\":\"abort\"}"));
    free(transact(store, "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"b\"}}"));
    expect_log(&w, "#3 +Root:b\n");
    store_unsubscribe(s);
    free(transact(store, "{\"op\":\"delete\",\"table\":\"Root\",\"where\":[]}"));
    expect_log(&w, "");
    str_fini(&w.log);
    store_close(store);
}

static void weak_references_are_cleaned_everywhere(void **state)
{
    struct store *store = open_interop(NULL);
    struct watch w = {.log = STR_INIT};
    (void)state;
    free(transact(
        store,
        "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"hold\",\"leaf\":[\"set\",[["
        "\"named-uuid\",\"l\"],[\"named-uuid\",\"m\"]]]}},"
        "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"a\",\"weak\":[\"set\",[[\"named-"
        "uuid\",\"l\"],[\"named-uuid\",\"m\"]]]}},"
        "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"b\",\"mweak\":[\"map\",[[\"k\",["
        "\"named-uuid\",\"l\"]],[\"j\",[\"named-uuid\",\"l\"]]]]}},"
        "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"l\",\"row\":{\"name\":\"l\"}},"
        "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"m\",\"row\":{\"name\":\"m\"}}"));
    store_subscribe(store, log_changes, &w);
    /* also in a row that the same transaction edits, where real servers forget it */
    free(transact(store, "{\"op\":\"update\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"a\"]]"
                         ",\"row\":{\"i\":1}},"
                         "{\"op\":\"update\",\"table\":\"Root\",\"where\":[[\"name\",\"==\","
                         "\"hold\"]],\"row\":{\"leaf\":[\"set\",[]]}}"));
    expect(store,
           "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"!=\",\"hold\"]],"
           "\"columns\":[\"weak\",\"mweak\"]},"
           "{\"op\":\"select\",\"table\":\"Leaf\",\"where\":[]}",
           "[{\"rows\":[{\"mweak\":[\"map\",[]],\"weak\":[\"set\",[]]}]},{\"rows\":[]}]");
    char *log = str_steal(&w.log);
    assert_non_null(strstr(log, "-Leaf:l"));
    assert_non_null(strstr(log, "-Leaf:m"));
    assert_non_null(strstr(log, "~Root:a"));
    assert_non_null(strstr(log, "~Root:b"));
    free(log);
    store_close(store);
}

static void cycles_keep_each_other(void **state)
{
    struct store *store = open_interop(NULL);
    (void)state;
    free(transact(store, "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"a\",\"row\":{"
                         "\"name\":\"a\",\"next\":[\"named-uuid\",\"b\"]}},"
                         "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"b\",\"row\":{"
                         "\"name\":\"b\",\"next\":[\"named-uuid\",\"a\"]}},"
                         "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"c\",\"row\":{"
                         "\"name\":\"c\",\"next\":[\"named-uuid\",\"c\"]}}"));
    expect(store,
           "{\"op\":\"select\",\"table\":\"Leaf\",\"where\":[],\"columns\":[\"val\"]},"
           "{\"op\":\"select\",\"table\":\"Leaf\",\"where\":[[\"name\",\"==\",\"c\"]]}",
           "[{\"rows\":[{\"val\":0}]},{\"rows\":[]}]");
    assert_int_equal(store_n_rows(store, schema_table_find(store_schema(store), "Leaf")), 2);
    store_close(store);
}

static void indexes_are_checked_at_the_end(void **state)
{
    struct store *store = open_interop(NULL);
    (void)state;
    free(transact(store,
                  "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"a\",\"i\":1}},"
                  "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"b\",\"i\":2}}"));
    /* a swap is fine */
    expect(store,
           "{\"op\":\"update\",\"table\":\"Root\",\"where\":[[\"i\",\"==\",1]],\"row\":{\"name\":"
           "\"b\"}},"
           "{\"op\":\"update\",\"table\":\"Root\",\"where\":[[\"i\",\"==\",2]],\"row\":{\"name\":"
           "\"a\"}}",
           "[{\"count\":1},{\"count\":1}]");
    expect(store,
           "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"a\"]],\"columns\":["
           "\"i\"]}",
           "[{\"rows\":[{\"i\":2}]}]");
    /* a collision leaves everything as it was, also the index */
    expect_part(store,
                "{\"op\":\"update\",\"table\":\"Root\",\"where\":[],\"row\":{\"name\":\"c\"}}",
                "identical values (c)");
    expect(store,
           "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"b\"]],\"columns\":["
           "\"i\"]},"
           "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"c\"]]}",
           "[{\"rows\":[{\"i\":1}]},{\"rows\":[]}]");
    /* delete and insert of the same name in one transaction; selects see what is under way */
    expect_part(store,
                "{\"op\":\"delete\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"a\"]]},"
                "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"a\"]],"
                "\"columns\":[\"i\"]},"
                "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"a\",\"i\":9}},"
                "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"a\"]],"
                "\"columns\":[\"i\"]}",
                "{\"rows\":[]}");
    expect(store,
           "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"a\"]],\"columns\":["
           "\"i\"]}",
           "[{\"rows\":[{\"i\":9}]}]");
    store_close(store);
}

static void told_state_lags_until_flush(void **state)
{
    struct store *store = open_interop(NULL);
    const struct schema_table *root = schema_table_find(store_schema(store), "Root");
    struct call calls[3] = {{0}};
    static const char *const texts[] = {
        "[\"db\",{\"op\":\"insert\",\"table\":\"Root\",\"uuid\":\"00000000-0000-4000-8000-"
        "000000000001\",\"row\":{\"name\":\"a\"}}]",
        "[\"db\",{\"op\":\"delete\",\"table\":\"Root\",\"where\":[]}]",
        "[\"db\",{\"op\":\"insert\",\"table\":\"Root\",\"uuid\":\"00000000-0000-4000-8000-"
        "000000000001\",\"row\":{\"name\":\"b\"}}]"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t pos = 0;
        json_t *params = json_loads(texts[i], 0, NULL);
        call_start(&calls[i], store, params);
        json_decref(params);
        assert_null(calls[i].result);
        assert_true(store_is_dirty(store));
        assert_null(store_next_told_row(store, root, &pos));
        assert_int_equal(store_n_rows(store, root), i != 1);
    }
    struct watch w = {.log = STR_INIT};
    store_subscribe(store, log_changes, &w);
    store_flush(store);
    expect_log(&w, "#1 +Root:a\n#2 -Root:a\n#3 +Root:b\n");
    size_t pos = 0;
    assert_non_null(store_next_told_row(store, root, &pos));
    assert_null(store_next_told_row(store, root, &pos));
    assert_false(store_is_dirty(store));
    for (int i = 0; i < 3; i++) {
        assert_non_null(calls[i].result);
        call_fini(&calls[i]);
    }
    str_fini(&w.log);
    store_close(store);
}

/* ---- waiting ---- */

static void wakeup(void *aux)
{
    ++*(int *)aux;
}

static void waits_until_it_holds(void **state)
{
    struct env_seeded env;
    char *schema = read_text(TEST_DATA "/ovsdb/interop.ovsschema");
    struct call waiting = {0}, timed = {0};
    int n_wakeups = 0;
    (void)state;
    env_seeded_init(&env, 3);
    struct store *store = open_store(NULL, schema, &env.env);
    free(schema);
    store_set_wakeup(store, wakeup, &n_wakeups);
    json_t *params =
        json_loads("[\"db\",{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"mine\"}},{"
                   "\"op\":\"wait\",\"table\":\"Peer\",\"where\":[],"
                   "\"columns\":[\"a\"],\"until\":\"==\",\"rows\":[{\"a\":1},{\"a\":2}]}]",
                   0, NULL);
    call_start(&waiting, store, params);
    json_decref(params);
    params = json_loads("[\"db\",{\"op\":\"wait\",\"table\":\"One\",\"where\":[],\"until\":\"!=\","
                        "\"rows\":[],\"timeout\":50}]",
                        0, NULL);
    call_start(&timed, store, params);
    json_decref(params);
    assert_true(store_txn_is_waiting(waiting.txn));
    assert_int_equal(n_wakeups, 0);
    assert_int_equal(store_n_rows(store, schema_table_find(store_schema(store), "Root")), 0);
    assert_int_equal(store_next_timeout_ms(store), env.now_us / 1000 + 50);
    free(transact(store, "{\"op\":\"insert\",\"table\":\"Root\",\"uuid-name\":\"r\",\"row\":{"
                         "\"name\":\"r\"}},{\"op\":\"insert\",\"table\":\"Peer\",\"row\":{\"name\":"
                         "\"p\",\"a\":1,\"need\":[\"named-uuid\",\"r\"]}}"));
    assert_null(waiting.result);
    env.now_us += 40000;
    store_run_timeouts(store);
    assert_null(timed.result);
    env.now_us += 20000;
    store_run_timeouts(store);
    char *text = json_to_text(timed.result);
    assert_string_equal(
        text, "[{\"details\":\"\\\"wait\\\" timed out after 60 ms\",\"error\":\"timed out\"}]");
    free(text);
    free(transact(store, "{\"op\":\"insert\",\"table\":\"Peer\",\"row\":{\"name\":\"q\",\"a\":2,"
                         "\"need\":[\"uuid\",\"00000000-0000-4000-8000-000000000009\"]}}"));
    assert_null(waiting.result); /* that one failed: its weak reference is to nothing */
    free(transact(store, "{\"op\":\"insert\",\"table\":\"Root\",\"uuid-name\":\"r\",\"row\":{"
                         "\"name\":\"s\"}},{\"op\":\"insert\",\"table\":\"Peer\",\"row\":{\"name\":"
                         "\"q\",\"a\":2,\"need\":[\"named-uuid\",\"r\"]}}"));
    assert_non_null(waiting.result);
    assert_int_equal(n_wakeups, 3);
    assert_int_equal(store_n_rows(store, schema_table_find(store_schema(store), "Root")), 3);
    call_fini(&waiting);
    call_fini(&timed);
    store_close(store);
}

static void closing_ends_who_waits(void **state)
{
    struct store *store = open_interop(NULL);
    struct call call = {0};
    (void)state;
    json_t *params = json_loads(
        "[\"db\",{\"op\":\"wait\",\"table\":\"One\",\"where\":[],\"until\":\"!=\",\"rows\":[]}]", 0,
        NULL);
    call_start(&call, store, params);
    json_decref(params);
    store_close(store);
    assert_non_null(call.result);
    call_fini(&call);
}

/* ---- permission ---- */

static bool only_leaf(void *aux, const struct op *op, const struct row *row, struct op_error *error)
{
    (void)aux;
    assert_ptr_equal(op->table, row->table);
    if (!strcmp(op->table->name, "Leaf"))
        return true;
    op_error_set(error, "permission error", NULL, "not you");
    return false;
}

static void ignore(void *aux, const struct store_result *result)
{
    *(bool *)aux = result->committed;
}

static void permission_is_asked_for_each_row(void **state)
{
    struct store *store = open_interop(NULL);
    bool committed = true;
    (void)state;
    json_t *params = json_loads("[\"db\",{\"op\":\"insert\",\"table\":\"Leaf\",\"row\":{}},{\"op\":"
                                "\"insert\",\"table\":\"Root\",\"row\":{}}]",
                                0, NULL);
    struct ops *ops = ops_from_json(store_schema(store), params, env_real());
    struct store_request request = {
        .ops = ops, .permit = only_leaf, .done = ignore, .aux = &committed};
    assert_null(store_submit(store, &request));
    assert_false(committed);
    ops_free(ops);
    json_decref(params);
    store_close(store);
}

/* ---- history ---- */

static void count_sets(void *aux, const struct changeset *cs)
{
    (void)cs;
    ++*(int *)aux;
}

static void history_is_kept_and_bounded(void **state)
{
    struct store *store = open_interop(NULL);
    struct uuid start = store_last_id(store), middle = {0}, unknown = {{1}};
    int n = 0;
    (void)state;
    for (int i = 0; i < 5000; i++) {
        char *ops = xasprintf("{\"op\":\"%s\",\"table\":\"One\"%s}", i ? "update" : "insert",
                              i ? ",\"where\":[],\"row\":{\"x\":1}" : ",\"row\":{}");
        char *value = xasprintf("%d", i);
        char *x = strstr(ops, "\"x\":1");
        char *with = x ? xasprintf("%.*s\"x\":%s}}", (int)(x - ops), ops, value) : xstrdup(ops);
        free(transact(store, with));
        free(with);
        free(value);
        free(ops);
        if (i == 4000)
            middle = store_last_id(store);
        if (i == 10) {
            assert_true(store_history_since(store, &start, count_sets, &n));
            assert_int_equal(n, 11);
        }
    }
    n = 0;
    assert_true(store_history_since(store, &middle, count_sets, &n));
    assert_int_equal(n, 999);
    assert_false(store_history_since(store, &start, count_sets, &n));
    assert_false(store_history_since(store, &unknown, count_sets, &n));
    struct uuid last = store_last_id(store);
    n = 0;
    assert_true(store_history_since(store, &last, count_sets, &n));
    assert_int_equal(n, 0);
    store_close(store);
}

/* ---- what comes from outside ---- */

static void errors_name_what_is_wrong(void **state)
{
    struct store *store = open_interop(NULL);
    static const struct {
        const char *ops, *part;
    } cases[] = {
        {"{}", "Required 'op' member is missing."},
        {"[]", "Object expected."},
        {"{\"op\":5}", "Type mismatch for member 'op'."},
        {"{\"op\":\"insert\"}", "Required 'table' member is missing."},
        {"{\"op\":\"insert\",\"table\":\"Root\"}", "Required 'row' member is missing."},
        {"{\"op\":\"insert\",\"table\":5,\"row\":{}}", "Type mismatch for member 'table'."},
        {"{\"op\":\"insert\",\"table\":\"Root\",\"row\":{},\"uuid\":\"x\"}", "bad uuid"},
        {"{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"mss\":[\"map\",[[\"a\"]]]}}",
         "expected 2-element array"},
        {"{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"mss\":[\"map\",[[\"a\",\"b\",\"c\"]]]}}",
         "expected 2-element array"},
        {"{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"mss\":[\"map\",[[\"a\",5]]]}}",
         "expected string"},
        {"{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"mss\":\"a\"}}",
         "expected [\\\"map\\\", <array>]"},
        {"{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"leaf\":[\"named-uuid\",\"0\"]}}",
         "is not a valid id"},
        {"{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"mis\":[\"map\",[[1,\"a\"],[2,\"b\"],[3,"
         "\"c\"]]]}}",
         "map must have 0 to 2 members but 3"},
        {"{\"op\":\"select\",\"table\":\"Root\",\"where\":[[]]}", "Parse error in condition."},
        {"{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"i\",\"==\"]]}",
         "Parse error in condition."},
        {"{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"i\",\"==\",{}]]}",
         "expected integer"},
        {"{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"oi\",\"<\",[\"set\",[]]]]}",
         "exactly one member but 0 are present"},
        {"{\"op\":\"select\",\"table\":\"Root\",\"where\":[],\"columns\":[\"i\",\"i\"]}",
         "array of distinct column names"},
        {"{\"op\":\"select\",\"table\":\"Root\",\"where\":[],\"columns\":[5]}",
         "array of distinct column names"},
        {"{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[],\"mutations\":[5]}",
         "Parse error in mutation."},
        {"{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[],\"mutations\":[[\"mss\",\"+=\",1]]}",
         "Type mismatch"},
        {"{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[],\"mutations\":[[\"i\",\"+=\",[\"set\","
         "[]]]]}",
         "exactly one member but 0"},
        {"{\"op\":\"wait\",\"table\":\"Root\",\"where\":[],\"until\":\"==\",\"rows\":[5]}",
         "row must be JSON object"},
        {"{\"op\":\"wait\",\"table\":\"Root\",\"where\":[],\"until\":\"==\",\"rows\":[],"
         "\"timeout\":-1}",
         "timeout must be nonnegative"},
        {"{\"op\":\"commit\"}", "Required 'durable' member is missing."},
        {"{\"op\":\"comment\",\"comment\":[]}", "Type mismatch for member 'comment'."},
        {"{\"op\":\"assert\",\"lock\":\"a b\"}", "Type mismatch for member 'lock'."},
        {"{\"op\":\"abort\",\"table\":\"Root\"}",
         "Member 'table' is present but not allowed here."},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_part(store, cases[i].ops, cases[i].part);
    store_close(store);
}

static void arithmetic_has_limits(void **state)
{
    struct store *store = open_interop(NULL);
    static const struct {
        const char *row, *mutation, *part;
    } cases[] = {
        {"\"val\":9223372036854775807", "[\"val\",\"+=\",1]",
         "Result of \\\"+=\\\" operation is out of range."},
        {"\"val\":-9223372036854775808", "[\"val\",\"-=\",1]",
         "Result of \\\"-=\\\" operation is out of range."},
        {"\"val\":-9223372036854775808", "[\"val\",\"*=\",-1]",
         "Result of \\\"*=\\\" operation is out of range."},
        {"\"val\":-9223372036854775808", "[\"val\",\"/=\",-1]",
         "Result of \\\"/=\\\" operation is out of range."},
        {"\"val\":-9223372036854775808", "[\"val\",\"%=\",-1]", "{\"rows\":[{\"val\":0}]}"},
        {"\"val\":-7", "[\"val\",\"/=\",2]", "{\"rows\":[{\"val\":-3}]}"},
        {"\"val\":-7", "[\"val\",\"%=\",2]", "{\"rows\":[{\"val\":-1}]}"},
        {"\"val\":7", "[\"val\",\"%=\",0]", "Division by zero."},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *ops = xasprintf("{\"op\":\"insert\",\"table\":\"Leaf\",\"row\":{%s}},{\"op\":"
                              "\"mutate\",\"table\":\"Leaf\",\"where\":[],"
                              "\"mutations\":[%s]},{\"op\":\"select\",\"table\":\"Leaf\",\"where\":"
                              "[],\"columns\":[\"val\"]}",
                              cases[i].row, cases[i].mutation);
        expect_part(store, ops, cases[i].part);
        free(ops);
    }
    expect_part(store,
                "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"r\":1e308}},{\"op\":\"mutate\","
                "\"table\":\"Root\",\"where\":[],\"mutations\":[[\"r\",\"*=\",10]]}",
                "Result of \\\"*=\\\" operation is out of range.");
    expect_part(store,
                "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"r\":1}},{\"op\":\"mutate\","
                "\"table\":\"Root\",\"where\":[],\"mutations\":[[\"r\",\"/=\",0]]}",
                "Division by zero.");
    store_close(store);
}

static void deleted_uuid_is_not_reused_in_a_transaction(void **state)
{
    struct store *store = open_interop(NULL);
    static const char insert[] = "{\"op\":\"insert\",\"table\":\"Root\",\"uuid\":\"00000000-0000-"
                                 "4000-8000-000000000001\",\"row\":{}}";
    (void)state;
    char *twice =
        xasprintf("%s,{\"op\":\"delete\",\"table\":\"Root\",\"where\":[]},%s", insert, insert);
    /* a row that came and went within the transaction never was */
    expect_part(store, twice, "{\"count\":1},{\"uuid\":");
    free(transact(store, "{\"op\":\"delete\",\"table\":\"Root\",\"where\":[]}"));
    free(transact(store, insert));
    expect_part(store, twice, "\"error\":\"duplicate uuid\"");
    free(transact(store, "{\"op\":\"delete\",\"table\":\"Root\",\"where\":[]}"));
    expect_part(store, insert, "{\"uuid\":");
    free(twice);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscribers_see_what_changed),
        cmocka_unit_test(weak_references_are_cleaned_everywhere),
        cmocka_unit_test(cycles_keep_each_other),
        cmocka_unit_test(indexes_are_checked_at_the_end),
        cmocka_unit_test(told_state_lags_until_flush),
        cmocka_unit_test(waits_until_it_holds),
        cmocka_unit_test(closing_ends_who_waits),
        cmocka_unit_test(permission_is_asked_for_each_row),
        cmocka_unit_test(history_is_kept_and_bounded),
        cmocka_unit_test(errors_name_what_is_wrong),
        cmocka_unit_test(arithmetic_has_limits),
        cmocka_unit_test(deleted_uuid_is_not_reused_in_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
