/* xlate_normal.c - the NORMAL action: an ordinary learning switch with VLANs (IEEE 802.1Q). */
#include <stdlib.h>
#include <string.h>

#include "switchd/xlate_ctx.h"

static bool trunks_vlan(const struct vlan_config *c, uint16_t vlan)
{
    return !c->trunks || c->trunks[vlan / 64] >> (vlan % 64) & 1;
}

/* Whether PORT carries VLAN at all. */
static bool port_in_vlan(const struct vport *port, uint16_t vlan)
{
    const struct vlan_config *c = &port->vlan;
    switch (c->mode) {
    case VLAN_ACCESS:
        return vlan == c->tag;
    case VLAN_NATIVE_TAGGED:
    case VLAN_NATIVE_UNTAGGED:
        return vlan == c->tag || (vlan && trunks_vlan(c, vlan)); /* without a tag it is native */
    case VLAN_TRUNK:
        return trunks_vlan(c, vlan);
    }
    return false;
}

/* The VLAN that a packet with TCI belongs to when it comes in on PORT; -1: it may not. */
int xlate_vlan_of(const struct vport *port, uint16_t tci)
{
    uint16_t vid = tci & VLAN_CFI ? tci & VLAN_VID_MASK : 0;
    if (!port)
        return vid;
    const struct vlan_config *c = &port->vlan;
    if (c->mode == VLAN_ACCESS)
        return vid ? -1 : c->tag;
    if (c->mode != VLAN_TRUNK && !vid)
        return c->tag;
    return port_in_vlan(port, vid) ? vid : -1;
}

/* Whether a tag without a VLAN, with the priority PCP, leaves through a port; TAKEN_OFF: it had one. As Open vSwitch does, where "never" leaves
 * the tags with a priority that come as such. */
static bool keeps_priority(const struct vlan_config *c, uint16_t pcp, bool taken_off)
{
    return taken_off ? pcp && c->priority_tags != PRIORITY_NEVER
                     : pcp || c->priority_tags == PRIORITY_ALWAYS;
}

/* Sends the packet of VLAN out of PORT with the tag that the port wants. */
static void output_in_vlan(struct xctx *x, struct vport *port, uint16_t vlan)
{
    struct subfield sub = subfield_whole(FIELD_VLAN_TCI);
    uint16_t before = swap16(x->key.vlan_tci);
    const struct vlan_config *c = &port->vlan;
    bool untagged = c->mode == VLAN_ACCESS || (c->mode == VLAN_NATIVE_UNTAGGED && vlan == c->tag);
    uint16_t tci = 0, pcp = before & VLAN_PCP_MASK;
    if (!untagged && vlan)
        tci = pcp | VLAN_CFI | vlan;
    else if (before & VLAN_CFI && keeps_priority(c, pcp, untagged))
        tci = pcp | VLAN_CFI;
    if (tci == before) {
        xlate_output_port(x, port);
        return;
    }
    xctx_set(x, &sub, tci);
    xlate_output_port(x, port);
    xctx_set(x, &sub, before);
}

void xlate_flood_vlan(struct xctx *x, uint16_t vlan, uint32_t in_port)
{
    vport_vec ports = VEC_INIT;
    bridge_ports_sorted(x->br, &ports);
    for (size_t i = 0; i < ports.n && !x->stop; i++) {
        struct vport *port = ports.data[i];
        if (port->ofport != in_port && !(port->config & OF_PC_NO_FLOOD) &&
            port_in_vlan(port, vlan) && !mirrors_own_port(&x->br->mirrors, port->ofport))
            output_in_vlan(x, port, vlan);
    }
    vec_fini(&ports);
}

/* Link-local protocols that a bridge does not forward (IEEE 802.1Q table 8-1). */
static bool is_reserved(struct mac mac)
{
    return mac_to_u64(mac) >> 4 == 0x0180c200000;
}

static void depend_on_mac(struct xctx *x, struct mac mac, uint16_t vlan)
{
    xctx_depend(x, (struct dep_key){
                       .kind = DEP_MAC, .bridge_no = x->br->number, .id = dep_mac_id(mac, vlan)});
}

void xlate_normal(struct xctx *x)
{
    xctx_use(x, FIELD_ETH_SRC);
    xctx_use(x, FIELD_ETH_DST);
    xctx_use(x, FIELD_VLAN_TCI);
    uint32_t in_port = key_in_port(&x->key);
    struct vport *in = bridge_port(x->br, in_port);
    int vlan = xlate_vlan_of(in, swap16(x->key.vlan_tci));
    bool own = mirrors_own_port(&x->br->mirrors, in_port);
    bool reserved = is_reserved(x->key.eth_dst) && !x->br->forward_bpdu;
    if (vlan < 0 || own || reserved) {
        xctx_note(x, "     >> %s, dropping",
                  vlan < 0 ? "VLAN not allowed on the input port"
                  : own    ? "the input port is a mirror's output"
                           : "reserved destination address");
        xctx_drop(x, DROP_NORMAL);
        return;
    }
    x->out->used_macs = true;
    if (in && !mac_is_multicast(x->key.eth_src)) {
        const struct mac_entry *was = mac_table_find(&x->br->macs, x->key.eth_src, (uint16_t)vlan);
        if (!was || !was->is_static) {
            struct effect *e = xctx_effect(x, EFFECT_MAC);
            e->mac.bridge_no = x->br->number;
            e->mac.mac = x->key.eth_src;
            e->mac.vlan = (uint16_t)vlan;
            e->mac.port = in_port;
        }
        depend_on_mac(x, x->key.eth_src,
                      (uint16_t)vlan); /* what is counted late must not move it back */
    }
    const struct mac_entry *known = NULL;
    if (!mac_is_multicast(x->key.eth_dst)) {
        depend_on_mac(x, x->key.eth_dst, (uint16_t)vlan);
        known = mac_table_find(&x->br->macs, x->key.eth_dst, (uint16_t)vlan);
    }
    struct vport *port = known ? bridge_port(x->br, known->port) : NULL;
    if (!port) {
        xctx_note(x, "     -> %s, flooding",
                  mac_is_multicast(x->key.eth_dst) ? "multicast destination"
                                                   : "no learned MAC for destination");
        xlate_flood_vlan(x, (uint16_t)vlan, in_port);
        return;
    }
    if (port->ofport == in_port) {
        xctx_note(x, "     -> learned port is the input port, dropping");
        xctx_drop(x, DROP_NORMAL);
        return;
    }
    xctx_note(x, "     -> forwarding to learned port");
    output_in_vlan(x, port, (uint16_t)vlan);
}
