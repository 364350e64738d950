/* keep.c - keeping a file in order: convert, compact, check, log. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "store/store_file.h"
#include "tools/dbctl/dbctl.h"

/* ---- convert ---- */

static int convert_on_server(struct dbctl *dbctl, const struct schema *schema, struct diag *diag)
{
    struct session_conn *conn;
    json_t *result = NULL;
    int err = conn_open(dbctl, NULL, &conn, diag);
    if (err)
        return err;
    err = conn_call(conn, "convert", json_pack("[so]", schema->name, schema_to_json(schema)),
                    &result, diag);
    json_decref(result);
    conn_close(conn);
    return err;
}

/* convert FILE SCHEMA, convert [SERVER] SCHEMA */
int dbctl_convert(struct dbctl *dbctl, struct diag *diag)
{
    struct schema *schema;
    struct store *store;
    int err = file_read_schema(dbctl->argv[dbctl->argc - 1], &schema, diag);
    if (err)
        return err;
    if (dbctl->remote) {
        err = convert_on_server(dbctl, schema, diag);
    } else {
        struct store_options options = {
            .env = loop_env(dbctl->loop), .path = dbctl->argv[0], .schema_text = schema->text};
        err = store_open(&options, &store, diag);
        if (!err)
            store_close(store);
    }
    schema_free(schema);
    return err;
}

/* ---- compact and check ---- */

static int open_file(struct dbctl *dbctl, struct store **ret, struct diag *diag)
{
    struct store_options options = {.env = loop_env(dbctl->loop), .path = dbctl->argv[0]};
    return store_open(&options, ret, diag);
}

int dbctl_compact(struct dbctl *dbctl, struct diag *diag)
{
    struct store *store;
    int err = open_file(dbctl, &store, diag);
    if (err)
        return err;
    err = store_compact(store, diag);
    store_close(store);
    return err;
}

/* Opening verifies pages, types, references and indexes; what is left is to say what is there. */
int dbctl_check(struct dbctl *dbctl, struct diag *diag)
{
    struct store *store;
    size_t n_rows = 0;
    int err = open_file(dbctl, &store, diag);
    if (err)
        return err;
    const struct schema *schema = store_schema(store);
    for (size_t i = 0; i < schema->n_tables; i++)
        n_rows += store_n_rows(store, &schema->tables[i]);
    str_putf(&dbctl->out, "%s %s: %zu rows, last transaction %" PRIu64 ", no damage\n",
             schema->name, schema->version, n_rows, store_last_number(store));
    store_close(store);
    return 0;
}

/* ---- log ---- */

static void put_time(int64_t wall_ms, struct str *out)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[64];
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    str_putf(out, "%s.%03d", text, (int)(wall_ms % 1000));
}

static void put_columns(const json_t *columns, struct str *out)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)columns, name, value)
    {
        if (!strcmp(name, "_version"))
            continue;
        str_putf(out, "    %s: ", name);
        json_put(value, true, out);
        str_putc(out, '\n');
    }
}

/* The rows that a transaction touched; with their former values when MORE is 2. */
static void put_changes(const char *changes, int more, struct str *out)
{
    json_t *json = json_loads(changes, 0, NULL), *rows, *row;
    const char *table, *uuid, *kind;
    json_object_foreach(json, table, rows)
    {
        json_object_foreach(rows, uuid, row)
        {
            json_t *columns;
            json_object_foreach(row, kind, columns)
            {
                str_putf(out, "  %s %s %s\n", table, kind, uuid);
                if (more > 1)
                    put_columns(columns, out);
            }
        }
    }
    json_decref(json);
}

static void put_entry(void *dbctl_, const struct store_log_entry *entry)
{
    struct dbctl *dbctl = dbctl_;
    struct str *out = &dbctl->out;
    str_putf(out, "%" PRIu64 " ", entry->number);
    put_time(entry->wall_ms, out);
    str_putf(out, " %s, %" PRIu64 " change%s", entry->author ? entry->author : "-",
             entry->n_changes, entry->n_changes == 1 ? "" : "s");
    if (entry->comment)
        str_putf(out, ": %s", entry->comment);
    str_putc(out, '\n');
    if (dbctl->more && entry->changes)
        put_changes(entry->changes, dbctl->more, out);
}

/* log FILE [N]: also of a file in use. */
int dbctl_log(struct dbctl *dbctl, struct diag *diag)
{
    uint64_t n = 0;
    if (dbctl->argc > 1 && text_to_u64(dbctl->argv[1], 10, &n))
        return diag_set(diag, ERR_SYNTAX, "%s: not a number of transactions", dbctl->argv[1]);
    return store_file_log(dbctl->argv[0], n, put_entry, dbctl, diag);
}
