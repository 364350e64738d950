/* notice.c - log lines about switches behind this one that in-band control does not keep the way open for; see inband.h, seeds IB-n2, IB-n3.
 *
 * The hidden flows serve the remotes that this switch knows, by the next hop that it uses itself. A switch behind it with other remotes,
 * or with another gateway, gets through as far as the flow tables let it, and who runs it sees only that it does not connect. So what
 * misses the caches is looked at for three signs of one: TCP to the port of a controller or manager that the tables drop; TCP to a
 * remote by a MAC that is not the next hop's (it passes, but the ARP for that MAC need not); an ARP request (or neighbour solicitation)
 * between hosts of the local port's own network that the tables drop. A machine does such things too, hence "if".
 *
 * Each is told once a minute for an address, and the memory for that is bounded. Packets that the caches answer are not seen: of dropped
 * ones the bits that tell a sign are noted, so that a megaflow of other traffic does not hide it.
 */
#include <string.h>

#include "base/log.h"
#include "io/target.h"
#include "net/headers.h"
#include "switchd/inband/internal.h"
#include "switchd/vswitch.h"

LOG_MODULE(in_band);

enum { AGAIN_MS = 60000, ASK_MS = 1000, ASK_MAX = 10 };
enum { PORT_OPENFLOW_OLD = 6633, PORT_OVSDB_OLD = 6632, PORTS = 0x19e0, PORTS_MASK = 0xffe0 };

struct seen { /* a packet that may be a sign */
    struct inband *ib;
    const struct vport *in_port;
    const struct flow_key *key;
    struct xlate_out *out;
    int64_t now_ms;
    struct ip_addr src, dst; /* of the packet, or who asks for whom */
};

static struct ip_addr ip_of(const struct flow_key *key, enum field_id v4, enum field_id v6)
{
    uint16_t type = (uint16_t)key_get(key, FIELD_ETH_TYPE);
    return type == ETH_TYPE_IPV6 ? ip_addr_from_u128(6, key_get(key, v6))
                                 : ip_addr_from_u128(4, key_get(key, v4));
}

/* ---- what was told ---- */

static struct notice *find(struct inband *ib, enum sign sign, u128 what)
{
    for (size_t i = 0; i < INBAND_NOTICES; i++)
        if (ib->notices[i].sign == sign && ib->notices[i].what == what)
            return &ib->notices[i];
    return NULL;
}

static bool was_told(const struct seen *s, enum sign sign, u128 what)
{
    const struct notice *n = find(s->ib, sign, what);
    return n && s->now_ms - n->told_ms < AGAIN_MS;
}

/* Keeps in mind that it is told now; the oldest gives way. */
static void note(const struct seen *s, enum sign sign, u128 what)
{
    struct notice *n = find(s->ib, sign, what), *oldest = s->ib->notices;
    for (size_t i = 0; !n && i < INBAND_NOTICES; i++)
        if (s->ib->notices[i].told_ms < oldest->told_ms)
            oldest = &s->ib->notices[i];
    n = n ? n : oldest;
    *n = (struct notice){.sign = sign, .what = what, .told_ms = s->now_ms};
}

/* "10.1.0.2 (port p1)" */
static void put_source(struct str *line, const struct seen *s)
{
    ip_addr_put(line, &s->src);
    str_putf(line, " (port %s)", s->in_port->name);
}

static void put_endpoint(struct str *line, const struct ip_addr *ip, uint16_t port)
{
    str_put(line, ip->version == 6 ? "[" : "");
    ip_addr_put(line, ip);
    str_putf(line, "%s:%u", ip->version == 6 ? "]" : "", port);
}

static void tell(const struct seen *s, enum sign sign, u128 what, struct str *line)
{
    static struct log_rate rate = LOG_RATE(20, 20);
    note(s, sign, what);
    log_warn_limited(&rate, "bridge %s: %s", s->ib->br->name, str_c(line));
    str_fini(line);
}

/* Whether the kernel may be asked, which takes some 20 us. */
static bool may_ask(const struct seen *s)
{
    struct inband *ib = s->ib;
    if (s->now_ms - ib->questions_ms >= ASK_MS) {
        ib->questions_ms = s->now_ms;
        ib->n_questions = 0;
    }
    return ib->n_questions++ < ASK_MAX;
}

/* ---- IB-n2: a remote that this switch does not know ---- */

static bool is_control_port(uint16_t port)
{
    return port == TARGET_PORT_OPENFLOW || port == PORT_OPENFLOW_OLD || port == TARGET_PORT_OVSDB ||
           port == PORT_OVSDB_OLD;
}

/* The bits of PORT that tell it from the ports of controllers and managers, which all begin alike: 16 masks at most. */
static uint16_t telling_bits(uint16_t port)
{
    unsigned differs = (port ^ PORTS) & PORTS_MASK;
    return differs ? (uint16_t)(0xffffu << (31 - __builtin_clz(differs))) : 0xffff;
}

static void dropped_tcp(const struct seen *s, uint16_t port)
{
    u128 what = ip_addr_to_u128(&s->dst);
    mask_set_masked(&s->out->mask, FIELD_TCP_DST, telling_bits(port));
    if (!is_control_port(port))
        return;
    mask_set(&s->out->mask, s->dst.version == 6 ? FIELD_IPV6_DST : FIELD_IP_DST);
    if (was_told(s, SIGN_OTHER_REMOTE, what))
        return;
    struct str line = STR_INIT;
    str_put(&line, "the flow tables drop TCP from ");
    put_source(&line, s);
    str_put(&line, " to ");
    put_endpoint(&line, &s->dst, port);
    str_put(&line, "; if that is a switch and its controller or manager, add the latter to the "
                   "bridge's other_config:in-band-remotes");
    tell(s, SIGN_OTHER_REMOTE, what, &line);
}

/* ---- IB-n3: another way to a remote ---- */

/* Whether MAC is this switch's own, the next hop of it to R, or what a remote (or gateway) that it was told of has; R's may not be known. */
static bool is_served(struct inband *ib, const struct remote *r, struct mac mac)
{
    const struct remote *other;
    VEC_FOR_EACH (other, &ib->remotes)
        if (mac_equal(other->seen, mac))
            return true;
    return mac_equal(r->next_hop, mac) || mac_equal(ib->local, mac) || mac_is_multicast(mac);
}

static void tcp_to_remote(const struct seen *s, struct remote *r)
{
    struct mac mac = s->key->eth_dst;
    u128 what = mac_to_u64(mac);
    if (is_served(s->ib, r, mac) || was_told(s, SIGN_OTHER_HOP, what) || !may_ask(s))
        return;
    r->next_hop = inband_find_next_hop(s->ib, r); /* it may have moved since */
    if (mac_is_zero(r->next_hop) || is_served(s->ib, r, mac))
        return;
    struct str line = STR_INIT;
    put_source(&line, s);
    str_put(&line, " reaches ");
    put_endpoint(&line, &r->at.ip, r->at.port);
    str_put(&line, " by ");
    mac_put(&line, mac);
    str_put(&line, ", not by this switch's next hop ");
    mac_put(&line, r->next_hop);
    str_put(&line,
            "; if that is a switch, the ARP between it and its gateway passes only where the "
            "flow tables let it, unless the bridge's other_config:in-band-remotes has the "
            "gateway's address, too");
    tell(s, SIGN_OTHER_HOP, what, &line);
}

/* Whether IP is of another host of the local port's own network. */
static bool is_neighbour(const struct seen *s, const struct ip_addr *ip)
{
    struct inband *ib = s->ib;
    struct next_hop hop = {0};
    return !ib->kernel->route(ib->kernel->aux, ip, &hop) && ip_addr_equal(&hop.ip, ip) &&
           !strcmp(hop.device, ib->br->name);
}

static void dropped_request(const struct seen *s)
{
    u128 what = ip_addr_to_u128(&s->dst);
    bool v6 = s->dst.version == 6;
    mask_set(&s->out->mask, v6 ? FIELD_IPV6_SRC : FIELD_ARP_SPA);
    mask_set(&s->out->mask, v6 ? FIELD_ND_TARGET : FIELD_ARP_TPA);
    if (ip_addr_equal(&s->src, &s->dst) || was_told(s, SIGN_DROPPED_REQUEST, what) || !may_ask(s) ||
        !is_neighbour(s, &s->src) || !is_neighbour(s, &s->dst))
        return;
    struct str line = STR_INIT;
    str_putf(&line, "the flow tables drop the %s of ",
             v6 ? "neighbour solicitation" : "ARP request");
    put_source(&line, s);
    str_put(&line, " for ");
    ip_addr_put(&line, &s->dst);
    str_put(&line,
            "; if that is a switch and its gateway, controller or manager, add the latter to "
            "the bridge's other_config:in-band-remotes");
    tell(s, SIGN_DROPPED_REQUEST, what, &line);
}

/* ---- what it is ---- */

/* ARP or neighbour discovery from IP: hidden flows let a remote's pass. */
static void look_at_sender(struct seen *s, const struct ip_addr *ip)
{
    struct remote *r;
    VEC_FOR_EACH (r, &s->ib->remotes)
        if (ip_addr_equal(&r->at.ip, ip))
            r->seen = s->key->eth_src;
}

static void look_at_tcp(struct seen *s)
{
    uint16_t port = (uint16_t)key_get(s->key, FIELD_TCP_DST);
    struct remote *r;
    s->src = ip_of(s->key, FIELD_IP_SRC, FIELD_IPV6_SRC);
    s->dst = ip_of(s->key, FIELD_IP_DST, FIELD_IPV6_DST);
    VEC_FOR_EACH (r, &s->ib->remotes) {
        if (r->at.port == port && ip_addr_equal(&r->at.ip, &s->dst)) {
            tcp_to_remote(s, r);
            return;
        }
    }
    if (!s->out->delivered)
        dropped_tcp(s, port);
}

static void look_at_arp(struct seen *s)
{
    s->src = ip_of(s->key, FIELD_ARP_SPA, FIELD_IPV6_SRC);
    s->dst = ip_of(s->key, FIELD_ARP_TPA, FIELD_ND_TARGET);
    bool v6 = s->dst.version == 6;
    bool request = v6 ? key_get(s->key, FIELD_ICMPV6_TYPE) == ICMP6_NEIGHBOR_SOLICIT
                      : key_get(s->key, FIELD_ARP_OP) == 1;
    look_at_sender(s, request || !v6 ? &s->src : &s->dst);
    if (request && !s->out->delivered)
        dropped_request(s);
}

static bool is_nd(const struct flow_key *key)
{
    uint8_t type = (uint8_t)key_get(key, FIELD_ICMPV6_TYPE);
    return key_get(key, FIELD_IP_PROTO) == IP_PROTO_ICMPV6 &&
           (type == ICMP6_NEIGHBOR_SOLICIT || type == ICMP6_NEIGHBOR_ADVERT);
}

/* The translation has noted the type of the frame and what ARP says, since hidden flows match on these. */
void inband_notice(struct inband *ib, const struct vport *in_port, const struct flow_key *key,
                   struct xlate_out *out)
{
    struct seen s = {.ib = ib,
                     .in_port = in_port,
                     .key = key,
                     .out = out,
                     .now_ms = env_now_ms(ib->br->vs->env)};
    uint16_t type = (uint16_t)key_get(key, FIELD_ETH_TYPE);
    mask_set(&out->mask, FIELD_ETH_TYPE);
    if (type == ETH_TYPE_IP || type == ETH_TYPE_IPV6)
        mask_set(&out->mask, FIELD_IP_PROTO);
    if (type == ETH_TYPE_ARP || (type == ETH_TYPE_IPV6 && is_nd(key)))
        look_at_arp(&s);
    else if (type != ETH_TYPE_ARP && key_get(key, FIELD_IP_PROTO) == IP_PROTO_TCP)
        look_at_tcp(&s);
}
