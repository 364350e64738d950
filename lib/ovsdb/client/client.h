/* client.h - the state of one OVSDB client session, shared by the files of this folder.
 *
 * client.c     the source's functions; connecting, messages, the lock
 * begin.c      the sequence by which a session begins
 * monitor.c    which columns to ask for, monitor requests, updates into change sets
 * updates.c    contents and updates read row by row from their text
 * watch.c      a small monitor beside that of the copy
 * transact.c   operations into JSON, replies into error codes
 *
 * Not for users of the module: they see source.h.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/vec.h"
#include "io/jsonrpc.h"
#include "io/reconnect.h"
#include "ovsdb/client/source.h"
#include "replica/row_table.h"
#include "schema/share.h"

enum client_state {
    CLIENT_OFFLINE,        /* no connection */
    CLIENT_SERVER_SCHEMA,  /* get_schema _Server was sent */
    CLIENT_SERVER_MONITOR, /* monitor_cond _Server was sent */
    CLIENT_SCHEMA,         /* get_schema of the database was sent (no _Server) */
    CLIENT_MONITOR,        /* a monitor request was sent */
    CLIENT_STEADY          /* the contents are here, updates follow */
};

/* How a column's changes arrive; depends on the type that the server's schema gives it. */
enum column_mode { COLUMN_ABSENT, COLUMN_REPLACED, COLUMN_TOGGLED };

enum monitor_kind { MONITOR_COND_SINCE, MONITOR_COND, MONITOR_PLAIN };

struct client_table {
    const struct schema_table *table;
    bool wanted;
    bool *asked; /* by column index; NULL: all */
    struct condition condition;
    bool condition_changed; /* and not yet sent */
    bool present;           /* on this server */
    uint8_t *modes;         /* enum column_mode by column index */
    struct row_table rows;
};

struct client_columns { /* a call of ovsdb_client_source_set_columns before the start */
    char *table;
    char **names;
    size_t n;
};

typedef VEC(struct change) change_vec;

struct client_request { /* a transaction on its way */
    struct list node;
    json_int_t id;
    void (*done)(void *aux, int err, const char *error);
    void *aux;
    int err; /* of one that was never sent */
};

struct client_watch {
    const struct schema_table *table; /* NULL: nothing was ever watched */
    struct condition where;
    void (*fn)(void *aux, const struct uuid *row);
    void *aux;
    bool is_changed;     /* and not yet sent */
    bool is_open;        /* in this connection */
    json_int_t expected; /* id of the request that was sent last; -1: answered */
};

struct client {
    struct replica_source base;
    struct loop *loop;
    char *remotes;
    struct stream_options stream_options;
    char *rundir;
    bool leader_only;
    int probe_ms; /* -1: by kind of remote */
    VEC(struct client_columns) columns;

    const struct schema *schema; /* ours */
    struct replica_sink sink;
    struct client_table *tables; /* by table index */
    struct share *share;

    struct reconnect *reconnect;
    struct jsonrpc *rpc;
    enum client_state state;
    enum monitor_kind monitor_kind;
    json_int_t expected; /* id of the request of the begin sequence that is out */
    json_int_t lock_id;
    json_int_t conditions_id; /* of the change of conditions that was sent last; -1: answered */
    char *server_row;         /* uuid text of our row in _Server, NULL without _Server */
    char *server_schema;      /* text, as of the present or last connection */
    struct uuid last_id;      /* transaction id up to which rows is complete; zero: none */
    char *lock;
    bool has_lock;
    unsigned failures;
    unsigned in_vain; /* connections in a row that did not become steady */
    char *error;
    char *transaction_error;
    bool considers; /* the next transaction */
    char *answer;

    struct client_watch watch;

    struct list requests; /* sent, in order */
    struct list refused;  /* to be told that they were not sent */
    struct deferred tell_refused, send_conditions;
};

/* client.c */
/* Gives the connection up because of what the server said or is, and goes on to the next. */
void client_give_up(struct client *client, const char *reason);
/* The same after a message that makes no sense: the next connection begins without what is here.
 * Finishes DIAG. */
void client_give_up_on_nonsense(struct client *client, struct diag *diag);

/* begin.c */
void client_begin(struct client *client);
void client_send_lock(struct client *client);
/* The reply to the request of the sequence that is out. */
void client_take_expected(struct client *client, const struct jsonrpc_message *msg);
void client_take_server_update(struct client *client, const json_t *updates);

/* monitor.c */
/* Compares our schema with the server's. ERR_SYNTAX, with the reason in DIAG. */
int client_match_schema(struct client *client, const struct schema *theirs,
                        struct diag *diag) MUST_CHECK;
void client_send_monitor(struct client *client);
void client_send_conditions(void *client);
/* The result of the monitor request. ERR_SYNTAX when it makes no sense. */
int client_take_initial(struct client *client, const json_t *result, struct diag *diag) MUST_CHECK;
/* A notification update, update2 or update3 on our monitor. */
int client_take_update(struct client *client, const char *method, const json_t *params,
                       struct diag *diag) MUST_CHECK;
bool client_is_our_monitor(const struct client *client, const json_t *id);
/* The parts of the two: the id, the rows (one by one, into V), and what is told when all have been read. Contents FOUND continue what is here. */
bool client_take_last_id(struct client *client, const json_t *id);
void client_contents_begin(struct client *client, bool found);
int client_take_row(struct client *client, struct client_table *t, const char *uuid_text,
                    json_t *update, change_vec *v, struct diag *diag) MUST_CHECK;
void client_contents_end(struct client *client, change_vec *v);
void client_tell_update(struct client *client, change_vec *v);
void client_drop_changes(change_vec *v);
json_t *client_monitor_id(const char *db);
void client_free_tables(struct client *client);

/* updates.c */
/* The callback text of jsonrpc.h: takes contents and updates of our monitor. */
bool client_take_text(void *client, const char *text, size_t n);

/* watch.c */
void client_watch_set(struct client *client, const struct schema_table *table,
                      struct condition *where); /* taken over */
void client_watch_send(struct client *client);
void client_watch_offline(struct client *client);
void client_watch_fini(struct client *client);
bool client_watch_is_settled(const struct client *client);
/* True when the message is of the watch. */
bool client_watch_take_reply(struct client *client, const struct jsonrpc_message *msg);
bool client_watch_take_update(struct client *client, const json_t *params);

/* transact.c */
void client_submit(struct client *client, struct ops *ops,
                   void (*done)(void *aux, int err, const char *error), void *aux);
/* True when ID was that of a transaction. */
bool client_take_reply(struct client *client, const struct jsonrpc_message *msg);
/* All that were sent end with ERR_AGAIN. */
void client_abandon_requests(struct client *client);
void client_tell_refused(void *client);
void client_free_requests(struct client *client);
