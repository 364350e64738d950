/* dhcp.h - the compile units of DHCP (rooms 2 and 3 of docs/architecture.md; ovn-nb(5) "DHCP_Options", ovn-northd(8) "DHCP options
 * processing", "DHCP responses"). dhcp_declare_... say at what key each runs and in what order.
 */
#pragma once

#include "northd/lflows.h"

/* declare.c, for program.c */
void dhcp_declare_facts(struct northd_program *p);
void dhcp_declare_units(struct northd_program *p);

/* options.c: each row of DHCP_Options */
void dhcp_options(struct inc_ctx *ctx, const void *key, void *aux);
/* port.c: each switch port; each port with its options */
void dhcp_use(struct inc_ctx *ctx, const void *key, void *aux);
void dhcp_port(struct inc_ctx *ctx, const void *key, void *aux);
