/* test_commit_objects.c - groups, meters and ports in commits (switchd/group.c, switchd/ofcommit.c): what a bundle does to them is in force with its flows, not
 * before, and never when it fails, however many flows come after it; flows that use what is deleted go with it, many of them between packets. */
#include "openflow/meter.h"
#include "unit/switchd/commits.h"

enum { GROUP = 5, METER = 3 };

static void put_group(struct of_buf *buf, enum of_group_command command, const char *text)
{
    struct of_group_mod gm;
    struct diag diag = DIAG_INIT;
    if (of_group_mod_parse(text, command, NULL, &gm, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    size_t start = of_bundle_add_begin(1, 3, OF14_VERSION, 11, buf);
    of_group_mod_encode(&gm, OF14_VERSION, 11, buf);
    of_bundle_add_end(buf, start);
    of_group_mod_fini(&gm);
}

static void put_port(struct of_buf *buf, struct vport *port, uint32_t config)
{
    struct of_port_mod pm = {.number = port->ofport, .config = config, .mask = OF_PC_NO_FWD};
    pm.mac = port->dev->status.mac;
    size_t start = of_bundle_add_begin(1, 3, OF14_VERSION, 11, buf);
    of_port_mod_encode(&pm, OF14_VERSION, 11, buf);
    of_bundle_add_end(buf, start);
}

/* Flows to the group, of PRIORITY. */
static void put_users(struct of_buf *buf, unsigned priority)
{
    for (unsigned k = 0; k < FLOWS; k++) {
        char *text = xasprintf("priority=%u,ip,nw_dst=10.0.%u.%u,actions=group:5", priority, k >> 8,
                               k & 255);
        put_mod(buf, OF_FLOW_ADD, text);
        free(text);
    }
}

static void commit(struct setup *s, struct of_buf *buf, const char *before, const char *after,
                   unsigned errors)
{
    send_bundle(&s->a, buf);
    assert_true(watch(s, before, after) > FLOWS / 256); /* not in one piece */
    assert_int_equal(s->a.errors, errors);
    assert_int_equal(s->br->drafts.n, 0);
    quiet(s);
    buf->n = 0;
}

/* A group that comes, changes and is another one, each time before the flows of its bundle; the last bundle of each kind fails. */
static void test_groups(void **state UNUSED)
{
    static const struct {
        enum of_group_command command;
        const char *text, *before, *after;
        bool deletes; /* the group, before */
    } steps[] = {
        {OF_GROUP_ADD, "group_id=5,type=all,bucket=output:1", "", "p1", false},
        {OF_GROUP_MODIFY, "group_id=5,type=all,bucket=output:2", "p1", "p2", false},
        {OF_GROUP_ADD, "group_id=5,type=all,bucket=output:1", "p2", "p1", true},
    };
    struct setup s;
    struct of_buf buf = OF_BUF_INIT;
    begin(&s);
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        for (unsigned fails = 2; fails-- > 0;) {
            if (steps[i].deletes)
                put_group(&buf, OF_GROUP_DELETE, "group_id=5");
            put_group(&buf, steps[i].command, steps[i].text);
            put_users(&buf, i + 1);
            if (fails)
                put_mod(&buf, OF_FLOW_ADD, "actions=group:6"); /* there is none */
            commit(&s, &buf, steps[i].before, fails ? steps[i].before : steps[i].after,
                   fails ? 2 : 0);
            assert_true(fails && i == 0 ? !bridge_group(s.br, GROUP)
                                        : bridge_group(s.br, GROUP) != NULL);
        }
    }
    assert_int_equal(s.br->tables.n_rules, FLOWS); /* those of before went with the old group */
    of_buf_fini(&buf);
    end(&s);
}

/* Buckets are put in and taken out of what the bundle itself has made, and counters begin anew with another group only. */
static void test_buckets(void **state UNUSED)
{
    struct setup s;
    struct of_buf buf = OF_BUF_INIT;
    begin(&s);
    put_group(&buf, OF_GROUP_ADD, "group_id=5,type=all,bucket=output:1");
    put_users(&buf, 1);
    commit(&s, &buf, "", "p1", 0);
    vswitch_push_stats(&s.w.vs);
    assert_true(bridge_group(s.br, GROUP)->n_packets > 0);
    put_group(&buf, OF_GROUP_MODIFY, "group_id=5,type=all,bucket=output:2");
    put_group(&buf, OF_GROUP_MODIFY, "group_id=5,type=all,bucket=output:2,bucket=output:2");
    put_users(&buf, 1);
    commit(&s, &buf, "p1", "p2", 0);
    const struct group *g = bridge_group(s.br, GROUP);
    assert_int_equal(g->of.n_buckets, 2);
    assert_true(g->n_packets > 0);
    put_group(&buf, OF_GROUP_DELETE, "group_id=5");
    put_group(&buf, OF_GROUP_ADD, "group_id=5,type=all,bucket=output:1");
    put_group(&buf, OF_GROUP_ADD, "group_id=7,type=all");
    put_group(&buf, OF_GROUP_DELETE, "group_id=7");
    put_users(&buf, 1);
    uint64_t before = g->n_packets;
    commit(&s, &buf, "p2", "p1", 0);
    vswitch_push_stats(&s.w.vs);
    g = bridge_group(s.br, GROUP);
    assert_true(g->n_packets < before + FLOWS);
    assert_int_equal(g->of.n_buckets, 1);
    assert_null(bridge_group(s.br, 7));
    assert_false(bridge_has_group(s.br, 7));
    of_buf_fini(&buf);
    end(&s);
}

/* What deletes a group, all groups, or a meter takes thousands of flows with it, between packets, by a message alone. */
static void test_users(void **state UNUSED)
{
    for (unsigned way = 0; way < 3; way++) {
        struct setup s;
        struct of_buf buf = OF_BUF_INIT;
        struct of_meter_mod mm;
        struct of_group_mod gm;
        begin(&s);
        assert_int_equal(
            of_meter_mod_parse("meter=3,pktps,burst,band=type=drop,rate=1000000,burst_size=1000000",
                               OF_METER_ADD, &mm, NULL),
            0);
        assert_int_equal(bridge_meter_mod(s.br, &mm, NULL), 0);
        put_group(&buf, OF_GROUP_ADD, "group_id=5,type=all,bucket=output:2");
        put_mod(&buf, OF_FLOW_ADD, "priority=1,actions=1");
        for (unsigned k = 0; k < FLOWS; k++) {
            char *text = xasprintf("priority=5,ip,nw_dst=10.0.%u.%u,actions=%s", k >> 8, k & 255,
                                   way < 2 ? "group:5" : "meter:3,2");
            put_mod(&buf, OF_FLOW_ADD, text);
            free(text);
        }
        commit(&s, &buf, "", "p2", 0);
        s.a.committed = false;
        if (way < 2) {
            of_group_mod_init(&gm, OF_GROUP_DELETE, way ? OF_GROUP_ALL : GROUP);
            of_group_mod_encode(&gm, OF14_VERSION, 11, &buf);
            of_group_mod_fini(&gm);
        } else {
            mm.command = OF_METER_DELETE;
            of_meter_mod_encode(&mm, OF14_VERSION, 11, &buf);
        }
        put_control(&buf, OF_BUNDLE_OPEN_REQUEST); /* an empty one, to see the end */
        put_control(&buf, OF_BUNDLE_COMMIT_REQUEST);
        of_conn_send_buf(s.a.conn, &buf);
        assert_true(watch(&s, "p2", "p1") > FLOWS / 256);
        assert_int_equal(s.a.errors, 0);
        assert_int_equal(s.br->tables.n_rules, 1);
        assert_true(way < 2 ? !bridge_group(s.br, GROUP) : !bridge_meter(s.br, METER));
        of_meter_mod_fini(&mm);
        of_buf_fini(&buf);
        end(&s);
    }
}

/* How a port is configured changes with the flows, or not at all. */
static void test_ports(void **state UNUSED)
{
    struct setup s;
    struct of_buf buf = OF_BUF_INIT;
    begin(&s);
    replace_all(&s.a, false, 1);
    watch(&s, "", "p1");
    for (unsigned fails = 2; fails-- > 0;) {
        put_port(&buf, bridge_port(s.br, 1), OF_PC_NO_FWD);
        for (unsigned i = 0; i < FLOWS; i++)
            put_flow(&buf, OF_FLOW_ADD, i, 1);
        if (fails)
            put_mod(&buf, OF_FLOW_ADD, "actions=group:6");
        commit(&s, &buf, "p1", fails ? "p1" : "", fails ? 2 : 0);
        assert_int_equal(bridge_port(s.br, 1)->config, fails ? 0 : OF_PC_NO_FWD);
    }
    of_buf_fini(&buf);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
