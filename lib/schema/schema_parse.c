/* schema_parse.c - reads a schema from JSON (RFC 7047 section 3.2).
 *
 * See schema.h. Every member is checked, unknown members are refused, and each error names the table
 * and column it is about. What is kept is bounded by the text that came in.
 */
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "schema/schema.h"

/* Refuses members of JSON that are not in the NULL-ended list ALLOWED. */
static int check_members(const json_t *json, const char *const allowed[], struct diag *diag)
{
    const char *name;
    json_t *value;
    if (!json_is_object(json))
        return diag_set(diag, ERR_SYNTAX, "Object expected.");
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        size_t i = 0;
        (void)value;
        while (allowed[i] && strcmp(allowed[i], name))
            i++;
        if (!allowed[i])
            return diag_set(diag, ERR_SYNTAX, "Member '%s' is present but not allowed here.", name);
    }
    return 0;
}

static bool is_identifier(const char *s)
{
    if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_'))
        return false;
    for (; *s; s++) {
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
              *s == '_'))
            return false;
    }
    return true;
}

static int check_name(const char *name, struct diag *diag)
{
    if (!is_identifier(name))
        return diag_set(diag, ERR_SYNTAX, "name must be a valid id");
    if (*name == '_')
        return diag_set(diag, ERR_SYNTAX, "names beginning with \"_\" are reserved");
    return 0;
}

/* ---- types ---- */

static int parse_atom_type(const char *name, enum atom_type *ret, struct diag *diag)
{
    for (int t = ATOM_INTEGER; t <= ATOM_UUID; t++) {
        if (name && !strcmp(name, atom_type_name((enum atom_type)t))) {
            *ret = (enum atom_type)t;
            return 0;
        }
    }
    return diag_set(diag, ERR_SYNTAX, "\"%s\" is not an atomic-type", name ? name : "");
}

static void base_type_init(struct base_type *type, enum atom_type atom)
{
    *type = (struct base_type){.type = atom,
                               .min_integer = INT64_MIN,
                               .max_integer = INT64_MAX,
                               .min_real = -INFINITY,
                               .max_real = INFINITY,
                               .max_length = UINT32_MAX};
}

static int parse_integer(const json_t *json, const char *name, int64_t low, int64_t high,
                         int64_t *ret, struct diag *diag)
{
    const json_t *member = json_object_get(json, name);
    if (!member)
        return 0;
    double real = json_is_real(member) ? json_real_value(member) : 0.5;
    if (json_is_integer(member))
        *ret = json_integer_value(member);
    else if (real > -9e15 && real < 9e15 && real == (double)(int64_t)real)
        *ret = (int64_t)real;
    else
        return diag_set(diag, ERR_SYNTAX, "Type mismatch for member '%s'.", name);
    if (*ret < low || *ret > high)
        return diag_set(diag, ERR_SYNTAX, "%s is out of range", name);
    return 0;
}

static int parse_real(const json_t *json, const char *name, double *ret, struct diag *diag)
{
    const json_t *member = json_object_get(json, name);
    if (member && !json_is_number(member))
        return diag_set(diag, ERR_SYNTAX, "Type mismatch for member '%s'.", name);
    if (member)
        *ret = json_number_value(member);
    return 0;
}

static int parse_length(const json_t *json, const char *name, uint32_t *ret, struct diag *diag)
{
    int64_t n = *ret;
    int err = parse_integer(json, name, 0, UINT32_MAX, &n, diag);
    *ret = (uint32_t)n;
    return err;
}

static int parse_enum(const json_t *json, struct base_type *type, struct diag *diag)
{
    const json_t *member = json_object_get(json, "enum");
    struct column_type set = {.key = *type, .n_min = 1, .n_max = SCHEMA_UNLIMITED};
    return member ? datum_from_json(&set, member, NULL, &type->enumeration, diag) : 0;
}

static int parse_ref(const json_t *json, struct base_type *type, struct diag *diag)
{
    const json_t *table = json_object_get(json, "refTable");
    const json_t *kind = json_object_get(json, "refType");
    if (!table)
        return kind ? diag_set(diag, ERR_SYNTAX, "refType without refTable") : 0;
    if (type->type != ATOM_UUID || !json_is_string(table))
        return diag_set(diag, ERR_SYNTAX, "Type mismatch for member 'refTable'.");
    const char *word = kind ? json_string_value(kind) : "strong";
    if (!word || (strcmp(word, "strong") && strcmp(word, "weak")))
        return diag_set(diag, ERR_SYNTAX, "refType must be \"strong\" or \"weak\"");
    type->ref = strcmp(word, "weak") ? REF_STRONG : REF_WEAK;
    type->ref_table_name = xstrdup(json_string_value(table));
    return 0;
}

static int check_limits(const struct base_type *type, struct diag *diag)
{
    if (type->min_integer > type->max_integer)
        return diag_set(diag, ERR_SYNTAX, "minInteger exceeds maxInteger");
    if (type->min_real > type->max_real)
        return diag_set(diag, ERR_SYNTAX, "minReal exceeds maxReal");
    if (type->min_length > type->max_length)
        return diag_set(diag, ERR_SYNTAX, "minLength exceeds maxLength");
    return 0;
}

static int parse_base_type(const json_t *json, struct base_type *type, struct diag *diag)
{
    static const char *const plain[] = {"type", "enum", NULL};
    static const char *const integer[] = {"type", "enum", "minInteger", "maxInteger", NULL};
    static const char *const real[] = {"type", "enum", "minReal", "maxReal", NULL};
    static const char *const string[] = {"type", "enum", "minLength", "maxLength", NULL};
    static const char *const uuid[] = {"type", "enum", "refTable", "refType", NULL};
    static const char *const *const members[] = {integer, real, plain, string, uuid};
    enum atom_type atom = ATOM_INTEGER;
    bool is_word = json_is_string(json);
    const char *word = json_string_value(is_word ? json : json_object_get(json, "type"));
    if (!is_word && !json_is_object(json))
        return diag_set(diag, ERR_SYNTAX, "Object or atomic-type expected.");
    int err = parse_atom_type(word, &atom, diag);
    if (err)
        return err;
    base_type_init(type, atom);
    if (is_word)
        return 0;
    err = check_members(json, members[atom], diag);
    if (!err)
        err = parse_integer(json, "minInteger", INT64_MIN, INT64_MAX, &type->min_integer, diag);
    if (!err)
        err = parse_integer(json, "maxInteger", INT64_MIN, INT64_MAX, &type->max_integer, diag);
    if (!err)
        err = parse_real(json, "minReal", &type->min_real, diag);
    if (!err)
        err = parse_real(json, "maxReal", &type->max_real, diag);
    if (!err)
        err = parse_length(json, "minLength", &type->min_length, diag);
    if (!err)
        err = parse_length(json, "maxLength", &type->max_length, diag);
    if (!err)
        err = parse_ref(json, type, diag);
    if (!err)
        err = parse_enum(json, type, diag);
    return err ? err : check_limits(type, diag);
}

static int parse_max(const json_t *json, uint32_t *ret, struct diag *diag)
{
    const json_t *max = json_object_get(json, "max");
    if (json_is_string(max) && !strcmp(json_string_value(max), "unlimited")) {
        *ret = SCHEMA_UNLIMITED;
        return 0;
    }
    int64_t n = 1;
    int err = parse_integer(json, "max", 1, UINT32_MAX - 1, &n, diag);
    *ret = (uint32_t)n;
    return err;
}

static int parse_type(const json_t *json, struct column_type *type, struct diag *diag)
{
    static const char *const members[] = {"key", "value", "min", "max", NULL};
    int64_t min = 1;
    *type = (struct column_type){.n_min = 1, .n_max = 1};
    if (json_is_string(json))
        return parse_base_type(json, &type->key, diag);
    if (!json)
        return diag_set(diag, ERR_SYNTAX, "Required 'type' member is missing.");
    int err = check_members(json, members, diag);
    if (!err)
        err = parse_base_type(json_object_get(json, "key"), &type->key, diag);
    type->is_map = json_object_get(json, "value") != NULL;
    if (!err && type->is_map)
        err = parse_base_type(json_object_get(json, "value"), &type->value, diag);
    if (!err)
        err = parse_integer(json, "min", 0, 1, &min, diag);
    if (!err)
        err = parse_max(json, &type->n_max, diag);
    type->n_min = (uint32_t)min;
    return err;
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

static int parse_flag(const json_t *json, const char *name, bool *ret, struct diag *diag)
{
    const json_t *member = json_object_get(json, name);
    if (member && !json_is_boolean(member))
        return diag_set(diag, ERR_SYNTAX, "Type mismatch for member '%s'.", name);
    if (member)
        *ret = json_is_true(member);
    return 0;
}

static int parse_column(const char *name, const json_t *json, struct schema_column *column,
                        struct diag *diag)
{
    static const char *const members[] = {"type", "mutable", "ephemeral", NULL};
    column->name = xstrdup(name);
    column->is_mutable = true;
    column->is_synced = true;
    int err = check_name(name, diag);
    if (!err)
        err = check_members(json, members, diag);
    if (!err)
        err = parse_type(json_object_get(json, "type"), &column->type, diag);
    if (!err)
        err = parse_flag(json, "mutable", &column->is_mutable, diag);
    if (!err)
        err = parse_flag(json, "ephemeral", &column->is_ephemeral, diag);
    if (err) {
        diag_prefix(diag, "column %s: ", name);
        return err;
    }
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

static int parse_columns(const json_t *json, struct schema_table *table, struct diag *diag)
{
    const char *name;
    json_t *column;
    if (!json_is_object(json) || !json_object_size(json))
        return diag_set(diag, ERR_SYNTAX, "table must have at least one column");
    table->columns = xcalloc(json_object_size(json), sizeof *table->columns);
    json_object_foreach((json_t *)(uintptr_t)json, name, column)
    {
        int err = parse_column(name, column, &table->columns[table->n_columns++], diag);
        if (err)
            return err;
    }
    qsort(table->columns, table->n_columns, sizeof *table->columns, compare_columns);
    for (size_t i = 0; i < table->n_columns; i++) {
        table->columns[i].index = (int)i;
        table->columns[i].table = table;
    }
    return 0;
}

static int parse_index(const json_t *json, struct schema_table *table, struct schema_index *index,
                       struct diag *diag)
{
    if (!json_is_array(json) || !json_array_size(json))
        return diag_set(diag, ERR_SYNTAX, "array of distinct column names expected");
    index->columns = xcalloc(json_array_size(json), sizeof *index->columns);
    for (size_t i = 0; i < json_array_size(json); i++) {
        const char *name = json_string_value(json_array_get(json, i));
        const struct schema_column *column = name ? schema_column_find(table, name) : NULL;
        if (!column || column->index < 0)
            return diag_set(diag, ERR_SYNTAX, "%s is not a valid column name", name ? name : "");
        for (size_t j = 0; j < i; j++) {
            if (index->columns[j] == column)
                return diag_set(diag, ERR_SYNTAX, "array of distinct column names expected");
        }
        if (column->is_ephemeral)
            return diag_set(diag, ERR_SYNTAX, "ephemeral columns not allowed in an index");
        index->columns[index->n++] = column;
    }
    return 0;
}

static int parse_indexes(const json_t *json, struct schema_table *table, struct diag *diag)
{
    if (!json)
        return 0;
    if (!json_is_array(json))
        return diag_set(diag, ERR_SYNTAX, "Type mismatch for member 'indexes'.");
    table->indexes = xcalloc(json_array_size(json), sizeof *table->indexes);
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct schema_index *index = &table->indexes[table->n_indexes++];
        int err = parse_index(json_array_get(json, i), table, index, diag);
        if (err)
            return err;
    }
    return 0;
}

static int parse_table(const char *name, const json_t *json, struct schema_table *table,
                       struct diag *diag)
{
    static const char *const members[] = {"columns", "maxRows", "isRoot", "indexes", NULL};
    int64_t max_rows = SCHEMA_UNLIMITED;
    table->name = xstrdup(name);
    int err = check_name(name, diag);
    if (!err)
        err = check_members(json, members, diag);
    if (!err)
        err = parse_flag(json, "isRoot", &table->is_root, diag);
    if (!err)
        err = parse_integer(json, "maxRows", 1, SCHEMA_UNLIMITED, &max_rows, diag);
    if (!err)
        err = parse_columns(json_object_get(json, "columns"), table, diag);
    add_hidden_column(&table->uuid_column, "_uuid", COLUMN_UUID);
    add_hidden_column(&table->version_column, "_version", COLUMN_VERSION);
    if (!err)
        err = parse_indexes(json_object_get(json, "indexes"), table, diag);
    table->max_rows = (uint32_t)max_rows;
    if (err)
        diag_prefix(diag, "table %s: ", name);
    return err;
}

/* ---- the whole ---- */

static int compare_tables(const void *a, const void *b)
{
    return strcmp(((const struct schema_table *)a)->name, ((const struct schema_table *)b)->name);
}

static int resolve(struct schema *schema, struct schema_column *column, struct base_type *type,
                   struct diag *diag)
{
    if (type->ref == REF_NONE)
        return 0;
    type->ref_table = schema_table_find(schema, type->ref_table_name);
    if (!type->ref_table)
        return diag_set(diag, ERR_SYNTAX, "table %s: column %s: refers to undefined table \"%s\"",
                        column->table->name, column->name, type->ref_table_name);
    return 0;
}

/* After sorting: indexes, back pointers, references; without any root table, all are. */
static int link_tables(struct schema *schema, struct diag *diag)
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
            int err = resolve(schema, column, &column->type.key, diag);
            if (!err)
                err = resolve(schema, column, &column->type.value, diag);
            if (err)
                return err;
        }
    }
    return 0;
}

static int parse_tables(const json_t *json, struct schema *schema, struct diag *diag)
{
    const char *name;
    json_t *table;
    if (!json_is_object(json))
        return diag_set(diag, ERR_SYNTAX, "Required 'tables' member is missing.");
    schema->tables = xcalloc(json_object_size(json) + 1, sizeof *schema->tables);
    json_object_foreach((json_t *)(uintptr_t)json, name, table)
    {
        int err = parse_table(name, table, &schema->tables[schema->n_tables++], diag);
        if (err)
            return err;
    }
    qsort(schema->tables, schema->n_tables, sizeof *schema->tables, compare_tables);
    return link_tables(schema, diag);
}

static int parse_text(const json_t *json, const char *name, char **ret, struct diag *diag)
{
    const json_t *member = json_object_get(json, name);
    if (member && !json_is_string(member))
        return diag_set(diag, ERR_SYNTAX, "Type mismatch for member '%s'.", name);
    *ret = member ? xstrdup(json_string_value(member)) : NULL;
    return 0;
}

static int parse_schema(const json_t *json, struct schema *schema, struct diag *diag)
{
    static const char *const members[] = {"name", "version", "cksum", "tables", NULL};
    int err = check_members(json, members, diag);
    if (!err)
        err = parse_text(json, "name", &schema->name, diag);
    if (!err)
        err = parse_text(json, "version", &schema->version, diag);
    if (!err)
        err = parse_text(json, "cksum", &schema->cksum, diag);
    if (!err && (!schema->name || !is_identifier(schema->name)))
        err = diag_set(diag, ERR_SYNTAX, "schema name must be a valid id");
    if (!err && !schema->version)
        schema->version = xstrdup("0.0.0");
    return err ? err : parse_tables(json_object_get(json, "tables"), schema, diag);
}

int schema_from_json(json_t *json, struct schema **ret, struct diag *diag)
{
    struct schema *schema = NEW(struct schema);
    int err = parse_schema(json, schema, diag);
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
