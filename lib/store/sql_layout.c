/* sql_layout.c - the SQL tables of a schema: their names, columns and statements. See sql.h. */
#include <stdlib.h>

#include "store/sql.h"

static bool is_scalar(const struct schema_column *column)
{
    return !column->type.is_map && column->type.n_max == 1;
}

struct sql_table *sql_table_new(const struct schema_table *schema)
{
    struct sql_table *table = NEW(struct sql_table);
    table->schema = schema;
    table->scalars = xcalloc(schema->n_columns, sizeof *table->scalars);
    table->children = xcalloc(schema->n_columns, sizeof *table->children);
    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct schema_column *column = &schema->columns[i];
        if (column->is_ephemeral)
            continue;
        if (is_scalar(column)) {
            table->scalars[table->n_scalars++] = column;
        } else {
            struct sql_child *child = &table->children[table->n_children++];
            child->column = column;
            child->name = xasprintf("%s__%s", schema->name, column->name);
        }
    }
    return table;
}

void sql_table_free(struct sql_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_children; i++) {
        struct sql_child *child = &table->children[i];
        sqlite3_finalize(child->add);
        sqlite3_finalize(child->remove);
        sqlite3_finalize(child->remove_all);
        free(child->name);
    }
    sqlite3_finalize(table->insert);
    sqlite3_finalize(table->update);
    sqlite3_finalize(table->remove);
    free(table->children);
    free(table->scalars);
    free(table);
}

static const char *sql_type(enum atom_type type)
{
    switch (type) {
    case ATOM_INTEGER:
    case ATOM_BOOLEAN:
        return "INTEGER";
    case ATOM_REAL:
        return "REAL";
    case ATOM_STRING:
    case ATOM_UUID:
        return "TEXT";
    }
    bug("atom type %d", type);
}

static int create_child(struct sql *sql, const struct sql_child *child, struct diag *diag)
{
    const struct column_type *type = &child->column->type;
    if (type->is_map)
        return sql_exec(sql, diag,
                        "CREATE TABLE IF NOT EXISTS \"%s\"(_row INTEGER NOT NULL, key %s NOT NULL, "
                        "value %s NOT NULL, PRIMARY KEY(_row, key)) WITHOUT ROWID",
                        child->name, sql_type(type->key.type), sql_type(type->value.type));
    return sql_exec(sql, diag,
                    "CREATE TABLE IF NOT EXISTS \"%s\"(_row INTEGER NOT NULL, value %s NOT NULL, "
                    "PRIMARY KEY(_row, value)) WITHOUT ROWID",
                    child->name, sql_type(type->key.type));
}

/* "_meta" and "_history" are our own. */
static bool has_view(const struct sql_table *table)
{
    return strcmp(table->schema->name, "meta") && strcmp(table->schema->name, "history");
}

/* ---- views ---- */

static const char *name_column(const struct schema_table *table)
{
    const struct schema_column *name = schema_column_find(table, "name");
    return name && is_scalar(name) ? "name" : NULL;
}

static const struct schema_table *target_of(const struct column_type *type)
{
    return type->key.ref                     ? type->key.ref_table
           : type->is_map && type->value.ref ? type->value.ref_table
                                             : NULL;
}

/* "_T__c": which rows of T refer to which by column c, with their names. */
static int create_ref_view(struct sql *sql, const struct schema_column *column, struct diag *diag)
{
    const struct schema_table *from = column->table, *to = target_of(&column->type);
    const char *from_name = to ? name_column(from) : NULL, *to_name = to ? name_column(to) : NULL;
    if (!to)
        return 0;
    struct str text = STR_INIT, ref = STR_INIT;
    if (is_scalar(column))
        str_putf(&ref, "t.\"%s\"", column->name);
    else
        str_put(&ref, column->type.is_map && column->type.key.ref ? "c.key" : "c.value");
    str_putf(&text,
             "CREATE VIEW IF NOT EXISTS \"_%s__%s\" AS SELECT t._uuid, %s AS name, %s%s AS ref, %s "
             "AS ref_name FROM \"%s\" t",
             from->name, column->name, from_name ? "t.name" : "NULL",
             column->type.is_map && !column->type.key.ref ? "c.key, " : "", str_c(&ref),
             to_name ? "r.name" : "NULL", from->name);
    if (!is_scalar(column))
        str_putf(&text, " JOIN \"%s__%s\" c ON c._row=t._id", from->name, column->name);
    str_putf(&text, " LEFT JOIN \"%s\" r ON r._uuid=%s WHERE %s IS NOT NULL", to->name, str_c(&ref),
             str_c(&ref));
    int err = sql_exec(sql, diag, "%s", str_c(&text));
    str_fini(&text);
    str_fini(&ref);
    return err;
}

static int for_each_ref_view(struct sql *sql, const struct sql_table *table,
                             int (*fn)(struct sql *sql, const struct schema_column *column,
                                       struct diag *diag),
                             struct diag *diag)
{
    int err = 0;
    for (size_t i = 0; !err && i < table->n_scalars; i++)
        err = fn(sql, table->scalars[i], diag);
    for (size_t i = 0; !err && i < table->n_children; i++)
        err = fn(sql, table->children[i].column, diag);
    return err;
}

static int drop_ref_view(struct sql *sql, const struct schema_column *column, struct diag *diag)
{
    return target_of(&column->type) ? sql_exec(sql, diag, "DROP VIEW IF EXISTS \"_%s__%s\"",
                                               column->table->name, column->name)
                                    : 0;
}

/* A view with sets and maps as text, for people: "_T" has a column for each column of T. */
static int create_view(struct sql *sql, const struct sql_table *table, struct diag *diag)
{
    struct str columns = STR_INIT;
    for (size_t i = 0; i < table->n_scalars; i++)
        str_putf(&columns, ", \"%s\"", table->scalars[i]->name);
    for (size_t i = 0; i < table->n_children; i++) {
        const struct sql_child *child = &table->children[i];
        str_putf(&columns, ", (SELECT group_concat(%s, ', ') FROM \"%s\" WHERE _row=_id) AS \"%s\"",
                 child->column->type.is_map ? "key||'='||value" : "value", child->name,
                 child->column->name);
    }
    int err = sql_exec(sql, diag, "CREATE VIEW IF NOT EXISTS \"_%s\" AS SELECT _uuid%s FROM \"%s\"",
                       table->schema->name, str_c(&columns), table->schema->name);
    str_fini(&columns);
    return err;
}

int sql_table_create(struct sql *sql, const struct sql_table *table, struct diag *diag)
{
    struct str columns = STR_INIT;
    for (size_t i = 0; i < table->n_scalars; i++) {
        const struct schema_column *column = table->scalars[i];
        str_putf(&columns, ", \"%s\" %s%s", column->name, sql_type(column->type.key.type),
                 column->type.n_min ? " NOT NULL" : "");
    }
    int err = sql_exec(sql, diag,
                       "CREATE TABLE IF NOT EXISTS \"%s\"(_id INTEGER PRIMARY KEY, _uuid TEXT NOT "
                       "NULL, _version TEXT NOT NULL%s)",
                       table->schema->name, str_c(&columns));
    for (size_t i = 0; !err && i < table->n_children; i++)
        err = create_child(sql, &table->children[i], diag);
    str_fini(&columns);
    if (!err && has_view(table))
        err = create_view(sql, table, diag);
    return err ? err : for_each_ref_view(sql, table, create_ref_view, diag);
}

int sql_table_drop(struct sql *sql, const struct sql_table *table, struct diag *diag)
{
    const char *name = table->schema->name;
    int err = has_view(table) ? sql_exec(sql, diag, "DROP VIEW IF EXISTS \"_%s\"", name) : 0;
    if (!err)
        err = for_each_ref_view(sql, table, drop_ref_view, diag);
    if (!err)
        err = sql_exec(sql, diag, "DROP TABLE IF EXISTS \"%s\"", name);
    for (size_t i = 0; !err && i < table->n_children; i++)
        err = sql_exec(sql, diag, "DROP TABLE IF EXISTS \"%s\"", table->children[i].name);
    return err;
}

static int prepare_child(struct sql *sql, struct sql_child *child, struct diag *diag)
{
    bool is_map = child->column->type.is_map;
    int err = sql_prepare(sql, &child->add, diag, "INSERT OR REPLACE INTO \"%s\" VALUES(?1,?2%s)",
                          child->name, is_map ? ",?3" : "");
    if (!err)
        err = sql_prepare(sql, &child->remove, diag, "DELETE FROM \"%s\" WHERE _row=?1 AND %s=?2",
                          child->name, is_map ? "key" : "value");
    if (!err)
        err = sql_prepare(sql, &child->remove_all, diag, "DELETE FROM \"%s\" WHERE _row=?1",
                          child->name);
    return err;
}

/* At the first write to a table. Parameters: 1 is _id, 2 _uuid, 3 _version, from 4 on the scalars. */
int sql_table_prepare(struct sql *sql, struct sql_table *table, struct diag *diag)
{
    struct str holes = STR_INIT, sets = STR_INIT;
    if (table->insert)
        return 0;
    const char *name = table->schema->name;
    for (size_t i = 0; i < table->n_scalars; i++) {
        str_putf(&holes, ",?%zu", i + 4);
        str_putf(&sets, ", \"%s\"=?%zu", table->scalars[i]->name, i + 4);
    }
    int err = sql_prepare(sql, &table->insert, diag, "INSERT INTO \"%s\" VALUES(?1,?2,?3%s)", name,
                          str_c(&holes));
    if (!err)
        err = sql_prepare(sql, &table->update, diag,
                          "UPDATE \"%s\" SET _uuid=?2, _version=?3%s WHERE _id=?1", name,
                          str_c(&sets));
    if (!err)
        err = sql_prepare(sql, &table->remove, diag, "DELETE FROM \"%s\" WHERE _id=?1", name);
    for (size_t i = 0; !err && i < table->n_children; i++)
        err = prepare_child(sql, &table->children[i], diag);
    str_fini(&holes);
    str_fini(&sets);
    return err;
}

void sql_bind_atom(sqlite3_stmt *stmt, int i, enum atom_type type, const union atom *atom)
{
    char uuid[UUID_TEXT_LEN + 1];
    switch (type) {
    case ATOM_INTEGER:
        sqlite3_bind_int64(stmt, i, atom->integer);
        break;
    case ATOM_REAL:
        sqlite3_bind_double(stmt, i, atom->real);
        break;
    case ATOM_BOOLEAN:
        sqlite3_bind_int(stmt, i, atom->boolean);
        break;
    case ATOM_STRING:
        sqlite3_bind_text(stmt, i, atom->string->s, (int)atom->string->n, SQLITE_STATIC);
        break;
    case ATOM_UUID:
        uuid_print(&atom->uuid, uuid);
        sqlite3_bind_text(stmt, i, uuid, UUID_TEXT_LEN, SQLITE_TRANSIENT);
        break;
    }
}
