/* monitor.c - monitors of sessions: the methods monitor, monitor_cond, monitor_cond_since,
 * monitor_cond_change and monitor_cancel, and telling them what a transaction did.
 *
 * Room 5's last door: durable rows leave for other programs here. Promises one notification a
 * transaction and monitor, made into text once for all that show the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ovsdb/server/row_index.h"
#include "ovsdb/server/server_impl.h"
#include "ovsdb/server/shape_index.h"
#include "ovsdb/server/snapshot.h"

enum { SHARE_FROM = 8 << 10 }; /* shorter texts are copied: cheaper than a reference */

struct monitor {
    struct list session_node; /* in session->monitors */
    struct list shape_node;   /* in shape->monitors */
    struct session *session;
    struct server_db *db;
    struct shape *shape;
    enum monitor_version version;
    json_t *id;
};

/* ---- shapes are shared ---- */

/* Takes over SHAPE's reference and returns one to the shape of DB that is equal to it. */
static struct shape *shape_share(struct server_db *db, struct shape *shape)
{
    struct shape *old;
    HMAP_FOR_EACH_WITH_HASH (old, node, shape->node.hash, &db->shapes) {
        if (!strcmp(old->key, shape->key)) {
            shape_free(shape);
            old->refs++;
            return old;
        }
    }
    hmap_insert(&db->shapes, &shape->node, shape->node.hash);
    shape_index_add(db->index, shape);
    return shape;
}

void shape_unref(struct server_db *db, struct shape *shape)
{
    if (--shape->refs)
        return;
    hmap_remove(&db->shapes, &shape->node);
    shape_index_remove(db->index, shape);
    shape_free(shape);
}

/* ---- monitors ---- */

static struct monitor *monitor_find(const struct session *session, const json_t *id)
{
    struct monitor *m;
    LIST_FOR_EACH (m, session_node, &session->monitors) {
        if (json_equal(m->id, id))
            return m;
    }
    return NULL;
}

/* ID, or what another monitor of SHAPE has in its place: clients of a kind name theirs alike, and
 * what they are sent is compared by pointers then. A new reference. */
static json_t *share_id(const struct shape *shape, const json_t *id)
{
    if (!list_empty(&shape->monitors)) {
        const struct monitor *m = LIST_FIRST(struct monitor, shape_node, &shape->monitors);
        if (json_equal(m->id, id))
            id = m->id;
    }
    return json_incref((json_t *)(uintptr_t)id);
}

static struct monitor *monitor_new(struct session *session, struct server_db *db,
                                   enum monitor_version version, const json_t *id,
                                   struct shape *shape)
{
    struct monitor *m = NEW(struct monitor);
    m->session = session;
    m->db = db;
    m->version = version;
    m->shape = shape_share(db, shape);
    m->id = share_id(m->shape, id);
    list_push_back(&session->monitors, &m->session_node);
    list_push_back(&m->shape->monitors, &m->shape_node);
    return m;
}

static void monitor_free(struct monitor *m)
{
    list_remove(&m->session_node);
    list_remove(&m->shape_node);
    shape_unref(m->db, m->shape);
    json_decref(m->id);
    free(m);
}

static struct uuid shown_id(const struct server_db *db, const struct uuid *id)
{
    static const struct uuid zero;
    return db->server->options.resume && !db->is_self ? *id : zero;
}

static void put_txn_id(const struct server_db *db, const struct uuid *id, struct str *out)
{
    char text[UUID_TEXT_LEN + 1];
    struct uuid shown = shown_id(db, id);
    str_putf(out, "\"%s\"", uuid_print(&shown, text));
}

static void put_notification(const struct monitor *m, const struct uuid *txn_id, struct str *out)
{
    static const char *const methods[] = {"", "update", "update2", "update3"};
    str_putf(out, "{\"id\":null,\"method\":\"%s\",\"params\":[", methods[m->version]);
    json_put(m->id, false, out);
    str_putc(out, ',');
    if (m->version == MONITOR_V3) {
        put_txn_id(m->db, txn_id, out);
        str_putc(out, ',');
    }
}

/* A whole notification, kept as long as monitors that want the very same follow each other. */
struct notification {
    enum monitor_version version;
    const json_t *id;
    const struct rstr *text; /* NULL: none yet */
};

static void notification_make(struct notification *n, const struct monitor *m,
                              const struct uuid *txn_id, const struct rstr *updates)
{
    struct str out = STR_INIT;
    if (n->text && n->version == m->version && json_equal(n->id, m->id))
        return;
    rstr_unref(n->text);
    put_notification(m, txn_id, &out);
    str_put_n(&out, updates->s, updates->n);
    str_put(&out, "]}");
    *n = (struct notification){m->version, m->id, rstr_new_n(out.s, out.n)};
    str_fini(&out);
}

/* Sends the table updates to M. A long text is shared by all that show it; a short one is copied
 * into a notification that those with the same id share. */
static void monitor_send(const struct monitor *m, const struct uuid *txn_id,
                         const struct rstr *updates, struct notification *n)
{
    struct jsonrpc *rpc = m->session->rpc;
    if (updates->n < SHARE_FROM) {
        notification_make(n, m, txn_id, updates);
        jsonrpc_send_shared(rpc, n->text);
        return;
    }
    struct str out = STR_INIT;
    put_notification(m, txn_id, &out);
    jsonrpc_send_text(rpc, out.s, out.n);
    jsonrpc_send_shared(rpc, updates);
    jsonrpc_send_text(rpc, "]}", 2);
    str_fini(&out);
}

static void tell_shape(struct shape *shape, const struct changeset *cs, struct str *out)
{
    struct notification n = {0};
    const struct monitor *m;
    snapshot_is_old(shape);
    str_clear(out);
    if (!shape_put_changes(shape, cs->n, cs->changes, out))
        return;
    const struct rstr *updates = rstr_new_n(out->s, out->n);
    LIST_FOR_EACH (m, shape_node, &shape->monitors)
        monitor_send(m, &cs->id, updates, &n);
    rstr_unref(updates);
    rstr_unref(n.text);
}

void monitor_tell(struct server_db *db, const struct changeset *cs)
{
    struct str out = STR_INIT;
    shape_vec shapes = VEC_INIT;
    row_index_tell(db->rows, cs);
    shape_index_find(db->index, cs->n, cs->changes, &shapes);
    for (size_t i = 0; i < shapes.n; i++)
        tell_shape(shapes.data[i], cs, &out);
    vec_fini(&shapes);
    str_fini(&out);
}

size_t monitor_count(const struct ovsdb_server *server)
{
    const struct session *session;
    size_t n = 0;
    LIST_FOR_EACH (session, node, &server->sessions) {
        const struct monitor *m;
        LIST_FOR_EACH (m, session_node, &session->monitors)
            n++;
    }
    return n;
}

/* ---- what happened since a transaction ---- */

struct net_change { /* of one row over several transactions */
    struct hnode node;
    const struct schema_table *table;
    struct uuid uuid;
    const struct row *before, *after;
};

static struct net_change *net_change_find(const struct hmap *map, const struct row *row)
{
    struct net_change *net;
    HMAP_FOR_EACH_WITH_HASH (net, node, uuid_hash(&row->uuid), map) {
        if (net->table == row->table && uuid_equal(&net->uuid, &row->uuid))
            return net;
    }
    return NULL;
}

static void collect(void *map_, const struct changeset *cs)
{
    struct hmap *map = map_;
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        const struct row *row = c->after ? c->after : c->before;
        struct net_change *net = net_change_find(map, row);
        if (!net) {
            net = NEW(struct net_change);
            net->table = row->table;
            net->uuid = row->uuid;
            net->before = c->before ? row_ref(c->before) : NULL;
            hmap_insert(map, &net->node, uuid_hash(&row->uuid));
        }
        row_unref(net->after);
        net->after = c->after ? row_ref(c->after) : NULL;
    }
}

static int compare_changes(const void *a_, const void *b_)
{
    const struct change *a = a_, *b = b_;
    const struct row *ra = a->after ? a->after : a->before, *rb = b->after ? b->after : b->before;
    if (ra->table != rb->table)
        return ra->table->index < rb->table->index ? -1 : 1;
    return uuid_compare(&ra->uuid, &rb->uuid);
}

static void put_net_changes(const struct shape *shape, const struct hmap *map, struct str *out)
{
    VEC(struct change) changes = VEC_INIT;
    const struct net_change *net;
    HMAP_FOR_EACH (net, node, map) {
        struct change c = {net->before, net->after};
        if (c.before || c.after)
            vec_push(&changes, c);
    }
    if (changes.n)
        qsort(changes.data, changes.n, sizeof *changes.data, compare_changes);
    if (!shape_put_changes(shape, changes.n, changes.data, out))
        str_put(out, "{}");
    vec_fini(&changes);
}

/* Puts what SHAPE shows of the changes since transaction ID. False: that is not known any more. */
static bool put_since(const struct server_db *db, const struct shape *shape, const struct uuid *id,
                      struct str *out)
{
    struct hmap map = HMAP_INIT;
    if (!db->server->options.resume || db->is_self || uuid_is_zero(id))
        return false;
    bool found = store_history_since(db->store, id, collect, &map);
    if (found)
        put_net_changes(shape, &map, out);
    struct net_change *net;
    HMAP_FOR_EACH_SAFE (net, node, &map) {
        hmap_remove(&map, &net->node);
        row_unref(net->before);
        row_unref(net->after);
        free(net);
    }
    hmap_fini(&map);
    return found;
}

/* ---- methods ---- */

static void reply_initial(const struct monitor *m, const json_t *id, const struct uuid *since)
{
    struct str out = STR_INIT, updates = STR_INIT;
    struct jsonrpc *rpc = m->session->rpc;
    bool is_v3 = m->version == MONITOR_V3;
    bool found = is_v3 && put_since(m->db, m->shape, since, &updates);
    str_put(&out, "{\"id\":");
    json_put(id, false, &out);
    str_put(&out, ",\"result\":");
    if (is_v3) {
        struct uuid last = store_last_id(m->db->store);
        str_putf(&out, "[%s,", found ? "true" : "false");
        put_txn_id(m->db, &last, &out);
        str_putc(&out, ',');
    }
    jsonrpc_send_text(rpc, out.s, out.n);
    if (found)
        jsonrpc_send_text(rpc, updates.s, updates.n);
    else
        jsonrpc_send_source(rpc, snapshot_read(m->session, m->db, m->shape));
    str_clear(&out);
    str_put(&out, is_v3 ? "],\"error\":null}" : ",\"error\":null}");
    jsonrpc_send_text(rpc, out.s, out.n);
    str_fini(&out);
    str_fini(&updates);
}

/* NULL, or what is wrong with JSON as the id of a transaction. */
static const char *parse_since(const json_t *json, struct uuid *ret)
{
    const char *text = json_string_value(json);
    if (!text)
        return "last-txn-id must be string";
    return uuid_parse(text, ret) ? NULL : "last-txn-id must be UUID format.";
}

void session_monitor(struct session *session, const struct jsonrpc_message *msg)
{
    enum monitor_version version = !strcmp(msg->method, "monitor")        ? MONITOR_V1
                                   : !strcmp(msg->method, "monitor_cond") ? MONITOR_V2
                                                                          : MONITOR_V3;
    size_t n = json_array_size(msg->params);
    struct uuid since = {0};
    struct server_db *db = session_find_db(session, msg);
    if (!db)
        return;
    bool n_is_right = version == MONITOR_V1 ? n >= 3 : n == (version == MONITOR_V2 ? 3u : 4u);
    if (!n_is_right) {
        session_reply_error(session, msg->id, "syntax error", msg->params, "invalid parameters");
        return;
    }
    const json_t *id = json_array_get(msg->params, 1);
    if (monitor_find(session, id)) {
        session_reply_error(session, msg->id, "syntax error", id, "duplicate monitor ID");
        return;
    }
    struct op_error error = {0};
    struct shape *shape =
        shape_from_json(store_schema(db->store), version, json_array_get(msg->params, 2), &error);
    if (!shape) {
        session_reply_op_error(session, msg->id, &error);
        return;
    }
    const json_t *last = json_array_get(msg->params, 3);
    const char *wrong = version == MONITOR_V3 ? parse_since(last, &since) : NULL;
    if (wrong) {
        session_reply_error(session, msg->id, "syntax error", last, "%s", wrong);
        shape_free(shape);
        return;
    }
    reply_initial(monitor_new(session, db, version, id, shape), msg->id, &since);
}

/* M shows NEXT from now on; what appears and vanishes by that is sent. */
static void monitor_change(struct monitor *m, struct shape *next)
{
    struct str out = STR_INIT;
    struct uuid last = store_last_id(m->db->store);
    if (shape_put_transition(m->shape, next, m->db->store, m->db->rows, &out)) {
        const struct rstr *text = rstr_new_n(out.s, out.n);
        struct notification n = {0};
        monitor_send(m, &last, text, &n);
        rstr_unref(n.text);
        rstr_unref(text);
    }
    str_fini(&out);
    list_remove(&m->shape_node);
    shape_unref(m->db, m->shape);
    m->shape = shape_share(m->db, next);
    list_push_back(&m->shape->monitors, &m->shape_node);
}

void session_monitor_change(struct session *session, const struct jsonrpc_message *msg)
{
    if (json_array_size(msg->params) != 3) {
        session_reply_error(session, msg->id, "syntax error", msg->params, "invalid parameters");
        return;
    }
    const json_t *old_id = json_array_get(msg->params, 0);
    const json_t *new_id = json_array_get(msg->params, 1);
    struct monitor *m = monitor_find(session, old_id);
    if (!m) {
        session_reply_error(session, msg->id, "syntax error", old_id, "unknown monitor session");
        return;
    }
    if (!json_equal(old_id, new_id) && monitor_find(session, new_id)) {
        session_reply_error(session, msg->id, "syntax error", new_id, "duplicate monitor ID");
        return;
    }
    struct op_error error = {0};
    struct shape *next = shape_with_conditions(m->shape, json_array_get(msg->params, 2), &error);
    if (!next) {
        session_reply_op_error(session, msg->id, &error);
        return;
    }
    json_decref(m->id);
    m->id = json_incref((json_t *)(uintptr_t)new_id);
    if (m->version == MONITOR_V1)
        shape_free(next); /* a plain monitor shows all rows */
    else
        monitor_change(m, next);
    session_reply_empty(session, msg->id);
}

void session_monitor_cancel(struct session *session, const struct jsonrpc_message *msg)
{
    struct monitor *m = NULL;
    if (json_array_size(msg->params) != 1) {
        jsonrpc_reply_error(session->rpc, msg->id, json_string("invalid parameters"));
        return;
    }
    m = monitor_find(session, json_array_get(msg->params, 0));
    if (!m) {
        jsonrpc_reply_error(session->rpc, msg->id, json_string("unknown monitor"));
        return;
    }
    monitor_free(m);
    session_reply_empty(session, msg->id);
}

bool session_has_monitors(const struct session *session, const struct server_db *db)
{
    const struct monitor *m;
    LIST_FOR_EACH (m, session_node, &session->monitors) {
        if (m->db == db)
            return true;
    }
    return false;
}

void session_drop_monitors(struct session *session, const struct server_db *db, bool tell)
{
    struct monitor *m, *next;
    LIST_FOR_EACH_SAFE (m, next, session_node, &session->monitors) {
        if (db && m->db != db)
            continue;
        if (tell) {
            json_t *params = json_array();
            json_array_append(params, m->id);
            jsonrpc_notify(session->rpc, "monitor_canceled", params);
        }
        monitor_free(m);
    }
}
