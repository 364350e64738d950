/* test_filter.c - lib/schema/filter.h beside asking clause by clause (condition_matches_any), on random conditions and rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "schema/filter.h"

static const char *const clauses[] = {
    "[\"i\",\"==\",%d]",
    "[\"s\",\"==\",\"s%d\"]",
    "[\"s\",\"==\",\"s%d\"]",
    "[\"si\",\"includes\",%d]",
    "[\"si\",\"includes\",%d]",
    "[\"si\",\"==\",[\"set\",[1,%d]]]",
    "[\"i\",\">\",%d]",
    "[\"ss\",\"includes\",\"%d\"]",
    "[\"ss\",\"includes\",[\"set\",[\"1\",\"%d\"]]]",
    "[\"oi\",\"!=\",%d]",
    "[\"si\",\"excludes\",[\"set\",[0,1,2,3,%d]]]",
};

static uint32_t pick(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

static struct schema *load(void)
{
    struct schema *schema = NULL;
    struct diag diag = DIAG_INIT;
    char text[8192];
    FILE *f = fopen(TEST_DATA "/ovsdb/interop.ovsschema", "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    if (schema_from_text(text, &schema, &diag))
        fail_msg("%s", diag_text(&diag));
    return schema;
}

static struct filter *random_filter(const struct schema_table *table, uint32_t *seed)
{
    struct str text = STR_INIT;
    struct condition where;
    struct op_error error = {0};
    str_putc(&text, '[');
    for (uint32_t i = 0, n = pick(seed, 12); i < n; i++) {
        char one[64];
        snprintf(one, sizeof one, clauses[pick(seed, ARRAY_SIZE(clauses))],
                 (int)(4 + pick(seed, 8)));
        str_putf(&text, "%s%s", i ? "," : "", pick(seed, 40) ? one : "false");
    }
    str_putc(&text, ']');
    json_t *json = json_loads(str_c(&text), 0, NULL);
    assert_int_equal(condition_from_json(table, json, &where, &error), 0);
    json_decref(json);
    struct filter *f = filter_new(&where);
    assert_string_equal(filter_text(f), str_c(&text));
    str_fini(&text);
    return f;
}

static struct row *random_row(const struct schema_table *table, uint32_t *seed)
{
    struct uuid uuid = {{0}};
    struct row *row = row_new(table, &uuid);
    struct diag diag = DIAG_INIT;
    char text[128];
    snprintf(text, sizeof text,
             "{\"i\":%d,\"s\":\"s%d\",\"oi\":%d,\"si\":[\"set\",[%d,%d]],\"ss\":[\"set\",[\"1\",\"%"
             "d\"]]}",
             (int)pick(seed, 12), (int)pick(seed, 12), (int)pick(seed, 12), (int)pick(seed, 6),
             (int)(6 + pick(seed, 6)), (int)(4 + pick(seed, 8)));
    json_t *json = json_loads(text, 0, NULL);
    if (row_set_json(row, json, false, &diag))
        fail_msg("%s", diag_text(&diag));
    json_decref(json);
    return row;
}

static void agrees_with_clause_by_clause(void **state)
{
    struct schema *schema = load();
    const struct schema_table *table = schema_table_find(schema, "Root");
    uint32_t seed = 1;
    size_t n_matches = 0, n_new = 0, n_nothing = 0;
    (void)state;
    for (int round = 0; round < 400; round++) {
        struct filter *a = random_filter(table, &seed), *b = random_filter(table, &seed);
        struct filter *more = filter_minus(a, b), *same = filter_minus(a, a);
        assert_true(filter_is_nothing(same));
        n_nothing += filter_is_nothing(more);
        struct row *last = NULL;
        for (int i = 0; i < 20; i++) {
            struct row *row = random_row(table, &seed);
            bool in_a = filter_matches(a, row), in_b = filter_matches(b, row);
            assert_int_equal(in_a, condition_matches_any(filter_condition(a), row));
            assert_int_equal(in_b, condition_matches_any(filter_condition(b), row));
            assert_true(!in_a || in_b || filter_matches(more, row));
            assert_false(filter_matches(same, row));
            if (last && filter_matches(a, last) != in_a)
                assert_true(filter_column_differs(a, last, row));
            n_matches += in_a;
            n_new += in_a && !in_b;
            row_unref(last);
            last = row;
        }
        assert_false(filter_column_differs(a, last, last));
        row_unref(last);
        filter_unref(same);
        filter_unref(more);
        filter_unref(b);
        filter_unref(a);
    }
    assert_in_range(n_matches, 3000, 7000); /* of 8,000: both outcomes are met */
    assert_in_range(n_new, 500, 4000);
    assert_in_range(n_nothing, 10, 390);
    schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_clause_by_clause)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
