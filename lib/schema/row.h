/* row.h - one version of a row, and the change of one transaction.
 *
 * A row is immutable: changing it makes a new row with the same uuid that shares the unchanged
 * datums. Store, replica and engine hold references to the very same object, so that in one process
 * a row exists once. Typed access is generated: rows/nb.h declares "struct nb_logical_switch {
 * struct row row; }" and inline accessors such as nb_logical_switch_name(ls); a cast from struct
 * row * is nb_logical_switch_cast(row).
 *
 * Rooms 1 and 5.
 */
#pragma once

#include "schema/schema.h"

struct row {
    uint32_t refs;
    const struct schema_table *table;
    struct uuid uuid;
    struct uuid version;          /* _version: changes with each change of the row */
    const struct datum *values[]; /* table->n_columns, by column index */
};

/* A row whose columns are the defaults; one reference. */
struct row *row_new(const struct schema_table *table, const struct uuid *uuid);
/* A copy that shares all datums, for the maker of the next version to edit with row_set. */
struct row *row_clone(const struct row *row);
/* Only between row_new/row_clone and publication. Takes over the reference to VALUE. */
void row_set(struct row *row, const struct schema_column *column, const struct datum *value);
/* As row_set for what COLUMNS says, an object by names of columns (also "_version"); IS_DIFFERENCE:
 * what it says of a set or map is applied as datum_apply_difference does. Elements are not counted
 * or held to constraints. On an error, which names table and column, ROW is changed in part. */
int row_set_json(struct row *row, const json_t *columns, bool is_difference,
                 struct diag *diag) MUST_CHECK;
static inline const struct row *row_ref(const struct row *row)
{
    ((struct row *)(uintptr_t)row)->refs++;
    return row;
}
void row_unref(const struct row *row); /* NULL is allowed */
/* The value of a column with a slot. */
static inline const struct datum *row_get(const struct row *row, const struct schema_column *column)
{
    return row->values[column->index];
}
/* Also for _uuid and _version; a new reference. */
const struct datum *row_get_any(const struct row *row, const struct schema_column *column);
/* True when all columns (not the version) are equal. */
bool row_equal(const struct row *a, const struct row *b);

/* One row's part in a transaction: OLD NULL is an insert, NEW NULL a delete. */
struct change {
    const struct row *before, *after;
};

/* What one committed transaction did: at most one change a row, grouped by table in order of table
 * index. Immutable, shared. */
struct changeset {
    uint32_t refs;
    uint64_t number; /* of the transaction in its store, ascending */
    struct uuid id;  /* transaction id as monitor_cond_since shows it */
    int64_t wall_ms;
    struct rstr *author, *comment; /* may be NULL */
    size_t n;
    struct change *changes;
};
const struct changeset *changeset_ref(const struct changeset *cs);
void changeset_unref(const struct changeset *cs);
