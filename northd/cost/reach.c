/* reach.c - which hypervisors have a datapath: those where one of its ports is, or may have to be, and those that come to it through patch
 * ports; see cost.h (room 5 of docs/architecture.md). What the southbound database does not tell (where localports are) is not counted.
 */
#include "northd/cost/cost.h"

#include <stdlib.h>
#include <string.h>

#include "rows/sb.h"

struct edge {
    uint32_t to, from;
};
struct root {
    uint32_t datapath;
    struct uuid chassis;
};

struct cost_reach {
    struct northd_program *program;
    const struct publisher *pub;
    struct replica *sb;
    VEC(struct edge) edges; /* by where they lead */
    VEC(struct root) roots; /* by datapath */
    VEC(struct uuid) found;
    VEC(uint32_t) seen;
};

const struct row *cost_port_row(const struct cost_reach *r, const char *name)
{
    const struct rstr *pooled = program_intern(r->program, name);
    const struct row *row = publisher_port_row(r->pub, pooled);
    rstr_unref(pooled);
    return row;
}

static bool has_uuid(const struct datum *set, const struct uuid *uuid)
{
    for (size_t i = 0; i < set->n; i++)
        if (uuid_equal(&set->atoms[i].uuid, uuid))
            return true;
    return false;
}

bool cost_is_bound(const struct cost_reach *r, const char *name, const struct uuid *chassis)
{
    const struct row *row = cost_port_row(r, name);
    const struct sb_port_binding *port = row ? sb_port_binding_cast(row) : NULL;
    return port && (has_uuid(row->values[SB_PORT_BINDING_COL_CHASSIS], chassis) ||
                    has_uuid(row->values[SB_PORT_BINDING_COL_ADDITIONAL_CHASSIS], chassis));
}

static uint32_t key_of(const struct cost_reach *r, const struct uuid *datapath)
{
    const struct schema_table *t = &replica_schema(r->sb)->tables[SB_TABLE_DATAPATH_BINDING];
    const struct row *row = replica_row_find(r->sb, t, datapath);
    return row ? (uint32_t)sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(row)) : 0;
}

static void add_roots(struct cost_reach *r, uint32_t datapath, const struct datum *chassis)
{
    for (size_t i = 0; i < chassis->n; i++) {
        struct root root = {datapath, chassis->atoms[i].uuid};
        vec_push(&r->roots, root);
    }
}

/* Any of its group may have to stand in for the port at once. */
static void add_candidates(struct cost_reach *r, uint32_t datapath,
                           const struct sb_port_binding *port)
{
    const struct schema *schema = replica_schema(r->sb);
    const struct uuid *uuid = sb_port_binding_ha_chassis_group(port);
    const struct row *group =
        uuid ? replica_row_find(r->sb, &schema->tables[SB_TABLE_HA_CHASSIS_GROUP], uuid) : NULL;
    const struct datum *members =
        group ? sb_ha_chassis_group_ha_chassis(sb_ha_chassis_group_cast(group)) : NULL;
    for (size_t i = 0; members && i < members->n; i++) {
        const struct row *member =
            replica_row_find(r->sb, &schema->tables[SB_TABLE_HA_CHASSIS], &members->atoms[i].uuid);
        if (member)
            add_roots(r, datapath, member->values[SB_HA_CHASSIS_COL_CHASSIS]);
    }
}

static void add_port(struct cost_reach *r, const struct row *row)
{
    const struct sb_port_binding *port = sb_port_binding_cast(row);
    const char *type = sb_port_binding_type(port);
    uint32_t datapath = key_of(r, sb_port_binding_datapath(port));
    const char *peer_name = sb_port_binding_options_value(port, "peer");
    bool is_gateway = !strcmp(type, "l3gateway");
    if (!strcmp(type, "chassisredirect") || !strcmp(type, "external"))
        add_candidates(r, datapath, port);
    else if (!*type || is_gateway || !strcmp(type, "l2gateway"))
        add_roots(r, datapath, row->values[SB_PORT_BINDING_COL_CHASSIS]);
    if (!*type)
        add_roots(r, datapath, row->values[SB_PORT_BINDING_COL_ADDITIONAL_CHASSIS]);
    if (!peer_name || (!is_gateway && strcmp(type, "patch")))
        return;
    const struct row *peer = cost_port_row(r, peer_name);
    uint32_t to = peer ? key_of(r, sb_port_binding_datapath(sb_port_binding_cast(peer))) : 0;
    if (to && is_gateway) { /* a gateway router leads on from its own hypervisor only */
        add_roots(r, to, row->values[SB_PORT_BINDING_COL_CHASSIS]);
    } else if (to) {
        struct edge edge = {to, datapath};
        vec_push(&r->edges, edge);
    }
}

static int compare_first(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct cost_reach *cost_reach_new(struct northd_program *program, const struct publisher *pub,
                                  struct replica *sb)
{
    struct cost_reach *r = NEW(struct cost_reach);
    const struct row *row;
    r->program = program;
    r->pub = pub;
    r->sb = sb;
    REPLICA_FOR_EACH(row, pos, sb, &replica_schema(sb)->tables[SB_TABLE_PORT_BINDING])
    add_port(r, row);
    if (r->edges.n)
        qsort(r->edges.data, r->edges.n, sizeof *r->edges.data, compare_first);
    if (r->roots.n)
        qsort(r->roots.data, r->roots.n, sizeof *r->roots.data, compare_first);
    return r;
}

void cost_reach_free(struct cost_reach *r)
{
    vec_fini(&r->edges);
    vec_fini(&r->roots);
    vec_fini(&r->found);
    vec_fini(&r->seen);
    free(r);
}

/* Of N elements of SIZE bytes, sorted by the number that they begin with, the first that is not below KEY. */
static size_t lower_bound(const void *data, size_t n, size_t size, uint32_t key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (*(const uint32_t *)(const void *)((const char *)data + mid * size) < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void see(struct cost_reach *r, uint32_t datapath)
{
    for (size_t i = 0; i < r->seen.n; i++)
        if (r->seen.data[i] == datapath)
            return;
    vec_push(&r->seen, datapath);
}

static void find(struct cost_reach *r, const struct uuid *chassis)
{
    for (size_t i = 0; i < r->found.n; i++)
        if (uuid_equal(&r->found.data[i], chassis))
            return;
    vec_push(&r->found, *chassis);
}

struct cost_chassis cost_reach_of(struct cost_reach *r, uint32_t datapath)
{
    vec_clear(&r->found);
    vec_clear(&r->seen);
    if (datapath)
        vec_push(&r->seen, datapath);
    for (size_t k = 0; k < r->seen.n; k++) { /* grows meanwhile */
        uint32_t at = r->seen.data[k];
        size_t i = lower_bound(r->roots.data, r->roots.n, sizeof *r->roots.data, at);
        for (; i < r->roots.n && r->roots.data[i].datapath == at; i++)
            find(r, &r->roots.data[i].chassis);
        i = lower_bound(r->edges.data, r->edges.n, sizeof *r->edges.data, at);
        for (; i < r->edges.n && r->edges.data[i].to == at; i++)
            see(r, r->edges.data[i].from);
    }
    return (struct cost_chassis){r->found.data, r->found.n};
}
