/* learning.c - a learning switch, or a hub, with the controller as its memory; see session.h. */
#include <stdlib.h>

#include "base/hash.h"
#include "net/headers.h"
#include "tools/testcontroller/session.h"

enum { MAX_MACS = 65536 };

struct seen {
    struct hnode node;
    uint64_t mac;
    uint32_t port;
    uint16_t vlan;
};

static struct seen *find(struct session *s, uint64_t mac, uint16_t vlan)
{
    struct seen *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash_u64(mac, vlan), &s->macs)
        if (e->mac == mac && e->vlan == vlan)
            return e;
    return NULL;
}

void learning_forget(struct session *s)
{
    struct seen *e;
    HMAP_FOR_EACH_SAFE (e, node, &s->macs) {
        hmap_remove(&s->macs, &e->node);
        free(e);
    }
    hmap_fini(&s->macs);
    s->macs = (struct hmap)HMAP_INIT;
}

static void learn(struct session *s, uint64_t mac, uint16_t vlan, uint32_t port)
{
    struct seen *e = find(s, mac, vlan);
    if (mac_is_multicast(mac_from_u64(mac)))
        return;
    if (!e) {
        if (s->macs.n >= MAX_MACS)
            learning_forget(s);
        e = NEW(struct seen);
        e->mac = mac;
        e->vlan = vlan;
        hmap_insert(&s->macs, &e->node, hash_u64(mac, vlan));
    }
    e->port = port;
}

/* A match of the packet: all that OpenFlow 1.0 can say of it, or the addresses of Ethernet only. */
static void match_of(const struct packet_in *in, bool wildcard, struct match *m)
{
    static const enum field_id ethernet[] = {FIELD_IN_PORT, FIELD_VLAN_TCI, FIELD_ETH_SRC,
                                             FIELD_ETH_DST};
    const struct flow_key *key = &in->key;
    match_init(m);
    for (size_t i = 0; i < ARRAY_SIZE(ethernet); i++)
        match_set(m, ethernet[i], key_get(key, ethernet[i]));
    if (wildcard)
        return;
    u128 type = key_get(key, FIELD_ETH_TYPE);
    match_set(m, FIELD_ETH_TYPE, type);
    if (type != ETH_TYPE_IP)
        return;
    u128 proto = key_get(key, FIELD_IP_PROTO);
    match_set(m, FIELD_IP_SRC, key_get(key, FIELD_IP_SRC));
    match_set(m, FIELD_IP_DST, key_get(key, FIELD_IP_DST));
    match_set(m, FIELD_IP_PROTO, proto);
    if (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP) {
        bool tcp = proto == IP_PROTO_TCP;
        enum field_id src = tcp ? FIELD_TCP_SRC : FIELD_UDP_SRC;
        enum field_id dst = tcp ? FIELD_TCP_DST : FIELD_UDP_DST;
        match_set(m, src, key_get(key, src));
        match_set(m, dst, key_get(key, dst));
    }
}

/* Where the packet goes: a port, FLOOD, or PORT_NONE when it is there already. */
static uint32_t choose_port(struct session *s, const struct packet_in *in)
{
    uint16_t vlan = (uint16_t)key_get(&in->key, FIELD_VLAN_TCI) & 0xfff;
    if (s->config->mode == MODE_HUB)
        return PORT_FLOOD;
    if (s->config->mode == MODE_LEARN_NORMAL)
        return PORT_NORMAL;
    learn(s, (uint64_t)key_get(&in->key, FIELD_ETH_SRC), vlan, key_in_port(&in->key));
    const struct seen *e = find(s, (uint64_t)key_get(&in->key, FIELD_ETH_DST), vlan);
    if (!e)
        return PORT_FLOOD;
    return e->port == key_in_port(&in->key) ? PORT_ANY : e->port;
}

void learning_packet(struct session *s, const struct packet_in *in)
{
    struct of_actions actions = OF_ACTIONS_INIT;
    uint32_t port = choose_port(s, in);
    if (port != PORT_ANY)
        session_output(s, &actions, port);
    /* What is flooded because its address is not known yet must come here again. */
    if (!s->config->no_flows && (port != PORT_FLOOD || s->config->mode == MODE_HUB)) {
        struct of_flow_mod fm;
        of_flow_mod_init(&fm, OF_FLOW_ADD);
        fm.idle_timeout = s->config->max_idle;
        match_of(in, s->config->wildcard, &fm.match);
        of_actions_copy(&fm.actions, &actions);
        session_flow(s, &fm);
    }
    if (actions.n)
        session_packet_out(s, in, &actions);
    of_actions_fini(&actions);
}
