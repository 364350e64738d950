/* test_pinctrl.c - packet-ins with opcodes arp and put_arp: requests that go out, packets that wait, neighbours that are learned,
 * limits, and hostile input. The switch and SB are played by the test. */
#include "base/log.h"
#include "support/pinctrl_world.h"

struct ip_packet {
    struct eth_header eth;
    struct ip4_header ip;
    uint8_t payload[20];
} PACKED;

static struct ip_packet make_ip(uint8_t last)
{
    struct ip_packet p = {
        .eth = {.dst = {{0}}, .src = {{2, 0, 0, 0, 0xff, 1}}, .type = swap16(ETH_TYPE_IP)},
        .ip = {.ihl_ver = 0x45,
               .tot_len = swap16(40),
               .ttl = 63,
               .proto = 17,
               .src = swap32(0x0a000001),
               .dst = swap32(0x0a000163)}};
    p.payload[0] = last;
    return p;
}

/* arp { eth.dst = ff:ff:ff:ff:ff:ff; output; } as the encoder sends it */
static size_t arp_userdata(uint8_t *ret)
{
    struct of_actions actions = OF_ACTIONS_INIT;
    of_put_set_field(&actions, FIELD_ETH_DST, 0xffffffffffff);
    of_put_resubmit(&actions, PORT_IN_PORT, 37);
    struct of_buf buf = OF_BUF_INIT;
    of_buf_put32(&buf, OPCODE_ARP);
    of_buf_put32(&buf, 0);
    of_actions_encode(actions.data, actions.n, OF15_VERSION, &buf);
    memcpy(ret, buf.data, buf.n);
    size_t n = buf.n;
    of_buf_fini(&buf);
    of_actions_fini(&actions);
    return n;
}

static void send_arp_event(struct world *w, uint32_t next_hop, uint8_t mark)
{
    uint8_t userdata[256];
    struct ip_packet packet = make_ip(mark);
    send_in(w, &packet, sizeof packet, userdata, arp_userdata(userdata), next_hop, 1, 3, 4);
}

static void send_put_arp(struct world *w, uint32_t ip, uint8_t mac, uint32_t port)
{
    uint8_t userdata[8] = {0, 0, 0, OPCODE_PUT_ARP};
    uint8_t frame[42] = {0};
    struct eth_header eth = {.src = {{2, 0, 0, 0, 1, mac}}, .type = swap16(ETH_TYPE_ARP)};
    memcpy(frame, &eth, sizeof eth);
    send_in(w, frame, sizeof frame, userdata, sizeof userdata, ip, port, 0, 4);
}

static void test_arp_asks_and_packets_wait(void **state UNUSED)
{
    struct world w;
    struct of_packet_out po;
    struct str text = STR_INIT;
    world_init(&w);
    for (uint8_t i = 0; i < 6; i++)
        send_arp_event(&w, 0x0a000163, i);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 1); /* one question for six packets */
    decode_out(&w, 0, &po, &text);
    assert_non_null(strstr(str_c(&text), "set_field:0x3->reg15"));
    assert_non_null(strstr(str_c(&text), "set_field:0x4->metadata"));
    assert_non_null(strstr(str_c(&text), "ff:ff:ff:ff:ff:ff->eth_dst"));
    assert_non_null(strstr(str_c(&text), "resubmit(,37)"));
    struct {
        struct eth_header eth;
        struct arp_header arp;
    } PACKED arp;
    assert_int_equal(po.packet_len, sizeof arp);
    memcpy(&arp, po.packet, sizeof arp);
    assert_int_equal(swap16(arp.eth.type), ETH_TYPE_ARP);
    assert_int_equal(swap16(arp.arp.op), ARP_OP_REQUEST);
    assert_int_equal(mac_to_u64(arp.arp.sha), 0x02000000ff01);
    assert_int_equal(swap32(arp.arp.spa), 0x0a000001);
    assert_int_equal(swap32(arp.arp.tpa), 0x0a000163);
    assert_true(mac_is_zero(arp.arp.tha));
    of_packet_out_fini(&po);

    w.env.now_us += 1100000; /* a second later it may be asked again */
    turns(&w, 3);
    send_arp_event(&w, 0x0a000163, 6);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 2);
    assert_int_equal(w.pinctrl->stats.arp_sent, 2);
    assert_int_equal(w.pinctrl->stats.arp_limited, 5);

    clear_outs(&w);
    struct row *row = mac_row(&w, "10.0.1.99", "02:00:00:00:00:77");
    pinctrl_neighbor(w.pinctrl, sb_mac_binding_cast(row)); /* the answer, by way of SB */
    row_unref(row);
    turns(&w, 5);
    assert_int_equal(w.outs.n, WAITING_PACKETS); /* the latest, in order */
    for (uint8_t i = 0; i < WAITING_PACKETS; i++) {
        decode_out(&w, i, &po, &text);
        struct ip_packet packet;
        assert_int_equal(po.packet_len, sizeof packet);
        memcpy(&packet, po.packet, sizeof packet);
        assert_int_equal(packet.payload[0], 3 + i);
        assert_non_null(strstr(str_c(&text), "set_field:02:00:00:00:00:77->eth_dst"));
        char table[32];
        snprintf(table, sizeof table, ",%d)", OFTABLE_REMOTE_OUTPUT);
        assert_non_null(strstr(str_c(&text), table));
        of_packet_out_fini(&po);
    }
    assert_int_equal(w.pinctrl->waiting.n, 0);
    str_fini(&text);
    world_fini(&w);
}

/* A packet that left the switch before the flow of a neighbour arrived there need not wait: SB knows
 * the neighbour, so that an answer to a question would be no news and would release nothing. */
static void test_known_neighbour_is_not_asked(void **state UNUSED)
{
    struct world w;
    struct of_packet_out po;
    struct str text = STR_INIT;
    world_init(&w);
    add_row(&w, mac_row(&w, "10.0.1.99", "02:00:00:00:00:77"));
    send_arp_event(&w, 0x0a000163, 7);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 1);
    decode_out(&w, 0, &po, &text);
    assert_int_equal(po.packet_len, sizeof(struct ip_packet));
    assert_non_null(strstr(str_c(&text), "set_field:02:00:00:00:00:77->eth_dst"));
    of_packet_out_fini(&po);
    assert_int_equal(w.pinctrl->waiting.n, 0);
    assert_int_equal(w.pinctrl->stats.arp_sent, 0);
    str_fini(&text);
    world_fini(&w);
}

/* What waits at a gateway port (key 7, which stands for port 3) waits for the neighbours of that one, and is let go by them. */
static void test_gateway_ports_wait_for_neighbours(void **state UNUSED)
{
    struct world w;
    uint8_t userdata[256];
    struct ip_packet packet = make_ip(0);
    world_init(&w);
    struct row *gateway = make_row(&w, "Port_Binding", 3);
    struct uuid at = uuid_of(1);
    union atom key = {.string = rstr_new("distributed-port")}, value = {.string = rstr_new("lrp")};
    set(gateway, "datapath", datum_new_uuid(&at));
    set(gateway, "tunnel_key", datum_new_integer(7));
    set(gateway, "logical_port", datum_new_string("cr-lrp"));
    set(gateway, "type", datum_new_string("chassisredirect"));
    set(gateway, "options", datum_new_map(ATOM_STRING, ATOM_STRING, &key, &value, 1));
    add_row(&w, gateway);
    send_in(&w, &packet, sizeof packet, userdata, arp_userdata(userdata), 0x0a000163, 1, 7, 4);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 1); /* the question */
    struct row *row = mac_row(&w, "10.0.1.99", "02:00:00:00:00:77");
    pinctrl_neighbor(w.pinctrl, sb_mac_binding_cast(row));
    add_row(&w, row);
    turns(&w, 5);
    assert_int_equal(w.outs.n, 2);
    send_in(&w, &packet, sizeof packet, userdata, arp_userdata(userdata), 0x0a000163, 1, 7, 4);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 3); /* known by now */
    assert_int_equal(w.pinctrl->stats.arp_sent, 1);
    assert_int_equal(w.pinctrl->waiting.n, 0);
    world_fini(&w);
}

/* A packet that came in a full message does not fit into one with more actions. */
static void test_large_packet(void **state UNUSED)
{
    struct world w;
    uint8_t userdata[256];
    uint8_t *packet = xcalloc(1, 65100);
    struct ip_packet head = make_ip(0);
    world_init(&w);
    memcpy(packet, &head, sizeof head);
    send_in(&w, packet, 65100, userdata, arp_userdata(userdata), 0x0a000163, 1, 3, 4);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 1); /* the question */
    send_put_arp(&w, 0x0a000163, 5, 3);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 1);
    assert_int_equal(w.pinctrl->stats.packets_dropped, 1);
    assert_int_equal(w.pinctrl->waiting.n, 0);
    free(packet);
    world_fini(&w);
}

static void test_waiting_is_bounded(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    for (uint32_t i = 0; i < WAITING_MAX + 50; i++) {
        send_arp_event(&w, 0x0a010000 + i, 0);
        if (i % 100 == 99)
            turns(&w, 5);
    }
    turns(&w, 20);
    assert_int_equal(w.pinctrl->waiting.n, WAITING_MAX);
    assert_int_equal(w.pinctrl->stats.packet_ins, WAITING_MAX + 50);
    w.env.now_us += 11 * 1000000;
    turns(&w, 5);
    assert_int_equal(w.pinctrl->waiting.n, 0);
    assert_int_equal(w.pinctrl->stats.packets_waiting, 0);
    world_fini(&w);
}

static void test_put_arp_learns(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.wakes = 0;
    for (int i = 0; i < 10; i++)
        send_put_arp(&w, 0x0a000163, 5, 3); /* one neighbour, however often it answers */
    send_put_arp(&w, 0x0a000164, 6, 3);
    send_put_arp(&w, 0x0a000164, 6, 99); /* no such port */
    turns(&w, 10);
    assert_true(w.wakes > 0);
    assert_int_equal(w.pinctrl->put_arps.n, 3);
    pinctrl_write(w.pinctrl, &w.writer);
    writer_commit(&w.writer);
    assert_int_equal(w.n_txns, 1);
    assert_int_equal(w.n_inserts, 2);
    assert_int_equal(w.pinctrl->stats.put_arp_unknown_port, 1);
    assert_int_equal(w.pinctrl->put_arps.n, 0);
    assert_false(writer_is_ready(&w.writer)); /* until the server has answered */
    send_put_arp(&w, 0x0a000165, 7, 3);
    turns(&w, 5);
    pinctrl_write(w.pinctrl, &w.writer);
    assert_int_equal(w.pinctrl->put_arps.n, 1);
    w.done(w.done_aux, 0, NULL);
    w.env.now_us += 2 * 1000000; /* and by now it is too old */
    turns(&w, 3);
    pinctrl_write(w.pinctrl, &w.writer);
    writer_commit(&w.writer);
    assert_int_equal(w.n_txns, 1);
    assert_int_equal(w.pinctrl->stats.put_arp_old, 1);

    add_row(&w, mac_row(&w, "10.0.1.99", "02:00:00:00:01:05"));
    send_put_arp(&w, 0x0a000163, 5, 3); /* known already: nothing to write */
    turns(&w, 5);
    pinctrl_write(w.pinctrl, &w.writer);
    writer_commit(&w.writer);
    assert_int_equal(w.n_txns, 1);
    send_put_arp(&w, 0x0a000163, 8, 3); /* moved */
    turns(&w, 5);
    pinctrl_write(w.pinctrl, &w.writer);
    writer_commit(&w.writer);
    assert_int_equal(w.n_txns, 2);
    assert_int_equal(w.n_updates, 1);
    w.done(w.done_aux, 0, NULL);
    world_fini(&w);
}

static void test_put_arp_is_bounded(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    for (uint32_t i = 0; i < 2000; i++) {
        send_put_arp(&w, 0x0a020000 + i, 1, 3);
        if (i % 100 == 99)
            turns(&w, 5);
    }
    turns(&w, 20);
    assert_int_equal(w.pinctrl->put_arps.n, PUT_ARP_MAX);
    assert_int_equal(w.pinctrl->stats.put_arp_full, 2000 - PUT_ARP_MAX);
    world_fini(&w);
}

static void test_one_port_is_limited(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    for (uint32_t i = 0; i < LIMIT_BURST + 100; i++) {
        send_put_arp(&w, 0x0a000163, 5, 3);
        if (i % 100 == 99)
            turns(&w, 5);
    }
    turns(&w, 20);
    assert_int_equal(w.pinctrl->stats.limited, 100);
    send_put_arp(&w, 0x0a000164, 5, 4); /* another port is not concerned */
    turns(&w, 5);
    assert_int_equal(w.pinctrl->stats.limited, 100);
    w.env.now_us += 50000; /* time gives 50 more */
    turns(&w, 2);
    for (uint32_t i = 0; i < 60; i++)
        send_put_arp(&w, 0x0a000163, 5, 3);
    turns(&w, 10);
    assert_int_equal(w.pinctrl->stats.limited, 110);
    world_fini(&w);
}

/* MB-31: whatever arrives, no turn of the loop handles more than its share; all is handled in the end. */
static void test_a_turn_is_bounded(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    for (uint32_t i = 0; i < 400; i++)
        send_put_arp(&w, 0x0a030000 + i, 1, 3);
    unsigned busy = 0;
    for (int i = 0; i < 200 && w.pinctrl->stats.packet_ins < 400; i++) {
        uint64_t before = w.pinctrl->stats.packet_ins;
        turns(&w, 1);
        assert_true(w.pinctrl->stats.packet_ins - before <= PINCTRL_BURST);
        busy += w.pinctrl->stats.packet_ins > before;
    }
    assert_int_equal(w.pinctrl->stats.packet_ins, 400);
    assert_true(busy >= 400 / PINCTRL_BURST);
    world_fini(&w);
}

/* MB-32, MB-34: without a transaction nothing is written and the buffer is bounded; with one, no more than it held. */
static void test_what_waits_is_written_once(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    send_put_arp(&w, 0x0a000163, 5, 3);
    turns(&w, 5);
    pinctrl_write(w.pinctrl, &w.writer);
    writer_commit(&w.writer); /* and the server does not answer */
    for (uint32_t i = 0; i < 2000; i++) {
        send_put_arp(&w, 0x0a020000 + i, 1, 3);
        if (i % 100 == 99) {
            turns(&w, 5);
            pinctrl_write(w.pinctrl, &w.writer);
            writer_commit(&w.writer);
        }
    }
    turns(&w, 20);
    pinctrl_write(w.pinctrl, &w.writer);
    assert_int_equal(w.n_txns, 1);
    assert_int_equal(w.pinctrl->put_arps.n, PUT_ARP_MAX);
    w.done(w.done_aux, 0, NULL);
    pinctrl_write(w.pinctrl, &w.writer);
    writer_commit(&w.writer);
    assert_int_equal(w.n_txns, 2);
    assert_int_equal(w.n_inserts, 1 + PUT_ARP_MAX);
    assert_int_equal(w.pinctrl->put_arps.n, 0);
    w.done(w.done_aux, 0, NULL);
    world_fini(&w);
}

/* MB-37, MB-38: a new connection is configured anew, and nothing that came by the old one is kept. Messages that are no answers
 * to anything do no harm. */
static void test_a_new_connection_starts_anew(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    send_put_arp(&w, 0x0a000163, 5, 3);
    send_arp_event(&w, 0x0a000164, 0);
    turns(&w, 10);
    assert_int_equal(w.pinctrl->put_arps.n, 1);
    assert_int_equal(w.pinctrl->waiting.n, 1);
    of_conn_free(w.conn);
    w.conn = NULL;
    w.has_config = w.has_format = false;
    for (int i = 0; i < 500 && !(w.has_config && w.has_format); i++) {
        w.env.now_us += 20000;
        loop_run_once(w.loop, 10);
    }
    assert_true(w.has_config && w.has_format);
    assert_int_equal(w.pinctrl->put_arps.n, 0);
    assert_int_equal(w.pinctrl->waiting.n, 0);
    assert_int_equal(w.pinctrl->stats.packets_waiting, 0);

    static const enum of_type strays[] = {OF_BARRIER_REPLY, OF_ECHO_REPLY, OF_ECHO_REQUEST};
    for (size_t i = 0; i < ARRAY_SIZE(strays); i++) {
        struct of_buf buf = OF_BUF_INIT;
        of_simple_encode(strays[i], OF15_VERSION, of_conn_next_xid(w.conn), &buf);
        of_conn_send_buf(w.conn, &buf);
        of_buf_fini(&buf);
    }
    send_put_arp(&w, 0x0a000165, 5, 3);
    turns(&w, 20);
    assert_non_null(w.pinctrl->conn);
    assert_int_equal(w.pinctrl->put_arps.n, 1);
    world_fini(&w);
}

/* MB-42: the error quotes the packet; what came along turns it round. */
static void test_icmp_error(void **state UNUSED)
{
    static const uint8_t userdata[8] = {0, 0, 0, OPCODE_ICMP};
    struct world w;
    struct of_packet_out po;
    struct str text = STR_INIT;
    struct {
        struct eth_header eth;
        struct ip4_header ip;
        struct icmp_header icmp;
        uint8_t quoted[40];
    } PACKED error;
    world_init(&w);
    struct ip_packet packet = make_ip(7);
    send_in(&w, &packet, sizeof packet, userdata, sizeof userdata, 0, 1, 3, 4);
    turns(&w, 10);
    decode_out(&w, 0, &po, &text);
    assert_int_equal(po.packet_len, sizeof error);
    memcpy(&error, po.packet, sizeof error);
    assert_int_equal(checksum(&error.ip, sizeof error.ip), 0);
    assert_int_equal(checksum(&error.icmp, sizeof error.icmp + 40), 0);
    assert_int_equal(error.icmp.type, ICMP_DST_UNREACH);
    assert_int_equal(error.ip.proto, 1);
    assert_int_equal(swap16(error.ip.tot_len), 68);
    assert_memory_equal(error.quoted, &packet.ip, 40);
    of_packet_out_fini(&po);

    uint8_t big[1500] = {0}; /* of which only a part is quoted */
    packet.ip.tot_len = swap16(1400);
    memcpy(big, &packet, sizeof packet);
    send_in(&w, big, sizeof big, userdata, sizeof userdata, 0, 1, 3, 4);
    turns(&w, 10);
    decode_out(&w, 1, &po, &text);
    assert_int_equal(po.packet_len, 14 + 576);
    of_packet_out_fini(&po);

    /* Not answered: errors, later fragments, frames to a group, what is longer than it is. */
    struct ip_packet bad[5];
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        bad[i] = make_ip(0);
    bad[0].ip.proto = 1;
    bad[0].payload[0] = ICMP_DST_UNREACH;
    bad[1].ip.frag_off = swap16(100);
    bad[2].eth.dst = (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    bad[3].ip.tot_len = swap16(1000);
    bad[4].ip.ihl_ver = 0x4f;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        send_in(&w, &bad[i], sizeof bad[i], userdata, sizeof userdata, 0, 1, 3, 4);
    turns(&w, 10);
    assert_int_equal(w.outs.n, 2);
    assert_int_equal(w.pinctrl->stats.unanswerable, ARRAY_SIZE(bad));
    str_fini(&text);
    world_fini(&w);
}

static void test_hostile_input(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    uint8_t userdata[256];
    size_t n = arp_userdata(userdata);
    struct ip_packet packet = make_ip(0);
    for (size_t cut = 0; cut < sizeof packet; cut++)
        send_in(&w, &packet, cut, userdata, n, 1, 1, 3, 4);
    for (size_t cut = 0; cut < n; cut++) /* truncated actions */
        send_in(&w, &packet, sizeof packet, userdata, cut, 2, 1, 3, 4);
    uint8_t bad[64];
    memset(bad, 0xff, sizeof bad);
    send_in(&w, &packet, sizeof packet, bad, sizeof bad, 3, 1, 3, 4); /* unknown opcode */
    memset(bad, 0, 8);
    send_in(&w, &packet, sizeof packet, bad, sizeof bad, 4, 1, 3, 4); /* arp { rubbish } */
    uint8_t put[8] = {0, 0, 0, OPCODE_PUT_ARP};
    send_in(&w, &packet, 5, put, sizeof put, 4, 1, 3, 4);
    turns(&w, 30);
    assert_int_equal(w.pinctrl->stats.unknown_opcodes, 1);
    assert_true(w.pinctrl->stats.malformed > 30);
    assert_non_null(w.pinctrl->conn);
    send_arp_event(&w, 0x0a000163, 0); /* and it goes on */
    clear_outs(&w);
    turns(&w, 10);
    assert_true(w.outs.n >= 1);
    world_fini(&w);
}

struct warnings {
    unsigned opcode, port;
};

static void on_line(enum log_level level, const char *line, void *aux)
{
    struct warnings *n = aux;
    n->opcode += level == LOG_WARN && strstr(line, "unknown opcode") != NULL;
    n->port += level == LOG_WARN && strstr(line, "neighbour on unknown port") != NULL;
}

/* MB-30, MB-35: what is not known is warned of, five times at once. First of all tests, since that is by the clock of the process. */
static void test_warnings(void **state UNUSED)
{
    struct world w;
    struct warnings n = {0};
    uint8_t unknown[8] = {0, 0, 1};
    struct ip_packet packet = make_ip(0);
    world_init(&w);
    log_set_stderr(false);
    log_set_hook(on_line, &n);
    for (uint32_t i = 0; i < 20; i++) {
        send_in(&w, &packet, sizeof packet, unknown, sizeof unknown, 0, 1, 3, 4);
        send_put_arp(&w, 0x0a000164 + i, 6, 99);
    }
    turns(&w, 10);
    pinctrl_write(w.pinctrl, &w.writer);
    log_set_hook(NULL, NULL);
    log_set_stderr(true);
    assert_int_equal(w.pinctrl->stats.unknown_opcodes, 20);
    assert_int_equal(w.pinctrl->stats.put_arp_unknown_port, 20);
    assert_int_equal(n.opcode, 5);
    assert_int_equal(n.port, 5);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_arp_asks_and_packets_wait),
        cmocka_unit_test(test_known_neighbour_is_not_asked),
        cmocka_unit_test(test_gateway_ports_wait_for_neighbours),
        cmocka_unit_test(test_large_packet),
        cmocka_unit_test(test_waiting_is_bounded),
        cmocka_unit_test(test_put_arp_learns),
        cmocka_unit_test(test_put_arp_is_bounded),
        cmocka_unit_test(test_one_port_is_limited),
        cmocka_unit_test(test_a_turn_is_bounded),
        cmocka_unit_test(test_what_waits_is_written_once),
        cmocka_unit_test(test_a_new_connection_starts_anew),
        cmocka_unit_test(test_icmp_error),
        cmocka_unit_test(test_hostile_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
