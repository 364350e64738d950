/* dpsets.c - Logical_DP_Group rows: the sets of datapaths that flows share (room 5 of docs/architecture.md).
 *
 * A set is known by the sum of its members' hashes, so the set that a flow moves to when it gains a datapath is found
 * without looking at the members. When all flows of a set move to the same new set (a switch was added), the set's row is
 * edited by element and no flow row is touched; else the new set gets a row of its own. Rows that no flow refers to any more are
 * deleted by the database itself.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

struct pub_dpset *dpsets_find(const struct publisher *pub, u128 sum)
{
    struct pub_dpset *set;
    HMAP_FOR_EACH_WITH_HASH (set, node, (uint64_t)sum, &pub->dpsets)
        if (set->sum == sum)
            return set;
    return NULL;
}

struct pub_dpset *dpsets_expect(struct publisher *pub, u128 sum)
{
    struct pub_dpset *set = NEW(struct pub_dpset);
    set->sum = sum;
    hmap_insert(&pub->dpsets, &set->node, (uint64_t)sum);
    return set;
}

static void set_free(struct publisher *pub, struct pub_dpset *set)
{
    for (size_t i = pub->differing.n; i-- > 0;)
        if (pub->differing.data[i] == set)
            vec_remove_swap(&pub->differing, i);
    hmap_remove(&pub->dpsets, &set->node);
    vec_fini(&set->members);
    vec_fini(&set->into);
    free(set);
}

/* --- Members, kept sorted */

static size_t place_of(const struct pub_dpset *set, const struct uuid *datapath, bool *found)
{
    size_t low = 0, high = set->members.n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = uuid_compare(&set->members.data[mid], datapath);
        if (!c) {
            *found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *found = false;
    return low;
}

static void set_member(struct pub_dpset *set, const struct uuid *datapath, bool present)
{
    bool found;
    size_t i = place_of(set, datapath, &found);
    if (found && !present) {
        vec_remove(&set->members, i);
    } else if (!found && present) {
        struct uuid copy = *datapath;
        vec_push(&set->members, copy);
        memmove(&set->members.data[i + 1], &set->members.data[i],
                (set->members.n - 1 - i) * sizeof copy);
        set->members.data[i] = copy;
    }
}

static const struct datum *members_datum(const struct publisher *pub, const struct pub_dpset *set)
{
    union atom *atoms = xcalloc(set->members.n + 1, sizeof *atoms);
    size_t n = 0;
    for (size_t i = 0; i < set->members.n; i++) {
        const struct pub_datapath *dp = datapaths_find(pub, &set->members.data[i]);
        if (dp && dp->in_sb)
            atoms[n++].uuid = dp->sb;
    }
    const struct datum *d = datum_new_set(ATOM_UUID, atoms, n);
    free(atoms);
    return d;
}

/* --- Rows */

static struct pub_dpset *find_row(const struct publisher *pub, const struct uuid *uuid)
{
    struct pub_dpset *set;
    HMAP_FOR_EACH (set, node, &pub->dpsets)
        if (uuid_equal(&set->sb, uuid))
            return set;
    return NULL;
}

/* The identity of the set that a row holds; false when it names a datapath that is not known. */
static bool sum_of_row(const struct publisher *pub, const struct row *row, u128 *ret)
{
    const struct datum *d = sb_logical_dp_group_datapaths(sb_logical_dp_group_cast(row));
    *ret = 0;
    for (size_t i = 0; i < d->n; i++) {
        const struct pub_datapath *dp = datapaths_find_sb(pub, &d->atoms[i].uuid);
        if (!dp)
            return false;
        *ret += dp->hash;
    }
    return true;
}

static void take_new(struct publisher *pub, const struct row *row, u128 sum)
{
    if (dpsets_find(pub, sum))
        return; /* a second row for the same set: nobody will refer to it */
    struct pub_dpset *set = dpsets_expect(pub, sum);
    const struct datum *d = sb_logical_dp_group_datapaths(sb_logical_dp_group_cast(row));
    set->sb = row->uuid;
    for (size_t i = 0; i < d->n; i++)
        set_member(set, &datapaths_find_sb(pub, &d->atoms[i].uuid)->nb, true);
}

void dpsets_take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    const struct row *row = after ? after : before;
    struct pub_dpset *set = find_row(pub, &row->uuid);
    u128 sum;
    if (!after) {
        if (set && !set->users)
            set_free(pub, set);
        else if (set)
            memset(&set->sb, 0, sizeof set->sb);
        return;
    }
    bool known = sum_of_row(pub, after, &sum);
    if (!set) {
        if (known)
            take_new(pub, after, sum);
        return;
    }
    bool differs = !known || sum != set->sum;
    if (differs && !set->differs)
        vec_push(&pub->differing, set);
    set->differs = differs;
}

/* --- Building */

void dpsets_leave(struct publisher *pub UNUSED, struct pub_flow *flow)
{
    if (flow->placed)
        flow->placed->users--;
    flow->placed = NULL;
    flow->placed_sum = 0;
}

/* The set that all of INTO leave together with all its other flows gone, or NULL. */
static struct pub_dpset *common_origin(const struct pub_dpset *set)
{
    struct pub_dpset *origin = set->into.data[0]->placed;
    if (!origin || origin->users != set->into.n || uuid_is_zero(&origin->sb))
        return NULL;
    for (size_t i = 1; i < set->into.n; i++)
        if (set->into.data[i]->placed != origin)
            return NULL;
    return origin;
}

/* SET becomes what ORIGIN was, with FLOW's moves: its row is edited. */
static void inherit(struct publisher *pub, struct pub_dpset *set, struct pub_dpset *origin)
{
    const struct pub_flow *flow = set->into.data[0];
    set->sb = origin->sb;
    for (size_t i = 0; i < origin->members.n; i++)
        vec_push(&set->members, origin->members.data[i]);
    struct dp_change *move;
    VEC_FOR_EACH (move, &flow->moves) {
        const struct pub_datapath *dp = datapaths_find(pub, &move->datapath);
        set_member(set, &move->datapath, move->added);
        if (dp && dp->in_sb)
            publisher_mutate(pub, SB_TABLE_LOGICAL_DP_GROUP, &set->sb,
                             SB_LOGICAL_DP_GROUP_COL_DATAPATHS,
                             move->added ? MUTATE_INSERT : MUTATE_DELETE, datum_new_uuid(&dp->sb));
    }
    set->users = origin->users;
    for (size_t i = 0; i < set->into.n; i++)
        set->into.data[i]->placed = set;
    set_free(pub, origin);
}

static void fill(struct publisher *pub, struct pub_dpset *set)
{
    const struct pub_flow *flow = set->into.data[0];
    if (set->members.n)
        return; /* it only lost its row */
    if (flow->placed) {
        for (size_t i = 0; i < flow->placed->members.n; i++)
            vec_push(&set->members, flow->placed->members.data[i]);
    } else if (flow->placed_sum) {
        const struct pub_datapath *dp = datapaths_find_hash(pub, flow->placed_sum);
        if (dp)
            set_member(set, &dp->nb, true);
    }
    struct dp_change *move;
    VEC_FOR_EACH (move, &flow->moves)
        set_member(set, &move->datapath, move->added);
}

void dpsets_settle(struct publisher *pub, struct pub_dpset *set)
{
    struct pub_dpset *origin = set->members.n ? NULL : common_origin(set);
    if (origin) {
        inherit(pub, set, origin);
    } else {
        fill(pub, set);
        struct uuid wish;
        memcpy(&wish, &set->sum, sizeof wish);
        set->sb = publisher_insert(pub, SB_TABLE_LOGICAL_DP_GROUP, &wish);
        publisher_put(pub, SB_TABLE_LOGICAL_DP_GROUP, &set->sb, NULL,
                      SB_LOGICAL_DP_GROUP_COL_DATAPATHS, members_datum(pub, set));
    }
}

void dpsets_build(struct publisher *pub)
{
    struct pub_dpset **set;
    VEC_FOR_EACH (set, &pub->differing) {
        const struct row *row =
            replica_row_find(pub->sb, publisher_table(pub, SB_TABLE_LOGICAL_DP_GROUP), &(*set)->sb);
        if (row && (*set)->differs)
            publisher_put(pub, SB_TABLE_LOGICAL_DP_GROUP, &(*set)->sb, row,
                          SB_LOGICAL_DP_GROUP_COL_DATAPATHS, members_datum(pub, *set));
        (*set)->differs = false;
    }
    vec_clear(&pub->differing);
}

void dpsets_clear(struct publisher *pub)
{
    struct pub_dpset *set;
    vec_clear(&pub->differing);
    HMAP_FOR_EACH_SAFE (set, node, &pub->dpsets)
        set_free(pub, set);
}
