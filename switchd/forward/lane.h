/* lane.h - a forwarder's packets between reading and sending: the buffers that they are read into, and what is to leave by which port.
 *
 * While a forwarder is inside (turn.h), what port_send is given is only noted here, with the bytes where they lie, or a copy where somebody may still change
 * them. It is sent when it has left (lane_send), port by port, each under the port's own lock unless its class needs none, so that nobody waits for the kernel.
 */
#pragma once

#include "base/vec.h"
#include "switchd/forward/turn.h"
#include "switchd/port/port.h"

struct outgoing {
    struct port *port;
    uint32_t order;
    uint32_t tunnel; /* 1 + its number in `tunnels`; 0: none */
    struct packet packet;
};

struct port_lane {
    struct port_io io; /* must be first */
    struct turn *turn;
    struct turn_seat *seat;
    VEC(struct outgoing) noted;
    VEC(struct dp_tunnel) tunnels; /* copies of where they go */
    struct port_out out;
};

void lane_init(struct port_lane *lane, struct port_host *host, struct turn *turn,
               struct turn_seat *seat);
void lane_fini(struct port_lane *lane);
/* This thread's, NULL in a loop's; set by its first function. */
static inline struct port_lane *lane_here(void)
{
    return (struct port_lane *)(void *)port_io_here;
}
/* The forwarder that this is called by is alone (turn.h) until it leaves; nothing in a loop's thread, which has the whole. */
static inline void lane_be_alone(void)
{
    struct port_lane *lane = lane_here();
    if (!lane || lane->seat->alone)
        return;
    turn_be_alone(lane->turn, lane->seat);
    counter_add(lane->out.host->alone, 1);
}
/* Notes PACKET for PORT; TUNNEL and LAST as in port_send. */
void lane_put(struct port_lane *lane, struct port *port, const struct packet *packet,
              const struct dp_tunnel *tunnel, bool last);
static inline bool lane_is_empty(const struct port_lane *lane)
{
    return !lane->noted.n;
}
/* As many as a turn should give. */
static inline bool lane_is_full(const struct port_lane *lane)
{
    return lane->noted.n >= PORT_BATCH;
}
/* Outside, while nobody can take a port away (forwarder.h). */
void lane_send(struct port_lane *lane);
/* Inside again: counts what could not be sent. */
void lane_finish(struct port_lane *lane);
