/* doc.c - writes docs/schema/<database>.md: every table and column, with our description where the
 * schema file has one.
 *
 * See model.h. Tables appear in the order of the schema file, which goes from what users need first
 * to what is rare; columns likewise.
 */
#include "schemas/rowgen/model.h"

#include <string.h>

static void put_base(const json_t *base, struct str *out)
{
    if (json_is_string(base)) {
        str_put(out, json_string_value(base));
        return;
    }
    const char *ref = json_string_value(json_object_get(base, "refTable"));
    const char *kind = json_string_value(json_object_get(base, "refType"));
    const json_t *values = json_array_get(json_object_get(base, "enum"), 1);
    if (ref) {
        str_putf(out, "%sreference to %s", kind && !strcmp(kind, "weak") ? "weak " : "", ref);
    } else if (values) {
        for (size_t i = 0; i < json_array_size(values); i++) {
            char *text = json_dumps(json_array_get(values, i), JSON_ENCODE_ANY);
            str_putf(out, "%s%s", i ? " or " : "", text);
            free(text);
        }
    } else {
        str_put(out, json_string_value(json_object_get(base, "type")));
    }
    const json_t *min = json_object_get(base, "minInteger"),
                 *max = json_object_get(base, "maxInteger");
    if (min && max)
        str_putf(out, " %lld to %lld", (long long)json_integer_value(min),
                 (long long)json_integer_value(max));
    else if (min)
        str_putf(out, " at least %lld", (long long)json_integer_value(min));
    else if (max)
        str_putf(out, " at most %lld", (long long)json_integer_value(max));
}

static void put_type(const json_t *type, struct str *out)
{
    if (json_is_string(type)) {
        str_put(out, json_string_value(type));
        return;
    }
    const json_t *min = json_object_get(type, "min"), *max = json_object_get(type, "max");
    const json_t *value = json_object_get(type, "value");
    bool optional = min && json_integer_value(min) == 0;
    bool many = max && (!json_is_integer(max) || json_integer_value(max) != 1);
    if (value)
        str_put(out, "map of ");
    else if (many)
        str_put(out, "set of ");
    else if (optional)
        str_put(out, "optional ");
    put_base(json_object_get(type, "key"), out);
    if (value) {
        str_put(out, " to ");
        put_base(value, out);
    }
    if (many && json_is_integer(max))
        str_putf(out, ", at most %lld", (long long)json_integer_value(max));
    if (many && !optional)
        str_put(out, ", at least one");
}

static void put_column(const char *name, const json_t *column, struct str *out)
{
    const char *doc = json_string_value(json_object_get(column, "doc"));
    const char *writer = json_string_value(json_object_get(column, "writer"));
    const json_t *is_mutable = json_object_get(column, "mutable");
    str_putf(out, "- `%s`: ", name);
    put_type(json_object_get(column, "type"), out);
    if (is_mutable && !json_is_true(is_mutable))
        str_put(out, ", set only by insert");
    if (json_is_true(json_object_get(column, "ephemeral")))
        str_put(out, ", not kept over a restart");
    if (writer)
        str_putf(out, " (written by %s)", writer);
    str_putf(out, ".%s%s\n", doc ? " " : "", doc ? doc : "");
}

static void put_index(const json_t *index, struct str *out)
{
    for (size_t i = 0; i < json_array_size(index); i++)
        str_putf(out, "%s`%s`", i ? ", " : "", json_string_value(json_array_get(index, i)));
}

/* Where no table is named a root, all are. */
static bool names_roots(const json_t *tables)
{
    const char *name;
    json_t *table;
    json_object_foreach((json_t *)(uintptr_t)tables, name, table)
    {
        if (json_is_true(json_object_get(table, "isRoot")))
            return true;
    }
    return false;
}

static void put_table(const char *name, const json_t *table, bool has_roots, struct str *out)
{
    const char *doc = json_string_value(json_object_get(table, "doc"));
    const char *writer = json_string_value(json_object_get(table, "writer"));
    const json_t *max_rows = json_object_get(table, "maxRows");
    const json_t *indexes = json_object_get(table, "indexes");
    str_putf(out, "\n## %s\n\n", name);
    if (doc)
        str_putf(out, "%s ", doc);
    if (writer)
        str_putf(out, "Written by %s. ", writer);
    if (has_roots && !json_is_true(json_object_get(table, "isRoot")))
        str_put(out, "A row lives as long as something refers to it. ");
    if (max_rows)
        str_putf(out, "At most %lld row(s). ", (long long)json_integer_value(max_rows));
    for (size_t i = 0; i < json_array_size(indexes); i++) {
        str_put(out, "Unique: ");
        put_index(json_array_get(indexes, i), out);
        str_put(out, ". ");
    }
    str_chomp(out, " ");
    if (!text_ends_with(str_c(out), "\n\n"))
        str_put(out, "\n\n");
    const char *column_name;
    json_t *column;
    json_object_foreach(json_object_get(table, "columns"), column_name, column)
        put_column(column_name, column, out);
}

void doc_write(const struct model *model, const char *title, struct str *out)
{
    str_putf(
        out,
        "# %s\n\nDatabase `%s`, interface version %s. Generated from `schemas/` by `rowgen doc`; "
        "edit the schema, then build the target `schema-docs`. Every table also has `_uuid` and "
        "`_version`.\n",
        title, model->name, model->version);
    const char *doc = json_string_value(json_object_get(model->json, "doc"));
    if (doc)
        str_putf(out, "\n%s\n", doc);
    const char *name;
    json_t *table;
    const json_t *tables = json_object_get(model->json, "tables");
    bool has_roots = names_roots(tables);
    json_object_foreach((json_t *)(uintptr_t)tables, name, table)
        put_table(name, table, has_roots, out);
}
