/* hypervisor.c - see hypervisor.h. Room 1 of docs/architecture.md, the switch's side: what is not rows of SB. An interface is looked at again
 * when its row or its port's is another version, and all are walked over only when more than rows of interfaces has changed, so that one more of
 * a thousand costs little.
 */
#include "controller/chassis/hypervisor.h"

#include <stdlib.h>
#include <string.h>

#include "controller/chassis/bridge.h"
#include "flow/field.h"
#include "rows/ovs.h"
#include "rows/sb.h"

enum sort { SORT_NONE, SORT_IFACE, SORT_TUNNEL, SORT_UPLINK };

/* An interface of the bridge as it was seen last. */
struct known {
    struct hnode node;
    const struct row *port, *iface;
    unsigned tunnel_option;
    uint64_t round; /* in which it was there */
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
    HMAP_FOR_EACH_SAFE (k, node, &h->known) {
        hmap_remove(&h->known, &k->node);
        known_release(k);
        free(k);
    }
    hmap_fini(&h->known);
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

struct pass {
    struct hypervisor *h;
    unsigned tunnel_option;
    size_t n; /* interfaces that are there */
};

static struct known *known_find(const struct hypervisor *h, const struct uuid *uuid)
{
    struct known *k;
    HMAP_FOR_EACH_WITH_HASH (k, node, uuid_hash(uuid), &h->known)
        if (uuid_equal(&k->iface->uuid, uuid))
            return k;
    return NULL;
}

static struct known *known_get(struct hypervisor *h, const struct uuid *uuid)
{
    struct known *k = known_find(h, uuid);
    if (k)
        return k;
    k = NEW(struct known);
    hmap_insert(&h->known, &k->node, uuid_hash(uuid));
    return k;
}

static void see_interface(const struct ovs_port *port, const struct ovs_interface *iface,
                          void *pass_)
{
    struct pass *pass = pass_;
    struct hypervisor *h = pass->h;
    struct known *k = known_get(h, ovs_interface_uuid(iface)), old = *k;
    pass->n += k->round != h->round;
    k->round = h->round;
    if (k->port == &port->row && k->iface == &iface->row && k->tunnel_option == pass->tunnel_option)
        return;
    memset(&k->as_iface, 0, sizeof *k - offsetof(struct known, as_iface));
    k->sort = SORT_NONE;
    k->port = row_ref(&port->row);
    k->iface = row_ref(&iface->row);
    k->tunnel_option = pass->tunnel_option;
    known_read(k, h->program);
    if (k->sort)
        inc_assert(h->inc, coll_of(h->program, k->sort), &k->as_iface);
    if (old.sort)
        inc_retract(h->inc, coll_of(h->program, old.sort), &old.as_iface);
    h->are_tunnels_moved |= k->is_tunnel_port || old.is_tunnel_port;
    known_release(&old);
}

static void forget_unseen(struct hypervisor *h)
{
    struct known *k;
    HMAP_FOR_EACH_SAFE (k, node, &h->known) {
        if (k->round == h->round)
            continue;
        if (k->sort)
            inc_retract(h->inc, coll_of(h->program, k->sort), &k->as_iface);
        h->are_tunnels_moved |= k->is_tunnel_port;
        hmap_remove(&h->known, &k->node);
        known_release(k);
        free(k);
    }
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

void hypervisor_row_changed(struct hypervisor *h, const struct change *change)
{
    const struct row *row = change->after;
    bool is_one = row && change->before && row->table->index == OVS_TABLE_INTERFACE;
    if (is_one && h->changed.n < h->known.n)
        vec_push(&h->changed, row->uuid);
    else
        h->is_walk_due = true;
}

/* All interfaces of the bridge. */
static void walk(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                 unsigned tunnel_option)
{
    const struct ovs_bridge *bridge = config->bridge ? bridge_find(ovs, config->bridge) : NULL;
    struct pass pass = {h, tunnel_option, 0};
    h->round++;
    if (bridge)
        bridge_for_each_interface(bridge, ovs, see_interface, &pass);
    if (pass.n != h->known.n)
        forget_unseen(h);
    h->are_uplinks_moved = true;
}

/* Only those whose rows have changed. What is not known is of another bridge. */
static void look_at_changed(struct hypervisor *h, const struct replica *ovs)
{
    struct pass pass = {h, h->tunnel_option, 0};
    for (size_t i = 0; i < h->changed.n; i++) {
        const struct uuid *uuid = &h->changed.data[i];
        const struct known *k = known_find(h, uuid);
        const struct row *iface = replica_row_find(ovs, replica_table(ovs, "Interface"), uuid);
        if (k && iface)
            see_interface(ovs_port_cast(k->port), ovs_interface_cast(iface), &pass);
        h->are_uplinks_moved |= !k || !iface || k->is_uplink;
    }
}

void hypervisor_update(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                       const struct replica *sb, unsigned tunnel_option)
{
    update_self(h, config, sb);
    if (h->is_walk_due || tunnel_option != h->tunnel_option)
        walk(h, config, ovs, tunnel_option);
    else
        look_at_changed(h, ovs);
    vec_clear(&h->changed);
    h->is_walk_due = false;
    h->tunnel_option = tunnel_option;
    update_mappings(h, config);
}
