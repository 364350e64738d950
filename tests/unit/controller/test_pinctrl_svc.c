/* test_pinctrl_svc.c - service monitors: what is sent, what the answers mean, and what is written. */
#include "support/pinctrl_world.h"

enum { OURS = 50 };

static void tell(struct world *w, const struct row *before, const struct row *after)
{
    struct change change = {before, after};
    sb_index_change(&w->index, &change);
    pinctrl_row_changed(w->pinctrl, &change);
}

static struct row *monitor(struct world *w, const char *protocol, const char *ip,
                           const char *src_ip)
{
    struct row *row = make_row(w, "Service_Monitor", 60);
    union atom keys[4], values[4];
    static const char *const options[] = {"interval",      "5", "timeout",       "3",
                                          "success_count", "2", "failure_count", "2"};
    for (int i = 0; i < 4; i++) {
        keys[i].string = rstr_new(options[2 * i]);
        values[i].string = rstr_new(options[2 * i + 1]);
    }
    set(row, "options", datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, 4));
    set(row, "protocol", datum_new_string(protocol));
    set(row, "ip", datum_new_string(ip));
    set(row, "port", datum_new_integer(80));
    set(row, "logical_port", datum_new_string("vm"));
    set(row, "src_mac", datum_new_string("02:00:00:00:00:fe"));
    set(row, "src_ip", datum_new_string(src_ip));
    return row;
}

/* A world in which the port vm, key 7, is here. */
static void begin(struct world *w)
{
    struct uuid at = uuid_of(1), ours = uuid_of(OURS);
    world_init(w);
    w->index.has_chassis = true;
    w->index.chassis = ours;
    struct row *vm = make_row(w, "Port_Binding", 10);
    set(vm, "datapath", datum_new_uuid(&at));
    set(vm, "tunnel_key", datum_new_integer(7));
    set(vm, "logical_port", datum_new_string("vm"));
    set(vm, "mac", datum_new_string("02:00:00:00:00:07 10.0.0.7 fd00::7"));
    set(vm, "chassis", datum_new_uuid(&ours));
    tell(w, NULL, vm);
    row_unref(vm);
}

static void pass(struct world *w, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += 500) {
        w->env.now_us += 500000;
        loop_run_once(w->loop, 0);
        turns(w, 2);
    }
}

static void write_back(struct world *w)
{
    pinctrl_write(w->pinctrl, &w->writer);
    writer_commit(&w->writer);
    if (!writer_is_ready(&w->writer))
        w->done(w->done_aux, 0, NULL);
}

/* The only packet that went out; it must go to the port. */
static struct frame sent(struct world *w, struct of_packet_out *po)
{
    struct str text = STR_INIT;
    struct frame f;
    assert_int_equal(w->outs.n, 1);
    decode_out(w, 0, po, &text);
    assert_non_null(strstr(str_c(&text), "set_field:0x7->reg15"));
    assert_sound(po->packet, po->packet_len);
    assert_memory_equal(po->packet, "\2\0\0\0\0\7\2\0\0\0\0\xfe", 12);
    frame_read(&f, po->packet, po->packet_len);
    str_fini(&text);
    return f;
}

/* The service answers the last check: F turned round, with TCP flags, or as an ICMP error. */
static void answer(struct world *w, const struct frame *f, uint16_t flags, uint32_t ack)
{
    static const uint8_t userdata[8] = {0, 0, 0, OPCODE_HANDLE_SVC_CHECK};
    struct of_buf b = OF_BUF_INIT;
    bool is4 = frame_is_ip4(f);
    struct match m;
    match_init(&m);
    match_set(&m, FIELD_REG14, 7);
    match_set(&m, FIELD_METADATA, 4);
    uint8_t proto = flags ? IP_PROTO_TCP : is4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6;
    frame_put_plain_eth(&b, f->key.eth_src, f->key.eth_dst, is4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    size_t l3 = is4 ? frame_put_ip4(&b, f->key.nw_dst, f->key.nw_src, proto, 64)
                    : frame_put_ip6(&b, &f->key.ip6_dst, &f->key.ip6_src, proto, 64);
    if (flags) {
        struct tcp_header tcp = {.src = f->key.tp_dst,
                                 .dst = f->key.tp_src,
                                 .seq = 1,
                                 .ack = swap32(ack),
                                 .ctl = swap16(0x5000 | flags)};
        of_buf_put(&b, &tcp, sizeof tcp);
    } else {
        struct icmp_header icmp = {.type = is4 ? ICMP_DST_UNREACH : ICMP6_DST_UNREACH,
                                   .code = is4 ? 3 : 4};
        of_buf_put(&b, &icmp, sizeof icmp);
        of_buf_put(&b, f->l3, f->l3_len);
    }
    frame_end(&b, l3);
    for (size_t cut = 0; cut < b.n; cut += 5) /* what is cut does no harm */
        send_event(w, &m, b.data, cut, userdata, sizeof userdata, false);
    send_event(w, &m, b.data, b.n, userdata, sizeof userdata, false);
    turns(w, 6);
    of_buf_fini(&b);
}

static uint32_t seq_of(const struct frame *f)
{
    return get_be32(f->l4 + 4);
}

static void test_tcp(void **state UNUSED)
{
    struct world w;
    struct of_packet_out po;
    begin(&w);
    struct row *row = monitor(&w, "tcp", "10.0.0.7", "10.0.0.254");
    tell(&w, NULL, row);
    for (int i = 0; i < 2; i++) {
        pass(&w, 1000);
        struct frame f = sent(&w, &po);
        assert_int_equal(swap32(f.key.nw_dst), 0x0a000007);
        assert_int_equal(swap16(f.key.tp_dst), 80);
        assert_int_equal(swap16(f.key.tcp_flags), TCP_SYN);
        answer(&w, &f, TCP_SYN | TCP_ACK, seq_of(&f)); /* not what was asked */
        assert_int_equal(w.outs.n, 1);
        answer(&w, &f, TCP_SYN | TCP_ACK, seq_of(&f) + 1);
        assert_int_equal(w.outs.n, 2); /* and the connection is reset */
        of_packet_out_fini(&po);
        write_back(&w);
        assert_int_equal(w.n_updates, i); /* the second success counts */
        clear_outs(&w);
        pass(&w, 4000);
        assert_int_equal(w.outs.n, 0);
    }
    for (int i = 0; i < 2; i++) { /* a reset, then silence */
        pass(&w, 1000);
        struct frame f = sent(&w, &po);
        if (!i)
            answer(&w, &f, TCP_RST | TCP_ACK, seq_of(&f) + 1);
        else
            pass(&w, 3000);
        of_packet_out_fini(&po);
        write_back(&w);
        assert_int_equal(w.n_updates, 1 + i);
        clear_outs(&w);
        pass(&w, 4000);
    }
    assert_int_equal(w.pinctrl->stats.checks_failed, 2);
    tell(&w, row, NULL);
    clear_outs(&w);
    pass(&w, 20000);
    assert_int_equal(w.outs.n, 0);
    row_unref(row);
    world_fini(&w);
}

static void test_udp(void **state UNUSED)
{
    static const char *const ips[][2] = {{"10.0.0.7", "10.0.0.254"}, {"fd00::7", "fd00::fe"}};
    for (int v = 0; v < 2; v++) {
        struct world w;
        struct of_packet_out po;
        begin(&w);
        struct row *row = monitor(&w, "udp", ips[v][0], ips[v][1]);
        tell(&w, NULL, row);
        for (int i = 0; i < 2; i++) {
            pass(&w, 500);
            struct frame f = sent(&w, &po);
            assert_int_equal(f.key.nw_proto, IP_PROTO_UDP);
            answer(&w, &f, 0, 0);
            of_packet_out_fini(&po);
            write_back(&w);
            assert_int_equal(w.n_updates, i); /* offline after two */
            clear_outs(&w);
            pass(&w, 4500);
        }
        pass(&w, 30000); /* nobody objects: it is there */
        write_back(&w);
        assert_int_equal(w.n_updates, 2);
        assert_int_equal(w.pinctrl->stats.checks_failed, 2);
        row_unref(row);
        world_fini(&w);
    }
}

static void test_not_ours(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct row *row = monitor(&w, "tcp", "10.0.0.8", "10.0.0.254"); /* not an address of the port */
    tell(&w, NULL, row);
    pass(&w, 20000);
    struct row *here = monitor(&w, "tcp", "10.0.0.7", "10.0.0.254");
    tell(&w, row, here);
    w.index.has_chassis = false;
    pass(&w, 20000);
    assert_int_equal(w.outs.n, 0);
    w.index.has_chassis = true;
    pass(&w, 6000);
    assert_true(w.outs.n >= 1);
    row_unref(row);
    row_unref(here);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
