/* dbctl.h - weft-dbctl: what its files share.
 *
 * Two programs in one: the database tool, which works on files (create, db-version, query ...), and
 * the client, which works on a server (list-dbs, get-schema, dump, monitor ...). What both can do
 * (query, transact, dump) is told apart by the first argument: a remote such as unix:... is a
 * server, anything else a file. Started as ovsdb-tool or ovsdb-client it takes that program's
 * commands and arguments only.
 *
 * A file is worked on through a server in this process, over a connection in memory: the same code
 * does both.
 *
 * program.c     command line and table of commands
 * session.c     a connection to a server, or to a file, with blocking requests
 * file.c        create, db-*, schema-*, needs-conversion
 * keep.c        convert, compact, check, log
 * move.c        import, export, backup, restore
 * ask.c         list-dbs, get-schema*, list-tables, list-columns, query, transact, wait
 * dump.c        dump        monitor.c   monitor
 */
#pragma once

#include "ctl/table_text.h"
#include "io/jsonrpc.h"
#include "io/loop.h"
#include "io/tls.h"
#include "store/store.h"

struct dbctl;

int dbctl_main(int argc, char **argv);

enum dbctl_side { DBCTL_FILE = 1, DBCTL_SERVER = 2 };

struct dbctl_command {
    const char *name; /* NULL ends the table */
    unsigned sides;   /* of enum dbctl_side */
    int min, max;     /* arguments behind SERVER (which may be left out) or FILE */
    const char *args; /* for help */
    int (*run)(struct dbctl *dbctl, struct diag *diag);
    const char *help;
};

struct dbctl {
    const char *name; /* of the program */
    unsigned sides;   /* that this name stands for */
    const struct dbctl_command *command;
    int argc; /* arguments of the command, without SERVER */
    char **argv;
    char *remote; /* of the server; NULL: a file, argv[0] */
    struct table_style style;
    int64_t timeout_s;
    int more;   /* how often -m was given */
    int status; /* exit status when run returned 0 */
    struct loop *loop;
    struct timer timer;
    const char *private_key, *certificate, *ca_cert;
    struct tls_config *tls; /* NULL: none were given */
    struct str out;         /* printed at the end */
};

/* ---- session.c ---- */
struct session_conn;
/* Connects to dbctl->remote, or opens FILE. */
int conn_open(struct dbctl *dbctl, const char *file, struct session_conn **ret, struct diag *diag);
void conn_close(struct session_conn *conn); /* NULL is allowed */
/* Sends a request (PARAMS stolen) and waits. The result is owned by the caller; an error of the
 * server is ERR_INVALID with its JSON text in DIAG. */
int conn_call(struct session_conn *conn, const char *method, json_t *params, json_t **ret,
              struct diag *diag);
/* FN is called with each notification, until it returns false or the connection ends. */
int conn_listen(struct session_conn *conn, bool (*fn)(void *aux, const struct jsonrpc_message *msg),
                void *aux, struct diag *diag);
/* The databases of the server but _Server. */
int conn_list_dbs(struct session_conn *conn, json_t **ret, struct diag *diag);
int conn_get_schema(struct session_conn *conn, const char *db, struct schema **ret,
                    struct diag *diag);
/* The name of the database that the next argument gives, or the only one that the server has. *used
 * says how many arguments that took. Owned by the caller. */
int conn_pick_db(struct session_conn *conn, const struct dbctl *dbctl, int max_rest, char **ret,
                 int *used, struct diag *diag);

/* ---- commands ---- */
/* Reads a file of JSON. */
int file_read_json(const char *path, json_t **ret, struct diag *diag);
int file_read_schema(const char *path, struct schema **ret, struct diag *diag);
int dbctl_create(struct dbctl *dbctl, struct diag *diag);
int dbctl_db_property(struct dbctl *dbctl, struct diag *diag);
int dbctl_schema_property(struct dbctl *dbctl, struct diag *diag);
int dbctl_needs_conversion(struct dbctl *dbctl, struct diag *diag);
int dbctl_is_standalone(struct dbctl *dbctl, struct diag *diag);
int dbctl_is_clustered(struct dbctl *dbctl, struct diag *diag);
int dbctl_convert(struct dbctl *dbctl, struct diag *diag);
int dbctl_compact(struct dbctl *dbctl, struct diag *diag);
int dbctl_check(struct dbctl *dbctl, struct diag *diag);
int dbctl_log(struct dbctl *dbctl, struct diag *diag);
int dbctl_import(struct dbctl *dbctl, struct diag *diag);
int dbctl_export(struct dbctl *dbctl, struct diag *diag);
int dbctl_backup(struct dbctl *dbctl, struct diag *diag);
int dbctl_restore(struct dbctl *dbctl, struct diag *diag);
int dbctl_compare_versions(struct dbctl *dbctl, struct diag *diag);
int dbctl_list_dbs(struct dbctl *dbctl, struct diag *diag);
int dbctl_get_schema(struct dbctl *dbctl, struct diag *diag);
int dbctl_list_tables(struct dbctl *dbctl, struct diag *diag);
int dbctl_list_columns(struct dbctl *dbctl, struct diag *diag);
int dbctl_transact(struct dbctl *dbctl, struct diag *diag);
int dbctl_wait(struct dbctl *dbctl, struct diag *diag);
int dbctl_dump(struct dbctl *dbctl, struct diag *diag);
int dbctl_monitor(struct dbctl *dbctl, struct diag *diag);
