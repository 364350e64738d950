/* question.c - see question.h. */
#include "sim/question.h"

#include <string.h>

#include "net/headers.h"
#include "sim/balance.h"
#include "sim/edge.h"

enum { FIRST_SOURCE_PORT = 10000, N_SOURCE_PORTS = 50000, SYN = 2 };

static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Each connection has a port of its own, so that no translation has to give another. */
static be16 source_port(struct net *net)
{
    return swap16((uint16_t)(FIRST_SOURCE_PORT + net->n_questions++ % N_SOURCE_PORTS));
}

static void make_ip(struct net *net, struct mac mac, be32 ip, bool six, struct flow_key *key)
{
    struct cluster *c = net->cluster;
    key->eth_type = swap16(six ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    key->eth_src = mac;
    if (six)
        key->ip6_src = net_ip6(ip);
    else
        key->nw_src = ip;
    key->nw_ttl = 64;
    key->nw_proto = cluster_is_likely(c, 50) ? IP_PROTO_TCP : IP_PROTO_UDP;
    key->tp_src = source_port(net);
    key->tp_dst = swap16((uint16_t)(FIRST_TCP_PORT + cluster_pick(c, N_TCP_PORTS)));
    if (key->nw_proto == IP_PROTO_TCP)
        key->tcp_flags = swap16(SYN);
}

static void set_destination(struct flow_key *key, be32 ip)
{
    if (key->eth_type == swap16(ETH_TYPE_IP))
        key->nw_dst = ip;
    else
        key->ip6_dst = net_ip6(ip);
}

static void make_arp(struct mac mac, be32 ip, be32 target, struct flow_key *key)
{
    key->eth_type = swap16(ETH_TYPE_ARP);
    key->eth_src = key->arp_sha = mac;
    key->eth_dst = broadcast;
    key->arp_spa = ip;
    key->arp_tpa = target;
    key->arp_op = swap16(1);
}

static void make_solicitation(const struct net_port *from, be32 target, struct flow_key *key)
{
    key->eth_type = swap16(ETH_TYPE_IPV6);
    key->eth_src = key->nd_sll = from->mac;
    key->ip6_src = net_ip6(from->ip);
    key->nd_target = net_ip6(target);
    key->ip6_dst = ip6_solicited_node(key->nd_target);
    key->eth_dst = ip6_multicast_mac(key->ip6_dst);
    key->nw_proto = IP_PROTO_ICMPV6;
    key->icmp_type = ICMP6_NEIGHBOR_SOLICIT;
    key->nw_ttl = 255;
}

/* --- From ports */

static struct mac router_mac_at(const struct net *net, unsigned sw)
{
    int router = net->switches[sw].router;
    return net_router_mac(sw, router < 0 ? 0 : (unsigned)router);
}

/* Towards any address of the network: over the router when it is on another switch, or by chance. */
static void make_unicast(struct net *net, const struct net_port *from, const struct net_port *to,
                         struct flow_key *key)
{
    make_ip(net, from->mac, from->ip, cluster_is_likely(net->cluster, 40), key);
    key->eth_dst = to->mac;
    set_destination(key, to->ip);
    if (net->switches[from->sw].router >= 0 &&
        (to->sw != from->sw || cluster_is_likely(net->cluster, 20)))
        key->eth_dst = router_mac_at(net, from->sw);
}

static void make_ping(struct net *net, const struct net_port *from, be32 target,
                      struct flow_key *key)
{
    bool six = cluster_is_likely(net->cluster, 40);
    make_ip(net, from->mac, from->ip, six, key);
    key->pkt_mark = swap32(swap16(key->tp_src)); /* the request's id */
    key->tp_src = key->tp_dst = key->tcp_flags = 0;
    key->nw_proto = six ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
    key->icmp_type = six ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST;
    set_destination(key, target);
    key->eth_dst = router_mac_at(net, from->sw);
}

static void make_broadcast(struct net *net, const struct net_port *from, struct flow_key *key)
{
    bool six = cluster_is_likely(net->cluster, 40);
    make_ip(net, from->mac, from->ip, six, key);
    key->eth_dst = broadcast;
    key->nw_dst = six ? 0 : UINT32_MAX;
    if (six) {
        key->ip6_dst = ip6_from_u128((u128)0xff02 << 112 | 1);
        key->eth_dst = ip6_multicast_mac(key->ip6_dst);
    }
}

/* From an address that is not the sender's. */
static void make_spoofed(struct net *net, const struct net_port *from, const struct net_port *to,
                         struct flow_key *key)
{
    make_unicast(net, from, to, key);
    if (cluster_is_likely(net->cluster, 50))
        key->eth_src = mac_from_u64(0x0a7700000001);
    else if (key->eth_type == swap16(ETH_TYPE_IP))
        key->nw_src ^= swap32(0x8000);
    else
        key->ip6_src.b[14] ^= 0x80;
}

/* To a host outside, or to nobody's address, which is there too. */
static void make_outward(struct net *net, const struct net_port *from, struct flow_key *key)
{
    make_ip(net, from->mac, from->ip, false, key);
    key->eth_dst = router_mac_at(net, from->sw);
    key->nw_dst = cluster_is_likely(net->cluster, 50)
                      ? net_host_ip((unsigned)cluster_pick(net->cluster, N_HOSTS))
                      : swap32(0xc6336400 | (uint32_t)cluster_pick(net->cluster, 256));
}

/* All backends are ports that NB knows, none is EXCEPT, and of ROUTER's switches, if that is not -1. */
static bool has_backends(const struct net *net, const struct net_lb *l, be32 except, int router)
{
    for (unsigned i = 0; i < l->n; i++) {
        bool any = false;
        for (unsigned k = 0; k < MAX_PORTS; k++) {
            const struct net_port *p = &net->ports[k];
            any |= p->is_there && !p->is_unknown && p->ip == l->backends[i] && p->ip != except &&
                   (router < 0 || net->switches[p->sw].router == router);
        }
        if (!any)
            return false;
    }
    return l->is_there;
}

static void make_tcp(be32 vip, struct flow_key *key)
{
    key->nw_proto = IP_PROTO_TCP;
    key->tcp_flags = swap16(SYN);
    key->nw_dst = vip;
    key->tp_dst = swap16(VIP_PORT);
}

static bool make_to_lb(struct net *net, const struct net_port *from, struct flow_key *key)
{
    unsigned lb = (unsigned)cluster_pick(net->cluster, MAX_LBS);
    const struct net_lb *l = &net->lbs[lb];
    bool on_router = l->router >= 0 && l->router == net->switches[from->sw].router;
    if (!has_backends(net, l, from->ip, -1))
        return false;
    if (on_router && !(l->switches >> from->sw & 1))
        return false; /* the edge serves it too, if the sender is where the gateway is */
    make_ip(net, from->mac, from->ip, false, key);
    key->eth_dst = router_mac_at(net, from->sw);
    make_tcp(net_vip(lb), key);
    return true;
}

/* NB does not know its addresses, and it does not say them. */
static bool is_silent(const struct net_port *p)
{
    return p->is_unknown && (p->hv == NOWHERE || p->is_disabled);
}

static bool make_from_port(struct net *net, struct question *q)
{
    struct cluster *c = net->cluster;
    int from_no = net_pick_port(net, true), to_no = net_pick_port(net, false);
    if (from_no < 0)
        return false;
    const struct net_port *from = &net->ports[from_no], *to = &net->ports[to_no];
    be32 target = cluster_is_likely(c, 50) ? to->ip : net_router_ip(from->sw);
    unsigned kind = (unsigned)cluster_pick(c, 12);
    q->from = (unsigned)from_no;
    if (kind >= 6 && is_silent(to))
        kind = 0;
    switch (kind) {
    case 0:
        make_broadcast(net, from, &q->key);
        return true;
    case 1:
        make_ping(net, from, net_router_ip(to->sw), &q->key);
        return true;
    case 2:
        make_arp(from->mac, from->ip, target, &q->key);
        return true;
    case 3:
        make_solicitation(from, target, &q->key);
        return true;
    case 4:
        make_outward(net, from, &q->key);
        return true;
    case 5:
        return make_to_lb(net, from, &q->key);
    case 6:
        q->is_spoofed = true;
        make_spoofed(net, from, to, &q->key);
        return true;
    default:
        make_unicast(net, from, to, &q->key);
        return true;
    }
}

/* --- From outside */

static bool make_from_outside(struct net *net, struct question *q)
{
    struct cluster *c = net->cluster;
    unsigned host = (unsigned)cluster_pick(c, N_HOSTS), i = (unsigned)cluster_pick(c, MAX_ROUTERS),
             fip = (unsigned)cluster_pick(c, MAX_FIPS), lb = (unsigned)cluster_pick(c, MAX_LBS),
             kind = (unsigned)cluster_pick(c, 4);
    const struct net_lb *l = &net->lbs[lb];
    be32 targets[] = {net_edge_ip(i), net_fip_ip(fip), net_outer_vip(lb)};
    be32 target = targets[kind < 3 ? kind : cluster_pick(c, 3)];
    struct mac mac = model_outside_mac(net, target);
    q->from = OUTSIDE;
    if (kind == 3) {
        make_arp(net_host_mac(host), net_host_ip(host), target, &q->key);
        return true;
    }
    make_ip(net, net_host_mac(host), net_host_ip(host), false, &q->key);
    q->key.nw_dst = target;
    q->key.eth_dst = mac;
    if (kind == 0) {
        q->key.pkt_mark = swap32(swap16(q->key.tp_src));
        q->key.tp_src = q->key.tp_dst = q->key.tcp_flags = 0;
        q->key.nw_proto = IP_PROTO_ICMP;
        q->key.icmp_type = ICMP_ECHO_REQUEST;
    } else if (kind == 2) {
        make_tcp(target, &q->key);
        return l->router >= 0 && has_backends(net, l, 0, l->router);
    }
    return !mac_is_zero(mac);
}

bool question_make(struct net *net, struct question *ret)
{
    memset(ret, 0, sizeof *ret);
    return cluster_is_likely(net->cluster, 25) ? make_from_outside(net, ret)
                                               : make_from_port(net, ret);
}
