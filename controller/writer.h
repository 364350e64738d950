/* writer.h - one transaction at a time on one database.
 *
 * Each part of the controller that writes adds to the transaction of the cycle; the cycle's end commits it. While one is on
 * its way nothing is written: the parts see their changes in the replica before they are asked again. Parts are
 * written as "what is wanted and not there", so a transaction that failed is simply computed again.
 */
#pragma once

#include "io/loop.h"
#include "replica/replica.h"

struct writer {
    struct replica *replica;
    const char *what;        /* for the log: "southbound" */
    struct replica_txn *txn; /* of this cycle, NULL until something is written */
    bool is_busy;            /* one is on its way */
    bool is_racing;    /* others write the same rows: what was refused is computed again at once */
    unsigned failures; /* in a row */
    int64_t not_before_ms; /* after a failure */
    struct str comments;
    struct timer retry;
    void (*wake)(void *aux);
    void *aux;
};

/* WAKE is called when the writer can be used again. */
void writer_init(struct writer *writer, struct loop *loop, const char *what,
                 void (*wake)(void *aux), void *aux);
/* Points it to another replica (NULL: none); a transaction on its way is forgotten. */
void writer_set_replica(struct writer *writer, struct replica *replica);
void writer_fini(struct writer *writer);
/* Something may be written in this cycle. */
bool writer_is_ready(const struct writer *writer);
/* The transaction of the cycle; the writer must be ready. */
struct replica_txn *writer_txn(struct writer *writer);
/* Ends the cycle: sends what was written. */
void writer_commit(struct writer *writer);

/* ---- Typed shorthands: TABLE and COLUMN by name ---- */

struct uuid writer_insert(struct writer *w, const char *table);
void writer_delete(struct writer *w, const struct row *row);
void writer_text(struct writer *w, const char *table, const struct uuid *row, const char *column,
                 const char *text);
void writer_integer(struct writer *w, const char *table, const struct uuid *row, const char *column,
                    int64_t value);
void writer_boolean(struct writer *w, const char *table, const struct uuid *row, const char *column,
                    bool value);
/* Any value; takes over the reference. */
void writer_datum(struct writer *w, const char *table, const struct uuid *row, const char *column,
                  const struct datum *value);
/* A reference; NULL empties an optional one. */
void writer_uuid(struct writer *w, const char *table, const struct uuid *row, const char *column,
                 const struct uuid *to);
/* Adds or removes one element of a set of references. */
void writer_add_ref(struct writer *w, const char *table, const struct uuid *row, const char *column,
                    const struct uuid *to);
void writer_remove_ref(struct writer *w, const char *table, const struct uuid *row,
                       const char *column, const struct uuid *to);
/* Sets (VALUE NULL: removes) one key of a map from strings to strings. */
void writer_pair(struct writer *w, const char *table, const struct uuid *row, const char *column,
                 const char *key, const char *value);
/* Says in the transaction why. */
void writer_comment(struct writer *w, const char *format, ...) PRINTF_FORMAT(2, 3);
