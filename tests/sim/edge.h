/* edge.h - the network outside and what routers have to do with it.
 *
 * Outside is one wire that all hypervisors are on, with port x<N> of bridge br-ex, and N_HOSTS hosts, 172.16.1.1 and on, of which the
 * first is the way to everywhere else. Logical switch "out" is that wire. A router's edge is its distributed gateway port there,
 * 172.16.0.R: the first of its gateways that is alive carries what goes through it, but for addresses that are distributed, 172.16.2.I.
 */
#pragma once

#include "sim/net.h"

void net_add_outside(struct net *net); /* for net_new */
void net_add_edge(struct net *net, unsigned router, const unsigned *gateways, unsigned n_gateways,
                  bool snat);
void net_delete_edge(struct net *net, unsigned router); /* with its addresses */
void net_set_gateways(struct net *net, unsigned router, const unsigned *gateways,
                      unsigned n_gateways);
void net_add_fip(struct net *net, unsigned fip, unsigned port, bool distributed);
void net_delete_fip(struct net *net, unsigned fip);
void net_delete_fips_of(struct net *net, unsigned port);

/* The first that is alive; NOWHERE: none. */
int net_gateway(const struct net *net, unsigned router);
be32 net_edge_ip(unsigned router);
struct mac net_edge_mac(unsigned router);
be32 net_fip_ip(unsigned fip);
/* With which its address is announced: of a distributed one its own. */
struct mac net_fip_mac(const struct net *net, unsigned fip);
be32 net_host_ip(unsigned host);
struct mac net_host_mac(unsigned host);
bool net_is_outside(be32 ip); /* of the wire's network */
