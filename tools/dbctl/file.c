/* file.c - commands on files: creating a database, what it and schema files say about themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/dbctl/dbctl.h"

int file_read_json(const char *path, json_t **ret, struct diag *diag)
{
    json_error_t error;
    *ret = json_load_file(path, 0, &error);
    if (!*ret)
        return diag_set(diag, ERR_IO, "\"%s\" could not be read as JSON (%s)", path, error.text);
    return 0;
}

int file_read_schema(const char *path, struct schema **ret, struct diag *diag)
{
    json_t *json;
    int err = file_read_json(path, &json, diag);
    if (!err) {
        err = schema_from_json(json, ret, diag);
        json_decref(json);
    }
    if (err)
        diag_prefix(diag, "failed to read schema: ");
    return err;
}

int dbctl_create(struct dbctl *dbctl, struct diag *diag)
{
    struct schema *schema;
    const char *path = dbctl->argv[0];
    int err = file_read_schema(dbctl->argv[1], &schema, diag);
    if (err)
        return err;
    FILE *file = fopen(path, "r");
    if (file) {
        fclose(file);
        schema_free(schema);
        return diag_set(diag, ERR_EXISTS, "I/O error: %s: create failed (File exists)", path);
    }
    struct store_options options = {
        .env = loop_env(dbctl->loop), .path = path, .schema_text = schema->text, .create = true};
    struct store *store;
    err = store_open(&options, &store, diag);
    if (!err)
        store_close(store);
    schema_free(schema);
    return err;
}

static void put_property(struct dbctl *dbctl, const struct schema *schema)
{
    const char *what = strchr(dbctl->command->name, '-') + 1;
    const char *text = !strcmp(what, "name")      ? schema->name
                       : !strcmp(what, "version") ? schema->version
                                                  : schema->cksum;
    str_putf(&dbctl->out, "%s\n", text ? text : "");
}

/* db-name, db-version, db-cksum */
int dbctl_db_property(struct dbctl *dbctl, struct diag *diag)
{
    struct store_options options = {.env = loop_env(dbctl->loop), .path = dbctl->argv[0]};
    struct store *store;
    int err = store_open(&options, &store, diag);
    if (err)
        return err;
    put_property(dbctl, store_schema(store));
    store_close(store);
    return 0;
}

/* schema-name, schema-version, schema-cksum */
int dbctl_schema_property(struct dbctl *dbctl, struct diag *diag)
{
    struct schema *schema;
    int err = file_read_schema(dbctl->argv[0], &schema, diag);
    if (err)
        return err;
    put_property(dbctl, schema);
    schema_free(schema);
    return 0;
}

/* The schema of the database: that of a file, or the one on the server that the wanted one names. */
static int schema_in_use(struct dbctl *dbctl, const char *name, char **ret, struct diag *diag)
{
    struct session_conn *conn;
    struct schema *schema;
    int err = conn_open(dbctl, dbctl->remote ? NULL : dbctl->argv[0], &conn, diag);
    if (err)
        return err;
    char *db = xstrdup(name);
    json_t *dbs = NULL;
    if (!dbctl->remote)
        err = conn_list_dbs(conn, &dbs, diag);
    for (size_t i = 0; i < json_array_size(dbs); i++) {
        const char *found = json_string_value(json_array_get(dbs, i));
        if (!found || !strcmp(found, "_Server"))
            continue;
        free(db);
        db = xstrdup(found);
    }
    if (!err)
        err = conn_get_schema(conn, db, &schema, diag);
    if (!err) {
        *ret = xstrdup(schema->text);
        schema_free(schema);
    }
    json_decref(dbs);
    free(db);
    conn_close(conn);
    return err;
}

int dbctl_needs_conversion(struct dbctl *dbctl, struct diag *diag)
{
    struct schema *wanted;
    char *have = NULL;
    int err = file_read_schema(dbctl->argv[dbctl->remote ? 0 : 1], &wanted, diag);
    if (err)
        return err;
    err = schema_in_use(dbctl, wanted->name, &have, diag);
    if (!err) {
        str_put(&dbctl->out, strcmp(have, wanted->text) ? "yes\n" : "no\n");
        free(have);
    }
    schema_free(wanted);
    return err;
}

enum { STATUS_FALSE = 2 };

int dbctl_is_standalone(struct dbctl *dbctl, struct diag *diag)
{
    struct store_options options = {.env = loop_env(dbctl->loop), .path = dbctl->argv[0]};
    struct store *store;
    int err = store_open(&options, &store, diag);
    if (!err)
        store_close(store);
    return err;
}

int dbctl_is_clustered(struct dbctl *dbctl, struct diag *diag)
{
    int err = dbctl_is_standalone(dbctl, diag);
    if (!err)
        dbctl->status = STATUS_FALSE;
    return err;
}

static bool parse_version(const char *text, unsigned ret[3])
{
    char rest;
    return sscanf(text, "%9u.%9u.%9u%c", &ret[0], &ret[1], &ret[2], &rest) == 3;
}

/* compare-versions A OP B: status 0 when it holds, 2 when not. */
int dbctl_compare_versions(struct dbctl *dbctl, struct diag *diag)
{
    static const struct {
        const char *text;
        bool less, equal, greater;
    } operators[] = {
        {"<", true, false, false}, {"<=", true, true, false}, {"==", false, true, false},
        {">=", false, true, true}, {">", false, false, true}, {"!=", true, false, true},
    };
    const char *a = dbctl->argv[0], *b = dbctl->argv[2];
    unsigned x[3], y[3];
    if (!parse_version(a, x) || !parse_version(b, y))
        return diag_set(diag, ERR_SYNTAX, "%s: not an OVSDB version number in format x.y.z",
                        parse_version(a, x) ? b : a);
    int order = 0;
    for (size_t i = 0; !order && i < ARRAY_SIZE(x); i++)
        order = (x[i] > y[i]) - (x[i] < y[i]);
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (!strcmp(operators[i].text, dbctl->argv[1])) {
            bool holds = order < 0    ? operators[i].less
                         : order == 0 ? operators[i].equal
                                      : operators[i].greater;
            dbctl->status = holds ? 0 : STATUS_FALSE;
            return 0;
        }
    return diag_set(diag, ERR_SYNTAX, "%s: not a relational operator", dbctl->argv[1]);
}
