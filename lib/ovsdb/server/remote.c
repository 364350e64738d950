/* remote.c - listening and connecting on behalf of an OVSDB server. */
#include "ovsdb/server/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { STATUS_EVERY_MS = 60000 };

void remote_config_fini(struct remote_config *config)
{
    free(config->target);
    free(config->role);
}

void remote_status_changed(struct remote *remote)
{
    remote->status_is_due = true;
    deferred_schedule(&remote->server->refresh);
}

static void add_session(struct remote *remote, struct stream *stream)
{
    struct session *session = session_new(remote->server, stream);
    session->remote = remote;
    session->is_read_only = remote->config.read_only;
    session->role = remote->config.role ? xstrdup(remote->config.role) : NULL;
    if (remote->config.probe_ms && stream_needs_probes(stream))
        jsonrpc_set_probe(session->rpc, MAX(remote->config.probe_ms, 0));
    remote->n_sessions++;
    remote->connected_ms = env_now_ms(loop_env(remote->server->loop));
    free(remote->last_error);
    remote->last_error = NULL;
    remote_status_changed(remote);
    if (remote->parent && remote->kind == REMOTE_CONNECTS &&
        !timer_is_running(&remote->server->age_timer))
        timer_start_ms(&remote->server->age_timer, STATUS_EVERY_MS);
}

static void accepted(void *remote_, struct stream *stream)
{
    add_session(remote_, stream);
}

static void connected(void *remote_, struct stream *stream)
{
    add_session(remote_, stream);
}

/* Said again at the next attempt only if it is another reason. */
static void failed(void *remote_, const char *target UNUSED, const char *reason)
{
    struct remote *remote = remote_;
    if (remote->last_error && !strcmp(remote->last_error, reason))
        return;
    free(remote->last_error);
    remote->last_error = xstrdup(reason);
    remote_status_changed(remote);
}

void remote_session_closed(struct remote *remote)
{
    remote->n_sessions--;
    remote->disconnected_ms = env_now_ms(loop_env(remote->server->loop));
    remote_status_changed(remote);
    if (remote->reconnect)
        reconnect_disconnected(remote->reconnect);
}

static int open_target(struct remote *remote, struct diag *diag)
{
    static const struct reconnect_callbacks callbacks = {.connected = connected, .failed = failed};
    const char *target = remote->config.target;
    struct ovsdb_server *server = remote->server;
    if (text_starts_with(target, "db:")) {
        remote->kind = REMOTE_DB;
        return remote_db_parse(remote, diag);
    }
    if (target_is_passive(target)) {
        remote->kind = REMOTE_LISTENS;
        return stream_listen(server->loop, target, &server->options.stream, accepted, remote,
                             &remote->listener, diag);
    }
    remote->kind = REMOTE_CONNECTS;
    struct reconnect_options options = {.stream = server->options.stream,
                                        .max_backoff_ms = remote->config.max_backoff_ms};
    return reconnect_new(server->loop, target, &options, &callbacks, remote, &remote->reconnect,
                         diag);
}

struct remote *remote_open(struct ovsdb_server *server, struct remote_config *config,
                           struct remote *parent, struct diag *diag)
{
    struct remote *remote = NEW(struct remote);
    remote->server = server;
    remote->config = *config;
    remote->parent = parent;
    remote->status_is_due = true;
    list_init(&remote->children);
    list_init(&remote->node);
    if (open_target(remote, diag)) {
        remote_free(remote);
        return NULL;
    }
    list_push_back(parent ? &parent->children : &server->remotes, &remote->node);
    return remote;
}

void remote_free(struct remote *remote)
{
    struct session *session, *next;
    LIST_FOR_EACH_SAFE (session, next, node, &remote->server->sessions) {
        if (session->remote == remote) {
            stream_flush(jsonrpc_stream(session->rpc));
            session_free(session);
        }
    }
    while (!list_empty(&remote->children))
        remote_free(LIST_FIRST(struct remote, node, &remote->children));
    list_remove(&remote->node);
    stream_listener_free(remote->listener);
    reconnect_free(remote->reconnect);
    remote_config_fini(&remote->config);
    free(remote->last_error);
    free(remote->db);
    free(remote->table);
    free(remote->column);
    free(remote);
}

static struct remote *remote_find(const struct ovsdb_server *server, const char *target)
{
    struct remote *remote;
    LIST_FOR_EACH (remote, node, &server->remotes) {
        if (!strcmp(remote->config.target, target))
            return remote;
    }
    return NULL;
}

int ovsdb_server_add_remote(struct ovsdb_server *server, const char *target, struct diag *diag)
{
    if (remote_find(server, target))
        return diag_set(diag, ERR_EXISTS, "%s: remote was added already", target);
    struct remote_config config = {.target = xstrdup(target)};
    struct diag own = DIAG_INIT;
    struct remote *remote = remote_open(server, &config, NULL, &own);
    int err = remote ? 0 : diag_set(diag, own.code, "%s", diag_text(&own));
    diag_fini(&own);
    if (remote && remote->kind == REMOTE_DB)
        deferred_schedule(&server->refresh);
    return err;
}

int ovsdb_server_remove_remote(struct ovsdb_server *server, const char *target)
{
    struct remote *remote = remote_find(server, target);
    if (!remote)
        return ERR_NOT_FOUND;
    remote_free(remote);
    return 0;
}

void ovsdb_server_for_each_remote(const struct ovsdb_server *server,
                                  void (*fn)(void *aux, const char *target), void *aux)
{
    const struct remote *remote;
    LIST_FOR_EACH (remote, node, &server->remotes)
        fn(aux, remote->config.target);
}

uint16_t ovsdb_server_remote_port(const struct ovsdb_server *server, const char *target)
{
    const struct remote *remote = remote_find(server, target);
    return remote && remote->listener ? stream_listener_port(remote->listener) : 0;
}

void remote_refresh_all(void *server_)
{
    struct ovsdb_server *server = server_;
    struct remote *remote;
    tls_db_refresh(server);
    LIST_FOR_EACH (remote, node, &server->remotes) {
        if (remote->kind == REMOTE_DB)
            remote_db_refresh(remote);
    }
}

void remote_age_all(void *server_)
{
    struct ovsdb_server *server = server_;
    struct remote *remote, *child;
    bool is_any = false;
    LIST_FOR_EACH (remote, node, &server->remotes) {
        LIST_FOR_EACH (child, node, &remote->children) {
            if (child->kind == REMOTE_CONNECTS) {
                child->status_is_due = true;
                is_any = true;
            }
        }
    }
    if (!is_any)
        return;
    deferred_schedule(&server->refresh);
    timer_start_ms(&server->age_timer, STATUS_EVERY_MS);
}

void remote_free_all(struct ovsdb_server *server)
{
    while (!list_empty(&server->remotes))
        remote_free(LIST_FIRST(struct remote, node, &server->remotes));
}

void remote_tell_all(const struct server_db *db, const struct changeset *cs)
{
    const struct remote *remote;
    LIST_FOR_EACH (remote, node, &db->server->remotes) {
        if (remote->kind != REMOTE_DB || strcmp(remote->db, store_schema(db->store)->name))
            continue;
        for (size_t i = 0; i < cs->n; i++) {
            const struct row *row =
                cs->changes[i].after ? cs->changes[i].after : cs->changes[i].before;
            /* The table itself, or the small one that it refers to. */
            if (!strcmp(row->table->name, remote->table) ||
                schema_column_find(row->table, "target")) {
                deferred_schedule(&db->server->refresh);
                return;
            }
        }
    }
}
