/* test_index.c - the index of shapes finds every shape that a change concerns, and not those that ask
 * for other values: random conditions and random changes against asking each shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ovsdb/server/shape_index.h"

static const char schema_text[] =
    "{\"name\":\"X\",\"version\":\"1.0.0\",\"tables\":{"
    "\"A\":{\"columns\":{\"i\":{\"type\":\"integer\"},\"o\":{\"type\":{\"key\":\"integer\",\"min\":"
    "0}},\"s\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"B\":{\"columns\":{\"i\":{\"type\":\"integer\"},\"o\":{\"type\":\"integer\"},\"s\":{\"type\":"
    "\"integer\"}}}}}";

enum { SHAPES = 120, VALUES = 5 };

static unsigned pick(struct env *env, unsigned n)
{
    return (unsigned)(env_random_u64(env) % n);
}

static struct uuid some_uuid(unsigned i)
{
    struct uuid uuid;
    char text[UUID_TEXT_LEN + 1];
    snprintf(text, sizeof text, "00000000-0000-4000-8000-%012u", i);
    assert_true(uuid_parse(text, &uuid));
    return uuid;
}

static void put_clause(struct env *env, struct str *out)
{
    static const char *const functions[] = {"==", "==", "==", "==", "!=", "includes"};
    char text[UUID_TEXT_LEN + 1];
    struct uuid uuid = some_uuid(pick(env, VALUES));
    unsigned kind = pick(env, 12);
    if (kind == 0)
        str_put(out, "false");
    else if (kind == 1)
        str_put(out, pick(env, 4) ? "false" : "true");
    else if (kind == 2)
        str_putf(out, "[\"_uuid\",\"==\",[\"uuid\",\"%s\"]]", uuid_print(&uuid, text));
    else
        str_putf(out, "[\"%c\",\"%s\",%u]", "ios"[pick(env, 3)], functions[pick(env, 6)],
                 pick(env, VALUES));
}

static struct shape *random_shape(const struct schema *schema, struct env *env)
{
    struct str text = STR_INIT;
    struct op_error error = {0};
    str_putf(&text, "{\"%c\":{\"where\":[", "AB"[pick(env, 2)]);
    for (unsigned n = pick(env, 4), i = 0; i <= n; i++) {
        if (i)
            str_putc(&text, ',');
        put_clause(env, &text);
    }
    str_put(&text, "]}}");
    json_t *json = json_loads(str_c(&text), 0, NULL);
    struct shape *shape = shape_from_json(schema, MONITOR_V2, json, &error);
    if (!shape)
        fail_msg("%s: %s", str_c(&text), error.details);
    json_decref(json);
    str_fini(&text);
    return shape;
}

static const struct row *random_row(const struct schema_table *table, const struct uuid *uuid,
                                    struct env *env)
{
    struct row *row = row_new(table, uuid);
    for (size_t i = 0; i < table->n_columns; i++) {
        if (pick(env, 3))
            row_set(row, &table->columns[i], datum_new_integer(pick(env, VALUES)));
    }
    row->version = uuid_random(env);
    return row;
}

static bool finds(const shape_vec *found, const struct shape *shape)
{
    for (size_t i = 0; i < found->n; i++) {
        if (found->data[i] == shape)
            return true;
    }
    return false;
}

static void agrees_with_asking_each(void **state)
{
    struct env_seeded env;
    struct schema *schema;
    struct shape *shapes[SHAPES];
    size_t n_found = 0, n_concerned = 0;
    (void)state;
    env_seeded_init(&env, 3);
    assert_int_equal(schema_from_text(schema_text, &schema, NULL), 0);
    struct shape_index *index = shape_index_new(schema);
    for (size_t i = 0; i < SHAPES; i++)
        shape_index_add(index, shapes[i] = random_shape(schema, &env.env));
    for (int round = 0; round < 2000; round++) {
        size_t k = pick(&env.env, SHAPES);
        shape_index_remove(index, shapes[k]);
        shape_free(shapes[k]);
        shape_index_add(index, shapes[k] = random_shape(schema, &env.env));
        struct uuid uuid = some_uuid(pick(&env.env, VALUES));
        const struct schema_table *table = &schema->tables[pick(&env.env, 2)];
        unsigned kind = pick(&env.env, 4);
        struct change change = {kind ? random_row(table, &uuid, &env.env) : NULL,
                                kind != 1 ? random_row(table, &uuid, &env.env) : NULL};
        shape_vec found = VEC_INIT;
        shape_index_find(index, 1, &change, &found);
        n_found += found.n;
        for (size_t i = 0; i < SHAPES; i++) {
            struct str out = STR_INIT;
            bool concerned = shape_put_changes(shapes[i], 1, &change, &out);
            assert_true(!concerned || finds(&found, shapes[i]));
            n_concerned += concerned;
            str_fini(&out);
        }
        vec_fini(&found);
        row_unref(change.before);
        row_unref(change.after);
    }
    assert_true(n_concerned > 10000 && n_found < 2000 * SHAPES / 2 * 9 / 10);
    for (size_t i = 0; i < SHAPES; i++) {
        shape_index_remove(index, shapes[i]);
        shape_free(shapes[i]);
    }
    shape_index_free(index);
    schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_asking_each)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
