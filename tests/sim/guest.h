/* guest.h - what the machines at the ports and the hosts outside do by themselves: they answer routers that ask for them. Also the wire
 * outside, which carries what one hypervisor sends to the others. What is left is what the model speaks of.
 */
#pragma once

#include "flow/packet.h"
#include "sim/net.h"

struct frame { /* came out of a port, or OUTSIDE of hypervisor HV */
    unsigned port, hv;
    struct packet packet;
};

struct guests {
    struct net *net;
    VEC(struct frame) out;
    size_t n_seen; /* of OUT */
};

void guests_watch(struct guests *guests, bool on);
/* A frame of the machine at PORT, or of a host outside. */
void guests_send(struct guests *guests, unsigned port, const struct packet *packet);
/* Lets the cluster and the guests run until nothing comes out any more. */
void guests_run(struct guests *guests);
void guests_forget(struct guests *guests);
/* The frame of KEY. */
void guests_compose(struct packet *packet, const struct flow_key *key);
