/* sql_write.c - change sets into the file: one SQL transaction for a batch.
 *
 * See sql.h. Sets and maps are written as their differences. Durable when COMMIT returns
 * (synchronous=FULL); when anything fails the file is as it was. Runs in the writer's thread: of the
 * store it sees the batch only.
 */
#include "base/err.h"
#include "store/sql.h"

static void bind_uuid(sqlite3_stmt *stmt, int i, const struct uuid *uuid)
{
    sql_bind_atom(stmt, i, ATOM_UUID, &(union atom){.uuid = *uuid});
}

static void bind_row(const struct sql_table *table, sqlite3_stmt *stmt, const struct row *row,
                     int64_t sql_id)
{
    sqlite3_bind_int64(stmt, 1, sql_id);
    bind_uuid(stmt, 2, &row->uuid);
    bind_uuid(stmt, 3, &row->version);
    for (size_t i = 0; i < table->n_scalars; i++) {
        const struct datum *d = row_get(row, table->scalars[i]);
        if (d->n)
            sql_bind_atom(stmt, (int)i + 4, d->key_type, &d->atoms[0]);
        else
            sqlite3_bind_null(stmt, (int)i + 4);
    }
}

static int add_element(struct sql *sql, const struct sql_child *child, const struct datum *d,
                       size_t i, int64_t sql_id, struct diag *diag)
{
    sqlite3_bind_int64(child->add, 1, sql_id);
    sql_bind_atom(child->add, 2, d->key_type, &d->atoms[i]);
    if (datum_is_map(d))
        sql_bind_atom(child->add, 3, d->value_type, &datum_values(d)[i]);
    return sql_run(sql, child->add, diag);
}

static int remove_element(struct sql *sql, const struct sql_child *child, const struct datum *d,
                          size_t i, int64_t sql_id, struct diag *diag)
{
    sqlite3_bind_int64(child->remove, 1, sql_id);
    sql_bind_atom(child->remove, 2, d->key_type, &d->atoms[i]);
    return sql_run(sql, child->remove, diag);
}

static bool same_value(const struct datum *a, size_t i, const struct datum *b, size_t j)
{
    return !datum_is_map(a) ||
           !atom_compare(a->value_type, &datum_values(a)[i], &datum_values(b)[j]);
}

/* Writes the difference of two versions of a set or map: one walk over both. */
static int write_child(struct sql *sql, const struct sql_child *child, const struct datum *a,
                       const struct datum *b, int64_t sql_id, struct diag *diag)
{
    size_t i = 0, j = 0;
    int err = 0;
    while (!err && (i < a->n || j < b->n)) {
        int c = i == a->n   ? 1
                : j == b->n ? -1
                            : atom_compare(b->key_type, &a->atoms[i], &b->atoms[j]);
        if (c < 0)
            err = remove_element(sql, child, a, i, sql_id, diag);
        else if (c > 0 || !same_value(a, i, b, j))
            err = add_element(sql, child, b, j, sql_id, diag);
        i += c <= 0;
        j += c >= 0;
    }
    return err;
}

int sql_row_insert(struct sql *sql, struct sql_table *table, const struct row *row, int64_t sql_id,
                   struct diag *diag)
{
    int err = sql_table_prepare(sql, table, diag);
    if (err)
        return err;
    bind_row(table, table->insert, row, sql_id);
    err = sql_run(sql, table->insert, diag);
    for (size_t i = 0; !err && i < table->n_children; i++) {
        const struct datum *d = row_get(row, table->children[i].column);
        for (size_t j = 0; !err && j < d->n; j++)
            err = add_element(sql, &table->children[i], d, j, sql_id, diag);
    }
    return err;
}

static int row_remove(struct sql *sql, const struct sql_table *table, const struct row *row,
                      int64_t sql_id, struct diag *diag)
{
    int err = 0;
    sqlite3_bind_int64(table->remove, 1, sql_id);
    err = sql_run(sql, table->remove, diag);
    for (size_t i = 0; !err && i < table->n_children; i++) {
        if (!row_get(row, table->children[i].column)->n)
            continue;
        sqlite3_bind_int64(table->children[i].remove_all, 1, sql_id);
        err = sql_run(sql, table->children[i].remove_all, diag);
    }
    return err;
}

static int row_update(struct sql *sql, const struct sql_table *table, const struct change *change,
                      int64_t sql_id, struct diag *diag)
{
    bind_row(table, table->update, change->after, sql_id);
    int err = sql_run(sql, table->update, diag);
    for (size_t i = 0; !err && i < table->n_children; i++) {
        const struct datum *before = row_get(change->before, table->children[i].column);
        const struct datum *after = row_get(change->after, table->children[i].column);
        if (before != after)
            err = write_child(sql, &table->children[i], before, after, sql_id, diag);
    }
    return err;
}

static int write_step(struct sql *sql, const struct batch_step *step, struct diag *diag)
{
    int err = sql_table_prepare(sql, step->table, diag);
    if (err)
        return err;
    if (!step->change->before)
        return sql_row_insert(sql, step->table, step->change->after, step->sql_id, diag);
    if (!step->change->after)
        return row_remove(sql, step->table, step->change->before, step->sql_id, diag);
    return row_update(sql, step->table, step->change, step->sql_id, diag);
}

/* ---- batches ---- */

void batch_add(struct store *store, struct batch *batch, const struct changeset *cs)
{
    size_t n = batch->steps.n;
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *change = &cs->changes[i];
        const struct row *row = change->after ? change->after : change->before;
        struct store_table *table = &store->tables[row->table->index];
        if (!table->sql)
            continue;
        struct entry *entry = entry_find(table, &row->uuid);
        INVARIANT(entry);
        if (!entry->sql_id)
            entry->sql_id = table->next_sql_id++;
        vec_push(&batch->steps, ((struct batch_step){table->sql, change, entry->sql_id}));
    }
    if (batch->steps.n > n)
        vec_push(&batch->sets, ((struct batch_set){cs, batch->steps.n - n}));
}

void batch_fini(struct batch *batch)
{
    vec_fini(&batch->sets);
    vec_fini(&batch->steps);
}

static int write_sets(struct sql *sql, const struct batch *batch, struct diag *diag)
{
    const struct batch_step *step = batch->steps.data;
    int err = 0;
    for (size_t i = 0; !err && i < batch->sets.n; i++) {
        const struct batch_set *set = &batch->sets.data[i];
        err = sql_history_put(sql, set->cs, step, set->n_steps, diag);
        for (size_t j = 0; !err && j < set->n_steps; j++)
            err = write_step(sql, step++, diag);
        if (!err)
            err = sql_history_trim(sql, set->cs->number, diag);
    }
    return err;
}

/* Moves the log into the file and begins it anew. After a failure it may end in pages that the disk
 * does not have, or in a commit that was taken back here. */
static int restart_log(struct sql *sql, struct diag *diag)
{
    int n_log, n_done;
    if (sqlite3_wal_checkpoint_v2(sql->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &n_log, &n_done) !=
        SQLITE_OK)
        return sql_error(sql, diag);
    sql->is_suspect = false;
    return 0;
}

int sql_write_batch(struct sql *sql, const struct batch *batch, struct diag *diag)
{
    int err = sql->is_suspect ? restart_log(sql, diag) : 0;
    if (!err)
        err = sql_run(sql, sql->begin, diag);
    if (!err)
        err = write_sets(sql, batch, diag);
    if (!err)
        err = sql_run(sql, sql->commit, diag);
    if (!err)
        return 0;
    if (!sqlite3_get_autocommit(sql->db) && sql_exec(sql, NULL, "ROLLBACK"))
        diag_prefix(diag, "cannot roll back after: ");
    sql->is_suspect = true;
    if (restart_log(sql, NULL)) {
        /* The next batch tries again. */
    }
    return err;
}

int sql_compact(struct sql *sql, struct diag *diag)
{
    int err = sql_exec(sql, diag, "VACUUM");
    return err ? err : restart_log(sql, diag);
}
