/* test_schema.c - tests of lib/schema/schema.h: reading, refusing, canonical text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "schema/op.h"

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct str out = STR_INIT;
    char buf[4096];
    size_t n;
    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        str_put_n(&out, buf, n);
    fclose(f);
    return str_steal(&out);
}

static struct schema *load(void)
{
    struct schema *schema = NULL;
    struct diag diag = DIAG_INIT;
    char *text = read_file(TEST_DATA "/ovsdb/interop.ovsschema");
    if (schema_from_text(text, &schema, &diag))
        fail_msg("%s", diag_text(&diag));
    free(text);
    return schema;
}

static void reads_every_kind(void **state)
{
    struct schema *s = load();
    (void)state;
    assert_string_equal(s->name, "Interop");
    assert_int_equal(s->n_tables, 4);
    const struct schema_table *root = schema_table_find(s, "Root");
    assert_non_null(root);
    assert_ptr_equal(&s->tables[root->index], root);
    assert_null(schema_table_find(s, "Roo"));
    for (size_t i = 0; i < root->n_columns; i++) {
        assert_int_equal(root->columns[i].index, i);
        assert_ptr_equal(schema_column_find(root, root->columns[i].name), &root->columns[i]);
    }
    assert_int_equal(schema_column_find(root, "_uuid")->index, COLUMN_UUID);
    assert_int_equal(schema_column_find(root, "_version")->index, COLUMN_VERSION);
    assert_null(schema_column_find(root, "nope"));
    const struct schema_column *leaf = schema_column_find(root, "leaf");
    assert_int_equal(leaf->type.key.ref, REF_STRONG);
    assert_ptr_equal(leaf->type.key.ref_table, schema_table_find(s, "Leaf"));
    const struct schema_column *mweak = schema_column_find(root, "mweak");
    assert_true(mweak->type.is_map);
    assert_int_equal(mweak->type.value.ref, REF_WEAK);
    assert_false(schema_column_find(root, "imm")->is_mutable);
    assert_true(schema_column_find(root, "eph")->is_ephemeral);
    assert_int_equal(schema_column_find(root, "s13")->default_value->n, 1);
    assert_int_equal(schema_table_find(s, "One")->max_rows, 1);
    assert_int_equal(schema_table_find(s, "Peer")->n_indexes, 2);
    assert_false(schema_table_find(s, "Leaf")->is_root);
    schema_free(s);
}

static void canonical_text_is_stable(void **state)
{
    struct schema *a = load(), *b;
    (void)state;
    assert_int_equal(schema_from_text(a->text, &b, NULL), 0);
    assert_string_equal(a->text, b->text);
    assert_non_null(
        strstr(a->text, "\"s\":{\"type\":{\"key\":{\"maxLength\":8,\"type\":\"string\"}}}"));
    assert_non_null(strstr(a->text, "\"name\":{\"type\":\"string\"}"));
    assert_non_null(strstr(a->text,
                           "\"weak1\":{\"type\":{\"key\":{\"refTable\":\"Peer\",\"refType\":"
                           "\"weak\",\"type\":\"uuid\"},\"min\":0}}"));
    schema_free(a);
    schema_free(b);
}

#define ONE_COLUMN(TYPE)                                                                           \
    "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{\"c\":{\"type\":" TYPE  \
    "}}}}}"

static void refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"name\":\"X\"",
        "{\"name\":5,\"version\":\"1.0.0\",\"tables\":{}}",
        "{\"name\":\"0x\",\"version\":\"1.0.0\",\"tables\":{}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\"}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":[]}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{},\"more\":1}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"_T\":{\"columns\":{}}}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{}}}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":5}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{\"_c\":{\"type\":"
        "\"string\"}}}}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{\"c\":{}}}}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"indexes\":[[\"d\"]],"
        "\"columns\":{"
        "\"c\":{\"type\":\"string\"}}}}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"indexes\":[[\"c\",\"c\"]],"
        "\"columns\":{\"c\":{\"type\":\"string\"}}}}}",
        "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"maxRows\":0,\"columns\":{\"c\":"
        "{"
        "\"type\":\"string\"}}}}}",
        ONE_COLUMN("\"text\""),
        ONE_COLUMN("5"),
        ONE_COLUMN("{}"),
        ONE_COLUMN("{\"key\":{}}"),
        ONE_COLUMN("{\"key\":\"string\",\"min\":2}"),
        ONE_COLUMN("{\"key\":\"string\",\"max\":0}"),
        ONE_COLUMN("{\"key\":\"string\",\"max\":\"many\"}"),
        ONE_COLUMN("{\"key\":{\"type\":\"string\",\"minInteger\":1}}"),
        ONE_COLUMN("{\"key\":{\"type\":\"integer\",\"minInteger\":2,\"maxInteger\":1}}"),
        ONE_COLUMN("{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[]]}}"),
        ONE_COLUMN("{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[1]]}}"),
        ONE_COLUMN("{\"key\":{\"type\":\"uuid\",\"refTable\":\"Nope\"}}"),
        ONE_COLUMN("{\"key\":{\"type\":\"uuid\",\"refTable\":\"T\",\"refType\":\"soft\"}}"),
        ONE_COLUMN("{\"key\":{\"type\":\"string\",\"refTable\":\"T\"}}"),
        ONE_COLUMN("{\"key\":\"string\",\"value\":[\"string\"]}"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct schema *s;
        struct diag diag = DIAG_INIT;
        if (!schema_from_text(bad[i], &s, &diag))
            fail_msg("accepted: %s", bad[i]);
        assert_int_not_equal(strlen(diag_text(&diag)), 0);
        diag_fini(&diag);
    }
}

static void every_prefix_is_refused(void **state)
{
    char *text = read_file(TEST_DATA "/ovsdb/interop.ovsschema");
    size_t n = strlen(text);
    (void)state;
    while (n && text[n - 1] != '}')
        n--;
    for (size_t i = 0; i < n; i += 7) {
        char *part = xstrndup(text, i);
        struct schema *s;
        assert_int_not_equal(schema_from_text(part, &s, NULL), 0);
        free(part);
    }
    free(text);
}

static void default_outside_the_enum(void **state)
{
    struct schema *s;
    struct diag diag = DIAG_INIT;
    (void)state;
    assert_int_equal(
        schema_from_text(
            ONE_COLUMN("{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[\"a\",\"b\"]]}}"), &s,
            NULL),
        0);
    const struct schema_column *c = &s->tables[0].columns[0];
    assert_int_equal(column_type_check(&c->type, c->default_value, &diag), ERR_CONSTRAINT);
    assert_string_equal(diag_text(&diag), "\"\" is not one of the allowed values ([a, b])");
    diag_fini(&diag);
    schema_free(s);
}

static void lengths_count_characters(void **state)
{
    struct schema *s;
    (void)state;
    assert_int_equal(
        schema_from_text(ONE_COLUMN("{\"key\":{\"type\":\"string\",\"maxLength\":2}}"), &s, NULL),
        0);
    const struct datum *two = datum_new_string("\xc3\xa9\xc3\xa9"),
                       *three = datum_new_string("abc");
    assert_int_equal(column_type_check(&s->tables[0].columns[0].type, two, NULL), 0);
    assert_int_equal(column_type_check(&s->tables[0].columns[0].type, three, NULL), ERR_CONSTRAINT);
    datum_unref(two);
    datum_unref(three);
    schema_free(s);
}

/* Operations printed and read again are the same operations. */
static void operations_round_trip(void **state)
{
    static const char text[] =
        "[\"Interop\","
        "{\"op\":\"insert\",\"row\":{\"name\":\"a\",\"si\":[\"set\",[1,2]]},\"table\":\"Root\","
        "\"uuid\":\"00000000-0000-4000-8000-000000000001\"},"
        "{\"columns\":[\"name\",\"_uuid\"],\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"i\","
        "\"<\","
        "5],true]},"
        "{\"op\":\"update\",\"row\":{\"mss\":[\"map\",[[\"k\",\"v\"]]]},\"table\":\"Root\","
        "\"where\":[]},"
        "{\"mutations\":[[\"i\",\"+=\",1],[\"ss\",\"insert\",\"x\"],[\"mss\",\"delete\",[\"set\",["
        "\"k\"]]],[\"mss\",\"delete\",[\"map\",[[\"k\",\"v\"]]]]],\"op\":\"mutate\",\"table\":"
        "\"Root\","
        "\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"00000000-0000-4000-8000-000000000001\"]]]},"
        "{\"op\":\"delete\",\"table\":\"Leaf\",\"where\":[[\"name\",\"!=\",\"x\"]]},"
        "{\"columns\":[\"i\"],\"op\":\"wait\",\"rows\":[{\"i\":5}],\"table\":\"Root\",\"timeout\":"
        "0,"
        "\"until\":\"==\",\"where\":[]},"
        "{\"durable\":true,\"op\":\"commit\"},{\"comment\":\"c\",\"op\":\"comment\"},"
        "{\"lock\":\"l\",\"op\":\"assert\"},{\"op\":\"abort\"}]";
    struct schema *s = load();
    (void)state;
    json_t *params = json_loads(text, 0, NULL);
    assert_non_null(params);
    struct ops *ops = ops_from_json(s, params, env_real());
    assert_null(ops->parse_error.error);
    assert_int_equal(ops->n, 10);
    json_t *again = ops_to_json(s, ops);
    char *out = json_to_text(again);
    assert_string_equal(out, text);
    free(out);
    json_decref(again);
    json_decref(params);
    ops_free(ops);
    schema_free(s);
}

static void named_uuids_meet_chosen_ones(void **state)
{
    static const char text[] =
        "[\"Interop\",{\"op\":\"mutate\",\"table\":\"Root\",\"where\":[],\"mutations\":[[\"leaf\","
        "\"insert\",[\"named-uuid\",\"f\"]]]},{\"op\":\"insert\",\"table\":\"Leaf\",\"uuid-name\":"
        "\"f\","
        "\"uuid\":\"00000000-0000-4000-8000-000000000015\",\"row\":{}}]";
    struct schema *s = load();
    (void)state;
    json_t *params = json_loads(text, 0, NULL);
    struct ops *ops = ops_from_json(s, params, env_real());
    assert_int_equal(ops->n, 2);
    assert_true(uuid_equal(&ops->ops[0].mutations[0].arg->atoms[0].uuid, &ops->ops[1].uuid));
    ops_free(ops);
    json_decref(params);
    schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(canonical_text_is_stable),
        cmocka_unit_test(refuses),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(default_outside_the_enum),
        cmocka_unit_test(lengths_count_characters),
        cmocka_unit_test(operations_round_trip),
        cmocka_unit_test(named_uuids_meet_chosen_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
