/* history.c - the latest change sets in memory, and undoing one.
 *
 * See store_private.h. A ring bounded by number of sets and by memory, for monitor_cond_since.
 */
#include <stdlib.h>

#include "store/store_private.h"

/* Roughly what CS keeps alive: the old versions, without the values that the new ones share. */
static size_t changeset_size(const struct changeset *cs)
{
    size_t size = sizeof *cs;
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *before = cs->changes[i].before, *after = cs->changes[i].after;
        size += sizeof *cs->changes;
        for (size_t j = 0; before && j < before->table->n_columns; j++) {
            const struct datum *d = before->values[j];
            if (!after || after->values[j] != d)
                size += sizeof *d + (size_t)d->n * (datum_is_map(d) ? 2 : 1) * sizeof *d->atoms;
            size += sizeof d;
        }
    }
    return size;
}

static void drop_oldest(struct history *history)
{
    const struct changeset *cs = history->sets[history->head];
    history->base_id = cs->id;
    history->n_bytes -= changeset_size(cs);
    history->head = (history->head + 1) % HISTORY_MAX_SETS;
    history->n--;
    changeset_unref(cs);
}

void history_add(struct store *store, const struct changeset *cs)
{
    struct history *history = &store->history;
    if (!history->sets)
        history->sets = xcalloc(HISTORY_MAX_SETS, sizeof *history->sets);
    size_t size = changeset_size(cs);
    while (history->n &&
           (history->n == HISTORY_MAX_SETS || history->n_bytes + size > HISTORY_MAX_BYTES))
        drop_oldest(history);
    history->sets[(history->head + history->n) % HISTORY_MAX_SETS] = changeset_ref(cs);
    history->n++;
    history->n_bytes += size;
}

void history_fini(struct store *store)
{
    while (store->history.n)
        drop_oldest(&store->history);
    free(store->history.sets);
}

bool store_history_since(const struct store *store, const struct uuid *after_id,
                         void (*fn)(void *aux, const struct changeset *cs), void *aux)
{
    const struct history *history = &store->history;
    size_t i = history->n;
    while (i > 0) {
        const struct changeset *cs = history->sets[(history->head + i - 1) % HISTORY_MAX_SETS];
        if (uuid_equal(&cs->id, after_id))
            break;
        i--;
    }
    if (i == 0 && !uuid_equal(&history->base_id, after_id))
        return false;
    for (; i < history->n; i++)
        fn(aux, history->sets[(history->head + i) % HISTORY_MAX_SETS]);
    return true;
}

static struct entry *entry_of(struct store *store, const struct change *change)
{
    const struct row *row = change->after ? change->after : change->before;
    struct entry *entry = entry_find(&store->tables[row->table->index], &row->uuid);
    INVARIANT(entry); /* kept by n_pending */
    return entry;
}

void store_changeset_undo(struct store *store, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        struct entry *entry = entry_of(store, c);
        table_index_account(entry, c->after, NULL);
        entry_set_row(entry, c->before ? row_ref(c->before) : NULL);
    }
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        struct entry *entry = entry_of(store, c);
        INVARIANT(refs_account_strong(entry, c->after, c->before));
        refs_account_weak(entry, c->after, c->before);
        table_index_account(entry, NULL, c->before);
    }
    for (size_t i = 0; i < cs->n; i++) {
        struct entry *entry = entry_of(store, &cs->changes[i]);
        entry_add_pending(entry, -1);
        entry_release(entry);
    }
}
