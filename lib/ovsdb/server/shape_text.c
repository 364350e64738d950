/* shape_text.c - table updates as text: initial contents, changes, transitions between conditions.
 *
 * Written straight into a string: no JSON tree is built for a row. The forms are those of RFC 7047
 * (update) and of the later update2, which sends differences and leaves out defaults.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "ovsdb/server/row_index.h"
#include "ovsdb/server/shape.h"

/* Writes tables and rows around what is put inside, opening and closing objects as needed. */
struct writer {
    struct str *out;
    size_t start; /* where the text began, to take it back if nothing was written */
    const struct schema_table *table; /* of the open table object, or NULL */
};

static void writer_init(struct writer *w, struct str *out)
{
    *w = (struct writer){out, out->n, NULL};
    str_putc(out, '{');
}

static void writer_row(struct writer *w, const struct row *row)
{
    char uuid[UUID_TEXT_LEN + 1];
    if (w->table != row->table) {
        if (w->table)
            str_put(w->out, "},");
        w->table = row->table;
        json_put_string(row->table->name, strlen(row->table->name), w->out);
        str_put(w->out, ":{");
    } else {
        str_putc(w->out, ',');
    }
    str_putc(w->out, '"');
    str_put_n(w->out, uuid_print(&row->uuid, uuid), UUID_TEXT_LEN);
    str_put(w->out, "\":{");
}

static void writer_row_end(struct writer *w)
{
    str_putc(w->out, '}');
}

static bool writer_end(struct writer *w)
{
    if (!w->table) {
        str_truncate(w->out, w->start);
        return false;
    }
    str_put(w->out, "}}");
    return true;
}

/* ---- columns ---- */

static void put_name(const struct schema_column *column, bool *first, struct str *out)
{
    if (!*first)
        str_putc(out, ',');
    *first = false;
    str_putc(out, '"');
    str_put(out, column->name); /* an identifier: nothing to escape */
    str_put(out, "\":");
}

static void put_value(const struct row *row, const struct schema_column *column, struct str *out)
{
    if (column->index >= 0) {
        datum_put_json(row_get(row, column), out);
        return;
    }
    const struct datum *value = row_get_any(row, column);
    datum_put_json(value, out);
    datum_unref(value);
}

static bool column_differs(const struct row *a, const struct row *b,
                           const struct schema_column *column)
{
    if (column->index >= 0) {
        const struct datum *da = row_get(a, column), *db = row_get(b, column);
        return da != db && !datum_equal(da, db);
    }
    return column->index == COLUMN_VERSION && !uuid_equal(&a->version, &b->version);
}

static bool is_default(const struct row *row, const struct schema_column *column)
{
    if (column->index < 0)
        return false;
    const struct datum *value = row_get(row, column);
    return value == column->default_value || datum_equal(value, column->default_value);
}

/* {"a":..}: the columns of ROW that are wanted for the kind of change SELECT. */
static void put_columns(const struct shape_table *st, const struct row *row, unsigned select,
                        bool omit_defaults, struct str *out)
{
    bool first = true;
    str_putc(out, '{');
    for (size_t i = 0; i < st->n; i++) {
        const struct schema_column *column = st->columns[i].column;
        if (!(st->columns[i].select & select) || (omit_defaults && is_default(row, column)))
            continue;
        put_name(column, &first, out);
        put_value(row, column, out);
    }
    str_putc(out, '}');
}

/* The old values of changed columns, as "update" shows them. */
static void put_old_columns(const struct shape_table *st, const struct change *c, struct str *out)
{
    bool first = true;
    str_putc(out, '{');
    for (size_t i = 0; i < st->n; i++) {
        const struct schema_column *column = st->columns[i].column;
        if (!(st->columns[i].select & SELECT_MODIFY) ||
            !column_differs(c->before, c->after, column))
            continue;
        put_name(column, &first, out);
        put_value(c->before, column, out);
    }
    str_putc(out, '}');
}

/* The differences of changed columns, as "update2" shows them. */
static void put_differences(const struct shape_table *st, const struct change *c, struct str *out)
{
    bool first = true;
    str_putc(out, '{');
    for (size_t i = 0; i < st->n; i++) {
        const struct schema_column *column = st->columns[i].column;
        if (!(st->columns[i].select & SELECT_MODIFY) ||
            !column_differs(c->before, c->after, column))
            continue;
        put_name(column, &first, out);
        if (column->index < 0 || (!column->type.is_map && column->type.n_max == 1)) {
            put_value(c->after, column, out);
        } else {
            const struct datum *difference =
                datum_difference(row_get(c->before, column), row_get(c->after, column));
            datum_put_json(difference, out);
            datum_unref(difference);
        }
    }
    str_putc(out, '}');
}

/* ---- rows ---- */

static bool monitored_column_differs(const struct shape_table *st, const struct change *c)
{
    for (size_t i = 0; i < st->n; i++) {
        if (st->columns[i].select & SELECT_MODIFY &&
            column_differs(c->before, c->after, st->columns[i].column))
            return true;
    }
    return false;
}

static void put_change_v1(struct writer *w, const struct shape_table *st, const struct change *c)
{
    if (c->before && c->after) {
        if (!monitored_column_differs(st, c))
            return;
        writer_row(w, c->after);
        str_put(w->out, "\"new\":");
        put_columns(st, c->after, SELECT_MODIFY, false, w->out);
        str_put(w->out, ",\"old\":");
        put_old_columns(st, c, w->out);
    } else if (c->after) {
        if (!(st->select & SELECT_INSERT))
            return;
        writer_row(w, c->after);
        str_put(w->out, "\"new\":");
        put_columns(st, c->after, SELECT_INSERT, false, w->out);
    } else {
        if (!(st->select & SELECT_DELETE))
            return;
        writer_row(w, c->before);
        str_put(w->out, "\"old\":");
        put_columns(st, c->before, SELECT_DELETE, false, w->out);
    }
    writer_row_end(w);
}

static void put_insert_v2(struct writer *w, const struct shape_table *st, const struct row *row)
{
    if (!(st->select & SELECT_INSERT))
        return;
    writer_row(w, row);
    str_put(w->out, "\"insert\":");
    put_columns(st, row, SELECT_INSERT, true, w->out);
    writer_row_end(w);
}

static void put_delete_v2(struct writer *w, const struct shape_table *st, const struct row *row)
{
    if (!(st->select & SELECT_DELETE))
        return;
    writer_row(w, row);
    str_put(w->out, "\"delete\":null");
    writer_row_end(w);
}

static void put_change_v2(struct writer *w, const struct shape_table *st, const struct change *c)
{
    bool was = c->before && filter_matches(st->filter, c->before);
    bool is = c->after && filter_matches(st->filter, c->after);
    if (is && !was) {
        put_insert_v2(w, st, c->after);
    } else if (was && !is) {
        put_delete_v2(w, st, c->before);
    } else if (was && is && st->select & SELECT_MODIFY &&
               (monitored_column_differs(st, c) ||
                filter_column_differs(st->filter, c->before, c->after))) {
        writer_row(w, c->after);
        str_put(w->out, "\"modify\":");
        put_differences(st, c, w->out);
        writer_row_end(w);
    }
}

/* ---- whole updates ---- */

size_t shape_put_rows(const struct shape *shape, const struct row *const *rows, size_t n,
                      size_t first, size_t limit, struct str *out)
{
    bool v1 = shape->version == MONITOR_V1;
    struct writer w = {out, out->n, first ? rows[first - 1]->table : NULL};
    size_t i = first;
    if (!first)
        str_putc(out, '{');
    for (; i < n && out->n - w.start < limit; i++) {
        writer_row(&w, rows[i]);
        str_put(out, v1 ? "\"new\":" : "\"initial\":");
        put_columns(shape->tables[rows[i]->table->index], rows[i], SELECT_INITIAL, !v1, out);
        writer_row_end(&w);
    }
    if (i == n)
        str_put(out, n ? "}}" : "}");
    return i;
}

bool shape_put_changes(const struct shape *shape, size_t n, const struct change *changes,
                       struct str *out)
{
    struct writer w;
    writer_init(&w, out);
    for (size_t i = 0; i < n; i++) {
        const struct change *c = &changes[i];
        const struct schema_table *table = (c->after ? c->after : c->before)->table;
        const struct shape_table *st = shape->tables[table->index];
        if (!st)
            continue;
        if (shape->version == MONITOR_V1)
            put_change_v1(&w, st, c);
        else
            put_change_v2(&w, st, c);
    }
    return writer_end(&w);
}

/* What becomes of a table's rows when its condition changes. */
struct transition {
    struct writer *w;
    const struct shape_table *from, *to;
    struct filter *more,
        *less; /* clauses that come and go: only rows that one of these matches can appear or disappear */
};

static void put_row_transition(const struct transition *t, const struct row *row)
{
    bool has_more = filter_matches(t->more, row), has_less = filter_matches(t->less, row);
    if (has_more && !has_less && !filter_matches(t->from->filter, row))
        put_insert_v2(t->w, t->to, row);
    else if (has_less && !has_more && !filter_matches(t->to->filter, row))
        put_delete_v2(t->w, t->to, row);
}

typedef VEC(const struct row *) row_vec;

static void push_row(void *rows, const struct row *row)
{
    vec_push((row_vec *)rows, row);
}

/* The rows that FILTER matches, if it has few clauses, all of them equalities; false: it has not. */
static bool find_rows(struct row_index *index, const struct filter *filter, row_vec *rows)
{
    enum { FEW = 256 };
    const struct condition *where = filter_condition(filter);
    bool is_found = where->n <= FEW;
    for (size_t i = 0; i < where->n && is_found; i++) {
        const struct clause *c = &where->clauses[i];
        is_found =
            c->function == FN_FALSE || (c->function == FN_EQ && c->column->index >= 0 &&
                                        row_index_find(index, c->column, c->arg, push_row, rows));
    }
    return is_found;
}

static int compare_rows(const void *a_, const void *b_)
{
    const struct row *const *a = a_, *const *b = b_;
    return uuid_compare(&(*a)->uuid, &(*b)->uuid);
}

static void put_table_transition(const struct transition *t, const struct store *store,
                                 struct row_index *index)
{
    const struct row *row;
    row_vec rows = VEC_INIT;
    if (find_rows(index, t->more, &rows) && find_rows(index, t->less, &rows)) {
        if (rows.n)
            qsort(rows.data, rows.n, sizeof rows.data[0], compare_rows);
        for (size_t i = 0; i < rows.n; i++)
            if (!i || rows.data[i] != rows.data[i - 1])
                put_row_transition(t, rows.data[i]);
    } else {
        for (size_t pos = 0; (row = store_next_told_row(store, t->to->table, &pos)) != NULL;)
            put_row_transition(t, row);
    }
    vec_fini(&rows);
}

bool shape_put_transition(const struct shape *before, const struct shape *after,
                          const struct store *store, struct row_index *index, struct str *out)
{
    struct writer w;
    writer_init(&w, out);
    for (size_t i = 0; i < after->schema->n_tables; i++) {
        const struct shape_table *from = before->tables[i], *to = after->tables[i];
        if (!to || to->filter == from->filter)
            continue;
        struct transition t = {.w = &w, .from = from, .to = to};
        t.more = filter_minus(to->filter, from->filter);
        t.less = filter_minus(from->filter, to->filter);
        if (!filter_is_nothing(t.more) || !filter_is_nothing(t.less))
            put_table_transition(&t, store, index);
        filter_unref(t.more);
        filter_unref(t.less);
    }
    return writer_end(&w);
}
