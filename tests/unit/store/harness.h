/* harness.h - a store under test: transactions as JSON text in, results as JSON out.
 *
 * Plays the part of lib/ovsdb/server without any connection: the result array has the error in place
 * of the failing operation, null after it, and one extra element for a failed commit.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/vec.h"
#include "store/store.h"

struct call {
    struct store *store;
    struct ops *ops;
    json_t *result; /* NULL until done */
    struct store_txn *txn;
    bool (*owns_lock)(void *aux, const char *name);
    void *aux;
};

UNUSED static char *read_text(const char *path)
{
    FILE *f = fopen(path, "r");
    struct str out = STR_INIT;
    char buf[4096];
    size_t n;
    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        str_put_n(&out, buf, n);
    fclose(f);
    return str_steal(&out);
}

static json_t *row_to_json(const struct op *op, const struct row *row)
{
    json_t *json = json_object();
    size_t n = op->all_columns ? op->table->n_columns + 2 : op->n_columns;
    for (size_t i = 0; i < n; i++) {
        const struct schema_column *column = !op->all_columns           ? op->columns[i]
                                             : i < op->table->n_columns ? &op->table->columns[i]
                                             : i == op->table->n_columns
                                                 ? &op->table->uuid_column
                                                 : &op->table->version_column;
        const struct datum *value = row_get_any(row, column);
        json_object_set_new(json, column->name, datum_to_json(value));
        datum_unref(value);
    }
    return json;
}

static json_t *op_result_to_json(const struct op *op, const struct op_result *r)
{
    char uuid[UUID_TEXT_LEN + 1];
    if (r->error.error)
        return op_error_to_json(&r->error);
    switch (op->kind) {
    case OP_INSERT:
        return json_pack("{s:[ss]}", "uuid", "uuid", uuid_print(&r->uuid, uuid));
    case OP_SELECT: {
        json_t *rows = json_array();
        for (size_t i = 0; i < r->n_rows; i++)
            json_array_append_new(rows, row_to_json(op, r->rows[i]));
        return json_pack("{s:o}", "rows", rows);
    }
    case OP_UPDATE:
    case OP_MUTATE:
    case OP_DELETE:
        return json_pack("{s:I}", "count", (json_int_t)r->count);
    default:
        return json_object();
    }
}

static void call_done(void *aux, const struct store_result *result)
{
    struct call *call = aux;
    assert_null(call->result);
    call->txn = NULL;
    call->result = json_array();
    for (size_t i = 0; i < result->n; i++) {
        const struct op *op = i < call->ops->n ? &call->ops->ops[i] : NULL;
        json_array_append_new(call->result, op_result_to_json(op, &result->results[i]));
    }
    if (result->commit_error.error)
        json_array_append_new(call->result, op_error_to_json(&result->commit_error));
    while (json_array_size(call->result) < call->ops->n_requested)
        json_array_append_new(call->result, json_null());
}

/* Starts a transaction from a params array; call->result is set when it is done. */
UNUSED static void call_start(struct call *call, struct store *store, const json_t *params)
{
    call->store = store;
    call->ops = ops_from_json(store_schema(store), params, env_real());
    struct store_request request = {
        .ops = call->ops, .owns_lock = call->owns_lock, .done = call_done, .aux = call};
    call->txn = store_submit(store, &request);
}

UNUSED static void call_fini(struct call *call)
{
    json_decref(call->result);
    ops_free(call->ops);
    *call = (struct call){0};
}

/* Runs the operations in OPS (text, without the brackets and the name) and flushes. The result is
 * canonical JSON text on the heap; "wait" when the transaction waits (it is cancelled). */
UNUSED static char *transact(struct store *store, const char *ops)
{
    struct call call = {0};
    char *text = xasprintf("[\"db\"%s%s]", *ops ? "," : "", ops), *out;
    json_error_t error;
    json_t *params = json_loads(text, 0, &error);
    if (!params)
        fail_msg("%s: %s", text, error.text);
    call_start(&call, store, params);
    store_flush(store);
    if (call.result) {
        out = json_to_text(call.result);
    } else {
        out = xstrdup("wait");
        store_cancel(call.txn);
    }
    call_fini(&call);
    json_decref(params);
    free(text);
    return out;
}

UNUSED static void expect(struct store *store, const char *ops, const char *result)
{
    char *out = transact(store, ops);
    if (strcmp(out, result))
        fail_msg("%s\n  gives %s\n  wanted %s", ops, out, result);
    free(out);
}

/* The result holds TEXT. */
UNUSED static void expect_part(struct store *store, const char *ops, const char *text)
{
    char *out = transact(store, ops);
    if (!strstr(out, text))
        fail_msg("%s\n  gives %s\n  wanted a part %s", ops, out, text);
    free(out);
}

UNUSED static struct store *open_store(const char *path, const char *schema_text, struct env *env)
{
    struct store_options options = {
        .env = env, .path = path, .schema_text = schema_text, .create = true};
    struct store *store = NULL;
    struct diag diag = DIAG_INIT;
    if (store_open(&options, &store, &diag))
        fail_msg("%s", diag_text(&diag));
    return store;
}

UNUSED static struct store *open_interop(const char *path)
{
    char *text = read_text(TEST_DATA "/ovsdb/interop.ovsschema");
    struct store *store = open_store(path, text, env_real());
    free(text);
    return store;
}
