/* txn.c - a transaction while it runs: which rows it touched, editing them, taking it all back.
 *
 * See store_private.h. Rows are edited as private clones; the version before stays in the entry.
 */
#include <stdlib.h>

#include "store/store_private.h"

void txn_init(struct txn *txn, struct store *store)
{
    *txn = (struct txn){.store = store, .id = uuid_random(store->env)};
}

void txn_fini(struct txn *txn)
{
    vec_fini(&txn->touched);
    vec_fini(&txn->strong);
    vec_fini(&txn->indexed);
    vec_fini(&txn->garbage);
    vec_fini(&txn->deleted);
    str_fini(&txn->comment);
}

void txn_touch(struct txn *txn, struct entry *entry)
{
    if (entry->touched)
        return;
    entry->touched = true;
    entry->before = entry->row ? row_ref(entry->row) : NULL;
    vec_push(&txn->touched, entry);
}

struct row *txn_edit(struct txn *txn, struct entry *entry)
{
    txn_touch(txn, entry);
    if (entry->row->refs > 1) { /* others see this version: the committed one, or a select's */
        struct row *row = row_clone(entry->row);
        row->version = txn->id;
        entry_set_row(entry, row);
    }
    return (struct row *)(uintptr_t)entry->row;
}

void txn_delete(struct txn *txn, struct entry *entry)
{
    txn_touch(txn, entry);
    entry_set_row(entry, NULL);
}

bool txn_is_nothing(const struct entry *entry)
{
    return !entry->before && !entry->row;
}

static bool is_ghost(const struct entry *entry)
{
    if (!entry->before || !entry->row)
        return entry->before == entry->row;
    return row_equal(entry->before, entry->row);
}

static void untouch(struct entry *entry)
{
    const struct row *before = entry->before;
    entry->touched = entry->queued = false;
    entry->before = NULL;
    entry_set_row(entry, before);
}

void txn_drop_ghosts(struct txn *txn)
{
    size_t n = 0;
    for (size_t i = 0; i < txn->touched.n; i++) {
        struct entry *entry = txn->touched.data[i];
        if (entry->before && is_ghost(entry))
            untouch(entry);
        else
            txn->touched.data[n++] = entry; /* also one that came and went: freed at the end */
    }
    txn->touched.n = n;
}

static void undo_indexes(struct txn *txn)
{
    while (txn->indexed.n) {
        struct index_step *step = &vec_pop(&txn->indexed);
        struct hmap *map = &step->entry->table->indexes[step->index];
        if (step->inserted)
            hmap_remove(map, &step->entry->index_nodes[step->index]);
        else
            hmap_insert(map, &step->entry->index_nodes[step->index], step->hash);
    }
}

void txn_rollback(struct txn *txn)
{
    undo_indexes(txn);
    for (size_t i = 0; i < txn->strong.n; i++)
        txn->strong.data[i].target->n_strong -= (uint32_t)txn->strong.data[i].delta;
    for (size_t i = 0; i < txn->garbage.n; i++)
        txn->garbage.data[i]->queued = false;
    for (size_t i = 0; i < txn->touched.n; i++)
        untouch(txn->touched.data[i]);
    for (size_t i = 0; i < txn->touched.n; i++)
        entry_release(txn->touched.data[i]);
    txn_fini(txn);
}

/* ---- finding rows ---- */

static const struct clause *equals_clause(const struct condition *where,
                                          const struct schema_column *column)
{
    for (size_t i = 0; i < where->n; i++) {
        const struct clause *c = &where->clauses[i];
        if (c->function == FN_EQ && c->column == column)
            return c;
    }
    return NULL;
}

static void add_if(struct entry *entry, const struct condition *where, entry_vec *out)
{
    if (entry && entry->row && condition_matches_all(where, entry->row))
        vec_push(out, entry);
}

/* An index all of whose columns WHERE fixes, and the hash of the values. */
static bool find_index(const struct store_table *table, const struct condition *where,
                       size_t *ret_index, uint64_t *ret_hash)
{
    for (size_t i = 0; i < table->schema->n_indexes; i++) {
        const struct schema_index *index = &table->schema->indexes[i];
        uint64_t hash = 0;
        size_t j = 0;
        for (; j < index->n; j++) {
            const struct clause *c = equals_clause(where, index->columns[j]);
            if (!c)
                break;
            hash = datum_hash(c->arg, hash);
        }
        if (j == index->n) {
            *ret_index = i;
            *ret_hash = hash;
            return true;
        }
    }
    return false;
}

/* Index maps know the state before the transaction: rows it touched are looked at one by one. */
static void select_by_index(struct txn *txn, struct store_table *table, size_t i, uint64_t hash,
                            const struct condition *where, entry_vec *out)
{
    struct hnode *node = hnode_skip(hmap_bucket(&table->indexes[i], hash), hash);
    for (; node; node = hnode_skip(node->next, hash)) {
        if (!table_index_entry(node, i)->touched)
            add_if(table_index_entry(node, i), where, out);
    }
    for (size_t j = 0; j < txn->touched.n; j++) {
        if (txn->touched.data[j]->table == table)
            add_if(txn->touched.data[j], where, out);
    }
}

void txn_select(struct txn *txn, struct store_table *table, const struct condition *where,
                entry_vec *out)
{
    size_t index;
    uint64_t hash;
    struct entry *entry;
    const struct clause *by_uuid = equals_clause(where, &table->schema->uuid_column);
    if (by_uuid && by_uuid->arg->n == 1) {
        add_if(entry_find(table, &by_uuid->arg->atoms[0].uuid), where, out);
        return;
    }
    /* With many rows touched already, walking them for each operation would cost more than it saves. */
    if (find_index(table, where, &index, &hash) && txn->touched.n <= table->n_rows / 2 + 16) {
        select_by_index(txn, table, index, hash, where, out);
        return;
    }
    HMAP_FOR_EACH (entry, node, &table->entries)
        add_if(entry, where, out);
}
