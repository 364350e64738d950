/* lb_facts.h - facts of load balancers (rooms 2 to 5 of docs/architecture.md), and the room's collections.
 *
 *     Load_Balancer row ------------> lb --+
 *     Load_Balancer.vips, an element -----> vip, lb_flow       what one VIP means, without saying where
 *     references of routers, and by groups -----> lb_on              which load balancer is on which router
 *     lb_on x lb_flow ------------------------> lflow, lb_datapath
 *     references of switches, and by groups ----> lb_place, lb_member   on which class of switches each is, who is in it
 *     lb_place x lb_flow ---------------------> class_flow           (northd/classes.h)
 *     lb_member ------------------------------> lb_datapath
 *
 * So a backend that changes makes one VIP's text anew, wherever it is, and a switch that joins a group costs one fact.
 */
#pragma once

#include "northd/address.h"
#include "northd/facts.h"
#include "northd/lb/health.h"

enum {
    LB_REJECT = 1,    /* options:reject */
    LB_SKIP_SNAT = 2, /* options:skip_snat */
    LB_EVENT = 4,     /* options:event */
};
enum lb_responder { LB_ANSWER_REACHABLE, LB_ANSWER_ALL, LB_ANSWER_NONE };

struct fact_lb {
    struct uuid uuid;
    const struct rstr *protocol;    /* "tcp", "udp", "sctp" */
    const struct rstr *hash_fields; /* as an argument of ct_lb_mark, or NULL */
    uint32_t flags;
    uint32_t affinity;  /* seconds, 0: none */
    uint32_t responder; /* enum lb_responder */
    uint32_t pad;
};

/* The address of a VIP: what a router that has the load balancer answers ARP for. */
struct fact_lb_vip {
    struct uuid lb;
    struct address ip;
};

/* Where a flow of a VIP goes: on switches, on all routers, on routers without and with lb_force_snat_ip, at each distributed gateway
 * port of a router. */
enum lb_where { LB_SWITCH, LB_ROUTER, LB_ROUTER_PLAIN, LB_ROUTER_FORCE_SNAT, LB_GATEWAY_PORT };

struct fact_lb_flow {
    struct uuid lb;
    struct address vip;
    uint16_t port;
    uint16_t n; /* among the flows of the VIP: with it the order needs no look at the text */
    uint16_t where, stage;
    uint64_t priority;
    const struct expr *match;
    const struct actions *actions;
};

struct fact_lb_on {
    struct uuid lb, lr;
};

/* A load balancer is on the switches of a class: that of its group, or one of its own, whose uuid is the load balancer's. */
struct fact_lb_place {
    struct uuid lb, at;
};

/* A class of switches that a load balancer with a VIP is on. */
struct fact_lb_balanced {
    struct uuid at;
};

/* What the switches of a class add up to: another number when there are others. */
struct fact_lb_sum {
    struct uuid at;
    uint64_t sum[2];
};

/* A switch or router with a load balancer that has a VIP. */
struct fact_lb_datapath {
    struct uuid datapath;
    uint64_t kind;
};

/* The address of a VIP on a router. */
struct fact_lb_router_vip {
    struct uuid lr;
    struct address ip;
};

/* A southbound Load_Balancer, which has the same uuid: for those on switches. */
struct fact_lb_binding {
    struct uuid lb;
    const struct row *row; /* NB */
    uint64_t switches[2];  /* changes when they do */
};

extern const struct inc_type northd_type_lb, northd_type_lb_vip, northd_type_lb_flow,
    northd_type_lb_on, northd_type_lb_place, northd_type_lb_balanced, northd_type_lb_sum,
    northd_type_lb_datapath, northd_type_lb_router_vip, northd_type_lb_binding;

struct lb_facts {
    struct inc_coll *in_lb, *in_vip, *in_ls_lb, *in_lr_lb, *in_ls_group, *in_lr_group, *in_group_lb;
    struct inc_index *in_lb_by_uuid, *in_vip_each, *in_ls_lb_each, *in_lr_lb_each;
    struct inc_index *in_ls_group_each, *in_lr_group_each, *in_group_lb_by_group;
    struct inc_index *in_ls_lb_by_lb, *in_group_lb_by_lb;
    struct inc_coll *lb, *vip, *flow, *on, *datapath, *router_vip, *binding;
    struct inc_index *lb_by_uuid, *vip_by_lb, *flow_by_lb, *on_each;
    struct inc_coll *place, *mixed /* of groups, on classes of their own */, *member, *balanced,
        *sum;
    struct inc_index *place_by_lb, *mixed_by_group, *member_by_class, *member_by_switch,
        *balanced_by_class, *sum_by_class;
    struct inc_index *datapath_by_switch, *datapath_by_router, *router_vip_each;
    struct lb_health_facts health;
};
