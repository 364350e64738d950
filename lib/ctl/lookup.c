/* lookup.c - tables, columns and rows by the names that people give on a command line.
 *
 * Reads the view only. Says what matched when a name is ambiguous.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "ctl/ctl_internal.h"

static char fold(char c)
{
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

enum name_match { NO_MATCH, BEGINS, EQUAL };

static enum name_match match_name(const char *name, const char *given)
{
    for (; *given; name++, given++)
        if (fold(*name) != fold(*given))
            return NO_MATCH;
    return *name ? BEGINS : EQUAL;
}

static void put_word(struct str *list, const char *word)
{
    str_put(list, list->n ? ", " : "");
    str_put(list, word);
}

int ctl_find_table(struct ctl_call *call, const char *name, const struct schema_table **ret)
{
    const struct schema *schema = call->ctl->schema;
    struct str matches = STR_INIT;
    size_t n = 0;
    *ret = NULL;
    for (size_t i = 0; i < schema->n_tables; i++) {
        enum name_match match = match_name(schema->tables[i].name, name);
        if (match == EQUAL) {
            *ret = &schema->tables[i];
            n = 1;
            break;
        }
        if (match == BEGINS) {
            put_word(&matches, schema->tables[i].name);
            *ret = &schema->tables[i];
            n++;
        }
    }
    int err = 0;
    if (!n)
        err = ctl_fail(call, "unknown table \"%s\"", name);
    else if (n > 1)
        err = ctl_fail(call, "\"%s\" matches multiple table names: %s", name, str_c(&matches));
    str_fini(&matches);
    return err;
}

int ctl_find_column(struct ctl_call *call, const struct schema_table *table, const char *name,
                    bool allow_uuid, const struct schema_column **ret)
{
    struct str matches = STR_INIT;
    size_t n = 0;
    *ret = NULL;
    if (allow_uuid && !strcasecmp(name, "_uuid")) {
        *ret = &table->uuid_column;
        return 0;
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        enum name_match match = match_name(table->columns[i].name, name);
        if (match == EQUAL) {
            *ret = &table->columns[i];
            n = 1;
            break;
        }
        if (match == BEGINS) {
            put_word(&matches, table->columns[i].name);
            *ret = &table->columns[i];
            n++;
        }
    }
    int err = 0;
    if (!n)
        err = ctl_fail(call, "%s does not contain a column whose name matches \"%s\"", table->name,
                       name);
    else if (n > 1)
        err = ctl_fail(call, "%s contains more than one column whose name matches \"%s\": %s",
                       table->name, name, str_c(&matches));
    str_fini(&matches);
    return err;
}

bool ctl_server_has(const struct ctl *ctl, const struct schema_column *column)
{
    return ovsdb_client_source_has_column(ctl->source, column);
}

/* ---- rows ---- */

static bool holds_text(const struct row *row, const char *column, const char *key, const char *text)
{
    const struct datum *value = row_value(row, column);
    if (key) {
        const char *found = datum_map_text(value, key);
        return found && !strcmp(found, text);
    }
    if (value->key_type == ATOM_STRING)
        return value->n == 1 && !strcmp(value->atoms[0].string->s, text);
    if (value->n != 1)
        return false;
    struct str printed = STR_INIT;
    value_print_atom(value->key_type, &value->atoms[0], VALUE_BARE, &printed);
    bool same = !strcmp(str_c(&printed), text);
    str_fini(&printed);
    return same;
}

typedef VEC(const struct row *) row_vec;

static void push_once(row_vec *v, const struct row *row)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->data[i] == row)
            return;
    vec_push(v, row);
}

static void collect(struct ctl_call *call, const struct schema_table *table,
                    const struct ctl_row_id *id, const char *text, row_vec *v)
{
    const struct schema_table *where =
        id->name_table ? view_table(call->view, id->name_table) : table;
    struct row_list rows = view_any_rows(call->view, where);
    for (size_t i = 0; i < rows.n; i++) {
        if (!holds_text(rows.rows[i], id->name_column, id->key, text))
            continue;
        if (!id->ref_column) {
            push_once(v, rows.rows[i]);
            continue;
        }
        struct row_list to = view_referenced(call->view, rows.rows[i], id->ref_column);
        if (to.n == 1 && to.rows[0]->table == table)
            push_once(v, to.rows[0]);
        row_list_fini(&to);
    }
    row_list_fini(&rows);
}

static bool has_row_ids(const struct ctl *ctl, const struct schema_table *table)
{
    const struct ctl_row_id *id = ctl->program->row_ids;
    for (; id && id->table; id++)
        if (!strcmp(id->table, table->name))
            return true;
    return false;
}

static void collect_by_name(struct ctl_call *call, const struct schema_table *table,
                            const char *text, row_vec *v)
{
    const struct ctl_row_id *id = call->ctl->program->row_ids;
    for (; id && id->table && !v->n; id++)
        if (!strcmp(id->table, table->name))
            collect(call, table, id, text, v);
    const struct schema_column *name = schema_column_find(table, "name");
    if (!v->n && name && name->type.key.type == ATOM_STRING && !has_row_ids(call->ctl, table)) {
        struct row_list rows = view_by_name(call->view, table, text);
        for (size_t i = 0; i < rows.n; i++)
            push_once(v, rows.rows[i]);
        row_list_fini(&rows);
    }
}

static void collect_by_partial_uuid(struct ctl_call *call, const struct schema_table *table,
                                    const char *text, row_vec *v)
{
    enum { MIN_DIGITS = 4 };
    size_t n = strlen(text);
    if (n < MIN_DIGITS || strspn(text, "0123456789abcdefABCDEF-") != n)
        return;
    struct row_list rows = view_any_rows(call->view, table);
    for (size_t i = 0; i < rows.n; i++) {
        char uuid[UUID_TEXT_LEN + 1];
        if (!strncasecmp(uuid_print(&rows.rows[i]->uuid, uuid), text, n))
            push_once(v, rows.rows[i]);
    }
    row_list_fini(&rows);
}

static const struct row *only_row(struct ctl_call *call, const struct schema_table *table)
{
    struct row_list rows = view_rows(call->view, table);
    const struct row *row = rows.n == 1 ? rows.rows[0] : NULL;
    row_list_fini(&rows);
    return row;
}

int ctl_find_row(struct ctl_call *call, const struct schema_table *table, const char *id,
                 bool if_exists, const struct row **ret)
{
    struct uuid uuid;
    int err = 0;
    *ret = NULL;
    if (uuid_parse(id, &uuid)) {
        *ret = view_find(call->view, table, &uuid);
    } else if (*id == '@') {
        *ret = view_find(call->view, table, &ctl_symbols_get(&call->ctl->symbols, id)->uuid);
    } else if (!strcmp(id, ".") && table->max_rows == 1) {
        *ret = only_row(call, table);
    } else {
        row_vec v = VEC_INIT;
        collect_by_name(call, table, id, &v);
        if (!v.n && !view_is_waiting(call->view))
            collect_by_partial_uuid(call, table, id, &v);
        if (v.n == 1)
            *ret = v.data[0];
        else if (v.n > 1)
            err = ctl_fail(call, "multiple rows in %s match \"%s\"", table->name, id);
        vec_fini(&v);
    }
    if (!err && !*ret && !if_exists)
        err = ctl_fail(call, "no row \"%s\" in table %s", id, table->name);
    return err;
}

void ctl_need_lookup(struct ctl *ctl, const struct schema_table *table)
{
    ctl_need(ctl, table);
    const struct ctl_row_id *id = ctl->program->row_ids;
    for (; id && id->table; id++)
        if (!strcmp(id->table, table->name) && id->name_table)
            ctl_need(ctl, schema_table_find(ctl->schema, id->name_table));
}
