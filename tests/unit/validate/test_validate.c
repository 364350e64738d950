/* test_validate.c - what validate.h calls malformed and unknown, on rows of the northbound schema. */
#include "tests/support/validate_fixture.h"

#include "base/err.h"

static bool is_refused(struct fixture *f, const struct row *before, const struct row *after)
{
    struct diag diag = DIAG_INIT;
    int err = validate_row(f->validate, before, after, &diag);
    str_clear(&f->said);
    if (err) {
        assert_int_equal(err, ERR_INVALID);
        str_put(&f->said, diag_text(&diag));
        assert_non_null(strstr(str_c(&f->said), after->table->name));
    }
    diag_fini(&diag);
    return err != 0;
}

/* Is a new row of TABLE with COLUMN set to TEXT refused? */
static bool refuses(struct fixture *f, const char *table, const char *column, const char *text)
{
    struct row *row = make(f, table);
    set_text(row, column, text);
    bool refused = is_refused(f, NULL, row);
    row_unref(row);
    return refused;
}

static const struct {
    const char *table, *column, *text;
    bool good;
} forms[] = {
    {"ACL", "match", "ip4.src == 10.0.0.0/8 && tcp.dst == {80, 443}", true},
    {"ACL", "match", "inport == @nobody && ip4.src == $nothing", true},
    {"ACL", "match", "ip4.src == ^variable", true},
    {"ACL", "match", "ip4 &&", false},
    {"ACL", "match", "ip4.src == 10.0.0.300", false},
    {"ACL", "match", "tcp.dst == 65536", false},
    {"ACL", "match", "nonsense == 1", false},
    {"ACL", "match", "", false},
    {"QoS", "match", "ip6", true},
    {"QoS", "match", "ip7", false},
    {"Logical_Router_Policy", "match", "ip4.src ==", false},
    {"NAT", "external_port_range", "1-65535", true},
    {"NAT", "external_port_range", "", true},
    {"NAT", "external_port_range", "70000", false},
    {"NAT", "external_port_range", "30-20", false},
    {"Logical_Switch_Port", "addresses", "unknown", true},
    {"Logical_Switch_Port", "addresses", "router", true},
    {"Logical_Switch_Port", "addresses", "dynamic 10.0.0.1", true},
    {"Logical_Switch_Port", "addresses", "00:00:00:00:00:01 dynamic", true},
    {"Logical_Switch_Port", "addresses", "00:00:00:00:00:01 10.0.0.1 fd00::1/64", true},
    {"Logical_Switch_Port", "addresses", "00:00:00:00:00:01 10.0.0.300", false},
    {"Logical_Switch_Port", "addresses", "10.0.0.1", false},
    {"Logical_Switch_Port", "addresses", "unknown 10.0.0.1", false},
    {"Logical_Switch_Port", "port_security", "00:00:00:00:00:01 10.0.0.0/24", true},
    {"Logical_Switch_Port", "port_security", "VRRPv3 00:00:5e:00:01:01 10.0.0.8", true},
    {"Logical_Switch_Port", "port_security", "10.0.0.1", false},
    {"Logical_Router_Port", "networks", "10.0.0.1/24", true},
    {"Logical_Router_Port", "networks", "10.0.0.1/33", false},
    {"Logical_Router_Port", "mac", "00:00:00:00:00", false},
    {"Logical_Router_Static_Route", "nexthop", "discard", true},
    {"Logical_Router_Static_Route", "nexthop", "", true},
    {"Logical_Router_Static_Route", "nexthop", "10.0.0.1/24", false},
    {"Address_Set", "addresses", "10.0.0.0/255.255.0.255", true},
    {"Address_Set", "addresses", "00:00:00:00:00:01", true},
    {"Address_Set", "addresses", "ten", false},
    {"DHCP_Options", "cidr", "fd00::/64", true},
    {"DHCP_Options", "cidr", "", false},
    {"Static_MAC_Binding", "mac", "x", false},
    {"Load_Balancer_Health_Check", "vip", "[fd00::1]:80", true},
    {"Load_Balancer_Health_Check", "vip", "[fd00::1]:0", false},
};

static void test_forms(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct row *row = make(&f, forms[i].table);
        /* What must not be empty beside it. */
        if (!strcmp(forms[i].table, "Logical_Router_Port") && strcmp(forms[i].column, "mac"))
            set_text(row, "mac", "00:00:00:00:00:01");
        if (!strcmp(forms[i].table, "Logical_Router_Static_Route"))
            set_text(row, "ip_prefix", "10.0.0.0/8");
        if (!strcmp(forms[i].table, "NAT")) {
            set_text(row, "external_ip", "10.0.0.1");
            set_text(row, "logical_ip", "10.0.0.2");
        }
        set_text(row, forms[i].column, forms[i].text);
        if (is_refused(&f, NULL, row) == forms[i].good)
            fail_msg("%s.%s \"%s\": %s", forms[i].table, forms[i].column, forms[i].text,
                     str_c(&f.said));
        row_unref(row);
    }
    tear_down(&f);
}

static const struct {
    const char *table, *column, *key, *text;
    bool good;
} keys[] = {
    {"Logical_Switch", "other_config", "subnet", "10.0.0.0/24", true},
    {"Logical_Switch", "other_config", "subnet", "10.0.0.0/255.255.255.0", true},
    {"Logical_Switch", "other_config", "subnet", "", true},
    {"Logical_Switch", "other_config", "subnet", "10.0.0.0/33", false},
    {"Logical_Switch", "other_config", "subnet", "fd00::/64", false},
    {"Logical_Switch", "other_config", "exclude_ips", "10.0.0.1  10.0.0.2..10.0.0.9 ", true},
    {"Logical_Switch", "other_config", "exclude_ips", "10.0.0.9..10.0.0.2", false},
    {"Logical_Switch", "other_config", "exclude_ips", "10.0.0.1 10.0.0.2..", false},
    {"Logical_Switch", "other_config", "ipv6_prefix", "fd00::", true},
    {"Logical_Switch", "other_config", "ipv6_prefix", "fd00::/64", true},
    {"Logical_Switch", "other_config", "ipv6_prefix", "10.0.0.0/8", false},
    {"Logical_Switch", "other_config", "anything", "x", true},
    {"NB_Global", "options", "validate", "strict", true},
    {"NB_Global", "options", "validate", "Strict", false},
    {"NB_Global", "options", "mac_prefix", "0a:0b:0c", true},
    {"NB_Global", "options", "mac_prefix", "0a:0b:0c:0d", false},
    {"NB_Global", "options", "mac_prefix", "00:00:00", false},
    {"NB_Global", "options", "mac_prefix", "zz", false},
    {"NB_Global", "options", "svc_monitor_mac", "0a:0b:0c", false},
    {"NB_Global", "options", "max_tunid", "16711680", true},
    {"NB_Global", "options", "max_tunid", "zz", false},
    {"Logical_Switch", "other_config", "requested-tnl-key", "16777215", true},
    {"Logical_Switch", "other_config", "requested-tnl-key", "16777216", false},
    {"Logical_Router", "options", "requested-tnl-key", "0", false},
    {"Logical_Switch_Port", "options", "requested-tnl-key", "32767", true},
    {"Logical_Switch_Port", "options", "requested-tnl-key", "32768", false},
    {"Logical_Router_Port", "options", "requested-tnl-key", "1x", false},
    {"Logical_Switch_Port", "options", "virtual-ip", "10.0.0.9", true},
    {"Logical_Switch_Port", "options", "virtual-ip", "fd00::9", true},
    {"Logical_Switch_Port", "options", "virtual-ip", "zz", false},
    {"Logical_Router", "options", "lb_force_snat_ip", "router_ip", true},
    {"Logical_Router", "options", "lb_force_snat_ip", " 10.0.0.1  fd00::1 ", true},
    {"Logical_Router", "options", "lb_force_snat_ip", "10.0.0.1 10.0.0.2", false},
    {"Logical_Router", "options", "lb_force_snat_ip", "rubbish", false},
    {"Logical_Router", "options", "dnat_force_snat_ip", "fd00::1 10.0.0.1", true},
    {"Logical_Router", "options", "dnat_force_snat_ip", "10.x", false},
    {"Logical_Router", "options", "dnat_force_snat_ip", "router_ip", false},
    {"Load_Balancer", "options", "hairpin_snat_ip", "10.0.0.1 fd00::1", true},
    {"Load_Balancer", "options", "hairpin_snat_ip", "^vip", true},
    {"Load_Balancer", "options", "hairpin_snat_ip", "zz", false},
    {"Logical_Router_Port", "ipv6_ra_configs", "address_mode", "dhcpv6_stateless", true},
    {"Logical_Router_Port", "ipv6_ra_configs", "address_mode", "rubbish", false},
    {"Logical_Router_Port", "ipv6_ra_configs", "router_preference", "LOW", true},
    {"Logical_Router_Port", "ipv6_ra_configs", "router_preference", "low", false},
    {"Logical_Router_Port", "ipv6_ra_configs", "mtu", "0", true},
    {"Logical_Router_Port", "ipv6_ra_configs", "mtu", "9k", false},
    {"Logical_Router_Port", "ipv6_ra_configs", "max_interval", "2000", true},
    {"Logical_Router_Port", "ipv6_ra_configs", "min_interval", "-1", false},
    {"Logical_Router_Port", "ipv6_ra_configs", "rdnss", "fd00::53", true},
    {"Logical_Router_Port", "ipv6_ra_configs", "rdnss", "10.0.0.53", false},
    {"Logical_Router_Port", "ipv6_ra_configs", "dnssl", "a.b, c.d", true},
    {"DNS", "records", "vm1.ovn.org", "10.0.0.4 aef0::4", true},
    {"DNS", "records", "vm1.ovn.org", "10.0.0.4, 10.0.0.5", true},
    {"DNS", "records", "vm1.ovn.org", "", true},
    {"DNS", "records", "4.0.0.10.in-addr.arpa", "vm1.ovn.org", true},
    {"DNS", "records", "4.0.ip6.ARPA.", "vm1.ovn.org", true},
    {"DNS", "records", "vm1.ovn.org", "10.0.0.4 vm2", false},
};

static void test_keys(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct row *row = make(&f, keys[i].table);
        if (!strcmp(keys[i].table, "Logical_Router_Port")) /* which must not be empty */
            set_text(row, "mac", "00:00:00:00:00:01");
        set_pair(row, keys[i].column, keys[i].key, keys[i].text);
        if (is_refused(&f, NULL, row) == keys[i].good)
            fail_msg("%s.%s:%s \"%s\": %s", keys[i].table, keys[i].column, keys[i].key,
                     keys[i].text, str_c(&f.said));
        assert_true(keys[i].good || strstr(str_c(&f.said), keys[i].key));
        assert_false(is_refused(&f, row, row));
        row_unref(row);
    }
    tear_down(&f);
}

static const struct {
    const char *cidr, *name, *value;
    const char *expected; /* NULL: good */
} dhcp[] = {
    {"10.0.0.0/24", "router", "10.0.0.1", NULL},
    {"10.0.0.0/24", "router", "ttt", "expected an IPv4 address"},
    {"10.0.0.0/24", "router", "fd00::1", "expected an IPv4 address"},
    {"10.0.0.0/24", "router", "10.0.0.1); next(", "expected an IPv4 address"},
    {"10.0.0.0/24", "dns_server", "{8.8.8.8, 8.8.4.4}", NULL},
    {"10.0.0.0/24", "dns_server", "{8.8.8.8,8.8.4.4,}", NULL},
    {"10.0.0.0/24", "dns_server", "8.8.8.8, 8.8.4.4", "expected an IPv4 address, or several"},
    {"10.0.0.0/24", "server_id", "10.0.0.1", NULL},
    {"10.0.0.0/24", "server_id", "{10.0.0.1, 10.0.0.2}", "expected an IPv4 address"},
    {"10.0.0.0/24", "server_mac", "c0:ff:ee:00:00:01", NULL},
    {"10.0.0.0/24", "server_mac", "10.0.0.1", "expected an Ethernet address"},
    {"10.0.0.0/24", "lease_time", "3600", NULL},
    {"10.0.0.0/24", "lease_time", "4294967296", "from 0 to 4294967295"},
    {"10.0.0.0/24", "mtu", "1442", NULL},
    {"10.0.0.0/24", "mtu", "65536", "from 0 to 65535"},
    {"10.0.0.0/24", "default_ttl", "256", "from 0 to 255"},
    {"10.0.0.0/24", "router_discovery", "1", NULL},
    {"10.0.0.0/24", "router_discovery", "true", "expected 0 or 1"},
    {"10.0.0.0/24", "domain_name", "\"ovn.org\"", NULL},
    {"10.0.0.0/24", "domain_name", "ovn.org", "expected a text in double quotes"},
    {"10.0.0.0/24", "hostname", "\"vm1\"", NULL},
    {"10.0.0.0/24", "tftp_server", "10.0.0.9", NULL},
    {"10.0.0.0/24", "tftp_server", "\"boot\"", NULL},
    {"10.0.0.0/24", "tftp_server", "boot", "expected an IPv4 address, or a text"},
    {"10.0.0.0/24", "tftp_server_address", "{10.0.0.1, 10.0.0.2}", NULL},
    {"10.0.0.0/24", "domain_search_list", "\"a.b,c.d\"", NULL},
    {"10.0.0.0/24", "classless_static_route", "{30.0.0.0/24,10.0.0.10, 0.0.0.0/0,10.0.0.1}", NULL},
    {"10.0.0.0/24", "classless_static_route", "there", "expected routes as {"},
    {"10.0.0.0/24", "unheard_of", "x", NULL},
    {"fd00::/64", "server_id", "00:00:00:00:00:01", NULL},
    {"fd00::/64", "server_id", "fd00::1", "expected an Ethernet address"},
    {"fd00::/64", "dns_server", "{fd00::1, fd00::2}", NULL},
    {"fd00::/64", "dns_server", "8.8.8.8", "expected an IPv6 address"},
    {"fd00::/64", "domain_search", "\"ovn.org\"", NULL},
    {"fd00::/64", "dhcpv6_stateless", "true", NULL},
    {"fd00::/64", "lease_time", "long", NULL}, /* unknown to DHCPv6 */
};

static void test_dhcp_options(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_SIZE(dhcp); i++) {
        struct row *row = make(&f, "DHCP_Options");
        set_text(row, "cidr", dhcp[i].cidr);
        set_pair(row, "options", dhcp[i].name, dhcp[i].value);
        if (is_refused(&f, NULL, row) != !!dhcp[i].expected ||
            (dhcp[i].expected &&
             (!strstr(str_c(&f.said), dhcp[i].expected) || !strstr(str_c(&f.said), dhcp[i].name) ||
              !strstr(str_c(&f.said), "column options"))))
            fail_msg("%s %s \"%s\": \"%s\"", dhcp[i].cidr, dhcp[i].name, dhcp[i].value,
                     str_c(&f.said));
        assert_false(is_refused(&f, row, row));
        row_unref(row);
    }
    tear_down(&f);
}

static void test_sentence(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_true(refuses(&f, "ACL", "match", "ip4 && tcp.dst == x"));
    const char *const parts[] = {"table ACL, row ", "column match, position 19",
                                 "ip4 && tcp.dst == x", "expected a match expression"};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (!strstr(str_c(&f.said), parts[i]))
            fail_msg("\"%s\" is not in \"%s\"", parts[i], str_c(&f.said));
    tear_down(&f);
}

static void test_only_what_changes(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct row *before = make(&f, "Address_Set");
    add_text(before, "addresses", "ten");
    struct row *after = row_clone(before);
    add_text(after, "addresses", "10.0.0.1");
    assert_false(is_refused(&f, before, after));
    add_text(after, "addresses", "eleven");
    assert_true(is_refused(&f, before, after));
    assert_non_null(strstr(str_c(&f.said), "eleven"));
    row_unref(before);
    row_unref(after);
    tear_down(&f);
}

static void test_combinations(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    static const struct {
        const char *vip, *backends;
        bool good;
    } balancers[] = {
        {"10.0.0.1:80", "10.0.0.2:80,10.0.0.3:8080", true},
        {"10.0.0.1:80", "", true},
        {"10.0.0.1", "10.0.0.2", true},
        {"[fd00::1]:80", "[fd00::2]:80", true},
        {"10.0.0.1:80", "10.0.0.2", false},
        {"10.0.0.1", "10.0.0.2:80", false},
        {"10.0.0.1:80", "[fd00::2]:80", false},
        {"10.0.0.1:99999", "10.0.0.2:80", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(balancers); i++) {
        struct row *lb = make(&f, "Load_Balancer");
        set_pair(lb, "vips", balancers[i].vip, balancers[i].backends);
        if (is_refused(&f, NULL, lb) == balancers[i].good)
            fail_msg("%s %s: %s", balancers[i].vip, balancers[i].backends, str_c(&f.said));
        set_pair(lb, "options", "template", "true");
        assert_false(is_refused(&f, NULL, lb));
        row_unref(lb);
    }
    struct row *nat = make(&f, "NAT");
    set_text(nat, "type", "dnat");
    set_text(nat, "external_ip", "10.0.0.1");
    set_text(nat, "logical_ip", "10.1.0.0/16");
    assert_true(is_refused(&f, NULL, nat));
    set_text(nat, "type", "snat");
    assert_false(is_refused(&f, NULL, nat));
    set_text(nat, "logical_ip", "fd00::/64");
    assert_true(is_refused(&f, NULL, nat));
    struct row *noted = row_clone(nat); /* an old row may be bad */
    set_pair(noted, "external_ids", "a", "b");
    assert_false(is_refused(&f, nat, noted));
    set_pair(noted, "options", "stateless", "true");
    assert_true(is_refused(&f, nat, noted));
    set_pair(noted, "options", "add_route", "true");
    set_text(noted, "external_ip", "10.0.0.7");
    assert_true(is_refused(&f, nat, noted));
    set_text(noted, "external_ip", "fd00::7");
    assert_false(is_refused(&f, nat, noted));
    row_unref(noted);
    row_unref(nat);
    struct row *lb = make(&f, "Load_Balancer");
    set_pair(lb, "vips", "10.0.0.1:80", "10.0.0.2");
    noted = row_clone(lb);
    set_pair(noted, "external_ids", "a", "b");
    assert_false(is_refused(&f, lb, noted));
    row_unref(noted);
    row_unref(lb);
    struct row *policy = make(&f, "Logical_Router_Policy");
    set_text(policy, "match", "ip");
    set_text(policy, "action", "reroute");
    assert_true(is_refused(&f, NULL, policy));
    struct row *same = row_clone(policy);
    set_pair(same, "external_ids", "a", "b");
    assert_false(is_refused(&f, policy, same));
    row_unref(same);
    add_text(policy, "nexthops", "10.0.0.1");
    add_text(policy, "nexthops", "10.0.0.2");
    assert_false(is_refused(&f, NULL, policy));
    add_text(policy, "nexthops", "fd00::1");
    assert_true(is_refused(&f, NULL, policy));
    row_unref(policy);
    tear_down(&f);
}

static bool nobody(void *aux, const char *table, const char *name)
{
    (void)aux;
    return !strcmp(table, "Port_Group") && !strcmp(name, "pg");
}

static void test_names(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct row *acl = make(&f, "ACL");
    set_text(acl, "match",
             "inport == @pg && ip4.src == $pg_ip4 && ip4.dst == $gone && outport == \"p\"");
    set_text(acl, "meter", "m");
    const struct validate_names names = {NULL, nobody};
    validate_row_names(f.validate, NULL, acl, &names, collect, &f);
    assert_non_null(strstr(str_c(&f.said), "address set \"gone\""));
    assert_non_null(strstr(str_c(&f.said), "port \"p\""));
    assert_non_null(strstr(str_c(&f.said), "meter \"m\""));
    assert_null(strstr(str_c(&f.said), "pg_ip4\""));
    str_clear(&f.said);
    validate_row_names(f.validate, acl, acl, &names, collect, &f);
    assert_string_equal(str_c(&f.said), "");
    row_unref(acl);
    struct row *options = make(&f, "DHCP_Options");
    set_text(options, "cidr", "10.0.0.0/8");
    set_pair(options, "options", "unheard_of", "x");
    validate_row_names(f.validate, NULL, options, &names, collect, &f);
    assert_non_null(strstr(str_c(&f.said), "DHCP option \"unheard_of\""));
    str_clear(&f.said);
    validate_row_names(f.validate, options, options, &names, collect, &f);
    assert_string_equal(str_c(&f.said), "");
    row_unref(options);
    struct row *port = make(&f, "Logical_Switch_Port");
    set_text(port, "type", "router");
    validate_row_names(f.validate, NULL, port, &names, collect, &f);
    assert_string_equal(str_c(&f.said), "");
    struct row *odd = row_clone(port);
    set_text(odd, "type", "rooter");
    validate_row_names(f.validate, port, odd, &names, collect, &f);
    assert_non_null(strstr(str_c(&f.said), "there is no type \"rooter\""));
    row_unref(odd);
    row_unref(port);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_dhcp_options),
        cmocka_unit_test(test_sentence),
        cmocka_unit_test(test_only_what_changes),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
