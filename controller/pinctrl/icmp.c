/* icmp.c - opcodes 10, 14 and 20, icmp4, icmp6, icmp4_error and icmp6_error { actions }: an ICMP error in place of a packet
 * (docs/seeds.md MB-42).
 *
 * Room 11 of docs/architecture.md. The error has the packet's Ethernet and IP addresses, quotes its beginning (RFC 1812 4.3.2.3, RFC
 * 4443 2.4 c), and is to begin with "destination unreachable"; the actions that came along say what it is, turn it round and send
 * it. An MTU for "packet too big" comes as a note among them. What RFC 1122 3.2.2 and RFC 4443 2.4 e forbid is not answered: other
 * errors, later fragments, what came to a group, what came from nobody. A host gets six errors at once and then one a second (MB-70), as
 * from Linux; those that tell an MTU are not counted, since without them the sender stalls.
 */
#include "controller/pinctrl/pinctrl.h"
#include "controller/pinctrl/refusal.h"

enum {
    QUOTED4_MAX = 548,  /* 576 bytes with both headers */
    QUOTED6_MAX = 1232, /* 1280 bytes with both headers */
    HOST_UNREACHABLE = 1,
    ICMP6_REDIRECT = 137,
};

static bool is_error4(const struct frame *f)
{
    uint8_t type = f->key.icmp_type;
    return f->key.nw_proto == IP_PROTO_ICMP &&
           (!f->l4_len || type == ICMP_DST_UNREACH || (type >= 4 && type <= 5) ||
            (type >= 11 && type <= 12));
}

static bool is_error6(const struct frame *f)
{
    return f->key.nw_proto == IP_PROTO_ICMPV6 &&
           (!f->l4_len || f->key.icmp_type < 128 || f->key.icmp_type == ICMP6_REDIRECT);
}

/* How much of the IP packet is quoted; 0: it may not be answered. */
static size_t quotable(const struct frame *f)
{
    if (mac_is_multicast(f->key.eth_dst) || f->key.nw_frag & FRAG_LATER)
        return 0;
    if (frame_is_ip4(f) && f->l3_len >= IP4_HEADER_LEN) {
        uint32_t src = swap32(f->key.nw_src);
        size_t header = (f->l3[0] & 0xfu) * 4u;
        bool is_sound = f->l3[0] >> 4 == 4 && header >= IP4_HEADER_LEN && header <= f->l3_len &&
                        get_be16(f->l3 + 2) == f->l3_len;
        bool is_host = src >> 24 && src >> 24 != 127 && src >> 28 < 0xe;
        return is_sound && is_host && !is_error4(f) ? MIN(f->l3_len, (size_t)QUOTED4_MAX) : 0;
    }
    if (frame_is_ip6(f) && f->l3_len >= IP6_HEADER_LEN) {
        const struct ip6 *src = &f->key.ip6_src;
        bool is_sound = get_be16(f->l3 + 4) + (size_t)IP6_HEADER_LEN == f->l3_len;
        bool is_host = !ip6_is_zero(*src) && !ip6_is_multicast(*src);
        return is_sound && is_host && !is_error6(f) ? MIN(f->l3_len, (size_t)QUOTED6_MAX) : 0;
    }
    return 0;
}

size_t refusal_put_headers(struct of_buf *out, const struct frame *f, bool is_turned,
                           uint8_t proto4, uint8_t proto6)
{
    const struct flow_key *key = &f->key;
    bool is4 = frame_is_ip4(f), t = is_turned;
    frame_put_eth(out, f, t ? key->eth_src : key->eth_dst, t ? key->eth_dst : key->eth_src,
                  is4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    if (is4)
        return frame_put_ip4(out, t ? key->nw_dst : key->nw_src, t ? key->nw_src : key->nw_dst,
                             proto4, 255);
    return frame_put_ip6(out, t ? &key->ip6_dst : &key->ip6_src, t ? &key->ip6_src : &key->ip6_dst,
                         proto6, 255);
}

bool icmp_make(const struct frame *f, const struct refusal *how, struct of_buf *out)
{
    size_t quoted = quotable(f);
    if (!quoted)
        return false;
    bool is4 = frame_is_ip4(f);
    size_t l3 = refusal_put_headers(out, f, how->is_turned, IP_PROTO_ICMP, IP_PROTO_ICMPV6);
    struct icmp_header icmp = {.type = is4 ? ICMP_DST_UNREACH : ICMP6_DST_UNREACH,
                               .code = how->code,
                               .rest = swap32(is4 ? how->mtu & 0xffff : how->mtu)};
    of_buf_put(out, &icmp, sizeof icmp);
    of_buf_put(out, f->l3, quoted);
    frame_end(out, l3);
    return true;
}

/* The MTU that a note among ACTIONS carries: "ovn" 0, type, 0, value (lib/encode). */
static uint32_t note_mtu(const struct of_actions *actions)
{
    enum { HEAD = 8 };
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions->data, actions->n)
    {
        const struct of_note *note = (const void *)a;
        if (a->type != OF_NOTE || note->n < HEAD + 2 || memcmp(note->bytes, "ovn", 4) != 0)
            continue;
        if (get_be16(note->bytes + 4) == 0)
            return get_be16(note->bytes + HEAD);
        if (get_be16(note->bytes + 4) == 1 && note->n >= HEAD + 4)
            return get_be32(note->bytes + HEAD);
    }
    return 0;
}

bool icmp_admit(struct pinctrl *p, const struct of_packet_in *pin, const struct frame *f,
                const struct refusal *how)
{
    struct ip_addr to =
        frame_is_ip4(f) ? ip_addr_from_v4(f->key.nw_src) : ip_addr_from_v6(f->key.ip6_src);
    bool ok = how->mtu || limit_admit_error(p, pin, &to);
    p->stats.errors_limited += !ok;
    return ok;
}

void icmp_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    const struct of_packet_in *pin = event->pin;
    struct of_actions actions = OF_ACTIONS_INIT;
    struct of_buf out = OF_BUF_INIT;
    struct frame f;
    frame_read(&f, pin->packet, pin->packet_len);
    bool is_sound = !of_actions_decode(event->args, event->n_args, OF15_VERSION, &actions);
    struct refusal how = {.code = HOST_UNREACHABLE, .mtu = is_sound ? note_mtu(&actions) : 0};
    if (!is_sound)
        p->stats.malformed++;
    else if (!icmp_make(&f, &how, &out))
        p->stats.unanswerable++;
    else if (icmp_admit(p, pin, &f, &how))
        pinctrl_send(p, &pin->metadata, &actions, out.data, out.n);
    of_actions_fini(&actions);
    of_buf_fini(&out);
}
