/* server_impl.h - what the parts of the OVSDB server share; not for others.
 *
 *     server.c       the object: databases, flushing, timers
 *     remote.c       where it listens and connects; remote_db.c: as rows of a database say
 *     tls_db.c       keys and certificates as rows of a database say
 *     session.c      one connection: methods that need little
 *     transact.c     transactions of a session, their results as text
 *     monitor.c      monitors of sessions
 *     snapshot.c     their initial contents, in pieces
 *     shape.c        what a monitor shows; shape_text.c: as text; shape_index.c: which are concerned; row_index.c: rows by value
 *     lock.c         locks
 *     rbac.c         what a role may write
 *     self.c         the _Server database
 */
#pragma once

#include "base/vec.h"
#include "io/jsonrpc.h"
#include "io/reconnect.h"
#include "ovsdb/server/server.h"

struct server_db {
    struct list node;
    struct ovsdb_server *server;
    struct store *store;
    struct store_subscription *subscription;
    struct loop_fd *written; /* store_fd; NULL: there is none */
    struct hmap shapes;      /* struct shape */
    struct shape_index *index;
    struct row_index *rows;
    struct list snapshots; /* struct snapshot */
    bool has_texts;        /* of initial contents */
    bool is_self;          /* _Server: closed to writers */
};

struct ovsdb_server {
    struct loop *loop;
    struct ovsdb_server_options options;
    char *rundir;
    struct uuid id;
    struct list dbs;      /* struct server_db */
    struct list sessions; /* struct session */
    struct list remotes;  /* struct remote */
    struct hmap locks;    /* struct lock */
    struct server_db *self;
    struct store *self_store;
    bool is_read_only;      /* for all sessions */
    struct tls_config *tls; /* as rows say; NULL: options.stream.tls is somebody else's */
    char *tls_texts[TLS_N], *tls_values[TLS_N];
    struct deferred flush;
    struct deferred refresh;  /* remotes that rows of a database name */
    struct timer wait_timer;  /* the earliest "wait" that runs out */
    struct timer age_timer;   /* seconds in the status of remotes */
    struct timer retry_timer; /* a remote of a row could not be opened: the port may become free */
};

struct remote;

struct session {
    struct list node;
    struct ovsdb_server *server;
    struct jsonrpc *rpc;
    struct remote *remote; /* of an active one, or of rows; NULL: none */
    struct rstr *author;   /* for history; may be NULL */
    bool is_aware;         /* set_db_change_aware */
    bool is_read_only;
    char *role;           /* what it may write: rbac.h; NULL: everything */
    struct list monitors; /* struct monitor */
    struct list triggers; /* struct trigger: transactions that are not answered */
    struct list waiters;  /* struct lock_waiter */
};

/* ---- server.c ---- */
struct server_db *server_db_find(const struct ovsdb_server *server, const char *name);
void server_schedule_flush(struct ovsdb_server *server);
/* Sessions that do not know that databases change are dropped: they come back and look anew. What
 * was written to them is sent. */
void server_drop_unaware(struct ovsdb_server *server);
/* Gives DB another schema. ERR_UNSUPPORTED, or what the host says. */
int server_db_convert(struct server_db *db, const struct schema *schema,
                      struct diag *diag) MUST_CHECK;

/* ---- session.c ---- */
struct session *session_new(struct ovsdb_server *server, struct stream *stream);
void session_free(struct session *session); /* drops the connection and all that it holds */
void session_reply_error(struct session *session, const json_t *id, const char *tag,
                         const json_t *syntax, const char *format, ...) PRINTF_FORMAT(5, 6);
/* Takes over what ERROR holds. */
void session_reply_op_error(struct session *session, const json_t *id, struct op_error *error);
void session_reply_empty(struct session *session, const json_t *id); /* {} */
/* The database that params begin with; NULL after an error was answered. */
struct server_db *session_find_db(struct session *session, const struct jsonrpc_message *msg);

static inline bool session_may_only_read(const struct session *session)
{
    return session->is_read_only || session->server->is_read_only;
}

/* ---- transact.c ---- */
void session_transact(struct session *session, const struct jsonrpc_message *msg);
void session_consider(struct session *session, const struct jsonrpc_message *msg);
void session_cancel(struct session *session, const json_t *params);
void session_drop_triggers(struct session *session, const struct server_db *db); /* NULL: all */

/* ---- lock.c ---- */
void session_lock(struct session *session, const struct jsonrpc_message *msg);
void session_unlock(struct session *session, const struct jsonrpc_message *msg);
void session_drop_locks(struct session *session);
void server_drop_locks(struct ovsdb_server *server); /* the host's: all sessions are gone */
enum lock_state { LOCK_HELD, LOCK_WAITING, LOCK_LOST };
/* Appends the names of the session's locks in that STATE, a space before each but the first of OUT. */
void session_put_locks(const struct session *session, enum lock_state state, struct str *out);
bool session_owns_lock(const struct session *session, const char *name);

/* ---- monitor.c ---- */
void session_monitor(struct session *session, const struct jsonrpc_message *msg);
void session_monitor_change(struct session *session, const struct jsonrpc_message *msg);
void session_monitor_cancel(struct session *session, const struct jsonrpc_message *msg);
/* NULL: all. TELL: with a monitor_canceled notification each. */
void session_drop_monitors(struct session *session, const struct server_db *db, bool tell);
bool session_has_monitors(const struct session *session, const struct server_db *db);
/* A transaction is durable. */
void monitor_tell(struct server_db *db, const struct changeset *cs);
struct shape;
void shape_unref(struct server_db *db, struct shape *shape);
size_t monitor_count(const struct ovsdb_server *server);

/* ---- self.c ---- */
void self_open(struct ovsdb_server *server);
void self_set_db(struct ovsdb_server *server, const struct schema *schema, bool present);

/* ---- remote.c ---- */
void remote_free(struct remote *remote); /* and its sessions */
void remote_session_closed(struct remote *remote);
void remote_refresh_all(void *server); /* those that rows of a database name */
void remote_age_all(void *server); /* those that connect tell anew how long they are connected */
void remote_status_changed(struct remote *remote); /* the row that named it is written soon */
void remote_free_all(struct ovsdb_server *server);
void remote_tell_all(const struct server_db *db, const struct changeset *cs);

/* ---- tls_db.c ---- */
void tls_db_refresh(struct ovsdb_server *server);
void tls_db_tell(const struct server_db *db, const struct changeset *cs);
void tls_db_fini(struct ovsdb_server *server);
