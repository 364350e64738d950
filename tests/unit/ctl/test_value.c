/* test_value.c - values from and to text, and tables in their output formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/table_text.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{\"A\":{\"isRoot\":true,\"columns\":{"
    "\"text\":{\"type\":\"string\"},"
    "\"int\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":1,\"maxInteger\":9},"
    "\"min\":0,\"max\":1}},"
    "\"ints\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"real\":{\"type\":\"real\"},\"bool\":{\"type\":\"boolean\"},"
    "\"set\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"ref\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"A\"},\"min\":0,\"max\":1}},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":"
    "\"unlimited\"}}}}}}";

struct fixture {
    struct schema *schema;
    struct env_seeded env;
    struct ctl_symbols symbols;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    assert_int_equal(schema_from_text(schema_text, &f->schema, NULL), 0);
    env_seeded_init(&f->env, 1);
    f->symbols.env = &f->env.env;
}

static void tear_down(struct fixture *f)
{
    ctl_symbols_clear(&f->symbols);
    schema_free(f->schema);
}

static const struct column_type *type_of(const struct fixture *f, const char *column)
{
    return &schema_column_find(&f->schema->tables[0], column)->type;
}

/* INPUT for COLUMN is printed as OUTPUT, which reads back as the same value. */
static void check_value(struct fixture *f, const char *column, const char *input,
                        const char *output)
{
    const struct datum *value, *again;
    struct diag diag = DIAG_INIT;
    struct str text = STR_INIT;
    if (value_parse(type_of(f, column), input, &f->symbols, &value, &diag))
        fail_msg("%s=%s: %s", column, input, diag_text(&diag));
    value_print(type_of(f, column), value, VALUE_STRING, &text);
    assert_string_equal(str_c(&text), output);
    assert_int_equal(value_parse(type_of(f, column), output, &f->symbols, &again, NULL), 0);
    assert_true(datum_equal(value, again));
    datum_unref(value);
    datum_unref(again);
    str_fini(&text);
}

static void check_error(struct fixture *f, const char *column, const char *input, const char *error)
{
    const struct datum *value;
    struct diag diag = DIAG_INIT;
    assert_int_not_equal(value_parse(type_of(f, column), input, &f->symbols, &value, &diag), 0);
    assert_string_equal(diag_text(&diag), error);
    diag_fini(&diag);
}

static void test_values(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    check_value(&f, "text", "word", "word");
    check_value(&f, "text", "\"two words\"", "\"two words\"");
    check_value(&f, "text", "\"word\"", "word");
    check_value(&f, "text", "\"\"", "\"\"");
    check_value(&f, "text", "\"true\"", "\"true\"");
    check_value(&f, "text", "1x", "\"1x\"");
    check_value(&f, "text", "a.b-c_d", "a.b-c_d");
    check_value(&f, "text", "\"a\\\"b\\\\c\\n\\u0001\"", "\"a\\\"b\\\\c\\n\\u0001\"");
    check_value(&f, "int", "5", "5");
    check_value(&f, "int", "[]", "[]");
    check_value(&f, "int", "[ 5 ]", "5");
    check_value(&f, "ints", "3, 1 2,,7-9", "[1, 2, 3, 7, 8, 9]");
    check_value(&f, "ints", "-3", "[-3]");
    check_value(&f, "real", "2.50", "2.5");
    check_value(&f, "real", "1e-7", "1e-07");
    check_value(&f, "bool", "yes", "true");
    check_value(&f, "bool", "off", "false");
    check_value(&f, "set", "[b,a]", "[a, b]");
    check_value(&f, "set", "", "[]");
    check_value(&f, "map", "b=1, a=x", "{a=x, b=\"1\"}");
    check_value(&f, "map", "{\"a b\"=\"=\"}", "{\"a b\"=\"=\"}");
    check_value(&f, "ref", "11111111-1111-4111-8111-111111111111",
                "11111111-1111-4111-8111-111111111111");
    tear_down(&f);
}

static void test_errors(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    check_error(&f, "text", "a:b", "a:b: unexpected \":\" parsing string");
    check_error(&f, "text", "\"abc", "\"abc: quoted string extends past end of argument");
    check_error(&f, "text", "\"abc\\\"", "\"abc\\\": quoted string extends past end of argument");
    check_error(&f, "text", "a b", "a b: 2 value(s) specified but the maximum number is 1");
    check_error(&f, "text", "[]", "[]: 0 value(s) specified but the minimum number is 1");
    check_error(&f, "int", "x", "\"x\" is not a valid integer or range");
    check_error(&f, "int", "10",
                "constraint violation: 10 is not in the valid range 1 to 9 (inclusive)");
    check_error(&f, "ints", "[1", "[1: missing \"]\" at end of data");
    check_error(&f, "ints", "1]", "1]: unexpected \"]\" parsing set of integers");
    check_error(&f, "ints", "9-7",
                "\"9-7\" is not a valid range. Range end cannot be before start.");
    check_error(&f, "ints", "99999999999999999999",
                "\"99999999999999999999\" is not a valid integer or range");
    check_error(&f, "real", "nan", "\"nan\" is not a valid real number");
    check_error(&f, "bool", "maybe",
                "\"maybe\" is not a valid boolean (use \"true\" or \"false\")");
    check_error(&f, "set", "a,a", "a,a: set contains duplicate value");
    check_error(&f, "map", "a=1,a=2", "a=1,a=2: map contains duplicate key");
    check_error(&f, "map", "a,b", "a,b: syntax error at \",\" expecting \"=\"");
    check_error(&f, "ref", "foo", "\"foo\" is not a valid UUID");
    tear_down(&f);
}

static void test_symbols(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct datum *a, *b;
    assert_int_equal(value_parse(type_of(&f, "ref"), "@x", &f.symbols, &a, NULL), 0);
    assert_int_equal(value_parse(type_of(&f, "ref"), "@x", &f.symbols, &b, NULL), 0);
    assert_true(datum_equal(a, b));
    assert_true(ctl_symbols_get(&f.symbols, "@x")->referenced);
    assert_false(ctl_symbols_get(&f.symbols, "@y")->referenced);
    datum_unref(a);
    datum_unref(b);
    /* Without symbols it is no uuid. */
    assert_int_not_equal(value_parse(type_of(&f, "ref"), "@x", NULL, &a, NULL), 0);
    tear_down(&f);
}

/* Random bytes are a value or an error, never a crash. */
static void test_random_text(void **state)
{
    (void)state;
    static const char alphabet[] = "ab1-\"\\=,:[]{} @<>!u0\n";
    static const char *const columns[] = {"text", "int", "ints", "real",
                                          "bool", "set", "ref",  "map"};
    enum { STEPS = 50000, MAX_LENGTH = 12 };
    struct fixture f;
    set_up(&f);
    for (int step = 0; step < STEPS; step++) {
        char text[MAX_LENGTH + 1];
        size_t n = env_random_u64(&f.env.env) % (MAX_LENGTH + 1);
        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[env_random_u64(&f.env.env) % (sizeof alphabet - 1)];
        text[n] = '\0';
        struct diag diag = DIAG_INIT;
        const char *column = columns[env_random_u64(&f.env.env) % 8];
        const struct datum *value;
        if (!value_parse(type_of(&f, column), text, NULL, &value, &diag)) {
            struct str printed = STR_INIT;
            const struct datum *again;
            value_print(type_of(&f, column), value, VALUE_STRING, &printed);
            assert_int_equal(value_parse(type_of(&f, column), str_c(&printed), NULL, &again, NULL),
                             0);
            assert_true(datum_equal(value, again));
            datum_unref(again);
            datum_unref(value);
            str_fini(&printed);
        } else {
            assert_non_null(diag.text);
        }
        diag_fini(&diag);
    }
    tear_down(&f);
}

static void check_table(struct fixture *f, struct table_style style, const char *want)
{
    struct table_text *table = table_text_new();
    table_text_add_heading(table, "name");
    table_text_add_heading(table, "set");
    static const char *const rows[][2] = {{"\"a,b\"", "x,\"y z\""}, {"\"q\\\"<\"", "[]"}};
    for (size_t i = 0; i < 2; i++) {
        static const char *const columns[] = {"text", "set"};
        for (size_t c = 0; c < 2; c++) {
            const struct datum *value;
            assert_int_equal(value_parse(type_of(f, columns[c]), rows[i][c], NULL, &value, NULL),
                             0);
            table_text_add_value(table, type_of(f, columns[c]), value);
            datum_unref(value);
        }
    }
    struct str out = STR_INIT;
    table_text_print(table, &style, &out);
    assert_string_equal(str_c(&out), want);
    str_fini(&out);
    table_text_free(table);
}

static void test_tables(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    check_table(&f, (struct table_style){.format = TABLE_LIST, .headings = true},
                "name                : \"a,b\"\nset                 : [x, \"y z\"]\n\n"
                "name                : \"q\\\"<\"\nset                 : []\n");
    check_table(&f, (struct table_style){.format = TABLE_LIST, .style = VALUE_BARE},
                "a,b\nx y z\n\nq\"<\n\n");
    check_table(&f, (struct table_style){.format = TABLE_TABLE, .headings = true},
                "name   set\n------ ----------\n"
                "\"a,b\"  [x, \"y z\"]\n\"q\\\"<\" []\n");
    check_table(&f, (struct table_style){.format = TABLE_CSV, .headings = true},
                "name,set\n\"\"\"a,b\"\"\",\"[x, \"\"y z\"\"]\"\n\"\"\"q\\\"\"<\"\"\",[]\n");
    check_table(&f,
                (struct table_style){.format = TABLE_JSON, .style = VALUE_JSON, .headings = true},
                "{\"data\":[[\"a,b\",[\"set\",[\"x\",\"y z\"]]],[\"q\\\"<\",[\"set\",[]]]],"
                "\"headings\":[\"name\",\"set\"]}\n");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_symbols), cmocka_unit_test(test_random_text),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
