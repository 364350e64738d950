/* test_action.c - builders, text and back, types, prerequisites, hostile input; docs/seeds.md MB-1 to MB-6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "action/action.h"
#include "base/err.h"

struct pools {
    struct symtab *st;
    struct expr_pool *exprs;
    struct action_pool *actions;
};

static void pools_init(struct pools *p)
{
    p->st = symtab_new();
    p->exprs = expr_pool_new(p->st);
    p->actions = action_pool_new(p->exprs);
}

static void pools_fini(struct pools *p)
{
    action_pool_free(p->actions); /* aborts if something is left */
    expr_pool_forget(p->exprs);
    assert_int_equal(expr_pool_count(p->exprs), 0);
    expr_pool_free(p->exprs);
    symtab_free(p->st);
}

/* AS prints as TEXT, and TEXT parses to AS. Takes AS. */
static void expect_text(struct pools *p, struct actions *as, const char *text)
{
    char *s = actions_to_text(as);
    struct actions *again;
    struct diag diag = DIAG_INIT;
    assert_string_equal(s, text);
    if (actions_parse(p->actions, text, NULL, &again, NULL, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    assert_ptr_equal(again, as);
    actions_unref(again);
    actions_unref(as);
    free(s);
}

static void builders_print_and_parse(void **state UNUSED)
{
    struct pools p;
    pools_init(&p);
    struct action_pool *a = p.actions;
    expect_text(&p, actions_drop(a), "drop;");
    expect_text(&p, actions_of(a, action_next(a), NULL), "next;");
    expect_text(&p, actions_of(a, action_next_table(a, 7), NULL), "next(7);");
    expect_text(&p,
                actions_of(a, action_dec_ttl(a), action_load_as(a, SYM_REG0, 0x0a000001, CONST_IP4),
                           action_load(a, SYM_ETH_SRC, 0xff01),
                           action_load_str(a, SYM_OUTPORT, "lrp1"),
                           action_load_bits(a, SYM_FLAGS_LOOPBACK, 0, 1, 1), action_next(a), NULL),
                "ip.ttl--; reg0 = 10.0.0.1; eth.src = 00:00:00:00:ff:01; outport = \"lrp1\"; "
                "flags.loopback = 1; next;");
    expect_text(&p,
                actions_of(a, action_move(a, SYM_REG0, SYM_IP4_DST),
                           action_exchange(a, SYM_ETH_SRC, SYM_ETH_DST), NULL),
                "reg0 = ip4.dst; eth.src <-> eth.dst;");
    expect_text(&p,
                actions_of(a, action_get_arp(a, SYM_OUTPORT, SYM_REG0),
                           action_put_arp(a, SYM_INPORT, SYM_ARP_SPA, SYM_ARP_SHA),
                           action_result(a, ACTION_LOOKUP_ARP, action_bits(a, SYM_REG9, 2, 1), 3,
                                         (enum symbol_id[]){SYM_INPORT, SYM_ARP_SPA, SYM_ARP_SHA}),
                           action_result(a, ACTION_LOOKUP_ARP_IP, action_bits(a, SYM_REG9, 3, 1), 2,
                                         (enum symbol_id[]){SYM_INPORT, SYM_ARP_SPA}),
                           NULL),
                "get_arp(outport, reg0); put_arp(inport, arp.spa, arp.sha); "
                "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); "
                "reg9[3] = lookup_arp_ip(inport, arp.spa);");
    expect_text(
        &p,
        actions_of(a,
                   action_nest(a, ACTION_ARP,
                               actions_of(a, action_load(a, SYM_ETH_DST, 0xffffffffffff),
                                          action_move(a, SYM_ARP_SPA, SYM_REG1),
                                          action_load(a, SYM_ARP_OP, 1), action_output(a), NULL)),
                   NULL),
        "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg1; arp.op = 1; output; };");
    expect_text(&p,
                actions_join(actions_of(a, action_word(a, ACTION_CT_CLEAR), NULL),
                             actions_of(a, action_ct_nat(a, ACTION_CT_SNAT, 0x01020304, CONST_IP4),
                                        action_ct_nat(a, ACTION_CT_DNAT, 1, CONST_IP6), NULL)),
                "ct_clear; ct_snat(1.2.3.4); ct_dnat(::1);");
    expect_text(&p, actions_of(a, action_load_str(a, SYM_INPORT, ""), NULL), "inport = \"\";");
    pools_fini(&p);
}

/* Equal actions are one object. */
static void interning(void **state UNUSED)
{
    struct pools p;
    pools_init(&p);
    struct action *x = action_load(p.actions, SYM_REG0, 5),
                  *y = action_load(p.actions, SYM_REG0, 5);
    struct action *z = action_load_as(p.actions, SYM_REG0, 5, CONST_HEX);
    assert_ptr_equal(x, y);
    assert_ptr_not_equal(x, z);
    struct actions *s = actions_of(p.actions, x, NULL), *t = actions_of(p.actions, y, NULL);
    assert_ptr_equal(s, t);
    actions_unref(s);
    actions_unref(t);
    action_unref(z);
    pools_fini(&p);
}

static void expect_prereq(struct pools *p, const char *text, const char *prereq)
{
    struct actions *as;
    struct expr *e;
    struct diag diag = DIAG_INIT;
    if (actions_parse(p->actions, text, NULL, &as, &e, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    struct str s = STR_INIT;
    expr_print(e, EXPR_STYLE_CANONICAL, &s);
    assert_string_equal(str_c(&s), prereq);
    str_fini(&s);
    expr_unref(e);
    actions_unref(as);
}

static void seed_language(void **state UNUSED)
{
    struct pools p;
    pools_init(&p);
    /* MB-3: subfields and read-only fields are fine as arguments */
    expect_prereq(&p, "get_arp(inport, xxreg0[0..31]);", "1");
    /* MB-4 */
    expect_prereq(&p, "get_arp(outport, ip4.dst);", "eth.type == 0x800");
    expect_prereq(&p, "get_arp(inport, reg0);", "1");
    expect_prereq(&p, "put_arp(inport, arp.spa, arp.sha);",
                  "eth.type == 0x806 && eth.type == 0x806");
    /* inner actions of arp { } speak of another packet */
    expect_prereq(&p, "arp { arp.spa = 1.2.3.4; };", "ip");
    expect_prereq(&p, "clone { arp.spa = 1.2.3.4; };", "eth.type == 0x806");
    pools_fini(&p);
}

static void errors(void **state UNUSED)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        /* MB-5 */
        {"get_arp;", "Syntax error at `;' expecting `('."},
        {"get_arp();", "Syntax error at `)' expecting field name."},
        {"get_arp(inport);", "Syntax error at `)' expecting `,'."},
        {"get_arp(inport ip4.dst);", "Syntax error at `ip4.dst' expecting `,'."},
        {"get_arp(inport, ip4.dst;", "Syntax error at `;' expecting `)'."},
        /* MB-3: no constants */
        {"get_arp(inport, 1.2.3.4);", "Syntax error at `1.2.3.4' expecting field name."},
        {"put_arp(\"p\", arp.spa, arp.sha);", "Syntax error at `\"p\"' expecting field name."},
        /* MB-6 */
        {"get_arp(inport, eth.dst);",
         "Cannot use 48-bit field eth.dst[0..47] where 32-bit field is required."},
        {"get_arp(inport, outport);",
         "Cannot use string field outport where numeric field is required."},
        {"get_arp(reg0, ip4.dst);",
         "Cannot use numeric field reg0 where string field is required."},
        {"output", "Syntax error at end of input expecting `;'."},
        {"tcp.dst = 65536;", "17-bit constant is not compatible with 16-bit field tcp.dst."},
        {"arp { output; ", "Syntax error at end of input."},
        {"reg0 = ;", "Syntax error at `;' expecting constant."},
        {"rate_limit(1);", "Syntax error at `rate_limit' expecting action."}, /* SD-2 */
    };
    struct pools p;
    pools_init(&p);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct actions *as;
        struct expr *e;
        struct diag diag = DIAG_INIT;
        assert_int_not_equal(actions_parse(p.actions, cases[i].text, NULL, &as, &e, &diag), 0);
        assert_null(as);
        assert_string_equal(diag_text(&diag), cases[i].message);
        diag_fini(&diag);
    }
    pools_fini(&p);
}

static void next_knows_its_table(void **state UNUSED)
{
    static const struct action_context at10 = {PIPELINE_INGRESS, 10, 29, 24};
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"next;", "next;"},
        {"next(11);", "next;"},
        {"next(12);", "next(12);"},
        {"next(29);", NULL},
        {"next(pipeline=ingress, table=11);", "next;"},
        {"next(pipeline=egress, table=3);", "next(pipeline=egress, table=3);"},
        {"next(table=3, pipeline=sideways);", NULL},
        {"next(pipeline=egress, table=23);", "next(pipeline=egress, table=23);"},
        {"next(pipeline=egress, table=24);", NULL},
    };
    struct pools p;
    pools_init(&p);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct actions *as;
        int rc = actions_parse(p.actions, cases[i].text, &at10, &as, NULL, NULL);
        assert_int_equal(!rc, cases[i].printed != NULL);
        if (rc)
            continue;
        char *s = actions_to_text(as);
        assert_string_equal(s, cases[i].printed);
        free(s);
        actions_unref(as);
    }
    pools_fini(&p);
}

/* Every accepted text of the vectors is a fixed point after one print. */
static void vectors_are_fixed_points(void **state UNUSED)
{
    static const struct action_context at10 = {PIPELINE_INGRESS, 10, 35, 24};
    struct pools p;
    FILE *f = fopen(TEST_DATA "/vectors/actions.txt", "r");
    char *line = NULL;
    size_t cap = 0, n = 0;
    assert_non_null(f);
    pools_init(&p);
    while (getline(&line, &cap, f) >= 0) {
        struct actions *as, *again;
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "in: ", 4) || actions_parse(p.actions, line + 4, &at10, &as, NULL, NULL))
            continue;
        char *s = actions_to_text(as);
        assert_int_equal(actions_parse(p.actions, s, &at10, &again, NULL, NULL), 0);
        assert_ptr_equal(again, as);
        actions_unref(again);
        actions_unref(as);
        free(s);
        n++;
    }
    assert_true(n > 100);
    free(line);
    fclose(f);
    pools_fini(&p);
}

static void hostile_input(void **state UNUSED)
{
    static const char good[] =
        "clone { ip.ttl--; reg1[0] = put_dhcp_opts(offerip = 1.2.3.4, dns_server = {1.1.1.1}); "
        "ct_lb(backends=[::1]:80; hash_fields=\"ip_src\"; skip_snat); ct_commit { ct_mark = 1/1; "
        "}; "
        "reg0 = select(values=(1=50, 2); hash_fields=\"x\"); log(name=\"n\", verdict=drop); "
        "sample(probability=1,obs_point=reg3); next(pipeline=egress, table=1); }; ct_snat(1.2.3.4, "
        "1-5);";
    struct pools p;
    struct actions *as;
    char buf[sizeof good];
    pools_init(&p);
    assert_int_equal(actions_parse(p.actions, good, NULL, &as, NULL, NULL), 0);
    actions_unref(as);
    for (size_t i = 0; i < sizeof good; i++)
        for (int c = 0; c < 256; c += 5) {
            memcpy(buf, good, sizeof good);
            buf[i] = (char)c;
            buf[sizeof good - 1] = '\0';
            if (!actions_parse(p.actions, buf, NULL, &as, NULL, NULL)) {
                char *s = actions_to_text(as);
                struct actions *again;
                assert_int_equal(actions_parse(p.actions, s, NULL, &again, NULL, NULL), 0);
                assert_ptr_equal(again, as);
                actions_unref(again);
                actions_unref(as);
                free(s);
            }
        }
    struct str deep = STR_INIT;
    for (int i = 0; i < 100000; i++)
        str_put(&deep, "clone { ");
    assert_int_equal(actions_parse(p.actions, str_c(&deep), NULL, &as, NULL, NULL), ERR_TOO_BIG);
    str_fini(&deep);
    pools_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders_print_and_parse),
        cmocka_unit_test(interning),
        cmocka_unit_test(seed_language),
        cmocka_unit_test(errors),
        cmocka_unit_test(next_knows_its_table),
        cmocka_unit_test(vectors_are_fixed_points),
        cmocka_unit_test(hostile_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
