/* row.c - versions of rows, and change sets; see row.h. */
#include "schema/row.h"

#include <stdlib.h>

static struct row *alloc(const struct schema_table *table)
{
    struct row *row = xmalloc(sizeof *row + table->n_columns * sizeof *row->values);
    row->refs = 1;
    row->table = table;
    return row;
}

struct row *row_new(const struct schema_table *table, const struct uuid *uuid)
{
    struct row *row = alloc(table);
    row->uuid = *uuid;
    row->version = (struct uuid){0};
    for (size_t i = 0; i < table->n_columns; i++)
        row->values[i] = datum_ref(table->columns[i].default_value);
    return row;
}

struct row *row_clone(const struct row *row)
{
    struct row *copy = alloc(row->table);
    copy->uuid = row->uuid;
    copy->version = row->version;
    for (size_t i = 0; i < row->table->n_columns; i++)
        copy->values[i] = datum_ref(row->values[i]);
    return copy;
}

void row_set(struct row *row, const struct schema_column *column, const struct datum *value)
{
    const struct datum *old = row->values[column->index];
    row->values[column->index] = value;
    datum_unref(old);
}

void row_unref(const struct row *row)
{
    struct row *r = (struct row *)(uintptr_t)row;
    if (!r || --r->refs)
        return;
    for (size_t i = 0; i < r->table->n_columns; i++)
        datum_unref(r->values[i]);
    free(r);
}

const struct datum *row_get_any(const struct row *row, const struct schema_column *column)
{
    if (column->index == COLUMN_UUID)
        return datum_new_uuid(&row->uuid);
    if (column->index == COLUMN_VERSION)
        return datum_new_uuid(&row->version);
    return datum_ref(row->values[column->index]);
}

bool row_equal(const struct row *a, const struct row *b)
{
    if (a == b)
        return true;
    for (size_t i = 0; i < a->table->n_columns; i++) {
        if (!datum_equal(a->values[i], b->values[i]))
            return false;
    }
    return true;
}

const struct changeset *changeset_ref(const struct changeset *cs)
{
    ((struct changeset *)(uintptr_t)cs)->refs++;
    return cs;
}

void changeset_unref(const struct changeset *cs)
{
    struct changeset *c = (struct changeset *)(uintptr_t)cs;
    if (!c || --c->refs)
        return;
    for (size_t i = 0; i < c->n; i++) {
        row_unref(c->changes[i].before);
        row_unref(c->changes[i].after);
    }
    rstr_unref(c->author);
    rstr_unref(c->comment);
    free(c->changes);
    free(c);
}
