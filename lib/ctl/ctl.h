/* ctl.h - what nbctl, sbctl and vsctl share: a table of commands becomes a program.
 *
 * A program is a struct ctl_program: its schema, where its database is, and its commands. This
 * module adds the generic database commands (list, find, get, set, add, remove, clear, create,
 * destroy, wait-until, comment, init), the command line, help and completion made of the same
 * tables, and the run:
 *
 *     parse everything -> connect, copying only the tables that the commands need -> run the
 *     commands in order on a view (view.h) -> one transaction -> print
 *
 * Commands are separated by "--". All of them succeed or nothing happens; a command that finds data
 * changed under it, or that waits for something, is run again on newer data, so a run function must
 * depend on nothing but its call. Options before a command's name belong to it.
 *
 * Messages, exit codes and formats are those of ovn-nbctl, ovn-sbctl and ovs-vsctl.
 */
#pragma once

#include <limits.h>

#include "ctl/table_text.h"
#include "ctl/view.h"
#include "io/rundir.h"

struct ctl;
struct ctl_call;
struct tls_config;

enum { CTL_ANY = INT_MAX }; /* any number of arguments */

struct ctl_command {
    const char *name;    /* NULL with help: a heading; NULL without: the end of the table */
    int min, max;        /* number of arguments */
    const char *args;    /* for help: "SWITCH PORT" */
    const char *options; /* "--may-exist,--tag=" ("=": with a value, "=?": maybe); NULL: none */
    const char *tables;  /* names of tables that it reads or writes, separated by spaces */
    int (*prepare)(struct ctl_call *call); /* NULL, or says what else it needs (ctl_need) */
    int (*run)(struct ctl_call *call);     /* 0; ctl_fail(..); ERR_AGAIN: again after a change */
    const char *help;
};

/* By what besides uuids rows of a table are known (a column "name" need not be listed). */
struct ctl_row_id {
    const char *table;
    const char *name_table;  /* where NAME_COLUMN is; NULL: the table itself */
    const char *name_column; /* a string or strings, or with KEY a map */
    const char *key;
    const char *ref_column; /* of NAME_TABLE: leads to the row; NULL: it is that row */
};

/* One table of "show". */
struct ctl_show {
    const char *table;
    const char *name_column; /* NULL: the uuid */
    const char *columns[8];  /* NULL-ended; references to tables that are shown are followed */
    const char *back_table;  /* rows of this table whose BACK_COLUMN refers here, by their name */
    const char *back_column, *back_name;
};

struct ctl_option {
    int id; /* 1000 and up; 0 ends the table */
    char letter;
    const char *name;
    const char *arg; /* NULL: none */
    const char *help;
};

/* Commands that begin with OLD are those that begin with NEW, unlisted: "lport-" was "lsp-". */
struct ctl_old_name {
    const char *old, *new;
};

struct ctl_program {
    const char *name;      /* "weft-nbctl" */
    const char *peer_name; /* "ovn-nbctl": its defaults hold when started under this name */
    const char *summary;
    struct schema *(*schema_new)(void);
    const char *socket; /* in the run directory: "ovnnb_db.sock" */
    enum rundir_side side;
    const char *db_variable;                   /* environment: "OVN_NB_DB"; NULL: none */
    const char *daemon_variable;               /* "OVN_NB_DAEMON"; NULL: has no daemon mode */
    bool may_follow;                           /* has --leader-only and --no-leader-only */
    const struct ctl_command *const *commands; /* NULL-ended list of tables */
    const struct ctl_row_id *row_ids;          /* ended by table NULL; may be NULL */
    const struct ctl_show *show;               /* the first is the root; NULL: no generic show */
    const struct ctl_option *options;          /* may be NULL */
    int (*set_option)(struct ctl *ctl, int id, const char *arg, struct diag *diag);
    /* Before the commands, each time they are run; may change the view. May be NULL. */
    int (*before)(struct ctl *ctl, struct diag *diag);
    /* May add to the transaction; CHANGED: the commands change something. May be NULL. */
    void (*amend)(struct ctl *ctl, struct replica_txn *txn, bool changed);
    /* After the commit: false as long as the program has to wait for others' answers. */
    bool (*is_done)(struct ctl *ctl);     /* may be NULL */
    const char *tables;                   /* always needed */
    const char *root;                     /* of ctl_connection_commands: "NB_Global" */
    const struct ctl_old_name *old_names; /* ended by OLD NULL; may be NULL */
};

/* A whole program: returns the exit status. */
int ctl_main(int argc, char **argv, const struct ctl_program *program, void *aux);

/* ---- for run functions ---- */
struct ctl_call {
    struct ctl *ctl;
    struct view *view;
    const struct ctl_command *command;
    int argc;    /* arguments, the name not counted */
    char **argv; /* the first argument is argv[0] */
    struct str out, warnings;
    struct table_text *table; /* printed after OUT; owned by the call */
    struct uuid created;      /* create: printed when the transaction has succeeded */
    struct diag diag;
    VEC(char *) options; /* as given: "--may-exist", "--id=@x" */
};

/* Sets the error that the program ends with and returns an error code. */
int ctl_fail(struct ctl_call *call, const char *format, ...) PRINTF_FORMAT(2, 3) MUST_CHECK;
bool ctl_has_option(const struct ctl_call *call, const char *option);    /* "--may-exist" */
const char *ctl_option(const struct ctl_call *call, const char *option); /* its value, or NULL */
/* The program ends with STATUS once all commands have run (ovs-vsctl br-exists: 2). */
void ctl_set_status(struct ctl_call *call, int status);
void *ctl_aux(const struct ctl *ctl);
struct view *ctl_view(const struct ctl *ctl);
const struct schema *ctl_schema(const struct ctl *ctl);
struct replica *ctl_replica(const struct ctl *ctl);
struct ctl_symbols *ctl_symbols(struct ctl *ctl);
/* What the command line says for ssl:, once the database is connected; NULL: nothing. Borrowed. */
struct tls_config *ctl_tls(const struct ctl *ctl);
const struct ctl_program *ctl_program(const struct ctl *ctl);
bool ctl_is_dry_run(const struct ctl *ctl);
/* For set_option: the server is asked what the transaction will cost, and its answer printed behind the commands' output. */
void ctl_want_cost(struct ctl *ctl);
const struct table_style *ctl_table_style(const struct ctl *ctl);
/* "TIME|N|MODULE|WARN|text" for standard error as the field's tools print it: at once, or once the
 * commands have run on all they need. */
void ctl_warn_now(const char *module, const char *format, ...) PRINTF_FORMAT(2, 3);
void ctl_warn(struct ctl_call *call, const char *module, const char *format, ...)
    PRINTF_FORMAT(3, 4);

/* In prepare: the table (all its columns) will be needed. */
void ctl_need(struct ctl *ctl, const struct schema_table *table);

/* ---- lookup.c: names of tables, columns and rows as people give them ---- */
/* Case does not matter, "-" is "_", and a unique beginning is enough. */
int ctl_find_table(struct ctl_call *call, const char *name, const struct schema_table **ret);
/* The same; ALLOW_UUID: "_uuid" too. */
int ctl_find_column(struct ctl_call *call, const struct schema_table *table, const char *name,
                    bool allow_uuid, const struct schema_column **ret);
/* By uuid, name, "." (tables of one row), unique beginning of a uuid (four digits or more), or
 * @symbol. *ret is NULL when there is none and IF_EXISTS; otherwise that is an error. */
int ctl_find_row(struct ctl_call *call, const struct schema_table *table, const char *id,
                 bool if_exists, const struct row **ret);
/* "COLUMN[:KEY]=VALUE": sets it in *ROW, which becomes the new version. */
int ctl_assign(struct ctl_call *call, const struct row **row, const char *argument);
/* In prepare: the tables that ctl_find_row reads for TABLE. */
void ctl_need_lookup(struct ctl *ctl, const struct schema_table *table);
/* Does the connected server have the column? */
bool ctl_server_has(const struct ctl *ctl, const struct schema_column *column);

/* ---- the tables of generic commands (NULL-ended list) ---- */
extern const struct ctl_command ctl_db_read_commands[], ctl_db_write_commands[];
/* get-connection, set-connection, get-ssl ... */
extern const struct ctl_command ctl_connection_commands[];
/* The command of that name, or NULL. */
const struct ctl_command *ctl_find_command(const struct ctl_program *program, const char *name);
int ctl_show_run(struct ctl_call *call);
int ctl_show_prepare(struct ctl_call *call);

/* ---- help.c ---- */
void ctl_put_help(const struct ctl_program *program, const char *program_name, struct str *out);
void ctl_put_options_help(const struct ctl_program *program, struct str *out);
void ctl_put_commands(const struct ctl_program *program, struct str *out); /* for completion */
