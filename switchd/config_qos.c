/* config_qos.c - rows of QoS and Queue, and the policing of Interface, become queues and limits of ports; see config.h and
 * qos/qos.h. */
#include <stdlib.h>
#include <string.h>

#include "rows/ovs.h"
#include "switchd/config.h"

static int by_id(const void *a_, const void *b_)
{
    const struct qos_queue *a = a_, *b = b_;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void read_queues(const struct config *config, const struct datum *map,
                        struct qos_config *ret)
{
    for (uint32_t i = 0; i < map->n; i++) {
        const struct row *row_ = config_ref(config, OVS_TABLE_QUEUE, &datum_values(map)[i].uuid);
        if (!row_)
            continue;
        const struct ovs_queue *row = ovs_queue_cast(row_);
        struct qos_queue *q = vec_push_zero(&ret->queues);
        q->id = (uint32_t)map->atoms[i].integer;
        q->dscp = ovs_queue_dscp_present(row) ? (int)ovs_queue_dscp(row) : -1;
        config_read_smap(&q->config, ovs_queue_other_config(row));
    }
    if (ret->queues.n)
        qsort(ret->queues.data, ret->queues.n, sizeof ret->queues.data[0], by_id);
}

void config_apply_qos(const struct config *config, struct vport *port, const struct row *port_row,
                      const struct row *interface_row)
{
    const struct ovs_interface *iface = ovs_interface_cast(interface_row);
    const struct uuid *ref = ovs_port_qos(ovs_port_cast(port_row));
    const struct row *row = ref ? config_ref(config, OVS_TABLE_QOS, ref) : NULL;
    struct qos_config qos;
    memset(&qos, 0, sizeof qos);
    if (row && *ovs_qos_type(ovs_qos_cast(row))) {
        qos.type = xstrdup(ovs_qos_type(ovs_qos_cast(row)));
        config_read_smap(&qos.config, ovs_qos_other_config(ovs_qos_cast(row)));
        read_queues(config, ovs_qos_queues(ovs_qos_cast(row)), &qos);
    }
    vport_set_qos(port, &qos);
    vport_set_policing(port, (uint64_t)ovs_interface_ingress_policing_rate(iface),
                       (uint64_t)ovs_interface_ingress_policing_burst(iface),
                       (uint64_t)ovs_interface_ingress_policing_kpkts_rate(iface),
                       (uint64_t)ovs_interface_ingress_policing_kpkts_burst(iface));
}
