/* nat.h - the compile units of address translation (rooms 2 and 3 of docs/architecture.md). The facts are in nat_facts.h. */
#pragma once

#include "northd/lflows.h"
#include "northd/program.h"

void nat_declare_facts(struct northd_program *p);
void nat_declare_units(struct northd_program *p); /* facts of it; reads topology and gateways */
void nat_declare_flows(
    struct northd_program *p); /* whoever else emits nat.translates comes before */

/* rule.c: each row of NAT */
void nat_rule(struct inc_ctx *ctx, const void *key, void *aux);
/* force_snat.c: each gateway router; each router that has addresses to force */
void nat_force_snat(struct inc_ctx *ctx, const void *key, void *aux);
void nat_force_snat_flows(struct inc_ctx *ctx, const void *key, void *aux);
/* connections.c: each router that keeps track of connections */
void nat_connections(struct inc_ctx *ctx, const void *key, void *aux);
/* translate.c: each rule on a router */
void nat_translate(struct inc_ctx *ctx, const void *key, void *aux);
/* external.c: each address on a router */
void nat_external(struct inc_ctx *ctx, const void *key, void *aux);
/* attached.c: each attachment of a router */
void nat_attached(struct inc_ctx *ctx, const void *key, void *aux);
/* announce.c: each attachment of a router; each address on a router; each distributed gateway port */
void nat_announce(struct inc_ctx *ctx, const void *key, void *aux);
void nat_announce_address(struct inc_ctx *ctx, const void *key, void *aux);
void nat_always_redirect(struct inc_ctx *ctx, const void *key, void *aux);

/* announce.c: for lb/: the VIP as one more address that the ports of a router's switches announce. Reads nat.announcer, emits port_nat. */
void nat_announce_vip(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                      const struct address *vip);

/* external.c: whether packets to ADDRESS, an address of a port of LR, may be for who is behind SNAT. A unit that calls it reads
 * nat.address and nat.force_snat. */
bool nat_shares_address(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                        const struct address *address);
