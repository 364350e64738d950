/* row_table.h - the rows of one table by uuid, for the copies that lib/replica and its sources
 * keep.
 *
 * Open addressing with linear probing: eight bytes a slot, and a position is an index, so iteration
 * needs no state. Holds one reference to each row. Does not know what a row means.
 */
#pragma once

#include "schema/row.h"

struct row_table {
    const struct row **slots;
    size_t mask; /* number of slots - 1 */
    size_t n;
};

#define ROW_TABLE_INIT                                                                             \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

const struct row *row_table_find(const struct row_table *table, const struct uuid *uuid);
/* Takes over one reference to ROW and drops that of the row with the same uuid, if there was one.
 */
void row_table_put(struct row_table *table, const struct row *row);
/* False when there is none. */
bool row_table_remove(struct row_table *table, const struct uuid *uuid);
/* Start with *pos = 0; NULL at the end. The table must not change meanwhile. */
const struct row *row_table_next(const struct row_table *table, size_t *pos);
void row_table_clear(struct row_table *table);
