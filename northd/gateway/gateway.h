/* gateway.h - the compile units of gateways (rooms 2 and 3 of docs/architecture.md). The facts are in gateway_facts.h. */
#pragma once

#include "northd/lflows.h"
#include "northd/program.h"

void gateway_declare_facts(struct northd_program *p);
void gateway_declare_units(struct northd_program *p); /* facts of it; reads topology */
void gateway_declare_flows(struct northd_program *p);

/* resident.c: each Logical_Router; each router port */
void gateway_router(struct inc_ctx *ctx, const void *key, void *aux);
void gateway_port(struct inc_ctx *ctx, const void *key, void *aux);
/* resident.c: each attachment of a router port */
void gateway_reside(struct inc_ctx *ctx, const void *key, void *aux);
/* ha_group.c: each claimed port */
void gateway_chassis_on(struct inc_ctx *ctx, const void *key, void *aux);
/* ha_group.c: each name that a group of chassis is wanted by */
void gateway_ha_group(struct inc_ctx *ctx, const void *key, void *aux);
/* redirect.c: each distributed gateway port */
void gateway_redirect(struct inc_ctx *ctx, const void *key, void *aux);

/* mtu.c: each router port, for what comes in by it; for what leaves by it */
void gateway_larger(struct inc_ctx *ctx, const void *key, void *aux);
void gateway_mtu(struct inc_ctx *ctx, const void *key, void *aux);
/* mtu.c: whether a packet is larger than MTU, into its register; nothing when MTU is 0. */
struct actions *gateway_check_length(const struct lflow_out *l, uint32_t mtu);
/* mtu.c: what need not be looked at for it, NULL: nothing. A new reference. Reads in_lrp. */
struct expr *gateway_mtu_bypass(struct inc_ctx *ctx, struct northd_program *p,
                                const struct fact_lrp *lrp);

/* resident.c: the name whose chassis a router port is bound to, and not just anywhere, for receiving; NULL: none. OR_STANDS_IN: or
 * that it stands in for. A unit that calls it reads gateway.port and gateway.reside. */
const struct rstr *gateway_resident(struct inc_ctx *ctx, struct northd_program *p,
                                    const struct uuid *lrp, bool or_stands_in);
/* MATCH, only on the chassis where NAME (may be NULL) is resident. Takes over MATCH. */
struct expr *gateway_only_at(struct expr_pool *e, struct expr *match, const struct rstr *name);

/* resident.c: the uuid in SB of the group of chassis that NAME stands for. */
struct uuid gateway_ha_uuid(const struct rstr *name);
/* resident.c: the name of the group of chassis of a router port with a row, or NULL: it has none. A new reference. */
const struct rstr *gateway_ha_name(struct inc_ctx *ctx, struct northd_program *p,
                                   const struct row *lrp, const struct rstr *lrp_name);
