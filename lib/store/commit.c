/* commit.c - the checks at the end of a transaction (RFC 7047 sections 3.2 and 4.1.3).
 *
 * In this order: what really changed; strong references and deleted rows; garbage (rows of non-root
 * tables that nothing refers to) and weak references, until nothing moves; numbers of rows; indexes.
 * Everything done here is journalled in the txn, so that txn_rollback can take it back. The cost is in
 * proportion to the change.
 */
#include "base/err.h"
#include "store/store_private.h"

/* ---- strong references ---- */

struct count_context {
    struct txn *txn;
    struct entry *source;
    const struct ref_side *side;
    struct op_error *error;
    int err;
};

static int missing_error(const struct count_context *context, const struct uuid *target)
{
    char row[UUID_TEXT_LEN + 1], text[UUID_TEXT_LEN + 1];
    return op_error_set(context->error, "referential integrity violation", NULL,
                        "Table %s column %s row %s references nonexistent row %s in table %s.",
                        context->source->table->schema->name, context->side->column->name,
                        uuid_print(&context->source->uuid, row), uuid_print(target, text),
                        context->side->target->schema->name);
}

static void look_at(struct txn *txn, struct entry *entry)
{
    if (entry->queued || entry->table->schema->is_root)
        return;
    entry->queued = true;
    vec_push(&txn->garbage, entry);
}

static void count_one(void *aux, const struct uuid *uuid, int delta)
{
    struct count_context *context = aux;
    struct txn *txn = context->txn;
    struct entry *target = entry_find(context->side->target, uuid);
    if (context->err)
        return;
    if (delta > 0 && !(target && (target->row || (target->touched && target->before)))) {
        context->err = missing_error(context, uuid);
        return;
    }
    INVARIANT(target);
    if (target == context->source)
        return; /* a row does not keep itself */
    target->n_strong += (uint32_t)delta;
    vec_push(&txn->strong, ((struct strong_step){target, delta}));
    if (delta < 0)
        look_at(txn, target);
}

int txn_count_strong(struct txn *txn, struct entry *entry, const struct row *before,
                     const struct row *after, struct op_error *error)
{
    struct count_context context = {.txn = txn, .source = entry, .error = error};
    for (size_t i = 0; !context.err && i < entry->table->n_refs; i++) {
        context.side = &entry->table->refs[i];
        if (context.side->kind == REF_STRONG)
            refs_side_changes(context.side, before, after, count_one, &context);
    }
    return context.err;
}

static int check_deleted(const struct entry *entry, struct op_error *error)
{
    char uuid[UUID_TEXT_LEN + 1];
    if (entry->row || !entry->before || !entry->n_strong)
        return 0;
    return op_error_set(error, "referential integrity violation", NULL,
                        "cannot delete %s row %s because of %u remaining reference(s)",
                        entry->table->schema->name, uuid_print(&entry->uuid, uuid),
                        entry->n_strong);
}

static int check_strong(struct txn *txn, struct op_error *error)
{
    int err = 0;
    for (size_t i = 0; !err && i < txn->touched.n; i++) {
        struct entry *entry = txn->touched.data[i];
        err = txn_count_strong(txn, entry, entry->before, entry->row, error);
    }
    for (size_t i = 0; !err && i < txn->touched.n; i++)
        err = check_deleted(txn->touched.data[i], error);
    return err;
}

/* ---- garbage ---- */

static int collect_garbage(struct txn *txn, struct op_error *error)
{
    while (txn->garbage.n) {
        struct entry *entry = vec_pop(&txn->garbage);
        entry->queued = false;
        if (!entry->row || entry->n_strong)
            continue;
        const struct row *last = row_ref(entry->row);
        txn_delete(txn, entry);
        vec_push(&txn->deleted, entry);
        int err = txn_count_strong(txn, entry, last, NULL, error);
        row_unref(last);
        if (err)
            return err;
    }
    return 0;
}

static int settle_references(struct txn *txn, struct op_error *error)
{
    for (size_t i = 0; i < txn->touched.n; i++) {
        struct entry *entry = txn->touched.data[i];
        if (entry->row)
            look_at(txn, entry);
        else if (entry->before)
            vec_push(&txn->deleted, entry);
    }
    int err;
    do {
        err = collect_garbage(txn, error);
        if (!err)
            err = txn_clean_weak(txn, error);
    } while (!err && txn->garbage.n);
    return err;
}

/* ---- numbers and indexes ---- */

static int check_max_rows(struct txn *txn, struct op_error *error)
{
    for (size_t i = 0; i < txn->touched.n; i++) {
        const struct store_table *table = txn->touched.data[i]->table;
        if (table->n_rows > table->schema->max_rows)
            return op_error_set(error, "constraint violation", NULL,
                                "transaction causes \"%s\" table to contain %zu rows, greater than "
                                "the schema-defined limit of %u row(s)",
                                table->schema->name, table->n_rows, table->schema->max_rows);
    }
    return 0;
}

static bool index_changed(const struct entry *entry, const struct schema_index *index)
{
    return !entry->before || !entry->row || !table_index_equal(index, entry->before, entry->row);
}

static void leave_indexes(struct txn *txn, struct entry *entry)
{
    const struct schema_table *schema = entry->table->schema;
    for (size_t i = 0; entry->before && i < schema->n_indexes; i++) {
        struct hnode *node = &entry->index_nodes[i];
        if (!index_changed(entry, &schema->indexes[i]))
            continue;
        hmap_remove(&entry->table->indexes[i], node);
        vec_push(&txn->indexed, ((struct index_step){entry, i, node->hash, false}));
    }
}

/* The values of ROW in INDEX: "v1", "v1 and v2", "v1, v2, and v3". */
static void put_values(const struct schema_index *index, const struct row *row, struct str *out)
{
    for (size_t i = 0; i < index->n; i++) {
        if (i)
            str_put(out, index->n > 2 ? ", " : " ");
        if (i && i + 1 == index->n)
            str_put(out, "and ");
        datum_print(row_get(row, index->columns[i]), out);
    }
}

static void put_origin(const struct schema_index *index, const struct entry *entry, struct str *out)
{
    char uuid[UUID_TEXT_LEN + 1];
    str_putf(out, "row, with UUID %s, ", uuid_print(&entry->uuid, uuid));
    if (!entry->touched) {
        str_put(out, "existed in the database before this transaction and was not modified by the "
                     "transaction.");
    } else if (!entry->before) {
        str_put(out, "was inserted by this transaction.");
    } else if (table_index_equal(index, entry->before, entry->row)) {
        str_put(out, "existed in the database before this transaction, which modified some of the "
                     "row's columns but not any columns in this index.");
    } else {
        str_put(out, "had the following index values before the transaction: ");
        put_values(index, entry->before, out);
        str_putc(out, '.');
    }
}

static int index_error(const struct schema_index *index, const struct entry *first,
                       const struct entry *second, struct op_error *error)
{
    struct str values = STR_INIT, names = STR_INIT, rows = STR_INIT;
    put_values(index, first->row, &values);
    for (size_t i = 0; i < index->n; i++)
        str_putf(&names, "%s%s\"%s\"",
                 i && index->n > 2 ? ", "
                 : i               ? " "
                                   : "",
                 i && i + 1 == index->n ? "and " : "", index->columns[i]->name);
    str_put(&rows, "First ");
    put_origin(index, first, &rows);
    str_put(&rows, "  Second ");
    put_origin(index, second, &rows);
    op_error_set(error, "constraint violation", NULL,
                 "Transaction causes multiple rows in \"%s\" table to have identical values (%s) "
                 "for index on column%s %s.  %s",
                 first->table->schema->name, str_c(&values), index->n > 1 ? "s" : "", str_c(&names),
                 str_c(&rows));
    str_fini(&values);
    str_fini(&names);
    str_fini(&rows);
    return ERR_CONSTRAINT;
}

static int enter_indexes(struct txn *txn, struct entry *entry, struct op_error *error)
{
    struct store_table *table = entry->table;
    for (size_t i = 0; entry->row && i < table->schema->n_indexes; i++) {
        const struct schema_index *index = &table->schema->indexes[i];
        if (!index_changed(entry, index))
            continue;
        uint64_t hash = table_index_hash(index, entry->row);
        struct entry *other = table_index_find(table, i, entry->row, hash);
        if (other)
            return index_error(index, entry, other, error);
        hmap_insert(&table->indexes[i], &entry->index_nodes[i], hash);
        vec_push(&txn->indexed, ((struct index_step){entry, i, hash, true}));
    }
    return 0;
}

static int check_indexes(struct txn *txn, struct op_error *error)
{
    int err = 0;
    for (size_t i = 0; i < txn->touched.n; i++)
        leave_indexes(txn, txn->touched.data[i]);
    for (size_t i = 0; !err && i < txn->touched.n; i++)
        err = enter_indexes(txn, txn->touched.data[i], error);
    return err;
}

/* ---- the host's opinion ---- */

static int ask_judge(struct txn *txn, struct op_error *error)
{
    const struct store *store = txn->store;
    for (size_t i = 0; store->judge && i < txn->touched.n; i++) {
        const struct entry *entry = txn->touched.data[i];
        if (entry->row && !txn_is_nothing(entry) &&
            !store->judge(store->judge_aux, entry->before, entry->row, error))
            return ERR_CONSTRAINT;
    }
    return 0;
}

int txn_commit_checks(struct txn *txn, struct op_error *error)
{
    txn_drop_ghosts(txn);
    int err = check_strong(txn, error);
    if (!err)
        err = settle_references(txn, error);
    txn_drop_ghosts(txn);
    if (!err)
        err = check_max_rows(txn, error);
    if (!err)
        err = check_indexes(txn, error);
    if (!err)
        err = ask_judge(txn, error);
    return err;
}
