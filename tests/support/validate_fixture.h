/* validate_fixture.h - rows of the northbound schema to be judged, and what was said of them: for tests of lib/validate. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rows/nb.h"
#include "validate/validate.h"

struct fixture {
    struct schema *schema;
    struct validate *validate;
    struct str said;
    unsigned n_uuids;
};

static inline void set_up(struct fixture *f)
{
    *f = (struct fixture){.schema = nb_schema_new(), .said = STR_INIT};
    f->validate = validate_new(f->schema);
}

static inline void tear_down(struct fixture *f)
{
    validate_free(f->validate);
    schema_free(f->schema);
    str_fini(&f->said);
}

static inline struct row *make(struct fixture *f, const char *table)
{
    struct uuid uuid = {{++f->n_uuids}};
    return row_new(schema_table_find(f->schema, table), &uuid);
}

static inline const struct schema_column *column_of(const struct row *row, const char *name)
{
    const struct schema_column *column = schema_column_find(row->table, name);
    assert_non_null(column);
    return column;
}

static inline void set_text(struct row *row, const char *column, const char *text)
{
    row_set(row, column_of(row, column), datum_new_string(text));
}

static inline void add_text(struct row *row, const char *column, const char *text)
{
    const struct datum *more = datum_new_string(text);
    const struct datum *all = datum_union(more, row_get(row, column_of(row, column)));
    datum_unref(more);
    row_set(row, column_of(row, column), all);
}

static inline void set_pair(struct row *row, const char *column, const char *key, const char *value)
{
    union atom k = {.string = rstr_new(key)}, v = {.string = rstr_new(value)};
    row_set(row, column_of(row, column), datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1));
}

static inline void collect(void *f_, const char *sentence)
{
    struct fixture *f = f_;
    str_putf(&f->said, "%s\n", sentence);
}
