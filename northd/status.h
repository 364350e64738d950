/* status.h - the way back up: what NB is told of what has become true (room 5 of docs/architecture.md).
 *
 * The chain of numbers: a client raises NB_Global.nb_cfg; SB_Global.nb_cfg gets it in the same transaction as the flows that
 * belong to it; once that is committed sb_cfg says so; each controller answers in Chassis_Private.nb_cfg, and hv_cfg is their
 * minimum (or the number itself when there is no chassis). Each step has its time, in milliseconds since the epoch.
 *
 * Also Port_Binding.up, which becomes Logical_Switch_Port.up, the chassis of a distributed gateway port (Logical_Router_Port.status), tags that were chosen, and the two rows NB_Global and SB_Global themselves with
 * the options that clients and controllers expect there.
 */
#pragma once

#include "northd/program.h"
#include "replica/replica.h"

struct status;
struct publisher;

struct status *status_new(struct northd_program *program, struct inc *inc, struct replica *nb,
                          struct replica *sb, const struct publisher *pub, struct env *env);
void status_free(struct status *status);
/* Every change set of either database is shown to it. */
void status_take_nb(struct status *status, const struct changeset *cs);
void status_take_sb(struct status *status, const struct changeset *cs);
/* After each settle; true when NB may have to be told something. */
bool status_take_facts(struct status *status);
/* All ports are to be looked at again: at the start, and after a transaction failed. */
void status_restart(struct status *status);
/* Of a northd that tells NB nothing: a restart is due when it begins to. */
void status_forget(struct status *status);
/* Adds to the transaction of flows what belongs to them. */
void status_build_sb(struct status *status, struct replica_txn *txn);
/* What NB should be told; the engine must be settled. */
void status_build_nb(struct status *status, struct replica_txn *txn);
