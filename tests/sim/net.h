/* net.h - the network that the simulation asks for: each function changes the intent here and the databases alike (NB, and the
 * switch database of the hypervisor that a port is on). model.h says what the intent means for a packet.
 *
 * Everything is numbered. Port 7 of switch 2 is logical port "p7", interface "v7", MAC 0a:00:02:VV:00:07, IP 10.2.VV.7, where VV
 * counts the changes of its address, and fd00:0:0:2::VV07; routers are 10.S.255.254/16 on switch S. A router may have an edge: a distributed
 * gateway port to the network outside (edge.h), with SNAT, and addresses that stand for ports there. Load balancers: balance.h.
 */
#pragma once

#include "net/addr.h"
#include "sim/cluster.h"

enum { MAX_SWITCHES = 24, MAX_ROUTERS = 6, MAX_PORTS = 240, MAX_ACLS = 40, MAX_SETS = 4 };
enum { MAX_GATEWAYS = 3, MAX_FIPS = 12, MAX_LBS = 6, MAX_BACKENDS = 3 };
enum { OUTSIDE = MAX_PORTS /* what is no port */, N_HOSTS = 4 /* there */ };
enum { NOWHERE = -1, FIRST_ACL_PRIORITY = 1000, FIRST_TCP_PORT = 80, N_TCP_PORTS = 4 };

struct net_switch {
    bool is_there;
    int router; /* that it is linked to; -1: none */
};

struct net_router {
    bool is_there, has_edge, has_snat;
    unsigned gateways[MAX_GATEWAYS], n_gateways; /* hypervisors, the first choice first */
};

struct net_fip { /* an address outside that stands for a port */
    bool is_there, is_distributed;
    unsigned port, router;
    be32 inside;
};

struct net_lb {
    bool is_there;
    unsigned n;
    be32 backends[MAX_BACKENDS];
    uint32_t switches; /* bit I: it serves what comes from switch I */
    int router;        /* at whose edge it serves what comes from outside; -1: none */
};

struct net_port {
    bool is_there, is_secured, is_disabled;
    bool is_unknown; /* NB does not know its addresses: routers and switches learn them */
    unsigned sw, variant;
    int hv;          /* where its interface is; NOWHERE */
    int rival;       /* where another one claims the same port, in vain; NOWHERE */
    unsigned groups; /* bit I: member of port group I */
    unsigned sets;   /* bit I: its address is in set I, as of net_sets_update */
    struct mac mac;
    be32 ip;
};

enum acl_match {
    ACL_FROM_PORT,    /* ip4.src == the address that port had when the ACL was made */
    ACL_TO_PORT,      /* ip4.dst == ... */
    ACL_TCP_TO,       /* tcp.dst == */
    ACL_BY_PORT,      /* inport (outport) == */
    ACL_FROM_SET,     /* ip4.src == $as */
    ACL_TCP_FROM_SET, /* ip4.src == $as && tcp.dst == {} */
    ACL_BY_GROUP,     /* inport (outport) == @pg && udp: on a port group */
    ACL_FROM_PORT6,   /* ip6.src == the address that port had when the ACL was made && udp */
    N_ACL_MATCHES
};

struct net_acl {
    bool is_there, is_egress, is_allow;
    bool is_related;  /* allow-related: the switch follows connections */
    unsigned sw;      /* or the port group, of ACL_BY_GROUP */
    unsigned operand; /* a port, a set, a TCP port */
    be32 ip;          /* that of the port then */
    enum acl_match match;
};

struct net {
    struct cluster *cluster;
    unsigned n_switches,
        n_ports; /* at most, for the size of the cluster: enough to meet each other */
    struct net_switch switches[MAX_SWITCHES];
    struct net_router routers[MAX_ROUTERS];
    struct net_port ports[MAX_PORTS];
    struct net_fip fips[MAX_FIPS];
    struct net_lb lbs[MAX_LBS];
    struct net_acl acls[MAX_ACLS]; /* number I has priority FIRST_ACL_PRIORITY + I */
    VEC(be32) sets[MAX_SETS];
    unsigned n_questions; /* asked by question.c */
};

/* The sets and groups are made here, empty. */
struct net *net_new(struct cluster *c);
void net_free(struct net *net);

void net_add_switch(struct net *net, unsigned sw);
void net_delete_switch(struct net *net, unsigned sw); /* with its ports, ACLs and its link */
void net_add_router(struct net *net, unsigned router);
void net_delete_router(struct net *net, unsigned router);
void net_link(struct net *net, unsigned sw, unsigned router);
void net_unlink(struct net *net, unsigned sw);
void net_add_port(struct net *net, unsigned port, unsigned sw);
void net_delete_port(struct net *net, unsigned port); /* the interface stays, if there is one */
void net_set_secured(struct net *net, unsigned port, bool secured);
void net_set_disabled(struct net *net, unsigned port, bool disabled);
void net_set_unknown(struct net *net, unsigned port, bool unknown);
void net_change_address(struct net *net, unsigned port);
void net_attach(struct net *net, unsigned port, unsigned hv);
void net_detach(struct net *net, unsigned port);
/* One more interface with the port's name, or the last one of two. Which of them has the port then, the cluster decides. */
void net_add_rival(struct net *net, unsigned port, unsigned hv);
void net_swap_rivals(struct net *net, unsigned port);
void net_add_acl(struct net *net, unsigned acl, const struct net_acl *how);
void net_delete_acl(struct net *net, unsigned acl);
/* Puts the port's address into the set, or takes it out; the port into the group. */
void net_toggle_set(struct net *net, unsigned port, unsigned set);
void net_toggle_group(struct net *net, unsigned port, unsigned group);
void net_clear(struct net *net); /* deletes all that was added */

/* Any of what is there and fits: chance. -1: none. */
int net_pick_switch(struct net *net);
int net_pick_port(struct net *net, bool attached); /* on a switch; ATTACHED: and on a hypervisor */
struct mac net_router_mac(unsigned sw, unsigned router);
be32 net_router_ip(unsigned sw);
struct ip6 net_ip6(be32 ip); /* the IPv6 address of whoever has IP */
/* For edge.c and balance.c: a transaction on NB; the uuid (freed by the caller) of the row of TABLE whose COLUMN is VALUE; takes
 * a row out of a column of the row PARENT_NAME. */
void net_nb(struct net *net, const char *format, ...) PRINTF_FORMAT(2, 3);
char *net_uuid(struct user *user, const char *table, const char *column, const char *value);
void net_remove_child(struct net *net, const char *parent, const char *parent_name,
                      const char *column, const char *table, const char *key, const char *value);
bool net_set_has(const struct net *net, unsigned set, be32 ip);
