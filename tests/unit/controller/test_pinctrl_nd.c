/* test_pinctrl_nd.c - neighbour discovery: solicitations that go out and packets that wait, advertisements, router advertisements, and
 * neighbours that are learned, from what real packets hold. */
#include "support/pinctrl_world.h"

static const struct mac host = {{2, 0, 0, 0, 0, 5}}, router = {{2, 0, 0, 0, 0xff, 1}};

static struct ip6 ip6_of(const char *text)
{
    struct ip6 ip;
    assert_int_equal(ip6_parse(text, &ip), 0);
    return ip;
}

static struct of_buf packet6(const char *src, const char *dst, struct mac to, uint8_t proto,
                             uint8_t hops, const void *payload, size_t n)
{
    struct of_buf b = OF_BUF_INIT;
    struct ip6 s = ip6_of(src), d = ip6_of(dst);
    frame_put_plain_eth(&b, to, host, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(&b, &s, &d, proto, hops);
    of_buf_put(&b, payload, n);
    frame_end(&b, l3);
    return b;
}

static struct of_buf solicitation(const char *src, const char *target)
{
    struct nd_header nd = {.type = ICMP6_NEIGHBOR_SOLICIT, .target = ip6_of(target)};
    struct mac group = ip6_multicast_mac(ip6_solicited_node(nd.target));
    struct str dst = STR_INIT;
    ip6_put(&dst, ip6_solicited_node(nd.target));
    struct of_buf b = packet6(src, str_c(&dst), group, IP_PROTO_ICMPV6, 255, &nd, sizeof nd);
    str_fini(&dst);
    return b;
}

struct nd_packet {
    struct eth_header eth;
    struct ip6_header ip;
    struct nd_header nd;
    struct nd_option_lla lla;
} PACKED;

/* Packet-out I as an ND packet; its actions as text. */
static struct nd_packet nd_out(struct world *w, size_t i, struct str *actions)
{
    struct of_packet_out po;
    struct nd_packet ret;
    decode_out(w, i, &po, actions);
    assert_int_equal(po.packet_len, sizeof ret);
    assert_sound(po.packet, po.packet_len);
    memcpy(&ret, po.packet, sizeof ret);
    of_packet_out_fini(&po);
    assert_int_equal(ret.ip.hop_limit, 255);
    return ret;
}

static void assert_ip6(struct ip6 ip, const char *text)
{
    struct ip6 expected = ip6_of(text);
    assert_memory_equal(&ip, &expected, sizeof ip);
}

/* A packet for NEXT_HOP of port 3. */
static void send_unresolved(struct world *w, const char *next_hop, uint8_t mark)
{
    struct udp_header udp = {swap16(mark), swap16(9), 0, 0};
    struct of_buf b = packet6("fd00::5", "fd00:1::7", router, IP_PROTO_UDP, 63, &udp, sizeof udp);
    struct of_buf userdata = userdata_of("nd_ns { nd.target = xxreg0; output; };");
    struct match m;
    match_init(&m);
    match_set(&m, FIELD_XXREG0, ip6_to_u128(ip6_of(next_hop)));
    match_set(&m, FIELD_REG14, 1);
    match_set(&m, FIELD_REG15, 3);
    match_set(&m, FIELD_METADATA, 4);
    send_event(w, &m, b.data, b.n, userdata.data, userdata.n, true);
    of_buf_fini(&b);
    of_buf_fini(&userdata);
}

static void send_put_nd(struct world *w, const char *ip, struct mac mac)
{
    uint8_t userdata[8] = {0, 0, 0, OPCODE_PUT_ND}, frame[60] = {0};
    struct eth_header eth = {.src = mac, .type = swap16(ETH_TYPE_IPV6)};
    struct match m;
    memcpy(frame, &eth, sizeof eth);
    match_init(&m);
    match_set(&m, FIELD_XXREG0, ip6_to_u128(ip6_of(ip)));
    match_set(&m, FIELD_REG14, 3);
    match_set(&m, FIELD_METADATA, 4);
    send_event(w, &m, frame, sizeof frame, userdata, sizeof userdata, false);
}

static void test_nd_ns_asks_and_packets_wait(void **state UNUSED)
{
    struct world w;
    struct str text = STR_INIT;
    world_init(&w);
    for (uint8_t i = 0; i < 6; i++)
        send_unresolved(&w, "fd00:1::fe", i);
    turns(&w, 8);
    assert_int_equal(w.outs.n, 1);
    struct nd_packet ns = nd_out(&w, 0, &text);
    assert_memory_equal(&ns.eth.dst, ((uint8_t[]){0x33, 0x33, 0xff, 0, 0, 7}), 6);
    assert_memory_equal(&ns.eth.src, &host, 6);
    assert_ip6(ns.ip.src, "fd00::5");
    assert_ip6(ns.ip.dst, "ff02::1:ff00:7");
    assert_int_equal(ns.nd.type, ICMP6_NEIGHBOR_SOLICIT);
    assert_ip6(ns.nd.target, "fd00:1::7");
    assert_int_equal(ns.lla.type, ND_OPT_SLL);
    assert_memory_equal(&ns.lla.mac, &host, 6);
    assert_non_null(strstr(str_c(&text), "NXM_NX_XXREG0[]->NXM_NX_ND_TARGET[]"));
    assert_non_null(strstr(str_c(&text), "set_field:0x3->reg15"));
    assert_int_equal(w.pinctrl->stats.arp_limited, 5);

    clear_outs(&w);
    send_put_nd(&w, "fd00:1::fd", router); /* another one answers */
    turns(&w, 4);
    assert_int_equal(w.outs.n, 0);
    send_put_nd(&w, "fd00:1::fe", router);
    turns(&w, 4);
    assert_int_equal(w.outs.n, WAITING_PACKETS);
    for (uint8_t i = 0; i < WAITING_PACKETS; i++) {
        struct of_packet_out po;
        decode_out(&w, i, &po, &text);
        assert_int_equal(po.packet[14 + 40 + 1], i + 2); /* in order; the first two made room */
        assert_non_null(strstr(str_c(&text), "set_field:02:00:00:00:ff:01->eth_dst"));
        of_packet_out_fini(&po);
    }
    pinctrl_write(w.pinctrl, &w.writer);
    writer_commit(&w.writer);
    assert_int_equal(w.n_inserts, 2);
    w.done(w.done_aux, 0, NULL);
    str_fini(&text);
    world_fini(&w);
}

static void test_what_is_no_host_is_not_learned(void **state UNUSED)
{
    static const char *const none[] = {"::", "::1", "ff02::1"};
    static const struct mac group = {{1, 0, 0, 0, 0, 1}}, zero = {{0}};
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        send_put_nd(&w, none[i], router);
    send_put_nd(&w, "fd00::1", group);
    send_put_nd(&w, "fd00::1", zero);
    turns(&w, 6);
    assert_int_equal(w.pinctrl->put_arps.n, 0);
    assert_int_equal(w.pinctrl->stats.malformed, 5);
    world_fini(&w);
}

static void test_nd_na(void **state UNUSED)
{
    struct world w;
    struct str text = STR_INIT;
    world_init(&w);
    struct of_buf ns = solicitation("fe80::5", "fd00::ff");
    act(&w, "nd_na { nd.tll = 02:00:00:00:ff:01; output; };", ns.data, ns.n, false);
    struct nd_packet na = nd_out(&w, 0, &text);
    assert_memory_equal(&na.eth.dst, &host, 6);
    assert_ip6(na.ip.src, "fd00::ff");
    assert_ip6(na.ip.dst, "fe80::5");
    assert_int_equal(na.nd.type, ICMP6_NEIGHBOR_ADVERT);
    assert_int_equal(swap32(na.nd.flags), ND_FLAG_SOLICITED | ND_FLAG_OVERRIDE);
    assert_ip6(na.nd.target, "fd00::ff");
    assert_int_equal(na.lla.type, ND_OPT_TLL);
    assert_non_null(strstr(str_c(&text), "set_field:02:00:00:00:ff:01->nd_tll"));

    clear_outs(&w);
    act(&w, "nd_na_router { output; };", ns.data, ns.n, false);
    na = nd_out(&w, 0, &text);
    assert_int_equal(swap32(na.nd.flags), ND_FLAG_ROUTER | ND_FLAG_SOLICITED | ND_FLAG_OVERRIDE);
    of_buf_fini(&ns);

    clear_outs(&w); /* duplicate address detection */
    ns = solicitation("::", "fd00::ff");
    act(&w, "nd_na { output; };", ns.data, ns.n, false);
    na = nd_out(&w, 0, &text);
    assert_ip6(na.ip.dst, "ff02::1");
    assert_memory_equal(&na.eth.dst, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
    assert_int_equal(swap32(na.nd.flags), ND_FLAG_OVERRIDE);

    clear_outs(&w);
    struct of_buf userdata = userdata_of("nd_na { output; };");
    struct match m = port_metadata();
    for (size_t cut = 0; cut < ns.n; cut++) {
        send_event(&w, &m, ns.data, cut, userdata.data, userdata.n, false);
        turns(&w, 2);
    }
    assert_int_equal(w.outs.n, 0);
    of_buf_fini(&ns);
    of_buf_fini(&userdata);
    str_fini(&text);
    world_fini(&w);
}

static const char ra_action[] =
    "reg0[5] = put_nd_ra_opts(addr_mode = \"slaac\", slla = 02:00:00:00:ff:01, mtu = 1400, "
    "prefix = fd00::/64);";

static void test_nd_ra(void **state UNUSED)
{
    static const struct mac routers = {{0x33, 0x33, 0, 0, 0, 2}};
    static const uint8_t rs[8] = {ICMP6_ROUTER_SOLICIT};
    struct world w;
    uint32_t reg0;
    world_init(&w);
    struct of_buf b = packet6("fe80::5", "ff02::2", routers, IP_PROTO_ICMPV6, 255, rs, sizeof rs);
    act(&w, ra_action, b.data, b.n, true);
    struct of_packet_in pin = resumed(&w, &reg0);
    assert_int_equal(reg0, 1 << 5);
    assert_sound(pin.packet, pin.packet_len);
    const uint8_t *ra = pin.packet + 54;
    assert_int_equal(pin.packet_len, 54 + 16 + 8 + 8 + 32);
    assert_int_equal(ra[0], ICMP6_ROUTER_ADVERT);
    assert_int_equal(get_be16(ra + 6), 0xffff);
    assert_memory_equal(ra + 16, "\1\1\2\0\0\0\xff\1", 8);
    assert_memory_equal(ra + 24, "\5\1\0\0\0\0\5\x78", 8);
    assert_memory_equal(ra + 32, "\3\4\x40\xc0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\xfd\0", 18);
    assert_memory_equal(pin.packet + 14 + 8, b.data + 14 + 8, 32); /* the flow turns it round */
    of_buf_fini(&b);

    clear_outs(&w); /* nobody yet: the answer is for all */
    b = packet6("::", "ff02::2", routers, IP_PROTO_ICMPV6, 255, rs, sizeof rs);
    act(&w, ra_action, b.data, b.n, true);
    pin = resumed(&w, &reg0);
    assert_int_equal(reg0, 1 << 5);
    assert_memory_equal(pin.packet + 14 + 8, &frame_all_nodes, 16);
    of_buf_fini(&b);

    clear_outs(&w); /* came through a router */
    b = packet6("fe80::5", "ff02::2", routers, IP_PROTO_ICMPV6, 64, rs, sizeof rs);
    act(&w, ra_action, b.data, b.n, true);
    pin = resumed(&w, &reg0);
    assert_int_equal(reg0, 0);
    assert_memory_equal(pin.packet, b.data, b.n);
    struct of_buf userdata = userdata_of(ra_action);
    struct match m = port_metadata();
    for (size_t cut = 8; cut < userdata.n; cut++) {
        clear_outs(&w);
        send_event(&w, &m, b.data, b.n, userdata.data, cut, true);
        turns(&w, 3);
        resumed(&w, &reg0);
        assert_int_equal(reg0, 0);
    }
    of_buf_fini(&b);
    of_buf_fini(&userdata);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nd_ns_asks_and_packets_wait),
        cmocka_unit_test(test_what_is_no_host_is_not_learned),
        cmocka_unit_test(test_nd_na),
        cmocka_unit_test(test_nd_ra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
