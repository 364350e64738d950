/* switch.h - the compile units of logical switches (room 3 of docs/architecture.md), one file a concern. northd/program.c says at
 * what key each runs and in what order.
 */
#pragma once

#include "northd/lflows.h"

/* common.c, each class of switches: what every switch has, and what it has by its ports. */
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
void switch_l2_common(const struct lflow_out *l); /* for common.c */
/* has.c: each thing that a switch has by its ports */
void switch_has_key(const void *fact, struct inc_keys *keys, void *aux);
void switch_has(struct inc_ctx *ctx, const void *key, void *aux);
/* port_sec.c, vtep.c, for common.c: of a switch with such ports */
void switch_port_sec(const struct lflow_out *l);
void switch_vtep_common(const struct lflow_out *l);
/* fdb.c, queue.c, vtep.c, each switch port; qos.c, each QoS row */
void switch_fdb(struct inc_ctx *ctx, const void *key, void *aux);
void switch_queue(struct inc_ctx *ctx, const void *key, void *aux);
void switch_vtep(struct inc_ctx *ctx, const void *key, void *aux);
void switch_qos(struct inc_ctx *ctx, const void *key, void *aux);
