/* history.c - the latest change sets in memory, and undoing one.
 *
 * See store_private.h. A ring bounded by number of sets and of changes, for monitor_cond_since.
 */
#include <stdlib.h>

#include "store/store_private.h"

static void drop_oldest(struct history *history)
{
    const struct changeset *cs = history->sets[history->head];
    history->base_id = cs->id;
    history->n_changes -= cs->n;
    history->head = (history->head + 1) % HISTORY_MAX_SETS;
    history->n--;
    changeset_unref(cs);
}

void history_add(struct store *store, const struct changeset *cs)
{
    struct history *history = &store->history;
    if (!history->sets)
        history->sets = xcalloc(HISTORY_MAX_SETS, sizeof *history->sets);
    while (history->n &&
           (history->n == HISTORY_MAX_SETS || history->n_changes + cs->n > HISTORY_MAX_CHANGES))
        drop_oldest(history);
    history->sets[(history->head + history->n) % HISTORY_MAX_SETS] = changeset_ref(cs);
    history->n++;
    history->n_changes += cs->n;
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

void changeset_undo(struct store *store, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        struct entry *entry = entry_of(store, c);
        index_account(entry, c->after, NULL);
        entry_set_row(entry, c->before ? row_ref(c->before) : NULL);
    }
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        struct entry *entry = entry_of(store, c);
        INVARIANT(strong_refs_account(entry, c->after, c->before));
        weak_refs_account(entry, c->after, c->before);
        index_account(entry, NULL, c->before);
    }
    for (size_t i = 0; i < cs->n; i++) {
        struct entry *entry = entry_of(store, &cs->changes[i]);
        entry->n_pending--;
        entry_release(entry);
    }
}
