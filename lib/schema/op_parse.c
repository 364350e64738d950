/* op_parse.c - operations from JSON: what a server does with the parameters of "transact".
 *
 * See op.h. Reading is one pass, except that the names of chosen uuids are collected first, so that
 * a name may be used before the insert that declares it. What is allocated is bounded by the message.
 */
#include "schema/op_parse.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "schema/op_shape.h"

/* A named-uuid of this transaction. */
struct symbol {
    struct hnode node;
    char *name;
    struct uuid uuid;
    bool declared;
};

struct reader {
    struct symbol_source names; /* first: resolve gets a pointer to it */
    const struct schema *schema;
    struct env *env;
    struct hmap symbols;
    size_t number, n; /* of the operation being read, from 1, and how many there are */
    const json_t *json;
    struct op_error *error;
};

static struct symbol *symbol_get(struct reader *reader, const char *name)
{
    uint64_t hash = hash_text(name);
    struct symbol *symbol;
    HMAP_FOR_EACH_WITH_HASH (symbol, node, hash, &reader->symbols) {
        if (!strcmp(symbol->name, name))
            return symbol;
    }
    symbol = NEW(struct symbol);
    symbol->name = xstrdup(name);
    symbol->uuid = uuid_random(reader->env);
    hmap_insert(&reader->symbols, &symbol->node, hash);
    return symbol;
}

static int resolve(struct symbol_source *source, const char *name, struct uuid *ret,
                   struct diag *diag)
{
    if (!text_is_identifier(name))
        return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a valid id", name);
    *ret = symbol_get(CONTAINER_OF(source, struct reader, names), name)->uuid;
    return 0;
}

static void reader_fini(struct reader *reader)
{
    struct symbol *symbol;
    HMAP_FOR_EACH_SAFE (symbol, node, &reader->symbols) {
        hmap_remove(&reader->symbols, &symbol->node);
        free(symbol->name);
        free(symbol);
    }
    hmap_fini(&reader->symbols);
}

/* Names whose insert chooses its uuid stand for that uuid from the beginning. */
static void collect_chosen(struct reader *reader, const json_t *params)
{
    struct uuid uuid;
    for (size_t i = 1; i < json_array_size(params); i++) {
        const json_t *op = json_array_get(params, i);
        const char *name = json_string_value(json_object_get(op, "uuid-name"));
        const char *text = json_string_value(json_object_get(op, "uuid"));
        if (name && text && text_is_identifier(name) && uuid_parse(text, &uuid))
            symbol_get(reader, name)->uuid = uuid;
    }
}

/* ---- parts ---- */

static int op_failure(struct reader *reader, const char *why)
{
    return op_error_set(
        reader->error, "syntax error", json_is_object(reader->json) ? reader->json : NULL,
        "Parsing ovsdb operation %zu of %zu failed: %s", reader->number, reader->n, why);
}

static void free_values(struct column_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        datum_unref(values[i].value);
    free(values);
}

static int parse_row(struct reader *reader, const struct schema_table *table, const json_t *json,
                     bool keep_hidden, struct column_value **ret, size_t *ret_n)
{
    const char *name;
    json_t *value;
    *ret_n = 0;
    *ret = NULL;
    if (!json_is_object(json))
        return op_error_set(reader->error, "syntax error", json, "row must be JSON object");
    *ret = xcalloc(json_object_size(json) + 1, sizeof **ret);
    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        const struct schema_column *column = schema_column_find(table, name);
        const struct datum *datum;
        if (!column)
            return op_error_set(reader->error, "unknown column", json, "No column %s in table %s.",
                                name, table->name);
        int err = value_from_json(&column->type, value, &reader->names, &datum, reader->error);
        if (err)
            return err;
        if (column->index < 0 && !keep_hidden)
            datum_unref(datum);
        else
            (*ret)[(*ret_n)++] = (struct column_value){column, datum};
    }
    return 0;
}

static int parse_columns(struct reader *reader, struct op *op)
{
    const json_t *json = json_object_get(reader->json, "columns");
    size_t n = json_array_size(json);
    op->all_columns = !json;
    op->columns = xcalloc(n + 1, sizeof *op->columns);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(json, i));
        const struct schema_column *column = name ? schema_column_find(op->table, name) : NULL;
        if (!name)
            return op_error_set(reader->error, "syntax error", json,
                                "array of distinct column names expected");
        if (!column)
            return op_error_set(reader->error, "syntax error", json,
                                "%s is not a valid column name", name);
        for (size_t j = 0; j < op->n_columns; j++) {
            if (op->columns[j] == column)
                return op_error_set(reader->error, "syntax error", json,
                                    "array of distinct column names expected");
        }
        op->columns[op->n_columns++] = column;
    }
    return 0;
}

static int parse_where(struct reader *reader, struct op *op)
{
    return condition_parse(op->table, json_object_get(reader->json, "where"), &reader->names,
                           &op->where, reader->error);
}

/* ---- operations ---- */

static int declare(struct reader *reader, const char *name, struct op *op)
{
    struct symbol *symbol = symbol_get(reader, name);
    if (symbol->declared)
        return op_error_set(reader->error, "duplicate uuid-name",
                            json_object_get(reader->json, "uuid-name"),
                            "This \"uuid-name\" appeared on an earlier \"insert\" operation.");
    symbol->declared = true;
    if (!op->has_uuid)
        op->uuid = symbol->uuid;
    return 0;
}

static int parse_insert(struct reader *reader, struct op *op)
{
    const json_t *chosen = json_object_get(reader->json, "uuid");
    const char *name = json_string_value(json_object_get(reader->json, "uuid-name"));
    op->uuid = uuid_random(reader->env);
    op->has_uuid = chosen != NULL;
    if (chosen && !uuid_parse(json_string_value(chosen), &op->uuid))
        return op_error_set(reader->error, "syntax error", chosen, "bad uuid");
    int err = name ? declare(reader, name, op) : 0;
    return err ? err
               : parse_row(reader, op->table, json_object_get(reader->json, "row"), false,
                           &op->values, &op->n_values);
}

static int parse_select(struct reader *reader, struct op *op)
{
    int err = parse_where(reader, op);
    return err ? err : parse_columns(reader, op);
}

static int parse_update(struct reader *reader, struct op *op)
{
    int err = parse_row(reader, op->table, json_object_get(reader->json, "row"), true, &op->values,
                        &op->n_values);
    for (size_t i = 0; !err && i < op->n_values; i++) {
        const struct schema_column *column = op->values[i].column;
        if (column->index < 0 || !column->is_mutable)
            err = op_error_set(reader->error, "constraint violation", reader->json,
                               "Cannot update immutable column %s in table %s.", column->name,
                               op->table->name);
    }
    return err ? err : parse_where(reader, op);
}

static int mutation_arg(struct reader *reader, const json_t *json, const char *word,
                        struct mutation *m)
{
    const struct column_type *column_type = &m->column->type;
    const json_t *arg = json_array_get(json, 2);
    struct column_type type = type_relaxed(column_type);
    enum atom_type atom = type.key.type;
    bool is_collection = type.is_map || type.n_max > 1 || type.n_min == 0;
    bool fits = m->mutator >= MUTATE_INSERT
                    ? is_collection
                    : !type.is_map &&
                          (atom == ATOM_INTEGER || (atom == ATOM_REAL && m->mutator != MUTATE_MOD));
    if (!fits)
        return type_mismatch(json, word, m->column, reader->error);
    if (m->mutator < MUTATE_INSERT) {
        type.n_min = type.n_max = 1;
        return value_from_json(&type, arg, &reader->names, &m->arg, reader->error);
    }
    type = *column_type;
    type.n_min = 0;
    if (m->mutator == MUTATE_DELETE)
        type.n_max = SCHEMA_UNLIMITED;
    if (m->mutator == MUTATE_DELETE && type.is_map) {
        const char *tag = json_string_value(json_array_get(arg, 0));
        type.is_map = tag && !strcmp(tag, "map");
    }
    return value_from_json(&type, arg, &reader->names, &m->arg, reader->error);
}

static int parse_mutation(struct reader *reader, const struct schema_table *table,
                          const json_t *json, struct mutation *m)
{
    static const char *const words[] = {"+=", "-=", "*=", "/=", "%=", "insert", "delete"};
    const char *column = json_string_value(json_array_get(json, 0));
    const char *word = json_string_value(json_array_get(json, 1));
    if (json_array_size(json) != 3 || !column || !word)
        return op_error_set(reader->error, "syntax error", json, "Parse error in mutation.");
    m->column = schema_column_find(table, column);
    if (!m->column)
        return op_error_set(reader->error, "unknown column", json, "No column %s in table %s.",
                            column, table->name);
    if (m->column->index < 0 || !m->column->is_mutable)
        return op_error_set(reader->error, "constraint violation", json,
                            "Cannot mutate immutable column %s in table %s.", column, table->name);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(words[i], word)) {
            m->mutator = (enum mutator)i;
            return mutation_arg(reader, json, word, m);
        }
    }
    return op_error_set(reader->error, "unknown mutator", NULL, "No mutator named %s.", word);
}

static int parse_mutate(struct reader *reader, struct op *op)
{
    const json_t *list = json_object_get(reader->json, "mutations");
    op->mutations = xcalloc(json_array_size(list) + 1, sizeof *op->mutations);
    for (size_t i = 0; i < json_array_size(list); i++) {
        int err = parse_mutation(reader, op->table, json_array_get(list, i),
                                 &op->mutations[op->n_mutations++]);
        if (err)
            return err;
    }
    return parse_where(reader, op);
}

static int parse_timeout(struct reader *reader, struct op *op)
{
    const json_t *json = json_object_get(reader->json, "timeout");
    double ms = json_number_value(json);
    op->timeout_ms = -1;
    if (!json)
        return 0;
    if (ms < 0)
        return op_error_set(reader->error, "syntax error", json, "timeout must be nonnegative");
    op->timeout_ms = ms > 1e15 ? (int64_t)1e15 : (int64_t)ms;
    return 0;
}

static int parse_wait(struct reader *reader, struct op *op)
{
    const json_t *until = json_object_get(reader->json, "until");
    const json_t *rows = json_object_get(reader->json, "rows");
    int err = parse_timeout(reader, op);
    if (!err)
        err = parse_where(reader, op);
    if (!err)
        err = parse_columns(reader, op);
    if (err)
        return err;
    op->until_equal = !strcmp(json_string_value(until), "==");
    if (!op->until_equal && strcmp(json_string_value(until), "!="))
        return op_error_set(reader->error, "syntax error", until,
                            "\"until\" must be \"==\" or \"!=\"");
    op->rows = xcalloc(json_array_size(rows) + 1, sizeof *op->rows);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct wait_row *row = &op->rows[op->n_rows++];
        err = parse_row(reader, op->table, json_array_get(rows, i), true, &row->values, &row->n);
        if (err)
            return err;
    }
    return 0;
}

static int parse_content(struct reader *reader, struct op *op)
{
    switch (op->kind) {
    case OP_INSERT:
        return parse_insert(reader, op);
    case OP_SELECT:
        return parse_select(reader, op);
    case OP_UPDATE:
        return parse_update(reader, op);
    case OP_MUTATE:
        return parse_mutate(reader, op);
    case OP_DELETE:
        return parse_where(reader, op);
    case OP_WAIT:
        return parse_wait(reader, op);
    case OP_COMMIT:
        op->durable = json_is_true(json_object_get(reader->json, "durable"));
        return 0;
    case OP_ABORT:
        return 0;
    case OP_COMMENT:
        op->text = xstrdup(json_string_value(json_object_get(reader->json, "comment")));
        return 0;
    case OP_ASSERT:
        op->text = xstrdup(json_string_value(json_object_get(reader->json, "lock")));
        return 0;
    }
    bug("operation kind %d", op->kind);
}

static int parse_table(struct reader *reader, const struct op_shape *shape, struct op *op)
{
    const json_t *name = json_object_get(reader->json, "table");
    if (!shape->has_table || !json_is_string(name) || !text_is_identifier(json_string_value(name)))
        return 0; /* no table needed, or the check of the shape complains */
    op->table = schema_table_find(reader->schema, json_string_value(name));
    if (op->table)
        return 0;
    char *why = xasprintf("No table named %s.", json_string_value(name));
    int err = op_failure(reader, why);
    free(why);
    return err;
}

static int parse_op(struct reader *reader, struct op *op)
{
    const json_t *word = json_object_get(reader->json, "op");
    if (!json_is_object(reader->json))
        return op_failure(reader, "Object expected.");
    if (!word)
        return op_failure(reader, "Required 'op' member is missing.");
    if (!json_is_string(word))
        return op_failure(reader, "Type mismatch for member 'op'.");
    const struct op_shape *shape = op_shape_find(json_string_value(word), &op->kind);
    if (!shape) {
        char *why = xasprintf("No operation \"%s\"", json_string_value(word));
        int err = op_failure(reader, why);
        free(why);
        return err;
    }
    int err = parse_table(reader, shape, op);
    if (err)
        return err;
    char *wrong = members_wrong(reader->json, shape->members);
    err = wrong ? op_failure(reader, wrong) : 0;
    free(wrong);
    return err ? err : parse_content(reader, op);
}

struct ops *ops_from_json(const struct schema *schema, const json_t *params, struct env *env)
{
    struct ops *ops = NEW(struct ops);
    struct reader reader = {.names = {.resolve = resolve},
                            .schema = schema,
                            .env = env,
                            .symbols = HMAP_INIT,
                            .error = &ops->parse_error};
    size_t n = json_array_size(params);
    reader.n = ops->n_requested = n ? n - 1 : 0;
    ops->ops = xcalloc(ops->n_requested + 1, sizeof *ops->ops);
    collect_chosen(&reader, params);
    for (size_t i = 0; i < ops->n_requested; i++) {
        reader.json = json_array_get(params, i + 1);
        reader.number = i + 1;
        if (parse_op(&reader, &ops->ops[i])) {
            op_fini(&ops->ops[i]);
            break;
        }
        ops->n++;
    }
    reader_fini(&reader);
    return ops;
}

void op_fini(struct op *op)
{
    condition_fini(&op->where);
    free_values(op->values, op->n_values);
    for (size_t i = 0; i < op->n_mutations; i++)
        datum_unref(op->mutations[i].arg);
    free(op->mutations);
    free(op->columns);
    for (size_t i = 0; i < op->n_rows; i++)
        free_values(op->rows[i].values, op->rows[i].n);
    free(op->rows);
    free(op->text);
    *op = (struct op){0};
}

void ops_free(struct ops *ops)
{
    if (!ops)
        return;
    for (size_t i = 0; i < ops->n; i++)
        op_fini(&ops->ops[i]);
    free(ops->ops);
    op_error_fini(&ops->parse_error);
    free(ops);
}
