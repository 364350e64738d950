/* test_coalesce.c - segments of a TCP stream made one packet: what was cut comes together again byte for byte, and whatever does not
 * follow, is not whole, or differs in a header stays by itself. */
#include "switchd/port/coalesce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/virtio_net.h>

#include "base/err.h"
#include "flow/rewrite.h"
#include "net/checksum.h"
#include "switchd/port/offload.h"

enum { GAP = 24, MSS = 1000, BUFFER = 80000 };

/* A packet of PAYLOAD bytes that is to be cut, as a local sender leaves it. */
static void make(struct packet *p, bool v6, bool tag, uint32_t payload)
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
    key_set(&key, FIELD_TCP_FLAGS, TCP_ACK | TCP_PSH);
    key_set(&key, v6 ? FIELD_IPV6_SRC : FIELD_IP_SRC, 0x0a000001);
    key_set(&key, v6 ? FIELD_IPV6_DST : FIELD_IP_DST, 0x0a000002);
    packet_init(p);
    packet_compose(p, &key, payload);
    uint8_t *data = p->data + p->size - payload;
    for (uint32_t i = 0; i < payload; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    if (tag)
        packet_push_vlan(p, ETH_TYPE_VLAN, 5);
    flow_extract(p, &key);
    uint32_t n = packet_l4_size(p);
    const struct ip4_header *ip4 = packet_l3(p);
    const struct ip6_header *ip6 = packet_l3(p);
    uint32_t sum = v6 ? checksum_pseudo6(&ip6->src, &ip6->dst, IP_PROTO_TCP, n)
                      : checksum_pseudo4(ip4->src, ip4->dst, IP_PROTO_TCP, n);
    put_be16((uint8_t *)packet_l4(p) + offsetof(struct tcp_header, csum),
             (uint16_t)~checksum_fold(sum));
    p->csum_partial = true;
    p->gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
    p->gso_size = MSS;
}

struct row {
    uint8_t *buffer;
    struct packet segments[64];
    size_t n, used;
};

static void lay(void *row_, const uint8_t *head, uint32_t head_len, const uint8_t *payload,
                uint32_t n)
{
    struct row *row = row_;
    uint8_t *at = row->buffer + row->used + GAP;
    memcpy(at, head, head_len);
    memcpy(at + head_len, payload, n);
    packet_init_lent(&row->segments[row->n++], at - GAP, GAP + head_len + n, at, head_len + n);
    row->used += GAP + head_len + n;
}

/* PACKET's segments in one buffer, as they come out of a tunnel. */
static void cut(struct row *row, const struct packet *packet)
{
    *row = (struct row){.buffer = malloc(BUFFER)};
    assert_int_equal(offload_cut(packet, lay, row), 0);
}

/* How many packets the segments become. */
static size_t join(struct row *row)
{
    struct coalesce c;
    size_t n = 1;
    coalesce_begin(&c, &row->segments[0]);
    for (size_t i = 1; i < row->n; i++) {
        if (coalesce_add(&c, &row->segments[i], UINT32_MAX))
            continue;
        coalesce_end(&c);
        row->segments[n] = row->segments[i];
        coalesce_begin(&c, &row->segments[n++]);
    }
    coalesce_end(&c);
    return n;
}

static void test_whole(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        static const uint32_t sizes[] = {MSS + 1, 7 * MSS, 20 * MSS + 300, 60 * MSS};
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            struct packet p;
            struct row row;
            make(&p, k & 1, k & 2, sizes[i]);
            cut(&row, &p);
            assert_int_equal(row.n, (sizes[i] + MSS - 1) / MSS);
            assert_int_equal(join(&row), 1);
            const struct packet *whole = &row.segments[0];
            assert_int_equal(whole->size, p.size);
            assert_memory_equal(whole->data, p.data, p.size);
            assert_true(whole->csum_partial);
            assert_int_equal(whole->gso_type, p.gso_type);
            assert_int_equal(whole->gso_size, MSS);
            assert_true(whole->data - whole->base + whole->size <= whole->cap);
            free(row.buffer);
            packet_fini(&p);
        }
    }
}

/* Changes 16 bits of segment I of six at OFFSET of its TCP header (or IP header when it is negative), and keeps the checksums right. */
static size_t joined_after(unsigned i, int offset, uint16_t flip, bool fix)
{
    struct packet p;
    struct row row;
    make(&p, false, false, 6 * MSS);
    cut(&row, &p);
    struct packet *seg = &row.segments[i];
    uint8_t *tcp = seg->data + ETH_HEADER_LEN + IP4_HEADER_LEN;
    put_be16(tcp + offset, get_be16(tcp + offset) ^ flip);
    if (fix) {
        struct flow_key key;
        struct ip4_header *ip = (void *)(seg->data + ETH_HEADER_LEN);
        put_be16(&ip->csum, 0);
        put_be16(&ip->csum, checksum(ip, IP4_HEADER_LEN));
        flow_extract(seg, &key);
        packet_finish_checksum(seg);
    }
    size_t n = join(&row);
    free(row.buffer);
    packet_fini(&p);
    return n;
}

static void test_not_joined(void **state)
{
    (void)state;
    const int seq = offsetof(struct tcp_header, seq) + 2, ack = offsetof(struct tcp_header, ack),
              ctl = offsetof(struct tcp_header, ctl), window = offsetof(struct tcp_header, window);
    assert_int_equal(joined_after(2, seq, 0, true), 1);
    assert_int_equal(joined_after(2, seq, 4, true), 3); /* a gap before and behind */
    assert_int_equal(joined_after(2, ack, 1, true), 3); /* another acknowledgment */
    assert_int_equal(joined_after(2, window, 1, true), 3);
    assert_int_equal(joined_after(2, ctl, TCP_FIN, true), 3); /* its own kind of segment */
    assert_int_equal(joined_after(2, ctl, TCP_PSH, true), 2); /* pushed: the last of the first */
    assert_int_equal(joined_after(0, ctl, TCP_PSH, true), 2);
    assert_int_equal(joined_after(2, 40, 1, false), 3); /* a wrong checksum stays as it is */
    assert_int_equal(joined_after(0, 40, 1, false), 2);
    assert_int_equal(joined_after(2, -20, 1, true), 3);       /* another TOS */
    assert_int_equal(joined_after(2, -14, 0x2000, true), 3);  /* a fragment */
    assert_int_equal(joined_after(2, -18, 1, false), 3);      /* a length that lies */
    assert_int_equal(joined_after(2, ctl, 0xf000, false), 3); /* so does this one */
}

/* The second half came with another datagram: it is moved over as far as there is room. */
static void test_other_buffer(void **state)
{
    (void)state;
    struct packet p;
    struct row row;
    struct coalesce c;
    uint8_t *other = malloc(BUFFER);
    make(&p, false, false, 4 * MSS);
    cut(&row, &p);
    for (unsigned i = 2; i < 4; i++) {
        struct packet *seg = &row.segments[i];
        uint8_t *at = memcpy(other + i * 2 * MSS, seg->data, seg->size);
        memset(seg->data, 0xee, seg->size);
        packet_init_lent(seg, at, seg->size, at, seg->size);
    }
    coalesce_begin(&c, &row.segments[0]);
    assert_true(coalesce_add(&c, &row.segments[1], UINT32_MAX));
    assert_false(coalesce_add(&c, &row.segments[2], MSS - 1));
    assert_int_equal(row.segments[0].data[row.segments[0].size + MSS], 0xee); /* untouched */
    assert_true(coalesce_add(&c, &row.segments[2], MSS));
    assert_true(coalesce_add(&c, &row.segments[3], MSS));
    coalesce_end(&c);
    assert_int_equal(row.segments[0].size, p.size);
    assert_memory_equal(row.segments[0].data, p.data, p.size);
    free(other);
    free(row.buffer);
    packet_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_not_joined),
        cmocka_unit_test(test_other_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
