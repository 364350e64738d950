/* gateway_facts.h - facts of gateways (room 2 of docs/architecture.md; ovn-nb(5), Logical_Router options:chassis, Logical_Router_Port
 * gateway_chassis and ha_chassis_group).
 *
 * A gateway router is on one chassis as a whole: its bindings are of type l3gateway. A distributed gateway port of any
 * other router is a port whose traffic is handled by one chassis of a group: it has a second binding of type
 * chassisredirect, named cr-PORT, which that chassis claims.
 */
#pragma once

#include "northd/address.h"
#include "northd/facts.h"

struct fact_gateway_router {
    struct uuid lr;
    const struct rstr *chassis; /* its name */
};

struct fact_gateway_port {
    struct uuid lr, lrp;
    const struct rstr *lrp_name;
    const struct rstr
        *redirect;           /* name of the chassisredirect binding: where the port is resident */
    struct uuid redirect_id; /* that has its tunnel key */
    uint64_t mac;
};

/* A port that stands in for a distributed gateway port of its router (options:reside-on-redirect-chassis): on a switch with a
 * way out of its own, only that port's chassis answers for it. */
struct fact_gateway_reside {
    struct uuid lrp;
    const struct rstr *redirect;
};

/* Who wants a group of chassis in SB, by name: a router port with gateway_chassis, or a row of HA_Chassis_Group. */
struct fact_ha_want {
    const struct rstr *name;
    struct uuid source; /* Logical_Router_Port or HA_Chassis_Group */
    struct uuid lr;     /* whose port it is for */
    uint64_t is_port;
};

/* Rows of SB: HA_Chassis_Group and HA_Chassis. SB is the row's uuid. */
struct fact_ha_group {
    struct uuid sb;
    const struct rstr *name;
    uint64_t members[2]; /* changes when they do */
};
struct fact_ha_member {
    struct uuid sb, group;
    const struct rstr *name; /* of the chassis */
    struct uuid chassis;     /* SB, zero: none of that name */
    uint64_t priority;
};

/* Chassis that have ports on a switch; those among them that send to a group's chassis (HA_Chassis_Group ref_chassis), which
 * watch each other by BFD. */
struct fact_chassis_on {
    struct uuid ls, chassis;
};
struct fact_ha_ref {
    struct uuid group, chassis;
};

extern const struct inc_type northd_type_gateway_router, northd_type_gateway_port,
    northd_type_gateway_reside, northd_type_ha_want, northd_type_ha_group, northd_type_ha_member,
    northd_type_chassis_on, northd_type_ha_ref;

struct gateway_facts {
    struct inc_coll *in_chassis, *in_lrp_chassis, *in_ha_chassis, *in_ha_group,
        *in_ha_group_chassis;
    struct inc_index *in_chassis_by_uuid, *in_lrp_chassis_by_lrp, *in_ha_chassis_by_uuid,
        *in_ha_group_by_uuid, *in_ha_group_chassis_by_group;
    struct inc_coll *router, *port, *reside, *ha_want, *ha_group, *ha_member, *chassis_on, *ha_ref;
    struct inc_index *router_by_lr, *port_by_lrp, *port_by_lr, *reside_by_lrp, *ha_want_by_name,
        *ha_member_by_group, *chassis_on_by_ls, *ha_ref_by_group;
};
