/* sql_history.c - past transactions in the file: who, when, what for, and what was there before.
 *
 * See sql.h. A transaction's changes are JSON, {"T":{"<uuid>":{...}}}, that leads from the state
 * after it to the state before it: {"insert":null}; {"modify":{column: value, ...}} with the old
 * value of a scalar and the difference of a set or map; {"delete":{column: value, ...}} with what the
 * row had. At open the latest ones are read backwards from the rows that are there, so that clients
 * go on where they were before a restart. Transactions with very many changes keep no changes:
 * history in this sense begins after them.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/sql.h"

/* ---- writing ---- */

static bool is_scalar(const struct schema_column *column)
{
    return !column->type.is_map && column->type.n_max == 1;
}

static void put_version(const struct row *row, struct str *out)
{
    char uuid[UUID_TEXT_LEN + 1];
    str_putf(out, "{\"_version\":[\"uuid\",\"%s\"]", uuid_print(&row->version, uuid));
}

static void put_modify(const struct sql_table *table, const struct change *c, struct str *out)
{
    put_version(c->before, out);
    for (size_t i = 0; i < table->schema->n_columns; i++) {
        const struct schema_column *column = &table->schema->columns[i];
        const struct datum *before = row_get(c->before, column), *after = row_get(c->after, column);
        if (column->is_ephemeral || before == after || datum_equal(before, after))
            continue;
        str_putf(out, ",\"%s\":", column->name);
        if (is_scalar(column))
            datum_put_json(before, out);
        else
            datum_put_json_difference(after, before, out);
    }
    str_putc(out, '}');
}

static void put_delete(const struct sql_table *table, const struct row *row, struct str *out)
{
    put_version(row, out);
    for (size_t i = 0; i < table->schema->n_columns; i++) {
        const struct schema_column *column = &table->schema->columns[i];
        const struct datum *value = row_get(row, column);
        if (column->is_ephemeral || datum_equal(value, column->default_value))
            continue;
        str_putf(out, ",\"%s\":", column->name);
        datum_put_json(value, out);
    }
    str_putc(out, '}');
}

static void put_step(const struct batch_step *step, struct str *out)
{
    const struct change *c = step->change;
    char uuid[UUID_TEXT_LEN + 1];
    str_putf(out, "\"%s\":", uuid_print(&(c->after ? c->after : c->before)->uuid, uuid));
    if (!c->before) {
        str_put(out, "{\"insert\":null}");
        return;
    }
    str_put(out, c->after ? "{\"modify\":" : "{\"delete\":");
    if (c->after)
        put_modify(step->table, c, out);
    else
        put_delete(step->table, c->before, out);
    str_putc(out, '}');
}

/* The changes of N steps, which are grouped by table. False: too many. */
static bool put_steps(const struct batch_step *steps, size_t n, struct str *out)
{
    const struct sql_table *open = NULL;
    if (n > SQL_HISTORY_SET_CHANGES)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (steps[i].table != open)
            str_putf(out, "%s\"%s\":{", open ? "}," : "{", steps[i].table->schema->name);
        else
            str_putc(out, ',');
        open = steps[i].table;
        put_step(&steps[i], out);
        if (out->n > SQL_HISTORY_SET_BYTES)
            return false;
    }
    str_put(out, "}}");
    return true;
}

static void bind_rstr(sqlite3_stmt *stmt, int i, const struct rstr *s)
{
    if (s)
        sqlite3_bind_text(stmt, i, s->s, (int)s->n, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, i);
}

int sql_history_put(struct sql *sql, const struct changeset *cs, const struct batch_step *steps,
                    size_t n, struct diag *diag)
{
    struct str changes = STR_INIT;
    sqlite3_stmt *stmt = sql->put_history;
    bool is_kept = put_steps(steps, n, &changes);
    sqlite3_bind_int64(stmt, 1, (int64_t)cs->number);
    sql_bind_atom(stmt, 2, ATOM_UUID, &(union atom){.uuid = cs->id});
    sqlite3_bind_int64(stmt, 3, cs->wall_ms);
    bind_rstr(stmt, 4, cs->author);
    bind_rstr(stmt, 5, cs->comment);
    sqlite3_bind_int64(stmt, 6, steps ? (int64_t)n : 0);
    if (is_kept)
        sqlite3_bind_text(stmt, 7, changes.s, (int)changes.n, SQLITE_STATIC);
    else
        sqlite3_bind_null(stmt, 7);
    sql->history_bytes += is_kept ? changes.n : 0;
    int err = sql_run(sql, stmt, diag);
    sqlite3_clear_bindings(stmt);
    str_fini(&changes);
    return err;
}

int sql_history_put_origin(struct sql *sql, uint64_t number, const struct uuid *id, int64_t wall_ms,
                           const char *comment, struct diag *diag)
{
    struct changeset cs = {.number = number, .id = *id, .wall_ms = wall_ms};
    cs.comment = comment ? rstr_new(comment) : NULL;
    /* More changes than are kept: what was before is not known. */
    int err = sql_history_put(sql, &cs, NULL, SQL_HISTORY_SET_CHANGES + 1, diag);
    rstr_unref(cs.comment);
    return err;
}

int sql_history_trim(struct sql *sql, uint64_t number, struct diag *diag)
{
    int err = 0;
    if (number % SQL_HISTORY_TRIM_EVERY == 0)
        err = sql_exec(sql, diag, "DELETE FROM _history WHERE number<=%" PRIi64,
                       (int64_t)number - SQL_HISTORY_KEPT);
    if (err || sql->history_bytes <= SQL_HISTORY_BYTES)
        return err;
    /* Leaves half of what is allowed. */
    err = sql_exec(sql, diag,
                   "DELETE FROM _history WHERE number<=(SELECT max(number) FROM (SELECT number,"
                   "sum(length(changes)) OVER (ORDER BY number DESC) AS bytes FROM _history) WHERE "
                   "bytes>%d)",
                   SQL_HISTORY_BYTES / 2);
    sql->history_bytes = SQL_HISTORY_BYTES / 2;
    return err;
}

/* ---- reading backwards ---- */

/* A row as it was at the time that the reading has come to. */
struct past {
    struct hnode node;
    const struct schema_table *table;
    struct uuid uuid;
    const struct row *row; /* NULL: not there */
};

struct reader {
    struct store *store;
    struct hmap past; /* struct past: those that differ from the store's */
    VEC(struct change) changes;
    VEC(struct changeset *) sets; /* the latest first */
};

static struct past *past_find(const struct reader *r, const struct schema_table *table,
                              const struct uuid *uuid)
{
    struct past *past;
    HMAP_FOR_EACH_WITH_HASH (past, node, uuid_hash(uuid), &r->past) {
        if (past->table == table && uuid_equal(&past->uuid, uuid))
            return past;
    }
    return NULL;
}

static const struct row *row_then(const struct reader *r, const struct schema_table *table,
                                  const struct uuid *uuid)
{
    const struct past *past = past_find(r, table, uuid);
    return past ? past->row : store_row_find(r->store, table, uuid);
}

static void set_row_then(struct reader *r, const struct schema_table *table,
                         const struct uuid *uuid, const struct row *row)
{
    struct past *past = past_find(r, table, uuid);
    if (!past) {
        past = NEW(struct past);
        past->table = table;
        past->uuid = *uuid;
        hmap_insert(&r->past, &past->node, uuid_hash(uuid));
    }
    row_unref(past->row);
    past->row = row ? row_ref(row) : NULL;
}

static int read_change(struct reader *r, const struct schema_table *table, const char *uuid_text,
                       const json_t *json)
{
    const json_t *modify = json_object_get(json, "modify"),
                 *delete = json_object_get(json, "delete");
    struct uuid uuid;
    if (!uuid_parse(uuid_text, &uuid))
        return ERR_CORRUPT;
    const struct row *after = row_then(r, table, &uuid);
    if ((after == NULL) != (delete != NULL))
        return ERR_CORRUPT;
    struct row *before = modify ? row_clone(after) : delete ? row_new(table, &uuid) : NULL;
    int err = before ? row_set_json(before, modify ? modify : delete, modify != NULL, NULL) : 0;
    if (err) {
        row_unref(before);
        return err;
    }
    vec_push(&r->changes, ((struct change){before, after ? row_ref(after) : NULL}));
    set_row_then(r, table, &uuid, before);
    return 0;
}

/* In the order of the schema's tables, as change sets are. */
static int read_changes(struct reader *r, const json_t *json)
{
    const struct schema *schema = r->store->schema;
    size_t n_tables = 0;
    for (size_t i = 0; i < schema->n_tables; i++) {
        json_t *rows = json_object_get(json, schema->tables[i].name), *row;
        const char *uuid;
        n_tables += rows != NULL;
        json_object_foreach(rows, uuid, row)
        {
            int err = read_change(r, &schema->tables[i], uuid, row);
            if (err)
                return err;
        }
    }
    return n_tables && n_tables == json_object_size(json) ? 0 : ERR_CORRUPT;
}

static struct rstr *text_at(sqlite3_stmt *stmt, int i)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    return text ? rstr_new(text) : NULL;
}

/* False: history does not reach further back, and *ID is what it begins after. */
static bool read_set(struct reader *r, sqlite3_stmt *stmt, bool is_enough, struct uuid *id)
{
    const char *id_text = (const char *)sqlite3_column_text(stmt, 1);
    const char *text = (const char *)sqlite3_column_text(stmt, 5);
    struct changeset *cs = NEW(struct changeset);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    if (!id_text || !uuid_parse(id_text, id))
        *id = (struct uuid){0};
    bool is_good = !is_enough && !uuid_is_zero(id) && json && !read_changes(r, json);
    cs->refs = 1;
    cs->id = *id;
    cs->number = (uint64_t)sqlite3_column_int64(stmt, 0);
    cs->wall_ms = sqlite3_column_int64(stmt, 2);
    cs->author = text_at(stmt, 3);
    cs->comment = text_at(stmt, 4);
    cs->n = r->changes.n;
    cs->changes = r->changes.data;
    r->changes.data = NULL;
    r->changes.n = r->changes.cap = 0;
    json_decref(json);
    if (is_good)
        vec_push(&r->sets, cs);
    else
        changeset_unref(cs);
    return is_good;
}

static void reader_fini(struct reader *r)
{
    struct past *past;
    HMAP_FOR_EACH_SAFE (past, node, &r->past) {
        hmap_remove(&r->past, &past->node);
        row_unref(past->row);
        free(past);
    }
    hmap_fini(&r->past);
    for (size_t i = r->sets.n; i > 0; i--) {
        history_add(r->store, r->sets.data[i - 1]);
        changeset_unref(r->sets.data[i - 1]);
    }
    vec_fini(&r->sets);
    vec_fini(&r->changes);
}

int sql_history_load(struct store *store, struct diag *diag)
{
    struct reader r = {.store = store};
    struct uuid id = store->told_id;
    sqlite3_stmt *stmt = NULL;
    int64_t n_bytes = 0;
    bool is_complete = true;
    int err = sql_prepare(store->sql, &stmt, diag,
                          "SELECT number,id,wall_ms,author,comment,changes FROM _history ORDER BY "
                          "number DESC LIMIT %d",
                          HISTORY_MAX_SETS + 1);
    while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
        n_bytes += sqlite3_column_bytes(stmt, 5);
        bool is_enough = n_bytes > SQL_HISTORY_LOAD_BYTES || r.sets.n == HISTORY_MAX_SETS;
        is_complete = read_set(&r, stmt, is_enough, &id);
        if (!is_complete)
            break;
    }
    sqlite3_finalize(stmt);
    /* Read to the end, the state before the oldest has no name. */
    store->history.base_id = is_complete ? (struct uuid){0} : id;
    reader_fini(&r);
    return err;
}
