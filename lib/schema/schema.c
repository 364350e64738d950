/* schema.c - looking things up in a schema, and its canonical JSON form.
 *
 * See schema.h; schema_parse.c makes schemas.
 */
#include "schema/schema.h"

#include <math.h>
#include <stdlib.h>

const struct schema_table *schema_table_find(const struct schema *schema, const char *name)
{
    size_t low = 0, high = schema->n_tables;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(schema->tables[mid].name, name);
        if (!c)
            return &schema->tables[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const struct schema_column *schema_column_find(const struct schema_table *table, const char *name)
{
    size_t low = 0, high = table->n_columns;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(table->columns[mid].name, name);
        if (!c)
            return &table->columns[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (!strcmp(name, table->uuid_column.name))
        return &table->uuid_column;
    return strcmp(name, table->version_column.name) ? NULL : &table->version_column;
}

static void free_base_type(struct base_type *type)
{
    datum_unref(type->enumeration);
    free((char *)(uintptr_t)type->ref_table_name);
}

static void free_column(struct schema_column *column)
{
    free((char *)(uintptr_t)column->name);
    free_base_type(&column->type.key);
    free_base_type(&column->type.value);
    datum_unref(column->default_value);
}

static void free_table(struct schema_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        free_column(&table->columns[i]);
    free_column(&table->uuid_column);
    free_column(&table->version_column);
    for (size_t i = 0; i < table->n_indexes; i++)
        free(table->indexes[i].columns);
    free(table->indexes);
    free(table->columns);
    free((char *)(uintptr_t)table->name);
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->n_tables; i++)
        free_table(&schema->tables[i]);
    free(schema->tables);
    free(schema->name);
    free(schema->version);
    free(schema->cksum);
    free(schema->text);
    free(schema);
}

/* ---- JSON ---- */

static void put_real(json_t *json, const char *name, double real)
{
    json_object_set_new(json, name, json_real(real));
}

static json_t *base_type_to_json(const struct base_type *type)
{
    json_t *json = json_object();
    json_object_set_new(json, "type", json_string(atom_type_name(type->type)));
    if (type->enumeration)
        json_object_set_new(json, "enum", datum_to_json(type->enumeration));
    if (type->min_integer > INT64_MIN)
        json_object_set_new(json, "minInteger", json_integer(type->min_integer));
    if (type->max_integer < INT64_MAX)
        json_object_set_new(json, "maxInteger", json_integer(type->max_integer));
    if (type->min_real > -INFINITY)
        put_real(json, "minReal", type->min_real);
    if (type->max_real < INFINITY)
        put_real(json, "maxReal", type->max_real);
    if (type->min_length > 0)
        json_object_set_new(json, "minLength", json_integer(type->min_length));
    if (type->max_length < UINT32_MAX)
        json_object_set_new(json, "maxLength", json_integer(type->max_length));
    if (type->ref != REF_NONE)
        json_object_set_new(json, "refTable", json_string(type->ref_table_name));
    if (type->ref == REF_WEAK)
        json_object_set_new(json, "refType", json_string("weak"));
    if (json_object_size(json) > 1)
        return json;
    json_decref(json);
    return json_string(atom_type_name(type->type));
}

static json_t *type_to_json(const struct column_type *type)
{
    json_t *key = base_type_to_json(&type->key);
    if (column_type_is_scalar(type) && json_is_string(key))
        return key;
    json_t *json = json_object();
    json_object_set_new(json, "key", key);
    if (type->is_map)
        json_object_set_new(json, "value", base_type_to_json(&type->value));
    if (type->n_min != 1)
        json_object_set_new(json, "min", json_integer(type->n_min));
    if (type->n_max == SCHEMA_UNLIMITED)
        json_object_set_new(json, "max", json_string("unlimited"));
    else if (type->n_max != 1)
        json_object_set_new(json, "max", json_integer(type->n_max));
    return json;
}

static json_t *column_to_json(const struct schema_column *column)
{
    json_t *json = json_object();
    json_object_set_new(json, "type", type_to_json(&column->type));
    if (!column->is_mutable)
        json_object_set_new(json, "mutable", json_false());
    if (column->is_ephemeral)
        json_object_set_new(json, "ephemeral", json_true());
    return json;
}

static json_t *indexes_to_json(const struct schema_table *table)
{
    json_t *indexes = json_array();
    for (size_t i = 0; i < table->n_indexes; i++) {
        json_t *names = json_array();
        for (size_t j = 0; j < table->indexes[i].n; j++)
            json_array_append_new(names, json_string(table->indexes[i].columns[j]->name));
        json_array_append_new(indexes, names);
    }
    return indexes;
}

/* A schema in which all tables are root says so by not naming any. */
static bool all_are_root(const struct schema *schema)
{
    for (size_t i = 0; i < schema->n_tables; i++) {
        if (!schema->tables[i].is_root)
            return false;
    }
    return true;
}

static json_t *table_to_json(const struct schema_table *table, bool show_root)
{
    json_t *json = json_object(), *columns = json_object();
    for (size_t i = 0; i < table->n_columns; i++)
        json_object_set_new(columns, table->columns[i].name, column_to_json(&table->columns[i]));
    json_object_set_new(json, "columns", columns);
    if (table->max_rows != SCHEMA_UNLIMITED)
        json_object_set_new(json, "maxRows", json_integer(table->max_rows));
    if (table->is_root && show_root)
        json_object_set_new(json, "isRoot", json_true());
    if (table->n_indexes)
        json_object_set_new(json, "indexes", indexes_to_json(table));
    return json;
}

json_t *schema_to_json(const struct schema *schema)
{
    json_t *json = json_object(), *tables = json_object();
    bool show_root = !all_are_root(schema);
    json_object_set_new(json, "name", json_string(schema->name));
    json_object_set_new(json, "version", json_string(schema->version));
    if (schema->cksum)
        json_object_set_new(json, "cksum", json_string(schema->cksum));
    for (size_t i = 0; i < schema->n_tables; i++)
        json_object_set_new(tables, schema->tables[i].name,
                            table_to_json(&schema->tables[i], show_root));
    json_object_set_new(json, "tables", tables);
    return json;
}
