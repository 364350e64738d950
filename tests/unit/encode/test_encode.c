/* test_encode.c - logical actions as OpenFlow actions: the seed profile (docs/seeds.md MB-10 to MB-17), the product's, and what the
 * switch is never sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encode/encode.h"

struct fixture {
    struct symtab *st;
    struct expr_pool *exprs;
    struct action_pool *actions;
    struct encode_params params;
    struct of_actions got, want;
};

static bool port(void *aux UNUSED, const char *name, uint32_t *ret)
{
    *ret = 5;
    return !strcmp(name, "lsp1");
}

static void fixture_init(struct fixture *f, const struct encode_profile *profile)
{
    *f = (struct fixture){.st = symtab_new()};
    f->exprs = expr_pool_new(f->st);
    f->actions = action_pool_new(f->exprs);
    f->params = (struct encode_params){.profile = profile,
                                       .pipeline = PIPELINE_INGRESS,
                                       .table = 3,
                                       .meter = OF_METER_NONE,
                                       .port = port};
}

static void fixture_fini(struct fixture *f)
{
    of_actions_fini(&f->got);
    of_actions_fini(&f->want);
    action_pool_free(f->actions);
    expr_pool_free(f->exprs);
    symtab_free(f->st);
}

static void encode(struct fixture *f, const char *text)
{
    struct actions *as;
    struct diag diag = DIAG_INIT;
    if (actions_parse(f->actions, text, NULL, &as, NULL, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    of_actions_clear(&f->got);
    of_actions_clear(&f->want);
    encode_actions(as, &f->params, &f->got);
    actions_unref(as);
}

/* What was encoded is exactly what was put into f->want. */
static void expect(struct fixture *f)
{
    assert_int_equal(f->got.n, f->want.n);
    assert_true(of_actions_equal(&f->got, &f->want));
}

static void push(struct fixture *f, enum field_id id)
{
    struct subfield s = subfield_whole(id);
    of_put_stack_push(&f->want, &s);
}

static void pop(struct fixture *f, enum field_id id)
{
    struct subfield s = subfield_whole(id);
    of_put_stack_pop(&f->want, &s);
}

static void seed_profile(void **state UNUSED)
{
    struct fixture f;
    fixture_init(&f, &encode_seed);
    encode(&f, "get_arp(outport, ip4.dst);"); /* MB-11 */
    push(&f, FIELD_REG0);
    push(&f, FIELD_IP_DST);
    pop(&f, FIELD_REG0);
    of_put_set_field(&f.want, FIELD_ETH_DST, 0);
    of_put_resubmit(&f.want, PORT_IN_PORT, 65);
    pop(&f, FIELD_REG0);
    expect(&f);

    encode(&f, "get_arp(inport, reg0);"); /* MB-12 */
    push(&f, FIELD_REG7);
    push(&f, FIELD_REG0);
    struct subfield reg0 = subfield_make(FIELD_XXREG0, 96, 32);
    of_put_stack_push(&f.want, &reg0);
    push(&f, FIELD_REG6);
    pop(&f, FIELD_REG7);
    pop(&f, FIELD_REG0);
    of_put_set_field(&f.want, FIELD_ETH_DST, 0);
    of_put_resubmit(&f.want, PORT_IN_PORT, 65);
    pop(&f, FIELD_REG0);
    pop(&f, FIELD_REG7);
    expect(&f);

    encode(&f, "put_arp(inport, arp.spa, arp.sha);"); /* MB-13 */
    push(&f, FIELD_REG1);
    push(&f, FIELD_ETH_SRC);
    push(&f, FIELD_ARP_SHA);
    push(&f, FIELD_ARP_SPA);
    pop(&f, FIELD_REG1);
    pop(&f, FIELD_ETH_SRC);
    push(&f, FIELD_REG0);
    of_put_set_field(&f.want, FIELD_REG0, 0xbd9c9810);
    of_put_controller(&f.want, 65535, 0, 6, NULL, 0, false, OF_METER_NONE);
    pop(&f, FIELD_REG0);
    pop(&f, FIELD_ETH_SRC);
    pop(&f, FIELD_REG1);
    expect(&f);

    encode(&f, "ip.ttl = 4; next; output; output;"); /* MB-15, MB-17 */
    of_put_set_field(&f.want, FIELD_IP_TTL, 4);
    of_put_resubmit(&f.want, PORT_IN_PORT, 20);
    of_put_resubmit(&f.want, PORT_IN_PORT, 32);
    of_put_resubmit(&f.want, PORT_IN_PORT, 32);
    expect(&f);
    f.params.pipeline = PIPELINE_EGRESS;
    encode(&f, "next(2); output;");
    of_put_resubmit(&f.want, PORT_IN_PORT, 50);
    of_put_resubmit(&f.want, PORT_IN_PORT, 64);
    expect(&f);
    fixture_fini(&f);
}

/* MB-16: a learned neighbour as the table has it that get_arp asks */
static void neighbors(void **state UNUSED)
{
    struct encode_neighbor n = {9, 7, {0}, {{0}}};
    struct match match, want;
    struct of_actions got = OF_ACTIONS_INIT, expected = OF_ACTIONS_INIT;
    assert_int_equal(ip_addr_parse("192.168.11.23", &n.ip), 0);
    assert_int_equal(mac_parse("80:00:00:00:00:23", &n.mac), 0);
    match_init(&match);
    encode_neighbor(&encode_seed, &n, &match, &got);
    match_init(&want);
    match_set(&want, FIELD_METADATA, 9);
    match_set(&want, FIELD_REG7, 7);
    match_set(&want, FIELD_REG0, 0xc0a80b17);
    assert_true(match_equal(&match, &want));
    of_put_set_field(&expected, FIELD_ETH_DST, 0x800000000023);
    assert_true(of_actions_equal(&got, &expected));

    match_init(&match);
    of_actions_clear(&got);
    encode_neighbor(&encode_modern, &n, &match, &got);
    match_init(&want);
    match_set(&want, FIELD_METADATA, 9);
    match_set(&want, FIELD_REG15, 7);
    match_set(&want, FIELD_REG0, 0xc0a80b17);
    assert_true(match_equal(&match, &want));
    struct subfield found = subfield_make(FIELD_REG10, 6, 1);
    of_put_load(&expected, &found, 1);
    assert_true(of_actions_equal(&got, &expected));
    assert_int_equal(encode_seed.mac_binding, 65);

    assert_int_equal(ip_addr_parse("fd00::23", &n.ip), 0);
    match_init(&match);
    encode_neighbor(&encode_modern, &n, &match, &got);
    assert_true(key_get(&match.key, FIELD_XXREG0) == ip_addr_to_u128(&n.ip));
    of_actions_fini(&got);
    of_actions_fini(&expected);
}

static void product_profile(void **state UNUSED)
{
    static const uint8_t put_arp[] = {0, 0, 0, OPCODE_PUT_ARP, 0, 0, 0, 0};
    struct fixture f;
    fixture_init(&f, &encode_modern);
    encode(&f, "put_arp(inport, arp.spa, arp.sha);");
    push(&f, FIELD_REG0);
    push(&f, FIELD_ETH_SRC);
    push(&f, FIELD_ARP_SHA);
    push(&f, FIELD_ARP_SPA);
    pop(&f, FIELD_REG0);
    pop(&f, FIELD_ETH_SRC);
    of_put_controller(&f.want, 65535, 0, 1, put_arp, sizeof put_arp, false, OF_METER_NONE);
    pop(&f, FIELD_ETH_SRC);
    pop(&f, FIELD_REG0);
    expect(&f);

    encode(&f, "ip.ttl--; reg0 = ip4.dst; reg9[2] = 1; outport = \"lsp1\"; inport = \"\"; next;");
    struct of_dec_ttl *ttl = of_put(&f.want, OF_DEC_TTL, sizeof *ttl);
    ttl->form = OF_FORM_2;
    struct subfield reg0 = subfield_make(FIELD_XXREG0, 96, 32), dst = subfield_whole(FIELD_IP_DST);
    of_put_move(&f.want, &dst, &reg0);
    of_put_set_field_masked(&f.want, FIELD_XREG4, 4, 4);
    of_put_set_field(&f.want, FIELD_REG15, 5);
    of_put_set_field(&f.want, FIELD_REG14, 0);
    of_put_resubmit(&f.want, PORT_IN_PORT, 12);
    expect(&f);

    encode(&f, "clone { output; }; eth.src <-> eth.dst;");
    size_t clone = of_begin_clone(&f.want);
    of_put_resubmit(&f.want, PORT_IN_PORT, 39);
    of_end_nested(&f.want, clone);
    push(&f, FIELD_ETH_DST);
    push(&f, FIELD_ETH_SRC);
    pop(&f, FIELD_ETH_DST);
    pop(&f, FIELD_ETH_SRC);
    expect(&f);
    fixture_fini(&f);
}

/* Nested actions travel as OpenFlow 1.5 actions behind the opcode, and can be read back. */
static void nested_actions_can_be_read(void **state UNUSED)
{
    struct fixture f;
    fixture_init(&f, &encode_modern);
    encode(&f, "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg1; arp.op = 1; output; };");
    const struct of_controller *c = (const void *)f.got.data;
    assert_int_equal(c->type, OF_CONTROLLER);
    assert_true(c->pause);
    assert_memory_equal(c->userdata, "\0\0\0\0\0\0\0", 8);
    struct of_actions inner = OF_ACTIONS_INIT;
    assert_int_equal(of_actions_decode(c->userdata + 8, c->userdata_len - 8u, OF15_VERSION, &inner),
                     0);
    of_put_set_field(&f.want, FIELD_ETH_DST, 0xffffffffffff);
    struct subfield reg1 = subfield_make(FIELD_XXREG0, 64, 32), spa = subfield_whole(FIELD_ARP_SPA);
    of_put_move(&f.want, &reg1, &spa);
    of_put_set_field(&f.want, FIELD_ARP_OP, 1);
    of_put_resubmit(&f.want, PORT_IN_PORT, 39);
    assert_true(of_actions_equal(&inner, &f.want));
    of_actions_fini(&inner);
    fixture_fini(&f);
}

static void nothing_is_drop(void **state UNUSED)
{
    struct fixture f;
    fixture_init(&f, &encode_modern);
    encode(&f, "drop;");
    expect(&f);
    /* no callbacks: no groups, no meters */
    encode(&f, "ct_lb(backends=1.2.3.4:80);");
    expect(&f);
    encode(&f, "set_meter(100, 1000);");
    expect(&f);
    encode(&f, "bind_vport(\"gone\", inport);");
    expect(&f);
    fixture_fini(&f);
}

/* Userdata longer than an action may be is not sent. */
static void too_long_is_not_sent(void **state UNUSED)
{
    struct fixture f;
    fixture_init(&f, &encode_modern);
    struct str s = STR_INIT;
    str_put(&s, "arp { ");
    for (int i = 0; i < 5000; i++)
        str_put(&s, "eth.dst = 00:00:00:00:00:01; ");
    str_put(&s, "};");
    encode(&f, str_c(&s));
    expect(&f);
    str_fini(&s);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_profile),    cmocka_unit_test(neighbors),
        cmocka_unit_test(product_profile), cmocka_unit_test(nested_actions_can_be_read),
        cmocka_unit_test(nothing_is_drop), cmocka_unit_test(too_long_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
