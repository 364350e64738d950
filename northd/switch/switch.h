/* switch.h - the compile units of logical switches (room 3 of docs/architecture.md), one file a concern. northd/program.c says at
 * what key each runs and in what order.
 */
#pragma once

#include "northd/lflows.h"

/* common.c, each switch: what every switch has, whatever is on it. */
void switch_common(struct inc_ctx *ctx, const void *key, void *aux);
/* stateful.c, for common.c */
void switch_stateful(const struct lflow_out *l);
/* enabled.c, each switch port */
void switch_enabled(struct inc_ctx *ctx, const void *key, void *aux);
/* arp_rsp.c, each switch port */
void switch_arp_rsp(struct inc_ctx *ctx, const void *key, void *aux);
/* l2_lkup.c, each switch port; each attachment of a router; each switch that has ports for unknown addresses */
void switch_l2_lkup(struct inc_ctx *ctx, const void *key, void *aux);
void switch_l2_router(struct inc_ctx *ctx, const void *key, void *aux);
void switch_l2_unknown(struct inc_ctx *ctx, const void *key, void *aux);
