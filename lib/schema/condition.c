/* condition.c - "where": reading it, and deciding whether a row matches (RFC 7047 section 5.1).
 *
 * See op.h. The argument of a condition is held to the column's constraints: asking for a value that
 * cannot be there is an error.
 */
#include <stdlib.h>

#include "base/err.h"
#include "schema/json_text.h"
#include "schema/op.h"
#include "schema/op_parse.h"

static const char *const function_names[] = {
    "==", "!=", "<", "<=", ">", ">=", "includes", "excludes"};

static int find_function(const char *name, enum clause_function *ret, struct op_error *error)
{
    for (int f = FN_EQ; f <= FN_EXCLUDES; f++) {
        if (!strcmp(function_names[f], name)) {
            *ret = (enum clause_function)f;
            return 0;
        }
    }
    return op_error_set(error, "unknown function", NULL, "No function named %s.", name);
}

bool type_is_number(const struct column_type *type)
{
    return !type->is_map && type->n_max == 1 &&
           (type->key.type == ATOM_INTEGER || type->key.type == ATOM_REAL);
}

struct column_type type_relaxed(const struct column_type *type)
{
    struct column_type relaxed = *type;
    struct base_type *bases[] = {&relaxed.key, &relaxed.value};
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        bases[i]->enumeration = NULL;
        bases[i]->min_integer = INT64_MIN;
        bases[i]->max_integer = INT64_MAX;
        bases[i]->min_real = -__builtin_inf();
        bases[i]->max_real = __builtin_inf();
        bases[i]->min_length = 0;
        bases[i]->max_length = UINT32_MAX;
    }
    return relaxed;
}

int type_mismatch(const json_t *json, const char *word, const struct schema_column *column,
                  struct op_error *error)
{
    struct str type = STR_INIT;
    column_type_print(&column->type, &type);
    op_error_set(error, "syntax error", json,
                 "Type mismatch: \"%s\" operator may not be applied to column %s of type %s.", word,
                 column->name, str_c(&type));
    str_fini(&type);
    return ERR_SYNTAX;
}

static int clause_from_json(const struct schema_table *table, const json_t *json,
                            struct symbol_source *names, struct clause *ret, struct op_error *error)
{
    *ret = (struct clause){0};
    if (json_is_boolean(json)) {
        ret->function = json_is_true(json) ? FN_TRUE : FN_FALSE;
        return 0;
    }
    const char *column = json_string_value(json_array_get(json, 0));
    const char *function = json_string_value(json_array_get(json, 1));
    if (json_array_size(json) != 3 || !column || !function)
        return op_error_set(error, "syntax error", json, "Parse error in condition.");
    ret->column = schema_column_find(table, column);
    if (!ret->column)
        return op_error_set(error, "unknown column", json, "No column %s in table %s.", column,
                            table->name);
    int err = find_function(function, &ret->function, error);
    if (err)
        return err;
    struct column_type type = ret->column->type;
    bool is_order = ret->function >= FN_LT && ret->function <= FN_GE;
    if (is_order && !type_is_number(&type))
        return type_mismatch(json, function, ret->column, error);
    if (is_order)
        type.n_min = 1;
    if (ret->function >= FN_INCLUDES && !column_type_is_scalar(&type))
        type.n_min = 0;
    if (ret->function == FN_EXCLUDES && !column_type_is_scalar(&type))
        type.n_max = SCHEMA_UNLIMITED;
    return value_from_json(&type, json_array_get(json, 2), names, &ret->arg, error);
}

int condition_parse(const struct schema_table *table, const json_t *json,
                    struct symbol_source *names, struct condition *ret, struct op_error *error)
{
    *ret = (struct condition){0};
    if (!json_is_array(json))
        return op_error_set(error, "syntax error", json, "array expected");
    if (!json_array_size(json))
        return 0;
    ret->clauses = xcalloc(json_array_size(json), sizeof *ret->clauses);
    for (size_t i = 0; i < json_array_size(json); i++) {
        int err =
            clause_from_json(table, json_array_get(json, i), names, &ret->clauses[ret->n++], error);
        if (err) {
            condition_fini(ret);
            return err;
        }
    }
    return 0;
}

int condition_from_json(const struct schema_table *table, const json_t *json, struct condition *ret,
                        struct op_error *error)
{
    return condition_parse(table, json, NULL, ret, error);
}

static json_t *clause_to_json(const struct clause *c)
{
    return c->column ? json_pack("[sso]", c->column->name, function_names[c->function],
                                 datum_to_json(c->arg))
                     : json_boolean(c->function == FN_TRUE);
}

json_t *condition_to_json(const struct condition *condition)
{
    json_t *json = json_array();
    for (size_t i = 0; i < condition->n; i++)
        json_array_append_new(json, clause_to_json(&condition->clauses[i]));
    return json;
}

void condition_put(const struct condition *condition, struct str *out)
{
    for (size_t i = 0; i < condition->n; i++) {
        json_t *json = clause_to_json(&condition->clauses[i]);
        str_putc(out, i ? ',' : '[');
        json_text_put(json, out);
        json_decref(json);
    }
    str_put(out, condition->n ? "]" : "[]");
}

void condition_fini(struct condition *condition)
{
    for (size_t i = 0; i < condition->n; i++)
        datum_unref(condition->clauses[i].arg);
    free(condition->clauses);
    *condition = (struct condition){0};
}

/* ---- evaluation ---- */

static bool excludes(const struct datum *value, const struct datum *arg)
{
    for (size_t i = 0; i < arg->n; i++) {
        long at = datum_find(value, &arg->atoms[i]);
        if (at >= 0 &&
            (!datum_is_map(value) ||
             !atom_compare(value->value_type, &datum_values(value)[at], &datum_values(arg)[i])))
            return false;
    }
    return true;
}

static bool in_order(enum clause_function function, const struct datum *value,
                     const struct datum *arg)
{
    if (!value->n)
        return false;
    int c = atom_compare(value->key_type, &value->atoms[0], &arg->atoms[0]);
    switch (function) {
    case FN_LT:
        return c < 0;
    case FN_LE:
        return c <= 0;
    case FN_GT:
        return c > 0;
    default:
        return c >= 0;
    }
}

static bool datum_holds(enum clause_function function, const struct datum *value,
                        const struct datum *arg)
{
    switch (function) {
    case FN_EQ:
        return datum_equal(value, arg);
    case FN_NE:
        return !datum_equal(value, arg);
    case FN_INCLUDES:
        return datum_includes(value, arg);
    case FN_EXCLUDES:
        return excludes(value, arg);
    default:
        return in_order(function, value, arg);
    }
}

static bool clause_holds(const struct clause *clause, const struct row *row)
{
    if (!clause->column)
        return clause->function == FN_TRUE;
    if (clause->column->index >= 0)
        return datum_holds(clause->function, row->values[clause->column->index], clause->arg);
    const struct datum *value = row_get_any(row, clause->column);
    bool holds = datum_holds(clause->function, value, clause->arg);
    datum_unref(value);
    return holds;
}

bool condition_matches_all(const struct condition *condition, const struct row *row)
{
    for (size_t i = 0; i < condition->n; i++) {
        if (!clause_holds(&condition->clauses[i], row))
            return false;
    }
    return true;
}

bool condition_matches_any(const struct condition *condition, const struct row *row)
{
    for (size_t i = 0; i < condition->n; i++) {
        if (clause_holds(&condition->clauses[i], row))
            return true;
    }
    return condition->n == 0;
}
