/* declare.h - how a room declares its collections, indexes and compile units (rooms 1 to 4 of docs/architecture.md). Each room has a
 * declare function or several, which northd/program.c calls in order; in it G is the program that is being declared:
 *
 *     struct inc_program *g = p->inc;
 *     p->x.in_nat = inc_input(g, "NAT", &feed_row_type);
 *     p->x.in_nat_by_uuid = BY_UUID(p->x.in_nat, feed_row, uuid);
 *     UNIT("nat: rules", p->x.in_nat_by_uuid, nat_rule, READS(p->x.in_nat, p->lrp), p->x.nat);
 */
#pragma once

#include <stddef.h>

#include "northd/program.h"

#define BY_UUID(COLL, TYPE, MEMBER)                                                                \
    inc_index_field(g, COLL, #MEMBER, &feed_uuid_type, offsetof(struct TYPE, MEMBER))
#define BY_NAME(COLL, TYPE, MEMBER)                                                                \
    inc_index_field(g, COLL, #MEMBER, &feed_name_type, offsetof(struct TYPE, MEMBER))

#define READS(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
/* For each key of EACH run RUN, which reads READ (READS(...)) and emits the rest. */
#define UNIT(NAME, EACH, RUN, READ, ...)                                                           \
    inc_kind(g,                                                                                    \
             &(struct inc_kind_def){                                                               \
                 .name = NAME, .each = EACH, .run = RUN, .reads = READ, .emits = {__VA_ARGS__}})
