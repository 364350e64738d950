/* monitor.c - prints the rows of a table and then every change, as it comes.
 *
 *     monitor [SERVER] [DATABASE] TABLE [COLUMN,...]     or ALL for every table
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/dbctl/dbctl.h"

struct monitored {
    const struct schema_table *table;
    VEC(const struct schema_column *) columns;
};

struct watch {
    struct dbctl *dbctl;
    VEC(struct monitored) tables;
    bool has_printed; /* a table: the next one stands behind an empty line */
};

static int add_table(struct watch *watch, const struct schema_table *table, char *names,
                     struct diag *diag)
{
    struct monitored m = {.table = table};
    char *name;
    int err = 0;
    while (!err && names && (name = strsep(&names, ",")) != NULL) {
        const struct schema_column *column = *name ? schema_column_find(table, name) : NULL;
        if (*name && !column)
            err = diag_set(diag, ERR_NOT_FOUND, "table \"%s\" in %s does not have a column \"%s\"",
                           table->name, table->schema->name, name);
        else if (column)
            vec_push(&m.columns, column);
    }
    for (size_t i = 0; !m.columns.n && i < table->n_columns; i++)
        vec_push(&m.columns, &table->columns[i]);
    vec_push(&watch->tables, m);
    return err;
}

static json_t *request(const struct watch *watch, const char *db)
{
    json_t *tables = json_object();
    for (size_t i = 0; i < watch->tables.n; i++) {
        const struct monitored *m = &watch->tables.data[i];
        json_t *columns = json_array();
        for (size_t c = 0; c < m->columns.n; c++)
            json_array_append_new(columns, json_string(m->columns.data[c]->name));
        json_object_set_new(tables, m->table->name, json_pack("[{s: o}]", "columns", columns));
    }
    return json_pack("[s, n, o]", db, tables);
}

static void add_line(struct table_text *out, const struct monitored *m, const char *uuid,
                     const char *action, const json_t *row)
{
    table_text_add_text(out, uuid);
    table_text_add_text(out, action);
    for (size_t c = 0; c < m->columns.n; c++) {
        const struct schema_column *column = m->columns.data[c];
        const json_t *json = json_object_get(row, column->name);
        const struct datum *value;
        if (json && !datum_from_json(&column->type, json, NULL, &value, NULL)) {
            table_text_add_value(out, &column->type, value);
            datum_unref(value);
        } else {
            table_text_add_text(out, "");
        }
    }
}

static void print_table(struct watch *watch, const struct monitored *m, json_t *rows, bool initial)
{
    struct table_text *out = table_text_new();
    table_text_add_heading(out, "row");
    table_text_add_heading(out, "action");
    for (size_t c = 0; c < m->columns.n; c++)
        table_text_add_heading(out, m->columns.data[c]->name);
    if (watch->tables.n > 1)
        table_text_set_caption(out, m->table->name);
    const char *uuid;
    json_t *update;
    json_object_foreach(rows, uuid, update)
    {
        const json_t *old = json_object_get(update, "old"), *new = json_object_get(update, "new");
        if (initial || !old) {
            add_line(out, m, uuid, initial ? "initial" : "insert", new);
        } else if (!new) {
            add_line(out, m, uuid, "delete", old);
        } else {
            add_line(out, m, uuid, "old", old);
            add_line(out, m, "", "new", new);
        }
    }
    table_text_print(out, &watch->dbctl->style, &watch->dbctl->out);
    table_text_free(out);
}

static void print_updates(struct watch *watch, const json_t *updates, bool initial)
{
    for (size_t i = 0; i < watch->tables.n; i++) {
        const struct monitored *m = &watch->tables.data[i];
        json_t *rows = json_object_get(updates, m->table->name);
        if (!rows)
            continue;
        if (watch->has_printed)
            str_putc(&watch->dbctl->out, '\n');
        watch->has_printed = true;
        print_table(watch, m, rows, initial);
    }
    fputs(str_c(&watch->dbctl->out), stdout);
    fflush(stdout);
    str_clear(&watch->dbctl->out);
}

static bool on_notification(void *watch, const struct jsonrpc_message *msg)
{
    if (!strcmp(msg->method, "update"))
        print_updates(watch, json_array_get(msg->params, 1), false);
    return strcmp(msg->method, "monitor_canceled") != 0;
}

static int choose(struct watch *watch, const struct schema *schema, int used, struct diag *diag)
{
    struct dbctl *dbctl = watch->dbctl;
    if (used >= dbctl->argc)
        return diag_set(diag, ERR_INVALID, "a table is needed, or ALL");
    int err = 0;
    if (!strcmp(dbctl->argv[used], "ALL")) {
        for (size_t i = 0; !err && i < schema->n_tables; i++)
            err = add_table(watch, &schema->tables[i], NULL, diag);
        return err;
    }
    const struct schema_table *table = schema_table_find(schema, dbctl->argv[used]);
    if (!table)
        return diag_set(diag, ERR_NOT_FOUND, "%s: %s does not have a table named \"%s\"",
                        dbctl->remote, schema->name, dbctl->argv[used]);
    return add_table(watch, table, used + 1 < dbctl->argc ? dbctl->argv[used + 1] : NULL, diag);
}

static int watch_db(struct watch *watch, struct session_conn *conn, const char *db,
                    struct diag *diag)
{
    json_t *result;
    int err = conn_call(conn, "monitor", request(watch, db), &result, diag);
    if (err)
        return err;
    print_updates(watch, result, true);
    json_decref(result);
    return conn_listen(conn, on_notification, watch, diag);
}

int dbctl_monitor(struct dbctl *dbctl, struct diag *diag)
{
    struct watch watch = {.dbctl = dbctl};
    struct session_conn *conn;
    struct schema *schema;
    char *db = NULL;
    int used, err = conn_open(dbctl, NULL, &conn, diag);
    if (err)
        return err;
    err = conn_pick_db(conn, dbctl, INT_MAX, &db, &used, diag);
    if (!err)
        err = conn_get_schema(conn, db, &schema, diag);
    if (!err) {
        err = choose(&watch, schema, used, diag);
        if (!err)
            err = watch_db(&watch, conn, db, diag);
        for (size_t i = 0; i < watch.tables.n; i++)
            vec_fini(&watch.tables.data[i].columns);
        vec_fini(&watch.tables);
        schema_free(schema);
    }
    free(db);
    conn_close(conn);
    return err;
}
