/* client.c - connecting to an OVSDB server and the sequence by which a session begins.
 *
 * A table of states: each reply in a state sends the next request (source.h shows the order and
 * where it falls back). Any nonsense from the server ends the connection, and the next one starts
 * from an empty copy. Rows are kept over a lost connection, so that a server with history sends
 * only what was missed.
 *
 * Does not look at rows (monitor.c) or operations (transact.c).
 */
#include "ovsdb/client/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "io/rundir.h"

LOG_MODULE(ovsdb_client);

static struct client *client_of(struct replica_source *source)
{
    return CONTAINER_OF(source, struct client, base);
}

static const struct client *client_of_const(const struct replica_source *source)
{
    return client_of((struct replica_source *)(uintptr_t)source);
}

static void note_error(struct client *client, const char *reason)
{
    char *copy = xstrdup(reason);
    free(client->error);
    client->error = copy;
    client->failures++;
}

static void tell_status(struct client *client)
{
    client->sink.status(client->sink.replica, client->state == CLIENT_STEADY, client->has_lock);
}

/* Forgets the connection, not the rows. */
static void go_offline(struct client *client)
{
    jsonrpc_free(client->rpc);
    client->rpc = NULL;
    client->state = CLIENT_OFFLINE;
    client->has_lock = false;
    free(client->server_row);
    client->server_row = NULL;
    client_watch_offline(client);
    client_abandon_requests(client);
    tell_status(client);
}

static unsigned n_remotes(const struct client *client)
{
    unsigned n = 1;
    for (const char *p = client->remotes; *p; p++)
        n += *p == ',';
    return n;
}

void client_give_up(struct client *client, const char *reason)
{
    log_dbg("%s: %s", client->rpc ? jsonrpc_name(client->rpc) : client->remotes, reason);
    note_error(client, reason);
    go_offline(client);
    /* Every remote once without a pause, then with pauses. */
    if (++client->in_vain % n_remotes(client))
        reconnect_next(client->reconnect);
    else
        reconnect_disconnected(client->reconnect);
}

void client_give_up_on_nonsense(struct client *client, struct diag *diag)
{
    client->last_id = (struct uuid){{0}};
    client_give_up(client, diag_text(diag));
    diag_fini(diag);
}

/* ---- messages ---- */

static void set_has_lock(struct client *client, bool has_lock)
{
    if (client->has_lock == has_lock)
        return;
    client->has_lock = has_lock;
    tell_status(client);
}

static void take_reply(struct client *client, const struct jsonrpc_message *msg)
{
    json_int_t id = json_is_integer(msg->id) ? json_integer_value(msg->id) : -1;
    if (id == client->expected) {
        client->expected = -1;
        client_take_expected(client, msg);
    } else if (id == client->lock_id) {
        client->lock_id = -1;
        set_has_lock(client, msg->kind == JSONRPC_REPLY &&
                                 json_is_true(json_object_get(msg->result, "locked")));
    } else if (id == client->conditions_id) {
        client->conditions_id = -1; /* the rows came before it */
        tell_status(client);        /* is_settled may have become true */
    } else if (client_watch_take_reply(client, msg)) {
        tell_status(client);
    } else {
        (void)client_take_reply(client, msg);
    }
}

static bool names_our_lock(const struct client *client, const json_t *params)
{
    const char *name = json_string_value(json_array_get(params, 0));
    return client->lock && name && !strcmp(name, client->lock);
}

static void take_notification(struct client *client, const struct jsonrpc_message *msg)
{
    const json_t *id = json_array_get(msg->params, 0);
    if (text_starts_with(msg->method, "update")) {
        if (client->state == CLIENT_STEADY && client_is_our_monitor(client, id)) {
            struct diag diag = DIAG_INIT;
            if (client_take_update(client, msg->method, msg->params, &diag))
                client_give_up_on_nonsense(client, &diag);
        } else if (!client_watch_take_update(client, msg->params)) {
            client_take_server_update(client, json_array_get(msg->params, 1));
        }
    } else if (!strcmp(msg->method, "locked") && names_our_lock(client, msg->params)) {
        set_has_lock(client, true);
    } else if (!strcmp(msg->method, "stolen") && names_our_lock(client, msg->params)) {
        set_has_lock(client, false);
    } else if (!strcmp(msg->method, "monitor_canceled") && client_is_our_monitor(client, id)) {
        client_give_up(client, "the server canceled the monitor");
    }
}

static void on_message(void *client_, const struct jsonrpc_message *msg)
{
    struct client *client = client_;
    switch (msg->kind) {
    case JSONRPC_REPLY:
    case JSONRPC_ERROR:
        take_reply(client, msg);
        return;
    case JSONRPC_NOTIFY:
        take_notification(client, msg);
        return;
    case JSONRPC_REQUEST:
        jsonrpc_reply_error(client->rpc, msg->id, json_string("unknown method"));
        return;
    }
}

static void on_closed(void *client_, int err UNUSED, const char *reason)
{
    struct client *client = client_;
    note_error(client, reason);
    go_offline(client);
    reconnect_disconnected(client->reconnect);
}

static const struct jsonrpc_callbacks rpc_callbacks = {
    .text = client_take_text,
    .message = on_message,
    .closed = on_closed,
};

static void on_connected(void *client_, struct stream *stream)
{
    struct client *client = client_;
    enum { DEFAULT_PROBE_MS = 5000 };
    int probe = client->probe_ms;
    if (probe < 0)
        probe = stream_needs_probes(stream) ? DEFAULT_PROBE_MS : 0;
    client->rpc = jsonrpc_new(stream, &rpc_callbacks, client);
    jsonrpc_set_probe(client->rpc, probe);
    /* Were the last conditions not answered? Rows that they ask for may be missing, and no change will bring them. */
    if (client->conditions_id >= 0)
        client->last_id = (struct uuid){{0}};
    client->expected = client->lock_id = client->conditions_id = -1;
    client_begin(client);
}

/* REASON without "TARGET: " in front: who prints it names the target. */
static void note_failure(struct client *client, const char *target, const char *reason)
{
    size_t n = strlen(target);
    bool named = text_starts_with(reason, target) && text_starts_with(reason + n, ": ");
    note_error(client, named ? reason + n + 2 : reason);
}

static void on_failed(void *client, const char *target, const char *reason)
{
    note_failure(client, target, reason);
}

/* ---- the source ---- */

static bool is_listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (!strcmp(*list, name))
            return true;
    return false;
}

static void apply_columns(struct client *client, const struct client_columns *columns)
{
    const struct schema_table *table = schema_table_find(client->schema, columns->table);
    if (!table)
        return;
    struct client_table *t = &client->tables[table->index];
    if (!t->asked)
        t->asked = xcalloc(table->n_columns + 1, sizeof *t->asked);
    for (size_t i = 0; i < columns->n; i++) {
        const struct schema_column *c = schema_column_find(table, columns->names[i]);
        if (c && c->index >= 0)
            t->asked[c->index] = true;
    }
}

static void source_start(struct replica_source *source, const struct replica_options *options,
                         const struct replica_sink *sink)
{
    struct client *client = client_of(source);
    client->schema = options->schema;
    client->sink = *sink;
    client->share = share_new();
    client->tables = xcalloc(options->schema->n_tables, sizeof *client->tables);
    for (size_t i = 0; i < options->schema->n_tables; i++) {
        struct client_table *t = &client->tables[i];
        t->table = &options->schema->tables[i];
        t->wanted = !options->tables || is_listed(options->tables, t->table->name);
        t->modes = xcalloc(t->table->n_columns + 1, sizeof *t->modes);
    }
    for (size_t i = 0; i < client->columns.n; i++)
        apply_columns(client, &client->columns.data[i]);

    static const struct reconnect_callbacks callbacks = {.connected = on_connected,
                                                         .failed = on_failed};
    struct reconnect_options reconnect = {.stream = client->stream_options};
    struct diag diag = DIAG_INIT;
    if (reconnect_new(client->loop, client->remotes, &reconnect, &callbacks, client,
                      &client->reconnect, &diag)) {
        note_failure(client, client->remotes, diag_text(&diag));
        client->reconnect = NULL;
    }
    diag_fini(&diag);
}

static void source_submit(struct replica_source *source, struct ops *ops,
                          void (*done)(void *aux, int err, const char *error), void *aux)
{
    client_submit(client_of(source), ops, done, aux);
}

static struct condition condition_copy(const struct condition *condition)
{
    struct condition copy = {condition->n, NULL};
    if (condition->n) {
        copy.clauses = xmemdup(condition->clauses, condition->n * sizeof *copy.clauses);
        for (size_t i = 0; i < copy.n; i++)
            if (copy.clauses[i].arg)
                datum_ref(copy.clauses[i].arg);
    }
    return copy;
}

static bool condition_equal(const struct condition *a, const struct condition *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct clause *x = &a->clauses[i], *y = &b->clauses[i];
        if (x->function != y->function || x->column != y->column || !x->arg != !y->arg ||
            (x->arg && !datum_equal(x->arg, y->arg)))
            return false;
    }
    return true;
}

static void source_set_condition(struct replica_source *source, const struct schema_table *table,
                                 const struct condition *condition)
{
    struct client *client = client_of(source);
    struct client_table *t = &client->tables[table->index];
    if (!t->wanted || condition_equal(&t->condition, condition))
        return;
    struct condition copy = condition_copy(condition);
    condition_fini(&t->condition);
    t->condition = copy;
    t->condition_changed = true;
    deferred_schedule(&client->send_conditions);
}

static void source_set_lock(struct replica_source *source, const char *name)
{
    struct client *client = client_of(source);
    char *copy = xstrdup(name);
    if (client->lock && client->rpc) {
        (void)jsonrpc_request(client->rpc, "unlock", json_pack("[s]", client->lock));
        set_has_lock(client, false);
    }
    free(client->lock);
    client->lock = copy;
    if (client->rpc)
        client_send_lock(client);
}

static void free_columns(struct client *client)
{
    struct client_columns *c;
    VEC_FOR_EACH (c, &client->columns) {
        free(c->table);
        for (size_t i = 0; i < c->n; i++)
            free(c->names[i]);
        free(c->names);
    }
    vec_fini(&client->columns);
}

static void source_free(struct replica_source *source)
{
    struct client *client = client_of(source);
    deferred_cancel(&client->tell_refused);
    deferred_cancel(&client->send_conditions);
    jsonrpc_free(client->rpc);
    reconnect_free(client->reconnect);
    client_free_requests(client);
    client_free_tables(client);
    client_watch_fini(client);
    free_columns(client);
    free(client->server_row);
    free(client->server_schema);
    free(client->lock);
    free(client->error);
    free(client->transaction_error);
    free(client->answer);
    free(client->rundir);
    free(client->remotes);
    free(client);
}

struct replica_source *ovsdb_client_source_new(struct loop *loop, const char *remotes)
{
    struct client *client = NEW(struct client);
    client->base = (struct replica_source){source_start, source_submit, source_set_condition,
                                           source_set_lock, source_free};
    client->loop = loop;
    client->remotes = xstrdup(remotes);
    client->stream_options.default_port = TARGET_PORT_OVSDB;
    client->leader_only = true;
    client->probe_ms = -1;
    client->expected = client->lock_id = client->conditions_id = -1;
    client->watch.expected = -1;
    list_init(&client->requests);
    list_init(&client->refused);
    deferred_init(&client->tell_refused, loop, LOOP_LATER, client_tell_refused, client);
    deferred_init(&client->send_conditions, loop, LOOP_COMMIT, client_send_conditions, client);
    return &client->base;
}

void ovsdb_client_source_set_stream(struct replica_source *source,
                                    const struct stream_options *options)
{
    struct client *client = client_of(source);
    char *rundir = options->rundir ? xstrdup(options->rundir) : NULL;
    free(client->rundir);
    client->rundir = rundir;
    client->stream_options = *options;
    client->stream_options.rundir = rundir;
    if (!client->stream_options.default_port)
        client->stream_options.default_port = TARGET_PORT_OVSDB;
}

void ovsdb_client_source_set_leader_only(struct replica_source *source, bool leader_only)
{
    client_of(source)->leader_only = leader_only;
}

void ovsdb_client_source_set_probe_interval(struct replica_source *source, int ms)
{
    struct client *client = client_of(source);
    client->probe_ms = ms;
    if (client->rpc)
        jsonrpc_set_probe(client->rpc, ms);
}

void ovsdb_client_source_set_columns(struct replica_source *source, const char *table,
                                     const char *const *columns)
{
    struct client *client = client_of(source);
    struct client_columns c = {xstrdup(table), NULL, 0};
    while (columns[c.n])
        c.n++;
    c.names = xcalloc(c.n + 1, sizeof *c.names);
    for (size_t i = 0; i < c.n; i++)
        c.names[i] = xstrdup(columns[i]);
    vec_push(&client->columns, c);
}

unsigned ovsdb_client_source_failures(const struct replica_source *source)
{
    return client_of_const(source)->failures;
}

const char *ovsdb_client_source_error(const struct replica_source *source)
{
    const struct client *client = client_of_const(source);
    return client->error ? client->error : "";
}

const char *ovsdb_client_source_transaction_error(const struct replica_source *source)
{
    const struct client *client = client_of_const(source);
    return client->transaction_error ? client->transaction_error : "";
}

void ovsdb_client_source_consider_next(struct replica_source *source)
{
    client_of(source)->considers = true;
}

const char *ovsdb_client_source_answer(const struct replica_source *source)
{
    const struct client *client = client_of_const(source);
    return client->answer ? client->answer : "";
}

const char *ovsdb_client_source_remote(const struct replica_source *source)
{
    const struct client *client = client_of_const(source);
    return client->reconnect ? reconnect_target(client->reconnect) : client->remotes;
}

bool ovsdb_client_source_is_settled(const struct replica_source *source)
{
    const struct client *client = client_of_const(source);
    bool sent = true;
    for (size_t i = 0; i < client->schema->n_tables; i++)
        sent = sent && !client->tables[i].condition_changed;
    return client->state == CLIENT_STEADY &&
           (client->monitor_kind == MONITOR_PLAIN || (sent && client->conditions_id < 0)) &&
           client_watch_is_settled(client);
}

void ovsdb_client_source_on_watched(struct replica_source *source,
                                    void (*fn)(void *aux, const struct uuid *row), void *aux)
{
    struct client *client = client_of(source);
    client->watch.fn = fn;
    client->watch.aux = aux;
}

void ovsdb_client_source_watch(struct replica_source *source, const struct schema_table *table,
                               struct condition *where)
{
    struct client *client = client_of(source);
    INVARIANT(client->watch.fn);
    client_watch_set(client, table, where);
}

bool ovsdb_client_source_has_column(const struct replica_source *source,
                                    const struct schema_column *column)
{
    const struct client *client = client_of_const(source);
    if (!client->server_schema || column->index < 0)
        return true;
    const struct client_table *t = &client->tables[column->table->index];
    return t->present && t->modes[column->index] != COLUMN_ABSENT;
}
