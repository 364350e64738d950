/* test_lists.c - what validate.h calls hidden or doubled among the children of one row: rules, addresses, networks, routes, NATs, VIPs. */
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
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_vips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
