/* world.c - the southbound database as a packet meets it. */
#include <stdlib.h>
#include <string.h>

#include "tools/trace/trace.h"

void world_init(struct world *world, struct replica *replica)
{
    *world = (struct world){.schema = replica_schema(replica), .replica = replica};
    world->symtab = symtab_new();
    world->exprs = expr_pool_new(world->symtab);
    world->actions = action_pool_new(world->exprs);
}

void world_fini(struct world *world)
{
    for (size_t i = 0; i < world->by_number.n; i++) {
        free(world->by_number.data[i]->text);
        free(world->by_number.data[i]);
    }
    vec_fini(&world->by_number);
    hmap_fini(&world->names);
    action_pool_free(world->actions);
    expr_pool_free(world->exprs);
    symtab_free(world->symtab);
}

/* ---- rows ---- */

const struct schema_table *world_table(const struct world *world, const char *name)
{
    const struct schema_table *table = schema_table_find(world->schema, name);
    INVARIANT(table != NULL);
    return table;
}

static const struct datum *value_of(const struct row *row, const char *column)
{
    const struct schema_column *c = schema_column_find(row->table, column);
    INVARIANT(c && c->index >= 0);
    return row_get(row, c);
}

const char *world_row_text(const struct row *row, const char *column)
{
    const struct datum *value = value_of(row, column);
    return value->n ? value->atoms[0].string->s : "";
}

const char *world_row_option(const struct row *row, const char *column, const char *key)
{
    return datum_map_text(value_of(row, column), key);
}

int64_t world_row_number(const struct row *row, const char *column)
{
    const struct datum *value = value_of(row, column);
    return value->n ? value->atoms[0].integer : 0;
}

static bool refers_to(const struct row *row, const char *column, const struct row *to)
{
    const union atom key = {.uuid = to->uuid};
    return datum_find(value_of(row, column), &key) >= 0;
}

/* ---- numbers for names ---- */

uint32_t world_number(struct world *world, const char *name)
{
    if (!*name || !strcmp(name, "none"))
        return 0;
    struct name *n;
    HMAP_FOR_EACH_WITH_HASH (n, node, hash_text(name), &world->names) {
        if (!strcmp(n->text, name))
            return n->number;
    }
    n = NEW(struct name);
    n->text = xstrdup(name);
    vec_push(&world->by_number, n);
    n->number = (uint32_t)world->by_number.n;
    hmap_insert(&world->names, &n->node, hash_text(name));
    return n->number;
}

const char *world_name(const struct world *world, uint32_t number)
{
    return number && number <= world->by_number.n ? world->by_number.data[number - 1]->text : "";
}

/* ---- datapaths, ports, groups ---- */

char *world_datapath_name(const struct world *world, const struct row *datapath)
{
    char uuid[UUID_TEXT_LEN + 1];
    const char *name2 = world_row_option(datapath, "external_ids", "name2");
    const char *name = world_row_option(datapath, "external_ids", "name");
    if (!world->plain_names && name2 && *name2)
        return xstrdup(name2);
    return xstrdup(name && *name ? name : uuid_print(&datapath->uuid, uuid));
}

const struct row *world_datapath(const struct world *world, const char *id)
{
    static const char *const keys[] = {"name", "name2", "logical-switch", "logical-router"};
    const struct row *row;
    struct uuid uuid;
    bool is_uuid = uuid_parse(id, &uuid);
    REPLICA_FOR_EACH(row, pos, world->replica, world_table(world, "Datapath_Binding"))
    {
        if (is_uuid && uuid_equal(&row->uuid, &uuid))
            return row;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
            const char *has = world_row_option(row, "external_ids", keys[i]);
            if (has && !strcmp(has, id))
                return row;
        }
    }
    return NULL;
}

const struct row *world_port(const struct world *world, const char *name)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, world->replica, world_table(world, "Port_Binding"))
    {
        if (!strcmp(world_row_text(row, "logical_port"), name))
            return row;
    }
    return NULL;
}

const struct row *world_port_by_key(const struct world *world, const struct row *datapath,
                                    int64_t key)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, world->replica, world_table(world, "Port_Binding"))
    {
        if (refers_to(row, "datapath", datapath) && world_row_number(row, "tunnel_key") == key)
            return row;
    }
    return NULL;
}

const struct row *world_datapath_of(const struct world *world, const struct row *port)
{
    const struct datum *value = value_of(port, "datapath");
    return value->n ? replica_row_find(world->replica, world_table(world, "Datapath_Binding"),
                                       &value->atoms[0].uuid)
                    : NULL;
}

const struct row *world_group(const struct world *world, const struct row *datapath,
                              const char *name)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, world->replica, world_table(world, "Multicast_Group"))
    {
        if (!strcmp(world_row_text(row, "name"), name) && refers_to(row, "datapath", datapath))
            return row;
    }
    return NULL;
}

/* ---- sets in matches ---- */

static const struct row *find_named(const struct world *world, const char *table, const char *name)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, world->replica, world_table(world, table))
    {
        if (!strcmp(world_row_text(row, "name"), name))
            return row;
    }
    return NULL;
}

static bool add_set(void *world, const char *name,
                    void (*add)(void *add_aux, u128 value, u128 mask), void *add_aux)
{
    const struct row *set = find_named(world, "Address_Set", name);
    const struct datum *addresses = set ? value_of(set, "addresses") : NULL;
    for (size_t i = 0; addresses && i < addresses->n; i++) {
        u128 value, mask;
        if (!addr_parse_masked(addresses->atoms[i].string->s, &value, &mask))
            add(add_aux, value, mask);
    }
    return set != NULL;
}

/* A group's ports on one datapath are a row of their own, called by the datapath's key. */
static bool add_ports(void *world_, const char *name, void (*add)(void *add_aux, const char *port),
                      void *add_aux)
{
    const struct world *world = world_;
    char *here =
        world->datapath
            ? xasprintf("%lld_%s", (long long)world_row_number(world->datapath, "tunnel_key"), name)
            : xstrdup(name);
    const struct row *group = find_named(world, "Port_Group", here);
    free(here);
    if (!group)
        group = find_named(world, "Port_Group", name);
    const struct datum *ports = group ? value_of(group, "ports") : NULL;
    for (size_t i = 0; ports && i < ports->n; i++)
        add(add_aux, ports->atoms[i].string->s);
    return group != NULL;
}

const struct expr_world *world_sets(struct world *world, struct expr_world *store)
{
    *store = (struct expr_world){.aux = world, .set = add_set, .group = add_ports};
    return store;
}

/* ---- what was learned ---- */

static bool is_neighbor(const struct row *row, const char *port, const struct ip_addr *ip)
{
    struct ip_addr has;
    return !strcmp(world_row_text(row, "logical_port"), port) &&
           !ip_addr_parse(world_row_text(row, "ip"), &has) && ip_addr_equal(&has, ip);
}

bool world_neighbor(const struct world *world, const char *port, const struct ip_addr *ip,
                    struct mac *ret)
{
    static const char *const tables[] = {"Static_MAC_Binding", "MAC_Binding"};
    const struct row *row;
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        REPLICA_FOR_EACH(row, pos, world->replica, world_table(world, tables[i]))
        {
            if (is_neighbor(row, port, ip) && !mac_parse(world_row_text(row, "mac"), ret))
                return true;
        }
    return false;
}

const struct row *world_fdb(const struct world *world, const struct row *datapath, struct mac mac)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, world->replica, world_table(world, "FDB"))
    {
        struct mac has;
        if (world_row_number(row, "dp_key") == world_row_number(datapath, "tunnel_key") &&
            !mac_parse(world_row_text(row, "mac"), &has) && mac_equal(has, mac))
            return world_port_by_key(world, datapath, world_row_number(row, "port_key"));
    }
    return NULL;
}
