/* test_lists.c - what validate.h calls hidden or doubled among the children of one row: rules, addresses, networks, routes, NATs,
 * VIPs; and of routes to nowhere. */
#include "tests/support/validate_fixture.h"

#include "validate/lists.h"

static struct row *rule(struct fixture *f, int64_t priority, const char *direction,
                        const char *match)
{
    struct row *row = make(f, "ACL");
    row_set(row, column_of(row, "priority"), datum_new_integer(priority));
    set_text(row, "direction", direction);
    set_text(row, "match", match);
    return row;
}

static void test_rules(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct row *rows[] = {
        rule(&f, 10, "to-lport", "ip4 && tcp.dst == 80"),
        rule(&f, 9, "to-lport", "ip4 && tcp.dst == 0x50"), /* the same in other words */
        rule(&f, 9, "from-lport", "ip4 && tcp.dst == 80"),
        rule(&f, 5, "to-lport", "ip4.src == $a"),
        rule(&f, 5, "to-lport", "ip4.src == $a"),
        rule(&f, 1, "to-lport", "ip4 && ip6"),
        rule(&f, 1, "to-lport", "ip4 &&"),
    };
    const bool is_new[ARRAY_SIZE(rows)] = {true, true, true, true, true, true, true};
    const bool is_old[ARRAY_SIZE(rows)] = {[2] = true};
    validate_rules(f.validate, rows, is_old, ARRAY_SIZE(rows), collect, &f);
    assert_string_equal(str_c(&f.said), "");
    validate_rules(f.validate, rows, is_new, ARRAY_SIZE(rows), collect, &f);
    size_t n = 0;
    for (const char *p = str_c(&f.said); (p = strchr(p, '\n')); p++)
        n++;
    if (n != 3)
        fail_msg("%s", str_c(&f.said));
    assert_non_null(strstr(str_c(&f.said), "is hidden by"));
    assert_non_null(strstr(str_c(&f.said), "says the same as"));
    assert_non_null(strstr(str_c(&f.said), "no packet can match"));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        row_unref(rows[i]);
    tear_down(&f);
}

/* Is the second hidden by the first, a rule of a higher priority? EXTRA: "COLUMN=TEXT", or a key of options. */
static const struct {
    const char *match, *extra, *lower, *lower_extra;
    bool is_hidden;
} covers[] = {
    {"ip4", "", "ip4 && tcp", "", true},
    {"ip4", "", "ip4.src == 10.0.0.1", "", true},
    {"1", "", "tcp", "", true},
    {"ip", "", "ip4 || ip6.dst == fd00::1", "", true},
    {"ip4.src == 10.0.0.0/8", "", "ip4.src == {10.1.0.0/16, 10.2.0.3} && udp.dst == {1, 2}", "",
     true},
    {"tcp.dst > 1023", "", "ip4 && tcp.dst >= 5000 && tcp.dst <= 6000", "", true},
    {"inport == {\"a\", \"b\"}", "", "inport == \"b\" && ip6", "", true},
    {"ip4", "action=pass", "tcp && ip4", "action=drop", true},
    {"ip4", "action=allow-stateless", "tcp && ip4", "action=allow-related", true},
    {"ip4", "action=allow-stateless", "tcp && ip4", "action=allow-stateless", true},
    {"ip4", "tier=1", "tcp && ip4", "tier=1", true},
    {"ip4", "apply-after-lb", "tcp && ip4", "apply-after-lb", true},
    /* Narrower, apart, or of another version. */
    {"ip4 && tcp", "", "ip4", "", false},
    {"ip4", "", "tcp", "", false},
    {"ip6", "", "ip4 && tcp", "", false},
    {"ip4", "", "ip4 || arp", "", false},
    {"ip4.src == 10.0.0.0/16", "", "ip4.src == 10.0.0.0/8", "", false},
    {"ip4.src == 10.0.0.1", "", "ip4.dst == 10.0.0.1", "", false},
    {"ip4.src != 10.0.0.1", "", "ip4", "", false},
    {"tcp.dst > 1023", "", "tcp.dst >= 1023", "", false},
    {"inport == \"a\"", "", "inport == \"b\" && ip6", "", false},
    {"ip4 && ip6", "", "ip4 && tcp", "", false},
    /* Nobody knows what is in a set or group, or where a port is. */
    {"ip4.src == $a", "", "ip4.src == $a && tcp", "", false},
    {"ip4", "", "ip4.src == $a", "", false},
    {"inport == @a", "", "inport == @a && tcp", "", false},
    {"is_chassis_resident(\"a\")", "", "is_chassis_resident(\"a\") && tcp", "", false},
    /* Elsewhere, or not all that the other does. */
    {"ip4", "", "tcp && ip4", "direction=from-lport", false},
    {"ip4", "tier=1", "tcp && ip4", "tier=2", false},
    {"ip4", "tier=1", "ip4", "tier=2", false},
    {"ip4", "", "tcp && ip4", "apply-after-lb", false},
    {"ip4", "apply-after-lb", "ip4", "", false},
    {"ip4", "action=allow-related", "tcp && ip4", "action=allow-stateless", false},
    {"ip4", "action=allow", "ip4", "action=allow-stateless", false},
    {"ip4", "priority=1", "tcp && ip4", "priority=1", false},
};

static void add_extra(struct row *row, const char *extra)
{
    char column[32];
    const char *equals = strchr(extra, '=');
    if (!equals) {
        if (*extra) {
            set_pair(row, "options", extra, "true");
            set_text(row, "direction", "from-lport");
        }
        return;
    }
    snprintf(column, sizeof column, "%.*s", (int)(equals - extra), extra);
    if (!strcmp(column, "tier") || !strcmp(column, "priority"))
        row_set(row, column_of(row, column), datum_new_integer(atoi(equals + 1)));
    else
        set_text(row, column, equals + 1);
}

/* Which of two rows hides the other; the new one is told, whichever it is. */
static void expect_hidden(struct fixture *f, const struct row *const *rows, const char *what,
                          bool expected)
{
    for (int news = 0; news < 4; news++) {
        const bool is_new[] = {news & 1, news & 2};
        str_clear(&f->said);
        validate_rules(f->validate, rows, is_new, 2, collect, f);
        const char *said = strstr(str_c(&f->said), "is hidden by");
        if ((said != NULL) != (expected && news) ||
            (said ? strstr(said + 1, "is hidden by") : strstr(str_c(&f->said), "says the same as")))
            fail_msg("%s, new %d: \"%s\"", what, news, str_c(&f->said));
    }
}

static void test_covers(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_SIZE(covers); i++) {
        struct row *high = rule(&f, 10, "to-lport", covers[i].match),
                   *low = rule(&f, 9, "to-lport", covers[i].lower);
        bool late = !strcmp(covers[i].extra, "apply-after-lb") ||
                    !strcmp(covers[i].lower_extra, "apply-after-lb");
        set_text(high, "direction", late ? "from-lport" : "to-lport");
        set_text(low, "direction", late ? "from-lport" : "to-lport");
        add_extra(high, covers[i].extra);
        add_extra(low, covers[i].lower_extra);
        const struct row *rows[] = {low, high};
        expect_hidden(&f, rows, covers[i].lower, covers[i].is_hidden);
        row_unref(high);
        row_unref(low);
    }
    tear_down(&f);
}

static void set_number(struct row *row, const char *column, const char *key, int64_t number)
{
    union atom k = {.string = rstr_new(key)}, v = {.integer = number};
    row_set(row, column_of(row, column), datum_new_map(ATOM_STRING, ATOM_INTEGER, &k, &v, 1));
}

/* Marking and limiting are two stages. */
static void test_qos(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (unsigned i = 0; i < 16; i++) {
        struct row *rows[2];
        for (unsigned j = 0; j < 2; j++) {
            rows[j] = make(&f, "QoS");
            row_set(rows[j], column_of(rows[j], "priority"), datum_new_integer(10 - j));
            set_text(rows[j], "direction", "to-lport");
            set_text(rows[j], "match", j ? "ip4 && udp" : "ip4");
            if (i >> 2 * j & 1)
                set_number(rows[j], "action", j ? "dscp" : "mark", 4);
            if (i >> 2 * j & 2)
                set_number(rows[j], "bandwidth", "rate", 4);
        }
        const struct row *list[] = {rows[0], rows[1]};
        unsigned high = i & 3, low = i >> 2;
        expect_hidden(&f, list, "QoS", low && !(low & ~high));
        row_unref(rows[0]);
        row_unref(rows[1]);
    }
    tear_down(&f);
}

/* Not longer than it may: many rules of many alternatives. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 300 };
    struct fixture f;
    set_up(&f);
    const struct row *rows[N];
    bool is_new[N];
    struct str match = STR_INIT;
    for (int i = 0; i < N; i++) {
        str_clear(&match);
        str_put(&match, "tcp.dst == {");
        for (int j = 0; j < 200; j++)
            str_putf(&match, "%d, ", 1 + i + 301 * j % 60000);
        str_put(&match, "9}");
        rows[i] = rule(&f, 1000 - i, "to-lport", str_c(&match));
        is_new[i] = true;
    }
    str_fini(&match);
    validate_rules(f.validate, rows, is_new, N, collect, &f);
    assert_string_equal(str_c(&f.said), "");
    for (int i = 0; i < N; i++)
        row_unref(rows[i]);
    tear_down(&f);
}

/* Two children of one owner; COLUMN NULL ends what is set. */
static const struct {
    const char *owner, *column;
    struct {
        const char *column, *text;
    } first[4], second[4];
    const char *said; /* NULL: nothing */
} pairs[] = {
    {"Logical_Switch",
     "ports",
     {{"addresses", "0a:00:00:00:00:01 10.0.0.1"}},
     {{"addresses", "0A:00:00:00:00:01 10.0.0.2"}},
     "Ethernet address 0a:00:00:00:00:01 is also of"},
    {"Logical_Switch",
     "ports",
     {{"addresses", "0a:00:00:00:00:01 fd00::1"}},
     {{"addresses", "0a:00:00:00:00:02 fd00:0::1/64"}},
     "address fd00::1 is also of"},
    {"Logical_Switch", "ports", {{"addresses", "unknown"}}, {{"addresses", "unknown"}}, NULL},
    {"Logical_Switch", "ports", {{"addresses", "dynamic"}}, {{"addresses", "dynamic"}}, NULL},
    {"Logical_Router",
     "ports",
     {{"networks", "10.0.0.1/16"}},
     {{"networks", "10.0.7.1/24"}},
     "network 10.0.7.0/24 overlaps one of"},
    {"Logical_Router", "ports", {{"networks", "10.0.0.1/24"}}, {{"networks", "10.0.1.1/24"}}, NULL},
    {"Logical_Router", "ports", {{"networks", "fe80::1/64"}}, {{"networks", "fe80::2/64"}}, NULL},
    {"Logical_Router",
     "static_routes",
     {{"ip_prefix", "10.0.0.0/8"}, {"nexthop", "1.1.1.1"}},
     {{"ip_prefix", "10.1.0.0/8"}, {"nexthop", "1.1.1.1"}, {"policy", "dst-ip"}},
     "route 10.0.0.0/8 via 1.1.1.1 is also of"},
    {"Logical_Router",
     "static_routes",
     {{"ip_prefix", "10.0.0.0/8"}, {"nexthop", "1.1.1.1"}},
     {{"ip_prefix", "10.0.0.0/8"}, {"nexthop", "1.1.1.2"}},
     NULL},
    {"Logical_Router",
     "static_routes",
     {{"ip_prefix", "10.0.0.0/8"}, {"nexthop", "1.1.1.1"}},
     {{"ip_prefix", "10.0.0.0/8"}, {"nexthop", "1.1.1.1"}, {"route_table", "t"}},
     NULL},
    {"Logical_Router",
     "static_routes",
     {{"ip_prefix", "10.0.0.0/8"}, {"nexthop", "1.1.1.1"}},
     {{"ip_prefix", "10.0.0.0/8"}, {"nexthop", "1.1.1.1"}, {"policy", "src-ip"}},
     NULL},
    {"Logical_Router",
     "nat",
     {{"type", "snat"}, {"external_ip", "3.0.0.1"}, {"logical_ip", "10.0.0.0/24"}},
     {{"type", "snat"}, {"external_ip", "3.0.0.2"}, {"logical_ip", "10.0.0.9/24"}},
     "type snat, logical_ip 10.0.0.0/24 is also of"},
    {"Logical_Router",
     "nat",
     {{"type", "dnat"}, {"external_ip", "3.0.0.1"}, {"logical_ip", "10.0.0.1"}},
     {{"type", "dnat"}, {"external_ip", "3.0.0.1"}, {"logical_ip", "10.0.0.2"}},
     "type dnat, external_ip 3.0.0.1 is also of"},
    {"Logical_Router",
     "nat",
     {{"type", "snat"}, {"external_ip", "3.0.0.1"}, {"logical_ip", "10.0.0.0/24"}},
     {{"type", "snat"}, {"external_ip", "3.0.0.1"}, {"logical_ip", "10.0.0.0/25"}},
     NULL},
};

/* Routes of a router with the port "rp": 10.0.0.1/24 and fd00::1/64. */
static const struct {
    const char *nexthop, *port;
    bool is_somewhere;
} ways[] = {
    {"10.0.0.9", "", true},  {"fd00::9", "", true},    {"fe80::9", "", true},
    {"discard", "", true},   {"99.9.9.9", "", false},  {"10.0.1.1", "", false},
    {"fd01::1", "", false},  {"99.9.9.9", "rp", true}, {"99.9.9.9", "other", false},
    {"fd01::1", "rp", true},
};

struct place {
    struct fixture *f;
    struct row *router, *port, *route;
};

static const struct row *find_place(void *place_, const struct schema_table *table UNUSED,
                                    const struct uuid *uuid)
{
    const struct place *place = place_;
    return uuid_equal(uuid, &place->port->uuid)    ? place->port
           : uuid_equal(uuid, &place->route->uuid) ? place->route
                                                   : NULL;
}

static void collect_place(void *place, const char *sentence)
{
    collect(((struct place *)place)->f, sentence);
}

static void refer(struct row *owner, const char *column, const struct row *child)
{
    union atom uuid = {.uuid = child->uuid};
    row_set(owner, column_of(owner, column), datum_new_set(ATOM_UUID, &uuid, 1));
}

static void expect_way(struct place *place, const char *hop, bool is_somewhere)
{
    const struct validate_list_world world = {place, find_place, NULL, collect_place};
    str_clear(&place->f->said);
    for (size_t i = 0; i < validate_n_lists; i++)
        if (!strcmp(validate_lists[i].column, "static_routes"))
            validate_list(place->f->validate, &validate_lists[i], NULL, place->router, &world);
    const char *said = str_c(&place->f->said);
    if (is_somewhere ? *said : !strstr(said, "of router \"r\" leads nowhere"))
        fail_msg("via %s: \"%s\"", hop, said);
}

static void test_ways(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct place p = {&f, make(&f, "Logical_Router"), make(&f, "Logical_Router_Port"),
                          make(&f, "Logical_Router_Static_Route")};
        set_text(p.router, "name", "r");
        set_text(p.port, "name", "rp");
        set_text(p.port, "networks", "10.0.0.1/24");
        add_text(p.port, "networks", "fd00::1/64");
        set_text(p.route, "ip_prefix", "10.9.0.0/16");
        set_text(p.route, "nexthop", ways[i].nexthop);
        if (*ways[i].port)
            set_text(p.route, "output_port", ways[i].port);
        refer(p.router, "static_routes", p.route);
        expect_way(&p, ways[i].nexthop, !strcmp(ways[i].nexthop, "discard")); /* no port yet */
        refer(p.router, "ports", p.port);
        expect_way(&p, ways[i].nexthop, ways[i].is_somewhere);
        row_unref(p.router);
        row_unref(p.port);
        row_unref(p.route);
    }
    tear_down(&f);
}

/* A port of a switch with this configuration. */
static const struct {
    const char *subnet, *addresses, *given;
    bool is_told;
} gifts[] = {
    {"10.0.0.0/24", "dynamic", "", true},
    {"10.0.0.0/24", "0a:00:00:00:00:01 dynamic", "0a:00:00:00:00:01", true},
    {"10.0.0.0/24", "dynamic", "0a:00:00:00:00:01 10.0.0.2", false},
    {"10.0.0.0/24", "0a:00:00:00:00:01 10.0.0.2", "", false},
    {"10.0.0.0/24", "unknown", "", false},
    {"", "dynamic", "", false},
};

static void test_gifts(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_SIZE(gifts); i++) {
        struct place p = {&f, make(&f, "Logical_Switch"), make(&f, "Logical_Switch_Port"), NULL};
        set_pair(p.router, "other_config", "subnet", gifts[i].subnet);
        set_text(p.port, "addresses", gifts[i].addresses);
        set_text(p.port, "dynamic_addresses", gifts[i].given);
        refer(p.router, "ports", p.port);
        p.route = p.port;
        const struct validate_list_world world = {&p, find_place, NULL, collect_place};
        str_clear(&f.said);
        for (size_t j = 0; j < validate_n_lists; j++)
            if (!strcmp(validate_lists[j].owner, "Logical_Switch") &&
                !strcmp(validate_lists[j].column, "ports"))
                validate_list(f.validate, &validate_lists[j], NULL, p.router, &world);
        bool is_told = strstr(str_c(&f.said), "has been given no address");
        if (is_told != gifts[i].is_told)
            fail_msg("%s, given \"%s\": \"%s\"", gifts[i].addresses, gifts[i].given,
                     str_c(&f.said));
        row_unref(p.router);
        row_unref(p.port);
    }
    tear_down(&f);
}

static const struct validate_list *list_of(const char *owner, const char *column)
{
    for (size_t i = 0; i < validate_n_lists; i++)
        if (!strcmp(validate_lists[i].owner, owner) && !strcmp(validate_lists[i].column, column))
            return &validate_lists[i];
    fail_msg("no list %s of %s", column, owner);
    return NULL;
}

struct family {
    struct fixture *f;
    struct row *children[2], *owner;
    const struct row *changed;
};

static const struct row *find_child(void *family_, const struct schema_table *table,
                                    const struct uuid *uuid)
{
    const struct family *family = family_;
    for (size_t i = 0; i < 2; i++)
        if (uuid_equal(&family->children[i]->uuid, uuid)) {
            assert_ptr_equal(family->children[i]->table, table);
            return family->children[i];
        }
    return NULL;
}

static bool is_changed(void *family, const struct row *row)
{
    return ((struct family *)family)->changed == row;
}

static void collect_family(void *family, const char *sentence)
{
    collect(((struct family *)family)->f, sentence);
}

static void make_family(struct fixture *f, const struct validate_list *list, struct family *family)
{
    *family = (struct family){.f = f, .owner = make(f, list->owner)};
    union atom uuids[2];
    for (size_t i = 0; i < 2; i++) {
        family->children[i] = make(f, list->child);
        uuids[i].uuid = family->children[i]->uuid;
    }
    row_set(family->owner, column_of(family->owner, list->column),
            datum_new_set(ATOM_UUID, uuids, 2));
}

static void free_family(struct family *family)
{
    row_unref(family->children[0]);
    row_unref(family->children[1]);
    row_unref(family->owner);
}

/* What is said of all, of nothing that changed, and of a child that did. */
static void expect_said(struct family *family, const struct validate_list *list, const char *said)
{
    const struct validate_list_world world = {family, find_child, is_changed, collect_family};
    struct fixture *f = family->f;
    for (int round = 0; round < 3; round++) {
        bool expected = said && round != 1;
        str_clear(&f->said);
        family->changed = round == 2 ? family->children[1] : NULL;
        validate_list(f->validate, list, round ? family->owner : NULL, family->owner, &world);
        if (expected ? !strstr(str_c(&f->said), said) : *str_c(&f->said))
            fail_msg("%s of %s, round %d: \"%s\", not \"%s\"", list->column, list->owner, round,
                     str_c(&f->said), expected ? said : "");
    }
}

static void test_pairs(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct validate_list *list = list_of(pairs[i].owner, pairs[i].column);
        struct family family;
        make_family(&f, list, &family);
        for (size_t j = 0; j < 4 && pairs[i].first[j].column; j++)
            set_text(family.children[0], pairs[i].first[j].column, pairs[i].first[j].text);
        assert_false(validate_list_same(list, family.children[1], family.children[0]) &&
                     pairs[i].said);
        for (size_t j = 0; j < 4 && pairs[i].second[j].column; j++)
            set_text(family.children[1], pairs[i].second[j].column, pairs[i].second[j].text);
        expect_said(&family, list, pairs[i].said);
        free_family(&family);
    }
    tear_down(&f);
}

static void test_vips(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct validate_list *list = list_of("Logical_Router", "load_balancer");
    struct family family;
    make_family(&f, list, &family);
    set_pair(family.children[0], "vips", "[fd00::1]:80", "[fd00::2]:80");
    set_pair(family.children[1], "vips", "[fd00:0::1]:80", "");
    expect_said(&family, list, "virtual address fd00::1, tcp port 80 is also of");
    set_text(family.children[0], "protocol", "udp");
    expect_said(&family, list, NULL);
    free_family(&family);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules), cmocka_unit_test(test_covers), cmocka_unit_test(test_qos),
        cmocka_unit_test(test_many),  cmocka_unit_test(test_ways),   cmocka_unit_test(test_gifts),
        cmocka_unit_test(test_pairs), cmocka_unit_test(test_vips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
