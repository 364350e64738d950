/* model.h - what the network that was asked for does with a packet, worked out the simple way: straight from the intent, packet by
 * packet, with no tables, no flows and no memory. What the real switches do must be the same.
 */
#pragma once

#include "flow/packet.h"
#include "sim/net.h"

struct delivery {
    unsigned port;
    struct flow_key key; /* of the packet as it comes out there */
};
typedef VEC(struct delivery) deliveries;

/* Adds what comes out when the packet KEY enters at PORT. KEY is IPv4 (UDP, TCP, ICMP echo requests) or an ARP request. */
void model_inject(const struct net *net, unsigned port, const struct flow_key *key,
                  deliveries *out);
