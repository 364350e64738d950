/* submit.c - the life of a transaction until it is executed: done, pending or waiting.
 *
 * See store.h. Execution is in memory and at once; durable.c goes on with what is pending.
 */
#include <stdlib.h>

#include "base/err.h"
#include "store/store_private.h"

enum outcome { FAILED, WAITING, EXECUTED };

static void result_fini(struct store_result *result)
{
    for (size_t i = 0; i < result->n; i++) {
        struct op_result *r = &result->results[i];
        op_error_fini(&r->error);
        for (size_t j = 0; j < r->n_rows; j++)
            row_unref(r->rows[j]);
        free(r->rows);
    }
    free(result->results);
    op_error_fini(&result->commit_error);
    *result = (struct store_result){0};
}

static void txn_free(struct store_txn *stxn)
{
    result_fini(&stxn->result);
    changeset_unref(stxn->cs);
    rstr_unref(stxn->request.author);
    free(stxn);
}

void store_txn_finish(struct store_txn *stxn)
{
    stxn->request.done(stxn->request.aux, &stxn->result);
    txn_free(stxn);
}

/* ---- from a successful transaction to its change set ---- */

/* Stable counting sort by table. */
static void sort_changes(const struct store *store, const struct change *from, struct change *to,
                         size_t n)
{
    size_t *starts = xcalloc(store->schema->n_tables + 1, sizeof *starts);
    for (size_t i = 0; i < n; i++) {
        const struct row *row = from[i].after ? from[i].after : from[i].before;
        starts[row->table->index + 1]++;
    }
    for (size_t i = 1; i <= store->schema->n_tables; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < n; i++) {
        const struct row *row = from[i].after ? from[i].after : from[i].before;
        to[starts[row->table->index]++] = from[i];
    }
    free(starts);
}

static struct changeset *make_changeset(struct txn *txn, const struct store_request *request,
                                        const struct change *changes, size_t n)
{
    struct store *store = txn->store;
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->number = ++store->number;
    cs->id = txn->id;
    cs->wall_ms = env_wall_ms(store->env);
    cs->author = request->author ? rstr_ref(request->author) : NULL;
    cs->comment = txn->comment.n ? rstr_new_n(txn->comment.s, txn->comment.n) : NULL;
    cs->n = n;
    cs->changes = xcalloc(n, sizeof *cs->changes);
    sort_changes(store, changes, cs->changes, n);
    return cs;
}

/* Ends a transaction whose checks are passed. NULL when nothing changed. */
static struct changeset *txn_finalize(struct txn *txn, const struct store_request *request)
{
    VEC(struct change) changes = VEC_INIT;
    for (size_t i = 0; i < txn->touched.n; i++) {
        struct entry *entry = txn->touched.data[i];
        refs_account_weak(entry, entry->before, entry->row);
    }
    for (size_t i = 0; i < txn->touched.n; i++) {
        struct entry *entry = txn->touched.data[i];
        if (!txn_is_nothing(entry)) {
            struct change change = {entry->before, entry->row ? row_ref(entry->row) : NULL};
            vec_push(&changes, change);
            entry_add_pending(entry, 1);
        }
        entry->before = NULL;
        entry->touched = entry->queued = false;
        entry_release(entry);
    }
    struct changeset *cs = changes.n ? make_changeset(txn, request, changes.data, changes.n) : NULL;
    vec_fini(&changes);
    txn_fini(txn);
    return cs;
}

/* ---- execution ---- */

static int run_ops(struct txn *txn, struct store_txn *stxn)
{
    const struct ops *ops = stxn->request.ops;
    struct store_result *result = &stxn->result;
    result->results = xcalloc(ops->n + 1, sizeof *result->results);
    for (size_t i = 0; i < ops->n; i++) {
        struct op_result *r = &result->results[result->n++];
        int err = op_execute(txn, stxn, &ops->ops[i], r, &stxn->deadline_ms);
        if (err)
            return err;
    }
    if (!ops->parse_error.error)
        return 0;
    struct op_error *error = &result->results[result->n++].error;
    error->error = xstrdup(ops->parse_error.error);
    error->details = ops->parse_error.details ? xstrdup(ops->parse_error.details) : NULL;
    error->syntax = ops->parse_error.syntax ? xstrdup(ops->parse_error.syntax) : NULL;
    return ERR_SYNTAX;
}

static enum outcome execute(struct store_txn *stxn)
{
    struct txn txn;
    result_fini(&stxn->result);
    txn_init(&txn, stxn->store);
    int err = run_ops(&txn, stxn);
    if (!err)
        err = txn_commit_checks(&txn, &stxn->result.commit_error);
    if (err) {
        txn_rollback(&txn);
        if (err == EXEC_WAIT)
            result_fini(&stxn->result);
        return err == EXEC_WAIT ? WAITING : FAILED;
    }
    stxn->result.committed = true;
    stxn->cs = txn_finalize(&txn, &stxn->request);
    return EXECUTED;
}

/* Reads, and nothing that could still be undone. */
static bool reads_durable(const struct store_txn *stxn)
{
    const struct ops *ops = stxn->request.ops;
    for (size_t i = 0; i < ops->n; i++) {
        if (ops->ops[i].kind != OP_SELECT ||
            stxn->store->tables[ops->ops[i].table->index].n_pending)
            return false;
    }
    return ops->n > 0;
}

/* Executes and puts it where it belongs; false when it is done and gone. */
static bool attempt(struct store_txn *stxn)
{
    struct store *store = stxn->store;
    bool was_dirty = store_is_dirty(store);
    enum outcome outcome = execute(stxn);
    if (outcome == FAILED || (outcome == EXECUTED && reads_durable(stxn))) {
        store_txn_finish(stxn);
        return false;
    }
    stxn->is_waiting = outcome == WAITING;
    list_push_back(stxn->is_waiting ? &store->waiting : &store->pending, &stxn->node);
    if (outcome == EXECUTED && !was_dirty && store->wakeup)
        store->wakeup(store->wakeup_aux);
    return true;
}

struct store_txn *store_submit(struct store *store, const struct store_request *request)
{
    struct store_txn *stxn = NEW(struct store_txn);
    stxn->store = store;
    stxn->request = *request;
    stxn->start_ms = env_now_ms(store->env);
    if (request->author)
        rstr_ref(request->author);
    return attempt(stxn) ? stxn : NULL;
}

/* What TXN, about to be taken back, would do. */
static void show_changes(struct txn *txn, void (*fn)(void *aux, const struct changeset *cs),
                         void *aux)
{
    VEC(struct change) changes = VEC_INIT;
    for (size_t i = 0; i < txn->touched.n; i++) {
        struct entry *entry = txn->touched.data[i];
        struct change change = {entry->before, entry->row};
        if (!txn_is_nothing(entry))
            vec_push(&changes, change);
    }
    const struct changeset cs = {.refs = 1, .id = txn->id, .n = changes.n, .changes = changes.data};
    fn(aux, &cs);
    vec_fini(&changes);
}

void store_consider(struct store *store, const struct store_request *request,
                    void (*fn)(void *aux, const struct changeset *cs), void *fn_aux)
{
    struct store_txn stxn = {
        .store = store, .request = *request, .start_ms = env_now_ms(store->env)};
    struct txn txn;
    txn_init(&txn, store);
    int err = run_ops(&txn, &stxn);
    if (!err)
        err = txn_commit_checks(&txn, &stxn.result.commit_error);
    if (!err)
        show_changes(&txn, fn, fn_aux);
    else if (err == EXEC_WAIT)
        op_error_set(&stxn.result.commit_error, "timed out", NULL, "it would have to wait");
    txn_rollback(&txn);
    request->done(request->aux, &stxn.result);
    result_fini(&stxn.result);
}

bool store_txn_is_waiting(const struct store_txn *stxn)
{
    return stxn->is_waiting;
}

void store_cancel(struct store_txn *stxn)
{
    INVARIANT(stxn->is_waiting);
    list_remove(&stxn->node);
    txn_free(stxn);
}

/* ---- waiting ---- */

void store_retry_waiting(struct store *store)
{
    struct list retry;
    list_init(&retry);
    list_splice_back(&retry, &store->waiting);
    while (!list_empty(&retry)) {
        struct store_txn *stxn = LIST_FIRST(struct store_txn, node, &retry);
        list_remove(&stxn->node);
        attempt(stxn);
    }
}

int64_t store_next_timeout_ms(const struct store *store)
{
    int64_t next = INT64_MAX;
    const struct store_txn *stxn;
    LIST_FOR_EACH (stxn, node, &store->waiting)
        next = MIN(next, stxn->deadline_ms);
    return next;
}

void store_run_timeouts(struct store *store)
{
    int64_t now = env_now_ms(store->env);
    struct list due;
    struct store_txn *stxn, *next;
    list_init(&due);
    LIST_FOR_EACH_SAFE (stxn, next, node, &store->waiting) {
        if (stxn->deadline_ms <= now) {
            list_remove(&stxn->node);
            list_push_back(&due, &stxn->node);
        }
    }
    while (!list_empty(&due)) {
        stxn = LIST_FIRST(struct store_txn, node, &due);
        list_remove(&stxn->node);
        attempt(stxn);
    }
}

void store_end_waiting(struct store *store)
{
    while (!list_empty(&store->waiting)) {
        struct store_txn *stxn = LIST_FIRST(struct store_txn, node, &store->waiting);
        list_remove(&stxn->node);
        op_error_set(&stxn->result.commit_error, "canceled", NULL, "the database was closed");
        store_txn_finish(stxn);
    }
}
