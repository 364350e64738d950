/* self.c - the _Server database: one row for each database that is served, itself included.
 *
 * Clients read the schema from it and learn when a database comes or goes. A store in memory like
 * any other, written by the server alone.
 */
#include <string.h>

#include "ovsdb/server/server_impl.h"
#include "rows/server.h"

static void self_written(void *ops_, const struct store_result *result)
{
    INVARIANT(result->committed);
    ops_free(ops_);
}

static void self_submit(struct ovsdb_server *server, json_t *stolen_ops)
{
    json_t *params = json_array();
    json_array_append_new(params, json_string("_Server"));
    json_array_extend(params, stolen_ops);
    struct ops *ops =
        ops_from_json(store_schema(server->self_store), params, loop_env(server->loop));
    INVARIANT(!ops->parse_error.error);
    json_decref(params);
    json_decref(stolen_ops);
    struct store_request request = {.ops = ops, .done = self_written, .aux = ops};
    store_submit(server->self_store, &request);
    server_schedule_flush(server);
}

static bool has_db(const struct ovsdb_server *server, const char *name)
{
    const struct schema_table *table =
        schema_table_find(store_schema(server->self_store), "Database");
    const struct schema_column *column = schema_column_find(table, "name");
    const struct row *row;
    for (size_t pos = 0; (row = store_next_row(server->self_store, table, &pos)) != NULL;) {
        if (datum_has_string(row_get(row, column), name))
            return true;
    }
    return false;
}

/* A converted database keeps its row: clients take a deleted one for a removed database. */
void self_set_db(struct ovsdb_server *server, const struct schema *schema, bool present)
{
    json_t *op, *row;
    if (present) {
        bool is_known = has_db(server, schema->name);
        row = json_pack("{s:s,s:s,s:b,s:b,s:s}", "name", schema->name, "model", "standalone",
                        "connected", 1, "leader", 1, "schema", schema->text);
        op = json_pack("{s:s,s:s,s:o}", "op", is_known ? "update" : "insert", "table", "Database",
                       "row", row);
        if (is_known)
            json_object_set_new(op, "where", json_pack("[[s,s,s]]", "name", "==", schema->name));
    } else {
        op = json_pack("{s:s,s:s,s:[[s,s,s]]}", "op", "delete", "table", "Database", "where",
                       "name", "==", schema->name);
    }
    self_submit(server, json_pack("[o]", op));
}

void self_open(struct ovsdb_server *server)
{
    struct store_options options = {.env = loop_env(server->loop),
                                    .schema_text = server_schema_text};
    struct diag diag = DIAG_INIT;
    if (store_open(&options, &server->self_store, &diag))
        bug("_Server: %s", diag_text(&diag));
}
