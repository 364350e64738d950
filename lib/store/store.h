/* store.h - a database: rows in memory, durable in one SQLite file, changed by transactions.
 *
 * Execution is immediate and in memory; a transaction sees all earlier ones. Durability comes
 * after: the host calls store_commit at the end of a turn, and a thread of the store writes
 * everything pending as one SQLite commit ("group commit") while the host goes on. What is executed
 * meanwhile waits for the next one. When the thread is ready (store_fd is readable) store_collect
 * tells subscribers (once, in order) and then runs each transaction's done callback: updates before
 * the reply, and neither before the disk has it. A failed commit undoes everything pending, each
 * with an error. A transaction that only reads tables without pending changes is answered at once.
 * A memory-only store (path NULL) is durable at once, but still tells in store_commit.
 *
 * A transaction that has to wait (RFC 7047 "wait" whose condition does not hold and whose time is
 * not over) is kept and tried again from its first operation after each later commit, until it
 * succeeds, fails or its time is over (store_run_timeouts).
 *
 * Rooms 1 and 5. Knows no protocol, no network and no clock but the env's. One thread owns a store;
 * its own thread sees only what is being written.
 */
#pragma once

#include "base/env.h"
#include "schema/op.h"

struct store;
struct store_txn;

struct store_options {
    struct env *env;
    const char *path;        /* SQLite file; NULL: memory only */
    const char *schema_text; /* used when the file is absent or empty (it is created), or for
                                memory; may be NULL for an existing file */
    bool create;             /* an absent file is created from schema_text, else it is an error */
    bool relaxed; /* what is written is left to the kernel: survives a crash, but no power cut */
    const char *const *derived_tables; /* NULL-ended names: tables kept in memory and written behind
                                          or not at all (SB Logical_Flow ...) */
};

/* Opens and verifies. Errors name the file and what is wrong with it (not a database, other schema,
 * corrupt, in use). */
int store_open(const struct store_options *options, struct store **ret,
               struct diag *diag) MUST_CHECK;
void store_close(struct store *store); /* flushes first */

const struct schema *store_schema(const struct store *store);
const char *store_path(const struct store *store);
uint64_t
store_last_number(const struct store *store); /* of the last transaction told to subscribers */
struct uuid store_last_id(const struct store *store);

/* ---- reading: the last executed state ---- */
const struct row *store_row_find(const struct store *store, const struct schema_table *table,
                                 const struct uuid *uuid);
size_t store_n_rows(const struct store *store, const struct schema_table *table);
/* Iterates over rows of a table in no particular order: start with *pos = 0; NULL at the end. The
 * table must not change meanwhile. */
const struct row *store_next_row(const struct store *store, const struct schema_table *table,
                                 size_t *pos);
/* The same over the state that subscribers were told (differs only while transactions are pending);
 * monitors' initial contents. */
const struct row *store_next_told_row(const struct store *store, const struct schema_table *table,
                                      size_t *pos);

/* ---- transactions ---- */
struct op_result {
    struct op_error error; /* error.error NULL: success */
    struct uuid uuid;      /* insert */
    uint64_t count;        /* update, mutate, delete */
    size_t n_rows; /* select: references to rows, in order, already distinct as to the columns asked
                      for */
    const struct row **rows;
};

struct store_result {
    bool committed; /* false: nothing changed (an error, or abort) */
    size_t n;       /* results, one an operation that ran; the failing one last */
    struct op_result *results;
    struct op_error commit_error; /* set when all operations succeeded but the commit failed: the
                                     extra element */
};

struct store_request {
    const struct ops *
        ops; /* borrowed until it is executed (store_submit has returned, and it is not waiting) or done */
    struct rstr *author; /* for history; may be NULL */
    /* Does the session of this request hold lock NAME? NULL: no locks. */
    bool (*owns_lock)(void *aux, const char *name);
    /* Refuses a change (RBAC, read-only), sets ERROR and returns false. NULL: everything is
     * allowed. */
    bool (*permit)(void *aux, const struct op *op, const struct row *row, struct op_error *error);
    /* Called exactly once: from store_collect, store_commit or store_flush when durable, from
     * store_submit when it only read, from any of them or store_run_timeouts on failure; never after
     * store_cancel. RESULT is valid during the call. */
    void (*done)(void *aux, const struct store_result *result);
    void *aux;
};

/* Executes now. Returns the transaction while it is outstanding (pending or waiting), NULL if done
 * was already called. The request struct is copied. */
struct store_txn *store_submit(struct store *store, const struct store_request *request);
bool store_txn_is_waiting(const struct store_txn *txn);
void store_cancel(struct store_txn *txn); /* only for a waiting one: it is dropped */

/* Executes, shows FN the change set if that went well (rows not to be had otherwise: take references of what is to be kept), takes everything
 * back, and calls done, all before it returns; RESULT->committed is false. What would have to wait fails. */
void store_consider(struct store *store, const struct store_request *request,
                    void (*fn)(void *aux, const struct changeset *cs), void *fn_aux);

/* Begins to make pending transactions durable, unless that is going on; store_collect ends it. What
 * needs no disk is told at once. */
void store_commit(struct store *store);
/* Ends what store_commit began if the thread is ready, else does nothing: subscribers, done, and
 * waiting transactions are tried again. Then store_commit is due if the store is still dirty. */
void store_collect(struct store *store);
/* Readable when store_collect has something to do; -1 when it never has: of a memory-only or relaxed
 * store, or of one whose env allows one thread. The store's. */
int store_fd(const struct store *store);
/* Whether waiting for the disk would take long: something is being written, or thousands of rows are to be. */
bool store_is_slow(const struct store *store);
/* Both together, waiting for the disk; repeats until quiet. */
void store_flush(struct store *store);
/* Gives space that the file does not use back to the system; waits, and nothing may be told
 * meanwhile. Nothing to do for a memory-only store. */
int store_compact(struct store *store, struct diag *diag) MUST_CHECK;
bool store_is_dirty(const struct store *store);           /* something is not told yet */
int64_t store_next_timeout_ms(const struct store *store); /* env monotonic ms of the earliest wait
                                                             timeout, INT64_MAX for none */
void store_run_timeouts(struct store *store);
/* Judges each transaction when everything else has been found right: FN is called for each row that
 * it changes and leaves (BEFORE NULL: a new one), sees the state as it is going to be, and refuses
 * the transaction by setting ERROR and returning false. NULL: no judge. */
void store_set_judge(struct store *store,
                     bool (*fn)(void *aux, const struct row *before, const struct row *after,
                                struct op_error *error),
                     void *aux);
/* The row whose column "name" is NAME, by the table's index on it; NULL: none, or no such index. */
const struct row *store_row_by_name(const struct store *store, const struct schema_table *table,
                                    const char *name);
/* Called when the store becomes dirty, so that the host schedules store_commit. */
void store_set_wakeup(struct store *store, void (*fn)(void *aux), void *aux);
/* Called when the file cannot be written any more (WHY), and when it can again (NULL): for the log.
 * Meanwhile transactions fail with "I/O error" and each commit tries anew. */
void store_set_disk_watch(struct store *store, void (*fn)(void *aux, const char *why), void *aux);
const char *store_disk_failure(const struct store *store); /* why it cannot be written, or NULL */

/* ---- subscribers ---- */
struct store_subscription;
struct store_subscription *
store_subscribe(struct store *store, void (*fn)(void *aux, const struct changeset *cs), void *aux);
void store_unsubscribe(struct store_subscription *subscription);

/* ---- history: change sets after transaction number AFTER, oldest first, or NULL with *found=false
 * when not kept ---- */
bool store_history_since(const struct store *store, const struct uuid *after_id,
                         void (*fn)(void *aux, const struct changeset *cs), void *aux);
