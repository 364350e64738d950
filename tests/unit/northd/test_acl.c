/* test_acl.c - the firewall of logical switches: ACLs, port groups and address sets, from NB rows to SB rows. */
#include "support/northd_test.h"

static struct uuid add_acl(struct world *w, const char *owner_table, const struct uuid *owner,
                           const char *direction, int priority, const char *match,
                           const char *action)
{
    char text[16];
    struct uuid acl = world_insert(w, "ACL");
    snprintf(text, sizeof text, "%d", priority);
    world_set(w, "ACL", &acl, "direction", direction);
    world_set(w, "ACL", &acl, "priority", text);
    world_set(w, "ACL", &acl, "match", match);
    world_set(w, "ACL", &acl, "action", action);
    world_link(w, owner_table, owner, "acls", &acl, true);
    return acl;
}

#define FLOW(W, ...) world_count(W, "flow ", __VA_ARGS__, NULL)

static void stateless(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    add_acl(w, "Logical_Switch", &ls, "from-lport", 100, "ip4.src==10.0.0.1", "allow");
    add_acl(w, "Logical_Switch", &ls, "from-lport", 90, "tcp", "drop");
    add_acl(w, "Logical_Switch", &ls, "to-lport", 80, "udp", "reject");
    commit(w);
    assert_int_equal(FLOW(w, "ls_in_acl", " 1100 ", "(ip4.src == 10.0.0.1) (next;)"), 1);
    assert_int_equal(FLOW(w, "ls_in_acl", " 1090 ", "(tcp) (drop;)"), 1);
    assert_int_equal(FLOW(w, "ls_out_acl", " 1080 ",
                          "(udp) (reg0 = 0; reject { outport <-> inport; next(pipeline=ingress, "
                          "table=25); };)"),
                     1);
    /* Nothing goes to conntrack, and what is not matched is allowed. */
    assert_int_equal(FLOW(w, "ls_in_pre_acl", " 1"), 1);
    assert_int_equal(FLOW(w, "ls_in_acl_hint"), 1);
    assert_int_equal(FLOW(w, "ls_in_acl ", " 0 ", "(1) (next;)"), 1);
}

static void stateful(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid ssh =
        add_acl(w, "Logical_Switch", &ls, "to-lport", 100, "tcp.dst == 22", "allow-related");
    add_acl(w, "Logical_Switch", &ls, "to-lport", 90, "ip", "drop");
    add_acl(w, "Logical_Switch", &ls, "from-lport", 200, "udp.dst == 53", "allow-stateless");
    world_attach(w, &ls, "rp", "lrp0");
    commit(w);
    assert_int_equal(FLOW(w, "ls_out_pre_acl", " 100 ", "(ip) (reg0[0] = 1; next;)"), 1);
    assert_int_equal(FLOW(w, "ls_out_pre_acl", " 110 ", "(ip && outport == \"rp\") (next;)"), 1);
    assert_int_equal(FLOW(w, "ls_in_pre_acl", " 1200 ", "(udp.dst == 53) (reg0[16] = 1; next;)"),
                     1);
    assert_int_equal(
        FLOW(w, "ls_out_acl", " 1100 ", "(reg0[7] && tcp.dst == 22) (reg0[1] = 1; next;)"), 1);
    assert_int_equal(FLOW(w, "ls_out_acl", " 1100 ", "(reg0[8] && tcp.dst == 22) (next;)"), 1);
    assert_int_equal(FLOW(w, "ls_out_acl", " 1090 ", "(reg0[9] && ip) (drop;)"), 1);
    assert_int_equal(
        FLOW(w, "ls_out_acl", " 1090 ", "(reg0[10] && ip) (ct_commit { ct_mark.blocked = 1; };)"),
        1);
    assert_int_equal(FLOW(w, "ls_out_acl_hint", "ct_mark.blocked"), 4);
    assert_int_equal(FLOW(w, "ls_in_acl ", " 65532 ", "reg0[17] = 1; ct_commit_nat;"), 1);
    /* With the last ACL that tracks, tracking goes. */
    world_link(w, "Logical_Switch", &ls, "acls", &ssh, false);
    commit(w);
    assert_int_equal(FLOW(w, "ls_out_pre_acl"), 2);
    assert_int_equal(FLOW(w, "ls_out_acl_hint"), 1);
    assert_int_equal(FLOW(w, "ls_out_acl", " 1090 ", "(ip) (drop;)"), 1);
    assert_int_equal(FLOW(w, "reg0[16] = 1"), 0);
}

static void labels_and_logs(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid acl = add_acl(w, "Logical_Switch", &ls, "from-lport", 100, "tcp", "allow-related");
    world_set(w, "ACL", &acl, "label", "77");
    world_set(w, "ACL", &acl, "log", "true");
    world_set(w, "ACL", &acl, "name", "a \"b\"");
    world_set(w, "ACL", &acl, "severity", "alert");
    world_set(w, "ACL", &acl, "meter", "m1");
    world_set(w, "ACL", &acl, "options", "log-related=true");
    commit(w);
    const char *log = "log(name=\"a \\\"b\\\"\", severity=alert, verdict=allow, meter=\"m1\");";
    assert_int_equal(FLOW(w, "ls_in_acl ", " 1100 ", "reg0[1] = 1; reg0[13] = 1; reg3 = 77;", log),
                     2);
    assert_int_equal(
        FLOW(w, "ls_in_acl ", " 65533 ", "ct_label.label == 0x4d", log, "reg0[17] = 1"), 2);
    world_set(w, "ACL", &acl, "action", "reject");
    world_set(w, "ACL", &acl, "options", "apply-after-lb=true");
    world_set(w, "ACL", &acl, "severity", "");
    commit(w);
    assert_int_equal(FLOW(w, "ls_in_acl_after_lb", " 1100 ", "(tcp)",
                          "severity=info, verdict=reject, meter=\"m1\"); reg0 = 0; reject {"),
                     1);
    assert_int_equal(FLOW(w, "ct_label"), 2); /* the commits of every switch */
}

static void default_drop(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0"), global = world_insert(w, "NB_Global");
    world_switch(w, "sw1");
    world_set(w, "NB_Global", &global, "options", "default_acl_drop=true use_ct_inv_match=false");
    add_acl(w, "Logical_Switch", &ls, "to-lport", 100, "tcp", "allow-related");
    commit(w);
    assert_int_equal(FLOW(w, "ls_in_acl ", " 0 ", "(1) (drop;)"), 1);
    assert_int_equal(FLOW(w, "ls_out_acl ", " 0 ", "(1) (drop;)"), 1);
    assert_int_equal(FLOW(w, "ls_in_acl_after_lb ", " 0 ", "(1) (next;)"), 2);
    assert_int_equal(FLOW(w, "ls_in_acl ", " 0 ", "(1) (next;)"), 1);
    assert_int_equal(FLOW(w, "ct.inv"), 0);
    assert_int_equal(FLOW(w, "_acl ", " 1 (ip"), 0);
}

static void tiers(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid a = add_acl(w, "Logical_Switch", &ls, "from-lport", 100, "tcp", "pass");
    struct uuid b = add_acl(w, "Logical_Switch", &ls, "from-lport", 50, "ip", "drop");
    world_set(w, "ACL", &b, "tier", "2");
    add_acl(w, "Logical_Switch", &ls, "to-lport", 10, "ip", "allow");
    commit(w);
    assert_int_equal(
        FLOW(w, "ls_in_acl ", " 1100 ", "(reg8[29..31] == 0 && tcp) (reg8[29..31] = 1; next(8);)"),
        1);
    assert_int_equal(FLOW(w, "ls_in_acl ", " 1050 ", "(reg8[29..31] == 0x2 && ip) (drop;)"), 1);
    assert_int_equal(FLOW(w, "ls_in_acl ", " 500 ", "(reg8[29..31] == 0x1) (reg8[29..31] = 2;"), 1);
    assert_int_equal(FLOW(w, "ls_in_acl ", " 500 "), 2);
    assert_int_equal(FLOW(w, "ls_out_acl ", " 1010 ", "(ip) (next;)"), 1);
    world_set(w, "ACL", &b, "tier", "0");
    world_set(w, "ACL", &a, "action", "allow");
    commit(w);
    assert_int_equal(FLOW(w, "reg8"), 0);
}

/* A match that is none harms nobody else, and is in force once it is mended. */
static void malformed(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid bad = add_acl(w, "Logical_Switch", &ls, "to-lport", 1, "ip4.bogus == 3", "drop");
    add_acl(w, "Logical_Switch", &ls, "to-lport", 2, "tcp", "drop");
    add_acl(w, "Logical_Switch", &ls, "to-lport", 3, "", "drop");
    commit(w);
    assert_int_equal(FLOW(w, "ls_out_acl ", " 1002 ", "(tcp) (drop;)"), 1);
    assert_int_equal(FLOW(w, " 1001 "), 0);
    world_set(w, "ACL", &bad, "match", "udp");
    commit(w);
    assert_int_equal(FLOW(w, "ls_out_acl ", " 1001 ", "(udp) (drop;)"), 1);
}

static void port_groups(void **state)
{
    struct world *w = *state;
    struct uuid ls0 = world_switch(w, "sw0"), ls1 = world_switch(w, "sw1");
    struct uuid p0 = world_port(w, &ls0, "p0", "0a:00:00:00:00:01 10.0.0.1 fd00::1");
    struct uuid p1 = world_port(w, &ls1, "p1", "0a:00:00:00:00:02 10.0.0.2");
    struct uuid pg = world_insert(w, "Port_Group");
    world_set(w, "Port_Group", &pg, "name", "web");
    world_link(w, "Port_Group", &pg, "ports", &p0, true);
    add_acl(w, "Port_Group", &pg, "to-lport", 100, "outport == @web && ip4.src == $web_ip4",
            "allow-related");
    commit(w);
    assert_int_equal(FLOW(w, " 1100 ", "outport == @web && ip4.src == $web_ip4"), 2);
    assert_int_equal(world_count(w, "_web [p0]", NULL), 1);
    assert_int_equal(world_count(w, "set $web_ip4 [10.0.0.1]", NULL), 1);
    assert_int_equal(world_count(w, "set $web_ip6 [fd00::1]", NULL), 1);
    world_link(w, "Port_Group", &pg, "ports", &p1, true);
    commit(w);
    assert_int_equal(FLOW(w, " 1100 ", "outport == @web && ip4.src == $web_ip4"), 4);
    assert_int_equal(world_count(w, "_web [p1]", NULL), 1);
    assert_int_equal(world_count(w, "set $web_ip4 [10.0.0.1 10.0.0.2]", NULL), 1);
    world_set(w, "Logical_Switch_Port", &p0, "addresses", "0a:00:00:00:00:01 10.0.0.9");
    world_link(w, "Port_Group", &pg, "ports", &p1, false);
    commit(w);
    assert_int_equal(world_count(w, "set $web_ip4 [10.0.0.9]", NULL), 1);
    assert_int_equal(world_count(w, "set $web_ip6 []", NULL), 1);
    assert_int_equal(world_count(w, "_web [p1", NULL), 0);
    world_delete(w, "Port_Group", &pg);
    commit(w);
    assert_int_equal(world_count(w, "set ", "web", NULL), 0);
    assert_int_equal(FLOW(w, "@web"), 0);
}

/* A group's ACL is one flow for all switches that are alike, and a switch that has it in two ways has it once. */
static void classes_of_groups(void **state)
{
    struct world *w = *state;
    struct uuid ls0 = world_switch(w, "sw0"), ls1 = world_switch(w, "sw1");
    char sw0[UUID_TEXT_LEN + 1], sw1[UUID_TEXT_LEN + 1];
    struct uuid p0 = world_port(w, &ls0, "p0", "0a:00:00:00:00:01 10.0.0.1");
    struct uuid p1 = world_port(w, &ls1, "p1", "0a:00:00:00:00:02 10.0.0.2");
    struct uuid pg = world_insert(w, "Port_Group"), more = world_insert(w, "Port_Group");
    world_set(w, "Port_Group", &pg, "name", "web");
    world_set(w, "Port_Group", &more, "name", "more");
    world_link(w, "Port_Group", &pg, "ports", &p0, true);
    world_link(w, "Port_Group", &pg, "ports", &p1, true);
    struct uuid acl = add_acl(w, "Port_Group", &pg, "to-lport", 100, "udp.dst == 53", "allow");
    commit(w);
    uuid_print(&ls0, sw0);
    uuid_print(&ls1, sw1);
    size_t n = replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_LOGICAL_FLOW));
    assert_int_equal(FLOW(w, sw0, " 1100 ", "udp.dst == 53"), 1);
    assert_int_equal(FLOW(w, sw1, " 1100 ", "udp.dst == 53"), 1);
    /* One of them becomes stateful by an ACL of its own: there it is two flows. */
    struct uuid own = add_acl(w, "Logical_Switch", &ls1, "to-lport", 50, "tcp", "allow-related");
    commit(w);
    assert_int_equal(FLOW(w, sw0, " 1100 ", "udp.dst == 53"), 1);
    assert_int_equal(FLOW(w, sw1, " 1100 ", "udp.dst == 53"), 2);
    world_link(w, "Logical_Switch", &ls1, "acls", &own, false);
    /* Also of a switch, then also of a second group with the same switch. */
    world_link(w, "Logical_Switch", &ls0, "acls", &acl, true);
    commit(w);
    assert_int_equal(FLOW(w, " 1100 ", "udp.dst == 53"), 2);
    world_link(w, "Port_Group", &more, "ports", &p1, true);
    world_link(w, "Port_Group", &more, "acls", &acl, true);
    commit(w);
    assert_int_equal(FLOW(w, " 1100 ", "udp.dst == 53"), 2);
    world_link(w, "Logical_Switch", &ls0, "acls", &acl, false);
    world_link(w, "Port_Group", &more, "acls", &acl, false);
    commit(w);
    assert_int_equal(FLOW(w, " 1100 ", "udp.dst == 53"), 2);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_LOGICAL_FLOW)), n);
    /* The last ACL of the group goes. */
    world_link(w, "Port_Group", &pg, "acls", &acl, false);
    commit(w);
    assert_int_equal(FLOW(w, "udp.dst == 53"), 0);
}

static void address_sets(void **state)
{
    struct world *w = *state;
    struct uuid as = world_insert(w, "Address_Set");
    world_set(w, "Address_Set", &as, "name", "a");
    world_set(w, "Address_Set", &as, "addresses", "10.0.0.1,10.0.0.2/31,nonsense");
    commit(w);
    assert_int_equal(world_count(w, "set $a [10.0.0.1 10.0.0.2/31 nonsense]", NULL), 1);
    world_set(w, "Address_Set", &as, "addresses", "10.0.0.2/31,10.0.0.5");
    commit(w);
    assert_int_equal(world_count(w, "set $a [10.0.0.2/31 10.0.0.5]", NULL), 1);
    world_set(w, "Address_Set", &as, "name", "b");
    commit(w);
    assert_int_equal(world_count(w, "set $a ", NULL), 0);
    assert_int_equal(world_count(w, "set $b [10.0.0.2/31 10.0.0.5]", NULL), 1);
    /* A group's set gives way to one that NB has under that name. */
    struct uuid pg = world_insert(w, "Port_Group");
    world_set(w, "Port_Group", &pg, "name", "web");
    world_set(w, "Address_Set", &as, "name", "web_ip4");
    commit(w);
    assert_int_equal(world_count(w, "set $web_ip4 [10.0.0.2/31 10.0.0.5]", NULL), 1);
    world_delete(w, "Address_Set", &as);
    commit(w);
    assert_int_equal(world_count(w, "set $web_ip4 []", NULL), 1);
}

static void meters(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0"), meter = world_insert(w, "Meter");
    struct uuid band = world_insert(w, "Meter_Band"), acl;
    char text[UUID_TEXT_LEN + 1], name[UUID_TEXT_LEN + 8];
    world_set(w, "Meter_Band", &band, "rate", "10");
    world_set(w, "Meter_Band", &band, "action", "drop");
    world_set(w, "Meter", &meter, "name", "m1");
    world_set(w, "Meter", &meter, "unit", "pktps");
    world_set(w, "Meter", &meter, "bands", uuid_print(&band, text));
    acl = add_acl(w, "Logical_Switch", &ls, "from-lport", 100, "tcp", "drop");
    world_set(w, "ACL", &acl, "meter", "m1");
    commit(w);
    assert_int_equal(world_count(w, "meter m1", NULL), 1);
    assert_int_equal(world_count(w, "meter m1 pktps 10/0", NULL), 1);
    world_set(w, "ACL", &acl, "log", "true");
    world_set(w, "Meter_Band", &band, "rate", "20");
    world_set(w, "Meter_Band", &band, "burst_size", "5");
    commit(w);
    assert_int_equal(FLOW(w, "meter=\"m1\""), 1);
    assert_int_equal(world_count(w, "meter m1 pktps 20/5", NULL), 1);
    world_set(w, "Meter", &meter, "fair", "true");
    commit(w);
    const struct row *row = NULL;
    REPLICA_FOR_EACH(row, pos, w->nb_client, replica_table(w->nb_client, "ACL"))
    snprintf(name, sizeof name, "m1__%s", uuid_print(&row->uuid, text));
    assert_int_equal(FLOW(w, name), 1);
    assert_int_equal(world_count(w, "meter m1__", name, " pktps 20/5", NULL), 1);
    assert_int_equal(world_count(w, "meter m1", NULL), 2);
    world_delete(w, "Meter", &meter);
    commit(w);
    assert_int_equal(world_count(w, "meter m1", NULL), 0);
    assert_int_equal(FLOW(w, "meter=\"m1\""), 1);
}

static void qos(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0"), qos = world_insert(w, "QoS");
    world_link(w, "Logical_Switch", &ls, "qos_rules", &qos, true);
    world_set(w, "QoS", &qos, "direction", "from-lport");
    world_set(w, "QoS", &qos, "priority", "77");
    world_set(w, "QoS", &qos, "match", "tcp.dst==80");
    world_set(w, "QoS", &qos, "action", "dscp=10 mark=7");
    world_set(w, "QoS", &qos, "bandwidth", "rate=1000 burst=2000");
    commit(w);
    assert_int_equal(
        FLOW(w, "ls_in_qos_mark", " 77 ", "(tcp.dst == 80) (pkt.mark = 7; ip.dscp = 10; next;)"),
        1);
    assert_int_equal(
        FLOW(w, "ls_in_qos_meter", " 77 ", "(tcp.dst == 80) (set_meter(1000, 2000); next;)"), 1);
    world_set(w, "QoS", &qos, "direction", "to-lport");
    world_set(w, "QoS", &qos, "action", "dscp=64");
    world_set(w, "QoS", &qos, "bandwidth", "rate=5");
    commit(w);
    assert_int_equal(FLOW(w, "qos_mark", " 77 "), 0);
    assert_int_equal(FLOW(w, "ls_out_qos_meter", " 77 ", "(set_meter(5); next;)"), 1);
    world_set(w, "QoS", &qos, "match", "tcp.dst==");
    commit(w);
    assert_int_equal(FLOW(w, " 77 "), 0);
}

/* Only where there is something to check or to learn. */
static void security_and_learning(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    world_switch(w, "sw1");
    struct uuid p = world_port(w, &ls, "p1", "unknown");
    struct uuid ln = world_port(w, &ls, "ln", "unknown");
    world_set(w, "Logical_Switch_Port", &ln, "type", "localnet");
    commit(w);
    assert_int_equal(FLOW(w, "port_sec()"), 0);
    assert_int_equal(FLOW(w, "ls_in_lookup_fdb", "(inport == \"p1\")",
                          "(reg0[11] = lookup_fdb(inport, eth.src); next;)"),
                     1);
    assert_int_equal(FLOW(w, "ls_in_put_fdb", "(inport == \"p1\" && !reg0[11])",
                          "(put_fdb(inport, eth.src); next;)"),
                     1);
    assert_int_equal(FLOW(w, "fdb", "\"ln\""), 0);
    world_set(w, "Logical_Switch_Port", &p, "port_security", "0a:00:00:00:00:01 10.0.0.1");
    world_set(w, "Logical_Switch_Port", &ln, "options", "localnet_learn_fdb=true");
    commit(w);
    assert_int_equal(FLOW(w, "_fdb", "\"p1\""), 0);
    assert_int_equal(FLOW(w, "_fdb", "\"ln\""), 2);
    assert_int_equal(FLOW(w, "ls_in_check_port_sec", "(reg0[15] = check_in_port_sec(); next;)"), 1);
    assert_int_equal(FLOW(w, "ls_out_check_port_sec", "(reg0[15] = check_out_port_sec(); next;)"),
                     1);
    assert_int_equal(FLOW(w, "apply_port_sec", " 50 (reg0[15]) (drop;)"), 2);
    world_set(w, "Logical_Switch_Port", &p, "port_security", "");
    world_set(w, "Logical_Switch_Port", &ln, "type", "vtep");
    commit(w);
    assert_int_equal(FLOW(w, "port_sec()"), 0);
    assert_int_equal(
        FLOW(w, "ls_in_check_port_sec", " 70 (inport == \"ln\") (reg0[14] = 1; next(16);)"), 1);
    assert_int_equal(FLOW(w, "ls_in_hairpin", " 1000 (reg0[14]) (next(25);)"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stateless, setup_world, teardown),
        cmocka_unit_test_setup_teardown(stateful, setup_world, teardown),
        cmocka_unit_test_setup_teardown(labels_and_logs, setup_world, teardown),
        cmocka_unit_test_setup_teardown(default_drop, setup_world, teardown),
        cmocka_unit_test_setup_teardown(tiers, setup_world, teardown),
        cmocka_unit_test_setup_teardown(malformed, setup_world, teardown),
        cmocka_unit_test_setup_teardown(port_groups, setup_world, teardown),
        cmocka_unit_test_setup_teardown(classes_of_groups, setup_world, teardown),
        cmocka_unit_test_setup_teardown(address_sets, setup_world, teardown),
        cmocka_unit_test_setup_teardown(meters, setup_world, teardown),
        cmocka_unit_test_setup_teardown(qos, setup_world, teardown),
        cmocka_unit_test_setup_teardown(security_and_learning, setup_world, teardown),
    };
    return cmocka_run_group_tests_name("northd acl", tests, NULL, NULL);
}
