/* demand.c - see demand.h: clauses by table, and when there are too many of them, the whole table. */
#include "ctl/demand.h"

#include <stdlib.h>

#include "base/vec.h"

/* A server looks at each row for each clause: beyond this many all rows are less work. */
enum { MAX_CLAUSES = 256 };

struct wanted {
    VEC(struct clause) clauses;
    bool all, changed;
};

struct demand {
    const struct schema *schema;
    struct wanted *wanted; /* by table index */
    bool open;
};

struct demand *demand_new(const struct schema *schema)
{
    struct demand *demand = NEW(struct demand);
    demand->schema = schema;
    demand->wanted = xcalloc(schema->n_tables + 1, sizeof *demand->wanted);
    for (size_t i = 0; i < schema->n_tables; i++)
        demand->wanted[i].changed = true;
    demand->open = true;
    return demand;
}

static void clear(struct wanted *w)
{
    for (size_t i = 0; i < w->clauses.n; i++)
        datum_unref(w->clauses.data[i].arg);
    vec_fini(&w->clauses);
}

void demand_free(struct demand *demand)
{
    if (!demand)
        return;
    for (size_t i = 0; i < demand->schema->n_tables; i++)
        clear(&demand->wanted[i]);
    free(demand->wanted);
    free(demand);
}

void demand_table(struct demand *demand, const struct schema_table *table)
{
    struct wanted *w = &demand->wanted[table->index];
    if (w->all)
        return;
    clear(w);
    w->all = w->changed = demand->open = true;
}

static bool has_clause(const struct wanted *w, const struct schema_column *column,
                       const struct datum *value)
{
    for (size_t i = 0; i < w->clauses.n; i++)
        if (w->clauses.data[i].column == column && datum_equal(w->clauses.data[i].arg, value))
            return true;
    return false;
}

void demand_rows(struct demand *demand, const struct schema_column *column,
                 const struct datum *value)
{
    struct wanted *w = &demand->wanted[column->table->index];
    if (w->all || has_clause(w, column, value)) {
        datum_unref(value);
        return;
    }
    bool is_set = column->type.n_max > 1;
    struct clause clause = {is_set ? FN_INCLUDES : FN_EQ, column, value};
    vec_push(&w->clauses, clause);
    w->changed = demand->open = true;
    if (w->clauses.n > MAX_CLAUSES)
        demand_table(demand, column->table);
}

bool demand_is_open(const struct demand *demand)
{
    return demand->open;
}

/* The conditions of one table; owned by the caller. */
static struct condition condition_of(const struct wanted *w)
{
    if (w->all)
        return (struct condition){0};
    size_t n = w->clauses.n ? w->clauses.n : 1;
    struct condition condition = {n, xcalloc(n, sizeof *condition.clauses)};
    if (!w->clauses.n)
        condition.clauses[0] = (struct clause){FN_FALSE, NULL, NULL};
    for (size_t i = 0; i < w->clauses.n; i++) {
        condition.clauses[i] = w->clauses.data[i];
        condition.clauses[i].arg = datum_ref(w->clauses.data[i].arg);
    }
    return condition;
}

void demand_apply(struct demand *demand, struct replica *replica)
{
    for (size_t i = 0; i < demand->schema->n_tables; i++) {
        struct wanted *w = &demand->wanted[i];
        if (!w->changed)
            continue;
        struct condition condition = condition_of(w);
        replica_set_condition(replica, &demand->schema->tables[i], condition.n ? &condition : NULL);
        w->changed = false;
    }
    demand->open = false;
}
