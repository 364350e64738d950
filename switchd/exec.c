/* exec.c - see exec.h. */
#include "switchd/exec.h"

#include <stdlib.h>

#include "flow/rewrite.h"
#include "switchd/export/sample.h"
#include "switchd/forward/lane.h"
#include "switchd/ofserver.h"
#include "switchd/port/offload.h"

/* Sends at most MAX bytes of PACKET. */
static void send_truncated(struct port *dev, const struct packet *packet, uint32_t max,
                           const struct dp_tunnel *tunnel)
{
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    copy.csum_partial = false;
    copy.gso_type = 0;
    packet_truncate(&copy, max);
    port_send(dev, &copy, tunnel, false);
    packet_fini(&copy);
}

/* LAST: nothing comes after it that could change the packet. */
static void output(struct vswitch *vs, const struct packet *packet, const struct dp_action *a,
                   uint32_t trunc, bool last)
{
    struct vport *port = vswitch_port(vs, a->port);
    if (!port || !port->dev) {
        vswitch_drop(vs, DROP_NO_PORT);
        return;
    }
    if (port_io_here && !port->dev->any_thread)
        handoff_put(vs, packet, a, trunc);
    else if (trunc && trunc < packet->size)
        send_truncated(port->dev, packet, trunc, a->tunnel);
    else
        port_send(port->dev, packet, a->tunnel, last);
}

static void to_controller(struct vswitch *vs, const struct packet *packet,
                          const struct dp_packet_in *pin)
{
    struct bridge *br = vswitch_bridge_numbered(vs, pin->bridge_no);
    struct meter *meter =
        br && pin->meter_id != OF_METER_NONE ? bridge_meter(br, pin->meter_id) : NULL;
    if (meter && !meter_admit(meter, packet->size, env_now_us(vs->env)))
        vswitch_drop(vs, DROP_METER);
    else if (!br || !br->of || !ofserver_packet_in(br->of, packet, pin))
        vswitch_drop(vs, DROP_CONTROLLER);
}

static void set_field(struct packet *packet, const struct dp_action *a)
{
    packet_set_field(packet, a->field, (u128)a->value_hi << 64 | a->value_lo);
}

static void run(struct vswitch *vs, struct packet *packet, const struct dp_action *actions,
                size_t n);

/* The way on of a fragment that waits. */
static struct dp_actions *rest_new(const struct dp_action *actions, size_t n)
{
    struct dp_actions *rest = NEW(struct dp_actions);
    dp_actions_copy(rest, actions, n);
    return rest;
}

static void rest_free(struct dp_actions *rest)
{
    dp_actions_fini(rest);
    free(rest);
}

void exec_drop_fragment(void *vs, void *rest)
{
    vswitch_drop(vs, DROP_FRAGMENT);
    rest_free(rest);
}

/* Packets of connections that are there go through the tracker side by side. */
static void track(struct vswitch *vs, struct packet *packet, const struct ct_action *action)
{
    int64_t now_ms = port_host_now_ms(&vs->host);
    struct ct_hint *hint = vswitch_next_conn(vs);
    if (port_io_here) {
        if (conntrack_pass(vs->ct, packet, action, now_ms, hint))
            return;
        lane_be_alone();
    }
    conntrack_execute_near(vs->ct, packet, action, now_ms, hint);
}

/* A fragment goes through the tracker when its datagram is whole, and so do those that waited for it. False: it is invalid, and
 * goes on now. */
static bool hold(struct vswitch *vs, struct packet *packet, const struct dp_action *ct,
                 size_t n_rest)
{
    lane_be_alone();
    struct dp_actions *rest = rest_new(ct + 1, n_rest);
    struct ct_datagram *d;
    void *cookie;
    switch (conntrack_hold(vs->ct, packet, ct->ct, rest, port_host_now_ms(&vs->host), &d)) {
    case CT_REFUSED:
        rest_free(rest);
        return false;
    case CT_WAITS:
        return true;
    case CT_WHOLE:
        break;
    }
    for (struct packet *each; (each = ct_datagram_next(d, &cookie)) != NULL;) {
        rest = cookie;
        run(vs, each, rest->list.data, rest->list.n);
        rest_free(rest);
    }
    ct_datagram_free(d);
    return true;
}

/* A header in front of the network header hides the transport from what would finish the packet later (offload.h), so it is
 * finished now; each of the packets that come of it goes the rest of the way. */
struct plain_rest {
    struct vswitch *vs;
    const struct dp_action *rest;
    size_t n;
};

static void run_plain(void *aux, const struct packet *packet)
{
    const struct plain_rest *r = aux;
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    run(r->vs, &copy, r->rest, r->n);
    packet_fini(&copy);
}

/* True: done, with the actions from A on. */
static bool finish_first(struct vswitch *vs, const struct packet *packet, const struct dp_action *a,
                         size_t n)
{
    if (offload_is_plain(packet))
        return false;
    struct plain_rest rest = {vs, a, n};
    if (offload_finish(packet, run_plain, &rest))
        vswitch_drop(vs, DROP_SEND);
    return true;
}

static void recirculate(struct vswitch *vs, struct packet *packet, struct recirc_state *state,
                        bool last)
{
    if (last) { /* the packet itself will do */
        vswitch_recirculate(vs, packet, state);
        return;
    }
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    vswitch_recirculate(vs, &copy, state);
    packet_fini(&copy);
}

static void run(struct vswitch *vs, struct packet *packet, const struct dp_action *actions,
                size_t n)
{
    uint32_t trunc = 0;
    for (size_t i = 0; i < n; i++) {
        const struct dp_action *a = &actions[i];
        struct bridge *br;
        struct meter *meter;
        switch ((enum dp_type)a->type) {
        case DP_OUTPUT:
            output(vs, packet, a, trunc, i + 1 == n);
            trunc = 0;
            break;
        case DP_SET:
            set_field(packet, a);
            break;
        case DP_PUSH_VLAN:
            packet_push_vlan(packet, a->eth_type, a->tci);
            break;
        case DP_POP_VLAN:
            packet_pop_vlan(packet);
            break;
        case DP_PUSH_MPLS:
            if (finish_first(vs, packet, a, n - i))
                return;
            packet_push_mpls(packet, a->eth_type, (uint32_t)a->value_lo);
            break;
        case DP_POP_MPLS:
            packet_pop_mpls(packet, a->eth_type);
            break;
        case DP_PUSH_PBB:
            if (finish_first(vs, packet, a, n - i))
                return;
            packet_push_pbb(packet, (uint32_t)a->value_lo);
            break;
        case DP_POP_PBB:
            packet_pop_pbb(packet);
            break;
        case DP_CLONE:
            if (i + 1 + a->n == n) { /* the last thing: the packet itself will do */
                run(vs, packet, a + 1, a->n);
            } else {
                struct packet copy;
                packet_init(&copy);
                packet_clone_into(&copy, packet);
                run(vs, &copy, a + 1, a->n);
                packet_fini(&copy);
            }
            i += a->n;
            break;
        case DP_CONTROLLER:
            if (port_io_here)
                handoff_put(vs, packet, a, 0);
            else
                to_controller(vs, packet, a->pin);
            break;
        case DP_METER:
            br = vswitch_bridge_numbered(vs, (uint32_t)a->value_lo);
            meter = br ? bridge_meter(br, a->meter) : NULL;
            if (meter && !meter_admit(meter, packet->size, env_now_us(vs->env))) {
                vswitch_drop(vs, DROP_METER);
                return;
            }
            break;
        case DP_QUEUE:
            packet->md.skb_priority = a->n;
            break;
        case DP_TRUNC:
            trunc = a->n;
            break;
        case DP_CT:
            if (!conntrack_is_fragment(packet))
                track(vs, packet, a->ct);
            else if (hold(vs, packet, a, n - i - 1))
                return;
            break;
        case DP_SAMPLE:
            if (port_io_here)
                handoff_put(vs, packet, a, 0);
            else
                export_sample(vs, packet, a->sample);
            break;
        case DP_RECIRC:
            recirculate(vs, packet, a->recirc, i + 1 == n);
            break;
        }
    }
}

void exec_actions(struct vswitch *vs, struct packet *packet, const struct dp_actions *actions)
{
    run(vs, packet, actions->list.data, actions->list.n);
}
