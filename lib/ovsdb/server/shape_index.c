/* shape_index.c - see shape_index.h. */
#include "ovsdb/server/shape_index.h"

#include <stdlib.h>

struct table_index {
    struct list always;  /* struct shape_key by in_always */
    struct hmap keys;    /* struct shape_key by the hash of value */
    struct list columns; /* struct key_column: those that keys speak of */
};

struct key_column {
    struct list node;
    const struct schema_column *column;
    size_t n; /* keys */
};

/* A reason for which a shape may be concerned. */
struct shape_key {
    struct list of_shape; /* in shape->keys */
    struct list in_always;
    struct hnode node;
    struct shape *shape;
    struct table_index *table;
    struct key_column *column; /* NULL: any change of the table */
    const struct datum *value;
};

struct shape_index {
    size_t n_tables;
    struct table_index tables[];
};

struct shape_index *shape_index_new(const struct schema *schema)
{
    struct shape_index *index =
        xcalloc(1, sizeof *index + schema->n_tables * sizeof index->tables[0]);
    index->n_tables = schema->n_tables;
    for (size_t i = 0; i < index->n_tables; i++) {
        list_init(&index->tables[i].always);
        list_init(&index->tables[i].columns);
    }
    return index;
}

void shape_index_free(struct shape_index *index)
{
    for (size_t i = 0; index && i < index->n_tables; i++) {
        INVARIANT(list_empty(&index->tables[i].always) && !index->tables[i].keys.n);
        hmap_fini(&index->tables[i].keys);
    }
    free(index);
}

/* ---- filing ---- */

static bool is_equality(const struct clause *c)
{
    return c->function == FN_FALSE || c->function == FN_EQ;
}

static bool is_all_equalities(const struct condition *where)
{
    for (size_t i = 0; i < where->n; i++) {
        if (!is_equality(&where->clauses[i]))
            return false;
    }
    return where->n > 0;
}

static struct key_column *column_get(struct table_index *table, const struct schema_column *column)
{
    struct key_column *kc;
    LIST_FOR_EACH (kc, node, &table->columns) {
        if (kc->column == column)
            return kc;
    }
    kc = NEW(struct key_column);
    kc->column = column;
    list_push_back(&table->columns, &kc->node);
    return kc;
}

static struct shape_key *key_new(struct table_index *table, struct shape *shape)
{
    struct shape_key *key = NEW(struct shape_key);
    key->shape = shape;
    key->table = table;
    list_init(&key->in_always);
    list_push_back(&shape->keys, &key->of_shape);
    return key;
}

static void add_table(struct table_index *table, struct shape *shape, const struct condition *where)
{
    if (!is_all_equalities(where)) {
        list_push_back(&table->always, &key_new(table, shape)->in_always);
        return;
    }
    for (size_t i = 0; i < where->n; i++) {
        const struct clause *c = &where->clauses[i];
        if (c->function == FN_FALSE)
            continue;
        struct shape_key *key = key_new(table, shape);
        key->column = column_get(table, c->column);
        key->column->n++;
        key->value = datum_ref(c->arg);
        hmap_insert(&table->keys, &key->node, datum_hash(c->arg, 0));
    }
}

void shape_index_add(struct shape_index *index, struct shape *shape)
{
    for (size_t i = 0; i < index->n_tables; i++) {
        const struct shape_table *st = shape->tables[i];
        if (st)
            add_table(&index->tables[i], shape, filter_condition(st->filter));
    }
}

static void key_free(struct shape_key *key)
{
    list_remove(&key->of_shape);
    list_remove(&key->in_always);
    if (key->column) {
        hmap_remove(&key->table->keys, &key->node);
        datum_unref(key->value);
        if (!--key->column->n) {
            list_remove(&key->column->node);
            free(key->column);
        }
    }
    free(key);
}

void shape_index_remove(struct shape_index *index UNUSED, struct shape *shape)
{
    while (!list_empty(&shape->keys))
        key_free(LIST_FIRST(struct shape_key, of_shape, &shape->keys));
}

/* ---- finding ---- */

static void touch(struct shape *shape, shape_vec *out)
{
    if (shape->is_touched)
        return;
    shape->is_touched = true;
    vec_push(out, shape);
}

static void find_value(const struct table_index *table, const struct key_column *column,
                       const struct row *row, shape_vec *out)
{
    const struct datum *value = row_get_any(row, column->column);
    const struct shape_key *key;
    HMAP_FOR_EACH_WITH_HASH (key, node, datum_hash(value, 0), &table->keys) {
        if (key->column == column && datum_equal(key->value, value))
            touch(key->shape, out);
    }
    datum_unref(value);
}

static void find_change(const struct table_index *table, const struct change *c, shape_vec *out)
{
    const struct key_column *column;
    LIST_FOR_EACH (column, node, &table->columns) {
        int i = column->column->index;
        if (c->before)
            find_value(table, column, c->before, out);
        if (c->after && !(c->before && i >= 0 && c->before->values[i] == c->after->values[i]))
            find_value(table, column, c->after, out);
    }
}

void shape_index_find(const struct shape_index *index, size_t n, const struct change *changes,
                      shape_vec *out)
{
    const struct schema_table *last = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct schema_table *schema =
            (changes[i].after ? changes[i].after : changes[i].before)->table;
        const struct table_index *table = &index->tables[schema->index];
        const struct shape_key *key;
        if (schema != last) { /* changes are grouped by table */
            LIST_FOR_EACH (key, in_always, &table->always)
                touch(key->shape, out);
        }
        last = schema;
        find_change(table, &changes[i], out);
    }
    for (size_t i = 0; i < out->n; i++)
        out->data[i]->is_touched = false;
}
