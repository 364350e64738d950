/* commands.c - control commands of weft-dbd, under the names that ovsdb-server has for them. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "dbd/dbd_impl.h"

static void answer(struct unixctl_conn *conn, int err, struct diag *diag)
{
    if (err)
        unixctl_error(conn, diag_text(diag));
    else
        unixctl_reply(conn, NULL);
    diag_fini(diag);
}

static void add_remote(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *dbd_)
{
    struct dbd *dbd = dbd_;
    struct diag diag = DIAG_INIT;
    int err = ovsdb_server_add_remote(dbd->server, argv[1], &diag);
    answer(conn, err, &diag);
}

static void remove_remote(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                          void *dbd_)
{
    struct dbd *dbd = dbd_;
    if (ovsdb_server_remove_remote(dbd->server, argv[1]))
        unixctl_error(conn, "no such remote");
    else
        unixctl_reply(conn, NULL);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef VEC(char *) text_vec;

static void collect_remote(void *texts_, const char *target)
{
    text_vec *texts = texts_;
    vec_push(texts, xstrdup(target));
}

static void reply_sorted(struct unixctl_conn *conn, text_vec *texts)
{
    struct str out = STR_INIT;
    if (texts->n)
        qsort(texts->data, texts->n, sizeof *texts->data, compare_texts);
    for (size_t i = 0; i < texts->n; i++) {
        str_putf(&out, "%s\n", texts->data[i]);
        free(texts->data[i]);
    }
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
    vec_fini(texts);
}

static void list_remotes(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                         void *dbd_)
{
    struct dbd *dbd = dbd_;
    text_vec texts = VEC_INIT;
    ovsdb_server_for_each_remote(dbd->server, collect_remote, &texts);
    reply_sorted(conn, &texts);
}

static void list_dbs(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                     void *dbd_)
{
    struct dbd *dbd = dbd_;
    text_vec texts = VEC_INIT;
    for (size_t i = 0; i < dbd->stores.n; i++)
        vec_push(&texts, xstrdup(store_schema(dbd->stores.data[i])->name));
    vec_push(&texts, xstrdup("_Server"));
    reply_sorted(conn, &texts);
}

static void add_db(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *dbd_)
{
    struct diag diag = DIAG_INIT;
    int err = dbd_add_file(dbd_, argv[1], &diag);
    answer(conn, err, &diag);
}

static void remove_db(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *dbd_)
{
    struct str text = STR_INIT;
    if (!dbd_remove(dbd_, argv[1])) {
        unixctl_reply(conn, NULL);
        return;
    }
    str_putf(&text, "Failed to remove \"%s\": no such database", argv[1]);
    unixctl_error(conn, str_c(&text));
    str_fini(&text);
}

/* Waits for it, and so do the clients: SQLite's files reuse their free space, nobody needs this often. */
static void compact(struct unixctl_conn *conn, int argc, const char *argv[], void *dbd_)
{
    struct dbd *dbd = dbd_;
    struct diag diag = DIAG_INIT;
    int err = 0;
    if (argc > 1 && !ovsdb_server_find_db(dbd->server, argv[1]))
        err = diag_set(&diag, ERR_NOT_FOUND, "not a database");
    for (size_t i = 0; !err && i < dbd->stores.n; i++) {
        struct store *store = dbd->stores.data[i];
        if (argc == 1 || !strcmp(store_schema(store)->name, argv[1]))
            err = store_compact(store, &diag);
    }
    if (dbd->trims)
        malloc_trim(0);
    answer(conn, err, &diag);
}

static void trim_on_compaction(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                               void *dbd_)
{
    struct dbd *dbd = dbd_;
    bool is_on = !strcmp(argv[1], "on");
    if (!is_on && strcmp(argv[1], "off")) {
        unixctl_error(conn, "invalid argument");
        return;
    }
    dbd->trims = is_on;
    unixctl_reply(conn, NULL);
}

static void storage_status(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                           void *dbd_)
{
    const struct dbd *dbd = dbd_;
    const struct store *store = ovsdb_server_find_db(dbd->server, argv[1]);
    if (!store) {
        unixctl_error(conn, "Failed to find the database.");
        return;
    }
    const char *why = store_disk_failure(store);
    struct str out = STR_INIT;
    str_putf(&out, "status: %s\n", why ? why : "ok");
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

static void reconnect(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                      void *dbd_)
{
    struct dbd *dbd = dbd_;
    ovsdb_server_reconnect(dbd->server);
    unixctl_reply(conn, NULL);
}

/* ---- active and backup ---- */

static void set_active(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *dbd_)
{
    struct dbd *dbd = dbd_;
    struct diag diag = DIAG_INIT;
    int err = sync_set_remote(dbd->sync, argv[1], &diag);
    answer(conn, err, &diag);
}

static void get_active(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                       void *dbd_)
{
    const struct dbd *dbd = dbd_;
    unixctl_reply(conn, sync_remote(dbd->sync));
}

static void connect_active(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                           void *dbd_)
{
    struct dbd *dbd = dbd_;
    struct diag diag = DIAG_INIT;
    int err = sync_start(dbd->sync, &diag);
    answer(conn, err, &diag);
}

static void disconnect_active(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                              void *dbd_)
{
    struct dbd *dbd = dbd_;
    sync_stop(dbd->sync);
    unixctl_reply(conn, NULL);
}

static void set_excluded(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *dbd_)
{
    struct dbd *dbd = dbd_;
    struct diag diag = DIAG_INIT;
    int err = sync_set_excluded(dbd->sync, argv[1], &diag);
    answer(conn, err, &diag);
}

static void get_excluded(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                         void *dbd_)
{
    const struct dbd *dbd = dbd_;
    struct str out = STR_INIT;
    sync_put_excluded(dbd->sync, &out);
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

static void set_probe(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *dbd_)
{
    struct dbd *dbd = dbd_;
    int64_t ms;
    if (text_to_i64(argv[1], 10, &ms) || ms < 0 || ms > INT32_MAX) {
        unixctl_error(conn, "Invalid probe interval, integer value expected");
        return;
    }
    sync_set_probe(dbd->sync, (int)ms);
    unixctl_reply(conn, NULL);
}

static void sync_status(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                        void *dbd_)
{
    const struct dbd *dbd = dbd_;
    struct str out = STR_INIT;
    sync_put_status(dbd->sync, &out);
    unixctl_reply(conn, str_c(&out));
    str_fini(&out);
}

void dbd_register_commands(struct dbd *dbd)
{
    static const struct unixctl_entry commands[] = {
        {"ovsdb-server/add-remote", "REMOTE", 1, 1, add_remote},
        {"ovsdb-server/remove-remote", "REMOTE", 1, 1, remove_remote},
        {"ovsdb-server/list-remotes", "", 0, 0, list_remotes},
        {"ovsdb-server/add-db", "DB", 1, 1, add_db},
        {"ovsdb-server/remove-db", "DB", 1, 1, remove_db},
        {"ovsdb-server/list-dbs", "", 0, 0, list_dbs},
        {"ovsdb-server/compact", "[DB]", 0, 1, compact},
        {"ovsdb-server/set-active-ovsdb-server", "SERVER", 1, 1, set_active},
        {"ovsdb-server/get-active-ovsdb-server", "", 0, 0, get_active},
        {"ovsdb-server/connect-active-ovsdb-server", "", 0, 0, connect_active},
        {"ovsdb-server/disconnect-active-ovsdb-server", "", 0, 0, disconnect_active},
        {"ovsdb-server/set-active-ovsdb-server-probe-interval", "MS", 1, 1, set_probe},
        {"ovsdb-server/set-sync-exclude-tables", "DB:TABLE,...", 1, 1, set_excluded},
        {"ovsdb-server/get-sync-exclude-tables", "", 0, 0, get_excluded},
        {"ovsdb-server/sync-status", "", 0, 0, sync_status},
        {"ovsdb-server/get-db-storage-status", "DB", 1, 1, storage_status},
        {"ovsdb-server/memory-trim-on-compaction", "on|off", 1, 1, trim_on_compaction},
        {"ovsdb-server/reconnect", "", 0, 0, reconnect},
    };
    unixctl_register_all(daemon_unixctl(dbd->daemon), commands, ARRAY_SIZE(commands), dbd);
}
