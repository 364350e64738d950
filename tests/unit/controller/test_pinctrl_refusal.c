/* test_pinctrl_refusal.c - icmp4, icmp6, their _error forms, tcp_reset, sctp_abort, reject: what comes out of real packets, and which
 * packets are not answered. */
#include "support/pinctrl_world.h"

static const struct mac host = {{2, 0, 0, 0, 0, 5}}, router = {{2, 0, 0, 0, 0xff, 1}};
#define HOST4 0x0a000005u
#define PEER4 0x0a000107u

static struct ip6 ip6_of(const char *text)
{
    struct ip6 ip;
    assert_int_equal(ip6_parse(text, &ip), 0);
    return ip;
}

static struct of_buf packet(bool is4, uint8_t proto, const void *payload, size_t n)
{
    struct of_buf b = OF_BUF_INIT;
    struct ip6 src = ip6_of("fd00::5"), dst = ip6_of("fd00:1::7");
    frame_put_plain_eth(&b, router, host, is4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    size_t l3 = is4 ? frame_put_ip4(&b, swap32(HOST4), swap32(PEER4), proto, 63)
                    : frame_put_ip6(&b, &src, &dst, proto, 63);
    of_buf_put(&b, payload, n);
    frame_end(&b, l3);
    return b;
}

/* Acts with TEXT on PACKET: a frame of what went out, which must be one sound packet; or nothing when it is not to be answered. */
static bool answer(struct world *w, const char *text, const struct of_buf *packet,
                   struct of_packet_out *po, struct frame *f)
{
    struct str actions = STR_INIT;
    clear_outs(w);
    act(w, text, packet->data, packet->n, false);
    if (!w->outs.n)
        return false;
    assert_int_equal(w->outs.n, 1);
    decode_out(w, 0, po, &actions);
    assert_non_null(strstr(str_c(&actions), "set_field:0x3->reg14"));
    assert_non_null(strstr(str_c(&actions), "resubmit"));
    str_fini(&actions);
    assert_sound(po->packet, po->packet_len);
    frame_read(f, po->packet, po->packet_len);
    return true;
}

static void assert_not_turned(const struct frame *f, bool is4)
{
    struct ip6 src = ip6_of("fd00::5"), dst = ip6_of("fd00:1::7");
    assert_memory_equal(&f->key.eth_src, &host, 6);
    assert_memory_equal(&f->key.eth_dst, &router, 6);
    if (is4) {
        assert_int_equal(swap32(f->key.nw_src), HOST4);
        assert_int_equal(swap32(f->key.nw_dst), PEER4);
    } else {
        assert_memory_equal(&f->key.ip6_src, &src, 16);
        assert_memory_equal(&f->key.ip6_dst, &dst, 16);
    }
    assert_int_equal(f->key.nw_ttl, 255);
}

static void assert_turned(const struct frame *f, bool is4)
{
    struct ip6 src = ip6_of("fd00:1::7"), dst = ip6_of("fd00::5");
    assert_memory_equal(&f->key.eth_src, &router, 6);
    assert_memory_equal(&f->key.eth_dst, &host, 6);
    if (is4) {
        assert_int_equal(swap32(f->key.nw_src), PEER4);
        assert_int_equal(swap32(f->key.nw_dst), HOST4);
    } else {
        assert_memory_equal(&f->key.ip6_src, &src, 16);
        assert_memory_equal(&f->key.ip6_dst, &dst, 16);
    }
}

static const struct udp_header udp = {0x1234, 0x5678, 0, 0};

static void test_icmp(void **state UNUSED)
{
    static const char *const actions[2][2] = {{"icmp6 { output; };", "icmp6_error { output; };"},
                                              {"icmp4 { output; };", "icmp4_error { output; };"}};
    struct world w;
    struct of_packet_out po;
    struct frame f;
    world_init(&w);
    for (int is4 = 0; is4 < 2; is4++) {
        for (int i = 0; i < 2; i++) {
            struct of_buf b = packet(is4, IP_PROTO_UDP, &udp, sizeof udp);
            assert_true(answer(&w, actions[is4][i], &b, &po, &f));
            assert_not_turned(&f, is4);
            assert_int_equal(f.key.nw_proto, is4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6);
            assert_int_equal(f.key.icmp_type, is4 ? ICMP_DST_UNREACH : ICMP6_DST_UNREACH);
            assert_int_equal(f.key.icmp_code, 1);
            assert_int_equal(get_be32(f.l4 + 4), 0);
            assert_int_equal(f.l4_len, 8 + b.n - 14); /* the whole packet is quoted */
            assert_memory_equal(f.l4 + 8, b.data + 14, b.n - 14);
            of_packet_out_fini(&po);
            of_buf_fini(&b);
        }
    }
    world_fini(&w);
}

static void test_too_big(void **state UNUSED)
{
    struct world w;
    struct of_packet_out po;
    struct frame f;
    uint8_t data[3000] = {0};
    world_init(&w);
    struct of_buf b = packet(true, IP_PROTO_UDP, data, sizeof data);
    assert_true(answer(&w, "icmp4_error { icmp4.frag_mtu = 1442; output; };", &b, &po, &f));
    assert_int_equal(get_be32(f.l4 + 4), 1442);
    assert_int_equal(po.packet_len, 14 + 576);
    of_packet_out_fini(&po);
    of_buf_fini(&b);
    b = packet(false, IP_PROTO_UDP, data, sizeof data);
    assert_true(answer(&w, "icmp6_error { icmp6.frag_mtu = 70000; output; };", &b, &po, &f));
    assert_int_equal(get_be32(f.l4 + 4), 70000);
    assert_int_equal(po.packet_len, 14 + 1280);
    of_packet_out_fini(&po);
    of_buf_fini(&b);
    world_fini(&w);
}

/* RFC 1122 3.2.2, RFC 4443 2.4 e */
static void test_no_icmp(void **state UNUSED)
{
    static const uint8_t errors6[] = {1, 2, 3, 4, 127, 137}, errors4[] = {3, 5, 11, 12};
    struct world w;
    struct of_packet_out po;
    struct frame f;
    uint8_t icmp[40] = {0};
    world_init(&w);
    for (size_t i = 0; i < sizeof errors6; i++) {
        icmp[0] = errors6[i];
        struct of_buf b = packet(false, IP_PROTO_ICMPV6, icmp, sizeof icmp);
        assert_false(answer(&w, "icmp6 { output; };", &b, &po, &f));
        of_buf_fini(&b);
    }
    for (size_t i = 0; i < sizeof errors4; i++) {
        icmp[0] = errors4[i];
        struct of_buf b = packet(true, IP_PROTO_ICMP, icmp, sizeof icmp);
        assert_false(answer(&w, "icmp4 { output; };", &b, &po, &f));
        of_buf_fini(&b);
    }
    icmp[0] = ICMP6_ECHO_REQUEST; /* which may be answered */
    struct of_buf b = packet(false, IP_PROTO_ICMPV6, icmp, sizeof icmp);
    assert_true(answer(&w, "icmp6 { output; };", &b, &po, &f));
    of_packet_out_fini(&po);
    memset(b.data + 14 + 8, 0, 16); /* from nobody */
    assert_false(answer(&w, "icmp6 { output; };", &b, &po, &f));
    of_buf_fini(&b);
    world_fini(&w);
}

static void test_tcp_reset(void **state UNUSED)
{
    struct world w;
    struct of_packet_out po;
    struct frame f;
    struct tcp_header tcp = {
        swap16(1000), swap16(80), swap32(5000), swap32(7000), swap16(0x5002), 0, 0, 0};
    struct tcp_header reset;
    world_init(&w);
    for (int is4 = 0; is4 < 2; is4++) {
        tcp.ctl = swap16(0x5002); /* SYN: the answer acknowledges it */
        struct of_buf b = packet(is4, IP_PROTO_TCP, &tcp, sizeof tcp);
        assert_true(answer(&w, "tcp_reset { output; };", &b, &po, &f));
        assert_not_turned(&f, is4);
        assert_int_equal(f.l4_len, sizeof reset);
        memcpy(&reset, f.l4, sizeof reset);
        assert_int_equal(swap16(reset.src), 80);
        assert_int_equal(swap16(reset.dst), 1000);
        assert_int_equal(swap32(reset.seq), 0);
        assert_int_equal(swap32(reset.ack), 5001);
        assert_int_equal(swap16(reset.ctl), 0x5000 | TCP_RST | TCP_ACK);
        of_packet_out_fini(&po);
        of_buf_fini(&b);

        uint8_t segment[sizeof tcp + 30] = {0}; /* ten bytes of options, twenty of data */
        tcp.ctl = swap16(0x7018);
        memcpy(segment, &tcp, sizeof tcp);
        b = packet(is4, IP_PROTO_TCP, segment, sizeof segment);
        assert_true(answer(&w, "reject { output; };", &b, &po, &f));
        assert_turned(&f, is4);
        memcpy(&reset, f.l4, sizeof reset);
        assert_int_equal(swap32(reset.seq), 7000);
        assert_int_equal(swap32(reset.ack), 0);
        assert_int_equal(swap16(reset.ctl), 0x5000 | TCP_RST);
        of_packet_out_fini(&po);
        of_buf_fini(&b);

        tcp.ctl = swap16(0x5014); /* a reset is not answered */
        b = packet(is4, IP_PROTO_TCP, &tcp, sizeof tcp);
        assert_false(answer(&w, "reject { output; };", &b, &po, &f));
        of_buf_fini(&b);
        tcp.ctl = swap16(0xf002); /* a header longer than the segment */
        b = packet(is4, IP_PROTO_TCP, &tcp, sizeof tcp);
        assert_false(answer(&w, "tcp_reset { output; };", &b, &po, &f));
        of_buf_fini(&b);
    }
    world_fini(&w);
}

static void test_sctp_abort(void **state UNUSED)
{
    static const uint8_t data[] = {3, 232, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 4},
                         init[] = {3, 232, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 8, 9, 8, 7, 6},
                         aborted[] = {3, 232, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 6, 0, 0, 4};
    struct world w;
    struct of_packet_out po;
    struct frame f;
    world_init(&w);
    struct of_buf b = packet(true, IP_PROTO_SCTP, data, sizeof data);
    assert_true(answer(&w, "sctp_abort { output; };", &b, &po, &f));
    assert_not_turned(&f, true);
    assert_int_equal(f.l4_len, 16);
    assert_memory_equal(f.l4, "\0\x50\3\xe8\1\2\3\4", 8);
    assert_memory_equal(f.l4 + 12, "\6\1\0\4", 4); /* with the tag of the packet */
    of_packet_out_fini(&po);
    of_buf_fini(&b);
    b = packet(true, IP_PROTO_SCTP, init, sizeof init);
    assert_true(answer(&w, "reject { output; };", &b, &po, &f));
    assert_turned(&f, true);
    assert_memory_equal(f.l4, "\0\x50\3\xe8\x9\x8\7\6", 8);
    assert_memory_equal(f.l4 + 12, "\6\0\0\4", 4);
    of_packet_out_fini(&po);
    of_buf_fini(&b);
    b = packet(true, IP_PROTO_SCTP, aborted, sizeof aborted);
    assert_false(answer(&w, "reject { output; };", &b, &po, &f));
    of_buf_fini(&b);
    world_fini(&w);
}

static void test_reject_by_icmp(void **state UNUSED)
{
    struct world w;
    struct of_packet_out po;
    struct frame f;
    uint8_t gre[20] = {0};
    world_init(&w);
    for (int is4 = 0; is4 < 2; is4++) {
        struct of_buf b = packet(is4, IP_PROTO_UDP, &udp, sizeof udp);
        assert_true(answer(&w, "reject { output; };", &b, &po, &f));
        assert_turned(&f, is4);
        assert_int_equal(f.key.icmp_code, is4 ? 3 : 4); /* port unreachable */
        of_packet_out_fini(&po);
        of_buf_fini(&b);
        b = packet(is4, IP_PROTO_GRE, gre, sizeof gre);
        assert_true(answer(&w, "reject { output; };", &b, &po, &f));
        assert_int_equal(f.key.icmp_code, 1);
        of_packet_out_fini(&po);
        of_buf_fini(&b);
    }
    world_fini(&w);
}

/* A tag stays; packets that are cut are not answered, and nothing is read that is not there. */
static void test_tags_and_cuts(void **state UNUSED)
{
    static const char *const actions[] = {"icmp4 { output; };", "tcp_reset { output; };",
                                          "sctp_abort { output; };", "reject { output; };"};
    struct world w;
    struct of_packet_out po;
    struct frame f;
    struct tcp_header tcp = {.ctl = swap16(0x5002)};
    world_init(&w);
    struct of_buf b = packet(true, IP_PROTO_TCP, &tcp, sizeof tcp), tagged = OF_BUF_INIT;
    of_buf_put(&tagged, b.data, 12);
    of_buf_put32(&tagged, 0x81000064);
    of_buf_put(&tagged, b.data + 12, b.n - 12);
    assert_true(answer(&w, "reject { output; };", &tagged, &po, &f));
    assert_int_equal(get_be32(po.packet + 12), 0x81000064);
    assert_int_equal(po.packet_len, 18 + 40);
    of_packet_out_fini(&po);
    clear_outs(&w);
    struct match m = port_metadata();
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        struct of_buf userdata = userdata_of(actions[i]);
        for (size_t cut = 0; cut < b.n; cut++) {
            send_event(&w, &m, b.data, cut, userdata.data, userdata.n, false);
            if (cut % 20 == 19)
                turns(&w, 3);
        }
        turns(&w, 3);
        of_buf_fini(&userdata);
    }
    assert_int_equal(w.outs.n, 0);
    of_buf_fini(&b);
    of_buf_fini(&tagged);
    world_fini(&w);
}

/* How many of N packets from SRC the actions TEXT answer. */
static unsigned answers(struct world *w, const char *text, uint32_t src, uint8_t proto,
                        const void *payload, size_t len, unsigned n)
{
    unsigned answered = 0;
    struct of_buf b = OF_BUF_INIT;
    frame_put_plain_eth(&b, router, host, ETH_TYPE_IP);
    size_t l3 = frame_put_ip4(&b, swap32(src), swap32(PEER4), proto, 63);
    of_buf_put(&b, payload, len);
    frame_end(&b, l3);
    while (n--) {
        clear_outs(w);
        act(w, text, b.data, b.n, false);
        answered += w->outs.n != 0;
    }
    of_buf_fini(&b);
    return answered;
}

/* MB-70: of ICMP errors a host gets six at once and one a second; resets, and what tells an MTU, are not counted. */
static void test_error_limit(void **state UNUSED)
{
    struct world w;
    const char *icmp = "icmp4 { output; };", *reject = "reject { output; };";
    const char *mtu = "icmp4_error { icmp4.frag_mtu = 900; output; };";
    struct tcp_header tcp = {.src = swap16(1), .dst = swap16(2), .ctl = swap16(5 << 12 | TCP_SYN)};
    world_init(&w);
    assert_int_equal(answers(&w, icmp, HOST4, IP_PROTO_UDP, &udp, sizeof udp, 4), 4);
    assert_int_equal(answers(&w, reject, HOST4, IP_PROTO_UDP, &udp, sizeof udp, 10), 2);
    assert_int_equal(answers(&w, icmp, HOST4, IP_PROTO_UDP, &udp, sizeof udp, 5), 0);
    assert_int_equal(w.pinctrl->stats.errors_limited, 13);
    assert_int_equal(answers(&w, mtu, HOST4, IP_PROTO_UDP, &udp, sizeof udp, 10), 10);
    assert_int_equal(answers(&w, reject, HOST4, IP_PROTO_TCP, &tcp, sizeof tcp, 10), 10);
    assert_int_equal(answers(&w, icmp, HOST4 + 1, IP_PROTO_UDP, &udp, sizeof udp, 10), 6);
    w.env.now_us += 2500 * 1000;
    assert_int_equal(answers(&w, icmp, HOST4, IP_PROTO_UDP, &udp, sizeof udp, 10), 2);
    w.env.now_us += 60 * 1000 * 1000;
    assert_int_equal(answers(&w, icmp, HOST4, IP_PROTO_UDP, &udp, sizeof udp, 10), 6);
    for (uint32_t i = 0; i <= LIMIT_MAX; i++) /* the memory for hosts has bounds */
        answers(&w, icmp, 0x0b000000 + i, IP_PROTO_UDP, &udp, sizeof udp, 1);
    assert_true(w.pinctrl->error_limits.n <= LIMIT_MAX);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_icmp),          cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_no_icmp),       cmocka_unit_test(test_tcp_reset),
        cmocka_unit_test(test_sctp_abort),    cmocka_unit_test(test_reject_by_icmp),
        cmocka_unit_test(test_tags_and_cuts), cmocka_unit_test(test_error_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
