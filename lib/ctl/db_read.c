/* db_read.c - the generic commands that look: init, list, find, get, wait-until, comment.
 *
 * They work on every table of the schema. What changes the database is in db_write.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ctl/db_argument.h"

/* prepare of every command whose first argument is a table. */
static int prepare_table(struct ctl_call *call)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (!err)
        ctl_need_lookup(call->ctl, table);
    return err;
}

static int run_nothing(struct ctl_call *call)
{
    (void)call;
    return 0;
}

/* ---- list and find ---- */

typedef VEC(const struct schema_column *) column_vec;

static int parse_columns(struct ctl_call *call, const struct schema_table *table, const char *text,
                         column_vec *ret)
{
    char *copy = xstrdup(text), *rest = copy, *word;
    int err = 0;
    while (!err && (word = strsep(&rest, ", ")) != NULL) {
        const struct schema_column *column;
        if (!*word)
            continue;
        err = ctl_find_column(call, table, word, true, &column);
        if (!err)
            vec_push(ret, column);
    }
    free(copy);
    if (!err && !ret->n)
        err = ctl_fail(call, "must specify at least one column name");
    return err;
}

static void all_columns(struct ctl_call *call, const struct schema_table *table, column_vec *ret)
{
    vec_push(ret, &table->uuid_column);
    for (size_t i = 0; i < table->n_columns; i++)
        if (ctl_server_has(call->ctl, &table->columns[i]))
            vec_push(ret, &table->columns[i]);
}

/* Makes the call's table with its headings. */
static int begin_table(struct ctl_call *call, const struct schema_table *table, column_vec *columns)
{
    const char *names = ctl_option(call, "--columns");
    int err = 0;
    if (names)
        err = parse_columns(call, table, names, columns);
    else
        all_columns(call, table, columns);
    call->table = table_text_new();
    for (size_t i = 0; !err && i < columns->n; i++)
        table_text_add_heading(call->table, columns->data[i]->name);
    return err;
}

static void add_row(struct ctl_call *call, const struct row *row, const column_vec *columns)
{
    for (size_t i = 0; i < columns->n; i++) {
        const struct datum *value = row_get_any(row, columns->data[i]);
        table_text_add_value(call->table, &columns->data[i]->type, value);
        datum_unref(value);
    }
}

static int run_list(struct ctl_call *call)
{
    const struct schema_table *table;
    column_vec columns = VEC_INIT;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (!err)
        err = begin_table(call, table, &columns);
    for (int i = 1; !err && i < call->argc; i++) {
        const struct row *row;
        err = ctl_find_row(call, table, call->argv[i], ctl_has_option(call, "--if-exists"), &row);
        if (!err && row)
            add_row(call, row, &columns);
    }
    if (!err && call->argc == 1) {
        struct row_list rows = view_rows(call->view, table);
        for (size_t i = 0; i < rows.n; i++)
            add_row(call, rows.rows[i], &columns);
        row_list_fini(&rows);
    }
    vec_fini(&columns);
    return err;
}

static int prepare_find(struct ctl_call *call)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (err)
        return err;
    ctl_need(call->ctl, table);
    for (int i = 1; !err && i < call->argc; i++) {
        struct db_argument argument;
        err = db_parse_condition(call, table, call->argv[i], &argument);
        db_argument_fini(&argument);
    }
    return err;
}

static int test_all(struct ctl_call *call, const struct row *row, int from, bool *ret)
{
    *ret = true;
    for (int i = from; *ret && i < call->argc; i++) {
        int err = db_test(call, row, call->argv[i], ret);
        if (err)
            return err;
    }
    return 0;
}

static int run_find(struct ctl_call *call)
{
    const struct schema_table *table;
    column_vec columns = VEC_INIT;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (!err)
        err = begin_table(call, table, &columns);
    if (err) {
        vec_fini(&columns);
        return err;
    }
    struct row_list rows = view_rows(call->view, table);
    for (size_t i = 0; !err && i < rows.n; i++) {
        bool matches;
        err = test_all(call, rows.rows[i], 1, &matches);
        if (!err && matches)
            add_row(call, rows.rows[i], &columns);
    }
    row_list_fini(&rows);
    vec_fini(&columns);
    return err;
}

/* ---- get ---- */

static int prepare_get(struct ctl_call *call)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (err)
        return err;
    ctl_need_lookup(call->ctl, table);
    const char *id = ctl_option(call, "--id");
    if (id && ctl_has_option(call, "--if-exists"))
        return ctl_fail(call, "--if-exists and --id may not be specified together");
    if (id && *id != '@')
        return ctl_fail(call, "row id \"%s\" does not begin with \"@\"", id);
    if (id)
        ctl_symbols_get(&call->ctl->symbols, id)->created = true;
    for (int i = 2; !err && i < call->argc; i++) {
        struct db_argument argument;
        const char *p = call->argv[i];
        err = db_parse_column(call, table, true, &p, &argument);
        if (!err && *p)
            err = ctl_fail(call, "%s: trailing garbage \"%s\" in argument", call->argv[i], p);
        db_argument_fini(&argument);
    }
    return err;
}

static int get_key(struct ctl_call *call, const struct row *row, const struct db_argument *arg,
                   const struct datum *value)
{
    const struct column_type *type = &arg->column->type;
    if (!type->is_map)
        return ctl_fail(call, "cannot specify key to get for non-map column %s", arg->column->name);
    union atom key;
    int err = value_parse_atom(&type->key, arg->key, &call->ctl->symbols, &key, &call->diag);
    if (err)
        return err;
    long at = datum_find(value, &key);
    atom_unref(type->key.type, &key);
    if (at < 0 && !ctl_has_option(call, "--if-exists"))
        return ctl_fail(call, "no key \"%s\" in %s record \"%s\" column %s", arg->key,
                        row->table->name, call->argv[1], arg->column->name);
    if (at >= 0)
        value_print_atom(type->value.type, &datum_values(value)[at], VALUE_STRING, &call->out);
    str_putc(&call->out, '\n');
    return 0;
}

static int get_one(struct ctl_call *call, const struct row *row, const char *argument)
{
    struct db_argument arg;
    int err = db_parse_column(call, row->table, true, &argument, &arg);
    if (!err) {
        const struct datum *value = row_get_any(row, arg.column);
        if (arg.key) {
            err = get_key(call, row, &arg, value);
        } else {
            value_print(&arg.column->type, value, VALUE_STRING, &call->out);
            str_putc(&call->out, '\n');
        }
        datum_unref(value);
    }
    db_argument_fini(&arg);
    return err;
}

static int run_get(struct ctl_call *call)
{
    const struct schema_table *table;
    const struct row *row = NULL;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (!err)
        err = ctl_find_row(call, table, call->argv[1], ctl_has_option(call, "--if-exists"), &row);
    if (err || !row)
        return err;
    const char *id = ctl_option(call, "--id");
    if (id) {
        struct ctl_symbol *symbol = ctl_symbols_get(&call->ctl->symbols, id);
        if (symbol->referenced)
            return ctl_fail(
                call, "row id \"%s\" specified on \"get\" command was used before it was defined",
                id);
        symbol->uuid = row->uuid;
    }
    for (int i = 2; !err && i < call->argc; i++)
        err = get_one(call, row, call->argv[i]);
    return err;
}

/* ---- wait-until ---- */

static int run_wait_until(struct ctl_call *call)
{
    const struct schema_table *table;
    const struct row *row;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (!err)
        err = ctl_find_row(call, table, call->argv[1], true, &row);
    if (err)
        return err;
    bool matches = false;
    if (row)
        err = test_all(call, row, 2, &matches);
    return err ? err : matches ? 0 : ERR_AGAIN;
}

static int prepare_wait_until(struct ctl_call *call)
{
    const struct schema_table *table;
    int err = ctl_find_table(call, call->argv[0], &table);
    if (err)
        return err;
    ctl_need_lookup(call->ctl, table);
    for (int i = 2; !err && i < call->argc; i++) {
        struct db_argument argument;
        err = db_parse_condition(call, table, call->argv[i], &argument);
        db_argument_fini(&argument);
    }
    return err;
}

const struct ctl_command ctl_db_read_commands[] = {
    {.help = "Database commands (on any table; names may be abbreviated)"},
    {"list", 1, CTL_ANY, "TABLE [RECORD]...", "--if-exists,--columns=", NULL, prepare_table,
     run_list, "list RECORDs, or all rows of TABLE"},
    {"find", 1, CTL_ANY, "TABLE [CONDITION]...", "--columns=", NULL, prepare_find, run_find,
     "list rows that meet CONDITIONs: COLUMN[:KEY]=VALUE, also != < > <= >= {in} ..."},
    {"get", 2, CTL_ANY, "TABLE RECORD [COLUMN[:KEY]]...", "--if-exists,--id=", NULL, prepare_get,
     run_get, "print values of COLUMNs in RECORD"},
    {"wait-until", 2, CTL_ANY, "TABLE RECORD [CONDITION]...", NULL, NULL, prepare_wait_until,
     run_wait_until, "wait until RECORD exists and meets CONDITIONs"},
    {"comment", 0, CTL_ANY, "[WORD]...", NULL, NULL, NULL, run_nothing,
     "put WORDs into the server's log of the transaction"},
    {0},
};
