/* age.h - neighbours and MAC addresses that nobody has seen for long enough go (room 5 of docs/architecture.md; ovn-nb(5)
 * "mac_binding_age_threshold", "fdb_age_threshold").
 *
 * Controllers write into MAC_Binding and FDB when a row was last seen. Logical_Router options:mac_binding_age_threshold says after how many
 * seconds it goes, for all or by prefix ("10.0.0.0/8:300;fd00::/64:60;3600", the longest prefix counts), Logical_Switch
 * other_config:fdb_age_threshold the same for FDB. NB_Global options:mac_binding_removal_limit and fdb_removal_limit bound how
 * many go at once; the next follow five seconds later. A neighbour has a quarter of its time more, and three seconds at least: weft-controllers
 * ask who is only spoken to, and need that long to write that there was an answer; what did not answer they remove themselves.
 */
#pragma once

#include "base/env.h"
#include "replica/replica.h"

struct age;

/* All borrowed. */
struct age *age_new(struct replica *nb, struct replica *sb, struct env *env);
void age_free(struct age *age);
/* Every change set of either database is shown to it. */
void age_take(struct age *age, const struct changeset *cs);
/* When age_build has something to do, env's monotonic ms; INT64_MAX: never. */
int64_t age_next_ms(const struct age *age);
/* If that time has come: adds the deletions that are due to TXN, one on SB. */
void age_build(struct age *age, struct replica_txn *txn);
