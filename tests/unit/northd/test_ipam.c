/* test_ipam.c - addresses that northd gives: which, that they stick, and what is left out. */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid ls, global;
};

static int setup(void **state)
{
    struct net *n = begin(state, sizeof *n);
    struct world *w = &n->w;
    n->global = world_insert(w, "NB_Global");
    world_set(w, "NB_Global", &n->global, "options", "mac_prefix=0a:0b:0c");
    n->ls = world_switch(w, "sw0");
    world_set(w, "Logical_Switch", &n->ls, "other_config", "subnet=10.0.0.0/24");
    commit(w);
    return 0;
}

static struct uuid add(struct net *n, const char *name, const char *addresses)
{
    struct uuid p = world_port(&n->w, &n->ls, name, addresses);
    commit(&n->w);
    return p;
}

static void configure(struct net *n, const char *other_config)
{
    world_set(&n->w, "Logical_Switch", &n->ls, "other_config", other_config);
    commit(&n->w);
}

static const char *given(struct net *n, const struct uuid *port)
{
    struct world *w = &n->w;
    const struct row *row =
        replica_row_find(w->nb_client, replica_table(w->nb_client, "Logical_Switch_Port"), port);
    const char *text = nb_logical_switch_port_dynamic_addresses(nb_logical_switch_port_cast(row));
    return text ? text : "";
}

/* The IPv4 address, or what follows the MAC address. */
static const char *ip(struct net *n, const struct uuid *port)
{
    const char *text = given(n, port);
    return strlen(text) > 18 ? text + 18 : "";
}

static void lowest_free(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    add(n, "static", "0a:00:00:00:00:01 10.0.0.3");
    struct uuid a = add(n, "a", "dynamic"), b = add(n, "b", "dynamic"), c = add(n, "c", "dynamic");
    assert_string_equal(ip(n, &a), "10.0.0.2"); /* .1 is a router's */
    assert_string_equal(ip(n, &b), "10.0.0.4");
    assert_string_equal(ip(n, &c), "10.0.0.5");
    assert_memory_equal(given(n, &a), "0a:0b:0c:", 9);
    assert_memory_not_equal(given(n, &a), given(n, &b), 17);
    assert_int_equal(world_count(w, "ls_in_arp_rsp", " 50 ", "arp.tpa == 10.0.0.2 ", NULL), 1);
    assert_int_equal(world_count(w, "port a ", given(n, &a), NULL), 1);
    world_link(w, "Logical_Switch", &n->ls, "ports", &a, false);
    commit(w);
    assert_string_equal(ip(n, &b), "10.0.0.4"); /* what was given stays */
    struct uuid d = add(n, "d", "dynamic");
    assert_string_equal(ip(n, &d), "10.0.0.2");
}

static void restarted(void **state)
{
    struct net *n = *state;
    struct uuid a = add(n, "a", "dynamic"), b = add(n, "b", "dynamic");
    char *before = xasprintf("%s %s", given(n, &a), given(n, &b));
    restart(&n->w);
    char *after = xasprintf("%s %s", given(n, &a), given(n, &b));
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void asked_for(void **state)
{
    struct net *n = *state;
    struct uuid a = add(n, "a", "dynamic 10.0.0.9"), b = add(n, "b", "dynamic 10.0.0.9"),
                c = add(n, "c", "dynamic 99.0.0.1"), d = add(n, "d", "0a:00:00:00:00:09 dynamic");
    assert_string_equal(ip(n, &a), "10.0.0.9");
    assert_string_equal(ip(n, &b), "10.0.0.2"); /* taken: another */
    assert_string_equal(ip(n, &c), "10.0.0.3"); /* not in the subnet */
    assert_string_equal(given(n, &d), "0a:00:00:00:00:09 10.0.0.4");
    /* A static address takes it from who was given it. */
    add(n, "e", "0a:00:00:00:00:0a 10.0.0.3");
    assert_string_equal(ip(n, &c), "10.0.0.5");
}

static void excluded(void **state)
{
    struct net *n = *state;
    configure(n, "subnet=10.0.0.0/29 exclude_ips=10.0.0.2..10.0.0.3");
    struct uuid a = add(n, "a", "dynamic"), b = add(n, "b", "dynamic"), c = add(n, "c", "dynamic"),
                d = add(n, "d", "dynamic");
    assert_string_equal(ip(n, &a), "10.0.0.4");
    assert_string_equal(ip(n, &b), "10.0.0.5");
    assert_string_equal(ip(n, &c), "10.0.0.6");
    assert_string_equal(given(n, &d), ""); /* full */
    configure(n, "subnet=10.0.0.0/29 exclude_ips=nonsense");
    assert_string_equal(ip(n, &a), "10.0.0.4");
    assert_string_equal(ip(n, &d), "10.0.0.2");
}

static void other_kinds(void **state)
{
    struct net *n = *state;
    struct uuid a = add(n, "a", "0a:00:00:00:00:01 dynamic"), b = add(n, "b", "dynamic fd00::77");
    configure(n, "subnet=10.0.0.0/24 ipv6_prefix=fd00::");
    assert_string_equal(given(n, &a), "0a:00:00:00:00:01 10.0.0.2 fd00::800:ff:fe00:1");
    assert_string_equal(ip(n, &b), "10.0.0.3 fd00::77");
    configure(n, "mac_only=true");
    assert_string_equal(given(n, &a), "0a:00:00:00:00:01");
    configure(n, "subnet=nonsense");
    assert_string_equal(given(n, &a), "");
    assert_int_equal(world_count(&n->w, "ls_in_l2_lkup", "0a:00:00:00:00:01", NULL), 0);
}

static void with_router(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid lr = world_router(w, "lr0");
    world_router_port(w, &lr, "rp", "0a:00:00:00:ff:01", "10.0.0.2/24");
    world_attach(w, &n->ls, "sw0-lr0", "rp");
    struct uuid a = add(n, "a", "dynamic");
    assert_string_equal(ip(n, &a), "10.0.0.3");
}

/* A prefix of MAC addresses that is none takes nobody's address away. */
static void bad_prefix(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid a = add(n, "a", "dynamic");
    char had[64];
    snprintf(had, sizeof had, "%s", given(n, &a));
    world_set(w, "NB_Global", &n->global, "options", "mac_prefix=zz");
    commit(w);
    assert_string_equal(given(n, &a), had);
    struct uuid b = add(n, "b", "dynamic");
    assert_memory_equal(given(n, &b), "0a:00:00:", 9);
    assert_string_equal(given(n, &a), had);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(lowest_free), TEST(restarted),   TEST(asked_for),
                                       TEST(excluded),    TEST(other_kinds), TEST(with_router),
                                       TEST(bad_prefix)};
    return cmocka_run_group_tests_name("northd ipam", tests, NULL, NULL);
}
