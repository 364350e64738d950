/* port.c - what all kinds of ports share; see port.h. */
#include "switchd/port/port.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "switchd/port/tunnel.h"

const struct port_class *const port_classes[] = {
    &port_class_system,
    &port_class_internal,
    &port_class_tap,
    &port_class_dummy,
    &port_class_geneve,
    &port_class_vxlan,
    NULL,
};

const struct port_class *port_class_find(const char *type)
{
    if (!*type)
        type = "system";
    for (size_t i = 0; port_classes[i]; i++) {
        if (!strcmp(port_classes[i]->type, type))
            return port_classes[i];
    }
    return NULL;
}

void port_host_init(struct port_host *host, struct loop *loop, struct env *env,
                    struct counters *counters,
                    void (*rx)(void *aux, struct port *port, struct packet *packets, size_t n),
                    void *aux)
{
    *host =
        (struct port_host){.loop = loop, .env = env, .counters = counters, .rx = rx, .aux = aux};
    host->batch = xcalloc(PORT_BATCH, sizeof *host->batch);
    for (size_t i = 0; i < PORT_BATCH; i++) {
        packet_init(&host->batch[i]);
        packet_reserve(&host->batch[i], PACKET_HEADROOM, PORT_FRAME_MAX);
    }
}

void port_host_fini(struct port_host *host)
{
    for (size_t i = 0; i < PORT_BATCH; i++)
        packet_fini(&host->batch[i]);
    free(host->batch);
    tunnel_table_free(host->tunnels);
}

struct packet *port_host_packet(struct port_host *host, size_t i)
{
    struct packet *p = &host->batch[i];
    if (!p->base || p->cap < PACKET_HEADROOM + PORT_FRAME_MAX) {
        packet_fini(p);
        packet_init(p);
        packet_reserve(p, PACKET_HEADROOM, PORT_FRAME_MAX);
    }
    uint8_t *base = p->base;
    uint32_t cap = p->cap;
    *p = (struct packet){.base = base,
                         .cap = cap,
                         .data = base + PACKET_HEADROOM,
                         .l3_ofs = PACKET_NO_OFS,
                         .l4_ofs = PACKET_NO_OFS};
    return p;
}

int port_open(struct port_host *host, const char *type, const char *name,
              const struct smap *options, struct port **ret, struct diag *diag)
{
    const struct port_class *class = port_class_find(type);
    if (class && !class->is_tunnel && host->dummy_override)
        class = &port_class_dummy;
    if (!class)
        return diag_set(diag, ERR_UNSUPPORTED, "could not create a port of unknown type %s", type);
    return class->open(host, name, options, ret, diag);
}

void port_close(struct port *port)
{
    if (port)
        port->class->close(port);
}

void port_send(struct port *port, const struct packet *packet, const struct dp_tunnel *tunnel)
{
    if (port->class->send(port, packet, tunnel)) {
        port->stats.tx_dropped++;
        return;
    }
    port->stats.tx_packets++;
    port->stats.tx_bytes += packet->size;
}

void port_init(struct port *port, const struct port_class *class, struct port_host *host,
               const char *name)
{
    memset(port, 0, sizeof *port);
    port->class = class;
    port->host = host;
    port->name = xstrdup(name);
}

void port_fini(struct port *port)
{
    free(port->name);
}
