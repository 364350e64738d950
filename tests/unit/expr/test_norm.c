/* test_norm.c - sizes of normal forms: sums instead of products, merging, limits, contradictions. */
#include "base/err.h"
#include "unit/expr/fixture.h"

static bool two_ports(void *aux UNUSED, const struct symbol *sym UNUSED, const char *name,
                      uint32_t *ret)
{
    *ret = 5;
    return !strcmp(name, "lsp1");
}

static const struct norm_ports ports = {NULL, two_ports};

/* The normal form of TEXT; the sizes are checked by the caller. */
static struct norm build(struct world *w, const char *text, unsigned flags)
{
    const struct expr_world empty = {0};
    struct expr *e;
    struct diag diag = DIAG_INIT;
    struct norm norm;
    if (expr_parse(w->pool, text, NULL, &e, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    assert_int_equal(norm_from_expr(e, &empty, &ports, flags, 0, &norm, &diag), 0);
    expr_unref(e);
    return norm;
}

static void expect_size(struct world *w, const char *text, unsigned flags, size_t n,
                        uint32_t n_conj)
{
    struct norm norm = build(w, text, flags);
    if (norm.n != n || norm.n_conj != n_conj)
        fail_msg("%s: %zu flows and %u conjunctions instead of %zu and %u", text, norm.n,
                 norm.n_conj, n, n_conj);
    norm_fini(&norm);
}

static void small_sizes(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    expect_size(&w, "1", 0, 1, 0);
    expect_size(&w, "0", 0, 0, 0);
    expect_size(&w, "ip4 && ip6", 0, 0, 0);
    expect_size(&w, "ip && tcp", 0, 2, 0);
    expect_size(&w, "tcp.dst == 80", 0, 2, 0);
    expect_size(&w, "ip4 && tcp.dst == {80, 443}", 0, 2, 0);
    expect_size(&w, "inport == \"lsp1\"", 0, 1, 0);
    expect_size(&w, "inport == \"gone\"", 0, 0, 0);
    expect_size(&w, "inport == {\"gone\", \"lsp1\"}", 0, 1, 0);
    /* within each other */
    expect_size(&w, "ip4.src == {10.0.0.0/8, 10.1.0.0/16, 10.1.2.3}", 0, 1, 0);
    expect_size(&w, "ip4.src == 10.0.0.0/8 && ip4.src == 10.1.0.0/16", 0, 1, 0);
    expect_size(&w, "ip4.src == 10.0.0.0/8 && ip4.src == 11.0.0.0/16", 0, 0, 0);
    expect_size(&w, "eth.src == 00:00:00:00:00:01 || 1", 0, 1, 0);
    world_fini(&w);
}

static void merging(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    expect_size(&w, "ip4.src == {10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3}", 0, 4, 0);
    expect_size(&w, "ip4.src == {10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3}", NORM_MERGE, 1, 0);
    expect_size(&w, "ip4.src == {10.0.0.0/25, 10.0.0.128/25, 10.0.1.0/24, 10.0.0.77}", NORM_MERGE,
                1, 0);
    expect_size(&w, "ip4.src == {0.0.0.0/1, 128.0.0.0/1}", NORM_MERGE, 1, 0);
    /* nominal fields cannot be masked */
    expect_size(&w, "ip4 && ip.ttl == {0, 1}", NORM_MERGE, 2, 0);
    expect_size(&w, "eth.type == {0, 1}", NORM_MERGE, 2, 0);
    world_fini(&w);
}

/* Registers that are stored in one field of the switch are dimensions as any two fields are. */
static void registers(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    expect_size(&w, "reg0 == {1, 2, 4} && reg1 == {1, 2, 4}", NORM_MERGE, 3 + 3 + 1, 1);
    expect_size(&w, "reg0 != 40 && reg1 != 40 && reg2 != 40", NORM_MERGE, 3 * 32 + 1, 1);
    expect_size(&w, "reg0 > 3 && reg0 < 8 && reg1 == {1, 2, 4}", NORM_MERGE, 3, 0);
    world_fini(&w);
}

static char *big_set(unsigned n, unsigned first, const char *field)
{
    struct str s = STR_INIT;
    str_putf(&s, "%s == {", field);
    for (unsigned i = 0; i < n; i++) {
        unsigned a = first + i * 3; /* no neighbours to merge */
        str_putf(&s, "%s10.%u.%u.%u", i ? ", " : "", a >> 16 & 255, a >> 8 & 255, a & 255);
    }
    str_putc(&s, '}');
    return str_steal(&s);
}

static void thousand_by_thousand(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    char *src = big_set(1000, 0, "ip4.src"), *dst = big_set(1000, 100000, "ip4.dst");
    char *both = xasprintf("%s && %s", src, dst);
    expect_size(&w, both, NORM_MERGE, 2001, 1);
    char *three = xasprintf("%s && %s && tcp.dst == {1, 3, 5, 7}", src, dst);
    expect_size(&w, three, NORM_MERGE, 2005, 1);
    /* (A x B) or (C x D) stays a sum, too */
    char *either = xasprintf("(%s) || (%s && tcp.dst == {1, 3, 5, 7, 9})", both, src);
    expect_size(&w, either, 0, 2001 + 1 + 1000 + 5, 2);
    free(either);
    free(three);
    free(both);
    free(dst);
    free(src);
    world_fini(&w);
}

static void limit_is_kept(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    const struct expr_world empty = {0};
    char *src = big_set(1000, 0, "ip4.src"), *dst = big_set(1000, 100000, "ip4.dst");
    char *both = xasprintf("%s && %s", src, dst);
    struct expr *e;
    struct norm norm;
    struct diag diag = DIAG_INIT;
    assert_int_equal(expr_parse(w.pool, both, NULL, &e, NULL), 0);
    assert_int_equal(norm_from_expr(e, &empty, &ports, NORM_NO_CONJ, 999999, &norm, &diag),
                     ERR_TOO_BIG);
    assert_non_null(strstr(diag_text(&diag), "1000000"));
    diag_fini(&diag);
    assert_int_equal(norm_from_expr(e, &empty, &ports, 0, 2000, &norm, &diag), ERR_TOO_BIG);
    diag_fini(&diag);
    assert_int_equal(norm_from_expr(e, &empty, &ports, 0, 2001, &norm, &diag), 0);
    norm_fini(&norm);
    expr_unref(e);
    free(both);
    free(dst);
    free(src);
    world_fini(&w);
}

/* Many dimensions of two would be 2^100 flows if multiplied. */
static void many_dimensions(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    struct str s = STR_INIT;
    for (unsigned i = 0; i < 30; i++)
        str_putf(&s, "%s(eth.src[%u] || eth.dst[%u])", i ? " && " : "", i, i);
    struct norm norm = build(&w, str_c(&s), 0);
    assert_int_equal(norm.n, 61);
    assert_int_equal(norm.n_conj, 1);
    norm_fini(&norm);
    str_fini(&s);
    world_fini(&w);
}

/* More than a conjunction has clauses: the shortest lists become one, two at a time. */
static void more_dimensions_than_clauses(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    struct str s = STR_INIT;
    for (unsigned i = 0; i < 80; i++)
        str_putf(&s, "%s(eth.%s[%u] || xxreg0[%u])", i ? " && " : "", i < 40 ? "src" : "dst",
                 i % 40, i);
    struct norm norm = build(&w, str_c(&s), 0);
    assert_int_equal(norm.n, 1 + 48 * 2 + 16 * 4);
    norm_fini(&norm);
    str_fini(&s);
    world_fini(&w);
}

/* A thousand values that are not wanted cost a flow or less for each of their bits. */
static void exclusions(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    expect_size(&w, "reg0 != 5", 0, 32, 0);
    expect_size(&w, "reg0 != 5 && reg0 != 5", 0, 32, 0);
    expect_size(&w, "reg0 != {4, 5}", 0, 31, 0);
    expect_size(&w, "reg0 != {4, 5} && reg1 != {4, 5, 6, 7}", 0, 31 + 30 + 1, 1);
    expect_size(&w, "tcp.dst[0..1] != {0, 1, 2}", 0, 2, 0);
    expect_size(&w, "tcp.dst[0..1] != {0, 1, 2, 3}", 0, 0, 0);
    expect_size(&w, "reg0 != {1, 2} && reg0 == {1, 2, 3}", 0, 1, 0);
    char *set = big_set(1000, 0, "ip4.src");
    memcpy(strstr(set, "=="), "!=", 2);
    /* 10.0.0.0, 3, 6, ... 2997: within 2,048 + 1,024 addresses, 2 of 3 are left, the half of them beside one another; and 20 larger parts */
    struct norm norm = build(&w, set, 0);
    assert_in_range(norm.n, 1000, 1800);
    norm_fini(&norm);
    free(set);
    world_fini(&w);
}

/* The sentence that refuses TEXT. */
static void expect_refusal(struct world *w, const char *text, size_t limit, const char *why)
{
    const struct expr_world empty = {0};
    struct diag diag = DIAG_INIT;
    struct norm norm;
    struct expr *e;
    assert_int_equal(expr_parse(w->pool, text, NULL, &e, &diag), 0);
    assert_int_equal(norm_from_expr(e, &empty, &ports, NORM_MERGE, limit, &norm, &diag),
                     ERR_TOO_BIG);
    if (!strstr(diag_text(&diag), why))
        fail_msg("\"%s\" instead of \"%s\"", diag_text(&diag), why);
    diag_fini(&diag);
    expr_unref(e);
}

/* "N alternatives that are products": each makes 2^N together, which is known without making any, if they are about different bits. */
static char *products(unsigned n, unsigned step)
{
    struct str s = STR_INIT;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = i * step;
        str_putf(&s,
                 "%s((xxreg0[%u..%u] == {1, 2, 4} && xxreg1[%u..%u] == {1, 2, 4}) || "
                 "(xxreg0[%u..%u] == {1, 2, 4} && xxreg1[%u..%u] == {1, 2, 4}))",
                 i ? " && " : "", at, at + 2, at, at + 2, at + 64, at + 66, at + 64, at + 66);
    }
    return str_steal(&s);
}

static void count_comes_first(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    char *apart = products(20, 3), *shared = products(10, 2), *few = products(6, 3);
    expect_refusal(&w, apart, 0,
                   "The match needs 1048576 flows or more, which is above the limit of 1000000.");
    expect_refusal(&w, few, 63, "The match needs 64 flows or more");
    expect_refusal(&w, shared, 1000,
                   "The match needs up to 3570467226624 flows, and to tell how many takes more");
    free(apart);
    free(shared);
    free(few);
    /* each flow is in half of 2^13 conjunctions, and a message has no room for so many */
    char *wide = products(13, 3);
    expect_refusal(&w, wide, 0, "needs a flow that is in 4096 conjunctions");
    free(wide);
    world_fini(&w);
}

/* Whatever the limit, what is made keeps to it, and what is refused with a count needs more. */
static void limits_at_random(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    const struct expr_world empty = {0};
    unsigned seed = 7, n_refused = 0, n_made = 0;
    for (int round = 0; round < 400; round++) {
        struct str s = STR_INIT;
        for (unsigned i = 0; i < 3 + seed % 3; i++) {
            seed = seed * 1103515245 + 12345;
            unsigned a = seed >> 8 & 3, b = seed >> 10 & 3, c = seed >> 12 & 7;
            str_putf(&s, "%s((reg%u[0..3] != {%u, 9} && eth.src[%u..%u] == {1, 2}) || reg%u == %u)",
                     i ? " && " : "", a, c, 4 * b, 4 * b + 2, b, c);
        }
        struct expr *e;
        struct norm all, norm;
        assert_int_equal(expr_parse(w.pool, str_c(&s), NULL, &e, NULL), 0);
        assert_int_equal(norm_from_expr(e, &empty, &ports, NORM_MERGE, 0, &all, NULL), 0);
        for (size_t limit = 1; limit < 2000; limit *= 3) {
            struct diag diag = DIAG_INIT;
            int rc = norm_from_expr(e, &empty, &ports, NORM_MERGE, limit, &norm, &diag);
            unsigned long long n = 0;
            if (!rc) {
                assert_true(norm.n <= limit && norm.n == all.n);
                norm_fini(&norm);
                n_made++;
            } else {
                assert_int_equal(rc, ERR_TOO_BIG);
                assert_int_equal(sscanf(diag_text(&diag), "The match needs %llu flows", &n), 1);
                assert_true(n > limit);
                assert_int_equal(norm_from_expr(e, &empty, &ports, NORM_MERGE, n - 1, &norm, NULL),
                                 ERR_TOO_BIG);
                n_refused++;
            }
            diag_fini(&diag);
        }
        norm_fini(&all);
        expr_unref(e);
        str_fini(&s);
    }
    assert_true(n_refused > 100 && n_made > 100);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_sizes),
        cmocka_unit_test(merging),
        cmocka_unit_test(registers),
        cmocka_unit_test(thousand_by_thousand),
        cmocka_unit_test(limit_is_kept),
        cmocka_unit_test(many_dimensions),
        cmocka_unit_test(more_dimensions_than_clauses),
        cmocka_unit_test(exclusions),
        cmocka_unit_test(count_comes_first),
        cmocka_unit_test(limits_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
