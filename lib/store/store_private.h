/* store_private.h - the inside of a store; only for lib/store.
 *
 * An entry is a row's place: it holds the executed version, the version that subscribers were told,
 * and what refers to it. Strong references are counted at their target; weak ones are kept as a list
 * at their target, since a row that goes away has to be taken out of the rows that name it. Index
 * maps and references describe the executed state between transactions; during one they are brought
 * up to date only when it commits, with a journal to take it back.
 */
#pragma once

#include "base/list.h"
#include "base/vec.h"
#include "schema/share.h"
#include "store/store.h"

struct sql;
struct txn;

/* One side of a column that refers to rows of another table. */
struct ref_side {
    const struct schema_column *column;
    bool is_value; /* of a map; else the keys or the elements of a set */
    enum ref_kind kind;
    struct store_table *target;
};

struct store_table {
    const struct schema_table *schema;
    struct store *store;
    bool is_derived;
    struct hmap entries;
    size_t n_rows;
    size_t n_pending;     /* changes of its rows that are not durable yet */
    struct hmap *indexes; /* one an index of the schema: entries by the values of its columns */
    size_t n_refs;
    struct ref_side *refs;
    bool *is_bad_default; /* by column: the default breaks the column's own constraints */
    bool has_bad_default;
    int64_t next_sql_id;
    struct sql_table *sql; /* NULL when not stored */
};

struct entry {
    struct hnode node; /* in table->entries, by uuid */
    struct store_table *table;
    struct uuid uuid;
    const struct row *row;      /* executed; NULL: not there */
    const struct row *told;     /* what subscribers know */
    uint32_t n_strong;          /* strong references from other rows */
    uint32_t n_pending;         /* changes that are not durable yet */
    struct list weak_referrers; /* struct weak_ref by_target */
    int64_t sql_id;             /* key in the file; 0 when not stored */
    bool touched, queued;       /* by the running transaction */
    const struct row *before;   /* if touched */
    struct hnode index_nodes[]; /* one an index of the table */
};

struct weak_ref {
    struct hnode node; /* in store->weak_refs, by source, column and target */
    struct list by_target;
    struct entry *source, *target;
    const struct schema_column *column;
    uint32_t n; /* times that the column names the target */
};

struct store_txn {
    struct list node;
    struct store *store;
    struct store_request request;
    bool is_waiting;
    int64_t start_ms, deadline_ms; /* INT64_MAX: waits for ever */
    struct store_result result;
    const struct changeset *cs; /* NULL when nothing changed */
};

struct store_subscription {
    struct list node;
    struct store *store;
    bool is_dead; /* unsubscribed while being told */
    void (*fn)(void *aux, const struct changeset *cs);
    void *aux;
};

/* How many change sets history keeps in memory, and how many bytes of old versions with them: a
 * version that differs in one element of a large set keeps the whole old set alive. */
enum { HISTORY_MAX_SETS = 4096, HISTORY_MAX_BYTES = 64 << 20 };

/* What is written as one SQL transaction. Made by the store's thread, then left alone by it until it
 * is written: rows and texts are immutable, but reference counts are not atomic, so the writing side
 * takes no references. */
struct batch {
    VEC(struct batch_set {
        const struct changeset *cs; /* borrowed from a flying transaction */
        size_t n_steps;
    })
    sets;
    VEC(struct batch_step {
        struct sql_table *table;
        const struct change *change;
        int64_t sql_id;
    })
    steps; /* of all sets, in order */
};

struct store {
    struct env *env;
    struct schema *schema;
    char *path;
    struct store_table *tables; /* by schema table index */
    struct hmap weak_refs;
    struct list pending; /* struct store_txn: executed */
    struct list flying;  /* being written, before all that is pending */
    struct list waiting;
    struct list subscriptions;
    bool is_committing, is_telling;
    char *disk_failure; /* why it cannot be written, told through disk_watch; NULL: it can */
    void (*wakeup)(void *aux);
    void *wakeup_aux;
    bool (*judge)(void *aux, const struct row *before, const struct row *after,
                  struct op_error *error);
    void *judge_aux;
    void (*disk_watch)(void *aux, const char *why);
    void *disk_watch_aux;
    struct writer *writer; /* NULL: memory only, relaxed, or one thread */
    uint64_t number;       /* of the last executed transaction */
    uint64_t told_number;  /* of the last told */
    struct uuid told_id;
    struct history {
        const struct changeset **sets; /* ring of HISTORY_MAX_SETS */
        size_t head, n, n_bytes;
        struct uuid base_id; /* of the state before the oldest kept set */
    } history;
    struct share *share;
    struct sql *sql;    /* NULL: memory only */
    struct batch batch; /* of flying */
};

/* ---- table.c ---- */
void store_table_init(struct store *store, struct store_table *table,
                      const struct schema_table *schema);
void store_table_fini(struct store_table *table);
struct entry *entry_find(const struct store_table *table, const struct uuid *uuid);
struct entry *entry_new(struct store_table *table, const struct uuid *uuid);
void entry_set_row(struct entry *entry, const struct row *row);  /* takes over ROW */
void entry_set_told(struct entry *entry, const struct row *row); /* takes a reference */
void entry_release(struct entry *entry); /* frees it when nothing needs it any more */
void entry_add_pending(struct entry *entry, int delta);
uint64_t table_index_hash(const struct schema_index *index, const struct row *row);
bool table_index_equal(const struct schema_index *index, const struct row *a, const struct row *b);
struct entry *table_index_entry(struct hnode *node, size_t i);
/* The entry with the same values as ROW in index I, or NULL. */
struct entry *table_index_find(const struct store_table *table, size_t i, const struct row *row,
                               uint64_t hash);

/* ---- refs.c ---- */
/* Calls FN with +1 or -1 for each reference that AFTER has more or less than BEFORE (either may be
 * NULL) on one side of a column. */
void refs_side_changes(const struct ref_side *side, const struct row *before,
                       const struct row *after,
                       void (*fn)(void *aux, const struct uuid *target, int delta), void *aux);
void refs_account_weak(struct entry *entry, const struct row *before, const struct row *after);
/* Strong references of a change that is known to be right (loading, undoing). False when a target
 * does not exist. */
bool refs_account_strong(struct entry *entry, const struct row *before, const struct row *after);
void table_index_account(struct entry *entry, const struct row *before, const struct row *after);

/* ---- txn.c: a transaction while it runs ---- */
struct txn {
    struct store *store;
    struct uuid id; /* also the version of the rows it makes */
    VEC(struct entry *) touched;
    struct str comment;
    /* commit.c */
    VEC(struct strong_step {
        struct entry *target;
        int delta;
    })
    strong;
    VEC(struct index_step {
        struct entry *entry;
        size_t index;
        uint64_t hash;
        bool inserted;
    })
    indexed;
    VEC(struct entry *) garbage; /* to look at */
    VEC(struct entry *) deleted;
    size_t n_deleted_seen;
};

void txn_init(struct txn *txn, struct store *store);
void txn_fini(struct txn *txn);
void txn_touch(struct txn *txn, struct entry *entry);
/* The entry's row, private to the transaction: may be changed with row_set. */
struct row *txn_edit(struct txn *txn, struct entry *entry);
void txn_delete(struct txn *txn, struct entry *entry);
/* Forgets touched rows that are what they were. */
bool txn_is_nothing(const struct entry *entry); /* touched, but neither there before nor after */
void txn_drop_ghosts(struct txn *txn);
/* Puts everything back. */
void txn_rollback(struct txn *txn);
/* Entries of TABLE whose executed row matches; appends to OUT. */
typedef VEC(struct entry *) entry_vec;
void txn_select(struct txn *txn, struct store_table *table, const struct condition *where,
                entry_vec *out);

/* ---- commit.c ---- */
/* All checks of the end of a transaction. On success the memory is up to date. */
int txn_commit_checks(struct txn *txn, struct op_error *error) MUST_CHECK;
/* Journals what changes in the strong references of ENTRY, and notes targets that may have become
 * garbage. */
int txn_count_strong(struct txn *txn, struct entry *entry, const struct row *before,
                     const struct row *after, struct op_error *error) MUST_CHECK;
/* ---- weak.c ---- */
/* Takes references to rows that are not there out of weak columns, once. */
int txn_clean_weak(struct txn *txn, struct op_error *error) MUST_CHECK;

/* ---- exec.c ---- */
enum { EXEC_OK = 0, EXEC_WAIT = 1 /* other results are errors */ };
/* Runs one operation; fills RESULT (also its error). */
int op_execute(struct txn *txn, const struct store_txn *context, const struct op *op,
               struct op_result *result, int64_t *deadline_ms) MUST_CHECK;
/* ---- mutate.c ---- */
int mutate_datum(const struct column_type *type, const struct mutation *mutation,
                 const struct datum *value, const struct datum **ret,
                 struct op_error *error) MUST_CHECK;
/* ---- project.c ---- */
/* ROWS without those that look the same in the columns of OP. */
void project_distinct(const struct op *op, const struct row **rows, size_t *n);
/* Do the rows that OP (a wait) names equal the selected ones? */
bool project_equals_wait(const struct op *op, const struct row *const *rows, size_t n);

/* ---- submit.c, store.c ---- */
void store_end_waiting(struct store *store); /* with an error */
void store_tell_subscribers(struct store *store, const struct changeset *cs);

/* ---- check.c ---- */
/* For tests: recomputes counts, lists and indexes and aborts where they are wrong. Also that no
 * garbage is left (not true of a file that was edited by hand). */
void store_check_invariants(struct store *store);

/* ---- history.c ---- */
void history_add(struct store *store, const struct changeset *cs);
void history_fini(struct store *store);
/* Takes back what CS did to the executed state. */
void store_changeset_undo(struct store *store, const struct changeset *cs);

/* ---- sql*.c: the file ---- */
/* Opens, locks and verifies the file of OPTIONS. */
int sql_open(const struct store_options *options, struct sql **ret, struct diag *diag) MUST_CHECK;
void sql_close(struct sql *sql);
/* The schema in the file, or NULL when the file is new. */
int sql_read_schema(struct sql *sql, struct schema **ret, struct diag *diag) MUST_CHECK;
/* Fills the store from the file, or the file from the schema. OLD: the file's schema if it is to be
 * converted. */
int sql_set_up(struct store *store, const struct schema *old, struct diag *diag) MUST_CHECK;
void sql_tables_free(struct store *store);
int sql_read_position(struct sql *sql, struct store *store, struct diag *diag) MUST_CHECK;
int sql_load(struct store *store, struct diag *diag) MUST_CHECK;
/* Fills the history in memory from the file, when the rows are there. */
int sql_history_load(struct store *store, struct diag *diag) MUST_CHECK;
/* Adds a row that comes from the file; then, when all are there, links them. */
int store_add_loaded(struct store *store, struct row *row, int64_t sql_id,
                     struct diag *diag) MUST_CHECK;
int store_link_loaded(struct store *store, struct diag *diag) MUST_CHECK;

/* Adds CS unless nothing in it is stored. */
void batch_add(struct store *store, struct batch *batch, const struct changeset *cs);
void batch_fini(struct batch *batch);
/* On failure the file is as it was. From any thread, one at a time. */
int sql_write_batch(struct sql *sql, const struct batch *batch, struct diag *diag) MUST_CHECK;

int sql_compact(struct sql *sql, struct diag *diag) MUST_CHECK;

/* ---- writer.c: the thread that writes batches ---- */
struct writer *writer_new(struct sql *sql);
void writer_free(struct writer *writer); /* idle; NULL is allowed */
int writer_fd(const struct writer *writer);
/* BATCH is the writer's until writer_take returns true. */
void writer_start(struct writer *writer, const struct batch *batch);
/* The outcome of the batch, with *ERR and DIAG. False: not written yet; WAIT: until it is. */
bool writer_take(struct writer *writer, bool wait, int *err, struct diag *diag);

/* ---- submit.c ---- */
/* Calls done and frees it. */
void store_txn_finish(struct store_txn *stxn);
/* Tries all waiting transactions again. */
void store_retry_waiting(struct store *store);
