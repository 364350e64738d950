/* feed.c - see feed.h. Between rooms 1 and 2 of docs/architecture.md. Keeps for each table the rows that it has asserted, since
 * a source may hold other objects for rows that did not change; promises that what is retracted is what was asserted.
 */
#include "feed/feed.h"

#include <stdlib.h>

#include "base/vec.h"
#include "replica/row_table.h"

/* --- Types */

static int row_compare(const void *a, const void *b)
{
    return uuid_compare(a, b); /* both begin with it */
}
static void row_ref_fact(const void *fact)
{
    row_ref(((const struct feed_row *)fact)->row);
}
static void row_unref_fact(const void *fact)
{
    row_unref(((const struct feed_row *)fact)->row);
}
static void row_print(const void *fact, struct str *out)
{
    const struct feed_row *f = fact;
    char buf[UUID_TEXT_LEN + 1];
    str_putf(out, "%s %s", f->row->table->name, uuid_print(&f->uuid, buf));
}
static int text_compare(const void *a_, const void *b_)
{
    const struct feed_text *a = a_, *b = b_;
    int c = uuid_compare(&a->row, &b->row);
    return c ? c : rstr_compare(a->text, b->text);
}
static void text_ref(const void *fact)
{
    rstr_ref(((const struct feed_text *)fact)->text);
}
static void text_unref(const void *fact)
{
    rstr_unref(((const struct feed_text *)fact)->text);
}
static void text_print(const void *fact, struct str *out)
{
    const struct feed_text *f = fact;
    char buf[UUID_TEXT_LEN + 1];
    str_putf(out, "%s %s", uuid_print(&f->row, buf), f->text->s);
}
static int integer_compare(const void *a_, const void *b_)
{
    const struct feed_integer *a = a_, *b = b_;
    int c = uuid_compare(&a->row, &b->row);
    return c ? c : (a->integer > b->integer) - (a->integer < b->integer);
}
static int pair_compare(const void *a_, const void *b_)
{
    const struct feed_pair *a = a_, *b = b_;
    int c = uuid_compare(&a->row, &b->row);
    if (!c)
        c = rstr_compare(a->key, b->key);
    return c ? c : rstr_compare(a->value, b->value);
}
static void pair_ref(const void *fact)
{
    rstr_ref(((const struct feed_pair *)fact)->key);
    rstr_ref(((const struct feed_pair *)fact)->value);
}
static void pair_unref(const void *fact)
{
    rstr_unref(((const struct feed_pair *)fact)->key);
    rstr_unref(((const struct feed_pair *)fact)->value);
}
static void pair_print(const void *fact, struct str *out)
{
    const struct feed_pair *f = fact;
    char buf[UUID_TEXT_LEN + 1];
    str_putf(out, "%s %s=%s", uuid_print(&f->row, buf), f->key->s, f->value->s);
}
static void name_ref(const void *key)
{
    rstr_ref(*(const struct rstr *const *)key);
}
static void name_unref(const void *key)
{
    rstr_unref(*(const struct rstr *const *)key);
}

const struct inc_type feed_row_type = {.name = "row",
                                       .size = sizeof(struct feed_row),
                                       .compare = row_compare,
                                       .ref = row_ref_fact,
                                       .unref = row_unref_fact,
                                       .print = row_print};
const struct inc_type feed_ref_type = {.name = "reference", .size = sizeof(struct feed_ref)};
const struct inc_type feed_text_type = {.name = "text",
                                        .size = sizeof(struct feed_text),
                                        .compare = text_compare,
                                        .ref = text_ref,
                                        .unref = text_unref,
                                        .print = text_print};
const struct inc_type feed_integer_type = {
    .name = "integer", .size = sizeof(struct feed_integer), .compare = integer_compare};
const struct inc_type feed_pair_type = {.name = "pair",
                                        .size = sizeof(struct feed_pair),
                                        .compare = pair_compare,
                                        .ref = pair_ref,
                                        .unref = pair_unref,
                                        .print = pair_print};
const struct inc_type feed_uuid_type = {.name = "uuid", .size = sizeof(struct uuid)};
const struct inc_type feed_name_type = {
    .name = "name", .size = sizeof(const struct rstr *), .ref = name_ref, .unref = name_unref};

/* --- Feeding */

struct binding {
    const struct inc_coll *coll;
    const struct schema_table *table;
    const struct schema_column *column; /* NULL: the rows themselves */
};

struct feed {
    struct inc *inc;
    struct replica *replica;
    struct rstr_pool *pool;
    VEC(struct binding) bindings;
    struct row_table *asserted; /* by table index */
    void (*changed)(void *aux, const struct changeset *cs);
    void *aux;
};

struct feed *feed_new(struct inc *inc, struct replica *replica, struct rstr_pool *pool)
{
    struct feed *feed = NEW(struct feed);
    feed->inc = inc;
    feed->replica = replica;
    feed->pool = pool;
    feed->asserted = xcalloc(replica_schema(replica)->n_tables, sizeof *feed->asserted);
    return feed;
}

static void bind(struct feed *feed, const struct inc_coll *coll, const char *table_name,
                 const char *column_name)
{
    struct binding b = {.coll = coll, .table = replica_table(feed->replica, table_name)};
    if (!b.table)
        bug("feed: no table %s", table_name);
    if (column_name) {
        b.column = schema_column_find(b.table, column_name);
        if (!b.column || b.column->index < 0)
            bug("feed: no column %s in table %s", column_name, table_name);
        const struct column_type *type = &b.column->type;
        INVARIANT(!type->is_map ||
                  (type->key.type == ATOM_STRING && type->value.type == ATOM_STRING));
        INVARIANT(type->key.type == ATOM_STRING || type->key.type == ATOM_UUID ||
                  type->key.type == ATOM_INTEGER);
    }
    vec_push(&feed->bindings, b);
}

void feed_rows(struct feed *feed, const struct inc_coll *coll, const char *table)
{
    bind(feed, coll, table, NULL);
}

void feed_elements(struct feed *feed, const struct inc_coll *coll, const char *table,
                   const char *column)
{
    bind(feed, coll, table, column);
}

static void put(struct feed *feed, const struct binding *b, bool add, const void *fact)
{
    if (add)
        inc_assert(feed->inc, b->coll, fact);
    else
        inc_retract(feed->inc, b->coll, fact);
}

static void put_row(struct feed *feed, const struct binding *b, bool add, const struct row *row)
{
    struct feed_row fact = {.uuid = row->uuid, .row = row};
    put(feed, b, add, &fact);
}

/* Asserts or retracts element I of D. */
static void put_element(struct feed *feed, const struct binding *b, bool add,
                        const struct uuid *row, const struct datum *d, size_t i)
{
    const union atom *key = &d->atoms[i];
    if (datum_is_map(d)) {
        struct rstr *k = rstr_pool_get_n(feed->pool, key->string->s, key->string->n);
        const struct rstr *text = datum_values(d)[i].string;
        struct rstr *v = rstr_pool_get_n(feed->pool, text->s, text->n);
        put(feed, b, add, &(struct feed_pair){*row, k, v});
        rstr_unref(k);
        rstr_unref(v);
    } else if (d->key_type == ATOM_STRING) {
        struct rstr *text = rstr_pool_get_n(feed->pool, key->string->s, key->string->n);
        put(feed, b, add, &(struct feed_text){*row, text});
        rstr_unref(text);
    } else if (d->key_type == ATOM_UUID) {
        put(feed, b, add, &(struct feed_ref){*row, key->uuid});
    } else {
        put(feed, b, add, &(struct feed_integer){*row, key->integer});
    }
}

static int compare_elements(const struct datum *a, size_t i, const struct datum *b, size_t j)
{
    int c = atom_compare(a->key_type, &a->atoms[i], &b->atoms[j]);
    if (!c && datum_is_map(a))
        c = atom_compare(a->value_type, &datum_values(a)[i], &datum_values(b)[j]);
    return c;
}

/* The difference of two sets or maps, either of which may be NULL (empty): a merge of sorted lists. */
static void put_difference(struct feed *feed, const struct binding *b, const struct uuid *row,
                           const struct datum *before, const struct datum *after)
{
    size_t i = 0, j = 0, n_before = before ? before->n : 0, n_after = after ? after->n : 0;
    if (before == after)
        return;
    while (i < n_before || j < n_after) {
        int c = i == n_before ? 1 : j == n_after ? -1 : compare_elements(before, i, after, j);
        if (c < 0)
            put_element(feed, b, false, row, before, i++);
        else if (c > 0)
            put_element(feed, b, true, row, after, j++);
        else
            i++, j++;
    }
}

static void put_change(struct feed *feed, const struct row *before, const struct row *after)
{
    const struct row *row = after ? after : before;
    for (size_t i = 0; i < feed->bindings.n; i++) {
        const struct binding *b = &feed->bindings.data[i];
        if (b->table != row->table)
            continue;
        if (b->column) {
            put_difference(feed, b, &row->uuid, before ? row_get(before, b->column) : NULL,
                           after ? row_get(after, b->column) : NULL);
            continue;
        }
        if (after)
            put_row(feed, b, true, after);
        if (before)
            put_row(feed, b, false, before);
    }
}

/* AFTER is the present version of the row, NULL: it is gone. */
static void set_row(struct feed *feed, const struct schema_table *table, const struct uuid *uuid,
                    const struct row *after)
{
    struct row_table *rows = &feed->asserted[table->index];
    const struct row *before = row_table_find(rows, uuid);
    if (before == after)
        return;
    put_change(feed, before, after);
    if (after)
        row_table_put(rows, row_ref(after));
    else
        row_table_remove(rows, uuid);
}

static bool is_bound(const struct feed *feed, const struct schema_table *table)
{
    for (size_t i = 0; i < feed->bindings.n; i++)
        if (feed->bindings.data[i].table == table)
            return true;
    return false;
}

static void on_changes(void *feed_, const struct changeset *cs)
{
    struct feed *feed = feed_;
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        const struct row *row = c->after ? c->after : c->before;
        if (is_bound(feed, row->table))
            set_row(feed, row->table, &row->uuid, c->after);
    }
    if (feed->changed)
        feed->changed(feed->aux, cs);
}

void feed_suppose(struct feed *feed, const struct changeset *cs, bool happened)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        const struct row *row = c->after ? c->after : c->before;
        if (!is_bound(feed, row->table))
            continue;
        const struct row *present = row_table_find(&feed->asserted[row->table->index], &row->uuid);
        if (happened)
            put_change(feed, present, c->after);
        else
            put_change(feed, c->after, present);
    }
}

static int compare_places(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

/* Asserts the rows of TABLE in the order in which they lie in memory, which is mostly that in which they were made: what the units
 * that run for each of them look at lies side by side then, not anywhere. */
static void start_table(struct feed *feed, const struct schema_table *table)
{
    VEC(const struct row *) rows = VEC_INIT;
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, feed->replica, table)
    vec_push(&rows, row);
    if (rows.n)
        qsort(rows.data, rows.n, sizeof *rows.data, compare_places);
    for (size_t i = 0; i < rows.n; i++)
        set_row(feed, table, &rows.data[i]->uuid, rows.data[i]);
    vec_fini(&rows);
}

void feed_start(struct feed *feed, void (*changed)(void *aux, const struct changeset *cs),
                void *aux)
{
    const struct schema *schema = replica_schema(feed->replica);
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct schema_table *table = &schema->tables[i];
        if (is_bound(feed, table))
            start_table(feed, table);
    }
    feed->changed = changed;
    feed->aux = aux;
    replica_set_observer(feed->replica, on_changes, feed);
}

void feed_free(struct feed *feed)
{
    if (!feed)
        return;
    replica_set_observer(feed->replica, NULL, NULL);
    const struct schema *schema = replica_schema(feed->replica);
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct row *row;
        for (size_t pos = 0; (row = row_table_next(&feed->asserted[i], &pos));)
            put_change(feed, row, NULL);
        row_table_clear(&feed->asserted[i]);
    }
    free(feed->asserted);
    vec_fini(&feed->bindings);
    free(feed);
}
