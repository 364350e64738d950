/* port_facts.h - facts of switch ports that stand for something elsewhere (room 2 of docs/architecture.md; ovn-nb(5),
 * Logical_Switch_Port: virtual, external, options:arp_proxy).
 */
#pragma once

#include "northd/facts.h"

/* A virtual port that some port has been seen to have. */
struct fact_virtual_parent {
    const struct rstr *port, *parent;
};

extern const struct inc_type northd_type_virtual_parent;

struct port_facts {
    struct inc_coll *parent;
    struct inc_index *parent_by_port;
};
