/* view.c - see view.h: an overlay of changed rows by uuid over a replica, and its difference. */
#include "ctl/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum column_change { UNCHANGED, AS_WHOLE, BY_ELEMENT };

/* A row that a command touched. */
struct touched {
    struct hnode node;
    struct uuid uuid;
    const struct schema_table *table;
    const struct row *original; /* NULL: inserted here */
    const struct row *current;  /* NULL: deleted here */
    uint8_t *changes;           /* enum column_change by column index */
    bool *verified;             /* by column index; NULL: none */
};

/* Rows of the copy by name; the touched ones are looked through. Lives until view_reset. */
struct name_index {
    struct hmap map; /* struct name_entry */
    struct name_entry *entries;
    bool is_built;
};

struct name_entry {
    struct hnode node;
    const struct row *row;
};

struct view {
    struct name_index *indexes; /* by table index */
    struct replica *replica;
    struct demand *demand; /* may be NULL */
    struct env *env;
    const struct schema *schema;
    struct hmap map;
    VEC(struct touched *) touched;   /* in the order of first touch */
    VEC(const struct row *) retired; /* versions that commands may still look at */
};

struct view *view_new(struct replica *replica, struct env *env)
{
    struct view *view = NEW(struct view);
    view->replica = replica;
    view->env = env;
    view->schema = replica_schema(replica);
    view->indexes = xcalloc(view->schema->n_tables, sizeof *view->indexes);
    return view;
}

void view_set_demand(struct view *view, struct demand *demand)
{
    view->demand = demand;
}

bool view_is_waiting(const struct view *view)
{
    return view->demand && demand_is_open(view->demand);
}

static void drop_index(struct name_index *index)
{
    for (size_t i = 0; i < index->map.n; i++)
        row_unref(index->entries[i].row);
    hmap_fini(&index->map);
    free(index->entries);
    *index = (struct name_index){.map = HMAP_INIT};
}

void view_reset(struct view *view)
{
    for (size_t i = 0; i < view->schema->n_tables; i++)
        drop_index(&view->indexes[i]);
    struct touched **t;
    VEC_FOR_EACH (t, &view->touched) {
        row_unref((*t)->original);
        row_unref((*t)->current);
        free((*t)->changes);
        free((*t)->verified);
        free(*t);
    }
    vec_clear(&view->touched);
    hmap_clear(&view->map);
    const struct row **r;
    VEC_FOR_EACH (r, &view->retired)
        row_unref(*r);
    vec_clear(&view->retired);
}

void view_free(struct view *view)
{
    if (!view)
        return;
    view_reset(view);
    vec_fini(&view->touched);
    vec_fini(&view->retired);
    hmap_fini(&view->map);
    free(view->indexes);
    free(view);
}

const struct schema *view_schema(const struct view *view)
{
    return view->schema;
}

const struct schema_table *view_table(const struct view *view, const char *name)
{
    const struct schema_table *table = schema_table_find(view->schema, name);
    INVARIANT(table != NULL);
    return table;
}

/* ---- reading ---- */

static struct touched *find_touched(const struct view *view, const struct uuid *uuid)
{
    struct touched *t;
    HMAP_FOR_EACH_WITH_HASH (t, node, uuid_hash(uuid), &view->map) {
        if (uuid_equal(&t->uuid, uuid))
            return t;
    }
    return NULL;
}

const struct row *view_find(const struct view *view, const struct schema_table *table,
                            const struct uuid *uuid)
{
    struct touched *t = find_touched(view, uuid);
    if (t)
        return t->table == table ? t->current : NULL;
    if (view->demand)
        demand_rows(view->demand, &table->uuid_column, datum_new_uuid(uuid));
    return replica_row_find(view->replica, table, uuid);
}

static int compare_rows(const void *a_, const void *b_)
{
    const struct row *a = *(const struct row *const *)a_, *b = *(const struct row *const *)b_;
    const struct schema_column *name = schema_column_find(a->table, "name");
    if (name && a->table == b->table) {
        int c = datum_compare(row_get(a, name), row_get(b, name));
        if (c)
            return c;
    }
    return uuid_compare(&a->uuid, &b->uuid);
}

static void sort_rows(struct row_list *list)
{
    if (list->n)
        qsort(list->rows, list->n, sizeof *list->rows, compare_rows);
}

/* Those that are here. */
static struct row_list known_rows(const struct view *view, const struct schema_table *table)
{
    VEC(const struct row *) v = VEC_INIT;
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, view->replica, table)
    {
        struct touched *t = find_touched(view, &row->uuid);
        if (!t)
            vec_push(&v, row);
        else if (t->current)
            vec_push(&v, t->current);
    }
    struct touched *const *t;
    VEC_FOR_EACH (t, &view->touched) {
        if ((*t)->table == table && !(*t)->original && (*t)->current)
            vec_push(&v, (*t)->current);
    }
    return (struct row_list){v.data, v.n};
}

struct row_list view_any_rows(const struct view *view, const struct schema_table *table)
{
    if (view->demand)
        demand_table(view->demand, table);
    return known_rows(view, table);
}

struct row_list view_referrers(const struct view *view, const struct schema_table *table,
                               const char *column, const struct uuid *uuid)
{
    if (view->demand)
        demand_rows(view->demand, schema_column_find(table, column), datum_new_uuid(uuid));
    struct row_list list = known_rows(view, table);
    size_t n = 0;
    for (size_t i = 0; i < list.n; i++)
        if (row_refers_to(list.rows[i], column, uuid))
            list.rows[n++] = list.rows[i];
    list.n = n;
    return list;
}

struct row_list view_rows(const struct view *view, const struct schema_table *table)
{
    struct row_list list = view_any_rows(view, table);
    sort_rows(&list);
    return list;
}

/* NULL when the row has none. */
static const struct rstr *name_of(const struct row *row, const struct schema_column *column)
{
    const struct datum *value = row_get(row, column);
    return value->n == 1 ? value->atoms[0].string : NULL;
}

static struct name_index *get_index(struct view *view, const struct schema_table *table,
                                    const struct schema_column *column)
{
    struct name_index *index = &view->indexes[table->index];
    if (index->is_built)
        return index;
    index->is_built = true;
    index->entries = xcalloc(replica_n_rows(view->replica, table) + 1, sizeof *index->entries);
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, view->replica, table)
    {
        const struct rstr *name = name_of(row, column);
        if (!name)
            continue;
        struct name_entry *entry = &index->entries[index->map.n];
        entry->row = row_ref(row);
        hmap_insert(&index->map, &entry->node, name->node.hash);
    }
    return index;
}

struct row_list view_by_name(struct view *view, const struct schema_table *table, const char *name)
{
    const struct schema_column *column = schema_column_find(table, "name");
    INVARIANT(column && column->type.key.type == ATOM_STRING);
    VEC(const struct row *) v = VEC_INIT;
    struct rstr *key = rstr_new(name);
    if (view->demand)
        demand_rows(view->demand, column, datum_new_string(name));
    struct name_index *index = get_index(view, table, column);
    struct name_entry *entry;
    HMAP_FOR_EACH_WITH_HASH (entry, node, key->node.hash, &index->map) {
        if (rstr_equal(name_of(entry->row, column), key) && !find_touched(view, &entry->row->uuid))
            vec_push(&v, entry->row);
    }
    struct touched *const *t;
    VEC_FOR_EACH (t, &view->touched) {
        const struct row *row = (*t)->table == table ? (*t)->current : NULL;
        const struct rstr *has = row ? name_of(row, column) : NULL;
        if (has && rstr_equal(has, key))
            vec_push(&v, row);
    }
    rstr_unref(key);
    struct row_list list = {v.data, v.n};
    sort_rows(&list);
    return list;
}

void row_list_fini(struct row_list *list)
{
    free(list->rows);
    *list = (struct row_list){NULL, 0};
}

struct row_list view_referenced(const struct view *view, const struct row *row,
                                const char *column_name)
{
    const struct schema_column *column = row_column(row, column_name);
    const struct datum *value = row_get(row, column);
    const struct base_type *ref =
        column->type.key.type == ATOM_UUID ? &column->type.key : &column->type.value;
    const union atom *uuids = ref == &column->type.key ? value->atoms : datum_values(value);
    INVARIANT(ref->type == ATOM_UUID && ref->ref_table);
    struct row_list list = {xcalloc(value->n + 1, sizeof *list.rows), 0};
    for (size_t i = 0; i < value->n; i++) {
        const struct row *r = view_find(view, ref->ref_table, &uuids[i].uuid);
        if (r)
            list.rows[list.n++] = r;
    }
    sort_rows(&list);
    return list;
}

/* ---- changing ---- */

static struct touched *add_touched(struct view *view, const struct schema_table *table,
                                   const struct uuid *uuid)
{
    struct touched *t = NEW(struct touched);
    t->uuid = *uuid;
    t->table = table;
    t->changes = xcalloc(table->n_columns + 1, sizeof *t->changes);
    hmap_insert(&view->map, &t->node, uuid_hash(uuid));
    vec_push(&view->touched, t);
    return t;
}

static struct touched *touch(struct view *view, const struct row *row)
{
    struct touched *t = find_touched(view, &row->uuid);
    if (t)
        return t;
    t = add_touched(view, row->table, &row->uuid);
    t->original = row_ref(row);
    t->current = row_ref(row);
    return t;
}

const struct row *view_insert_as(struct view *view, const struct schema_table *table,
                                 const struct uuid *uuid)
{
    struct touched *t = add_touched(view, table, uuid);
    struct row *row = row_new(table, uuid);
    /* A set that may not be empty begins empty here: elements are added to it, and its default
     * (one zero) is not to be among them. */
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_type *type = &table->columns[i].type;
        if (type->n_min > 0 && !column_type_is_scalar(type))
            row_set(row, &table->columns[i],
                    datum_new_empty(type->key.type,
                                    type->is_map ? (uint8_t)type->value.type : (uint8_t)DATUM_SET));
    }
    t->current = row;
    return row;
}

const struct row *view_insert(struct view *view, const struct schema_table *table)
{
    struct uuid uuid = uuid_random(view->env);
    return view_insert_as(view, table, &uuid);
}

static const struct row *replace(struct view *view, const struct row *row,
                                 const struct schema_column *column, const struct datum *value,
                                 enum column_change how)
{
    struct touched *t = touch(view, row);
    INVARIANT(t->current != NULL);
    struct row *new = row_clone(t->current);
    row_set(new, column, value);
    vec_push(&view->retired, t->current);
    t->current = new;
    if (t->changes[column->index] != AS_WHOLE)
        t->changes[column->index] = (uint8_t)how;
    return new;
}

const struct row *view_set(struct view *view, const struct row *row,
                           const struct schema_column *column, const struct datum *value)
{
    return replace(view, row, column, value, AS_WHOLE);
}

static const struct datum *current_value(const struct view *view, const struct row *row,
                                         const struct schema_column *column)
{
    const struct row *now = view_find(view, row->table, &row->uuid);
    INVARIANT(now != NULL);
    return row_get(now, column);
}

const struct row *view_add(struct view *view, const struct row *row,
                           const struct schema_column *column, const struct datum *arg)
{
    const struct datum *old = current_value(view, row, column);
    const struct datum *new = datum_union(arg, old);
    datum_unref(arg);
    return replace(view, row, column, new, BY_ELEMENT);
}

const struct row *view_remove(struct view *view, const struct row *row,
                              const struct schema_column *column, const struct datum *arg)
{
    const struct datum *new = datum_subtract(current_value(view, row, column), arg);
    datum_unref(arg);
    return replace(view, row, column, new, BY_ELEMENT);
}

void view_delete(struct view *view, const struct row *row)
{
    struct touched *t = touch(view, row);
    if (t->current)
        vec_push(&view->retired, t->current);
    t->current = NULL;
}

void view_verify(struct view *view, const struct row *row, const struct schema_column *column)
{
    struct touched *t = touch(view, row);
    if (!t->original)
        return;
    if (!t->verified)
        t->verified = xcalloc(t->table->n_columns + 1, sizeof *t->verified);
    t->verified[column->index] = true;
}

/* ---- the difference as operations ---- */

static bool is_row_changed(const struct touched *t)
{
    if (!t->original || !t->current)
        return t->original || t->current;
    return !row_equal(t->original, t->current);
}

bool view_is_changed(const struct view *view)
{
    for (size_t i = 0; i < view->touched.n; i++)
        if (is_row_changed(view->touched.data[i]))
            return true;
    return false;
}

/* The keys of a map as a set; a set itself. */
static const struct datum *keys_of(const struct datum *d)
{
    if (!datum_is_map(d))
        return datum_ref(d);
    union atom *keys = xcalloc(d->n + 1, sizeof *keys);
    for (size_t i = 0; i < d->n; i++)
        keys[i] = atom_ref(d->key_type, &d->atoms[i]);
    const struct datum *set = datum_new_set(d->key_type, keys, d->n);
    free(keys);
    return set;
}

static void mutate(struct replica_txn *txn, const struct touched *t,
                   const struct schema_column *column, const struct datum *before,
                   const struct datum *after)
{
    const struct datum *gone = datum_subtract(before, after);
    const struct datum *come = datum_subtract(after, before);
    if (gone->n)
        replica_txn_mutate(txn, t->table, &t->uuid, column, MUTATE_DELETE, keys_of(gone));
    if (come->n)
        replica_txn_mutate(txn, t->table, &t->uuid, column, MUTATE_INSERT, datum_ref(come));
    datum_unref(gone);
    datum_unref(come);
}

static void write_modified(struct replica_txn *txn, const struct touched *t)
{
    for (size_t i = 0; i < t->table->n_columns; i++) {
        const struct schema_column *column = &t->table->columns[i];
        const struct datum *before = row_get(t->original, column);
        const struct datum *after = row_get(t->current, column);
        if (t->changes[i] == UNCHANGED || datum_equal(before, after))
            continue;
        if (t->changes[i] == BY_ELEMENT && column->type.n_max > 1)
            mutate(txn, t, column, before, after);
        else
            replica_txn_set(txn, t->table, &t->uuid, column, datum_ref(after));
    }
}

static void write_inserted(struct replica_txn *txn, const struct touched *t)
{
    replica_txn_insert_as(txn, t->table, &t->uuid);
    for (size_t i = 0; i < t->table->n_columns; i++) {
        const struct schema_column *column = &t->table->columns[i];
        const struct datum *value = row_get(t->current, column);
        bool untouched = value->n < column->type.n_min;
        if (!untouched && !datum_equal(value, column->default_value))
            replica_txn_set(txn, t->table, &t->uuid, column, datum_ref(value));
    }
}

static void write_row(struct replica_txn *txn, const struct touched *t)
{
    for (size_t i = 0; t->verified && i < t->table->n_columns; i++)
        if (t->verified[i])
            replica_txn_verify(txn, t->original, &t->table->columns[i]);
    if (t->original && t->current)
        write_modified(txn, t);
    else if (t->current)
        write_inserted(txn, t);
    else if (t->original)
        replica_txn_delete(txn, t->table, &t->uuid);
}

struct replica_txn *view_make_txn(const struct view *view)
{
    struct replica_txn *txn = replica_txn_new(view->replica);
    for (size_t i = 0; i < view->touched.n; i++)
        write_row(txn, view->touched.data[i]);
    return txn;
}
