/* hypervisor.c - see hypervisor.h. Room 2 of docs/architecture.md: inputs of the engine that are not rows of SB. The whole
 * list is made again after each change of the switch database and only the difference reaches the engine; a
 * hypervisor has hundreds of interfaces, not hundreds of thousands.
 */
#include "controller/chassis/hypervisor.h"

#include <stdlib.h>
#include <string.h>

#include "controller/chassis/bridge.h"
#include "flow/field.h"
#include "rows/sb.h"

void hypervisor_init(struct hypervisor *h, struct program *program, struct inc *inc)
{
    memset(h, 0, sizeof *h);
    h->program = program;
    h->inc = inc;
}

/* Drops the references of the facts of one kind, and the list. */
#define FORGET(LIST, TYPE)                                                                         \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < (LIST).n; i_++)                                                   \
            (TYPE).unref(&(LIST).data[i_]);                                                        \
        vec_fini(&(LIST));                                                                         \
    } while (0)

void hypervisor_fini(struct hypervisor *h)
{
    FORGET(h->ifaces, type_iface);
    FORGET(h->tunnels, type_tunnel);
    FORGET(h->uplinks, type_uplink);
    FORGET(h->mappings, type_mapping);
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

static void update_self(struct hypervisor *h, const struct config *config, const struct replica *sb)
{
    const struct row *row = hypervisor_chassis_row(config, sb);
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

/* What the bridge has now. */
struct found {
    struct program *program;
    unsigned tunnel_option;
    VEC(struct fact_iface) ifaces;
    VEC(struct fact_tunnel) tunnels;
    VEC(struct fact_uplink) uplinks;
    VEC(struct fact_mapping) mappings;
};

/* A tunnel port is marked with chassis@ip, or chassis@ip%local-ip. */
static void add_tunnel(struct found *found, const struct ovs_interface *iface, const char *chassis)
{
    struct program *p = found->program;
    struct fact_tunnel *f = vec_push_zero(&found->tunnels);
    const char *at = strrchr(chassis, '@'), *ip = ovs_interface_options_value(iface, "remote_ip");
    const char *bfd = ovs_interface_bfd_status_value(iface, "state");
    f->chassis = rstr_pool_get_n(&p->names, chassis, at ? (size_t)(at - chassis) : strlen(chassis));
    f->ip = program_name(p, ip ? ip : "");
    f->ofport = (uint32_t)ovs_interface_ofport(iface);
    f->type = !strcmp(ovs_interface_type(iface), "vxlan") ? TUNNEL_VXLAN : TUNNEL_GENEVE;
    f->is_down = bfd && strcmp(bfd, "up");
    f->option = (uint8_t)found->tunnel_option;
}

static void add_interface(const struct ovs_port *port, const struct ovs_interface *iface,
                          void *found_)
{
    struct found *found = found_;
    struct program *p = found->program;
    int64_t ofport = ovs_interface_ofport(iface);
    if (ofport <= 0 || ofport >= PORT_MAX)
        return;
    const char *id = ovs_interface_external_ids_value(iface, "iface-id");
    const char *chassis = ovs_port_external_ids_value(port, "ovn-chassis-id");
    const char *uplink = ovs_port_external_ids_value(port, "ovn-localnet-port");
    if (!uplink)
        uplink = ovs_port_external_ids_value(port, "ovn-l2gateway-port");
    if (id) {
        struct fact_iface *f = vec_push_zero(&found->ifaces);
        f->iface_id = program_name(p, id);
        f->name = program_name(p, ovs_interface_name(iface));
        f->ofport = (uint32_t)ofport;
    } else if (chassis) {
        add_tunnel(found, iface, chassis);
    } else if (uplink) {
        struct fact_uplink *f = vec_push_zero(&found->uplinks);
        f->port = program_name(p, uplink);
        f->ofport = (uint32_t)ofport;
    }
}

static void add_mapping(const char *network, const char *bridge UNUSED, void *found_)
{
    struct found *found = found_;
    struct fact_mapping *f = vec_push_zero(&found->mappings);
    f->network = program_name(found->program, network);
}

static int compare_ifaces(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fact_iface));
}

static int compare_tunnels(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fact_tunnel));
}

static int compare_uplinks(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fact_uplink));
}

static int compare_mappings(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fact_mapping));
}

/* Asserts what is only in NEW and retracts what is only in OLD: sorted arrays of facts of SIZE bytes. */
static void put_difference(struct inc *inc, const struct inc_coll *coll, const char *old,
                           size_t n_old, const char *new, size_t n_new, size_t size)
{
    size_t i = 0, j = 0;
    while (i < n_old || j < n_new) {
        int c = i == n_old ? 1 : j == n_new ? -1 : memcmp(old + i * size, new + j *size, size);
        if (c > 0)
            inc_assert(inc, coll, new + j++ *size);
        else if (c < 0)
            inc_retract(inc, coll, old + i++ * size);
        else
            i++, j++;
    }
}

/* The list that was found takes the place of the one that is asserted. */
#define PUT(COLL, OLD, FOUND, TYPE, COMPARE)                                                       \
    do {                                                                                           \
        if ((FOUND).n)                                                                             \
            qsort((FOUND).data, (FOUND).n, sizeof *(FOUND).data, COMPARE);                         \
        put_difference(h->inc, COLL, (const char *)(OLD).data, (OLD).n,                            \
                       (const char *)(FOUND).data, (FOUND).n, sizeof *(OLD).data);                 \
        FORGET(OLD, TYPE);                                                                         \
        memcpy(&(OLD), &(FOUND), sizeof(OLD));                                                     \
    } while (0)

void hypervisor_update(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                       const struct replica *sb, unsigned tunnel_option)
{
    update_self(h, config, sb);
    const struct program *p = h->program;
    struct found found = {.program = h->program, .tunnel_option = tunnel_option};
    const struct ovs_bridge *bridge = config->bridge ? bridge_find(ovs, config->bridge) : NULL;
    if (bridge)
        bridge_for_each_interface(bridge, ovs, add_interface, &found);
    config_for_each_mapping(config, add_mapping, &found);
    PUT(p->iface, h->ifaces, found.ifaces, type_iface, compare_ifaces);
    PUT(p->tunnel, h->tunnels, found.tunnels, type_tunnel, compare_tunnels);
    PUT(p->uplink, h->uplinks, found.uplinks, type_uplink, compare_uplinks);
    PUT(p->mapping, h->mappings, found.mappings, type_mapping, compare_mappings);
}
