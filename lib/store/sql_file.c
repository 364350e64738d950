/* sql_file.c - see store_file.h: reading a file, in use or not, through a connection that only reads. */
#include "store/store_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "store/sql.h"

static int open_reading(const char *path, sqlite3 **ret, struct diag *diag)
{
    int code = sqlite3_open_v2(path, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_stmt *stmt = NULL;
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(*ret, "PRAGMA application_id", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    int err = 0;
    if (code != SQLITE_ROW)
        err = diag_set(diag, ERR_IO, "%s: %s", path,
                       *ret ? sqlite3_errmsg(*ret) : sqlite3_errstr(code));
    else if (sqlite3_column_int64(stmt, 0) != SQL_APPLICATION_ID)
        err = diag_set(diag, ERR_UNSUPPORTED, "%s: is not a database of ours", path);
    sqlite3_finalize(stmt);
    if (err) {
        sqlite3_close(*ret);
        *ret = NULL;
        return err;
    }
    sqlite3_busy_timeout(*ret, 10000);
    return 0;
}

int store_file_backup(const char *path, const char *dst, struct diag *diag)
{
    sqlite3 *db;
    sqlite3_stmt *stmt = NULL;
    struct stat st;
    if (!stat(dst, &st) || errno != ENOENT)
        return diag_set(diag, ERR_EXISTS, "%s: is there already", dst);
    int err = open_reading(path, &db, diag);
    if (err)
        return err;
    if (sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_bind_text(stmt, 1, dst, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_DONE)
        err =
            diag_set(diag, ERR_IO, "%s: cannot be copied to %s: %s", path, dst, sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return err;
}

static const char *text_at(sqlite3_stmt *stmt, int i)
{
    return (const char *)sqlite3_column_text(stmt, i);
}

int store_file_log(const char *path, uint64_t n,
                   void (*fn)(void *aux, const struct store_log_entry *entry), void *aux,
                   struct diag *diag)
{
    sqlite3 *db;
    sqlite3_stmt *stmt = NULL;
    int err = open_reading(path, &db, diag), code;
    if (err)
        return err;
    code =
        sqlite3_prepare_v2(db,
                           "SELECT * FROM (SELECT number,wall_ms,id,author,comment,n_changes,"
                           "changes FROM _history ORDER BY number DESC LIMIT ?1) ORDER BY number",
                           -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(stmt, 1, n && n < INT64_MAX ? (int64_t)n : -1);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(stmt);
        if (code != SQLITE_ROW)
            break;
        struct store_log_entry entry = {
            .number = (uint64_t)sqlite3_column_int64(stmt, 0),
            .wall_ms = sqlite3_column_int64(stmt, 1),
            .id = text_at(stmt, 2),
            .author = text_at(stmt, 3),
            .comment = text_at(stmt, 4),
            .n_changes = (uint64_t)sqlite3_column_int64(stmt, 5),
            .changes = text_at(stmt, 6),
        };
        fn(aux, &entry);
    }
    if (code != SQLITE_DONE)
        err = diag_set(diag, ERR_IO, "%s: %s", path, sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return err;
}
