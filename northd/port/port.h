/* port.h - the compile units of switch ports that stand for something elsewhere (rooms 2 and 3 of docs/architecture.md): an address
 * that several ports may have (virtual), a machine that no chassis has (external), addresses behind a router (arp_proxy).
 */
#pragma once

#include "northd/lflows.h"

/* declare.c, for program.c */
void port_declare_facts(struct northd_program *p);
void port_declare_units(struct northd_program *p); /* before the groups of chassis */
void port_declare_flows(struct northd_program *p);

/* virtual.c: each virtual port, on its switch; for routers */
void port_virtual(struct inc_ctx *ctx, const void *key, void *aux);
void port_virtual_resolve(struct inc_ctx *ctx, const void *key, void *aux);
/* external.c: each external port, the group of chassis that it is served by; its flows */
void port_external_group(struct inc_ctx *ctx, const void *key, void *aux);
void port_external(struct inc_ctx *ctx, const void *key, void *aux);
/* external.c: the row of the group of chassis of a switch port, or NULL. Reads gateway.in_ha_group. */
const struct row *port_ha_group(struct inc_ctx *ctx, struct northd_program *p,
                                const struct row *lsp);
/* proxy.c: each attachment of a router */
void port_proxy(struct inc_ctx *ctx, const void *key, void *aux);
