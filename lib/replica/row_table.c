/* row_table.c - see row_table.h. At most three quarters of the slots are used; deletion closes the
 * gap, so that there are no tombstones. Does no locking and keeps no order. */
#include "replica/row_table.h"

#include <stdlib.h>

#include "base/util.h"

enum { FIRST_SLOTS = 16 };

static size_t slot_of(const struct row_table *table, const struct uuid *uuid)
{
    return uuid_hash(uuid) & table->mask;
}

const struct row *row_table_find(const struct row_table *table, const struct uuid *uuid)
{
    if (!table->n)
        return NULL;
    for (size_t i = slot_of(table, uuid); table->slots[i]; i = (i + 1) & table->mask)
        if (uuid_equal(&table->slots[i]->uuid, uuid))
            return table->slots[i];
    return NULL;
}

static void place(struct row_table *table, const struct row *row)
{
    size_t i = slot_of(table, &row->uuid);
    while (table->slots[i])
        i = (i + 1) & table->mask;
    table->slots[i] = row;
}

static void grow(struct row_table *table)
{
    struct row_table old = *table;
    size_t n = old.slots ? (old.mask + 1) * 2 : FIRST_SLOTS;
    table->slots = xcalloc(n, sizeof *table->slots);
    table->mask = n - 1;
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i])
            place(table, old.slots[i]);
    free(old.slots);
}

void row_table_put(struct row_table *table, const struct row *row)
{
    if (table->n)
        for (size_t i = slot_of(table, &row->uuid); table->slots[i]; i = (i + 1) & table->mask)
            if (uuid_equal(&table->slots[i]->uuid, &row->uuid)) {
                const struct row *old = table->slots[i];
                table->slots[i] = row;
                row_unref(old);
                return;
            }
    if (!table->slots || (table->n + 1) * 4 > (table->mask + 1) * 3)
        grow(table);
    place(table, row);
    table->n++;
}

bool row_table_remove(struct row_table *table, const struct uuid *uuid)
{
    if (!table->n)
        return false;
    size_t i = slot_of(table, uuid);
    while (table->slots[i] && !uuid_equal(&table->slots[i]->uuid, uuid))
        i = (i + 1) & table->mask;
    if (!table->slots[i])
        return false;
    const struct row *old = table->slots[i];
    /* Move back each later row of the run that may stand in the gap: its home lies not after it. */
    size_t gap = i;
    for (size_t j = (i + 1) & table->mask; table->slots[j]; j = (j + 1) & table->mask) {
        size_t home = slot_of(table, &table->slots[j]->uuid);
        if (((j - home) & table->mask) >= ((j - gap) & table->mask)) {
            table->slots[gap] = table->slots[j];
            gap = j;
        }
    }
    table->slots[gap] = NULL;
    table->n--;
    row_unref(old);
    return true;
}

const struct row *row_table_next(const struct row_table *table, size_t *pos)
{
    while (table->slots && *pos <= table->mask) {
        const struct row *row = table->slots[(*pos)++];
        if (row)
            return row;
    }
    return NULL;
}

void row_table_clear(struct row_table *table)
{
    for (size_t i = 0; table->slots && i <= table->mask; i++)
        row_unref(table->slots[i]);
    free(table->slots);
    *table = (struct row_table)ROW_TABLE_INIT;
}
