/* exec.c - running the operations of a transaction (RFC 7047 section 5.2).
 *
 * See store_private.h. Each operation sees what the earlier ones did. What is checked here is what can
 * be said of one row by itself; everything between rows waits for the commit.
 */
#include <stdlib.h>

#include "base/err.h"
#include "store/store_private.h"

struct exec {
    struct txn *txn;
    const struct store_txn *context;
    const struct op *op;
    struct store_table *table;
    struct op_result *result;
    int64_t *deadline_ms;
};

static bool permitted(struct exec *e, const struct row *row)
{
    const struct store_request *request = &e->context->request;
    return !request->permit || request->permit(request->aux, e->op, row, &e->result->error);
}

static int check_value(const struct schema_column *column, const struct datum *value,
                       struct op_error *error)
{
    struct diag diag = DIAG_INIT;
    int err = column_type_check(&column->type, value, &diag);
    if (err)
        op_error_set(error, "constraint violation", NULL, "%s", diag_text(&diag));
    diag_fini(&diag);
    return err;
}

/* Columns that the insert leaves out take their defaults, which may be against their own rules. */
static int check_defaults(struct exec *e)
{
    for (size_t i = 0; e->table->has_bad_default && i < e->op->table->n_columns; i++) {
        const struct schema_column *column = &e->op->table->columns[i];
        size_t j = 0;
        if (!e->table->is_bad_default[i])
            continue;
        while (j < e->op->n_values && e->op->values[j].column != column)
            j++;
        if (j == e->op->n_values)
            return check_value(column, column->default_value, &e->result->error);
    }
    return 0;
}

static int set_values(struct exec *e, struct row *row)
{
    for (size_t i = 0; i < e->op->n_values; i++) {
        const struct column_value *v = &e->op->values[i];
        int err = check_value(v->column, v->value, &e->result->error);
        if (err)
            return err;
        row_set(row, v->column, share_value(e->txn->store->share, v->column, v->value));
    }
    return 0;
}

static int duplicate_uuid(const struct op *op, struct op_error *error)
{
    char uuid[UUID_TEXT_LEN + 1];
    json_t *syntax = json_string(uuid_print(&op->uuid, uuid));
    int err = op_error_set(error, "duplicate uuid", syntax,
                           "This UUID would duplicate a UUID already present within the table or "
                           "deleted within the same transaction.");
    json_decref(syntax);
    return err;
}

static int execute_insert(struct exec *e)
{
    struct entry *entry = entry_find(e->table, &e->op->uuid);
    if (entry && (entry->row || (entry->touched && entry->before)))
        return duplicate_uuid(e->op, &e->result->error);
    int err = check_defaults(e);
    if (err)
        return err;
    struct row *row = row_new(e->op->table, &e->op->uuid);
    row->version = e->txn->id;
    err = set_values(e, row);
    if (!err && !permitted(e, row))
        err = ERR_PERMISSION;
    if (err) {
        row_unref(row);
        return err;
    }
    if (!entry)
        entry = entry_new(e->table, &e->op->uuid);
    txn_touch(e->txn, entry);
    entry_set_row(entry, row);
    e->result->uuid = entry->uuid;
    return 0;
}

static const struct row **rows_of(const entry_vec *entries)
{
    const struct row **rows = xcalloc(entries->n + 1, sizeof *rows);
    for (size_t i = 0; i < entries->n; i++)
        rows[i] = row_ref(entries->data[i]->row);
    return rows;
}

static int execute_select(struct exec *e, const entry_vec *entries)
{
    e->result->rows = rows_of(entries);
    e->result->n_rows = entries->n;
    project_distinct(e->op, e->result->rows, &e->result->n_rows);
    return 0;
}

/* Before a row is edited in place it must differ from what is there, so that a no-op costs nothing. */
static bool would_change(const struct op *op, const struct row *row)
{
    for (size_t i = 0; i < op->n_values; i++) {
        if (!datum_equal(row_get(row, op->values[i].column), op->values[i].value))
            return true;
    }
    return false;
}

static int execute_update(struct exec *e, const entry_vec *entries)
{
    for (size_t i = 0; i < e->op->n_values; i++) {
        int err = check_value(e->op->values[i].column, e->op->values[i].value, &e->result->error);
        if (err)
            return err;
    }
    for (size_t i = 0; i < entries->n; i++) {
        struct entry *entry = entries->data[i];
        if (!permitted(e, entry->row))
            return ERR_PERMISSION;
        if (!would_change(e->op, entry->row))
            continue;
        struct row *row = txn_edit(e->txn, entry);
        for (size_t j = 0; j < e->op->n_values; j++)
            row_set(
                row, e->op->values[j].column,
                share_value(e->txn->store->share, e->op->values[j].column, e->op->values[j].value));
    }
    return 0;
}

static int mutate_row(struct exec *e, struct entry *entry)
{
    for (size_t i = 0; i < e->op->n_mutations; i++) {
        const struct mutation *m = &e->op->mutations[i];
        const struct datum *value = row_get(entry->row, m->column), *changed;
        int err = mutate_datum(&m->column->type, m, value, &changed, &e->result->error);
        if (err)
            return err;
        if (changed == value)
            datum_unref(changed);
        else
            row_set(txn_edit(e->txn, entry), m->column, changed);
    }
    return 0;
}

static int execute_mutate(struct exec *e, const entry_vec *entries)
{
    for (size_t i = 0; i < entries->n; i++) {
        if (!permitted(e, entries->data[i]->row))
            return ERR_PERMISSION;
        int err = mutate_row(e, entries->data[i]);
        if (err)
            return err;
    }
    return 0;
}

static int execute_delete(struct exec *e, const entry_vec *entries)
{
    for (size_t i = 0; i < entries->n; i++) {
        if (!permitted(e, entries->data[i]->row))
            return ERR_PERMISSION;
        txn_delete(e->txn, entries->data[i]);
    }
    return 0;
}

static int execute_wait(struct exec *e, const entry_vec *entries)
{
    const struct row **rows = rows_of(entries);
    bool equal = project_equals_wait(e->op, rows, entries->n);
    int64_t waited = env_now_ms(e->txn->store->env) - e->context->start_ms;
    for (size_t i = 0; i < entries->n; i++)
        row_unref(rows[i]);
    free(rows);
    if (equal == e->op->until_equal)
        return 0;
    if (e->op->timeout_ms == 0)
        return op_error_set(&e->result->error, "timed out", NULL, "\"where\" clause test failed");
    if (e->op->timeout_ms > 0 && waited >= e->op->timeout_ms)
        return op_error_set(&e->result->error, "timed out", NULL,
                            "\"wait\" timed out after %lld ms", (long long)waited);
    *e->deadline_ms = e->op->timeout_ms < 0 ? INT64_MAX : e->context->start_ms + e->op->timeout_ms;
    return EXEC_WAIT;
}

static int execute_where(struct exec *e)
{
    entry_vec entries = VEC_INIT;
    int err = 0;
    txn_select(e->txn, e->table, &e->op->where, &entries);
    e->result->count = entries.n;
    if (e->op->kind == OP_SELECT)
        err = execute_select(e, &entries);
    else if (e->op->kind == OP_UPDATE)
        err = execute_update(e, &entries);
    else if (e->op->kind == OP_MUTATE)
        err = execute_mutate(e, &entries);
    else if (e->op->kind == OP_DELETE)
        err = execute_delete(e, &entries);
    else
        err = execute_wait(e, &entries);
    vec_fini(&entries);
    return err;
}

static int execute_assert(struct exec *e)
{
    const struct store_request *request = &e->context->request;
    if (request->owns_lock && request->owns_lock(request->aux, e->op->text))
        return 0;
    return op_error_set(&e->result->error, "not owner", NULL, "Asserted lock %s not held.",
                        e->op->text);
}

int op_execute(struct txn *txn, const struct store_txn *context, const struct op *op,
               struct op_result *result, int64_t *deadline_ms)
{
    struct exec e = {.txn = txn,
                     .context = context,
                     .op = op,
                     .table = op->table ? &txn->store->tables[op->table->index] : NULL,
                     .result = result,
                     .deadline_ms = deadline_ms};
    INVARIANT(!op->table || op->table->schema == txn->store->schema);
    switch (op->kind) {
    case OP_INSERT:
        return execute_insert(&e);
    case OP_SELECT:
    case OP_UPDATE:
    case OP_MUTATE:
    case OP_DELETE:
    case OP_WAIT:
        return execute_where(&e);
    case OP_COMMIT:
        return 0;
    case OP_ABORT:
        return op_error_set(&result->error, "aborted", NULL, "aborted by request");
    case OP_COMMENT:
        if (txn->comment.n)
            str_putc(&txn->comment, '\n');
        str_put(&txn->comment, op->text);
        return 0;
    case OP_ASSERT:
        return execute_assert(&e);
    }
    bug("operation kind %d", op->kind);
}
