/* sql_wal.c - how the write-ahead log reaches the disk: a commit is one write and one fsync, or one
 * write.
 *
 * See sql.h. SQLite writes each page of a commit to its log in two calls, 10 for a small transaction.
 * This layer over SQLite's own file functions (a VFS) keeps what follows on one another in memory
 * until the log is synced, read, cut or closed. With synchronous=FULL a commit is published, to this
 * process and to others, only after its sync: nobody looks at what is still here. Of a relaxed file
 * a sync ends in writing what is here. Other files are opened without it, a relaxed database with its
 * own sync left out.
 */
#include <stdlib.h>
#include <string.h>

#include "store/sql.h"

/* The largest page is what SQLite's file functions count on. */
enum { MAX_GATHERED = 64 << 10, RESERVED_AT_ONCE = 1 << 20 };

struct wal_file {
    sqlite3_file base;
    char *bytes; /* that belong at AT */
    size_t n, cap;
    sqlite3_int64 at;
    sqlite3_int64 reserved; /* the file has blocks up to here, most likely; 0: not known */
    bool relaxed;
    uint64_t real[]; /* a sqlite3_file of the layer below */
};

struct layer {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    bool relaxed;
    sqlite3_io_methods unsynced; /* those of the database file of a relaxed store */
};

static sqlite3_file *real_of(struct wal_file *f)
{
    return (sqlite3_file *)f->real;
}

static const sqlite3_io_methods *below(struct wal_file *f)
{
    return real_of(f)->pMethods;
}

/* Puts zeros where the log will grow: a sync of written blocks is cheaper than one of new blocks,
 * and of a file that does not grow. When there is no room, writing what is there to write tells. */
static void reserve(struct wal_file *f, sqlite3_int64 end)
{
    static const char zeros[MAX_GATHERED];
    sqlite3_int64 size = 0;
    if (f->relaxed || end <= f->reserved)
        return;
    f->reserved = (end + RESERVED_AT_ONCE - 1) / RESERVED_AT_ONCE * RESERVED_AT_ONCE;
    if (below(f)->xFileSize(real_of(f), &size) != SQLITE_OK)
        return;
    for (sqlite3_int64 at = MAX(size, end); at < f->reserved; at += MAX_GATHERED) {
        int n = (int)MIN(f->reserved - at, (sqlite3_int64)MAX_GATHERED);
        if (below(f)->xWrite(real_of(f), zeros, n, at) != SQLITE_OK)
            return;
    }
}

/* A failure takes back what was gathered: SQLite writes the whole transaction anew, or gives up. */
static int write_gathered(struct wal_file *f)
{
    size_t n = f->n;
    f->n = 0;
    if (!n)
        return SQLITE_OK;
    reserve(f, f->at + (sqlite3_int64)n);
    return below(f)->xWrite(real_of(f), f->bytes, (int)n, f->at);
}

static void gather(struct wal_file *f, const void *bytes, size_t n)
{
    if (f->cap < f->n + n) {
        f->cap = MAX(f->cap * 2, f->n + n);
        f->bytes = xrealloc(f->bytes, f->cap);
    }
    memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
}

static int wal_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct wal_file *f = (struct wal_file *)file;
    bool follows = at == f->at + (sqlite3_int64)f->n && f->n + (size_t)n <= MAX_GATHERED;
    int code = follows ? SQLITE_OK : write_gathered(f);
    if (code != SQLITE_OK)
        return code;
    if (!f->n)
        f->at = at;
    gather(f, bytes, (size_t)n);
    return SQLITE_OK;
}

static int wal_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
    struct wal_file *f = (struct wal_file *)file;
    int code = write_gathered(f);
    return code == SQLITE_OK ? below(f)->xRead(real_of(f), bytes, n, at) : code;
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct wal_file *f = (struct wal_file *)file;
    int code = write_gathered(f);
    f->reserved = 0;
    return code == SQLITE_OK ? below(f)->xTruncate(real_of(f), size) : code;
}

static int wal_sync(sqlite3_file *file, int flags)
{
    struct wal_file *f = (struct wal_file *)file;
    int code = write_gathered(f);
    return code == SQLITE_OK && !f->relaxed ? below(f)->xSync(real_of(f), flags) : code;
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct wal_file *f = (struct wal_file *)file;
    int code = write_gathered(f);
    return code == SQLITE_OK ? below(f)->xFileSize(real_of(f), size) : code;
}

static int wal_close(sqlite3_file *file)
{
    struct wal_file *f = (struct wal_file *)file;
    int code = write_gathered(f), closed = below(f)->xClose(real_of(f));
    free(f->bytes);
    return code == SQLITE_OK ? closed : code;
}

static int wal_lock(sqlite3_file *file, int level)
{
    struct wal_file *f = (struct wal_file *)file;
    return below(f)->xLock(real_of(f), level);
}

static int wal_unlock(sqlite3_file *file, int level)
{
    struct wal_file *f = (struct wal_file *)file;
    return below(f)->xUnlock(real_of(f), level);
}

static int wal_is_locked(sqlite3_file *file, int *is_locked)
{
    struct wal_file *f = (struct wal_file *)file;
    return below(f)->xCheckReservedLock(real_of(f), is_locked);
}

static int wal_control(sqlite3_file *file, int op, void *arg)
{
    struct wal_file *f = (struct wal_file *)file;
    return below(f)->xFileControl(real_of(f), op, arg);
}

static int wal_sector_size(sqlite3_file *file)
{
    struct wal_file *f = (struct wal_file *)file;
    return below(f)->xSectorSize(real_of(f));
}

static int wal_device(sqlite3_file *file)
{
    struct wal_file *f = (struct wal_file *)file;
    return below(f)->xDeviceCharacteristics(real_of(f));
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_is_locked,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector_size,
    .xDeviceCharacteristics = wal_device,
};

static int sync_nothing(sqlite3_file *file UNUSED, int flags UNUSED)
{
    return SQLITE_OK;
}

static int open_log(struct layer *layer, const char *name, struct wal_file *f, int flags, int *out)
{
    *f = (struct wal_file){.relaxed = layer->relaxed};
    int code = layer->real->xOpen(layer->real, name, real_of(f), flags, out);
    if (code == SQLITE_OK)
        f->base.pMethods = &wal_methods;
    else if (below(f))
        below(f)->xClose(real_of(f));
    return code;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct layer *layer = vfs->pAppData;
    if (flags & SQLITE_OPEN_WAL)
        return open_log(layer, name, (struct wal_file *)file, flags, out);
    int code = layer->real->xOpen(layer->real, name, file, flags, out);
    if (code == SQLITE_OK && layer->relaxed && flags & SQLITE_OPEN_MAIN_DB) {
        layer->unsynced = *file->pMethods;
        layer->unsynced.xSync = sync_nothing;
        file->pMethods = &layer->unsynced;
    }
    return code;
}

/* Each connection has a layer of its own: the tree has no globals that are written. */
sqlite3_vfs *sql_wal_layer(bool relaxed)
{
    struct layer *layer = NEW(struct layer);
    layer->real = sqlite3_vfs_find(NULL);
    layer->relaxed = relaxed;
    layer->vfs = *layer->real;
    layer->vfs.pNext = NULL;
    layer->vfs.zName = xasprintf("weft-%p", (void *)layer);
    layer->vfs.szOsFile = (int)sizeof(struct wal_file) + layer->real->szOsFile;
    layer->vfs.pAppData = layer;
    layer->vfs.xOpen = open_file;
    INVARIANT(sqlite3_vfs_register(&layer->vfs, 0) == SQLITE_OK);
    return &layer->vfs;
}

void sql_wal_layer_free(sqlite3_vfs *vfs)
{
    if (!vfs)
        return;
    sqlite3_vfs_unregister(vfs);
    free((char *)(uintptr_t)vfs->zName);
    free(vfs->pAppData);
}
