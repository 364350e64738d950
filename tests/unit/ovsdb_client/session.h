/* session.h - a session of the client with a server in the same process that answers by a script. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/jsonrpc.h"
#include "ovsdb/client/source.h"

/* What the program is compiled with. The server lacks column "new", and in it "one" is a set. */
static const char our_schema[] =
    "{\"name\":\"T\",\"version\":\"2.0.0\",\"tables\":{\"A\":{\"isRoot\":true,\"columns\":{"
    "\"name\":{\"type\":\"string\"},\"new\":{\"type\":\"integer\"},"
    "\"set\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"one\":{\"type\":{\"key\":{\"type\":\"integer\",\"maxInteger\":9},\"min\":0,\"max\":1}}}},"
    "\"Gone\":{\"isRoot\":true,\"columns\":{\"x\":{\"type\":\"string\"}}}}}";
static const char server_schema[] =
    "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{\"A\":{\"isRoot\":true,\"columns\":{"
    "\"name\":{\"type\":\"string\"},\"other\":{\"type\":\"string\"},"
    "\"set\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"one\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}}}}}}";
static const char meta_schema[] =
    "{\"name\":\"_Server\",\"version\":\"1.2.0\",\"tables\":{\"Database\":{\"columns\":{"
    "\"name\":{\"type\":\"string\"},\"schema\":{\"type\":{\"key\":\"string\",\"min\":0}}}}}}";

#define U1 "11111111-1111-4111-8111-111111111111"
#define U2 "22222222-2222-4222-8222-222222222222"
#define TXN "33333333-3333-4333-8333-333333333333"
#define ROW1 "{\"A\":{\"" U1 "\":{\"%s\":{\"name\":\"a\",\"set\":[\"set\",[\"x\",\"y\"]]}}}}"

struct fixture {
    struct loop *loop;
    struct schema *schema;
    char path[64];
    struct stream_listener *listener;
    struct jsonrpc *server; /* the newest connection */
    struct replica_source *source;
    struct replica *replica;
    const struct schema_table *a;
    /* script */
    bool lacks_server, lacks_since, lacks_cond, silent_transact, silent_conditions, since_found,
        not_leader;
    const char *initial; /* a printf format for ROW1's notation */
    const char *transact_result;
    /* what was seen */
    char log[2048];
    char last_since[64];
    char *last_params;
    unsigned n_connections, n_sets, n_changes;
    int done_err, n_done;
};

static inline void log_method(struct fixture *f, const char *method)
{
    size_t n = strlen(f->log);
    snprintf(f->log + n, sizeof f->log - n, "%s%s", n ? " " : "", method);
}

static inline void reply_text(struct fixture *f, const struct jsonrpc_message *msg,
                              const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    jsonrpc_reply(f->server, msg->id, json);
}

static inline void reply_contents(struct fixture *f, const struct jsonrpc_message *msg)
{
    bool plain = !strcmp(msg->method, "monitor");
    bool since = !strcmp(msg->method, "monitor_cond_since");
    char rows[512], text[1024];
    snprintf(rows, sizeof rows, f->initial, plain ? "new" : "initial");
    if (since) {
        snprintf(f->last_since, sizeof f->last_since, "%s",
                 json_string_value(json_array_get(msg->params, 3)));
        snprintf(text, sizeof text, "[%s,\"" TXN "\",%s]", f->since_found ? "true" : "false", rows);
    }
    reply_text(f, msg, since ? text : rows);
}

static inline void reply_meta(struct fixture *f, const struct jsonrpc_message *msg)
{
    json_t *rows = json_object(), *row = json_object();
    json_object_set_new(row, "name", json_string("T"));
    json_object_set_new(row, "schema", json_string(server_schema));
    if (f->not_leader) {
        json_object_set_new(row, "model", json_string("clustered"));
        json_object_set_new(row, "connected", json_true());
    }
    json_object_set_new(rows, U2, json_pack("{s: o}", "initial", row));
    jsonrpc_reply(f->server, msg->id, json_pack("{s: o}", "Database", rows));
}

static inline void on_message(void *f_, const struct jsonrpc_message *msg)
{
    struct fixture *f = f_;
    if (msg->kind != JSONRPC_REQUEST)
        return;
    log_method(f, msg->method);
    const char *first = json_string_value(json_array_get(msg->params, 0));
    bool meta = first && !strcmp(first, "_Server");
    bool cond = !strcmp(msg->method, "monitor_cond");
    bool since = !strcmp(msg->method, "monitor_cond_since");
    if ((meta && f->lacks_server) || (cond && f->lacks_cond) || (since && f->lacks_since)) {
        jsonrpc_reply_error(f->server, msg->id, json_string("unknown method"));
    } else if (!strcmp(msg->method, "get_schema")) {
        reply_text(f, msg, meta ? meta_schema : server_schema);
    } else if (meta) {
        reply_meta(f, msg);
    } else if (cond || since || !strcmp(msg->method, "monitor")) {
        free(f->last_params);
        f->last_params = json_dumps(msg->params, JSON_COMPACT | JSON_SORT_KEYS);
        reply_contents(f, msg);
    } else if (!strcmp(msg->method, "lock")) {
        reply_text(f, msg, "{\"locked\":false}");
    } else if (!strcmp(msg->method, "transact")) {
        free(f->last_params);
        f->last_params = json_dumps(msg->params, JSON_COMPACT | JSON_SORT_KEYS);
        if (!f->silent_transact)
            reply_text(f, msg, f->transact_result);
    } else if (!f->silent_conditions || strcmp(msg->method, "monitor_cond_change")) {
        free(f->last_params);
        f->last_params = json_dumps(msg->params, JSON_COMPACT | JSON_SORT_KEYS);
        reply_text(f, msg, "{}");
    }
}

static inline void on_closed(void *f_, int err, const char *reason)
{
    struct fixture *f = f_;
    (void)err;
    (void)reason;
    jsonrpc_free(f->server);
    f->server = NULL;
}

static inline void on_accept(void *f_, struct stream *stream)
{
    static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};
    struct fixture *f = f_;
    f->n_connections++;
    jsonrpc_free(f->server);
    f->server = jsonrpc_new(stream, &callbacks, f);
}

static inline void on_changes(void *f_, const struct changeset *cs)
{
    struct fixture *f = f_;
    f->n_sets++;
    f->n_changes += (unsigned)cs->n;
}

static inline void on_done(void *f_, int err, const char *error)
{
    struct fixture *f = f_;
    (void)error;
    f->n_done++;
    f->done_err = err;
}

static inline void listen_again(struct fixture *f)
{
    char target[80];
    snprintf(target, sizeof target, "punix:%s", f->path);
    struct stream_options options = {0};
    assert_int_equal(stream_listen(f->loop, target, &options, on_accept, f, &f->listener, NULL), 0);
}

static inline void set_up(struct fixture *f)
{
    *f = (struct fixture){.initial = ROW1, .transact_result = "[{}]"};
    f->loop = loop_new(env_real());
    assert_int_equal(schema_from_text(our_schema, &f->schema, NULL), 0);
    snprintf(f->path, sizeof f->path, "/tmp/weft-client-%d.sock", (int)getpid());
    listen_again(f);
}

static inline void start(struct fixture *f)
{
    char target[80];
    snprintf(target, sizeof target, "unix:%s", f->path);
    f->source = ovsdb_client_source_new(f->loop, target);
    struct replica_options options = {env_real(), f->schema, NULL};
    f->replica = replica_new(&options, f->source);
    replica_set_observer(f->replica, on_changes, f);
    f->a = replica_table(f->replica, "A");
}

static inline void tear_down(struct fixture *f)
{
    replica_free(f->replica);
    jsonrpc_free(f->server);
    stream_listener_free(f->listener);
    loop_free(f->loop);
    schema_free(f->schema);
    free(f->last_params);
}

#define RUN_UNTIL(F, COND)                                                                         \
    do {                                                                                           \
        for (int turn_ = 0; !(COND); turn_++) {                                                    \
            assert_in_range(turn_, 0, 2000);                                                       \
            loop_run_once((F)->loop, 5000);                                                        \
        }                                                                                          \
    } while (0)

static inline void run_a_little(struct fixture *f)
{
    for (int i = 0; i < 20; i++)
        loop_run_once(f->loop, 1000);
}

static inline const struct row *row_1(struct fixture *f)
{
    struct uuid uuid;
    assert_true(uuid_parse(U1, &uuid));
    return replica_row_find(f->replica, f->a, &uuid);
}

static inline const struct datum *value_1(struct fixture *f, const char *column)
{
    return row_get(row_1(f), schema_column_find(f->a, column));
}

static inline void notify(struct fixture *f, const char *method, const char *params)
{
    json_t *json = json_loads(params, 0, NULL);
    assert_non_null(json);
    jsonrpc_notify(f->server, method, json);
}

/* ---- beginnings ---- */
