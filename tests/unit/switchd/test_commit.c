/* test_commit.c - commits of bundles, and of single messages that change many flows, a slice at a time (switchd/ofcommit.c): packets and
 * controllers see all of it or nothing, a bundle that
 * fails leaves everything as it was, counters too, and who else changes flows meanwhile comes after it. */
#include "flow/rewrite.h"
#include "io/stream.h"
#include "openflow/connection.h"
#include "openflow/table.h"
#include "switchd/ofconn.h"
#include "switchd/table_policy.h"
#include "unit/switchd/world.h"

enum { FLOWS = 3000, PROBES = 16 };

struct client {
    struct of_conn *conn;
    bool ready, committed;
    unsigned errors, removed, active;
    struct of_aggregate sum;
};

struct setup {
    struct world w;
    struct bridge *br;
    struct vport *in;
    struct client a, b;
    uint32_t random;
};

static void on_ready(void *client, struct of_conn *conn)
{
    (void)conn;
    ((struct client *)client)->ready = true;
}

static void on_message(void *client, struct of_conn *conn, const struct of_msg *msg)
{
    struct client *c = client;
    struct of_bundle_control control;
    struct of_table_stats ts;
    size_t ofs = 0;
    (void)conn;
    c->errors += msg->type == OF_ERROR_MSG;
    c->removed += msg->type == OF_FLOW_REMOVED;
    if (msg->type == OF_BUNDLE_CONTROL && !of_bundle_control_decode(msg, &control))
        c->committed |= control.type == OF_BUNDLE_COMMIT_REPLY;
    else if (msg->type == OF_AGGREGATE_REPLY)
        assert_int_equal(of_aggregate_decode(msg, &c->sum), 0);
    else if (msg->type == OF_TABLE_STATS_REPLY)
        while (of_table_stats_next(msg, &ofs, &ts) == 1)
            c->active += ts.active;
}

static void turn(struct setup *s)
{
    assert_true(loop_run_once(s->w.loop, 0));
}

static void quiet(struct setup *s)
{
    while (loop_run_once(s->w.loop, 0)) {
    }
}

static void client_open(struct setup *s, struct client *c)
{
    static const struct of_conn_callbacks callbacks = {.ready = on_ready, .message = on_message};
    struct of_conn_options options = {.versions = 1u << OF14_VERSION};
    struct stream_options big = {.high_water = 64 << 20, .max_input = 64 << 20};
    struct stream *near, *far;
    stream_pair(s->w.loop, s->w.loop, &big, &near, &far);
    ofserver_on_accept(s->br->of, far);
    c->conn = of_conn_new(s->w.loop, near, &options, &callbacks, c);
    while (!c->ready)
        turn(s);
}

static struct bridge *bridge(struct setup *s, const char *name)
{
    struct bridge *br = bridge_new(&s->w.vs, name);
    br->secure = true;
    assert_int_equal(ofserver_new(br, NULL, &br->of, NULL), 0);
    return br;
}

static void begin(struct setup *s)
{
    memset(s, 0, sizeof *s);
    s->random = 7;
    world_init(&s->w);
    s->br = bridge(s, "br0");
    s->in = world_add(&s->w, s->br, "in", "dummy", 9, NULL);
    world_add(&s->w, s->br, "p1", "dummy", 1, NULL);
    world_add(&s->w, s->br, "p2", "dummy", 2, NULL);
    client_open(s, &s->a);
    client_open(s, &s->b);
}

static void end(struct setup *s)
{
    of_conn_free(s->a.conn);
    of_conn_free(s->b.conn);
    quiet(s);
    world_fini(&s->w);
}

/* ---- bundles ---- */

static void put_control(struct of_buf *buf, uint16_t type)
{
    struct of_bundle_control control = {1, type, 3};
    of_bundle_control_encode(&control, OF14_VERSION, 11, buf);
}

static void put_mod(struct of_buf *buf, enum of_flow_command command, const char *text)
{
    struct of_flow_mod fm;
    struct diag diag = DIAG_INIT;
    if (of_flow_mod_parse(text, command, NULL, NULL, &fm, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    size_t start = of_bundle_add_begin(1, 3, OF14_VERSION, 11, buf);
    of_flow_mod_encode(&fm, OF14_VERSION, 11, buf);
    of_bundle_add_end(buf, start);
    of_flow_mod_fini(&fm);
}

static void put_flow(struct of_buf *buf, enum of_flow_command command, unsigned i, unsigned port)
{
    bool deletes = command == OF_FLOW_DELETE || command == OF_FLOW_DELETE_STRICT;
    struct str text = STR_INIT;
    str_putf(&text, "table=%u,ip,nw_dst=10.0.%u.%u", i % 3, i >> 8, i & 255);
    if (command != OF_FLOW_DELETE && command != OF_FLOW_MODIFY)
        str_put(&text, ",priority=5");
    if (command == OF_FLOW_ADD)
        str_put(&text, ",send_flow_rem");
    if (!deletes)
        str_putf(&text, ",actions=%u", port);
    put_mod(buf, command, str_c(&text));
    str_fini(&text);
}

static void send_bundle(struct client *c, struct of_buf *messages)
{
    struct of_buf buf = OF_BUF_INIT;
    put_control(&buf, OF_BUNDLE_OPEN_REQUEST);
    of_conn_send_buf(c->conn, &buf);
    of_conn_send_buf(c->conn, messages);
    put_control(&buf, OF_BUNDLE_COMMIT_REQUEST);
    of_conn_send_buf(c->conn, &buf);
    c->committed = false;
    c->errors = c->removed = 0;
    of_buf_fini(&buf);
}

/* A bundle that adds all flows with output to PORT, after deleting what there is if FRESH. */
static void replace_all(struct client *c, bool fresh, unsigned port)
{
    struct of_buf buf = OF_BUF_INIT;
    if (fresh)
        put_mod(&buf, OF_FLOW_DELETE, "");
    for (unsigned i = 0; i < FLOWS; i++)
        put_flow(&buf, OF_FLOW_ADD, i, port);
    send_bundle(c, &buf);
    of_buf_fini(&buf);
}

/* ---- packets ---- */

/* By which port packets for flow I leave: "1", "2", or "" for none; all of them by the same, caches or not. */
static const char *outputs(struct setup *s, unsigned i)
{
    struct match m;
    struct packet packet;
    char *text = xasprintf("udp,nw_dst=10.0.%u.%u", i >> 8, i & 255);
    assert_int_equal(of_match_parse(text, NULL, &m, NULL, NULL), 0);
    packet_init(&packet);
    packet_compose(&packet, &m.key, 20);
    world_forget(&s->w);
    if (i % 2) {
        dummy_receive(s->in->dev, packet.data, packet.size);
    } else {
        flow_extract(&packet, &m.key);
        vswitch_rx_uncached(&s->w.vs, s->in, &packet);
    }
    packet_fini(&packet);
    free(text);
    return s->w.sent.n ? s->w.sent.data[0].port : "";
}

/* The port by which all packets leave now. */
static const char *port_of_all(struct setup *s)
{
    static const char *const names[] = {"", "p1", "p2"};
    unsigned seen = 0;
    for (unsigned k = 0; k < PROBES; k++) {
        s->random = s->random * 1664525 + 1013904223;
        const char *port = outputs(s, (s->random >> 8) % (FLOWS / 3) * 3);
        for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
            seen |= (unsigned)!strcmp(port, names[i]) << i;
    }
    if (seen & (seen - 1))
        fail_msg("packets see half of a bundle");
    return seen == 1 ? "" : seen == 2 ? "p1" : "p2";
}

static void ask_sum(struct client *c)
{
    struct of_flow_stats_request req;
    struct of_buf buf = OF_BUF_INIT;
    of_flow_stats_request_init(&req);
    req.aggregate = true;
    req.table_id = 1; /* a third of them: fewer slices than a commit takes */
    of_flow_stats_request_encode(&req, OF14_VERSION, false, 12, &buf);
    of_multipart_request_encode(OF_TABLE_STATS_REQUEST, OF14_VERSION, 13, &buf);
    c->sum.flows = UINT32_MAX;
    c->active = 0;
    of_conn_send_buf(c->conn, &buf);
    of_buf_fini(&buf);
}

/* Turns until the commit is done, with packets in each; all packets of a turn agree. Returns how many turns it was on its way. */
static unsigned watch(struct setup *s, const char *before, const char *after)
{
    unsigned turns = 0;
    bool flipped = false;
    while (!s->a.committed && !s->a.errors) {
        turn(s);
        const char *port = port_of_all(s);
        flipped |= !strcmp(port, after) && strcmp(before, after) != 0;
        assert_string_equal(port, flipped ? after : before);
        turns += s->br->of->commit != NULL;
    }
    assert_string_equal(port_of_all(s), after);
    assert_false(s->br->tables.pending);
    return turns;
}

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
            for (unsigned k = 0; k < 40 && !s.b.active && s.b.sum.flows == UINT32_MAX; k++)
                turn(&s);
            if (s.b.sum.flows == UINT32_MAX)
                continue;
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

/* Groups come with the flows that use them; from a modification on, all is done in one piece; a failure takes them back. */
static void test_groups(void **state UNUSED)
{
    static const char *const texts[] = {"group_id=5,type=all,bucket=output:1",
                                        "group_id=5,type=all,bucket=output:2"};
    struct setup s;
    begin(&s);
    for (unsigned i = 0; i < 3; i++) {
        struct of_buf buf = OF_BUF_INIT;
        struct of_group_mod gm;
        struct diag diag = DIAG_INIT;
        assert_int_equal(
            of_group_mod_parse(texts[i > 0], i ? OF_GROUP_MODIFY : OF_GROUP_ADD, NULL, &gm, &diag),
            0);
        size_t start = of_bundle_add_begin(1, 3, OF14_VERSION, 11, &buf);
        of_group_mod_encode(&gm, OF14_VERSION, 11, &buf);
        of_bundle_add_end(&buf, start);
        for (unsigned k = 0; k < FLOWS; k++) {
            char *text = xasprintf("priority=%u,ip,nw_dst=10.0.%u.%u,actions=group:5", i + 1,
                                   k >> 8, k & 255);
            put_mod(&buf, OF_FLOW_ADD, text);
            free(text);
        }
        if (i == 1)
            put_mod(&buf, OF_FLOW_ADD, "actions=group:6");
        send_bundle(&s.a, &buf);
        if (i == 0)
            watch(&s, "", "p1");
        else if (i == 1)
            watch(&s, "p1", "p1");
        else
            watch(&s, "p1", "p2");
        assert_int_equal(s.a.errors, i == 1 ? 2 : 0);
        of_group_mod_fini(&gm);
        of_buf_fini(&buf);
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
        cmocka_unit_test(test_limit),          cmocka_unit_test(test_groups),
        cmocka_unit_test(test_same),           cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
