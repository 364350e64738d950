/* test_replay.c - replays what clients said to the real ovsdb-server and compares our answers.
 *
 * The server, its store and its clients are in this process, on virtual time: a "wait" of 200 ms
 * takes none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/json.h"
#include "ovsdb/server/server.h"
#include "unit/ovsdb_server/replay_match.h"

enum { MAX_CONNS = 32 };

struct conn {
    struct stream *stream;
    struct json_scanner scanner;
    json_t *got; /* array of messages since the last request */
    bool closed;
};

struct replay {
    struct env_seeded env;
    struct loop *loop;
    struct store *store;
    struct ovsdb_server *server;
    struct conn conns[MAX_CONNS];
    struct matcher matcher;
    json_t *lines;
    const char *note;
    size_t n_checks;
};

static char *read_file(const char *name)
{
    char *path = xasprintf("%s/ovsdb/%s", TEST_DATA, name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s is missing", path);
    free(path);
    struct str text = STR_INIT;
    char buf[65536];
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
        str_put_n(&text, buf, n);
    fclose(f);
    return str_steal(&text);
}

/* ---- connections ---- */

static void conn_readable(void *c_)
{
    struct conn *c = c_;
    size_t n;
    const char *text = stream_peek(c->stream, &n);
    while (json_scan(&c->scanner, text, n) == 1) {
        json_t *msg;
        assert_int_equal(json_from_text(text, c->scanner.pos, &msg, NULL), 0);
        json_array_append_new(c->got, msg);
        stream_consume(c->stream, c->scanner.pos);
        c->scanner = (struct json_scanner){0};
        text = stream_peek(c->stream, &n);
    }
}

static void conn_closed(void *c_, int err, const char *reason)
{
    struct conn *c = c_;
    assert_true(err && reason);
    c->closed = true;
}

static struct conn *conn_get(struct replay *r, size_t i)
{
    static const struct stream_callbacks callbacks = {.readable = conn_readable,
                                                      .closed = conn_closed};
    assert_true(i < MAX_CONNS);
    struct conn *c = &r->conns[i];
    if (!c->got) {
        struct stream *server_end;
        c->got = json_array();
        stream_pair(r->loop, r->loop, NULL, &c->stream, &server_end);
        stream_set_callbacks(c->stream, &callbacks, c);
        ovsdb_server_add_stream(r->server, server_end);
    }
    return c;
}

/* ---- one step: a request and what must follow ---- */

/* Until nothing more happens now; with WAIT also what time brings, within three seconds. */
static void settle(struct replay *r, bool wait)
{
    int64_t until = r->env.now_us + 3000000;
    for (int quiet = 0; quiet < 3;) {
        int64_t next = loop_next_us(r->loop);
        if (next > r->env.now_us) {
            if (!wait || next > until)
                quiet++;
            else
                r->env.now_us = next;
        } else {
            quiet = 0;
        }
        loop_run_once(r->loop, 0);
    }
}

static json_t *wanted(const json_t *lines, size_t from, json_int_t conn)
{
    json_t *want = json_array();
    for (size_t i = from; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        const char *dir = json_string_value(json_object_get(line, "dir"));
        if (json_object_get(line, "event") || (dir && !strcmp(dir, "c2s")))
            break;
        if (dir && json_integer_value(json_object_get(line, "conn")) == conn)
            json_array_append(want, json_object_get(line, "msg"));
    }
    return want;
}

static bool is_update(const json_t *msg)
{
    const char *method = json_string_value(json_object_get(msg, "method"));
    return method && text_starts_with(method, "update");
}

/* No update of a connection comes after the answer to its own request, unless recorded so. */
static bool updates_come_first(const json_t *want, const json_t *got)
{
    bool replied = false;
    if (json_array_size(want) && !json_object_get(json_array_get(want, 0), "method"))
        return true;
    for (size_t i = 0; i < json_array_size(got); i++) {
        const json_t *msg = json_array_get(got, i);
        if (is_update(msg) && replied)
            return false;
        replied |= !json_object_get(msg, "method");
    }
    return true;
}

static bool enough_arrived(struct replay *r, size_t line)
{
    for (size_t i = 0; i < MAX_CONNS; i++) {
        json_t *want = wanted(r->lines, line + 1, (json_int_t)i);
        size_t n = json_array_size(want);
        json_decref(want);
        if (r->conns[i].got && json_array_size(r->conns[i].got) < n)
            return false;
    }
    return true;
}

static void compare(struct replay *r, size_t line, size_t sender, const char *sent)
{
    settle(r, false);
    if (!enough_arrived(r, line))
        settle(r, true);
    for (size_t i = 0; i < MAX_CONNS; i++) {
        struct conn *c = &r->conns[i];
        if (!c->got)
            continue;
        json_t *want = wanted(r->lines, line + 1, (json_int_t)i);
        bool ok = match_bag(&r->matcher, want, c->got) &&
                  (i != sender || updates_come_first(want, c->got));
        r->n_checks++;
        if (!ok) {
            struct str text = STR_INIT;
            str_putf(&text, "line %zu [%s] conn %zu\n sent %s\n want ", line + 1, r->note, i, sent);
            json_put(want, true, &text);
            str_put(&text, "\n got  ");
            json_put(c->got, true, &text);
            print_error("%s\n", str_c(&text));
            str_fini(&text);
            fail();
        }
        json_decref(want);
        json_array_clear(c->got);
    }
}

/* Requests name rows that the server made by their recorded uuids. */
static char *rename_uuids(const struct replay *r, const char *text)
{
    struct str out = STR_INIT;
    while (*text) {
        size_t i = r->matcher.names.n;
        if (is_uuid(text)) {
            for (i = 0; i < r->matcher.names.n; i++) {
                if (!strncmp(r->matcher.names.data[i].want, text, UUID_TEXT_LEN))
                    break;
            }
        }
        if (i < r->matcher.names.n) {
            str_put(&out, r->matcher.names.data[i].got);
            text += UUID_TEXT_LEN;
        } else {
            str_putc(&out, *text++);
        }
    }
    return str_steal(&out);
}

static void send_line(struct replay *r, size_t i, const json_t *line, size_t conn)
{
    struct conn *c = conn_get(r, conn);
    const char *raw = json_string_value(json_object_get(line, "raw"));
    struct str text = STR_INIT;
    if (raw)
        str_put(&text, raw);
    else
        json_put(json_object_get(line, "msg"), false, &text);
    char *renamed = rename_uuids(r, str_c(&text));
    if (c->stream && !c->closed)
        stream_write_text(c->stream, renamed);
    compare(r, i, conn, renamed);
    free(renamed);
    str_fini(&text);
}

static void step(struct replay *r, size_t i)
{
    const json_t *line = json_array_get(r->lines, i);
    const char *event = json_string_value(json_object_get(line, "event"));
    const char *dir = json_string_value(json_object_get(line, "dir"));
    size_t conn = (size_t)json_integer_value(json_object_get(line, "conn"));
    if (json_object_get(line, "note")) {
        r->note = json_string_value(json_object_get(line, "note"));
    } else if (event && text_starts_with(event, "open")) {
        conn_get(r, conn);
    } else if (event && !strcmp(event, "closed-by-server")) {
        settle(r, false);
        if (!r->conns[conn].closed)
            fail_msg("line %zu [%s]: the connection should have been closed", i + 1, r->note);
        r->n_checks++;
    } else if (event && !strcmp(event, "close")) {
        stream_free(r->conns[conn].stream);
        r->conns[conn].stream = NULL;
        r->conns[conn].closed = true;
        compare(r, i, MAX_CONNS, "close");
    } else if (dir && !strcmp(dir, "c2s")) {
        send_line(r, i, line, conn);
    }
}

static json_t *read_lines(const char *name)
{
    char *text = read_file(name), *save = NULL;
    json_t *lines = json_array();
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        json_t *json;
        assert_int_equal(json_from_text(l, strlen(l), &json, NULL), 0);
        json_array_append_new(lines, json);
    }
    free(text);
    return lines;
}

static void replay(const char *name, size_t least)
{
    static struct replay r;
    memset(&r, 0, sizeof r);
    env_seeded_init(&r.env, 42);
    r.loop = loop_new(&r.env.env);
    r.lines = read_lines(name);
    r.note = "";
    char *schema = read_file("interop.ovsschema");
    struct store_options store_options = {.env = &r.env.env, .schema_text = schema};
    struct ovsdb_server_options options = {0};
    struct diag diag = DIAG_INIT;
    assert_int_equal(store_open(&store_options, &r.store, &diag), 0);
    r.server = ovsdb_server_new(r.loop, &options);
    assert_int_equal(ovsdb_server_add_db(r.server, r.store, &diag), 0);
    for (size_t i = 0; i < json_array_size(r.lines); i++)
        step(&r, i);
    assert_true(r.n_checks >= least);
    for (size_t i = 0; i < MAX_CONNS; i++) {
        stream_free(r.conns[i].stream);
        json_decref(r.conns[i].got);
    }
    settle(&r, false);
    assert_int_equal(ovsdb_server_n_sessions(r.server), 0);
    ovsdb_server_free(r.server);
    store_close(r.store);
    loop_free(r.loop);
    json_decref(r.lines);
    vec_fini(&r.matcher.names);
    free(schema);
}

static void test_ops(void **state UNUSED)
{
    replay("server-ops.jsonl", 180);
}

static void test_monitor(void **state UNUSED)
{
    replay("server-monitor.jsonl", 110);
}

static void test_session(void **state UNUSED)
{
    replay("server-session.jsonl", 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops),
        cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
