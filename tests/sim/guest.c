/* guest.c - see guest.h. */
#include "sim/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "flow/rewrite.h"
#include "net/headers.h"
#include "sim/edge.h"
#include "switchd/port/dummy.h"

enum { PAYLOAD = 20, FLIGHT_US = 20000, ND_FLAGS = 4, ECHO_ID = 4, ANSWER_FLAGS = 0x60 };

/* --- Devices */

static struct port *device(const struct net *net, unsigned hv, const char *bridge, char letter,
                           unsigned no)
{
    struct hypervisor *h = net->cluster->hvs.data[hv];
    char *name = xasprintf("%c%u", letter, no);
    struct bridge *br = h->switchd_daemon ? vswitch_bridge(&h->switchd.vs, bridge) : NULL;
    struct vport *vport = br ? bridge_port_named(br, name) : NULL;
    if (h->switchd_daemon && (!vport || !vport->dev))
        cluster_fail(net->cluster, "%s has no port %s", h->name, name);
    free(name);
    return vport ? vport->dev : NULL;
}

static struct port *device_of(const struct net *net, unsigned port)
{
    return device(net, (unsigned)net->ports[port].hv, "br-int", 'v', port);
}

/* NULL: the switch is dead. */
static struct port *uplink_of(const struct net *net, unsigned hv)
{
    return device(net, hv, "br-ex", 'x', hv);
}

/* With SIM_LOG=1: what came out of the ports. */
static void say(struct cluster *c, const char *port, const struct packet *packet)
{
    struct str s = STR_INIT;
    if (!c->is_loud)
        return;
    packet_put_text(&s, packet);
    fprintf(stderr, "sim: %.6f s: %s: %s\n", (double)c->time.now_us / 1e6, port, str_c(&s));
    str_fini(&s);
}

static void on_sent(void *guests_, struct port *port, const struct packet *packet)
{
    struct guests *guests = guests_;
    struct frame *f = vec_push_zero(&guests->out);
    unsigned no = (unsigned)strtoul(port->name + 1, NULL, 10);
    f->port = *port->name == 'x' ? OUTSIDE : no;
    f->hv = *port->name == 'x' ? no : 0;
    packet_init_copy(&f->packet, packet->data, packet->size);
    say(guests->net->cluster, port->name, &f->packet);
}

/* The wire outside is there while somebody watches. What hypervisors announced before reached nobody: no bridge counts on it. */
static void forget_outside(const struct net *net)
{
    for (size_t i = 0; i < net->cluster->hvs.n; i++) {
        struct hypervisor *h = net->cluster->hvs.data[i];
        struct bridge *br = h->switchd_daemon ? vswitch_bridge(&h->switchd.vs, "br-ex") : NULL;
        if (br)
            mac_table_flush(&br->macs);
    }
}

void guests_watch(struct guests *guests, bool on)
{
    const struct net *net = guests->net;
    forget_outside(net);
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (net->ports[i].hv != NOWHERE)
            dummy_set_observer(device_of(net, i), on ? on_sent : NULL, guests);
    for (unsigned i = 0; i < net->cluster->hvs.n; i++) {
        struct port *uplink = uplink_of(net, i);
        if (uplink)
            dummy_set_observer(uplink, on ? on_sent : NULL, guests);
    }
}

/* --- Frames */

void guests_compose(struct packet *packet, const struct flow_key *key)
{
    packet_init(packet);
    packet_compose(packet, key, PAYLOAD);
    bool is_nd = key->nw_proto == IP_PROTO_ICMPV6 && key->icmp_type == ICMP6_NEIGHBOR_ADVERT;
    if (is_nd) {
        ((uint8_t *)packet_l4(packet))[ND_FLAGS] = (uint8_t)swap32(key->pkt_mark);
        packet_finish_checksum(packet);
    } else if (key->nw_proto == IP_PROTO_ICMP ||
               (key->nw_proto == IP_PROTO_ICMPV6 && key->icmp_type < ICMP6_ROUTER_SOLICIT)) {
        /* of nothing but zeros there are two right checksums */
        uint16_t id = (uint16_t)swap32(key->pkt_mark);
        put_be16((uint8_t *)packet_l4(packet) + ECHO_ID, id);
        memcpy((uint8_t *)packet_l4(packet) + ICMP_HEADER_LEN, "weft", 4);
        packet_finish_checksum(packet);
    }
}

/* To all that are on the wire outside but EXCEPT. */
static void send_outside(const struct net *net, const struct packet *packet, unsigned except)
{
    for (unsigned i = 0; i < net->cluster->hvs.n; i++) {
        struct port *uplink = uplink_of(net, i);
        if (uplink && i != except)
            dummy_receive(uplink, packet->data, packet->size);
    }
}

void guests_send(struct guests *guests, unsigned port, const struct packet *packet)
{
    if (port == OUTSIDE)
        send_outside(guests->net, packet, UINT32_MAX);
    else
        dummy_receive(device_of(guests->net, port), packet->data, packet->size);
}

void guests_forget(struct guests *guests)
{
    for (size_t i = 0; i < guests->out.n; i++)
        packet_fini(&guests->out.data[i].packet);
    vec_clear(&guests->out);
    guests->n_seen = 0;
}

/* --- Answers */

static bool is_from_router(const struct flow_key *key)
{
    return key->eth_src.b[0] == 0x0a && key->eth_src.b[1] >= 1 && key->eth_src.b[1] <= 3;
}

static bool is_question(const struct flow_key *key)
{
    if (!is_from_router(key))
        return false;
    if (key->eth_type == swap16(ETH_TYPE_ARP))
        return key->arp_op == swap16(1);
    return key->eth_type == swap16(ETH_TYPE_IPV6) && key->nw_proto == IP_PROTO_ICMPV6 &&
           (key->icmp_type == ICMP6_NEIGHBOR_SOLICIT ||
            (key->icmp_type == ICMP6_NEIGHBOR_ADVERT && mac_is_multicast(key->eth_dst)));
}

/* The MAC of who is at PORT if that is who is asked for; else zero. */
static struct mac asked_for(const struct net *net, unsigned port, const struct flow_key *key)
{
    bool is_arp = key->eth_type == swap16(ETH_TYPE_ARP);
    for (unsigned i = 0; port == OUTSIDE && is_arp && i < N_HOSTS; i++)
        if (key->arp_tpa == net_host_ip(i))
            return net_host_mac(i);
    if (port == OUTSIDE)
        return mac_from_u64(0);
    const struct net_port *p = &net->ports[port];
    bool yes = p->is_there && (is_arp ? key->arp_tpa == p->ip
                                      : key->icmp_type == ICMP6_NEIGHBOR_SOLICIT &&
                                            ip6_equal(key->nd_target, net_ip6(p->ip)));
    return yes ? p->mac : mac_from_u64(0);
}

static void answer(struct guests *guests, unsigned port, const struct flow_key *key)
{
    struct mac mac = asked_for(guests->net, port, key);
    struct flow_key reply = *key;
    struct packet packet;
    if (mac_is_zero(mac))
        return;
    reply.eth_dst = key->eth_src;
    reply.eth_src = mac;
    if (key->eth_type == swap16(ETH_TYPE_ARP)) {
        reply.arp_sha = mac;
        reply.arp_tha = key->arp_sha;
        reply.arp_spa = key->arp_tpa;
        reply.arp_tpa = key->arp_spa;
        reply.arp_op = swap16(2);
    } else {
        reply.ip6_src = key->nd_target;
        reply.ip6_dst = key->ip6_src;
        reply.icmp_type = ICMP6_NEIGHBOR_ADVERT;
        reply.nd_sll = mac_from_u64(0);
        reply.nd_tll = mac;
        reply.pkt_mark = swap32(ANSWER_FLAGS);
    }
    guests_compose(&packet, &reply);
    guests_send(guests, port, &packet);
    packet_fini(&packet);
}

/* Deals with frame number I. True: it is done with. */
static bool deal(struct guests *guests, size_t i)
{
    struct frame f = guests->out.data[i]; /* what is sent meanwhile moves the frames */
    struct flow_key key;
    flow_extract(&f.packet, &key);
    if (f.port == OUTSIDE)
        send_outside(guests->net, &f.packet, f.hv);
    if (!is_question(&key))
        return false;
    answer(guests, f.port, &key);
    packet_fini(&f.packet);
    return true;
}

void guests_run(struct guests *guests)
{
    bool any = true;
    while (any) {
        cluster_run(guests->net->cluster, FLIGHT_US);
        any = guests->out.n > guests->n_seen;
        size_t n = guests->out.n;
        for (size_t i = guests->n_seen; i < n;) {
            if (deal(guests, i)) {
                vec_remove(&guests->out, i);
                n--;
            } else {
                i++;
            }
        }
        guests->n_seen = n;
    }
}
