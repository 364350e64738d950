/* session.c - one connection of an OVSDB server: its life, and the methods that need little.
 *
 * Room 5. Methods are a table; those with a subject of their own are in transact.c, monitor.c and
 * lock.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ovsdb/server/server_impl.h"

enum { DEFAULT_PROBE_MS = 5000 };

/* ---- answers ---- */

void session_reply_op_error(struct session *session, const json_t *id, struct op_error *error)
{
    jsonrpc_reply_error(session->rpc, id, op_error_to_json(error));
    op_error_fini(error);
}

void session_reply_error(struct session *session, const json_t *id, const char *tag,
                         const json_t *syntax, const char *format, ...)
{
    struct op_error error = {0};
    va_list args;
    va_start(args, format);
    char *details = xvasprintf(format, args);
    va_end(args);
    op_error_set(&error, tag, syntax, "%s", details);
    free(details);
    session_reply_op_error(session, id, &error);
}

void session_reply_empty(struct session *session, const json_t *id)
{
    jsonrpc_reply(session->rpc, id, json_object());
}

struct server_db *session_find_db(struct session *session, const struct jsonrpc_message *msg)
{
    const char *name = json_string_value(json_array_get(msg->params, 0));
    if (!name) {
        session_reply_error(session, msg->id, "syntax error", msg->params,
                            "%s request params must begin with <db-name>", msg->method);
        return NULL;
    }
    struct server_db *db = server_db_find(session->server, name);
    if (!db)
        session_reply_error(session, msg->id, "unknown database", msg->params,
                            "%s request specifies unknown database %s", msg->method, name);
    return db;
}

/* ---- methods ---- */

static void list_dbs(struct session *session, const struct jsonrpc_message *msg)
{
    const struct server_db *db;
    json_t *names = json_array();
    LIST_FOR_EACH (db, node, &session->server->dbs)
        json_array_append_new(names, json_string(store_schema(db->store)->name));
    jsonrpc_reply(session->rpc, msg->id, names);
}

static void get_schema(struct session *session, const struct jsonrpc_message *msg)
{
    const struct server_db *db = session_find_db(session, msg);
    if (!db)
        return;
    struct str out = STR_INIT;
    str_put(&out, "{\"id\":");
    json_put(msg->id, false, &out);
    str_putf(&out, ",\"result\":%s,\"error\":null}", store_schema(db->store)->text);
    jsonrpc_send_text(session->rpc, out.s, out.n);
    str_fini(&out);
}

static void get_server_id(struct session *session, const struct jsonrpc_message *msg)
{
    char text[UUID_TEXT_LEN + 1];
    jsonrpc_reply(session->rpc, msg->id, json_string(uuid_print(&session->server->id, text)));
}

static void set_db_change_aware(struct session *session, const struct jsonrpc_message *msg)
{
    const json_t *aware = json_array_get(msg->params, 0);
    if (json_array_size(msg->params) != 1 || !json_is_boolean(aware)) {
        session_reply_error(session, msg->id, "syntax error", msg->params,
                            "set_db_change_aware: true or false parameter expected");
        return;
    }
    session->is_aware = json_is_true(aware);
    session_reply_empty(session, msg->id);
}

static bool check_new_schema(struct session *session, const struct jsonrpc_message *msg,
                             const struct server_db *db, const struct schema *schema)
{
    const struct schema *old = store_schema(db->store);
    if (strcmp(schema->name, old->name))
        session_reply_error(session, msg->id, "invalid parameters", NULL,
                            "new schema name (%s) does not match database name (%s)", schema->name,
                            old->name);
    else if (db->is_self || session_may_only_read(session) || session->role)
        session_reply_error(session, msg->id, "not allowed", NULL, "%s cannot be converted here",
                            schema->name);
    else
        return true;
    return false;
}

static void convert(struct session *session, const struct jsonrpc_message *msg)
{
    struct server_db *db = session_find_db(session, msg);
    if (!db)
        return;
    struct schema *schema;
    struct diag diag = DIAG_INIT;
    if (json_array_size(msg->params) != 2) {
        session_reply_error(session, msg->id, "syntax error", msg->params, "array expected");
        return;
    }
    struct op_error error = {0};
    if (schema_parse(json_array_get(msg->params, 1), &schema, &error)) {
        session_reply_op_error(session, msg->id, &error);
        return;
    }
    if (check_new_schema(session, msg, db, schema)) {
        int err = server_db_convert(db, schema, &diag);
        if (err)
            session_reply_error(session, msg->id,
                                err == ERR_UNSUPPORTED ? "not supported" : "constraint violation",
                                NULL, "%s", diag_text(&diag));
        else
            session_reply_empty(session, msg->id);
        if (err != ERR_UNSUPPORTED)
            server_drop_unaware(session->server);
    }
    diag_fini(&diag);
    schema_free(schema);
}

static const struct method {
    const char *name;
    void (*fn)(struct session *session, const struct jsonrpc_message *msg);
} methods[] = {
    {"transact", session_transact},
    {"weft_consider", session_consider},
    {"monitor_cond_since", session_monitor},
    {"monitor_cond", session_monitor},
    {"monitor", session_monitor},
    {"monitor_cond_change", session_monitor_change},
    {"monitor_cancel", session_monitor_cancel},
    {"list_dbs", list_dbs},
    {"get_schema", get_schema},
    {"get_server_id", get_server_id},
    {"lock", session_lock},
    {"steal", session_lock},
    {"unlock", session_unlock},
    {"set_db_change_aware", set_db_change_aware},
    {"convert", convert},
};

static void handle_request(struct session *session, const struct jsonrpc_message *msg)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!strcmp(methods[i].name, msg->method)) {
            methods[i].fn(session, msg);
            return;
        }
    }
    jsonrpc_reply_error(session->rpc, msg->id, json_string("unknown method"));
}

static void on_message(void *session_, const struct jsonrpc_message *msg)
{
    struct session *session = session_;
    if (msg->kind == JSONRPC_REQUEST) {
        handle_request(session, msg);
    } else if (msg->kind == JSONRPC_NOTIFY) {
        if (!strcmp(msg->method, "cancel"))
            session_cancel(session, msg->params);
    } else {
        jsonrpc_close(session->rpc, ERR_SYNTAX, "reply to a request that was never made");
        return;
    }
    /* A client that does not read its answers is not read either. */
    if (stream_is_congested(jsonrpc_stream(session->rpc)))
        jsonrpc_pause(session->rpc, true);
}

static void on_drained(void *session_)
{
    struct session *session = session_;
    jsonrpc_pause(session->rpc, false);
}

static void on_closed(void *session_, int err UNUSED, const char *reason UNUSED)
{
    struct session *session = session_;
    struct remote *remote = session->remote;
    session_free(session);
    if (remote)
        remote_session_closed(remote);
}

/* ---- life ---- */

static struct rstr *author_of(const struct stream *stream)
{
    if (stream_peer_id(stream))
        return rstr_new(stream_peer_id(stream));
    if (stream_peer_uid(stream) < 0)
        return rstr_new(stream_name(stream));
    char *text = xasprintf("uid %lld", (long long)stream_peer_uid(stream));
    struct rstr *author = rstr_new(text);
    free(text);
    return author;
}

static void on_connected(void *session_)
{
    struct session *session = session_;
    rstr_unref(session->author);
    session->author = author_of(jsonrpc_stream(session->rpc));
}

struct session *session_new(struct ovsdb_server *server, struct stream *stream)
{
    static const struct jsonrpc_callbacks callbacks = {.connected = on_connected,
                                                       .message = on_message,
                                                       .drained = on_drained,
                                                       .closed = on_closed};
    struct session *session = NEW(struct session);
    session->server = server;
    session->author = author_of(stream);
    list_init(&session->monitors);
    list_init(&session->triggers);
    list_init(&session->waiters);
    list_push_back(&server->sessions, &session->node);
    bool probes = stream_needs_probes(stream);
    session->rpc = jsonrpc_new(stream, &callbacks, session);
    int64_t probe_ms = server->options.probe_ms ? server->options.probe_ms : DEFAULT_PROBE_MS;
    if (probes && probe_ms > 0)
        jsonrpc_set_probe(session->rpc, probe_ms);
    return session;
}

void session_free(struct session *session)
{
    list_remove(&session->node);
    session_drop_triggers(session, NULL);
    session_drop_monitors(session, NULL, false);
    session_drop_locks(session);
    jsonrpc_free(session->rpc);
    rstr_unref(session->author);
    free(session->role);
    free(session);
}
