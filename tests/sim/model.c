/* model.c - see model.h. */
#include "sim/model.h"

#include "net/headers.h"

enum { ROUTER_PORT = -1 }; /* of a switch: the port to the router that it is linked to */

static bool is_ip4(const struct flow_key *key)
{
    return key->eth_type == swap16(ETH_TYPE_IP);
}

/* --- ACLs */

static bool acl_matches(const struct net *net, const struct net_acl *a, const struct flow_key *key,
                        int port)
{
    if (!is_ip4(key))
        return false;
    bool is_tcp = key->nw_proto == IP_PROTO_TCP;
    unsigned to = swap16(key->tp_dst);
    switch (a->match) {
    case ACL_FROM_PORT:
        return key->nw_src == a->ip;
    case ACL_TO_PORT:
        return key->nw_dst == a->ip;
    case ACL_TCP_TO:
        return is_tcp && to == a->operand;
    case ACL_BY_PORT:
        return port == (int)a->operand;
    case ACL_FROM_SET:
        return net_set_has(net, a->operand, key->nw_src);
    case ACL_TCP_FROM_SET:
        return net_set_has(net, a->operand, key->nw_src) && is_tcp &&
               (to == FIRST_TCP_PORT || to == FIRST_TCP_PORT + 1);
    case ACL_BY_GROUP:
        return port != ROUTER_PORT && net->ports[port].groups >> a->sw & 1 &&
               key->nw_proto == IP_PROTO_UDP;
    case N_ACL_MATCHES:
        break;
    }
    return false;
}

/* Port groups' ACLs count on the switches of their members, which is where they can match. */
static bool acl_allows(const struct net *net, unsigned sw, bool is_egress, int port,
                       const struct flow_key *key)
{
    for (int i = MAX_ACLS - 1; i >= 0; i--) { /* the highest priority first */
        const struct net_acl *a = &net->acls[i];
        if (a->is_there && a->is_egress == is_egress && (a->match == ACL_BY_GROUP || a->sw == sw) &&
            acl_matches(net, a, key, port))
            return a->is_allow;
    }
    return true;
}

/* Some ACL of the switch follows connections; then all do. */
static bool is_stateful(const struct net *net, unsigned sw)
{
    bool any = false;
    for (unsigned i = 0; i < MAX_ACLS; i++) {
        const struct net_acl *a = &net->acls[i];
        if (!a->is_there || !a->is_allow || !a->is_related)
            continue;
        any |= a->match != ACL_BY_GROUP && a->sw == sw;
        for (unsigned k = 0; a->match == ACL_BY_GROUP && k < MAX_PORTS; k++)
            any |= net->ports[k].is_there && net->ports[k].sw == sw &&
                   net->ports[k].groups >> a->sw & 1;
    }
    return any;
}

/* --- Ports */

static bool may_enter(const struct net_port *p, const struct flow_key *key)
{
    if (!p->is_there || p->hv == NOWHERE || p->is_disabled)
        return false;
    if (!p->is_secured)
        return true;
    if (!mac_equal(key->eth_src, p->mac))
        return false;
    if (is_ip4(key))
        return key->nw_src == p->ip;
    return mac_equal(key->arp_sha, p->mac) && key->arp_spa == p->ip;
}

static bool may_leave(const struct net_port *p, const struct flow_key *key)
{
    if (!p->is_there || p->hv == NOWHERE || p->is_disabled)
        return false;
    if (!p->is_secured)
        return true;
    if (!mac_is_multicast(key->eth_dst) && !mac_equal(key->eth_dst, p->mac))
        return false;
    return !is_ip4(key) || key->nw_dst == p->ip || key->nw_dst == UINT32_MAX;
}

static void leave(const struct net *net, unsigned port, const struct flow_key *key, deliveries *out)
{
    const struct net_port *p = &net->ports[port];
    bool is_answer = key->ct.state && is_stateful(net, p->sw); /* of a connection that it began */
    if (!may_leave(p, key) || (!is_answer && !acl_allows(net, p->sw, true, (int)port, key)))
        return;
    struct delivery *d = vec_push_zero(out);
    d->port = port;
    d->key = *key;
}

/* --- Routers */

static void through_switch(const struct net *net, unsigned sw, int from, const struct flow_key *key,
                           deliveries *out);

static int switch_of(be32 ip)
{
    uint32_t host = swap32(ip);
    return host >> 24 == 10 && (host >> 16 & 0xff) < MAX_SWITCHES ? (int)(host >> 16 & 0xff) : -1;
}

static int port_with(const struct net *net, unsigned sw, be32 ip)
{
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (net->ports[i].is_there && net->ports[i].sw == sw && net->ports[i].ip == ip)
            return (int)i;
    return -1;
}

/* Sends the packet on to where its address is, one hop further. */
static void route(const struct net *net, unsigned router, struct flow_key key, deliveries *out)
{
    int sw = switch_of(key.nw_dst);
    if (key.nw_ttl <= 1 || sw < 0 || !net->switches[sw].is_there ||
        net->switches[sw].router != (int)router)
        return;
    int port = port_with(net, (unsigned)sw, key.nw_dst);
    if (port < 0)
        return; /* the router would ask for it; the simulation sends no such packets */
    key.nw_ttl--;
    key.eth_src = net_router_mac((unsigned)sw, router);
    key.eth_dst = net->ports[port].mac;
    through_switch(net, (unsigned)sw, ROUTER_PORT, &key, out);
}

static bool is_router_ip(const struct net *net, unsigned router, be32 ip)
{
    int sw = switch_of(ip);
    return sw >= 0 && net->switches[sw].is_there && net->switches[sw].router == (int)router &&
           ip == net_router_ip((unsigned)sw);
}

static void into_router(const struct net *net, unsigned router, const struct flow_key *key,
                        deliveries *out)
{
    if (!is_ip4(key) || mac_is_multicast(key->eth_dst))
        return;
    if (!is_router_ip(net, router, key->nw_dst)) {
        route(net, router, *key, out);
        return;
    }
    if (key->nw_proto != IP_PROTO_ICMP || key->icmp_type != ICMP_ECHO_REQUEST)
        return;
    struct flow_key reply = *key;
    reply.nw_src = key->nw_dst;
    reply.nw_dst = key->nw_src;
    reply.icmp_type = ICMP_ECHO_REPLY;
    reply.nw_ttl = 255;
    reply.ct.state = 1; /* it answers what the port has sent */
    route(net, router, reply, out);
}

/* --- Switches */

/* The address that the switch or its router answers for; zero: nobody. */
static struct mac answer_to(const struct net *net, unsigned sw, const struct flow_key *key)
{
    const struct net_switch *s = &net->switches[sw];
    if (s->router >= 0 && key->arp_tpa == net_router_ip(sw))
        return net_router_mac(sw, (unsigned)s->router);
    int port = port_with(net, sw, key->arp_tpa);
    return port < 0 ? mac_from_u64(0) : net->ports[port].mac;
}

/* Answers an ARP request that came in at FROM. False: it goes on as any broadcast. */
static bool answer(const struct net *net, unsigned sw, int from, const struct flow_key *key,
                   deliveries *out)
{
    struct mac mac = answer_to(net, sw, key);
    if (mac_is_zero(mac) || key->arp_tpa == key->arp_spa)
        return false;
    struct flow_key reply = *key;
    reply.eth_src = reply.arp_sha = mac;
    reply.eth_dst = key->eth_src;
    reply.arp_tha = key->arp_sha;
    reply.arp_spa = key->arp_tpa;
    reply.arp_tpa = key->arp_spa;
    reply.arp_op = swap16(2);
    leave(net, (unsigned)from, &reply, out);
    return true;
}

static void through_switch(const struct net *net, unsigned sw, int from, const struct flow_key *key,
                           deliveries *out)
{
    const struct net_switch *s = &net->switches[sw];
    if (!s->is_there || !acl_allows(net, sw, false, from, key))
        return;
    if (!is_ip4(key) && from != ROUTER_PORT && answer(net, sw, from, key, out))
        return;
    bool to_all = mac_is_multicast(key->eth_dst);
    for (unsigned i = 0; i < MAX_PORTS; i++) {
        const struct net_port *p = &net->ports[i];
        if (p->is_there && p->sw == sw && (int)i != from &&
            (to_all || mac_equal(p->mac, key->eth_dst)))
            leave(net, i, key, out);
    }
    if (s->router >= 0 && from != ROUTER_PORT &&
        mac_equal(key->eth_dst, net_router_mac(sw, (unsigned)s->router)) &&
        acl_allows(net, sw, true, ROUTER_PORT, key))
        into_router(net, (unsigned)s->router, key, out);
}

void model_inject(const struct net *net, unsigned port, const struct flow_key *key, deliveries *out)
{
    if (may_enter(&net->ports[port], key))
        through_switch(net, net->ports[port].sw, (int)port, key, out);
}
