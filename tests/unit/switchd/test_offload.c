/* test_offload.c - segments and checksums made in software: lengths, sequence numbers, flags and sums
 * are checked by adding them up anew; virtio-net headers that lie are refused. */
#include "switchd/port/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/rewrite.h"
#include "net/checksum.h"

struct sink {
    uint32_t n, bytes;
    uint32_t next_seq;
    bool fin_seen;
    uint8_t payload[65536];
};

/* The whole L4 packet with its pseudo-header sums up to zero. */
static void check_sums(const struct packet *p)
{
    const uint8_t *l3 = p->data + ETH_HEADER_LEN;
    uint32_t sum;
    if (l3[0] >> 4 == 4) {
        const struct ip4_header *ip = (const void *)l3;
        assert_int_equal(checksum(ip, (ip->ihl_ver & 15u) * 4), 0);
        assert_int_equal(get_be16(&ip->tot_len), p->size - ETH_HEADER_LEN);
        uint32_t l4_len = p->size - ETH_HEADER_LEN - 20;
        sum = checksum_pseudo4(ip->src, ip->dst, ip->proto, l4_len);
        sum = checksum_add(sum, l3 + 20, l4_len);
    } else {
        const struct ip6_header *ip = (const void *)l3;
        uint32_t l4_len = p->size - ETH_HEADER_LEN - IP6_HEADER_LEN;
        assert_int_equal(get_be16(&ip->payload_len), l4_len);
        sum = checksum_pseudo6(&ip->src, &ip->dst, ip->next, l4_len);
        sum = checksum_add(sum, l3 + IP6_HEADER_LEN, l4_len);
    }
    assert_int_equal(checksum_fold(sum), 0);
}

static void collect(void *sink_, const struct packet *p)
{
    struct sink *sink = sink_;
    check_sums(p);
    assert_false(p->csum_partial);
    assert_int_equal(p->gso_type, 0);
    uint32_t l4 = ETH_HEADER_LEN + (p->data[ETH_HEADER_LEN] >> 4 == 4 ? 20 : IP6_HEADER_LEN);
    const struct tcp_header *tcp = (const void *)(p->data + l4);
    uint32_t head = l4 + (get_be16(&tcp->ctl) >> 12) * 4u;
    if (sink->n)
        assert_int_equal(get_be32(&tcp->seq), sink->next_seq);
    sink->next_seq = get_be32(&tcp->seq) + (p->size - head);
    assert_false(sink->fin_seen);
    sink->fin_seen = get_be16(&tcp->ctl) & TCP_FIN;
    memcpy(sink->payload + sink->bytes, p->data + head, p->size - head);
    sink->bytes += p->size - head;
    sink->n++;
}

/* A TCP segment of PAYLOAD bytes with an unfinished checksum, as a local sender leaves it. */
static void make_tcp(struct packet *p, bool v6, uint32_t payload)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, 0x020000000001);
    key_set(&key, FIELD_ETH_DST, 0x020000000002);
    key_set(&key, FIELD_ETH_TYPE, v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_TCP);
    key_set(&key, FIELD_IP_TTL, 64);
    key_set(&key, FIELD_TCP_SRC, 1000);
    key_set(&key, FIELD_TCP_DST, 2000);
    key_set(&key, FIELD_TCP_FLAGS, TCP_ACK | TCP_PSH | TCP_FIN);
    if (v6) {
        key_set(&key, FIELD_IPV6_SRC, (u128)0xfd << 120 | 1);
        key_set(&key, FIELD_IPV6_DST, (u128)0xfd << 120 | 2);
    } else {
        key_set(&key, FIELD_IP_SRC, 0x0a000001);
        key_set(&key, FIELD_IP_DST, 0x0a000002);
    }
    packet_init(p);
    packet_compose(p, &key, payload);
    flow_extract(p, &key);
    uint8_t *csum = (uint8_t *)packet_l4(p) + 16;
    put_be16(csum, 0x1234); /* must not matter */
    p->csum_partial = true;
}

static void run_gso(bool v6)
{
    struct packet p;
    struct sink *sink = NEW(struct sink);
    make_tcp(&p, v6, 10000);
    uint32_t head = p.size - 10000;
    p.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
    p.gso_size = 1448;
    assert_int_equal(offload_finish(&p, collect, sink), 0);
    assert_int_equal(sink->n, 7);
    assert_int_equal(sink->bytes, 10000);
    assert_true(sink->fin_seen);
    assert_memory_equal(sink->payload, p.data + head, 10000);
    packet_fini(&p);
    free(sink);
}

static void test_segments(void **state)
{
    (void)state;
    run_gso(false);
    run_gso(true);
}

static void test_partial_checksum(void **state)
{
    (void)state;
    struct sink *sink = NEW(struct sink);
    struct packet p;
    make_tcp(&p, false, 99);
    assert_int_equal(offload_finish(&p, collect, sink), 0);
    assert_int_equal(sink->n, 1);
    assert_true(p.csum_partial); /* the packet itself is as it was */
    packet_fini(&p);
    free(sink);
}

static void test_vnet_round_trip(void **state)
{
    (void)state;
    struct packet p;
    make_tcp(&p, false, 3000);
    struct virtio_net_hdr hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                 .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                 .gso_size = 1000,
                                 .csum_start = 34,
                                 .csum_offset = 16};
    p.csum_partial = false;
    assert_int_equal(offload_from_vnet(&p, &hdr), 0);
    assert_true(p.csum_partial);
    assert_int_equal(p.gso_size, 1000);
    struct virtio_net_hdr back;
    offload_to_vnet(&p, &back);
    assert_int_equal(back.csum_start, 34);
    assert_int_equal(back.csum_offset, 16);
    assert_int_equal(back.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(back.gso_size, 1000);
    assert_int_equal(back.hdr_len, 54);
    packet_fini(&p);
}

static void collect_tagged(void *sink, const struct packet *p)
{
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, p);
    packet_pop_vlan(&copy);
    packet_pop_vlan(&copy);
    collect(sink, &copy);
    packet_fini(&copy);
}

/* Behind two tags the key says nothing of the transport, yet its checksum must be finished. */
static void test_two_tags(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        for (uint16_t gso_size = 0; gso_size <= 1000; gso_size += 1000) {
            struct sink *sink = NEW(struct sink);
            struct packet p;
            struct flow_key key;
            struct virtio_net_hdr hdr;
            make_tcp(&p, v6, 3000);
            packet_push_vlan(&p, ETH_TYPE_VLAN, 5);
            packet_push_vlan(&p, ETH_TYPE_QINQ, 6);
            flow_extract(&p, &key);
            assert_int_equal(p.l4_ofs, PACKET_NO_OFS);
            p.gso_size = gso_size;
            p.gso_type = !gso_size ? 0 : v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
            offload_to_vnet(&p, &hdr);
            assert_int_equal(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
            assert_int_equal(hdr.csum_start, v6 ? 62 : 42);
            assert_int_equal(hdr.gso_type, p.gso_type);
            assert_int_equal(offload_finish(&p, collect_tagged, sink), 0);
            assert_int_equal(sink->n, gso_size ? 3 : 1);
            assert_int_equal(sink->bytes, 3000);
            packet_fini(&p);
            free(sink);
        }
    }
}

static void keep(void *packet_, const struct packet *p)
{
    packet_clone_into(packet_, p);
}

/* SCTP has a CRC, which is not what a plain sum would put there. */
static void test_sctp(void **state)
{
    (void)state;
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_SCTP);
    key_set(&key, FIELD_SCTP_DST, 7);
    struct packet p, whole;
    packet_init(&p);
    packet_init(&whole);
    packet_compose(&p, &key, 40);
    struct sctp_header *sctp = (void *)(p.data + 34);
    be32 right = sctp->csum;
    sctp->csum = 0;
    struct virtio_net_hdr hdr = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 8};
    assert_int_equal(offload_from_vnet(&p, &hdr), 0);
    assert_true(p.csum_partial);
    flow_extract(&p, &key);
    struct virtio_net_hdr back;
    offload_to_vnet(&p, &back);
    assert_int_equal(back.csum_offset, 8);
    assert_int_equal(offload_finish(&p, keep, &whole), 0);
    sctp = (void *)(whole.data + 34);
    assert_int_equal(sctp->csum, right);
    packet_fini(&p);
    packet_fini(&whole);
}

/* Whether a frame without a virtio-net header is taken for one whose checksum a local sender left unfinished. */
static bool recognized(const uint8_t *frame, size_t n)
{
    struct packet p;
    uint8_t *exact = memcpy(malloc(n), frame, n);
    packet_init_view(&p, exact, n);
    offload_recognize(&p);
    free(exact);
    return p.csum_partial;
}

static void test_recognize(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct packet p;
        make_tcp(&p, v6, 99);
        const struct ip4_header *ip4 = packet_l3(&p);
        const struct ip6_header *ip6 = packet_l3(&p);
        uint32_t sum = v6 ? checksum_pseudo6(&ip6->src, &ip6->dst, IP_PROTO_TCP, packet_l4_size(&p))
                          : checksum_pseudo4(ip4->src, ip4->dst, IP_PROTO_TCP, packet_l4_size(&p));
        uint8_t *csum = (uint8_t *)packet_l4(&p) + 16;
        assert_false(recognized(p.data, p.size));
        put_be16(csum, (uint16_t)~checksum_fold(sum));
        assert_true(recognized(p.data, p.size));
        for (size_t n = ETH_HEADER_LEN; n < p.size; n++)
            assert_false(recognized(p.data, n));
        packet_push_vlan(&p, ETH_TYPE_VLAN, 5);
        packet_push_vlan(&p, ETH_TYPE_QINQ, 6);
        assert_true(recognized(p.data, p.size));
        put_be16(p.data + ETH_HEADER_LEN + 2 * VLAN_HEADER_LEN + (v6 ? 4 : 2),
                 5); /* its length lies */
        assert_false(recognized(p.data, p.size));
        packet_fini(&p);
    }
}

/* One that is right already and looks unfinished by chance is the same when it is finished; a fragment has only a part of the sum. */
static void test_recognized_by_chance(void **state)
{
    (void)state;
    struct packet p;
    make_tcp(&p, false, 99);
    struct ip4_header *ip = packet_l3(&p);
    uint8_t *csum = (uint8_t *)packet_l4(&p) + 16, *payload = csum + 4;
    uint32_t pseudo = checksum_pseudo4(ip->src, ip->dst, IP_PROTO_TCP, packet_l4_size(&p));
    uint16_t field = (uint16_t)~checksum_fold(pseudo);
    put_be16(csum, field);
    put_be16(payload, 0);
    put_be16(payload, checksum_fold(checksum_add(pseudo, packet_l4(&p), packet_l4_size(&p))));
    assert_int_equal(checksum_fold(checksum_add(pseudo, packet_l4(&p), packet_l4_size(&p))), 0);
    assert_true(recognized(p.data, p.size));
    offload_finish_checksum(&p);
    assert_int_equal(get_be16(csum), field);
    put_be16(&ip->frag_off, IP4_MF);
    assert_false(recognized(p.data, p.size));
    packet_fini(&p);
}

static void test_lying_headers(void **state)
{
    (void)state;
    struct packet p;
    make_tcp(&p, false, 100);
    struct virtio_net_hdr beyond = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                    .csum_start = (uint16_t)(p.size - 10),
                                    .csum_offset = 16};
    assert_int_not_equal(offload_from_vnet(&p, &beyond), 0);
    struct virtio_net_hdr no_csum = {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 10};
    p.csum_partial = false;
    assert_int_not_equal(offload_from_vnet(&p, &no_csum), 0);
    struct virtio_net_hdr no_size = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                     .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                     .csum_start = 34,
                                     .csum_offset = 16};
    p.csum_partial = false;
    assert_int_not_equal(offload_from_vnet(&p, &no_size), 0);
    /* Marked as a large segment, but cut off in its headers: refused, nothing sent. */
    struct sink *sink = NEW(struct sink);
    packet_truncate(&p, 40);
    struct flow_key key;
    flow_extract(&p, &key);
    p.csum_partial = true;
    p.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    p.gso_size = 1000;
    assert_int_not_equal(offload_finish(&p, collect, sink), 0);
    assert_int_equal(sink->n, 0);
    free(sink);
    packet_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),        cmocka_unit_test(test_partial_checksum),
        cmocka_unit_test(test_vnet_round_trip), cmocka_unit_test(test_sctp),
        cmocka_unit_test(test_two_tags),        cmocka_unit_test(test_lying_headers),
        cmocka_unit_test(test_recognize),       cmocka_unit_test(test_recognized_by_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
