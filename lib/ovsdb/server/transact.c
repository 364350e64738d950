/* transact.c - transactions of a session: from the request to the store, and results as text.
 *
 * Room 5. The store decides when a transaction is done; until then a trigger stands for it. The
 * session may be gone by then: what is pending commits all the same, what waits is dropped.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb/server/rbac.h"
#include "ovsdb/server/server_impl.h"

struct trigger {
    struct list node;        /* in session->triggers */
    struct session *session; /* NULL: gone */
    struct server_db *db;
    struct store_txn *txn; /* NULL: not submitted yet, or done */
    struct ops *ops;
    json_t *id;
    bool is_done;
};

static void trigger_free(struct trigger *t)
{
    list_remove(&t->node);
    ops_free(t->ops);
    json_decref(t->id);
    free(t);
}

/* ---- results as text ---- */

static void put_op_error(const struct op_error *error, struct str *out)
{
    json_t *json = op_error_to_json(error);
    json_put(json, true, out);
    json_decref(json);
}

static void put_column(const struct row *row, const struct schema_column *column, bool first,
                       struct str *out)
{
    const struct datum *value = row_get_any(row, column);
    str_putf(out, "%s\"%s\":", first ? "" : ",", column->name);
    datum_put_json(value, out);
    datum_unref(value);
}

static void put_row(const struct op *op, const struct row *row, struct str *out)
{
    str_putc(out, '{');
    if (op->all_columns) {
        put_column(row, &op->table->uuid_column, true, out);
        put_column(row, &op->table->version_column, false, out);
        for (size_t i = 0; i < op->table->n_columns; i++)
            put_column(row, &op->table->columns[i], false, out);
    } else {
        for (size_t i = 0; i < op->n_columns; i++)
            put_column(row, op->columns[i], i == 0, out);
    }
    str_putc(out, '}');
}

static void put_result(const struct op *op, const struct op_result *result, struct str *out)
{
    char uuid[UUID_TEXT_LEN + 1];
    switch (op->kind) {
    case OP_INSERT:
        str_putf(out, "{\"uuid\":[\"uuid\",\"%s\"]}", uuid_print(&result->uuid, uuid));
        break;
    case OP_SELECT:
        str_put(out, "{\"rows\":[");
        for (size_t i = 0; i < result->n_rows; i++) {
            if (i)
                str_putc(out, ',');
            put_row(op, result->rows[i], out);
        }
        str_put(out, "]}");
        break;
    case OP_UPDATE:
    case OP_MUTATE:
    case OP_DELETE:
        str_putf(out, "{\"count\":%" PRIu64 "}", result->count);
        break;
    default:
        str_put(out, "{}");
    }
}

/* The array of results: an error in the place of the operation that failed, null behind it. */
static void put_results(const struct ops *ops, const struct store_result *result, struct str *out)
{
    size_t n = 0;
    bool failed = false;
    str_putc(out, '[');
    for (; n < result->n && !failed; n++) {
        const struct op_result *r = &result->results[n];
        if (n)
            str_putc(out, ',');
        failed = r->error.error != NULL;
        if (failed)
            put_op_error(&r->error, out);
        else
            put_result(&ops->ops[n], r, out);
    }
    if (!failed && ops->parse_error.error && n < ops->n_requested) {
        if (n++)
            str_putc(out, ',');
        put_op_error(&ops->parse_error, out);
        failed = true;
    }
    for (; failed && n < ops->n_requested; n++)
        str_put(out, ",null");
    if (!failed && result->commit_error.error) {
        if (n)
            str_putc(out, ',');
        put_op_error(&result->commit_error, out);
    }
    str_putc(out, ']');
}

static void transaction_done(void *t_, const struct store_result *result)
{
    struct trigger *t = t_;
    if (t->session) {
        struct str out = STR_INIT;
        str_put(&out, "{\"id\":");
        json_put(t->id, false, &out);
        str_put(&out, ",\"result\":");
        put_results(t->ops, result, &out);
        str_put(&out, ",\"error\":null}");
        jsonrpc_send_text(t->session->rpc, out.s, out.n);
        str_fini(&out);
    }
    t->is_done = true;
    if (t->txn)
        trigger_free(t);
}

/* ---- what a session may do ---- */

static bool owns_lock(void *t_, const char *name)
{
    const struct trigger *t = t_;
    return t->session && session_owns_lock(t->session, name);
}

static const char *op_name(enum op_kind kind)
{
    static const char *const names[] = {
        [OP_INSERT] = "insert", [OP_SELECT] = "select", [OP_UPDATE] = "update",
        [OP_MUTATE] = "mutate", [OP_DELETE] = "delete", [OP_WAIT] = "wait",
        [OP_COMMIT] = "commit", [OP_ABORT] = "abort",   [OP_COMMENT] = "comment",
        [OP_ASSERT] = "assert"};
    return names[kind];
}

static bool permit(void *t_, const struct op *op, const struct row *row, struct op_error *error)
{
    const struct trigger *t = t_;
    if (t->db->is_self)
        op_error_set(error, "not allowed", NULL,
                     "%s operation not allowed on table in reserved database _Server",
                     op_name(op->kind));
    else if (t->session && session_may_only_read(t->session))
        op_error_set(error, "not allowed", NULL,
                     "%s operation not allowed when database server is in read only mode",
                     op_name(op->kind));
    else if (t->session && t->session->role)
        return rbac_permits(t->db->store, t->session->role,
                            stream_peer_id(jsonrpc_stream(t->session->rpc)), op, row, error);
    else
        return true;
    return false;
}

/* ---- methods ---- */

static struct trigger *trigger_find(const struct session *session, const json_t *id)
{
    struct trigger *t;
    LIST_FOR_EACH (t, node, &session->triggers) {
        if (json_equal(t->id, id))
            return t;
    }
    return NULL;
}

void session_transact(struct session *session, const struct jsonrpc_message *msg)
{
    struct server_db *db = session_find_db(session, msg);
    if (!db)
        return;
    if (trigger_find(session, msg->id)) {
        session_reply_error(session, msg->id, "syntax error", msg->params,
                            "transact: duplicate request ID");
        return;
    }
    struct trigger *t = NEW(struct trigger);
    t->session = session;
    t->db = db;
    t->id = json_incref((json_t *)(uintptr_t)msg->id);
    t->ops = ops_from_json(store_schema(db->store), msg->params, loop_env(session->server->loop));
    list_push_back(&session->triggers, &t->node);
    struct store_request request = {
        .ops = t->ops,
        .author = session->author,
        .owns_lock = owns_lock,
        .permit = db->is_self || session_may_only_read(session) || session->role ? permit : NULL,
        .done = transaction_done,
        .aux = t,
    };
    t->txn = store_submit(db->store, &request);
    if (t->is_done)
        trigger_free(t);
    else
        server_schedule_flush(session->server);
}

/* ---- what a transaction would bring ---- */

struct question {
    struct trigger trigger;
    struct str answer; /* empty: the transaction failed */
    bool is_busy;
};

static void on_considered(void *question_, const struct changeset *cs)
{
    struct question *q = question_;
    const struct ovsdb_server_options *options = &q->trigger.session->server->options;
    q->is_busy = !options->consider(options->aux, q->trigger.db->store, cs, &q->answer);
}

static void question_done(void *question_, const struct store_result *result)
{
    struct question *q = question_;
    struct str out = STR_INIT;
    if (q->is_busy) {
        session_reply_error(q->trigger.session, q->trigger.id, "busy", NULL,
                            "what was said before is not in force yet");
        return;
    }
    str_put(&out, "{\"id\":");
    json_put(q->trigger.id, false, &out);
    str_put(&out, ",\"result\":");
    if (q->answer.n)
        str_put(&out, str_c(&q->answer));
    else
        put_results(q->trigger.ops, result, &out);
    str_put(&out, ",\"error\":null}");
    jsonrpc_send_text(q->trigger.session->rpc, out.s, out.n);
    str_fini(&out);
}

void session_consider(struct session *session, const struct jsonrpc_message *msg)
{
    struct server_db *db = session_find_db(session, msg);
    if (!db)
        return;
    if (!session->server->options.consider || db->is_self) {
        jsonrpc_reply_error(session->rpc, msg->id, json_string("unknown method"));
        return;
    }
    struct question q = {.trigger = {.session = session,
                                     .db = db,
                                     .id = (json_t *)(uintptr_t)msg->id,
                                     .ops = ops_from_json(store_schema(db->store), msg->params,
                                                          loop_env(session->server->loop))}};
    struct store_request request = {
        .ops = q.trigger.ops,
        .owns_lock = owns_lock,
        .permit = session_may_only_read(session) || session->role ? permit : NULL,
        .done = question_done,
        .aux = &q,
    };
    store_consider(db->store, &request, on_considered, &q);
    ops_free(q.trigger.ops);
    str_fini(&q.answer);
}

void session_cancel(struct session *session, const json_t *params)
{
    struct trigger *t =
        json_array_size(params) ? trigger_find(session, json_array_get(params, 0)) : NULL;
    if (!t || !store_txn_is_waiting(t->txn))
        return;
    store_cancel(t->txn);
    if (session->is_aware)
        jsonrpc_reply_error(session->rpc, t->id, json_string("canceled"));
    trigger_free(t);
}

void session_drop_triggers(struct session *session, const struct server_db *db)
{
    struct trigger *t, *next;
    LIST_FOR_EACH_SAFE (t, next, node, &session->triggers) {
        if (db && t->db != db)
            continue;
        if (store_txn_is_waiting(t->txn)) {
            store_cancel(t->txn);
            if (db)
                jsonrpc_reply_error(session->rpc, t->id, json_string("canceled"));
            trigger_free(t);
        } else {
            /* Executed and about to be durable: nobody will be told. */
            t->session = NULL;
            list_remove(&t->node);
        }
    }
}
