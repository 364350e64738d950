/* nd_na.c - opcodes 3 and 12, nd_na and nd_na_router { actions }: a neighbour advertisement that answers a solicitation (RFC 4861 7.2.4).
 *
 * Room 11 of docs/architecture.md. To begin with the answer says that the target has the address the question went to; the actions
 * that came along put the right one there. A question from the unspecified address is somebody's duplicate address detection: its
 * answer goes to all nodes, and is not called solicited.
 */
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

static void make_advertisement(const struct frame *f, uint32_t flags, struct of_buf *out)
{
    const struct flow_key *key = &f->key;
    bool is_dad = ip6_is_zero(key->ip6_src);
    const struct ip6 *dst = is_dad ? &frame_all_nodes : &key->ip6_src;
    struct mac to = is_dad ? ip6_multicast_mac(frame_all_nodes) : key->eth_src;
    flags |= ND_FLAG_OVERRIDE | (is_dad ? 0 : ND_FLAG_SOLICITED);
    struct nd_header nd = {
        .type = ICMP6_NEIGHBOR_ADVERT, .flags = swap32(flags), .target = key->nd_target};
    struct nd_option_lla tll = {ND_OPT_TLL, 1, key->eth_dst};
    frame_put_eth(out, f, to, key->eth_dst, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(out, &key->nd_target, dst, IP_PROTO_ICMPV6, 255);
    of_buf_put(out, &nd, sizeof nd);
    of_buf_put(out, &tll, sizeof tll);
    frame_end(out, l3);
}

static void advertise(struct pinctrl *p, const struct pinctrl_event *event, uint32_t flags)
{
    struct of_buf out = OF_BUF_INIT;
    struct frame f;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    if (!frame_is_ip6(&f) || f.key.nw_proto != IP_PROTO_ICMPV6 ||
        f.key.icmp_type != ICMP6_NEIGHBOR_SOLICIT || f.key.icmp_code || f.l4_len < ND_HEADER_LEN ||
        ip6_is_multicast(f.key.nd_target)) {
        p->stats.malformed++;
        return;
    }
    make_advertisement(&f, flags, &out);
    pinctrl_send_nested(p, event, &out);
    of_buf_fini(&out);
}

void nd_na_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    advertise(p, event, 0);
}

void nd_na_router_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    advertise(p, event, ND_FLAG_ROUTER);
}
