/* nat_facts.h - facts of address translation by routers (room 2 of docs/architecture.md; ovn-nb(5), NAT).
 *
 * A rule works where its router has a gateway: on a gateway router everywhere, on another one at one distributed gateway
 * port, on the chassis of that port or, when the rule names a logical port and a MAC address of its own, on the
 * chassis of that logical port ("distributed").
 */
#pragma once

#include "northd/address.h"
#include "northd/facts.h"

enum nat_type { NAT_SNAT = 1, NAT_DNAT = 2, NAT_BOTH = NAT_SNAT | NAT_DNAT }; /* bits */
enum { NAT_STATELESS = 1, NAT_DISTRIBUTED = 2 };

/* Members that may be NULL are so where they say so. */
enum nat_text {
    NAT_PORT_NAME, /* the distributed gateway port; NULL: on a gateway router */
    NAT_RESIDENT,  /* the port whose chassis translates; NULL: on a gateway router */
    NAT_PORTS,     /* external_port_range, or NULL */
    NAT_ALLOWED,   /* address set, or NULL */
    NAT_EXEMPTED,  /* address set, or NULL */
    NAT_MATCH,     /* or NULL */
    N_NAT_TEXTS
};

struct key_nat {
    struct uuid lr, nat;
};

struct fact_nat {
    struct key_nat key;
    struct address external, logical; /* logical: a network when it is for SNAT only */
    uint64_t mac;                     /* external_mac of a distributed rule */
    uint64_t port_mac;                /* of the gateway port; 0 on a gateway router */
    uint32_t type, flags;
    uint64_t priority;
    const struct rstr *text[N_NAT_TEXTS];
};

/* An address that a router has by NAT beside those of its ports; many rules may share it. */
struct key_nat_address {
    struct uuid lr;
    struct address address;
};
struct fact_nat_address {
    struct key_nat_address key;
    uint64_t mac; /* that answers for it, 0: that of the port */
    uint64_t port_mac;
    uint32_t type, flags;
    const struct rstr *port, *resident; /* as in fact_nat */
};

/* A router that keeps track of connections: it has NAT rules (or load balancers; any room may say so). */
struct fact_translates {
    struct uuid lr;
};
/* The MAC address of distributed rules, at a gateway port. */
struct fact_nat_distributed {
    struct uuid lr;
    uint64_t mac;
    const struct rstr *port, *logical_port;
};

/* A switch port that announces all that its router has by NAT and load balancing (options:nat-addresses "router"). */
struct fact_announcer {
    struct uuid lr;
    const struct rstr *port, *lrp_name; /* PORT: of the switch */
    const struct rstr *resident;        /* the gateway port's chassis, NULL: a gateway router's */
    uint64_t mac;
    uint64_t without_vips;
};

/* options:dnat_force_snat_ip and lb_force_snat_ip of a gateway router. */
enum force_snat { FORCE_SNAT_DNAT, FORCE_SNAT_LB };
struct fact_force_snat {
    struct uuid lr;
    uint64_t what;          /* enum force_snat */
    struct address address; /* version 0: that of the port that a packet leaves by ("router_ip") */
};

extern const struct inc_type northd_type_nat, northd_type_nat_address, northd_type_translates,
    northd_type_nat_distributed, northd_type_announcer, northd_type_force_snat, northd_key_nat,
    northd_key_nat_address;

struct nat_facts {
    struct inc_coll *in_nat, *in_lr_nat;
    struct inc_index *in_nat_by_uuid, *in_lr_nat_by_nat;
    struct inc_coll *nat, *address, *translates, *distributed, *announcer, *force_snat;
    struct inc_index *nat_each, *address_each, *announcer_by_lr, *translates_by_lr,
        *distributed_by_lr, *distributed_each, *force_snat_by_lr;
};
