/* test_table.c - flow mods as OpenFlow defines them, expiry, and the journal: undone changes leave no
 * trace, whatever they were. */
#include "unit/switchd/world.h"

static size_t count(const struct bridge *br, const char *text)
{
    struct of_flow_stats_request req;
    struct diag diag = DIAG_INIT;
    if (of_flow_stats_request_parse(text, NULL, NULL, &req, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    rule_vec rules = VEC_INIT;
    tables_select(&br->tables, &req, &rules);
    size_t n = rules.n;
    vec_fini(&rules);
    return n;
}

/* All flows with their actions and counters, a line each. Owned by the caller. */
static char *dump(const struct bridge *br)
{
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    rule_vec rules = VEC_INIT;
    tables_select(&br->tables, &req, &rules);
    struct str out = STR_INIT;
    for (size_t i = 0; i < rules.n; i++) {
        const struct rule *rule = rules.data[i];
        struct match match;
        cls_rule_match(&rule->cls, &match);
        str_putf(&out, "%u %d %llx %llu ", rule->table_id, rule->cls.priority,
                 (unsigned long long)rule->cookie, (unsigned long long)rule->n_packets);
        match_put(&out, &match, -1, NULL);
        str_putc(&out, ' ');
        of_actions_put(&out, rule->actions.data, rule->actions.n, NULL);
        str_putc(&out, '\n');
    }
    vec_fini(&rules);
    return str_steal(&out);
}

static struct bridge *setup(struct world *w)
{
    world_init(w);
    struct bridge *br = bridge_new(&w->vs, "br0");
    br->secure = true;
    return br;
}

static void test_add_replaces(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "priority=5,ip,nw_dst=10.0.0.0/8,cookie=1,actions=1");
    world_add_flow(br, "priority=5,ip,nw_dst=10.0.0.0/8,cookie=2,actions=2");
    world_add_flow(br, "priority=6,ip,nw_dst=10.0.0.0/8,actions=3");
    world_add_flow(br, "priority=5,ip,nw_dst=10.0.0.0/9,actions=4");
    assert_int_equal(count(br, ""), 3);
    assert_int_equal(count(br, "cookie=2/-1"), 1);
    assert_int_equal(count(br, "cookie=1/-1"), 0);
    world_fini(&w);
}

static void test_strict_and_loose(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "table=1,priority=1,ip,actions=1");
    world_add_flow(br, "table=1,priority=2,tcp,actions=1");
    world_add_flow(br, "table=1,priority=3,tcp,tp_dst=80,actions=1");
    world_add_flow(br, "table=2,priority=3,tcp,tp_dst=80,actions=7");
    world_add_flow(br, "table=1,priority=3,arp,actions=1");
    assert_int_equal(count(br, "table=1,tcp"), 2);
    assert_int_equal(count(br, "tcp"), 3);
    assert_int_equal(count(br, "out_port=7"), 1);
    assert_int_equal(world_flow(br, OF_FLOW_MODIFY, "table=1,tcp,actions=2"), 0);
    assert_int_equal(count(br, "out_port=2"), 2);
    assert_int_equal(world_flow(br, OF_FLOW_MODIFY_STRICT, "table=1,priority=9,tcp,actions=3"), 0);
    assert_int_equal(count(br, "out_port=3"), 0);
    assert_int_equal(world_flow(br, OF_FLOW_DELETE_STRICT, "table=1,priority=2,tcp"), 0);
    assert_int_equal(count(br, "table=1"), 3);
    assert_int_equal(world_flow(br, OF_FLOW_DELETE, "ip,out_port=9"), 0);
    assert_int_equal(count(br, ""), 4);
    assert_int_equal(world_flow(br, OF_FLOW_DELETE, "table=255,ip"), 0);
    assert_int_equal(count(br, ""), 1);
    world_fini(&w);
}

static void test_cookies(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "cookie=0x10,ip,actions=1");
    world_add_flow(br, "cookie=0x21,arp,actions=1");
    assert_int_equal(world_flow(br, OF_FLOW_MODIFY, "cookie=0x20/0xf0,actions=2"), 0);
    assert_int_equal(count(br, "out_port=2"), 1);
    assert_int_equal(count(br, "cookie=0x21/-1"), 1); /* a masked cookie selects, and stays */
    assert_int_equal(world_flow(br, OF_FLOW_DELETE, "cookie=0x10/-1"), 0);
    assert_int_equal(count(br, ""), 1);
    world_fini(&w);
}

static void test_refused(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "priority=5,ip,actions=1");
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "check_overlap,priority=5,tcp,actions=1"),
                     OF_ERR_FLOW_MOD_OVERLAP);
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "check_overlap,priority=5,arp,actions=1"), 0);
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "table=254,actions=1"), OF_ERR_PERM);
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "actions=group:5"), OF_ERR_ACTION_BAD_OUT_GROUP);
    assert_int_equal(world_flow(br, OF_FLOW_ADD, "actions=clone(group:5)"),
                     OF_ERR_ACTION_BAD_OUT_GROUP);
    assert_int_equal(count(br, ""), 2);
    world_fini(&w);
}

static void test_timeouts_and_counters(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct vport *p1 = world_add(&w, br, "p1", "dummy", 1, NULL);
    world_add(&w, br, "p2", "dummy", 2, NULL);
    world_add_flow(br, "in_port=1,idle_timeout=2,actions=2");
    world_add_flow(br, "in_port=9,hard_timeout=3,actions=2");
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x90, 0};
    for (int i = 0; i < 5; i++) { /* traffic through the cache keeps it alive */
        w.env.now_us += 1000000;
        dummy_receive(p1->dev, frame, sizeof frame);
        vswitch_tick(&w.vs);
    }
    assert_int_equal(w.sent.n, 5);
    assert_int_equal(count(br, "in_port=1"), 1);
    assert_int_equal(count(br, "in_port=9"), 0);
    /* A modification keeps counters and place; traffic counted before goes to the new actions' flow. */
    dummy_receive(p1->dev, frame, sizeof frame);
    assert_int_equal(world_flow(br, OF_FLOW_MODIFY, "in_port=1,actions=drop"), 0);
    vswitch_push_stats(&w.vs);
    char *text = dump(br);
    assert_non_null(strstr(text, " 6 in_port=1 drop"));
    free(text);
    for (int i = 0; i < 3; i++) {
        w.env.now_us += 1000000;
        vswitch_tick(&w.vs);
    }
    assert_int_equal(count(br, ""), 0);
    world_fini(&w);
}

static uint32_t rnd(struct env_seeded *random, uint32_t n)
{
    return (uint32_t)(env_random_u64(&random->env) % n);
}

/* Random changes, undone: nothing is different, not even the order among equals. */
static void test_undo(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct env_seeded random;
    env_seeded_init(&random, 42);
    for (int round = 0; round < 200; round++) {
        char *before = dump(br);
        struct journal journal = JOURNAL_INIT;
        for (unsigned i = rnd(&random, 8); i-- > 0;) {
            char text[120];
            static const enum of_flow_command commands[] = {
                OF_FLOW_ADD, OF_FLOW_ADD, OF_FLOW_MODIFY, OF_FLOW_DELETE, OF_FLOW_DELETE_STRICT};
            enum of_flow_command command = commands[rnd(&random, 5)];
            bool deletes = command == OF_FLOW_DELETE || command == OF_FLOW_DELETE_STRICT;
            bool loose = command == OF_FLOW_MODIFY || command == OF_FLOW_DELETE;
            snprintf(text, sizeof text, "table=%u,%sreg0=%u%s", rnd(&random, 2),
                     loose             ? ""
                     : rnd(&random, 2) ? "priority=1,"
                                       : "priority=2,",
                     rnd(&random, 3),
                     deletes           ? ""
                     : rnd(&random, 2) ? ",actions=1"
                                       : ",actions=2");
            struct of_flow_mod fm;
            assert_int_equal(of_flow_mod_parse(text, command, NULL, NULL, &fm, NULL), 0);
            assert_int_equal(bridge_flow_mod(br, &fm, &journal), 0);
            of_flow_mod_fini(&fm);
        }
        if (rnd(&random, 3)) {
            journal_undo(&journal, &br->tables);
            char *after = dump(br);
            assert_string_equal(before, after);
            free(after);
        } else {
            bridge_commit(br, &journal);
        }
        free(before);
    }
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_WARN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_replaces),
        cmocka_unit_test(test_strict_and_loose),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_timeouts_and_counters),
        cmocka_unit_test(test_undo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
