/* check.h - what must hold at a quiet point, when everything asked for has been carried out and nothing is on its way. */
#pragma once

#include "sim/net.h"

struct amounts { /* of what must be given back */
    size_t sb_rows[16];
    size_t flows, groups, meters, ports;
};

/* Lets time pass until the network is what was asked for, by the cluster's own word: ports bound and up where they are, and every
 * hypervisor has confirmed nb_cfg. Not within two minutes: fails. */
void check_quiet(struct net *net);
/* Lets time pass until each edge is at its first gateway that is alive; not within two minutes: fails. */
void check_gateways(struct net *net);
/* The state that changes have led to is that of a computation from nothing: northd's, the controllers', and a recompute writes
 * nothing. */
void check_incremental(struct net *net);
/* Kills each controller and starts it again: the fresh one must find nothing to change in the switch. */
void check_fresh_controllers(struct net *net);
/* Kills the northd that is active: the other takes over and writes nothing. Or the only one, which starts again. No switch may
 * notice. */
void check_take_over(struct net *net);
/* Kills a switch and starts it again: a second later it has all its flows. */
void check_switch_restart(struct net *net);
struct amounts check_count(struct net *net);
void check_equal_amounts(struct net *net, const struct amounts *before);
