/* replica.h - a typed, consistent copy of a database, and transactions on it.
 *
 * What northd, controller and switchd see of a database. Its source is a vtable (struct
 * replica_source): an OVSDB client (ovsdb/client/source.h, remote server) or a store in the same
 * process (localdb/local_source.h), and the program cannot tell which.
 * The copy moves from one transaction's state to the next, never in between.
 *
 * Rows are struct row of the *local* schema (the one compiled into the program): a column that a
 * remote server lacks reads as its default and is never written; a table that it lacks is empty.
 *
 * Room 1 and 5.
 */
#pragma once

#include "base/env.h"
#include "schema/op.h"

struct replica;
struct replica_source;

struct replica_options {
    struct env *env;
    const struct schema *schema; /* borrowed, must outlive the replica */
    /* NULL-ended names of tables to copy, or NULL for all. */
    const char *const *tables;
};

/* Takes over SOURCE. */
struct replica *replica_new(const struct replica_options *options, struct replica_source *source);
void replica_free(struct replica *replica);

/* True when the copy is complete (initial contents arrived and the connection stands); it stays
 * readable, as of the last known state, when the connection is lost. */
bool replica_is_ready(const struct replica *replica);
bool replica_is_connected(const struct replica *replica);
/* A number that grows with each change of the copy. */
uint64_t replica_seqno(const struct replica *replica);

/* FN is called after each transaction that arrived has been applied, with its changes (a
 * reconnection arrives as one change set of the differences). The replica may not be freed inside
 * an observer. A local source is complete when replica_new returns, before there is an observer:
 * read what is there, then set it. */
void replica_set_observer(struct replica *replica,
                          void (*fn)(void *aux, const struct changeset *cs), void *aux);
/* FN is called whenever readiness, connection or lock ownership changes, and when the rows of changed conditions are here. */
void replica_set_status_observer(struct replica *replica, void (*fn)(void *aux), void *aux);

const struct schema *replica_schema(const struct replica *replica);
const struct schema_table *replica_table(const struct replica *replica, const char *name);
const struct row *replica_row_find(const struct replica *replica, const struct schema_table *table,
                                   const struct uuid *uuid);
size_t replica_n_rows(const struct replica *replica, const struct schema_table *table);
const struct row *replica_next_row(const struct replica *replica, const struct schema_table *table,
                                   size_t *pos);
#define REPLICA_FOR_EACH(ROW, POS, REPLICA, TABLE)                                                 \
    for (size_t POS = 0; ((ROW) = replica_next_row((REPLICA), (TABLE), &POS)) != NULL;)

/* Conditional monitoring: keeps only rows of TABLE for which any clause holds ("or"). NULL: all
 * rows. Takes over the clauses. Takes effect with the next update; a local source ignores it (all
 * rows are there anyway). */
void replica_set_condition(struct replica *replica, const struct schema_table *table,
                           struct condition *condition);

/* OVSDB lock, for active/standby. A local source always owns it. */
void replica_set_lock(struct replica *replica, const char *name);
bool replica_has_lock(const struct replica *replica);

/* ---- transactions ----
 * Build with the functions below, then replica_txn_commit. The copy changes only when the change
 * arrives back as an update (which is before DONE is called). Values are given as datums whose
 * reference is taken over. */
struct replica_txn;
struct replica_txn *replica_txn_new(struct replica *replica);
void replica_txn_free(struct replica_txn *txn); /* of one that was not committed */
/* Inserts a row with a fresh uuid, which may be used at once as a reference. Columns are set with
 * replica_txn_set. */
struct uuid replica_txn_insert(struct replica_txn *txn, const struct schema_table *table);
/* The same with a uuid chosen by the caller, which must be new. */
void replica_txn_insert_as(struct replica_txn *txn, const struct schema_table *table,
                           const struct uuid *uuid);
/* Sets a column of a row: one inserted in this transaction or an existing one. */
void replica_txn_set(struct replica_txn *txn, const struct schema_table *table,
                     const struct uuid *row, const struct schema_column *column,
                     const struct datum *value);
/* Element mutations: MUTATE_INSERT or MUTATE_DELETE elements (or pairs; for delete from a map a set
 * of keys), MUTATE_ADD for integers. */
void replica_txn_mutate(struct replica_txn *txn, const struct schema_table *table,
                        const struct uuid *row, const struct schema_column *column,
                        enum mutator mutator, const struct datum *arg);
void replica_txn_delete(struct replica_txn *txn, const struct schema_table *table,
                        const struct uuid *row);
/* Fails the transaction ("timed out", ERR_AGAIN) unless the column still holds what the copy holds.
 */
void replica_txn_verify(struct replica_txn *txn, const struct row *row,
                        const struct schema_column *column);
void replica_txn_comment(struct replica_txn *txn, const char *comment);
bool replica_txn_is_empty(const struct replica_txn *txn);
size_t replica_txn_size(const struct replica_txn *txn);  /* operations */
bool replica_txn_deletes(const struct replica_txn *txn); /* whether rows are deleted */
/* Sends it and takes it over. DONE (may be NULL) is called later (never from inside this call) with
 * 0, ERR_AGAIN (verify failed or not connected any more: try again with fresh data), ERR_NOT_OWNER,
 * ERR_CONSTRAINT, ERR_REFERENCE or another error and the server's sentence. With a lock set, an
 * assert of it is part of the transaction. */
void replica_txn_commit(struct replica_txn *txn,
                        void (*done)(void *aux, int err, const char *error), void *aux);

/* ---- a source: what replica.c asks of where the data lives ---- */
struct replica_sink { /* given to the source, implemented by replica.c */
    void (*update)(void *replica, const struct changeset *cs); /* rows of the local schema */
    void (*reset)(
        void *replica,
        const struct changeset *all); /* complete contents: replica.c makes the difference */
    void (*status)(void *replica, bool connected, bool has_lock);
    void *replica;
};

struct replica_source {
    void (*start)(struct replica_source *source, const struct replica_options *options,
                  const struct replica_sink *sink);
    void (*submit)(struct replica_source *source, struct ops *ops,
                   void (*done)(void *aux, int err, const char *error), void *aux);
    void (*set_condition)(struct replica_source *source, const struct schema_table *table,
                          const struct condition *condition);
    void (*set_lock)(struct replica_source *source, const char *name);
    void (*free)(struct replica_source *source);
};
