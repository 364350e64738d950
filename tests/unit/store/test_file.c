/* test_file.c - tests of the file of a store: what is committed is there after reopening, the file is readable, and
 * what cannot be opened is refused with a reason. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

static char *make_dir(void)
{
    char *dir = xstrdup("/tmp/weft-store-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void remove_dir(char *dir)
{
    char *command = xasprintf("rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    free(command);
    free(dir);
}

static char *sql(const char *path, const char *query)
{
    char *command = xasprintf("sqlite3 %s \"%s\" 2>&1", path, query);
    FILE *f = popen(command, "r");
    struct str out = STR_INIT;
    char buf[512];
    assert_non_null(f);
    while (fgets(buf, sizeof buf, f))
        str_put(&out, buf);
    pclose(f);
    free(command);
    return str_steal(&out);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All rows of all tables with their versions, in a stable order; without ephemeral columns. */
static char *dump(struct store *store)
{
    const struct schema *schema = store_schema(store);
    VEC(char *) lines = VEC_INIT;
    struct str out = STR_INIT;
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct row *row;
        for (size_t pos = 0; (row = store_next_row(store, &schema->tables[i], &pos)) != NULL;) {
            struct str line = STR_INIT;
            char uuid[UUID_TEXT_LEN + 1];
            str_putf(&line, "%s %s", schema->tables[i].name, uuid_print(&row->uuid, uuid));
            str_putf(&line, " %s", uuid_print(&row->version, uuid));
            for (size_t j = 0; j < row->table->n_columns; j++) {
                str_putf(&line, " %s=", row->table->columns[j].name);
                if (!row->table->columns[j].is_ephemeral)
                    datum_put_json(row->values[j], &line);
            }
            vec_push(&lines, str_steal(&line));
        }
    }
    if (lines.n)
        qsort(lines.data, lines.n, sizeof *lines.data, compare_texts);
    for (size_t i = 0; i < lines.n; i++) {
        str_putf(&out, "%s\n", lines.data[i]);
        free(lines.data[i]);
    }
    vec_fini(&lines);
    return str_steal(&out);
}

static void fill(struct store *store)
{
    free(transact(
        store,
        "{\"op\":\"insert\",\"table\":\"Root\",\"uuid-name\":\"r\",\"row\":{\"name\":\"a\",\"i\":-"
        "5,"
        "\"r\":0.1,\"b\":true,\"s\":\"h\xc3\xa9'\\\"\",\"en\":\"red\",\"oi\":7,\"or\":2.5,\"si\":["
        "\"set\",[3,1,2]],\"s13\":[\"set\",[9,8]],\"ss\":[\"set\",[\"x\",\"y\"]],\"mss\":[\"map\",["
        "["
        "\"k\",\"v\"],[\"l\",\"w\"]]],\"mis\":[\"map\",[[2,\"b\"]]],\"leaf\":[\"set\",[[\"named-"
        "uuid\","
        "\"l1\"],[\"named-uuid\",\"l2\"]]],\"weak\":[\"named-uuid\",\"l1\"],\"mweak\":[\"map\",[["
        "\"q\",["
        "\"named-uuid\",\"l2\"]]]],\"eph\":\"gone\",\"imm\":\"i\"}},"
        "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"l1\",\"row\":{\"name\":\"l1\"}},"
        "{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":\"l2\",\"row\":{\"name\":\"l2\","
        "\"next\":["
        "\"named-uuid\",\"l1\"]}},"
        "{\"op\":\"insert\",\"table\":\"Peer\",\"row\":{\"name\":\"p\",\"need\":[\"named-uuid\","
        "\"r\"]}},"
        "{\"op\":\"comment\",\"comment\":\"first\"}"));
    expect(
        store,
        "{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[],\"mutations\":[[\"si\",\"insert\",5],["
        "\"si\","
        "\"delete\",1],[\"mss\",\"delete\",\"k\"],[\"mss\",\"insert\",[\"map\",[[\"z\",\"\"]]]]]},"
        "{\"op\":\"update\",\"table\":\"Root\",\"where\":[],\"row\":{\"en\":[\"set\",[]],\"oi\":8}"
        "}",
        "[{\"count\":1},{\"count\":1}]");
}

static void survives_reopening(void **state)
{
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    struct store *store = open_interop(path);
    (void)state;
    fill(store);
    char *before = dump(store);
    uint64_t number = store_last_number(store);
    struct uuid id = store_last_id(store);
    assert_int_equal(number, 2);
    store_close(store);
    store = open_interop(path);
    char *after = dump(store);
    assert_string_equal(before, after);
    assert_int_equal(store_last_number(store), number);
    struct uuid id2 = store_last_id(store);
    assert_true(uuid_equal(&id, &id2));
    /* references and indexes work as before */
    expect_part(store,
                "{\"op\":\"delete\",\"table\":\"Leaf\",\"where\":[[\"name\",\"==\",\"l1\"]]}",
                "because of 2 remaining reference(s)");
    expect_part(store, "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"a\"}}",
                "identical values (a) for index");
    expect_part(store,
                "{\"op\":\"delete\",\"table\":\"Peer\",\"where\":[]},{\"op\":\"delete\",\"table\":"
                "\"Root\",\"where\":[]}",
                "[{\"count\":1},{\"count\":1}]");
    store_close(store);
    store = open_interop(path);
    char *empty = dump(store);
    assert_string_equal(empty, "");
    store_close(store);
    free(before);
    free(after);
    free(empty);
    free(path);
    remove_dir(dir);
}

static void is_readable_while_open(void **state)
{
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    struct store *store = open_interop(path);
    static const struct {
        const char *query, *out;
    } cases[] = {
        {"select name, i, r, b, en is null, oi from Root", "a|-5|0.1|1|1|8\n"},
        {"select value from Root__si", "2\n3\n5\n"},
        {"select key, value from Root__mss", "l|w\nz|\n"},
        {"select Leaf.name from Root__leaf join Leaf on Leaf._uuid = value order by 1", "l1\nl2\n"},
        {"select comment, n_changes from _history order by number", "|0\nfirst|4\n|1\n"},
        {"select max(number) from _history", "2\n"},
        {"select json_extract(value, '$.modify.si') from _history, json_each(changes, '$.Root') "
         "where "
         "number=2",
         "[\"set\",[1,5]]\n"},
        {"select name, ref_name from _Root__leaf order by 2", "a|l1\na|l2\n"},
        {"select key, ref_name from _Root__mweak", "q|l2\n"},
        {"select name, ref_name from _Peer__need", "p|a\n"},
        {"select name, si, mss from _Root", "a|2, 3, 5|l=w, z=\n"},
        {"pragma user_version", "2\n"},
    };
    (void)state;
    fill(store);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *out = sql(path, cases[i].query);
        assert_string_equal(out, cases[i].out);
        free(out);
    }
    store_close(store);
    free(path);
    remove_dir(dir);
}

static void refuse(const struct store_options *options, int err, const char *part)
{
    struct store *store;
    struct diag diag = DIAG_INIT;
    int got = store_open(options, &store, &diag);
    if (got != err || !strstr(diag_text(&diag), part))
        fail_msg("%d (wanted %d): %s (wanted: %s)", got, err, diag_text(&diag), part);
    diag_fini(&diag);
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void refuses_what_it_cannot_open(void **state)
{
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    char *schema = read_text(TEST_DATA "/ovsdb/interop.ovsschema");
    struct store_options options = {.env = env_real(), .path = path, .schema_text = schema};
    (void)state;
    refuse(&options, ERR_NOT_FOUND, "does not exist");
    write_file(path, "OVSDB JSON 5 abc\n", 17);
    refuse(&options, ERR_UNSUPPORTED, "a file of ovsdb-server");
    write_file(path, "hello", 5);
    refuse(&options, ERR_CORRUPT, "is not a database");
    unlink(path);
    free(sql(path, "create table t(x)"));
    refuse(&options, ERR_UNSUPPORTED, "another program");
    unlink(path);
    options.create = true;
    options.schema_text = NULL;
    refuse(&options, ERR_INVALID, "no schema was given");
    options.schema_text = "{\"name\":";
    refuse(&options, ERR_SYNTAX, "schema: line 1");
    options.schema_text = schema;
    struct store *store = open_interop(path);
    refuse(&options, ERR_EXISTS, "is in use by another process");
    store_close(store);
    options.schema_text = "{\"name\":\"Other\",\"version\":\"1.0.0\",\"tables\":{}}";
    refuse(&options, ERR_CONFLICT, "holds the database Interop, not Other");
    free(sql(path, "pragma user_version=3"));
    options.schema_text = NULL;
    refuse(&options, ERR_UNSUPPORTED, "has format 3, written by a newer version");
    options.path = "/nonexistent/dir/db";
    refuse(&options, ERR_IO, "/nonexistent/dir/db: cannot create its lock file");
    free(schema);
    free(path);
    remove_dir(dir);
}

/* What somebody changed by hand is held to the schema. */
static void refuses_edited_files(void **state)
{
    static const struct {
        const char *edit, *part;
    } cases[] = {
        {"update Root set i=1000", "column i: 1000 is not in the valid range"},
        {"update Root set i='x'", "column i: not a value of its type"},
        {"update Root set en='pink'", "column en: pink is not one of the allowed values"},
        {"update Root set _uuid='x'", "without a proper uuid"},
        {"delete from Leaf where name='l1'", "which is not there"},
        {"delete from Root__s13", "column s13: Attempted to store 0 elements"},
        {"insert into Root__si values(999,1)", "an element of a row that is not there"},
        {"insert into Leaf select _id+100,_uuid,_version,name,next,val from Leaf",
         "is there twice"},
        {"insert into Peer select "
         "_id+100,'00000000-0000-4000-8000-000000000001',_version,a,b,name,need "
         "from Peer",
         "repeats the values of an index"},
        {"drop table Root", "table Root"},
        {"delete from _meta where key='schema'", "holds no schema"},
        {"delete from _history", "does not say what its last transaction was"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *dir = make_dir(), *path = xasprintf("%s/db", dir);
        struct store_options options = {.env = env_real(), .path = path};
        struct store *store = open_interop(path);
        fill(store);
        store_close(store);
        char *out = sql(path, cases[i].edit);
        assert_string_equal(out, "");
        free(out);
        struct diag diag = DIAG_INIT;
        int err = store_open(&options, &store, &diag);
        if (!strcmp(cases[i].part, "table Root") && !err) { /* an absent table is an empty one */
            store_close(store);
        } else if (!err || !strstr(diag_text(&diag), cases[i].part)) {
            fail_msg("%s: %d %s", cases[i].edit, err, diag_text(&diag));
        }
        diag_fini(&diag);
        free(path);
        remove_dir(dir);
    }
}

/* Damaged pages never crash the open: it works or is refused. */
static void survives_damage(void **state)
{
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    struct store *store = open_interop(path);
    struct env_seeded env;
    (void)state;
    fill(store);
    store_close(store);
    FILE *f = fopen(path, "r");
    static char original[1 << 20];
    size_t n = fread(original, 1, sizeof original, f);
    fclose(f);
    assert_true(n > 4096 && n < sizeof original);
    env_seeded_init(&env, 5);
    for (int round = 0; round < 60; round++) {
        static char bytes[1 << 20];
        memcpy(bytes, original, n);
        for (int i = 0; i < 20; i++)
            bytes[env_random_u64(&env.env) % n] = (char)env_random_u64(&env.env);
        write_file(path, bytes, round % 7 ? n : n / 2);
        struct store_options options = {.env = env_real(), .path = path};
        struct diag diag = DIAG_INIT;
        if (!store_open(&options, &store, &diag))
            store_close(store);
        diag_fini(&diag);
    }
    free(path);
    remove_dir(dir);
}

static char *schema_with(const char *columns)
{
    return xasprintf("{\"name\":\"X\",\"version\":\"1.0.%zu\",\"tables\":{\"T\":{\"columns\":{%s},"
                     "\"isRoot\":true}}}",
                     strlen(columns), columns);
}

static void converts_to_another_schema(void **state)
{
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    char *old =
        schema_with("\"a\":{\"type\":\"string\"},\"b\":{\"type\":{\"key\":\"integer\",\"min\":0,"
                    "\"max\":\"unlimited\"}},\"c\":{\"type\":\"integer\"}");
    char *new =
        schema_with("\"a\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},\"b\":{\"type\":"
                    "\"integer\"},\"c\":{\"type\":\"string\"},\"d\":{\"type\":\"boolean\"}");
    struct store *store = open_store(path, old, env_real());
    (void)state;
    free(transact(
        store, "{\"op\":\"insert\",\"table\":\"T\",\"row\":{\"a\":\"x\",\"b\":7,\"c\":1}},"
               "{\"op\":\"insert\",\"table\":\"T\",\"row\":{\"a\":\"y\",\"b\":[\"set\",[1,2]]}}"));
    store_close(store);
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to convert */
        store = open_store(path, new, env_real());
        assert_int_equal(store_last_number(store), 2); /* the conversion is one */
        expect(
            store,
            "{\"op\":\"select\",\"table\":\"T\",\"where\":[[\"a\",\"==\",\"x\"]],\"columns\":["
            "\"a\",\"b\","
            "\"c\",\"d\"]},{\"op\":\"select\",\"table\":\"T\",\"where\":[[\"a\",\"==\",\"y\"]],"
            "\"columns\":["
            "\"b\"]}",
            "[{\"rows\":[{\"a\":\"x\",\"b\":7,\"c\":\"\",\"d\":false}]},{\"rows\":[{\"b\":0}]}]");
        store_close(store);
    }
    store = open_store(path, NULL, env_real());
    assert_non_null(schema_column_find(&store_schema(store)->tables[0], "d"));
    store_close(store);
    free(old);
    free(new);
    free(path);
    remove_dir(dir);
}

/* What programs wrote before _history had changes: the last number and id stood in _meta. */
static void upgrades_a_file_of_format_1(void **state)
{
    static const char down[] =
        "insert into _meta values('format','1'),('number',(select max(number) from _history)),"
        "('id',(select id from _history order by number desc limit 1));"
        "delete from _history where number=2; alter table _history drop column changes; pragma "
        "user_version=1";
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    struct store *store = open_interop(path);
    (void)state;
    fill(store);
    char *before = dump(store);
    struct uuid id = store_last_id(store);
    store_close(store);
    char *out = sql(path, down);
    assert_string_equal(out, "");
    free(out);
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to upgrade */
        store = open_interop(path);
        char *after = dump(store);
        struct uuid id2 = store_last_id(store);
        assert_string_equal(before, after);
        assert_true(uuid_equal(&id, &id2));
        assert_int_equal(store_last_number(store), 2);
        free(after);
        store_close(store);
        out = sql(path, "pragma user_version; select key from _meta; pragma integrity_check");
        assert_string_equal(out, "2\nschema\nok\n");
        free(out);
    }
    store = open_interop(path); /* and it goes on */
    expect(store, "{\"op\":\"delete\",\"table\":\"Peer\",\"where\":[]}", "[{\"count\":1}]");
    store_close(store);
    out = sql(path, "select number, changes is null from _history order by 1");
    assert_string_equal(out, "0|1\n1|1\n2|1\n3|0\n");
    free(out);
    free(before);
    free(path);
    remove_dir(dir);
}

static void derived_tables_are_not_stored(void **state)
{
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    char *schema = read_text(TEST_DATA "/ovsdb/interop.ovsschema");
    const char *derived[] = {"One", "Absent", NULL}, *bad[] = {"Leaf", NULL};
    struct store_options options = {.env = env_real(),
                                    .path = path,
                                    .schema_text = schema,
                                    .create = true,
                                    .derived_tables = derived};
    struct store *store;
    (void)state;
    assert_int_equal(store_open(&options, &store, NULL), 0);
    expect_part(
        store,
        "{\"op\":\"insert\",\"table\":\"One\",\"row\":{\"x\":1}},{\"op\":\"insert\",\"table\":"
        "\"Root\",\"row\":{\"name\":\"a\"}}",
        "uuid");
    store_close(store);
    assert_int_equal(store_open(&options, &store, NULL), 0);
    expect(
        store,
        "{\"op\":\"select\",\"table\":\"One\",\"where\":[],\"columns\":[\"x\"]},{\"op\":\"select\","
        "\"table\":\"Root\",\"where\":[],\"columns\":[\"name\"]}",
        "[{\"rows\":[]},{\"rows\":[{\"name\":\"a\"}]}]");
    store_close(store);
    options.derived_tables = bad;
    refuse(&options, ERR_INVALID, "refers to the derived table Leaf");
    free(schema);
    free(path);
    remove_dir(dir);
}

struct told {
    int n;
};

static void count_told(void *aux, const struct changeset *cs)
{
    struct told *told = aux;
    assert_true(cs->n > 0);
    told->n++;
}

/* A disk that takes no more: everything pending fails and is undone; later it works again. */
static void full_disk_undoes(void **state)
{
    char *dir = make_dir(), *path = xasprintf("%s/db", dir);
    struct store *store = open_interop(path);
    struct told told = {0};
    struct rlimit old, small = {0, 0};
    (void)state;
    fill(store);
    char *before = dump(store);
    struct store_subscription *subscription = store_subscribe(store, count_told, &told);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_cur = 4096;
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct call calls[3] = {{0}};
    static const char *const texts[] = {
        "[\"db\",{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"b\"}}]",
        "[\"db\",{\"op\":\"update\",\"table\":\"Root\",\"where\":[],\"row\":{\"i\":3,\"leaf\":["
        "\"set\",[]]}},"
        "{\"op\":\"delete\",\"table\":\"Peer\",\"where\":[]}]",
        "[\"db\",{\"op\":\"delete\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"b\"]]}]",
    };
    for (int i = 0; i < 3; i++) {
        json_t *params = json_loads(texts[i], 0, NULL);
        call_start(&calls[i], store, params);
        assert_null(calls[i].result);
        json_decref(params);
    }
    store_flush(store);
    setrlimit(RLIMIT_FSIZE, &old);
    for (int i = 0; i < 3; i++) {
        assert_non_null(calls[i].result);
        json_t *last = json_array_get(calls[i].result, json_array_size(calls[i].result) - 1);
        assert_string_equal(json_string_value(json_object_get(last, "error")), "I/O error");
        call_fini(&calls[i]);
    }
    assert_int_equal(told.n, 0);
    char *after = dump(store);
    assert_string_equal(before, after);
    expect_part(store, "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"b\"}}", "uuid");
    assert_int_equal(told.n, 1);
    store_unsubscribe(subscription);
    free(after);
    after = dump(store);
    store_close(store);
    store = open_interop(path);
    char *again = dump(store);
    assert_string_equal(after, again);
    store_close(store);
    free(before);
    free(after);
    free(again);
    free(path);
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_reopening),
        cmocka_unit_test(is_readable_while_open),
        cmocka_unit_test(refuses_what_it_cannot_open),
        cmocka_unit_test(refuses_edited_files),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(converts_to_another_schema),
        cmocka_unit_test(upgrades_a_file_of_format_1),
        cmocka_unit_test(derived_tables_are_not_stored),
        cmocka_unit_test(full_disk_undoes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
