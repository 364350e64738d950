/* model.c - reads a schema file for the generator: names in order, and the kind of each column.
 *
 * See model.h. Exits on the first mistake, since the input is part of the source tree.
 */
#include "schemas/rowgen/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *file, const char *why)
{
    fprintf(stderr, "rowgen: %s: %s\n", file, why);
    exit(1);
}

static const char *base_name(const json_t *base)
{
    return json_is_string(base) ? json_string_value(base)
                                : json_string_value(json_object_get(base, "type"));
}

static enum column_kind scalar_kind(const char *type, bool optional)
{
    if (!strcmp(type, "string"))
        return optional ? KIND_OPTIONAL_STRING : KIND_STRING;
    if (!strcmp(type, "integer"))
        return optional ? KIND_OPTIONAL_INTEGER : KIND_INTEGER;
    if (!strcmp(type, "real"))
        return optional ? KIND_OPTIONAL_REAL : KIND_REAL;
    if (!strcmp(type, "boolean"))
        return optional ? KIND_OPTIONAL_BOOLEAN : KIND_BOOLEAN;
    return KIND_UUID;
}

static enum column_kind column_kind(const json_t *type)
{
    if (json_is_string(type))
        return scalar_kind(json_string_value(type), false);
    const char *key = base_name(json_object_get(type, "key"));
    const char *value = base_name(json_object_get(type, "value"));
    const json_t *min = json_object_get(type, "min");
    const json_t *max = json_object_get(type, "max");
    if (!key)
        return KIND_OTHER;
    if (value)
        return !strcmp(key, "string") && !strcmp(value, "string") ? KIND_TEXT_MAP : KIND_OTHER;
    if (max && (!json_is_integer(max) || json_integer_value(max) != 1))
        return KIND_OTHER;
    return scalar_kind(key, min && json_integer_value(min) == 0);
}

static int compare_tables(const void *a, const void *b)
{
    return strcmp(((const struct model_table *)a)->name, ((const struct model_table *)b)->name);
}

static int compare_columns(const void *a, const void *b)
{
    return strcmp(((const struct model_column *)a)->name, ((const struct model_column *)b)->name);
}

static void load_table(struct model_table *table, json_t *json, const char *file)
{
    json_t *columns = json_object_get(json, "columns");
    if (!json_is_object(columns))
        fail(file, "a table without columns");
    table->json = json;
    table->columns = xcalloc(json_object_size(columns), sizeof *table->columns);
    const char *name;
    json_t *column;
    json_object_foreach(columns, name, column)
    {
        json_t *type = json_object_get(column, "type");
        if (!type)
            fail(file, "a column without type");
        table->columns[table->n_columns++] =
            (struct model_column){.name = name, .json = column, .kind = column_kind(type)};
    }
    qsort(table->columns, table->n_columns, sizeof *table->columns, compare_columns);
}

void model_load(struct model *model, const char *file)
{
    json_error_t error;
    *model = (struct model){.json = json_load_file(file, JSON_REJECT_DUPLICATES, &error)};
    if (!model->json) {
        fprintf(stderr, "rowgen: %s:%d: %s\n", file, error.line, error.text);
        exit(1);
    }
    model->name = json_string_value(json_object_get(model->json, "name"));
    model->version = json_string_value(json_object_get(model->json, "version"));
    json_t *tables = json_object_get(model->json, "tables");
    if (!model->name || !model->version || !json_is_object(tables))
        fail(file, "name, version or tables is missing");
    model->tables = xcalloc(json_object_size(tables), sizeof *model->tables);
    const char *name;
    json_t *table;
    json_object_foreach(tables, name, table)
    {
        model->tables[model->n_tables].name = name;
        load_table(&model->tables[model->n_tables++], table, file);
    }
    qsort(model->tables, model->n_tables, sizeof *model->tables, compare_tables);
}

void model_fini(struct model *model)
{
    for (size_t i = 0; i < model->n_tables; i++)
        free(model->tables[i].columns);
    free(model->tables);
    json_decref(model->json);
}

static void strip(json_t *object)
{
    json_object_del(object, "doc");
    json_object_del(object, "writer");
}

char *model_wire_text(const struct model *model)
{
    json_t *wire = json_deep_copy(model->json);
    const char *name;
    json_t *table, *column;
    strip(wire);
    json_object_foreach(json_object_get(wire, "tables"), name, table)
    {
        const char *column_name;
        strip(table);
        json_object_foreach(json_object_get(table, "columns"), column_name, column) strip(column);
    }
    char *text = json_dumps(wire, JSON_SORT_KEYS | JSON_COMPACT);
    INVARIANT(text);
    json_decref(wire);
    return text;
}
