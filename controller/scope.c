/* scope.c - see scope.h. Tables that are not named here are copied whole: they are small, or (Datapath_Binding, Chassis, Encap) tell what is
 * where.
 */
#include "controller/scope.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "rows/sb.h"
#include "schema/op.h"

struct asking { /* one table's condition in the making */
    const struct schema_table *table;
    VEC(struct clause) clauses;
};

struct all {
    struct scope_lists lists;
    VEC(const char *) ifaces;
    const struct inc *inc;
    const struct program *p;
};

static void ask(struct asking *a, enum clause_function function, const char *column,
                const struct datum *arg)
{
    struct clause clause = {function, schema_column_find(a->table, column), arg};
    INVARIANT(clause.column);
    vec_push(&a->clauses, clause);
}

static void ask_uuids(struct asking *a, enum clause_function function, const char *column,
                      const struct uuid *uuids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ask(a, function, column, datum_new_uuid(&uuids[i]));
}

/* Hands the condition over. Without a clause nothing is asked for. */
static void set(struct asking *a, struct replica *sb, bool everything)
{
    static const struct clause nothing = {.function = FN_FALSE};
    if (!a->clauses.n && !everything)
        vec_push(&a->clauses, nothing);
    struct condition condition = {a->clauses.n, a->clauses.data};
    replica_set_condition(sb, a->table, everything ? NULL : &condition);
    if (everything)
        vec_fini(&a->clauses);
}

static struct asking begin(const struct replica *sb, const char *table)
{
    return (struct asking){.table = replica_table(sb, table)};
}

static int compare_uuids(const void *a, const void *b)
{
    return uuid_compare(a, b);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(uint32_t));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_local(const void *fact, void *all_)
{
    struct all *all = all_;
    vec_push(&all->lists.datapaths, ((const struct fact_local *)fact)->datapath);
}

static void add_group(const void *fact, void *all_)
{
    struct all *all = all_;
    vec_push(&all->lists.groups, ((const struct fact_dp_group_at *)fact)->group);
}

static void add_iface(const void *fact, void *all_)
{
    struct all *all = all_;
    vec_push(&all->ifaces, ((const struct fact_iface *)fact)->iface_id->s);
}

static void add_key(const void *fact, void *all_)
{
    struct all *all = all_;
    const struct fact_datapath *dp = fact;
    struct fact_local local;
    INC_CLEAR(local);
    local.datapath = dp->uuid;
    if (inc_has(all->inc, all->p->local, &local))
        vec_push(&all->lists.keys, dp->key);
}

#define SORT(LIST, COMPARE)                                                                        \
    do {                                                                                           \
        if ((LIST).n)                                                                              \
            qsort((LIST).data, (LIST).n, sizeof *(LIST).data, COMPARE);                            \
    } while (0)

static void gather(struct all *all)
{
    inc_for_each(all->inc, all->p->local, add_local, all);
    inc_for_each(all->inc, all->p->datapath, add_key, all);
    inc_for_each(all->inc, all->p->dp_group_at, add_group, all);
    inc_for_each(all->inc, all->p->iface, add_iface, all);
    SORT(all->lists.datapaths, compare_uuids);
    SORT(all->lists.keys, compare_keys);
    SORT(all->lists.groups, compare_uuids);
    SORT(all->ifaces, compare_names);
    struct scope_lists *l = &all->lists;
    size_t n = 0; /* a group is there once for each of its datapaths */
    for (size_t i = 0; i < l->groups.n; i++)
        if (!n || !uuid_equal(&l->groups.data[i], &l->groups.data[n - 1]))
            l->groups.data[n++] = l->groups.data[i];
    l->groups.n = n;
}

/* Ports of local datapaths, those that may become local, and those that tell which datapaths are connected. */
static void ask_ports(const struct all *all, struct replica *sb, const struct uuid *self,
                      bool everything)
{
    static const char *const types[] = {"patch",           "l3gateway", "l2gateway",
                                        "chassisredirect", "external",  "virtual"};
    struct asking a = begin(sb, "Port_Binding");
    for (size_t i = 0; !everything && i < ARRAY_SIZE(types); i++)
        ask(&a, FN_EQ, "type", datum_new_string(types[i]));
    if (!everything && self)
        ask(&a, FN_EQ, "chassis", datum_new_uuid(self));
    for (size_t i = 0; !everything && i < all->ifaces.n; i++) {
        ask(&a, FN_EQ, "logical_port", datum_new_string(all->ifaces.data[i]));
        ask(&a, FN_EQ, "parent_port", datum_new_string(all->ifaces.data[i]));
    }
    if (!everything)
        ask_uuids(&a, FN_EQ, "datapath", all->lists.datapaths.data, all->lists.datapaths.n);
    set(&a, sb, everything);
}

static void ask_flows(struct scope *scope, struct replica *sb)
{
    enum { PORTION = 128 };
    const struct scope_lists *l = &scope->lists;
    struct asking a = begin(sb, "Logical_Flow");
    scope->n_asked = MIN(scope->n_asked + PORTION, l->datapaths.n);
    ask_uuids(&a, FN_EQ, "logical_datapath", l->datapaths.data, scope->n_asked);
    ask_uuids(&a, FN_EQ, "logical_dp_group", l->groups.data, l->groups.n);
    set(&a, sb, scope->monitor_all);
}

/* Everything but ports that goes by datapaths. */
static void ask_by_datapath(struct scope *scope, struct replica *sb)
{
    static const struct {
        const char *table, *column;
        enum clause_function function;
    } by_datapath[] = {
        {"Logical_DP_Group", "datapaths", FN_INCLUDES},
        {"Multicast_Group", "datapath", FN_EQ},
        {"MAC_Binding", "datapath", FN_EQ},
        {"Static_MAC_Binding", "datapath", FN_EQ},
        {"DNS", "datapaths", FN_INCLUDES},
    };
    const struct scope_lists *l = &scope->lists;
    for (size_t i = 0; i < ARRAY_SIZE(by_datapath); i++) {
        struct asking a = begin(sb, by_datapath[i].table);
        ask_uuids(&a, by_datapath[i].function, by_datapath[i].column, l->datapaths.data,
                  l->datapaths.n);
        set(&a, sb, scope->monitor_all);
    }
    struct asking fdb = begin(sb, "FDB");
    for (size_t i = 0; i < l->keys.n; i++)
        ask(&fdb, FN_EQ, "dp_key", datum_new_integer(l->keys.data[i]));
    set(&fdb, sb, scope->monitor_all);
    ask_flows(scope, sb);
}

static void ask_own_chassis(struct replica *sb, const struct config *config,
                            const struct uuid *self)
{
    struct asking a = begin(sb, "Chassis_Private");
    if (!config->monitor_all)
        ask(&a, FN_EQ, "name", datum_new_string(config->system_id));
    if (!config->monitor_all && self) /* under an older name */
        ask(&a, FN_EQ, "chassis", datum_new_uuid(self));
    set(&a, sb, config->monitor_all);
}

#define SAME(A, B)                                                                                 \
    ((A).n == (B).n && (!(A).n || !memcmp((A).data, (B).data, (A).n * sizeof *(A).data)))

static bool lists_same(const struct scope_lists *a, const struct scope_lists *b)
{
    return SAME(a->datapaths, b->datapaths) && SAME(a->groups, b->groups) && SAME(a->keys, b->keys);
}

static void lists_fini(struct scope_lists *l)
{
    vec_fini(&l->datapaths);
    vec_fini(&l->groups);
    vec_fini(&l->keys);
}

void scope_update(struct scope *scope, const struct config *config, const struct program *program,
                  const struct inc *inc, struct replica *sb, const struct uuid *self)
{
    bool everything = config->monitor_all;
    struct all all = {.inc = inc, .p = program};
    if (!everything)
        gather(&all);
    ask_ports(&all, sb, self, everything);
    scope_ask_ifaces(scope, program, inc, sb);
    ask_own_chassis(sb, config, self);
    bool is_same =
        scope->is_made && scope->monitor_all == everything && lists_same(&scope->lists, &all.lists);
    lists_fini(&scope->lists);
    scope->lists = all.lists;
    scope->monitor_all = everything;
    if (!is_same) /* most often an interface has come, and nothing else */
        ask_by_datapath(scope, sb);
    vec_fini(&all.ifaces);
    scope->is_made = scope->is_early = true;
    scope->is_stale = false;
    scope->late_ms = 0;
    scope->self = self ? *self : (struct uuid){{0}};
}

bool scope_is_other(const struct scope *scope, const struct config *config, const struct uuid *self)
{
    static const struct uuid none;
    return scope->monitor_all != config->monitor_all ||
           !uuid_equal(&scope->self, self ? self : &none);
}

bool scope_ask_more(struct scope *scope, struct replica *sb)
{
    if (scope->n_asked == scope->lists.datapaths.n)
        return false;
    ask_flows(scope, sb);
    return true;
}

void scope_clear(struct scope *scope)
{
    lists_fini(&scope->lists);
    scope_forget_ifaces(scope);
    *scope = (struct scope){0};
}
