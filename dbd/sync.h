/* sync.h - a server as the copy of another: --sync-from.
 *
 * While it follows, each database is made what the active server's database of the same name is, one
 * transaction for each of its, with the same UUIDs; clients may only read.
 */
#pragma once

#include "base/diag.h"
#include "base/str.h"

struct dbd;
struct sync;
struct store;

struct sync *sync_new(struct dbd *dbd);
void sync_free(struct sync *sync); /* NULL is allowed */
/* Where from, from now on; ERR_SYNTAX. Does not begin to follow. */
int sync_set_remote(struct sync *sync, const char *remote, struct diag *diag) MUST_CHECK;
const char *sync_remote(const struct sync *sync); /* NULL: not given */
/* TEXT is DB:TABLE,...: tables that are left as they are, those of TEXT and no others. ERR_SYNTAX. */
int sync_set_excluded(struct sync *sync, const char *text, struct diag *diag) MUST_CHECK;
void sync_put_excluded(const struct sync *sync, struct str *out); /* sorted, with commas */
/* Asks the active server for a sign of life when it is silent for MS; 0: never. */
void sync_set_probe(struct sync *sync, int ms);
/* ERR_INVALID when no remote was given. */
int sync_start(struct sync *sync, struct diag *diag) MUST_CHECK;
void sync_stop(struct sync *sync);
/* STORE is served from now on, or not any more. */
void sync_add_store(struct sync *sync, struct store *store);
void sync_remove_store(struct sync *sync, struct store *store);
/* As ovsdb-server says it. */
void sync_put_status(const struct sync *sync, struct str *out);
