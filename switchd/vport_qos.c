/* vport_qos.c - queues of a port and what it may receive: see qos/qos.h. */
#include "base/log.h"
#include "switchd/vswitch.h"

LOG_MODULE(qos);

/* Whether the port's queues are the kernel's business. */
static bool has_queues(const struct vport *port)
{
    return port->dev && port->dev->class == &port_class_system && port->dev->status.ifindex;
}

void vport_set_qos(struct vport *port, struct qos_config *config)
{
    struct diag diag = DIAG_INIT;
    const struct port_status *s = port->dev ? &port->dev->status : NULL;
    if (!has_queues(port)) {
        if (config->type && !port->qos.failed)
            log_warn("%s: QoS needs a device of the kernel's", port->name);
        port->qos.failed = config->type != NULL;
        qos_config_fini(config);
        return;
    }
    const void *queues = port->qos.config.queues.data;
    if (qos_apply(&port->qos, s->ifindex, s->mtu, s->speed_mbps, config,
                  env_now_ms(port->bridge->vs->env), &diag))
        log_warn("%s: QoS: %s", port->name, diag_text(&diag));
    if (port->qos.config.queues.data != queues) /* translations mark packets as they say */
        vswitch_invalidate(port->bridge->vs);
    if (port->qos.config.type || queues)
        port->dev->class->refresh(
            port->dev); /* the device has a queue discipline now, or none any more */
    diag_fini(&diag);
}

void vport_set_policing(struct vport *port, uint64_t kbps, uint64_t burst_kb, uint64_t kpps,
                        uint64_t burst_kpkts)
{
    struct policer *p = &port->policer;
    /* As Open vSwitch has it: a burst that is not said is 8,000 kilobits, or as many packets as a fifth of a second has. */
    uint64_t burst_bits = (burst_kb ? burst_kb : 8000) * 1000;
    uint64_t burst_packets = burst_kpkts ? burst_kpkts * 1000 : MAX(kpps * 200, UINT64_C(16));
    if (p->bits_per_s == kbps * 1000 && p->burst_bits == burst_bits &&
        p->packets_per_s == kpps * 1000 && p->burst_packets == burst_packets)
        return;
    *p = (struct policer){.bits_per_s = kbps * 1000,
                          .burst_bits = burst_bits,
                          .packets_per_s = kpps * 1000,
                          .burst_packets = burst_packets,
                          .bits = (double)burst_bits,
                          .packets = (double)burst_packets,
                          .filled_us = env_now_us(port->bridge->vs->env)};
}

bool vport_police(struct vport *port, size_t size)
{
    struct policer *p = &port->policer;
    int64_t now_us = env_now_us(port->bridge->vs->env);
    double seconds = (double)(now_us - p->filled_us) / 1e6, bits = (double)size * 8;
    p->filled_us = now_us;
    p->bits = MIN(p->bits + seconds * (double)p->bits_per_s, (double)p->burst_bits);
    p->packets = MIN(p->packets + seconds * (double)p->packets_per_s, (double)p->burst_packets);
    if ((p->bits_per_s && p->bits < bits) || (p->packets_per_s && p->packets < 1))
        return false;
    p->bits -= bits;
    p->packets -= 1;
    return true;
}
