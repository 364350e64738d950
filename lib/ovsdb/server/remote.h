/* remote.h - where an OVSDB server listens and connects; not for others. */
#pragma once

#include "ovsdb/server/server_impl.h"

enum remote_kind { REMOTE_LISTENS, REMOTE_CONNECTS, REMOTE_DB };

/* What a row of a Connection or Manager table says beside the target. */
struct remote_config {
    char *target;
    struct uuid row;  /* zero: a target without a row */
    int64_t probe_ms; /* as in ovsdb_server_options */
    int64_t max_backoff_ms;
    bool read_only;
    char *role; /* NULL: none */
};

struct remote {
    struct list node; /* in server->remotes, or in parent->children */
    struct ovsdb_server *server;
    enum remote_kind kind;
    struct remote_config config;
    struct stream_listener *listener;
    struct reconnect *reconnect;
    size_t n_sessions;
    int64_t connected_ms,
        disconnected_ms; /* the last time that a session began and ended; 0: never */
    char *last_error;    /* of an attempt to connect; NULL: none since it stood */
    /* db:DB,TABLE,COLUMN */
    char *db, *table, *column;
    struct list children;
    struct remote *parent; /* of a child */
    bool status_is_due;
};

/* One target with what is known about it; takes over what CONFIG owns. NULL with DIAG. */
struct remote *remote_open(struct ovsdb_server *server, struct remote_config *config,
                           struct remote *parent, struct diag *diag);
void remote_config_fini(struct remote_config *config);

/* remote_db.c: makes the children of a db: remote what the rows say, and writes their state back. */
int remote_db_parse(struct remote *remote, struct diag *diag) MUST_CHECK;
void remote_db_refresh(struct remote *remote);
