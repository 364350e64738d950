/* hypervisor.c - see hypervisor.h. Room 1 of docs/architecture.md, the switch's side: what is not rows of SB. Looked at are the interfaces whose
 * rows have changed, or whose ports have come to the bridge or gone from it, so that one more of a thousand costs no more than one of ten. All of
 * them is the case where each port of the bridge is said to have changed.
 */
#include "controller/chassis/hypervisor.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "controller/chassis/bridge.h"
#include "flow/field.h"
#include "rows/ovs.h"
#include "rows/sb.h"

enum { CHANGED_MAX = 1024 };
enum sort { SORT_NONE, SORT_IFACE, SORT_TUNNEL, SORT_UPLINK };

/* An interface of the bridge as it was seen last. */
struct known {
    struct hnode by_iface, by_port, by_name; /* uuid, uuid, Interface's name */
    const struct row *port, *iface;
    unsigned tunnel_option;
    bool is_gone; /* while its port is read */
    enum sort sort;
    bool is_tunnel_port; /* also while it has no number */
    bool is_uplink;      /* the same */
    union {
        struct fact_iface as_iface;
        struct fact_tunnel as_tunnel;
        struct fact_uplink as_uplink;
    };
};

void hypervisor_init(struct hypervisor *h, struct program *program, struct inc *inc)
{
    memset(h, 0, sizeof *h);
    h->program = program;
    h->inc = inc;
    h->is_walk_due = true;
}

static const struct inc_coll *coll_of(const struct program *p, enum sort sort)
{
    const struct inc_coll *colls[] = {NULL, p->iface, p->tunnel, p->uplink};
    return colls[sort];
}

/* K's rows are others from now on. */
static void known_file(struct hypervisor *h, struct known *k)
{
    hmap_insert(&h->known, &k->by_iface, uuid_hash(&k->iface->uuid));
    hmap_insert(&h->by_port, &k->by_port, uuid_hash(&k->port->uuid));
    hmap_insert(&h->by_name, &k->by_name,
                hash_text(ovs_interface_name(ovs_interface_cast(k->iface))));
}

static void known_unfile(struct hypervisor *h, struct known *k)
{
    hmap_remove(&h->known, &k->by_iface);
    hmap_remove(&h->by_port, &k->by_port);
    hmap_remove(&h->by_name, &k->by_name);
}

static void known_release(struct known *k)
{
    static const struct inc_type *const types[] = {NULL, &type_iface, &type_tunnel, &type_uplink};
    if (k->sort)
        types[k->sort]->unref(&k->as_iface);
    row_unref(k->port);
    row_unref(k->iface);
}

static void mappings_forget(struct hypervisor *h)
{
    for (size_t i = 0; i < h->mappings.n; i++)
        type_mapping.unref(&h->mappings.data[i]);
    vec_fini(&h->mappings);
}

void hypervisor_fini(struct hypervisor *h)
{
    struct known *k;
    HMAP_FOR_EACH_SAFE (k, by_iface, &h->known) {
        known_unfile(h, k);
        known_release(k);
        free(k);
    }
    hmap_fini(&h->known);
    hmap_fini(&h->by_port);
    hmap_fini(&h->by_name);
    row_unref(h->bridge);
    vec_fini(&h->changed);
    mappings_forget(h);
    if (h->has_self)
        type_self.unref(&h->self);
}

const struct row *hypervisor_chassis_row(const struct config *config, const struct replica *sb)
{
    const struct row *row;
    if (!sb || !config->system_id)
        return NULL;
    REPLICA_FOR_EACH(row, pos, sb, replica_table(sb, "Chassis"))
    if (!strcmp(sb_chassis_name(sb_chassis_cast(row)), config->system_id))
        return row;
    return NULL;
}

/* Most often it is the row that it was. */
static const struct row *find_self(const struct hypervisor *h, const struct config *config,
                                   const struct replica *sb)
{
    const struct row *row =
        sb && h->has_self && config->system_id
            ? replica_row_find(sb, replica_table(sb, "Chassis"), &h->self.chassis)
            : NULL;
    if (row && !strcmp(sb_chassis_name(sb_chassis_cast(row)), config->system_id))
        return row;
    return hypervisor_chassis_row(config, sb);
}

static void update_self(struct hypervisor *h, const struct config *config, const struct replica *sb)
{
    const struct row *row = find_self(h, config, sb);
    struct fact_self self;
    INC_CLEAR(self);
    if (row) {
        self.chassis = row->uuid;
        self.name = program_name(h->program, config->system_id);
        self.hostname = program_name(h->program, config->hostname);
    }
    if (h->has_self == !!row && (!row || !memcmp(&self, &h->self, sizeof self))) {
        type_self.unref(&self);
        return;
    }
    if (row)
        inc_assert(h->inc, h->program->self, &self);
    if (h->has_self) {
        inc_retract(h->inc, h->program->self, &h->self);
        type_self.unref(&h->self);
    }
    h->has_self = row;
    h->self = self;
}

/* --- Interfaces */

/* A tunnel port is marked with chassis@ip, or chassis@ip%local-ip. */
static void read_tunnel(struct known *k, struct program *p, const struct ovs_interface *iface,
                        const char *chassis)
{
    struct fact_tunnel *f = &k->as_tunnel;
    const char *at = strrchr(chassis, '@'), *ip = ovs_interface_options_value(iface, "remote_ip");
    const char *bfd = ovs_interface_bfd_status_value(iface, "state");
    k->sort = SORT_TUNNEL;
    f->chassis = rstr_pool_get_n(&p->names, chassis, at ? (size_t)(at - chassis) : strlen(chassis));
    f->ip = program_name(p, ip ? ip : "");
    f->ofport = (uint32_t)ovs_interface_ofport(iface);
    f->type = !strcmp(ovs_interface_type(iface), "vxlan") ? TUNNEL_VXLAN : TUNNEL_GENEVE;
    f->is_down = bfd && strcmp(bfd, "up");
    f->option = (uint8_t)k->tunnel_option;
}

/* Fills in what the rows of K say. */
static void known_read(struct known *k, struct program *p)
{
    const struct ovs_port *port = ovs_port_cast(k->port);
    const struct ovs_interface *iface = ovs_interface_cast(k->iface);
    int64_t ofport = ovs_interface_ofport(iface);
    const char *id = ovs_interface_external_ids_value(iface, "iface-id");
    const char *chassis = ovs_port_external_ids_value(port, "ovn-chassis-id");
    const char *uplink = ovs_port_external_ids_value(port, "ovn-localnet-port");
    if (!uplink)
        uplink = ovs_port_external_ids_value(port, "ovn-l2gateway-port");
    k->is_tunnel_port = chassis != NULL;
    k->is_uplink = uplink != NULL;
    if (ofport <= 0 || ofport >= PORT_MAX)
        return;
    if (id) {
        k->sort = SORT_IFACE;
        k->as_iface.iface_id = program_name(p, id);
        k->as_iface.name = program_name(p, ovs_interface_name(iface));
        k->as_iface.ofport = (uint32_t)ofport;
    } else if (chassis) {
        read_tunnel(k, p, iface, chassis);
    } else if (uplink) {
        k->sort = SORT_UPLINK;
        k->as_uplink.port = program_name(p, uplink);
        k->as_uplink.ofport = (uint32_t)ofport;
    }
}

/* One update. */
struct pass {
    struct hypervisor *h;
    const struct replica *ovs;
    const struct datum *ports; /* of the bridge; NULL: there is none */
    unsigned tunnel_option;
    bool is_all;
};

static struct known *known_find(const struct hypervisor *h, const struct uuid *uuid)
{
    struct known *k;
    HMAP_FOR_EACH_WITH_HASH (k, by_iface, uuid_hash(uuid), &h->known)
        if (uuid_equal(&k->iface->uuid, uuid))
            return k;
    return NULL;
}

const struct ovs_interface *hypervisor_interface(const struct hypervisor *h,
                                                 const struct replica *ovs, const char *name)
{
    const struct row *row = NULL;
    const struct known *k;
    HMAP_FOR_EACH_WITH_HASH (k, by_name, hash_text(name), &h->by_name)
        if (!row && !strcmp(ovs_interface_name(ovs_interface_cast(k->iface)), name))
            row = replica_row_find(ovs, replica_table(ovs, "Interface"), &k->iface->uuid);
    return row ? ovs_interface_cast(row) : NULL;
}

static void retract(struct hypervisor *h, const struct known *k)
{
    if (k->sort)
        inc_retract(h->inc, coll_of(h->program, k->sort), &k->as_iface);
    h->are_tunnels_moved |= k->is_tunnel_port;
    h->are_uplinks_moved |= k->is_uplink;
}

/* What the engine hears of an interface: the new before the old goes. */
static void see_interface(struct pass *pass, const struct row *port, const struct row *iface)
{
    struct hypervisor *h = pass->h;
    struct known *k = known_find(h, &iface->uuid), old = {.sort = SORT_NONE};
    h->n_seen++;
    if (!k)
        k = NEW(struct known);
    else
        old = *k;
    k->is_gone = false;
    if (k->port == port && k->iface == iface && k->tunnel_option == pass->tunnel_option)
        return;
    if (k->iface)
        known_unfile(h, k);
    memset(&k->as_iface, 0, sizeof *k - offsetof(struct known, as_iface));
    k->sort = SORT_NONE;
    k->port = row_ref(port);
    k->iface = row_ref(iface);
    k->tunnel_option = pass->tunnel_option;
    known_read(k, h->program);
    known_file(h, k);
    if (k->sort)
        inc_assert(h->inc, coll_of(h->program, k->sort), &k->as_iface);
    h->are_tunnels_moved |= k->is_tunnel_port;
    h->are_uplinks_moved |= k->is_uplink;
    retract(h, &old);
    known_release(&old);
}

/* Those of the Port of that UUID, which may be gone from the bridge. */
static void read_port(struct pass *pass, const struct uuid *uuid)
{
    struct hypervisor *h = pass->h;
    const struct row *port = NULL, *iface;
    VEC(struct known *) old = VEC_INIT;
    struct known *k;
    HMAP_FOR_EACH_WITH_HASH (k, by_port, uuid_hash(uuid), &h->by_port)
        if (uuid_equal(&k->port->uuid, uuid))
            vec_push(&old, k);
    for (size_t i = 0; i < old.n; i++)
        old.data[i]->is_gone = true;
    if (pass->ports && datum_find(pass->ports, &(union atom){.uuid = *uuid}) >= 0)
        port = replica_row_find(pass->ovs, replica_table(pass->ovs, "Port"), uuid);
    const struct datum *ifaces = port ? ovs_port_interfaces(ovs_port_cast(port)) : NULL;
    for (uint32_t i = 0; ifaces && i < ifaces->n; i++) {
        iface = replica_row_find(pass->ovs, replica_table(pass->ovs, "Interface"),
                                 &ifaces->atoms[i].uuid);
        if (iface)
            see_interface(pass, port, iface);
    }
    for (size_t i = 0; i < old.n; i++) {
        if (!old.data[i]->is_gone)
            continue;
        retract(h, old.data[i]);
        known_unfile(h, old.data[i]);
        known_release(old.data[i]);
        free(old.data[i]);
    }
    vec_fini(&old);
}

/* ROW of Port or Interface. What is not known is of another bridge, or has come with the bridge's row. */
static void read_changed(struct pass *pass, const struct uuid *uuid)
{
    const struct known *k = known_find(pass->h, uuid);
    struct uuid port = k ? k->port->uuid : *uuid;
    read_port(pass, &port);
}

/* Ports that only one version of the bridge's row has, or all that any has. */
static void read_ports(struct pass *pass, const struct row *bridge)
{
    const struct datum *none = datum_new_empty(ATOM_UUID, DATUM_SET);
    const struct row *was = pass->h->bridge;
    const struct datum *old = was ? ovs_bridge_ports(ovs_bridge_cast(was)) : none;
    const struct datum *new = bridge ? ovs_bridge_ports(ovs_bridge_cast(bridge)) : none;
    const struct datum *look = pass->is_all ? datum_union(old, new)
                               : old != new ? datum_difference(old, new)
                                            : NULL;
    for (uint32_t i = 0; look && i < look->n; i++)
        read_port(pass, &look->atoms[i].uuid);
    datum_unref(look);
    datum_unref(none);
}

/* --- Physical networks */

struct found {
    struct program *program;
    VEC(struct fact_mapping) mappings;
};

static void add_mapping(const char *network, const char *bridge UNUSED, void *found_)
{
    struct found *found = found_;
    struct fact_mapping *f = vec_push_zero(&found->mappings);
    f->network = program_name(found->program, network);
}

/* They are few: all new ones are asserted, then all old ones retracted. */
static void update_mappings(struct hypervisor *h, const struct config *config)
{
    struct found found = {.program = h->program};
    config_for_each_mapping(config, add_mapping, &found);
    for (size_t i = 0; i < found.mappings.n; i++)
        inc_assert(h->inc, h->program->mapping, &found.mappings.data[i]);
    for (size_t i = 0; i < h->mappings.n; i++)
        inc_retract(h->inc, h->program->mapping, &h->mappings.data[i]);
    mappings_forget(h);
    memcpy(&h->mappings, &found.mappings, sizeof h->mappings);
}

/* Rows of Port and Interface that uplinks are made of, on whatever bridge. */
static bool is_of_uplink(const struct row *row)
{
    if (!row)
        return false;
    if (row->table->index == OVS_TABLE_INTERFACE)
        return !strcmp(ovs_interface_type(ovs_interface_cast(row)), "patch");
    const struct ovs_port *port = ovs_port_cast(row);
    return ovs_port_external_ids_value(port, "ovn-localnet-port") ||
           ovs_port_external_ids_value(port, "ovn-l2gateway-port");
}

/* A Bridge whose ports alone have changed. */
static bool is_of_ports(const struct change *c)
{
    for (size_t i = 0; c->before && c->after && i < c->after->table->n_columns; i++)
        if (i != OVS_BRIDGE_COL_PORTS && c->before->values[i] != c->after->values[i] &&
            !datum_equal(c->before->values[i], c->after->values[i]))
            return false;
    return c->before && c->after;
}

void hypervisor_row_changed(struct hypervisor *h, const struct change *change)
{
    const struct row *row = change->after ? change->after : change->before;
    int table = row->table->index;
    if (table == OVS_TABLE_PORT || table == OVS_TABLE_INTERFACE) {
        h->are_uplinks_moved |= is_of_uplink(change->before) || is_of_uplink(change->after);
        if (change->before && change->after && h->changed.n < CHANGED_MAX)
            vec_push(&h->changed, row->uuid);
        else if (change->before && change->after)
            h->is_walk_due = true;
    } else if (table == OVS_TABLE_BRIDGE && h->bridge && is_of_ports(change)) {
        h->are_uplinks_moved |= !uuid_equal(&row->uuid, &h->bridge->uuid);
    } else {
        h->is_walk_due = true;
    }
}

static void update_ports(struct pass *pass, const struct config *config)
{
    struct hypervisor *h = pass->h;
    const struct ovs_bridge *bridge =
        config->bridge ? bridge_find(pass->ovs, config->bridge) : NULL;
    const struct row *row = bridge ? &bridge->row : NULL, *was = h->bridge;
    pass->ports = bridge ? ovs_bridge_ports(bridge) : NULL;
    read_ports(pass, row);
    for (size_t i = 0; !pass->is_all && i < h->changed.n; i++)
        read_changed(pass, &h->changed.data[i]);
    h->bridge = row ? row_ref(row) : NULL;
    row_unref(was);
    h->are_uplinks_moved |= pass->is_all;
}

void hypervisor_update(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                       const struct replica *sb, unsigned tunnel_option)
{
    update_self(h, config, sb);
    struct pass pass = {.h = h, .ovs = ovs, .tunnel_option = tunnel_option};
    pass.is_all = h->is_walk_due || tunnel_option != h->tunnel_option;
    update_ports(&pass, config);
    vec_clear(&h->changed);
    h->is_walk_due = false;
    h->tunnel_option = tunnel_option;
    update_mappings(h, config);
}
