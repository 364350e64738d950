/* weak.c - weak references to rows that are not there are taken out at commit (RFC 7047 section 3.2).
 *
 * See store_private.h. Two kinds of columns need it: those that name a row which this transaction
 * deleted (found through the list at the deleted row), and those into which this transaction put the
 * name of a row that does not exist.
 */
#include "base/err.h"
#include "store/store_private.h"

struct place {
    struct entry *entry;
    const struct schema_column *column;
};

struct clean {
    struct txn *txn;
    VEC(struct place) places;
    struct entry *source; /* while its new references are checked */
    const struct ref_side *side;
};

static void add_place(struct clean *clean, struct entry *entry, const struct schema_column *column)
{
    struct place *last = clean->places.n ? &vec_last(&clean->places) : NULL;
    if (!last || last->entry != entry || last->column != column)
        vec_push(&clean->places, ((struct place){entry, column}));
}

static bool target_exists(const struct ref_side *side, const struct uuid *uuid)
{
    const struct entry *target = entry_find(side->target, uuid);
    return target && target->row;
}

static void check_new(void *aux, const struct uuid *uuid, int delta)
{
    struct clean *clean = aux;
    if (delta > 0 && !target_exists(clean->side, uuid))
        add_place(clean, clean->source, clean->side->column);
}

static void find_places(struct clean *clean)
{
    struct txn *txn = clean->txn;
    for (; txn->n_deleted_seen < txn->deleted.n; txn->n_deleted_seen++) {
        struct weak_ref *ref;
        LIST_FOR_EACH (ref, by_target, &txn->deleted.data[txn->n_deleted_seen]->weak_referrers)
            add_place(clean, ref->source, ref->column);
    }
    for (size_t i = 0; i < txn->touched.n; i++) {
        struct entry *entry = txn->touched.data[i];
        for (size_t j = 0; entry->row && j < entry->table->n_refs; j++) {
            clean->source = entry;
            clean->side = &entry->table->refs[j];
            if (clean->side->kind == REF_WEAK)
                refs_side_changes(clean->side, entry->before, entry->row, check_new, clean);
        }
    }
}

static bool dangles(const struct store_table *table, const struct schema_column *column,
                    const struct datum *value, size_t i)
{
    for (size_t j = 0; j < table->n_refs; j++) {
        const struct ref_side *side = &table->refs[j];
        if (side->column != column || side->kind != REF_WEAK)
            continue;
        const union atom *atoms = side->is_value ? datum_values(value) : value->atoms;
        if (!target_exists(side, &atoms[i].uuid))
            return true;
    }
    return false;
}

/* VALUE without the elements that dangle; NULL when none does. */
static const struct datum *without_dangling(const struct store_table *table,
                                            const struct schema_column *column,
                                            const struct datum *value)
{
    VEC(union atom) gone = VEC_INIT;
    const struct datum *kept = NULL;
    for (size_t i = 0; i < value->n; i++) {
        if (dangles(table, column, value, i))
            vec_push(&gone, atom_ref(value->key_type, &value->atoms[i]));
    }
    if (gone.n) {
        const struct datum *keys = datum_new_set(value->key_type, gone.data, gone.n);
        kept = datum_subtract(value, keys);
        datum_unref(keys);
    }
    vec_fini(&gone);
    return kept;
}

static int emptied_error(const struct place *place, const struct datum *value, uint32_t n,
                         struct op_error *error)
{
    char uuid[UUID_TEXT_LEN + 1];
    const char *table = place->entry->table->schema->name, *column = place->column->name;
    const char *inserted = place->entry->before ? "" : " (inserted within this transaction)";
    uuid_print(&place->entry->uuid, uuid);
    if (!datum_is_map(value) && value->n == 1 && uuid_is_zero(&value->atoms[0].uuid))
        return op_error_set(
            error, "constraint violation", NULL,
            "Weak reference column \"%s\" in \"%s\" row %s%s contained all-zeros "
            "UUID (probably as the default value for this column) but deleting this "
            "value caused a constraint violation because this column is not allowed "
            "to be empty.",
            column, table, uuid, inserted);
    return op_error_set(error, "constraint violation", NULL,
                        "Deletion of %u weak reference(s) to deleted (or never-existing) rows from "
                        "column \"%s\" in \"%s\" row %s%s caused this column to become empty, but "
                        "constraints on this column disallow an empty column.",
                        n, column, table, uuid, inserted);
}

static int clean_place(struct txn *txn, const struct place *place, struct op_error *error)
{
    struct entry *entry = place->entry;
    if (!entry->row)
        return 0;
    const struct datum *value = row_get(entry->row, place->column);
    const struct datum *kept = without_dangling(entry->table, place->column, value);
    if (!kept)
        return 0;
    txn_touch(txn, entry);
    if (kept->n < place->column->type.n_min) {
        int err = emptied_error(place, value, value->n - kept->n, error);
        datum_unref(kept);
        return err;
    }
    const struct row *last = row_ref(entry->row);
    row_set(txn_edit(txn, entry), place->column, kept);
    int err = txn_count_strong(txn, entry, last, entry->row, error); /* of pairs that went away */
    row_unref(last);
    return err;
}

int txn_clean_weak(struct txn *txn, struct op_error *error)
{
    struct clean clean = {.txn = txn};
    int err = 0;
    find_places(&clean);
    for (size_t i = 0; !err && i < clean.places.n; i++)
        err = clean_place(txn, &clean.places.data[i], error);
    vec_fini(&clean.places);
    return err;
}
