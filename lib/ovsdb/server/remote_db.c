/* remote_db.c - remotes that rows of a served database name: db:DB,TABLE,COLUMN.
 *
 * COLUMN of every row of TABLE holds targets (strings), or refers to rows with a column "target"
 * (Connection, Manager), whose "inactivity_probe", "max_backoff", "read_only" and "role" are heeded, and
 * whose "is_connected" and "status" are written when they change. Columns that a schema lacks are
 * left out.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ovsdb/server/remote.h"

typedef VEC(struct remote_config) config_vec;

enum { OPEN_AGAIN_MS = 2000 };

int remote_db_parse(struct remote *remote, struct diag *diag)
{
    const char *text = remote->config.target + strlen("db:");
    const char *first = strchr(text, ','), *second = first ? strchr(first + 1, ',') : NULL;
    if (!second || first == text || second == first + 1 || !second[1] || strchr(second + 1, ','))
        return diag_set(diag, ERR_SYNTAX, "\"%s\": invalid syntax, use db:DB,TABLE,COLUMN",
                        remote->config.target);
    remote->db = xstrndup(text, (size_t)(first - text));
    remote->table = xstrndup(first + 1, (size_t)(second - first - 1));
    remote->column = xstrdup(second + 1);
    /* A database may be added later; one that is there must have the column. */
    const struct server_db *db = server_db_find(remote->server, remote->db);
    if (!db)
        return 0;
    const struct schema_table *table = schema_table_find(store_schema(db->store), remote->table);
    if (!table)
        return diag_set(diag, ERR_NOT_FOUND, "\"%s\": no table named %s", remote->config.target,
                        remote->table);
    if (!schema_column_find(table, remote->column))
        return diag_set(diag, ERR_NOT_FOUND, "\"%s\": no column \"%s\" in table %s",
                        remote->config.target, remote->column, remote->table);
    return 0;
}

/* ---- what the rows say ---- */

/* The only element of a column, or NULL: no such column, another type, empty. */
static const union atom *column_atom(const struct row *row, const char *name, enum atom_type type)
{
    const struct schema_column *column = schema_column_find(row->table, name);
    if (!column || column->index < 0 || column->type.is_map || column->type.key.type != type)
        return NULL;
    const struct datum *value = row_get(row, column);
    return value->n == 1 ? &value->atoms[0] : NULL;
}

static void config_from_row(const struct row *row, config_vec *configs)
{
    const union atom *target = column_atom(row, "target", ATOM_STRING);
    const union atom *probe = column_atom(row, "inactivity_probe", ATOM_INTEGER);
    const union atom *backoff = column_atom(row, "max_backoff", ATOM_INTEGER);
    const union atom *role = column_atom(row, "role", ATOM_STRING);
    const union atom *read_only = column_atom(row, "read_only", ATOM_BOOLEAN);
    if (!target)
        return;
    struct remote_config config = {.target = xstrdup(target->string->s), .row = row->uuid};
    if (probe)
        config.probe_ms = probe->integer > 0 ? probe->integer : -1;
    if (backoff && backoff->integer > 0)
        config.max_backoff_ms = MAX(backoff->integer, 1000);
    config.read_only = read_only && read_only->boolean;
    if (role && *role->string->s)
        config.role = xstrdup(role->string->s);
    vec_push(configs, config);
}

static void configs_from_column(const struct store *store, const struct row *row,
                                const struct schema_column *column, config_vec *configs)
{
    const struct datum *value = row_get(row, column);
    const struct base_type *key = &column->type.key;
    for (size_t i = 0; i < value->n; i++) {
        if (key->type == ATOM_STRING) {
            struct remote_config config = {.target = xstrdup(value->atoms[i].string->s)};
            vec_push(configs, config);
        } else if (key->type == ATOM_UUID && key->ref_table) {
            const struct row *to = store_row_find(store, key->ref_table, &value->atoms[i].uuid);
            if (to)
                config_from_row(to, configs);
        }
    }
}

static void read_configs(const struct remote *remote, const struct server_db *db,
                         config_vec *configs)
{
    const struct schema_table *table = schema_table_find(store_schema(db->store), remote->table);
    const struct schema_column *column = table ? schema_column_find(table, remote->column) : NULL;
    const struct row *row;
    if (!column || column->index < 0)
        return;
    for (size_t pos = 0; (row = store_next_row(db->store, table, &pos)) != NULL;)
        configs_from_column(db->store, row, column, configs);
}

static bool configs_equal(const struct remote_config *a, const struct remote_config *b)
{
    return !strcmp(a->target, b->target) && uuid_equal(&a->row, &b->row) &&
           a->probe_ms == b->probe_ms && a->max_backoff_ms == b->max_backoff_ms &&
           a->read_only == b->read_only && !strcmp(a->role ? a->role : "", b->role ? b->role : "");
}

/* ---- what is written back ---- */

static void put_text(json_t *pairs, const char *key, const char *value)
{
    json_array_append_new(pairs, json_pack("[s,s]", key, value));
}

static void put_number(json_t *pairs, const char *key, int64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, n);
    put_text(pairs, key, text);
}

/* Locks of all clients of the remote. */
static void put_locks(json_t *pairs, const struct remote *child)
{
    static const char *const keys[] = {"locks_held", "locks_waiting", "locks_lost"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct str names = STR_INIT;
        const struct session *session;
        LIST_FOR_EACH (session, node, &child->server->sessions) {
            if (session->remote == child)
                session_put_locks(session, (enum lock_state)i, &names);
        }
        if (names.n)
            put_text(pairs, keys[i], str_c(&names));
        str_fini(&names);
    }
}

static void put_child(json_t *pairs, const struct remote *child)
{
    int64_t now = env_now_ms(loop_env(child->server->loop));
    if (child->listener && stream_listener_port(child->listener))
        put_number(pairs, "bound_port", stream_listener_port(child->listener));
    if (child->n_sessions > 1)
        put_number(pairs, "n_connections", (int64_t)child->n_sessions);
    if (child->n_sessions || !child->listener)
        put_text(pairs, "state", child->n_sessions ? "ACTIVE" : "BACKOFF");
    if (child->connected_ms)
        put_number(pairs, "sec_since_connect", (now - child->connected_ms) / 1000);
    if (child->disconnected_ms)
        put_number(pairs, "sec_since_disconnect", (now - child->disconnected_ms) / 1000);
    put_locks(pairs, child);
}

static json_t *status_json(const struct remote *child, const char *error)
{
    json_t *pairs = json_array();
    if (child)
        put_child(pairs, child);
    if (!error && child)
        error = child->last_error;
    if (error)
        put_text(pairs, "last_error", error);
    return json_pack("[s,o]", "map", pairs);
}

static void status_written(void *ops_, const struct store_result *result UNUSED)
{
    ops_free(ops_);
}

/* Updates the columns of REFERRED row that exist and differ. */
static void write_status(const struct server_db *db, const struct remote *parent,
                         const struct remote_config *config, const struct remote *child,
                         const char *error)
{
    const struct schema *schema = store_schema(db->store);
    const struct schema_table *table = schema_table_find(schema, parent->table);
    const struct schema_column *column = schema_column_find(table, parent->column);
    if (uuid_is_zero(&config->row) || !column->type.key.ref_table)
        return;
    table = column->type.key.ref_table;
    char uuid[UUID_TEXT_LEN + 1];
    json_t *row = json_object();
    if (schema_column_find(table, "is_connected"))
        json_object_set_new(row, "is_connected", json_boolean(child && child->n_sessions));
    if (schema_column_find(table, "status"))
        json_object_set_new(row, "status", status_json(child, error));
    json_t *params = json_pack("[s,{s:s,s:s,s:[[s,s,[s,s]]],s:o}]", schema->name, "op", "update",
                               "table", table->name, "where", "_uuid", "==", "uuid",
                               uuid_print(&config->row, uuid), "row", row);
    struct ops *ops = ops_from_json(schema, params, loop_env(parent->server->loop));
    json_decref(params);
    struct store_request request = {.ops = ops, .done = status_written, .aux = ops};
    store_submit(db->store, &request);
    server_schedule_flush(parent->server);
}

/* ---- making it so ---- */

static struct remote *child_find(const struct remote *remote, const struct remote_config *config)
{
    struct remote *child;
    LIST_FOR_EACH (child, node, &remote->children) {
        if (configs_equal(&child->config, config))
            return child;
    }
    return NULL;
}

static void drop_children(struct remote *remote, const config_vec *configs)
{
    struct remote *child, *next;
    LIST_FOR_EACH_SAFE (child, next, node, &remote->children) {
        bool wanted = false;
        for (size_t i = 0; i < configs->n && !wanted; i++)
            wanted = configs_equal(&child->config, &configs->data[i]);
        if (!wanted)
            remote_free(child);
    }
}

void remote_db_refresh(struct remote *remote)
{
    const struct server_db *db = server_db_find(remote->server, remote->db);
    config_vec configs = VEC_INIT;
    if (db)
        read_configs(remote, db, &configs);
    drop_children(remote, &configs);
    for (size_t i = 0; i < configs.n; i++) {
        struct remote_config *config = &configs.data[i];
        struct remote *child = child_find(remote, config);
        struct diag diag = DIAG_INIT;
        if (!child) {
            struct remote_config copy = *config;
            copy.target = xstrdup(config->target);
            copy.role = config->role ? xstrdup(config->role) : NULL;
            child = remote_open(remote->server, &copy, remote, &diag);
        }
        if (!child && diag.code == ERR_IO)
            timer_start_ms(&remote->server->retry_timer, OPEN_AGAIN_MS);
        if (!child || child->status_is_due)
            write_status(db, remote, config, child, child ? NULL : diag_text(&diag));
        if (child)
            child->status_is_due = false;
        diag_fini(&diag);
        remote_config_fini(config);
    }
    vec_fini(&configs);
}
