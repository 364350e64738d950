/* test_jsonrpc.c - JSON texts and JSON-RPC framing, with peers that send rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/jsonrpc.h"

/* ---- texts ---- */

static void check_round(const char *in, const char *out)
{
    json_t *json;
    struct diag diag = DIAG_INIT;
    struct str text = STR_INIT;
    if (json_from_text(in, strlen(in), &json, &diag)) {
        assert_non_null(diag.text);
        str_put(&text, "error");
    } else {
        json_put(json, true, &text);
        json_decref(json);
    }
    assert_string_equal(str_c(&text), out);
    str_fini(&text);
    diag_fini(&diag);
}

static void test_texts(void **state UNUSED)
{
    check_round("[1e2,1.0,-0,0.1,1e-7,123456789012345678,-0.0]",
                "[100,1,0,0.1,1e-07,123456789012345678,0]");
    check_round("[3.14159265358979312,1e20,1.0000000000000002]", "[3.14159265358979,1e+20,1]");
    check_round("[9223372036854775807,-9223372036854775808]",
                "[9223372036854775807,-9223372036854775808]");
    check_round("[9223372036854775808,-9223372036854779999,123456789012345678901234]",
                "[9.22337203685478e+18,-9.22337203685478e+18,1.23456789012346e+23]");
    check_round("[\"12345678901234567890\",12345678901234567890]",
                "[\"12345678901234567890\",1.23456789012346e+19]");
    check_round("{\"b\":1,\"a\":[true,false,null,{}],\"b\":2}",
                "{\"a\":[true,false,null,{}],\"b\":2}");
    check_round("\"\\u00e9\\ud83d\\ude00\\u0001/\\/\\\"\\\\\\n\"",
                "\"\xc3\xa9\xf0\x9f\x98\x80\\u0001//\\\"\\\\\\n\"");
    check_round("1e400", "error");
    check_round("[\"a\\u0000b\"]", "error");
    check_round("[1,]", "error");
    check_round("{} {}", "error");
    check_round("\"\xff\"", "error");
    check_round("", "error");
}

static int scan_all(const char *text, size_t *end)
{
    struct json_scanner s = {0};
    int found = json_scan(&s, text, strlen(text));
    *end = s.pos;
    return found;
}

static void test_scan(void **state UNUSED)
{
    size_t end;
    assert_int_equal(scan_all(" \n{\"}\\\"{\":[{}]}{}", &end), 1);
    assert_int_equal(end, 15);
    assert_int_equal(scan_all("{\"a\":", &end), 0);
    assert_int_equal(scan_all("", &end), 0);
    assert_int_equal(scan_all("[1]", &end), ERR_SYNTAX);
    assert_int_equal(scan_all("hello", &end), ERR_SYNTAX);
    assert_int_equal(scan_all("}", &end), ERR_SYNTAX);
    struct str deep = STR_INIT;
    for (int i = 0; i < JSON_MAX_DEPTH + 1; i++)
        str_put(&deep, "{\"a\":");
    assert_int_equal(scan_all(str_c(&deep), &end), ERR_SYNTAX);
    str_fini(&deep);
    /* Byte by byte is the same as at once. */
    const char *text = "  {\"k\":\"v\\\\\",\"n\":[1,{\"x\":\"]}\"}]} {";
    struct json_scanner s = {0};
    size_t n = 0;
    while (json_scan(&s, text, n) == 0)
        n++;
    assert_int_equal(scan_all(text, &end), 1);
    assert_int_equal(s.pos, end);
}

/* ---- connections ---- */

struct side {
    struct env_seeded env;
    struct loop *loop;
    struct stream *peer; /* raw end */
    struct jsonrpc *rpc;
    struct str log; /* what the rpc end was told, and what the peer received */
    struct str received;
    char reason[200];
    int err;
    bool free_on_message;
};

static void side_message(void *s_, const struct jsonrpc_message *msg)
{
    static const char *const kinds[] = {"request", "notify", "reply", "error"};
    struct side *s = s_;
    str_putf(&s->log, "%s %s;", kinds[msg->kind], msg->method ? msg->method : "-");
    if (s->free_on_message) {
        jsonrpc_free(s->rpc);
        s->rpc = NULL;
    }
}

static void side_closed(void *s_, int err, const char *reason)
{
    struct side *s = s_;
    assert_int_equal(s->err, 0);
    s->err = err;
    snprintf(s->reason, sizeof s->reason, "%s", reason);
}

static void peer_readable(void *s_)
{
    struct side *s = s_;
    size_t n;
    const char *bytes = stream_peek(s->peer, &n);
    str_put_n(&s->received, bytes, n);
    stream_consume(s->peer, n);
}

static void peer_closed(void *s_ UNUSED, int err UNUSED, const char *reason UNUSED)
{
}

static void side_open(struct side *s)
{
    static const struct jsonrpc_callbacks callbacks = {.message = side_message,
                                                       .closed = side_closed};
    static const struct stream_callbacks peer_callbacks = {.readable = peer_readable,
                                                           .closed = peer_closed};
    struct stream *stream;
    memset(s, 0, sizeof *s);
    env_seeded_init(&s->env, 3);
    s->loop = loop_new(&s->env.env);
    stream_pair(s->loop, s->loop, NULL, &stream, &s->peer);
    stream_set_callbacks(s->peer, &peer_callbacks, s);
    s->rpc = jsonrpc_new(stream, &callbacks, s);
    jsonrpc_set_max_message(s->rpc, 1 << 16);
}

static void side_run(struct side *s)
{
    for (int quiet = 0; quiet < 3;) {
        quiet = loop_next_us(s->loop) > s->env.now_us ? quiet + 1 : 0;
        loop_run_once(s->loop, 0);
    }
}

static void side_close(struct side *s)
{
    jsonrpc_free(s->rpc);
    stream_free(s->peer);
    side_run(s);
    loop_free(s->loop);
    str_fini(&s->log);
    str_fini(&s->received);
}

/* What the owner hears of INPUT, and why it was closed ("" if it was not). */
static void check_input(const char *input, const char *log, const char *reason)
{
    struct side s;
    side_open(&s);
    stream_write_text(s.peer, input);
    side_run(&s);
    assert_string_equal(str_c(&s.log), log);
    if (*reason) {
        assert_true(s.err);
        if (!strstr(s.reason, reason))
            fail_msg("%s: closed because \"%s\"", input, s.reason);
    } else {
        assert_int_equal(s.err, 0);
    }
    side_close(&s);
}

static void test_messages(void **state UNUSED)
{
    check_input("{\"id\":0,\"method\":\"m\",\"params\":[]}{\"method\":\"n\",\"params\":[1],\"id\":"
                "null} {\"id\":[1],\"result\":{},\"error\":null}{\"id\":\"x\",\"error\":\"e\"}",
                "request m;notify n;reply -;error -;", "");
    check_input("{\"id\":1,\"result\":null,\"error\":null}", "reply -;", "");
    check_input("{\"id\":1,\"method\":\"m\"}", "", "\"params\" is not an array");
    check_input("{\"id\":1,\"method\":\"m\",\"params\":{}}", "", "\"params\"");
    check_input("{\"id\":1,\"method\":7,\"params\":[]}", "", "\"method\"");
    check_input("{\"id\":1,\"method\":\"m\",\"params\":[],\"jsonrpc\":\"2.0\"}", "", "unknown");
    check_input("{\"id\":1}", "", "neither");
    check_input("{}", "", "without \"id\"");
    check_input("{\"id\":1,\"result\":1,\"error\":2}", "", "a result and an error");
    check_input("{\"id\":1,\"method\":\"m\",\"params\":[],\"result\":1}", "", "request with");
    check_input("{\"id\":1,\"method\":\"m\",\"params\":[\"\\u0000\"]}", "", "\\u0000");
    check_input("hello", "", "not a JSON object");
    check_input(
        "{\"id\":1,\"method\":\"a\",\"params\":[]}]{\"id\":1,\"method\":\"b\",\"params\":[]}",
        "request a;", "not a JSON object");
    check_input("{\"id\":1,\"method\":\"a\",\"params\":[nonsense]}", "", "invalid token");
}

static void test_echo_and_replies(void **state UNUSED)
{
    struct side s;
    side_open(&s);
    stream_write_text(s.peer, "{\"id\":7,\"method\":\"echo\",\"params\":[1,{\"a\":null}]}");
    side_run(&s);
    assert_string_equal(str_c(&s.received),
                        "{\"id\":7,\"result\":[1,{\"a\":null}],\"error\":null}");
    assert_string_equal(str_c(&s.log), "");
    str_clear(&s.received);
    json_t *id = json_pack("[i,s]", 1, "x");
    jsonrpc_reply_error(s.rpc, id, json_string("unknown method"));
    jsonrpc_notify(s.rpc, "update", json_pack("[n]"));
    assert_int_equal(jsonrpc_request(s.rpc, "a", json_array()), 1);
    assert_int_equal(jsonrpc_request(s.rpc, "b", json_array()), 2);
    json_decref(id);
    side_run(&s);
    assert_string_equal(str_c(&s.received), "{\"id\":[1,\"x\"],\"error\":\"unknown method\"}"
                                            "{\"id\":null,\"method\":\"update\",\"params\":[null]}"
                                            "{\"id\":1,\"method\":\"a\",\"params\":[]}"
                                            "{\"id\":2,\"method\":\"b\",\"params\":[]}");
    side_close(&s);
}

static void test_probe(void **state UNUSED)
{
    struct side s;
    side_open(&s);
    side_run(&s);
    jsonrpc_set_probe(s.rpc, 5000);
    s.env.now_us += 5000000;
    side_run(&s);
    assert_string_equal(str_c(&s.received), "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}");
    /* Any input counts, and the answer is not shown to the owner. */
    s.env.now_us += 4000000;
    stream_write_text(s.peer, "{\"id\":\"echo\",\"result\":[],\"error\":null}");
    side_run(&s);
    s.env.now_us += 4000000;
    side_run(&s);
    assert_int_equal(s.err, 0);
    s.env.now_us += 1000000;
    side_run(&s); /* the second probe */
    s.env.now_us += 5000000;
    side_run(&s);
    assert_int_equal(s.err, ERR_TIMEOUT);
    assert_string_equal(s.reason, "no response to inactivity probe");
    assert_string_equal(str_c(&s.log), "");
    side_close(&s);
}

static void swallow(struct side *s, size_t n)
{
    size_t have;
    (void)stream_peek(s->peer, &have);
    stream_consume(s->peer, MIN(n, have));
}

static void leave_alone(void *s UNUSED)
{
}

/* A peer that takes a long message slowly is not dead while it takes it; one that stops is. */
static void test_probe_of_slow_reader(void **state UNUSED)
{
    static const struct stream_callbacks slow = {.readable = leave_alone, .closed = peer_closed};
    struct side s;
    side_open(&s);
    side_run(&s);
    stream_set_callbacks(s.peer, &slow, &s);
    stream_set_max_input(s.peer, 64 << 10);
    jsonrpc_set_probe(s.rpc, 5000);
    static char filler[1 << 20];
    memset(filler, ' ', sizeof filler);
    jsonrpc_send_text(s.rpc, filler, sizeof filler);
    for (int i = 0; i < 8; i++) {
        side_run(&s);
        swallow(&s, 64 << 10);
        side_run(&s);
        s.env.now_us += 4000000;
    }
    side_run(&s);
    assert_int_equal(s.err, 0);
    for (int i = 0; i < 4; i++) {
        s.env.now_us += 5000000;
        side_run(&s);
    }
    assert_int_equal(s.err, ERR_TIMEOUT);
    side_close(&s);
}

static void test_size_bound(void **state UNUSED)
{
    struct side s;
    side_open(&s);
    stream_write_text(s.peer, "{\"id\":1,\"method\":\"m\",\"params\":[\"");
    static char filler[1 << 17];
    memset(filler, 'x', sizeof filler - 1);
    stream_write_text(s.peer, filler);
    side_run(&s);
    assert_int_equal(s.err, ERR_TOO_BIG);
    side_close(&s);
}

/* Many messages in one read are shared out over turns, none is lost, also when the peer ends. */
static void test_many_then_end(void **state UNUSED)
{
    struct side s;
    side_open(&s);
    for (int i = 0; i < 500; i++)
        stream_write_text(s.peer, "{\"id\":1,\"method\":\"m\",\"params\":[]}");
    stream_write_text(s.peer, "{\"id\":1,\"met"); /* cut off */
    stream_close(s.peer, ERR_CLOSED, "done");
    side_run(&s);
    assert_int_equal(s.log.n, 500 * strlen("request m;"));
    assert_int_equal(s.err, ERR_CLOSED);
    side_close(&s);
}

static void test_pause(void **state UNUSED)
{
    struct side s;
    side_open(&s);
    side_run(&s);
    jsonrpc_pause(s.rpc, true);
    stream_write_text(s.peer, "{\"id\":1,\"method\":\"m\",\"params\":[]}");
    side_run(&s);
    assert_string_equal(str_c(&s.log), "");
    jsonrpc_pause(s.rpc, false);
    side_run(&s);
    assert_string_equal(str_c(&s.log), "request m;");
    s.free_on_message = true;
    stream_write_text(s.peer, "{\"id\":1,\"method\":\"a\",\"params\":[]}{\"id\":1,\"method\":\"b\","
                              "\"params\":[]}");
    side_run(&s);
    assert_string_equal(str_c(&s.log), "request m;request a;");
    side_close(&s);
}

/* Mutations of good input: no crash, and either messages or a reason. */
static void test_mutations(void **state UNUSED)
{
    static const char good[] = "{\"id\":1,\"method\":\"transact\",\"params\":[\"db\",{\"op\":\"x\","
                               "\"row\":[\"map\",[[1,2.5],[\"a\",\"\\u00e9\"]]]}]}";
    struct env_seeded env;
    env_seeded_init(&env, 99);
    for (int round = 0; round < 2000; round++) {
        struct side s;
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (int i = 0; i < 1 + round % 4; i++)
            text[env_random_u64(&env.env) % (sizeof good - 1)] = (char)env_random_u64(&env.env);
        side_open(&s);
        size_t cut = env_random_u64(&env.env) % sizeof good;
        stream_write(s.peer, text, cut);
        side_run(&s);
        stream_write(s.peer, text + cut, sizeof good - 1 - cut);
        side_run(&s);
        assert_true(!s.err || *s.reason);
        side_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_echo_and_replies),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_size_bound),
        cmocka_unit_test(test_probe_of_slow_reader),
        cmocka_unit_test(test_many_then_end),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
