/* server.h - serves stores over the OVSDB protocol (RFC 7047, with monitor_cond,
 * monitor_cond_since, _Server and locks as OVN and Open vSwitch use them).
 *
 * A server holds databases (each a struct store that someone else owns), listens on remotes or
 * connects to them, and keeps one session a connection. What a session sees is ordered: all updates
 * that a transaction causes leave before its reply, each transaction is one notification for each
 * monitor that it concerns, and nothing leaves before the store says that it is durable. Equal
 * notifications are made into text once and shared by all sessions.
 *
 * The server drives the stores: it calls store_commit at the end of a loop turn (LOOP_COMMIT),
 * store_collect when the disk is ready (or, with one session at most, store_flush) and
 * store_run_timeouts when due. It keeps the _Server database itself.
 *
 * Rooms 1 and 5. Knows no table of any database but _Server's, and (for "db:" remotes) columns that
 * hold Connection rows.
 */
#pragma once

#include "io/stream.h"
#include "io/tls.h"
#include "store/store.h"

struct ovsdb_server;

struct ovsdb_server_options {
    struct stream_options stream; /* rundir, tls; default_port 0 means TARGET_PORT_OVSDB */
    int64_t probe_ms;             /* inactivity probe on tcp and ssl; 0: 5000, -1: none */
    /* Answers monitor_cond_since with what a client has missed, from the store's history, and shows
     * transaction ids. Off: the zero id and everything anew, as a standalone ovsdb-server does. */
    bool resume;
    /* "convert" to another schema: closes STORE, whatever happens, and gives its rows under the new
     * schema as *ret; or fails and gives the store with the old one. NULL: not supported. */
    int (*convert)(void *aux, struct store *store, const char *schema_text, struct store **ret,
                   struct diag *diag);
    /* A database's file cannot be written (WHY), or can again (NULL): daemon_log_disk. May be NULL. */
    void (*disk_changed)(void *aux, const char *file, const char *why);
    /* Keys and certificates that a database names cannot be used (WHY), or are used from now on
     * (NULL): daemon_log_tls. May be NULL. */
    void (*tls_changed)(void *aux, const char *why);
    /* Whether the host has something to do while the disk works. NULL: it has not. */
    bool (*is_busy)(void *aux);
    /* Answers "weft_consider" (a transaction that is executed and taken back) about what CHANGES
     * of STORE would bring: adds a JSON object to OUT. False: cannot be said now, ask again. NULL:
     * there is no such method. */
    bool (*consider)(void *aux, struct store *store, const struct changeset *changes,
                     struct str *out);
    void *aux;
};

struct ovsdb_server *ovsdb_server_new(struct loop *loop,
                                      const struct ovsdb_server_options *options);
/* Disconnects everyone. Flushes the stores but does not close them. */
void ovsdb_server_free(struct ovsdb_server *server);

/* For ssl: and pssl: remotes added from now on. Borrowed; NULL: they are refused. */
void ovsdb_server_set_tls(struct ovsdb_server *server, const struct tls_config *tls);
/* The same by TEXTS, of which some are db:DB,TABLE,COLUMN: the first text that is not empty in the
 * column. When it changes, later connections go by the new one. */
void ovsdb_server_follow_tls(struct ovsdb_server *server, const char *const texts[TLS_N]);
/* The same with the columns of the table SSL of database DB, where set-ssl of the clients writes. */
void ovsdb_server_follow_ssl_table(struct ovsdb_server *server, const char *db);
const struct tls_config *ovsdb_server_tls(const struct ovsdb_server *server);

/* STORE is borrowed until it is removed or the server freed. ERR_EXISTS for a second of one name.
 * Removing cancels its monitors (aware sessions are told, others disconnected) and its waiting
 * transactions. */
int ovsdb_server_add_db(struct ovsdb_server *server, struct store *store,
                        struct diag *diag) MUST_CHECK;
void ovsdb_server_remove_db(struct ovsdb_server *server, struct store *store);
struct store *ovsdb_server_find_db(const struct ovsdb_server *server, const char *name);

/* TARGET: punix: ptcp: pssl: to listen, unix: tcp: ssl: to keep connecting to, or
 * db:DB,TABLE,COLUMN (targets in a string column, or of the rows that a column refers to).
 * ERR_EXISTS when it is there.
 */
int ovsdb_server_add_remote(struct ovsdb_server *server, const char *target,
                            struct diag *diag) MUST_CHECK;
int ovsdb_server_remove_remote(struct ovsdb_server *server, const char *target) MUST_CHECK;
void ovsdb_server_for_each_remote(const struct ovsdb_server *server,
                                  void (*fn)(void *aux, const char *target), void *aux);
/* The port that a ptcp: or pssl: remote is bound to; 0 when there is none. For tests. */
uint16_t ovsdb_server_remote_port(const struct ovsdb_server *server, const char *target);
/* Serves one more connection; takes over STREAM. For tests and for in-process clients. */
void ovsdb_server_add_stream(struct ovsdb_server *server, struct stream *stream);

/* While read-only, clients may not change anything nor take locks. */
void ovsdb_server_set_read_only(struct ovsdb_server *server, bool read_only);

/* The host holds the lock NAME (an identifier) itself, or does not any more. While it does, sessions wait for it, who had it is
 * told that it is stolen, and "steal" is refused: the host, who asserts nothing, is never one of two owners. */
void ovsdb_server_hold_lock(struct ovsdb_server *server, const char *name, bool hold);

size_t ovsdb_server_n_sessions(const struct ovsdb_server *server);
/* Adds "sessions:N monitors:N ..." for memory/show. */
void ovsdb_server_put_memory(const struct ovsdb_server *server, struct str *out);
/* Drops all connections; clients come back. */
void ovsdb_server_reconnect(struct ovsdb_server *server);
