/* dbd.c - weft-dbd: options, files, remotes. See dbd.h. */
#include "dbd/dbd.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "dbd/dbd_impl.h"

LOG_MODULE(dbd);

enum option_id {
    OPT_REMOTE = 1,
    OPT_NO_DBS,
    OPT_DURABILITY,
    OPT_SYNC_FROM,
    OPT_SYNC_EXCLUDE,
    OPT_ACTIVE,
    OPT_RUN
};

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
    {OPT_SYNC_EXCLUDE, 0, "sync-exclude-tables", "DB:TABLE,...",
     "leave these tables of the copy as they are"},
    {OPT_ACTIVE, 0, "active", NULL, "begin to be that copy only when told to"},
    {OPT_RUN, 0, "run", "COMMAND", "run COMMAND in a shell, and exit when it ends"},
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
    } else if (id == OPT_SYNC_EXCLUDE) {
        free(dbd->sync_excluded);
        dbd->sync_excluded = xstrdup(arg);
    } else if (id == OPT_ACTIVE) {
        dbd->is_active = true;
    } else if (id == OPT_RUN) {
        free(dbd->run_command);
        dbd->run_command = xstrdup(arg);
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
                                           .tls_changed = daemon_log_tls,
                                           .aux = dbd};
    dbd->server = ovsdb_server_new(daemon_loop(daemon), &options);
    dbd->sync = sync_new(dbd);
    int err = add_files(dbd, diag);
    if (err)
        return err;
    if (daemon_tls(daemon))
        ovsdb_server_set_tls(dbd->server, daemon_tls(daemon));
    else
        ovsdb_server_follow_tls(dbd->server, daemon_tls_texts(daemon));
    if (dbd->sync_from)
        err = sync_set_remote(dbd->sync, dbd->sync_from, diag);
    if (!err && dbd->sync_excluded)
        err = sync_set_excluded(dbd->sync, dbd->sync_excluded, diag);
    if (!err && dbd->sync_from && !dbd->is_active)
        err = sync_start(dbd->sync, diag);
    for (size_t i = 0; i < dbd->remotes.n && !err; i++)
        err = ovsdb_server_add_remote(dbd->server, dbd->remotes.data[i], diag);
    unixctl_add_memory(daemon_unixctl(daemon), put_memory, dbd);
    dbd_register_commands(dbd);
    if (!err && dbd->run_command)
        err = run_start(daemon, dbd->run_command, &dbd->run, diag);
    return err;
}

static void stop(void *dbd_)
{
    struct dbd *dbd = dbd_;
    run_free(dbd->run);
    sync_free(dbd->sync);
    free(dbd->run_command);
    free(dbd->sync_from);
    free(dbd->sync_excluded);
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
}

const struct daemon_spec dbd_spec = {
    .name = "weft-dbd",
    .peer_name = "ovsdb-server",
    .side = RUNDIR_OVS,
    .usage = "[DATABASE...]",
    .summary = "serves databases over the OVSDB protocol",
    .options = option_table,
    .has_databases = true,
    .set_option = set_option,
    .set_args = set_args,
    .start = start,
    .stop = stop,
};

struct dbd *dbd_new(void)
{
    return NEW(struct dbd);
}

void dbd_free(struct dbd *dbd)
{
    free(dbd);
}

int dbd_main(int argc, char **argv)
{
    struct dbd dbd = {0};
    return daemon_main(argc, argv, &dbd_spec, &dbd);
}
