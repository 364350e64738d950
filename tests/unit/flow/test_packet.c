/* test_packet.c - packets: composed and taken apart, hostile ones too; rewritten, tagged, with unfinished checksums, lent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "flow/rewrite.h"
#include "net/checksum.h"

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
        cmocka_unit_test(test_compose_extract),
        cmocka_unit_test(test_extract_hostile),
        cmocka_unit_test(test_rewrite),
        cmocka_unit_test(test_vlan_and_ttl),
        cmocka_unit_test(test_pbb),
        cmocka_unit_test(test_partial_checksum),
        cmocka_unit_test(test_lent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
