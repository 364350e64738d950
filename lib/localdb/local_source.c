/* local_source.c - see local_source.h.
 *
 * A change set of the store is handed on as it is. Submitting parses nothing: the replica's
 * operations are the store's. The store may answer a failing transaction at once; its author is
 * told later all the same, behind an empty transaction that the next flush answers.
 */
#include "localdb/local_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/list.h"
#include "base/vec.h"
#include "store/store.h"

struct local_source {
    struct replica_source base;
    struct store *store;
    struct replica_sink sink;
    struct store_subscription *subscription;
    struct list requests; /* struct local_request */
};

struct local_request {
    struct list node;
    struct local_source *source; /* NULL when the source is gone */
    struct ops *ops;
    void (*done)(void *aux, int err, const char *error);
    void *aux;
    bool submitting; /* inside store_submit */
    int err;
    char *error;
};

static int code_of(const char *error)
{
    static const struct {
        const char *error;
        int code;
    } codes[] = {
        {"timed out", ERR_AGAIN},
        {"not owner", ERR_NOT_OWNER},
        {"constraint violation", ERR_CONSTRAINT},
        {"referential integrity violation", ERR_REFERENCE},
        {"permission error", ERR_PERMISSION},
        {"not allowed", ERR_PERMISSION},
        {"aborted", ERR_CANCELED},
        {"range error", ERR_RANGE},
        {"duplicate uuid", ERR_EXISTS},
        {"resources exhausted", ERR_NO_SPACE},
        {"I/O error", ERR_IO},
    };
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (!strcmp(error, codes[i].error))
            return codes[i].code;
    return ERR_INVALID;
}

static void take_error(struct local_request *r, const struct op_error *error)
{
    r->err = code_of(error->error);
    r->error =
        error->details ? xasprintf("%s: %s", error->error, error->details) : xstrdup(error->error);
}

static void take_result(struct local_request *r, const struct store_result *result)
{
    if (result->committed)
        return;
    for (size_t i = 0; i < result->n; i++)
        if (result->results[i].error.error) {
            take_error(r, &result->results[i].error);
            return;
        }
    if (result->commit_error.error) {
        take_error(r, &result->commit_error);
    } else {
        r->err = ERR_CANCELED;
        r->error = xstrdup("canceled");
    }
}

static void finish(struct local_request *r)
{
    list_remove(&r->node);
    if (r->source && r->done)
        r->done(r->aux, r->err, r->error);
    if (r->ops)
        ops_free(r->ops);
    free(r->error);
    free(r);
}

static void on_echo(void *r, const struct store_result *result UNUSED)
{
    finish(r);
}

static void on_done(void *r_, const struct store_result *result)
{
    struct local_request *r = r_;
    take_result(r, result);
    if (!r->submitting)
        finish(r);
}

static bool owns_lock(void *aux UNUSED, const char *name UNUSED)
{
    return true;
}

static void submit_now(struct local_request *r)
{
    r->submitting = true;
    struct store_request request = {
        .ops = r->ops, .owns_lock = owns_lock, .done = on_done, .aux = r};
    struct store_txn *txn = store_submit(r->source->store, &request);
    r->submitting = false;
    if (txn && !store_txn_is_waiting(txn)) { /* executed: what it said is not needed any more */
        ops_free(r->ops);
        r->ops = NULL;
    }
    if (txn)
        return;
    static const struct ops nothing;
    struct store_request echo = {.ops = &nothing, .done = on_echo, .aux = r};
    (void)store_submit(r->source->store, &echo);
}

static void submit(struct replica_source *base, struct ops *ops,
                   void (*done)(void *aux, int err, const char *error), void *aux)
{
    struct local_source *source = CONTAINER_OF(base, struct local_source, base);
    struct local_request *r = NEW(struct local_request);
    r->source = source;
    r->ops = ops;
    r->done = done;
    r->aux = aux;
    list_push_back(&source->requests, &r->node);
    submit_now(r);
}

static void on_changes(void *source_, const struct changeset *cs)
{
    struct local_source *source = source_;
    source->sink.update(source->sink.replica, cs);
}

static void tell_everything(struct local_source *source)
{
    const struct schema *schema = store_schema(source->store);
    VEC(struct change) v = VEC_INIT;
    for (size_t t = 0; t < schema->n_tables; t++) {
        const struct row *row;
        for (size_t pos = 0;
             (row = store_next_told_row(source->store, &schema->tables[t], &pos)) != NULL;) {
            struct change c = {NULL, row_ref(row)};
            vec_push(&v, c);
        }
    }
    struct changeset *all = NEW(struct changeset);
    all->refs = 1;
    all->number = store_last_number(source->store);
    all->id = store_last_id(source->store);
    all->n = v.n;
    all->changes = v.data;
    source->sink.reset(source->sink.replica, all);
    changeset_unref(all);
}

static void start(struct replica_source *base, const struct replica_options *options,
                  const struct replica_sink *sink)
{
    struct local_source *source = CONTAINER_OF(base, struct local_source, base);
    INVARIANT(options->schema == store_schema(source->store));
    source->sink = *sink;
    source->subscription = store_subscribe(source->store, on_changes, source);
    source->sink.status(source->sink.replica, true, true);
    tell_everything(source);
}

static void set_condition(struct replica_source *base UNUSED,
                          const struct schema_table *table UNUSED,
                          const struct condition *condition UNUSED)
{
    /* All rows are there anyway. */
}

static void set_lock(struct replica_source *base UNUSED, const char *name UNUSED)
{
    /* Who opens the file is alone with it. */
}

static void source_free(struct replica_source *base)
{
    struct local_source *source = CONTAINER_OF(base, struct local_source, base);
    if (source->subscription)
        store_unsubscribe(source->subscription);
    /* The store still answers what it was given; then nobody is told. */
    struct local_request *r, *next;
    LIST_FOR_EACH_SAFE (r, next, node, &source->requests) {
        r->source = NULL;
        list_remove(&r->node);
    }
    free(source);
}

struct replica_source *local_source_new(struct store *store)
{
    struct local_source *source = NEW(struct local_source);
    source->base = (struct replica_source){start, submit, set_condition, set_lock, source_free};
    source->store = store;
    list_init(&source->requests);
    return &source->base;
}
