/* commits.h - a bridge with two controllers, one of which commits bundles (or the like) while packets and the other one look. */
#pragma once

#include "flow/rewrite.h"
#include "io/stream.h"
#include "openflow/connection.h"
#include "openflow/table.h"
#include "switchd/ofconn.h"
#include "unit/switchd/world.h"

enum { FLOWS = 3000, PROBES = 16 };

struct client {
    struct of_conn *conn;
    bool ready, committed, has_tables;
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

static inline void on_ready(void *client, struct of_conn *conn)
{
    (void)conn;
    ((struct client *)client)->ready = true;
}

static inline void on_message(void *client, struct of_conn *conn, const struct of_msg *msg)
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
    c->has_tables |= msg->type == OF_TABLE_STATS_REPLY;
    if (msg->type == OF_TABLE_STATS_REPLY)
        while (of_table_stats_next(msg, &ofs, &ts) == 1)
            c->active += ts.active;
}

static inline void turn(struct setup *s)
{
    assert_true(loop_run_once(s->w.loop, 0));
}

static inline void quiet(struct setup *s)
{
    while (loop_run_once(s->w.loop, 0)) {
    }
}

static inline void client_open(struct setup *s, struct client *c)
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

static inline struct bridge *bridge(struct setup *s, const char *name)
{
    struct bridge *br = bridge_new(&s->w.vs, name);
    br->secure = true;
    assert_int_equal(ofserver_new(br, NULL, &br->of, NULL), 0);
    return br;
}

static inline void begin(struct setup *s)
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

static inline void end(struct setup *s)
{
    of_conn_free(s->a.conn);
    of_conn_free(s->b.conn);
    quiet(s);
    world_fini(&s->w);
}

/* ---- bundles ---- */

static inline void put_control(struct of_buf *buf, uint16_t type)
{
    struct of_bundle_control control = {1, type, 3};
    of_bundle_control_encode(&control, OF14_VERSION, 11, buf);
}

static inline void put_mod(struct of_buf *buf, enum of_flow_command command, const char *text)
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

static inline void put_flow(struct of_buf *buf, enum of_flow_command command, unsigned i,
                            unsigned port)
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

static inline void send_bundle(struct client *c, struct of_buf *messages)
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
static inline void replace_all(struct client *c, bool fresh, unsigned port)
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
static inline const char *outputs(struct setup *s, unsigned i)
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
static inline const char *port_of_all(struct setup *s)
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

static inline void ask_sum(struct client *c)
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
    c->has_tables = false;
    of_conn_send_buf(c->conn, &buf);
    of_buf_fini(&buf);
}

/* Turns until the commit is done, with packets in each; all packets of a turn agree. Returns how many turns it was on its way. */
static inline unsigned watch(struct setup *s, const char *before, const char *after)
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
