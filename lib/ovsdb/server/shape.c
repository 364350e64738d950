/* shape.c - parses what a monitor is to show. See shape.h; RFC 7047 4.1.5. */
#include "ovsdb/server/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "schema/members.h"

/* ---- parsing ---- */

/* JSON, which is WHAT of the request, has to be an object with these members at most. */
static bool check_members(const json_t *json, const char *what, const struct member *members,
                          struct op_error *error)
{
    char *wrong = members_wrong(json, members);
    if (wrong)
        op_error_set(error, "syntax error", json_is_object(json) ? json : NULL,
                     "Parsing %s failed: %s", what, wrong);
    free(wrong);
    return !wrong;
}

static bool parse_select(const json_t *json, const char *table, unsigned *ret,
                         struct op_error *error)
{
    static const struct member kinds[] = {{"initial", MEMBER_BOOLEAN | MEMBER_OPTIONAL},
                                          {"insert", MEMBER_BOOLEAN | MEMBER_OPTIONAL},
                                          {"delete", MEMBER_BOOLEAN | MEMBER_OPTIONAL},
                                          {"modify", MEMBER_BOOLEAN | MEMBER_OPTIONAL},
                                          {NULL, 0}};
    static const unsigned bits[] = {SELECT_INITIAL, SELECT_INSERT, SELECT_DELETE, SELECT_MODIFY};
    *ret = SELECT_INITIAL | SELECT_INSERT | SELECT_DELETE | SELECT_MODIFY;
    if (!json)
        return true;
    char *what = xasprintf("table %s select", table);
    bool ok = check_members(json, what, kinds, error);
    free(what);
    for (size_t i = 0; ok && kinds[i].name; i++) {
        if (json_is_false(json_object_get(json, kinds[i].name)))
            *ret &= ~bits[i];
    }
    return ok;
}

static bool add_column(struct shape_table *st, const struct schema_column *column, unsigned select,
                       const json_t *syntax, struct op_error *error)
{
    for (size_t i = 0; i < st->n; i++) {
        if (st->columns[i].column == column) {
            op_error_set(error, "syntax error", syntax, "column %s mentioned more than once",
                         column->name);
            return false;
        }
    }
    st->columns = xrealloc(st->columns, (st->n + 1) * sizeof *st->columns);
    st->columns[st->n++] = (struct shape_column){column, select};
    st->select |= select;
    return true;
}

static bool parse_columns(struct shape_table *st, const json_t *json, unsigned select,
                          struct op_error *error)
{
    const struct schema_table *table = st->table;
    if (!json) {
        for (size_t i = 0; i < table->n_columns; i++) {
            if (!add_column(st, &table->columns[i], select, NULL, error))
                return false;
        }
        return add_column(st, &table->version_column, select, NULL, error);
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        const char *name = json_string_value(json_array_get(json, i));
        if (!name) {
            op_error_set(error, "syntax error", json, "array of column names expected");
            return false;
        }
        const struct schema_column *column = schema_column_find(table, name);
        if (!column) {
            op_error_set(error, "syntax error", json, "%s is not a valid column name", name);
            return false;
        }
        if (!add_column(st, column, select, json, error))
            return false;
    }
    return true;
}

/* Adds the clauses of MORE, which it takes over; none of them means all rows. */
static void add_condition(struct shape_table *st, struct condition *more, bool *is_true)
{
    if (!more->n || *is_true) {
        *is_true = true;
        condition_fini(more);
        condition_fini(&st->where);
        return;
    }
    struct clause *clauses =
        xrealloc(st->where.clauses, (st->where.n + more->n) * sizeof *st->where.clauses);
    memcpy(clauses + st->where.n, more->clauses, more->n * sizeof *clauses);
    st->where.clauses = clauses;
    st->where.n += more->n;
    free(more->clauses);
}

static bool parse_where(struct shape_table *st, const json_t *json, bool *is_true,
                        struct op_error *error)
{
    struct condition condition = {0};
    if (json && condition_from_json(st->table, json, &condition, error))
        return false;
    add_condition(st, &condition, is_true);
    return true;
}

/* One object of the request about ST. What else than these MEMBERS it has is refused. */
static bool check_element(const struct shape_table *st, const json_t *json,
                          const struct member *members, struct op_error *error)
{
    char *what = xasprintf("table %s", st->table->name);
    bool ok = check_members(json, what, members, error);
    free(what);
    return ok;
}

static bool parse_element(struct shape_table *st, enum monitor_version version, const json_t *json,
                          bool *is_true, struct op_error *error)
{
    static const struct member members[] = {{"where", MEMBER_ARRAY | MEMBER_OPTIONAL},
                                            {"columns", MEMBER_ARRAY | MEMBER_OPTIONAL},
                                            {"select", MEMBER_OBJECT | MEMBER_OPTIONAL},
                                            {NULL, 0}};
    unsigned select;
    if (!check_element(st, json, version == MONITOR_V1 ? members + 1 : members, error) ||
        !parse_select(json_object_get(json, "select"), st->table->name, &select, error) ||
        !parse_columns(st, json_object_get(json, "columns"), select, error) ||
        !parse_where(st, json_object_get(json, "where"), is_true, error))
        return false;
    st->select |= select; /* also when no column was named */
    return true;
}

static struct shape_table *table_add(struct shape *shape, const char *name, struct op_error *error)
{
    const struct schema_table *table = schema_table_find(shape->schema, name);
    if (!table) {
        op_error_set(error, "syntax error", NULL, "no table named %s", name);
        return NULL;
    }
    struct shape_table *st = NEW(struct shape_table);
    st->table = table;
    shape->tables[table->index] = st;
    return st;
}

static bool parse_table(struct shape *shape, const char *name, const json_t *json,
                        struct op_error *error)
{
    struct shape_table *st = table_add(shape, name, error);
    bool is_true = false;
    if (!st)
        return false;
    if (!json_is_array(json))
        return parse_element(st, shape->version, json, &is_true, error);
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (!parse_element(st, shape->version, json_array_get(json, i), &is_true, error))
            return false;
    }
    return true;
}

/* ---- the key ---- */

static int compare_columns(const void *a_, const void *b_)
{
    const struct shape_column *a = a_, *b = b_;
    return (a->column->index > b->column->index) - (a->column->index < b->column->index);
}

static void make_key(struct shape *shape)
{
    struct str key = STR_INIT;
    str_putf(&key, "%d", shape->version);
    for (size_t i = 0; i < shape->schema->n_tables; i++) {
        struct shape_table *st = shape->tables[i];
        if (!st)
            continue;
        if (st->n)
            qsort(st->columns, st->n, sizeof *st->columns, compare_columns);
        str_putf(&key, " %s %x", st->table->name, st->select);
        for (size_t j = 0; j < st->n; j++)
            str_putf(&key, ",%d.%x", st->columns[j].column->index, st->columns[j].select);
        if (!st->filter)
            st->filter = filter_new(&st->where);
        if (filter_condition(st->filter)->n)
            str_put(&key, filter_text(st->filter));
    }
    shape->node.hash = hash_bytes(str_c(&key), key.n, 0);
    shape->key = str_steal(&key);
}

/* ---- the object ---- */

static struct shape *shape_new(const struct schema *schema, enum monitor_version version)
{
    struct shape *shape = NEW(struct shape);
    shape->refs = 1;
    shape->version = version == MONITOR_V1 ? MONITOR_V1 : MONITOR_V2;
    shape->schema = schema;
    shape->tables = xcalloc(schema->n_tables, sizeof(struct shape_table *));
    list_init(&shape->monitors);
    list_init(&shape->keys);
    return shape;
}

void shape_free(struct shape *shape)
{
    for (size_t i = 0; i < shape->schema->n_tables; i++) {
        struct shape_table *st = shape->tables[i];
        if (!st)
            continue;
        condition_fini(&st->where);
        filter_unref(st->filter);
        free(st->columns);
        free(st);
    }
    free(shape->tables);
    free(shape->key);
    free(shape);
}

struct shape *shape_from_json(const struct schema *schema, enum monitor_version version,
                              const json_t *requests, struct op_error *error)
{
    struct shape *shape = shape_new(schema, version);
    const char *name;
    json_t *json;
    bool ok = json_is_object(requests);
    if (!ok)
        op_error_set(error, "syntax error", requests, "monitor-requests must be object");
    json_object_foreach((json_t *)(uintptr_t)requests, name, json)
    {
        ok = ok && parse_table(shape, name, json, error);
    }
    if (!ok) {
        shape_free(shape);
        return NULL;
    }
    make_key(shape);
    return shape;
}

static bool change_element(struct shape_table *st, const json_t *json, bool *is_true,
                           struct op_error *error)
{
    static const struct member members[] = {{"columns", MEMBER_ARRAY | MEMBER_OPTIONAL},
                                            {"where", MEMBER_ARRAY | MEMBER_OPTIONAL},
                                            {NULL, 0}};
    if (!check_element(st, json, members, error))
        return false;
    if (json_object_get(json, "columns")) {
        op_error_set(error, "syntax error", json, "changing columns is unsupported");
        return false;
    }
    return parse_where(st, json_object_get(json, "where"), is_true, error);
}

static bool change_table(struct shape *shape, const char *name, const json_t *json,
                         struct op_error *error)
{
    const struct schema_table *table = schema_table_find(shape->schema, name);
    struct shape_table *st = table ? shape->tables[table->index] : NULL;
    bool is_true = false, ok = true;
    if (!st) {
        op_error_set(error, "syntax error", NULL, "no table named %s%s", name,
                     table ? " in monitor session" : "");
        return false;
    }
    if (!json_is_array(json)) {
        op_error_set(error, "syntax error", NULL, "table %s no monitor-cond-change JSON array",
                     name);
        return false;
    }
    filter_unref(st->filter);
    st->filter = NULL;
    for (size_t i = 0; ok && i < json_array_size(json); i++)
        ok = change_element(st, json_array_get(json, i), &is_true, error);
    return ok;
}

struct shape *shape_with_conditions(const struct shape *from, const json_t *requests,
                                    struct op_error *error)
{
    struct shape *shape = shape_new(from->schema, from->version);
    for (size_t i = 0; i < from->schema->n_tables; i++) {
        if (!from->tables[i])
            continue;
        struct shape_table *st = xmemdup(from->tables[i], sizeof *st);
        st->columns = xmemdup(st->columns, st->n * sizeof *st->columns);
        filter_ref(st->filter);
        shape->tables[i] = st;
    }
    const char *name;
    json_t *json;
    bool ok = json_is_object(requests);
    if (!ok)
        op_error_set(error, "syntax error", NULL, "monitor-cond-change-requests must be object");
    json_object_foreach((json_t *)(uintptr_t)requests, name, json)
    {
        ok = ok && change_table(shape, name, json, error);
    }
    if (!ok) {
        shape_free(shape);
        return NULL;
    }
    make_key(shape);
    return shape;
}
