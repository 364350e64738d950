/* test_ct.c - ct in the switch: what a fork carries over and what it does not, the masks behind it, the guards, fragments. */
#include "flow/rewrite.h"
#include "net/checksum.h"
#include "unit/switchd/world.h"

/* A UDP packet into a port; returns the ports that it left on, like "p2 p3". */
static const char *send(struct world *w, struct bridge *br, unsigned port, uint32_t src,
                        uint32_t dst, uint16_t sport, uint16_t dport)
{
    static char text[200];
    struct flow_key key;
    struct packet packet;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_TYPE, 0x0800);
    key_set(&key, FIELD_IP_SRC, src);
    key_set(&key, FIELD_IP_DST, dst);
    key_set(&key, FIELD_IP_TTL, 64);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_UDP);
    key_set(&key, FIELD_UDP_SRC, sport);
    key_set(&key, FIELD_UDP_DST, dport);
    packet_init(&packet);
    packet_compose(&packet, &key, 10);
    world_forget(w);
    dummy_receive(bridge_port(br, port)->dev, packet.data, packet.size);
    packet_fini(&packet);
    text[0] = '\0';
    for (size_t i = 0; i < w->sent.n && strlen(text) < 150; i++)
        snprintf(text + strlen(text), 20, "%s%s", i ? " " : "", w->sent.data[i].port);
    return text;
}

/* Registers, metadata, stack and the action set come along; what a fork does is its own. */
static void test_state(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "ip,actions=set_field:7->reg3,set_field:0x55->metadata,set_field:9->reg0,"
                       "push:NXM_NX_REG0[],"
                       "set_field:0->reg0,resubmit(,7),ct(table=1,zone=NXM_NX_REG3[0..15]),"
                       "set_field:8->reg3,resubmit(,2)");
    world_add_flow(br, "table=7,actions=write_actions(output:4)");
    world_add_flow(br, "table=1,reg3=7,metadata=0x55,ct_zone=7,ip,ct_state=+new+trk,actions=pop:"
                       "NXM_NX_REG1[],resubmit(,3)");
    world_add_flow(br, "table=2,reg3=8,ip,ct_state=-trk,actions=output:3,clear_actions");
    world_add_flow(br, "table=3,reg1=9,ip,actions=output:2");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p2 p4 p3");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p2 p4 p3");
    world_fini(&w);
}

/* A commit makes it established; ct_clear and patch ports make it untracked. */
static void test_life(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct bridge *br1 = bridge_new(&w.vs, "br1");
    br1->secure = true;
    world_add(&w, br, "a", "patch", 10, "b");
    world_add(&w, br1, "b", "patch", 1, "a");
    world_add(&w, br1, "q2", "dummy", 2, NULL);
    world_add_flow(br, "ip,actions=ct(table=1)");
    world_add_flow(
        br,
        "table=1,in_port=1,ip,ct_state=+new,actions=ct(commit,exec(set_field:5/0xf->ct_mark)),2");
    world_add_flow(br, "table=1,in_port=2,ip,ct_state=+est+rpl,ct_mark=5,actions=1");
    world_add_flow(br, "table=1,in_port=1,ip,ct_state=+est,actions=10,ct_clear,resubmit(,2)");
    world_add_flow(br, "table=2,ip,ct_state=-trk-est,actions=3");
    world_add_flow(br1, "ip,ct_state=-trk,actions=2");
    assert_string_equal(send(&w, br, 2, 2, 1, 4, 3), "");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p2");
    assert_string_equal(send(&w, br, 2, 2, 1, 4, 3), "p1");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "q2 p3");
    world_fini(&w);
}

/* Behind a ct, all connections in one state share a megaflow, also from a tunnel's or a patch port's many senders. */
static void test_masks(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "ip,actions=ct(table=1)");
    world_add_flow(br, "table=1,ip,ct_state=+new,actions=ct(commit),2");
    for (uint32_t i = 0; i < 200; i++)
        assert_string_equal(send(&w, br, 1, 1000 + i, 2, (uint16_t)(3 + i), 4), "p2");
    assert_int_equal(w.vs.cache->n_flows, 2);
    assert_int_equal(conntrack_count(w.vs.ct), 200);
    assert_int_equal(w.vs.n_xlate, 2);
    /* The flow that goes takes its state with it. */
    world_flow(br, OF_FLOW_DELETE, "");
    w.env.now_us += 20000000;
    vswitch_tick(&w.vs);
    assert_int_equal(w.vs.recirc.by_id.n, 0);
    world_fini(&w);
}

static uint64_t drops(struct world *w, enum drop_reason reason)
{
    return w->vs.drops[reason]->n;
}

/* Flows that never end are cut, deep ones and wide ones. */
static void test_guards(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "ip,actions=ct(table=0)");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "");
    assert_int_equal(drops(&w, DROP_RECIRC_DEPTH), 1);
    world_add_flow(br, "ip,actions=ct(table=0),ct(table=0),ct(table=0)");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "");
    assert_in_range(drops(&w, DROP_RECIRC_DEPTH), 1000, 100000);
    world_fini(&w);
}

/* What a translation behind a ct finds outdated is made anew, while the packet is on its way. */
static void test_learn_behind_ct(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "ip,actions=ct(table=1),2");
    world_add_flow(
        br,
        "table=1,priority=1,ip,actions=learn(table=2,NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),3");
    for (int i = 0; i < 3; i++)
        assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p3 p2");
    world_fini(&w);
}

/* Both fragments of a datagram leave once the second is there, and only then, with all that is behind the ct action. */
static void test_fragments(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "ip,actions=ct(table=1),4");
    world_add_flow(br, "table=1,ip,ct_state=+new-inv,actions=ct(commit),2");
    struct flow_key key;
    struct packet whole, part[2];
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_TYPE, 0x0800);
    key_set(&key, FIELD_IP_SRC, 1);
    key_set(&key, FIELD_IP_DST, 2);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_UDP);
    packet_init(&whole);
    packet_compose(&whole, &key, 100);
    for (int i = 0; i < 2; i++) {
        size_t from = i ? 34 + 64 : 34, n = i ? 44 : 64;
        packet_init_copy(&part[i], whole.data, 34);
        memcpy(packet_append(&part[i], n), whole.data + from, n);
        uint8_t *ip = part[i].data + 14;
        put_be16(ip + 2, (uint16_t)(20 + n));
        put_be16(ip + 6, i ? 8 : IP4_MF);
        put_be16(ip + 10, 0);
        put_be16(ip + 10, checksum(ip, 20));
    }
    struct port *p1 = bridge_port(br, 1)->dev;
    dummy_receive(p1, part[1].data, part[1].size);
    assert_int_equal(w.sent.n, 0);
    dummy_receive(p1, part[0].data, part[0].size);
    assert_int_equal(w.sent.n, 4);
    for (unsigned i = 0; i < 4; i++) /* the commit waits for the second one, too */
        assert_string_equal(w.sent.data[i].port, i % 3 ? "p2" : "p4");
    assert_int_equal(conntrack_count(w.vs.ct), 1);
    /* One that waits in vain is counted. */
    dummy_receive(p1, part[1].data, part[1].size);
    conntrack_expire(w.vs.ct, env_now_ms(w.vs.env) + 60000);
    assert_int_equal(drops(&w, DROP_FRAGMENT), 1);
    packet_fini(&whole);
    packet_fini(&part[0]);
    packet_fini(&part[1]);
    world_fini(&w);
}

/* resubmit(,N,ct) looks up what the client sent, not what it became; one megaflow for all that differ in what became of them. */
static void test_resubmit_original(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "ip,actions=ct(commit,table=1,nat(dst=0.0.0.9-0.0.0.12))");
    world_add_flow(
        br, "table=1,ip,ct_state=+trk-inv,actions=resubmit(,2),resubmit(,2,ct),resubmit(,2)");
    world_add_flow(br, "table=2,priority=2,ip,nw_dst=0.0.0.2,actions=2");
    world_add_flow(br, "table=2,priority=1,ip,actions=3");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p3 p2 p3");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p3 p2 p3");
    assert_string_equal(send(&w, br, 1, 1, 5, 3, 4), "p3 p3 p3");
    world_add_flow(br, "table=1,ip,ct_state=+trk-inv,actions=resubmit(,2,ct)");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p2");
    assert_string_equal(send(&w, br, 1, 1, 2, 3, 4), "p2");
    assert_string_equal(send(&w, br, 1, 1, 5, 3, 4), "p3");
    world_fini(&w);
}

/* Source and destination address of the packet that was sent as number I, and its port. */
static void expect_sent(const struct world *w, unsigned i, const char *port, uint32_t src,
                        uint32_t dst)
{
    assert_in_range(i, 0, w->sent.n - 1);
    assert_string_equal(w->sent.data[i].port, port);
    assert_int_equal(get_be32(w->sent.data[i].data + 26), src);
    assert_int_equal(get_be32(w->sent.data[i].data + 30), dst);
}

/* What is behind a ct in its list works on the translated packet, with and without a table, unless the ct is in a clone or a bucket;
 * what flows see of it there is not translated. As ovs-vswitchd 3.1 does. */
static void test_behind_translation(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "in_port=1,ip,actions=ct(commit,zone=1,nat(src=0.0.0.9),table=1),2,"
                       "ct_clear,resubmit(,2)");
    world_add_flow(br, "table=1,ip,actions=3");
    world_add_flow(br, "table=2,ip,nw_src=0.0.0.1,actions=mod_nw_dst:0.0.0.8,4");
    send(&w, br, 1, 1, 2, 3, 4);
    assert_int_equal(w.sent.n, 3);
    expect_sent(&w, 0, "p3", 9, 2);
    expect_sent(&w, 1, "p2", 9, 2);
    expect_sent(&w, 2, "p4", 9, 8);
    world_add_flow(br, "in_port=1,ip,actions=clone(ct(commit,zone=2,nat(src=0.0.0.9),table=1)),2");
    send(&w, br, 1, 1, 2, 3, 4);
    assert_int_equal(w.sent.n, 2);
    expect_sent(&w, 0, "p3", 9, 2);
    expect_sent(&w, 1, "p2", 1, 2);
    world_add_flow(br, "in_port=1,ip,actions=2,ct(commit,zone=3,nat(src=0.0.0.9)),"
                       "ct(commit,zone=4,nat(dst=0.0.0.7),table=1),2");
    send(&w, br, 1, 1, 2, 3, 4);
    assert_int_equal(w.sent.n, 3);
    expect_sent(&w, 0, "p2", 1, 2);
    expect_sent(&w, 1, "p3", 9, 7);
    expect_sent(&w, 2, "p2", 9, 7);
    world_fini(&w);
}

static void test_needs_ip(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "in_port=1,actions=ct(table=1)"),
                     OF_ERR_ACTION_MATCH_INCONSISTENT);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_learn_behind_ct),
        cmocka_unit_test(test_needs_ip),
        cmocka_unit_test(test_resubmit_original),
        cmocka_unit_test(test_behind_translation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
