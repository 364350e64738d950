/* bench.h - an OVSDB server in the same process, and clients of it that speak text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/json.h"
#include "ovsdb/server/server.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{"
    "\"A\":{\"isRoot\":true,\"indexes\":[[\"name\"]],\"columns\":{\"name\":{\"type\":\"string\"},"
    "\"n\":{\"type\":\"integer\"},\"set\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":"
    "\"unlimited\"}},\"conns\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"Connection\"},"
    "\"min\":0,\"max\":\"unlimited\"}}}},"
    "\"Connection\":{\"columns\":{\"target\":{\"type\":\"string\"},\"is_connected\":{\"type\":"
    "\"boolean\"},\"read_only\":{\"type\":{\"key\":\"boolean\",\"min\":0}},\"status\":{\"type\":{"
    "\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}}}}}";

struct client {
    struct stream *stream;
    struct str got;
    bool closed, deaf;
};

struct bench {
    struct env_seeded env;
    struct loop *loop;
    struct store *store;
    struct ovsdb_server *server;
    bool is_busy;
};

/* What the server's host says of a transaction: how many rows it would change. */
static inline bool consider(void *bench, struct store *store, const struct changeset *cs,
                            struct str *out)
{
    struct bench *b = bench;
    assert_ptr_equal(store, b->store);
    if (!b->is_busy)
        str_putf(out, "{\"rows\":%zu}", cs->n);
    return !b->is_busy;
}

static inline void client_readable(void *c_)
{
    struct client *c = c_;
    size_t n;
    if (c->deaf)
        return;
    const char *text = stream_peek(c->stream, &n);
    str_put_n(&c->got, text, n);
    stream_consume(c->stream, n);
}

static inline void client_closed(void *c_, int err UNUSED, const char *reason UNUSED)
{
    ((struct client *)c_)->closed = true;
}

static inline void client_attach(struct client *c, struct stream *stream)
{
    static const struct stream_callbacks callbacks = {.readable = client_readable,
                                                      .closed = client_closed};
    c->stream = stream;
    stream_set_callbacks(stream, &callbacks, c);
}

static inline void client_open(struct bench *b, struct client *c)
{
    struct stream *mine, *theirs;
    memset(c, 0, sizeof *c);
    stream_pair(b->loop, b->loop, NULL, &mine, &theirs);
    client_attach(c, mine);
    ovsdb_server_add_stream(b->server, theirs);
}

static inline void client_close(struct client *c)
{
    stream_free(c->stream);
    c->stream = NULL;
    str_fini(&c->got);
}

static inline void settle(struct bench *b)
{
    for (int quiet = 0; quiet < 3;) {
        quiet = loop_next_us(b->loop) > b->env.now_us ? quiet + 1 : 0;
        loop_run_once(b->loop, 0);
    }
}

/* Sends TEXT (with ' for ") and returns all that arrived because of it. */
static inline const char *ask(struct bench *b, struct client *c, const char *text)
{
    char *copy = xstrdup(text);
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    str_clear(&c->got);
    stream_write_text(c->stream, copy);
    free(copy);
    settle(b);
    return str_c(&c->got);
}

static inline void expect(struct bench *b, struct client *c, const char *text, const char *answer)
{
    char *copy = xstrdup(answer);
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    assert_string_equal(ask(b, c, text), copy);
    free(copy);
}

static inline void bench_open(struct bench *b, bool resume)
{
    struct ovsdb_server_options options = {.resume = resume, .consider = consider, .aux = b};
    struct store_options store_options = {.env = &b->env.env, .schema_text = schema_text};
    memset(b, 0, sizeof *b);
    env_seeded_init(&b->env, 5);
    store_options.env = &b->env.env;
    b->loop = loop_new(&b->env.env);
    assert_int_equal(store_open(&store_options, &b->store, NULL), 0);
    b->server = ovsdb_server_new(b->loop, &options);
    assert_int_equal(ovsdb_server_add_db(b->server, b->store, NULL), 0);
    settle(b);
}

static inline void bench_close(struct bench *b)
{
    settle(b);
    ovsdb_server_free(b->server);
    store_close(b->store);
    loop_free(b->loop);
}

#define INSERT(NAME)                                                                               \
    "{'id':1,'method':'transact','params':['T',{'op':'insert','table':'A','uuid':"                 \
    "'00000000-0000-4000-8000-00000000000" NAME "','row':{'name':'" NAME "'}}]}"
#define INSERTED(NAME)                                                                             \
    "{'id':1,'result':[{'uuid':['uuid','00000000-0000-4000-8000-00000000000" NAME                  \
    "']}],'error':null}"
