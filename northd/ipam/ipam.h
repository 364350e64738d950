/* ipam.h - the compile units of address management (rooms 1 and 2 of docs/architecture.md). ipam_declare_... say at what key each runs
 * and in what order.
 */
#pragma once

#include "northd/program.h"
#include "replica/replica.h"

/* declare.c, for program.c: the units read links and networks, and come before the addresses of ports */
void ipam_declare_facts(struct northd_program *p);
void ipam_declare_units(struct northd_program *p);

/* want.c: each Logical_Switch; each switch port */
void ipam_config(struct inc_ctx *ctx, const void *key, void *aux);
void ipam_port(struct inc_ctx *ctx, const void *key, void *aux);
/* allocate.c: each switch that has a configuration */
void ipam_allocate(struct inc_ctx *ctx, const void *key, void *aux);

/* declare.c, for status.c: sets dynamic_addresses of ROW (a Logical_Switch_Port) when it is not what is given. */
void ipam_build_port(struct northd_program *p, struct inc *inc, struct replica_txn *txn,
                     const struct row *row);
