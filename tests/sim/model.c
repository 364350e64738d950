/* model.c - see model.h: switches and their ports, ACLs, load balancers. */
#include "sim/model.h"

#include "net/headers.h"
#include "sim/balance.h"
#include "sim/model_impl.h"

/* --- Addresses */

static be32 ip_of(struct ip6 ip)
{
    u128 x = ip6_to_u128(ip);
    be32 ip4 = swap32(0x0a000000 | (uint32_t)(x >> 64 & 0xff) << 16 | (uint32_t)(x & 0xffff));
    return ip6_equal(net_ip6(ip4), ip) ? ip4 : 0;
}

be32 model_src(const struct flow_key *key)
{
    return is_ip4(key) ? key->nw_src : ip_of(key->ip6_src);
}

be32 model_dst(const struct flow_key *key)
{
    return is_ip4(key) ? key->nw_dst : ip_of(key->ip6_dst);
}

void model_set_src(struct flow_key *key, be32 ip)
{
    if (is_ip4(key))
        key->nw_src = ip;
    else
        key->ip6_src = net_ip6(ip);
}

void model_set_dst(struct flow_key *key, be32 ip)
{
    if (is_ip4(key))
        key->nw_dst = ip;
    else
        key->ip6_dst = net_ip6(ip);
}

bool model_is_solicitation(const struct flow_key *key)
{
    return is_ip(key) && !is_ip4(key) && key->nw_proto == IP_PROTO_ICMPV6 &&
           key->icmp_type == ICMP6_NEIGHBOR_SOLICIT;
}

/* --- Translations */

void model_translate(struct model *m, struct flow_key *key, int sw, int router, bool is_dst,
                     be32 to, be16 to_port)
{
    INVARIANT(m->talk.n < MAX_TRANSLATIONS);
    be32 *ip = is_dst ? &key->nw_dst : &key->nw_src;
    be16 *port = is_dst ? &key->tp_dst : &key->tp_src;
    m->talk.done[m->talk.n++] = (struct translation){.sw = sw,
                                                     .router = router,
                                                     .is_dst = is_dst,
                                                     .from = *ip,
                                                     .to = to,
                                                     .from_port = *port,
                                                     .to_port = to_port};
    *ip = to;
    *port = to_port;
}

bool model_restore(const struct model *m, struct flow_key *key, int sw, int router, bool is_dst)
{
    be32 *ip = is_dst ? &key->nw_src : &key->nw_dst;
    be16 *port = is_dst ? &key->tp_src : &key->tp_dst;
    for (unsigned i = 0; m->talk.is_answer && i < m->talk.n; i++) {
        const struct translation *t = &m->talk.done[i];
        if (t->sw == sw && t->router == router && t->is_dst == is_dst && t->to == *ip &&
            t->to_port == *port) {
            *ip = t->from;
            *port = t->from_port;
            return true;
        }
    }
    return false;
}

/* --- ACLs */

static bool acl_matches(const struct net *net, const struct net_acl *a, const struct flow_key *key,
                        int port)
{
    if (!is_ip(key))
        return false;
    bool ip4 = is_ip4(key), is_tcp = key->nw_proto == IP_PROTO_TCP;
    unsigned to = swap16(key->tp_dst);
    switch (a->match) {
    case ACL_FROM_PORT:
        return ip4 && key->nw_src == a->ip;
    case ACL_TO_PORT:
        return ip4 && key->nw_dst == a->ip;
    case ACL_TCP_TO:
        return is_tcp && to == a->operand;
    case ACL_BY_PORT:
        return ip4 && port == (int)a->operand;
    case ACL_FROM_SET:
        return ip4 && net_set_has(net, a->operand, key->nw_src);
    case ACL_TCP_FROM_SET:
        return ip4 && net_set_has(net, a->operand, key->nw_src) && is_tcp &&
               (to == FIRST_TCP_PORT || to == FIRST_TCP_PORT + 1);
    case ACL_BY_GROUP:
        return port != ROUTER_PORT && net->ports[port].groups >> a->sw & 1 &&
               key->nw_proto == IP_PROTO_UDP;
    case ACL_FROM_PORT6:
        return !ip4 && model_src(key) == a->ip && key->nw_proto == IP_PROTO_UDP;
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

static bool has_stateful_acl(const struct net *net, unsigned sw)
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

/* Some ACL of the switch follows connections, or a load balancer; then all ACLs do at its ports. */
static bool is_stateful(const struct net *net, unsigned sw)
{
    bool any = has_stateful_acl(net, sw);
    for (unsigned i = 0; i < MAX_LBS; i++)
        any |= net->lbs[i].is_there && net->lbs[i].switches >> sw & 1;
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
    if (is_ip(key))
        return model_src(key) == p->ip;
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
    if (!is_ip(key))
        return true;
    return model_dst(key) == p->ip ||
           (is_ip4(key) ? key->nw_dst == UINT32_MAX : ip6_is_multicast(key->ip6_dst));
}

static void leave(struct model *m, unsigned port, const struct flow_key *key, bool is_optional)
{
    const struct net *net = m->net;
    const struct net_port *p = &net->ports[port];
    bool is_answer = key->ct.state && is_stateful(net, p->sw); /* of a connection that it began */
    struct flow_key restored = *key;
    model_restore(m, &restored, (int)p->sw, -1, true);
    if (!may_leave(p, &restored) ||
        (!is_answer && !acl_allows(net, p->sw, true, (int)port, &restored)))
        return;
    struct delivery *d = vec_push_zero(m->out);
    d->port = port;
    d->is_optional = is_optional;
    d->key = restored;
    d->talk = m->talk;
}

int model_port_with(const struct net *net, unsigned sw, be32 ip)
{
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (net->ports[i].is_there && net->ports[i].sw == sw && net->ports[i].ip == ip)
            return (int)i;
    return -1;
}

/* --- Switches */

/* Who the switch or its router answers for: whose MAC. Zero: nobody. */
static struct mac answer_to(const struct net *net, unsigned sw, be32 ip)
{
    const struct net_switch *s = &net->switches[sw];
    if (s->router >= 0 && ip == net_router_ip(sw))
        return net_router_mac(sw, (unsigned)s->router);
    int port = model_port_with(net, sw, ip);
    return port < 0 || net->ports[port].is_unknown ? mac_from_u64(0) : net->ports[port].mac;
}

static void advertise(struct flow_key *reply, struct mac mac, bool is_router)
{
    reply->eth_dst = reply->eth_src;
    reply->eth_src = mac;
    reply->ip6_dst = reply->ip6_src;
    reply->ip6_src = reply->nd_target;
    reply->icmp_type = ICMP6_NEIGHBOR_ADVERT;
    reply->nd_sll = mac_from_u64(0);
    reply->nd_tll = mac;
    reply->nw_ttl = 255;
    reply->pkt_mark = swap32(is_router ? 0xe0 : 0x60); /* the flags: compose() in probe.c */
}

/* Answers an ARP request or a neighbour solicitation that came in at FROM. False: it goes on as any broadcast. */
static bool answer(struct model *m, unsigned sw, int from, const struct flow_key *key)
{
    bool nd = model_is_solicitation(key);
    be32 target = nd ? ip_of(key->nd_target) : key->arp_tpa;
    struct mac mac = answer_to(m->net, sw, target);
    if (mac_is_zero(mac) || target == (nd ? model_src(key) : key->arp_spa))
        return false;
    struct flow_key reply = *key;
    if (nd) {
        advertise(&reply, mac, target == net_router_ip(sw));
    } else {
        reply.eth_src = reply.arp_sha = mac;
        reply.eth_dst = key->eth_src;
        reply.arp_tha = key->arp_sha;
        reply.arp_spa = key->arp_tpa;
        reply.arp_tpa = key->arp_spa;
        reply.arp_op = swap16(2);
    }
    leave(m, (unsigned)from, &reply, false);
    return true;
}

/* What a port sends to a load balancer's address goes to a backend. */
static void balance(struct model *m, unsigned sw, struct flow_key *key)
{
    uint32_t i = swap32(key->nw_dst) - swap32(net_vip(0));
    if (!is_ip4(key) || key->nw_proto != IP_PROTO_TCP || key->tp_dst != swap16(VIP_PORT) ||
        i >= MAX_LBS)
        return;
    const struct net_lb *l = &m->net->lbs[i];
    if (l->is_there && l->switches >> sw & 1)
        model_translate(m, key, (int)sw, -1, true, l->backends[m->talk.choice % l->n],
                        swap16(BACKEND_PORT));
}

/* To the port whose MAC it is; one that NB does not know may be known since it sent something, or all that might have it get the packet. */
static void forward(struct model *m, unsigned sw, int from, const struct flow_key *key)
{
    const struct net *net = m->net;
    bool to_all = mac_is_multicast(key->eth_dst), is_known = false;
    for (unsigned i = 0; i < MAX_PORTS; i++) {
        const struct net_port *p = &net->ports[i];
        if (!p->is_there || p->sw != sw)
            continue;
        is_known |= !p->is_unknown && mac_equal(p->mac, key->eth_dst);
        if ((int)i != from && (to_all || mac_equal(p->mac, key->eth_dst)))
            leave(m, i, key, false);
    }
    const struct net_switch *s = &net->switches[sw];
    is_known |= s->router >= 0 && mac_equal(key->eth_dst, net_router_mac(sw, (unsigned)s->router));
    for (unsigned i = 0; !to_all && !is_known && i < MAX_PORTS; i++) {
        const struct net_port *p = &net->ports[i];
        if (p->is_there && p->sw == sw && p->is_unknown && (int)i != from &&
            !mac_equal(p->mac, key->eth_dst))
            leave(m, i, key, true);
    }
}

void model_switch(struct model *m, unsigned sw, int from, const struct flow_key *key_)
{
    const struct net *net = m->net;
    const struct net_switch *s = &net->switches[sw];
    struct flow_key copy = *key_, *key = &copy;
    bool is_answer = key->ct.state && from != ROUTER_PORT && is_stateful(net, sw);
    if (!s->is_there || (!is_answer && !acl_allows(net, sw, false, from, key)))
        return;
    if ((!is_ip(key) || model_is_solicitation(key)) && from != ROUTER_PORT &&
        answer(m, sw, from, key))
        return;
    if (from != ROUTER_PORT)
        balance(m, sw, key);
    forward(m, sw, from, key);
    bool passes = is_answer && has_stateful_acl(net, sw); /* a load balancer alone forgets there */
    if (s->router >= 0 && from != ROUTER_PORT &&
        mac_equal(key->eth_dst, net_router_mac(sw, (unsigned)s->router)) &&
        (passes || acl_allows(net, sw, true, ROUTER_PORT, key)))
        model_router(m, (unsigned)s->router, key);
}

void model_inject(const struct net *net, unsigned port, const struct flow_key *key,
                  const struct talk *talk, deliveries *out)
{
    struct model m = {.net = net, .talk = *talk, .out = out};
    if (port == OUTSIDE)
        model_from_outside(&m, key);
    else if (may_enter(&net->ports[port], key))
        model_switch(&m, net->ports[port].sw, (int)port, key);
}
