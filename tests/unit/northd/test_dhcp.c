/* test_dhcp.c - DHCP options and DNS records, from NB rows to SB rows. */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid ls, port, v4, v6;
};

#define V4 "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01 lease_time=3600"

static struct uuid add_options(struct world *w, const char *cidr, const char *options)
{
    struct uuid uuid = world_insert(w, "DHCP_Options");
    world_set(w, "DHCP_Options", &uuid, "cidr", cidr);
    world_set(w, "DHCP_Options", &uuid, "options", options);
    return uuid;
}

/* A port with addresses in and out of the options' networks. */
static int setup(void **state)
{
    struct net *n = begin(state, sizeof *n);
    struct world *w = &n->w;
    char text[UUID_TEXT_LEN + 1];
    n->ls = world_switch(w, "sw0");
    n->port =
        world_port(w, &n->ls, "p1", "0a:00:00:00:00:01 20.0.0.1 10.0.0.1 10.0.0.2 fd01::1 fd00::1");
    n->v4 = add_options(w, "10.0.0.0/24", V4 " router=10.0.0.254");
    n->v6 = add_options(w, "fd00::/64", "server_id=00:00:00:10:00:01 dns_server=fd00::53");
    world_set(w, "Logical_Switch_Port", &n->port, "dhcpv4_options", uuid_print(&n->v4, text));
    world_set(w, "Logical_Switch_Port", &n->port, "dhcpv6_options", uuid_print(&n->v6, text));
    commit(w);
    return 0;
}

static void set_v4(struct net *n, const char *options)
{
    world_set(&n->w, "DHCP_Options", &n->v4, "options", options);
    commit(&n->w);
}

static void offers_v4(void **state)
{
    struct world *w = &((struct net *)*state)->w;
    assert_int_equal(
        world_count(w, "ls_in_dhcp_options ", "inport == \"p1\" && eth.src == 0a:00:00:00:00:01",
                    "(reg0[3] = put_dhcp_opts(offerip = 10.0.0.1, lease_time = 3600, router = "
                    "10.0.0.254, server_id = 10.0.0.254, netmask = 255.255.255.0); next;)",
                    NULL),
        2); /* who asks, who renews */
    assert_int_equal(world_count(w, "ls_in_dhcp_options ",
                                 "ip4.src == 10.0.0.1 && ip4.dst == {10.0.0.254, 255.255.255.255}",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_dhcp_response ", "eth.src = c0:ff:ee:00:00:01;",
                                 "ip4.src = 10.0.0.254; udp.src = 67; udp.dst = 68;", NULL),
                     1);
    assert_int_equal(
        world_count(w, "ls_out_acl ", " 34000 ", "outport == \"p1\"", "10.0.0.254", NULL), 1);
}

static void offers_v6(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(world_count(w, "ls_in_dhcp_options ", "udp.src == 546 && udp.dst == 547",
                                 "put_dhcpv6_opts(ia_addr = fd00::1, dns_server = fd00::53, "
                                 "server_id = 00:00:00:10:00:01);",
                                 NULL),
                     1);
    assert_int_equal(world_count(w, "ls_in_dhcp_response ", "ip6.src = fe80::200:ff:fe10:1;", NULL),
                     1);
    world_set(w, "DHCP_Options", &n->v6, "options",
              "server_id=00:00:00:10:00:01 dhcpv6_stateless=true");
    commit(w);
    assert_int_equal(world_count(w, "put_dhcpv6_opts(server_id = 00:00:00:10:00:01);", NULL), 1);
}

static void malformed(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    set_v4(n, V4 " mtu=zzz router=10.0.0.254);output; bogus=1 default_ttl=64");
    assert_int_equal(world_count(w,
                                 "put_dhcp_opts(offerip = 10.0.0.1, default_ttl = 64, lease_time "
                                 "= 3600, server_id = 10.0.0.254, netmask = 255.255.255.0);",
                                 NULL),
                     2);
    set_v4(n, "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01");
    assert_int_equal(world_count(w, "put_dhcp_opts(", NULL), 0);
    set_v4(n, V4);
    assert_int_equal(world_count(w, "put_dhcp_opts(", NULL), 2);
    world_set(w, "DHCP_Options", &n->v4, "cidr", "10.0.9.0/24");
    commit(w);
    assert_int_equal(world_count(w, "put_dhcp_opts(", NULL), 0);
    assert_int_equal(world_count(w, "put_dhcpv6_opts(", NULL), 1);
}

static void hostname(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    set_v4(n, V4 " hostname=\"all\" netmask=255.0.0.0");
    assert_int_equal(
        world_count(w, "put_dhcp_opts(", "netmask = 255.0.0.0", "hostname = \"all\")", NULL), 2);
    world_set(w, "Logical_Switch_Port", &n->port, "options", "hostname=web1");
    commit(w);
    assert_int_equal(world_count(w, "put_dhcp_opts(", "hostname = \"web1\")", NULL), 2);
    world_set(w, "Logical_Switch_Port", &n->port, "options", "hostname=a\";output;");
    commit(w);
    assert_int_equal(world_count(w, "put_dhcp_opts(", "hostname = \"all\")", NULL), 2);
}

static void dns(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    char uuid[UUID_TEXT_LEN + 1];
    struct uuid dns = world_insert(w, "DNS");
    world_set(w, "DNS", &dns, "records", "vm1=10.0.0.1");
    commit(w);
    assert_int_equal(world_count(w, "dns ", NULL), 0); /* nobody uses it */
    world_link(w, "Logical_Switch", &n->ls, "dns_records", &dns, true);
    commit(w);
    assert_int_equal(world_count(w, "dns ", "vm1=\"10.0.0.1\"", uuid_print(&n->ls, uuid), NULL), 1);
    assert_int_equal(world_count(w, "ls_in_dns_lookup ", "reg0[4] = dns_lookup(); next;", NULL), 1);
    assert_int_equal(world_count(w, "ls_in_dns_response ", "udp.dst = udp.src;", NULL), 2);
    world_set(w, "DNS", &dns, "records", "");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_dns_lookup ", "reg0[4]", NULL), 0);
    world_delete(w, "DNS", &dns);
    commit(w);
    assert_int_equal(world_count(w, "dns ", NULL), 0);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(offers_v4), TEST(offers_v6), TEST(malformed),
                                       TEST(hostname), TEST(dns)};
    return cmocka_run_group_tests_name("northd dhcp", tests, NULL, NULL);
}
