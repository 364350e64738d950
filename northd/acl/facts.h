/* facts.h - what the firewall half of northd makes of NB on the way to flows and SB rows (room 2 of docs/architecture.md): ACLs and
 * where they hold, port groups, and the named sets of strings that SB holds for matches.
 */
#pragma once

#include "expr/expr.h"
#include "feed/feed.h"

/* Where in a packet's way an ACL stands. */
enum acl_place { ACL_IN, ACL_IN_AFTER_LB, ACL_OUT, N_ACL_PLACES };
enum acl_action {
    ACL_ALLOW,
    ACL_ALLOW_RELATED,
    ACL_ALLOW_STATELESS,
    ACL_DROP,
    ACL_REJECT,
    ACL_PASS
};
enum { ACL_MAX_TIER = 3 };
enum { ACL_LOG = 1, ACL_LOG_RELATED = 2 };

/* An ACL whose match is one. */
struct fact_acl {
    struct uuid uuid;
    const struct expr *match;
    const struct rstr *name, *severity, *meter; /* of its log; NULL: none */
    uint32_t label, flags;
    uint16_t priority; /* that of the flows */
    uint8_t place, action;
    uint32_t tier;
};

/* An ACL holds on a switch: its own, or that of several groups. Of one that a single group has, and no switch, AT is the group (acl_at): it holds on
 * all that have a port of it. */
struct fact_acl_on {
    struct uuid acl, at;
    uint32_t place, action, tier, pad;
};
struct key_acl_on {
    struct uuid acl, at;
};
/* Switches of a group are in one class (northd/classes.h) if they have the same TRAITS, as far as ACLs look at them. */
struct fact_group_class {
    struct uuid group, id;
    uint64_t traits;
};

struct fact_port_group {
    struct uuid uuid;
    const struct rstr *name;
};
/* A group has PORT, of the switch LS. */
struct fact_group_port {
    struct uuid group, ls, port;
};
/* A group has ports of a switch. */
struct fact_group_switch {
    struct uuid group, ls;
};

/* Rows of SB: Meter, Meter_Band. */
struct fact_meter {
    struct uuid uuid;
    const struct rstr *name;
    const struct row *row; /* NB */
};
struct fact_meter_band {
    struct uuid uuid;
    uint64_t rate, burst;
};

/* A row of SB that is a name and a set of strings. Its elements are facts {owner, text} of type feed_text: the input of
 * Address_Set's addresses, and set_element. */
enum set_table { SET_ADDRESSES, SET_PORTS, N_SET_TABLES };
struct fact_set {
    struct uuid owner; /* the NB row, or made of it */
    const struct rstr *name;
    uint64_t table; /* enum set_table */
};

extern const struct inc_type northd_type_acl, northd_type_acl_on, northd_type_port_group,
    northd_type_group_port, northd_type_group_switch, northd_type_set, northd_type_meter,
    northd_type_meter_band;
extern const struct inc_type northd_key_acl_on, northd_type_group_class;

struct acl_room {
    struct inc_coll *in_acl, *in_ls_acl, *in_group, *in_group_port, *in_group_acl, *in_set,
        *in_address;
    struct inc_index *in_acl_by_uuid, *in_ls_acl_by_acl, *in_group_by_uuid, *in_group_port_by_port,
        *in_group_acl_by_acl, *in_set_by_uuid, *in_address_by_owner;
    struct inc_coll *acl, *acl_on, *port_group, *group_port, *group_switch;
    struct inc_index *acl_by_uuid, *acl_on_each, *acl_on_by_has, *port_group_by_uuid,
        *group_port_by_switch, *group_port_by_port, *group_switch_by_group, *group_switch_each;
    struct inc_coll *acl_at, *group_has, *group_class, *member;
    struct inc_index *acl_at_each, *acl_at_by_has, *group_has_by_group, *group_class_by_group,
        *member_by_class;
    struct inc_coll *in_meter, *in_band, *fair_meter, *meter, *meter_band;
    struct inc_index *in_meter_by_uuid, *in_band_by_uuid, *fair_meter_by_name;
    struct inc_coll *set_named, *set, *set_element;
    struct inc_index *set_named_by_uuid, *set_named_by_name, *set_element_by_owner;
};
