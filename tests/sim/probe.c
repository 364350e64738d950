/* probe.c - see probe.h. */
#include "sim/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "flow/rewrite.h"
#include "net/headers.h"
#include "sim/model.h"
#include "switchd/port/dummy.h"

enum { PAYLOAD = 20, FLIGHT_US = 20000, FIRST_SOURCE_PORT = 10000 };

struct frame {
    unsigned port;
    struct packet packet;
};

struct probe {
    struct net *net;
    VEC(struct frame) out;
};

/* --- The switches' side */

static struct port *device_of(const struct net *net, unsigned port)
{
    struct hypervisor *hv = net->cluster->hvs.data[net->ports[port].hv];
    char *name = xasprintf("v%u", port);
    struct bridge *br = vswitch_bridge(&hv->switchd.vs, "br-int");
    struct vport *vport = br ? bridge_port_named(br, name) : NULL;
    if (!vport || !vport->dev)
        cluster_fail(net->cluster, "%s has no port %s", hv->name, name);
    free(name);
    return vport->dev;
}

static void on_sent(void *probe_, struct port *port, const struct packet *packet)
{
    struct probe *probe = probe_;
    struct frame *f = vec_push_zero(&probe->out);
    f->port = (unsigned)strtoul(port->name + 1, NULL, 10);
    packet_init_copy(&f->packet, packet->data, packet->size);
}

static void watch(struct probe *probe, bool on)
{
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (probe->net->ports[i].hv != NOWHERE)
            dummy_set_observer(device_of(probe->net, i), on ? on_sent : NULL, probe);
}

static void forget(struct probe *probe)
{
    for (size_t i = 0; i < probe->out.n; i++)
        packet_fini(&probe->out.data[i].packet);
    vec_clear(&probe->out);
}

/* --- Comparing */

static void put_frame(struct str *s, unsigned port, const struct packet *packet)
{
    str_putf(s, "\n    p%u: ", port);
    packet_put_text(s, packet);
}

static void compose(struct packet *packet, const struct flow_key *key)
{
    packet_init(packet);
    packet_compose(packet, key, PAYLOAD);
    if (key->nw_proto == IP_PROTO_ICMP) { /* of nothing but zeros there are two right checksums */
        memcpy((uint8_t *)packet_l4(packet) + ICMP_HEADER_LEN, "weft", 4);
        packet_finish_checksum(packet);
    }
}

/* Takes the frame that D says out of what came out. */
static bool take(struct probe *probe, const struct delivery *d)
{
    struct packet wanted;
    compose(&wanted, &d->key);
    size_t i = 0;
    for (; i < probe->out.n; i++) {
        struct frame *f = &probe->out.data[i];
        if (f->port == d->port && f->packet.size == wanted.size &&
            !memcmp(f->packet.data, wanted.data, wanted.size))
            break;
    }
    packet_fini(&wanted);
    if (i == probe->out.n)
        return false;
    packet_fini(&probe->out.data[i].packet);
    vec_remove(&probe->out, i);
    return true;
}

static void compare(struct probe *probe, unsigned from, const struct flow_key *key,
                    const deliveries *wanted)
{
    struct str missing = STR_INIT, surplus = STR_INIT, sent = STR_INIT;
    struct packet packet;
    for (size_t i = 0; i < wanted->n; i++)
        if (!take(probe, &wanted->data[i])) {
            compose(&packet, &wanted->data[i].key);
            put_frame(&missing, wanted->data[i].port, &packet);
            packet_fini(&packet);
        }
    for (size_t i = 0; i < probe->out.n; i++)
        put_frame(&surplus, probe->out.data[i].port, &probe->out.data[i].packet);
    if (missing.n || surplus.n) {
        compose(&packet, key);
        put_frame(&sent, from, &packet);
        cluster_fail(probe->net->cluster,
                     "forwarding differs from the model\n  sent on hv%d:%s\n"
                     "  did not come out:%s\n  came out and should not:%s",
                     probe->net->ports[from].hv, str_c(&sent), missing.n ? str_c(&missing) : " -",
                     surplus.n ? str_c(&surplus) : " -");
    }
    str_fini(&missing);
    str_fini(&surplus);
    str_fini(&sent);
}

/* --- Packets */

static be16 random_tcp_port(struct cluster *c)
{
    return swap16((uint16_t)(FIRST_TCP_PORT + cluster_pick(c, N_TCP_PORTS)));
}

static void make_ip(struct net *net, const struct net_port *from, struct flow_key *key)
{
    struct cluster *c = net->cluster;
    key->eth_type = swap16(ETH_TYPE_IP);
    key->eth_src = from->mac;
    key->nw_src = from->ip;
    key->nw_ttl = 64;
    key->nw_proto = cluster_is_likely(c, 50) ? IP_PROTO_TCP : IP_PROTO_UDP;
    key->tp_src = swap16((uint16_t)(FIRST_SOURCE_PORT + cluster_pick(c, 50000)));
    key->tp_dst = random_tcp_port(c);
    if (key->nw_proto == IP_PROTO_TCP)
        key->tcp_flags = swap16(2); /* SYN */
}

static void make_arp(const struct net_port *from, be32 target, struct flow_key *key)
{
    key->eth_type = swap16(ETH_TYPE_ARP);
    key->eth_src = key->arp_sha = from->mac;
    key->eth_dst = mac_from_u64(0xffffffffffff);
    key->arp_spa = from->ip;
    key->arp_tpa = target;
    key->arp_op = swap16(1);
}

/* Towards any address of the network: over the router when it is on another switch, or by chance. */
static void make_unicast(struct net *net, const struct net_port *from, const struct net_port *to,
                         struct flow_key *key)
{
    const struct net_switch *s = &net->switches[from->sw];
    make_ip(net, from, key);
    key->eth_dst = to->mac;
    key->nw_dst = to->ip;
    if (s->router >= 0 && (to->sw != from->sw || cluster_is_likely(net->cluster, 20)))
        key->eth_dst = net_router_mac(from->sw, (unsigned)s->router);
}

static void make_ping(struct net *net, const struct net_port *from, unsigned target,
                      struct flow_key *key)
{
    int router = net->switches[from->sw].router;
    make_ip(net, from, key);
    key->tp_src = key->tp_dst = key->tcp_flags = 0;
    key->nw_proto = IP_PROTO_ICMP;
    key->icmp_type = ICMP_ECHO_REQUEST;
    key->nw_dst = net_router_ip(target);
    key->eth_dst = net_router_mac(from->sw, router < 0 ? 0 : (unsigned)router);
}

static void make_broadcast(struct net *net, const struct net_port *from, struct flow_key *key)
{
    make_ip(net, from, key);
    key->eth_dst = mac_from_u64(0xffffffffffff);
    key->nw_dst = UINT32_MAX;
}

/* From an address that is not the sender's. */
static void make_spoofed(struct net *net, const struct net_port *from, const struct net_port *to,
                         struct flow_key *key)
{
    make_unicast(net, from, to, key);
    if (cluster_is_likely(net->cluster, 50))
        key->eth_src = mac_from_u64(0x0a7700000001);
    else
        key->nw_src ^= swap32(0x8000);
}

static void make(struct net *net, const struct net_port *from, const struct net_port *to,
                 struct flow_key *key)
{
    struct cluster *c = net->cluster;
    memset(key, 0, sizeof *key);
    switch (cluster_pick(c, 8)) {
    case 0:
        make_broadcast(net, from, key);
        break;
    case 1:
        make_ping(net, from, to->sw, key);
        break;
    case 2:
        make_arp(from, cluster_is_likely(c, 50) ? to->ip : net_router_ip(from->sw), key);
        break;
    case 3:
        make_spoofed(net, from, to, key);
        break;
    default:
        make_unicast(net, from, to, key);
    }
}

static void send_one(struct probe *probe, unsigned from, unsigned to, struct probe_counts *counts)
{
    struct net *net = probe->net;
    struct flow_key key;
    struct packet packet;
    deliveries wanted = VEC_INIT;
    make(net, &net->ports[from], &net->ports[to], &key);
    model_inject(net, from, &key, &wanted);
    compose(&packet, &key);
    dummy_receive(device_of(net, from), packet.data, packet.size);
    packet_fini(&packet);
    cluster_run(net->cluster, FLIGHT_US);
    counts->sent++;
    counts->delivered += wanted.n;
    compare(probe, from, &key, &wanted);
    forget(probe);
    vec_fini(&wanted);
}

void probe_some(struct net *net, unsigned n, struct probe_counts *counts)
{
    struct probe probe = {.net = net};
    watch(&probe, true);
    for (unsigned i = 0; i < n; i++) {
        int from = net_pick_port(net, true), to = net_pick_port(net, false);
        if (from >= 0)
            send_one(&probe, (unsigned)from, (unsigned)to, counts);
    }
    watch(&probe, false);
    forget(&probe);
    vec_fini(&probe.out);
}
