/* view_columns.c - reading and changing columns by name, as the commands of the ctl programs do.
 *
 * A column that does not exist is a mistake in a command's table, not of a user: it aborts.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/view.h"

const struct schema_column *row_column(const struct row *row, const char *name)
{
    const struct schema_column *column = schema_column_find(row->table, name);
    INVARIANT(column != NULL && column->index >= 0);
    return column;
}

const struct datum *row_value(const struct row *row, const char *column)
{
    return row_get(row, row_column(row, column));
}

const char *row_text(const struct row *row, const char *column)
{
    const struct datum *value = row_value(row, column);
    INVARIANT(value->key_type == ATOM_STRING);
    return value->n ? value->atoms[0].string->s : "";
}

const char *row_map_text(const struct row *row, const char *column, const char *key)
{
    return datum_map_text(row_value(row, column), key);
}

bool row_bool(const struct row *row, const char *column, bool if_empty)
{
    const struct datum *value = row_value(row, column);
    return value->n ? value->atoms[0].boolean : if_empty;
}

int64_t row_integer(const struct row *row, const char *column, int64_t if_empty)
{
    const struct datum *value = row_value(row, column);
    return value->n ? value->atoms[0].integer : if_empty;
}

bool row_refers_to(const struct row *row, const char *column, const struct uuid *uuid)
{
    union atom key = {.uuid = *uuid};
    return datum_find(row_value(row, column), &key) >= 0;
}

const struct row *view_set_text(struct view *view, const struct row *row, const char *column,
                                const char *text)
{
    return view_set(view, row, row_column(row, column), datum_new_string(text));
}

const struct row *view_set_integer(struct view *view, const struct row *row, const char *column,
                                   int64_t value)
{
    return view_set(view, row, row_column(row, column), datum_new_integer(value));
}

const struct row *view_set_bool(struct view *view, const struct row *row, const char *column,
                                bool value)
{
    return view_set(view, row, row_column(row, column), datum_new_boolean(value));
}

const struct row *view_clear(struct view *view, const struct row *row, const char *column)
{
    const struct schema_column *c = row_column(row, column);
    return view_set(view, row, c, datum_ref(c->default_value));
}

static const struct datum *string_pair(const char *key, const char *value)
{
    union atom k = {.string = rstr_new(key)}, v = {.string = rstr_new(value)};
    return datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1);
}

const struct row *view_set_key(struct view *view, const struct row *row, const char *column,
                               const char *key, const char *value)
{
    return view_add(view, row, row_column(row, column), string_pair(key, value));
}

const struct row *view_remove_key(struct view *view, const struct row *row, const char *column,
                                  const char *key)
{
    return view_remove(view, row, row_column(row, column), datum_new_string(key));
}

const struct row *view_add_ref(struct view *view, const struct row *row, const char *column,
                               const struct row *to)
{
    return view_add(view, row, row_column(row, column), datum_new_uuid(&to->uuid));
}

const struct row *view_remove_ref(struct view *view, const struct row *row, const char *column,
                                  const struct uuid *to)
{
    return view_remove(view, row, row_column(row, column), datum_new_uuid(to));
}

const struct row *view_set_texts(struct view *view, const struct row *row, const char *column,
                                 char *const *texts, size_t n)
{
    union atom *atoms = xcalloc(n + 1, sizeof *atoms);
    for (size_t i = 0; i < n; i++)
        atoms[i].string = rstr_new(texts[i]);
    const struct datum *set = datum_new_set(ATOM_STRING, atoms, n);
    free(atoms);
    return view_set(view, row, row_column(row, column), set);
}
