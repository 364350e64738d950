/* sql.h - the SQLite side of a store; only for lib/store's sql files.
 *
 * File format 1, readable with any SQLite tool:
 *
 *   _meta(key, value)           format; schema (JSON text); number and id of the last transaction
 *   _history(number, id, wall_ms, author, comment, n_changes)   the latest transactions
 *   "T"(_id, _uuid, _version, ...)   one row a row; a column for each scalar and optional column of
 *                               OVSDB table T (NULL: empty optional; booleans 0 and 1)
 *   "T__c"(_row, value) or (_row, key, value)   sets and maps: one row an element, _row is T._id
 *
 *   view "_T"                   table T with its sets and maps as text
 *
 * Names of OVSDB never begin with "_", so nothing collides. _id grows with age, uuids have no index:
 * uniqueness is the store's business, in memory. PRAGMA application_id says that the file is ours,
 * user_version is the number of the format. A file in use is locked through FILE.lock (flock), not
 * through SQLite, so that reading tools are welcome at any time.
 */
#pragma once

#include <sqlite3.h>

#include "store/store_private.h"

enum { SQL_APPLICATION_ID = 0x57454654 /* "WEFT" */, SQL_FORMAT = 1, SQL_HISTORY_KEPT = 10000 };

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
    int lock_fd;
    bool is_new; /* without tables yet */
    sqlite3_stmt *put_meta, *put_history, *trim_history;
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

/* sql_write.c */
int sql_row_insert(struct sql *sql, struct sql_table *table, const struct row *row, int64_t sql_id,
                   struct diag *diag) MUST_CHECK;
