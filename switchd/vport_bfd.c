/* vport_bfd.c - a port with a BFD session: where its packets go, and what its state means to the bridge; see bfd/bfd.h. */
#include "switchd/bfd/bfd.h"
#include "switchd/ofserver.h"
#include "switchd/vswitch.h"

/* Where a tunnel port sends whatever a flow says; false: that is the flow's to say. */
static bool fixed_tunnel(const struct vport *port, bool oam, struct dp_tunnel *ret)
{
    const struct tunnel_options *c = &port->tunnel;
    struct flow_tunnel *t = &ret->key;
    memset(ret, 0, sizeof *ret);
    t->id = swap64(c->out_key);
    t->flags = oam ? swap16(TUN_FLAG_OAM) : 0;
    t->ttl = c->ttl;
    t->tos = c->tos;
    if (c->dst.version == 4)
        t->dst = c->dst.v4;
    else if (c->dst.version == 6)
        t->ip6_dst = c->dst.v6;
    if (c->src.version == 4)
        t->src = c->src.v4;
    else if (c->src.version == 6)
        t->ip6_src = c->src.v6;
    return c->dst.version != 0;
}

static void send_packet(void *port_, struct packet *packet, bool oam)
{
    struct vport *port = port_;
    struct dp_tunnel tunnel;
    if (!port->dev) {
        struct vport *peer = vport_peer(port);
        if (peer && peer->bfd)
            (void)bfd_take(peer->bfd, packet);
        return;
    }
    if (port->is_tunnel && !fixed_tunnel(port, oam, &tunnel))
        return;
    port_send(port->dev, packet, port->is_tunnel ? &tunnel : NULL, false);
}

static void changed(void *port_)
{
    struct vport *port = port_;
    struct vswitch *vs = port->bridge->vs;
    vswitch_invalidate(vs); /* groups and bundles that watch the port */
    ofserver_port_status(port, OF_PORT_MODIFY);
    if (vs->on_tick)
        vs->on_tick(vs->tick_aux);
}

static uint64_t received(void *port)
{
    return vport_stats(port).rx_packets;
}

static struct mac port_mac(const struct vport *port)
{
    const struct vport *local = bridge_port(port->bridge, PORT_LOCAL);
    if (port->dev && !mac_is_zero(port->dev->status.mac))
        return port->dev->status.mac;
    return local && local->dev ? local->dev->status.mac : mac_from_u64(0);
}

void vport_set_bfd(struct vport *port, const struct smap *options)
{
    static const struct bfd_callbacks callbacks = {
        .send = send_packet, .changed = changed, .received = received};
    struct bfd_options o;
    if (smap_equal(options, &port->bfd_config) && !port->bfd == !options->entries.n)
        return;
    smap_copy(&port->bfd_config, options);
    if (!bfd_options_read(options, &o)) {
        if (port->bfd)
            vswitch_invalidate(port->bridge->vs);
        bfd_free(port->bfd);
        port->bfd = NULL;
    } else if (port->bfd) {
        bfd_configure(port->bfd, &o, port_mac(port));
    } else {
        port->bfd =
            bfd_new(port->bridge->vs->loop, port->name, &o, port_mac(port), &callbacks, port);
        vswitch_invalidate(port->bridge->vs);
    }
}
