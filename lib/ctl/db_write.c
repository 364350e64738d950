/* db_write.c - the generic commands that change: set, add, remove, clear, create, destroy. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ctl/db_argument.h"

static int prepare_table(struct ctl_call *call)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (!err)
        ctl_need_lookup(call->ctl, table);
    return err;
}

/* The table and the record of the first two arguments; *row NULL with --if-exists. */
static int find_record(struct ctl_call *call, const struct row **row)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (!err)
        err = ctl_find_row(call, table, call->argv[1], ctl_has_option(call, "--if-exists"), row);
    return err;
}

static int check_writable(struct ctl_call *call, const struct schema_column *column,
                          const struct row *row)
{
    if (column->is_mutable || !replica_row_find(ctl_replica(call->ctl), row->table, &row->uuid))
        return 0;
    return ctl_fail(call, "cannot modify read-only column %s in table %s", column->name,
                    row->table->name);
}

/* ---- set and create ---- */

static int set_key(struct ctl_call *call, const struct row **row, const struct db_argument *arg)
{
    const struct column_type *type = &arg->column->type;
    if (!type->is_map)
        return ctl_fail(call, "cannot specify key to set for non-map column %s", arg->column->name);
    union atom key, value;
    int err = value_parse_atom(&type->key, arg->key, &call->ctl->symbols, &key, &call->diag);
    if (err)
        return err;
    err = value_parse_atom(&type->value, arg->value, &call->ctl->symbols, &value, &call->diag);
    if (err) {
        atom_unref(type->key.type, &key);
        return err;
    }
    *row = view_add(call->view, *row, arg->column,
                    datum_new_map(type->key.type, type->value.type, &key, &value, 1));
    return 0;
}

int ctl_assign(struct ctl_call *call, const struct row **row, const char *argument)
{
    struct db_argument arg;
    int err = db_parse_assignment(call, (*row)->table, argument, &arg);
    if (!err)
        err = check_writable(call, arg.column, *row);
    if (!err && arg.key) {
        err = set_key(call, row, &arg);
    } else if (!err) {
        const struct datum *value;
        err = value_parse(&arg.column->type, arg.value, &call->ctl->symbols, &value, &call->diag);
        if (!err)
            *row = view_set(call->view, *row, arg.column, value);
    }
    db_argument_fini(&arg);
    return err;
}

static int run_set(struct ctl_call *call)
{
    const struct row *row;
    int err = find_record(call, &row);
    for (int i = 2; !err && row && i < call->argc; i++)
        err = ctl_assign(call, &row, call->argv[i]);
    return err;
}

static int prepare_create(struct ctl_call *call)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (err)
        return err;
    const char *id = ctl_option(call, "--id");
    ctl_need(call->ctl, table);
    if (!id) {
        if (!table->is_root)
            ctl_warn_now("db_ctl_base",
                         "applying \"create\" command to table %s without --id option will have no "
                         "effect",
                         table->name);
        return 0;
    }
    struct uuid chosen;
    if (uuid_parse(id, &chosen))
        return 0;
    if (*id != '@')
        return ctl_fail(call, "row id \"%s\" does not begin with \"@\"", id);
    struct ctl_symbol *symbol = ctl_symbols_get(&call->ctl->symbols, id);
    if (symbol->created)
        return ctl_fail(call, "row id \"%s\" may only be specified on one --id option", id);
    symbol->created = true;
    symbol->is_root = table->is_root;
    return 0;
}

static int run_create(struct ctl_call *call)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (err)
        return err;
    const char *id = ctl_option(call, "--id");
    struct uuid uuid;
    const struct row *row;
    if (id && *id == '@')
        row = view_insert_as(call->view, table, &ctl_symbols_get(&call->ctl->symbols, id)->uuid);
    else if (id && uuid_parse(id, &uuid))
        row = view_insert_as(call->view, table, &uuid);
    else
        row = view_insert(call->view, table);
    for (int i = 1; !err && i < call->argc; i++)
        err = ctl_assign(call, &row, call->argv[i]);
    call->created = row->uuid;
    return err;
}

/* ---- add, remove, clear ---- */

static int check_count(struct ctl_call *call, const char *what, const struct row *row,
                       const struct schema_column *column)
{
    const struct column_type *type = &column->type;
    size_t n = row_get(row, column)->n;
    const char *things = type->is_map ? "pairs" : "values";
    if (n > type->n_max)
        return ctl_fail(call,
                        "\"%s\" operation would put %zu %s in column %s of table %s but the "
                        "maximum number is %u",
                        what, n, things, column->name, row->table->name, type->n_max);
    if (n < type->n_min)
        return ctl_fail(call,
                        "\"%s\" operation would put %zu %s in column %s of table %s but the "
                        "minimum number is %u",
                        what, n, things, column->name, row->table->name, type->n_min);
    return 0;
}

static int run_add(struct ctl_call *call)
{
    const struct row *row;
    const struct schema_column *column;
    int err = find_record(call, &row);
    if (err || !row)
        return err;
    err = ctl_find_column(call, row->table, call->argv[2], false, &column);
    if (!err)
        err = check_writable(call, column, row);
    if (err)
        return err;
    struct column_type type = column->type;
    type.n_min = 1;
    type.n_max = SCHEMA_UNLIMITED;
    for (int i = 3; i < call->argc; i++) {
        const struct datum *value;
        err = value_parse(&type, call->argv[i], &call->ctl->symbols, &value, &call->diag);
        if (err)
            return err;
        row = view_add(call->view, row, column, value);
    }
    return check_count(call, "add", row, column);
}

/* In a map an argument is KEY or KEY=VALUE. */
static int parse_removal(struct ctl_call *call, const struct schema_column *column,
                         const char *text, const struct datum **ret)
{
    struct column_type type = column->type;
    type.n_min = 1;
    type.n_max = SCHEMA_UNLIMITED;
    if (type.is_map) {
        if (!value_parse(&type, text, &call->ctl->symbols, ret, NULL))
            return 0;
        type.is_map = false;
    }
    return value_parse(&type, text, &call->ctl->symbols, ret, &call->diag);
}

static int run_remove(struct ctl_call *call)
{
    const struct row *row;
    const struct schema_column *column;
    int err = find_record(call, &row);
    if (err || !row)
        return err;
    err = ctl_find_column(call, row->table, call->argv[2], false, &column);
    if (!err)
        err = check_writable(call, column, row);
    for (int i = 3; !err && i < call->argc; i++) {
        const struct datum *value;
        err = parse_removal(call, column, call->argv[i], &value);
        if (!err)
            row = view_remove(call->view, row, column, value);
    }
    return err ? err : check_count(call, "remove", row, column);
}

static int run_clear(struct ctl_call *call)
{
    const struct row *row;
    int err = find_record(call, &row);
    for (int i = 2; !err && row && i < call->argc; i++) {
        const struct schema_column *column;
        err = ctl_find_column(call, row->table, call->argv[i], false, &column);
        if (!err)
            err = check_writable(call, column, row);
        if (!err && column->type.n_min > 0)
            err = ctl_fail(call,
                           "\"clear\" operation cannot be applied to column %s of table %s, which "
                           "is not allowed to be empty",
                           column->name, row->table->name);
        if (!err)
            row = view_set(call->view, row, column, datum_ref(column->default_value));
    }
    return err;
}

/* ---- destroy ---- */

static int run_destroy(struct ctl_call *call)
{
    const struct schema_table *table;
    bool all = ctl_has_option(call, "--all");
    int err = ctl_find_table(call, call->argv[0], &table);
    if (err)
        return err;
    if (all && call->argc > 1)
        return ctl_fail(call, "--all and records argument should not be specified together");
    if (!all && call->argc == 1)
        ctl_warn(call, "db_ctl_base", "either --all or records argument should be specified");
    if (all) {
        struct row_list rows = view_rows(call->view, table);
        for (size_t i = 0; i < rows.n; i++)
            view_delete(call->view, rows.rows[i]);
        row_list_fini(&rows);
    }
    for (int i = 1; !err && i < call->argc; i++) {
        const struct row *row;
        err = ctl_find_row(call, table, call->argv[i], ctl_has_option(call, "--if-exists"), &row);
        if (!err && row)
            view_delete(call->view, row);
    }
    return err;
}

const struct ctl_command ctl_db_write_commands[] = {
    {"set", 3, CTL_ANY, "TABLE RECORD COLUMN[:KEY]=VALUE...", "--if-exists", NULL, prepare_table,
     run_set, "set values of COLUMNs in RECORD"},
    {"add", 4, CTL_ANY, "TABLE RECORD COLUMN [KEY=]VALUE...", "--if-exists", NULL, prepare_table,
     run_add, "add (KEY=)VALUEs to COLUMN in RECORD"},
    {"remove", 4, CTL_ANY, "TABLE RECORD COLUMN (KEY|VALUE|KEY=VALUE)...", "--if-exists", NULL,
     prepare_table, run_remove, "remove (KEY=)VALUEs from COLUMN in RECORD"},
    {"clear", 3, CTL_ANY, "TABLE RECORD COLUMN...", "--if-exists", NULL, prepare_table, run_clear,
     "clear values from COLUMNs in RECORD"},
    {"create", 2, CTL_ANY, "TABLE COLUMN[:KEY]=VALUE...", "--id=", NULL, prepare_create, run_create,
     "create a new row and print its uuid"},
    {"destroy", 1, CTL_ANY, "TABLE [RECORD]...", "--if-exists,--all", NULL, prepare_table,
     run_destroy, "delete RECORDs from TABLE"},
    {0},
};
