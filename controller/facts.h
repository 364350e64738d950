/* facts.h - the facts that the controller's compile units read and emit (rooms 5 to 8 of docs/architecture.md).
 *
 * Inputs are rows of the southbound database (lib/feed) and what the host knows of this hypervisor: its interfaces, tunnels
 * and its own name. The result is one collection of OpenFlow flows, and what the host should write: claims of ports and tunnels that
 * are wanted. Facts are plain structs compared by their bytes: strings come from program->names, matches and
 * action lists from program->blobs, trees from program->exprs and program->actions, so equal content is an equal pointer.
 */
#pragma once

#include "action/action.h"
#include "base/rstr.h"
#include "base/uuid.h"
#include "expr/expr.h"
#include "inc/inc.h"

enum port_type {
    PORT_VIF,
    PORT_PATCH,
    PORT_LOCALNET,
    PORT_L2GATEWAY,
    PORT_L3GATEWAY,
    PORT_LOCALPORT,
    PORT_CHASSISREDIRECT,
    PORT_EXTERNAL,
    PORT_VIRTUAL,
    PORT_REMOTE,
    PORT_OTHER,
};

/* ---- from the host ---- */

struct fact_self { /* one, once our Chassis row is there */
    struct uuid chassis;
    struct rstr *name;
};
struct
    fact_iface { /* an interface of the integration bridge with external_ids:iface-id and an ofport */
    struct rstr *iface_id;
    struct rstr *name; /* of the Interface */
    uint32_t ofport;
    uint32_t pad;
};
struct fact_tunnel {      /* a tunnel port of the integration bridge */
    struct rstr *chassis; /* name of the chassis at its other end */
    uint32_t ofport;
    uint32_t pad;
};

/* ---- rows, reduced to what units use ---- */

struct fact_datapath {
    struct uuid uuid;
    uint32_t key;
    uint32_t is_router;
};
struct fact_port {
    struct uuid uuid, datapath;
    struct uuid chassis; /* zero: not bound */
    struct rstr *name;
    struct rstr *peer;      /* options:peer, NULL when there is none */
    struct rstr *wanted_on; /* options:requested-chassis, NULL when there is none */
    uint32_t key;
    uint32_t type; /* enum port_type */
};
struct fact_chassis {
    struct uuid uuid;
    struct rstr *name;
};
struct fact_encap { /* where a chassis can be reached by Geneve */
    struct rstr *chassis;
    struct rstr *ip;
    uint32_t csum;
    uint32_t pad;
};
struct group_key { /* a Multicast_Group by datapath and name: members of fact_group */
    struct uuid datapath;
    struct rstr *name;
};
struct fact_group { /* Multicast_Group */
    struct uuid uuid, datapath;
    struct rstr *name;
    uint32_t key;
    uint32_t pad;
};

struct fact_set { /* Address_Set or Port_Group: the row whose elements are meant by a name */
    struct uuid row;
    struct rstr *name; /* "$name" or "@name" */
};

/* ---- derived ---- */

struct fact_root { /* a datapath with a port on this hypervisor */
    struct uuid datapath;
};
struct fact_edge { /* a patch port pair, one direction */
    struct uuid from, to;
};
struct fact_local { /* a datapath whose pipeline may run here */
    struct uuid datapath;
};
struct fact_claim { /* a port that this hypervisor should be bound to */
    struct uuid port;
    struct rstr *iface; /* name of the Interface */
    uint32_t ofport;
    uint32_t is_contested; /* another chassis has it now */
};
struct fact_want_tunnel { /* a tunnel that should exist */
    struct rstr *chassis;
    struct rstr *ip;
    uint32_t csum;
    uint32_t pad;
};
struct fact_place { /* how a port of a local datapath is reached from here */
    struct uuid port, datapath;
    uint32_t key;                   /* of the port */
    uint32_t dp_key;                /* of the datapath */
    uint32_t how;                   /* enum place */
    uint32_t ofport;                /* HERE: of the interface; TUNNEL: of the tunnel */
    uint32_t peer_key, peer_dp_key; /* PATCH */
};
enum place { PLACE_HERE, PLACE_TUNNEL, PLACE_PATCH };

struct fact_member { /* how a multicast group reaches one of its ports, or one hypervisor */
    struct uuid group;
    uint32_t how;    /* PLACE_HERE, PLACE_PATCH: key counts; PLACE_TUNNEL: ofport counts */
    uint32_t number; /* port key or ofport */
};

struct fact_lflow_at { /* a logical flow on a local datapath */
    struct uuid lflow, datapath;
};
struct fact_dp_group_at { /* a local datapath in a group */
    struct uuid group, datapath;
};
struct fact_parsed { /* a logical flow, understood */
    struct uuid lflow;
    struct expr *match; /* the flow's match and its actions' prerequisites */
    struct actions *actions;
    uint32_t cookie;
    uint16_t priority;
    uint8_t pipeline; /* enum pipeline */
    uint8_t table;    /* logical */
};
struct fact_reject { /* a logical flow that could not be understood, with the reason */
    struct uuid lflow;
    struct rstr *why;
};

struct fact_oflow {     /* an OpenFlow flow that should be installed */
    struct rstr *match; /* the bytes of a struct minimatch */
    uint32_t priority;
    uint32_t table;
    struct rstr *actions; /* the bytes of an of_actions list */
    uint64_t cookie;
};
struct
    oflow_key { /* what makes two flows the same flow to a switch: the first members of fact_oflow */
    struct rstr *match;
    uint32_t priority;
    uint32_t table;
};

extern const struct inc_type type_self, type_iface, type_tunnel, type_datapath, type_port,
    type_chassis, type_encap, type_group, type_set, type_root, type_edge, type_local, type_claim,
    type_want_tunnel, type_place, type_member, type_lflow_at, type_dp_group_at, type_parsed,
    type_reject, type_oflow;
/* Keys. */
extern const struct inc_type type_key_u32, type_key_uuid, type_key_name, type_key_group,
    type_key_oflow, type_key_lflow_at;
