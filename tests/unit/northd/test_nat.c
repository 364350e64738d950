/* test_nat.c - gateways and address translation, from NB rows to SB rows. */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid lr, pub;
};

/* A router between a switch with a VM and one with a way out. */
static int setup(void **state)
{
    struct net *n = begin(state, sizeof *n);
    struct world *w = &n->w;
    struct uuid in = world_switch(w, "in"), pub = world_switch(w, "pub");
    n->lr = world_router(w, "r");
    world_port(w, &in, "vm", "0a:00:00:00:00:01 10.0.0.1");
    struct uuid ln = world_port(w, &pub, "ln", "unknown");
    world_set(w, "Logical_Switch_Port", &ln, "type", "localnet");
    world_router_port(w, &n->lr, "r-in", "0a:00:00:00:ff:01", "10.0.0.254/24");
    n->pub = world_router_port(w, &n->lr, "r-pub", "0a:00:00:00:ff:02", "172.16.0.254/24");
    world_attach(w, &in, "in-r", "r-in");
    world_attach(w, &pub, "pub-r", "r-pub");
    commit(w);
    return 0;
}

static struct uuid add_nat(struct net *n, const char *type, const char *external,
                           const char *logical)
{
    struct world *w = &n->w;
    struct uuid nat = world_insert(w, "NAT");
    world_set(w, "NAT", &nat, "type", type);
    world_set(w, "NAT", &nat, "external_ip", external);
    world_set(w, "NAT", &nat, "logical_ip", logical);
    world_link(w, "Logical_Router", &n->lr, "nat", &nat, true);
    return nat;
}

static void make_gateway_port(struct net *n)
{
    struct uuid gc = world_insert(&n->w, "Gateway_Chassis");
    world_set(&n->w, "Gateway_Chassis", &gc, "name", "gc");
    world_set(&n->w, "Gateway_Chassis", &gc, "chassis_name", "hv1");
    world_set(&n->w, "Gateway_Chassis", &gc, "priority", "20");
    world_link(&n->w, "Logical_Router_Port", &n->pub, "gateway_chassis", &gc, true);
}

static void gateway_router(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_set(w, "Logical_Router", &n->lr, "options", "chassis=hv1");
    add_nat(n, "snat", "172.16.0.254", "10.0.0.0/24");
    add_nat(n, "dnat", "172.16.0.10", "10.0.0.1");
    commit(w);
    assert_int_equal(world_count(w, "type (l3gateway)", "l3gateway-chassis=hv1", NULL), 4);
    assert_int_equal(world_count(w, "port pub-r", "0a:00:00:00:ff:02 172.16.0.254", NULL), 1);
    assert_int_equal(
        world_count(w, "lr_in_unsnat", " 90 (ip && ip4.dst == 172.16.0.254)", "(ct_snat;)", NULL),
        1);
    assert_int_equal(
        world_count(w, "lr_in_dnat", " 100 ", "ip4.dst == 172.16.0.10", "ct_dnat(10.0.0.1)", NULL),
        1);
    assert_int_equal(world_count(w, "lr_out_snat", " 25 ", "ip4.src == 10.0.0.0/24",
                                 "ct_snat(172.16.0.254)", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_out_undnat", " 50 ", NULL), 1);
    assert_int_equal(world_count(w, "arp.tpa == 172.16.0.10)", "arp.sha = xreg0[0..47]", NULL), 1);
    /* The port's own address may be for somebody behind it. */
    assert_int_equal(
        world_count(w, "lr_in_ip_input", " 60 ", "ip4.dst == 172.16.0.254", "()", NULL), 0);
    world_set(w, "Logical_Router", &n->lr, "options", "");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_unsnat", " 90 ", NULL), 0);
    assert_int_equal(world_count(w, "lr_out_undnat", " 50 ", NULL), 0);
    assert_int_equal(world_count(w, "l3gateway", NULL), 0);
}

static void force_snat(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_set(w, "Logical_Router", &n->lr, "options", "chassis=hv1 dnat_force_snat_ip=10.0.0.9");
    add_nat(n, "dnat", "172.16.0.10", "10.0.0.1");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_dnat", "flags.force_snat_for_dnat = 1;", NULL), 1);
    assert_int_equal(
        world_count(w, "lr_out_snat", " 100 ", "force_snat_for_dnat", "ct_snat(10.0.0.9)", NULL),
        1);
    assert_int_equal(world_count(w, "lr_in_unsnat", " 110 ", "ip4.dst == 10.0.0.9", NULL), 1);
}

static void gateway_port(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    make_gateway_port(n);
    add_nat(n, "snat", "172.16.0.100", "10.0.0.0/24");
    commit(w);
    assert_int_equal(world_count(w, "port cr-r-pub", "chassisredirect", "distributed-port=r-pub",
                                 "always-redirect=", " r-pub: hv1 20,", NULL),
                     1);
    assert_int_equal(world_count(w, "port r-pub", "chassis-redirect-port=cr-r-pub", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_gw_redirect", " 50 ", "outport = \"cr-r-pub\"", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_out_snat", " 153 ", "is_chassis_resident(\"cr-r-pub\")",
                                 "ct_snat_in_czone(172.16.0.100)", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_out_egr_loop", "172.16.0.100", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_l2_lkup", "eth.dst == 0a:00:00:00:ff:02",
                                 "is_chassis_resident(\"cr-r-pub\")", NULL),
                     1);
    /* Another router port keeps the tunnel key that it has. */
    world_set(w, "Logical_Router_Port", &n->pub, "gateway_chassis", "");
    commit(w);
    assert_int_equal(world_count(w, "cr-r-pub", NULL), 0);
}

/* Who has a port on a switch of the router watches, and is watched by, the chassis of the group. */
static void watched(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    const struct schema_table *c = world_sb_table(w, SB_TABLE_CHASSIS);
    const struct schema_table *e = world_sb_table(w, SB_TABLE_ENCAP);
    const struct schema_table *b = world_sb_table(w, SB_TABLE_PORT_BINDING);
    make_gateway_port(n);
    commit(w);
    assert_int_equal(world_count(w, "port cr-r-pub", " r-pub: hv1 20, of 0", NULL), 1);
    w->sb_txn = replica_txn_new(w->sb_client);
    struct uuid encap = replica_txn_insert(w->sb_txn, e);
    replica_txn_set(w->sb_txn, e, &encap, &e->columns[SB_ENCAP_COL_TYPE],
                    datum_new_string("geneve"));
    struct uuid chassis = replica_txn_insert(w->sb_txn, c);
    replica_txn_set(w->sb_txn, c, &chassis, &c->columns[SB_CHASSIS_COL_NAME],
                    datum_new_string("hv1"));
    replica_txn_set(w->sb_txn, c, &chassis, &c->columns[SB_CHASSIS_COL_ENCAPS],
                    datum_new_uuid(&encap));
    commit(w);
    assert_int_equal(world_count(w, "port cr-r-pub", " r-pub: hv1! 20, of 0", NULL), 1);
    const struct row *row;
    w->sb_txn = replica_txn_new(w->sb_client);
    REPLICA_FOR_EACH(row, pos, w->sb_client, b)
    if (!strcmp(sb_port_binding_logical_port(sb_port_binding_cast(row)), "vm"))
        replica_txn_set(w->sb_txn, b, &row->uuid, &b->columns[SB_PORT_BINDING_COL_CHASSIS],
                        datum_new_uuid(&chassis));
    commit(w);
    assert_int_equal(world_count(w, "port cr-r-pub", " r-pub: hv1! 20, of 1", NULL), 1);
}

static void distributed(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    make_gateway_port(n);
    struct uuid nat = add_nat(n, "dnat_and_snat", "172.16.0.11", "10.0.0.1");
    world_set(w, "NAT", &nat, "external_mac", "0a:00:00:00:ee:01");
    world_set(w, "NAT", &nat, "logical_port", "vm");
    commit(w);
    assert_int_equal(
        world_count(w, "lr_in_admission", "0a:00:00:00:ee:01", "is_chassis_resident(\"vm\")", NULL),
        1);
    assert_int_equal(world_count(w, "lr_in_gw_redirect", " 100 ", "ip4.src == 10.0.0.1",
                                 "is_chassis_resident(\"vm\")", NULL),
                     1);
    assert_int_equal(world_count(w, "always-redirect", NULL), 0);
    assert_int_equal(world_count(w, "ls_in_l2_lkup", "eth.dst == 0a:00:00:00:ee:01", NULL), 1);
    world_set(w, "NAT", &nat, "options", "stateless=true");
    commit(w);
    assert_int_equal(world_count(w, "lr_out_snat", "ip4.src = 172.16.0.11; next;", NULL), 1);
    assert_int_equal(world_count(w, "ct_snat", NULL), 0);
}

static void nonsense(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_set(w, "Logical_Router", &n->lr, "options", "chassis=hv1");
    commit(w);
    size_t before = world_count(w, "flow ", NULL);
    add_nat(n, "snat", "172.16.0.300", "10.0.0.0/24");
    add_nat(n, "dnat", "172.16.0.1", "10.0.0.0/24");
    add_nat(n, "snat", "fd00::1", "10.0.0.0/24");
    struct uuid nat = add_nat(n, "snat", "172.16.0.1", "10.0.0.0/24");
    world_set(w, "NAT", &nat, "external_port_range", "70000-1");
    nat = add_nat(n, "snat", "172.16.0.1", "10.0.0.0/24");
    world_set(w, "NAT", &nat, "match", "ip4.src == ");
    commit(w);
    assert_int_equal(world_count(w, "flow ", NULL), before);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, setup, teardown)

/* What the router's chassis announces outside: the port's own, NAT's and load balancers' addresses, each an element. */
static void announcements(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    make_gateway_port(n);
    struct uuid nat = add_nat(n, "snat", "172.16.0.10", "10.0.0.0/24");
    struct uuid lb = world_insert(w, "Load_Balancer");
    world_set(w, "Load_Balancer", &lb, "vips", "172.16.0.30:80=10.0.0.1:80");
    world_link(w, "Logical_Router", &n->lr, "load_balancer", &lb, true);
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, w->nb_client, replica_table(w->nb_client, "Logical_Switch_Port"))
    if (!strcmp(nb_logical_switch_port_name(nb_logical_switch_port_cast(row)), "pub-r"))
        world_set(w, "Logical_Switch_Port", &row->uuid, "options",
                  "router-port=r-pub nat-addresses=router");
    commit(w);
    const char *port = "port pub-r ", *at = "is_chassis_resident(\\\"cr-r-pub\\\")";
    assert_int_equal(world_count(w, port, "0a:00:00:00:ff:02 172.16.0.254 ", at, NULL), 1);
    assert_int_equal(world_count(w, port, "0a:00:00:00:ff:02 172.16.0.10 ", at, NULL), 1);
    assert_int_equal(world_count(w, port, "0a:00:00:00:ff:02 172.16.0.30 ", at, NULL), 1);
    restart(w);
    add_nat(n, "snat", "172.16.0.11", "10.0.1.0/24");
    world_link(w, "Logical_Router", &n->lr, "nat", &nat, false);
    commit(w);
    assert_int_equal(world_count(w, port, "172.16.0.11 ", NULL), 1);
    assert_int_equal(world_count(w, port, "172.16.0.10 ", NULL), 0);
    restart(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(announcements), TEST(gateway_router), TEST(force_snat),
                                       TEST(gateway_port),  TEST(watched),        TEST(distributed),
                                       TEST(nonsense)};
    return cmocka_run_group_tests_name("northd nat", tests, NULL, NULL);
}
