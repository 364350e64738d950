/* test_client.c - a session against a scripted server in the same process: how it begins and falls
 * back, updates in all three notations, lost connections, transactions, locks, nonsense. */
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

static void log_method(struct fixture *f, const char *method)
{
    size_t n = strlen(f->log);
    snprintf(f->log + n, sizeof f->log - n, "%s%s", n ? " " : "", method);
}

static void reply_text(struct fixture *f, const struct jsonrpc_message *msg, const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    jsonrpc_reply(f->server, msg->id, json);
}

static void reply_contents(struct fixture *f, const struct jsonrpc_message *msg)
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

static void reply_meta(struct fixture *f, const struct jsonrpc_message *msg)
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

static void on_message(void *f_, const struct jsonrpc_message *msg)
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

static void on_closed(void *f_, int err, const char *reason)
{
    struct fixture *f = f_;
    (void)err;
    (void)reason;
    jsonrpc_free(f->server);
    f->server = NULL;
}

static void on_accept(void *f_, struct stream *stream)
{
    static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};
    struct fixture *f = f_;
    f->n_connections++;
    jsonrpc_free(f->server);
    f->server = jsonrpc_new(stream, &callbacks, f);
}

static void on_changes(void *f_, const struct changeset *cs)
{
    struct fixture *f = f_;
    f->n_sets++;
    f->n_changes += (unsigned)cs->n;
}

static void on_done(void *f_, int err, const char *error)
{
    struct fixture *f = f_;
    (void)error;
    f->n_done++;
    f->done_err = err;
}

static void listen_again(struct fixture *f)
{
    char target[80];
    snprintf(target, sizeof target, "punix:%s", f->path);
    struct stream_options options = {0};
    assert_int_equal(stream_listen(f->loop, target, &options, on_accept, f, &f->listener, NULL), 0);
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.initial = ROW1, .transact_result = "[{}]"};
    f->loop = loop_new(env_real());
    assert_int_equal(schema_from_text(our_schema, &f->schema, NULL), 0);
    snprintf(f->path, sizeof f->path, "/tmp/weft-client-%d.sock", (int)getpid());
    listen_again(f);
}

static void start(struct fixture *f)
{
    char target[80];
    snprintf(target, sizeof target, "unix:%s", f->path);
    f->source = ovsdb_client_source_new(f->loop, target);
    struct replica_options options = {env_real(), f->schema, NULL};
    f->replica = replica_new(&options, f->source);
    replica_set_observer(f->replica, on_changes, f);
    f->a = replica_table(f->replica, "A");
}

static void tear_down(struct fixture *f)
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

static void run_a_little(struct fixture *f)
{
    for (int i = 0; i < 20; i++)
        loop_run_once(f->loop, 1000);
}

static const struct row *row_1(struct fixture *f)
{
    struct uuid uuid;
    assert_true(uuid_parse(U1, &uuid));
    return replica_row_find(f->replica, f->a, &uuid);
}

static const struct datum *value_1(struct fixture *f, const char *column)
{
    return row_get(row_1(f), schema_column_find(f->a, column));
}

static void notify(struct fixture *f, const char *method, const char *params)
{
    json_t *json = json_loads(params, 0, NULL);
    assert_non_null(json);
    jsonrpc_notify(f->server, method, json);
}

/* ---- beginnings ---- */

static void test_begins(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    assert_false(replica_is_ready(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    run_a_little(&f);
    assert_string_equal(f.log, "get_schema monitor_cond monitor_cond_since set_db_change_aware");
    assert_string_equal(f.last_since, "00000000-0000-0000-0000-000000000000");
    assert_int_equal(f.n_changes, 1);
    assert_int_equal(value_1(&f, "set")->n, 2);
    assert_int_equal(value_1(&f, "new")->atoms[0].integer, 0); /* the default */
    assert_false(ovsdb_client_source_has_column(f.source, schema_column_find(f.a, "new")));
    assert_true(ovsdb_client_source_has_column(f.source, schema_column_find(f.a, "set")));
    tear_down(&f);
}

static void check_fallback(bool lacks_server, bool lacks_since, bool lacks_cond, const char *log)
{
    struct fixture f;
    set_up(&f);
    f.lacks_server = lacks_server;
    f.lacks_since = lacks_since;
    f.lacks_cond = lacks_cond;
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_string_equal(f.log, log);
    assert_int_equal(value_1(&f, "set")->n, 2);
    tear_down(&f);
}

static void test_falls_back(void **state)
{
    (void)state;
    check_fallback(false, true, false,
                   "get_schema monitor_cond monitor_cond_since set_db_change_aware monitor_cond");
    check_fallback(false, true, true,
                   "get_schema monitor_cond get_schema monitor_cond set_db_change_aware monitor");
    check_fallback(true, true, false, "get_schema get_schema monitor_cond set_db_change_aware");
    check_fallback(true, true, true,
                   "get_schema get_schema monitor_cond set_db_change_aware monitor");
}

static void test_refuses_follower(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.not_leader = true;
    start(&f);
    RUN_UNTIL(&f, ovsdb_client_source_failures(f.source) > 0);
    assert_string_equal(ovsdb_client_source_error(f.source),
                        "clustered database server is not cluster leader");
    ovsdb_client_source_set_leader_only(f.source, false);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    tear_down(&f);
}

/* ---- updates ---- */

static void test_update3(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    unsigned sets = f.n_sets;
    notify(&f, "update3",
           "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1 "\":{\"modify\":{\"name\":\"b\","
           "\"set\":[\"set\",[\"x\",\"z\"]],\"map\":[\"map\",[[\"k\",\"v\"]]],\"one\":77}},"
           "\"" U2 "\":{\"insert\":{}}}}]");
    RUN_UNTIL(&f, f.n_sets > sets);
    assert_int_equal(f.n_sets, sets + 1); /* one transaction, one change set */
    assert_int_equal(replica_n_rows(f.replica, f.a), 2);
    assert_string_equal(value_1(&f, "name")->atoms[0].string->s, "b");
    assert_int_equal(value_1(&f, "set")->n, 2); /* x toggled out, z in */
    assert_string_equal(value_1(&f, "set")->atoms[1].string->s, "z");
    assert_int_equal(value_1(&f, "one")->atoms[0].integer, 77); /* beyond our range: accepted */
    notify(&f, "update3",
           "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1
           "\":{\"modify\":{\"map\":[\"map\",[[\"k\","
           "\"w\"]]],\"one\":[\"set\",[]]}},\"" U2 "\":{\"delete\":null}}}]");
    RUN_UNTIL(&f, f.n_sets > sets + 1);
    assert_string_equal(datum_map_text(value_1(&f, "map"), "k"), "w");
    assert_int_equal(value_1(&f, "one")->n, 0);
    assert_int_equal(replica_n_rows(f.replica, f.a), 1);
    tear_down(&f);
}

static void test_plain_update(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.lacks_server = f.lacks_since = f.lacks_cond = true;
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    unsigned sets = f.n_sets;
    notify(&f, "update",
           "[[\"monid\",\"T\"],{\"A\":{\"" U1
           "\":{\"old\":{\"name\":\"a\"},\"new\":{\"name\":\"b\","
           "\"set\":\"q\"}}}}]");
    RUN_UNTIL(&f, f.n_sets > sets);
    assert_string_equal(value_1(&f, "name")->atoms[0].string->s, "b");
    assert_int_equal(value_1(&f, "set")->n, 1);
    notify(&f, "update", "[[\"monid\",\"T\"],{\"A\":{\"" U1 "\":{\"old\":{\"name\":\"b\"}}}}]");
    RUN_UNTIL(&f, !replica_n_rows(f.replica, f.a));
    tear_down(&f);
}

static void test_nonsense_ends_connection(void **state)
{
    static const char *const nonsense[] = {
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U2 "\":{\"modify\":{\"name\":\"b\"}}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"xyz\":{\"insert\":{}}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1 "\":{\"modify\":{\"name\":5}}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",{\"A\":{\"" U1 "\":{}}}]",
        "[[\"monid\",\"T\"],\"" TXN "\",7]",
        "[[\"monid\",\"T\"],7,{}]",
        "[[\"monid\",\"T\"]]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        struct fixture f;
        set_up(&f);
        start(&f);
        RUN_UNTIL(&f, replica_is_ready(f.replica));
        notify(&f, "update3", nonsense[i]);
        RUN_UNTIL(&f, ovsdb_client_source_failures(f.source) == 1);
        assert_false(replica_is_ready(f.replica));
        assert_non_null(row_1(&f));                 /* still readable */
        RUN_UNTIL(&f, replica_is_ready(f.replica)); /* and here again, from the beginning */
        assert_string_equal(f.last_since, "00000000-0000-0000-0000-000000000000");
        tear_down(&f);
    }
}

/* ---- lost connections ---- */

static void test_reconnects_with_difference(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    unsigned changes = f.n_changes;
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_int_equal(f.n_changes, changes); /* nothing had changed */
    assert_string_equal(f.last_since, TXN);
    /* A server with history sends only what was missed. */
    f.since_found = true;
    f.initial = "{\"A\":{\"" U1 "\":{\"modify\":{\"name\":\"missed\"}}}}%.0s";
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_int_equal(f.n_changes, changes + 1);
    assert_string_equal(value_1(&f, "name")->atoms[0].string->s, "missed");
    assert_int_equal(value_1(&f, "set")->n, 2);
    tear_down(&f);
}

static void commit_name(struct fixture *f, const char *name)
{
    struct replica_txn *txn = replica_txn_new(f->replica);
    const struct row *row = row_1(f);
    replica_txn_set(txn, f->a, &row->uuid, schema_column_find(f->a, "name"),
                    datum_new_string(name));
    replica_txn_set(txn, f->a, &row->uuid, schema_column_find(f->a, "new"), datum_new_integer(5));
    replica_txn_commit(txn, on_done, f);
}

static void test_transactions(void **state)
{
    static const struct {
        const char *result;
        int err;
    } cases[] = {
        {"[{\"count\":1}]", 0},
        {"[{\"error\":\"timed out\",\"details\":\"x\"},null]", ERR_AGAIN},
        {"[{\"error\":\"not owner\"}]", ERR_NOT_OWNER},
        {"[{\"count\":1},{\"error\":\"constraint violation\",\"details\":\"x\"}]", ERR_CONSTRAINT},
        {"[{\"count\":1},{\"error\":\"referential integrity violation\"}]", ERR_REFERENCE},
        {"[{\"error\":\"never heard of\"}]", ERR_INVALID},
        {"[]", 0},
    };
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f.transact_result = cases[i].result;
        commit_name(&f, "n");
        assert_int_equal(f.n_done, (int)i);
        RUN_UNTIL(&f, f.n_done == (int)i + 1);
        assert_int_equal(f.done_err, cases[i].err);
    }
    assert_non_null(strstr(f.last_params, "\"row\":{\"name\":\"n\"}")); /* "new" is not written */
    tear_down(&f);
}

static void test_lost_transaction(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.silent_transact = true;
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    commit_name(&f, "n");
    run_a_little(&f);
    assert_int_equal(f.n_done, 0);
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, f.n_done == 1);
    assert_int_equal(f.done_err, ERR_AGAIN);
    /* And one that is submitted while there is no connection. */
    commit_name(&f, "n");
    assert_int_equal(f.n_done, 1);
    RUN_UNTIL(&f, f.n_done == 2);
    assert_int_equal(f.done_err, ERR_AGAIN);
    tear_down(&f);
}

/* ---- conditions and locks ---- */

static void test_conditions(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    struct clause *clause = NEW(struct clause);
    *clause = (struct clause){FN_EQ, schema_column_find(f.a, "name"), datum_new_string("a")};
    struct condition condition = {1, clause};
    replica_set_condition(f.replica, f.a, &condition);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    run_a_little(&f);
    assert_null(strstr(f.log, "monitor_cond_change")); /* part of the first request */
    replica_set_condition(f.replica, f.a, NULL);
    RUN_UNTIL(&f, strstr(f.log, "monitor_cond_change"));
    assert_non_null(strstr(f.last_params, "[{\"where\":[true]}]"));
    unsigned sets = f.n_sets;
    replica_set_condition(f.replica, f.a, NULL); /* no change, no request */
    run_a_little(&f);
    assert_int_equal(f.n_sets, sets);
    assert_null(strstr(strstr(f.log, "monitor_cond_change") + 1, "monitor_cond_change"));
    tear_down(&f);
}

/* The connection ends before new conditions are answered: rows that only they ask for have not come, and are not among what has changed since. */
static void test_unanswered_conditions(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    struct clause *clause = NEW(struct clause);
    *clause = (struct clause){FN_EQ, schema_column_find(f.a, "name"), datum_new_string("a")};
    struct condition condition = {1, clause};
    f.silent_conditions = true;
    replica_set_condition(f.replica, f.a, &condition);
    RUN_UNTIL(&f, strstr(f.log, "monitor_cond_change"));
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_string_equal(f.last_since, "00000000-0000-0000-0000-000000000000");
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_string_equal(f.last_since, TXN); /* all is here */
    tear_down(&f);
}

struct watched {
    unsigned n, n_unknown;
    struct uuid last;
};

static void on_watched(void *watched_, const struct uuid *row)
{
    struct watched *w = watched_;
    w->n += row != NULL;
    w->n_unknown += row == NULL;
    if (row)
        w->last = *row;
}

static void watch_name(struct fixture *f, const char *name)
{
    struct condition where = {0, NULL};
    if (name) {
        where.clauses = NEW(struct clause);
        where.clauses[where.n++] =
            (struct clause){FN_EQ, schema_column_find(f->a, "name"), datum_new_string(name)};
    }
    ovsdb_client_source_watch(f->source, f->a, &where);
    assert_false(replica_is_connected(f->replica) &&
                 ovsdb_client_source_is_settled(f->source)); /* not known yet */
}

/* A look-out is a monitor of its own, in each connection, whose rows are told and not copied. */
static void test_watch(void **state)
{
    (void)state;
    struct fixture f;
    struct watched w = {0};
    set_up(&f);
    start(&f);
    ovsdb_client_source_on_watched(f.source, on_watched, &w);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    run_a_little(&f);
    unsigned changes = f.n_changes;
    watch_name(&f, "a");
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_non_null(strstr(f.last_params, "[\"T\",[\"watch\",\"T\"],{\"A\":[{\"columns\":[],"
                                          "\"where\":[[\"name\",\"==\",\"a\"]]}]}]"));
    assert_int_equal(w.n, 1);
    notify(&f, "update2", "[[\"watch\",\"T\"],{\"A\":{\"" U2 "\":{\"insert\":{}}}}]");
    RUN_UNTIL(&f, w.n == 2);
    char text[UUID_TEXT_LEN + 1];
    assert_string_equal(uuid_print(&w.last, text), U2);
    notify(&f, "update2", "[[\"watch\",\"T\"],{\"A\":{\"" U2 "\":{\"delete\":null}}}]");
    run_a_little(&f);
    assert_int_equal(w.n, 2);
    assert_int_equal(f.n_changes, changes);
    watch_name(&f, "b");
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_non_null(strstr(f.last_params, "\"where\":[[\"name\",\"==\",\"b\"]]"));
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_int_equal(w.n, 3); /* asked and told again */
    watch_name(&f, NULL);
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_non_null(strstr(f.last_params, "\"where\":[false]"));
    f.lacks_cond = f.silent_conditions = true; /* the server refuses to watch */
    jsonrpc_close(f.server, ERR_CLOSED, "test");
    RUN_UNTIL(&f, !replica_is_connected(f.replica));
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    run_a_little(&f);
    assert_int_equal(w.n_unknown, 0); /* nothing is watched */
    tear_down(&f);
}

static void test_server_that_does_not_watch(void **state)
{
    (void)state;
    struct fixture f;
    struct watched w = {0};
    set_up(&f);
    start(&f);
    ovsdb_client_source_on_watched(f.source, on_watched, &w);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    f.lacks_cond = true;
    watch_name(&f, "a");
    RUN_UNTIL(&f, ovsdb_client_source_is_settled(f.source));
    assert_int_equal(w.n_unknown, 1);
    assert_int_equal(w.n, 0);
    tear_down(&f);
}

static void test_lock(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    start(&f);
    replica_set_lock(f.replica, "L");
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    assert_false(replica_has_lock(f.replica));
    notify(&f, "locked", "[\"other\"]");
    run_a_little(&f);
    assert_false(replica_has_lock(f.replica));
    notify(&f, "locked", "[\"L\"]");
    RUN_UNTIL(&f, replica_has_lock(f.replica));
    notify(&f, "stolen", "[\"L\"]");
    RUN_UNTIL(&f, !replica_has_lock(f.replica));
    tear_down(&f);
}

static void test_no_server(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    stream_listener_free(f.listener);
    f.listener = NULL;
    start(&f);
    RUN_UNTIL(&f, ovsdb_client_source_failures(f.source) > 0);
    assert_string_equal(ovsdb_client_source_error(f.source), "No such file or directory");
    listen_again(&f);
    RUN_UNTIL(&f, replica_is_ready(f.replica));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_falls_back),
        cmocka_unit_test(test_refuses_follower),
        cmocka_unit_test(test_update3),
        cmocka_unit_test(test_plain_update),
        cmocka_unit_test(test_nonsense_ends_connection),
        cmocka_unit_test(test_reconnects_with_difference),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_lost_transaction),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_unanswered_conditions),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_server_that_does_not_watch),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
