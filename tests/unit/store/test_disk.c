/* test_disk.c - a disk that fails and a disk that lies, through a VFS of SQLite between the store and
 * the real files.
 *
 * Failing: a write is refused, is cut short, finds no space, or an fsync fails; the store refuses the
 * transaction with a reason, tells its host, keeps what was acknowledged, and goes on when the disk
 * does. Lying: the power goes at a random moment; what was written and not synced is there, or not,
 * or in part, in any combination, and every acknowledged transaction is found all the same.
 */
#include "harness.h"

#include <sqlite3.h>
#include <unistd.h>

#include "store/store_private.h"

enum { CUTS = 60, TOGETHER = 6 };

static int n_cuts = CUTS; /* as an argument says */

enum fault { FAULT_NONE, FAULT_WRITE, FAULT_SHORT, FAULT_SPACE, FAULT_SYNC, N_FAULTS };

/* A write that no sync has followed yet. */
struct unsynced {
    bool is_wal;
    int64_t offset;
    int n, n_old; /* n_old: bytes that were there before */
    char *new, *old;
};

static struct disk {
    sqlite3_vfs vfs, *real;
    enum fault fault;
    int after;  /* operations that still work; of a short write the sevenths that are written */
    int n_hits; /* faults that happened */
    VEC(struct unsynced) unsynced;
    bool is_recording;
    int cut_after; /* operations until the power goes; -1: it stays */
    const char *path;
    char *cut_path; /* where the files are put as the power cut left them */
    struct env_seeded env;
} disk;

struct disk_file {
    sqlite3_file base;
    bool is_wal, is_db;
    sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct disk_file *)file)->real;
}

/* ---- the power cut ---- */

static void copy_file(const char *from, const char *to)
{
    char *command = xasprintf("cp %s %s 2>/dev/null || true", from, to);
    assert_int_equal(system(command), 0);
    free(command);
}

static void write_at(FILE *f, int64_t offset, const void *bytes, size_t n)
{
    assert_int_equal(fseek(f, (long)offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
}

/* The copies begin with what is synced; then each other write got there whole, in part or not. */
static void lose_unsynced(FILE *f, bool is_wal)
{
    int64_t end = -1;
    for (size_t i = disk.unsynced.n; i > 0; i--) {
        const struct unsynced *u = &disk.unsynced.data[i - 1];
        if (u->is_wal != is_wal)
            continue;
        write_at(f, u->offset, u->old, (size_t)u->n_old);
        if (u->n_old < u->n) /* the file ended here before */
            end = u->offset + u->n_old;
    }
    fflush(f);
    if (end >= 0)
        assert_int_equal(ftruncate(fileno(f), end), 0);
    for (size_t i = 0; i < disk.unsynced.n; i++) {
        const struct unsynced *u = &disk.unsynced.data[i];
        uint64_t fate = env_random_u64(&disk.env.env);
        if (u->is_wal != is_wal || fate % 3 == 0)
            continue;
        write_at(f, u->offset, u->new, fate % 3 == 1 ? (size_t)u->n : (fate >> 8) % (size_t)u->n);
    }
}

static void cut_power(void)
{
    for (int is_wal = 0; is_wal < 2; is_wal++) {
        char *from = xasprintf("%s%s", disk.path, is_wal ? "-wal" : "");
        char *to = xasprintf("%s%s", disk.cut_path, is_wal ? "-wal" : "");
        unlink(to);
        copy_file(from, to);
        FILE *f = fopen(to, "r+");
        if (f) {
            lose_unsynced(f, is_wal);
            fclose(f);
        }
        free(from);
        free(to);
    }
}

static void operation(void)
{
    if (disk.cut_after >= 0 && disk.cut_after-- == 0)
        cut_power();
}

static void forget(bool is_wal)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk.unsynced.n; i++) {
        struct unsynced *u = &disk.unsynced.data[i];
        if (u->is_wal != is_wal) {
            disk.unsynced.data[kept++] = *u;
            continue;
        }
        free(u->new);
        free(u->old);
    }
    disk.unsynced.n = kept;
}

static void record(struct disk_file *f, const void *bytes, int n, sqlite3_int64 offset)
{
    sqlite3_int64 size;
    assert_int_equal(f->real->pMethods->xFileSize(f->real, &size), SQLITE_OK);
    int n_old = size <= offset ? 0 : (int)MIN((sqlite3_int64)n, size - offset);
    struct unsynced u = {f->is_wal,         offset, n, n_old, xmemdup(bytes, (size_t)n),
                         xmalloc((size_t)n)};
    if (n_old)
        assert_int_equal(f->real->pMethods->xRead(f->real, u.old, n_old, offset), SQLITE_OK);
    vec_push(&disk.unsynced, u);
}

/* ---- the VFS ---- */

static bool fails(enum fault fault)
{
    if (disk.fault != fault || (fault != FAULT_SHORT && disk.after-- > 0))
        return false;
    if (fault != FAULT_SHORT)
        disk.after = 0;
    disk.n_hits++;
    return true;
}

static int disk_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
    struct disk_file *f = (struct disk_file *)file;
    if (!f->is_db && !f->is_wal)
        return f->real->pMethods->xWrite(f->real, bytes, n, offset);
    operation();
    if (fails(FAULT_WRITE))
        return SQLITE_IOERR_WRITE;
    if (fails(FAULT_SPACE))
        return SQLITE_FULL;
    if (fails(FAULT_SHORT)) {
        (void)f->real->pMethods->xWrite(f->real, bytes, n * disk.after / 7, offset);
        return SQLITE_FULL;
    }
    if (disk.is_recording)
        record(f, bytes, n, offset);
    return f->real->pMethods->xWrite(f->real, bytes, n, offset);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    struct disk_file *f = (struct disk_file *)file;
    if (!f->is_db && !f->is_wal)
        return f->real->pMethods->xSync(f->real, flags);
    operation();
    if (fails(FAULT_SYNC))
        return SQLITE_IOERR_FSYNC;
    forget(f->is_wal);
    return SQLITE_OK; /* this disk's cache is our list: nothing else is needed */
}

static int disk_close(sqlite3_file *file)
{
    struct disk_file *f = (struct disk_file *)file;
    int rc = f->real->pMethods->xClose(f->real);
    free(f->real);
    return rc;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct disk_file *f = (struct disk_file *)file;
    forget(f->is_wal); /* after a sync, as SQLite does it */
    return f->real->pMethods->xTruncate(f->real, size);
}

#define FORWARD(NAME, PARAMS, ARGS)                                                                \
    static int disk_##NAME PARAMS                                                                  \
    {                                                                                              \
        return real_of(file)->pMethods->NAME ARGS;                                                 \
    }
FORWARD(xRead, (sqlite3_file * file, void *buf, int n, sqlite3_int64 offset),
        (real_of(file), buf, n, offset))
FORWARD(xFileSize, (sqlite3_file * file, sqlite3_int64 *size), (real_of(file), size))
FORWARD(xLock, (sqlite3_file * file, int lock), (real_of(file), lock))
FORWARD(xUnlock, (sqlite3_file * file, int lock), (real_of(file), lock))
FORWARD(xCheckReservedLock, (sqlite3_file * file, int *out), (real_of(file), out))
FORWARD(xFileControl, (sqlite3_file * file, int op, void *arg), (real_of(file), op, arg))
FORWARD(xSectorSize, (sqlite3_file * file), (real_of(file)))
FORWARD(xDeviceCharacteristics, (sqlite3_file * file), (real_of(file)))
FORWARD(xShmMap, (sqlite3_file * file, int page, int size, int extend, void volatile **out),
        (real_of(file), page, size, extend, out))
FORWARD(xShmLock, (sqlite3_file * file, int offset, int n, int flags),
        (real_of(file), offset, n, flags))
FORWARD(xShmUnmap, (sqlite3_file * file, int delete), (real_of(file), delete))

static void disk_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    static const sqlite3_io_methods methods = {.iVersion = 2,
                                               .xClose = disk_close,
                                               .xRead = disk_xRead,
                                               .xWrite = disk_write,
                                               .xTruncate = disk_truncate,
                                               .xSync = disk_sync,
                                               .xFileSize = disk_xFileSize,
                                               .xLock = disk_xLock,
                                               .xUnlock = disk_xUnlock,
                                               .xCheckReservedLock = disk_xCheckReservedLock,
                                               .xFileControl = disk_xFileControl,
                                               .xSectorSize = disk_xSectorSize,
                                               .xDeviceCharacteristics =
                                                   disk_xDeviceCharacteristics,
                                               .xShmMap = disk_xShmMap,
                                               .xShmLock = disk_xShmLock,
                                               .xShmBarrier = disk_barrier,
                                               .xShmUnmap = disk_xShmUnmap};
    struct disk_file *f = (struct disk_file *)file;
    (void)vfs;
    f->real = xcalloc(1, (size_t)disk.real->szOsFile);
    f->is_wal = flags & SQLITE_OPEN_WAL;
    f->is_db = flags & SQLITE_OPEN_MAIN_DB;
    int rc = disk.real->xOpen(disk.real, name, f->real, flags, out);
    f->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
    if (rc != SQLITE_OK)
        free(f->real);
    return rc;
}

/* From now on the process's SQLite stands on this disk. */
static void install(void)
{
    if (disk.real)
        return;
    disk.cut_after = -1;
    env_seeded_init(&disk.env, 17);
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "disk";
    disk.vfs.szOsFile = sizeof(struct disk_file);
    disk.vfs.xOpen = disk_open;
    assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

static char *make_path(void)
{
    char dir[] = "/tmp/weft-disk-XXXXXX";
    assert_non_null(mkdtemp(dir));
    return xasprintf("%s/db", dir);
}

static void remove_path(char *path)
{
    char *command = xasprintf("rm -rf $(dirname %s)", path);
    assert_int_equal(system(command), 0);
    free(command);
    free(path);
}

/* ---- failing ---- */

static void watch(void *said_, const char *why)
{
    struct str *said = said_;
    str_putf(said, "%s;", why ? why : "fine");
}

static void insert(struct store *store, unsigned n, const char *result)
{
    char *ops = xasprintf("{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"%u\"}}", n);
    expect_part(store, ops, result);
    free(ops);
}

static void expect_rows(struct store *store, size_t n)
{
    assert_int_equal(store_n_rows(store, schema_table_find(store_schema(store), "Root")), n);
    store_check_invariants(store);
}

/* Every fault at each operation of a commit; then the disk works again. */
static void a_failing_disk_refuses_and_comes_back(void **state)
{
    static const char *const reasons[N_FAULTS] = {NULL, "disk I/O error",
                                                  "database or disk is full",
                                                  "database or disk is full", "disk I/O error"};
    (void)state;
    install();
    for (enum fault fault = FAULT_WRITE; fault < N_FAULTS; fault++) {
        unsigned n_hits = 0;
        for (int after = 0; after < 7; after++) {
            char *path = make_path();
            struct store *store = open_interop(path);
            struct str said = STR_INIT;
            store_set_disk_watch(store, watch, &said);
            insert(store, 1, "uuid");
            disk.after = after;
            disk.n_hits = 0;
            disk.fault = fault;
            char *result =
                transact(store, "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"2\"}}");
            bool refused = strstr(result, "I/O error") != NULL;
            free(result);
            assert_int_equal(refused, disk.n_hits > 0);
            if (refused) {
                n_hits++;
                assert_non_null(strstr(str_c(&said), reasons[fault]));
                expect_rows(store, 1);
                insert(store, 3, "I/O error"); /* still: the log tells it once */
                assert_null(strchr(strchr(str_c(&said), ';') + 1, ';'));
            }
            disk.fault = FAULT_NONE;
            insert(store, 4, "uuid");
            assert_int_equal(refused, strstr(str_c(&said), "fine;") != NULL);
            expect_rows(store, refused ? 2 : 3);
            store_close(store);
            store = open_interop(path);
            expect_rows(store, refused ? 2 : 3);
            store_close(store);
            str_fini(&said);
            remove_path(path);
        }
        /* A commit is one write and one sync; a write is cut at seven places. */
        assert_true(n_hits >= (fault == FAULT_SHORT ? 7 : 1));
    }
}

/* What was refused because of an fsync must not come back from the log after a crash. */
static void what_was_refused_stays_away(void **state)
{
    char *path = make_path(), *copy = xasprintf("%s-copy", path);
    (void)state;
    install();
    struct store *store = open_interop(path);
    insert(store, 1, "uuid");
    disk.after = 0;
    disk.fault = FAULT_SYNC;
    insert(store, 2, "I/O error");
    disk.fault = FAULT_NONE;
    insert(store, 3, "uuid");
    disk.path = path;
    disk.cut_path = copy;
    cut_power();
    struct store *after = open_interop(copy);
    expect_rows(after, 2);
    expect(after, "{\"op\":\"select\",\"table\":\"Root\",\"where\":[[\"name\",\"==\",\"2\"]]}",
           "[{\"rows\":[]}]");
    store_close(after);
    store_close(store);
    free(copy);
    remove_path(path);
}

/* ---- lying ---- */

struct acknowledged {
    struct ops *ops;
    unsigned *n;
};

static void acknowledge(void *a_, const struct store_result *result)
{
    struct acknowledged *a = a_;
    assert_true(result->committed);
    ++*a->n;
}

/* Transaction N writes three tables together and removes what is fifty older. */
static void start(struct acknowledged *a, struct store *store, unsigned n)
{
    char *text =
        xasprintf("[\"db\",{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"n%u\",\"si\":["
                  "\"set\",[%u,%u]],\"leaf\":[\"named-uuid\",\"l\"]}},{\"op\":\"insert\",\"table\":"
                  "\"Leaf\",\"uuid-name\":\"l\",\"row\":{\"val\":%u}},{\"op\":\"update\",\"table\":"
                  "\"One\",\"where\":[],\"row\":{\"x\":%u}},{\"op\":\"delete\",\"table\":\"Root\","
                  "\"where\":[[\"name\",\"==\",\"n%d\"]]}]",
                  n, n, n + 1, n, n, (int)n - 50);
    json_t *params = json_loads(text, 0, NULL);
    a->ops = ops_from_json(store_schema(store), params, env_real());
    struct store_request request = {.ops = a->ops, .done = acknowledge, .aux = a};
    (void)store_submit(store, &request);
    json_decref(params);
    free(text);
}

static void check_after_cut(const char *path, unsigned acknowledged)
{
    struct store *store = open_interop(path);
    const struct schema_table *one = schema_table_find(store_schema(store), "One");
    size_t pos = 0;
    const struct row *row = store_next_row(store, one, &pos);
    assert_non_null(row);
    unsigned n = (unsigned)row_get(row, schema_column_find(one, "x"))->atoms[0].integer;
    assert_in_range(n, acknowledged, acknowledged + TOGETHER);
    assert_int_equal(store_n_rows(store, schema_table_find(store_schema(store), "Leaf")),
                     MIN(n, 50u));
    expect_rows(store, MIN(n, 50u));
    store_close(store);
}

static void a_power_cut_loses_nothing_acknowledged(void **state)
{
    char *path = make_path(), *copy = xasprintf("%s-cut", path);
    unsigned n = 0, acknowledged = 0;
    (void)state;
    install();
    struct store *store = open_interop(path);
    free(transact(store, "{\"op\":\"insert\",\"table\":\"One\",\"row\":{\"x\":0}}"));
    disk.path = path;
    disk.cut_path = copy;
    disk.is_recording = true;
    for (int cut = 0; cut < n_cuts;) {
        struct acknowledged calls[TOGETHER];
        size_t together = 1 + env_random_u64(&disk.env.env) % TOGETHER;
        unsigned before = acknowledged;
        for (size_t i = 0; i < together; i++) {
            calls[i].n = &acknowledged;
            start(&calls[i], store, ++n);
        }
        disk.cut_after = (int)(env_random_u64(&disk.env.env) % 40);
        store_flush(store);
        for (size_t i = 0; i < together; i++)
            ops_free(calls[i].ops);
        assert_int_equal(acknowledged, n);
        bool happened = disk.cut_after < 0;
        disk.cut_after = -1;
        if (!happened)
            continue;
        disk.is_recording = false;
        check_after_cut(copy, before);
        disk.is_recording = true;
        cut++;
    }
    disk.is_recording = false;
    forget(false);
    forget(true);
    print_message("%d power cuts, %u transactions, none lost\n", n_cuts, n);
    store_close(store);
    free(copy);
    remove_path(path);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_disk_refuses_and_comes_back),
        cmocka_unit_test(what_was_refused_stays_away),
        cmocka_unit_test(a_power_cut_loses_nothing_acknowledged),
    };
    if (argc > 1)
        n_cuts = atoi(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
