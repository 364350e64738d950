/* test_pinctrl_neighbor.c - the life of learned neighbours: use and silence as the switch's counters tell, probes, the end;
 * room on a port, moves, and two hypervisors that learn the same at once. */
#include "support/pinctrl_world.h"

#include "base/err.h"
#include "openflow/flow_mod.h"

enum { ATTACHED = 30, NEIGHBOR = 9 };

/* A row that SB has: in the replica as well. */
static void put_in_sb(struct world *w, const struct row *row)
{
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->n = 1;
    cs->changes = NEW(struct change);
    cs->changes[0].after = row_ref(row);
    w->sink.update(w->sink.replica, cs);
    sb_index_change(&w->index, &cs->changes[0]);
    pinctrl_row_changed(w->pinctrl, &cs->changes[0]);
    changeset_unref(cs);
}

static void set_pair(struct row *row, const char *column, const char *key, const char *value)
{
    union atom k = {.string = rstr_new(key)}, v = {.string = rstr_new(value)};
    set(row, column, datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1));
}

static void replace_row(struct world *w, const struct row *before, const struct row *after)
{
    struct change change = {row_ref(before), after};
    sb_index_change(&w->index, &change);
    pinctrl_row_changed(w->pinctrl, &change);
    row_unref(before);
}

/* A router port with a neighbour whose address is IP, learned now, on a datapath where neighbours age. */
static void begin(struct world *w, const char *ip)
{
    struct uuid router = uuid_of(1), other = uuid_of(40);
    world_init(w);
    w->env.now_us += 3600 * INT64_C(1000000);
    struct row *switch_row = make_row(w, "Datapath_Binding", 40);
    set(switch_row, "tunnel_key", datum_new_integer(5));
    add_row(w, switch_row);
    struct row *attached = make_row(w, "Port_Binding", ATTACHED);
    set(attached, "datapath", datum_new_uuid(&other));
    set(attached, "tunnel_key", datum_new_integer(11));
    set(attached, "logical_port", datum_new_string("sw-lrp"));
    add_row(w, attached);
    const struct row *old = &sb_index_port_named(&w->index, "lrp")->row;
    struct row *lrp = row_clone(old);
    set_pair(lrp, "options", "peer", "sw-lrp");
    set(lrp, "mac", datum_new_string("02:00:00:00:ff:03 10.0.1.254/24 fd00::ff/64"));
    replace_row(w, old, lrp);
    row_unref(lrp);
    old = &sb_index_datapath(&w->index, 4)->row;
    struct row *datapath = row_clone(old);
    set_pair(datapath, "external_ids", "mac_binding_age_threshold", "40");
    replace_row(w, old, datapath);
    row_unref(datapath);
    struct row *row = mac_row(w, ip, "02:00:00:00:00:77");
    set(row, "datapath", datum_new_uuid(&router));
    set(row, "timestamp", datum_new_integer(env_wall_ms(&w->env.env)));
    put_in_sb(w, row);
    row_unref(row);
    sb_index_set_local(&w->index, &router, true);
    sb_index_set_local(&w->index, &other, true);
    pinctrl_place_changed(w->pinctrl);
}

/* Answers the latest requests: PACKETS of table 66, 67, 79 for the neighbour's flows. */
static void answer_stats(struct world *w, const uint64_t packets[3])
{
    static const uint8_t tables[] = {OFTABLE_MAC_BINDING, OFTABLE_MAC_LOOKUP,
                                     OFTABLE_MAC_CACHE_USE};
    struct uuid row = uuid_of(NEIGHBOR);
    for (int i = 0; i < 3; i++) {
        struct of_msg msg;
        struct of_flow_stats_request request;
        if (!w->stats[i].n)
            continue;
        assert_int_equal(of_msg_parse(w->stats[i].data, w->stats[i].n, &msg), 0);
        assert_int_equal(of_flow_stats_request_decode(&msg, &request), 0);
        size_t t = 0;
        while (t < 3 && tables[t] != request.table_id)
            t++;
        assert_true(t < 3);
        struct of_buf out = OF_BUF_INIT;
        struct of_reply reply;
        struct of_flow_stats fs = {.cookie = uuid_prefix32(&row),
                                   .table_id = request.table_id,
                                   .idle_age = -1,
                                   .hard_age = -1,
                                   .packets = packets[t],
                                   .bytes = 60 * packets[t]};
        match_init(&fs.match);
        of_reply_begin(&reply, &msg, &out);
        of_flow_stats_put(&reply, &fs);
        of_reply_end(&reply);
        of_conn_send_buf(w->conn, &out);
        of_buf_fini(&out);
        of_buf_fini(&w->stats[i]);
    }
    turns(w, 4);
}

/* SECONDS pass; in each the switch answers with PACKETS, of which those in MOVES go up. */
static void live(struct world *w, int seconds, uint64_t packets[3], const bool moves[3])
{
    for (int i = 0; i < seconds * 2; i++) {
        w->env.now_us += 500000;
        loop_run_once(w->loop, 0);
        turns(w, 2);
        for (int t = 0; t < 3; t++)
            packets[t] += moves[t];
        answer_stats(w, packets);
        pinctrl_write(w->pinctrl, &w->writer);
        writer_commit(&w->writer);
        if (!writer_is_ready(&w->writer))
            w->done(w->done_aux, 0, NULL);
    }
}

static const bool silence[3] = {false}, spoken_to[3] = {true}, speaks[3] = {false, true},
                  routed[3] = {false, false, true};

static void test_unused_is_forgotten(void **state UNUSED)
{
    struct world w;
    uint64_t packets[3] = {5, 5, 5};
    begin(&w, "10.0.1.99");
    live(&w, 38, packets, silence);
    assert_int_equal(w.n_deletes, 0);
    live(&w, 15, packets, silence);
    assert_true(w.n_deletes >= 1);
    assert_int_equal(w.outs.n, 0); /* nobody was asked */
    world_fini(&w);
}

static void test_in_use_is_refreshed(void **state UNUSED)
{
    struct world w;
    uint64_t packets[3] = {0};
    begin(&w, "10.0.1.99");
    live(&w, 8, packets, speaks);
    assert_int_equal(w.n_updates, 0); /* young enough */
    live(&w, 8, packets, speaks);
    assert_true(w.n_updates >= 1);
    unsigned n = w.n_updates;
    live(&w, 6, packets, silence);
    n = w.n_updates;
    live(&w, 6, packets, routed); /* by the count of mac_cache_use */
    assert_true(w.n_updates > n);
    assert_int_equal(w.n_deletes, 0);
    world_fini(&w);
}

static void test_spoken_to_is_asked(void **state UNUSED)
{
    static const char *const ips[] = {"10.0.1.99", "fd00::99"};
    for (int i = 0; i < 2; i++) {
        struct world w;
        uint64_t packets[3] = {0};
        struct of_packet_out po;
        struct str text = STR_INIT;
        begin(&w, ips[i]);
        live(&w, 28, packets, spoken_to);
        assert_int_equal(w.outs.n, 0);
        live(&w, 10, packets, spoken_to);
        assert_in_range(w.outs.n, 1, 3);
        decode_out(&w, 0, &po, &text);
        assert_memory_equal(po.packet, "\2\0\0\0\0\x77\2\0\0\0\xff\3", 12); /* by unicast */
        assert_non_null(strstr(str_c(&text), "set_field:0x5->metadata"));
        assert_non_null(strstr(str_c(&text), "set_field:0xb->reg14"));
        if (i == 0) {
            struct arp_header arp;
            memcpy(&arp, po.packet + 14, sizeof arp);
            assert_int_equal(swap16(arp.op), ARP_OP_REQUEST);
            assert_int_equal(swap32(arp.spa), 0x0a0001fe);
            assert_int_equal(swap32(arp.tpa), 0x0a000163);
        } else {
            assert_sound(po.packet, po.packet_len);
            assert_int_equal(po.packet[54], ICMP6_NEIGHBOR_SOLICIT);
        }
        of_packet_out_fini(&po);
        live(&w, 6, packets, speaks); /* the answer */
        assert_true(w.n_updates >= 1);
        assert_int_equal(w.n_deletes, 0);
        str_fini(&text);
        world_fini(&w);
    }
}

/* Of a distributed gateway port, only the hypervisor that has it asks. */
static void test_gateway_asks(void **state UNUSED)
{
    struct world w;
    uint64_t packets[3] = {0};
    struct uuid other = uuid_of(77);
    begin(&w, "10.0.1.99");
    struct row *gateway = make_row(&w, "Port_Binding", 31);
    set(gateway, "logical_port", datum_new_string("cr-lrp"));
    set(gateway, "type", datum_new_string("chassisredirect"));
    set(gateway, "chassis", datum_new_uuid(&other));
    add_row(&w, gateway);
    live(&w, 38, packets, spoken_to);
    assert_int_equal(w.outs.n, 0);
    world_fini(&w);
}

static void send_put_arp(struct world *w, uint32_t ip, uint8_t mac)
{
    uint8_t userdata[8] = {0, 0, 0, OPCODE_PUT_ARP}, frame[42] = {0};
    struct eth_header eth = {.src = {{2, 0, 0, 0, 1, mac}}, .type = swap16(ETH_TYPE_ARP)};
    memcpy(frame, &eth, sizeof eth);
    send_in(w, frame, sizeof frame, userdata, sizeof userdata, ip, 3, 0, 4);
    turns(w, 4);
}

/* What the controller knows, without asking anybody: fresh, expired, of other ports, and what waits. */
static void test_show(void **state UNUSED)
{
    struct world w;
    struct str text = STR_INIT;
    begin(&w, "10.0.1.99");
    assert_true(neighbor_show(w.pinctrl, "lrp", &text));
    assert_string_equal(str_c(&text), "port address   mac               state age limit taught by\n"
                                      "lrp  10.0.1.99 02:00:00:00:00:77 fresh 0   40    -\n");
    uint8_t userdata[8] = {0, 0, 0, OPCODE_ARP}, frame[42] = {[12] = 8, [14] = 0x45};
    for (int i = 0; i < 2; i++)
        send_in(&w, frame, sizeof frame, userdata, sizeof userdata, 0x0a000105, 0, 3, 4);
    turns(&w, 4);
    w.env.now_us += 35 * INT64_C(1000000);
    str_clear(&text);
    assert_true(neighbor_show(w.pinctrl, NULL, &text));
    assert_string_equal(str_c(&text),
                        "port address   mac               state age limit taught by\n"
                        "lrp  10.0.1.5  -                 asked 0   10    2 packets wait\n"
                        "lrp  10.0.1.99 02:00:00:00:00:77 stale 35  40    -\n");
    str_clear(&text);
    assert_true(neighbor_show(w.pinctrl, "sw-lrp", &text));
    assert_string_equal(str_c(&text), "port address mac state age limit taught by\n");
    assert_false(neighbor_show(w.pinctrl, "nosuch", &text));
    str_fini(&text);
    world_fini(&w);
}

static void write_out(struct world *w)
{
    pinctrl_write(w->pinctrl, &w->writer);
    writer_commit(&w->writer);
}

static void test_port_has_room(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.pinctrl->neighbors_max = 3;
    add_row(&w, mac_row(&w, "10.0.1.1", "02:00:00:00:00:77"));
    for (uint32_t i = 2; i < 10; i++)
        send_put_arp(&w, 0x0a000100 + i, 5);
    send_put_arp(&w, 0x0a000101, 5); /* a known one may change */
    write_out(&w);
    assert_int_equal(w.n_inserts, 2);
    assert_int_equal(w.n_updates, 1);
    assert_int_equal(w.pinctrl->stats.neighbors_over_limit, 6);
    w.done(w.done_aux, 0, NULL);
    world_fini(&w);
}

static void test_moves_and_duplicates(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    struct row *at_5 = mac_row(&w, "10.0.1.99", "02:00:00:00:01:05"),
               *at_6 = mac_row(&w, "10.0.1.99", "02:00:00:00:01:06");
    struct change to_5 = {NULL, at_5}, to_6 = {at_5, at_6}, back = {at_6, at_5};
    sb_index_change(&w.index, &to_5);
    send_put_arp(&w, 0x0a000163, 6);
    write_out(&w);
    w.done(w.done_aux, 0, NULL);
    sb_index_change(&w.index, &to_6);
    assert_int_equal(w.pinctrl->stats.neighbors_moved, 1);
    w.env.now_us += 5000000;
    turns(&w, 2);
    send_put_arp(&w, 0x0a000163, 5); /* back within a minute: two of them */
    write_out(&w);
    w.done(w.done_aux, 0, NULL);
    sb_index_change(&w.index, &back);
    assert_int_equal(w.pinctrl->stats.neighbors_moved, 1);
    assert_int_equal(w.pinctrl->stats.neighbors_duplicate, 1);
    w.env.now_us += 70000000;
    turns(&w, 2);
    send_put_arp(&w, 0x0a000163, 6);
    write_out(&w);
    w.done(w.done_aux, 0, NULL);
    assert_int_equal(w.pinctrl->stats.neighbors_moved, 2);
    assert_int_equal(w.pinctrl->stats.neighbors_duplicate, 1);
    row_unref(at_5);
    row_unref(at_6);
    world_fini(&w);
}

/* Another hypervisor was first: what it wrote is known when the refusal comes, the rest is written at once. */
static void test_race(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.writer.is_racing = true;
    send_put_arp(&w, 0x0a000163, 5);
    send_put_arp(&w, 0x0a000164, 6);
    write_out(&w);
    assert_int_equal(w.n_inserts, 2);
    add_row(&w, mac_row(&w, "10.0.1.99", "02:00:00:00:01:05"));
    w.wakes = 0;
    w.done(w.done_aux, ERR_CONSTRAINT, "duplicate");
    assert_int_equal(w.wakes, 1);
    assert_true(writer_is_ready(&w.writer));
    write_out(&w);
    assert_int_equal(w.n_txns, 2);
    assert_int_equal(w.n_inserts, 3); /* the other one */
    w.done(w.done_aux, 0, NULL);
    write_out(&w);
    assert_int_equal(w.n_txns, 2);
    /* Refused again and again: no faster than once a second in the end. */
    send_put_arp(&w, 0x0a000165, 6);
    unsigned n = 0;
    for (; writer_is_ready(&w.writer) && n < 20; n++) {
        write_out(&w);
        w.done(w.done_aux, ERR_CONSTRAINT, "duplicate");
    }
    assert_int_equal(n, 4);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unused_is_forgotten),
        cmocka_unit_test(test_in_use_is_refreshed),
        cmocka_unit_test(test_spoken_to_is_asked),
        cmocka_unit_test(test_gateway_asks),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_port_has_room),
        cmocka_unit_test(test_moves_and_duplicates),
        cmocka_unit_test(test_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
