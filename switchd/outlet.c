/* outlet.c - see outlet.h. */
#include "switchd/outlet.h"

#include "switchd/export/sample.h"
#include "switchd/forward/lane.h"
#include "switchd/ofserver.h"
#include "switchd/vswitch.h"

void outlet_drop(struct vswitch *vs, enum drop_reason reason)
{
    vswitch_drop(vs, reason);
}

/* ---- out ---- */

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

void outlet_port(struct vswitch *vs, const struct packet *packet, const struct dp_action *a,
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

void outlet_controller(struct vswitch *vs, const struct packet *packet, const struct dp_action *a)
{
    if (port_io_here)
        handoff_put(vs, packet, a, 0);
    else
        to_controller(vs, packet, a->pin);
}

void outlet_sample(struct vswitch *vs, struct packet *packet, const struct dp_action *a)
{
    if (port_io_here)
        handoff_put(vs, packet, a, 0);
    else
        export_sample(vs, packet, a->sample);
}

/* ---- on the way ---- */

bool outlet_meter(struct vswitch *vs, const struct packet *packet, const struct dp_action *a)
{
    struct bridge *br = vswitch_bridge_numbered(vs, (uint32_t)a->value_lo);
    struct meter *meter = br ? bridge_meter(br, a->meter) : NULL;
    if (!meter || meter_admit(meter, packet->size, env_now_us(vs->env)))
        return true;
    vswitch_drop(vs, DROP_METER);
    return false;
}

/* Packets of connections that are there go through the tracker side by side. */
void outlet_track(struct vswitch *vs, struct packet *packet, const struct ct_action *action)
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

enum ct_hold outlet_hold(struct vswitch *vs, struct packet *packet, const struct ct_action *action,
                         void *rest, struct ct_datagram **ret)
{
    lane_be_alone();
    return conntrack_hold(vs->ct, packet, action, rest, port_host_now_ms(&vs->host), ret);
}

void outlet_again(struct vswitch *vs, struct packet *packet, const struct dp_action *a)
{
    vswitch_recirculate(vs, packet, a->recirc);
}
