/* project.c - rows seen through a choice of columns: what select returns once, what wait compares.
 *
 * See store_private.h.
 */
#include <stdlib.h>

#include "store/store_private.h"

/* The columns of one row, hashed. */
struct tuple {
    struct hnode node;
    const struct datum **values;
    bool wanted; /* a row that the wait names */
    bool found;
};

struct tuple_set {
    struct hmap map;
    VEC(const struct schema_column *) columns;
};

static void set_init(struct tuple_set *set, const struct op *op)
{
    *set = (struct tuple_set){HMAP_INIT, VEC_INIT};
    for (size_t i = 0; !op->all_columns && i < op->n_columns; i++)
        vec_push(&set->columns, op->columns[i]);
    for (size_t i = 0; op->all_columns && i < op->table->n_columns; i++)
        vec_push(&set->columns, &op->table->columns[i]);
}

static void tuple_free(struct tuple *tuple, size_t n)
{
    for (size_t i = 0; i < n; i++)
        datum_unref(tuple->values[i]);
    free(tuple->values);
    free(tuple);
}

static void set_fini(struct tuple_set *set)
{
    struct tuple *tuple;
    HMAP_FOR_EACH_SAFE (tuple, node, &set->map) {
        hmap_remove(&set->map, &tuple->node);
        tuple_free(tuple, set->columns.n);
    }
    hmap_fini(&set->map);
    vec_fini(&set->columns);
}

static bool tuples_equal(const struct tuple_set *set, const struct tuple *a, const struct tuple *b)
{
    for (size_t i = 0; i < set->columns.n; i++) {
        if (!datum_equal(a->values[i], b->values[i]))
            return false;
    }
    return true;
}

/* Adds TUPLE, or frees it and returns the equal one that is there. */
static struct tuple *set_add(struct tuple_set *set, struct tuple *tuple, bool *ret_is_new)
{
    uint64_t hash = 0;
    struct tuple *other;
    for (size_t i = 0; i < set->columns.n; i++)
        hash = datum_hash(tuple->values[i], hash);
    HMAP_FOR_EACH_WITH_HASH (other, node, hash, &set->map) {
        if (tuples_equal(set, tuple, other)) {
            tuple_free(tuple, set->columns.n);
            *ret_is_new = false;
            return other;
        }
    }
    hmap_insert(&set->map, &tuple->node, hash);
    *ret_is_new = true;
    return tuple;
}

static struct tuple *tuple_of_row(const struct tuple_set *set, const struct row *row)
{
    struct tuple *tuple = NEW(struct tuple);
    tuple->values = xcalloc(set->columns.n + 1, sizeof *tuple->values);
    for (size_t i = 0; i < set->columns.n; i++)
        tuple->values[i] = row_get_any(row, set->columns.data[i]);
    return tuple;
}

static struct tuple *tuple_of_values(const struct tuple_set *set, const struct wait_row *row)
{
    struct tuple *tuple = NEW(struct tuple);
    tuple->values = xcalloc(set->columns.n + 1, sizeof *tuple->values);
    for (size_t i = 0; i < set->columns.n; i++) {
        const struct datum *value = set->columns.data[i]->default_value;
        for (size_t j = 0; j < row->n; j++) {
            if (row->values[j].column == set->columns.data[i])
                value = row->values[j].value;
        }
        tuple->values[i] = datum_ref(value);
    }
    return tuple;
}

void project_distinct(const struct op *op, const struct row **rows, size_t *n)
{
    struct tuple_set set;
    size_t kept = 0;
    if (op->all_columns)
        return; /* _uuid is among them */
    for (size_t i = 0; i < op->n_columns; i++) {
        if (op->columns[i]->index == COLUMN_UUID)
            return;
    }
    set_init(&set, op);
    for (size_t i = 0; i < *n; i++) {
        bool is_new;
        set_add(&set, tuple_of_row(&set, rows[i]), &is_new);
        if (is_new)
            rows[kept++] = rows[i];
        else
            row_unref(rows[i]);
    }
    *n = kept;
    set_fini(&set);
}

bool project_equals_wait(const struct op *op, const struct row *const *rows, size_t n)
{
    struct tuple_set set;
    struct tuple *tuple;
    bool is_new, equal = true;
    set_init(&set, op);
    for (size_t i = 0; i < op->n_rows; i++)
        set_add(&set, tuple_of_values(&set, &op->rows[i]), &is_new)->wanted = true;
    for (size_t i = 0; equal && i < n; i++) {
        tuple = set_add(&set, tuple_of_row(&set, rows[i]), &is_new);
        tuple->found = true;
        equal = tuple->wanted;
    }
    HMAP_FOR_EACH (tuple, node, &set.map)
        equal &= tuple->found;
    set_fini(&set);
    return equal;
}
