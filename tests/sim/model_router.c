/* model_router.c - routers, their edges and the network outside: see model.h. */
#include "net/headers.h"
#include "sim/balance.h"
#include "sim/edge.h"
#include "sim/model_impl.h"

static int switch_of(be32 ip)
{
    uint32_t host = swap32(ip);
    return host >> 24 == 10 && (host >> 16 & 0xff) < MAX_SWITCHES ? (int)(host >> 16 & 0xff) : -1;
}

/* --- Out of the edge */

static int fip_of(const struct net *net, unsigned router, be32 inside)
{
    for (unsigned i = 0; i < MAX_FIPS; i++)
        if (net->fips[i].is_there && net->fips[i].router == router && net->fips[i].inside == inside)
            return (int)i;
    return -1;
}

static void translate_source(struct model *m, unsigned router, struct flow_key *key)
{
    int fip = fip_of(m->net, router, key->nw_src);
    if (model_restore(m, key, -1, (int)router, true))
        return; /* it answers what was sent to a load balancer here */
    if (fip >= 0) {
        key->nw_src = net_fip_ip((unsigned)fip);
        key->eth_src = net_fip_mac(m->net, (unsigned)fip);
    } else if (m->net->routers[router].has_snat && swap32(key->nw_src) >> 24 == 10) {
        model_translate(m, key, -1, (int)router, false, net_edge_ip(router), key->tp_src);
    }
}

static void leave_outside(struct model *m, unsigned router, struct flow_key key)
{
    uint32_t host = swap32(key.nw_dst) - swap32(net_host_ip(0));
    if (net_is_outside(key.nw_dst) && host >= N_HOSTS)
        return; /* nobody there answers */
    key.eth_src = net_edge_mac(router);
    key.eth_dst = net_host_mac(net_is_outside(key.nw_dst) ? host : 0);
    translate_source(m, router, &key);
    struct delivery *d = vec_push_zero(m->out);
    d->port = OUTSIDE;
    d->key = key;
    d->talk = m->talk;
}

/* --- Routing */

/* Sends the packet on to where its address is, one hop further. */
static void route(struct model *m, unsigned router, struct flow_key key)
{
    const struct net *net = m->net;
    be32 dst = model_dst(&key);
    int sw = switch_of(dst);
    if (key.nw_ttl <= 1)
        return;
    key.nw_ttl--;
    if (sw < 0 || !net->switches[sw].is_there || net->switches[sw].router != (int)router) {
        if (net->routers[router].has_edge && is_ip4(&key))
            leave_outside(m, router, key);
        return;
    }
    int port = model_port_with(net, (unsigned)sw, dst);
    if (port < 0)
        return; /* the router would ask for it; the simulation sends no such packets */
    key.eth_src = net_router_mac((unsigned)sw, router);
    key.eth_dst = net->ports[port].mac;
    model_switch(m, (unsigned)sw, ROUTER_PORT, &key);
}

static bool is_router_ip(const struct net *net, unsigned router, be32 ip)
{
    int sw = switch_of(ip);
    if (net->routers[router].has_edge && ip == net_edge_ip(router))
        return true;
    return sw >= 0 && net->switches[sw].is_there && net->switches[sw].router == (int)router &&
           ip == net_router_ip((unsigned)sw);
}

static bool is_echo_request(const struct flow_key *key)
{
    return is_ip4(key) ? key->nw_proto == IP_PROTO_ICMP && key->icmp_type == ICMP_ECHO_REQUEST
                       : key->nw_proto == IP_PROTO_ICMPV6 && key->icmp_type == ICMP6_ECHO_REQUEST;
}

void model_router(struct model *m, unsigned router, const struct flow_key *key)
{
    if (!is_ip(key) || mac_is_multicast(key->eth_dst))
        return;
    if (!is_router_ip(m->net, router, model_dst(key))) {
        route(m, router, *key);
        return;
    }
    if (!is_echo_request(key))
        return;
    struct flow_key reply = *key;
    model_set_src(&reply, model_dst(key));
    model_set_dst(&reply, model_src(key));
    reply.icmp_type = is_ip4(key) ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY;
    reply.nw_ttl = 255;
    reply.ct.state = 1; /* it answers what the port has sent */
    route(m, router, reply);
}

/* --- From outside */

static int fip_at(be32 ip)
{
    uint32_t i = swap32(ip) - swap32(net_fip_ip(0));
    return i < MAX_FIPS ? (int)i : -1;
}

static int vip_at(be32 ip)
{
    uint32_t i = swap32(ip) - swap32(net_outer_vip(0));
    return i < MAX_LBS ? (int)i : -1;
}

/* Whose edge has the address; -1: none. */
static int edge_with(const struct net *net, be32 ip)
{
    int fip = fip_at(ip), vip = vip_at(ip);
    for (unsigned i = 0; i < MAX_ROUTERS; i++)
        if (net->routers[i].has_edge && ip == net_edge_ip(i))
            return (int)i;
    if (fip >= 0 && net->fips[fip].is_there)
        return (int)net->fips[fip].router;
    return vip >= 0 && net->lbs[vip].is_there ? net->lbs[vip].router : -1;
}

struct mac model_outside_mac(const struct net *net, be32 ip)
{
    int router = edge_with(net, ip), fip = fip_at(ip);
    if (router < 0)
        return mac_from_u64(0);
    if (fip < 0)
        return net_edge_mac((unsigned)router);
    const struct net_fip *f = &net->fips[fip];
    if (f->is_distributed && net->ports[f->port].hv == NOWHERE)
        return mac_from_u64(0);
    return net_fip_mac(net, (unsigned)fip);
}

static void answer_outside(struct model *m, const struct flow_key *key)
{
    struct mac mac = model_outside_mac(m->net, key->arp_tpa);
    if (mac_is_zero(mac))
        return;
    struct delivery *d = vec_push_zero(m->out);
    d->port = OUTSIDE;
    d->key = *key;
    d->key.eth_src = d->key.arp_sha = mac;
    d->key.eth_dst = d->key.arp_tha = key->eth_src;
    d->key.arp_spa = key->arp_tpa;
    d->key.arp_tpa = key->arp_spa;
    d->key.arp_op = swap16(2);
}

/* Towards what is inside: where that is. False: the packet is for the router itself, or nobody. */
static bool translate_destination(struct model *m, unsigned router, struct flow_key *key)
{
    int fip = fip_at(key->nw_dst), vip = vip_at(key->nw_dst);
    if (model_restore(m, key, -1, (int)router, false))
        return true;
    if (fip >= 0) {
        key->nw_dst = m->net->fips[fip].inside;
        return true;
    }
    if (vip < 0 || key->nw_proto != IP_PROTO_TCP || key->tp_dst != swap16(VIP_PORT))
        return false;
    const struct net_lb *l = &m->net->lbs[vip];
    model_translate(m, key, -1, (int)router, true, l->backends[m->talk.choice % l->n],
                    swap16(BACKEND_PORT));
    return true;
}

void model_from_outside(struct model *m, const struct flow_key *key)
{
    if (!is_ip4(key)) {
        answer_outside(m, key);
        return;
    }
    int router = edge_with(m->net, key->nw_dst);
    for (unsigned i = 0; i < MAX_ROUTERS && switch_of(key->nw_dst) >= 0; i++)
        if (m->net->routers[i].has_edge && mac_equal(key->eth_dst, net_edge_mac(i)))
            route(m, i, *key); /* without translation */
    if (router < 0 || !mac_equal(key->eth_dst, model_outside_mac(m->net, key->nw_dst)))
        return;
    struct flow_key inside = *key;
    if (translate_destination(m, (unsigned)router, &inside))
        route(m, (unsigned)router, inside);
    else
        model_router(m, (unsigned)router, key);
}
