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

struct
    all { /* what each clause is made from, in order, so that equal scopes are equal conditions */
    VEC(struct uuid) datapaths, groups;
    VEC(uint32_t) keys;
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
    vec_push(&all->datapaths, ((const struct fact_local *)fact)->datapath);
}

static void add_group(const void *fact, void *all_)
{
    struct all *all = all_;
    vec_push(&all->groups, ((const struct fact_dp_group_at *)fact)->group);
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
        vec_push(&all->keys, dp->key);
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
    SORT(all->datapaths, compare_uuids);
    SORT(all->keys, compare_keys);
    SORT(all->groups, compare_uuids);
    SORT(all->ifaces, compare_names);
    size_t n = 0; /* a group is there once for each of its datapaths */
    for (size_t i = 0; i < all->groups.n; i++)
        if (!n || !uuid_equal(&all->groups.data[i], &all->groups.data[n - 1]))
            all->groups.data[n++] = all->groups.data[i];
    all->groups.n = n;
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
        ask_uuids(&a, FN_EQ, "datapath", all->datapaths.data, all->datapaths.n);
    set(&a, sb, everything);
}

static void ask_flows(const struct all *all, struct replica *sb, bool everything)
{
    struct asking a = begin(sb, "Logical_Flow");
    if (!everything) {
        ask_uuids(&a, FN_EQ, "logical_datapath", all->datapaths.data, all->datapaths.n);
        ask_uuids(&a, FN_EQ, "logical_dp_group", all->groups.data, all->groups.n);
    }
    set(&a, sb, everything);
}

void scope_update(struct scope *scope, const struct config *config, const struct program *program,
                  const struct inc *inc, struct replica *sb, const struct uuid *self)
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
    bool everything = config->monitor_all;
    struct all all = {.inc = inc, .p = program};
    if (!everything)
        gather(&all);
    ask_ports(&all, sb, self, everything);
    ask_flows(&all, sb, everything);
    for (size_t i = 0; i < ARRAY_SIZE(by_datapath); i++) {
        struct asking a = begin(sb, by_datapath[i].table);
        ask_uuids(&a, by_datapath[i].function, by_datapath[i].column, all.datapaths.data,
                  all.datapaths.n);
        set(&a, sb, everything);
    }
    struct asking fdb = begin(sb, "FDB");
    for (size_t i = 0; i < all.keys.n; i++)
        ask(&fdb, FN_EQ, "dp_key", datum_new_integer(all.keys.data[i]));
    set(&fdb, sb, everything);
    struct asking ours = begin(sb, "Chassis_Private");
    if (!everything)
        ask(&ours, FN_EQ, "name", datum_new_string(config->system_id));
    if (!everything && self) /* under an older name */
        ask(&ours, FN_EQ, "chassis", datum_new_uuid(self));
    set(&ours, sb, everything);
    vec_fini(&all.datapaths);
    vec_fini(&all.groups);
    vec_fini(&all.keys);
    vec_fini(&all.ifaces);
    scope->is_stale = false;
    scope->late_ms = 0;
    scope->monitor_all = everything;
    scope->self = self ? *self : (struct uuid){{0}};
}

bool scope_is_other(const struct scope *scope, const struct config *config, const struct uuid *self)
{
    static const struct uuid none;
    return scope->monitor_all != config->monitor_all ||
           !uuid_equal(&scope->self, self ? self : &none);
}
