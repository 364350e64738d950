/* test_flow.c - fields, keys and matches, and their texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/match_tun.h"
#include "flow/rewrite.h"

static void test_fields(void **state UNUSED)
{
    for (int i = FIELD_NONE + 1; i < N_FIELDS; i++) {
        const struct field *f = field_get(i);
        struct flow_key key;
        memset(&key, 0, sizeof key);
        assert_ptr_equal(field_find(f->name), f);
        if (f->oxm.name)
            assert_ptr_equal(field_find_header(f->oxm.class, f->oxm.number), f);
        if (f->nxm.name)
            assert_ptr_equal(field_find_header(f->nxm.class, f->nxm.number), f);
        u128 value = u128_ones(f->n_bits) & ((u128)0x123456789abcdef0 << 64 | 0xfedcba9876543210);
        if (i == FIELD_IN_PORT)
            value = 0xfffd;
        if (FIELD_IS_TUN_METADATA(i))
            continue; /* test_options */
        key_set(&key, i, value);
        assert_true(key_get(&key, i) == value);
        key_set(&key, i, 0);
        struct flow_key zero;
        memset(&zero, 0, sizeof zero);
        assert_true(flow_key_equal(&key, &zero));
    }
    assert_null(field_find("nonsense"));
    assert_null(field_find_header(0x8000, 200));
}

static uint8_t next_byte(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return (uint8_t)(*state >> 24);
}

/* Some bytes of it, at some place; LEN up to 124. */
static struct tun_value random_option(uint32_t *state, unsigned len)
{
    struct tun_value v = {{0}};
    for (unsigned i = 0; i < len; i++)
        v.b[TUN_OPT_MAX - 1 - i] = next_byte(state) % 3 ? next_byte(state) : 0;
    return v;
}

static void check_option(const struct match *m, enum field_id id, const struct tun_value *value,
                         const struct tun_value *mask)
{
    struct tun_value v, got;
    enum tun_match kind = match_get_tun(m, id, &v, &got);
    struct tun_value want = *value;
    if (mask)
        tun_value_and(&want, mask);
    if (!mask) {
        assert_int_equal(kind, TUN_EXACT);
    } else if (tun_value_is_zero(mask)) {
        assert_int_equal(kind, TUN_NOT);
    } else {
        assert_int_equal(kind, TUN_MASKED);
        assert_memory_equal(&got, mask, sizeof got);
    }
    assert_memory_equal(&v, &want, sizeof v);
}

static bool option_matches(const struct match *m, enum field_id id, const struct flow_key *key,
                           const struct tun_opts *opts)
{
    struct tun_value want, mask, have;
    enum tun_match kind = match_get_tun(m, id, &want, &mask);
    key_get_tun(key, opts, id, &have);
    tun_value_and(&have, &mask);
    return kind == TUN_NOT || (key_has_tun(key, opts, id) && !memcmp(&have, &want, sizeof have));
}

/* Options of all widths in keys and matches, and all that matches do with each other (in the form that they have in a switch, where the
 * option's width is known), against their values. */
static void test_options(void **state UNUSED)
{
    static const unsigned lens[] = {1, 4, 8, 9, 12, 124};
    uint32_t seed = 1;
    for (unsigned round = 0; round < 4000; round++) {
        enum field_id id = FIELD_TUN_METADATA0 + next_byte(&seed) % 64;
        unsigned len = lens[next_byte(&seed) % ARRAY_SIZE(lens)];
        struct tun_value v = random_option(&seed, len), mask = random_option(&seed, len);
        bool exact = next_byte(&seed) & 1, near_miss = next_byte(&seed) & 1;
        struct flow_key key;
        struct tun_opts opts;
        struct match m, other, back, both;
        memset(&key, 0, sizeof key);
        tun_opts_init(&opts);
        match_init(&m);
        assert_true(match_set_tun(&m, id, &v, exact ? NULL : &mask));
        check_option(&m, id, &v, exact ? NULL : &mask);
        unsigned n_bits = ROUND_UP(len, 4u) * 8;
        assert_true(match_cut_tun(&m, id, n_bits));
        assert_true(key_set_tun(&key, &opts, id, &v));
        assert_true(match_covers(&m, &key, &opts));
        if (near_miss) {
            v.b[TUN_OPT_MAX - 1 - next_byte(&seed) % len] ^= 1;
            assert_true(key_set_tun(&key, &opts, id, &v));
        }
        assert_int_equal(match_covers(&m, &key, &opts), option_matches(&m, id, &key, &opts));
        struct minimatch *mini = minimatch_new(&m);
        minimatch_expand(mini, &back);
        assert_true(match_equal(&back, &m));
        assert_true(match_hash(&back, 1) == match_hash(&m, 1));
        free(mini);

        match_init(&other);
        struct tun_value mask2 = random_option(&seed, len);
        assert_true(match_set_tun(&other, id, &v, &mask2));
        assert_true(match_cut_tun(&other, id, n_bits));
        assert_true(match_intersect(&m, &other, &both) == match_overlaps(&m, &other));
        if (match_overlaps(&m, &other)) {
            assert_true(match_cut_tun(&both, id, n_bits));
            assert_true(match_is_subset(&both, &m) && match_is_subset(&both, &other));
            assert_int_equal(match_covers(&both, &key, &opts),
                             match_covers(&m, &key, &opts) && match_covers(&other, &key, &opts));
        } else {
            assert_false(match_covers(&m, &key, &opts) && match_covers(&other, &key, &opts));
        }
        assert_true(key_set_tun(&key, &opts, id, NULL));
        assert_true(tun_opts_is_empty(&opts) && !key_has_tun(&key, &opts, id));
        assert_true(tun_value_is_zero(&mask2) || !match_covers(&other, &key, &opts));
    }
}

/* What a field of N bits can hold of a match; what else it says is cut, or makes it one that nothing has. */
static void test_options_cut(void **state UNUSED)
{
    enum field_id near = FIELD_TUN_METADATA0, far = FIELD_TUN_METADATA63;
    struct tun_value v, mask;
    struct match a, b;
    for (unsigned i = 0; i < 2; i++) {
        enum field_id id = i ? far : near;
        match_init(&a);
        match_init(&b);
        match_set_masked(&a, id, 0x11223344, 0xffffffff);
        match_set_masked(&b, id, 0x11223344, 0xffffffffff);
        assert_true(match_cut_tun(&a, id, 32) && match_cut_tun(&b, id, 32));
        assert_true(match_equal(&a, &b));
        assert_int_equal(match_get_tun(&a, id, &v, &mask), TUN_EXACT);
        match_set(&b, id, 0x11223344);
        assert_true(match_cut_tun(&b, id, 32) && match_equal(&a, &b));
        match_set(&b, id, 0x5511223344);
        assert_false(match_cut_tun(&b, id, 32));
        match_set(&b, id, 0);
        assert_true(match_cut_tun(&b, id, 0));
        assert_int_equal(match_get_tun(&b, id, &v, &mask), TUN_PRESENT);
        /* Of 12 bytes, eight are not all. */
        match_set_masked(&a, id, 5, UINT64_MAX);
        match_set(&b, id, 5);
        assert_true(match_cut_tun(&a, id, 96) && match_cut_tun(&b, id, 96));
        assert_int_equal(match_get_tun(&a, id, &v, &mask), TUN_MASKED);
        assert_int_equal(match_get_tun(&b, id, &v, &mask), TUN_EXACT);
        assert_true(match_is_subset(&b, &a) && !match_is_subset(&a, &b));
        struct flow_key key;
        struct tun_opts opts;
        memset(&key, 0, sizeof key);
        tun_opts_init(&opts);
        tun_value_of(&v, (u128)1 << 90 | 5);
        assert_true(key_set_tun(&key, &opts, id, &v));
        assert_true(match_covers(&a, &key, &opts) && !match_covers(&b, &key, &opts));
    }
}

static void test_options_text(void **state UNUSED)
{
    static const struct {
        const char *in, *out;
    } good[] = {
        {"0", "0"},
        {"0x0", "0"},
        {"17", "0x11"},
        {"0x100000000000000000000000000000000000001", "0x100000000000000000000000000000000000001"},
        {"0xff/0xf", "0xf/0xf"},
        {"5/-1", "0x5"},
        {"0x5/0x100000000000000000000000000000000", "0/0x100000000000000000000000000000000"},
        {"*", "0/0"}};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct tun_value v, mask;
        struct str s = STR_INIT;
        bool masked;
        assert_int_equal(tun_value_parse(good[i].in, &v, &mask, &masked), 0);
        tun_value_put(&s, &v, masked ? &mask : NULL);
        assert_string_equal(str_c(&s), good[i].out);
        str_fini(&s);
    }
    struct str wide = STR_INIT;
    str_put(&wide, "0x0");
    for (unsigned i = 0; i < 2 * TUN_OPT_MAX; i++)
        str_putc(&wide, 'f');
    struct tun_value v, mask;
    bool masked;
    assert_int_equal(tun_value_parse(str_c(&wide), &v, &mask, &masked), 0);
    assert_memory_equal(&v, &mask, sizeof v);
    str_putc(&wide, '1');
    assert_int_not_equal(tun_value_parse(str_c(&wide), &v, &mask, &masked), 0);
    str_fini(&wide);
    static const char *const bad[] = {"",   "0x",   "x",
                                      "5/", "/5",   "0x5g",
                                      "-1", "5/0x", "999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_not_equal(tun_value_parse(bad[i], &v, &mask, &masked), 0);
}

static void test_registers_overlap(void **state UNUSED)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_REG14, 1);
    key_set(&key, FIELD_REG15, 2);
    assert_true(key_get(&key, FIELD_XREG7) == 0x100000002);
    key_set(&key, FIELD_XXREG0, (u128)0x20010db800000000 << 64 | 0x22);
    assert_true(key_get(&key, FIELD_REG0) == 0x20010db8);
    assert_true(key_get(&key, FIELD_REG3) == 0x22);
    struct subfield sub = subfield_make(FIELD_XXREG0, 96, 32);
    assert_true(key_get_bits(&key, &sub) == 0x20010db8);
    key_set(&key, FIELD_IN_PORT, 0xfffd);
    assert_true(key_get(&key, FIELD_IN_PORT_OXM) == PORT_CONTROLLER);
}

static void test_subfield_text(void **state UNUSED)
{
    static const struct {
        const char *in, *out;
    } good[] = {{"reg0[0..15]", "NXM_NX_REG0[0..15]"},
                {"NXM_OF_ETH_SRC[]", "NXM_OF_ETH_SRC[]"},
                {"OXM_OF_METADATA[3]", "OXM_OF_METADATA[3]"},
                {"eth_dst", "NXM_OF_ETH_DST[]"},
                {"xreg4[53]", "OXM_OF_PKT_REG4[53]"}};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct subfield sub;
        struct str s = STR_INIT;
        const char *p = good[i].in;
        assert_int_equal(subfield_parse(&p, &sub), 0);
        assert_string_equal(p, "");
        subfield_put(&s, &sub);
        assert_string_equal(str_c(&s), good[i].out);
        str_fini(&s);
    }
    static const char *const bad[] = {"reg0[32]", "reg0[5..4]", "reg0[0..32]", "reg0[", "reg0[0..]",
                                      "x[]",      "",           "reg0[-1]"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct subfield sub;
        const char *p = bad[i];
        assert_int_not_equal(subfield_parse(&p, &sub), 0);
    }
}

static void check_field_text(const char *name, const char *in, const char *out)
{
    const struct field *f = field_find(name);
    u128 value, mask;
    struct str s = STR_INIT;
    assert_int_equal(field_parse(f, in, NULL, &value, &mask), 0);
    field_put(&s, f, value, mask, NULL);
    assert_string_equal(str_c(&s), out);
    str_fini(&s);
}

static void test_field_text(void **state UNUSED)
{
    check_field_text("reg0", "5", "0x5");
    check_field_text("reg0", "0/0x1000", "0/0x1000");
    check_field_text("reg0", "0x5/0xffffffff", "0x5");
    check_field_text("ct_label", "0x20000000000000003/-1", "0x20000000000000003");
    check_field_text("ct_state", "+new-est+trk", "+new-est+trk");
    check_field_text("ct_state", "0x21/0x21", "+new+trk");
    check_field_text("ip_frag", "not_later", "not_later");
    check_field_text("ip_frag", "no", "no");
    check_field_text("ip_dscp", "10/0x3f", "10");
    check_field_text("tcp_flags", "+syn-ack", "+syn-ack");
    check_field_text("tcp_flags", "syn|ack", "syn|ack");
    check_field_text("in_port", "local", "LOCAL");
    check_field_text("in_port", "65533", "CONTROLLER");
    check_field_text("eth_dst", "01:00:00:00:00:00/01:00:00:00:00:00",
                     "01:00:00:00:00:00/01:00:00:00:00:00");
    static const char *const bad[][2] = {
        {"reg0", "0x100000000"},  {"reg0", ""},
        {"reg0", "0x"},           {"reg0", "1/"},
        {"ct_state", "+"},        {"ct_state", "+foo"},
        {"ct_state", "+new-new"}, {"ip_src", "1.2.3"},
        {"in_port", "nosuch"},    {"xxreg0", "999999999999999999999999999999999999999999"}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        u128 v, m;
        assert_int_not_equal(field_parse(field_find(bad[i][0]), bad[i][1], NULL, &v, &m), 0);
    }
}

static void test_match_algebra(void **state UNUSED)
{
    struct match any, net, host, other, r;
    match_init(&any);
    match_init(&net);
    match_set_prereq(&net, PREREQ_IPV4);
    match_set_masked(&net, FIELD_IP_DST, 0x0a0000ff, 0xffffff00);
    assert_true(key_get(&net.key, FIELD_IP_DST) == 0x0a000000); /* normal form */
    host = net;
    match_set(&host, FIELD_IP_DST, 0x0a000001);
    other = net;
    match_set(&other, FIELD_IP_DST, 0x0a000101);
    assert_true(match_is_subset(&host, &net));
    assert_false(match_is_subset(&net, &host));
    assert_true(match_is_subset(&net, &any));
    assert_true(match_is_subset(&net, &net));
    assert_true(match_overlaps(&host, &net));
    assert_false(match_overlaps(&other, &net));
    assert_true(match_intersect(&any, &host, &r));
    assert_true(match_equal(&r, &host));
    match_init(&r);
    match_set(&r, FIELD_REG0, 7);
    assert_true(match_intersect(&r, &net, &r));
    assert_true(match_is_subset(&r, &net));
    assert_true(match_implies_prereq(&net, PREREQ_IPV4));
    assert_true(match_implies_prereq(&net, PREREQ_IP));
    assert_false(match_implies_prereq(&net, PREREQ_TCP));

    struct minimatch *a = minimatch_new(&r), *b = minimatch_new(&net);
    struct match back;
    minimatch_expand(a, &back);
    assert_true(match_equal(&back, &r));
    assert_false(minimatch_equal(a, b));
    struct flow_key key = r.key;
    assert_true(minimatch_covers_key(a, &key) && minimatch_covers_key(b, &key));
    key_set(&key, FIELD_REG0, 8);
    assert_false(minimatch_covers_key(a, &key));
    assert_true(match_covers_key(&net, &key));
    free(a);
    free(b);
}

static void test_match_text(void **state UNUSED)
{
    struct match m;
    struct str s = STR_INIT;
    match_init(&m);
    match_put(&s, &m, 32768, NULL);
    assert_string_equal(str_c(&s), "");
    match_set(&m, FIELD_METADATA, 1);
    match_set_prereq(&m, PREREQ_IPV4);
    match_set_prereq(&m, PREREQ_TCP);
    match_set(&m, FIELD_TCP_DST, 80);
    match_set_masked(&m, FIELD_IP_DST, 0x0a000000, 0xffffff00);
    match_set_masked(&m, FIELD_CT_STATE, CT_TRK, CT_TRK | CT_NEW);
    match_set(&m, FIELD_VLAN_VID, VLAN_CFI | 5);
    match_put(&s, &m, 100, NULL);
    assert_string_equal(str_c(&s), "priority=100,ct_state=-new+trk,tcp,metadata=0x1,dl_vlan=5,"
                                   "nw_dst=10.0.0.0/24,tp_dst=80");
    str_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_options_cut),
        cmocka_unit_test(test_options_text),
        cmocka_unit_test(test_registers_overlap),
        cmocka_unit_test(test_subfield_text),
        cmocka_unit_test(test_field_text),
        cmocka_unit_test(test_match_algebra),
        cmocka_unit_test(test_match_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
