/* test_port.c - ports that stand for something elsewhere: virtual and external ones, and addresses behind a router. */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid ls, lr, attach;
};

static int setup(void **state)
{
    struct net *n = begin(state, sizeof *n);
    struct world *w = &n->w;
    n->ls = world_switch(w, "sw0");
    n->lr = world_router(w, "lr0");
    world_port(w, &n->ls, "p1", "0a:00:00:00:00:01 10.0.0.1");
    world_port(w, &n->ls, "p2", "0a:00:00:00:00:02 10.0.0.2");
    world_router_port(w, &n->lr, "rp", "0a:00:00:00:ff:01", "10.0.0.254/24");
    n->attach = world_attach(w, &n->ls, "sw0-lr0", "rp");
    commit(w);
    return 0;
}

static struct uuid add(struct net *n, const char *name, const char *type, const char *addresses,
                       const char *options)
{
    struct uuid p = world_port(&n->w, &n->ls, name, addresses);
    world_set(&n->w, "Logical_Switch_Port", &p, "type", type);
    world_set(&n->w, "Logical_Switch_Port", &p, "options", options);
    return p;
}

static void virtual(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    add(n, "v", "virtual", "0a:00:00:00:00:09 10.0.0.9",
        "virtual-ip=10.0.0.9 virtual-parents=p1,p2,nobody");
    add(n, "v6", "virtual", "", "virtual-ip=fd00::9 virtual-parents=p1");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_arp_rsp ", " 100 ", "(bind_vport(\"v\", inport); next;)",
                                 "arp.spa == 10.0.0.9", NULL),
                     2);
    assert_int_equal(world_count(w, "ls_in_arp_rsp ", "bind_vport(\"v6\"", "inport == \"p1\"",
                                 "nd_na && nd.target == fd00::9", NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_arp_rsp ", "arp.tpa == 10.0.0.9", " 50 ", NULL), 0);
    assert_int_equal(world_count(w, "lr_in_arp_resolve ", "reg0 == 0xa000009",
                                 "(eth.dst = 00:00:00:00:00:00; next;)", NULL),
                     1);
    struct uuid chassis = sb_chassis(w, "hv1", "");
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, "v");
    union atom parent = {.string = rstr_new("p2")};
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_CHASSIS, datum_new_uuid(&chassis));
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_VIRTUAL_PARENT,
           datum_new_set(ATOM_STRING, &parent, 1));
    commit(w);
    assert_int_equal(world_count(w, "lr_in_arp_resolve ", "reg0 == 0xa000009",
                                 "(eth.dst = 0a:00:00:00:00:02; next;)", NULL),
                     1);
    restart(w);
}

static void external(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    char text[UUID_TEXT_LEN + 1];
    struct uuid group = world_insert(w, "HA_Chassis_Group"), member = world_insert(w, "HA_Chassis");
    struct uuid dhcp = world_insert(w, "DHCP_Options");
    world_set(w, "HA_Chassis_Group", &group, "name", "g");
    world_set(w, "HA_Chassis", &member, "chassis_name", "hv1");
    world_link(w, "HA_Chassis_Group", &group, "ha_chassis", &member, true);
    world_set(w, "DHCP_Options", &dhcp, "cidr", "10.0.0.0/24");
    world_set(w, "DHCP_Options", &dhcp, "options",
              "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01 lease_time=3600");
    add(n, "ln", "localnet", "unknown", "network_name=phys");
    struct uuid e = add(n, "e", "external", "0a:00:00:00:00:0e 10.0.0.14", "");
    world_set(w, "Logical_Switch_Port", &e, "dhcpv4_options", uuid_print(&dhcp, text));
    world_link(w, "Logical_Switch_Port", &e, "ha_chassis_group", &group, true);
    commit(w);
    assert_int_equal(world_count(w, "port e ", "type (external)", " g: hv1 0,", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_dhcp_options ", "inport == \"ln\"",
                                 "is_chassis_resident(\"e\")", "offerip = 10.0.0.14", NULL),
                     2);
    assert_int_equal(world_count(w, "ls_in_external_port ", " 100 ", "inport == \"ln\"",
                                 "!is_chassis_resident(\"e\")", "(drop;)", NULL),
                     3); /* ARP for the router, its link-local address, its MAC address */
    assert_int_equal(world_count(w, "ls_in_l2_lkup ", "0a:00:00:00:00:0e", NULL), 0);
    assert_int_equal(world_count(w, "ls_in_arp_rsp ", "10.0.0.14", NULL), 0);
    restart(w);
}

static void proxy(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    const struct schema_column *c = world_column(w, "Logical_Switch_Port", "options");
    union atom keys[] = {{.string = rstr_new("router-port")}, {.string = rstr_new("arp_proxy")}};
    union atom values[] = {
        {.string = rstr_new("rp")},
        {.string = rstr_new("0a:58:a9:fe:01:01 169.254.1.1 10.5.0.0/24 fd07::/64")}};
    replica_txn_set(world_txn(w), c->table, &n->attach, c,
                    datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, 2));
    commit(w);
    assert_int_equal(world_count(w, "ls_in_arp_rsp ", " 30 ", "169.254.1.1", "10.5.0.0/24",
                                 "arp.tpa <-> arp.spa;", "arp.sha = 0a:58:a9:fe:01:01;", NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_arp_rsp ", " 30 ", "nd.target == fd07::/64",
                                 "nd_na_router { eth.src = 0a:58:a9:fe:01:01; ip6.src = nd.target;",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_l2_lkup ", "eth.dst == 0a:58:a9:fe:01:01", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_admission ", "eth.dst == 0a:58:a9:fe:01:01", NULL), 1);
    log_set_level(NULL, LOG_EMER);
    world_set(w, "Logical_Switch_Port", &n->attach, "options",
              "router-port=rp arp_proxy=10.0.0.300");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_arp_rsp ", " 30 ", NULL), 0);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(virtual), TEST(external), TEST(proxy)};
    return cmocka_run_group_tests_name("northd port", tests, NULL, NULL);
}
