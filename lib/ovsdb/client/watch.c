/* watch.c - a second, small monitor beside that of the copy: whether rows are there that have yet to be asked for (source.h).
 *
 * A change of a table's conditions sends all its clauses again, which are thousands where a program asks by many values. To learn of each new value
 * that no row has it, a monitor of its own that shows no columns is enough, and sends only the clauses given here. Promises that an answer is
 * waited for by ovsdb_client_source_is_settled. Does not read rows.
 */
#include "base/log.h"
#include "ovsdb/client/client.h"
#include "schema/json_text.h"

LOG_MODULE(ovsdb_watch);

static json_t *watch_id(const struct client *client)
{
    return json_pack("[s, s]", "watch", client->schema->name);
}

static bool is_possible(const struct client *client)
{
    return client->state == CLIENT_STEADY && client->monitor_kind != MONITOR_PLAIN;
}

bool client_watch_is_settled(const struct client *client)
{
    const struct client_watch *w = &client->watch;
    return !is_possible(client) || (!w->is_changed && w->expected < 0);
}

/* Clauses on columns that the server lacks would be true. */
static bool is_understood(const struct client *client)
{
    const struct client_watch *w = &client->watch;
    const struct client_table *t = &client->tables[w->table->index];
    for (size_t i = 0; i < w->where.n; i++) {
        const struct schema_column *c = w->where.clauses[i].column;
        if (c && c->index >= 0 && t->modes[c->index] == COLUMN_ABSENT)
            return false;
    }
    return t->present;
}

void client_watch_send(struct client *client)
{
    struct client_watch *w = &client->watch;
    if (!is_possible(client) || !w->is_changed)
        return;
    w->is_changed = false;
    bool is_empty = !w->where.n;
    if (!is_understood(client) || (is_empty && !w->is_open))
        return;
    json_t *where = is_empty ? json_pack("[b]", 0) : condition_to_json(&w->where);
    json_t *request = json_pack("{s: [{s: o}]}", w->table->name, "where", where);
    json_t *element = json_array_get(json_object_get(request, w->table->name), 0);
    if (w->is_open) {
        w->expected =
            jsonrpc_request(client->rpc, "monitor_cond_change",
                            json_pack("[o, o, o]", watch_id(client), watch_id(client), request));
    } else {
        json_object_set_new(element, "columns", json_array());
        w->expected = jsonrpc_request(
            client->rpc, "monitor_cond",
            json_pack("[s, o, o]", client->schema->name, watch_id(client), request));
    }
    w->is_open = true;
}

void client_watch_set(struct client *client, const struct schema_table *table,
                      struct condition *where)
{
    struct client_watch *w = &client->watch;
    INVARIANT(!w->table || w->table == table);
    w->table = table;
    condition_fini(&w->where);
    w->where = *where;
    *where = (struct condition){0};
    w->is_changed = true;
    deferred_schedule(&client->send_conditions);
}

void client_watch_offline(struct client *client)
{
    struct client_watch *w = &client->watch;
    w->is_open = false;
    w->is_changed = w->where.n > 0;
    w->expected = -1;
}

void client_watch_fini(struct client *client)
{
    condition_fini(&client->watch.where);
}

/* {"table": {"uuid": {"initial" or "insert": {}}}}; other kinds of change say nothing new. */
static void take_rows(struct client *client, const json_t *updates)
{
    struct client_watch *w = &client->watch;
    const char *text;
    json_t *update;
    struct uuid uuid;
    json_object_foreach(json_object_get(updates, w->table->name), text, update)
    {
        bool is_there = json_object_get(update, "initial") || json_object_get(update, "insert");
        if (is_there && uuid_parse(text, &uuid))
            w->fn(w->aux, &uuid);
    }
}

bool client_watch_take_reply(struct client *client, const struct jsonrpc_message *msg)
{
    struct client_watch *w = &client->watch;
    json_int_t id = json_is_integer(msg->id) ? json_integer_value(msg->id) : -1;
    if (w->expected < 0 || id != w->expected)
        return false;
    w->expected = -1;
    if (msg->kind == JSONRPC_REPLY) {
        take_rows(client, msg->result);
    } else {
        log_dbg("%s: the server does not watch", jsonrpc_name(client->rpc));
        w->fn(w->aux, NULL);
    }
    return true;
}

bool client_watch_take_update(struct client *client, const json_t *params)
{
    json_t *id = client->watch.is_open ? watch_id(client) : NULL;
    bool is_ours = id && json_equal(id, json_array_get(params, 0));
    json_decref(id);
    if (is_ours)
        take_rows(client, json_array_get(params, 1));
    return is_ours;
}
