/* test_commit.c - commits of bundles, and of single messages that change many flows, a slice at a time (switchd/ofcommit.c): packets and
 * controllers see all of it or nothing, a bundle that
 * fails leaves everything as it was, counters too, and who else changes flows meanwhile comes after it. */
#include "openflow/table.h"
#include "switchd/table_policy.h"
#include "unit/switchd/commits.h"

static void test_all_or_nothing(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    replace_all(&s.a, false, 1);
    assert_in_range(watch(&s, "", "p1"), FLOWS / 256, 5 * FLOWS / 256);
    assert_int_equal(s.br->tables.n_rules, FLOWS);
    replace_all(&s.a, false, 2); /* in their places */
    assert_true(watch(&s, "p1", "p2") > FLOWS / 256);
    assert_int_equal(s.br->tables.n_rules, FLOWS);
    assert_int_equal(s.a.removed, 0);
    replace_all(&s.a, true, 1); /* deleted and added */
    assert_true(watch(&s, "p2", "p1") > FLOWS / 256);
    assert_int_equal(s.br->tables.n_rules, FLOWS);
    quiet(&s);
    struct of_buf buf = OF_BUF_INIT;
    put_mod(&buf, OF_FLOW_MODIFY, "table=0,actions=2");
    put_mod(&buf, OF_FLOW_DELETE, "table=2");
    send_bundle(&s.a, &buf);
    watch(&s, "p1", "p2");
    assert_int_equal(s.br->tables.n_rules, FLOWS / 3 * 2);
    of_buf_fini(&buf);
    end(&s);
}

/* Other controllers, too: sums and tables of another connection are those of before until they are those of after. */
static void test_readers(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    unsigned sizes[] = {0, FLOWS, FLOWS, 0};
    for (unsigned i = 1; i < ARRAY_SIZE(sizes); i++) {
        struct of_buf buf = OF_BUF_INIT;
        unsigned before = 0;
        if (sizes[i]) {
            replace_all(&s.a, i == 2, i);
        } else { /* a flow at a time, so that it takes its turns */
            for (unsigned k = 0; k < FLOWS; k++)
                put_flow(&buf, OF_FLOW_DELETE, k, 0);
            send_bundle(&s.a, &buf);
        }
        while (!s.a.committed) {
            bool was = s.br->of->commit && !s.br->tables.flipped;
            ask_sum(&s.b);
            while (!s.b.has_tables) /* which come after the sum */
                turn(&s);
            bool is = s.br->of->commit && !s.br->tables.flipped;
            if (was && is)
                assert_int_equal(s.b.sum.flows, sizes[i - 1] / 3);
            before += was && is;
            assert_true(s.b.sum.flows == sizes[i - 1] / 3 || s.b.sum.flows == sizes[i] / 3 ||
                        was != is);
        }
        assert_true(before > 0);
        quiet(&s);
        ask_sum(&s.b);
        quiet(&s);
        assert_int_equal(s.b.sum.flows, sizes[i] / 3);
        assert_int_equal(s.b.active, sizes[i]);
        of_buf_fini(&buf);
    }
    end(&s);
}

/* The flows of BR as text, with their counters. */
static char *dump(const struct bridge *br, bool counters)
{
    struct of_flow_stats_request req;
    struct str text = STR_INIT;
    rule_vec rules = VEC_INIT;
    of_flow_stats_request_init(&req);
    tables_select(&br->tables, &req, &rules);
    for (size_t i = 0; i < rules.n; i++) {
        const struct rule *r = rules.data[i];
        struct match match;
        cls_rule_match(&r->cls, &match);
        str_putf(&text, "%u ", r->table_id);
        match_put(&text, &match, r->cls.priority, NULL);
        str_put(&text, " ");
        of_actions_put(&text, r->actions.data, r->actions.n, NULL);
        str_putf(&text, " %llu\n", counters ? (unsigned long long)r->n_packets : 0);
    }
    vec_fini(&rules);
    return str_steal(&text);
}

static void test_failure(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    replace_all(&s.a, false, 1);
    watch(&s, "", "p1");
    for (unsigned fresh = 0; fresh < 2; fresh++) {
        struct of_buf buf = OF_BUF_INIT;
        vswitch_push_stats(&s.w.vs);
        char *was = dump(s.br, false);
        if (fresh)
            put_mod(&buf, OF_FLOW_DELETE, "");
        for (unsigned i = 0; i < FLOWS; i++)
            put_flow(&buf, i % 5 ? OF_FLOW_ADD : OF_FLOW_DELETE_STRICT, i, 2);
        for (unsigned i = 0; i < FLOWS; i += 2) /* what the bundle itself has made */
            put_flow(&buf, i % 4 ? OF_FLOW_MODIFY : OF_FLOW_DELETE, i, 2);
        put_mod(&buf, OF_FLOW_ADD, "actions=group:77"); /* there is none */
        send_bundle(&s.a, &buf);
        const struct rule *first =
            CONTAINER_OF(s.br->tables.table[0].cls.rules.next, struct rule, cls.order);
        uint64_t counted = first->n_packets;
        unsigned turns = 0, packets = 0;
        for (; !s.a.errors; turns++) {
            turn(&s);
            assert_string_equal(port_of_all(&s), "p1");
            assert_string_equal(outputs(&s, 0), "p1"); /* of the first flow */
            packets++;
        }
        assert_true(turns > FLOWS / 256);
        assert_int_equal(s.a.errors, 2); /* of the message, and of the bundle */
        assert_false(s.a.committed);
        vswitch_push_stats(&s.w.vs);
        char *is = dump(s.br, false);
        assert_string_equal(is, was);
        assert_true(first->n_packets >= counted + packets);
        assert_int_equal(s.br->tables.n_rules, FLOWS);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(tables_active(&s.br->tables, (uint8_t)i), FLOWS / 3);
        free(was);
        free(is);
        of_buf_fini(&buf);
    }
    end(&s);
}

/* Flow mods of others, of flows that learn, connections that close: the bundle is done before. */
static void test_settled(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    for (unsigned way = 0; way < 3; way++) {
        replace_all(&s.a, true, 1 + way % 2);
        while (!s.br->of->commit)
            turn(&s);
        turn(&s);
        assert_true(s.br->tables.pending);
        if (way == 0) {
            world_add_flow(s.br, "table=0,priority=9,udp,nw_dst=10.0.0.3,actions=2");
        } else if (way == 1) {
            replace_all(&s.b, false, 1); /* another bundle */
            while (!s.b.committed)
                turn(&s);
        } else {
            of_conn_close(s.a.conn, "test");
            while (s.br->tables.pending)
                turn(&s);
        }
        assert_true(way == 1 || !s.br->tables.pending);
        quiet(&s);
        assert_true(way == 2 || s.a.committed);
        assert_int_equal(s.br->tables.n_rules, FLOWS + (way == 0));
        assert_string_equal(outputs(&s, 6), "p1");
        if (way == 0)
            assert_string_equal(outputs(&s, 3), "p2");
    }
    end(&s);
}

/* A table with a limit: what a bundle takes away makes room for what it adds, and not before its flip. */
static void test_limit(void **state UNUSED)
{
    struct setup s;
    struct journal journal = JOURNAL_INIT;
    struct table_settings settings = {.limit = FLOWS / 3};
    begin(&s);
    tables_configure(&s.br->tables, 0, &settings, &journal);
    for (unsigned i = 0; i < 2; i++) {
        replace_all(&s.a, i > 0, 1 + i);
        watch(&s, i ? "p1" : "", i ? "p2" : "p1");
        assert_int_equal(s.a.errors, 0);
        assert_int_equal(tables_active(&s.br->tables, 0), FLOWS / 3);
    }
    struct of_buf buf = OF_BUF_INIT;
    put_mod(&buf, OF_FLOW_DELETE, "table=1");
    put_mod(&buf, OF_FLOW_ADD, "table=0,arp,actions=1"); /* one too many */
    send_bundle(&s.a, &buf);
    watch(&s, "p2", "p2");
    assert_int_equal(s.a.errors, 2);
    assert_int_equal(s.br->tables.n_rules, FLOWS);
    of_buf_fini(&buf);
    vec_fini(&journal.changes);
    end(&s);
}

/* Random bundles by slices on one bridge, in one piece on another: the same flows in the same order. */
static void test_same(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    struct bridge *other = bridge(&s, "br1");
    for (unsigned round = 0; round < 12; round++) {
        struct of_buf buf = OF_BUF_INIT, replies = OF_BUF_INIT, one = OF_BUF_INIT;
        for (unsigned i = 0; i < 1500; i++) {
            static const enum of_flow_command commands[] = {
                OF_FLOW_ADD,    OF_FLOW_ADD,    OF_FLOW_MODIFY_STRICT,
                OF_FLOW_MODIFY, OF_FLOW_DELETE, OF_FLOW_DELETE_STRICT};
            s.random = s.random * 1664525 + 1013904223;
            put_flow(&buf, commands[(s.random >> 20) % ARRAY_SIZE(commands)], (s.random >> 8) % 700,
                     1 + (s.random >> 7) % 2);
        }
        if (round % 3 == 2)
            put_mod(&buf, OF_FLOW_ADD, "actions=group:77");
        struct ofconn oc;
        ofconn_init(&oc, other->of, true);
        put_control(&one, OF_BUNDLE_OPEN_REQUEST);
        ofconn_inject(&oc, one.data, one.n, &replies);
        for (size_t at = 0; at < buf.n; at += get_be16(buf.data + at + 2))
            ofconn_inject(&oc, buf.data + at, get_be16(buf.data + at + 2), &replies);
        one.n = 0;
        put_control(&one, OF_BUNDLE_COMMIT_REQUEST);
        ofconn_inject(&oc, one.data, one.n, &replies);
        ofbundles_free(&oc);
        ofmonitors_free(&oc);
        send_bundle(&s.a, &buf);
        quiet(&s);
        assert_int_equal(s.a.errors, round % 3 == 2 ? 2 : 0);
        char *a = dump(s.br, true), *b = dump(other, true);
        assert_string_equal(a, b);
        assert_true(strlen(a) > 1000);
        free(a);
        free(b);
        of_buf_fini(&buf);
        of_buf_fini(&one);
        of_buf_fini(&replies);
    }
    end(&s);
}

/* A message alone that modifies or deletes many flows: all of it at once for packets, and the same as at a bridge where it is done in one piece. */
static void test_alone(void **state UNUSED)
{
    static const struct {
        enum of_flow_command command;
        const char *text, *after; /* where all packets go then; NULL: not the same for all */
    } steps[] = {{OF_FLOW_MODIFY, "table=0,actions=2", "p2"},
                 {OF_FLOW_MODIFY, "actions=group:77", "p2"}, /* there is none */
                 {OF_FLOW_MODIFY, "ip,nw_dst=10.0.0.0/22,actions=1", NULL},
                 {OF_FLOW_DELETE, "table=1,ip,nw_dst=10.0.4.0/22", NULL},
                 {OF_FLOW_DELETE, "out_port=2", NULL},
                 {OF_FLOW_MODIFY, "table=1,actions=1,2", NULL},
                 {OF_FLOW_DELETE, "", ""}};
    struct setup s;
    begin(&s);
    struct bridge *other = bridge(&s, "br1");
    replace_all(&s.a, false, 1);
    watch(&s, "", "p1");
    for (unsigned i = 0; i < FLOWS; i++) {
        char *text = xasprintf("table=%u,priority=5,ip,nw_dst=10.0.%u.%u,send_flow_rem,actions=1",
                               i % 3, i >> 8, i & 255);
        world_add_flow(other, text);
        free(text);
    }
    const char *before = "p1";
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        struct of_buf buf = OF_BUF_INIT, replies = OF_BUF_INIT;
        struct of_flow_mod fm;
        assert_int_equal(of_flow_mod_parse(steps[i].text, steps[i].command, NULL, NULL, &fm, NULL),
                         0);
        of_flow_mod_encode(&fm, OF14_VERSION, 11, &buf);
        ofserver_inject(other->of, OF14_VERSION, buf.data, buf.n, &replies);
        of_conn_send_buf(s.a.conn, &buf);
        unsigned turns = 0;
        bool flipped = false, refused = i == 1;
        s.a.errors = 0;
        do {
            turn(&s);
            const char *port = before && steps[i].after ? port_of_all(&s) : NULL;
            flipped |= port && !strcmp(port, steps[i].after);
            if (port)
                assert_string_equal(port, flipped ? steps[i].after : before);
            turns += s.br->of->commit != NULL;
        } while (refused ? !s.a.errors : !turns || s.br->of->commit);
        assert_true(refused || turns > 2);
        assert_int_equal(s.a.errors, refused);
        assert_int_equal(replies.n > 0, refused);
        char *is = dump(s.br, false), *want = dump(other, false);
        assert_string_equal(is, want);
        free(is);
        free(want);
        before = steps[i].after;
        of_flow_mod_fini(&fm);
        of_buf_fini(&buf);
        of_buf_fini(&replies);
    }
    assert_int_equal(s.br->tables.n_rules, 0);
    end(&s);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_or_nothing), cmocka_unit_test(test_readers),
        cmocka_unit_test(test_failure),        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_limit),          cmocka_unit_test(test_same),
        cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
