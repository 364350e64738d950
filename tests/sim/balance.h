/* balance.h - load balancers: number I has 10.250.0.I, port 80, for what comes from the switches that it is given to, and
 * 172.16.3.I for what comes from outside to the edge that it is given to. Its backends serve port 8080.
 */
#pragma once

#include "sim/net.h"

enum { VIP_PORT = 80, BACKEND_PORT = 8080 };

void net_add_lb(struct net *net, unsigned lb, const be32 *backends, unsigned n);
void net_delete_lb(struct net *net, unsigned lb);
void net_set_backends(struct net *net, unsigned lb, const be32 *backends, unsigned n);
void net_toggle_lb(struct net *net, unsigned lb, unsigned sw);
void net_set_lb_router(struct net *net, unsigned lb, int router); /* -1: to none */
be32 net_vip(unsigned lb);
be32 net_outer_vip(unsigned lb);
