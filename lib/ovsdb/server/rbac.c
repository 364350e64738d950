/* rbac.c - role-based access control. See rbac.h. */
#include "ovsdb/server/rbac.h"

#include <string.h>

static const struct row *role_find(const struct store *store, const struct schema_table *roles,
                                   const char *name)
{
    const struct schema_column *column = schema_column_find(roles, "name");
    const struct row *row;
    for (size_t pos = 0; column && (row = store_next_row(store, roles, &pos)) != NULL;) {
        if (datum_has_string(row_get(row, column), name))
            return row;
    }
    return NULL;
}

/* The permission of ROLE for a table, or NULL. */
static const struct row *permission_find(const struct store *store, const struct row *role,
                                         const char *table)
{
    const struct schema_column *column = schema_column_find(role->table, "permissions");
    const struct schema_table *permissions =
        schema_table_find(store_schema(store), "RBAC_Permission");
    if (!column || !permissions || !column->type.is_map)
        return NULL;
    const struct datum *map = row_get(role, column);
    for (size_t i = 0; i < map->n; i++) {
        if (!strcmp(map->atoms[i].string->s, table))
            return store_row_find(store, permissions, &datum_values(map)[i].uuid);
    }
    return NULL;
}

static const struct datum *permission_get(const struct row *permission, const char *name)
{
    const struct schema_column *column = schema_column_find(permission->table, name);
    return column && column->index >= 0 ? row_get(permission, column) : NULL;
}

/* One element of "authorization": a column, or column:key of a map. */
static bool is_owner(const struct row *row, const char *element, const char *client_id)
{
    const char *colon = strchr(element, ':');
    size_t n = colon ? (size_t)(colon - element) : strlen(element);
    if (!*element)
        return true;
    for (size_t i = 0; client_id && i < row->table->n_columns; i++) {
        const struct schema_column *column = &row->table->columns[i];
        if (strlen(column->name) != n || strncmp(column->name, element, n) ||
            column->type.key.type != ATOM_STRING)
            continue;
        const struct datum *value = row_get(row, column);
        if (!colon)
            return !column->type.is_map && datum_has_string(value, client_id);
        if (!column->type.is_map || column->type.value.type != ATOM_STRING)
            return false;
        const char *text = datum_map_text(value, colon + 1);
        return text && !strcmp(text, client_id);
    }
    return false;
}

static bool is_authorized(const struct row *permission, const struct row *row,
                          const char *client_id)
{
    const struct datum *authorization = permission_get(permission, "authorization");
    for (size_t i = 0; authorization && i < authorization->n; i++) {
        if (is_owner(row, authorization->atoms[i].string->s, client_id))
            return true;
    }
    return false;
}

static bool may_insert_delete(const struct row *permission)
{
    const struct datum *flag = permission_get(permission, "insert_delete");
    return flag && flag->n == 1 && flag->key_type == ATOM_BOOLEAN && flag->atoms[0].boolean;
}

static bool may_change(const struct row *permission, const struct op *op)
{
    const struct datum *columns = permission_get(permission, "update");
    bool may = columns != NULL;
    for (size_t i = 0; may && i < op->n_values; i++)
        may = datum_has_string(columns, op->values[i].column->name);
    for (size_t i = 0; may && i < op->n_mutations; i++)
        may = datum_has_string(columns, op->mutations[i].column->name);
    return may;
}

static const char *prohibited(enum op_kind kind)
{
    switch (kind) {
    case OP_INSERT:
        return "row insertion into";
    case OP_DELETE:
        return "row deletion from";
    case OP_MUTATE:
        return "mutate operation on";
    default:
        return "modification of";
    }
}

bool rbac_permits(const struct store *store, const char *role, const char *client_id,
                  const struct op *op, const struct row *row, struct op_error *error)
{
    const struct schema_table *roles = schema_table_find(store_schema(store), "RBAC_Role");
    if (!roles)
        return true;
    const struct row *role_row = role_find(store, roles, role);
    const struct row *permission =
        role_row ? permission_find(store, role_row, op->table->name) : NULL;
    bool whole_row = op->kind == OP_INSERT || op->kind == OP_DELETE;
    if (permission && is_authorized(permission, row, client_id) &&
        (whole_row ? may_insert_delete(permission) : may_change(permission, op)))
        return true;
    op_error_set(error, "permission error", NULL,
                 "RBAC rules for client \"%s\" role \"%s\" prohibit %s table \"%s\".",
                 client_id ? client_id : "(null)", role, prohibited(op->kind), op->table->name);
    return false;
}
