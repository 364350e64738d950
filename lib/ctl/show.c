/* show.c - "show" from a description: a tree of rows along their references.
 *
 * Prints table and name of each row, its columns that are not empty, and below it the rows it refers
 * to whose table is in the description. A row is not printed again below itself.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl_internal.h"

enum { MAX_DEPTH = 8 };

struct shower {
    struct ctl_call *call;
    const struct uuid *path[MAX_DEPTH];
    int depth;
};

static const struct ctl_show *show_of(const struct ctl *ctl, const char *table)
{
    for (const struct ctl_show *s = ctl->program->show; s->table; s++)
        if (!strcmp(s->table, table))
            return s;
    return NULL;
}

int ctl_show_prepare(struct ctl_call *call)
{
    for (const struct ctl_show *s = call->ctl->program->show; s->table; s++) {
        ctl_need(call->ctl, schema_table_find(call->ctl->schema, s->table));
        if (s->back_table)
            ctl_need(call->ctl, schema_table_find(call->ctl->schema, s->back_table));
    }
    return 0;
}

static void put_indent(struct shower *shower)
{
    for (int i = 0; i < shower->depth; i++)
        str_put(&shower->call->out, "    ");
}

static void show_row(struct shower *shower, const struct row *row);

static void show_column(struct shower *shower, const struct row *row,
                        const struct schema_column *column)
{
    const struct datum *value = row_get(row, column);
    const struct schema_table *ref = column->type.key.ref_table;
    if (ref && show_of(shower->call->ctl, ref->name)) {
        struct row_list rows = view_referenced(shower->call->view, row, column->name);
        for (size_t i = 0; i < rows.n; i++)
            show_row(shower, rows.rows[i]);
        row_list_fini(&rows);
        return;
    }
    if (datum_equal(value, column->default_value))
        return;
    put_indent(shower);
    str_putf(&shower->call->out, "%s: ", column->name);
    value_print(&column->type, value, VALUE_STRING, &shower->call->out);
    str_putc(&shower->call->out, '\n');
}

static void show_referrers(struct shower *shower, const struct row *row,
                           const struct ctl_show *show)
{
    struct view *view = shower->call->view;
    struct row_list rows = view_rows(view, view_table(view, show->back_table));
    for (size_t i = 0; i < rows.n; i++) {
        if (!row_refers_to(rows.rows[i], show->back_column, &row->uuid))
            continue;
        const struct schema_column *name = row_column(rows.rows[i], show->back_name);
        put_indent(shower);
        str_putf(&shower->call->out, "%s ", show->back_table);
        value_print(&name->type, row_get(rows.rows[i], name), VALUE_STRING, &shower->call->out);
        str_putc(&shower->call->out, '\n');
    }
    row_list_fini(&rows);
}

static void show_row(struct shower *shower, const struct row *row)
{
    const struct ctl_show *show = show_of(shower->call->ctl, row->table->name);
    for (int i = 0; i < shower->depth; i++)
        if (uuid_equal(shower->path[i], &row->uuid))
            return;
    if (!show || shower->depth >= MAX_DEPTH)
        return;
    put_indent(shower);
    if (show->name_column) {
        const struct schema_column *name = row_column(row, show->name_column);
        str_putf(&shower->call->out, "%s ", show->table);
        value_print(&name->type, row_get(row, name), VALUE_STRING, &shower->call->out);
    } else {
        char uuid[UUID_TEXT_LEN + 1];
        str_put(&shower->call->out, uuid_print(&row->uuid, uuid));
    }
    str_putc(&shower->call->out, '\n');
    shower->path[shower->depth++] = &row->uuid;
    for (size_t i = 0; i < ARRAY_SIZE(show->columns) && show->columns[i]; i++)
        show_column(shower, row, row_column(row, show->columns[i]));
    if (show->back_table)
        show_referrers(shower, row, show);
    shower->depth--;
}

int ctl_show_run(struct ctl_call *call)
{
    struct shower shower = {.call = call};
    const struct ctl_show *root = call->ctl->program->show;
    struct row_list rows = view_rows(call->view, view_table(call->view, root->table));
    for (size_t i = 0; i < rows.n; i++)
        show_row(&shower, rows.rows[i]);
    row_list_fini(&rows);
    return 0;
}
