/* test_switch.c - logical flows, groups and bindings of logical switches, from NB rows to SB rows. */
#include "support/northd_test.h"

static void known_addresses(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    world_port(w, &ls, "p1", "0a:00:00:00:00:01 10.0.0.1 fd00::1");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_l2_lkup", " 50 ", "(eth.dst == 0a:00:00:00:00:01)",
                                 "(outport = \"p1\"; output;)", NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_l2_lkup", " 70 ", "(eth.mcast)",
                                 "(outport = \"_MC_flood\"; output;)", NULL),
                     1);
    /* The responder: the request becomes the reply and goes back. */
    assert_int_equal(
        world_count(w, "ls_in_arp_rsp", " 50 ", "(arp.tpa == 10.0.0.1 && arp.op == 1)",
                    "eth.dst = eth.src; eth.src = 0a:00:00:00:00:01; arp.op = 2;",
                    "arp.spa = 10.0.0.1; outport = inport; flags.loopback = 1; output;", NULL),
        1);
    assert_int_equal(world_count(w, "ls_in_arp_rsp", " 100 ",
                                 "arp.tpa == 10.0.0.1 && arp.op == 1 && inport == \"p1\"",
                                 "(next;)", NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_arp_rsp", " 50 ", "nd.target == fd00::1", "nd_na {",
                                 "ff02::1:ff00:1", NULL),
                     1);
    assert_int_equal(world_count(w, "port p1 ", "key 1", "10.0.0.1 fd00::1", NULL), 1);
    assert_int_equal(world_count(w, "datapath 1 ", "name=sw0", NULL), 1);
    assert_int_equal(world_count(w, "group", "_MC_flood 32768 p1", NULL), 1);
    assert_int_equal(world_count(w, "group", "_MC_flood_l2 32772 p1", NULL), 1);
    assert_int_equal(world_count(w, "group", "_MC_unknown", NULL), 0);
    assert_int_equal(world_count(w, "ls_in_l2_unknown", "(drop;)", NULL), 1);
}

static void unknown_addresses(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid p = world_port(w, &ls, "p1", "0a:00:00:00:00:01 10.0.0.1,unknown");
    world_port(w, &ls, "p2", "unknown");
    commit(w);
    assert_int_equal(world_count(w, "group", "_MC_unknown 32769 p1 p2", NULL), 1);
    assert_int_equal(
        world_count(w, "ls_in_l2_unknown", " 50 ", "(outport = \"_MC_unknown\"; output;)", NULL),
        1);
    /* Who has unknown addresses answers for himself. */
    assert_int_equal(world_count(w, "arp.tpa == 10.0.0.1", NULL), 0);
    world_set(w, "Logical_Switch_Port", &p, "addresses", "0a:00:00:00:00:01 10.0.0.1");
    commit(w);
    assert_int_equal(world_count(w, "group", "_MC_unknown 32769 p2", NULL), 1);
    assert_int_equal(world_count(w, "arp.tpa == 10.0.0.1", NULL), 2);
}

static void disabled_port(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid p = world_port(w, &ls, "p1", "0a:00:00:00:00:01 10.0.0.1,unknown");
    world_set(w, "Logical_Switch_Port", &p, "enabled", "false");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_check_port_sec", "(inport == \"p1\")", "(drop;)", NULL),
                     1);
    assert_int_equal(
        world_count(w, "ls_out_check_port_sec", "(outport == \"p1\")", "(drop;)", NULL), 1);
    assert_int_equal(world_count(w, "group", NULL), 0);
    assert_int_equal(
        world_count(w, "ls_in_l2_lkup", "(eth.dst == 0a:00:00:00:00:01)", "(drop;)", NULL), 1);
    world_set(w, "Logical_Switch_Port", &p, "enabled", "true");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_check_port_sec", "p1", NULL), 0);
    assert_int_equal(world_count(w, "group", "_MC_flood ", NULL), 1);
}

static void what_makes_no_sense(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    world_port(w, &ls, "p1", "hello");
    world_port(w, &ls, "p2", "0a:00:00:00:00:02 10.0.0.300");
    world_port(w, &ls, "p3", "0a:00:00:00:00:03 10.0.0.3 junk 10.0.0.4");
    world_port(w, &ls, "p4", "router"); /* but not of type router */
    world_port(w, &ls, "p5", "dynamic");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_l2_lkup", " 50 ", NULL), 2);
    assert_int_equal(world_count(w, "ls_in_arp_rsp", "arp.tpa == 10.0.0.3 ", NULL), 2);
    assert_int_equal(world_count(w, "10.0.0.4", "flow", NULL), 0);
    assert_int_equal(world_count(w, "port p", NULL), 5); /* all are bound */
}

/* Every stage of the pipeline has a last word on every switch, and all switches share the row. */
static void complete_pipeline(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "sw%d", i);
        world_switch(w, name);
    }
    commit(w);
    for (int table = 0; table < 27; table++) {
        char text[32];
        snprintf(text, sizeof text, " ingress/%d 0 (1)", table);
        assert_int_equal(world_count(w, "flow", text, NULL), 3);
    }
    for (int table = 0; table < 10; table++) {
        char text[32];
        snprintf(text, sizeof text, " egress/%d 0 (1)", table);
        assert_int_equal(world_count(w, "flow", text, NULL), 3);
    }
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_LOGICAL_DP_GROUP)), 1);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_LOGICAL_FLOW)), 49);
}

static void moved_and_renamed(void **state)
{
    struct world *w = *state;
    struct uuid a = world_switch(w, "a"), b = world_switch(w, "b");
    struct uuid p = world_port(w, &a, "p1", "0a:00:00:00:00:01");
    commit(w);
    world_link(w, "Logical_Switch", &a, "ports", &p, false);
    world_link(w, "Logical_Switch", &b, "ports", &p, true);
    commit(w);
    char text[UUID_TEXT_LEN + 16], uuid[UUID_TEXT_LEN + 1];
    snprintf(text, sizeof text, "p1 of %s", uuid_print(&b, uuid));
    assert_int_equal(world_count(w, "port ", text, NULL), 1);
    assert_int_equal(world_count(w, "port p", " key ", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_l2_lkup", uuid, "p1", NULL), 1);
    world_set(w, "Logical_Switch_Port", &p, "name", "p2");
    commit(w);
    assert_int_equal(world_count(w, "p1", NULL), 0);
    assert_int_equal(world_count(w, "port p2 ", NULL), 1);
}

static struct uuid nested(struct world *w, const struct uuid *ls, const char *name,
                          const char *request)
{
    struct uuid lsp = world_port(w, ls, name, "");
    world_set(w, "Logical_Switch_Port", &lsp, "parent_name", "vm");
    world_set(w, "Logical_Switch_Port", &lsp, "tag_request", request);
    return lsp;
}

/* Tags of containers: as asked, or any that is free, and then they stay. */
static void nested_ports(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    nested(w, &ls, "one", "1");
    struct uuid any = nested(w, &ls, "any", "0");
    commit(w);
    assert_int_equal(world_count(w, "port one ", " tag 1 in vm", NULL), 1);
    assert_int_equal(world_count(w, "port any ", " tag 2 in vm", NULL), 1);
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        nested(w, &ls, name, "0");
        commit(w);
    }
    assert_int_equal(world_count(w, "port any ", " tag 2 in vm", NULL), 1);
    for (int i = 1; i <= 22; i++) {
        char text[24];
        snprintf(text, sizeof text, " tag %d in vm", i);
        assert_int_equal(world_count(w, text, NULL), 1);
    }
    /* A number that is asked for goes first; a northd that starts anew finds the others where they were. */
    nested(w, &ls, "two", "2");
    commit(w);
    assert_int_equal(world_count(w, "port two ", " tag 2 in vm", NULL), 1);
    assert_int_equal(world_count(w, "port any ", " tag 23 in vm", NULL), 1);
    world_stop(w);
    world_start(w);
    world_settle(w);
    assert_int_equal(world_count(w, "port any ", " tag 23 in vm", NULL), 1);
    world_set(w, "Logical_Switch_Port", &any, "parent_name", "");
    world_set(w, "Logical_Switch_Port", &any, "tag_request", "100");
    commit(w);
    assert_int_equal(world_count(w, "port any ", " tag 100 in -", NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nested_ports, setup_world, teardown),
        cmocka_unit_test_setup_teardown(known_addresses, setup_world, teardown),
        cmocka_unit_test_setup_teardown(unknown_addresses, setup_world, teardown),
        cmocka_unit_test_setup_teardown(disabled_port, setup_world, teardown),
        cmocka_unit_test_setup_teardown(what_makes_no_sense, setup_world, teardown),
        cmocka_unit_test_setup_teardown(complete_pipeline, setup_world, teardown),
        cmocka_unit_test_setup_teardown(moved_and_renamed, setup_world, teardown),
    };
    return cmocka_run_group_tests_name("northd switch", tests, NULL, NULL);
}
