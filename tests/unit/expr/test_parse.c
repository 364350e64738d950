/* test_parse.c - text to expressions and back, builders, errors with their place, hostile input. */
#include "base/err.h"
#include "unit/expr/fixture.h"

static void expect_text(struct world *w, struct expr *e, const char *text)
{
    char *s = expr_to_text(e);
    assert_string_equal(s, text);
    free(s);
    struct expr *again;
    assert_int_equal(expr_parse(w->pool, text, NULL, &again, NULL), 0);
    assert_ptr_equal(again, e);
    expr_unref(again);
    expr_unref(e);
}

static void builders_print_and_parse(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    struct expr_pool *p = w.pool;
    expect_text(&w, expr_true(p), "1");
    expect_text(&w, expr_eq(p, SYM_ETH_DST, 0x0000000000ff), "eth.dst == 00:00:00:00:00:ff");
    expect_text(&w, expr_eq(p, SYM_IP4_DST, 0x0a000001), "ip4.dst == 10.0.0.1");
    expect_text(&w, expr_eq_prefix(p, SYM_IP4_DST, 0x0a000000, 8), "ip4.dst == 10.0.0.0/8");
    expect_text(&w, expr_eq_prefix(p, SYM_IP6_SRC, (u128)0xfe80 << 112, 10),
                "ip6.src == fe80::/10");
    expect_text(&w, expr_eq_prefix(p, SYM_IP4_DST, 0, 0), "1");
    expect_text(&w, expr_eq_bits(p, SYM_REG9, 2, 1, 1), "reg9[2]");
    expect_text(&w, expr_eq_bits(p, SYM_REG9, 2, 1, 0), "!reg9[2]");
    expect_text(&w, expr_eq_bits(p, SYM_REG8, 0, 16, 7), "reg8[0..15] == 0x7");
    expect_text(&w, expr_flag(p, SYM_IP4, true), "ip4");
    expect_text(&w, expr_flag(p, SYM_CT_NEW, false), "!ct.new");
    expect_text(&w, expr_str_eq(p, SYM_INPORT, "a \"b\""), "inport == \"a \\\"b\\\"\"");
    expect_text(&w, expr_set(p, SYM_IP4_SRC, EXPR_NE, "as1"), "ip4.src != $as1");
    expect_text(&w, expr_port_group(p, SYM_OUTPORT, EXPR_EQ, "pg1"), "outport == @pg1");
    expect_text(&w, expr_resident(p, "cr-lrp", true), "!is_chassis_resident(\"cr-lrp\")");
    expect_text(&w, expr_str_in(p, SYM_INPORT, (const char *[]){"x", "y"}, 2),
                "inport == {\"x\", \"y\"}");
    expect_text(&w,
                expr_all(p, expr_flag(p, SYM_ARP, true), expr_eq(p, SYM_ARP_OP, 1),
                         expr_in(p, SYM_ARP_TPA, (u128[]){1, 2}, 2), NULL),
                "arp && arp.op == 1 && arp.tpa == {0.0.0.1, 0.0.0.2}");
    expect_text(&w,
                expr_or(p, expr_and(p, expr_flag(p, SYM_IP4, true), expr_eq(p, SYM_TCP_DST, 80)),
                        expr_not(p, expr_eq(p, SYM_ETH_SRC, 1))),
                "(ip4 && tcp.dst == 80) || eth.src != 00:00:00:00:00:01");
    world_fini(&w);
}

static void builders_keep_shape(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    struct expr_pool *p = w.pool;
    struct expr *e = expr_eq(p, SYM_ETH_SRC, 1);
    assert_ptr_equal(expr_and(p, expr_ref(e), expr_true(p)), e);
    expr_unref(e);
    assert_ptr_equal(expr_or(p, e, expr_false(p)), e);
    struct expr *f = expr_and(p, expr_ref(e), expr_false(p));
    assert_true(f->kind == EXPR_BOOL && !f->b);
    expr_unref(f);
    /* AND of AND is one AND, and the same one however it was made */
    struct expr *x = expr_eq(p, SYM_ETH_SRC, 2), *y = expr_eq(p, SYM_ETH_SRC, 3);
    struct expr *l = expr_and(p, expr_and(p, expr_ref(e), expr_ref(x)), expr_ref(y));
    struct expr *r = expr_and(p, expr_ref(e), expr_and(p, x, y));
    assert_ptr_equal(l, r);
    assert_int_equal(l->n, 3);
    /* twice not */
    assert_ptr_equal(expr_not(p, expr_not(p, expr_ref(l))), l);
    expr_unref(l);
    expr_unref(l);
    expr_unref(r);
    expr_unref(e);
    world_fini(&w);
}

static void text_style_round_trips(void **state UNUSED)
{
    static const char *const texts[] = {
        "ip4.src == {10.0.0.0/8, 10.1.2.3, $set} && (tcp || udp)",
        "ip.ttl == 0x4/0x6",
        "ip4.src != {1.2.3.4, 5.6.7.8} || eth.src > 00:00:00:00:00:05",
        "(ip4.src != {1.2.3.4, 5.6.7.8} && eth.mcast) || vlan.pcp <= 3",
        "eth.type == {0x800, 0x86dd}",
        "xxreg0 == 0x1/0x10000000000000001",
        "ct_label.ecmp_reply_eth == 00:00:00:00:00:01 && ct_mark.obs_stage == 2",
        "ip4.dst == 10.0.0.1/255.0.255.255",
        "vlan.pcp == 0/0",
        "udp.src == 0/47 && reg0 == 0/0x5",
        "flags.network_id == 3 && !flags.loopback",
    };
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct expr *e, *again;
        assert_int_equal(expr_parse(w.pool, texts[i], NULL, &e, NULL), 0);
        char *s = expr_to_text(e);
        struct diag diag = DIAG_INIT;
        if (expr_parse(w.pool, s, NULL, &again, &diag))
            fail_msg("%s: %s", s, diag_text(&diag));
        assert_ptr_equal(again, e);
        expr_unref(again);
        expr_unref(e);
        free(s);
    }
    world_fini(&w);
}

static void every_symbol_works(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < N_SYMBOL_IDS; i++) {
        const struct symbol *s = symtab_at(w.st, i);
        if (s->flags & SF_ACTION_ONLY)
            continue;
        struct expr *e = s->is_string ? expr_str_eq(w.pool, (enum symbol_id)i, "x")
                                      : expr_cmp_sym(w.pool, s, EXPR_EQ, 1, u128_ones(s->width));
        struct expr *a;
        struct diag diag = DIAG_INIT;
        if (expr_annotate(e, &a, &diag))
            fail_msg("%s: %s", s->name, diag_text(&diag));
        expr_unref(a);
        char *text = expr_to_text(e);
        expect_text(&w, e, text);
        free(text);
    }
    world_fini(&w);
}

static void errors_have_places(void **state UNUSED)
{
    static const struct {
        const char *text;
        long offset;
        const char *message;
    } cases[] = {
        {"ip4 &&", 6, "Syntax error at end of input expecting constant."},
        {"", 0, "Syntax error at end of input expecting constant."},
        {"ip4 && !reg0 == 1", 8, "Missing parentheses around operand of !."},
        {"!1 < reg0 < 3", 1, "Missing parentheses around operand of !."},
        {"reg0 == {1,,2}", 11, "Syntax error at `,' expecting constant."},
        {"ip4 && tcp || udp", 11, "&& and || must be parenthesized when used together."},
        {"ip4 ip6", 4, "Syntax error at `ip6' expecting end of input."},
        {"tcp.dst == 65536", 11, "17-bit constant is not compatible with 16-bit field tcp.dst."},
        {"ip4.src == {1.2.3.4, \"x\"}", 21, "Syntax error at `\"x\"' expecting integer."},
        {"reg0[0..", 8, "Syntax error at end of input expecting small integer."},
        {"(ip4", 4, "Syntax error at end of input expecting `)'."},
        {"\"abc", 0, "Input ends inside quoted string."},
        {"eth.src == 00:00:00:00:00:0g", 11, "Invalid numeric constant."},
    };
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct diag diag = DIAG_INIT;
        struct expr *e;
        assert_int_not_equal(expr_parse(w.pool, cases[i].text, NULL, &e, &diag), 0);
        assert_null(e);
        assert_string_equal(diag_text(&diag), cases[i].message);
        assert_int_equal(diag.offset, cases[i].offset);
        diag_fini(&diag);
    }
    world_fini(&w);
}

static char *repeat(const char *a, const char *middle, const char *b, size_t n)
{
    struct str s = STR_INIT;
    for (size_t i = 0; i < n; i++)
        str_put(&s, a);
    str_put(&s, middle);
    for (size_t i = 0; i < n; i++)
        str_put(&s, b);
    return str_steal(&s);
}

static void hostile_input(void **state UNUSED)
{
    struct world w;
    struct expr *e;
    world_init(&w);
    char *deep = repeat("(", "ip4", ")", 1000000);
    assert_int_equal(expr_parse(w.pool, deep, NULL, &e, NULL), ERR_TOO_BIG);
    free(deep);
    char *bangs = repeat("!", "eth.mcast", "", 1000001);
    assert_int_equal(expr_parse(w.pool, bangs, NULL, &e, NULL), 0);
    assert_true(e->relop == EXPR_NE);
    expr_unref(e);
    free(bangs);
    char *wide = repeat("eth.mcast || ", "ct.new", " || ct.est", 100000);
    assert_int_equal(expr_parse(w.pool, wide, NULL, &e, NULL), 0);
    assert_int_equal(e->n, 200001);
    expr_unref(e);
    free(wide);
    char *hex = repeat("f", "", "", 100000);
    char *text = xasprintf("reg0 == 0x%s", hex);
    assert_int_not_equal(expr_parse(w.pool, text, NULL, &e, NULL), 0);
    free(text);
    free(hex);
    /* every prefix, and every single byte changed, of a text that uses the whole grammar */
    static const char good[] =
        "!(ip4.src == {10.0.0.1/8, $a} && 1 < vlan.pcp <= 4) || inport == @p || reg0[1..3] != 0x2 "
        "|| "
        "eth.src == 00:00:00:00:00:01/01:00:00:00:00:00 || !is_chassis_resident(\"x\\u0041\")";
    char buf[sizeof good];
    for (size_t i = 0; i < sizeof good; i++)
        for (int c = 0; c < 256; c += i ? 7 : 1) {
            memcpy(buf, good, sizeof good);
            buf[i] = (char)c;
            buf[sizeof good - 1] = '\0';
            if (!expr_parse(w.pool, buf, NULL, &e, NULL)) {
                char *s = expr_to_text(e);
                struct expr *again;
                assert_int_equal(expr_parse(w.pool, s, NULL, &again, NULL), 0);
                assert_ptr_equal(again, e);
                expr_unref(again);
                expr_unref(e);
                free(s);
            }
        }
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders_print_and_parse), cmocka_unit_test(builders_keep_shape),
        cmocka_unit_test(text_style_round_trips),   cmocka_unit_test(every_symbol_works),
        cmocka_unit_test(errors_have_places),       cmocka_unit_test(hostile_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
