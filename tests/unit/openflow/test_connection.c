/* test_connection.c - connections: negotiation, framing, echo, errors, over a pipe within the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "openflow/connection.h"

struct side {
    struct of_conn *conn;
    unsigned ready, messages, closed;
    struct of_msg last;
    uint8_t *data;
    bool free_on_message;
};

static void on_ready(void *aux, struct of_conn *conn UNUSED)
{
    struct side *s = aux;
    s->ready++;
}

static void on_message(void *aux, struct of_conn *conn, const struct of_msg *msg)
{
    struct side *s = aux;
    s->messages++;
    free(s->data);
    s->data = xmemdup(msg->data, msg->len);
    s->last = *msg;
    if (s->free_on_message) {
        of_conn_free(conn);
        s->conn = NULL;
    }
}

static void on_closed(void *aux, struct of_conn *conn UNUSED, int err UNUSED,
                      const char *reason UNUSED)
{
    struct side *s = aux;
    s->closed++;
}

static const struct of_conn_callbacks callbacks = {on_ready, on_message, NULL, on_closed};

struct fixture {
    struct env_seeded env;
    struct loop *loop;
    struct stream *a, *b;
    struct side sa, sb;
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    env_seeded_init(&f->env, 1);
    f->loop = loop_new(&f->env.env);
    struct stream_options so = {.max_input = 0};
    stream_pair(f->loop, f->loop, &so, &f->a, &f->b);
}

static void run(struct fixture *f)
{
    for (int i = 0; i < 20; i++)
        loop_run_once(f->loop, 0);
}

static void teardown(struct fixture *f)
{
    of_conn_free(f->sa.conn);
    of_conn_free(f->sb.conn);
    free(f->sa.data);
    free(f->sb.data);
    loop_free(f->loop);
}

static void connect_both(struct fixture *f, uint32_t va, uint32_t vb)
{
    struct of_conn_options oa = {.versions = va, .hello_bitmap = true}, ob = {.versions = vb};
    f->sa.conn = of_conn_new(f->loop, f->a, &oa, &callbacks, &f->sa);
    f->sb.conn = of_conn_new(f->loop, f->b, &ob, &callbacks, &f->sb);
    run(f);
}

static void test_negotiation(void **state UNUSED)
{
    static const struct {
        uint32_t a, b;
        uint8_t version; /* 0: none */
    } cases[] = {
        {1 << 6, OF_VERSIONS_ALL, 6},
        {1 << 1, OF_VERSIONS_ALL, 1},
        {1 << 4 | 1 << 5, OF_VERSIONS_ALL, 5},
        {1 << 4, 1 << 6 | 1 << 4, 4},
        {1 << 6, 1 << 1, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f;
        setup(&f);
        connect_both(&f, cases[i].a, cases[i].b);
        assert_int_equal(of_conn_version(f.sb.conn), cases[i].version);
        if (cases[i].version) {
            assert_int_equal(of_conn_version(f.sa.conn), cases[i].version);
            assert_int_equal(f.sa.ready, 1);
            assert_int_equal(f.sb.ready, 1);
        } else {
            assert_int_equal(f.sa.ready + f.sb.ready, 0);
            assert_true(f.sa.closed && f.sb.closed);
        }
        teardown(&f);
    }
}

static void test_messages(void **state UNUSED)
{
    struct fixture f;
    setup(&f);
    connect_both(&f, 1 << 6, OF_VERSIONS_ALL);
    struct of_buf w = OF_BUF_INIT;
    /* In pieces, and several at once. */
    of_simple_encode(OF_BARRIER_REQUEST, 6, 77, &w);
    of_conn_send(f.sa.conn, w.data, 3);
    run(&f);
    assert_int_equal(f.sb.messages, 0);
    of_conn_send(f.sa.conn, w.data + 3, 5);
    run(&f);
    assert_int_equal(f.sb.messages, 1);
    assert_int_equal(f.sb.last.type, OF_BARRIER_REQUEST);
    assert_int_equal(f.sb.last.xid, 77);
    of_simple_encode(OF_FEATURES_REQUEST, 6, 78, &w);
    of_simple_encode(OF_ECHO_REQUEST, 6, 79, &w);
    of_conn_send_buf(f.sa.conn, &w);
    run(&f);
    assert_int_equal(f.sb.messages, 3);
    assert_int_equal(f.sa.messages, 1); /* the echo reply: nothing probes here */

    /* What is not understood is answered with an error and the conversation goes on. */
    of_simple_encode(OF_BARRIER_REQUEST, 6, 80, &w);
    w.data[1] = 99;
    of_conn_send_buf(f.sa.conn, &w);
    run(&f);
    assert_int_equal(f.sb.messages, 3);
    assert_int_equal(f.sa.messages, 2);
    assert_int_equal(f.sa.last.type, OF_ERROR_MSG);
    assert_int_equal(f.sa.last.xid, 80);

    /* Paused: nothing is delivered, and all of it later. */
    of_conn_pause(f.sb.conn, true);
    for (int i = 0; i < 1000; i++)
        of_simple_encode(OF_BARRIER_REQUEST, 6, 100, &w);
    of_conn_send_buf(f.sa.conn, &w);
    run(&f);
    assert_int_equal(f.sb.messages, 3);
    of_conn_pause(f.sb.conn, false);
    run(&f);
    assert_int_equal(f.sb.messages, 1003);

    /* A length that cannot be ends it. */
    of_simple_encode(OF_BARRIER_REQUEST, 6, 81, &w);
    w.data[3] = 7;
    of_conn_send_buf(f.sa.conn, &w);
    run(&f);
    assert_int_equal(f.sb.closed, 1);
    of_buf_fini(&w);
    teardown(&f);
}

static void test_free_in_callback(void **state UNUSED)
{
    struct fixture f;
    struct of_buf w = OF_BUF_INIT;
    setup(&f);
    connect_both(&f, 1 << 6, OF_VERSIONS_ALL);
    f.sb.free_on_message = true;
    of_simple_encode(OF_BARRIER_REQUEST, 6, 1, &w);
    of_simple_encode(OF_BARRIER_REQUEST, 6, 2, &w);
    of_conn_send_buf(f.sa.conn, &w);
    run(&f);
    assert_int_equal(f.sb.messages, 1);
    assert_int_equal(f.sa.closed, 1);
    of_buf_fini(&w);
    teardown(&f);
}

static void test_probe(void **state UNUSED)
{
    struct fixture f;
    setup(&f);
    connect_both(&f, 1 << 6, OF_VERSIONS_ALL);
    of_conn_set_probe(f.sa.conn, 5000);
    for (int i = 0; i < 10; i++) {
        f.env.now_us += 5100000;
        run(&f);
    }
    assert_int_equal(f.sa.closed, 0); /* the other side answers */
    of_conn_pause(f.sb.conn, true);
    for (int i = 0; i < 3; i++) {
        f.env.now_us += 5100000;
        run(&f);
    }
    assert_int_equal(f.sa.closed, 1);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negotiation),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_free_in_callback),
        cmocka_unit_test(test_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
