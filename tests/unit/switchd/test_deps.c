/* test_deps.c - a change makes stale what it can reach, and nothing else: told by the number of translations. That nothing is missed in
 * general is test_cache.c's to show. */
#include "flow/rewrite.h"
#include "openflow/group.h"
#include "switchd/revalidate.h"
#include "unit/switchd/world.h"

/* A frame of IPv4 from MAC 02::SRC on port IN to MAC 02::DST and 10.0.0.DST; returns the ports that it left on. */
static const char *send(struct world *w, struct bridge *br, uint32_t in, uint8_t src, uint8_t dst)
{
    static char out[64];
    struct flow_key key;
    struct packet packet;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, 0x020000000000 + src);
    key_set(&key, FIELD_ETH_DST, 0x020000000000 + dst);
    key_set(&key, FIELD_ETH_TYPE, 0x0800);
    key_set(&key, FIELD_IP_SRC, 0x0a000000 + src);
    key_set(&key, FIELD_IP_DST, 0x0a000000 + dst);
    packet_init(&packet);
    packet_compose(&packet, &key, 20);
    dummy_receive(bridge_port(br, in)->dev, packet.data, packet.size);
    packet_fini(&packet);
    out[0] = '\0';
    for (size_t i = 0; i < w->sent.n; i++)
        strcat(out, w->sent.data[i].port);
    world_forget(w);
    return out;
}

/* The packet leaves on PORTS, and N translations were made for it. */
#define EXPECT(W, BR, IN, SRC, DST, PORTS, N)                                                      \
    do {                                                                                           \
        uint64_t before_ = (W)->vs.n_xlate;                                                        \
        assert_string_equal(send(W, BR, IN, SRC, DST), PORTS);                                     \
        assert_int_equal((W)->vs.n_xlate - before_, N);                                            \
    } while (0)

static void add_pipeline(struct bridge *br)
{
    world_add_flow(br, "table=0,in_port=1,actions=load:7->OXM_OF_METADATA[],load:1->NXM_NX_REG0[],"
                       "resubmit(,1)");
    world_add_flow(br, "table=1,priority=100,ip,metadata=7,nw_dst=10.0.0.2,actions="
                       "set_field:10.0.0.9->ip_dst,resubmit(,2)");
    world_add_flow(br, "table=2,priority=50,metadata=7,actions=output:2");
}

static void test_flows_out_of_reach(void **state)
{
    (void)state;
    static const char *const flows[] = {
        "table=1,priority=200,ip,metadata=8,actions=drop",                 /* another datapath */
        "table=3,priority=200,actions=drop",                               /* a table not visited */
        "table=1,priority=100,ip,metadata=7,nw_dst=10.0.0.3,actions=drop", /* another address */
        "table=2,priority=200,ip,metadata=7,nw_dst=10.0.0.2,actions=drop", /* it is 10.0.0.9 by then */
        "table=2,priority=200,ip,metadata=7,reg0=2,actions=drop",          /* another register */
        "table=2,priority=40,metadata=7,actions=drop",                     /* less important */
        "table=0,priority=200,in_port=3,actions=drop",
        "table=1,priority=99,ip,actions=drop",
    };
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    add_pipeline(br);
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        world_add_flow(br, flows[i]);
        EXPECT(&w, br, 1, 1, 2, "p2", 0);
    }
    world_flow(br, OF_FLOW_MODIFY, "table=1,ip,metadata=7,nw_dst=10.0.0.3,actions=output:3");
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    world_flow(br, OF_FLOW_DELETE, "table=1,ip,metadata=7,nw_dst=10.0.0.3");
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    world_fini(&w);
}

static void test_flows_within_reach(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    add_pipeline(br);
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    world_add_flow(br, "table=2,priority=200,ip,metadata=7,nw_dst=10.0.0.9,actions=output:3");
    EXPECT(&w, br, 1, 1, 2, "p3", 1);
    world_flow(br, OF_FLOW_DELETE, "table=2,ip,nw_dst=10.0.0.9");
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    world_add_flow(br, "table=2,priority=51,reg0=1,actions=output:4"); /* of any datapath */
    EXPECT(&w, br, 1, 1, 2, "p4", 1);
    world_flow(br, OF_FLOW_MODIFY, "table=2,reg0=1,actions=output:3");
    EXPECT(&w, br, 1, 1, 2, "p3", 1);
    /* The same once more: translated once, and kept. */
    world_flow(br, OF_FLOW_MODIFY, "table=2,reg0=1,actions=output:3");
    EXPECT(&w, br, 1, 1, 2, "p3", 1);
    EXPECT(&w, br, 1, 1, 2, "p3", 0);
    assert_int_equal(w.vs.cache->n_flows, 1);
    world_fini(&w);
}

/* The answer of a conjunction has another flow's priority than its clauses have. */
static void test_conjunction(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "priority=10,ip,nw_src=10.0.0.1,actions=conjunction(1,1/2)");
    world_add_flow(br, "priority=10,ip,nw_dst=10.0.0.2,actions=conjunction(1,2/2)");
    world_add_flow(br, "priority=200,ip,conj_id=1,actions=output:2");
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    world_add_flow(br, "priority=100,ip,nw_dst=10.0.0.2,actions=output:3");
    EXPECT(&w, br, 1, 1, 2, "p3", 1);
    world_flow(br, OF_FLOW_DELETE_STRICT, "priority=100,ip,nw_dst=10.0.0.2");
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    world_flow(br, OF_FLOW_DELETE_STRICT, "priority=10,ip,nw_dst=10.0.0.2");
    EXPECT(&w, br, 1, 1, 2, "", 1);
    world_fini(&w);
}

static void group_mod(struct bridge *br, const char *text)
{
    struct of_group_mod gm;
    struct journal journal = JOURNAL_INIT;
    assert_int_equal(of_group_mod_parse(text, OF_GROUP_ADD_OR_MODIFY, NULL, &gm, NULL), 0);
    assert_int_equal(bridge_group_mod(br, &gm, &journal), 0);
    bridge_commit(br, &journal);
    of_group_mod_fini(&gm);
}

static void test_groups(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    group_mod(br, "group_id=1,type=indirect,bucket=actions=output:2");
    group_mod(br, "group_id=2,type=all,bucket=actions=output:3");
    world_add_flow(br, "actions=group:1");
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    group_mod(br, "group_id=2,type=all,bucket=actions=output:4");
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    group_mod(br, "group_id=1,type=indirect,bucket=actions=output:4");
    EXPECT(&w, br, 1, 1, 2, "p4", 1);
    world_fini(&w);
}

static void test_macs(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    world_add_flow(br, "actions=normal");
    send(&w, br, 2, 2, 1);
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    EXPECT(&w, br, 1, 1, 2, "p2", 1); /* the first one taught the switch something */
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    send(&w, br, 3, 3, 9); /* somebody else */
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    send(&w, br, 3, 2, 9); /* 2 has moved */
    EXPECT(&w, br, 1, 1, 2, "p3", 1);
    /* 1 moves to p4; what is known of it at p1 is in doubt until a packet comes from there, walk or not. */
    send(&w, br, 4, 1, 9);
    revalidate_walk(&w.vs);
    assert_string_equal(send(&w, br, 2, 7, 1), "p4");
    send(&w, br, 1, 1, 2);
    assert_string_equal(send(&w, br, 2, 7, 1), "p1");
    world_fini(&w);
}

/* Behind the packets' back: what is equal stays, what is not goes, and changes are forgotten. */
static void test_walk(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    add_pipeline(br);
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    world_flow(br, OF_FLOW_MODIFY, "table=2,metadata=7,actions=output:2");
    assert_int_equal(w.vs.deps.n_changes, 1);
    revalidate_walk(&w.vs);
    assert_int_equal(w.vs.deps.n_changes, 0);
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    world_flow(br, OF_FLOW_MODIFY, "table=2,metadata=7,actions=output:3");
    revalidate_walk(&w.vs);
    assert_int_equal(w.vs.cache->n_flows, 0);
    EXPECT(&w, br, 1, 1, 2, "p3", 1);
    w.env.now_us += 20000000;
    revalidate_walk(&w.vs);
    assert_int_equal(w.vs.cache->n_flows, 0);
    assert_int_equal(w.vs.deps.sets.n + w.vs.deps.domains.n, 0);
    world_fini(&w);
}

/* More changes than are looked at one by one. */
static void test_many_changes(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    add_pipeline(br);
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    for (unsigned i = 0; i < 17000; i++) {
        char text[100];
        snprintf(text, sizeof text, "table=1,metadata=7,reg0=%u,actions=drop", i + 2);
        world_add_flow(br, text);
    }
    assert_true(w.vs.deps.n_changes < 17000);
    EXPECT(&w, br, 1, 1, 2, "p2", 1);
    EXPECT(&w, br, 1, 1, 2, "p2", 0);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flows_out_of_reach),
                                       cmocka_unit_test(test_flows_within_reach),
                                       cmocka_unit_test(test_conjunction),
                                       cmocka_unit_test(test_groups),
                                       cmocka_unit_test(test_macs),
                                       cmocka_unit_test(test_walk),
                                       cmocka_unit_test(test_many_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
