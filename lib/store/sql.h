/* sql.h - the SQLite side of a store; only for lib/store's sql files.
 *
 * File format 2, readable with any SQLite tool:
 *
 *   _meta(key, value)           schema (JSON text)
 *   _history(number, id, wall_ms, author, comment, n_changes, changes)
 *                               the latest transactions, see sql_history.c; the last one is the
 *                               state of the file
 *   "T"(_id, _uuid, _version, ...)   one row a row; a column for each scalar and optional column of
 *                               OVSDB table T (NULL: empty optional; booleans 0 and 1)
 *   "T__c"(_row, value) or (_row, key, value)   sets and maps: one row an element, _row is T._id
 *
 *   view "_T"                   table T with its sets and maps as text
 *   view "_T__c"(_uuid, name, ref, ref_name)   for a column c that refers to rows: which to which
 *
 * Names of OVSDB never begin with "_", so nothing collides. _id grows with age, uuids have no index:
 * uniqueness is the store's business, in memory. PRAGMA application_id says that the file is ours,
 * user_version is the number of the format. A file in use is locked through FILE.lock (flock), not
 * through SQLite, so that reading tools are welcome at any time.
 *
 * Format 1 had no changes in _history and the last number and id in _meta; it is upgraded at open.
 */
#pragma once

#include <sqlite3.h>

#include "store/store_private.h"

enum { SQL_APPLICATION_ID = 0x57454654 /* "WEFT" */, SQL_FORMAT = 2 };

/* A small transaction changes five pages or so, and each goes to the log whole. The log is emptied into
 * the file when it has about so many bytes, and then written over. */
enum { SQL_PAGE_SIZE = 2048, SQL_LOG_BYTES = 8 << 20 };

/* Bounds of the history: transactions, bytes of their changes; what one may have to be kept whole;
 * what is read at open. */
enum {
    SQL_HISTORY_KEPT = 10000,
    SQL_HISTORY_TRIM_EVERY = 256,
    SQL_HISTORY_BYTES = 64 << 20,
    SQL_HISTORY_SET_CHANGES = 10000,
    SQL_HISTORY_SET_BYTES = 1 << 20,
    SQL_HISTORY_LOAD_BYTES = 4 << 20,
};

/* The table of one set or map column. */
struct sql_child {
    const struct schema_column *column;
    char *name;
    sqlite3_stmt *add, *remove, *remove_all;
};

struct sql_table {
    const struct schema_table *schema;
    size_t n_scalars;
    const struct schema_column **scalars;
    size_t n_children;
    struct sql_child *children;
    sqlite3_stmt *insert, *update, *remove;
};

struct sql {
    sqlite3 *db;
    sqlite3_vfs *wal_layer;
    int lock_fd;
    int format;            /* of the file when it was opened */
    bool is_new;           /* without tables yet */
    bool is_suspect;       /* a write failed: the log has to be cleaned first */
    int64_t history_bytes; /* at most, of changes in _history */
    sqlite3_stmt *begin, *commit, *put_meta, *put_history;
};

/* sql.c */
int sql_error(const struct sql *sql, struct diag *diag); /* the last one of the connection */
int sql_exec(struct sql *sql, struct diag *diag, const char *format, ...)
    PRINTF_FORMAT(3, 4) MUST_CHECK;
int sql_prepare(struct sql *sql, sqlite3_stmt **stmt, struct diag *diag, const char *format, ...)
    PRINTF_FORMAT(4, 5) MUST_CHECK;
/* Runs a statement that returns nothing and resets it. */
int sql_run(struct sql *sql, sqlite3_stmt *stmt, struct diag *diag) MUST_CHECK;
int sql_put_meta_text(struct sql *sql, const char *key, const char *text,
                      struct diag *diag) MUST_CHECK;

/* sql_wal.c: file functions for one connection with synchronous=FULL. Ended after it. RELAXED: what is
 * written is left to the kernel. */
sqlite3_vfs *sql_wal_layer(bool relaxed);
void sql_wal_layer_free(sqlite3_vfs *vfs); /* NULL is allowed */

/* sql_layout.c */
struct sql_table *sql_table_new(const struct schema_table *schema);
void sql_table_free(struct sql_table *table);
int sql_table_create(struct sql *sql, const struct sql_table *table, struct diag *diag) MUST_CHECK;
int sql_table_drop(struct sql *sql, const struct sql_table *table, struct diag *diag) MUST_CHECK;
/* Makes the table's statements, unless they are there. */
int sql_table_prepare(struct sql *sql, struct sql_table *table, struct diag *diag) MUST_CHECK;
void sql_bind_atom(sqlite3_stmt *stmt, int i, enum atom_type type, const union atom *atom);

/* sql_load.c: calls FN for each row of a table, in order of age; FN takes over the row. */
int sql_table_read(struct sql *sql, const struct sql_table *table,
                   int (*fn)(void *aux, struct row *row, int64_t sql_id, struct diag *diag),
                   void *aux, struct diag *diag) MUST_CHECK;

/* sql_history.c */
int sql_history_put(struct sql *sql, const struct changeset *cs, const struct batch_step *steps,
                    size_t n, struct diag *diag) MUST_CHECK;
/* A state that does not come from the one before by known changes: a new file, another schema. */
int sql_history_put_origin(struct sql *sql, uint64_t number, const struct uuid *id, int64_t wall_ms,
                           const char *comment, struct diag *diag) MUST_CHECK;
/* NUMBER was just written: keeps to the bounds. */
int sql_history_trim(struct sql *sql, uint64_t number, struct diag *diag) MUST_CHECK;

/* sql_write.c */
int sql_row_insert(struct sql *sql, struct sql_table *table, const struct row *row, int64_t sql_id,
                   struct diag *diag) MUST_CHECK;
