/* test_xlate.c - translations, each as the datapath actions that it must give and the bits that it may
 * depend on. */
#include <linux/virtio_net.h>

#include "flow/rewrite.h"
#include "unit/switchd/world.h"

static struct bridge *setup(struct world *w)
{
    struct bridge *br = world_bridge(w, 4);
    br->datapath_id = 0x1234;
    return br;
}

static const char *port_name(void *vs, uint32_t dp_no)
{
    return vswitch_port(vs, dp_no)->name;
}

/* Translates FLOW (which names in_port) and returns the actions; *MASK (may be NULL) gets the match
 * that the result depends on. */
static char *translate(struct bridge *br, const char *flow, char **mask)
{
    struct match match;
    struct diag diag = DIAG_INIT;
    if (of_match_parse(flow, NULL, &match, NULL, &diag))
        fail_msg("%s: %s", flow, diag_text(&diag));
    struct xlate_in in = {.bridge = br, .key = match.key};
    in.in_port = bridge_port(br, key_in_port(&match.key));
    struct xlate_out out;
    xlate_out_init(&out);
    xlate(&in, &out);
    struct str s = STR_INIT;
    if (out.delivered)
        dp_actions_put_text(&s, &out.actions, port_name, br->vs);
    else
        str_putf(&s, "drop(%s)", drop_counter(out.drop));
    if (mask) {
        struct str m = STR_INIT;
        struct match depends = {.key = in.key, .mask = out.mask};
        flow_key_and(&depends.key, &depends.mask);
        match_put(&m, &depends, -1, NULL);
        *mask = str_steal(&m);
    }
    xlate_out_fini(&out);
    return str_steal(&s);
}

static void expect(struct bridge *br, const char *flow, const char *want)
{
    char *got = translate(br, flow, NULL);
    assert_string_equal(got, want);
    free(got);
}

static void expect_mask(struct bridge *br, const char *flow, const char *want, const char *mask)
{
    char *depends;
    char *got = translate(br, flow, &depends);
    assert_string_equal(got, want);
    assert_string_equal(depends, mask);
    free(got);
    free(depends);
}

static void test_output(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "in_port=1,actions=2,3");
    world_add_flow(br, "in_port=2,actions=2");
    world_add_flow(br, "in_port=3,actions=in_port,77");
    world_add_flow(br, "in_port=4,actions=flood");
    expect_mask(br, "in_port=1,ip,nw_src=1.2.3.4", "p2,p3", "recirc_id=0,ip,in_port=1,nw_frag=no");
    expect(br, "in_port=2,ip", "drop(drop_ingress_port)");
    expect(br, "in_port=3,ip", "p3");
    expect(br, "in_port=4,ip", "p1,p2,p3");
    bridge_port(br, 2)->config = OF_PC_NO_FLOOD;
    bridge_port(br, 3)->config = OF_PC_PORT_DOWN;
    expect(br, "in_port=4,ip", "p1");
    expect(br, "in_port=3,ip", "drop(drop_no_forward)");
    expect(br, "in_port=9,ip", "drop(drop_table_miss)");
    world_fini(&w);
}

static void test_set_fields_cost_no_bits(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "in_port=1,ip,actions=set_field:00:00:00:00:00:05->eth_dst,"
                       "set_field:1.1.1.1->ip_dst,resubmit(,1)");
    world_add_flow(br, "table=1,ip,nw_dst=1.1.1.1,actions=2");
    expect_mask(br, "in_port=1,ip,nw_dst=9.9.9.9",
                "set(eth(dst=00:00:00:00:00:05)),set(ipv4(dst=1.1.1.1)),p2",
                "recirc_id=0,ip,in_port=1,nw_frag=no");
    /* Copying a field reads it. */
    world_add_flow(br, "in_port=2,ip,actions=move:NXM_OF_IP_SRC[0..7]->NXM_NX_REG0[0..7],"
                       "resubmit(,2)");
    world_add_flow(br, "table=2,reg0=4,actions=3");
    expect_mask(br, "in_port=2,ip,nw_src=1.2.3.4", "p3",
                "recirc_id=0,ip,in_port=2,nw_src=0.0.0.4/0.0.0.255,nw_frag=no");
    world_fini(&w);
}

static void test_ttl(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "actions=resubmit(,1),3");
    world_add_flow(br, "table=1,ip,actions=dec_ttl,2");
    expect(br, "in_port=1,ip,nw_ttl=9", "set(ipv4(ttl=8)),p2,p3");
    /* It runs out: the rest of this table's list is not done, the caller goes on. */
    char *got = translate(br, "in_port=1,ip,nw_ttl=1", NULL);
    assert_non_null(strstr(got, "controller(reason=2"));
    assert_non_null(strstr(got, ",p3"));
    assert_null(strstr(got, "p2"));
    free(got);
    world_fini(&w);
}

static void test_stack_and_clone(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "in_port=1,actions=load:7->NXM_NX_REG0[],push:NXM_NX_REG0[],"
                       "load:1->NXM_NX_REG0[],pop:NXM_NX_REG1[0..15],resubmit(,1)");
    world_add_flow(br, "table=1,reg0=1,reg1=7,actions=2");
    expect(br, "in_port=1,ip", "p2");
    world_add_flow(br, "in_port=2,actions=clone(set_field:00:00:00:00:00:01->eth_src,3),"
                       "clone(4),1");
    expect(br, "in_port=2,ip", "clone(set(eth(src=00:00:00:00:00:01)),p3),p4,p1");
    world_fini(&w);
}

static void test_vlan(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "in_port=1,actions=push_vlan:0x8100,set_field:4101->vlan_vid,2");
    world_add_flow(br, "in_port=2,actions=pop_vlan,1");
    world_add_flow(br, "in_port=3,actions=mod_vlan_vid:9,4");
    expect(br, "in_port=1,ip", "push_vlan(vid=5,pcp=0),p2");
    expect(br, "in_port=2,dl_vlan=5,ip", "pop_vlan,p1");
    expect(br, "in_port=2,ip", "p1");
    expect(br, "in_port=3,ip", "push_vlan(vid=9,pcp=0),p4");
    char *got = translate(br, "in_port=3,dl_vlan=5,ip", NULL);
    assert_non_null(strstr(got, "set(vlan_tci("));
    free(got);
    world_fini(&w);
}

static void test_guards(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "in_port=1,actions=resubmit(,0)");
    world_add_flow(br, "in_port=2,actions=resubmit(,0),3");
    world_add_flow(br, "in_port=3,actions=clone(resubmit(,0)),resubmit(,0)");
    world_add_flow(br, "in_port=4,actions=goto_table:1");
    for (unsigned i = 1; i < 253; i++) {
        char text[60];
        snprintf(text, sizeof text, "table=%u,actions=resubmit(,%u)", i, i + 1);
        world_add_flow(br, text);
    }
    world_add_flow(br, "table=253,actions=1");
    expect(br, "in_port=1,ip", "drop(drop_recursion_too_deep)");
    expect(br, "in_port=2,ip", "drop(drop_recursion_too_deep)");
    expect(br, "in_port=3,ip", "drop(drop_recursion_too_deep)");
    expect(br, "in_port=4,ip", "p1"); /* a long way is no deep one */
    world_fini(&w);
}

/* Replication is not limited: 5,000 resubmits for one packet, each of which outputs. */
/* COUNT times TEXT, separated by commas. */
static void add_repeated(struct bridge *br, const char *match, const char *before, const char *text,
                         unsigned count, const char *after)
{
    struct str s = STR_INIT;
    str_putf(&s, "%s,actions=%s", match, before);
    for (unsigned i = 0; i < count; i++)
        str_putf(&s, "%s%s", i ? "," : "", text);
    str_put(&s, after);
    world_add_flow(br, str_c(&s));
    str_fini(&s);
}

/* Few flows that ask for more than memory has. */
static void test_amplification(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    add_repeated(br, "table=0", "", "resubmit(,1)", 100, "");
    add_repeated(br, "table=1", "", "resubmit(,2)", 100, "");
    add_repeated(br, "table=2,in_port=1", "", "2", 1000, "");
    add_repeated(br, "table=2,in_port=2", "write_actions(", "1", 1000, ")");
    expect(br, "in_port=1,ip", "drop(drop_translation_too_long)");
    expect(br, "in_port=2,ip", "drop(drop_translation_too_long)");
    world_fini(&w);
}

static void test_no_silent_cap(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct of_flow_mod fm;
    of_flow_mod_init(&fm, OF_FLOW_ADD);
    for (unsigned i = 0; i < 5000; i++) {
        of_put_set_field(&fm.actions, FIELD_REG0, i);
        of_put_resubmit(&fm.actions, PORT_IN_PORT, 1);
    }
    struct journal journal = JOURNAL_INIT;
    assert_int_equal(bridge_flow_mod(br, &fm, &journal), 0);
    bridge_commit(br, &journal);
    of_flow_mod_fini(&fm);
    world_add_flow(br, "table=1,actions=2");
    uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2, 0x90, 0};
    dummy_receive(bridge_port(br, 1)->dev, frame, sizeof frame);
    assert_int_equal(w.sent.n, 5000);
    world_fini(&w);
}

static void test_pause_and_resume(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "in_port=1,actions=load:5->NXM_NX_REG1[],push:NXM_NX_REG1[],resubmit(,1),"
                       "pop:NXM_NX_REG2[],resubmit(,2)");
    world_add_flow(br, "table=1,actions=controller(userdata=01,pause),load:8->NXM_NX_REG3[]");
    world_add_flow(br, "table=2,reg2=5,reg3=8,reg4=9,actions=3");
    struct match match;
    assert_int_equal(of_match_parse("in_port=1,ip", NULL, &match, NULL, NULL), 0);
    struct xlate_in in = {.bridge = br, .key = match.key, .in_port = bridge_port(br, 1)};
    struct xlate_out out;
    xlate_out_init(&out);
    xlate(&in, &out);
    assert_int_equal(out.actions.list.n, 1);
    const struct dp_packet_in *pin = out.actions.list.data[0].pin;
    assert_true(pin->continuation_len > 0);
    assert_true(continuation_check(br, pin->continuation, pin->continuation_len));
    /* The controller writes a register and sends it back. */
    struct xlate_in again = {.bridge = br,
                             .key = pin->key,
                             .in_port = bridge_port(br, 1),
                             .continuation = pin->continuation,
                             .n_continuation = pin->continuation_len};
    key_set(&again.key, FIELD_REG4, 9);
    struct xlate_out result;
    xlate_out_init(&result);
    xlate(&again, &result);
    assert_int_equal(result.actions.list.n, 1);
    assert_int_equal(result.actions.list.data[0].port, bridge_port(br, 3)->dp_no);
    xlate_out_fini(&result);
    /* One that was changed on the way is refused or harmless. */
    for (size_t i = 0; i < pin->continuation_len; i++) {
        uint8_t *bad = xmemdup(pin->continuation, pin->continuation_len);
        bad[i] ^= 0x41;
        xlate_out_init(&result);
        again.continuation = bad;
        if (continuation_check(br, bad, pin->continuation_len))
            xlate(&again, &result);
        xlate_out_fini(&result);
        assert_false(continuation_check(br, bad, i) && i < 12);
        free(bad);
    }
    xlate_out_fini(&out);
    world_fini(&w);
}

/* A packet that comes over a patch port and is paused behind it belongs to the bridge behind it. */
static void test_pause_behind_a_patch_port(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct bridge *far = bridge_new(&w.vs, "br1");
    far->secure = true;
    far->datapath_id = 0x5678;
    world_add(&w, br, "to-far", "patch", 5, "to-br");
    world_add(&w, far, "to-br", "patch", 1, "to-far");
    world_add_flow(br, "in_port=1,actions=5,2");
    world_add_flow(far, "in_port=1,actions=controller(userdata=01,pause),2");
    struct match match;
    assert_int_equal(of_match_parse("in_port=1,ip", NULL, &match, NULL, NULL), 0);
    struct xlate_in in = {.bridge = br, .key = match.key, .in_port = bridge_port(br, 1)};
    struct xlate_out out;
    xlate_out_init(&out);
    xlate(&in, &out);
    assert_int_equal(out.actions.list.n, 2); /* and the rest of the first list is done */
    assert_int_equal(out.actions.list.data[0].type, DP_CONTROLLER);
    const struct dp_packet_in *pin = out.actions.list.data[0].pin;
    assert_int_equal(pin->bridge_no, far->number);
    assert_true(continuation_check(far, pin->continuation, pin->continuation_len));
    assert_false(continuation_check(br, pin->continuation, pin->continuation_len));
    xlate_out_fini(&out);
    world_fini(&w);
}

/* check_pkt_larger asks for what will be on the wire: of a large segment, its pieces. */
static void test_packet_length(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "table=0,actions=check_pkt_larger(1014)->NXM_NX_REG0[0],resubmit(,1)");
    world_add_flow(br, "table=1,reg0=1,actions=2");
    world_add_flow(br, "table=1,reg0=0,actions=3");
    static const struct {
        uint32_t payload;
        uint16_t gso_size;
        unsigned port;
    } cases[] = {
        {960, 0, 3}, {961, 0, 2}, {5000, 960, 3}, {5000, 961, 2}, {900, 961, 3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct xlate_in in = {.bridge = br, .in_port = bridge_port(br, 1)};
        key_set(&in.key, FIELD_ETH_TYPE, ETH_TYPE_IP);
        key_set(&in.key, FIELD_IP_PROTO, IP_PROTO_TCP);
        key_set(&in.key, FIELD_IP_TTL, 64);
        struct packet p;
        packet_init(&p);
        packet_compose(&p, &in.key, cases[i].payload);
        flow_extract(&p, &in.key);
        key_set(&in.key, FIELD_IN_PORT_OXM, 1);
        p.gso_size = cases[i].gso_size;
        p.gso_type = cases[i].gso_size ? VIRTIO_NET_HDR_GSO_TCPV4 : 0;
        in.packet = &p;
        struct xlate_out out;
        xlate_out_init(&out);
        xlate(&in, &out);
        assert_int_equal(out.actions.list.n, 1);
        assert_int_equal(out.actions.list.data[0].port, bridge_port(br, cases[i].port)->dp_no);
        xlate_out_fini(&out);
        packet_fini(&p);
    }
    world_fini(&w);
}

/* Buckets are action sets, as ovs-actions(7) says: in their order, and of what sends the packet somewhere only one, an output before a
 * resubmit before a ct. What has no place in a set is not done. */
static void test_bucket_sets(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct of_group_mod gm;
    struct journal journal = JOURNAL_INIT;
    static const char *const cases[][2] = {
        {"2,3", "p3"},
        {"2,push_vlan:0x8100,set_field:4101->vlan_vid", "push_vlan(vid=5,pcp=0),p2"},
        {"resubmit(,1),2,ct(commit)", "p2"},
        {"ct(commit),resubmit(,1)", "p4"},
        {"ct(commit),ct_clear", "drop(drop_action)"},
        {"dec_ttl,dec_ttl,2", "set(ipv4(ttl=8)),p2"},
        {"clone(2),controller,push:NXM_NX_REG0[],exit,3", "p3"},
        {"set_queue:1,note:aa", "drop(drop_action)"},
    };
    world_add_flow(br, "table=1,actions=4");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[120];
        snprintf(text, sizeof text, "group_id=1,type=indirect,bucket=actions=%s", cases[i][0]);
        assert_int_equal(
            of_group_mod_parse(text, i ? OF_GROUP_MODIFY : OF_GROUP_ADD, NULL, &gm, NULL), 0);
        assert_int_equal(bridge_group_mod(br, &gm, &journal), 0);
        of_group_mod_fini(&gm);
        if (!i)
            world_add_flow(br, "in_port=1,actions=group:1");
        expect(br, "in_port=1,ip,nw_ttl=9", cases[i][1]);
    }
    bridge_commit(br, &journal);
    world_fini(&w);
}

static void test_groups(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct of_group_mod gm;
    struct journal journal = JOURNAL_INIT;
    static const char *const groups[] = {
        ("group_id=1,type=all,bucket=actions=set_field:00:00:00:00:00:09->eth_src,2,bucket=actions="
         "3"),
        "group_id=2,type=ff,bucket=watch_port:2,actions=2,bucket=watch_port:3,actions=3",
        "group_id=3,type=select,bucket=weight:1,actions=2,bucket=weight:1,actions=3",
    };
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        assert_int_equal(of_group_mod_parse(groups[i], OF_GROUP_ADD, NULL, &gm, NULL), 0);
        assert_int_equal(bridge_group_mod(br, &gm, &journal), 0);
        of_group_mod_fini(&gm);
    }
    world_add_flow(br, "in_port=1,actions=group:1,4");
    world_add_flow(br, "in_port=4,actions=group:2");
    world_add_flow(br, "in_port=2,actions=group:3");
    expect(br, "in_port=1,ip", "clone(set(eth(src=00:00:00:00:00:09)),p2),p3,p4");
    expect(br, "in_port=4,ip", "p2");
    bridge_port(br, 2)->config = OF_PC_PORT_DOWN;
    expect(br, "in_port=4,ip", "p3");
    bridge_port(br, 2)->config = 0;
    /* Both buckets are chosen by some flow, and a flow and its replies by the same one. */
    unsigned chosen[2] = {0, 0};
    for (unsigned i = 0; i < 64; i++) {
        char flow[100], back[100];
        snprintf(flow, sizeof flow,
                 "in_port=2,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_src=%u,tp_dst=80", 1000 + i);
        snprintf(back, sizeof back,
                 "in_port=2,tcp,nw_src=10.0.0.2,nw_dst=10.0.0.1,tp_src=80,tp_dst=%u", 1000 + i);
        char *there = translate(br, flow, NULL), *reply = translate(br, back, NULL);
        assert_string_equal(there, reply);
        chosen[!strcmp(there, "p3")] += strcmp(there, "drop(drop_ingress_port)") || 1;
        free(there);
        free(reply);
    }
    assert_true(chosen[0] > 8 && chosen[1] > 8);
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "actions=group:1"), 0);
    of_group_mod_init(&gm, OF_GROUP_DELETE, 1);
    assert_int_equal(bridge_group_mod(br, &gm, &journal), 0);
    bridge_commit(br, &journal);
    expect(br, "in_port=1,ip", "drop(drop_table_miss)"); /* its flows went with it */
    world_fini(&w);
}

static void test_tunnel_by_flow(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct smap options = SMAP_INIT;
    smap_set(&options, "remote_ip", "127.0.0.9");
    smap_set(&options, "key", "flow");
    smap_set(&options, "dst_port", "46081");
    struct vport_options o = {.name = "g", .type = "geneve", .request = 9, .options = &options};
    struct vport *port;
    assert_int_equal(bridge_add_port(br, &o, &port, NULL), 0);
    smap_fini(&options);
    br->tlvs.map[0] = (struct of_tlv_map){0x102, 0x80, 4, 0};
    br->tlvs.mapped = 1;
    world_add_flow(br, "in_port=1,actions=set_field:5->tun_id,set_field:0x30004->tun_metadata0,9");
    expect(br, "in_port=1,ip", "set(tunnel(tun_id=0x5,dst=127.0.0.9,tun_metadata0=0x30004)),g");
    world_add_flow(br, "in_port=9,tun_id=7,actions=2");
    expect(br, "in_port=9,tun_id=7,ip", "p2");
    expect(br, "in_port=9,tun_id=8,ip", "drop(drop_table_miss)");
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_set_fields_cost_no_bits),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_stack_and_clone),
        cmocka_unit_test(test_vlan),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_amplification),
        cmocka_unit_test(test_no_silent_cap),
        cmocka_unit_test(test_pause_and_resume),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_bucket_sets),
        cmocka_unit_test(test_tunnel_by_flow),
        cmocka_unit_test(test_pause_behind_a_patch_port),
        cmocka_unit_test(test_packet_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
