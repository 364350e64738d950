/* test_tunnel_mtu.c - what is told to senders of packets that do not fit a tunnel's path: addresses, sizes and sums of the answer, and about what nothing may be told. */
#include "switchd/port/tunnel_mtu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/checksum.h"
#include "net/headers.h"

enum { MTU = 1400, SIZE = 1500 };

/* A frame with N_TAGS tags and an IP packet of SIZE bytes, UDP. */
static size_t make(uint8_t *frame, bool v4, int n_tags)
{
    size_t at = ETH_HEADER_LEN;
    memset(frame, 0xab, SIZE + ETH_HEADER_LEN + 8);
    memcpy(frame, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
    for (int i = 0; i < n_tags; i++, at += VLAN_HEADER_LEN) {
        put_be16(frame + at - 2, i + 1 == n_tags ? ETH_TYPE_VLAN : ETH_TYPE_QINQ);
        put_be16(frame + at, 7);
    }
    put_be16(frame + at - 2, v4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    if (v4) {
        struct ip4_header *ip = (void *)(frame + at);
        ip->ihl_ver = 0x45;
        put_be16(&ip->tot_len, SIZE);
        put_be16(&ip->frag_off, IP4_DF);
        ip->proto = IP_PROTO_UDP;
        memcpy(&ip->src, "\12\0\0\1", 4);
        memcpy(&ip->dst, "\12\0\0\2", 4);
    } else {
        struct ip6_header *ip = (void *)(frame + at);
        put_be32(frame + at, 0x60000000);
        put_be16(&ip->payload_len, SIZE - IP6_HEADER_LEN);
        ip->next = IP_PROTO_UDP;
        memset(&ip->src, 0, sizeof ip->src);
        ip->src.b[0] = 0xfd;
        ip->dst = ip->src;
        ip->src.b[15] = 1;
        ip->dst.b[15] = 2;
    }
    return at;
}

static bool answers(const uint8_t *frame, size_t n, uint32_t mtu)
{
    struct packet p;
    packet_init(&p);
    bool is = tunnel_mtu_answer(frame, n, mtu, &p);
    packet_fini(&p);
    return is;
}

static void test_answers(void **state)
{
    (void)state;
    uint8_t frame[SIZE + 64];
    for (int n_tags = 0; n_tags <= 2; n_tags++) {
        for (int v4 = 0; v4 < 2; v4++) {
            struct packet p;
            size_t at = make(frame, v4, n_tags), head = v4 ? IP4_HEADER_LEN : IP6_HEADER_LEN;
            packet_init(&p);
            assert_true(tunnel_mtu_answer(frame, at + SIZE, MTU, &p));
            const uint8_t *l3 = p.data + at;
            const struct icmp_header *icmp = (const void *)(l3 + head);
            size_t n = p.size - at - head;
            assert_memory_equal(p.data, frame + 6, 6);
            assert_memory_equal(p.data + 6, frame, 6);
            assert_memory_equal(p.data + 12, frame + 12, at - 12);
            assert_int_equal(get_be32(&icmp->rest), MTU);
            assert_memory_equal(icmp + 1, frame + at, n - ICMP_HEADER_LEN);
            assert_int_equal(p.size - at, v4 ? 576 : 1280);
            if (v4) {
                const struct ip4_header *ip = (const void *)l3, *of = (const void *)(frame + at);
                assert_int_equal(checksum(ip, IP4_HEADER_LEN), 0);
                assert_int_equal(get_be16(&ip->tot_len), p.size - at);
                assert_true(ip->src == of->dst && ip->dst == of->src);
                assert_int_equal(icmp->type << 8 | icmp->code, ICMP_DST_UNREACH << 8 | 4);
                assert_int_equal(checksum(icmp, n), 0);
            } else {
                const struct ip6_header *ip = (const void *)l3, *of = (const void *)(frame + at);
                assert_int_equal(get_be16(&ip->payload_len), n);
                assert_true(ip6_equal(ip->src, of->dst) && ip6_equal(ip->dst, of->src));
                assert_int_equal(icmp->type << 8 | icmp->code, ICMP6_PACKET_TOO_BIG << 8);
                uint32_t sum = checksum_pseudo6(&ip->src, &ip->dst, IP_PROTO_ICMPV6, (uint32_t)n);
                assert_int_equal(checksum_fold(checksum_add(sum, icmp, n)), 0);
            }
            packet_fini(&p);
        }
    }
}

/* RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e). */
static void test_no_answers(void **state)
{
    (void)state;
    uint8_t frame[SIZE + 64];
    for (int v4 = 0; v4 < 2; v4++) {
        size_t at = make(frame, v4, 0), n = at + SIZE;
        struct ip4_header *ip4 = (void *)(frame + at);
        struct ip6_header *ip6 = (void *)(frame + at);
        assert_true(answers(frame, n, v4 ? 68 : 1280));
        assert_false(answers(frame, n, v4 ? 67 : 1279));
        frame[0] |= 1; /* to many */
        assert_false(answers(frame, n, MTU));
        frame[0] &= (uint8_t)~1;
        frame[6] |= 1;
        assert_false(answers(frame, n, MTU));
        frame[6] &= (uint8_t)~1;
        /* Errors, but not what else ICMP says. */
        uint8_t *type = frame + at + (v4 ? IP4_HEADER_LEN : IP6_HEADER_LEN);
        if (v4)
            ip4->proto = IP_PROTO_ICMP;
        else
            ip6->next = IP_PROTO_ICMPV6;
        *type = v4 ? ICMP_DST_UNREACH : ICMP6_TIME_EXCEEDED;
        assert_false(answers(frame, n, MTU));
        *type = v4 ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
        assert_true(answers(frame, n, MTU));
        if (v4) {
            put_be16(&ip4->frag_off, 0); /* may be cut */
            assert_false(answers(frame, n, MTU));
            put_be16(&ip4->frag_off, IP4_DF | 100); /* not the first part */
            assert_false(answers(frame, n, MTU));
            put_be16(&ip4->frag_off, IP4_DF);
            static const uint8_t nobody[] = {0, 127, 224, 255};
            for (size_t i = 0; i < sizeof nobody; i++) {
                *(uint8_t *)&ip4->src = nobody[i];
                assert_false(answers(frame, n, MTU));
            }
        } else {
            ip6->src.b[0] = 0xff;
            assert_false(answers(frame, n, MTU));
            memset(&ip6->src, 0, sizeof ip6->src);
            assert_false(answers(frame, n, MTU));
        }
    }
    size_t at = make(frame, true, 0);
    put_be16(frame + at - 2, ETH_TYPE_ARP);
    assert_false(answers(frame, at + SIZE, MTU));
}

/* However it is cut off or broken, nothing behind it is read (the sanitizer sees to it). */
static void test_hostile(void **state)
{
    (void)state;
    uint8_t frame[SIZE + 64];
    for (int n_tags = 0; n_tags <= 3; n_tags++) {
        for (size_t n = ETH_HEADER_LEN; n < 120; n++) {
            for (int v4 = 0; v4 < 2; v4++) {
                (void)make(frame, v4, n_tags);
                uint8_t *exact = xmemdup(frame, n);
                (void)answers(exact, n, MTU);
                for (int bits = 0; n > 20 && bits < 256; bits += 15) {
                    exact[ETH_HEADER_LEN] = (uint8_t)bits;
                    (void)answers(exact, n, MTU);
                }
                free(exact);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_no_answers),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
