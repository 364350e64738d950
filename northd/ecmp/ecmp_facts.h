/* ecmp_facts.h - numbers of groups of next hops (room 2 of docs/architecture.md). A packet carries the number of its group in a register
 * from the stage that chooses among the members to the one that acts on the choice. Numbers are of a router and a
 * space (routes, policies), and follow from the groups that there are: no history.
 */
#pragma once

#include "northd/facts.h"

enum ecmp_space { ECMP_ROUTES, ECMP_POLICIES };

struct key_ecmp {
    struct uuid lr;
    uint64_t space;
};
/* ID is of no row, or of one: whatever stands for the group. */
struct fact_ecmp_want {
    struct key_ecmp key;
    struct uuid id;
};
struct fact_ecmp_number {
    struct uuid lr, id;
    uint64_t number; /* 1 to 65535 */
};
struct key_ecmp_number {
    struct uuid lr, id;
};

extern const struct inc_type northd_type_ecmp_want, northd_type_ecmp_number, northd_key_ecmp,
    northd_key_ecmp_number;

struct ecmp_facts {
    struct inc_coll *want, *number;
    struct inc_index *want_each, *number_each;
};
