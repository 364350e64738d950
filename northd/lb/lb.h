/* lb.h - the compile units of load balancers (rooms 2 and 3 of docs/architecture.md; ovn-nb(5) "Load_Balancer",
 * ovn-northd(8) "LB", "Pre-LB", "Hairpin", "DNAT"). lb_declare_... say at what key each runs and in what order.
 */
#pragma once

#include "northd/lflows.h"

/* declare.c, for program.c: collections; units up to lb_datapath; units that make flows of what is known by then */
void lb_declare_facts(struct northd_program *p);
void lb_declare_units(struct northd_program *p);
void lb_declare_flows(struct northd_program *p);

/* lb.c: each Load_Balancer row, twice */
void lb_row(struct inc_ctx *ctx, const void *key, void *aux);
void lb_binding(struct inc_ctx *ctx, const void *key, void *aux);
/* place.c: references from switches, from routers, through groups; each Load_Balancer row; each class of switches; each switch in one */
void lb_on_switch(struct inc_ctx *ctx, const void *key, void *aux);
void lb_on_router(struct inc_ctx *ctx, const void *key, void *aux);
void lb_on_switch_group(struct inc_ctx *ctx, const void *key, void *aux);
void lb_on_router_group(struct inc_ctx *ctx, const void *key, void *aux);
void lb_place(struct inc_ctx *ctx, const void *key, void *aux);
void lb_sum(struct inc_ctx *ctx, const void *key, void *aux);
void lb_balances(struct inc_ctx *ctx, const void *key, void *aux);
/* vip.c: each element of Load_Balancer.vips */
void lb_vip(struct inc_ctx *ctx, const void *key, void *aux);
/* flows.c: each load balancer on a router; each on a class of switches */
void lb_router_flows(struct inc_ctx *ctx, const void *key, void *aux);
void lb_switch_flows(struct inc_ctx *ctx, const void *key, void *aux);
/* switch.c: the class of switches that have a VIP; each port of one */
void lb_switch(struct inc_ctx *ctx, const void *key, void *aux);
void lb_switch_port(struct inc_ctx *ctx, const void *key, void *aux);
/* router.c: each router that has a VIP; each load balancer on a router: ARP */
void lb_router(struct inc_ctx *ctx, const void *key, void *aux);
void lb_router_arp(struct inc_ctx *ctx, const void *key, void *aux);
/* router.c: each address of a VIP on a router */
void lb_router_announce(struct inc_ctx *ctx, const void *key, void *aux);
/* router.c: whether packets to ADDRESS, an address of a port of LR, may be for a VIP. A unit that calls it reads
 * lb.router_vip. */
bool lb_has_vip(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                const struct address *address);

/* endpoint.c: "10.0.0.1", "10.0.0.1:80", "fd00::1", "[fd00::1]:80". */
struct lb_endpoint {
    struct address ip;
    uint16_t port; /* 0: none was given */
};
/* The N bytes at TEXT; false when they are none of these. */
bool lb_endpoint_parse(const char *text, size_t n, struct lb_endpoint *ret);
void lb_endpoint_put(struct str *out, const struct lb_endpoint *endpoint);
