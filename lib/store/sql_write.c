/* sql_write.c - change sets into the file: one SQL transaction for all that is pending.
 *
 * See sql.h. Sets and maps are written as their differences. Durable when COMMIT returns
 * (synchronous=FULL); when anything fails the file is as it was.
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

static int write_change(struct store *store, const struct change *change, struct diag *diag)
{
    const struct row *row = change->after ? change->after : change->before;
    struct store_table *table = &store->tables[row->table->index];
    if (!table->sql)
        return 0;
    struct entry *entry = entry_find(table, &row->uuid);
    INVARIANT(entry);
    if (!entry->sql_id)
        entry->sql_id = table->next_sql_id++;
    int err = sql_table_prepare(store->sql, table->sql, diag);
    if (err)
        return err;
    if (!change->before)
        return sql_row_insert(store->sql, table->sql, row, entry->sql_id, diag);
    if (!change->after)
        return row_remove(store->sql, table->sql, row, entry->sql_id, diag);
    return row_update(store->sql, table->sql, change, entry->sql_id, diag);
}

static void bind_rstr(sqlite3_stmt *stmt, int i, const struct rstr *s)
{
    if (s)
        sqlite3_bind_text(stmt, i, s->s, (int)s->n, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, i);
}

static int write_history(struct sql *sql, const struct changeset *cs, struct diag *diag)
{
    sqlite3_bind_int64(sql->put_history, 1, (int64_t)cs->number);
    bind_uuid(sql->put_history, 2, &cs->id);
    sqlite3_bind_int64(sql->put_history, 3, cs->wall_ms);
    bind_rstr(sql->put_history, 4, cs->author);
    bind_rstr(sql->put_history, 5, cs->comment);
    sqlite3_bind_int64(sql->put_history, 6, (int64_t)cs->n);
    return sql_run(sql, sql->put_history, diag);
}

int sql_write_position(struct sql *sql, uint64_t number, const struct uuid *id, struct diag *diag)
{
    char text[UUID_TEXT_LEN + 1];
    int err = sql_put_meta_text(sql, "id", uuid_print(id, text), diag);
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    if (!err)
        err = sql_put_meta_text(sql, "number", text, diag);
    if (err)
        return err;
    sqlite3_bind_int64(sql->trim_history, 1, (int64_t)number - SQL_HISTORY_KEPT);
    return sql_run(sql, sql->trim_history, diag);
}

/* Does any change in CS concern a stored table? */
static bool is_durable(const struct store *store, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after ? cs->changes[i].after : cs->changes[i].before;
        if (store->tables[row->table->index].sql)
            return true;
    }
    return false;
}

static int write_changeset(struct store *store, const struct changeset *cs, struct diag *diag)
{
    int err = write_history(store->sql, cs, diag);
    for (size_t i = 0; !err && i < cs->n; i++)
        err = write_change(store, &cs->changes[i], diag);
    return err;
}

static const struct changeset *last_durable(const struct store *store)
{
    const struct changeset *last = NULL;
    const struct store_txn *stxn;
    LIST_FOR_EACH (stxn, node, &store->pending) {
        if (stxn->cs && is_durable(store, stxn->cs))
            last = stxn->cs;
    }
    return last;
}

int sql_write_pending(struct store *store, struct diag *diag)
{
    const struct changeset *last = store->sql ? last_durable(store) : NULL;
    const struct store_txn *stxn;
    if (!last)
        return 0;
    int err = sql_exec(store->sql, diag, "BEGIN IMMEDIATE");
    LIST_FOR_EACH (stxn, node, &store->pending) {
        if (!err && stxn->cs && is_durable(store, stxn->cs))
            err = write_changeset(store, stxn->cs, diag);
    }
    if (!err)
        err = sql_write_position(store->sql, last->number, &last->id, diag);
    if (!err)
        err = sql_exec(store->sql, diag, "COMMIT");
    if (err && !sqlite3_get_autocommit(store->sql->db) && sql_exec(store->sql, NULL, "ROLLBACK"))
        diag_prefix(diag, "cannot roll back after: ");
    return err;
}
