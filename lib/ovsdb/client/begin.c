/* begin.c - the sequence by which a session begins.
 *
 * A table of states: each reply in a state sends the next request; source.h shows the order and where
 * it falls back when a server is older. Ends in client_take_initial of monitor.c. Later changes of
 * the server's own database (_Server) are looked at here too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ovsdb/client/client.h"

static const char *const server_columns[] = {"name",   "model", "connected", "leader",
                                             "schema", "cid",   "index"};

static void send_expected(struct client *client, enum client_state state, const char *method,
                          json_t *params)
{
    client->state = state;
    client->expected = jsonrpc_request(client->rpc, method, params);
}

void client_send_lock(struct client *client)
{
    if (client->lock)
        client->lock_id = jsonrpc_request(client->rpc, "lock", json_pack("[s]", client->lock));
}

void client_begin(struct client *client)
{
    send_expected(client, CLIENT_SERVER_SCHEMA, "get_schema", json_pack("[s]", "_Server"));
    client_send_lock(client);
}

static void ask_schema(struct client *client)
{
    send_expected(client, CLIENT_SCHEMA, "get_schema", json_pack("[s]", client->schema->name));
}

static void monitor_server(struct client *client, const json_t *schema)
{
    json_t *have =
        json_object_get(json_object_get(json_object_get(schema, "tables"), "Database"), "columns");
    json_t *names = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(server_columns); i++)
        if (json_object_get(have, server_columns[i]))
            json_array_append_new(names, json_string(server_columns[i]));
    json_t *request = json_pack("[s, o, {s: [{s: o}]}]", "_Server", client_monitor_id("_Server"),
                                "Database", "columns", names);
    send_expected(client, CLIENT_SERVER_MONITOR, "monitor_cond", request);
}

static void use_schema(struct client *client, const struct schema *theirs, const char *text)
{
    if (!client->server_schema || strcmp(client->server_schema, text)) {
        client->last_id = (struct uuid){{0}};
        char *copy = xstrdup(text);
        free(client->server_schema);
        client->server_schema = copy;
    }
    struct diag diag = DIAG_INIT;
    if (client_match_schema(client, theirs, &diag)) {
        client_give_up_on_nonsense(client, &diag);
        return;
    }
    client->monitor_kind = client->server_row ? MONITOR_COND_SINCE : MONITOR_COND;
    client->state = CLIENT_MONITOR;
    client_send_monitor(client);
    json_t *params = json_pack("[b]", 1);
    (void)jsonrpc_request(client->rpc, "set_db_change_aware", params);
}

static void use_schema_text(struct client *client, const char *text)
{
    struct diag diag = DIAG_INIT;
    struct schema *theirs;
    if (schema_from_text(text, &theirs, &diag)) {
        client_give_up_on_nonsense(client, &diag);
        return;
    }
    use_schema(client, theirs, text);
    schema_free(theirs);
}

static bool member_is_true(const json_t *row, const char *name)
{
    return json_is_true(json_object_get(row, name));
}

/* Why this server will not do, or NULL. ROW holds only what differs from the defaults. */
static const char *reject(const struct client *client, const json_t *row)
{
    const char *model = json_string_value(json_object_get(row, "model"));
    if (model && !strcmp(model, "clustered")) {
        if (!member_is_true(row, "connected"))
            return "clustered database server is disconnected from cluster";
        if (client->leader_only && !member_is_true(row, "leader"))
            return "clustered database server is not cluster leader";
    }
    if (!json_is_string(json_object_get(row, "schema")))
        return "database server has not yet joined the cluster";
    return NULL;
}

static void take_server_rows(struct client *client, const json_t *result)
{
    json_t *rows = json_object_get(result, "Database");
    const char *uuid;
    json_t *update;
    json_object_foreach(rows, uuid, update)
    {
        json_t *row = json_object_get(update, "initial");
        const char *name = json_string_value(json_object_get(row, "name"));
        if (!name || strcmp(name, client->schema->name))
            continue;
        const char *why = reject(client, row);
        if (why) {
            client_give_up(client, why);
            return;
        }
        client->server_row = xstrdup(uuid);
        use_schema_text(client, json_string_value(json_object_get(row, "schema")));
        return;
    }
    char *why = xasprintf("server does not have %s database", client->schema->name);
    client_give_up(client, why);
    free(why);
}

/* An update of _Server: our database was converted, removed, or lost its leader. */
void client_take_server_update(struct client *client, const json_t *updates)
{
    json_t *rows = json_object_get(updates, "Database");
    json_t *update = client->server_row ? json_object_get(rows, client->server_row) : NULL;
    if (!update)
        return;
    json_t *change = json_object_get(update, "modify");
    if (!change)
        client_give_up(client, "the database was removed from the server");
    else if (json_object_get(change, "schema"))
        client_give_up(client, "the database was converted");
    else if (client->leader_only && json_is_false(json_object_get(change, "leader")))
        client_give_up(client, "clustered database server is not cluster leader");
    else if (json_is_false(json_object_get(change, "connected")))
        client_give_up(client, "clustered database server is disconnected from cluster");
}

static void take_schema(struct client *client, const json_t *result)
{
    char *text = json_dumps(result, JSON_COMPACT | JSON_SORT_KEYS);
    use_schema_text(client, text ? text : "");
    free(text);
}

static void take_contents(struct client *client, const json_t *result)
{
    struct diag diag = DIAG_INIT;
    if (client_take_initial(client, result, &diag)) {
        client_give_up_on_nonsense(client, &diag);
        return;
    }
    diag_fini(&diag);
}

void client_take_expected(struct client *client, const struct jsonrpc_message *msg)
{
    bool ok = msg->kind == JSONRPC_REPLY;
    switch (client->state) {
    case CLIENT_SERVER_SCHEMA:
        if (ok && json_is_object(msg->result))
            monitor_server(client, msg->result);
        else
            ask_schema(client);
        return;
    case CLIENT_SERVER_MONITOR:
        if (ok)
            take_server_rows(client, msg->result);
        else
            ask_schema(client);
        return;
    case CLIENT_SCHEMA:
        if (ok)
            take_schema(client, msg->result);
        else
            client_give_up(client, "the server refuses get_schema");
        return;
    case CLIENT_MONITOR:
        if (ok) {
            take_contents(client, msg->result);
        } else if (client->monitor_kind != MONITOR_PLAIN) {
            client->monitor_kind++;
            client_send_monitor(client);
        } else {
            client_give_up(client, "the server refuses to be monitored");
        }
        return;
    case CLIENT_OFFLINE:
    case CLIENT_STEADY:
        return;
    }
}
