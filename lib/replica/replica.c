/* replica.c - the copy itself: rows by table, moved on by what the source tells.
 *
 * See replica.h. Every update is filtered to the tables asked for, applied whole, and then told to
 * the observer; a reset is first reduced to its difference from what is there. Transactions are in
 * txn.c. Makes no connection and reads no clock.
 *
 * Room 1 and 5 of the architecture.
 */
#include "replica/replica.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "replica/replica_internal.h"
#include "replica/row_table.h"

struct replica_table {
    struct row_table rows;
    bool wanted;
};

struct replica {
    struct replica_options options;
    struct replica_source *source;
    struct replica_table *tables; /* by table index */
    bool connected, complete;
    char *lock;
    bool has_lock;
    uint64_t seqno;
    void (*observer)(void *aux, const struct changeset *cs);
    void *observer_aux;
    void (*status_observer)(void *aux);
    void *status_aux;
};

typedef VEC(struct change) change_vec;

static bool is_wanted(const struct replica *replica, const struct row *row)
{
    return replica->tables[row->table->index].wanted;
}

static const struct row *row_of_change(const struct change *change)
{
    return change->after ? change->after : change->before;
}

/* A new change set with the frame of CS and the changes in V, whose references are taken over. */
static const struct changeset *changeset_with(const struct changeset *cs, change_vec *v)
{
    struct changeset *new = NEW(struct changeset);
    *new = *cs;
    new->refs = 1;
    new->author = cs->author ? rstr_ref(cs->author) : NULL;
    new->comment = cs->comment ? rstr_ref(cs->comment) : NULL;
    new->n = v->n;
    new->changes = v->data;
    return new;
}

static void push_change(change_vec *v, const struct row *before, const struct row *after)
{
    struct change c = {before ? row_ref(before) : NULL, after ? row_ref(after) : NULL};
    vec_push(v, c);
}

/* CS itself when all its changes are of wanted tables; a new reference. */
static const struct changeset *filter(const struct replica *replica, const struct changeset *cs)
{
    size_t n = 0;
    for (size_t i = 0; i < cs->n; i++)
        n += is_wanted(replica, row_of_change(&cs->changes[i]));
    if (n == cs->n)
        return changeset_ref(cs);
    change_vec v = VEC_INIT;
    for (size_t i = 0; i < cs->n; i++)
        if (is_wanted(replica, row_of_change(&cs->changes[i])))
            push_change(&v, cs->changes[i].before, cs->changes[i].after);
    return changeset_with(cs, &v);
}

static void apply(struct replica *replica, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        struct row_table *rows = &replica->tables[row_of_change(c)->table->index].rows;
        if (c->after)
            row_table_put(rows, row_ref(c->after));
        else
            row_table_remove(rows, &c->before->uuid);
    }
}

static void apply_and_tell(struct replica *replica, const struct changeset *cs)
{
    if (!cs->n)
        return;
    apply(replica, cs);
    replica->seqno++;
    if (replica->observer)
        replica->observer(replica->observer_aux, cs);
}

static void sink_update(void *replica_, const struct changeset *cs)
{
    struct replica *replica = replica_;
    const struct changeset *mine = filter(replica, cs);
    apply_and_tell(replica, mine);
    changeset_unref(mine);
}

/* Changes from the rows of one table to NEW, which holds all of them. */
static void difference(const struct row_table *old, const struct row_table *new, change_vec *v)
{
    const struct row *row;
    for (size_t pos = 0; (row = row_table_next(old, &pos));)
        if (!row_table_find(new, &row->uuid))
            push_change(v, row, NULL);
    for (size_t pos = 0; (row = row_table_next(new, &pos));) {
        const struct row *before = row_table_find(old, &row->uuid);
        if (!before || (before != row && !row_equal(before, row)))
            push_change(v, before, row);
    }
}

static void sink_reset(void *replica_, const struct changeset *all)
{
    struct replica *replica = replica_;
    size_t n_tables = replica->options.schema->n_tables;
    struct row_table *new = xcalloc(n_tables, sizeof *new);
    for (size_t i = 0; i < all->n; i++)
        if (is_wanted(replica, all->changes[i].after))
            row_table_put(&new[all->changes[i].after->table->index],
                          row_ref(all->changes[i].after));
    change_vec v = VEC_INIT;
    for (size_t i = 0; i < n_tables; i++) {
        difference(&replica->tables[i].rows, &new[i], &v);
        row_table_clear(&new[i]);
    }
    free(new);
    replica->complete = true;
    const struct changeset *cs = changeset_with(all, &v);
    apply_and_tell(replica, cs);
    changeset_unref(cs);
    if (replica->status_observer)
        replica->status_observer(replica->status_aux);
}

static void sink_status(void *replica_, bool connected, bool has_lock)
{
    struct replica *replica = replica_;
    /* A source that stands and tells the same again has something else to say: the rows of new conditions are here. */
    if (replica->connected == connected && replica->has_lock == has_lock && !connected)
        return;
    replica->connected = connected;
    replica->has_lock = has_lock;
    if (!connected)
        replica->complete = false;
    if (replica->status_observer)
        replica->status_observer(replica->status_aux);
}

static bool wants(const struct replica_options *options, const char *name)
{
    if (!options->tables)
        return true;
    for (const char *const *t = options->tables; *t; t++)
        if (!strcmp(*t, name))
            return true;
    return false;
}

struct replica *replica_new(const struct replica_options *options, struct replica_source *source)
{
    struct replica *replica = NEW(struct replica);
    replica->options = *options;
    replica->source = source;
    replica->tables = xcalloc(options->schema->n_tables, sizeof *replica->tables);
    for (size_t i = 0; i < options->schema->n_tables; i++)
        replica->tables[i].wanted = wants(options, options->schema->tables[i].name);
    struct replica_sink sink = {sink_update, sink_reset, sink_status, replica};
    source->start(source, &replica->options, &sink);
    /* The names need not live longer than the call. */
    replica->options.tables = NULL;
    return replica;
}

void replica_free(struct replica *replica)
{
    if (!replica)
        return;
    replica->observer = NULL;
    replica->status_observer = NULL;
    replica->source->free(replica->source);
    for (size_t i = 0; i < replica->options.schema->n_tables; i++)
        row_table_clear(&replica->tables[i].rows);
    free(replica->tables);
    free(replica->lock);
    free(replica);
}

bool replica_is_ready(const struct replica *replica)
{
    return replica->connected && replica->complete;
}

bool replica_is_connected(const struct replica *replica)
{
    return replica->connected;
}

uint64_t replica_seqno(const struct replica *replica)
{
    return replica->seqno;
}

void replica_set_observer(struct replica *replica,
                          void (*fn)(void *aux, const struct changeset *cs), void *aux)
{
    replica->observer = fn;
    replica->observer_aux = aux;
}

void replica_set_status_observer(struct replica *replica, void (*fn)(void *aux), void *aux)
{
    replica->status_observer = fn;
    replica->status_aux = aux;
}

const struct schema *replica_schema(const struct replica *replica)
{
    return replica->options.schema;
}

const struct schema_table *replica_table(const struct replica *replica, const char *name)
{
    return schema_table_find(replica->options.schema, name);
}

const struct row *replica_row_find(const struct replica *replica, const struct schema_table *table,
                                   const struct uuid *uuid)
{
    return row_table_find(&replica->tables[table->index].rows, uuid);
}

size_t replica_n_rows(const struct replica *replica, const struct schema_table *table)
{
    return replica->tables[table->index].rows.n;
}

const struct row *replica_next_row(const struct replica *replica, const struct schema_table *table,
                                   size_t *pos)
{
    return row_table_next(&replica->tables[table->index].rows, pos);
}

void replica_set_condition(struct replica *replica, const struct schema_table *table,
                           struct condition *condition)
{
    static const struct condition all;
    replica->source->set_condition(replica->source, table, condition ? condition : &all);
    if (condition) {
        condition_fini(condition);
        *condition = all;
    }
}

void replica_set_lock(struct replica *replica, const char *name)
{
    char *copy = xstrdup(name);
    free(replica->lock);
    replica->lock = copy;
    replica->source->set_lock(replica->source, name);
}

bool replica_has_lock(const struct replica *replica)
{
    return replica->has_lock;
}

struct env *replica_env(const struct replica *replica)
{
    return replica->options.env;
}

const char *replica_lock_name(const struct replica *replica)
{
    return replica->lock;
}

void replica_submit(struct replica *replica, struct ops *ops,
                    void (*done)(void *aux, int err, const char *error), void *aux)
{
    replica->source->submit(replica->source, ops, done, aux);
}
