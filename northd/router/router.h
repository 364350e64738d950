/* router.h - the compile units of logical routers (room 3 of docs/architecture.md), one file a concern. northd/program.c says at
 * what key each runs and in what order. IPv4 and IPv6 are one path wherever the protocols allow.
 */
#pragma once

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
/* routing.c, each router port: its networks; each prefix of static routes */
void router_connected(struct inc_ctx *ctx, const void *key, void *aux);
void router_route(struct inc_ctx *ctx, const void *key, void *aux);
/* arp_resolve.c: next hops whose MAC is in NB. Each switch port; each link of a switch; each pair of router ports. */
void router_resolve_port(struct inc_ctx *ctx, const void *key, void *aux);
void router_resolve_link(struct inc_ctx *ctx, const void *key, void *aux);
void router_resolve_peer(struct inc_ctx *ctx, const void *key, void *aux);
/* delivery.c, each router port */
void router_delivery(struct inc_ctx *ctx, const void *key, void *aux);
