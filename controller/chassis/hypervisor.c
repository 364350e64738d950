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

static void iface_unref(const struct fact_iface *f)
{
    rstr_unref(f->iface_id);
    rstr_unref(f->name);
}

void hypervisor_fini(struct hypervisor *h)
{
    for (size_t i = 0; i < h->ifaces.n; i++)
        iface_unref(&h->ifaces.data[i]);
    for (size_t i = 0; i < h->tunnels.n; i++)
        rstr_unref(h->tunnels.data[i].chassis);
    if (h->has_self)
        rstr_unref(h->self.name);
    vec_fini(&h->ifaces);
    vec_fini(&h->tunnels);
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
    }
    if (h->has_self == !!row && (!row || !memcmp(&self, &h->self, sizeof self))) {
        rstr_unref(self.name);
        return;
    }
    if (row)
        inc_assert(h->inc, h->program->self, &self);
    if (h->has_self) {
        inc_retract(h->inc, h->program->self, &h->self);
        rstr_unref(h->self.name);
    }
    h->has_self = row;
    h->self = self;
}

/* What the bridge has now. */
struct found {
    struct hypervisor *h;
    VEC(struct fact_iface) ifaces;
    VEC(struct fact_tunnel) tunnels;
};

static void add_interface(const struct ovs_port *port, const struct ovs_interface *iface,
                          void *found_)
{
    struct found *found = found_;
    struct program *p = found->h->program;
    int64_t ofport = ovs_interface_ofport(iface);
    if (ofport <= 0 || ofport >= PORT_MAX)
        return;
    const char *id = ovs_interface_external_ids_value(iface, "iface-id");
    const char *chassis = ovs_port_external_ids_value(port, "ovn-chassis-id");
    if (id) {
        struct fact_iface *f = vec_push_zero(&found->ifaces);
        f->iface_id = program_name(p, id);
        f->name = program_name(p, ovs_interface_name(iface));
        f->ofport = (uint32_t)ofport;
    } else if (chassis) { /* chassis@ip, or chassis@ip%local-ip */
        struct fact_tunnel *f = vec_push_zero(&found->tunnels);
        const char *at = strrchr(chassis, '@');
        f->chassis =
            rstr_pool_get_n(&p->names, chassis, at ? (size_t)(at - chassis) : strlen(chassis));
        f->ofport = (uint32_t)ofport;
    }
}

static int compare_ifaces(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fact_iface));
}

static int compare_tunnels(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fact_tunnel));
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

void hypervisor_update(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                       const struct replica *sb)
{
    update_self(h, config, sb);
    struct found found = {.h = h};
    const struct ovs_bridge *bridge = config->bridge ? bridge_find(ovs, config->bridge) : NULL;
    if (bridge)
        bridge_for_each_interface(bridge, ovs, add_interface, &found);
    if (found.ifaces.n)
        qsort(found.ifaces.data, found.ifaces.n, sizeof *found.ifaces.data, compare_ifaces);
    if (found.tunnels.n)
        qsort(found.tunnels.data, found.tunnels.n, sizeof *found.tunnels.data, compare_tunnels);
    put_difference(h->inc, h->program->iface, (const char *)h->ifaces.data, h->ifaces.n,
                   (const char *)found.ifaces.data, found.ifaces.n, sizeof(struct fact_iface));
    put_difference(h->inc, h->program->tunnel, (const char *)h->tunnels.data, h->tunnels.n,
                   (const char *)found.tunnels.data, found.tunnels.n, sizeof(struct fact_tunnel));
    for (size_t i = 0; i < h->ifaces.n; i++)
        iface_unref(&h->ifaces.data[i]);
    for (size_t i = 0; i < h->tunnels.n; i++)
        rstr_unref(h->tunnels.data[i].chassis);
    vec_fini(&h->ifaces);
    vec_fini(&h->tunnels);
    memcpy(&h->ifaces, &found.ifaces, sizeof h->ifaces);
    memcpy(&h->tunnels, &found.tunnels, sizeof h->tunnels);
}
