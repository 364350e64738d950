/* arp.c - ARP that the controller answers, announces, or rewrites on its way through; see session.h.
 *
 * An answer serves an address that nobody has (docs/seeds.md, WK-40): a flow sends the questions here, and the answer goes
 * out where they came from. What is answered with the local port's MAC is told by a broadcast to machines that are plugged in. A rewrite (WK-90) sends all ARP
 * here: what the inner machine says goes out with its outer addresses, and what is for the outer ones goes in with the inner.
 */
#include "flow/rewrite.h"
#include "net/headers.h"
#include "tools/testcontroller/session.h"

enum { TRAP_PRIORITY = 100, ARP_REQUEST = 1, ARP_REPLY = 2 };

static void trap(struct session *s, const be32 *target)
{
    struct of_flow_mod fm;
    of_flow_mod_init(&fm, OF_FLOW_ADD);
    fm.priority = TRAP_PRIORITY;
    match_set(&fm.match, FIELD_ETH_TYPE, ETH_TYPE_ARP);
    if (target) {
        match_set(&fm.match, FIELD_ARP_OP, ARP_REQUEST);
        match_set(&fm.match, FIELD_ARP_TPA, swap32(*target));
    }
    of_put_controller(&fm.actions, UINT16_MAX, 0, OF_REASON_ACTION, NULL, 0, false, OF_METER_NONE);
    session_flow(s, &fm);
}

void arp_setup(struct session *s)
{
    const struct arp_answer *a;
    VEC_FOR_EACH (a, &s->config->arp_answers)
        trap(s, &a->ip);
    if (s->config->arp_rewrites.n)
        trap(s, NULL);
}

static struct mac mac_of(const struct session *s, const struct arp_answer *a)
{
    return mac_is_zero(a->mac) ? s->local_mac : a->mac;
}

/* --- Answers */

static void send_arp(struct session *s, const struct flow_key *key, uint32_t in_port, uint32_t out)
{
    struct packet packet;
    struct of_actions actions = OF_ACTIONS_INIT;
    packet_init(&packet);
    packet_compose(&packet, key, 0);
    of_put_output(&actions, out);
    session_packet(s, &packet, in_port, &actions);
    of_actions_fini(&actions);
    packet_fini(&packet);
}

void arp_announce(struct session *s, uint32_t port)
{
    const struct arp_answer *a;
    VEC_FOR_EACH (a, &s->config->arp_answers) {
        struct flow_key key;
        memset(&key, 0, sizeof key);
        key.eth_dst = mac_from_u64(UINT64_C(0xffffffffffff));
        key.eth_src = key.arp_sha = mac_of(s, a);
        key.eth_type = swap16(ETH_TYPE_ARP);
        key.arp_op = swap16(ARP_REQUEST);
        key.arp_spa = key.arp_tpa = a->ip;
        /* A MAC that was given is somewhere: switches would look for it here. */
        if (mac_is_zero(a->mac) && !mac_is_zero(s->local_mac))
            send_arp(s, &key, PORT_LOCAL, port);
    }
}

static bool answer(struct session *s, const struct packet_in *in)
{
    const struct arp_answer *a;
    if (in->key.arp_op != swap16(ARP_REQUEST))
        return false;
    VEC_FOR_EACH (a, &s->config->arp_answers) {
        if (a->ip != in->key.arp_tpa)
            continue;
        struct flow_key key = in->key;
        key.eth_dst = key.arp_tha = in->key.arp_sha;
        key.eth_src = key.arp_sha = mac_of(s, a);
        key.arp_op = swap16(ARP_REPLY);
        key.arp_tpa = in->key.arp_spa;
        key.arp_spa = a->ip;
        if (!mac_is_zero(key.arp_sha))
            send_arp(s, &key, key_in_port(&in->key), PORT_IN_PORT);
        return true;
    }
    return false;
}

/* --- Rewriting */

static void set_mac(struct packet *packet, enum field_id id, struct mac mac)
{
    packet_set_field(packet, id, mac_to_u64(mac));
}

static bool rewrite_one(const struct arp_rewrite *r, const struct flow_key *key,
                        struct packet *packet)
{
    bool changed = false;
    if (key->arp_spa == r->inner_ip) {
        packet_set_field(packet, FIELD_ARP_SPA, swap32(r->outer_ip));
        set_mac(packet, FIELD_ARP_SHA, r->outer_mac);
        set_mac(packet, FIELD_ETH_SRC, r->outer_mac);
        changed = true;
    }
    if (key->arp_tpa == r->outer_ip) {
        packet_set_field(packet, FIELD_ARP_TPA, swap32(r->inner_ip));
        if (!mac_is_zero(key->arp_tha))
            set_mac(packet, FIELD_ARP_THA, r->inner_mac);
        if (!mac_is_multicast(key->eth_dst))
            set_mac(packet, FIELD_ETH_DST, r->inner_mac);
        changed = true;
    }
    return changed;
}

static bool rewrite(struct session *s, const struct packet_in *in)
{
    struct packet packet;
    struct flow_key key;
    bool changed = false;
    const struct arp_rewrite *r;
    packet_init_copy(&packet, in->pin->packet, in->pin->packet_len);
    flow_extract(&packet, &key);
    VEC_FOR_EACH (r, &s->config->arp_rewrites)
        changed |= rewrite_one(r, &key, &packet);
    struct of_actions actions = OF_ACTIONS_INIT;
    of_put_output(&actions, PORT_NORMAL);
    if (changed)
        session_packet(s, &packet, key_in_port(&in->key), &actions);
    of_actions_fini(&actions);
    packet_fini(&packet);
    return changed;
}

bool arp_packet(struct session *s, const struct packet_in *in)
{
    return in->key.eth_type == swap16(ETH_TYPE_ARP) && (answer(s, in) || rewrite(s, in));
}
