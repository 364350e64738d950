/* newcomers.c - interfaces that came since the conditions of scope.h were made.
 *
 * Beside room 5 of docs/architecture.md. The condition on Port_Binding names the local datapaths, thousands of them, and goes to the server as a whole.
 * The port of one more interface most often is on one of these; whether it is not, or others are nested in it elsewhere, a look-out for their
 * names finds out (ovsdb/client/source.h). Only when it does are the conditions made anew. Promises that what a machine plugged in costs does
 * not grow with the datapaths that are here.
 */
#include <stdlib.h>

#include "controller/scope.h"
#include "ovsdb/client/source.h"
#include "rows/sb.h"

enum { WATCHED_MAX = 64 };

static int compare_addresses(const void *a_, const void *b_)
{
    const struct rstr *const *a = a_, *const *b = b_;
    return (*a > *b) - (*a < *b);
}

static bool is_asked(const struct scope *scope, const struct rstr *name)
{
    return scope->asked.n && bsearch(&name, scope->asked.data, scope->asked.n,
                                     sizeof *scope->asked.data, compare_addresses);
}

static bool is_watched(const struct scope *scope, const struct rstr *name)
{
    for (size_t i = 0; i < scope->watched.n; i++)
        if (scope->watched.data[i] == name)
            return true;
    return false;
}

/* Names that lead nowhere any more are asked for until they are the most. */
static void note_gone(struct scope *scope, const struct rstr *name)
{
    scope->n_gone += is_asked(scope, name);
    scope->is_stale |= scope->n_gone > scope->asked.n / 2;
}

bool scope_note_iface(struct scope *scope, struct rstr *name, bool added)
{
    if (scope->monitor_all)
        return false;
    if (!added) {
        note_gone(scope, name);
        return false;
    }
    if (is_asked(scope, name)) {
        scope->n_gone -= scope->n_gone > 0;
        return false;
    }
    if (is_watched(scope, name))
        return false;
    if (!scope->source || !scope->asked.n || scope->watched.n == WATCHED_MAX) {
        scope->is_stale = true;
        return false;
    }
    vec_push(&scope->watched, rstr_ref(name));
    return true;
}

void scope_watch(struct scope *scope, const struct replica *sb)
{
    static const char *const columns[] = {"logical_port", "parent_port"};
    const struct schema_table *table = replica_table(sb, "Port_Binding");
    struct condition where = {0, NULL};
    if (scope->watched.n)
        where.clauses = xcalloc(2 * scope->watched.n, sizeof *where.clauses);
    for (size_t i = 0; i < scope->watched.n; i++)
        for (size_t k = 0; k < ARRAY_SIZE(columns); k++)
            where.clauses[where.n++] = (struct clause){FN_EQ, schema_column_find(table, columns[k]),
                                                       datum_new_string(scope->watched.data[i]->s)};
    ovsdb_client_source_watch(scope->source, table, &where);
}

void scope_found(struct scope *scope, const struct uuid *port)
{
    static const struct uuid any;
    vec_push(&scope->found, port ? *port : any);
}

bool scope_has_news(struct scope *scope, const struct replica *sb)
{
    const struct schema_table *table = replica_table(sb, "Port_Binding");
    bool is_new = false;
    for (size_t i = 0; i < scope->found.n; i++)
        is_new |= !replica_row_find(sb, table, &scope->found.data[i]);
    vec_clear(&scope->found);
    return is_new;
}

static void forget_names(struct scope *scope)
{
    for (size_t i = 0; i < scope->asked.n; i++)
        rstr_unref(scope->asked.data[i]);
    for (size_t i = 0; i < scope->watched.n; i++)
        rstr_unref(scope->watched.data[i]);
    vec_clear(&scope->asked);
    vec_clear(&scope->watched);
    vec_clear(&scope->found);
    scope->n_gone = 0;
}

static void add_name(const void *fact, void *scope_)
{
    struct scope *scope = scope_;
    vec_push(&scope->asked, rstr_ref(((const struct fact_iface *)fact)->iface_id));
}

void scope_ask_ifaces(struct scope *scope, const struct program *program, const struct inc *inc,
                      const struct replica *sb)
{
    bool was_watching = scope->watched.n;
    forget_names(scope);
    inc_for_each(inc, program->iface, add_name, scope);
    if (scope->asked.n)
        qsort(scope->asked.data, scope->asked.n, sizeof *scope->asked.data, compare_addresses);
    if (was_watching)
        scope_watch(scope, sb);
}

void scope_forget_ifaces(struct scope *scope)
{
    forget_names(scope);
    vec_fini(&scope->asked);
    vec_fini(&scope->watched);
    vec_fini(&scope->found);
}
