/* dhcp_facts.h - facts of DHCP (rooms 2 and 3 of docs/architecture.md), and the room's collections: what rows of DHCP_Options say,
 * and which port uses which.
 */
#pragma once

#include "northd/address.h"
#include "northd/facts.h"

struct fact_dhcp {
    struct uuid uuid;
    struct address cidr;   /* addresses that may be offered; its version tells DHCPv4 from DHCPv6 */
    struct address server; /* source of answers */
    uint64_t mac;          /* of the server */
    uint64_t stateless;    /* DHCPv6 without addresses */
    const struct rstr
        *options; /* arguments of put_dhcp_opts or put_dhcpv6_opts, ready to be joined */
    const struct rstr
        *hostname; /* the argument of that name, apart, since a port may have its own; or NULL */
};

struct fact_dhcp_use {
    struct uuid lsp, options;
    const struct rstr *hostname; /* options:hostname of the port, or NULL */
    uint64_t version;            /* of IP: by which column the port names the row */
};

extern const struct inc_type northd_type_dhcp, northd_type_dhcp_use;

struct dhcp_facts {
    struct inc_coll *in_options;
    struct inc_index *in_options_by_uuid;
    struct inc_coll *dhcp, *use;
    struct inc_index *dhcp_by_uuid, *use_each;
};
