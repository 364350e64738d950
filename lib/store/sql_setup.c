/* sql_setup.c - brings a file and a store together at open: new files, old ones, changed schemas.
 *
 * See sql.h. A new file gets its tables in one SQL transaction. A file whose schema has another text
 * but the same name is converted: all rows are read by the old schema and written by the new one, in
 * one SQL transaction; columns and tables are matched by name, values that no longer fit become
 * defaults.
 */
#include <stdlib.h>

#include "base/err.h"
#include "store/sql.h"

static int prepare_common(struct sql *sql, struct diag *diag)
{
    int err = sql_prepare(sql, &sql->begin, diag, "BEGIN IMMEDIATE");
    if (!err)
        err = sql_prepare(sql, &sql->commit, diag, "COMMIT");
    if (!err)
        err = sql_prepare(sql, &sql->put_meta, diag, "INSERT OR REPLACE INTO _meta VALUES(?1,?2)");
    if (!err)
        err = sql_prepare(sql, &sql->put_history, diag,
                          "INSERT OR REPLACE INTO _history VALUES(?1,?2,?3,?4,?5,?6,?7)");
    return err;
}

static int create_common(struct sql *sql, struct diag *diag)
{
    return sql_exec(sql, diag,
                    "PRAGMA application_id=%d;PRAGMA user_version=%d;"
                    "CREATE TABLE _meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                    "CREATE TABLE _history(number INTEGER PRIMARY KEY, id TEXT NOT NULL, wall_ms "
                    "INTEGER NOT NULL, author TEXT, comment TEXT, n_changes INTEGER NOT NULL, "
                    "changes TEXT)",
                    SQL_APPLICATION_ID, SQL_FORMAT);
}

/* From format 1, inside the transaction of the opening. */
static int upgrade(struct sql *sql, struct diag *diag)
{
    if (sql->format == SQL_FORMAT)
        return 0;
    int err = sql_exec(sql, diag,
                       "ALTER TABLE _history ADD COLUMN changes TEXT;"
                       "INSERT OR IGNORE INTO _history SELECT n.value, i.value, 0, NULL, NULL, 0, "
                       "NULL FROM _meta n, _meta i WHERE n.key='number' AND i.key='id';"
                       "DELETE FROM _meta WHERE key IN ('format', 'number', 'id');"
                       "PRAGMA user_version=%d",
                       SQL_FORMAT);
    if (err)
        diag_prefix(diag, "upgrading from format %d to %d: ", sql->format, SQL_FORMAT);
    return err;
}

static int create_tables(struct store *store, struct diag *diag)
{
    int err = 0;
    for (size_t i = 0; !err && i < store->schema->n_tables; i++) {
        if (store->tables[i].sql) {
            err = sql_table_create(store->sql, store->tables[i].sql, diag);
        } else {
            struct sql_table *unused = sql_table_new(store->tables[i].schema);
            err = sql_table_drop(store->sql, unused, diag);
            sql_table_free(unused);
        }
    }
    return err;
}

/* ---- conversion ---- */

struct conversion {
    struct store *store;
    const struct schema_table *to;
};

static int convert_row(void *aux, struct row *old, int64_t sql_id, struct diag *diag)
{
    struct conversion *c = aux;
    struct row *row = row_new(c->to, &old->uuid);
    row->version = old->version;
    for (size_t i = 0; i < c->to->n_columns; i++) {
        const struct schema_column *column = &c->to->columns[i];
        const struct schema_column *from = schema_column_find(old->table, column->name);
        const struct datum *value = from && from->index >= 0 ? row_get(old, from) : NULL;
        uint8_t value_type = column->type.is_map ? (uint8_t)column->type.value.type : DATUM_SET;
        if (value && value->key_type == column->type.key.type && value->value_type == value_type &&
            !column_type_check(&column->type, value, NULL))
            row_set(row, column, datum_ref(value));
    }
    row_unref(old);
    return store_add_loaded(c->store, row, sql_id, diag);
}

/* Reads the rows of the file by OLD into the store and drops OLD's tables. */
static int convert_tables(struct store *store, const struct schema *old, struct diag *diag)
{
    int err = 0;
    for (size_t i = 0; !err && i < old->n_tables; i++) {
        struct sql_table *from = sql_table_new(&old->tables[i]);
        const struct schema_table *to = schema_table_find(store->schema, old->tables[i].name);
        struct conversion c = {store, to};
        /* A derived table has no SQL table: making an empty one costs nothing. */
        err = sql_table_create(store->sql, from, diag);
        if (!err && to && !store->tables[to->index].is_derived)
            err = sql_table_read(store->sql, from, convert_row, &c, diag);
        if (!err)
            err = sql_table_drop(store->sql, from, diag);
        sql_table_free(from);
    }
    return err;
}

static int write_all(struct store *store, struct diag *diag)
{
    int err = 0;
    for (size_t i = 0; i < store->schema->n_tables; i++) {
        struct entry *entry;
        HMAP_FOR_EACH (entry, node, &store->tables[i].entries) {
            if (!err)
                err = sql_row_insert(store->sql, store->tables[i].sql, entry->row, entry->sql_id,
                                     diag);
        }
    }
    return err;
}

/* Rows are not what they were for who saw them under the old schema. */
static int note_conversion(struct store *store, const struct schema *old, struct diag *diag)
{
    char *comment =
        xasprintf("converted from schema version %s to %s", old->version, store->schema->version);
    store->told_id = uuid_random(store->env);
    int err = sql_history_put_origin(store->sql, ++store->told_number, &store->told_id,
                                     env_wall_ms(store->env), comment, diag);
    free(comment);
    return err;
}

static int convert(struct store *store, const struct schema *old, struct diag *diag)
{
    int err = convert_tables(store, old, diag);
    if (!err)
        err = store_link_loaded(store, diag);
    if (!err)
        err = create_tables(store, diag);
    if (!err)
        err = write_all(store, diag);
    if (!err)
        err = sql_put_meta_text(store->sql, "schema", store->schema->text, diag);
    if (!err)
        err = note_conversion(store, old, diag);
    if (err)
        diag_prefix(diag, "converting from version %s to %s: ", old->version,
                    store->schema->version);
    return err;
}

/* ---- the three ways ---- */

static int set_up_new(struct store *store, struct diag *diag)
{
    int err = create_common(store->sql, diag);
    if (!err)
        err = prepare_common(store->sql, diag);
    if (!err)
        err = create_tables(store, diag);
    if (!err)
        err = sql_put_meta_text(store->sql, "schema", store->schema->text, diag);
    if (!err)
        err = sql_history_put_origin(store->sql, 0, &store->told_id, env_wall_ms(store->env), NULL,
                                     diag);
    return err;
}

static int set_up_existing(struct store *store, const struct schema *old, struct diag *diag)
{
    int err = upgrade(store->sql, diag);
    if (!err)
        err = prepare_common(store->sql, diag);
    if (!err)
        err = sql_read_position(store->sql, store, diag);
    if (err || old)
        return err ? err : convert(store, old, diag);
    err = create_tables(store, diag);
    return err ? err : sql_load(store, diag);
}

int sql_set_up(struct store *store, const struct schema *old, struct diag *diag)
{
    for (size_t i = 0; i < store->schema->n_tables; i++) {
        if (!store->tables[i].is_derived)
            store->tables[i].sql = sql_table_new(store->tables[i].schema);
    }
    int err = sql_exec(store->sql, diag, "BEGIN IMMEDIATE");
    if (!err)
        err = store->sql->is_new ? set_up_new(store, diag) : set_up_existing(store, old, diag);
    return err ? err : sql_exec(store->sql, diag, "COMMIT");
}

void sql_tables_free(struct store *store)
{
    for (size_t i = 0; store->tables && i < store->schema->n_tables; i++)
        sql_table_free(store->tables[i].sql);
}
