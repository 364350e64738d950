/* monitor.c - what to ask for, and how updates become change sets.
 *
 * A server's value is read by its own shape but against our types without their ranges and enums (a
 * newer server may have wider ones); what then does not fit our cardinality reads as the column's
 * default, so that users never meet a scalar without a value. All three notations of changes
 * (RFC 7047 4.1.6 "update", and "update2"/"update3" of ovsdb-server(7)) go through one function.
 *
 * Does not know in which order requests are sent (client.c).
 */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ovsdb/client/client.h"
#include "schema/json_text.h"

/* ---- columns ---- */

static bool same_shape(const struct column_type *a, const struct column_type *b)
{
    return a->is_map == b->is_map && a->key.type == b->key.type &&
           (!a->is_map || a->value.type == b->value.type);
}

static enum column_mode mode_of(const struct schema_column *ours,
                                const struct schema_column *theirs)
{
    if (!theirs || !same_shape(&ours->type, &theirs->type))
        return COLUMN_ABSENT;
    return theirs->type.is_map || theirs->type.n_max > 1 ? COLUMN_TOGGLED : COLUMN_REPLACED;
}

int client_match_schema(struct client *client, const struct schema *theirs, struct diag *diag)
{
    if (strcmp(theirs->name, client->schema->name))
        return diag_set(diag, ERR_SYNTAX, "asked for the schema of %s, got that of %s",
                        client->schema->name, theirs->name);
    for (size_t i = 0; i < client->schema->n_tables; i++) {
        struct client_table *t = &client->tables[i];
        const struct schema_table *their_table = schema_table_find(theirs, t->table->name);
        t->present = their_table != NULL;
        for (size_t c = 0; c < t->table->n_columns; c++)
            t->modes[c] = COLUMN_ABSENT;
        for (size_t c = 0; their_table && c < t->table->n_columns; c++) {
            const struct schema_column *ours = &t->table->columns[c];
            t->modes[c] = (uint8_t)mode_of(ours, schema_column_find(their_table, ours->name));
        }
    }
    return 0;
}

static bool is_monitored(const struct client_table *t, size_t column)
{
    return t->modes[column] != COLUMN_ABSENT && (!t->asked || t->asked[column]);
}

/* ---- requests ---- */

json_t *client_monitor_id(const char *db)
{
    return json_pack("[s, s]", "monid", db);
}

bool client_is_our_monitor(const struct client *client, const json_t *id)
{
    const char *word = json_string_value(json_array_get(id, 0));
    const char *db = json_string_value(json_array_get(id, 1));
    return word && db && !strcmp(word, "monid") && !strcmp(db, client->schema->name);
}

/* The server can understand each clause; those on columns it lacks would be true. */
static bool is_understood(const struct client_table *t)
{
    for (size_t i = 0; i < t->condition.n; i++) {
        const struct schema_column *c = t->condition.clauses[i].column;
        if (c && c->index >= 0 && t->modes[c->index] == COLUMN_ABSENT)
            return false;
    }
    return t->condition.n;
}

static json_t *where_of(const struct client_table *t)
{
    return is_understood(t) ? condition_to_json(&t->condition) : json_pack("[b]", 1);
}

static json_t *table_request(const struct client *client, const struct client_table *t)
{
    json_t *columns = json_array();
    for (size_t c = 0; c < t->table->n_columns; c++)
        if (is_monitored(t, c))
            json_array_append_new(columns, json_string(t->table->columns[c].name));
    json_t *request = json_pack("{s: o}", "columns", columns);
    if (t->condition.n && client->monitor_kind != MONITOR_PLAIN)
        json_object_set_new(request, "where", where_of(t));
    return json_pack("[o]", request);
}

void client_send_monitor(struct client *client)
{
    static const char *const methods[] = {"monitor_cond_since", "monitor_cond", "monitor"};
    json_t *tables = json_object();
    for (size_t i = 0; i < client->schema->n_tables; i++) {
        struct client_table *t = &client->tables[i];
        if (t->condition_changed)
            client->last_id = (struct uuid){{0}};
        t->condition_changed = false;
        if (t->wanted && t->present)
            json_object_set_new(tables, t->table->name, table_request(client, t));
    }
    json_t *params = json_pack("[s, o, o]", client->schema->name,
                               client_monitor_id(client->schema->name), tables);
    if (client->monitor_kind == MONITOR_COND_SINCE) {
        char text[UUID_TEXT_LEN + 1];
        json_array_append_new(params, json_string(uuid_print(&client->last_id, text)));
    }
    client->expected = jsonrpc_request(client->rpc, methods[client->monitor_kind], params);
}

void client_send_conditions(void *client_)
{
    struct client *client = client_;
    if (client->state != CLIENT_STEADY || client->monitor_kind == MONITOR_PLAIN)
        return; /* they are part of the next monitor request, or the server knows none */
    struct str params = STR_INIT;
    json_t *id = client_monitor_id(client->schema->name);
    str_putc(&params, '[');
    json_text_put(id, &params);
    str_putc(&params, ',');
    json_text_put(id, &params);
    json_decref(id);
    size_t none = params.n;
    for (size_t i = 0; i < client->schema->n_tables; i++) {
        struct client_table *t = &client->tables[i];
        if (t->condition_changed && t->present) {
            str_putf(&params, "%s\"%s\":[{\"where\":", params.n == none ? ",{" : ",",
                     t->table->name);
            if (is_understood(t))
                condition_put(&t->condition, &params);
            else
                str_put(&params, "[true]");
            str_put(&params, "}]");
        }
        t->condition_changed = false;
    }
    bool is_new = params.n != none;
    str_put(&params, "}]");
    if (is_new)
        client->conditions_id = jsonrpc_request_text(client->rpc, "monitor_cond_change", &params);
    str_fini(&params);
    client_watch_send(client);
}

/* ---- values ---- */

static struct column_type relaxed(const struct column_type *type)
{
    struct column_type r = *type;
    struct base_type *bases[] = {&r.key, &r.value};
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        bases[i]->enumeration = NULL;
        bases[i]->min_integer = INT64_MIN;
        bases[i]->max_integer = INT64_MAX;
        bases[i]->min_real = -DBL_MAX;
        bases[i]->max_real = DBL_MAX;
        bases[i]->min_length = 0;
        bases[i]->max_length = SCHEMA_UNLIMITED;
    }
    r.n_min = 0;
    r.n_max = SCHEMA_UNLIMITED;
    return r;
}

static bool fits(const struct column_type *type, const struct datum *value)
{
    return value->n >= type->n_min && (type->n_max != 1 || value->n <= 1);
}

enum row_notation { ROW_WHOLE, ROW_DIFFERENCE };

/* Sets in ROW, which is not published yet, what JSON (an object by column names) says. */
static int set_columns(struct client *client, const struct client_table *t, struct row *row,
                       json_t *json, enum row_notation notation, struct diag *diag)
{
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        const struct schema_column *column = schema_column_find(t->table, name);
        if (!column || column->index < 0 || !is_monitored(t, (size_t)column->index))
            continue;
        struct column_type type = relaxed(&column->type);
        const struct datum *datum;
        int err = datum_from_json(&type, value, NULL, &datum, diag);
        if (err) {
            diag_prefix(diag, "%s.%s: ", t->table->name, name);
            return ERR_SYNTAX;
        }
        if (notation == ROW_DIFFERENCE && t->modes[column->index] == COLUMN_TOGGLED) {
            const struct datum *new = datum_apply_difference(row_get(row, column), datum);
            datum_unref(datum);
            datum = new;
        }
        if (!fits(&column->type, datum)) {
            datum_unref(datum);
            datum = datum_ref(column->default_value);
        }
        row_set(row, column, share_value(client->share, column, datum));
        datum_unref(datum);
    }
    return 0;
}

/* ---- one row ---- */

static int change_row(struct client *client, struct client_table *t, const struct uuid *uuid,
                      json_t *json, enum row_notation notation, change_vec *v, struct diag *diag)
{
    const struct row *before = row_table_find(&t->rows, uuid);
    struct row *after;
    if (notation == ROW_DIFFERENCE) {
        if (!before)
            return diag_set(diag, ERR_SYNTAX, "change of a row of %s that is not here",
                            t->table->name);
        after = row_clone(before);
    } else {
        after = row_new(t->table, uuid);
    }
    int err = set_columns(client, t, after, json, notation, diag);
    if (err) {
        row_unref(after);
        return err;
    }
    struct change c = {before ? row_ref(before) : NULL, after};
    vec_push(v, c);
    row_table_put(&t->rows, row_ref(after));
    return 0;
}

static void delete_row(struct client_table *t, const struct uuid *uuid, change_vec *v)
{
    const struct row *before = row_table_find(&t->rows, uuid);
    if (!before)
        return;
    struct change c = {row_ref(before), NULL};
    vec_push(v, c);
    row_table_remove(&t->rows, uuid);
}

int client_take_row(struct client *client, struct client_table *t, const char *uuid_text,
                    json_t *update, change_vec *v, struct diag *diag)
{
    struct uuid uuid;
    if (!uuid_parse(uuid_text, &uuid))
        return diag_set(diag, ERR_SYNTAX, "\"%s\" is not a uuid", uuid_text);
    json_t *json;
    if ((json = json_object_get(update, "modify")))
        return change_row(client, t, &uuid, json, ROW_DIFFERENCE, v, diag);
    if ((json = json_object_get(update, "insert")) || (json = json_object_get(update, "initial")) ||
        (json = json_object_get(update, "new")))
        return change_row(client, t, &uuid, json, ROW_WHOLE, v, diag);
    if (json_object_get(update, "delete") || json_object_get(update, "old")) {
        delete_row(t, &uuid, v);
        return 0;
    }
    return diag_set(diag, ERR_SYNTAX, "update of a row of %s says nothing", t->table->name);
}

static int take_updates(struct client *client, const json_t *updates, change_vec *v,
                        struct diag *diag)
{
    if (!json_is_object(updates))
        return diag_set(diag, ERR_SYNTAX, "updates are not an object");
    for (size_t i = 0; i < client->schema->n_tables; i++) {
        struct client_table *t = &client->tables[i];
        if (!t->wanted)
            continue;
        const char *uuid;
        json_t *update;
        json_object_foreach(json_object_get(updates, t->table->name), uuid, update)
        {
            int err = client_take_row(client, t, uuid, update, v, diag);
            if (err)
                return err;
        }
    }
    return 0;
}

/* ---- change sets ---- */

static const struct changeset *make_changeset(struct client *client, change_vec *v)
{
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->id = client->last_id;
    cs->wall_ms = env_wall_ms(loop_env(client->loop));
    cs->n = v->n;
    cs->changes = v->data;
    return cs;
}

void client_drop_changes(change_vec *v)
{
    for (size_t i = 0; i < v->n; i++) {
        row_unref(v->data[i].before);
        row_unref(v->data[i].after);
    }
    vec_fini(v);
}

static void tell_everything(struct client *client)
{
    change_vec v = VEC_INIT;
    for (size_t i = 0; i < client->schema->n_tables; i++) {
        const struct row *row;
        for (size_t pos = 0; (row = row_table_next(&client->tables[i].rows, &pos));) {
            struct change c = {NULL, row_ref(row)};
            vec_push(&v, c);
        }
    }
    const struct changeset *all = make_changeset(client, &v);
    client->sink.reset(client->sink.replica, all);
    changeset_unref(all);
}

bool client_take_last_id(struct client *client, const json_t *id)
{
    const char *text = json_string_value(id);
    return text && uuid_parse(text, &client->last_id);
}

void client_contents_begin(struct client *client, bool found)
{
    if (!found)
        for (size_t i = 0; i < client->schema->n_tables; i++)
            row_table_clear(&client->tables[i].rows);
}

void client_contents_end(struct client *client, change_vec *v)
{
    client_drop_changes(v);
    client->state = CLIENT_STEADY;
    client->in_vain = 0;
    client->sink.status(client->sink.replica, true, client->has_lock);
    tell_everything(client);
    deferred_schedule(&client->send_conditions);
}

int client_take_initial(struct client *client, const json_t *result, struct diag *diag)
{
    const json_t *updates = result;
    bool found = false;
    if (client->monitor_kind == MONITOR_COND_SINCE) {
        found = json_is_true(json_array_get(result, 0));
        if (!client_take_last_id(client, json_array_get(result, 1)))
            return diag_set(diag, ERR_SYNTAX, "bad transaction id in reply to monitor_cond_since");
        updates = json_array_get(result, 2);
    } else {
        client->last_id =
            (struct uuid){{0}}; /* of an earlier server: the rows move on without it */
    }
    client_contents_begin(client, found);
    change_vec v = VEC_INIT;
    int err = take_updates(client, updates, &v, diag);
    if (err) {
        client_drop_changes(&v);
        return err;
    }
    client_contents_end(client, &v);
    return 0;
}

void client_tell_update(struct client *client, change_vec *v)
{
    const struct changeset *cs = make_changeset(client, v);
    client->sink.update(client->sink.replica, cs);
    changeset_unref(cs);
}

int client_take_update(struct client *client, const char *method, const json_t *params,
                       struct diag *diag)
{
    bool has_id = !strcmp(method, "update3");
    if (has_id && !client_take_last_id(client, json_array_get(params, 1)))
        return diag_set(diag, ERR_SYNTAX, "bad transaction id in update3");
    change_vec v = VEC_INIT;
    int err = take_updates(client, json_array_get(params, has_id ? 2 : 1), &v, diag);
    if (err) {
        client_drop_changes(&v);
        return err;
    }
    client_tell_update(client, &v);
    return 0;
}

void client_free_tables(struct client *client)
{
    for (size_t i = 0; client->tables && i < client->schema->n_tables; i++) {
        struct client_table *t = &client->tables[i];
        row_table_clear(&t->rows);
        condition_fini(&t->condition);
        free(t->asked);
        free(t->modes);
    }
    free(client->tables);
    share_free(client->share);
}
