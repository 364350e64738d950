/* sql_load.c - reading the file into memory at open, creating what is missing.
 *
 * See sql.h. The file may have been edited by hand: each value is held to the schema, every
 * reference to a row, every index to uniqueness, and what is wrong is said with table, row and column.
 */
#include <stdlib.h>

#include "base/err.h"
#include "store/sql.h"

static int atom_from_sql(sqlite3_stmt *stmt, int i, enum atom_type type, union atom *ret)
{
    const char *text;
    switch (type) {
    case ATOM_INTEGER:
        ret->integer = sqlite3_column_int64(stmt, i);
        return sqlite3_column_type(stmt, i) == SQLITE_INTEGER ? 0 : ERR_TYPE;
    case ATOM_REAL:
        ret->real = sqlite3_column_double(stmt, i);
        return sqlite3_column_type(stmt, i) == SQLITE_FLOAT ? 0 : ERR_TYPE;
    case ATOM_BOOLEAN:
        ret->boolean = sqlite3_column_int64(stmt, i) != 0;
        return sqlite3_column_type(stmt, i) == SQLITE_INTEGER ? 0 : ERR_TYPE;
    case ATOM_STRING:
        text = (const char *)sqlite3_column_text(stmt, i);
        if (!text || sqlite3_column_type(stmt, i) != SQLITE_TEXT)
            return ERR_TYPE;
        ret->string = rstr_new_n(text, (size_t)sqlite3_column_bytes(stmt, i));
        return 0;
    case ATOM_UUID:
        text = (const char *)sqlite3_column_text(stmt, i);
        return text && uuid_parse(text, &ret->uuid) ? 0 : ERR_TYPE;
    }
    bug("atom type %d", type);
}

static int bad_value(const struct row *row, const struct schema_column *column, struct diag *diag)
{
    char uuid[UUID_TEXT_LEN + 1];
    return diag_set(diag, ERR_CORRUPT, "table %s row %s: column %s: not a value of its type",
                    row->table->name, uuid_print(&row->uuid, uuid), column->name);
}

/* ---- reading one table ---- */

struct loaded {
    struct row *row;
    int64_t sql_id;
};

typedef VEC(struct loaded) loaded_vec;

static int read_scalar(sqlite3_stmt *stmt, int i, struct row *row,
                       const struct schema_column *column, struct diag *diag)
{
    enum atom_type type = column->type.key.type;
    union atom atom;
    if (sqlite3_column_type(stmt, i) == SQLITE_NULL) {
        row_set(row, column, datum_new_empty(type, DATUM_SET));
        return column->type.n_min ? bad_value(row, column, diag) : 0;
    }
    if (atom_from_sql(stmt, i, type, &atom))
        return bad_value(row, column, diag);
    row_set(row, column, datum_new_set(type, &atom, 1));
    return 0;
}

static int read_main_row(sqlite3_stmt *stmt, const struct sql_table *table, loaded_vec *rows,
                         struct diag *diag)
{
    union atom uuid, version;
    if (atom_from_sql(stmt, 1, ATOM_UUID, &uuid) || atom_from_sql(stmt, 2, ATOM_UUID, &version))
        return diag_set(diag, ERR_CORRUPT, "table %s: a row without a proper uuid",
                        table->schema->name);
    struct row *row = row_new(table->schema, &uuid.uuid);
    row->version = version.uuid;
    vec_push(rows, ((struct loaded){row, sqlite3_column_int64(stmt, 0)}));
    int err = 0;
    for (size_t i = 0; !err && i < table->n_scalars; i++)
        err = read_scalar(stmt, (int)i + 3, row, table->scalars[i], diag);
    return err;
}

static int read_main(struct sql *sql, const struct sql_table *table, loaded_vec *rows,
                     struct diag *diag)
{
    struct str names = STR_INIT;
    sqlite3_stmt *stmt = NULL;
    for (size_t i = 0; i < table->n_scalars; i++)
        str_putf(&names, ", \"%s\"", table->scalars[i]->name);
    int err =
        sql_prepare(sql, &stmt, diag, "SELECT _id, _uuid, _version%s FROM \"%s\" ORDER BY _id",
                    str_c(&names), table->schema->name);
    int code = SQLITE_DONE;
    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        err = read_main_row(stmt, table, rows, diag);
    if (!err && code != SQLITE_DONE)
        err = sql_error(sql, diag);
    sqlite3_finalize(stmt);
    str_fini(&names);
    return err;
}

/* The elements of one row's set or map, as they come. */
struct gather {
    VEC(union atom) keys;
    VEC(union atom) values;
};

static void gather_finish(struct gather *gather, const struct schema_column *column,
                          struct row *row)
{
    const struct column_type *type = &column->type;
    if (gather->keys.n)
        row_set(row, column,
                type->is_map ? datum_new_map(type->key.type, type->value.type, gather->keys.data,
                                             gather->values.data, gather->keys.n)
                             : datum_new_set(type->key.type, gather->keys.data, gather->keys.n));
    vec_clear(&gather->keys);
    vec_clear(&gather->values);
}

static int gather_element(struct gather *gather, sqlite3_stmt *stmt,
                          const struct schema_column *column, const struct row *row,
                          struct diag *diag)
{
    union atom key, value;
    if (atom_from_sql(stmt, 1, column->type.key.type, &key))
        return bad_value(row, column, diag);
    if (column->type.is_map && atom_from_sql(stmt, 2, column->type.value.type, &value)) {
        atom_unref(column->type.key.type, &key);
        return bad_value(row, column, diag);
    }
    vec_push(&gather->keys, key);
    if (column->type.is_map)
        vec_push(&gather->values, value);
    return 0;
}

static int read_child_rows(sqlite3_stmt *stmt, const struct sql_child *child, loaded_vec *rows,
                           struct diag *diag)
{
    struct gather gather = {VEC_INIT, VEC_INIT};
    size_t at = 0;
    int err = 0;
    while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stmt, 0);
        while (at < rows->n && rows->data[at].sql_id < id)
            gather_finish(&gather, child->column, rows->data[at++].row);
        if (at == rows->n || rows->data[at].sql_id != id)
            err = diag_set(diag, ERR_CORRUPT, "table %s: an element of a row that is not there",
                           child->name);
        else
            err = gather_element(&gather, stmt, child->column, rows->data[at].row, diag);
    }
    if (at < rows->n)
        gather_finish(&gather, child->column, rows->data[at].row);
    vec_fini(&gather.keys);
    vec_fini(&gather.values);
    return err;
}

static int read_child(struct sql *sql, const struct sql_child *child, loaded_vec *rows,
                      struct diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    /* A column whose minimum is one must not keep its default when the file has no element. */
    for (size_t i = 0; child->column->type.n_min && i < rows->n; i++) {
        const struct column_type *type = &child->column->type;
        uint8_t value_type = type->is_map ? (uint8_t)type->value.type : DATUM_SET;
        row_set(rows->data[i].row, child->column, datum_new_empty(type->key.type, value_type));
    }
    const char *key = child->column->type.is_map ? "key" : "value";
    int err =
        sql_prepare(sql, &stmt, diag, "SELECT * FROM \"%s\" ORDER BY _row, %s", child->name, key);
    if (!err)
        err = read_child_rows(stmt, child, rows, diag);
    if (!err && sqlite3_errcode(sql->db) != SQLITE_DONE && sqlite3_errcode(sql->db) != SQLITE_OK)
        err = sql_error(sql, diag);
    sqlite3_finalize(stmt);
    return err;
}

int sql_table_read(struct sql *sql, const struct sql_table *table,
                   int (*fn)(void *aux, struct row *row, int64_t sql_id, struct diag *diag),
                   void *aux, struct diag *diag)
{
    loaded_vec rows = VEC_INIT;
    int err = read_main(sql, table, &rows, diag);
    for (size_t i = 0; !err && i < table->n_children; i++)
        err = read_child(sql, &table->children[i], &rows, diag);
    for (size_t i = 0; i < rows.n; i++) {
        if (err)
            row_unref(rows.data[i].row);
        else
            err = fn(aux, rows.data[i].row, rows.data[i].sql_id, diag);
    }
    vec_fini(&rows);
    return err;
}

/* ---- filling the store ---- */

static int check_row(const struct row *row, struct diag *diag)
{
    char uuid[UUID_TEXT_LEN + 1];
    for (size_t i = 0; i < row->table->n_columns; i++) {
        const struct schema_column *column = &row->table->columns[i];
        if (column->is_ephemeral || !column_type_check(&column->type, row->values[i], diag))
            continue;
        diag_prefix(diag, "table %s row %s: column %s: ", row->table->name,
                    uuid_print(&row->uuid, uuid), column->name);
        if (diag)
            diag->code = ERR_CORRUPT;
        return ERR_CORRUPT;
    }
    return 0;
}

int store_add_loaded(struct store *store, struct row *row, int64_t sql_id, struct diag *diag)
{
    char uuid[UUID_TEXT_LEN + 1];
    struct store_table *table = &store->tables[row->table->index];
    int err = check_row(row, diag);
    if (!err && entry_find(table, &row->uuid))
        err = diag_set(diag, ERR_CORRUPT, "table %s row %s: is there twice", row->table->name,
                       uuid_print(&row->uuid, uuid));
    if (err) {
        row_unref(row);
        return err;
    }
    for (size_t i = 0; i < row->table->n_columns; i++)
        row_set(row, &row->table->columns[i],
                share_value(store->share, &row->table->columns[i], row->values[i]));
    struct entry *entry = entry_new(table, &row->uuid);
    entry_set_row(entry, row);
    entry_set_told(entry, row);
    entry->sql_id = sql_id;
    table->next_sql_id = MAX(table->next_sql_id, sql_id + 1);
    return 0;
}

static int add_loaded(void *aux, struct row *row, int64_t sql_id, struct diag *diag)
{
    return store_add_loaded(aux, row, sql_id, diag);
}

struct existence {
    const struct ref_side *side;
    const struct uuid *missing;
};

static void check_target(void *aux, const struct uuid *uuid, int delta)
{
    struct existence *e = aux;
    (void)delta;
    if (!entry_find(e->side->target, uuid))
        e->missing = uuid;
}

static int link_entry(struct entry *entry, struct diag *diag)
{
    const struct store_table *table = entry->table;
    char uuid[UUID_TEXT_LEN + 1], target[UUID_TEXT_LEN + 1];
    for (size_t i = 0; i < table->n_refs; i++) {
        struct existence e = {.side = &table->refs[i]};
        refs_side_changes(e.side, NULL, entry->row, check_target, &e);
        if (e.missing)
            return diag_set(diag, ERR_CORRUPT,
                            "table %s row %s: column %s: refers to row %s of table %s, which is "
                            "not there",
                            table->schema->name, uuid_print(&entry->uuid, uuid),
                            e.side->column->name, uuid_print(e.missing, target),
                            e.side->target->schema->name);
    }
    for (size_t i = 0; i < table->schema->n_indexes; i++) {
        const struct schema_index *index = &table->schema->indexes[i];
        if (table_index_find(table, i, entry->row, table_index_hash(index, entry->row)))
            return diag_set(diag, ERR_CORRUPT, "table %s row %s: repeats the values of an index",
                            table->schema->name, uuid_print(&entry->uuid, uuid));
    }
    INVARIANT(refs_account_strong(entry, NULL, entry->row));
    refs_account_weak(entry, NULL, entry->row);
    table_index_account(entry, NULL, entry->row);
    return 0;
}

int store_link_loaded(struct store *store, struct diag *diag)
{
    for (size_t i = 0; i < store->schema->n_tables; i++) {
        struct entry *entry;
        HMAP_FOR_EACH (entry, node, &store->tables[i].entries) {
            int err = link_entry(entry, diag);
            if (err)
                return err;
        }
    }
    return 0;
}

int sql_load(struct store *store, struct diag *diag)
{
    int err = 0;
    for (size_t i = 0; !err && i < store->schema->n_tables; i++) {
        if (store->tables[i].sql)
            err = sql_table_read(store->sql, store->tables[i].sql, add_loaded, store, diag);
    }
    return err ? err : store_link_loaded(store, diag);
}
