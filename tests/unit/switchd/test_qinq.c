/* test_qinq.c - packets with several tags: what flows see behind a pop_vlan, what comes out, what is cached and how it is traced. */
#include "flow/rewrite.h"
#include "unit/switchd/world.h"

/* An UDP packet with the tags OUTER[0], OUTER[1], ..., the outermost last. */
static void frame(struct packet *packet, const uint16_t *tags, size_t n, uint16_t tpid)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, 0x0e0000000001);
    key_set(&key, FIELD_ETH_DST, 0x0e0000000002);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    key_set(&key, FIELD_IP_SRC, 0x0a000001);
    key_set(&key, FIELD_IP_DST, 0x0a000002);
    key_set(&key, FIELD_IP_TTL, 64);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_UDP);
    packet_init(packet);
    packet_compose(packet, &key, 20);
    for (size_t i = 0; i < n; i++) {
        flow_extract(packet, &key);
        packet_push_vlan(packet, i ? tpid : ETH_TYPE_VLAN, tags[i]);
    }
}

static const uint16_t tags[] = {30, 20, 10};

static void receive(struct world *w, struct bridge *br, const struct packet *packet)
{
    world_forget(w);
    dummy_receive(bridge_port(br, 1)->dev, packet->data, packet->size);
}

/* One N is taken off after the other, each seen by flows. */
static void check_all_popped(uint16_t tpid)
{
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in, bare;
    frame(&in, tags, 3, tpid);
    frame(&bare, NULL, 0, tpid);
    world_add_flow(br,
                   "in_port=1,dl_vlan=10,actions=set_field:7->reg0,pop_vlan,resubmit(,1),output:4");
    world_add_flow(br, "table=1,reg0=7,dl_vlan=20,actions=pop_vlan,goto_table:2");
    world_add_flow(br, "table=2,dl_vlan=30,ip,nw_dst=10.0.0.2,actions=pop_vlan,dec_ttl,output:2");
    for (unsigned i = 0; i < 3; i++) {
        uint64_t translations = w.vs.n_xlate;
        receive(&w, br, &in);
        assert_int_equal(w.vs.n_xlate, translations + (i ? 0 : 3));
        assert_int_equal(w.sent.n, 2);
        assert_string_equal(w.sent.data[0].port, "p2");
        assert_string_equal(w.sent.data[1].port, "p4");
        assert_int_equal(w.sent.data[0].n, bare.size);
        assert_int_equal(w.sent.data[0].data[22], 63);
        assert_memory_equal(w.sent.data[0].data, bare.data, 14);
    }
    packet_fini(&in);
    packet_fini(&bare);
    world_fini(&w);
}

static void test_pops(void **state)
{
    (void)state;
    check_all_popped(ETH_TYPE_VLAN);
    check_all_popped(ETH_TYPE_QINQ);
}

/* A tag that actions put in front of the packet's own, and take off again; what was done meanwhile stays. */
static void test_push_and_pop(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in;
    frame(&in, tags, 1, ETH_TYPE_VLAN);
    world_add_flow(br, "in_port=1,dl_vlan=30,actions=push_vlan:0x8100,set_field:4097->vlan_vid,"
                       "output:2,pop_vlan,set_field:0e:00:00:00:00:09->eth_dst,resubmit(,1)");
    world_add_flow(br, "table=1,dl_vlan=30,udp,actions=output:3");
    receive(&w, br, &in);
    assert_int_equal(w.sent.n, 2);
    assert_string_equal(w.sent.data[0].port, "p2");
    assert_int_equal(w.sent.data[0].n, in.size + 4);
    assert_string_equal(w.sent.data[1].port, "p3");
    assert_int_equal(w.sent.data[1].n, in.size);
    assert_int_equal(w.sent.data[1].data[5], 9);
    assert_memory_equal(w.sent.data[1].data + 6, in.data + 6, in.size - 6);
    packet_fini(&in);
    world_fini(&w);
}

/* The tags of what was sent as number I, the outermost first, and whether it is IP to 9.9.9.9 behind them. */
static void expect_tags(const struct world *w, unsigned i, const char *port, const char *tags_text,
                        bool rewritten)
{
    char text[160] = "";
    const uint8_t *p = w->sent.data[i].data + 12;
    assert_in_range(i, 0, w->sent.n - 1);
    assert_string_equal(w->sent.data[i].port, port);
    for (; get_be16(p) == ETH_TYPE_VLAN || get_be16(p) == ETH_TYPE_QINQ; p += 4)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%04x:%04x ", get_be16(p),
                 get_be16(p + 2));
    assert_string_equal(text, tags_text);
    assert_int_equal(get_be16(p), ETH_TYPE_IP);
    assert_int_equal(get_be32(p + 18) == 0x09090909, rewritten);
}

/* A new tag is 0 in all its bits, of the type that was asked for, and what is behind it stays known. As ovs-vswitchd 3.1 does. */
static void test_new_tags(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in, bare;
    static const uint16_t tag = 5 | 3 << VLAN_PCP_SHIFT;
    frame(&in, &tag, 1, ETH_TYPE_VLAN);
    frame(&bare, NULL, 0, ETH_TYPE_VLAN);
    world_add_flow(br, "in_port=1,actions=push_vlan:0x88a8,resubmit(,1)");
    world_add_flow(br, "table=1,ip,dl_vlan=0,dl_vlan_pcp=0,actions=2,mod_nw_dst:9.9.9.9,"
                       "clone(mod_vlan_vid:7,3),clone(pop_vlan,3),"
                       "push_vlan:0x8100,4,pop_vlan,pop_vlan,4");
    receive(&w, br, &in);
    assert_int_equal(w.sent.n, 5);
    expect_tags(&w, 0, "p2", "88a8:0000 8100:6005 ", false);
    expect_tags(&w, 1, "p3", "88a8:0007 8100:6005 ", true);
    expect_tags(&w, 2, "p3", "8100:6005 ", true);
    expect_tags(&w, 3, "p4", "8100:0000 88a8:0000 8100:6005 ", true);
    expect_tags(&w, 4, "p4", "8100:6005 ", true);
    receive(&w, br, &bare);
    assert_int_equal(w.sent.n, 5);
    expect_tags(&w, 0, "p2", "88a8:0000 ", false);
    expect_tags(&w, 1, "p3", "88a8:0007 ", true);
    expect_tags(&w, 2, "p3", "", true);
    expect_tags(&w, 3, "p4", "8100:0000 88a8:0000 ", true);
    expect_tags(&w, 4, "p4", "", true);
    world_add_flow(br, "priority=40000,in_port=1,dl_vlan=5,actions=mod_vlan_vid:6,push_vlan:0x8100,"
                       "mod_vlan_pcp:2,2,pop_vlan,3,pop_vlan,push_vlan:0x88a8,mod_vlan_vid:8,4");
    receive(&w, br, &in);
    assert_int_equal(w.sent.n, 3);
    expect_tags(&w, 0, "p2", "8100:4000 8100:6006 ", false);
    expect_tags(&w, 1, "p3", "8100:6006 ", false);
    expect_tags(&w, 2, "p4", "88a8:0008 ", false);
    packet_fini(&in);
    packet_fini(&bare);
    world_fini(&w);
}

/* More tags than are remembered: each push and each pop works all the same. */
static void test_many_tags(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in;
    char flow[100], text[160] = "";
    frame(&in, tags, 1, ETH_TYPE_VLAN);
    for (unsigned i = 0; i < 12; i++) {
        snprintf(flow, sizeof flow,
                 "table=%u,actions=push_vlan:0x8100,mod_vlan_vid:%u,resubmit(,%u)", i, i + 1,
                 i + 1);
        world_add_flow(br, flow);
        snprintf(flow, sizeof flow, "table=%u,dl_vlan=%u,actions=pop_vlan,resubmit(,%u)", i + 13,
                 12 - i, i + 14);
        world_add_flow(br, flow);
        snprintf(flow, sizeof flow, "8100:%04x ", 12 - i);
        strcat(text, flow);
    }
    world_add_flow(br, "table=12,actions=2,resubmit(,13)");
    world_add_flow(br, "table=25,dl_vlan=30,ip,actions=3");
    receive(&w, br, &in);
    assert_int_equal(w.sent.n, 2);
    expect_tags(&w, 0, "p2", strcat(text, "8100:001e "), false);
    expect_tags(&w, 1, "p3", "8100:001e ", false);
    packet_fini(&in);
    world_fini(&w);
}

/* Nothing is left to do behind the pop: the packet is not read again. */
static void test_nothing_left(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in;
    frame(&in, tags, 2, ETH_TYPE_VLAN);
    world_add_flow(br, "in_port=1,actions=output:2,pop_vlan");
    receive(&w, br, &in);
    assert_int_equal(w.sent.n, 1);
    assert_int_equal(w.sent.data[0].n, in.size);
    assert_int_equal(w.vs.n_xlate, 1);
    packet_fini(&in);
    world_fini(&w);
}

/* A frame that ends behind the type of its second tag has no second tag. */
static void test_cut(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in;
    frame(&in, tags, 2, ETH_TYPE_VLAN);
    packet_truncate(&in, 19);
    world_add_flow(br, "in_port=1,actions=pop_vlan,resubmit(,1)");
    world_add_flow(br, "table=1,vlan_tci=0,dl_type=0x8100,actions=output:2");
    receive(&w, br, &in);
    assert_int_equal(w.sent.n, 1);
    assert_int_equal(w.sent.data[0].n, 15);
    packet_fini(&in);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pops),         cmocka_unit_test(test_push_and_pop),
        cmocka_unit_test(test_new_tags),     cmocka_unit_test(test_many_tags),
        cmocka_unit_test(test_nothing_left), cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
