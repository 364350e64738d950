/* test_learn.c - learn with its options, and fin_timeout: flows that packets make, shorten and take away. */
#include "flow/rewrite.h"
#include "unit/switchd/world.h"

/* Receives a packet given as a flow. */
static void receive(struct bridge *br, const char *flow)
{
    struct match match;
    struct packet packet;
    assert_int_equal(of_match_parse(flow, NULL, &match, NULL, NULL), 0);
    packet_init(&packet);
    struct flow_key key = match.key;
    packet_compose(&packet, &key, 64);
    dummy_receive(bridge_port(br, key_in_port(&match.key))->dev, packet.data, packet.size);
    packet_fini(&packet);
}

/* The flows of TABLE as text, sorted by age, one a line. */
static char *dump(const struct bridge *br, uint8_t table)
{
    struct str s = STR_INIT;
    const struct cls_rule *cls;
    CLASSIFIER_FOR_EACH(cls, &br->tables.table[table].cls)
    {
        const struct rule *rule = CONTAINER_OF(cls, struct rule, cls);
        struct match match;
        cls_rule_match(cls, &match);
        str_putf(&s, "idle=%u,hard=%u ", rule->idle_timeout, rule->hard_timeout);
        match_put(&s, &match, -1, NULL);
        str_put(&s, " actions=");
        of_actions_put(&s, rule->actions.data, rule->actions.n, NULL);
        str_putc(&s, '\n');
    }
    return str_steal(&s);
}

static void expect_flows(const struct bridge *br, uint8_t table, const char *want)
{
    char *got = dump(br, table);
    assert_string_equal(got, want);
    free(got);
}

#define SYN "in_port=1,tcp,nw_src=10.0.0.%u,nw_dst=10.0.0.99,tcp_src=7,tcp_dst=80,tcp_flags=+syn"

static void receive_from(struct bridge *br, const char *format, unsigned host)
{
    char text[160];
    snprintf(text, sizeof text, format, host);
    receive(br, text);
}

static void test_fin_timeout(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 3);
    world_add_flow(
        br, "tcp,idle_timeout=100,actions=fin_timeout(idle_timeout=5,hard_timeout=9),output:2");
    receive_from(br, SYN, 1);
    expect_flows(
        br, 0, "idle=100,hard=0 tcp actions=fin_timeout(idle_timeout=5,hard_timeout=9),output:2\n");
    receive(br, "in_port=1,tcp,nw_src=10.0.0.1,tcp_flags=+fin+ack");
    expect_flows(br, 0,
                 "idle=5,hard=9 tcp actions=fin_timeout(idle_timeout=5,hard_timeout=9),output:2\n");
    w.env.now_us += 8000000;
    receive_from(br, SYN, 1);
    vswitch_tick(&w.vs);
    assert_int_equal(br->tables.n_rules, 1);
    w.env.now_us += 1000000;
    vswitch_tick(&w.vs);
    assert_int_equal(br->tables.n_rules, 0);
    /* Without TCP in the match there is no end to see. */
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "ip,actions=fin_timeout(idle_timeout=5)"),
                     OF_ERR_ACTION_MATCH_INCONSISTENT);
    world_fini(&w);
}

static void test_learned_fin_timeout(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 3);
    world_add_flow(
        br,
        "tcp,actions=learn(table=1,idle_timeout=60,fin_idle_timeout=2,eth_type=0x800,nw_proto=6,"
        "NXM_OF_IP_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,1)");
    receive_from(br, SYN, 1);
    expect_flows(br, 1,
                 "idle=60,hard=0 tcp,nw_src=10.0.0.1 "
                 "actions=fin_timeout(idle_timeout=2),output:1\n");
    receive(br, "in_port=1,tcp,nw_src=10.0.0.1,tcp_flags=+rst");
    receive(br, "in_port=1,tcp,nw_src=10.0.0.1,tcp_flags=+rst");
    expect_flows(br, 1,
                 "idle=2,hard=0 tcp,nw_src=10.0.0.1 "
                 "actions=fin_timeout(idle_timeout=2),output:1\n");
    world_fini(&w);
}

static void test_limit_and_result(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 3);
    world_add_flow(
        br, "tcp,actions=learn(table=1,cookie=0x7,limit=2,result_dst=NXM_NX_REG0[3],eth_type=0x800,"
            "NXM_OF_IP_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,2)");
    world_add_flow(br, "table=2,reg0=8,actions=output:2");
    world_add_flow(br, "table=2,reg0=0,actions=output:3");
    for (unsigned i = 1; i <= 3; i++)
        receive_from(br, SYN, i);
    receive_from(br, SYN, 1);
    assert_int_equal(br->tables.table[1].cls.n_rules, 2);
    assert_int_equal(w.sent.n, 4);
    assert_string_equal(w.sent.data[0].port, "p2");
    assert_string_equal(w.sent.data[1].port, "p2");
    assert_string_equal(w.sent.data[2].port, "p3"); /* beyond the limit */
    assert_string_equal(w.sent.data[3].port, "p2"); /* known */
    world_fini(&w);
}

#define TEACHER                                                                                    \
    "actions=learn(table=1,cookie=0x7,delete_learned,eth_type=0x800,NXM_OF_IP_SRC[]),output:2"

static void test_delete_learned(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 3);
    world_add_flow(br, "tcp," TEACHER);
    world_add_flow(br, "udp," TEACHER);
    world_add_flow(br, "table=1,cookie=8,arp,actions=drop");
    receive_from(br, SYN, 1);
    receive_from(br, SYN, 2);
    assert_int_equal(br->tables.table[1].cls.n_rules, 3);
    /* One of two teachers goes; the other is put in again as it is. */
    assert_int_equal(world_flow(br, OF_FLOW_DELETE, "tcp"), 0);
    world_add_flow(br, "udp," TEACHER);
    assert_int_equal(br->tables.table[1].cls.n_rules, 3);
    /* The last one becomes another flow. */
    assert_int_equal(world_flow(br, OF_FLOW_MODIFY_STRICT, "udp,actions=drop"), 0);
    expect_flows(br, 1, "idle=0,hard=0 arp actions=drop\n");
    /* A learned flow that teaches takes its pupils along, and expiry is a removal too. */
    world_add_flow(br, "idle_timeout=3,tcp," TEACHER);
    world_add_flow(
        br, "table=1,cookie=7,ip,actions=learn(table=3,cookie=0x9,delete_learned,eth_type=0x806)");
    world_add_flow(br, "table=3,cookie=9,arp,actions=drop");
    w.env.now_us += 4000000;
    vswitch_tick(&w.vs);
    expect_flows(br, 1, "idle=0,hard=0 arp actions=drop\n");
    expect_flows(br, 3, "");
    world_fini(&w);
}

/* A bundle that fails leaves the pupils alone. */
static void test_delete_learned_undone(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 3);
    world_add_flow(br, "tcp," TEACHER);
    receive_from(br, SYN, 1);
    struct of_flow_mod fm;
    struct journal journal = JOURNAL_INIT;
    of_flow_mod_init(&fm, OF_FLOW_DELETE);
    fm.table_id = 0;
    assert_int_equal(bridge_flow_mod(br, &fm, &journal), 0);
    of_flow_mod_fini(&fm);
    journal_undo(&journal, &br->tables);
    assert_int_equal(br->tables.table[1].cls.n_rules, 1);
    assert_int_equal(world_flow(br, OF_FLOW_DELETE, "table=0"), 0);
    assert_int_equal(br->tables.table[1].cls.n_rules, 0);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_WARN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fin_timeout),           cmocka_unit_test(test_learned_fin_timeout),
        cmocka_unit_test(test_limit_and_result),      cmocka_unit_test(test_delete_learned),
        cmocka_unit_test(test_delete_learned_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
