/* store.c - opening, closing, reading and watching a store; see store.h. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/store_private.h"

static void init_tables(struct store *store, const char *const *derived)
{
    store->tables = xcalloc(store->schema->n_tables + 1, sizeof *store->tables);
    for (size_t i = 0; i < store->schema->n_tables; i++)
        store_table_init(store, &store->tables[i], &store->schema->tables[i]);
    for (; derived && *derived; derived++) {
        const struct schema_table *table = schema_table_find(store->schema, *derived);
        if (table)
            store->tables[table->index].is_derived = true;
    }
}

/* What is stored must not depend on what is not. */
static int check_derived(const struct store *store, struct diag *diag)
{
    for (size_t i = 0; i < store->schema->n_tables; i++) {
        const struct store_table *table = &store->tables[i];
        for (size_t j = 0; !table->is_derived && j < table->n_refs; j++) {
            if (table->refs[j].target->is_derived)
                return diag_set(diag, ERR_INVALID,
                                "table %s: column %s: refers to the derived table %s",
                                table->schema->name, table->refs[j].column->name,
                                table->refs[j].target->schema->name);
        }
    }
    return 0;
}

/* Which schema the store has: the one given; without, the file's. *RET_OLD is the file's when it has to
 * be converted. */
static int choose_schema(struct store *store, const struct store_options *options,
                         struct schema **ret_old, struct diag *diag)
{
    struct schema *given = NULL, *found = NULL;
    int err = options->schema_text ? schema_from_text(options->schema_text, &given, diag) : 0;
    if (err)
        diag_prefix(diag, "schema: ");
    if (!err && store->sql)
        err = sql_read_schema(store->sql, &found, diag);
    if (!err && !given && !found)
        err = diag_set(diag, ERR_INVALID, "is new, and no schema was given");
    if (!err && given && found && strcmp(given->name, found->name))
        err =
            diag_set(diag, ERR_CONFLICT, "holds the database %s, not %s", found->name, given->name);
    if (err || !given || (found && !strcmp(given->text, found->text))) {
        schema_free(given);
        given = found;
        found = NULL;
    }
    store->schema = given;
    *ret_old = found;
    return err;
}

/* Where the history in memory begins. What a client knows of derived tables is not there any more:
 * then the state after opening is another one than the file's last. */
static int open_history(struct store *store, bool has_derived, struct diag *diag)
{
    if (has_derived)
        store->told_id = uuid_random(store->env);
    store->history.base_id = store->told_id;
    return store->sql && !has_derived ? sql_history_load(store, diag) : 0;
}

static int open_contents(struct store *store, const struct store_options *options,
                         struct diag *diag)
{
    struct schema *old = NULL;
    int err = options->path ? sql_open(options, &store->sql, diag) : 0;
    if (!err)
        err = choose_schema(store, options, &old, diag);
    if (!err) {
        init_tables(store, options->derived_tables);
        err = check_derived(store, diag);
    }
    store->told_id = uuid_random(store->env);
    if (!err && store->sql)
        err = sql_set_up(store, old, diag);
    if (!err && store->sql && !options->relaxed && !options->env->one_thread)
        store->writer = writer_new(store->sql);
    store->number = store->told_number;
    if (!err)
        err = open_history(store, options->derived_tables != NULL, diag);
    schema_free(old);
    return err;
}

int store_open(const struct store_options *options, struct store **ret, struct diag *diag)
{
    struct store *store = NEW(struct store);
    store->share = share_new();
    store->env = options->env;
    store->path = options->path ? xstrdup(options->path) : NULL;
    list_init(&store->pending);
    list_init(&store->flying);
    list_init(&store->waiting);
    list_init(&store->subscriptions);
    int err = open_contents(store, options, diag);
    if (err) {
        if (options->path)
            diag_prefix(diag, "%s: ", options->path);
        store_close(store);
        return err;
    }
    *ret = store;
    return 0;
}

static void free_contents(struct store *store)
{
    struct weak_ref *ref;
    struct store_subscription *subscription, *next;
    HMAP_FOR_EACH_SAFE (ref, node, &store->weak_refs) {
        hmap_remove(&store->weak_refs, &ref->node);
        free(ref);
    }
    hmap_fini(&store->weak_refs);
    LIST_FOR_EACH_SAFE (subscription, next, node, &store->subscriptions)
        free(subscription);
    for (size_t i = 0; store->tables && i < store->schema->n_tables; i++)
        store_table_fini(&store->tables[i]);
    free(store->tables);
    share_free(store->share);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    INVARIANT(!store->is_committing);
    store_flush(store);
    store_end_waiting(store);
    writer_free(store->writer);
    sql_tables_free(store);
    sql_close(store->sql);
    history_fini(store);
    free_contents(store);
    schema_free(store->schema);
    free(store->path);
    free(store->disk_failure);
    free(store);
}

const struct schema *store_schema(const struct store *store)
{
    return store->schema;
}

const char *store_path(const struct store *store)
{
    return store->path;
}

uint64_t store_last_number(const struct store *store)
{
    return store->told_number;
}

struct uuid store_last_id(const struct store *store)
{
    return store->told_id;
}

/* ---- reading ---- */

static const struct store_table *table_of(const struct store *store,
                                          const struct schema_table *table)
{
    INVARIANT(table->schema == store->schema);
    return &store->tables[table->index];
}

const struct row *store_row_find(const struct store *store, const struct schema_table *table,
                                 const struct uuid *uuid)
{
    const struct entry *entry = entry_find(table_of(store, table), uuid);
    return entry ? entry->row : NULL;
}

size_t store_n_rows(const struct store *store, const struct schema_table *table)
{
    return table_of(store, table)->n_rows;
}

/* *POS is the entry that was returned last. */
static struct entry *next_entry(const struct store *store, const struct schema_table *table,
                                size_t *pos)
{
    const struct hmap *map = &table_of(store, table)->entries;
    struct entry *last = (struct entry *)*pos;
    struct hnode *node = last ? hmap_next(map, &last->node) : hmap_first(map);
    struct entry *next = node ? CONTAINER_OF(node, struct entry, node) : NULL;
    if (next)
        *pos = (size_t)next;
    return next;
}

const struct row *store_next_row(const struct store *store, const struct schema_table *table,
                                 size_t *pos)
{
    struct entry *entry;
    while ((entry = next_entry(store, table, pos)) != NULL) {
        if (entry->row)
            return entry->row;
    }
    return NULL;
}

const struct row *store_next_told_row(const struct store *store, const struct schema_table *table,
                                      size_t *pos)
{
    struct entry *entry;
    while ((entry = next_entry(store, table, pos)) != NULL) {
        if (entry->told)
            return entry->told;
    }
    return NULL;
}

/* ---- subscribers ---- */

struct store_subscription *
store_subscribe(struct store *store, void (*fn)(void *aux, const struct changeset *cs), void *aux)
{
    struct store_subscription *subscription = NEW(struct store_subscription);
    subscription->store = store;
    subscription->fn = fn;
    subscription->aux = aux;
    list_push_back(&store->subscriptions, &subscription->node);
    return subscription;
}

void store_unsubscribe(struct store_subscription *subscription)
{
    if (!subscription)
        return;
    subscription->is_dead = true;
    if (!subscription->store->is_telling) {
        list_remove(&subscription->node);
        free(subscription);
    }
}

void store_tell_subscribers(struct store *store, const struct changeset *cs)
{
    struct store_subscription *subscription, *next;
    store->is_telling = true;
    LIST_FOR_EACH (subscription, node, &store->subscriptions) {
        if (!subscription->is_dead)
            subscription->fn(subscription->aux, cs);
    }
    store->is_telling = false;
    LIST_FOR_EACH_SAFE (subscription, next, node, &store->subscriptions) {
        if (subscription->is_dead) {
            list_remove(&subscription->node);
            free(subscription);
        }
    }
}

void store_set_judge(struct store *store,
                     bool (*fn)(void *aux, const struct row *before, const struct row *after,
                                struct op_error *error),
                     void *aux)
{
    store->judge = fn;
    store->judge_aux = aux;
}

const struct row *store_row_by_name(const struct store *store, const struct schema_table *table,
                                    const char *name)
{
    static const struct uuid none;
    for (size_t i = 0; i < table->n_indexes; i++) {
        const struct schema_index *index = &table->indexes[i];
        if (index->n != 1 || strcmp(index->columns[0]->name, "name") ||
            index->columns[0]->type.key.type != ATOM_STRING)
            continue;
        struct row *like = row_new(table, &none);
        row_set(like, index->columns[0], datum_new_string(name));
        const struct entry *entry =
            table_index_find(&store->tables[table->index], i, like, table_index_hash(index, like));
        row_unref(like);
        return entry ? entry->row : NULL;
    }
    return NULL;
}
