/* durable.c - from executed to told: pending transactions become durable, or are undone.
 *
 * See store.h. All that is pending flies as one batch to the writer's thread; while it flies, others
 * become pending. When the batch is durable each of its transactions is told in order: subscribers
 * first, its done callback after. When it is not, the batch and all that was executed on top of it
 * is undone, the last first. What callbacks submit meanwhile joins the next batch.
 */
#include <stdlib.h>

#include "base/err.h"
#include "store/store_private.h"

bool store_is_dirty(const struct store *store)
{
    return !list_empty(&store->pending) || !list_empty(&store->flying);
}

bool store_is_slow(const struct store *store)
{
    enum { MANY = 2000 };
    const struct store_txn *stxn;
    size_t n = 0;
    LIST_FOR_EACH (stxn, node, &store->pending)
        n += stxn->cs ? stxn->cs->n : 0;
    return n >= MANY || !list_empty(&store->flying);
}

int store_fd(const struct store *store)
{
    return store->writer ? writer_fd(store->writer) : -1;
}

void store_set_wakeup(struct store *store, void (*fn)(void *aux), void *aux)
{
    store->wakeup = fn;
    store->wakeup_aux = aux;
}

void store_set_disk_watch(struct store *store, void (*fn)(void *aux, const char *why), void *aux)
{
    store->disk_watch = fn;
    store->disk_watch_aux = aux;
}

const char *store_disk_failure(const struct store *store)
{
    return store->disk_failure;
}

/* ---- after the disk ---- */

static void changes_are_told(struct store *store, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        const struct row *row = c->after ? c->after : c->before;
        struct entry *entry = entry_find(&store->tables[row->table->index], &row->uuid);
        INVARIANT(entry && entry->n_pending);
        entry_set_told(entry, c->after);
        entry_add_pending(entry, -1);
        entry_release(entry);
    }
    store->told_number = cs->number;
    store->told_id = cs->id;
}

static void succeed(struct store_txn *stxn)
{
    struct store *store = stxn->store;
    if (stxn->cs) {
        changes_are_told(store, stxn->cs);
        history_add(store, stxn->cs);
        store_tell_subscribers(store, stxn->cs);
    }
    store_txn_finish(stxn);
}

static void succeed_all(struct list *durable)
{
    while (!list_empty(durable)) {
        struct store_txn *stxn = LIST_FIRST(struct store_txn, node, durable);
        list_remove(&stxn->node);
        succeed(stxn);
    }
}

/* The disk did not take it: what flew and what is built on it is undone, the last first. */
static void fail_all(struct store *store, struct list *failed, const char *why)
{
    list_splice_back(failed, &store->pending);
    for (struct list *l = failed->prev; l != failed; l = l->prev) {
        struct store_txn *stxn = CONTAINER_OF(l, struct store_txn, node);
        if (stxn->cs)
            store_changeset_undo(store, stxn->cs);
    }
    while (!list_empty(failed)) {
        struct store_txn *stxn = LIST_FIRST(struct store_txn, node, failed);
        list_remove(&stxn->node);
        stxn->result.committed = false;
        op_error_set(&stxn->result.commit_error, "I/O error", NULL, "%s", why);
        store_txn_finish(stxn);
    }
}

static void watch_disk(struct store *store, const char *why)
{
    if ((store->disk_failure != NULL) == (why != NULL))
        return;
    free(store->disk_failure);
    store->disk_failure = why ? xstrdup(why) : NULL;
    if (store->disk_watch)
        store->disk_watch(store->disk_watch_aux, why);
}

/* The batch is written, or has failed with DIAG. */
static void land(struct store *store, int err, const struct diag *diag)
{
    struct list landed;
    list_init(&landed);
    list_splice_back(&landed, &store->flying);
    if (store->batch.steps.n)
        watch_disk(store, err ? diag_text(diag) : NULL);
    batch_fini(&store->batch);
    if (err)
        fail_all(store, &landed, diag_text(diag));
    else
        succeed_all(&landed);
    store_retry_waiting(store);
}

/* ---- before the disk ---- */

/* Everything pending flies: to the writer, or lands at once when the caller WAITS for the disk or
 * nobody does. */
static void take_off(struct store *store, bool waits)
{
    const struct store_txn *stxn;
    struct diag diag = DIAG_INIT;
    list_splice_back(&store->flying, &store->pending);
    LIST_FOR_EACH (stxn, node, &store->flying) {
        if (stxn->cs && store->sql)
            batch_add(store, &store->batch, stxn->cs);
    }
    if (store->batch.steps.n && store->writer && !waits)
        writer_start(store->writer, &store->batch);
    else
        land(store, store->batch.steps.n ? sql_write_batch(store->sql, &store->batch, &diag) : 0,
             &diag);
    diag_fini(&diag);
}

static void commit(struct store *store, bool waits)
{
    while (list_empty(&store->flying) && !list_empty(&store->pending))
        take_off(store, waits);
}

static void collect(struct store *store, bool wait)
{
    struct diag diag = DIAG_INIT;
    int err;
    if (!list_empty(&store->flying) && writer_take(store->writer, wait, &err, &diag))
        land(store, err, &diag);
    diag_fini(&diag);
}

void store_commit(struct store *store)
{
    if (store->is_committing)
        return;
    store->is_committing = true;
    commit(store, false);
    store->is_committing = false;
}

void store_collect(struct store *store)
{
    if (store->is_committing)
        return;
    store->is_committing = true;
    collect(store, false);
    store->is_committing = false;
}

void store_flush(struct store *store)
{
    if (store->is_committing)
        return;
    store->is_committing = true;
    while (store_is_dirty(store)) {
        collect(store, true);
        commit(store, true);
    }
    store->is_committing = false;
}

int store_compact(struct store *store, struct diag *diag)
{
    INVARIANT(!store->is_committing);
    store_flush(store);
    return store->sql ? sql_compact(store->sql, diag) : 0;
}
