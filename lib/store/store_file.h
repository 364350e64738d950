/* store_file.h - what can be done with a database's file beside the process that serves it. */
#pragma once

#include "store/store.h"

/* Copies the file PATH, as its last transaction left it, to DST, which must not exist. */
int store_file_backup(const char *path, const char *dst, struct diag *diag) MUST_CHECK;

/* One past transaction. CHANGES is JSON: sql_history.c says how it reads; NULL when not kept. */
struct store_log_entry {
    uint64_t number;
    int64_t wall_ms;
    const char *id, *author, *comment; /* the last two may be NULL */
    uint64_t n_changes;
    const char *changes;
};
/* Calls FN for the last N transactions that the file keeps (0: all), the oldest first. */
int store_file_log(const char *path, uint64_t n,
                   void (*fn)(void *aux, const struct store_log_entry *entry), void *aux,
                   struct diag *diag) MUST_CHECK;
