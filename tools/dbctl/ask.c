/* ask.c - one question, one answer: databases, schemas, transactions, and waiting for a database. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/dbctl/dbctl.h"

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int dbctl_list_dbs(struct dbctl *dbctl, struct diag *diag)
{
    struct session_conn *conn;
    json_t *dbs;
    int err = conn_open(dbctl, NULL, &conn, diag);
    if (err)
        return err;
    err = conn_list_dbs(conn, &dbs, diag);
    if (!err) {
        size_t n = json_array_size(dbs);
        const char **names = xcalloc(n + 1, sizeof *names);
        for (size_t i = 0; i < n; i++) {
            const char *name = json_string_value(json_array_get(dbs, i));
            names[i] = name ? name : "";
        }
        qsort(names, n, sizeof *names, compare_texts);
        for (size_t i = 0; i < n; i++)
            str_putf(&dbctl->out, "%s\n", names[i]);
        free(names);
        json_decref(dbs);
    }
    conn_close(conn);
    return err;
}

/* Connects and fetches the schema of the database meant. *used as in conn_pick_db. */
static int fetch_schema(struct dbctl *dbctl, int max_rest, struct schema **ret, int *used,
                        struct diag *diag)
{
    struct session_conn *conn;
    char *db = NULL;
    int err = conn_open(dbctl, NULL, &conn, diag);
    if (err)
        return err;
    err = conn_pick_db(conn, dbctl, max_rest, &db, used, diag);
    if (!err)
        err = conn_get_schema(conn, db, ret, diag);
    free(db);
    conn_close(conn);
    return err;
}

/* get-schema, get-schema-version, get-schema-cksum */
int dbctl_get_schema(struct dbctl *dbctl, struct diag *diag)
{
    struct schema *schema;
    int used;
    int err = fetch_schema(dbctl, 0, &schema, &used, diag);
    if (err)
        return err;
    const char *what = dbctl->command->name;
    if (!strcmp(what, "get-schema-version"))
        str_putf(&dbctl->out, "%s\n", schema->version);
    else if (!strcmp(what, "get-schema-cksum"))
        str_putf(&dbctl->out, "%s\n", schema->cksum ? schema->cksum : "");
    else
        str_putf(&dbctl->out, "%s\n", schema->text);
    schema_free(schema);
    return 0;
}

int dbctl_list_tables(struct dbctl *dbctl, struct diag *diag)
{
    struct schema *schema;
    int used;
    int err = fetch_schema(dbctl, 0, &schema, &used, diag);
    if (err)
        return err;
    struct table_text *table = table_text_new();
    table_text_add_heading(table, "Table");
    for (size_t i = 0; i < schema->n_tables; i++)
        table_text_add_text(table, schema->tables[i].name);
    table_text_print(table, &dbctl->style, &dbctl->out);
    table_text_free(table);
    schema_free(schema);
    return 0;
}

static void add_column(struct table_text *out, const char *table, const char *column,
                       const char *type)
{
    if (table)
        table_text_add_text(out, table);
    table_text_add_text(out, column);
    table_text_add_text(out, type);
}

/* TABLE_NAME NULL: without the column that says it. */
static void add_columns(struct table_text *out, const struct schema_table *table, json_t *columns,
                        const char *table_name)
{
    add_column(out, table_name, "_uuid", "\"uuid\"");
    add_column(out, table_name, "_version", "\"uuid\"");
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *name = table->columns[i].name;
        struct str text = STR_INIT;
        json_put(json_object_get(json_object_get(columns, name), "type"), true, &text);
        add_column(out, table_name, name, str_c(&text));
        str_fini(&text);
    }
}

int dbctl_list_columns(struct dbctl *dbctl, struct diag *diag)
{
    struct schema *schema;
    int used;
    int err = fetch_schema(dbctl, 1, &schema, &used, diag);
    if (err)
        return err;
    const char *wanted = used < dbctl->argc ? dbctl->argv[used] : NULL;
    json_t *json = schema_to_json(schema);
    struct table_text *out = table_text_new();
    if (!wanted)
        table_text_add_heading(out, "Table");
    table_text_add_heading(out, "Column");
    table_text_add_heading(out, "Type");
    size_t n = 0;
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct schema_table *table = &schema->tables[i];
        if (wanted && strcmp(wanted, table->name))
            continue;
        json_t *columns = json_object_get(
            json_object_get(json_object_get(json, "tables"), table->name), "columns");
        add_columns(out, table, columns, wanted ? NULL : table->name);
        n++;
    }
    if (n)
        table_text_print(out, &dbctl->style, &dbctl->out);
    else
        err = diag_set(diag, ERR_NOT_FOUND, "No table \"%s\" found.", wanted ? wanted : "");
    table_text_free(out);
    json_decref(json);
    schema_free(schema);
    return err;
}

/* ---- query and transact ---- */

static int parse_transaction(struct dbctl *dbctl, const char *text, json_t **ret, struct diag *diag)
{
    json_error_t error;
    *ret = json_loads(text, 0, &error);
    if (!*ret)
        return diag_set(diag, ERR_SYNTAX, "\"%s\": %s", text, error.text);
    if (!json_is_array(*ret) || !json_is_string(json_array_get(*ret, 0))) {
        json_decref(*ret);
        return diag_set(diag, ERR_SYNTAX,
                        "not a transaction: an array with the name of a database "
                        "and operations is needed");
    }
    /* A query is a transaction that takes itself back. */
    if (!strcmp(dbctl->command->name, "query"))
        json_array_append_new(*ret, json_pack("{s: s}", "op", "abort"));
    return 0;
}

static void drop_abort(json_t *result)
{
    size_t n = json_array_size(result);
    const char *error =
        n ? json_string_value(json_object_get(json_array_get(result, n - 1), "error")) : NULL;
    if (error && !strcmp(error, "aborted"))
        json_array_remove(result, n - 1);
    else if (n && json_is_null(json_array_get(result, n - 1)))
        json_array_remove(result, n - 1);
}

int dbctl_transact(struct dbctl *dbctl, struct diag *diag)
{
    struct session_conn *conn;
    json_t *params, *result;
    const char *text = dbctl->argv[dbctl->argc - 1];
    int err = parse_transaction(dbctl, text, &params, diag);
    if (err)
        return err;
    err = conn_open(dbctl, dbctl->remote ? NULL : dbctl->argv[0], &conn, diag);
    if (err) {
        json_decref(params);
        return err;
    }
    err = conn_call(conn, "transact", params, &result, diag);
    if (!err) {
        if (!strcmp(dbctl->command->name, "query"))
            drop_abort(result);
        json_put(result, true, &dbctl->out);
        str_putc(&dbctl->out, '\n');
        json_decref(result);
    } else if (err == ERR_INVALID) {
        diag_prefix(diag, "transaction returned error: ");
    }
    conn_close(conn);
    return err;
}

/* ---- wait ---- */

static bool has_state(const json_t *rows, const char *db, const char *state)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_string_value(json_object_get(row, "name"));
        if (!name || strcmp(name, db))
            continue;
        return !strcmp(state, "added") ||
               (!strcmp(state, "connected") && json_is_true(json_object_get(row, "connected")));
    }
    return !strcmp(state, "removed");
}

/* Asks again until the server is there and the database is in the state. */
int dbctl_wait(struct dbctl *dbctl, struct diag *diag)
{
    enum { PAUSE_US = 200000 };
    const char *db = dbctl->argv[0], *state = dbctl->argv[1];
    if (strcmp(state, "added") && strcmp(state, "connected") && strcmp(state, "removed"))
        return diag_set(diag, ERR_INVALID, "%s: unknown state", state);
    for (;;) {
        struct session_conn *conn;
        json_t *result = NULL;
        struct diag attempt = DIAG_INIT;
        int err = conn_open(dbctl, NULL, &conn, &attempt);
        if (!err)
            err = conn_call(conn, "transact",
                            json_pack("[s, {s: s, s: s, s: []}]", "_Server", "op", "select",
                                      "table", "Database", "where"),
                            &result, &attempt);
        bool done =
            !err && has_state(json_object_get(json_array_get(result, 0), "rows"), db, state);
        json_decref(result);
        conn_close(conn);
        diag_fini(&attempt);
        if (done)
            return 0;
        int64_t until = loop_now_us(dbctl->loop) + PAUSE_US;
        while (loop_now_us(dbctl->loop) < until)
            loop_run_once(dbctl->loop, PAUSE_US);
    }
}
