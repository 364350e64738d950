/* nd_ns.c - opcode 9, nd_ns { actions }: a neighbour solicitation in place of an IPv6 packet whose next hop is not known.
 *
 * Room 11 of docs/architecture.md; arp.c for IPv6. To begin with it asks for the packet's destination, from its source, by the
 * solicited-node group (RFC 4861 4.3); the actions that came along then say what it really asks and where it goes.
 */
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

static void make_solicitation(const struct frame *f, struct of_buf *out)
{
    const struct flow_key *key = &f->key;
    struct ip6 group = ip6_solicited_node(key->ip6_dst);
    struct nd_header nd = {.type = ICMP6_NEIGHBOR_SOLICIT, .target = key->ip6_dst};
    struct nd_option_lla sll = {ND_OPT_SLL, 1, key->eth_src};
    frame_put_eth(out, f, ip6_multicast_mac(group), key->eth_src, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(out, &key->ip6_src, &group, IP_PROTO_ICMPV6, 255);
    of_buf_put(out, &nd, sizeof nd);
    of_buf_put(out, &sll, sizeof sll);
    frame_end(out, l3);
}

void nd_ns_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct ip_addr next_hop =
        ip_addr_from_u128(6, key_get(&event->pin->metadata.key, FIELD_XXREG0));
    struct frame f;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    if (!frame_is_ip6(&f)) {
        p->stats.malformed++;
        return;
    }
    if (!waiting_add(p, event, &next_hop)) {
        p->stats.arp_limited++;
        return;
    }
    struct of_buf out = OF_BUF_INIT;
    make_solicitation(&f, &out);
    pinctrl_send_nested(p, event, &out);
    p->stats.arp_sent++;
    of_buf_fini(&out);
}
