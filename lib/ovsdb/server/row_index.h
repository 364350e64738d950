/* row_index.h - told rows by the value of a column: which rows a few new clauses of a condition concern.
 *
 * A hypervisor asks for the rows of one name more among tens of thousands of rows. A column's index is made when it is first asked for, and kept
 * up with what is told from then on; rows that have the column's default are not in it (most have no parent), so a column
 * that nobody asks for costs nothing, and one that few rows have little.
 */
#pragma once

#include "store/store.h"

struct row_index;

struct row_index *row_index_new(const struct store *store); /* borrowed */
void row_index_free(struct row_index *index);
/* Before anybody asks again: CS has been told. */
void row_index_tell(struct row_index *index, const struct changeset *cs);
/* Calls FN for each told row of which COLUMN (a real one) is VALUE; false: it cannot say, as VALUE is the default, or no name (references are
 * asked for by the hundred, and shared by hundreds of rows). */
bool row_index_find(struct row_index *index, const struct schema_column *column,
                    const struct datum *value, void (*fn)(void *aux, const struct row *row),
                    void *aux);
/* Rows that were looked at to make indexes and find in them. */
uint64_t row_index_n_looks(const struct row_index *index);
