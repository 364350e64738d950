/* test_json_plain.c - the fast parser gives what jansson gives, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/str.h"
#include "io/json.h"
#include "io/json_plain.h"
#include "io/json_walk.h"

/* Goes through what comes next, objects and arrays down to DEPTH piece by piece. */
static json_t *walk(struct json_walk *w, int depth)
{
    json_t *json = NULL;
    while (w->at < w->end && strchr(" \t\r\n", *w->at) && *w->at)
        w->at++;
    bool is_object = w->at < w->end && *w->at == '{';
    if (!depth || w->at == w->end || (!is_object && *w->at != '['))
        return json_walk_value(w);
    if (json_walk_open(w, is_object ? '{' : '['))
        json = is_object ? json_object() : json_array();
    while (json && json_walk_more(w, is_object ? '}' : ']')) {
        size_t n = 0;
        const char *s = is_object ? json_walk_name(w, &n) : NULL;
        char *name = s ? strndup(s, n) : NULL;
        json_t *value = walk(w, depth - 1);
        if (is_object && name && value)
            json_object_setn_nocheck(json, name, n, value);
        else if (value)
            json_array_append(json, value);
        json_decref(value);
        free(name);
    }
    return json;
}

/* What goes through TEXT piece by piece finds the same, or that it is wrong. */
static bool check_walk(const char *text, size_t n, int depth)
{
    struct json_walk w;
    json_walk_begin(&w, text, n);
    json_t *ours = walk(&w, depth), *theirs;
    while (!w.has_failed && w.at < w.end && strchr(" \t\r\n", *w.at) && *w.at)
        w.at++;
    bool is_whole = ours && !w.has_failed && w.at == w.end;
    if (is_whole) {
        assert_int_equal(json_from_text(text, n, &theirs, NULL), 0);
        assert_true(json_equal(ours, theirs));
        json_decref(theirs);
    }
    json_decref(ours);
    json_walk_end(&w);
    return is_whole;
}

/* Whether TEXT was taken; then it is the same, its members in the same order. */
static bool check(const char *text, size_t n)
{
    json_t *ours = json_parse_plain(text, n), *theirs;
    for (int depth = 0; depth < 4; depth++)
        assert_true(check_walk(text, n, depth) || !ours);
    if (!ours)
        return false;
    theirs = json_loadb(text, n, JSON_DECODE_ANY, NULL);
    assert_non_null(theirs);
    struct str a = STR_INIT, b = STR_INIT;
    json_put(ours, false, &a);
    json_put(theirs, false, &b);
    assert_string_equal(str_c(&a), str_c(&b));
    assert_true(json_equal(ours, theirs));
    str_fini(&a);
    str_fini(&b);
    json_decref(ours);
    json_decref(theirs);
    return true;
}

static void test_plain(void **state UNUSED)
{
    static const char *const taken[] = {
        "{}",
        "[]",
        " [ 1 , -2,0 ]\r\n\t",
        "true",
        "null",
        "\"\"",
        "123456789012345678",
        "{\"a\":{\"b\":[{},[],\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]},\"\\\"k\\\"\":\"\\n\",\"a\":false}",
        "\"\x7f\"",
        "-999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
        assert_true(check(taken[i], strlen(taken[i])));
}

/* Right or wrong, these are for jansson. */
static void test_left(void **state UNUSED)
{
    static const char *const left[] = {"",
                                       " ",
                                       "1.0",
                                       "1e2",
                                       "-0",
                                       "01",
                                       "-",
                                       "1234567890123456789",
                                       "\"\\u0041\"",
                                       "\"\xc3\xa9\"",
                                       "\"\\x\"",
                                       "\"\\",
                                       "\"a",
                                       "[1,]",
                                       "[1",
                                       "[1 2]",
                                       "{\"a\"}",
                                       "{\"a\":}",
                                       "{a:1}",
                                       "{\"a\":1,}",
                                       "tru",
                                       "nul",
                                       "[] []",
                                       "+1",
                                       "\"\n\"",
                                       "]",
                                       "[}",
                                       "{\"a\":1]",
                                       "{\"\\u0041\":1}"};
    for (size_t i = 0; i < ARRAY_SIZE(left); i++)
        assert_null(json_parse_plain(left[i], strlen(left[i])));
    assert_null(json_parse_plain("[1]\0", 4));
    assert_null(json_parse_plain("[\0]", 3));
    assert_null(json_parse_plain("1\0", 2));
    assert_null(json_parse_plain("\"a\0b\"", 5));
    assert_null(json_parse_plain("truetrue", 3)); /* reads no further than it is told */
}

static void test_depth(void **state UNUSED)
{
    struct str text = STR_INIT;
    for (int depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
        str_clear(&text);
        for (int i = 0; i < depth; i++)
            str_putc(&text, '[');
        for (int i = 0; i < depth; i++)
            str_putc(&text, ']');
        assert_int_equal(check(text.s, text.n), depth == JSON_MAX_DEPTH);
    }
    str_fini(&text);
}

/* ---- random texts, and texts with random faults ---- */

static size_t pick(struct env *env, size_t n)
{
    return env_random_u64(env) % n;
}

static void put_text(struct env *env, unsigned depth, struct str *out)
{
    static const char *const leaves[] = {"0",
                                         "-17",
                                         "true",
                                         "false",
                                         "null",
                                         "\"\"",
                                         "\"lsp-1\"",
                                         "\"inport == \\\"a\\\"\"",
                                         "\"tab\\t\"",
                                         "999999999999999999",
                                         "2.5",
                                         "\"\\u00e9\"",
                                         "\"\xc3\xa9\"",
                                         "12345678901234567890"};
    static const char *const spaces[] = {"", "", "", " ", "\n\t"};
    size_t n = pick(env, 4), plain = pick(env, 8) ? 10 : ARRAY_SIZE(leaves);
    bool is_object = pick(env, 2);
    if (!depth || !pick(env, 4)) {
        str_put(out, leaves[pick(env, plain)]);
        return;
    }
    str_putc(out, is_object ? '{' : '[');
    for (size_t i = 0; i < n; i++) {
        str_putf(out, "%s%s", i ? "," : "", spaces[pick(env, ARRAY_SIZE(spaces))]);
        if (is_object)
            str_putf(out, "\"%s%zu\":", pick(env, 8) ? "m" : "\\\"", pick(env, 4));
        put_text(env, depth - 1, out);
        str_put(out, spaces[pick(env, ARRAY_SIZE(spaces))]);
    }
    str_putc(out, is_object ? '}' : ']');
}

static void test_random(void **state UNUSED)
{
    struct env_seeded env;
    struct str text = STR_INIT;
    size_t n_taken = 0, n_faulty_taken = 0;
    env_seeded_init(&env, 1);
    for (int round = 0; round < 20000; round++) {
        str_clear(&text);
        put_text(&env.env, 5, &text);
        n_taken += check(text.s, text.n);
        for (size_t i = 0; i <= pick(&env.env, 3); i++) {
            static const char bytes[] = "{}[]\",:\\0-1 eut\n";
            text.s[pick(&env.env, text.n)] = bytes[pick(&env.env, sizeof bytes)];
        }
        n_faulty_taken += check(text.s, text.n - pick(&env.env, 2));
    }
    assert_true(n_taken > 10000 && n_faulty_taken > 500);
    str_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
