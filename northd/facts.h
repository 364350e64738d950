/* facts.h - the facts that northd's compile units read and emit (rooms 2 to 4 of docs/architecture.md).
 *
 * Inputs are rows of the northbound database and their references (lib/feed) and keys given out by topology/keys.c. From
 * them topology/ makes what the rest speaks of: datapaths, ports, addresses, networks, links. switch/ and router/ make
 * logical flows of those. Everything that ends in a southbound row is a fact too, in terms of NB uuids and names: which
 * SB row stands for it is the publisher's knowledge.
 *
 * Facts are plain structs compared by their bytes: clear one (INC_CLEAR) before filling it. Names come from
 * northd_program->names, matches and actions from its pools, so that equal content is an equal pointer.
 */
#pragma once

#include "feed/feed.h"
#include "lflow/lflow.h"
#include "northd/address.h"
#include "northd/group.h"

/* ---- topology ---- */

enum {
    DATAPATH_DISABLED = 1,
    DATAPATH_LEARN_ANY_REPLY = 2,
    DATAPATH_LEARN_REQUESTS = 4,
    DATAPATH_NO_STATIC_NEIGHBORS = 8,
    DATAPATH_VLAN_PASSTHRU = 16
};

struct fact_datapath {
    struct uuid uuid; /* of the Logical_Switch or Logical_Router */
    const struct rstr *name;
    uint32_t kind; /* enum datapath_kind */
    uint32_t flags;
};

enum lsp_type {
    LSP_VIF,
    LSP_ROUTER,
    LSP_LOCALNET,
    LSP_LOCALPORT,
    LSP_VIRTUAL,
    LSP_L2GATEWAY,
    LSP_VTEP,
    LSP_EXTERNAL,
    LSP_OTHER
};
enum {
    PORT_DISABLED = 1,
    PORT_UNKNOWN = 2,
    PORT_SECURED = 4,
    PORT_LEARNS = 8,
    /* what its row has: see topology/lsp_index.c */
    PORT_HAS_QUEUE = 16,
    PORT_HAS_TAG = 32,
    PORT_HAS_DHCP = 64,
    PORT_REQUESTS_CHASSIS = 128,
    PORT_ANSWERS_ITSELF = 256, /* options:disable_arp_nd_rsp */
};

struct fact_lsp {
    struct uuid uuid, ls;
    const struct rstr *name;
    const struct rstr *peer; /* options:router-port, or NULL */
    uint32_t type;           /* enum lsp_type */
    uint32_t flags;
};

enum { LRP_ANSWER_ANY_SENDER = 2 }; /* beside PORT_DISABLED */

struct fact_lrp {
    struct uuid uuid, lr;
    const struct rstr *name;
    const struct rstr *peer; /* column peer, or NULL */
    uint64_t mac;
    uint32_t flags;
    uint32_t mtu; /* options:gateway_mtu, 0: none */
};

/* A router port's network: its address there and the prefix length. */
struct fact_network {
    struct uuid lrp, lr;
    const struct rstr *lrp_name;
    uint64_t mac;
    struct address address;
    uint64_t link_local; /* the automatic fe80::/64: the same network on every port */
};

/* Prefix lengths in use among the networks of a router: what a look-up has to try. */
struct fact_plen {
    struct uuid lr;
    uint32_t version, plen;
};

/* A switch port and a router port that name each other. */
struct fact_link {
    struct uuid ls, lsp, lr, lrp;
    const struct rstr *lsp_name, *lrp_name;
    uint64_t mac; /* of the router port */
};

/* Two router ports that name each other, seen from the first. */
struct fact_router_peer {
    struct uuid lr, lrp, peer;
    const struct rstr *lrp_name, *peer_name;
};

/* An address of a switch port: a MAC (ip.version 0), and again with each IP that goes with it. */
struct fact_port_addr {
    struct uuid ls, lsp;
    uint64_t mac;
    struct address ip;
};

/* What a switch has that others of its flows depend on: one fact each, whatever their number. */
enum switch_has {
    SWITCH_HAS_LB,           /* a load balancer with a VIP */
    SWITCH_HAS_ACL,          /* of its own or of a port group */
    SWITCH_HAS_STATEFUL_ACL, /* allow-related */
    SWITCH_HAS_BEFORE_LB,    /* a from-lport ACL for before load balancing, for after it */
    SWITCH_HAS_AFTER_LB,
    SWITCH_HAS_PORT_SECURITY,
    SWITCH_HAS_VTEP,
    SWITCH_HAS_TIER, /* and beyond: see northd/acl/tier.c */
};
struct fact_switch_has {
    struct uuid ls;
    uint64_t what; /* enum switch_has */
};

/* What a row says that makes no sense, and is left out: told in the log once, while it is so. */
struct fact_complaint {
    struct uuid row;
    const struct rstr *text; /* a sentence that names the table and what is left out */
};

enum route_policy { ROUTE_BY_DESTINATION, ROUTE_BY_SOURCE };

struct fact_route {
    struct uuid lr, route;
    struct address prefix;
    struct address nexthop;         /* version 0: discard */
    const struct rstr *output_port; /* or NULL */
    uint32_t policy;                /* enum route_policy */
    uint32_t table;                 /* topology_table_id of its route_table */
    uint64_t symmetric;             /* options:ecmp_symmetric_reply */
};

/* A port that asks for a VLAN tag inside PARENT: REQUEST, or 0 for any; HELD: what it has by the column tag, 0: none. */
struct fact_tag_want {
    const struct rstr *parent;
    struct uuid lsp;
    uint64_t request, held;
};
struct fact_tag { /* and gets it */
    struct uuid lsp;
    uint64_t tag;
};

/* ---- numbers that stick (inputs, from topology/keys.c) ---- */

/* Of those who come at one time the former are served first. */
enum key_owner_kind { KEY_SWITCH, KEY_ROUTER, KEY_SWITCH_PORT, KEY_ROUTER_PORT, KEY_REDIRECT };
struct fact_want_key { /* ID wants a tunnel key among those of SCOPE (zero: datapaths) */
    struct uuid scope, id;
    const struct rstr *name;
    uint32_t wish; /* requested-tnl-key, 0: any */
    uint32_t kind; /* enum key_owner_kind */
};
struct fact_key {
    struct uuid id;
    uint64_t key;
};

/* ---- what is published ---- */

struct fact_datapath_binding {
    struct uuid datapath;
    const struct row *row; /* NB: Logical_Switch or Logical_Router */
    uint32_t kind;
    uint32_t key;
};

struct fact_port_binding {
    struct uuid port, datapath;
    const struct row *row; /* NB: Logical_Switch_Port or Logical_Router_Port */
    const struct rstr *name;
    const struct rstr *peer; /* the port at the other end of a router link, or NULL */
    const struct rstr *type; /* NULL: what the NB row says */
    struct uuid ha_group;    /* SB: HA_Chassis_Group, or zero */
    uint64_t key;
    uint64_t tag; /* 0: what the NB row says */
};

/* What a binding has beside its NB row, from whatever room: a pair of options (of several with one key the first in order),
 * an element of nat_addresses. They begin with the port. */
struct fact_port_option {
    const struct rstr *port, *key, *value;
};
struct fact_port_nat {
    const struct rstr *port, *address;
};
struct fact_port_chassis { /* a chassis that options:requested-chassis names, when it is there */
    const struct rstr *port;
    struct uuid chassis;
    uint64_t additional; /* not the first that is named */
};

struct fact_static_mac { /* a Static_MAC_Binding */
    struct uuid sb, lr;
    const struct rstr *port, *ip, *mac;
    uint64_t overrides;
};

struct fact_group { /* a Multicast_Group that has members */
    struct uuid datapath;
    uint64_t group; /* enum group */
};
struct fact_member {
    struct uuid datapath;
    uint64_t group;
    const struct rstr *port;
};

/* ---- southbound rows that the network depends on (inputs, from sb_inputs.c) ---- */

struct fact_chassis {
    const struct rstr *name, *hostname;
    struct uuid uuid;
};

/* A switch port that a chassis has claimed. */
struct fact_bound {
    const struct rstr *port;
    struct uuid chassis;
};

/* Families of classes of datapaths: see northd/classes.h. */
enum class_family {
    CLASS_COMMON,
    CLASS_ACL,
    CLASS_LB,
    N_CLASS_FAMILIES,
    CLASS_BALANCERS = N_CLASS_FAMILIES,
    CLASS_GROUP
};

/* A datapath is in a class. */
struct fact_class_member {
    struct uuid id, datapath;
    uint64_t family, traits; /* enum class_family; what its members have in common there */
};

/* Room 4. Flows that are equal but for the datapath become one southbound row. */
struct fact_lflow {
    struct uuid datapath; /* NB uuid of the switch or router; in class_flow the class */
    const struct expr *match;
    const struct actions *actions;
    uint16_t stage, priority;
    uint32_t hint; /* first 32 bits of the NB row's uuid that it comes from, 0: none */
};

/* By text, since pointers have no order that lasts; equal pointers are told at once. */
int fact_compare_match(const struct expr *a, const struct expr *b);
int fact_compare_actions(const struct actions *a, const struct actions *b);

extern const struct inc_type northd_type_datapath, northd_type_lsp, northd_type_lrp,
    northd_type_network, northd_type_plen, northd_type_link, northd_type_router_peer,
    northd_type_port_addr, northd_type_route, northd_type_want_key, northd_type_key,
    northd_type_datapath_binding, northd_type_port_binding, northd_type_group, northd_type_member,
    northd_type_lflow, northd_type_switch_has, northd_type_complaint, northd_type_static_mac,
    northd_type_tag_want, northd_type_tag, northd_type_bound, northd_type_port_option,
    northd_type_port_nat, northd_type_port_chassis, northd_type_chassis, northd_type_class_member;

/* A uuid that stands for DATA as a WHAT: the same in every run. */
struct uuid fact_derive_uuid(const char *what, const void *data, size_t n);

/* Keys of indexes beside feed_uuid_type and feed_name_type. */
struct key_network { /* the networks of a router with one prefix */
    struct uuid lr;
    struct address network;
};
struct key_route { /* the routes of a router with one prefix, policy and table */
    struct uuid lr;
    struct address prefix;
    uint32_t policy, table;
};
extern const struct inc_type northd_key_network, northd_key_route;
