/* facts.h - the facts that the controller's compile units read and emit (rooms 5 to 8 of docs/architecture.md).
 *
 * Inputs are rows of the southbound database (lib/feed) and what the host knows of this hypervisor: its interfaces, tunnels
 * and its own name. The result is one collection of OpenFlow flows, and what the host should write: claims of ports and tunnels that
 * are wanted. Facts are plain structs compared by their bytes: strings come from program->names, matches and
 * action lists from program->blobs, trees from program->exprs and program->actions, so equal content is an equal pointer.
 */
#pragma once

#include "base/rstr.h"
#include "base/uuid.h"
#include "feed/feed.h"
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
    struct rstr *name, *hostname;
};
struct
    fact_iface { /* an interface of the integration bridge with external_ids:iface-id and an ofport */
    struct rstr *iface_id;
    struct rstr *name; /* of the Interface */
    uint32_t ofport;
    uint32_t pad;
};
enum tunnel_type { TUNNEL_GENEVE, TUNNEL_VXLAN }; /* in order of preference */
struct fact_tunnel {                              /* a tunnel port of the integration bridge */
    struct rstr *chassis;                         /* name of the chassis at its other end */
    struct rstr *ip;                              /* of the other end */
    uint32_t ofport;
    uint16_t type;  /* enum tunnel_type */
    bool is_down;   /* BFD says so */
    uint8_t option; /* Geneve: the tun_metadata field that carries the ports */
};
struct
    fact_uplink { /* a patch port of the integration bridge to a bridge of the physical network */
    struct rstr *port; /* name of the localnet or l2gateway port that it serves */
    uint32_t ofport;
    uint32_t pad;
};
struct fact_mapping { /* a physical network that a bridge here leads to */
    struct rstr *network;
};

/* ---- numbers that stick: units want them by name, controller/allocate gives them ---- */

enum id_kind {
    ID_ZONE, /* connection tracking zone; the name is a port's or "<datapath>_dnat", "<datapath>_snat" */
    ID_GROUP, /* OpenFlow group; the name is its description */
    ID_METER, /* OpenFlow meter; the name is a Meter row's or "__string: <description>" */
    ID_CONJ,  /* conjunctions; the name is the logical flow's uuid and how many there are */
    N_ID_KINDS,
};
struct id_key {
    struct rstr *name;
    uint32_t kind; /* enum id_kind */
    uint32_t pad;
};
struct fact_want {
    struct id_key key;
    uint32_t
        arg; /* ID_ZONE: the zone that is asked for, 0: any; ID_CONJ: how many numbers in a row */
    uint32_t pad;
};
struct fact_id { /* given */
    struct id_key key;
    uint32_t id;
    uint32_t pad;
};

/* ---- rows, reduced to what units use ---- */

struct fact_datapath {
    struct uuid uuid;
    uint32_t key;
    uint32_t is_router;
    uint32_t snat_zone; /* that is asked for, 0: any */
};
struct fact_port {
    struct uuid uuid, datapath;
    struct uuid chassis; /* zero: not bound */
    struct rstr *name;
    struct rstr *peer;      /* options:peer, NULL when there is none */
    struct rstr *wanted_on; /* options:requested-chassis, NULL when there is none */
    struct rstr *parent;    /* of a nested port (with a tag), or a virtual port's present parent */
    struct rstr *network;   /* localnet, l2gateway: the physical network */
    struct rstr *gateway;   /* l2gateway, l3gateway: the chassis that it is to be on */
    struct rstr *redirect;  /* chassisredirect: options:distributed-port */
    struct uuid ha_group;   /* zero: none */
    struct uuid encap;      /* of its chassis, zero: any */
    uint32_t key;
    uint16_t type; /* enum port_type */
    uint16_t tag;  /* VLAN, PORT_TAG_NONE, PORT_TAG_PASSTHRU */
};
enum { PORT_TAG_NONE = 0x1000, PORT_TAG_PASSTHRU };
struct fact_chassis {
    struct uuid uuid;
    struct rstr *name;
};
struct fact_encap { /* where a chassis can be reached */
    struct uuid uuid;
    struct rstr *chassis;
    struct rstr *ip;
    uint32_t csum;
    uint32_t type; /* enum tunnel_type */
};
struct fact_global {        /* what SB_Global says that concerns flows */
    uint32_t hairpin_label; /* load balancers mark connections by ct_label, as they used to */
};
struct fact_meter { /* Meter with its bands, as ovs-ofctl writes it */
    struct rstr *name;
    struct rstr *spec;
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
    struct rstr *iface; /* name of the Interface, NULL: the port has none */
    uint32_t ofport;
    uint32_t pad;
};
struct fact_candidate { /* a chassis that may hold a chassisredirect or external port */
    struct uuid port;
    struct rstr *chassis;
    int64_t priority;
};
struct fact_want_tunnel { /* a tunnel that should exist */
    struct rstr *chassis;
    struct rstr *ip;
    uint32_t csum;
    uint16_t type;    /* enum tunnel_type */
    uint16_t has_bfd; /* its chassis and this one stand in for one another */
};
struct fact_want_uplink { /* a patch port to a physical network that should exist */
    struct rstr *port;
    struct rstr *network;
    uint32_t is_l2gateway;
    uint32_t pad;
};
struct fact_object { /* a group or meter that the switch should have */
    uint32_t kind;   /* ID_GROUP, ID_METER */
    uint32_t id;
    struct rstr *spec; /* as ovs-ofctl writes it, without the number */
};
struct zones { /* of connection tracking; 0: none */
    uint32_t port, dnat, snat;
};
struct fact_dp_zones { /* of a local datapath; port is 0 */
    struct uuid datapath;
    struct zones zones;
};
struct fact_localnet { /* the way from a local datapath to its physical network */
    struct uuid datapath;
    uint32_t key; /* of the localnet port */
};
struct fact_place { /* how a port of a local datapath is reached from here */
    struct uuid port, datapath;
    uint32_t key;    /* of the port */
    uint32_t dp_key; /* of the datapath */
    uint32_t how;    /* enum place */
    uint32_t ofport; /* HERE: of the interface; TUNNEL: of the tunnel */
    uint32_t peer_key,
        peer_dp_key; /* PATCH; REDIRECT: the port of this datapath that it leads to; NESTED: the parent */
    struct zones zones, peer_zones; /* HERE, PATCH, REDIRECT */
    uint16_t tag;                   /* as fact_port's */
    uint8_t tunnel_type, tunnel_option;
    uint32_t group_ofport; /* TUNNEL: of the tunnel for multicast groups */
    uint8_t group_tunnel_type, pad;
    uint16_t flags; /* PLACE_... */
};
enum place { PLACE_HERE, PLACE_TUNNEL, PLACE_PATCH, PLACE_REDIRECT };
enum place_flag {
    PLACE_NESTED = 1,    /* behind a tag on its parent's interface */
    PLACE_LOCALPORT = 2, /* on every hypervisor: what comes from it stays here */
    PLACE_LOCALNET = 4,
    PLACE_UPLINK = 8,    /* leads to a physical network: localnet or l2gateway */
    PLACE_OUT_ONLY = 16, /* another port owns what comes in */
};

struct fact_home { /* a port that is here, whatever its interface */
    struct uuid port;
};
struct fact_member { /* how a multicast group reaches one of its ports, or one hypervisor */
    struct uuid group;
    uint32_t how;    /* PLACE_HERE, PLACE_PATCH: key counts; PLACE_TUNNEL: ofport counts */
    uint32_t number; /* port key or ofport */
    uint32_t zone;   /* HERE, 0: none */
    uint16_t is_localport;
    uint8_t tunnel_type, tunnel_option;
};

struct fact_here { /* a local datapath, as its logical flows see it */
    struct uuid datapath;
    uint32_t key;
    uint32_t is_router;
};
struct
    fact_lflow_at { /* a logical flow that is another one on each of its datapaths, on one of them */
    struct feed_row lflow;
    struct fact_here here;
};
struct fact_dp_group_at { /* a local datapath in a group */
    struct uuid group;
    struct fact_here here;
};
struct fact_port_in_group { /* a port that a row of Port_Group names */
    struct uuid row, datapath;
    struct rstr *name;
    uint32_t key;     /* of the port */
    uint32_t is_away; /* it is a machine's, which is not here */
};
struct fact_reject { /* a logical flow that could not be understood, with the reason */
    struct uuid lflow;
    struct rstr *why;
};

struct oflow_key {      /* what makes two flows the same flow to a switch (oflow_key.h) */
    struct rstr *match; /* the bytes of a struct minimatch, without the datapath */
    uint32_t dp;        /* metadata is this; 0: the match says all */
    uint16_t priority;
    uint8_t table, pad;
};
struct fact_oflow { /* an OpenFlow flow that should be installed */
    struct oflow_key key;
    struct rstr *actions; /* the bytes of an of_actions list */
    uint64_t cookie;
};

extern const struct inc_type type_self, type_iface, type_tunnel, type_datapath, type_port,
    type_chassis, type_encap, type_group, type_set, type_root, type_edge, type_local, type_claim,
    type_want_tunnel, type_place, type_home, type_member, type_here, type_lflow_at,
    type_dp_group_at, type_reject, type_global, type_oflow, type_want, type_id, type_uplink,
    type_mapping, type_meter, type_candidate, type_want_uplink, type_object, type_dp_zones,
    type_localnet, type_port_in_group;
/* Keys. */
extern const struct inc_type type_key_u32, type_key_uuid, type_key_name, type_key_group,
    type_key_oflow, type_key_id;
