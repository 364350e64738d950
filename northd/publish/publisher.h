/* publisher.h - makes the southbound database be what the facts say (room 5 of docs/architecture.md).
 *
 * The publisher holds, for everything that northd owns in SB, what is wanted (from the facts that changed) and what is there
 * (from the rows that changed), by a key that both have: a datapath's NB uuid, a port's name, a flow's text. What has
 * changed on either side is dirty; publisher_build compares the two sides of what is dirty and adds the difference to a
 * transaction: wanted and not there inserts, there and not wanted deletes, else the columns that differ; sets by element. So
 * drift by others heals itself, a restart against an unchanged SB writes nothing, and the cost is that of the change.
 *
 * SB uuids are known here only: facts speak of NB uuids and names. One difference is out at a time: mostly one transaction; a large one that deletes
 * nothing is told in several, ports and the like first, so that the database works on the one while the next is built. When one fails, the
 * publisher forgets all it knows and compares everything again.
 *
 *     datapaths.c  Datapath_Binding      groups.c    Multicast_Group       seed.c     constant rows
 *     ports.c      Port_Binding, and MAC_Binding rows of ports that are gone
 *     stations.c   FDB rows of keys that nobody has
 *     rows.c       tables whose rows are known by their uuid, one fact each
 *     sets.c       Address_Set, Port_Group
 *     classes.c    flows of classes of datapaths, as flows of their members
 *     texts.c      texts of new flows, made by a second thread
 *     lflows_sb.c  Logical_Flow          dpsets.c    Logical_DP_Group: flows that several datapaths share are one row
 */
#pragma once

#include "northd/program.h"
#include "replica/replica.h"

struct publisher;

/* All borrowed. Watches the published collections of INC: call before the first assertion. SB need not be ready.
 * PART: operations of a large transaction; 0: the usual number. ONE_THREAD: it may start none. */
struct publisher *publisher_new(struct northd_program *program, struct inc *inc, struct replica *sb,
                                size_t part, bool one_thread);
void publisher_free(struct publisher *pub);

/* SB is ready: takes in all its rows. */
void publisher_start(struct publisher *pub);
/* The SB replica's observer hands every change set over. */
void publisher_take_rows(struct publisher *pub, const struct changeset *cs);
/* Takes in what the last settle has changed; everything, after a transaction failed. Only when settled. */
void publisher_take_facts(struct publisher *pub);

/* Adds the difference to TXN, or as much of it as makes a large transaction: then true, and no facts may be taken in before publisher_go_on
 * has added the rest to later ones. When all of these have ended, or one has failed, that must be told by publisher_done. */
bool publisher_build(struct publisher *pub, struct replica_txn *txn);
bool publisher_go_on(struct publisher *pub, struct replica_txn *txn); /* the same */
void publisher_done(struct publisher *pub, int err);
/* Somebody else has written meanwhile: the next build compares everything with what SB holds then. */
void publisher_restart(struct publisher *pub);
bool publisher_is_dirty(const struct publisher *pub);

/* For topology/keys.c: keys that SB rows hold; 0 when there is none. */
uint32_t publisher_datapath_key(const struct publisher *pub, const struct uuid *datapath);
uint32_t publisher_port_key(const struct publisher *pub, const struct uuid *datapath,
                            const struct rstr *name);
/* The row of a port's binding, or NULL. */
const struct row *publisher_port_row(const struct publisher *pub, const struct rstr *name);
