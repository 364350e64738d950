/* model.h - what the network that was asked for does with a packet, worked out the simple way: straight from the intent, packet by
 * packet, with no tables and no flows. What the real switches do must be the same. The one thing that is remembered is what
 * was translated in a packet, for those that answer it.
 */
#pragma once

#include "flow/packet.h"
#include "sim/net.h"

enum { MAX_TRANSLATIONS = 4 };

struct translation {
    int sw, router; /* where: one of them, the other is -1 */
    bool is_dst;
    be32 from, to;
    be16 from_port, to_port;
};

struct talk {        /* of a packet on its way */
    unsigned choice; /* load balancers take backend number CHOICE */
    unsigned n;
    struct translation done[MAX_TRANSLATIONS];
    bool is_answer; /* to the packet whose translations those are */
};

struct delivery {
    unsigned port;       /* or OUTSIDE */
    bool is_optional;    /* it may come out or not: where a MAC is has been learned, or has not */
    struct flow_key key; /* of the packet as it comes out there */
    struct talk talk;
};
typedef VEC(struct delivery) deliveries;

/* Adds what comes out when the packet KEY enters at PORT, or comes from OUTSIDE. KEY is IPv4 or IPv6 (UDP, TCP, echo requests), an ARP
 * request or a neighbour solicitation. TALK: of the packet that it answers, or with a choice only. */
void model_inject(const struct net *net, unsigned port, const struct flow_key *key,
                  const struct talk *talk, deliveries *out);
/* The MAC that hosts outside send to, for IP; zero: nobody answers. */
struct mac model_outside_mac(const struct net *net, be32 ip);
