/* groups.c - Multicast_Group rows: one for each group of a switch that has members, and their ports by element (room 5 of
 * docs/architecture.md).
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_group(const struct uuid *datapath, enum group group)
{
    return hash_u64(group, uuid_hash(datapath));
}

static struct pub_group *get(struct publisher *pub, const struct uuid *datapath, enum group group)
{
    struct pub_group *g;
    uint64_t hash = hash_group(datapath, group);
    HMAP_FOR_EACH_WITH_HASH (g, node, hash, &pub->groups)
        if (g->group == group && uuid_equal(&g->datapath, datapath))
            return g;
    g = NEW(struct pub_group);
    g->datapath = *datapath;
    g->group = group;
    list_init(&g->dirty);
    hmap_insert(&pub->groups, &g->node, hash);
    return g;
}

static struct pub_group *find_row(struct publisher *pub, const struct row *row)
{
    const struct sb_multicast_group *g = sb_multicast_group_cast(row);
    const struct pub_datapath *dp = datapaths_find_sb(pub, sb_multicast_group_datapath(g));
    enum group group = group_find(sb_multicast_group_name(g));
    return dp && group != N_GROUPS ? get(pub, &dp->nb, group) : NULL;
}

static struct pub_group *find_row_uuid(struct publisher *pub, const struct uuid *uuid)
{
    struct pub_group *g;
    HMAP_FOR_EACH (g, node, &pub->groups)
        if (g->row && uuid_equal(&g->row->uuid, uuid))
            return g;
    return NULL;
}

static void lose_row(struct publisher *pub, struct pub_group *g)
{
    publisher_hold(&g->row, NULL);
    memset(&g->sb, 0, sizeof g->sb);
    publisher_mark(&pub->dirty_groups, &g->dirty);
}

void groups_take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    struct pub_group *g;
    if (before && (!after || find_row(pub, before) != find_row(pub, after))) {
        g = find_row(pub, before);
        if (!g || !g->row || !uuid_equal(&g->row->uuid, &before->uuid))
            g = find_row_uuid(pub, &before->uuid);
        if (g)
            lose_row(pub, g);
    }
    if (!after)
        return;
    g = find_row(pub, after);
    if (!g || (g->row && !uuid_equal(&g->row->uuid, &after->uuid))) {
        publisher_surplus(pub, after);
        return;
    }
    publisher_hold(&g->row, after);
    g->sb = after->uuid;
    /* While our own transaction is out, this is its effect. */
    if (!pub->in_flight || !before)
        g->check_all = true;
    publisher_mark(&pub->dirty_groups, &g->dirty);
}

void groups_take_fact(const void *fact_, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_group *fact = fact_;
    struct pub_group *g = get(pub, &fact->datapath, (enum group)fact->group);
    g->has_want = added;
    publisher_mark(&pub->dirty_groups, &g->dirty);
}

void groups_take_member(const void *fact_, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_member *fact = fact_;
    struct pub_group *g = get(pub, &fact->datapath, (enum group)fact->group);
    struct member_change change = {.port = rstr_ref(fact->port), .added = added};
    vec_push(&g->changes, change);
    publisher_mark(&pub->dirty_groups, &g->dirty);
}

static void drop_changes(struct pub_group *g)
{
    struct member_change *c;
    VEC_FOR_EACH (c, &g->changes)
        rstr_unref(c->port);
    vec_clear(&g->changes);
}

static void forget(struct publisher *pub, struct pub_group *g)
{
    hmap_remove(&pub->groups, &g->node);
    list_remove(&g->dirty);
    publisher_hold(&g->row, NULL);
    drop_changes(g);
    vec_fini(&g->changes);
    free(g);
}

/* The SB uuids of all that should be in the group. */
static const struct datum *all_ports(struct publisher *pub, const struct pub_group *g)
{
    struct fact_group key;
    INC_CLEAR(key);
    key.datapath = g->datapath;
    key.group = g->group;
    struct inc_facts members = inc_look(pub->inc, pub->p->member_by_group, &key);
    union atom *atoms = xcalloc(members.n + 1, sizeof *atoms);
    size_t n = 0;
    for (size_t i = 0; i < members.n; i++) {
        const struct fact_member *m = members.v[i];
        const struct pub_port *port = ports_find(pub, m->port);
        if (port && port->has_want && !uuid_is_zero(&port->sb))
            atoms[n++].uuid = port->sb;
    }
    const struct datum *d = datum_new_set(ATOM_UUID, atoms, n);
    free(atoms);
    return d;
}

/* One element at a time; what is so already is left alone. */
static void apply_changes(struct publisher *pub, struct pub_group *g)
{
    const struct datum *present = sb_multicast_group_ports(sb_multicast_group_cast(g->row));
    struct member_change *c;
    VEC_FOR_EACH (c, &g->changes) {
        const struct pub_port *port = ports_find(pub, c->port);
        if (!port || uuid_is_zero(&port->sb))
            continue; /* a row that goes leaves the set by itself: the reference is weak */
        union atom atom = {.uuid = port->sb};
        if ((datum_find(present, &atom) >= 0) == c->added)
            continue;
        publisher_mutate(pub, SB_TABLE_MULTICAST_GROUP, &g->sb, SB_MULTICAST_GROUP_COL_PORTS,
                         c->added ? MUTATE_INSERT : MUTATE_DELETE, datum_new_uuid(&port->sb));
    }
}

static struct uuid uuid_of_group(const struct pub_group *g)
{
    const char *name = group_name(g->group);
    XXH128_hash_t h = XXH3_128bits_withSeed(name, strlen(name), uuid_hash(&g->datapath));
    struct uuid uuid;
    memcpy(&uuid, &h, sizeof uuid);
    return uuid;
}

static void build_wanted(struct publisher *pub, struct pub_group *g)
{
    enum { T = SB_TABLE_MULTICAST_GROUP };
    const struct pub_datapath *dp = datapaths_find(pub, &g->datapath);
    if (!dp || !dp->in_sb)
        return;
    bool is_new = uuid_is_zero(&g->sb);
    if (is_new) {
        struct uuid wish = uuid_of_group(g);
        g->sb = publisher_insert(pub, T, &wish);
    }
    publisher_put(pub, T, &g->sb, g->row, SB_MULTICAST_GROUP_COL_NAME,
                  datum_new_string(group_name(g->group)));
    publisher_put(pub, T, &g->sb, g->row, SB_MULTICAST_GROUP_COL_DATAPATH, datum_new_uuid(&dp->sb));
    publisher_put(pub, T, &g->sb, g->row, SB_MULTICAST_GROUP_COL_TUNNEL_KEY,
                  datum_new_integer(group_key(g->group)));
    if (is_new || g->check_all || !g->row)
        publisher_put(pub, T, &g->sb, g->row, SB_MULTICAST_GROUP_COL_PORTS, all_ports(pub, g));
    else
        apply_changes(pub, g);
}

void groups_build(struct publisher *pub)
{
    struct pub_group *g, *next;
    LIST_FOR_EACH_SAFE (g, next, dirty, &pub->dirty_groups) {
        list_remove(&g->dirty);
        if (g->has_want)
            build_wanted(pub, g);
        else if (g->row)
            publisher_delete(pub, SB_TABLE_MULTICAST_GROUP, &g->row->uuid);
        drop_changes(g);
        g->check_all = false;
        if (!g->has_want && !g->row)
            forget(pub, g);
    }
}

void groups_clear(struct publisher *pub)
{
    struct pub_group *g;
    HMAP_FOR_EACH_SAFE (g, node, &pub->groups)
        forget(pub, g);
}
