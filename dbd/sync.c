/* sync.c - see sync.h. A replica of each database is read, and what changes in it is written to ours. */
#include "dbd/sync.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "dbd/dbd_impl.h"
#include "ovsdb/client/source.h"

LOG_MODULE(sync);

struct follower { /* of one database */
    struct list node;
    struct sync *sync;
    struct store *store;
    struct replica *replica;
    bool is_whole; /* the store has been made equal once */
};

struct sync {
    struct dbd *dbd;
    char *remote;
    VEC(char *) excluded; /* DB:TABLE, sorted */
    int probe_ms;         /* -1: as is usual */
    bool is_following;
    struct list followers;
};

/* ---- what is left out ---- */

static bool is_excluded(const struct follower *f, const struct schema_table *table)
{
    size_t n = strlen(table->schema->name);
    for (size_t i = 0; i < f->sync->excluded.n; i++) {
        const char *text = f->sync->excluded.data[i];
        if (!strncmp(text, table->schema->name, n) && text[n] == ':' &&
            !strcmp(text + n + 1, table->name))
            return true;
    }
    return false;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_excluded(struct sync *sync)
{
    for (size_t i = 0; i < sync->excluded.n; i++)
        free(sync->excluded.data[i]);
    sync->excluded.n = 0;
}

int sync_set_excluded(struct sync *sync, const char *text, struct diag *diag)
{
    char *copy = xstrdup(text), *save = NULL, *word;
    int err = 0;
    free_excluded(sync);
    for (word = strtok_r(copy, ",", &save); word && !err; word = strtok_r(NULL, ",", &save)) {
        const char *colon = strchr(word, ':');
        if (colon && colon > word && colon[1] && !strchr(colon + 1, ':'))
            vec_push(&sync->excluded, xstrdup(word));
        else
            err = diag_set(diag, ERR_SYNTAX, "%s: is not of the form DB:TABLE", word);
    }
    free(copy);
    if (err)
        free_excluded(sync);
    else if (sync->excluded.n)
        qsort(sync->excluded.data, sync->excluded.n, sizeof *sync->excluded.data, compare_texts);
    if (!err && sync->is_following)
        err = sync_start(sync, diag);
    return err;
}

void sync_put_excluded(const struct sync *sync, struct str *out)
{
    for (size_t i = 0; i < sync->excluded.n; i++)
        str_putf(out, "%s%s", i ? "," : "", sync->excluded.data[i]);
}

/* ---- from changes to a transaction ---- */

static struct op *add_op(struct ops *ops, enum op_kind kind, const struct row *row)
{
    struct op *op = &ops->ops[ops->n++];
    *op = (struct op){.kind = kind, .table = row->table};
    op->values = xcalloc(row->table->n_columns + 1, sizeof *op->values);
    if (kind == OP_INSERT) {
        op->uuid = row->uuid;
        op->has_uuid = true;
    } else {
        op->where = (struct condition){1, NEW(struct clause)};
        op->where.clauses[0] =
            (struct clause){FN_EQ, &row->table->uuid_column, datum_new_uuid(&row->uuid)};
    }
    return op;
}

/* Columns in which TO differs from FROM (NULL: from the defaults). */
static void add_values(struct op *op, const struct row *from, const struct row *to)
{
    for (size_t i = 0; i < to->table->n_columns; i++) {
        const struct schema_column *column = &to->table->columns[i];
        const struct datum *old = from ? row_get(from, column) : column->default_value;
        if (!column->is_ephemeral && !datum_equal(old, row_get(to, column)))
            op->values[op->n_values++] =
                (struct column_value){column, datum_ref(row_get(to, column))};
    }
}

/* HAVE is ours, WANT theirs; either may be NULL. */
static void add_difference(struct ops *ops, const struct row *have, const struct row *want)
{
    if (want)
        add_values(add_op(ops, have ? OP_UPDATE : OP_INSERT, want), have, want);
    else if (have)
        add_op(ops, OP_DELETE, have);
}

static void on_done(void *ops, const struct store_result *result)
{
    const struct op_error *error = &result->commit_error;
    for (size_t i = 0; i < result->n; i++) {
        if (result->results[i].error.error)
            error = &result->results[i].error;
    }
    if (error->error)
        log_err("a transaction of the active server is refused: %s: %s", error->error,
                error->details ? error->details : "");
    ops_free(ops);
}

static void submit(struct follower *f, struct ops *ops)
{
    ops->n_requested = ops->n;
    struct store_request request = {.ops = ops, .done = on_done, .aux = ops};
    (void)store_submit(f->store, &request);
}

/* The whole difference between theirs and ours. */
static void make_equal(struct follower *f)
{
    const struct schema *schema = store_schema(f->store);
    struct ops *ops = NEW(struct ops);
    const struct row *row;
    size_t n = 0;
    for (size_t i = 0; i < schema->n_tables; i++)
        n += store_n_rows(f->store, &schema->tables[i]) +
             replica_n_rows(f->replica, &schema->tables[i]);
    ops->ops = xcalloc(n + 1, sizeof *ops->ops);
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct schema_table *table = &schema->tables[i];
        if (is_excluded(f, table))
            continue;
        REPLICA_FOR_EACH(row, pos, f->replica, table)
        add_difference(ops, store_row_find(f->store, table, &row->uuid), row);
        for (size_t pos = 0; (row = store_next_row(f->store, table, &pos)) != NULL;) {
            if (!replica_row_find(f->replica, table, &row->uuid))
                add_difference(ops, row, NULL);
        }
    }
    submit(f, ops);
    f->is_whole = true;
}

static void on_changes(void *f_, const struct changeset *cs)
{
    struct follower *f = f_;
    if (!f->is_whole) {
        make_equal(f);
        return;
    }
    struct ops *ops = NEW(struct ops);
    ops->ops = xcalloc(cs->n + 1, sizeof *ops->ops);
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after ? cs->changes[i].after : cs->changes[i].before;
        if (!is_excluded(f, row->table))
            add_difference(ops, store_row_find(f->store, row->table, &row->uuid),
                           cs->changes[i].after);
    }
    if (ops->n)
        submit(f, ops);
    else
        ops_free(ops);
}

/* An active server without a row tells no change. */
static void on_status(void *f_)
{
    struct follower *f = f_;
    if (!f->is_whole && replica_is_ready(f->replica))
        make_equal(f);
}

/* ---- following ---- */

static void follow(struct sync *sync, struct follower *f)
{
    struct stream_options stream = {.rundir = daemon_rundir(sync->dbd->daemon),
                                    .tls = ovsdb_server_tls(sync->dbd->server)};
    struct replica_options options = {.env = daemon_env(sync->dbd->daemon),
                                      .schema = store_schema(f->store)};
    struct replica_source *source =
        ovsdb_client_source_new(daemon_loop(sync->dbd->daemon), sync->remote);
    ovsdb_client_source_set_stream(source, &stream);
    ovsdb_client_source_set_leader_only(source, false);
    ovsdb_client_source_set_probe_interval(source, sync->probe_ms);
    f->is_whole = false;
    f->replica = replica_new(&options, source);
    replica_set_observer(f->replica, on_changes, f);
    replica_set_status_observer(f->replica, on_status, f);
}

static void leave(struct follower *f)
{
    if (f->replica)
        replica_free(f->replica);
    f->replica = NULL;
}

struct sync *sync_new(struct dbd *dbd)
{
    struct sync *sync = NEW(struct sync);
    sync->dbd = dbd;
    sync->probe_ms = -1;
    list_init(&sync->followers);
    return sync;
}

void sync_free(struct sync *sync)
{
    struct follower *f, *next;
    if (!sync)
        return;
    LIST_FOR_EACH_SAFE (f, next, node, &sync->followers) {
        leave(f);
        list_remove(&f->node);
        free(f);
    }
    free_excluded(sync);
    vec_fini(&sync->excluded);
    free(sync->remote);
    free(sync);
}

int sync_set_remote(struct sync *sync, const char *remote, struct diag *diag)
{
    if (!target_is_active(remote))
        return diag_set(diag, ERR_SYNTAX,
                        "%s: is not of the form unix:PATH, tcp:IP:PORT or ssl:IP:PORT", remote);
    free(sync->remote);
    sync->remote = xstrdup(remote);
    return 0;
}

const char *sync_remote(const struct sync *sync)
{
    return sync->remote;
}

void sync_set_probe(struct sync *sync, int ms)
{
    struct follower *f;
    sync->probe_ms = ms;
    LIST_FOR_EACH (f, node, &sync->followers) {
        if (!f->replica)
            continue;
        leave(f); /* the new connection goes by it */
        follow(sync, f);
    }
}

int sync_start(struct sync *sync, struct diag *diag)
{
    struct follower *f;
    if (!sync->remote)
        return diag_set(diag, ERR_INVALID, "Unable to connect: active server is not specified.");
    sync_stop(sync);
    sync->is_following = true;
    ovsdb_server_set_read_only(sync->dbd->server, true);
    LIST_FOR_EACH (f, node, &sync->followers)
        follow(sync, f);
    return 0;
}

void sync_stop(struct sync *sync)
{
    struct follower *f;
    LIST_FOR_EACH (f, node, &sync->followers)
        leave(f);
    sync->is_following = false;
    ovsdb_server_set_read_only(sync->dbd->server, false);
}

void sync_add_store(struct sync *sync, struct store *store)
{
    struct follower *f = NEW(struct follower);
    f->sync = sync;
    f->store = store;
    list_push_back(&sync->followers, &f->node);
    if (sync->is_following)
        follow(sync, f);
}

void sync_remove_store(struct sync *sync, struct store *store)
{
    struct follower *f, *next;
    LIST_FOR_EACH_SAFE (f, next, node, &sync->followers) {
        if (f->store != store)
            continue;
        leave(f);
        list_remove(&f->node);
        free(f);
    }
}

void sync_put_status(const struct sync *sync, struct str *out)
{
    const struct follower *f;
    const char *separator = "";
    str_putf(out, "state: %s\n", sync->is_following ? "backup" : "active");
    if (!sync->is_following)
        return;
    bool is_connected = !list_empty(&sync->followers);
    LIST_FOR_EACH (f, node, &sync->followers)
        is_connected &= replica_is_connected(f->replica);
    str_putf(out, "%s: %s\n", is_connected ? "replicating" : "connecting", sync->remote);
    if (!is_connected)
        return;
    str_put(out, "database: ");
    LIST_FOR_EACH (f, node, &sync->followers) {
        str_putf(out, "%s%s", separator, store_schema(f->store)->name);
        separator = ", ";
    }
    str_putc(out, '\n');
    if (sync->excluded.n) {
        str_put(out, "exclude: ");
        sync_put_excluded(sync, out);
        str_putc(out, '\n');
    }
}
