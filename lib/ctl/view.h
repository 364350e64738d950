/* view.h - a database as a command sees it: the copy, with the changes of the commands before it.
 *
 * Several commands of one invocation form one transaction, and each must see what the earlier ones
 * did ("ls-add sw0 -- lsp-add sw0 p1"). A view lays those changes over a replica; nothing reaches
 * the server until view_make_txn turns the difference into operations: what was set as a whole is
 * written as a whole, what was edited element by element becomes element mutations, so that two
 * people who each add a port to a switch do not disturb each other.
 *
 * Rows that a view hands out stay valid until view_reset, also when a newer version exists.
 */
#pragma once

#include "ctl/demand.h"
#include "replica/replica.h"

struct view;

/* REPLICA is borrowed. */
struct view *view_new(struct replica *replica, struct env *env);
void view_free(struct view *view); /* NULL is allowed */
/* What is read from now on is demanded there, too. Borrowed. */
void view_set_demand(struct view *view, struct demand *demand);
/* Was something read that may not be here yet? What was found means nothing then. */
bool view_is_waiting(const struct view *view);
void view_reset(struct view *view);

const struct schema *view_schema(const struct view *view);
/* The table must exist in the schema. */
const struct schema_table *view_table(const struct view *view, const char *name);

/* The current version or NULL. */
const struct row *view_find(const struct view *view, const struct schema_table *table,
                            const struct uuid *uuid);
struct row_list {
    const struct row **rows;
    size_t n;
};
/* All rows of a table in the order of their names (column "name", if there is one), then uuids. */
struct row_list view_rows(const struct view *view, const struct schema_table *table);
/* The same in no particular order: for searches. */
struct row_list view_any_rows(const struct view *view, const struct schema_table *table);
/* The rows of TABLE whose column "name" (a string, or an optional one) is NAME. Fast: by an index. */
struct row_list view_by_name(struct view *view, const struct schema_table *table, const char *name);
void row_list_fini(struct row_list *list);
/* The rows of TABLE whose COLUMN (of uuids) refers to UUID, in no particular order. */
struct row_list view_referrers(const struct view *view, const struct schema_table *table,
                               const char *column, const struct uuid *uuid);
/* The rows that COLUMN (of uuids) of ROW refers to and that exist, in the same order. */
struct row_list view_referenced(const struct view *view, const struct row *row, const char *column);

/* ---- changing. Values are taken over; the new version of the row is returned. ---- */
const struct row *view_insert(struct view *view, const struct schema_table *table);
/* The same with a uuid chosen before. */
const struct row *view_insert_as(struct view *view, const struct schema_table *table,
                                 const struct uuid *uuid);
const struct row *view_set(struct view *view, const struct row *row,
                           const struct schema_column *column, const struct datum *value);
/* Adds elements (pairs: those of ARG win over equal keys) or takes them away (pairs: a set of
 * keys). */
const struct row *view_add(struct view *view, const struct row *row,
                           const struct schema_column *column, const struct datum *arg);
const struct row *view_remove(struct view *view, const struct row *row,
                              const struct schema_column *column, const struct datum *arg);
void view_delete(struct view *view, const struct row *row);
/* The transaction fails when someone else changes this column meanwhile. */
void view_verify(struct view *view, const struct row *row, const struct schema_column *column);

bool view_is_changed(const struct view *view);
/* A transaction with all changes, possibly empty. */
struct replica_txn *view_make_txn(const struct view *view);

/* ---- by column name; the column must exist (else it is a bug) ---- */
const struct schema_column *row_column(const struct row *row, const char *column);
const struct datum *row_value(const struct row *row, const char *column);
/* The first string of the column, "" when it is empty. */
const char *row_text(const struct row *row, const char *column);
/* The value of KEY in a map of strings, or NULL. */
const char *row_map_text(const struct row *row, const char *column, const char *key);
bool row_bool(const struct row *row, const char *column, bool if_empty);
int64_t row_integer(const struct row *row, const char *column, int64_t if_empty);
bool row_refers_to(const struct row *row, const char *column, const struct uuid *uuid);

const struct row *view_set_text(struct view *view, const struct row *row, const char *column,
                                const char *text);
const struct row *view_set_integer(struct view *view, const struct row *row, const char *column,
                                   int64_t value);
const struct row *view_set_bool(struct view *view, const struct row *row, const char *column,
                                bool value);
const struct row *view_clear(struct view *view, const struct row *row, const char *column);
const struct row *view_set_key(struct view *view, const struct row *row, const char *column,
                               const char *key, const char *value);
const struct row *view_remove_key(struct view *view, const struct row *row, const char *column,
                                  const char *key);
const struct row *view_add_ref(struct view *view, const struct row *row, const char *column,
                               const struct row *to);
const struct row *view_remove_ref(struct view *view, const struct row *row, const char *column,
                                  const struct uuid *to);
/* The texts become a set of strings. */
const struct row *view_set_texts(struct view *view, const struct row *row, const char *column,
                                 char *const *texts, size_t n);
