/* nd_ra.c - opcode 8, put_nd_ra_opts: turns a router solicitation into the advertisement that the action carries (RFC 4861 6.2.6).
 *
 * Room 11 of docs/architecture.md. The logical flow behind takes the source of what comes back as its destination, so a question from
 * the unspecified address comes back with the group of all nodes as its source.
 */
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

enum { RS_LEN = 8, RA_LEN = 16, RA_MAX = 1232 };

static bool is_solicitation(const struct frame *f)
{
    const struct flow_key *key = &f->key;
    return frame_is_ip6(f) && key->nw_proto == IP_PROTO_ICMPV6 && f->l4_len >= RS_LEN &&
           key->icmp_type == ICMP6_ROUTER_SOLICIT && !key->icmp_code && key->nw_ttl == 255;
}

void nd_ra_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct request r;
    struct frame f;
    if (!request_begin(p, event, &r))
        return;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    if (r.n_args < RA_LEN || r.n_args > RA_MAX || r.n_args % 8 ||
        r.args[0] != ICMP6_ROUTER_ADVERT || !is_solicitation(&f)) {
        request_refuse(p, &r);
        return;
    }
    const struct ip6 *src = ip6_is_zero(f.key.ip6_src) ? &frame_all_nodes : &f.key.ip6_src;
    struct of_buf out = OF_BUF_INIT;
    frame_put_eth(&out, &f, f.key.eth_dst, f.key.eth_src, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(&out, src, &f.key.ip6_dst, IP_PROTO_ICMPV6, 255);
    of_buf_put(&out, r.args, r.n_args);
    frame_end(&out, l3);
    request_answer(p, &r, &out);
    of_buf_fini(&out);
}
