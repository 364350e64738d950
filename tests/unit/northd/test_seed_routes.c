/* test_seed_routes.c - where a router's default gateway leads, case by case: rows MB-51 to MB-53 of docs/seeds.md, and SD-1 for a gateway. */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid lr, route;
};

/* A router with a default route to GATEWAY and the ports of PORTS: "name network", up to NULL. */
static void net_open(struct net *n, const char *gateway, const char *const *ports)
{
    struct world *w = &n->w;
    log_set_level(NULL, LOG_ERR);
    world_open(w, 1);
    n->lr = world_router(w, "lr0");
    for (unsigned i = 0; ports[i]; i++) {
        char name[16], mac[32];
        const char *space = strchr(ports[i], ' ');
        snprintf(name, sizeof name, "%.*s", (int)(space - ports[i]), ports[i]);
        snprintf(mac, sizeof mac, "0a:00:00:00:ff:%02x", i);
        world_router_port(w, &n->lr, name, mac, space + 1);
    }
    n->route = world_route(w, &n->lr, "0.0.0.0/0", gateway);
    commit(w);
}

/* How many flows send what no other route is for to GATEWAY by PORT (NULL: by any). */
static size_t by(struct net *n, const char *gateway, const char *port)
{
    char hop[64], out[64] = "outport = ";
    snprintf(hop, sizeof hop, "reg0 = %s;", gateway);
    if (port)
        snprintf(out, sizeof out, "outport = \"%s\";", port);
    return world_count(&n->w, "lr_in_ip_routing ", "(reg7 == 0 && ip4)", hop, out, NULL);
}

static void outside_every_network(void **state UNUSED)
{
    struct net n;
    net_open(&n, "172.16.0.1", (const char *[]){"a 10.0.0.254/8", "b 192.168.0.254/24", NULL});
    assert_int_equal(by(&n, "172.16.0.1", NULL), 0);
    world_set(&n.w, "Logical_Router_Static_Route", &n.route, "nexthop", "192.168.0.1");
    assert_int_equal(world_commit(&n.w), 0);
    world_settle(&n.w);
    assert_int_equal(by(&n, "192.168.0.1", "b"), 1);
    assert_int_equal(by(&n, "192.168.0.1", NULL), 1);
    world_close(&n.w);
}

/* Whatever the order of the ports. */
static void longest_prefix(void **state UNUSED)
{
    static const char *const orders[][3] = {{"wide 10.0.0.254/8", "narrow 10.1.0.254/16", NULL},
                                            {"narrow 10.1.0.254/16", "wide 10.0.0.254/8", NULL}};
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        struct net n;
        net_open(&n, "10.1.0.1", orders[i]);
        assert_int_equal(by(&n, "10.1.0.1", "narrow"), 1);
        assert_int_equal(by(&n, "10.1.0.1", NULL), 1);
        /* less specific than the routes to the networks themselves */
        assert_int_equal(world_count(&n.w, "lr_in_ip_routing ", " 2 (reg7 == 0 && ip4)", NULL), 1);
        assert_int_equal(
            world_count(&n.w, "lr_in_ip_routing ", " 27 (ip4.dst == 10.0.0.0/8)", NULL), 1);
        assert_int_equal(
            world_count(&n.w, "lr_in_ip_routing ", " 51 (ip4.dst == 10.1.0.0/16)", NULL), 1);
        world_close(&n.w);
    }
}

/* Of two ports that are as good, one; which it is does not change when others come. */
static void ties(void **state UNUSED)
{
    struct net n;
    net_open(&n, "10.1.0.1", (const char *[]){"one 10.1.0.254/16", "two 10.1.0.253/16", NULL});
    assert_int_equal(by(&n, "10.1.0.1", NULL), 1);
    const char *kept = by(&n, "10.1.0.1", "one") ? "one" : "two";
    world_router_port(&n.w, &n.lr, "far", "0a:00:00:00:fe:01", "10.2.0.254/16");
    world_router_port(&n.w, &n.lr, "wide", "0a:00:00:00:fe:02", "10.0.0.254/8");
    assert_int_equal(world_commit(&n.w), 0);
    world_settle(&n.w);
    assert_int_equal(by(&n, "10.1.0.1", kept), 1);
    assert_int_equal(by(&n, "10.1.0.1", NULL), 1);
    world_close(&n.w);
}

static void no_plain_address(void **state UNUSED)
{
    static const char *const bad[] = {"10.0.0.1/24", "0.0.0.0", "10.0.0", "gateway", "", "fd00::1"};
    struct net n;
    net_open(&n, "10.0.0.1", (const char *[]){"a 10.0.0.254/24", NULL});
    assert_int_equal(by(&n, "10.0.0.1", "a"), 1);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        world_set(&n.w, "Logical_Router_Static_Route", &n.route, "nexthop", bad[i]);
        assert_int_equal(world_commit(&n.w), 0);
        world_settle(&n.w);
        assert_int_equal(world_count(&n.w, "lr_in_ip_routing ", "(reg7 == 0 && ip4)", NULL), 0);
    }
    world_close(&n.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_every_network),
        cmocka_unit_test(longest_prefix),
        cmocka_unit_test(ties),
        cmocka_unit_test(no_plain_address),
    };
    return cmocka_run_group_tests_name("seed routes", tests, NULL, NULL);
}
