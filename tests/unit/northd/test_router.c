/* test_router.c - logical flows of logical routers, from NB rows to SB rows; the rows of docs/seeds.md that a test stands for are named. */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid ls, lr, lrp;
};

/* A switch with two ports, and a router on it. */
static int setup(void **state)
{
    struct net *n = begin(state, sizeof *n);
    struct world *w = &n->w;
    n->ls = world_switch(w, "sw0");
    n->lr = world_router(w, "lr0");
    world_port(w, &n->ls, "p1", "0a:00:00:00:00:01 10.0.0.1 fd00::1");
    n->lrp = world_router_port(w, &n->lr, "rp", "0a:00:00:00:ff:01", "10.0.0.254/24,fd00::ff/64");
    world_attach(w, &n->ls, "sw0-lr0", "rp");
    commit(w);
    return 0;
}

static void attachment(void **state)
{
    struct world *w = &((struct net *)*state)->w;
    assert_int_equal(world_count(w, "port sw0-lr0 ", "type (patch)", "peer=rp", NULL), 1);
    assert_int_equal(world_count(w, "port rp ", "type (patch)", "peer=sw0-lr0",
                                 "0a:00:00:00:ff:01 10.0.0.254/24 fd00::ff/64", NULL),
                     1);
    /* "router": the switch knows the router port's addresses. */
    assert_int_equal(world_count(w, "ls_in_l2_lkup", "0a:00:00:00:ff:01", "sw0-lr0", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_arp_rsp", " 50 ", "arp.tpa == 10.0.0.254 ", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_arp_rsp", " 50 ", "nd_na_router {", "fd00::ff", NULL),
                     1);
}

static void admission(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(world_count(w, "lr_in_admission", " 50 ",
                                 "eth.dst == 0a:00:00:00:ff:01 && inport == \"rp\"", NULL),
                     1);
    world_set(w, "Logical_Router", &n->lr, "enabled", "false");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_admission", " 50 ", NULL), 0);
    world_set(w, "Logical_Router", &n->lr, "enabled", "");
    world_set(w, "Logical_Router_Port", &n->lrp, "enabled", "false");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_admission", " 50 ", NULL), 0);
    assert_int_equal(world_count(w, "lr_out_delivery", "rp", NULL), 0);
    /* Routes stay, and lead to where nothing is delivered, unless a policy knows better. */
    assert_int_equal(world_count(w, "lr_in_ip_routing", "outport = \"rp\"", NULL), 3);
}

/* MB-40, SD-4 */
static void arp_replies(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    const char *asked = "inport == \"rp\" && arp.op == 1 && arp.tpa == 10.0.0.254";
    assert_int_equal(world_count(w, "lr_in_ip_input", " 90 ", asked, "arp.spa == 10.0.0.0/24",
                                 "arp.sha = 0a:00:00:00:ff:01;", NULL),
                     1);
    world_set(w, "Logical_Router_Port", &n->lrp, "options", "arp-reply-any-sender=true");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_ip_input", asked, "arp.spa == 10.0.0.0/24", NULL), 0);
    assert_int_equal(world_count(w, "lr_in_ip_input", " 90 ", asked, NULL), 1);
}

/* MB-43, MB-44, and echo replies */
static void ip_input(void **state)
{
    struct world *w = &((struct net *)*state)->w;
    assert_int_equal(world_count(w, "lr_in_ip_input", " 90 ",
                                 "ip4.dst == 10.0.0.254 && icmp4.type == 8",
                                 "ip4.dst <-> ip4.src; ip.ttl = 255; icmp4.type = 0;", NULL),
                     1);
    assert_int_equal(
        world_count(w, "lr_in_ip_input", " 90 ", "ip6.dst == fd00::ff && icmp6.type == 128", NULL),
        1);
    assert_int_equal(
        world_count(w, "lr_in_ip_input", " 60 ", "(ip4.dst == 10.0.0.254)", "(drop;)", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_ip_input", " 80 ", "ip4.dst == 10.0.0.254 && udp",
                                 "icmp4 {", "icmp4.code = 3;", NULL),
                     1); /* MB-42 */
    assert_int_equal(world_count(w, "lr_in_ip_input", " 50 ", "(eth.mcast)", "(drop;)", NULL), 1);
    assert_int_equal(
        world_count(w, "lr_in_ip_input", " 30 ", "(ip.ttl == {0, 1})", "(drop;)", NULL), 1);
    assert_int_equal(
        world_count(w, "lr_in_ip_input", " 100 ", "127.0.0.0/8", "224.0.0.0/4", "(drop;)", NULL),
        1);
    assert_int_equal(world_count(w, "lr_in_ip_input", " 100 ",
                                 "(ip4.src == {10.0.0.254, 10.0.0.255} && !reg9[0])", NULL),
                     1);
}

/* MB-41 and MB-71: what teaches a router */
static void learning(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(world_count(w, "lr_in_lookup_neighbor", " 110 ", "arp.op == 2",
                                 "arp.spa == 10.0.0.0/24", "arp.tpa == 10.0.0.254", "reg9[3] = 1;",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_lookup_neighbor", "lookup_arp_ip", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_lookup_neighbor", "(arp.op == 2)", NULL), 0);
    assert_int_equal(
        world_count(w, "lr_in_learn_neighbor", "(arp)", "put_arp(inport, arp.spa, arp.sha)", NULL),
        1);
    world_set(w, "Logical_Router", &n->lr, "options", "learn-from-any-reply=true");
    commit(w);
    assert_int_equal(
        world_count(w, "lr_in_lookup_neighbor", " 120 ", "(arp.op == 2)", "reg9[3] = 1;", NULL), 1);
    world_set(w, "Logical_Router", &n->lr, "options", "always_learn_from_arp_request=true");
    commit(w);
    assert_int_equal(
        world_count(w, "lr_in_lookup_neighbor", " 110 ", "arp.op == 1", "reg9[3] = 1;", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_lookup_neighbor", " 120 ", NULL), 0);
}

/* MB-45, MB-50 */
static void connected_networks(void **state)
{
    struct world *w = &((struct net *)*state)->w;
    assert_int_equal(world_count(w, "lr_in_ip_routing ", " 75 ", "(ip4.dst == 10.0.0.0/24)",
                                 "ip.ttl--; reg8[0..15] = 0; reg0 = ip4.dst; reg1 = 10.0.0.254; "
                                 "eth.src = 0a:00:00:00:ff:01; "
                                 "outport = \"rp\"; flags.loopback = 1; next;",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_ip_routing ", "(ip6.dst == fd00::/64)", NULL), 1);
    assert_int_equal(
        world_count(w, "lr_in_ip_routing ", "inport == \"rp\" && ip6.dst == fe80::/64", NULL), 1);
}

/* MB-51 to MB-53: which routes are in force, and through which port */
static void static_routes(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_router_port(w, &n->lr, "wide", "0a:00:00:00:ff:02", "10.0.0.253/8");
    world_route(w, &n->lr, "0.0.0.0/0", "10.0.0.7");     /* in both networks */
    world_route(w, &n->lr, "20.0.0.0/8", "10.9.0.7");    /* in the wide one only */
    world_route(w, &n->lr, "30.0.0.0/8", "11.0.0.7");    /* in none */
    world_route(w, &n->lr, "40.0.0.0/8", "10.0.0.7/24"); /* no plain address */
    world_route(w, &n->lr, "50.0.0.0/8", "fd00::9");     /* of the other version */
    world_route(w, &n->lr, "60.0.0.0/8", "discard");
    struct uuid by_source = world_route(w, &n->lr, "70.0.0.0/8", "10.0.0.7");
    struct uuid named = world_route(w, &n->lr, "80.0.0.0/8", "11.0.0.7");
    world_set(w, "Logical_Router_Static_Route", &by_source, "policy", "src-ip");
    world_set(w, "Logical_Router_Static_Route", &named, "output_port", "wide");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_ip_routing ", " 2 (reg7 == 0 && ip4)",
                                 "reg0 = 10.0.0.7;", "outport = \"rp\"", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_ip_routing ", " 26 ", "20.0.0.0/8", "reg0 = 10.9.0.7;",
                                 "reg1 = 10.0.0.253;", "outport = \"wide\"", NULL),
                     1);
    assert_int_equal(world_count(w, "30.0.0.0", NULL), 0);
    assert_int_equal(world_count(w, "40.0.0.0", NULL), 0);
    assert_int_equal(world_count(w, "50.0.0.0", NULL), 0);
    assert_int_equal(world_count(w, "lr_in_ip_routing ", "60.0.0.0/8", "(drop;)", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_ip_routing ", " 25 ", "ip4.src == 70.0.0.0/8", NULL), 1);
    assert_int_equal(world_count(w, "80.0.0.0/8", "outport = \"wide\"", NULL), 1);
    /* A new port whose network holds the next hop brings the route into force. */
    world_router_port(w, &n->lr, "late", "0a:00:00:00:ff:03", "11.0.0.254/24");
    commit(w);
    assert_int_equal(world_count(w, "30.0.0.0/8", "outport = \"late\"", NULL), 1);
}

/* Several routes to one prefix are one flow that chooses, and one for each choice. */
static void equal_routes(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_route(w, &n->lr, "20.0.0.0/8", "10.0.0.8");
    struct uuid low = world_route(w, &n->lr, "20.0.0.0/8", "10.0.0.7");
    commit(w);
    assert_int_equal(world_count(w, "20.0.0.0/8", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_ip_routing ",
                                 " 26 (reg7 == 0 && ip4 && ip4.dst == 20.0.0.0/8)",
                                 "reg8[16..31] = select(1=100, 2=100);", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_ip_routing_ecmp", " 100 ", "reg8[16..31] == 0x1)",
                                 "reg0 = 10.0.0.7;", "outport = \"rp\"; next;", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_ip_routing_ecmp", " 100 ", "reg8[16..31] == 0x2)",
                                 "reg0 = 10.0.0.8;", NULL),
                     1);
    world_link(w, "Logical_Router", &n->lr, "static_routes", &low, false);
    commit(w);
    assert_int_equal(world_count(w, "20.0.0.0/8", "reg0 = 10.0.0.8;", NULL), 1);
    assert_int_equal(world_count(w, "select(", NULL), 0);
    /* One that discards comes before all others. */
    world_route(w, &n->lr, "20.0.0.0/8", "discard");
    commit(w);
    assert_int_equal(world_count(w, "20.0.0.0/8", NULL), 1);
    assert_int_equal(world_count(w, "20.0.0.0/8", "(drop;)", NULL), 1);
}

static void route_tables(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid route = world_route(w, &n->lr, "20.0.0.0/8", "10.0.0.7");
    world_set(w, "Logical_Router_Static_Route", &route, "route_table", "blue");
    commit(w);
    assert_int_equal(world_count(w, "reg7 == 0 ", "20.0.0.0/8", NULL), 0);
    assert_int_equal(world_count(w, "reg7 == ", "20.0.0.0/8", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_ip_routing_pre", " 100 ", NULL), 0);
    world_set(w, "Logical_Router_Port", &n->lrp, "options", "route_table=blue");
    commit(w);
    assert_int_equal(
        world_count(w, "lr_in_ip_routing_pre", " 100 (inport == \"rp\")", "(reg7 = ", NULL), 1);
}

/* RFC 792, RFC 4443: what a router reports. */
static void icmp_errors(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(world_count(w, "lr_in_ip_input", " 31 ", "inport == \"rp\" && ip4 && ip.ttl",
                                 "icmp4.type = 11;", "ip4.src = 10.0.0.254;", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_ip_input", " 31 ", "ip6.src == fd00::/64",
                                 "icmp6.type = 3;", "ip6.src = fd00::ff;", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_ip_input", " 80 ", "ip4.dst == 10.0.0.254 && tcp",
                                 "tcp_reset {", NULL),
                     1);
    assert_int_equal(
        world_count(w, "lr_in_ip_input", " 70 ", "ip4.dst == 10.0.0.254", "icmp4.code = 2;", NULL),
        1);
    assert_int_equal(world_count(w, "lr_in_ip_input", " 80 ", "ip6.dst == fd00::ff && udp",
                                 "icmp6.code = 4;", NULL),
                     1);
    /* Addresses of a router with a gateway may stand for others. */
    world_set(w, "Logical_Router", &n->lr, "options", "chassis=hv1");
    commit(w);
    assert_int_equal(world_count(w, "tcp_reset {", NULL), 0);
    assert_int_equal(world_count(w, "lr_in_ip_input", " 31 ", NULL), 2);
}

static void gateway_mtu(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_router_port(w, &n->lr, "other", "0a:00:00:00:ff:02", "172.16.0.1/24");
    world_set(w, "Logical_Router_Port", &n->lrp, "options",
              "gateway_mtu=1500 gateway_mtu_bypass=tcp");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_chk_pkt_len", " 50 (outport == \"rp\")",
                                 "check_pkt_larger(1514)", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_chk_pkt_len", " 55 ", "&& tcp)", "(next;)", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_larger_pkts", "inport == \"other\"",
                                 "ip4.src = 172.16.0.1;", "icmp4.frag_mtu = 1500;", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_admission", " 50 ", "check_pkt_larger(1514)", NULL), 2);
    assert_int_equal(world_count(w, "lr_in_admission", " 55 ", "&& tcp)", NULL), 1);
    log_set_level(NULL, LOG_EMER);
    world_set(w, "Logical_Router_Port", &n->lrp, "options", "gateway_mtu=big");
    commit(w);
    assert_int_equal(world_count(w, "check_pkt_larger", NULL), 0);
}

static void advertisements(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_set(w, "Logical_Router_Port", &n->lrp, "ipv6_ra_configs",
              "address_mode=slaac mtu=1450 send_periodic=true max_interval=30 dnssl=a.example");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_nd_ra_options", " 50 ",
                                 "put_nd_ra_opts(addr_mode = \"slaac\", slla = 0a:00:00:00:ff:01, "
                                 "mtu = 1450, dnssl = \"a.example\", prefix = fd00::/64)",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_nd_ra_response", " 50 ", "reg0[5]", NULL), 1);
    assert_int_equal(world_count(w, "port rp ", "ipv6_ra_max_interval=", "ipv6_ra_prefixes=",
                                 "ipv6_ra_min_interval=", "fe80::800:ff:fe00:ff01", NULL),
                     1);
    log_set_level(NULL, LOG_EMER);
    world_set(w, "Logical_Router_Port", &n->lrp, "ipv6_ra_configs", "address_mode=slaac rdnss=x;");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_nd_ra_options", " 50 ", NULL), 0);
    assert_int_equal(world_count(w, "ipv6_ra_", NULL), 0);
}

static void static_mac(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid row = world_insert(w, "Static_MAC_Binding");
    world_set(w, "Static_MAC_Binding", &row, "logical_port", "late");
    world_set(w, "Static_MAC_Binding", &row, "ip", "10.0.0.77");
    world_set(w, "Static_MAC_Binding", &row, "mac", "0a:00:00:00:00:77");
    commit(w);
    assert_int_equal(world_count(w, "static MAC", NULL), 0);
    world_router_port(w, &n->lr, "late", "0a:00:00:00:ff:02", "10.9.0.1/24");
    commit(w);
    assert_int_equal(world_count(w, "static MAC", "late 10.0.0.77 0a:00:00:00:00:77", NULL), 1);
    world_delete(w, "Static_MAC_Binding", &row);
    commit(w);
    assert_int_equal(world_count(w, "static MAC", NULL), 0);
}

static struct uuid add_policy(struct net *n, const char *priority, const char *match,
                              const char *action, const char *nexthops)
{
    struct world *w = &n->w;
    struct uuid policy = world_insert(w, "Logical_Router_Policy");
    world_set(w, "Logical_Router_Policy", &policy, "priority", priority);
    world_set(w, "Logical_Router_Policy", &policy, "match", match);
    world_set(w, "Logical_Router_Policy", &policy, "action", action);
    world_set(w, "Logical_Router_Policy", &policy, "nexthops", nexthops);
    world_link(w, "Logical_Router", &n->lr, "policies", &policy, true);
    return policy;
}

static void policies(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    add_policy(n, "1", "ip4.src == 10.0.1.0/24", "drop", "");
    struct uuid allow = add_policy(n, "2", "ip4.src == 10.0.2.0/24", "allow", "");
    world_set(w, "Logical_Router_Policy", &allow, "options", "pkt_mark=77");
    add_policy(n, "3", "ip4.src == 10.0.3.0/24", "reroute", "10.0.0.7");
    add_policy(n, "4", "ip4.src == 10.0.4.0/24", "reroute", "10.0.0.7,10.0.0.8,99.0.0.1");
    log_set_level(NULL, LOG_EMER);
    add_policy(n, "5", "ip4.src == 10.0.5.0/24", "reroute", "99.0.0.1");
    add_policy(n, "6", "ip4.src == ", "drop", "");
    commit(w);
    assert_int_equal(world_count(w, "lr_in_policy ", " 1 (ip4.src == 10.0.1.0/24) (drop;)", NULL),
                     1);
    assert_int_equal(
        world_count(w, "lr_in_policy ", " 2 ", "(pkt.mark = 77; reg8[0..15] = 0; next;)", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_policy ", " 3 ", "reg0 = 10.0.0.7;",
                                 "outport = \"rp\"; flags.loopback = 1; reg8[0..15] = 0;", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_policy ", " 4 ", "select(1=100, 2=100)", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_policy_ecmp", " 100 ", "reg0 = 10.0.0.", NULL), 2);
    assert_int_equal(world_count(w, "lr_in_policy ", " 5 (", NULL), 0);
    assert_int_equal(world_count(w, "lr_in_policy ", " 6 (", NULL), 0);
}

/* MB-46 to MB-49, MB-54, SD-1 */
static void resolution(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid other = world_router(w, "lr1");
    world_router_port(w, &other, "rq", "0a:00:00:00:ff:09", "10.0.0.9/24");
    world_attach(w, &n->ls, "sw0-lr1", "rq");
    world_port(w, &n->ls, "p2", "0a:00:00:00:00:02 10.7.0.2"); /* in no network of the router */
    commit(w);
    assert_int_equal(world_count(w, "lr_in_arp_resolve", " 100 ",
                                 "outport == \"rp\" && reg0 == 0xa000001",
                                 "(eth.dst = 0a:00:00:00:00:01; next;)", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_arp_resolve", "outport == \"rp\" && xxreg0 ==", NULL),
                     2); /* p1, and rq's link-local address */
    assert_int_equal(world_count(w, "lr_in_arp_resolve", "0a:00:00:00:00:02", NULL), 0);
    assert_int_equal(world_count(w, "lr_in_arp_resolve", "outport == \"rp\" && reg0 == 0xa000009",
                                 "0a:00:00:00:ff:09", NULL),
                     1);
    assert_int_equal(world_count(w, "lr_in_arp_resolve", "outport == \"rq\" && reg0 == 0xa0000fe",
                                 "0a:00:00:00:ff:01", NULL),
                     1);
    assert_int_equal(
        world_count(w, "lr_in_arp_resolve", " 1 (ip4)", "get_arp(outport, reg0); next;", NULL), 2);
    assert_int_equal(world_count(w, "lr_in_arp_request", " 100 ",
                                 "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg1; "
                                 "arp.tpa = reg0; arp.op = 1; output; };",
                                 NULL),
                     2);
    assert_int_equal(world_count(w, "lr_in_arp_request", " 0 (1) (output;)", NULL), 2);
}

static void router_to_router(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid other = world_router(w, "lr1");
    struct uuid a = world_router_port(w, &n->lr, "a", "0a:00:00:00:aa:01", "192.168.0.1/30");
    struct uuid b = world_router_port(w, &other, "b", "0a:00:00:00:aa:02", "192.168.0.2/30");
    world_set(w, "Logical_Router_Port", &a, "peer", "b");
    commit(w);
    assert_int_equal(world_count(w, "port a ", "peer=b", NULL), 0); /* one-sided */
    world_set(w, "Logical_Router_Port", &b, "peer", "a");
    commit(w);
    assert_int_equal(world_count(w, "port a ", "peer=b", NULL), 1);
    assert_int_equal(world_count(w, "port b ", "peer=a", NULL), 1);
    assert_int_equal(world_count(w, "lr_in_arp_resolve", "outport == \"a\" && reg0 == 0xc0a80002",
                                 "0a:00:00:00:aa:02", NULL),
                     1);
}

/* One name, two tables: the switch port has it. */
static void name_of_a_switch_port(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    world_router_port(w, &n->lr, "p1", "0a:00:00:00:ff:07", "10.7.0.1/24");
    commit(w);
    assert_int_equal(world_count(w, "port p1 ", NULL), 1);
    assert_int_equal(world_count(w, "10.7.0", NULL), 0);
}

/* Of several routers on a switch the one that has the address is asked, and whoever is no router. */
static void asked_alone(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(
        world_count(
            w, "ls_in_l2_lkup ", " 80 ", "!flags[1] && arp.op == 1 && arp.tpa == 10.0.0.254",
            "clone { outport = \"sw0-lr0\"; output; }; outport = \"_MC_flood_l2\"; output;", NULL),
        1);
    assert_int_equal(world_count(w, "ls_in_l2_lkup ", " 80 ", "nd.target == fd00::ff", NULL), 1);
    struct uuid ls = world_switch(w, "join");
    world_router_port(w, &n->lr, "rj", "0a:00:00:00:ff:02", "100.64.0.1/24");
    world_attach(w, &ls, "join-lr0", "rj");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_l2_lkup ", " 80 ", "arp.tpa == 100.64.0.1",
                                 "(outport = \"join-lr0\"; output;)", NULL),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asked_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(attachment, setup, teardown),
        cmocka_unit_test_setup_teardown(admission, setup, teardown),
        cmocka_unit_test_setup_teardown(arp_replies, setup, teardown),
        cmocka_unit_test_setup_teardown(ip_input, setup, teardown),
        cmocka_unit_test_setup_teardown(learning, setup, teardown),
        cmocka_unit_test_setup_teardown(connected_networks, setup, teardown),
        cmocka_unit_test_setup_teardown(static_routes, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_routes, setup, teardown),
        cmocka_unit_test_setup_teardown(route_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(policies, setup, teardown),
        cmocka_unit_test_setup_teardown(icmp_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(gateway_mtu, setup, teardown),
        cmocka_unit_test_setup_teardown(advertisements, setup, teardown),
        cmocka_unit_test_setup_teardown(static_mac, setup, teardown),
        cmocka_unit_test_setup_teardown(resolution, setup, teardown),
        cmocka_unit_test_setup_teardown(router_to_router, setup, teardown),
        cmocka_unit_test_setup_teardown(name_of_a_switch_port, setup, teardown),
    };
    return cmocka_run_group_tests_name("northd router", tests, NULL, NULL);
}
