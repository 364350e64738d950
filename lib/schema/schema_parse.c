/* schema_parse.c - reads a schema from JSON (RFC 7047 section 3.2).
 *
 * See schema.h. Every member is checked and unknown ones are refused, in ovsdb-server's words; for people, table and column are
 * put in front. What is kept is bounded by the text that came in. Types: type_parse.c.
 */
#include <stdlib.h>

#include "base/err.h"
#include "schema/schema.h"
#include "schema/type_parse.h"

/* Where the reader is, for errors. */
struct reader {
    struct op_error *error;
    const char *table, *column; /* NULL: none */
};

/* NAME is one of the keys of JSON. */
static int check_name(struct reader *reader, const json_t *json, const char *name)
{
    if (!text_is_identifier(name))
        return op_error_set(reader->error, "syntax error", json, "name must be a valid id");
    if (*name == '_')
        return op_error_set(reader->error, "syntax error", json,
                            "names beginning with \"_\" are reserved");
    return 0;
}

static void parse_flag(const json_t *json, const char *name, bool *ret)
{
    const json_t *member = json_object_get(json, name);
    if (member)
        *ret = json_is_true(member);
}

/* ---- columns ---- */

static union atom default_atom(enum atom_type type)
{
    union atom atom = {0};
    if (type == ATOM_STRING)
        atom.string = rstr_new("");
    return atom;
}

static const struct datum *default_datum(const struct column_type *type)
{
    uint8_t value_type = type->is_map ? (uint8_t)type->value.type : DATUM_SET;
    if (!type->n_min)
        return datum_new_empty(type->key.type, value_type);
    union atom key = default_atom(type->key.type);
    if (!type->is_map)
        return datum_new_set(type->key.type, &key, 1);
    union atom value = default_atom(type->value.type);
    return datum_new_map(type->key.type, type->value.type, &key, &value, 1);
}

static int parse_column(struct reader *reader, const char *name, const json_t *json,
                        struct schema_column *column)
{
    static const struct member members[] = {{"mutable", MEMBER_BOOLEAN | MEMBER_OPTIONAL},
                                            {"ephemeral", MEMBER_BOOLEAN | MEMBER_OPTIONAL},
                                            {"type", MEMBER_STRING | MEMBER_OBJECT},
                                            {NULL, 0}};
    column->name = xstrdup(name);
    column->is_mutable = true;
    column->is_synced = true;
    char *what = xasprintf("schema for column %s", name);
    int err = members_check(json, what, members, reader->error);
    free(what);
    if (!err)
        err = column_type_from_json(json_object_get(json, "type"), &column->type, reader->error);
    if (err)
        return err;
    parse_flag(json, "mutable", &column->is_mutable);
    parse_flag(json, "ephemeral", &column->is_ephemeral);
    if (column->type.key.ref == REF_WEAK || column->type.value.ref == REF_WEAK)
        column->is_mutable = true; /* the server itself has to change it */
    column->default_value = default_datum(&column->type);
    return 0;
}

static void add_hidden_column(struct schema_column *column, const char *name, int index)
{
    *column = (struct schema_column){.name = xstrdup(name), .index = index, .is_synced = true};
    column->type.n_min = column->type.n_max = 1;
    base_type_init(&column->type.key, ATOM_UUID);
    column->default_value = default_datum(&column->type);
}

/* ---- tables ---- */

static int compare_columns(const void *a, const void *b)
{
    return strcmp(((const struct schema_column *)a)->name, ((const struct schema_column *)b)->name);
}

/* JSON is the table's object. */
static int parse_columns(struct reader *reader, const json_t *json, struct schema_table *table)
{
    const json_t *columns = json_object_get(json, "columns");
    const char *name;
    json_t *column;
    if (!json_object_size(columns))
        return op_error_set(reader->error, "syntax error", json,
                            "table must have at least one column");
    table->columns = xcalloc(json_object_size(columns), sizeof *table->columns);
    json_object_foreach((json_t *)(uintptr_t)columns, name, column)
    {
        reader->column = name;
        int err = check_name(reader, json, name);
        if (!err)
            err = parse_column(reader, name, column, &table->columns[table->n_columns++]);
        if (err)
            return err;
    }
    reader->column = NULL;
    qsort(table->columns, table->n_columns, sizeof *table->columns, compare_columns);
    for (size_t i = 0; i < table->n_columns; i++) {
        table->columns[i].index = (int)i;
        table->columns[i].table = table;
    }
    return 0;
}

/* JSON is one of the indexes of the table whose object is WHOLE. */
static int parse_index(struct reader *reader, const json_t *whole, const json_t *json,
                       struct schema_table *table, struct schema_index *index)
{
    static const char expected[] = "array of distinct column names expected";
    if (!json_is_array(json))
        return op_error_set(reader->error, "syntax error", json, expected);
    if (!json_array_size(json))
        return op_error_set(reader->error, "syntax error", whole,
                            "index must have at least one column");
    index->columns = xcalloc(json_array_size(json), sizeof *index->columns);
    for (size_t i = 0; i < json_array_size(json); i++) {
        const char *name = json_string_value(json_array_get(json, i));
        const struct schema_column *column = name ? schema_column_find(table, name) : NULL;
        if (!name)
            return op_error_set(reader->error, "syntax error", json, expected);
        if (!column || column->index < 0)
            return op_error_set(reader->error, "syntax error", json,
                                "%s is not a valid column name", name);
        for (size_t j = 0; j < i; j++) {
            if (index->columns[j] == column)
                return op_error_set(reader->error, "syntax error", json, expected);
        }
        if (column->is_ephemeral)
            return op_error_set(reader->error, "syntax error", whole,
                                "ephemeral columns (such as %s) may not be indexed", name);
        index->columns[index->n++] = column;
    }
    return 0;
}

static int parse_indexes(struct reader *reader, const json_t *whole, struct schema_table *table)
{
    const json_t *json = json_object_get(whole, "indexes");
    if (!json)
        return 0;
    table->indexes = xcalloc(json_array_size(json), sizeof *table->indexes);
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct schema_index *index = &table->indexes[table->n_indexes++];
        int err = parse_index(reader, whole, json_array_get(json, i), table, index);
        if (err)
            return err;
    }
    return 0;
}

static int parse_max_rows(struct reader *reader, const json_t *whole, uint32_t *ret)
{
    const json_t *json = json_object_get(whole, "maxRows");
    int64_t n = json ? member_integer(json) : SCHEMA_UNLIMITED;
    *ret = (uint32_t)MIN(n, (int64_t)SCHEMA_UNLIMITED);
    return n < 1 ? op_error_set(reader->error, "syntax error", whole, "maxRows must be at least 1")
                 : 0;
}

static int parse_table(struct reader *reader, const char *name, const json_t *json,
                       struct schema_table *table)
{
    static const struct member members[] = {{"columns", MEMBER_OBJECT},
                                            {"maxRows", MEMBER_INTEGER | MEMBER_OPTIONAL},
                                            {"isRoot", MEMBER_BOOLEAN | MEMBER_OPTIONAL},
                                            {"indexes", MEMBER_ARRAY | MEMBER_OPTIONAL},
                                            {NULL, 0}};
    table->name = xstrdup(name);
    char *what = xasprintf("table schema for table %s", name);
    int err = members_check(json, what, members, reader->error);
    free(what);
    if (!err)
        err = parse_max_rows(reader, json, &table->max_rows);
    if (!err)
        err = parse_columns(reader, json, table);
    parse_flag(json, "isRoot", &table->is_root);
    add_hidden_column(&table->uuid_column, "_uuid", COLUMN_UUID);
    add_hidden_column(&table->version_column, "_version", COLUMN_VERSION);
    return err ? err : parse_indexes(reader, json, table);
}

/* ---- the whole ---- */

static int compare_tables(const void *a, const void *b)
{
    return strcmp(((const struct schema_table *)a)->name, ((const struct schema_table *)b)->name);
}

static int resolve(struct reader *reader, struct schema *schema, struct schema_column *column,
                   struct base_type *type)
{
    if (type->ref == REF_NONE)
        return 0;
    type->ref_table = schema_table_find(schema, type->ref_table_name);
    reader->table = column->table->name;
    return type->ref_table
               ? 0
               : op_error_set(reader->error, "syntax error", NULL,
                              "column %s %s refers to undefined table %s", column->name,
                              type == &column->type.key ? "key" : "value", type->ref_table_name);
}

/* After sorting: indexes, back pointers, references; without any root table, all are. */
static int link_tables(struct reader *reader, struct schema *schema)
{
    bool has_root = false;
    for (size_t i = 0; i < schema->n_tables; i++)
        has_root |= schema->tables[i].is_root;
    for (size_t i = 0; i < schema->n_tables; i++) {
        struct schema_table *table = &schema->tables[i];
        table->index = i;
        table->schema = schema;
        table->is_root |= !has_root;
        table->uuid_column.table = table->version_column.table = table;
        for (size_t j = 0; j < table->n_columns; j++) {
            struct schema_column *column = &table->columns[j];
            column->table = table;
            int err = resolve(reader, schema, column, &column->type.key);
            if (!err)
                err = resolve(reader, schema, column, &column->type.value);
            if (err)
                return err;
        }
    }
    return 0;
}

static int parse_tables(struct reader *reader, const json_t *whole, struct schema *schema)
{
    const json_t *json = json_object_get(whole, "tables");
    const char *name;
    json_t *table;
    schema->tables = xcalloc(json_object_size(json) + 1, sizeof *schema->tables);
    json_object_foreach((json_t *)(uintptr_t)json, name, table)
    {
        int err = check_name(reader, whole, name);
        reader->table = name;
        if (!err)
            err = parse_table(reader, name, table, &schema->tables[schema->n_tables++]);
        if (err)
            return err;
    }
    reader->table = NULL;
    qsort(schema->tables, schema->n_tables, sizeof *schema->tables, compare_tables);
    return link_tables(reader, schema);
}

static char *parse_text(const json_t *json, const char *name)
{
    const json_t *member = json_object_get(json, name);
    return member ? xstrdup(json_string_value(member)) : NULL;
}

/* x.y.z */
static bool is_version(const char *s)
{
    for (int i = 0; i < 3; i++) {
        size_t n = strspn(s, "0123456789");
        if (!n || s[n] != (i < 2 ? '.' : '\0'))
            return false;
        s += n + 1;
    }
    return true;
}

static int parse_schema(struct reader *reader, const json_t *json, struct schema *schema)
{
    static const struct member members[] = {{"name", MEMBER_ID},
                                            {"version", MEMBER_STRING | MEMBER_OPTIONAL},
                                            {"cksum", MEMBER_STRING | MEMBER_OPTIONAL},
                                            {"tables", MEMBER_OBJECT},
                                            {NULL, 0}};
    int err = members_check(json, "database schema", members, reader->error);
    if (err)
        return err;
    schema->name = parse_text(json, "name");
    schema->version = parse_text(json, "version");
    schema->cksum = parse_text(json, "cksum");
    if (!schema->version)
        schema->version = xstrdup("0.0.0");
    if (!is_version(schema->version))
        return op_error_set(reader->error, "syntax error", json,
                            "schema version \"%s\" not in format x.y.z", schema->version);
    return parse_tables(reader, json, schema);
}

/* Takes SCHEMA, which was read with result ERR. */
static int finish(struct schema *schema, int err, struct schema **ret)
{
    if (err) {
        schema_free(schema);
        return err;
    }
    json_t *canonical = schema_to_json(schema);
    schema->text = json_to_text(canonical);
    json_decref(canonical);
    *ret = schema;
    return 0;
}

int schema_parse(const json_t *json, struct schema **ret, struct op_error *error)
{
    struct schema *schema = NEW(struct schema);
    struct reader reader = {.error = error};
    return finish(schema, parse_schema(&reader, json, schema), ret);
}

int schema_from_json(json_t *json, struct schema **ret, struct diag *diag)
{
    struct op_error error = {0};
    struct schema *schema = NEW(struct schema);
    struct reader reader = {.error = &error};
    int err = parse_schema(&reader, json, schema);
    if (err) {
        diag_set(diag, err, "%s", error.details);
        if (reader.column)
            diag_prefix(diag, "column %s: ", reader.column);
        if (reader.table)
            diag_prefix(diag, "table %s: ", reader.table);
    }
    op_error_fini(&error);
    return finish(schema, err, ret);
}

int schema_from_text(const char *text, struct schema **ret, struct diag *diag)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        return diag_set_at(diag, ERR_SYNTAX, error.position, "line %d: %s", error.line, error.text);
    int err = schema_from_json(json, ret, diag);
    json_decref(json);
    return err;
}
