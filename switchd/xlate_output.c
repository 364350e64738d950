/* xlate_output.c - where translated packets go: ports, patch ports, tunnels, floods, controllers. */
#include <stdlib.h>
#include <string.h>

#include "switchd/xlate_ctx.h"

/* ---- commit: the packet's headers become those of the working key ---- */

static const enum field_id commit_fields[] = {
    FIELD_ETH_SRC,   FIELD_ETH_DST,    FIELD_IP_SRC,      FIELD_IP_DST,      FIELD_IPV6_SRC,
    FIELD_IPV6_DST,  FIELD_IPV6_LABEL, FIELD_IP_TOS,      FIELD_IP_TTL,      FIELD_ARP_OP,
    FIELD_ARP_SPA,   FIELD_ARP_TPA,    FIELD_ARP_SHA,     FIELD_ARP_THA,     FIELD_TCP_SRC,
    FIELD_TCP_DST,   FIELD_UDP_SRC,    FIELD_UDP_DST,     FIELD_SCTP_SRC,    FIELD_SCTP_DST,
    FIELD_ICMP_TYPE, FIELD_ICMP_CODE,  FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE, FIELD_ND_TARGET,
    FIELD_ND_SLL,    FIELD_ND_TLL,     FIELD_MPLS_LABEL,  FIELD_MPLS_TC,     FIELD_MPLS_TTL,
    FIELD_PBB_ISID,  FIELD_PBB_UCA,
};

/* Adds BITS of field ID of the packet as it came in to the result's mask, written since or not. */
static void use_original(struct xctx *x, enum field_id id, u128 bits)
{
    if (bits)
        mask_set_masked(&x->out->mask, id, bits);
}

bool xlate_needs_commit(struct xctx *x, enum field_id id)
{
    u128 now = mask_get(&x->written, id), was = mask_get(&x->base_written, id);
    if (!(now | was))
        return false;
    u128 all = u128_ones(field_get(id)->n_bits);
    use_original(x, id, was & ~now);
    bool needs = (now & ~was) || ((key_get(&x->key, id) ^ key_get(&x->base, id)) & (now | was));
    if (needs)
        use_original(x, id, all & ~now);
    return needs;
}

void xlate_commit(struct xctx *x)
{
    if (x->key.skb_priority != x->base.skb_priority) {
        dp_put_queue(&x->out->actions, swap32(x->key.skb_priority));
        x->base.skb_priority = x->key.skb_priority;
    }
    if (!x->dirty)
        return;
    xlate_commit_tags(x);
    for (size_t i = 0; i < ARRAY_SIZE(commit_fields); i++) {
        enum field_id id = commit_fields[i];
        if (!(mask_get(&x->written, id) | mask_get(&x->base_written, id)) ||
            !xctx_has(x, field_get(id)->prereq) || !xlate_needs_commit(x, id))
            continue;
        u128 value = key_get(&x->key, id);
        dp_put_set(&x->out->actions, id, value);
        key_set(&x->base, id, value);
        mask_set(&x->base_written, id);
    }
    x->dirty = false;
}

/* ---- ports ---- */

static void output_patch(struct xctx *x, struct vport *port)
{
    struct vport *peer = vport_peer(port);
    if (!peer || peer->config & (OF_PC_PORT_DOWN | OF_PC_NO_RECV)) {
        xctx_drop(x, DROP_NO_PORT);
        return;
    }
    if (!xctx_enter(x))
        return;
    struct effect *e = xctx_effect(x, EFFECT_PATCH);
    e->patch.tx = port->dp_no;
    e->patch.rx = peer->dp_no;

    struct xfork *fork = xmalloc(sizeof *fork);
    struct bridge *br = x->br;
    struct of_actions action_set = x->action_set;
    bool exit = x->exit;
    uint32_t mirrored = x->mirrored;
    xctx_fork(x, fork);
    x->br = peer->bridge;
    x->mirrored = 0;
    x->action_set = (struct of_actions)OF_ACTIONS_INIT;
    memset(x->key.reg, 0, sizeof x->key.reg);
    x->key.metadata = 0;
    memset(&x->key.tunnel, 0, sizeof x->key.tunnel);
    memset(&x->written.bits.tunnel, 0xff, sizeof x->key.tunnel);
    if (x->tags.n && !(x->key.vlan_tci & swap16(VLAN_CFI)))
        xtags_uncover(x); /* the port took off the outermost */
    tun_opts_init(&x->opts);
    x->tun_options = 0;
    xlate_ct_clear(x);
    x->touched = UINT64_MAX;
    x->key.in_port = swap32(peer->ofport);
    x->key.actset_output = swap32(PORT_UNSET);
    struct xpage page = note_bridge(x);
    if (x->br->mirrors.n)
        xlate_mirror(x, peer, true);
    xlate_table(x, 0, peer->ofport);
    if (x->action_set.n && !x->stop && !x->unwinds)
        xlate_action_set(x);
    continuation_finish(x); /* a pause over there is resumed over there */
    of_actions_fini(&x->action_set);
    x->action_set = action_set;
    x->page = page;
    x->br = br;
    x->mirrored = mirrored;
    xctx_join(x, fork);
    x->exit = exit;
    free(fork);
    xctx_leave(x);
}

/* Fills where a tunnel port sends this packet; false: the flow does not say where. */
static bool tunnel_destination(struct xctx *x, const struct vport *port, struct dp_tunnel *ret)
{
    const struct tunnel_options *c = &port->tunnel;
    struct flow_tunnel *t = &ret->key;
    memset(ret, 0, sizeof *ret);
    if (c->out_flow)
        xctx_use(x, FIELD_TUN_ID);
    t->id = c->out_flow ? x->key.tunnel.id : swap64(c->out_key);
    if (c->dst_flow) {
        xctx_use(x, FIELD_TUN_DST);
        xctx_use(x, FIELD_TUN_IPV6_DST);
        t->dst = x->key.tunnel.dst;
        t->ip6_dst = x->key.tunnel.ip6_dst;
    } else if (c->dst.version == 4) {
        t->dst = c->dst.v4;
    } else {
        t->ip6_dst = c->dst.v6;
    }
    if (c->src_flow) {
        xctx_use(x, FIELD_TUN_SRC);
        xctx_use(x, FIELD_TUN_IPV6_SRC);
        t->src = x->key.tunnel.src;
        t->ip6_src = x->key.tunnel.ip6_src;
    } else if (c->src.version == 4) {
        t->src = c->src.v4;
    } else if (c->src.version == 6) {
        t->ip6_src = c->src.v6;
    }
    xctx_use(x, FIELD_TUN_FLAGS);
    t->flags = x->key.tunnel.flags;
    t->ttl = c->ttl;
    t->tos = c->tos;
    bool is_ip = (c->tos_inherit || c->ttl_inherit) && xctx_has(x, PREREQ_IP);
    if (is_ip && c->tos_inherit) {
        xctx_use(x, FIELD_IP_TOS);
        t->tos = x->key.nw_tos;
    }
    if (is_ip && c->ttl_inherit) {
        xctx_use(x, FIELD_IP_TTL);
        t->ttl = x->key.nw_ttl;
    }
    x->out->mask.bits.tunnel.present |= (uint8_t)~x->written.bits.tunnel.present;
    ret->options = x->tun_options | x->key.tunnel.present;
    xctx_use(x, FIELD_TUN_METADATA0 + TUN_INLINE); /* and all that the key has a number for */
    for (unsigned i = 0; i < TUN_INLINE; i++) {
        xctx_use(x, FIELD_TUN_METADATA0 + i);
        t->metadata[i] = x->key.tunnel.metadata[i];
        if (t->metadata[i])
            ret->options |= UINT64_C(1) << i;
    }
    if (x->key.tunnel.more) {
        ret->options |= x->opts.present;
        ret->more = &x->opts;
    }
    return t->dst || !ip6_is_zero(t->ip6_dst);
}

static void put_output(struct xctx *x, const struct vport *port, const struct dp_tunnel *tunnel)
{
    /* Some queues mark what they send. */
    int dscp = port->qos.config.queues.n ? qos_dscp(&port->qos, swap32(x->key.skb_priority)) : -1;
    struct subfield sub = subfield_whole(FIELD_IP_DSCP);
    u128 before = 0;
    bool marks = dscp >= 0 && xctx_has(x, PREREQ_IP);
    if (marks) {
        before = xctx_get(x, &sub);
        xctx_set(x, &sub, (unsigned)dscp);
    }
    xlate_commit(x);
    if (x->trunc)
        dp_put_trunc(&x->out->actions, x->trunc);
    dp_put_output(&x->out->actions, port->dp_no, tunnel);
    x->out->delivered = true;
    if (marks)
        xctx_set(x, &sub, before);
}

void xlate_output_port(struct xctx *x, struct vport *port)
{
    if (port->config & (OF_PC_PORT_DOWN | OF_PC_NO_FWD)) {
        xctx_drop(x, port->config & OF_PC_PORT_DOWN ? DROP_PORT_DOWN : DROP_NO_FORWARD);
        return;
    }
    if (!port->dev) {
        if (x->br->mirrors.n)
            xlate_mirror(x, port, false);
        output_patch(x, port);
        return;
    }
    if (!port->dev->status.admin_up) { /* as of the last change: port_refresh.h */
        xctx_drop(x, DROP_PORT_DOWN);
        return;
    }
    struct dp_tunnel tunnel;
    if (port->is_tunnel && !tunnel_destination(x, port, &tunnel)) {
        xctx_drop(x, DROP_NO_PORT);
        return;
    }
    put_output(x, port, port->is_tunnel ? &tunnel : NULL);
    if (x->br->mirrors.n)
        xlate_mirror(x, port, false);
}

void xlate_flood(struct xctx *x, bool all)
{
    vport_vec ports = VEC_INIT;
    bridge_ports_sorted(x->br, &ports);
    uint32_t in_port = key_in_port(&x->key);
    for (size_t i = 0; i < ports.n && !x->stop; i++) {
        struct vport *port = ports.data[i];
        if (port->ofport != in_port && (all || !(port->config & OF_PC_NO_FLOOD)))
            xlate_output_port(x, port);
    }
    vec_fini(&ports);
}

void xlate_output(struct xctx *x, uint32_t port, uint16_t max_len)
{
    uint32_t in_port = key_in_port(&x->key);
    struct vport *vport;
    switch (port) {
    case PORT_IN_PORT:
        vport = bridge_port(x->br, in_port);
        if (vport)
            xlate_output_port(x, vport);
        else
            xctx_drop(x, DROP_NO_PORT);
        return;
    case PORT_TABLE:
        if (xctx_enter(x)) {
            struct xpage page = note_table(x);
            xlate_table(x, 0, in_port);
            x->page = page;
            xctx_leave(x);
        }
        return;
    case PORT_NORMAL:
        xlate_normal(x);
        return;
    case PORT_FLOOD:
    case PORT_ALL:
        xlate_flood(x, port == PORT_ALL);
        return;
    case PORT_CONTROLLER:
        xlate_controller(x, max_len, 0,
                         x->in->reason                       ? x->in->reason
                         : x->rule && !x->rule->cls.priority ? OF_REASON_NO_MATCH
                                                             : OF_REASON_ACTION,
                         NULL, 0, false, OF_METER_NONE);
        return;
    case PORT_ANY:
        return;
    default:
        break;
    }
    if (port == in_port) {
        xctx_note(x, "     >> skipping output to input port");
        xctx_drop(x, DROP_INGRESS_PORT);
        return;
    }
    vport = bridge_port(x->br, port);
    if (!vport) {
        xctx_note(x, "     >> Nonexistent output port");
        xctx_drop(x, DROP_NO_PORT);
        return;
    }
    xlate_output_port(x, vport);
}

void xlate_controller(struct xctx *x, uint16_t max_len, uint16_t id, uint8_t reason,
                      const uint8_t *userdata, size_t userdata_len, bool pause, uint32_t meter_id)
{
    xlate_commit(x);
    /* The packet-in tells the metadata, so it depends on all of it. */
    struct flow_mask all;
    memset(&all, 0, sizeof all);
    memset(&all, 0xff, offsetof(struct flow_key, eth_dst));
    all.bits.recirc_id = all.bits.dp_hash = all.bits.skb_priority = 0;
    xctx_use_mask(x, &all);

    struct dp_packet_in *pin = NEW(struct dp_packet_in);
    pin->refs = 1;
    pin->bridge_no = x->br->number;
    pin->table_id = x->table_id;
    pin->reason = reason;
    pin->max_len = max_len;
    pin->controller_id = id;
    pin->cookie = x->rule ? x->rule->cookie : UINT64_MAX;
    pin->meter_id = meter_id;
    pin->key = x->key;
    if (x->key.tunnel.more)
        pin->tun = xmemdup(&x->opts, sizeof x->opts);
    if (userdata_len) {
        pin->userdata = xmemdup(userdata, userdata_len);
        pin->userdata_len = userdata_len;
    }
    dp_put_controller(&x->out->actions, pin);
    x->out->delivered = true;
    if (pause)
        continuation_begin(x, pin);
}
