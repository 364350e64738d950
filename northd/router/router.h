/* router.h - the compile units of logical routers (room 3 of docs/architecture.md), one file a concern. northd/program.c says at
 * what key each runs and in what order. IPv4 and IPv6 are one path wherever the protocols allow.
 */
#pragma once

#include "northd/lflows.h"
#include "northd/program.h"

/* defaults.c, each router: what every router has, whatever is on it. */
void router_defaults(struct inc_ctx *ctx, const void *key, void *aux);
/* admission.c, each router port */
void router_admission(struct inc_ctx *ctx, const void *key, void *aux);
/* neighbor.c, each router; each router port: learning who is where */
void router_neighbor_common(struct inc_ctx *ctx, const void *key, void *aux);
void router_neighbor(struct inc_ctx *ctx, const void *key, void *aux);
/* ip_input.c, each router port: packets to the router itself */
void router_ip_input(struct inc_ctx *ctx, const void *key, void *aux);
/* icmp.c, each router port: errors that it reports */
void router_icmp(struct inc_ctx *ctx, const void *key, void *aux);
/* ra.c, each router port: IPv6 router advertisements */
void router_ra(struct inc_ctx *ctx, const void *key, void *aux);
/* routing.c, each router port: its networks; each prefix of static routes */
void router_connected(struct inc_ctx *ctx, const void *key, void *aux);
void router_route(struct inc_ctx *ctx, const void *key, void *aux);
void router_route_group(struct inc_ctx *ctx, const void *key, void *aux);
/* routing.c, each router port: which table its packets are routed by */
void router_route_table(struct inc_ctx *ctx, const void *key, void *aux);
/* hop.c: the network of LR that holds HOP, of the longest prefix; NULL: none. Reads plen and network. */
const struct fact_network *router_network_of(struct inc_ctx *ctx, struct northd_program *p,
                                             const struct uuid *lr, const struct address *hop);
/* hop.c: next hop, source address, eth.src, outport. TO NULL: the destination itself. */
struct actions *router_hop(const struct lflow_out *l, const struct fact_network *out,
                           const struct address *to);
void router_put_hop(const struct lflow_out *l, struct lflow_list *list,
                    const struct fact_network *out, const struct address *to); /* into a list */
/* symmetric.c: answers to connections that came in by ROUTE, through OUT, go back the way they came. Reads key. */
void router_symmetric_reply(const struct lflow_out *l, const struct fact_route *route,
                            const struct fact_network *out);
/* routing.c: what a route is for; ANY_TABLE: before it is known which table a packet is routed by. */
struct expr *router_route_match(const struct lflow_out *l, const struct fact_route *route,
                                bool any_table);
/* arp_resolve.c: next hops whose MAC is in NB. Each switch port; each link of a switch; each pair of router ports. */
void router_resolve_port(struct inc_ctx *ctx, const void *key, void *aux);
void router_resolve_link(struct inc_ctx *ctx, const void *key, void *aux);
void router_resolve_peer(struct inc_ctx *ctx, const void *key, void *aux);
/* arp_resolve.c: whether IP is in a network of router port LRP. Reads network. */
bool router_is_neighbor(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lrp,
                        const struct address *ip);
/* delivery.c, each router port */
void router_delivery(struct inc_ctx *ctx, const void *key, void *aux);
