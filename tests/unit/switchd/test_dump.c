/* test_dump.c - dumps of flows a slice at a time (switchd/ofdump.c): flows that stay are told once, whatever comes and goes meanwhile;
 * replies keep their order; who does not read is waited for, and leaves nothing behind. */
#include "io/stream.h"
#include "openflow/connection.h"
#include "switchd/ofconn.h"
#include "unit/switchd/world.h"

enum { TABLES = 4, FLOWS = 4000, MOST = 20000 };

struct client {
    struct of_conn *conn;
    unsigned told[MOST]; /* by cookie */
    unsigned n_told, n_parts;
    struct of_aggregate sum;
    bool ready, done, barrier_early, barrier;
};

struct setup {
    struct world w;
    struct bridge *br;
    struct client a, b;
    struct {
        bool is_there, stays; /* since the dumps began */
    } flow[MOST];             /* by cookie */
    unsigned n;               /* cookies given */
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
    size_t ofs = 0;
    struct of_flow_stats fs;
    (void)conn;
    if (msg->type == OF_BARRIER_REPLY) {
        c->barrier_early |= !c->done;
        c->barrier = true;
    } else if (msg->type == OF_AGGREGATE_REPLY) {
        assert_int_equal(of_aggregate_decode(msg, &c->sum), 0);
        c->done = true;
    } else if (msg->type == OF_FLOW_STATS_REPLY) {
        while (of_flow_stats_next(msg, &ofs, &fs) == 1) {
            assert_true(fs.cookie < MOST);
            c->told[fs.cookie]++;
            c->n_told++;
            of_flow_stats_fini(&fs);
        }
        c->n_parts++;
        c->done = !(msg->flags & OF_MULTIPART_MORE);
    }
}

static void client_open(struct setup *s, struct client *c)
{
    static const struct of_conn_callbacks callbacks = {.ready = on_ready, .message = on_message};
    struct of_conn_options options = {.versions = 1u << OF15_VERSION};
    struct stream *near, *far;
    stream_pair(s->w.loop, s->w.loop, NULL, &near, &far);
    ofserver_on_accept(s->br->of, far);
    c->conn = of_conn_new(s->w.loop, near, &options, &callbacks, c);
    while (!c->ready)
        assert_true(loop_run_once(s->w.loop, 0));
}

static void mod(struct setup *s, struct journal *journal, enum of_flow_command command,
                unsigned cookie)
{
    char *text = xasprintf("%s=%u%s,table=%u,ip,nw_dst=10.%u.%u.1%s",
                           command == OF_FLOW_ADD ? "cookie" : "priority=7,cookie", cookie,
                           command == OF_FLOW_ADD ? ",priority=7" : "/-1", cookie % TABLES,
                           cookie >> 8, cookie & 255,
                           command == OF_FLOW_DELETE_STRICT ? ""
                           : s->random & 1                  ? ",actions=1"
                                                            : ",actions=2");
    struct of_flow_mod fm;
    struct diag diag = DIAG_INIT;
    if (of_flow_mod_parse(text, command, NULL, NULL, &fm, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    assert_int_equal(bridge_flow_mod(s->br, &fm, journal), 0);
    of_flow_mod_fini(&fm);
    free(text);
}

static void add(struct setup *s, unsigned n)
{
    struct journal journal = JOURNAL_INIT;
    for (; n--; s->n++) {
        assert_true(s->n < MOST);
        mod(s, &journal, OF_FLOW_ADD, s->n);
        s->flow[s->n].is_there = true;
    }
    bridge_commit(s->br, &journal);
}

static void begin(struct setup *s)
{
    memset(s, 0, sizeof *s);
    s->random = 1;
    world_init(&s->w);
    s->br = bridge_new(&s->w.vs, "br0");
    s->br->secure = true;
    assert_int_equal(ofserver_new(s->br, NULL, &s->br->of, NULL), 0);
    add(s, FLOWS);
    client_open(s, &s->a);
    client_open(s, &s->b);
}

static void end(struct setup *s)
{
    of_conn_free(s->a.conn);
    of_conn_free(s->b.conn);
    while (loop_run_once(s->w.loop, 0)) {
    }
    world_fini(&s->w);
}

/* Asks for the flows, or their sum, that TEXT selects, and for a barrier behind that. */
static void ask(struct client *c, const char *text, bool aggregate)
{
    struct of_flow_stats_request req;
    struct diag diag = DIAG_INIT;
    struct of_buf buf = OF_BUF_INIT;
    assert_int_equal(of_flow_stats_request_parse(text, NULL, NULL, &req, &diag), 0);
    req.aggregate = aggregate;
    of_flow_stats_request_encode(&req, OF15_VERSION, false, 5, &buf);
    of_simple_encode(OF_BARRIER_REQUEST, OF15_VERSION, 6, &buf);
    memset(c->told, 0, sizeof c->told);
    c->n_told = c->n_parts = 0;
    c->done = c->barrier = false;
    of_conn_send_buf(c->conn, &buf);
    of_buf_fini(&buf);
}

/* Changes that come between slices: flows go, come, are replaced, and bundles are taken back. */
static void disturb(struct setup *s)
{
    struct journal keep = JOURNAL_INIT, undo = JOURNAL_INIT;
    for (unsigned i = 0; i < 20; i++) {
        s->random = s->random * 1664525 + 1013904223;
        unsigned cookie = (s->random >> 8) % s->n;
        if (!s->flow[cookie].is_there)
            continue;
        if (s->random >> 30 == 0) {
            mod(s, &keep, OF_FLOW_DELETE_STRICT, cookie);
            s->flow[cookie].is_there = s->flow[cookie].stays = false;
        } else {
            mod(s, &keep, OF_FLOW_MODIFY_STRICT, cookie);
        }
    }
    bridge_commit(s->br, &keep);
    for (unsigned i = 0; i < 300; i++) {
        s->random = s->random * 1664525 + 1013904223;
        unsigned cookie = (s->random >> 8) % s->n;
        if (s->flow[cookie].is_there)
            mod(s, &undo, s->random >> 31 ? OF_FLOW_DELETE_STRICT : OF_FLOW_MODIFY_STRICT, cookie);
    }
    journal_undo(&undo, &s->br->tables);
    add(s, 10);
}

static void check_told(const struct setup *s, const struct client *c, unsigned old)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (c->told[i] > 1 || (s->flow[i].stays && c->told[i] != 1) || (i >= old && c->told[i]))
            fail_msg("flow %u of %u (%s) was told %u times", i, old,
                     s->flow[i].stays ? "stays" : "comes or goes", c->told[i]);
    }
}

static void test_changes(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    for (unsigned round = 0; round < 8; round++) {
        unsigned old = s.n, turns = 0, there = 0;
        for (unsigned i = 0; i < s.n; i++)
            there += s.flow[i].stays = s.flow[i].is_there;
        ask(&s.a, "", false);
        ask(&s.b, "", false);
        while (s.br->of->dumps.next == s.br->of->dumps.prev) /* until both have begun */
            assert_true(loop_run_once(s.w.loop, 0));
        for (; !s.a.barrier || !s.b.barrier; turns++) {
            assert_true(loop_run_once(s.w.loop, 0));
            disturb(&s);
        }
        assert_in_range(turns, there / 256, 2 * there / 256 + 10); /* a slice a turn */
        check_told(&s, &s.a, old);
        check_told(&s, &s.b, old);
        assert_false(s.a.barrier_early || s.b.barrier_early);
        assert_true(s.a.n_parts > 1);
        assert_true(list_empty(&s.br->tables.table[1].cls.cursors));
    }
    end(&s);
}

/* What is selected, and sums, are those of the request that is answered in one piece. */
static void test_selection(void **state UNUSED)
{
    static const char *const texts[] = {"",
                                        "table=2",
                                        "table=77",
                                        "ip",
                                        "arp",
                                        "ip,nw_dst=10.3.0.0/16",
                                        "cookie=0x40/0x40",
                                        "out_port=2",
                                        "table=1,ip,nw_dst=10.4.1.1"};
    struct setup s;
    begin(&s);
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        struct of_flow_stats_request req;
        struct diag diag = DIAG_INIT;
        rule_vec rules = VEC_INIT;
        assert_int_equal(of_flow_stats_request_parse(texts[i], NULL, NULL, &req, &diag), 0);
        tables_select(&s.br->tables, &req, &rules);
        ask(&s.a, texts[i], false);
        ask(&s.b, texts[i], true);
        while (!s.a.barrier || !s.b.barrier)
            assert_true(loop_run_once(s.w.loop, 0));
        assert_int_equal(s.a.n_told, rules.n);
        assert_int_equal(s.b.sum.flows, rules.n);
        for (size_t j = 0; j < rules.n; j++)
            assert_int_equal(s.a.told[rules.data[j]->cookie], 1);
        vec_fini(&rules);
    }
    end(&s);
}

/* Whoever does not read is waited for, with bounded memory and without work; others are served. */
static void test_slow_reader(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    add(&s, MOST - FLOWS);
    of_conn_pause(s.a.conn, true);
    ask(&s.a, "", false);
    ask(&s.b, "", false);
    unsigned turns = 0;
    while (loop_run_once(s.w.loop, 0))
        assert_true(++turns < 1000);
    assert_true(s.b.barrier && s.b.n_told == MOST);
    assert_int_equal(s.a.n_told, 0);
    assert_false(list_empty(&s.br->of->dumps)); /* it has not been made whole */
    of_conn_pause(s.a.conn, false);
    while (loop_run_once(s.w.loop, 0)) {
    }
    assert_true(s.a.barrier && !s.a.barrier_early && s.a.n_told == MOST);
    end(&s);
}

static void test_gone(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    ask(&s.a, "", false);
    ask(&s.b, "", false);
    loop_run_once(s.w.loop, 0);
    loop_run_once(s.w.loop, 0);
    assert_false(list_empty(&s.br->of->dumps));
    of_conn_free(s.a.conn); /* the client, in the middle of it */
    s.a.conn = NULL;
    while (loop_run_once(s.w.loop, 0)) {
    }
    assert_true(s.b.barrier && s.b.n_told == FLOWS);
    ask(&s.b, "", false);
    loop_run_once(s.w.loop, 0);
    loop_run_once(s.w.loop, 0);
    assert_false(list_empty(&s.br->of->dumps));
    bridge_free(s.br); /* the bridge */
    while (loop_run_once(s.w.loop, 0)) {
    }
    assert_false(s.b.done);
    end(&s);
}

/* More flows time out in one second than a slice can look at: they leave in the turns after the tick, and those with time left stay. Flows that
 * come and go meanwhile, one where the round has stopped among them, are no trouble. */
static void test_expiry_in_slices(void **state)
{
    enum { N = 3000 };
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 1);
    for (unsigned i = 0; i < N; i++) {
        char *text = xasprintf("hard_timeout=%u,ip,nw_dst=10.0.%u.%u,actions=drop", i % 3 ? 5 : 50,
                               i >> 8, i & 255);
        world_add_flow(br, text);
        free(text);
    }
    w.env.now_us += 6 * INT64_C(1000000);
    vswitch_tick(&w.vs);
    size_t n = br->tables.n_rules, turns = 0;
    assert_true(n > N / 3 && n < N); /* a part of them in the tick */
    struct rule *next = CONTAINER_OF(br->tables.expiry.next, struct rule, expirable);
    struct journal journal = JOURNAL_INIT;
    tables_remove(&br->tables, next, OF_REMOVED_DELETE, &journal);
    bridge_commit(br, &journal);
    world_add_flow(br, "hard_timeout=5,arp,actions=drop");
    while (loop_run_once(w.loop, 0) && br->tables.n_rules > N / 3 + 1 && turns < 100)
        turns++;
    assert_in_range(turns, 2, 50);
    assert_in_range(br->tables.n_rules, N / 3, N / 3 + 1);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),          cmocka_unit_test(test_selection),
        cmocka_unit_test(test_slow_reader),      cmocka_unit_test(test_gone),
        cmocka_unit_test(test_expiry_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
