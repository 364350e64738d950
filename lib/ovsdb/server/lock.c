/* lock.c - named locks of a server (RFC 7047 4.1.8 to 4.1.10, with steal).
 *
 * A lock is a queue of sessions: the first owns it. A thief goes to the front; the one it robbed
 * stays behind it and owns the lock again when the thief is gone. The server's own host may hold a lock, too: before all
 * sessions, and none can steal it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb/server/server_impl.h"

struct lock {
    struct hnode node; /* in server->locks, by name */
    struct ovsdb_server *server;
    char *name;
    struct list waiters; /* struct lock_waiter; the first owns it */
};

struct lock_waiter {
    struct list lock_node, session_node;
    struct lock *lock;
    struct session *session; /* NULL: the host, who is always the first */
    bool is_robbed;          /* owned it, until it was stolen */
};

static struct lock *lock_find(const struct ovsdb_server *server, const char *name)
{
    struct lock *lock;
    HMAP_FOR_EACH_WITH_HASH (lock, node, hash_text(name), &server->locks) {
        if (!strcmp(lock->name, name))
            return lock;
    }
    return NULL;
}

static struct lock *lock_get(struct ovsdb_server *server, const char *name)
{
    struct lock *lock = lock_find(server, name);
    if (lock)
        return lock;
    lock = NEW(struct lock);
    lock->server = server;
    lock->name = xstrdup(name);
    list_init(&lock->waiters);
    hmap_insert(&server->locks, &lock->node, hash_text(name));
    return lock;
}

static struct lock_waiter *lock_owner(const struct lock *lock)
{
    return LIST_FIRST(struct lock_waiter, lock_node, &lock->waiters);
}

static struct lock_waiter *waiter_find(const struct session *session, const char *name)
{
    struct lock_waiter *w;
    LIST_FOR_EACH (w, session_node, &session->waiters) {
        if (!strcmp(w->lock->name, name))
            return w;
    }
    return NULL;
}

static void tell_status(const struct lock_waiter *w)
{
    if (w->session && w->session->remote)
        remote_status_changed(w->session->remote);
}

static void notify(const struct lock_waiter *w, const char *method)
{
    if (w->session)
        jsonrpc_notify(w->session->rpc, method, json_pack("[s]", w->lock->name));
}

static void own(struct lock_waiter *w)
{
    w->is_robbed = false;
    notify(w, "locked");
    tell_status(w);
}

static void rob(struct lock_waiter *w)
{
    w->is_robbed = true;
    notify(w, "stolen");
    tell_status(w);
}

static void waiter_remove(struct lock_waiter *w)
{
    struct lock *lock = w->lock;
    bool owned = lock_owner(lock) == w;
    tell_status(w);
    list_remove(&w->lock_node);
    list_remove(&w->session_node);
    free(w);
    if (!list_empty(&lock->waiters)) {
        if (owned)
            own(lock_owner(lock));
        return;
    }
    hmap_remove(&lock->server->locks, &lock->node);
    free(lock->name);
    free(lock);
}

/* The name in a request: an identifier. NULL after an error was answered. */
static const char *lock_name(struct session *session, const struct jsonrpc_message *msg)
{
    const char *name = json_string_value(json_array_get(msg->params, 0));
    bool good = name && json_array_size(msg->params) == 1 &&
                (isalpha((unsigned char)*name) || *name == '_');
    for (const char *p = name; good && *p; p++)
        good = isalnum((unsigned char)*p) || *p == '_';
    if (good)
        return name;
    session_reply_error(session, msg->id, "syntax error", msg->params,
                        "%s request params must be <id>", msg->method);
    return NULL;
}

static bool refuse_read_only(struct session *session, const struct jsonrpc_message *msg)
{
    if (!session_may_only_read(session))
        return false;
    jsonrpc_reply_error(
        session->rpc, msg->id,
        json_string("lock and unlock methods not allowed, DB server is read only."));
    return true;
}

void session_lock(struct session *session, const struct jsonrpc_message *msg)
{
    bool steal = !strcmp(msg->method, "steal");
    if (refuse_read_only(session, msg))
        return;
    const char *name = lock_name(session, msg);
    if (!name)
        return;
    if (waiter_find(session, name)) {
        session_reply_error(session, msg->id, "syntax error", msg->params,
                            "must issue \"unlock\" before new \"%s\"", msg->method);
        return;
    }
    struct lock *lock = lock_get(session->server, name);
    bool is_free = list_empty(&lock->waiters);
    if (steal && !is_free && !lock_owner(lock)->session) {
        session_reply_error(session, msg->id, "permission error", msg->params,
                            "lock %s belongs to the server itself and cannot be stolen", name);
        return;
    }
    struct lock_waiter *w = NEW(struct lock_waiter);
    w->lock = lock;
    w->session = session;
    list_push_back(&session->waiters, &w->session_node);
    if (steal && !is_free)
        rob(lock_owner(lock));
    if (steal)
        list_push_front(&lock->waiters, &w->lock_node);
    else
        list_push_back(&lock->waiters, &w->lock_node);
    tell_status(w);
    jsonrpc_reply(session->rpc, msg->id, json_pack("{s:b}", "locked", is_free || steal));
}

void session_unlock(struct session *session, const struct jsonrpc_message *msg)
{
    if (refuse_read_only(session, msg))
        return;
    const char *name = lock_name(session, msg);
    if (!name)
        return;
    struct lock_waiter *w = waiter_find(session, name);
    if (!w) {
        session_reply_error(session, msg->id, "syntax error", msg->params,
                            "unlock: \"unlock\" without \"lock\" or \"steal\"");
        return;
    }
    waiter_remove(w);
    session_reply_empty(session, msg->id);
}

void session_drop_locks(struct session *session)
{
    while (!list_empty(&session->waiters))
        waiter_remove(LIST_FIRST(struct lock_waiter, session_node, &session->waiters));
}

void ovsdb_server_hold_lock(struct ovsdb_server *server, const char *name, bool hold)
{
    struct lock *lock = lock_find(server, name);
    struct lock_waiter *w = lock ? lock_owner(lock) : NULL;
    bool is_held = w && !w->session;
    if (is_held == hold)
        return;
    if (is_held) {
        waiter_remove(w);
        return;
    }
    if (w)
        rob(w);
    lock = lock_get(server, name);
    w = NEW(struct lock_waiter);
    w->lock = lock;
    list_init(&w->session_node);
    list_push_front(&lock->waiters, &w->lock_node);
}

void server_drop_locks(struct ovsdb_server *server)
{
    struct lock *lock;
    HMAP_FOR_EACH_SAFE (lock, node, &server->locks)
        waiter_remove(lock_owner(lock));
}

bool session_owns_lock(const struct session *session, const char *name)
{
    const struct lock_waiter *w = waiter_find(session, name);
    return w && lock_owner(w->lock) == w;
}

static enum lock_state state_of(const struct lock_waiter *w)
{
    return lock_owner(w->lock) == w ? LOCK_HELD : w->is_robbed ? LOCK_LOST : LOCK_WAITING;
}

void session_put_locks(const struct session *session, enum lock_state state, struct str *out)
{
    const struct lock_waiter *w;
    LIST_FOR_EACH (w, session_node, &session->waiters) {
        if (state_of(w) == state)
            str_putf(out, "%s%s", out->n ? " " : "", w->lock->name);
    }
}
