/* dbd_impl.h - what the parts of weft-dbd share. */
#pragma once

#include "base/vec.h"
#include "daemon/daemon.h"
#include "dbd/run.h"
#include "dbd/sync.h"
#include "ovsdb/server/server.h"

struct dbd {
    struct daemon *daemon;
    struct ovsdb_server *server;
    struct sync *sync;
    struct run *run; /* NULL: no command, it runs for itself */
    char *sync_from, *sync_excluded, *run_command;
    VEC(char *) remotes; /* of the command line */
    VEC(char *) files;
    VEC(struct store *) stores;
    bool no_dbs, is_relaxed, is_active;
    bool trims; /* memory at a compaction */
};

/* Opens and serves FILE. */
int dbd_add_file(struct dbd *dbd, const char *file, struct diag *diag) MUST_CHECK;
/* NAME is that of the database or of its file. */
int dbd_remove(struct dbd *dbd, const char *name) MUST_CHECK;
void dbd_register_commands(struct dbd *dbd);
