/* sql.c - opening and closing the file of a store, and small helpers around SQLite.
 *
 * See sql.h for the format. Opening verifies: it is a file of ours, whole, of a format we know, and
 * nobody else has it open.
 */
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

int sql_error(const struct sql *sql, struct diag *diag)
{
    int code = sqlite3_errcode(sql->db) & 0xff;
    int err = code == SQLITE_FULL      ? ERR_NO_SPACE
              : code == SQLITE_CORRUPT ? ERR_CORRUPT
              : code == SQLITE_NOTADB  ? ERR_CORRUPT
                                       : ERR_IO;
    return diag_set(diag, err, "%s", sqlite3_errmsg(sql->db));
}

int sql_exec(struct sql *sql, struct diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    int code = sqlite3_exec(sql->db, text, NULL, NULL, NULL);
    free(text);
    return code == SQLITE_OK ? 0 : sql_error(sql, diag);
}

int sql_prepare(struct sql *sql, sqlite3_stmt **stmt, struct diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    int code = sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    free(text);
    return code == SQLITE_OK ? 0 : sql_error(sql, diag);
}

int sql_run(struct sql *sql, sqlite3_stmt *stmt, struct diag *diag)
{
    int code = sqlite3_step(stmt);
    int err = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : sql_error(sql, diag);
    sqlite3_reset(stmt);
    return err;
}

int sql_put_meta_text(struct sql *sql, const char *key, const char *text, struct diag *diag)
{
    sqlite3_bind_text(sql->put_meta, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(sql->put_meta, 2, text, -1, SQLITE_STATIC);
    return sql_run(sql, sql->put_meta, diag);
}

/* The first column of the first row of a query as heap text, or NULL. */
static char *query_text(struct sql *sql, const char *query)
{
    sqlite3_stmt *stmt;
    char *text = NULL;
    if (sqlite3_prepare_v2(sql->db, query, -1, &stmt, NULL) != SQLITE_OK)
        return NULL;
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
        text = xstrdup((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return text;
}

static int64_t query_integer(struct sql *sql, const char *query)
{
    char *text = query_text(sql, query);
    int64_t i = 0;
    if (text && text_to_i64(text, 10, &i))
        i = 0;
    free(text);
    return i;
}

/* ---- opening ---- */

/* Looks at the beginning of the file, before SQLite does, to say clearly what it is not. */
static int check_kind(const char *path, bool *ret_is_absent, struct diag *diag)
{
    static const char magic[] = "SQLite format 3";
    char head[sizeof magic] = {0};
    struct stat st;
    *ret_is_absent = stat(path, &st) && errno == ENOENT;
    if (*ret_is_absent)
        return 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return diag_set(diag, ERR_IO, "cannot be opened: %s", strerror(errno));
    ssize_t n = read(fd, head, sizeof head);
    close(fd);
    if (n < 0)
        return diag_set(diag, ERR_IO, "cannot be read: %s", strerror(errno));
    if (n >= 6 && !memcmp(head, "OVSDB ", 6))
        return diag_set(diag, ERR_UNSUPPORTED,
                        "is a file of ovsdb-server, which has to be imported");
    if (n && (n < (ssize_t)sizeof head || memcmp(head, magic, sizeof magic)))
        return diag_set(diag, ERR_CORRUPT, "is not a database");
    *ret_is_absent = n == 0;
    return 0;
}

static int take_lock(struct sql *sql, const char *path, struct diag *diag)
{
    char *lock = xasprintf("%s.lock", path);
    int err = 0;
    sql->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (sql->lock_fd < 0)
        err = diag_set(diag, ERR_IO, "cannot create its lock file: %s", strerror(errno));
    else if (flock(sql->lock_fd, LOCK_EX | LOCK_NB))
        err = errno == EWOULDBLOCK
                  ? diag_set(diag, ERR_EXISTS, "is in use by another process")
                  : diag_set(diag, ERR_IO, "cannot be locked: %s", strerror(errno));
    free(lock);
    return err;
}

static int connect_file(struct sql *sql, const struct store_options *options, struct diag *diag)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    sql->wal_layer = sql_wal_layer(options->relaxed);
    int code = sqlite3_open_v2(options->path, &sql->db, flags, sql->wal_layer->zName);
    if (code != SQLITE_OK)
        return diag_set(diag, ERR_IO, "cannot be opened: %s",
                        sql->db ? sqlite3_errmsg(sql->db) : sqlite3_errstr(code));
    sqlite3_busy_timeout(sql->db, 2000);
    int err = sql_exec(sql, diag, "PRAGMA page_size=%d; PRAGMA journal_mode=WAL", SQL_PAGE_SIZE);
    int64_t page = query_integer(sql, "PRAGMA page_size"); /* an old file keeps its own */
    if (!err && page > 0)
        err = sql_exec(sql, diag, "PRAGMA wal_autocheckpoint=%d", (int)(SQL_LOG_BYTES / page));
    if (!err)
        err = sql_exec(sql, diag, "PRAGMA synchronous=FULL");
    return err;
}

static int verify(struct sql *sql, struct diag *diag)
{
    char *verdict = query_text(sql, "PRAGMA integrity_check(1)");
    int err = 0;
    if (!verdict)
        err = sql_error(sql, diag);
    else if (strcmp(verdict, "ok"))
        err = diag_set(diag, ERR_CORRUPT, "is damaged: %s", verdict);
    free(verdict);
    return err;
}

static int check_format(struct sql *sql, struct diag *diag)
{
    int64_t application = query_integer(sql, "PRAGMA application_id");
    int64_t format = query_integer(sql, "PRAGMA user_version");
    sql->format = SQL_FORMAT;
    sql->is_new = !application && !query_integer(sql, "SELECT count(*) FROM sqlite_master");
    if (sql->is_new)
        return 0;
    if (application != SQL_APPLICATION_ID)
        return diag_set(diag, ERR_UNSUPPORTED, "is a SQLite file of another program");
    sql->format = (int)format;
    if (format > SQL_FORMAT)
        return diag_set(diag, ERR_UNSUPPORTED,
                        "has format %lld, written by a newer version than this one (format %d)",
                        (long long)format, SQL_FORMAT);
    return 0;
}

int sql_open(const struct store_options *options, struct sql **ret, struct diag *diag)
{
    struct sql *sql = NEW(struct sql);
    bool is_absent = false;
    sql->lock_fd = -1;
    int err = check_kind(options->path, &is_absent, diag);
    if (!err && is_absent && !options->create)
        err = diag_set(diag, ERR_NOT_FOUND, "does not exist");
    if (!err)
        err = take_lock(sql, options->path, diag);
    if (!err)
        err = connect_file(sql, options, diag);
    if (!err)
        err = verify(sql, diag);
    if (!err)
        err = check_format(sql, diag);
    if (err)
        sql_close(sql);
    else
        *ret = sql;
    return err;
}

void sql_close(struct sql *sql)
{
    if (!sql)
        return;
    sqlite3_finalize(sql->put_meta);
    sqlite3_finalize(sql->put_history);
    sqlite3_finalize(sql->begin);
    sqlite3_finalize(sql->commit);
    sqlite3_close(sql->db); /* the last connection folds the WAL into the file */
    sql_wal_layer_free(sql->wal_layer);
    if (sql->lock_fd >= 0)
        close(sql->lock_fd);
    free(sql);
}

int sql_read_schema(struct sql *sql, struct schema **ret, struct diag *diag)
{
    *ret = NULL;
    if (sql->is_new)
        return 0;
    char *text = query_text(sql, "SELECT value FROM _meta WHERE key='schema'");
    int err =
        text ? schema_from_text(text, ret, diag) : diag_set(diag, ERR_CORRUPT, "holds no schema");
    free(text);
    return err;
}

int sql_read_position(struct sql *sql, struct store *store, struct diag *diag)
{
    char *id = query_text(sql, "SELECT id FROM _history ORDER BY number DESC LIMIT 1");
    int64_t number = query_integer(sql, "SELECT max(number) FROM _history");
    int err = 0;
    if (!id || !uuid_parse(id, &store->told_id) || number < 0)
        err = diag_set(diag, ERR_CORRUPT, "does not say what its last transaction was");
    store->told_number = (uint64_t)number;
    sql->history_bytes = query_integer(sql, "SELECT sum(length(changes)) FROM _history");
    free(id);
    return err;
}
