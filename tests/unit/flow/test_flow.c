/* test_flow.c - keys, matches, extraction and rewriting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/match_tun.h"
#include "flow/rewrite.h"
#include "net/checksum.h"

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

static void set_addresses(struct flow_key *key, uint16_t eth_type)
{
    memset(key, 0, sizeof *key);
    key_set(key, FIELD_ETH_DST, 0x505400000002);
    key_set(key, FIELD_ETH_SRC, 0x505400000001);
    key_set(key, FIELD_ETH_TYPE, eth_type);
    if (eth_type == ETH_TYPE_IP) {
        key_set(key, FIELD_IP_SRC, 0x0a000001);
        key_set(key, FIELD_IP_DST, 0x0a000002);
    } else if (eth_type == ETH_TYPE_IPV6) {
        key_set(key, FIELD_IPV6_SRC, (u128)0xfd00 << 112 | 1);
        key_set(key, FIELD_IPV6_DST, (u128)0xfd00 << 112 | 2);
    }
    key->nw_ttl = 64;
}

/* A few keys of each kind. */
static size_t sample_keys(struct flow_key *keys)
{
    size_t n = 0;
    static const uint16_t types[] = {ETH_TYPE_IP, ETH_TYPE_IPV6};
    static const uint8_t protos[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP};
    for (unsigned t = 0; t < 2; t++) {
        for (unsigned i = 0; i < 3; i++) {
            set_addresses(&keys[n], types[t]);
            keys[n].nw_proto = protos[i];
            key_set(&keys[n], FIELD_TCP_SRC, 1000);
            key_set(&keys[n], FIELD_TCP_DST, 80);
            if (protos[i] == IP_PROTO_TCP)
                key_set(&keys[n], FIELD_TCP_FLAGS, TCP_SYN);
            if (i == 1)
                key_set(&keys[n], FIELD_VLAN_TCI, VLAN_CFI | 3 << 13 | 42);
            n++;
        }
        set_addresses(&keys[n], types[t]);
        keys[n].nw_proto = t ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
        keys[n].icmp_type = t ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST;
        keys[n++].nw_tos = 0xb9;
        set_addresses(&keys[n], types[t]);
        keys[n].nw_proto = IP_PROTO_UDP;
        keys[n++].nw_frag = FRAG_ANY | FRAG_LATER;
    }
    set_addresses(&keys[n], ETH_TYPE_IPV6);
    keys[n].nw_proto = IP_PROTO_ICMPV6;
    keys[n].icmp_type = ICMP6_NEIGHBOR_SOLICIT;
    key_set(&keys[n], FIELD_ND_TARGET, (u128)0xfe80 << 112 | 9);
    key_set(&keys[n++], FIELD_ND_SLL, 0x505400000001);
    set_addresses(&keys[n], ETH_TYPE_ARP);
    keys[n].nw_ttl = 0;
    key_set(&keys[n], FIELD_ARP_OP, 1);
    key_set(&keys[n], FIELD_ARP_SPA, 0x0a000001);
    key_set(&keys[n], FIELD_ARP_TPA, 0x0a000002);
    key_set(&keys[n++], FIELD_ARP_SHA, 0x505400000001);
    return n;
}

/* The checksums of a packet without fragments are right. */
static void check_sums(const struct packet *p)
{
    const uint8_t *l3 = packet_l3(p), *l4 = packet_l4(p);
    bool v4 = l3[0] >> 4 == 4;
    if (v4)
        assert_int_equal(checksum(l3, IP4_HEADER_LEN), 0);
    if (!l4 || p->l4_proto == IP_PROTO_SCTP)
        return;
    const struct ip4_header *ip4 = (const void *)l3;
    const struct ip6_header *ip6 = (const void *)l3;
    uint32_t n = packet_l4_size(p), sum = 0;
    if (!v4)
        sum = checksum_pseudo6(&ip6->src, &ip6->dst, p->l4_proto, n);
    else if (p->l4_proto != IP_PROTO_ICMP)
        sum = checksum_pseudo4(ip4->src, ip4->dst, p->l4_proto, n);
    assert_int_equal(checksum_fold(checksum_add(sum, l4, n)), 0);
}

static void test_compose_extract(void **state UNUSED)
{
    struct flow_key keys[32], got;
    size_t n = sample_keys(keys);
    for (size_t i = 0; i < n; i++) {
        struct packet p;
        packet_init(&p);
        packet_compose(&p, &keys[i], 30 + i);
        p.md.in_port = 7;
        flow_extract(&p, &got);
        assert_int_equal(key_in_port(&got), 7);
        got.in_port = 0;
        assert_memory_equal(&got, &keys[i], sizeof got);
        if (key_has_prereq(&got, PREREQ_IP) && !got.nw_frag)
            check_sums(&p);

        /* Cut anywhere: no crash, and what is not there reads as zero. */
        for (size_t len = 0; len < p.size; len++) {
            uint8_t *exact = xmemdup(p.data, len ? len : 1);
            struct packet cut;
            packet_init_view(&cut, exact, len);
            flow_extract(&cut, &got);
            if (len < 14)
                assert_int_equal(got.eth_type, 0);
            free(exact);
        }
        packet_fini(&p);
    }
}

static void test_extract_hostile(void **state UNUSED)
{
    struct flow_key keys[32], got;
    size_t n = sample_keys(keys);
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < n * 400; i++) {
        struct packet p, q;
        packet_init(&p);
        packet_compose(&p, &keys[i % n], 40);
        for (int k = 0; k < 4; k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            p.data[x % p.size] = (uint8_t)(x >> 32);
        }
        uint8_t *exact = xmemdup(p.data, p.size);
        packet_init_view(&q, exact, p.size);
        flow_extract(&q, &got);
        for (int id = FIELD_ETH_SRC; id < N_FIELDS; id++)
            packet_set_field(&q, id, x);
        packet_dec_ttl(&q);
        packet_set_ports(&q, 1, 2);
        packet_pop_vlan(&q);
        packet_fini(&q);
        free(exact);
        packet_fini(&p);
    }
}

static void test_rewrite(void **state UNUSED)
{
    struct flow_key keys[32], want, got;
    size_t n = sample_keys(keys);
    for (size_t i = 0; i < n; i++) {
        for (int id = FIELD_ETH_SRC; id < N_FIELDS; id++) {
            const struct field *f = field_get(id);
            if (!f->writable || !key_has_prereq(&keys[i], f->prereq) || f->internal)
                continue;
            if (id == FIELD_ICMPV6_TYPE || id == FIELD_ICMPV6_CODE ||
                (id == FIELD_ND_SLL && mac_is_zero(keys[i].nd_sll)))
                continue;
            struct packet p;
            packet_init(&p);
            packet_compose(&p, &keys[i], 31);
            u128 value = 0x35 & u128_ones(f->n_bits);
            if (id == FIELD_VLAN_TCI)
                value |= VLAN_CFI;
            want = keys[i];
            key_set(&want, id, value);
            if (id == FIELD_VLAN_VID || id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP)
                want.vlan_tci |= swap16(VLAN_CFI);
            packet_set_field(&p, id, value);
            flow_extract(&p, &got);
            got.in_port = 0;
            assert_memory_equal(&got, &want, sizeof got);
            if (key_has_prereq(&got, PREREQ_IP) && !got.nw_frag)
                check_sums(&p);
            packet_fini(&p);
        }
    }
}

static void test_vlan_and_ttl(void **state UNUSED)
{
    struct flow_key key, got;
    struct packet p;
    set_addresses(&key, ETH_TYPE_IP);
    key.nw_proto = IP_PROTO_UDP;
    key.nw_ttl = 2;
    packet_init(&p);
    packet_compose(&p, &key, 10);
    uint32_t size = p.size;
    packet_push_vlan(&p, ETH_TYPE_VLAN, 77);
    flow_extract(&p, &got);
    assert_int_equal(got.vlan_tci, swap16(VLAN_CFI | 77));
    assert_int_equal(got.nw_src, key.nw_src);
    uint16_t l3 = p.l3_ofs;
    packet_pop_vlan(&p);
    assert_int_equal(p.l3_ofs, l3 - 4);
    packet_pop_vlan(&p);
    assert_int_equal(p.size, size);
    assert_true(packet_dec_ttl(&p));
    check_sums(&p);
    assert_false(packet_dec_ttl(&p));
    packet_push_mpls(&p, ETH_TYPE_MPLS, 100 << 12 | 1 << 8 | 64);
    flow_extract(&p, &got);
    assert_true(key_get(&got, FIELD_MPLS_LABEL) == 100);
    packet_pop_mpls(&p, ETH_TYPE_IP);
    flow_extract(&p, &got);
    assert_int_equal(got.nw_dst, key.nw_dst);
    check_sums(&p);

    struct flow_key now = got;
    key_set(&now, FIELD_IP_DST, 0x01020304);
    key_set(&now, FIELD_ETH_SRC, 5);
    key_set(&now, FIELD_VLAN_TCI, VLAN_CFI | 9);
    packet_apply_key(&p, &got, &now);
    flow_extract(&p, &got);
    assert_memory_equal(&got, &now, sizeof got);
    check_sums(&p);
    packet_fini(&p);
}

/* The customer's frame, tag and all, is inside; the backbone's tag stands in front, and goes with the rest. */
static void test_pbb(void **state UNUSED)
{
    struct flow_key key, got;
    struct packet p;
    set_addresses(&key, ETH_TYPE_IP);
    key.nw_proto = IP_PROTO_UDP;
    key.vlan_tci = swap16(VLAN_CFI | 77);
    packet_init(&p);
    packet_compose(&p, &key, 10);
    uint32_t size = p.size;
    packet_push_pbb(&p, 3u << PBB_PCP_SHIFT | 0x123456);
    assert_int_equal(p.size, size + 18);
    packet_set_field(&p, FIELD_ETH_DST, 0x0e0000000001);
    packet_set_field(&p, FIELD_PBB_UCA, 1);
    packet_set_field(&p, FIELD_PBB_ISID, 0xabcdef);
    flow_extract(&p, &got);
    assert_true(key_has_prereq(&got, PREREQ_PBB));
    assert_int_equal(swap32(got.pbb_tci), 3u << 29 | 1u << 27 | 0xabcdef);
    assert_int_equal(got.vlan_tci, 0);
    assert_true(mac_equal(got.eth_src, key.eth_src));
    assert_int_equal(get_be16(p.data + 12), ETH_TYPE_PBB);
    assert_memory_equal(p.data + 18, &key.eth_dst, 6);
    packet_push_vlan(&p, ETH_TYPE_QINQ, 5);
    flow_extract(&p, &got);
    assert_true(key_get(&got, FIELD_PBB_ISID) == 0xabcdef);
    packet_pop_pbb(&p);
    assert_int_equal(p.size, size);
    flow_extract(&p, &got);
    got.in_port = 0;
    assert_memory_equal(&got, &key, sizeof got);
    check_sums(&p);
    packet_pop_pbb(&p); /* nothing to take off */
    assert_int_equal(p.size, size);
    packet_push_pbb(&p, 1);
    packet_truncate(&p, 30);
    flow_extract(&p, &got);
    assert_int_equal(got.pbb_tci, 0);
    packet_pop_pbb(&p);
    assert_int_equal(p.size, 30);
    packet_fini(&p);
}

static void test_partial_checksum(void **state UNUSED)
{
    struct flow_key key, got;
    struct packet p;
    set_addresses(&key, ETH_TYPE_IP);
    key.nw_proto = IP_PROTO_TCP;
    packet_init(&p);
    packet_compose(&p, &key, 100);
    const struct ip4_header *ip = packet_l3(&p);
    put_be16((uint8_t *)packet_l4(&p) + 16,
             (uint16_t)~checksum_fold(
                 checksum_pseudo4(ip->src, ip->dst, IP_PROTO_TCP, packet_l4_size(&p))));
    p.csum_partial = true;
    packet_set_field(&p, FIELD_IP_DST, 0xc0a80101);
    packet_set_field(&p, FIELD_TCP_DST, 8080);
    packet_finish_checksum(&p);
    flow_extract(&p, &got);
    check_sums(&p);
    packet_fini(&p);
}

/* A lent buffer is used as far as it reaches, never freed, and left when a packet outgrows it. */
static void test_lent(void **state UNUSED)
{
    uint8_t buffer[64] = "", *data = buffer + 8;
    memset(data, 0xaa, 40);
    struct packet p;
    packet_init_lent(&p, buffer, sizeof buffer, data, 40);
    *(uint8_t *)packet_push(&p, 8) = 1;
    *(uint8_t *)packet_append(&p, 16) = 2;
    assert_true(p.lent && p.data == buffer && p.size == 64);
    assert_int_equal(buffer[0], 1);
    assert_int_equal(buffer[48], 2);
    packet_push(&p, 1);
    assert_false(p.lent);
    assert_memory_equal(p.data + 1, buffer, 64);
    packet_fini(&p);
    packet_init_lent(&p, buffer, sizeof buffer, data, 40);
    struct packet *clone = packet_clone(&p);
    assert_false(clone->lent);
    packet_fini(&p);
    assert_int_equal(clone->data[39], 0xaa);
    packet_free(clone);
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
        cmocka_unit_test(test_compose_extract),
        cmocka_unit_test(test_extract_hostile),
        cmocka_unit_test(test_rewrite),
        cmocka_unit_test(test_vlan_and_ttl),
        cmocka_unit_test(test_partial_checksum),
        cmocka_unit_test(test_lent),
        cmocka_unit_test(test_pbb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
