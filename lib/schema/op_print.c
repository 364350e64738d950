/* op_print.c - operations to JSON: what a client sends; see op.h.
 *
 * Inserts always carry their uuid ("uuid" member), so that references to new rows are ordinary uuids
 * and the sender knows the names of its rows before the answer.
 */
#include <stdlib.h>

#include "schema/op.h"
#include "schema/op_shape.h"

static json_t *values_to_json(const struct column_value *values, size_t n)
{
    json_t *json = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(json, values[i].column->name, datum_to_json(values[i].value));
    return json;
}

static json_t *columns_to_json(const struct op *op)
{
    json_t *json = json_array();
    for (size_t i = 0; i < op->n_columns; i++)
        json_array_append_new(json, json_string(op->columns[i]->name));
    return json;
}

static json_t *mutations_to_json(const struct op *op)
{
    static const char *const words[] = {"+=", "-=", "*=", "/=", "%=", "insert", "delete"};
    json_t *json = json_array();
    for (size_t i = 0; i < op->n_mutations; i++) {
        const struct mutation *m = &op->mutations[i];
        json_t *arg = datum_to_json(m->arg);
        /* A set of keys to delete from a map must be seen to be a set, also with one element. */
        if (m->column->type.is_map && !datum_is_map(m->arg) && m->arg->n == 1)
            arg = json_pack("[s[o]]", "set", arg);
        json_array_append_new(json, json_pack("[sso]", m->column->name, words[m->mutator], arg));
    }
    return json;
}

static void put_wait(json_t *json, const struct op *op)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < op->n_rows; i++)
        json_array_append_new(rows, values_to_json(op->rows[i].values, op->rows[i].n));
    json_object_set_new(json, "rows", rows);
    json_object_set_new(json, "until", json_string(op->until_equal ? "==" : "!="));
    if (op->timeout_ms >= 0)
        json_object_set_new(json, "timeout", json_integer(op->timeout_ms));
}

static void put_content(json_t *json, const struct op *op)
{
    char uuid[UUID_TEXT_LEN + 1];
    switch (op->kind) {
    case OP_INSERT:
        json_object_set_new(json, "uuid", json_string(uuid_print(&op->uuid, uuid)));
        json_object_set_new(json, "row", values_to_json(op->values, op->n_values));
        break;
    case OP_UPDATE:
        json_object_set_new(json, "row", values_to_json(op->values, op->n_values));
        break;
    case OP_MUTATE:
        json_object_set_new(json, "mutations", mutations_to_json(op));
        break;
    case OP_WAIT:
        put_wait(json, op);
        break;
    case OP_COMMIT:
        json_object_set_new(json, "durable", json_boolean(op->durable));
        break;
    case OP_COMMENT:
        json_object_set_new(json, "comment", json_string(op->text));
        break;
    case OP_ASSERT:
        json_object_set_new(json, "lock", json_string(op->text));
        break;
    case OP_SELECT:
    case OP_DELETE:
    case OP_ABORT:
        break;
    }
}

static json_t *op_to_json(const struct op *op)
{
    json_t *json = json_object();
    json_object_set_new(json, "op", json_string(op_shapes[op->kind].name));
    if (op->table)
        json_object_set_new(json, "table", json_string(op->table->name));
    if (op->table && op->kind != OP_INSERT)
        json_object_set_new(json, "where", condition_to_json(&op->where));
    if ((op->kind == OP_SELECT || op->kind == OP_WAIT) && !op->all_columns)
        json_object_set_new(json, "columns", columns_to_json(op));
    put_content(json, op);
    return json;
}

json_t *ops_to_json(const struct schema *schema, const struct ops *ops)
{
    json_t *params = json_array();
    json_array_append_new(params, json_string(schema->name));
    for (size_t i = 0; i < ops->n; i++)
        json_array_append_new(params, op_to_json(&ops->ops[i]));
    return params;
}
