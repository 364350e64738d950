/* lane.h - a forwarder's packets between reading and sending: the buffers that they are read into, and what is to leave by which port.
 *
 * While a forwarder has the turn, what port_send is given is only noted here, with the bytes where they lie, or a copy where somebody may still change
 * them. It is sent after the turn (lane_send), port by port, each under the port's own lock unless its class needs none, so that no other packet waits for the kernel.
 */
#pragma once

#include "base/vec.h"
#include "switchd/port/port.h"

struct outgoing {
    struct port *port;
    uint32_t order;
    uint32_t tunnel; /* 1 + its number in `tunnels`; 0: none */
    struct packet packet;
};

struct port_lane {
    struct packet *batch; /* as in struct port_host, with which they are exchanged for the turn */
    uint8_t *buffers;
    VEC(struct outgoing) noted;
    VEC(struct dp_tunnel) tunnels; /* copies of where they go */
    struct port_out out;
};

void lane_init(struct port_lane *lane, struct port_host *host);
void lane_fini(struct port_lane *lane);
/* In the turn: HOST works with LANE's buffers, and notes what is sent; and the reverse. */
void lane_enter(struct port_lane *lane, struct port_host *host);
void lane_leave(struct port_lane *lane, struct port_host *host);
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
/* Outside the turn, while nobody can take a port away (forwarder.h). */
void lane_send(struct port_lane *lane);
/* In the turn again: counts what could not be sent. */
void lane_finish(struct port_lane *lane);
