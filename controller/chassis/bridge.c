/* bridge.c - see bridge.h. The switch's side of room 1 (docs/architecture.md). Never deletes a bridge.
 */
#include "controller/chassis/bridge.h"

#include <string.h>

const struct ovs_bridge *bridge_find(const struct replica *ovs, const char *name)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, ovs, replica_table(ovs, "Bridge"))
    {
        const struct ovs_bridge *bridge = ovs_bridge_cast(row);
        if (!strcmp(ovs_bridge_name(bridge), name))
            return bridge;
    }
    return NULL;
}

static void bridge_make(const struct config *config, struct writer *w)
{
    struct uuid iface = writer_insert(w, "Interface");
    writer_text(w, "Interface", &iface, "name", config->bridge);
    writer_text(w, "Interface", &iface, "type", "internal");
    struct uuid port = writer_insert(w, "Port");
    writer_text(w, "Port", &port, "name", config->bridge);
    writer_uuid(w, "Port", &port, "interfaces", &iface);
    struct uuid bridge = writer_insert(w, "Bridge");
    writer_text(w, "Bridge", &bridge, "name", config->bridge);
    writer_text(w, "Bridge", &bridge, "fail_mode", "secure");
    writer_uuid(w, "Bridge", &bridge, "ports", &port);
    writer_pair(w, "Bridge", &bridge, "other_config", "disable-in-band", "true");
    if (config->datapath_type)
        writer_text(w, "Bridge", &bridge, "datapath_type", config->datapath_type);
    writer_add_ref(w, "Open_vSwitch", &config->row, "bridges", &bridge);
    writer_comment(w, "creating integration bridge '%s'", config->bridge);
}

void bridge_run(const struct config *config, const struct replica *ovs, struct writer *w)
{
    const struct ovs_bridge *bridge = bridge_find(ovs, config->bridge);
    if (!bridge) {
        bridge_make(config, w);
        return;
    }
    if (config->datapath_type && strcmp(ovs_bridge_datapath_type(bridge), config->datapath_type))
        writer_text(w, "Bridge", ovs_bridge_uuid(bridge), "datapath_type", config->datapath_type);
}

void bridge_for_each_interface(const struct ovs_bridge *bridge, const struct replica *ovs,
                               void (*fn)(const struct ovs_port *port,
                                          const struct ovs_interface *iface, void *aux),
                               void *aux)
{
    const struct schema_table *ports = replica_table(ovs, "Port"),
                              *ifaces = replica_table(ovs, "Interface");
    const struct datum *port_ids = ovs_bridge_ports(bridge);
    for (size_t i = 0; i < port_ids->n; i++) {
        const struct row *port = replica_row_find(ovs, ports, &port_ids->atoms[i].uuid);
        if (!port)
            continue;
        const struct datum *iface_ids = ovs_port_interfaces(ovs_port_cast(port));
        for (size_t j = 0; j < iface_ids->n; j++) {
            const struct row *iface = replica_row_find(ovs, ifaces, &iface_ids->atoms[j].uuid);
            if (iface)
                fn(ovs_port_cast(port), ovs_interface_cast(iface), aux);
        }
    }
}
