/* updates.c - contents and updates, read row by row from their text.
 *
 * Rooms 1 and 5 cross the network here. What brings many rows is never a tree of JSON as a whole, which would be several times its text, and
 * cold when it is looked at and freed: a row is, for a moment. Promises the same as monitor.c, which reads what comes in an order that asks for the
 * tree (a method behind its params), and does what the rows mean for both.
 */
#include <string.h>

#include "base/err.h"
#include "io/json_walk.h"
#include "ovsdb/client/client.h"

struct reading {
    struct client *client;
    struct json_walk walk;
    change_vec changes;
    json_t *method, *id; /* of the message, so far */
    int err;
    struct diag diag;
};

static bool is_named(const char *name, size_t n, const char *what)
{
    return n == strlen(what) && !memcmp(name, what, n);
}

static struct client_table *wanted_table(struct client *client, const char *name, size_t n)
{
    for (size_t i = 0; i < client->schema->n_tables; i++)
        if (client->tables[i].wanted && is_named(name, n, client->tables[i].table->name))
            return &client->tables[i];
    return NULL;
}

/* The next element, the id of a transaction. */
static bool take_last_id(struct reading *r)
{
    json_t *id = json_walk_more(&r->walk, ']') ? json_walk_value(&r->walk) : NULL;
    if (!client_take_last_id(r->client, id))
        r->err = diag_set(&r->diag, ERR_SYNTAX, "bad transaction id in contents or update3");
    json_decref(id);
    return !r->err;
}

static void read_row(struct reading *r, struct client_table *t)
{
    char uuid[UUID_TEXT_LEN + 1] = "";
    size_t n;
    const char *name = json_walk_name(&r->walk, &n);
    if (name && n < sizeof uuid)
        memcpy(uuid, name, n);
    json_t *update = name ? json_walk_value(&r->walk) : NULL;
    if (update && t)
        r->err = client_take_row(r->client, t, uuid, update, &r->changes, &r->diag);
    json_decref(update);
}

/* {"table": {"uuid": update}} */
static void read_updates(struct reading *r)
{
    struct json_walk *w = &r->walk;
    if (!json_walk_open(w, '{'))
        return;
    while (!r->err && json_walk_more(w, '}')) {
        size_t n;
        const char *name = json_walk_name(w, &n);
        struct client_table *t = name ? wanted_table(r->client, name, n) : NULL;
        for (bool ok = name && json_walk_open(w, '{'); ok && !r->err && json_walk_more(w, '}');)
            read_row(r, t);
    }
}

/* The rest of the array whose last element should have been read. */
static void leave_array(struct reading *r)
{
    while (!r->err && json_walk_more(&r->walk, ']'))
        json_decref(json_walk_value(&r->walk));
}

/* The params of an update; false: they are not of our monitor. */
static bool read_update(struct reading *r)
{
    const char *method = json_string_value(r->method);
    bool is_update =
        method && text_starts_with(method, "update") && (!r->id || json_is_null(r->id));
    if (r->client->state != CLIENT_STEADY || !is_update)
        return false;
    json_t *id = json_walk_open(&r->walk, '[') && json_walk_more(&r->walk, ']')
                     ? json_walk_value(&r->walk)
                     : NULL;
    bool is_ours = client_is_our_monitor(r->client, id);
    json_decref(id);
    if (!is_ours)
        return false;
    if ((strcmp(method, "update3") || take_last_id(r)) && json_walk_more(&r->walk, ']'))
        read_updates(r);
    leave_array(r);
    return true;
}

/* The result of the monitor request. */
static void read_contents(struct reading *r)
{
    bool is_since = r->client->monitor_kind == MONITOR_COND_SINCE, found = false;
    if (is_since) {
        json_t *first = json_walk_open(&r->walk, '[') && json_walk_more(&r->walk, ']')
                            ? json_walk_value(&r->walk)
                            : NULL;
        found = json_is_true(first);
        json_decref(first);
        if (!take_last_id(r) || !json_walk_more(&r->walk, ']'))
            return;
    } else {
        r->client->last_id = (struct uuid){{0}}; /* as in client_take_initial */
    }
    client_contents_begin(r->client, found);
    read_updates(r);
    if (is_since)
        leave_array(r);
}

static bool is_contents(const struct reading *r)
{
    return r->client->state == CLIENT_MONITOR && !r->method && json_is_integer(r->id) &&
           json_integer_value(r->id) == r->client->expected;
}

/* Members behind params or result: whatever is not null there makes no sense. */
static void read_rest(struct reading *r)
{
    while (!r->err && json_walk_more(&r->walk, '}')) {
        size_t n;
        const char *name = json_walk_name(&r->walk, &n);
        bool is_error = name && is_named(name, n, "error");
        json_t *value = name ? json_walk_value(&r->walk) : NULL;
        if (value && !(is_error && json_is_null(value)))
            r->err = diag_set(&r->diag, ERR_SYNTAX, "an unknown or unexpected member");
        json_decref(value);
    }
}

/* Reads the message as far as it is for us; false: it is not. */
static bool read_message(struct reading *r)
{
    struct json_walk *w = &r->walk;
    bool ok = json_walk_open(w, '{');
    while (ok && json_walk_more(w, '}')) {
        size_t n;
        const char *name = json_walk_name(w, &n);
        if (!name)
            return false;
        if (is_named(name, n, "result")) {
            if (!is_contents(r))
                return false;
            r->client->expected = -1;
            read_contents(r);
            read_rest(r);
            return true;
        }
        if (is_named(name, n, "params")) {
            if (!read_update(r))
                return false;
            read_rest(r);
            return true;
        }
        json_t **member = is_named(name, n, "method") ? &r->method
                          : is_named(name, n, "id")   ? &r->id
                                                      : NULL;
        if (!member || *member)
            return false;
        *member = json_walk_value(w);
    }
    return false;
}

bool client_take_text(void *client_, const char *text, size_t n)
{
    struct client *client = client_;
    struct reading r = {.client = client};
    json_walk_begin(&r.walk, text, n);
    bool is_ours = read_message(&r), is_contents = client->state == CLIENT_MONITOR;
    if (is_ours && !r.err && r.walk.has_failed)
        r.err = diag_set(&r.diag, ERR_SYNTAX, "rows that are not JSON, or not where they belong");
    json_walk_end(&r.walk);
    json_decref(r.method);
    json_decref(r.id);
    if (!is_ours || r.err)
        client_drop_changes(&r.changes);
    if (!is_ours)
        diag_fini(&r.diag);
    else if (r.err)
        client_give_up_on_nonsense(client, &r.diag);
    else if (is_contents)
        client_contents_end(client, &r.changes);
    else
        client_tell_update(client, &r.changes);
    return is_ours;
}
