/* probe.h - sends packets into the switches and compares what comes out, where, with the model; often also what comes of an answer. */
#pragma once

#include "sim/net.h"

struct probe_counts {
    uint64_t sent, delivered; /* and found to be as the model says */
};

/* N packets of all kinds between random ports and the network outside. A difference fails the simulation. The network must be quiet. */
void probe_some(struct net *net, unsigned n, struct probe_counts *counts);
