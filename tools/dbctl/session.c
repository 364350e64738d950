/* session.c - a connection with blocking requests, to a server or to a file.
 *
 * For a file the store is opened here and served by an ovsdb_server of this process through a pair
 * of streams in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/rundir.h"
#include "ovsdb/server/server.h"
#include "tools/dbctl/dbctl.h"

struct session_conn {
    struct dbctl *dbctl;
    struct store *store; /* of a file */
    struct ovsdb_server *server;
    struct jsonrpc *rpc;
    bool is_connected, is_closed;
    char *reason;
    json_int_t id;  /* of the request that is out */
    json_t *result; /* its reply */
    json_t *error;
    bool has_reply;
    bool (*listen)(void *aux, const struct jsonrpc_message *msg);
    void *listen_aux;
    bool is_listening;
};

static void on_connected(void *conn)
{
    ((struct session_conn *)conn)->is_connected = true;
}

static void on_message(void *conn_, const struct jsonrpc_message *msg)
{
    struct session_conn *conn = conn_;
    if (msg->kind == JSONRPC_NOTIFY) {
        if (conn->listen && conn->is_listening)
            conn->is_listening = conn->listen(conn->listen_aux, msg);
    } else if (msg->kind == JSONRPC_REQUEST) {
        jsonrpc_reply_error(conn->rpc, msg->id, json_string("unknown method"));
    } else if (json_is_integer(msg->id) && json_integer_value(msg->id) == conn->id) {
        conn->has_reply = true;
        conn->result = msg->kind == JSONRPC_REPLY ? json_deep_copy(msg->result) : NULL;
        conn->error = msg->kind == JSONRPC_ERROR ? json_deep_copy(msg->error) : NULL;
    }
}

static void on_closed(void *conn_, int err, const char *reason)
{
    struct session_conn *conn = conn_;
    (void)err;
    conn->is_closed = true;
    conn->reason = xstrdup(reason);
    jsonrpc_free(conn->rpc);
    conn->rpc = NULL;
}

static const struct jsonrpc_callbacks callbacks = {
    .connected = on_connected, .message = on_message, .closed = on_closed};

static int open_file(struct session_conn *conn, const char *file, struct diag *diag)
{
    struct store_options options = {.env = loop_env(conn->dbctl->loop), .path = file};
    int err = store_open(&options, &conn->store, diag);
    if (err)
        return err;
    struct ovsdb_server_options server = {.probe_ms = -1};
    conn->server = ovsdb_server_new(conn->dbctl->loop, &server);
    err = ovsdb_server_add_db(conn->server, conn->store, diag);
    if (err)
        return err;
    struct stream_options stream = {0};
    struct stream *ours, *theirs;
    stream_pair(conn->dbctl->loop, conn->dbctl->loop, &stream, &ours, &theirs);
    ovsdb_server_add_stream(conn->server, theirs);
    conn->rpc = jsonrpc_new(ours, &callbacks, conn);
    conn->is_connected = true;
    return 0;
}

static int connect_server(struct session_conn *conn, struct diag *diag)
{
    const char *remote = conn->dbctl->remote;
    char *rundir = rundir_get(RUNDIR_OVS, conn->dbctl->sides == DBCTL_SERVER);
    struct stream_options options = {
        .default_port = TARGET_PORT_OVSDB, .rundir = rundir, .tls = conn->dbctl->tls};
    struct stream *stream;
    int err = stream_connect(conn->dbctl->loop, remote, &options, &stream, diag);
    free(rundir);
    if (err)
        return err;
    conn->rpc = jsonrpc_new(stream, &callbacks, conn);
    while (!conn->is_connected && !conn->is_closed)
        loop_run_once(conn->dbctl->loop, -1);
    if (!conn->is_closed)
        return 0;
    size_t n = strlen(remote);
    bool named = text_starts_with(conn->reason, remote) && text_starts_with(conn->reason + n, ": ");
    return diag_set(diag, ERR_IO, "failed to connect to \"%s\" (%s)", remote,
                    named ? conn->reason + n + 2 : conn->reason);
}

int conn_open(struct dbctl *dbctl, const char *file, struct session_conn **ret, struct diag *diag)
{
    struct session_conn *conn = NEW(struct session_conn);
    conn->dbctl = dbctl;
    int err = dbctl->remote ? connect_server(conn, diag) : open_file(conn, file, diag);
    if (err) {
        conn_close(conn);
        conn = NULL;
    }
    *ret = conn;
    return err;
}

void conn_close(struct session_conn *conn)
{
    if (!conn)
        return;
    jsonrpc_free(conn->rpc);
    if (conn->server)
        ovsdb_server_free(conn->server);
    if (conn->store)
        store_close(conn->store);
    json_decref(conn->result);
    json_decref(conn->error);
    free(conn->reason);
    free(conn);
}

static int lost(const struct session_conn *conn, struct diag *diag)
{
    return diag_set(diag, ERR_CLOSED, "connection lost: %s",
                    conn->reason ? conn->reason : "closed");
}

int conn_call(struct session_conn *conn, const char *method, json_t *params, json_t **ret,
              struct diag *diag)
{
    if (conn->is_closed) {
        json_decref(params);
        return lost(conn, diag);
    }
    conn->has_reply = false;
    conn->id = jsonrpc_request(conn->rpc, method, params);
    while (!conn->has_reply && !conn->is_closed)
        loop_run_once(conn->dbctl->loop, -1);
    if (!conn->has_reply)
        return lost(conn, diag);
    *ret = conn->result;
    conn->result = NULL;
    if (!conn->error)
        return 0;
    struct str text = STR_INIT;
    json_put(conn->error, true, &text);
    diag_set(diag, ERR_INVALID, "%s", str_c(&text));
    str_fini(&text);
    json_decref(conn->error);
    conn->error = NULL;
    return ERR_INVALID;
}

int conn_listen(struct session_conn *conn, bool (*fn)(void *aux, const struct jsonrpc_message *msg),
                void *aux, struct diag *diag)
{
    conn->listen = fn;
    conn->listen_aux = aux;
    conn->is_listening = true;
    while (conn->is_listening && !conn->is_closed)
        loop_run_once(conn->dbctl->loop, -1);
    return conn->is_listening ? lost(conn, diag) : 0;
}

int conn_list_dbs(struct session_conn *conn, json_t **ret, struct diag *diag)
{
    int err = conn_call(conn, "list_dbs", json_array(), ret, diag);
    if (!err && !json_is_array(*ret)) {
        json_decref(*ret);
        err = diag_set(diag, ERR_SYNTAX, "list_dbs response is not an array");
    }
    return err;
}

int conn_get_schema(struct session_conn *conn, const char *db, struct schema **ret,
                    struct diag *diag)
{
    json_t *json;
    int err = conn_call(conn, "get_schema", json_pack("[s]", db), &json, diag);
    if (err)
        return err;
    err = schema_from_json(json, ret, diag);
    json_decref(json);
    return err;
}

static bool has_db(const json_t *dbs, const char *name)
{
    for (size_t i = 0; i < json_array_size(dbs); i++) {
        const char *db = json_string_value(json_array_get(dbs, i));
        if (db && !strcmp(db, name))
            return true;
    }
    return false;
}

int conn_pick_db(struct session_conn *conn, const struct dbctl *dbctl, int max_rest, char **ret,
                 int *used, struct diag *diag)
{
    json_t *dbs;
    int err = conn_list_dbs(conn, &dbs, diag);
    if (err)
        return err;
    *ret = NULL;
    *used = 0;
    if (dbctl->argc && has_db(dbs, dbctl->argv[0])) {
        *ret = xstrdup(dbctl->argv[0]);
        *used = 1;
    } else if (dbctl->argc > max_rest) {
        err = diag_set(diag, ERR_NOT_FOUND, "server does not have a database named \"%s\"",
                       dbctl->argv[0]);
    } else {
        size_t n = 0;
        for (size_t i = 0; i < json_array_size(dbs); i++) {
            const char *db = json_string_value(json_array_get(dbs, i));
            if (!db || !strcmp(db, "_Server"))
                continue;
            free(*ret);
            *ret = xstrdup(db);
            n++;
        }
        if (n != 1 && has_db(dbs, "Open_vSwitch")) {
            free(*ret);
            *ret = xstrdup("Open_vSwitch");
        } else if (n != 1) {
            free(*ret);
            *ret = NULL;
            err = diag_set(diag, ERR_INVALID,
                           "no default database for `%s' command, please specify "
                           "a database name",
                           dbctl->command->name);
        }
    }
    json_decref(dbs);
    return err;
}
