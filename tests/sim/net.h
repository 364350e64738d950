/* net.h - the network that the simulation asks for: each function changes the intent here and the databases alike (NB, and the
 * switch database of the hypervisor that a port is on). model.h says what the intent means for a packet.
 *
 * Everything is numbered. Port 7 of switch 2 is logical port "p7", interface "v7", MAC 0a:00:02:VV:00:07, IP 10.2.VV.7, where VV
 * counts the changes of its address; routers are 10.S.255.254/16 on switch S.
 */
#pragma once

#include "net/addr.h"
#include "sim/cluster.h"

enum { MAX_SWITCHES = 24, MAX_ROUTERS = 6, MAX_PORTS = 240, MAX_ACLS = 40, MAX_SETS = 4 };
enum { NOWHERE = -1, FIRST_ACL_PRIORITY = 1000, FIRST_TCP_PORT = 80, N_TCP_PORTS = 4 };

struct net_switch {
    bool is_there;
    int router; /* that it is linked to; -1: none */
};

struct net_router {
    bool is_there;
};

struct net_port {
    bool is_there, is_secured, is_disabled;
    unsigned sw, variant;
    int hv;          /* where its interface is; NOWHERE */
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
    struct net_acl acls[MAX_ACLS]; /* number I has priority FIRST_ACL_PRIORITY + I */
    VEC(be32) sets[MAX_SETS];
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
void net_change_address(struct net *net, unsigned port);
void net_attach(struct net *net, unsigned port, unsigned hv);
void net_detach(struct net *net, unsigned port);
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
bool net_set_has(const struct net *net, unsigned set, be32 ip);
