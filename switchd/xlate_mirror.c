/* xlate_mirror.c - copies of a packet for the bridge's mirrors; see mirror.h. */
#include "switchd/xlate_ctx.h"

/* Sends the packet, as it is now, to M's port, or into its VLAN. */
static void copy_to(struct xctx *x, const struct mirror *m)
{
    uint32_t in_port = key_in_port(&x->key);
    uint32_t trunc = x->trunc;
    x->trunc = m->snaplen;
    if (m->out_port) {
        struct vport *port = bridge_port(x->br, m->out_port);
        if (port && port->ofport != in_port)
            xlate_output_port(x, port);
    } else if (m->out_vlan) {
        xlate_flood_vlan(x, m->out_vlan, in_port);
    }
    x->trunc = trunc;
}

void xlate_mirror(struct xctx *x, const struct vport *port, bool input)
{
    struct mirrors *mirrors = &x->br->mirrors;
    bool delivered = x->out->delivered;
    for (size_t i = 0; i < mirrors->n && !x->stop; i++) {
        const struct mirror *m = &mirrors->list[i];
        if (x->mirrored >> i & 1 || !mirror_selects_port(m, port->ofport, input))
            continue;
        if (m->vlans || m->out_vlan)
            xctx_use(x, FIELD_VLAN_TCI);
        int vlan = xlate_vlan_of(port, swap16(x->key.vlan_tci));
        /* What a mirror has sent into its VLAN is not sent there again. */
        if (vlan < 0 || !mirror_selects_vlan(m, (uint16_t)vlan) ||
            (m->out_vlan && vlan == m->out_vlan))
            continue;
        x->mirrored |= 1u << i;
        xctx_note(x, "     -> mirror %s", m->name);
        struct effect *e = xctx_effect(x, EFFECT_MIRROR);
        e->at.bridge_no = x->br->number;
        e->at.id = (uint32_t)i;
        copy_to(x, m);
    }
    x->out->delivered = delivered; /* a packet that only a mirror saw is lost all the same */
}
