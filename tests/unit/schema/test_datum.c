/* test_datum.c - tests of lib/schema/datum.h: the set algebra beside a naive model, JSON forms, hostile values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "schema/op.h"

static const struct datum *parse_set(const char *text, enum atom_type type)
{
    struct column_type t = {.key = {.type = type,
                                    .min_integer = INT64_MIN,
                                    .max_integer = INT64_MAX,
                                    .min_real = -__builtin_inf(),
                                    .max_real = __builtin_inf(),
                                    .max_length = UINT32_MAX},
                            .n_max = SCHEMA_UNLIMITED};
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    const struct datum *d = NULL;
    struct diag diag = DIAG_INIT;
    assert_non_null(json);
    if (datum_from_json(&t, json, NULL, &d, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    json_decref(json);
    return d;
}

static void assert_json(const struct datum *d, const char *expected)
{
    struct str out = STR_INIT;
    datum_put_json(d, &out);
    assert_string_equal(str_c(&out), expected);
    json_t *json = datum_to_json(d);
    char *text = json_to_text(json);
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
    str_fini(&out);
}

static void json_forms(void **state)
{
    static const struct {
        enum atom_type type;
        const char *in, *out;
    } cases[] = {
        {ATOM_INTEGER, "5", "5"},
        {ATOM_INTEGER, "2.0", "2"},
        {ATOM_INTEGER, "[\"set\",[3,1,2]]", "[\"set\",[1,2,3]]"},
        {ATOM_INTEGER, "[\"set\",[]]", "[\"set\",[]]"},
        {ATOM_INTEGER, "[\"set\",[7]]", "7"},
        {ATOM_REAL, "1e-7", "1e-07"},
        {ATOM_REAL, "5.0", "5"},
        {ATOM_REAL, "-0.0", "0"},
        {ATOM_REAL, "1.0000000000000002", "1"},
        {ATOM_BOOLEAN, "true", "true"},
        {ATOM_STRING, "\"h\\u00e9\\\"\\n\\u0001/\"", "\"h\xc3\xa9\\\"\\n\\u0001/\""},
        {ATOM_UUID, "[\"uuid\",\"AAAAAAAA-0000-4000-8000-000000000001\"]",
         "[\"uuid\",\"aaaaaaaa-0000-4000-8000-000000000001\"]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct datum *d = parse_set(cases[i].in, cases[i].type);
        assert_json(d, cases[i].out);
        datum_unref(d);
    }
}

static void refused_values(void **state)
{
    static const struct {
        const char *in, *error;
    } cases[] = {
        {"\"x\"", "\"x\": expected integer"},
        {"1.5", "1.5: expected integer"},
        {"null", "null: expected integer"},
        {"[1]", "[1]: expected integer"},
        {"{}", "{}: expected integer"},
        {"[\"set\",5]", "[\"set\",5]: expected [\"set\", <array>]"},
        {"[\"set\",[1,1]]", "set contains duplicate"},
        {"[\"set\",[[\"set\",[1]]]]", "[\"set\",[1]]: expected integer"},
        {"11", "11 is not in the valid range 0 to 10 (inclusive)"},
        {"[\"set\",[1,2,3,4]]",
         "[\"set\",[1,2,3,4]]: set must have 0 to 3 members but 4 are present"},
    };
    struct column_type t = {
        .key = {.type = ATOM_INTEGER, .max_integer = 10, .max_length = UINT32_MAX}, .n_max = 3};
    (void)state;
    t.key.min_real = -__builtin_inf();
    t.key.max_real = __builtin_inf();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *json = json_loads(cases[i].in, JSON_DECODE_ANY, NULL);
        struct diag diag = DIAG_INIT;
        const struct datum *d;
        assert_int_not_equal(datum_from_json(&t, json, NULL, &d, &diag), 0);
        assert_string_equal(diag_text(&diag), cases[i].error);
        diag_fini(&diag);
        json_decref(json);
    }
}

/* ---- the algebra beside a model: bit sets of 16 small elements, map values 0..3 ---- */

enum { UNIVERSE = 16 };

struct model {
    int value[UNIVERSE]; /* -1: absent; sets use 0 */
};

static union atom atom_of(enum atom_type type, int i)
{
    char text[16];
    snprintf(text, sizeof text, "k%02d", i);
    if (type == ATOM_STRING)
        return (union atom){.string = rstr_new(text)};
    return (union atom){.integer = i};
}

static const struct datum *datum_of(const struct model *m, enum atom_type type, bool is_map)
{
    union atom keys[UNIVERSE], values[UNIVERSE];
    size_t n = 0;
    for (int i = UNIVERSE - 1; i >= 0; i--) {
        if (m->value[i] < 0)
            continue;
        keys[n] = atom_of(type, i);
        if (is_map)
            values[n] = atom_of(type, m->value[i]);
        n++;
    }
    return is_map ? datum_new_map(type, type, keys, values, n) : datum_new_set(type, keys, n);
}

static void random_model(struct model *m, struct env *env, bool is_map)
{
    uint64_t bits = env_random_u64(env) & env_random_u64(env);
    for (int i = 0; i < UNIVERSE; i++)
        m->value[i] = bits >> i & 1 ? (is_map ? (int)(bits >> (20 + 2 * i) & 3) : 0) : -1;
}

static void check(const struct datum *d, const struct model *m, enum atom_type type, bool is_map)
{
    const struct datum *expected = datum_of(m, type, is_map);
    assert_true(datum_equal(d, expected));
    assert_int_equal(datum_compare(d, expected), 0);
    assert_true(datum_hash(d, 1) == datum_hash(expected, 1));
    datum_unref(expected);
    datum_unref(d);
}

static void check_pair(const struct model *a, const struct model *b, enum atom_type type,
                       bool is_map)
{
    const struct datum *da = datum_of(a, type, is_map), *db = datum_of(b, type, is_map);
    struct model sum, rest, keys_rest, diff;
    bool includes = true;
    for (int i = 0; i < UNIVERSE; i++) {
        int x = a->value[i], y = b->value[i];
        sum.value[i] = x >= 0 ? x : y;
        rest.value[i] = y >= 0 && x == y ? -1 : x;
        keys_rest.value[i] = y >= 0 ? -1 : x;
        diff.value[i] = x == y ? -1 : y >= 0 ? y : x;
        includes &= y < 0 || x == y;
    }
    check(datum_union(da, db), &sum, type, is_map);
    check(datum_subtract(da, db), &rest, type, is_map);
    if (is_map) {
        struct model key_set = *b;
        const struct datum *keys;
        for (int i = 0; i < UNIVERSE; i++)
            key_set.value[i] = MIN(key_set.value[i], 0);
        keys = datum_of(&key_set, type, false);
        check(datum_subtract(da, keys), &keys_rest, type, true);
        datum_unref(keys);
    }
    const struct datum *d = datum_difference(da, db);
    check(datum_apply_difference(da, d), b, type, is_map);
    check(d, &diff, type, is_map);
    assert_true(datum_includes(da, db) == includes);
    datum_unref(da);
    datum_unref(db);
}

static void algebra(void **state)
{
    struct env_seeded env;
    (void)state;
    env_seeded_init(&env, 7);
    for (int round = 0; round < 4000; round++) {
        struct model a, b;
        bool is_map = round & 1;
        random_model(&a, &env.env, is_map);
        random_model(&b, &env.env, is_map);
        check_pair(&a, &b, round & 2 ? ATOM_STRING : ATOM_INTEGER, is_map);
    }
}

static void unchanged_is_shared(void **state)
{
    const struct datum *a = parse_set("[\"set\",[1,2,3]]", ATOM_INTEGER);
    const struct datum *b = datum_new_integer(2), *c = datum_new_integer(9);
    (void)state;
    const struct datum *u = datum_union(a, b), *s = datum_subtract(a, c);
    assert_ptr_equal(u, a);
    assert_ptr_equal(s, a);
    datum_unref(u);
    datum_unref(s);
    datum_unref(a);
    datum_unref(b);
    datum_unref(c);
}

static void text_for_people(void **state)
{
    static const struct {
        enum atom_type type;
        const char *in, *out;
    } cases[] = {
        {ATOM_STRING, "[\"set\",[\"sw0\",\"0a\",\"a b\",\"\"]]", "[\"\", \"0a\", \"a b\", sw0]"},
        {ATOM_STRING, "\"true\"", "\"true\""},
        {ATOM_STRING, "\"lsp-1.a\"", "lsp-1.a"},
        {ATOM_INTEGER, "[\"set\",[]]", "[]"},
        {ATOM_INTEGER, "7", "7"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct str out = STR_INIT;
        const struct datum *d = parse_set(cases[i].in, cases[i].type);
        datum_print(d, &out);
        assert_string_equal(str_c(&out), cases[i].out);
        str_fini(&out);
        datum_unref(d);
    }
}

static void atoms_from_text(void **state)
{
    struct base_type t = {.type = ATOM_INTEGER, .max_integer = 100, .max_length = UINT32_MAX};
    union atom a;
    struct diag diag = DIAG_INIT;
    (void)state;
    assert_int_equal(atom_from_text(&t, "42", &a, NULL), 0);
    assert_int_equal(a.integer, 42);
    assert_int_equal(atom_from_text(&t, "101", &a, &diag), ERR_CONSTRAINT);
    assert_int_equal(atom_from_text(&t, "x", &a, &diag), ERR_SYNTAX);
    t.type = ATOM_STRING;
    assert_int_equal(atom_from_text(&t, "\"a b\"", &a, NULL), 0);
    assert_string_equal(a.string->s, "a b");
    rstr_unref(a.string);
    assert_int_equal(atom_from_text(&t, "\"a b", &a, &diag), ERR_SYNTAX);
    t.type = ATOM_BOOLEAN;
    assert_int_equal(atom_from_text(&t, "yes", &a, NULL), 0);
    assert_true(a.boolean);
    assert_int_equal(atom_from_text(&t, "maybe", &a, &diag), ERR_SYNTAX);
    diag_fini(&diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_forms),      cmocka_unit_test(refused_values),
        cmocka_unit_test(algebra),         cmocka_unit_test(unchanged_is_shared),
        cmocka_unit_test(text_for_people), cmocka_unit_test(atoms_from_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
