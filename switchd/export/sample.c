/* sample.c - DP_SAMPLE carried out: a packet that chance picks goes to its set of collectors; see export.h. */
#include "switchd/export/sample.h"

#include "switchd/vswitch.h"

/* 0: the kernel does not know the port. */
static uint32_t ifindex(const struct vport *port)
{
    return port && port->dev ? port->dev->status.ifindex : 0;
}

void export_sample(struct vswitch *vs, struct packet *packet, const struct dp_sample *s)
{
    if (s->probability != UINT16_MAX && (env_random_u64(vs->env) & UINT16_MAX) >= s->probability)
        return;
    struct bridge *br = vswitch_bridge_numbered(vs, s->bridge_no);
    struct export_set *set = br ? exports_find(&br->exports, s->set_id) : NULL;
    if (!set)
        return;
    struct ipfix_sample sample = {.domain = s->domain,
                                  .point = s->point,
                                  .direction = s->egress,
                                  .in_port = ifindex(vswitch_port(vs, packet->md.in_port)),
                                  .has_out_port = s->out_port != 0,
                                  .size = packet->size};
    if (s->out_port)
        sample.out_port = ifindex(bridge_port(br, s->out_port));
    flow_extract(packet, &sample.key);
    if (packet->l3_ofs != PACKET_NO_OFS && packet->l3_end > packet->l3_ofs)
        sample.ip_size = packet->l3_end - packet->l3_ofs;
    ipfix_sample(&set->ipfix, &sample);
}
