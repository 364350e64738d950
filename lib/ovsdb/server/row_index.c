/* row_index.c - see row_index.h. Rows are borrowed: what was told is kept by the store until another version is. */
#include "ovsdb/server/row_index.h"

#include <stdlib.h>

#include "base/hmap.h"
#include "base/list.h"

struct row_key {
    struct hnode node; /* in column_index.keys, by the value's hash */
    const struct row *row;
};

struct column_index {
    struct list node; /* in row_index.tables[] */
    const struct schema_column *column;
    struct hmap keys;
};

struct row_index {
    const struct store *store;
    size_t n_tables;
    uint64_t n_looks;
    struct list tables[]; /* struct column_index, by table */
};

struct row_index *row_index_new(const struct store *store)
{
    const struct schema *schema = store_schema(store);
    struct row_index *index =
        xcalloc(1, sizeof *index + schema->n_tables * sizeof index->tables[0]);
    index->store = store;
    index->n_tables = schema->n_tables;
    for (size_t i = 0; i < index->n_tables; i++)
        list_init(&index->tables[i]);
    return index;
}

static void column_free(struct column_index *ci)
{
    struct row_key *key;
    HMAP_FOR_EACH_SAFE (key, node, &ci->keys) {
        hmap_remove(&ci->keys, &key->node);
        free(key);
    }
    hmap_fini(&ci->keys);
    list_remove(&ci->node);
    free(ci);
}

void row_index_free(struct row_index *index)
{
    for (size_t i = 0; index && i < index->n_tables; i++)
        while (!list_empty(&index->tables[i]))
            column_free(LIST_FIRST(struct column_index, node, &index->tables[i]));
    free(index);
}

static bool is_default(const struct schema_column *column, const struct datum *value)
{
    return value == column->default_value || datum_equal(value, column->default_value);
}

static void add(struct column_index *ci, const struct row *row)
{
    const struct datum *value = row_get(row, ci->column);
    if (is_default(ci->column, value))
        return;
    struct row_key *key = NEW(struct row_key);
    key->row = row;
    hmap_insert(&ci->keys, &key->node, datum_hash(value, 0));
}

static struct row_key *find_row(const struct column_index *ci, const struct row *row)
{
    struct row_key *key;
    HMAP_FOR_EACH_WITH_HASH (key, node, datum_hash(row_get(row, ci->column), 0), &ci->keys)
        if (uuid_equal(&key->row->uuid, &row->uuid))
            return key;
    return NULL;
}

static void take_change(struct column_index *ci, const struct change *c)
{
    struct row_key *key = c->before ? find_row(ci, c->before) : NULL;
    if (key && c->after && row_get(c->before, ci->column) == row_get(c->after, ci->column)) {
        key->row = c->after;
        return;
    }
    if (key) {
        hmap_remove(&ci->keys, &key->node);
        free(key);
    }
    if (c->after)
        add(ci, c->after);
}

void row_index_tell(struct row_index *index, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        const struct schema_table *table = (c->after ? c->after : c->before)->table;
        struct column_index *ci;
        LIST_FOR_EACH (ci, node, &index->tables[table->index])
            take_change(ci, c);
    }
}

static struct column_index *column_get(struct row_index *index, const struct schema_column *column)
{
    struct list *table = &index->tables[column->table->index];
    const struct row *row;
    struct column_index *ci;
    LIST_FOR_EACH (ci, node, table)
        if (ci->column == column)
            return ci;
    ci = NEW(struct column_index);
    ci->column = column;
    list_push_back(table, &ci->node);
    for (size_t pos = 0; (row = store_next_told_row(index->store, column->table, &pos)) != NULL;) {
        index->n_looks++;
        add(ci, row);
    }
    return ci;
}

bool row_index_find(struct row_index *index, const struct schema_column *column,
                    const struct datum *value, void (*fn)(void *aux, const struct row *row),
                    void *aux)
{
    if (column->type.key.type != ATOM_STRING || is_default(column, value))
        return false;
    struct column_index *ci = column_get(index, column);
    const struct row_key *key;
    HMAP_FOR_EACH_WITH_HASH (key, node, datum_hash(value, 0), &ci->keys) {
        index->n_looks++;
        if (datum_equal(row_get(key->row, column), value))
            fn(aux, key->row);
    }
    return true;
}

uint64_t row_index_n_looks(const struct row_index *index)
{
    return index->n_looks;
}
