/* test_symbols.c - the names of the language are those of tests/data/lflow/symbols.txt, each with its kind, level of measurement, width, access,
 * prerequisite and definition; and the parsers keep to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "action/action.h"
#include "base/vec.h"

/* A line of the table. */
struct row {
    char name[32], kind[16], level[16], access[8], since[8], prereq[16], definition[160];
    unsigned width;
};

typedef VEC(struct row) row_vec;

static row_vec read_rows(void)
{
    row_vec rows = VEC_INIT;
    FILE *f = fopen(TEST_DATA "/lflow/symbols.txt", "r");
    char line[400];
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        struct row r;
        if (*line == '#' || *line == '\n')
            continue;
        assert_int_equal(sscanf(line, "%31s %15s %15s %u %7s %7s %15s %159[^\n]", r.name, r.kind,
                                r.level, &r.width, r.access, r.since, r.prereq, r.definition),
                         8);
        vec_push(&rows, r);
    }
    fclose(f);
    return rows;
}

static const char *kind_of(const struct symbol *s)
{
    static const char *const names[] = {
        [SYMBOL_FIELD] = "field", [SYMBOL_SUBFIELD] = "subfield", [SYMBOL_PREDICATE] = "predicate"};
    return s->flags & SF_ACTION_ONLY ? "note" : s->is_string ? "string" : names[s->kind];
}

/* A subfield of one bit is ordinal by the book, and nothing comes of it. */
static const char *level_of(const struct symbol *s)
{
    return s->level == LEVEL_NOMINAL                                 ? "nominal"
           : s->level == LEVEL_ORDINAL || s->kind == SYMBOL_SUBFIELD ? "ordinal"
                                                                     : "boolean";
}

static const char *access_of(const struct symbol *s)
{
    return s->flags & SF_RO ? "ro" : s->flags & SF_RO_CT ? "ct" : "rw";
}

static void test_table(void **state UNUSED)
{
    struct symtab *st = symtab_new();
    row_vec rows = read_rows();
    const struct row *r;
    assert_int_equal(rows.n, symtab_count(st)); /* none besides */
    VEC_FOR_EACH (r, &rows) {
        const struct symbol *s = symtab_find(st, r->name, strlen(r->name));
        if (!s)
            fail_msg("no %s", r->name);
        char *ours =
            xasprintf("%s %s %s %u %s %s %s", s->name, kind_of(s), level_of(s), s->width,
                      access_of(s), s->prereq ? s->prereq : "-", s->expansion ? s->expansion : "-");
        char *theirs = xasprintf("%s %s %s %u %s %s %s", r->name, r->kind, r->level, r->width,
                                 r->access, r->prereq, r->definition);
        assert_string_equal(ours, theirs);
        free(ours);
        free(theirs);
    }
    vec_fini(&rows);
    symtab_free(st);
}

/* Does the parser of matches take "NAME REST"? */
static bool takes_match(struct expr_pool *p, const char *before, const char *name, const char *rest)
{
    char *text = xasprintf("%s%s%s", before, name, rest);
    struct expr *e, *annotated = NULL;
    int rc = expr_parse(p, text, NULL, &e, NULL);
    if (!rc)
        assert_int_equal(expr_annotate(e, &annotated, NULL), 0);
    expr_unref(annotated);
    expr_unref(e);
    free(text);
    return !rc;
}

static bool takes_action(struct action_pool *p, const char *format, const char *name)
{
    struct str s = STR_INIT;
    const char *at = strchr(format, '@');
    str_put_n(&s, format, (size_t)(at - format));
    str_put(&s, name);
    str_put(&s, at + 1);
    struct actions *as;
    int rc = actions_parse(p, str_c(&s), NULL, &as, NULL, NULL);
    actions_unref(as);
    str_fini(&s);
    return !rc;
}

/* What each kind, level and access means to who writes matches and actions. */
static void test_meaning(void **state UNUSED)
{
    struct symtab *st = symtab_new();
    struct expr_pool *exprs = expr_pool_new(st);
    struct action_pool *actions = action_pool_new(exprs);
    row_vec rows = read_rows();
    const struct row *r;
    VEC_FOR_EACH (r, &rows) {
        bool is_string = !strcmp(r->kind, "string"), is_predicate = !strcmp(r->kind, "predicate");
        bool is_nominal = !strcmp(r->level, "nominal"), is_bit = r->width == 1;
        char top[64];
        assert_int_equal(takes_match(exprs, "", r->name, " == 1"), !is_string);
        assert_int_equal(takes_match(exprs, "", r->name, " == \"x\""), is_string);
        assert_int_equal(takes_match(exprs, "", r->name, " != 1"), !is_nominal);
        assert_int_equal(takes_match(exprs, "", r->name, " < 1"), !is_nominal && !is_predicate);
        assert_int_equal(takes_match(exprs, "", r->name, ""), is_bit);
        assert_int_equal(takes_match(exprs, "!", r->name, ""),
                         !is_string && !(is_nominal && is_predicate));
        assert_int_equal(takes_match(exprs, "", r->name, "[0] == 1"),
                         !is_string && (!is_nominal || is_bit));
        snprintf(top, sizeof top, "[%u] == 1", r->width - 1);
        assert_int_equal(takes_match(exprs, "", r->name, top),
                         !is_string && (!is_nominal || is_bit));
        snprintf(top, sizeof top, "[%u] == 1", r->width);
        assert_false(takes_match(exprs, "", r->name, top));
        bool is_rw = !strcmp(r->access, "rw"), is_ct = !strcmp(r->access, "ct");
        assert_int_equal(takes_action(actions, is_string ? "@ = \"x\";" : "@ = 1;", r->name),
                         is_rw);
        assert_int_equal(takes_action(actions, "ct_commit { @ = 1; };", r->name), is_ct);
        assert_int_equal(takes_action(actions, "pop(@);", r->name), is_rw);
        assert_int_equal(takes_action(actions, "push(@);", r->name), !is_predicate);
    }
    vec_fini(&rows);
    action_pool_free(actions);
    expr_pool_free(exprs);
    symtab_free(st);
}

/* "!field" is "field == 0", and a predicate's one bit is the predicate. */
static void test_spellings(void **state UNUSED)
{
    static const char *const same[][2] = {
        {"!reg0", "reg0 == 0"},
        {"!(reg0 && reg1)", "reg0 == 0 || reg1 == 0"},
        {"!ip.proto", "ip.proto == 0"},
        {"!eth.type[0..15]", "eth.type == 0"},
        {"reg0 == {1 2, 3,}", "reg0 == {1, 2, 3}"},
        {"ip4[0]", "ip4"},
        {"tcp[0] == 1", "tcp"},
        {"!vlan.present[0]", "!vlan.present"},
    };
    struct symtab *st = symtab_new();
    struct expr_pool *p = expr_pool_new(st);
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        struct expr *a, *b, *x, *y;
        assert_int_equal(expr_parse(p, same[i][0], NULL, &a, NULL), 0);
        assert_int_equal(expr_parse(p, same[i][1], NULL, &b, NULL), 0);
        assert_int_equal(expr_annotate(a, &x, NULL), 0);
        assert_int_equal(expr_annotate(b, &y, NULL), 0);
        if (x != y)
            fail_msg("%s is not %s", same[i][0], same[i][1]);
        char *text = expr_to_text(a);
        struct expr *again;
        assert_int_equal(expr_parse(p, text, NULL, &again, NULL), 0);
        assert_ptr_equal(again, a);
        free(text);
        expr_unref(again);
        expr_unref(a);
        expr_unref(b);
        expr_unref(x);
        expr_unref(y);
    }
    expr_pool_free(p);
    symtab_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_meaning),
                                       cmocka_unit_test(test_spellings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
