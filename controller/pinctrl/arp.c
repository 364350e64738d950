/* arp.c - opcode 0, arp { actions }: an ARP request in place of an IPv4 packet whose next hop is not known (docs/seeds.md MB-48).
 *
 * Room 11 of docs/architecture.md. The request takes its Ethernet addresses and, to begin with, its protocol addresses from the packet; the actions
 * that came along then say what it asks and where it goes. One destination is asked for at most once a second (MB-70); the
 * packet itself waits (waiting.c).
 */
#include "controller/pinctrl/pinctrl.h"

#include "net/headers.h"

struct arp_packet {
    struct eth_header eth;
    struct arp_header arp;
} PACKED;

void arp_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    const struct of_packet_in *pin = event->pin;
    struct eth_header eth;
    struct ip4_header ip;
    if (pin->packet_len < sizeof eth + sizeof ip) {
        p->stats.malformed++;
        return;
    }
    memcpy(&eth, pin->packet, sizeof eth);
    memcpy(&ip, pin->packet + sizeof eth, sizeof ip);
    struct of_actions actions = OF_ACTIONS_INIT;
    if (eth.type != swap16(ETH_TYPE_IP) ||
        of_actions_decode(event->args, event->n_args, OF15_VERSION, &actions)) {
        p->stats.malformed++;
        of_actions_fini(&actions);
        return;
    }
    struct ip_addr next_hop = ip_addr_from_v4(swap32(pinctrl_reg(event, FIELD_REG0)));
    if (waiting_add(p, event, &next_hop)) {
        struct arp_packet request = {
            .eth = {.dst = eth.dst, .src = eth.src, .type = swap16(ETH_TYPE_ARP)},
            .arp = {.hrd = swap16(1),
                    .pro = swap16(ETH_TYPE_IP),
                    .hln = 6,
                    .pln = 4,
                    .op = swap16(ARP_OP_REQUEST),
                    .sha = eth.src,
                    .spa = ip.src,
                    .tpa = ip.dst},
        };
        pinctrl_send(p, &pin->metadata, &actions, &request, sizeof request);
        p->stats.arp_sent++;
    } else {
        p->stats.arp_limited++;
    }
    of_actions_fini(&actions);
}
