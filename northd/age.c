/* age.c - see age.h. Nothing is kept of rows but when to look again: at the earliest end of one, and within a second of a change that may
 * have brought that forward. A look walks the rows of datapaths that have a threshold.
 */
#include "northd/age.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"
#include "net/prefix_list.h"
#include "rows/nb.h"
#include "rows/sb.h"

enum { SOON_MS = 1000, NEXT_BATCH_MS = 5000, GRACE_MS = 3000 };

struct age {
    struct replica *nb, *sb;
    struct env *env;
    int64_t due_ms;
    bool any; /* a threshold, at the last look */
};

/* A datapath whose rows grow old. */
struct aging {
    uint32_t key;
    const char *thresholds; /* of the NB row */
};
typedef VEC(struct aging) aging_vec;

static const struct schema_table *table(const struct replica *replica, size_t index)
{
    return &replica_schema(replica)->tables[index];
}

static void look_within(struct age *age, int64_t ms)
{
    age->due_ms = MIN(age->due_ms, env_now_ms(age->env) + ms);
}

void age_take(struct age *age, const struct changeset *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after;
        if (!row)
            continue;
        size_t t = row->table->index;
        bool is_nb = row->table == table(age->nb, t);
        if (is_nb ? t == NB_TABLE_LOGICAL_ROUTER || t == NB_TABLE_LOGICAL_SWITCH ||
                        t == NB_TABLE_NB_GLOBAL
                  : age->any && (t == SB_TABLE_MAC_BINDING || t == SB_TABLE_FDB))
            look_within(age, SOON_MS);
    }
}

int64_t age_next_ms(const struct age *age)
{
    return age->due_ms;
}

/* --- Thresholds */

static int compare_aging(const void *a, const void *b)
{
    uint32_t x = ((const struct aging *)a)->key, y = ((const struct aging *)b)->key;
    return (x > y) - (x < y);
}

/* The NB row that a Datapath_Binding stands for, whose uuid is under KEY. */
static const struct row *nb_row(const struct age *age, const struct sb_datapath_binding *dp,
                                const char *key, size_t nb_table)
{
    const char *text = sb_datapath_binding_external_ids_value(dp, key);
    struct uuid uuid;
    return text && uuid_parse(text, &uuid)
               ? replica_row_find(age->nb, table(age->nb, nb_table), &uuid)
               : NULL;
}

/* The datapaths with a threshold: routers for MAC_Binding, switches for FDB. */
static aging_vec find_aging(const struct age *age, bool routers)
{
    aging_vec all = VEC_INIT;
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, age->sb, table(age->sb, SB_TABLE_DATAPATH_BINDING))
    {
        const struct sb_datapath_binding *dp = sb_datapath_binding_cast(row);
        const struct row *nb = routers ? nb_row(age, dp, "logical-router", NB_TABLE_LOGICAL_ROUTER)
                                       : nb_row(age, dp, "logical-switch", NB_TABLE_LOGICAL_SWITCH);
        struct aging aging = {.key = (uint32_t)sb_datapath_binding_tunnel_key(dp)};
        if (nb && routers)
            aging.thresholds = nb_logical_router_options_value(nb_logical_router_cast(nb),
                                                               "mac_binding_age_threshold");
        else if (nb)
            aging.thresholds = nb_logical_switch_other_config_value(nb_logical_switch_cast(nb),
                                                                    "fdb_age_threshold");
        if (aging.thresholds)
            vec_push(&all, aging);
    }
    if (all.n)
        qsort(all.data, all.n, sizeof *all.data, compare_aging);
    return all;
}

/* --- Rows */

static uint32_t key_of(const struct age *age, const struct row *row)
{
    if (row->table->index == SB_TABLE_FDB)
        return (uint32_t)sb_fdb_dp_key(sb_fdb_cast(row));
    const struct uuid *datapath = sb_mac_binding_datapath(sb_mac_binding_cast(row));
    const struct row *dp =
        datapath ? replica_row_find(age->sb, table(age->sb, SB_TABLE_DATAPATH_BINDING), datapath)
                 : NULL;
    return dp ? (uint32_t)sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(dp)) : 0;
}

/* How long ROW has, in ms from NOW on the wall; INT64_MAX: for ever. */
static int64_t time_left(const struct age *age, const aging_vec *all, const struct row *row,
                         int64_t now)
{
    const struct aging wanted = {.key = key_of(age, row)};
    const struct aging *aging =
        bsearch(&wanted, all->data, all->n, sizeof *all->data, compare_aging);
    struct ip_addr ip = {0}; /* of FDB: a number without a network */
    int64_t seen;
    if (!aging)
        return INT64_MAX;
    if (row->table->index == SB_TABLE_FDB) {
        seen = sb_fdb_timestamp(sb_fdb_cast(row));
    } else {
        seen = sb_mac_binding_timestamp(sb_mac_binding_cast(row));
        if (ip_addr_parse(sb_mac_binding_ip(sb_mac_binding_cast(row)), &ip))
            return INT64_MAX;
    }
    int64_t threshold = (int64_t)prefix_list_find(aging->thresholds, &ip) * 1000;
    int64_t grace = row->table->index == SB_TABLE_FDB ? 0 : MAX(threshold / 4, (int64_t)GRACE_MS);
    return threshold ? MAX(seen + threshold + grace - now, (int64_t)0) : INT64_MAX;
}

static int64_t removal_limit(const struct age *age, const char *key)
{
    size_t pos = 0;
    const struct row *row = replica_next_row(age->nb, table(age->nb, NB_TABLE_NB_GLOBAL), &pos);
    const char *text = row ? nb_nb_global_options_value(nb_nb_global_cast(row), key) : NULL;
    int64_t n;
    return text && !text_to_i64(text, 10, &n) && n > 0 ? n : INT64_MAX;
}

static void sweep(struct age *age, struct replica_txn *txn, size_t sb_table, const char *limit_key)
{
    aging_vec all = find_aging(age, sb_table == SB_TABLE_MAC_BINDING);
    int64_t limit = removal_limit(age, limit_key), now = env_wall_ms(age->env);
    const struct schema_table *t = table(age->sb, sb_table);
    const struct row *row;
    age->any |= all.n;
    if (all.n)
        REPLICA_FOR_EACH(row, pos, age->sb, t)
        {
            int64_t left = time_left(age, &all, row, now);
            if (left == INT64_MAX)
                continue;
            if (left) {
                look_within(age, MAX(left, (int64_t)SOON_MS));
            } else if (limit) {
                replica_txn_delete(txn, t, &row->uuid);
                limit--;
            } else {
                look_within(age, NEXT_BATCH_MS);
            }
        }
    vec_fini(&all);
}

void age_build(struct age *age, struct replica_txn *txn)
{
    if (age->due_ms > env_now_ms(age->env))
        return;
    age->due_ms = INT64_MAX;
    age->any = false;
    sweep(age, txn, SB_TABLE_MAC_BINDING, "mac_binding_removal_limit");
    sweep(age, txn, SB_TABLE_FDB, "fdb_removal_limit");
}

struct age *age_new(struct replica *nb, struct replica *sb, struct env *env)
{
    struct age *age = NEW(struct age);
    age->nb = nb;
    age->sb = sb;
    age->env = env;
    age->due_ms = env_now_ms(env);
    return age;
}

void age_free(struct age *age)
{
    free(age);
}
