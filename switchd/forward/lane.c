/* lane.c - see lane.h. */
#include "switchd/forward/lane.h"

#include <stdlib.h>
#include <string.h>

void lane_init(struct port_lane *lane, struct port_host *host, struct turn *turn,
               struct turn_seat *seat)
{
    *lane = (struct port_lane){.turn = turn, .seat = seat};
    port_io_init(&lane->io);
    port_out_init(&lane->out, host);
}

void lane_fini(struct port_lane *lane)
{
    port_io_fini(&lane->io);
    vec_fini(&lane->noted);
    vec_fini(&lane->tunnels);
    port_out_fini(&lane->out);
}

static void forget_tunnels(struct port_lane *lane)
{
    struct dp_tunnel *t;
    VEC_FOR_EACH (t, &lane->tunnels)
        free((void *)(uintptr_t)t->more);
    vec_clear(&lane->tunnels);
}

/* The number of a copy; packets that follow one another mostly go the same way. */
static uint32_t keep_tunnel(struct port_lane *lane, const struct dp_tunnel *tunnel)
{
    size_t n = lane->tunnels.n;
    if (n && !memcmp(&lane->tunnels.data[n - 1], tunnel, sizeof *tunnel))
        return (uint32_t)n;
    struct dp_tunnel copy = *tunnel;
    if (tunnel->more) /* which is the megaflow's */
        copy.more = xmemdup(tunnel->more, sizeof *tunnel->more);
    vec_push(&lane->tunnels, copy);
    return (uint32_t)lane->tunnels.n;
}

void lane_put(struct port_lane *lane, struct port *port, const struct packet *packet,
              const struct dp_tunnel *tunnel, bool last)
{
    struct outgoing *o = vec_push_zero(&lane->noted);
    o->port = port;
    o->order = (uint32_t)lane->noted.n;
    o->tunnel = tunnel ? keep_tunnel(lane, tunnel) : 0;
    if (last && packet->lent)
        o->packet = *packet;
    else
        packet_clone_into(&o->packet, packet);
}

static int by_port(const void *a_, const void *b_)
{
    const struct outgoing *a = a_, *b = b_;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static bool is_of_one_port(const struct port_lane *lane)
{
    for (size_t i = 1; i < lane->noted.n; i++) {
        if (lane->noted.data[i].port != lane->noted.data[0].port)
            return false;
    }
    return true;
}

/* Sends all that is for the port of number I; the number behind it. A copy may be referred to until the flush, as it is kept until then. */
static size_t send_to_one(struct port_lane *lane, size_t i)
{
    struct port *port = lane->noted.data[i].port;
    size_t n = 0, bytes = 0;
    port_lock(port, &lane->out);
    for (; i < lane->noted.n && lane->noted.data[i].port == port; i++) {
        const struct outgoing *o = &lane->noted.data[i];
        struct packet view = o->packet;
        view.lent = true;
        const struct dp_tunnel *tunnel = o->tunnel ? &lane->tunnels.data[o->tunnel - 1] : NULL;
        if (port_hand(port, &lane->out, &view, tunnel, true)) {
            n++;
            bytes += view.size;
        }
    }
    port_count_sent(port, n, bytes);
    if (port->class->flush)
        port->class->flush(port, &lane->out);
    port_unlock(port, &lane->out);
    lane->out.n_kept = 0;
    return i;
}

void lane_send(struct port_lane *lane)
{
    if (!is_of_one_port(lane))
        qsort(lane->noted.data, lane->noted.n, sizeof lane->noted.data[0], by_port);
    for (size_t i = 0; i < lane->noted.n;)
        i = send_to_one(lane, i);
    struct outgoing *o;
    VEC_FOR_EACH (o, &lane->noted)
        packet_fini(&o->packet);
    vec_clear(&lane->noted);
    forget_tunnels(lane);
}

void lane_finish(struct port_lane *lane)
{
    counter_add(lane->out.host->send_failed, lane->out.n_lost);
    lane->out.n_lost = 0;
}
