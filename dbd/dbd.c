/* dbd.c - weft-dbd: options, files, remotes. See dbd.h. */
#include "dbd/dbd.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "dbd/dbd_impl.h"

LOG_MODULE(dbd);

enum option_id { OPT_REMOTE = 1, OPT_NO_DBS, OPT_DURABILITY, OPT_SYNC_FROM, OPT_ACTIVE };

static const struct option_spec option_table[] = {
    OPTION_HEADING("Options"),
    {OPT_REMOTE, 0, "remote", "REMOTE",
     "listen on or connect to REMOTE, which may be given more than once:\n"
     "  punix:PATH, ptcp:PORT[:IP], pssl:PORT[:IP]   listen\n"
     "  unix:PATH, tcp:IP:PORT, ssl:IP:PORT          connect\n"
     "  db:DB,TABLE,COLUMN                           what the rows say"},
    {OPT_NO_DBS, 0, "no-dbs", NULL, "start without DBDIR/conf.db when no DATABASE is given"},
    {OPT_DURABILITY, 0, "durability", "MODE",
     "full: answer a transaction when it is on the disk (the default);\n"
     "relaxed: when the kernel has it, which survives a crash but no power cut"},
    {OPT_SYNC_FROM, 0, "sync-from", "REMOTE",
     "be a copy, which clients may only read, of the databases at REMOTE"},
    {OPT_ACTIVE, 0, "active", NULL, "begin to be that copy only when told to"},
    OPTION_END,
};

static int set_durability(struct dbd *dbd, const char *mode, struct diag *diag)
{
    dbd->is_relaxed = !strcmp(mode, "relaxed");
    if (dbd->is_relaxed || !strcmp(mode, "full"))
        return 0;
    return diag_set(diag, ERR_SYNTAX, "--durability=%s: neither full nor relaxed", mode);
}

static int set_option(void *dbd_, int id, const char *arg, struct diag *diag)
{
    struct dbd *dbd = dbd_;
    if (id == OPT_DURABILITY)
        return set_durability(dbd, arg, diag);
    if (id == OPT_SYNC_FROM) {
        free(dbd->sync_from);
        dbd->sync_from = xstrdup(arg);
    } else if (id == OPT_ACTIVE) {
        dbd->is_active = true;
    } else if (id == OPT_REMOTE)
        vec_push(&dbd->remotes, xstrdup(arg));
    else
        dbd->no_dbs = true;
    return 0;
}

static int set_args(void *dbd_, int n, char **args, struct diag *diag UNUSED)
{
    struct dbd *dbd = dbd_;
    for (int i = 0; i < n; i++)
        vec_push(&dbd->files, xstrdup(args[i]));
    return 0;
}

int dbd_add_file(struct dbd *dbd, const char *file, struct diag *diag)
{
    struct store_options options = {
        .env = daemon_env(dbd->daemon), .path = file, .relaxed = dbd->is_relaxed};
    struct store *store;
    int err = store_open(&options, &store, diag);
    if (err)
        return err;
    err = ovsdb_server_add_db(dbd->server, store, diag);
    if (err) {
        store_close(store);
        return err;
    }
    vec_push(&dbd->stores, store);
    sync_add_store(dbd->sync, store);
    log_info("%s: serving database %s %s", file, store_schema(store)->name,
             store_schema(store)->version);
    return 0;
}

/* A file that is opened with another schema is converted by the store. */
static int convert(void *dbd_, struct store *store, const char *schema_text, struct store **ret,
                   struct diag *diag)
{
    struct dbd *dbd = dbd_;
    size_t i = 0;
    while (dbd->stores.data[i] != store)
        i++;
    char *path = xstrdup(store_path(store));
    sync_remove_store(dbd->sync, store);
    struct store_options options = {
        .env = daemon_env(dbd->daemon),
        .path = path,
        .schema_text = schema_text,
        .relaxed = dbd->is_relaxed,
    };
    store_close(store);
    int err = store_open(&options, ret, diag);
    if (err) {
        struct diag again = DIAG_INIT;
        options.schema_text = NULL;
        if (store_open(&options, ret, &again))
            bug("%s", diag_text(&again)); /* it was open a moment ago */
    }
    dbd->stores.data[i] = *ret;
    sync_add_store(dbd->sync, *ret);
    log_info("%s: conversion to another schema %s", path, err ? diag_text(diag) : "succeeded");
    free(path);
    return err;
}

int dbd_remove(struct dbd *dbd, const char *name)
{
    for (size_t i = 0; i < dbd->stores.n; i++) {
        struct store *store = dbd->stores.data[i];
        if (strcmp(store_schema(store)->name, name) && strcmp(store_path(store), name))
            continue;
        sync_remove_store(dbd->sync, store);
        ovsdb_server_remove_db(dbd->server, store);
        vec_remove(&dbd->stores, i);
        store_close(store);
        return 0;
    }
    return ERR_NOT_FOUND;
}

/* ---- keys whose files a row names: db:DB,TABLE,COLUMN ---- */

/* The text in the column of the first row, NULL when there is none. Owned by the caller. */
static char *text_in_db(const struct dbd *dbd, const char *spec)
{
    char *copy = xstrdup(spec + strlen("db:")), *save = NULL, *ret = NULL;
    const char *db = strtok_r(copy, ",", &save), *table_name = strtok_r(NULL, ",", &save);
    const char *column_name = strtok_r(NULL, ",", &save);
    const struct store *store = column_name ? ovsdb_server_find_db(dbd->server, db) : NULL;
    const struct schema_table *table =
        store ? schema_table_find(store_schema(store), table_name) : NULL;
    const struct schema_column *column = table ? schema_column_find(table, column_name) : NULL;
    size_t pos = 0;
    const struct row *row =
        column && column->index >= 0 && column->type.key.type == ATOM_STRING && !column->type.is_map
            ? store_next_row(store, table, &pos)
            : NULL;
    if (row && row_get(row, column)->n == 1 && *row_get(row, column)->atoms[0].string->s)
        ret = xstrdup(row_get(row, column)->atoms[0].string->s);
    free(copy);
    return ret;
}

static char *tls_text(const struct dbd *dbd, enum daemon_tls which)
{
    const char *text = daemon_tls_option(dbd->daemon, which);
    if (!text)
        return NULL;
    return text_starts_with(text, "db:") ? text_in_db(dbd, text) : xstrdup(text);
}

static int load_tls(struct dbd *dbd, const struct tls_config **ret, struct diag *diag)
{
    char *texts[DAEMON_TLS_N];
    *ret = daemon_tls(dbd->daemon);
    if (*ret)
        return 0;
    for (size_t i = 0; i < DAEMON_TLS_N; i++)
        texts[i] = tls_text(dbd, (enum daemon_tls)i);
    int err = daemon_tls_load((const char *const *)texts, &dbd->tls, diag);
    *ret = dbd->tls;
    for (size_t i = 0; i < DAEMON_TLS_N; i++)
        free(texts[i]);
    return err;
}

/* ---- start and stop ---- */

static int add_files(struct dbd *dbd, struct diag *diag)
{
    int err = 0;
    if (!dbd->files.n && !dbd->no_dbs)
        vec_push(&dbd->files, xasprintf("%s/conf.db", daemon_dbdir(dbd->daemon)));
    for (size_t i = 0; i < dbd->files.n && !err; i++)
        err = dbd_add_file(dbd, dbd->files.data[i], diag);
    return err;
}

static void put_memory(void *dbd_, struct str *out)
{
    const struct dbd *dbd = dbd_;
    ovsdb_server_put_memory(dbd->server, out);
}

static int start(void *dbd_, struct daemon *daemon, bool *ready UNUSED, struct diag *diag)
{
    struct dbd *dbd = dbd_;
    dbd->daemon = daemon;
    struct ovsdb_server_options options = {.stream = {.rundir = daemon_rundir(daemon)},
                                           .convert = convert,
                                           .resume = true,
                                           .disk_changed = daemon_log_disk,
                                           .aux = dbd};
    dbd->server = ovsdb_server_new(daemon_loop(daemon), &options);
    dbd->sync = sync_new(dbd);
    int err = add_files(dbd, diag);
    if (!err)
        err = load_tls(dbd, &dbd->tls_in_use, diag);
    if (err)
        return err;
    ovsdb_server_set_tls(dbd->server, dbd->tls_in_use);
    if (dbd->sync_from)
        err = sync_set_remote(dbd->sync, dbd->sync_from, diag);
    if (!err && dbd->sync_from && !dbd->is_active)
        err = sync_start(dbd->sync, diag);
    for (size_t i = 0; i < dbd->remotes.n && !err; i++)
        err = ovsdb_server_add_remote(dbd->server, dbd->remotes.data[i], diag);
    unixctl_add_memory(daemon_unixctl(daemon), put_memory, dbd);
    dbd_register_commands(dbd);
    return err;
}

static void stop(void *dbd_)
{
    struct dbd *dbd = dbd_;
    sync_free(dbd->sync);
    free(dbd->sync_from);
    ovsdb_server_free(dbd->server);
    for (size_t i = 0; i < dbd->stores.n; i++)
        store_close(dbd->stores.data[i]);
    for (size_t i = 0; i < dbd->remotes.n; i++)
        free(dbd->remotes.data[i]);
    for (size_t i = 0; i < dbd->files.n; i++)
        free(dbd->files.data[i]);
    vec_fini(&dbd->stores);
    vec_fini(&dbd->remotes);
    vec_fini(&dbd->files);
    tls_config_free(dbd->tls);
}

int dbd_main(int argc, char **argv)
{
    static const struct daemon_spec spec = {
        .name = "weft-dbd",
        .peer_name = "ovsdb-server",
        .side = RUNDIR_OVS,
        .usage = "[DATABASE...]",
        .summary = "serves databases over the OVSDB protocol",
        .options = option_table,
        .set_option = set_option,
        .set_args = set_args,
        .start = start,
        .stop = stop,
    };
    struct dbd dbd = {0};
    return daemon_main(argc, argv, &spec, &dbd);
}
