/* move.c - contents on the way in and out: import and export of ovsdb-server's files, backup and
 * restore.
 *
 * A snapshot of a server is a standalone file of ovsdb-server, as ovsdb-client makes it, so that
 * either program restores what the other saved.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/ovs_file.h"
#include "store/store_file.h"
#include "tools/dbctl/dbctl.h"

static int read_all(FILE *file, const char *name, struct str *out, struct diag *diag)
{
    char buf[65536];
    size_t n;
    while ((n = fread(buf, 1, sizeof buf, file)) > 0)
        str_put_n(out, buf, n);
    return ferror(file) ? diag_set(diag, ERR_IO, "%s: %s", name, strerror(errno)) : 0;
}

static int read_file(const char *path, struct str *out, struct diag *diag)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
    int err = read_all(file, path, out, diag);
    fclose(file);
    return err;
}

/* ---- import ---- */

struct outcome {
    bool committed;
    char *error;
};

static void on_done(void *outcome_, const struct store_result *result)
{
    struct outcome *outcome = outcome_;
    const struct op_error *error = &result->commit_error;
    outcome->committed = result->committed;
    for (size_t i = 0; i < result->n; i++) {
        if (result->results[i].error.error)
            error = &result->results[i].error;
    }
    if (error->error)
        outcome->error = xasprintf("%s: %s", error->error, error->details ? error->details : "");
}

static int fill(struct dbctl *dbctl, struct store *store, const struct str *text, struct diag *diag)
{
    struct outcome outcome = {0};
    struct ops *ops;
    bool is_cut;
    int err = ovs_file_ops(text->s, text->n, store_schema(store), &ops, &is_cut, diag);
    if (err)
        return err;
    char *author = xasprintf("import of %s", dbctl->argv[0]);
    struct rstr *who = rstr_new(author);
    struct store_request request = {.ops = ops, .author = who, .done = on_done, .aux = &outcome};
    (void)store_submit(store, &request);
    store_flush(store);
    if (!outcome.committed)
        err = diag_set(diag, ERR_INVALID, "%s", outcome.error ? outcome.error : "not committed");
    else
        str_putf(&dbctl->out, "%zu rows%s\n", ops->n,
                 is_cut ? "; the last record was cut off and is left out" : "");
    rstr_unref(who);
    free(author);
    free(outcome.error);
    ops_free(ops);
    return err;
}

static void remove_files(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        char *name = xasprintf("%s%s", path, endings[i]);
        unlink(name);
        free(name);
    }
}

static int import_text(struct dbctl *dbctl, const struct str *text, struct diag *diag)
{
    const char *to = dbctl->argv[1];
    char *schema_text;
    struct store *store;
    int err = ovs_file_schema(str_c(text), text->n, &schema_text, diag);
    if (err)
        return err;
    struct store_options options = {
        .env = loop_env(dbctl->loop), .path = to, .schema_text = schema_text, .create = true};
    err = store_open(&options, &store, diag);
    free(schema_text);
    if (err)
        return err;
    err = fill(dbctl, store, text, diag);
    store_close(store);
    if (err)
        remove_files(to);
    return err;
}

/* import FROM FILE */
int dbctl_import(struct dbctl *dbctl, struct diag *diag)
{
    const char *from = dbctl->argv[0], *to = dbctl->argv[1];
    struct str text = STR_INIT;
    if (!access(to, F_OK))
        return diag_set(diag, ERR_EXISTS, "%s: is there already", to);
    int err = read_file(from, &text, diag);
    if (!err) {
        err = import_text(dbctl, &text, diag);
        if (err)
            diag_prefix(diag, "%s: ", from);
    }
    str_fini(&text);
    return err;
}

/* ---- export ---- */

static int write_new(const char *path, const struct str *text, struct diag *diag)
{
    FILE *file = fopen(path, "wx");
    if (!file)
        return diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
    bool is_written = fwrite(text->s, 1, text->n, file) == text->n;
    is_written = !fflush(file) && is_written && !fsync(fileno(file));
    int saved = errno;
    fclose(file);
    return is_written ? 0 : diag_set(diag, ERR_IO, "%s: %s", path, strerror(saved));
}

/* export FILE TO */
int dbctl_export(struct dbctl *dbctl, struct diag *diag)
{
    struct store_options options = {.env = loop_env(dbctl->loop), .path = dbctl->argv[0]};
    struct store *store;
    struct str text = STR_INIT;
    int err = store_open(&options, &store, diag);
    if (err)
        return err;
    ovs_file_put(store, "exported by weft-dbctl", options.env, &text);
    store_close(store);
    err = write_new(dbctl->argv[1], &text, diag);
    str_fini(&text);
    return err;
}

/* ---- backup ---- */

static json_t *select_all(const char *db, const struct schema *schema)
{
    json_t *params = json_pack("[s]", db);
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct schema_table *table = &schema->tables[i];
        json_t *columns = json_pack("[s]", "_uuid");
        for (size_t j = 0; j < table->n_columns; j++) {
            if (!table->columns[j].is_ephemeral)
                json_array_append_new(columns, json_string(table->columns[j].name));
        }
        json_array_append_new(params, json_pack("{s:s,s:s,s:[],s:o}", "op", "select", "table",
                                                table->name, "where", "columns", columns));
    }
    return params;
}

/* Moves what ROWS (of a select) say to {"UUID": {...}}, without what is the default. */
static json_t *rows_by_uuid(const struct schema_table *table, json_t *rows)
{
    json_t *by_uuid = json_object();
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *uuid = json_string_value(json_array_get(json_object_get(row, "_uuid"), 1));
        if (!uuid)
            continue;
        json_object_set(by_uuid, uuid, row);
        json_object_del(row, "_uuid");
        for (size_t j = 0; j < table->n_columns; j++) {
            const struct schema_column *column = &table->columns[j];
            json_t *value = datum_to_json(column->default_value);
            if (json_equal(json_object_get(row, column->name), value))
                json_object_del(row, column->name);
            json_decref(value);
        }
    }
    return by_uuid;
}

static void put_snapshot(struct dbctl *dbctl, const struct schema *schema, json_t *results)
{
    struct str text = STR_INIT;
    json_t *record = json_pack("{s:s,s:I}", "_comment", "produced by \"weft-dbctl backup\"",
                               "_date", (json_int_t)env_wall_ms(loop_env(dbctl->loop)));
    for (size_t i = 0; i < schema->n_tables; i++) {
        json_t *rows = json_object_get(json_array_get(results, i), "rows");
        if (json_array_size(rows))
            json_object_set_new(record, schema->tables[i].name,
                                rows_by_uuid(&schema->tables[i], rows));
    }
    str_putf(&text, "%s\n", schema->text);
    ovs_file_put_record(text.s, text.n, &dbctl->out);
    str_clear(&text);
    json_put(record, true, &text);
    str_putc(&text, '\n');
    ovs_file_put_record(text.s, text.n, &dbctl->out);
    str_fini(&text);
    json_decref(record);
}

/* backup [SERVER] [DATABASE], backup FILE COPY */
int dbctl_backup(struct dbctl *dbctl, struct diag *diag)
{
    struct session_conn *conn;
    struct schema *schema = NULL;
    json_t *results = NULL;
    char *db = NULL;
    int used;
    if (!dbctl->remote && dbctl->argc != 2)
        return diag_set(diag, ERR_INVALID, "'backup' of a file needs the name of the copy");
    if (!dbctl->remote)
        return store_file_backup(dbctl->argv[0], dbctl->argv[1], diag);
    if (isatty(STDOUT_FILENO))
        return diag_set(diag, ERR_INVALID,
                        "not writing backup to a terminal; please redirect stdout "
                        "to a file");
    int err = conn_open(dbctl, NULL, &conn, diag);
    if (err)
        return err;
    err = conn_pick_db(conn, dbctl, 0, &db, &used, diag);
    if (!err)
        err = conn_get_schema(conn, db, &schema, diag);
    if (!err)
        err = conn_call(conn, "transact", select_all(db, schema), &results, diag);
    if (!err)
        put_snapshot(dbctl, schema, results);
    json_decref(results);
    schema_free(schema);
    free(db);
    conn_close(conn);
    return err;
}

/* ---- restore ---- */

static bool is_there(const json_t *rows, const struct uuid *uuid)
{
    char text[UUID_TEXT_LEN + 1];
    return json_object_get(rows, uuid_print(uuid, text)) != NULL;
}

static json_t *row_values(const struct op *op, bool is_update)
{
    json_t *row = json_object();
    for (size_t i = 0; i < op->n_values; i++) {
        const struct column_value *v = &op->values[i];
        if (!is_update || v->column->is_mutable)
            json_object_set_new(row, v->column->name, datum_to_json(v->value));
    }
    for (size_t i = 0; is_update && i < op->table->n_columns; i++) {
        const struct schema_column *column = &op->table->columns[i];
        if (column->is_mutable && !column->is_ephemeral && !json_object_get(row, column->name))
            json_object_set_new(row, column->name, datum_to_json(column->default_value));
    }
    return row;
}

/* Rows that are there are changed, so that they keep their UUIDs; others are inserted or deleted. */
static json_t *make_restore(const char *db, const struct schema *schema, const struct ops *ops,
                            json_t *results)
{
    json_t *params = json_pack("[s]", db);
    json_t **there = xcalloc(schema->n_tables + 1, sizeof(json_t *));
    const char *uuid_text;
    json_t *unused;
    for (size_t i = 0; i < schema->n_tables; i++)
        there[i] =
            rows_by_uuid(&schema->tables[i], json_object_get(json_array_get(results, i), "rows"));
    for (size_t i = 0; i < ops->n; i++) {
        const struct op *op = &ops->ops[i];
        json_t *rows = there[op->table->index];
        char text[UUID_TEXT_LEN + 1];
        uuid_print(&op->uuid, text);
        bool is_update = is_there(rows, &op->uuid);
        json_t *row = row_values(op, is_update);
        json_array_append_new(params, is_update
                                          ? json_pack("{s:s,s:s,s:[[ss[ss]]],s:o}", "op", "update",
                                                      "table", op->table->name, "where", "_uuid",
                                                      "==", "uuid", text, "row", row)
                                          : json_pack("{s:s,s:s,s:s,s:o}", "op", "insert", "table",
                                                      op->table->name, "uuid", text, "row", row));
        json_object_del(rows, text);
    }
    for (size_t i = 0; i < schema->n_tables; i++) {
        json_object_foreach(there[i], uuid_text, unused)
        {
            json_array_append_new(params, json_pack("{s:s,s:s,s:[[ss[ss]]]}", "op", "delete",
                                                    "table", schema->tables[i].name, "where",
                                                    "_uuid", "==", "uuid", uuid_text));
        }
        json_decref(there[i]);
    }
    free(there);
    json_array_append_new(
        params, json_pack("{s:s,s:s}", "op", "comment", "comment", "weft-dbctl: restore"));
    return params;
}

static int check_results(const json_t *results, struct diag *diag)
{
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *error = json_object_get(json_array_get(results, i), "error");
        if (error) {
            const char *details =
                json_string_value(json_object_get(json_array_get(results, i), "details"));
            return diag_set(diag, ERR_INVALID, "%s: %s", json_string_value(error),
                            details ? details : "");
        }
    }
    return 0;
}

static int restore(struct dbctl *dbctl, struct session_conn *conn, const struct str *text,
                   struct diag *diag)
{
    struct schema *schema = NULL;
    struct ops *ops = NULL;
    json_t *results = NULL, *done = NULL;
    char *db = NULL;
    bool is_cut;
    int used;
    int err = conn_pick_db(conn, dbctl, 0, &db, &used, diag);
    if (!err)
        err = conn_get_schema(conn, db, &schema, diag);
    if (!err)
        err = ovs_file_ops(str_c(text), text->n, schema, &ops, &is_cut, diag);
    if (!err && is_cut)
        err = diag_set(diag, ERR_CORRUPT, "the snapshot is cut off");
    if (!err)
        err = conn_call(conn, "transact", select_all(db, schema), &results, diag);
    if (!err)
        err = conn_call(conn, "transact", make_restore(db, schema, ops, results), &done, diag);
    if (!err)
        err = check_results(done, diag);
    json_decref(results);
    json_decref(done);
    ops_free(ops);
    schema_free(schema);
    free(db);
    return err;
}

/* restore [SERVER] [DATABASE] < SNAPSHOT */
int dbctl_restore(struct dbctl *dbctl, struct diag *diag)
{
    struct session_conn *conn;
    struct str text = STR_INIT;
    int err = read_all(stdin, "standard input", &text, diag);
    if (!err)
        err = conn_open(dbctl, NULL, &conn, diag);
    if (!err) {
        err = restore(dbctl, conn, &text, diag);
        conn_close(conn);
    }
    str_fini(&text);
    return err;
}
