/* server.c - an OVSDB server: its databases, when they are flushed, their timers. See server.h. */
#include "ovsdb/server/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ovsdb/server/row_index.h"
#include "ovsdb/server/server_impl.h"
#include "ovsdb/server/shape_index.h"
#include "ovsdb/server/snapshot.h"

/* ---- flushing ---- */

static void set_wait_timer(struct ovsdb_server *server)
{
    const struct server_db *db;
    int64_t next = INT64_MAX;
    LIST_FOR_EACH (db, node, &server->dbs)
        next = MIN(next, store_next_timeout_ms(db->store));
    if (next == INT64_MAX)
        timer_stop(&server->wait_timer);
    else
        timer_set_us(&server->wait_timer, next * 1000);
}

/* With one client nobody gains by going on while the disk works, and two switches of threads are
 * saved; but the host does, when much is to be written or it has other work. */
static void flush_all(void *server_)
{
    struct ovsdb_server *server = server_;
    const struct ovsdb_server_options *options = &server->options;
    struct server_db *db, *next;
    bool has_others =
        !list_empty(&server->sessions) && server->sessions.next != server->sessions.prev;
    bool goes_on = has_others || (options->is_busy && options->is_busy(options->aux));
    LIST_FOR_EACH_SAFE (db, next, node, &server->dbs) {
        if (goes_on || store_is_slow(db->store))
            store_commit(db->store);
        else
            store_flush(db->store);
    }
    set_wait_timer(server);
}

static void wait_is_over(void *server_)
{
    struct ovsdb_server *server = server_;
    struct server_db *db;
    LIST_FOR_EACH (db, node, &server->dbs)
        store_run_timeouts(db->store);
    server_schedule_flush(server);
}

static void refresh_again(void *server_)
{
    struct ovsdb_server *server = server_;
    deferred_schedule(&server->refresh);
}

void server_schedule_flush(struct ovsdb_server *server)
{
    deferred_schedule(&server->flush);
}

static void store_is_dirty_now(void *db_)
{
    struct server_db *db = db_;
    server_schedule_flush(db->server);
}

/* ---- databases ---- */

static void transaction_is_durable(void *db_, const struct changeset *cs)
{
    struct server_db *db = db_;
    monitor_tell(db, cs);
    if (!list_empty(&db->server->remotes))
        remote_tell_all(db, cs);
    if (db->server->tls)
        tls_db_tell(db, cs);
}

struct server_db *server_db_find(const struct ovsdb_server *server, const char *name)
{
    struct server_db *db;
    LIST_FOR_EACH (db, node, &server->dbs) {
        if (!strcmp(store_schema(db->store)->name, name))
            return db;
    }
    return NULL;
}

/* What was executed meanwhile is committed at the end of this turn. */
static void batch_is_written(void *db_, unsigned events UNUSED)
{
    struct server_db *db = db_;
    store_collect(db->store);
    server_schedule_flush(db->server);
}

static void disk_changed(void *db_, const char *why)
{
    struct server_db *db = db_;
    const struct ovsdb_server_options *options = &db->server->options;
    if (options->disk_changed)
        options->disk_changed(options->aux, store_path(db->store), why);
}

static void attach(struct server_db *db, struct store *store)
{
    db->store = store;
    db->subscription = store_subscribe(store, transaction_is_durable, db);
    store_set_wakeup(store, store_is_dirty_now, db);
    store_set_disk_watch(store, disk_changed, db);
    db->index = shape_index_new(store_schema(store));
    db->rows = row_index_new(store);
    if (store_fd(store) >= 0)
        db->written =
            loop_fd_new(db->server->loop, store_fd(store), LOOP_READ, batch_is_written, db);
}

static void detach(struct server_db *db)
{
    store_set_wakeup(db->store, NULL, NULL);
    store_set_disk_watch(db->store, NULL, NULL);
    store_unsubscribe(db->subscription);
    shape_index_free(db->index);
    row_index_free(db->rows);
    loop_fd_free(db->written);
    db->written = NULL;
}

static struct server_db *db_new(struct ovsdb_server *server, struct store *store)
{
    struct server_db *db = NEW(struct server_db);
    db->server = server;
    list_init(&db->snapshots);
    attach(db, store);
    list_push_back(&server->dbs, &db->node);
    if (store_is_dirty(store))
        server_schedule_flush(server);
    return db;
}

static void db_free(struct server_db *db)
{
    INVARIANT(!db->shapes.n);
    detach(db);
    list_remove(&db->node);
    hmap_fini(&db->shapes);
    free(db);
}

/* What the sessions have of DB ends; server_drop_unaware follows. */
static void forget_sessions_of(struct server_db *db)
{
    struct session *session;
    LIST_FOR_EACH (session, node, &db->server->sessions) {
        session_drop_triggers(session, db);
        session_drop_monitors(session, db, session->is_aware);
    }
    snapshot_drop_readers(db);
}

void server_drop_unaware(struct ovsdb_server *server)
{
    const struct session *session;
    LIST_FOR_EACH (session, node, &server->sessions) {
        if (!session->is_aware)
            jsonrpc_close(session->rpc, ERR_CLOSED, "the databases of the server have changed");
    }
}

int ovsdb_server_add_db(struct ovsdb_server *server, struct store *store, struct diag *diag)
{
    const struct schema *schema = store_schema(store);
    if (server_db_find(server, schema->name))
        return diag_set(diag, ERR_EXISTS, "%s: a database of this name is already served",
                        schema->name);
    db_new(server, store);
    self_set_db(server, schema, true);
    server_drop_unaware(server);
    deferred_schedule(&server->refresh);
    return 0;
}

void ovsdb_server_remove_db(struct ovsdb_server *server, struct store *store)
{
    struct server_db *db;
    LIST_FOR_EACH (db, node, &server->dbs) {
        if (db->store == store)
            break;
    }
    INVARIANT(&db->node != &server->dbs);
    store_flush(store);
    self_set_db(server, store_schema(store), false);
    forget_sessions_of(db);
    server_drop_unaware(server);
    db_free(db);
    deferred_schedule(&server->refresh);
}

int server_db_convert(struct server_db *db, const struct schema *schema, struct diag *diag)
{
    const struct ovsdb_server_options *options = &db->server->options;
    if (!strcmp(schema->text, store_schema(db->store)->text))
        return 0;
    if (!options->convert)
        return diag_set(diag, ERR_UNSUPPORTED, "this server does not convert databases");
    store_flush(db->store);
    forget_sessions_of(db);
    detach(db);
    struct store *store = db->store;
    int err = options->convert(options->aux, store, schema->text, &store, diag);
    attach(db, store);
    self_set_db(db->server, store_schema(db->store), true);
    deferred_schedule(&db->server->refresh);
    return err;
}

struct store *ovsdb_server_find_db(const struct ovsdb_server *server, const char *name)
{
    const struct server_db *db = server_db_find(server, name);
    return db ? db->store : NULL;
}

/* ---- the object ---- */

struct ovsdb_server *ovsdb_server_new(struct loop *loop, const struct ovsdb_server_options *options)
{
    struct ovsdb_server *server = NEW(struct ovsdb_server);
    server->loop = loop;
    server->options = *options;
    server->rundir = options->stream.rundir ? xstrdup(options->stream.rundir) : NULL;
    server->options.stream.rundir = server->rundir;
    if (!options->stream.default_port)
        server->options.stream.default_port = TARGET_PORT_OVSDB;
    server->id = uuid_random(loop_env(loop));
    list_init(&server->dbs);
    list_init(&server->sessions);
    list_init(&server->remotes);
    deferred_init(&server->flush, loop, LOOP_COMMIT, flush_all, server);
    deferred_init(&server->refresh, loop, LOOP_LATER, remote_refresh_all, server);
    timer_init(&server->wait_timer, loop, wait_is_over, server);
    timer_init(&server->age_timer, loop, remote_age_all, server);
    timer_init(&server->retry_timer, loop, refresh_again, server);
    self_open(server);
    server->self = db_new(server, server->self_store);
    server->self->is_self = true;
    self_set_db(server, store_schema(server->self_store), true);
    return server;
}

void ovsdb_server_free(struct ovsdb_server *server)
{
    struct server_db *db, *next;
    if (!server)
        return;
    LIST_FOR_EACH (db, node, &server->dbs)
        store_flush(db->store);
    remote_free_all(server);
    while (!list_empty(&server->sessions)) {
        struct session *session = LIST_FIRST(struct session, node, &server->sessions);
        stream_flush(jsonrpc_stream(session->rpc));
        session_free(session);
    }
    LIST_FOR_EACH_SAFE (db, next, node, &server->dbs)
        db_free(db);
    store_close(server->self_store);
    deferred_cancel(&server->flush);
    deferred_cancel(&server->refresh);
    timer_stop(&server->wait_timer);
    timer_stop(&server->retry_timer);
    timer_stop(&server->age_timer);
    server_drop_locks(server);
    hmap_fini(&server->locks);
    tls_db_fini(server);
    free(server->rundir);
    free(server);
}

void ovsdb_server_set_tls(struct ovsdb_server *server, const struct tls_config *tls)
{
    server->options.stream.tls = tls;
}

const struct tls_config *ovsdb_server_tls(const struct ovsdb_server *server)
{
    return server->options.stream.tls;
}

void ovsdb_server_set_read_only(struct ovsdb_server *server, bool read_only)
{
    server->is_read_only = read_only;
}

void ovsdb_server_add_stream(struct ovsdb_server *server, struct stream *stream)
{
    session_new(server, stream);
}

size_t ovsdb_server_n_sessions(const struct ovsdb_server *server)
{
    const struct session *session;
    size_t n = 0;
    LIST_FOR_EACH (session, node, &server->sessions)
        n++;
    return n;
}

void ovsdb_server_put_memory(const struct ovsdb_server *server, struct str *out)
{
    const struct server_db *db;
    size_t rows = 0;
    LIST_FOR_EACH (db, node, &server->dbs) {
        const struct schema *schema = store_schema(db->store);
        for (size_t i = 0; i < schema->n_tables; i++)
            rows += store_n_rows(db->store, &schema->tables[i]);
    }
    str_putf(out, "monitors:%zu rows:%zu sessions:%zu", monitor_count(server), rows,
             ovsdb_server_n_sessions(server));
}

void ovsdb_server_reconnect(struct ovsdb_server *server)
{
    const struct session *session;
    LIST_FOR_EACH (session, node, &server->sessions)
        jsonrpc_close(session->rpc, ERR_CLOSED, "reconnect was asked for");
}
