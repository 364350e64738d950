/* life.h - what happens to the cluster: random edits of the network, and faults. */
#pragma once

#include "sim/net.h"

/* A network to begin with. */
void life_begin(struct net *net);
/* One random edit, one transaction or a few. */
void life_edit(struct net *net);
/* One random fault: a kill of any daemon, a link cut, stalled or slow, tunnels cut. */
void life_fault(struct net *net);
/* Everything runs again and is reachable without delay. */
void life_heal(struct cluster *c);
