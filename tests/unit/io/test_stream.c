/* test_stream.c - streams of every kind and reconnection against what their headers
 * promise, with peers that are slow, silent, greedy or wrong. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/jsonrpc.h"
#include "io/reconnect.h"
#include "io/tls.h"

/* ---- streams ---- */

struct end {
    struct stream *stream;
    struct str got;
    int err, connected, drained;
    char reason[200];
    bool hold; /* reads nothing */
    bool free_in_callback;
};

static void end_connected(void *e_)
{
    ((struct end *)e_)->connected++;
}

static void end_readable(void *e_)
{
    struct end *e = e_;
    size_t n;
    if (e->hold)
        return;
    const char *bytes = stream_peek(e->stream, &n);
    str_put_n(&e->got, bytes, n);
    stream_consume(e->stream, n);
    if (e->free_in_callback) {
        stream_free(e->stream);
        e->stream = NULL;
    }
}

static void end_drained(void *e_)
{
    ((struct end *)e_)->drained++;
}

static void end_closed(void *e_, int err, const char *reason)
{
    struct end *e = e_;
    assert_int_equal(e->err, 0);
    e->err = err;
    snprintf(e->reason, sizeof e->reason, "%s", reason);
}

static const struct stream_callbacks end_callbacks = {end_connected, end_readable, end_drained,
                                                      end_closed};

static void end_use(struct end *e, struct stream *stream)
{
    e->stream = stream;
    stream_set_callbacks(stream, &end_callbacks, e);
}

static void end_fini(struct end *e)
{
    stream_free(e->stream);
    str_fini(&e->got);
}

static void accept_end(void *e_, struct stream *stream)
{
    struct end *e = e_;
    assert_null(e->stream);
    end_use(e, stream);
}

struct link {
    struct loop *loop;
    struct stream_listener *listener;
    struct end a, b; /* a connects, b is accepted */
};

static char *temp_dir(void)
{
    char *dir = xstrdup("/tmp/weft-io-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void run_ms(struct loop *loop, int ms)
{
    int64_t until = env_now_us(env_real()) + ms * 1000;
    while (env_now_us(env_real()) < until)
        loop_run_once(loop, 1000);
}

static void link_open(struct link *l, const char *listen, const char *connect,
                      const struct stream_options *options)
{
    struct stream *s;
    memset(l, 0, sizeof *l);
    l->loop = loop_new(env_real());
    struct diag diag = DIAG_INIT;
    assert_int_equal(
        stream_listen(l->loop, listen, options, accept_end, &l->b, &l->listener, &diag), 0);
    char *target = stream_listener_port(l->listener)
                       ? xasprintf("%s:%u", connect, stream_listener_port(l->listener))
                       : xstrdup(connect);
    assert_int_equal(stream_connect(l->loop, target, options, &s, &diag), 0);
    free(target);
    end_use(&l->a, s);
    for (int i = 0; i < 1000 && !(l->a.connected && l->b.connected); i++)
        loop_run_once(l->loop, 1000);
    assert_int_equal(l->a.connected, 1);
    assert_int_equal(l->b.connected, 1);
}

static void link_close(struct link *l)
{
    end_fini(&l->a);
    end_fini(&l->b);
    stream_listener_free(l->listener);
    loop_free(l->loop);
}

/* Both ways, more than fits into any kernel buffer, then the end. */
static void exchange(struct link *l)
{
    enum { N = 3 << 20 };
    char *big = xmalloc(N);
    for (size_t i = 0; i < N; i++)
        big[i] = (char)(i * 7 + (i >> 9));
    struct rstr *shared = rstr_new_n(big, N / 2);
    stream_write_shared(l->a.stream, shared);
    rstr_unref(shared);
    stream_write(l->a.stream, big + N / 2, N - N / 2);
    stream_write_text(l->b.stream, "hello");
    assert_true(stream_is_congested(l->a.stream));
    for (int i = 0; i < 5000 && l->b.got.n < N; i++)
        loop_run_once(l->loop, 1000);
    assert_int_equal(l->b.got.n, N);
    assert_memory_equal(l->b.got.s, big, N);
    assert_string_equal(str_c(&l->a.got), "hello");
    assert_int_equal(l->a.drained, 1);
    assert_false(stream_is_congested(l->a.stream));
    assert_true(stream_bytes_out(l->a.stream) == N && stream_bytes_in(l->b.stream) == N);
    free(big);
    /* What was written before the close still arrives. */
    stream_write_text(l->a.stream, "bye");
    stream_close(l->a.stream, ERR_CLOSED, "enough");
    for (int i = 0; i < 1000 && !(l->a.err && l->b.err); i++)
        loop_run_once(l->loop, 1000);
    assert_int_equal(l->a.err, ERR_CLOSED);
    assert_string_equal(l->a.reason, "enough");
    assert_int_equal(l->b.err, ERR_CLOSED);
    assert_memory_equal(l->b.got.s + N, "bye", 3);
}

static void test_unix(void **state UNUSED)
{
    char *dir = temp_dir();
    struct stream_options options = {.rundir = dir};
    struct link l;
    link_open(&l, "punix:x.sock", "unix:x.sock", &options);
    assert_int_equal(stream_peer_uid(l.b.stream), getuid());
    assert_string_equal(stream_name(l.b.stream), "unix#0");
    assert_false(stream_needs_probes(l.b.stream));
    exchange(&l);
    link_close(&l);
    assert_int_equal(rmdir(dir), 0); /* the socket file is gone */
    free(dir);
}

static void test_tcp(void **state UNUSED)
{
    struct stream_options options = {.default_port = 1};
    struct link l;
    link_open(&l, "ptcp:0:127.0.0.1", "tcp:127.0.0.1", &options);
    assert_true(stream_needs_probes(l.b.stream));
    exchange(&l);
    link_close(&l);
}

static void test_pair(void **state UNUSED)
{
    struct link l = {.loop = loop_new(env_real())};
    struct stream *a, *b;
    stream_pair(l.loop, l.loop, NULL, &a, &b);
    end_use(&l.a, a);
    end_use(&l.b, b);
    loop_run_once(l.loop, 0);
    assert_true(l.a.connected == 1 && l.b.connected == 1);
    exchange(&l);
    link_close(&l);
}

/* A certificate authority and two certificates, made with the openssl command. */
static bool make_certificates(const char *dir)
{
    char *cmd = xasprintf(
        "cd %s && exec 2>/dev/null && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "
        "/CN=ca -keyout ca.key -out ca.pem && for n in one two; do openssl req -newkey rsa:2048 "
        "-nodes -subj /CN=$n -keyout $n.key -out $n.csr && openssl x509 -req -in $n.csr -CA "
        "ca.pem -CAkey ca.key -CAcreateserial -days 2 -out $n.pem || exit 1; done; openssl req "
        "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=evil -keyout evil.key -out evil.pem",
        dir);
    int rc = system(cmd);
    free(cmd);
    return rc == 0;
}

static struct tls_config *load_tls(const char *dir, const char *name)
{
    char *key = xasprintf("%s/%s.key", dir, name), *cert = xasprintf("%s/%s.pem", dir, name);
    char *ca = xasprintf("%s/ca.pem", dir);
    struct tls_config *config;
    struct diag diag = DIAG_INIT;
    assert_int_equal(tls_config_load(key, cert, ca, &config, &diag), 0);
    free(key);
    free(cert);
    free(ca);
    return config;
}

static void test_tls(void **state UNUSED)
{
    char *dir = temp_dir();
    if (!make_certificates(dir)) {
        free(dir);
        skip();
    }
    struct tls_config *one = load_tls(dir, "one"), *evil = load_tls(dir, "evil");
    struct stream_options options = {.tls = one};
    struct link l;
    link_open(&l, "pssl:0:127.0.0.1", "ssl:127.0.0.1", &options);
    assert_string_equal(stream_peer_id(l.b.stream), "one");
    exchange(&l);
    end_fini(&l.a);
    end_fini(&l.b);
    memset(&l.a, 0, sizeof l.a);
    memset(&l.b, 0, sizeof l.b);
    /* A certificate of another authority is refused, and nothing it says is read. */
    char *target = xasprintf("ssl:127.0.0.1:%u", stream_listener_port(l.listener));
    struct stream_options evil_options = {.tls = evil};
    struct stream *s;
    struct diag diag = DIAG_INIT;
    assert_int_equal(stream_connect(l.loop, target, &evil_options, &s, &diag), 0);
    end_use(&l.a, s);
    stream_write_text(s, "let me in");
    for (int i = 0; i < 500 && !(l.a.err && l.b.err); i++)
        loop_run_once(l.loop, 1000);
    assert_int_equal(l.b.err, ERR_IO);
    assert_int_equal(l.b.connected, 0);
    assert_int_equal(l.b.got.n, 0);
    free(target);
    assert_int_not_equal(
        tls_config_load("/nonexistent", "/nonexistent", NULL, &(struct tls_config *){0}, &diag), 0);
    diag_fini(&diag);
    link_close(&l);
    tls_config_free(one);
    tls_config_free(evil);
    char *cmd = xasprintf("rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    free(cmd);
    free(dir);
}

static void test_output_bound(void **state UNUSED)
{
    struct stream_options options = {.max_output = 1 << 20, .high_water = 1 << 16};
    struct link l;
    link_open(&l, "ptcp:0:127.0.0.1", "tcp:127.0.0.1", &options);
    stream_pause(l.b.stream, true); /* a peer that does not read */
    static char block[1 << 16];
    for (int i = 0; i < 2000 && !l.a.err; i++) {
        stream_write(l.a.stream, block, sizeof block);
        loop_run_once(l.loop, 100);
    }
    assert_int_equal(l.a.err, ERR_TOO_BIG);
    assert_non_null(strstr(l.a.reason, "send queue exceeds 1048576 bytes"));
    link_close(&l);
}

static void test_input_bound(void **state UNUSED)
{
    struct stream_options options = {.max_input = 1 << 16};
    struct link l;
    link_open(&l, "ptcp:0:127.0.0.1", "tcp:127.0.0.1", &options);
    l.b.hold = true;
    static char block[1 << 18];
    memset(block, 'x', sizeof block);
    stream_write(l.a.stream, block, sizeof block);
    run_ms(l.loop, 50);
    size_t n;
    stream_peek(l.b.stream, &n);
    assert_int_equal(n, 1 << 16);
    /* Reading on lets the rest come. */
    l.b.hold = false;
    end_readable(&l.b);
    for (int i = 0; i < 1000 && l.b.got.n < sizeof block; i++)
        loop_run_once(l.loop, 1000);
    assert_int_equal(l.b.got.n, sizeof block);
    link_close(&l);
}

static void test_free_in_callback(void **state UNUSED)
{
    struct stream_options options = {0};
    struct link l;
    link_open(&l, "ptcp:0:127.0.0.1", "tcp:127.0.0.1", &options);
    l.b.free_in_callback = true;
    stream_write_text(l.a.stream, "x");
    for (int i = 0; i < 1000 && !l.a.err; i++)
        loop_run_once(l.loop, 1000);
    assert_null(l.b.stream);
    assert_int_equal(l.a.err, ERR_CLOSED);
    link_close(&l);
}

static void test_refused(void **state UNUSED)
{
    struct loop *loop = loop_new(env_real());
    struct stream_options options = {0};
    struct stream *s;
    struct diag diag = DIAG_INIT;
    struct end e = {0};
    assert_int_equal(stream_connect(loop, "unix:/nonexistent/x", &options, &s, &diag), 0);
    end_use(&e, s);
    loop_run_once(loop, 0);
    assert_int_equal(e.err, ERR_IO);
    assert_non_null(strstr(e.reason, "No such file"));
    end_fini(&e);
    assert_int_equal(stream_connect(loop, "tcp:1.2.3.4", &options, &s, &diag), ERR_SYNTAX);
    assert_int_equal(stream_connect(loop, "ptcp:1", &options, &s, &diag), ERR_SYNTAX);
    assert_int_equal(stream_connect(loop, "ssl:1.2.3.4:5", &options, &s, &diag), ERR_INVALID);
    struct stream_listener *l;
    assert_int_equal(
        stream_listen(loop, "punix:/nonexistent/x", &options, accept_end, &e, &l, &diag), ERR_IO);
    assert_non_null(strstr(diag_text(&diag), "punix:/nonexistent/x"));
    diag_fini(&diag);
    loop_free(loop);
}

/* A socket file left by a killed process is replaced, a living one is not. */
static void test_stale_socket(void **state UNUSED)
{
    char *dir = temp_dir();
    struct stream_options options = {.rundir = dir};
    struct loop *loop = loop_new(env_real());
    struct diag diag = DIAG_INIT;
    struct end e = {0};
    struct stream_listener *l, *l2;
    char *path = xasprintf("%s/x", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    close(fd);
    assert_int_equal(stream_listen(loop, "punix:x", &options, accept_end, &e, &l, &diag), 0);
    assert_int_equal(stream_listen(loop, "punix:x", &options, accept_end, &e, &l2, &diag), ERR_IO);
    diag_fini(&diag);
    stream_listener_free(l);
    /* A path beyond the length of a socket address. */
    char *long_dir = xasprintf("%s/%0100d", dir, 1);
    mkdir(long_dir, 0700);
    char *target = xasprintf("punix:%s/y", long_dir);
    assert_int_equal(stream_listen(loop, target, &options, accept_end, &e, &l, &diag), 0);
    struct stream *s;
    assert_int_equal(stream_connect(loop, target + 1, &options, &s, &diag), 0);
    struct end a = {0};
    end_use(&a, s);
    for (int i = 0; i < 100 && !e.connected; i++)
        loop_run_once(loop, 1000);
    assert_int_equal(e.connected, 1);
    end_fini(&a);
    end_fini(&e);
    stream_listener_free(l);
    rmdir(long_dir);
    assert_int_equal(rmdir(dir), 0);
    free(long_dir);
    free(target);
    free(path);
    free(dir);
    loop_free(loop);
}

/* ---- reconnect ---- */

struct again {
    struct reconnect *r;
    struct stream *stream;
    int connected, failed;
    struct end end;
};

static void again_connected(void *a_, struct stream *stream)
{
    struct again *a = a_;
    a->connected++;
    end_use(&a->end, stream);
}

static void again_failed(void *a_, const char *target UNUSED, const char *reason)
{
    assert_non_null(reason);
    ((struct again *)a_)->failed++;
}

static void test_reconnect(void **state UNUSED)
{
    static const struct reconnect_callbacks callbacks = {again_connected, again_failed, NULL};
    char *dir = temp_dir();
    struct loop *loop = loop_new(env_real());
    struct reconnect_options options = {
        .stream = {.rundir = dir}, .min_backoff_ms = 5, .max_backoff_ms = 20};
    struct again a = {0};
    struct diag diag = DIAG_INIT;
    assert_int_equal(reconnect_new(loop, "", &options, &callbacks, &a, &a.r, &diag), ERR_SYNTAX);
    assert_int_equal(reconnect_new(loop, "tcp:x", &options, &callbacks, &a, &a.r, &diag),
                     ERR_SYNTAX);
    assert_int_equal(reconnect_new(loop, "unix:none,unix:s", &options, &callbacks, &a, &a.r, &diag),
                     0);
    run_ms(loop, 40);
    assert_true(a.failed >= 4 && a.failed < 30); /* both of a round at once, then it waits */
    struct stream_listener *l;
    struct end e = {0};
    assert_int_equal(stream_listen(loop, "punix:s", &options.stream, accept_end, &e, &l, &diag), 0);
    run_ms(loop, 60);
    assert_int_equal(a.connected, 1);
    assert_true(reconnect_is_connected(a.r));
    assert_string_equal(reconnect_target(a.r), "unix:s");
    end_fini(&e); /* the server drops it */
    memset(&e, 0, sizeof e);
    for (int i = 0; i < 100 && !a.end.err; i++)
        loop_run_once(loop, 1000);
    assert_int_equal(a.end.err, ERR_CLOSED);
    end_fini(&a.end);
    memset(&a.end, 0, sizeof a.end);
    reconnect_disconnected(a.r);
    run_ms(loop, 60);
    assert_int_equal(a.connected, 2);
    reconnect_free(a.r);
    end_fini(&a.end);
    end_fini(&e);
    stream_listener_free(l);
    loop_free(loop);
    diag_fini(&diag);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

/* A target that neither takes nor refuses a connection is given up, and the next one has its turn. */
static void test_silence(void **state UNUSED)
{
    static const struct reconnect_callbacks callbacks = {again_connected, again_failed, NULL};
    char *dir = temp_dir(), targets[64];
    struct loop *loop = loop_new(env_real());
    struct reconnect_options options = {.stream = {.rundir = dir}, .min_backoff_ms = 5};
    struct again a = {0};
    struct end e = {0};
    struct diag diag = DIAG_INIT;
    struct stream_listener *l;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    int server = socket(AF_INET, SOCK_STREAM, 0), full[4];
    assert_int_equal(bind(server, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(server, 0), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&in, &len), 0);
    for (size_t i = 0; i < ARRAY_SIZE(full); i++) { /* as many as it takes until it says nothing */
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(full[i], (struct sockaddr *)&in, len);
    }
    run_ms(loop, 50);
    assert_int_equal(stream_listen(loop, "punix:s", &options.stream, accept_end, &e, &l, &diag), 0);
    snprintf(targets, sizeof targets, "tcp:127.0.0.1:%u,unix:s", ntohs(in.sin_port));
    assert_int_equal(reconnect_new(loop, targets, &options, &callbacks, &a, &a.r, &diag), 0);
    run_ms(loop, 1000);
    assert_int_equal(a.connected + a.failed, 0);
    run_ms(loop, 1500);
    assert_int_equal(a.failed, 1);
    assert_int_equal(a.connected, 1);
    assert_string_equal(reconnect_target(a.r), "unix:s");
    reconnect_free(a.r);
    end_fini(&a.end);
    end_fini(&e);
    stream_listener_free(l);
    for (size_t i = 0; i < ARRAY_SIZE(full); i++)
        close(full[i]);
    close(server);
    loop_free(loop);
    diag_fini(&diag);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_output_bound),
        cmocka_unit_test(test_input_bound),
        cmocka_unit_test(test_free_in_callback),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stale_socket),
        cmocka_unit_test(test_reconnect),
        cmocka_unit_test(test_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
