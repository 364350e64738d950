/* table.c - the rows of one table in memory: entries by uuid, and index maps.
 *
 * See store_private.h.
 */
#include <stdlib.h>

#include "store/store_private.h"

static void add_ref_side(struct store_table *table, const struct schema_column *column,
                         const struct base_type *type, bool is_value)
{
    if (type->ref == REF_NONE)
        return;
    table->refs[table->n_refs++] = (struct ref_side){
        .column = column,
        .is_value = is_value,
        .kind = type->ref,
        .target = &table->store->tables[type->ref_table->index],
    };
}

void store_table_init(struct store *store, struct store_table *table,
                      const struct schema_table *schema)
{
    table->schema = schema;
    table->store = store;
    table->next_sql_id = 1;
    table->indexes = xcalloc(schema->n_indexes + 1, sizeof *table->indexes);
    table->refs = xcalloc(2 * schema->n_columns, sizeof *table->refs);
    table->is_bad_default = xcalloc(schema->n_columns, sizeof *table->is_bad_default);
    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct schema_column *column = &schema->columns[i];
        add_ref_side(table, column, &column->type.key, false);
        if (column->type.is_map)
            add_ref_side(table, column, &column->type.value, true);
        table->is_bad_default[i] =
            column_type_check(&column->type, column->default_value, NULL) != 0;
        table->has_bad_default |= table->is_bad_default[i];
    }
}

void store_table_fini(struct store_table *table)
{
    struct entry *entry;
    HMAP_FOR_EACH_SAFE (entry, node, &table->entries) {
        row_unref(entry->row);
        row_unref(entry->told);
        free(entry);
    }
    hmap_fini(&table->entries);
    for (size_t i = 0; i < table->schema->n_indexes; i++)
        hmap_fini(&table->indexes[i]);
    free(table->indexes);
    free(table->refs);
    free(table->is_bad_default);
}

struct entry *entry_find(const struct store_table *table, const struct uuid *uuid)
{
    struct entry *entry;
    HMAP_FOR_EACH_WITH_HASH (entry, node, uuid_hash(uuid), &table->entries) {
        if (uuid_equal(&entry->uuid, uuid))
            return entry;
    }
    return NULL;
}

struct entry *entry_new(struct store_table *table, const struct uuid *uuid)
{
    struct entry *entry =
        xcalloc(1, sizeof *entry + table->schema->n_indexes * sizeof entry->index_nodes[0]);
    entry->table = table;
    entry->uuid = *uuid;
    list_init(&entry->weak_referrers);
    hmap_insert(&table->entries, &entry->node, uuid_hash(uuid));
    return entry;
}

void entry_set_row(struct entry *entry, const struct row *row)
{
    const struct row *old = entry->row;
    entry->table->n_rows += (row != NULL) - (old != NULL);
    entry->row = row;
    row_unref(old);
}

void entry_set_told(struct entry *entry, const struct row *row)
{
    const struct row *old = entry->told;
    entry->told = row ? row_ref(row) : NULL;
    row_unref(old);
}

void entry_release(struct entry *entry)
{
    if (entry->row || entry->told || entry->n_pending || entry->touched)
        return;
    INVARIANT(!entry->n_strong && list_empty(&entry->weak_referrers));
    hmap_remove(&entry->table->entries, &entry->node);
    free(entry);
}

void entry_add_pending(struct entry *entry, int delta)
{
    entry->n_pending += (uint32_t)delta;
    entry->table->n_pending += (size_t)(ssize_t)delta;
}

/* ---- indexes ---- */

uint64_t table_index_hash(const struct schema_index *index, const struct row *row)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < index->n; i++)
        hash = datum_hash(row_get(row, index->columns[i]), hash);
    return hash;
}

bool table_index_equal(const struct schema_index *index, const struct row *a, const struct row *b)
{
    for (size_t i = 0; i < index->n; i++) {
        if (!datum_equal(row_get(a, index->columns[i]), row_get(b, index->columns[i])))
            return false;
    }
    return true;
}

struct entry *table_index_entry(struct hnode *node, size_t i)
{
    return CONTAINER_OF(node - i, struct entry, index_nodes);
}

struct entry *table_index_find(const struct store_table *table, size_t i, const struct row *row,
                               uint64_t hash)
{
    struct hnode *node = hnode_skip(hmap_bucket(&table->indexes[i], hash), hash);
    for (; node; node = hnode_skip(node->next, hash)) {
        struct entry *entry = table_index_entry(node, i);
        if (entry->row && table_index_equal(&table->schema->indexes[i], entry->row, row))
            return entry;
    }
    return NULL;
}

void table_index_account(struct entry *entry, const struct row *before, const struct row *after)
{
    const struct schema_table *schema = entry->table->schema;
    for (size_t i = 0; i < schema->n_indexes; i++) {
        struct hmap *map = &entry->table->indexes[i];
        if (before)
            hmap_remove(map, &entry->index_nodes[i]);
        if (after)
            hmap_insert(map, &entry->index_nodes[i], table_index_hash(&schema->indexes[i], after));
    }
}
