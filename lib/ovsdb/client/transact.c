/* transact.c - transactions on their way: operations into JSON, replies into error codes.
 *
 * What the server's schema lacks is left out of the operations (never written). A reply is reduced
 * to the first error in it; "aborted" and null entries tell nothing by themselves (RFC 7047 4.1.3).
 *
 * Does not send anything twice: whether a transaction whose reply was lost was committed is for its
 * author to see in fresh data.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ovsdb/client/client.h"

/* ---- leaving out what the server lacks ---- */

static bool is_lacking(const struct client *client, const struct schema_column *column)
{
    if (!column || column->index < 0)
        return false;
    return client->tables[column->table->index].modes[column->index] == COLUMN_ABSENT;
}

static size_t strip_values(const struct client *client, struct column_value *values, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_lacking(client, values[i].column))
            datum_unref(values[i].value);
        else
            values[kept++] = values[i];
    }
    return kept;
}

static void strip_mutations(const struct client *client, struct op *op)
{
    size_t kept = 0;
    for (size_t i = 0; i < op->n_mutations; i++) {
        if (is_lacking(client, op->mutations[i].column))
            datum_unref(op->mutations[i].arg);
        else
            op->mutations[kept++] = op->mutations[i];
    }
    op->n_mutations = kept;
}

static void strip_wait(const struct client *client, struct op *op)
{
    size_t kept = 0;
    for (size_t i = 0; i < op->n_columns; i++)
        if (!is_lacking(client, op->columns[i]))
            op->columns[kept++] = op->columns[i];
    op->n_columns = kept;
    for (size_t i = 0; i < op->n_rows; i++)
        op->rows[i].n = strip_values(client, op->rows[i].values, op->rows[i].n);
}

/* False when nothing is left of OP. */
static bool strip_op(const struct client *client, struct op *op)
{
    if (op->table && !client->tables[op->table->index].present)
        return false;
    op->n_values = strip_values(client, op->values, op->n_values);
    strip_mutations(client, op);
    strip_wait(client, op);
    return !(op->kind == OP_UPDATE && !op->n_values) &&
           !(op->kind == OP_MUTATE && !op->n_mutations);
}

static void strip(const struct client *client, struct ops *ops)
{
    size_t kept = 0;
    for (size_t i = 0; i < ops->n; i++) {
        if (strip_op(client, &ops->ops[i]))
            ops->ops[kept++] = ops->ops[i];
        else
            op_fini(&ops->ops[i]);
    }
    ops->n = ops->n_requested = kept;
}

/* ---- sending ---- */

void client_submit(struct client *client, struct ops *ops,
                   void (*done)(void *aux, int err, const char *error), void *aux)
{
    struct client_request *r = NEW(struct client_request);
    r->done = done;
    r->aux = aux;
    if (client->state == CLIENT_STEADY) {
        strip(client, ops);
        r->id = jsonrpc_request(client->rpc, client->considers ? "weft_consider" : "transact",
                                ops_to_json(client->schema, ops));
        client->considers = false;
        list_push_back(&client->requests, &r->node);
    } else {
        r->err = ERR_AGAIN;
        list_push_back(&client->refused, &r->node);
        deferred_schedule(&client->tell_refused);
    }
    ops_free(ops);
}

static void finish(struct client_request *r, int err, const char *error)
{
    list_remove(&r->node);
    if (r->done)
        r->done(r->aux, err, error);
    free(r);
}

void client_tell_refused(void *client_)
{
    struct client *client = client_;
    while (!list_empty(&client->refused)) {
        struct client_request *r = LIST_FIRST(struct client_request, node, &client->refused);
        finish(r, r->err, "not connected to the database server");
    }
}

void client_abandon_requests(struct client *client)
{
    while (!list_empty(&client->requests)) {
        struct client_request *r = LIST_FIRST(struct client_request, node, &client->requests);
        finish(r, ERR_AGAIN, "the connection to the database server was lost");
    }
}

void client_free_requests(struct client *client)
{
    struct list *lists[] = {&client->requests, &client->refused};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        while (!list_empty(lists[i])) {
            struct client_request *r = LIST_FIRST(struct client_request, node, lists[i]);
            list_remove(&r->node);
            free(r);
        }
}

/* ---- replies ---- */

static int code_of(const char *error)
{
    static const struct {
        const char *error;
        int code;
    } codes[] = {
        {"timed out", ERR_AGAIN},
        {"busy", ERR_AGAIN},
        {"unknown method", ERR_UNSUPPORTED},
        {"not owner", ERR_NOT_OWNER},
        {"constraint violation", ERR_CONSTRAINT},
        {"referential integrity violation", ERR_REFERENCE},
        {"permission error", ERR_PERMISSION},
        {"not allowed", ERR_PERMISSION},
        {"aborted", ERR_CANCELED},
        {"canceled", ERR_CANCELED},
        {"range error", ERR_RANGE},
        {"duplicate uuid", ERR_EXISTS},
        {"resources exhausted", ERR_NO_SPACE},
        {"I/O error", ERR_IO},
        {"unknown database", ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (!strcmp(error, codes[i].error))
            return codes[i].code;
    return ERR_INVALID;
}

static const json_t *find_error(const struct jsonrpc_message *msg)
{
    if (msg->kind == JSONRPC_ERROR)
        return msg->error;
    size_t i;
    json_t *result;
    json_array_foreach((json_t *)(uintptr_t)msg->result, i, result)
    {
        if (json_object_get(result, "error"))
            return result;
    }
    return NULL;
}

static void note_transaction_error(struct client *client, const json_t *error)
{
    struct str text = STR_INIT;
    json_put(error, true, &text);
    free(client->transaction_error);
    client->transaction_error = str_steal(&text);
}

/* A transaction is answered by an array, what is only considered by an object. */
static void note_answer(struct client *client, const json_t *result)
{
    if (!json_is_object(result))
        return;
    struct str text = STR_INIT;
    json_put(result, true, &text);
    free(client->answer);
    client->answer = str_steal(&text);
}

bool client_take_reply(struct client *client, const struct jsonrpc_message *msg)
{
    if (!json_is_integer(msg->id))
        return false;
    json_int_t id = json_integer_value(msg->id);
    struct client_request *r;
    LIST_FOR_EACH (r, node, &client->requests) {
        if (r->id == id)
            break;
    }
    if (&r->node == &client->requests)
        return false;
    const json_t *error = find_error(msg);
    if (!error) {
        note_answer(client, msg->result);
        finish(r, 0, NULL);
        return true;
    }
    note_transaction_error(client, error);
    const char *tag = json_is_string(error) ? json_string_value(error)
                                            : json_string_value(json_object_get(error, "error"));
    const char *details = json_string_value(json_object_get(error, "details"));
    tag = tag ? tag : "unknown error";
    char *text = details ? xasprintf("%s: %s", tag, details) : xstrdup(tag);
    finish(r, code_of(tag), text);
    free(text);
    return true;
}
