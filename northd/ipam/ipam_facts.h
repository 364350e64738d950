/* ipam_facts.h - facts of address management (room 2 of docs/architecture.md; ovn-nb(5) "IP Address Assignment"), and the room's
 * collections.
 *
 *     Logical_Switch.other_config ----> config --+
 *     addresses of its ports -------> used, want +--> given ---> addresses of the port, and the column dynamic_addresses
 *
 * What is given is a function of what NB says, and dynamic_addresses is a part of that: who has an address keeps it, also
 * when northd starts anew or another one takes over.
 */
#pragma once

#include "northd/address.h"
#include "northd/facts.h"

struct fact_ipam_config {
    struct uuid ls;
    struct address subnet;       /* version 0: none */
    struct address prefix6;      /* version 0: none */
    const struct rstr *excluded; /* "10.0.0.4 10.0.0.6..10.0.0.8", or NULL */
};

/* An address that somebody on the switch has by himself. */
struct fact_ipam_used {
    struct uuid ls;
    uint64_t mac;
    struct address ip; /* version 0: the MAC alone */
};

struct fact_ipam_want {
    struct uuid ls, lsp;
    uint64_t mac;            /* that it has by itself, or 0 */
    struct address ip4, ip6; /* that it asks for; version 0: any */
    uint64_t had_mac;        /* of dynamic_addresses, or 0 */
    struct address had_ip4;
};

struct fact_ipam_given {
    struct uuid lsp;
    uint64_t mac;
    struct address ip4, ip6; /* version 0: none */
};

extern const struct inc_type northd_type_ipam_config, northd_type_ipam_used, northd_type_ipam_want,
    northd_type_ipam_given;

struct ipam_facts {
    struct inc_coll *config, *used, *want, *given;
    struct inc_index *config_by_ls, *used_by_ls, *want_by_ls, *given_by_lsp;
};
