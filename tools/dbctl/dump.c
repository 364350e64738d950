/* dump.c - all rows of tables, as tables. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/dbctl/dbctl.h"

typedef VEC(const struct schema_column *) column_vec;

static int compare_columns(const void *a, const void *b)
{
    return strcmp((*(const struct schema_column *const *)a)->name,
                  (*(const struct schema_column *const *)b)->name);
}

static int pick_columns(const struct schema_table *table, char **names, int n, column_vec *ret,
                        struct diag *diag)
{
    if (!n) {
        vec_push(ret, &table->uuid_column);
        for (size_t i = 0; i < table->n_columns; i++)
            vec_push(ret, &table->columns[i]);
    }
    for (int i = 0; i < n; i++) {
        const struct schema_column *column = schema_column_find(table, names[i]);
        if (!column)
            return diag_set(diag, ERR_NOT_FOUND, "Table \"%s\" has no column %s.", table->name,
                            names[i]);
        vec_push(ret, column);
    }
    qsort(ret->data, ret->n, sizeof *ret->data, compare_columns); /* at least _uuid is there */
    return 0;
}

static json_t *select_all(const struct schema_table *table, const column_vec *columns)
{
    json_t *names = json_array();
    for (size_t i = 0; i < columns->n; i++)
        json_array_append_new(names, json_string(columns->data[i]->name));
    return json_pack("[s, {s: s, s: s, s: [], s: o}]", table->schema->name, "op", "select", "table",
                     table->name, "where", "columns", names);
}

struct dumped {
    size_t n_columns;
    const struct datum **values;
};

static int compare_dumped(const void *a_, const void *b_)
{
    const struct dumped *a = a_, *b = b_;
    int c = 0;
    for (size_t i = 0; !c && i < a->n_columns; i++)
        c = datum_compare(a->values[i], b->values[i]);
    return c;
}

static int read_rows(const json_t *rows, const column_vec *columns, struct dumped *ret,
                     struct diag *diag)
{
    for (size_t r = 0; r < json_array_size(rows); r++) {
        ret[r].n_columns = columns->n;
        ret[r].values = xcalloc(columns->n + 1, sizeof *ret[r].values);
        for (size_t c = 0; c < columns->n; c++) {
            const json_t *json = json_object_get(json_array_get(rows, r), columns->data[c]->name);
            int err =
                json ? datum_from_json(&columns->data[c]->type, json, NULL, &ret[r].values[c], diag)
                     : diag_set(diag, ERR_SYNTAX, "column %s is missing in the reply",
                                columns->data[c]->name);
            if (err)
                return err;
        }
    }
    return 0;
}

static void print_rows(struct dbctl *dbctl, const struct schema_table *table,
                       const column_vec *columns, const struct dumped *rows, size_t n)
{
    struct table_text *out = table_text_new();
    char *caption = xasprintf("%s table", table->name);
    table_text_set_caption(out, caption);
    free(caption);
    for (size_t c = 0; c < columns->n; c++)
        table_text_add_heading(out, columns->data[c]->name);
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < columns->n; c++)
            table_text_add_value(out, &columns->data[c]->type, rows[r].values[c]);
    table_text_print(out, &dbctl->style, &dbctl->out);
    table_text_free(out);
}

static int dump_table(struct dbctl *dbctl, struct session_conn *conn,
                      const struct schema_table *table, char **names, int n_names,
                      struct diag *diag)
{
    column_vec columns = VEC_INIT;
    json_t *result = NULL;
    int err = pick_columns(table, names, n_names, &columns, diag);
    if (!err)
        err = conn_call(conn, "transact", select_all(table, &columns), &result, diag);
    const json_t *rows = json_object_get(json_array_get(result, 0), "rows");
    size_t n = json_array_size(rows);
    struct dumped *dumped = xcalloc(n + 1, sizeof *dumped);
    if (!err)
        err = read_rows(rows, &columns, dumped, diag);
    if (!err) {
        qsort(dumped, n, sizeof *dumped, compare_dumped);
        print_rows(dbctl, table, &columns, dumped, n);
    }
    for (size_t r = 0; r < n; r++) {
        for (size_t c = 0; dumped[r].values && c < columns.n; c++)
            datum_unref(dumped[r].values[c]);
        free(dumped[r].values);
    }
    free(dumped);
    json_decref(result);
    vec_fini(&columns);
    return err;
}

static int dump_all(struct dbctl *dbctl, struct session_conn *conn, const struct schema *schema,
                    int used, struct diag *diag)
{
    const char *wanted = used < dbctl->argc ? dbctl->argv[used] : NULL;
    int n_names = wanted ? dbctl->argc - used - 1 : 0;
    if (wanted && !schema_table_find(schema, wanted))
        return diag_set(diag, ERR_NOT_FOUND, "No table \"%s\" found.", wanted);
    int err = 0;
    bool first = true;
    for (size_t i = 0; !err && i < schema->n_tables; i++) {
        if (wanted && strcmp(wanted, schema->tables[i].name))
            continue;
        if (!first)
            str_putc(&dbctl->out, '\n');
        first = false;
        err = dump_table(dbctl, conn, &schema->tables[i], dbctl->argv + used + 1, n_names, diag);
    }
    return err;
}

int dbctl_dump(struct dbctl *dbctl, struct diag *diag)
{
    struct session_conn *conn;
    struct schema *schema;
    char *db = NULL;
    int used = 0, err = conn_open(dbctl, dbctl->remote ? NULL : dbctl->argv[0], &conn, diag);
    if (err)
        return err;
    if (!dbctl->remote) { /* the file is not one of the arguments that follow */
        dbctl->argv++;
        dbctl->argc--;
    }
    err = conn_pick_db(conn, dbctl, INT_MAX, &db, &used, diag);
    if (!err)
        err = conn_get_schema(conn, db, &schema, diag);
    if (!err) {
        err = dump_all(dbctl, conn, schema, used, diag);
        schema_free(schema);
    }
    free(db);
    conn_close(conn);
    return err;
}
