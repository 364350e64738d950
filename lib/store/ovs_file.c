/* ovs_file.c - see ovs_file.h. */
#include "store/ovs_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/sha1.h"
#include "base/vec.h"

/* ---- records ---- */

struct reader {
    const char *text;
    size_t n, at;
    unsigned number; /* of the record read last, from 0 */
    bool is_cut;
};

enum { RECORD_END = 1 };

/* "OVSDB JSON 123 <sha1>\n" at the reader's place. False: not that. */
static bool read_header(struct reader *r, size_t *length, const char **sum)
{
    static const char magic[] = "OVSDB JSON ";
    const char *line = r->text + r->at;
    size_t left = r->n - r->at;
    const char *end = memchr(line, '\n', MIN(left, (size_t)100));
    if (!end || (size_t)(end - line) < sizeof magic || memcmp(line, magic, sizeof magic - 1))
        return false;
    const char *p = line + sizeof magic - 1;
    *length = 0;
    while (p < end && *p >= '0' && *p <= '9' && *length < (size_t)1 << 40)
        *length = *length * 10 + (size_t)(*p++ - '0');
    if (p == end || *p++ != ' ' || end - p != SHA1_TEXT_LEN)
        return false;
    *sum = p;
    r->at += (size_t)(end - line) + 1;
    return true;
}

/* 0 with the next record, RECORD_END, or an error. */
static int read_record(struct reader *r, json_t **ret, struct diag *diag)
{
    size_t length;
    const char *sum;
    char actual[SHA1_TEXT_LEN + 1];
    json_error_t error;
    if (r->at == r->n)
        return RECORD_END;
    r->number++;
    if (!read_header(r, &length, &sum)) {
        r->is_cut = !memchr(r->text + r->at, '\n', r->n - r->at);
        return r->is_cut ? RECORD_END : diag_set(diag, ERR_CORRUPT, "is not a record");
    }
    if (length > r->n - r->at) {
        r->is_cut = true;
        return RECORD_END;
    }
    const char *json = r->text + r->at;
    if (memcmp(sha1_text(json, length, actual), sum, SHA1_TEXT_LEN))
        return diag_set(diag, ERR_CORRUPT, "its checksum is %s, not %.*s", actual, SHA1_TEXT_LEN,
                        sum);
    *ret = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!*ret || !json_is_object(*ret)) {
        json_decref(*ret);
        return diag_set(diag, ERR_SYNTAX, "is not a JSON object: %s", error.text);
    }
    r->at += length;
    return 0;
}

static int record_error(const struct reader *r, int err, struct diag *diag)
{
    if (err)
        diag_prefix(diag, "record %u: ", r->number - 1);
    return err;
}

/* The first record. */
static int read_schema(struct reader *r, json_t **ret, struct diag *diag)
{
    static const char cluster[] = "OVSDB CLUSTER ";
    if (r->n >= sizeof cluster && !memcmp(r->text, cluster, sizeof cluster - 1))
        return diag_set(diag, ERR_UNSUPPORTED,
                        "is a file of a cluster; make it standalone with ovsdb-tool "
                        "cluster-to-standalone first");
    int err = read_record(r, ret, diag);
    if (err == RECORD_END)
        return diag_set(diag, ERR_SYNTAX, "holds no schema");
    return record_error(r, err, diag);
}

int ovs_file_schema(const char *text, size_t n, char **ret, struct diag *diag)
{
    struct reader r = {.text = text, .n = n};
    struct schema *schema;
    json_t *json;
    int err = read_schema(&r, &json, diag);
    if (err)
        return err;
    err = schema_from_json(json, &schema, diag);
    json_decref(json);
    if (err)
        return record_error(&r, err, diag);
    *ret = xstrdup(schema->text);
    schema_free(schema);
    return 0;
}

/* ---- rows ---- */

struct file_row {
    struct hnode node;
    struct row *row;
};

struct contents {
    const struct schema *schema;
    struct hmap rows; /* struct file_row, by uuid; of all tables */
};

static struct file_row *row_find(const struct contents *c, const struct schema_table *table,
                                 const struct uuid *uuid)
{
    struct file_row *r;
    HMAP_FOR_EACH_WITH_HASH (r, node, uuid_hash(uuid), &c->rows) {
        if (r->row->table == table && uuid_equal(&r->row->uuid, uuid))
            return r;
    }
    return NULL;
}

static void row_remove(struct contents *c, struct file_row *r)
{
    hmap_remove(&c->rows, &r->node);
    row_unref(r->row);
    free(r);
}

static int apply_row(struct contents *c, const struct schema_table *table, const char *name,
                     const json_t *json, bool is_diff, struct diag *diag)
{
    struct uuid uuid;
    if (!uuid_parse(name, &uuid))
        return diag_set(diag, ERR_SYNTAX, "table %s: \"%s\" is not a UUID", table->name, name);
    struct file_row *r = row_find(c, table, &uuid);
    if (json_is_null(json)) {
        if (!r)
            return diag_set(diag, ERR_CORRUPT, "table %s row %s: is deleted but not there",
                            table->name, name);
        row_remove(c, r);
        return 0;
    }
    if (!json_is_object(json))
        return diag_set(diag, ERR_SYNTAX, "table %s row %s: neither an object nor null",
                        table->name, name);
    bool was_there = r != NULL;
    if (!r) {
        r = NEW(struct file_row);
        r->row = row_new(table, &uuid);
        hmap_insert(&c->rows, &r->node, uuid_hash(&uuid));
    }
    return row_set_json(r->row, json, is_diff && was_there, diag);
}

static int apply_record(struct contents *c, const json_t *json, struct diag *diag)
{
    bool is_diff = json_is_true(json_object_get(json, "_is_diff"));
    const char *name, *uuid;
    json_t *rows, *row;
    json_object_foreach((json_t *)(uintptr_t)json, name, rows)
    {
        if (*name == '_')
            continue; /* _date, _comment, _is_diff */
        const struct schema_table *table = schema_table_find(c->schema, name);
        if (!table || !json_is_object(rows))
            return diag_set(diag, ERR_SYNTAX, "%s \"%s\"", table ? "no rows of" : "no table", name);
        json_object_foreach(rows, uuid, row)
        {
            int err = apply_row(c, table, uuid, row, is_diff, diag);
            if (err)
                return err;
        }
    }
    return 0;
}

static void put_insert(struct ops *ops, const struct row *row)
{
    struct op *op = &ops->ops[ops->n++];
    *op = (struct op){.kind = OP_INSERT, .table = row->table, .uuid = row->uuid, .has_uuid = true};
    op->values = xcalloc(row->table->n_columns + 1, sizeof *op->values);
    for (size_t i = 0; i < row->table->n_columns; i++) {
        const struct schema_column *column = &row->table->columns[i];
        if (!datum_equal(row->values[i], column->default_value))
            op->values[op->n_values++] = (struct column_value){column, datum_ref(row->values[i])};
    }
}

static struct ops *contents_to_ops(const struct contents *c)
{
    struct ops *ops = NEW(struct ops);
    const struct file_row *r;
    ops->ops = xcalloc(c->rows.n + 1, sizeof *ops->ops);
    HMAP_FOR_EACH (r, node, &c->rows)
        put_insert(ops, r->row);
    ops->n_requested = ops->n;
    return ops;
}

int ovs_file_ops(const char *text, size_t n, const struct schema *schema, struct ops **ret,
                 bool *is_cut, struct diag *diag)
{
    struct reader r = {.text = text, .n = n};
    struct contents c = {.schema = schema};
    struct file_row *row;
    json_t *json;
    int err = read_schema(&r, &json, diag);
    if (err)
        return err;
    json_decref(json);
    while (!(err = read_record(&r, &json, diag))) {
        err = apply_record(&c, json, diag);
        json_decref(json);
        if (err)
            break;
    }
    if (err == RECORD_END) {
        *ret = contents_to_ops(&c);
        *is_cut = r.is_cut;
        err = 0;
    }
    HMAP_FOR_EACH_SAFE (row, node, &c.rows)
        row_remove(&c, row);
    hmap_fini(&c.rows);
    return record_error(&r, err, diag);
}

/* ---- writing ---- */

void ovs_file_put_record(const char *json, size_t n, struct str *out)
{
    char sum[SHA1_TEXT_LEN + 1];
    str_putf(out, "OVSDB JSON %zu %s\n", n, sha1_text(json, n, sum));
    str_put_n(out, json, n);
}

static void put_row(const struct row *row, struct str *out)
{
    char uuid[UUID_TEXT_LEN + 1];
    bool first = true;
    str_putf(out, "\"%s\":{", uuid_print(&row->uuid, uuid));
    for (size_t i = 0; i < row->table->n_columns; i++) {
        const struct schema_column *column = &row->table->columns[i];
        if (column->is_ephemeral || datum_equal(row->values[i], column->default_value))
            continue;
        str_putf(out, "%s\"%s\":", first ? "" : ",", column->name);
        datum_put_json(row->values[i], out);
        first = false;
    }
    str_putc(out, '}');
}

void ovs_file_put(const struct store *store, const char *comment, struct env *env, struct str *out)
{
    const struct schema *schema = store_schema(store);
    struct str text = STR_INIT;
    str_putf(&text, "%s\n", schema->text);
    ovs_file_put_record(text.s, text.n, out);
    str_clear(&text);
    str_putf(&text, "{\"_date\":%" PRIi64 ",\"_comment\":", env_wall_ms(env));
    json_put_string(comment, strlen(comment), &text);
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct row *row;
        bool first = true;
        for (size_t pos = 0; (row = store_next_row(store, &schema->tables[i], &pos)) != NULL;) {
            if (first)
                str_putf(&text, ",\"%s\":{", schema->tables[i].name);
            else
                str_putc(&text, ',');
            first = false;
            put_row(row, &text);
        }
        if (!first)
            str_putc(&text, '}');
    }
    str_put(&text, "}\n");
    ovs_file_put_record(text.s, text.n, out);
    str_fini(&text);
}
