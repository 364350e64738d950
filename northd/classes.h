/* classes.h - flows that many datapaths have, made once (rooms 2 to 4 of docs/architecture.md).
 *
 * A class is a set of datapaths, known by a uuid. A fact_class_member says that a datapath is in it; a fact_lflow in p->class_flow, whose
 * datapath is the class, is a flow of each of its members. So what a thousand switches have is one fact for all of them, and one switch more
 * is one fact for all that it has; the publisher puts both together.
 *
 * What two classes with a common datapath, or a class and one of its datapaths, have beside one another is never the same flow: classes of
 * one family have no common datapath or flows of different rows, and families have flows of stages, priorities or rows of their own.
 *
 * A switch is in one class of each family here, by what it has; classes of load balancers are in lb/place.c, those of port groups' switches in
 * acl/where.c. Of these two families a switch may be in several classes: their flows name the row that they come from.
 */
#pragma once

#include "northd/lflows.h"

/* What of a switch its class says: bits by enum switch_has, and this. */
enum { TRAIT_VLAN_PASSTHRU = 63 };

static inline bool has_trait(uint64_t traits, unsigned what)
{
    return traits >> what & 1;
}

/* Collections and indexes, for program.c. */
void classes_declare(struct northd_program *p);
/* Each switch: the classes that it is in. */
void classes_switch(struct inc_ctx *ctx, const void *key, void *aux);

/* Where the flows go that the switches with TRAITS have in FAMILY. */
struct lflow_out classes_begin(struct inc_ctx *ctx, struct northd_program *p,
                               enum class_family family, const uint64_t *traits);
/* Where flows of the class ID go, which come from ROW. */
struct lflow_out classes_begin_at(struct inc_ctx *ctx, struct northd_program *p,
                                  const struct uuid *id, const struct uuid *row);
