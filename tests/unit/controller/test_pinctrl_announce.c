/* test_pinctrl_announce.c - what the controller says and writes without being asked for an answer: router advertisements, gratuitous
 * ARP, log lines, events, virtual ports. */
#include "support/pinctrl_world.h"

#include "base/log.h"

enum { OURS = 50, OTHER = 51 };

/* A world in which chassis OURS is this one; rows are told as SB tells them. */
static void begin(struct world *w)
{
    world_init(w);
    w->index.has_chassis = true;
    w->index.chassis = uuid_of(OURS);
    pinctrl_place_changed(w->pinctrl);
}

static void tell(struct world *w, const struct row *before, const struct row *after)
{
    struct change change = {before, after};
    sb_index_change(&w->index, &change);
    pinctrl_row_changed(w->pinctrl, &change);
}

static void set_text(struct row *row, const char *column, const char *text)
{
    set(row, column, datum_new_string(text));
}

static void set_chassis(struct row *row, uint8_t chassis)
{
    struct uuid uuid = uuid_of(chassis);
    set(row, "chassis", datum_new_uuid(&uuid));
}

static struct row *port_row(struct world *w, uint8_t id, const char *name, const char *type,
                            int64_t key)
{
    struct row *row = make_row(w, "Port_Binding", id);
    struct uuid at = uuid_of(1);
    set(row, "datapath", datum_new_uuid(&at));
    set(row, "tunnel_key", datum_new_integer(key));
    set_text(row, "logical_port", name);
    set_text(row, "type", type);
    return row;
}

static void set_options(struct row *row, const char *const *pairs, size_t n)
{
    union atom keys[16], values[16];
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++) {
        keys[i].string = rstr_new(pairs[2 * i]);
        values[i].string = rstr_new(pairs[2 * i + 1]);
    }
    set(row, "options", datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, n));
}

/* Time passes, MS milliseconds in steps that let every timer run. */
static void pass(struct world *w, int64_t ms)
{
    for (int64_t i = 0; i < ms; i += 250) {
        w->env.now_us += 250000;
        loop_run_once(w->loop, 0);
        loop_run_once(w->loop, 0);
    }
    turns(w, 4);
}

/* ---- Gratuitous ARP ---- */

static struct arp_header arp_out(struct world *w, size_t i, uint16_t type)
{
    struct of_packet_out po;
    struct str text = STR_INIT;
    struct arp_header arp;
    decode_out(w, i, &po, &text);
    assert_int_equal(po.packet_len, 42);
    assert_memory_equal(po.packet, "\xff\xff\xff\xff\xff\xff", 6);
    assert_int_equal(get_be16(po.packet + 12), type);
    assert_non_null(strstr(str_c(&text), "set_field:0x4->metadata"));
    assert_non_null(strstr(str_c(&text), "set_field:0x7->reg14"));
    assert_non_null(strstr(str_c(&text), "resubmit(CONTROLLER,8)"));
    memcpy(&arp, po.packet + 14, sizeof arp);
    of_packet_out_fini(&po);
    str_fini(&text);
    return arp;
}

static void test_machine_on_a_localnet(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct row *vm = port_row(&w, 10, "vm", "", 7);
    set_text(vm, "mac", "02:00:00:00:00:07 10.0.0.7 fd00::7");
    set(vm, "up", datum_new_boolean(true));
    tell(&w, NULL, vm);
    pass(&w, 1000);
    assert_int_equal(w.outs.n, 0); /* it is nowhere */
    struct row *here = row_clone(vm);
    set_chassis(here, OURS);
    tell(&w, vm, here);
    pass(&w, 1000);
    assert_int_equal(w.outs.n, 0); /* and nobody outside needs to know */
    struct row *localnet = port_row(&w, 11, "ln", "localnet", 8);
    tell(&w, NULL, localnet);
    turns(&w, 4);
    w.env.now_us += 1;
    turns(&w, 4);
    assert_int_equal(w.outs.n, 2); /* at once, for each address */
    size_t v4 = w.outs.data[0].n < w.outs.data[1].n ? 0 : 1;
    struct arp_header arp = arp_out(&w, v4, ETH_TYPE_ARP);
    assert_int_equal(swap16(arp.op), ARP_OP_REQUEST);
    assert_int_equal(swap32(arp.spa), 0x0a000007);
    assert_int_equal(swap32(arp.tpa), 0x0a000007);
    assert_memory_equal(&arp.sha, "\2\0\0\0\0\7", 6);
    struct of_packet_out po;
    struct str text = STR_INIT;
    decode_out(&w, !v4, &po, &text);
    assert_sound(po.packet, po.packet_len);
    assert_int_equal(po.packet[54], ICMP6_NEIGHBOR_ADVERT);
    assert_int_equal(get_be32(po.packet + 58), ND_FLAG_OVERRIDE);
    of_packet_out_fini(&po);
    str_fini(&text);

    static const size_t at_second[] = {0, 4, 4, 6, 6, 6, 6, 8}; /* after 1 s, 3 s, 7 s */
    for (size_t i = 1; i < ARRAY_SIZE(at_second); i++) {
        pass(&w, 1000);
        assert_int_equal(w.outs.n, at_second[i]);
    }
    pass(&w, 60000);
    assert_int_equal(w.outs.n, 12); /* after 15 s, 31 s, and no more */
    assert_int_equal(w.pinctrl->stats.garps_sent, 12);

    tell(&w, here, vm); /* away, and back */
    tell(&w, vm, here);
    pass(&w, 500);
    assert_int_equal(w.outs.n, 14);
    tell(&w, here, NULL);
    pass(&w, 60000);
    assert_int_equal(w.outs.n, 14);
    row_unref(vm);
    row_unref(here);
    row_unref(localnet);
    world_fini(&w);
}

static void test_nat_addresses(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct row *attached = port_row(&w, 10, "sw-r", "patch", 7);
    set_text(attached, "nat_addresses",
             "02:00:00:00:00:08 192.0.2.1 192.0.2.2 is_chassis_resident(\"cr-r\")");
    struct row *gateway = port_row(&w, 11, "cr-r", "chassisredirect", 9);
    set_chassis(gateway, OTHER);
    tell(&w, NULL, attached);
    tell(&w, NULL, gateway);
    pass(&w, 2000);
    assert_int_equal(w.outs.n, 0);
    struct row *moved = row_clone(gateway);
    set_chassis(moved, OURS);
    tell(&w, gateway, moved); /* failover */
    turns(&w, 3);
    w.env.now_us += 1;
    turns(&w, 3);
    assert_int_equal(w.outs.n, 2);
    arp_out(&w, 0, ETH_TYPE_ARP);
    tell(&w, moved, gateway);
    pass(&w, 40000);
    assert_int_equal(w.outs.n, 2);

    struct row *bad = port_row(&w, 12, "bad", "l3gateway", 7);
    set_text(bad, "nat_addresses", "no address at all");
    set_chassis(bad, OURS);
    struct row *alone = port_row(&w, 13, "alone", "l3gateway", 7);
    set_text(alone, "nat_addresses", "02:00:00:00:00:09");
    set_chassis(alone, OURS);
    tell(&w, NULL, bad);
    tell(&w, NULL, alone);
    pass(&w, 500);
    assert_int_equal(w.outs.n, 3); /* a MAC without an address, by RARP */
    struct arp_header rarp = arp_out(&w, 2, ETH_TYPE_RARP);
    assert_int_equal(swap16(rarp.op), 3);
    assert_memory_equal(&rarp.tha, "\2\0\0\0\0\x9", 6);
    row_unref(attached);
    row_unref(gateway);
    row_unref(moved);
    row_unref(bad);
    row_unref(alone);
    world_fini(&w);
}

/* A distributed address outside is announced by the hypervisor to which its machine has moved, though no gateway has. */
static void test_nat_goes_with_machine(void **state UNUSED)
{
    struct world w;
    begin(&w);
    struct row *attached = port_row(&w, 10, "sw-r", "patch", 7);
    set_text(attached, "nat_addresses", "02:00:00:00:00:08 192.0.2.1 is_chassis_resident(\"vm\")");
    struct row *away = port_row(&w, 11, "vm", "", 9), *other = port_row(&w, 12, "vm2", "", 10);
    set_chassis(away, OTHER);
    set_chassis(other, OURS);
    tell(&w, NULL, attached);
    tell(&w, NULL, away);
    pass(&w, 2000);
    struct row *here = row_clone(away);
    set_chassis(here, OURS);
    tell(&w, NULL, other);
    pass(&w, 500);
    assert_int_equal(w.outs.n, 0);
    tell(&w, away, here);
    pass(&w, 500);
    assert_int_equal(w.outs.n, 1);
    arp_out(&w, 0, ETH_TYPE_ARP);
    tell(&w, here, away);
    pass(&w, 40000);
    assert_int_equal(w.outs.n, 1);
    tell(&w, away, here); /* and back: said again */
    pass(&w, 500);
    assert_int_equal(w.outs.n, 2);
    row_unref(attached);
    row_unref(away);
    row_unref(here);
    row_unref(other);
    world_fini(&w);
}

/* ---- Router advertisements ---- */

static void test_periodic_ra(void **state UNUSED)
{
    static const char *const options[] = {
        "ipv6_ra_send_periodic",
        "true",
        "ipv6_ra_address_mode",
        "slaac",
        "ipv6_ra_max_interval",
        "40",
        "ipv6_ra_min_interval",
        "30",
        "ipv6_ra_mtu",
        "1400",
        "ipv6_ra_prefixes",
        "fd00::/64 fd01::/64",
        "ipv6_ra_src_eth",
        "02:00:00:00:ff:01",
        "ipv6_ra_src_addr",
        "fe80::ff:fe00:ff01",
        "ipv6_ra_prf",
        "HIGH",
        "peer",
        "sw-r",
        "ipv6_ra_rdnss",
        "fd00::53",
        "ipv6_ra_dnssl",
        "ex.org",
    };
    struct world w;
    struct of_packet_out po;
    struct str text = STR_INIT;
    struct uuid datapath = uuid_of(1);
    begin(&w);
    struct row *peer = port_row(&w, 10, "sw-r", "patch", 7),
               *lrp = port_row(&w, 11, "r", "patch", 8);
    set_options(lrp, options, ARRAY_SIZE(options) / 2);
    tell(&w, NULL, lrp);
    tell(&w, NULL, peer);
    pass(&w, 1000);
    assert_int_equal(w.outs.n, 0); /* no machine of that switch is here */
    sb_index_set_local(&w.index, &datapath, true);
    pinctrl_place_changed(w.pinctrl);
    pass(&w, 250);
    assert_int_equal(w.outs.n, 1);
    decode_out(&w, 0, &po, &text);
    assert_sound(po.packet, po.packet_len);
    assert_memory_equal(po.packet, "\x33\x33\0\0\0\1\2\0\0\0\xff\1\x86\xdd", 14);
    const uint8_t *ra = po.packet + 54;
    assert_int_equal(ra[0], ICMP6_ROUTER_ADVERT);
    assert_int_equal(ra[5], 0x08); /* high preference */
    assert_memory_equal(ra + 16, "\1\1\2\0\0\0\xff\1", 8);
    assert_non_null(memmem(ra, po.packet_len - 54, "\xfd\1\0\0", 4));
    assert_non_null(strstr(str_c(&text), "set_field:0x7->reg14"));
    assert_non_null(strstr(str_c(&text), "set_field:0x10->reg10")); /* not through tunnels */
    of_packet_out_fini(&po);
    pass(&w, 33000);
    assert_int_equal(w.outs.n, 3); /* two more within 16 s each */
    pass(&w, 25000);
    assert_int_equal(w.outs.n, 3);
    pass(&w, 20000);
    assert_int_equal(w.outs.n, 4);
    pass(&w, 200000);
    assert_in_range(w.outs.n, 4 + 200 / 40, 4 + 200 / 30);

    size_t n = w.outs.n; /* a distributed gateway port: only where it is */
    struct row *gateway = port_row(&w, 12, "cr-r", "chassisredirect", 9);
    set_chassis(gateway, OTHER);
    tell(&w, NULL, gateway);
    pass(&w, 100000);
    assert_int_equal(w.outs.n, n);
    struct row *moved = row_clone(gateway);
    set_chassis(moved, OURS);
    tell(&w, gateway, moved);
    pinctrl_place_changed(w.pinctrl);
    pass(&w, 1000);
    assert_int_equal(w.outs.n, n + 1);
    tell(&w, lrp, NULL);
    pass(&w, 100000);
    assert_int_equal(w.outs.n, n + 1);
    row_unref(peer);
    row_unref(lrp);
    row_unref(gateway);
    row_unref(moved);
    str_fini(&text);
    world_fini(&w);
}

static void test_bad_ra_options(void **state UNUSED)
{
    static const char *const options[][6] = {
        {"ipv6_ra_send_periodic", "true", "peer", "sw-r", "ipv6_ra_src_eth", "nonsense"},
        {"ipv6_ra_send_periodic", "true", "peer", "sw-r", "ipv6_ra_address_mode", "\"); drop; ("},
    };
    struct world w;
    begin(&w);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        struct row *row = port_row(&w, (uint8_t)(20 + i), "x", "patch", 8);
        set_options(row, options[i], 3);
        tell(&w, NULL, row);
        row_unref(row);
    }
    assert_int_equal(w.pinctrl->ras.n, 0);
    world_fini(&w);
}

/* ---- Log ---- */

static char logged[4096];

static void on_log(enum log_level level, const char *line, void *aux UNUSED)
{
    assert_int_equal(level, LOG_INFO);
    snprintf(logged, sizeof logged, "%s", line);
}

static void test_log(void **state UNUSED)
{
    static const struct mac a = {{2, 0, 0, 0, 0, 1}}, b = {{2, 0, 0, 0, 0, 2}};
    struct world w;
    begin(&w);
    struct of_buf packet = OF_BUF_INIT;
    frame_put_plain_eth(&packet, b, a, ETH_TYPE_IP);
    size_t l3 = frame_put_ip4(&packet, swap32(0x0a000001), swap32(0x0a000002), IP_PROTO_UDP, 64);
    struct udp_header udp = {swap16(1000), swap16(53), 0, 0};
    of_buf_put(&packet, &udp, sizeof udp);
    frame_end(&packet, l3);
    log_set_hook(on_log, NULL);
    act(&w, "log(name=\"my acl\", verdict=drop, severity=alert);", packet.data, packet.n, false);
    log_set_hook(NULL, NULL);
    assert_non_null(strstr(logged, "|acl_log|INFO|name=\"my acl\", verdict=drop, severity=alert, "
                                   "direction=from-lport: udp,"));
    assert_non_null(strstr(logged, "nw_src=10.0.0.1,nw_dst=10.0.0.2"));
    assert_non_null(strstr(logged, "tp_src=1000,tp_dst=53"));

    static const uint8_t hostile[] = {0, 0, 0, OPCODE_LOG, 0, 0, 0, 0, 200, 201, 'a', '\n', 1, '"'};
    struct match m = port_metadata();
    log_set_hook(on_log, NULL);
    send_event(&w, &m, packet.data, 3, hostile, sizeof hostile, false);
    turns(&w, 4);
    log_set_hook(NULL, NULL);
    assert_non_null(
        strstr(logged, "name=\"a\\x0a\\x01\\x22\", verdict=<invalid>, severity=<invalid>"));
    send_event(&w, &m, packet.data, 3, hostile, 9, false);
    turns(&w, 4);
    assert_int_equal(w.pinctrl->stats.malformed, 1);
    of_buf_fini(&packet);
    world_fini(&w);
}

/* ---- Events ---- */

static void write_back(struct world *w)
{
    pinctrl_write(w->pinctrl, &w->writer);
    writer_commit(&w->writer);
    if (!writer_is_ready(&w->writer))
        w->done(w->done_aux, 0, NULL);
}

static void test_event(void **state UNUSED)
{
    static const char text[] =
        "trigger_event(event = \"empty_lb_backends\", vip = \"10.0.0.1:80\", "
        "protocol = \"tcp\", load_balancer = \"x\");";
    struct world w;
    begin(&w);
    for (int i = 0; i < 5; i++)
        act(&w, text, "", 0, false);
    write_back(&w);
    assert_int_equal(w.n_inserts, 1); /* however often it happens */
    assert_int_equal(w.pinctrl->stats.events, 1);
    struct of_buf userdata = userdata_of(text);
    struct match m = port_metadata();
    for (size_t cut = 0; cut < userdata.n; cut++) {
        send_event(&w, &m, "", 0, userdata.data, cut, false);
        turns(&w, 2);
    }
    write_back(&w);
    assert_in_range(w.n_inserts, 1, 3); /* what ends between two words is one */
    of_buf_fini(&userdata);
    for (int i = 0; i < 300; i++) {
        char other[160];
        snprintf(other, sizeof other,
                 "trigger_event(event = \"empty_lb_backends\", vip = \"10.0.0.1:%d\");", i);
        act(&w, other, "", 0, false);
    }
    assert_int_equal(w.pinctrl->events.pending.n, 256);
    assert_int_equal(w.pinctrl->stats.events_dropped, 300 - 256);
    world_fini(&w);
}

/* ---- Virtual ports ---- */

static void test_bind_vport(void **state UNUSED)
{
    static const uint8_t userdata[] = {0, 0, 0, OPCODE_BIND_VPORT, 0, 0, 0, 0, 0, 0, 0, 9};
    struct world w;
    begin(&w);
    struct row *vm = port_row(&w, 10, "vm", "", 7), *vip = port_row(&w, 11, "vip", "virtual", 9);
    set_chassis(vm, OURS);
    tell(&w, NULL, vm);
    tell(&w, NULL, vip);
    struct match m;
    match_init(&m);
    match_set(&m, FIELD_REG14, 7);
    match_set(&m, FIELD_METADATA, 4);
    send_event(&w, &m, "", 0, userdata, sizeof userdata, false);
    turns(&w, 4);
    write_back(&w);
    assert_int_equal(w.n_updates, 1);
    struct row *bound = row_clone(vip);
    set_chassis(bound, OURS);
    set_text(bound, "virtual_parent", "vm");
    tell(&w, vip, bound);
    send_event(&w, &m, "", 0, userdata, sizeof userdata, false); /* known */
    turns(&w, 4);
    write_back(&w);
    assert_int_equal(w.n_updates, 1);
    struct row *gone = row_clone(vm);
    set_chassis(gone, OTHER);
    tell(&w, vm, gone); /* and the port goes with it */
    write_back(&w);
    assert_int_equal(w.n_updates, 2);
    /* no virtual port, somebody else's parent, no key */
    send_event(&w, &m, "", 0, userdata, sizeof userdata, false);
    send_event(&w, &m, "", 0, userdata, 10, false);
    turns(&w, 4);
    write_back(&w);
    assert_int_equal(w.n_updates, 2);
    assert_int_equal(w.pinctrl->stats.malformed, 1);
    row_unref(vm);
    row_unref(vip);
    row_unref(bound);
    row_unref(gone);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine_on_a_localnet),
        cmocka_unit_test(test_nat_addresses),
        cmocka_unit_test(test_nat_goes_with_machine),
        cmocka_unit_test(test_periodic_ra),
        cmocka_unit_test(test_bad_ra_options),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_bind_vport),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
