/* rules.c - the hidden flows of in-band control: which there are for what is known; see inband.h. */
#include "net/headers.h"
#include "switchd/inband/internal.h"
#include "switchd/vswitch.h"

/* Offsets from the base priority: one for each kind, so that a dump is readable. Order does not matter, since all do the same. */
enum kind {
    FROM_LOCAL_DHCP,
    TO_LOCAL_ARP,
    FROM_LOCAL_ARP,
    TO_NEXT_HOP_ARP,
    FROM_NEXT_HOP_ARP,
    TO_REMOTE_ARP,
    FROM_REMOTE_ARP,
    TO_REMOTE_TCP,
    FROM_REMOTE_TCP,
    FOR_ADDRESS_ARP,
    FROM_ADDRESS_ARP,
};

struct wanted {
    int32_t priority;
    struct match match;
};
typedef VEC(struct wanted) wanted_vec;

static struct match *want(wanted_vec *v, enum kind kind)
{
    struct wanted *w = vec_push_zero(v);
    w->priority = INBAND_BASE_PRIORITY + (int32_t)kind;
    match_init(&w->match);
    return &w->match;
}

/* A question for an address or the answer to one: ARP, or neighbour discovery (RFC 4861 section 4.3, 4.4). */
static struct match *want_arp(wanted_vec *v, enum kind kind, uint8_t version, bool is_request)
{
    struct match *m = want(v, kind);
    match_set(m, FIELD_ETH_TYPE, version == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_ARP);
    if (version == 6) {
        match_set(m, FIELD_IP_PROTO, IP_PROTO_ICMPV6);
        match_set(m, FIELD_ICMPV6_TYPE,
                  is_request ? ICMP6_NEIGHBOR_SOLICIT : ICMP6_NEIGHBOR_ADVERT);
        match_set(m, FIELD_ICMPV6_CODE, 0);
    } else {
        match_set(m, FIELD_ARP_OP, is_request ? 1 : 2);
    }
    return m;
}

static void want_mac(wanted_vec *v, enum kind reply_to, enum kind request_from, uint8_t version,
                     struct mac mac)
{
    match_set(want_arp(v, reply_to, version, false), FIELD_ETH_DST, mac_to_u64(mac));
    match_set(want_arp(v, request_from, version, true), FIELD_ETH_SRC, mac_to_u64(mac));
}

static struct match *want_udp(wanted_vec *v, uint8_t version, uint16_t src, uint16_t dst)
{
    struct match *m = want(v, FROM_LOCAL_DHCP);
    match_set(m, FIELD_ETH_TYPE, version == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    match_set(m, FIELD_IP_PROTO, IP_PROTO_UDP);
    match_set(m, FIELD_UDP_SRC, src);
    match_set(m, FIELD_UDP_DST, dst);
    return m;
}

/* Replies of DHCPv6 go to the client's MAC, those of DHCPv4 may not (dhcp.c). */
static void want_local(wanted_vec *v, uint8_t version, struct mac local)
{
    bool v6 = version == 6;
    struct match *m = want_udp(v, version, v6 ? 546 : 68, v6 ? 547 : 67);
    match_set(m, FIELD_IN_PORT, PORT_LOCAL);
    match_set(m, FIELD_ETH_SRC, mac_to_u64(local));
    if (v6)
        match_set(want_udp(v, version, 547, 546), FIELD_ETH_DST, mac_to_u64(local));
    want_mac(v, TO_LOCAL_ARP, FROM_LOCAL_ARP, version, local);
}

static void want_address(wanted_vec *v, const struct ip_addr *ip)
{
    bool v6 = ip->version == 6;
    match_set(want_arp(v, TO_REMOTE_ARP, ip->version, false), v6 ? FIELD_IPV6_DST : FIELD_ARP_TPA,
              ip_addr_to_u128(ip));
    match_set(want_arp(v, FROM_REMOTE_ARP, ip->version, true), v6 ? FIELD_IPV6_SRC : FIELD_ARP_SPA,
              ip_addr_to_u128(ip));
}

/* What another switch needs to find IP through this one. */
static void want_resolution(wanted_vec *v, const struct ip_addr *ip)
{
    bool v6 = ip->version == 6;
    match_set(want_arp(v, FOR_ADDRESS_ARP, ip->version, true), v6 ? FIELD_ND_TARGET : FIELD_ARP_TPA,
              ip_addr_to_u128(ip));
    match_set(want_arp(v, FROM_ADDRESS_ARP, ip->version, false),
              v6 ? FIELD_ND_TARGET : FIELD_ARP_SPA, ip_addr_to_u128(ip));
}

static void want_tcp(wanted_vec *v, const struct inband_remote *at)
{
    bool v6 = at->ip.version == 6;
    for (int to = 0; to < 2; to++) {
        struct match *m = want(v, to ? TO_REMOTE_TCP : FROM_REMOTE_TCP);
        enum field_id dst = v6 ? FIELD_IPV6_DST : FIELD_IP_DST;
        enum field_id src = v6 ? FIELD_IPV6_SRC : FIELD_IP_SRC;
        match_set(m, FIELD_ETH_TYPE, v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
        match_set(m, FIELD_IP_PROTO, IP_PROTO_TCP);
        match_set(m, to ? dst : src, ip_addr_to_u128(&at->ip));
        match_set(m, to ? FIELD_TCP_DST : FIELD_TCP_SRC, at->port);
    }
}

/* Whether remote I is the first with what SAME compares. */
static bool is_first(const struct inband *ib, size_t i,
                     bool (*same)(const struct remote *, const struct remote *))
{
    for (size_t j = 0; j < i; j++)
        if (same(&ib->remotes.data[i], &ib->remotes.data[j]))
            return false;
    return true;
}

static bool same_mac(const struct remote *a, const struct remote *b)
{
    return mac_equal(a->next_hop, b->next_hop) && a->hop_ip.version == b->hop_ip.version;
}

static bool same_ip(const struct remote *a, const struct remote *b)
{
    return ip_addr_equal(&a->at.ip, &b->at.ip);
}

static bool same_version(const struct remote *a, const struct remote *b)
{
    return a->at.ip.version == b->at.ip.version;
}

static bool same_hop(const struct remote *a, const struct remote *b)
{
    return ip_addr_equal(&a->hop_ip, &b->hop_ip);
}

static bool same_tcp(const struct remote *a, const struct remote *b)
{
    return same_ip(a, b) && a->at.port == b->at.port;
}

/* Nothing without remotes: then nobody waits for an address of this switch. */
static void want_all(const struct inband *ib, wanted_vec *v)
{
    for (size_t i = 0; i < ib->remotes.n; i++) {
        const struct remote *r = &ib->remotes.data[i];
        if (!mac_is_zero(ib->local) && is_first(ib, i, same_version))
            want_local(v, r->at.ip.version, ib->local);
        if (!mac_is_zero(r->next_hop) && is_first(ib, i, same_mac))
            want_mac(v, TO_NEXT_HOP_ARP, FROM_NEXT_HOP_ARP, r->hop_ip.version, r->next_hop);
        if (is_first(ib, i, same_ip))
            want_address(v, &r->at.ip);
        if (is_first(ib, i, same_hop))
            want_resolution(v, &r->hop_ip);
        if (is_first(ib, i, same_tcp))
            want_tcp(v, &r->at);
    }
}

void inband_remove_rules(struct inband *ib)
{
    struct journal journal = JOURNAL_INIT;
    struct rule **rule;
    tables_settle(&ib->br->tables);
    VEC_FOR_EACH (rule, &ib->rules) {
        if (!(*rule)->removed)
            tables_remove(&ib->br->tables, *rule, OF_REMOVED_DELETE, &journal);
        rule_unref(*rule);
    }
    if (ib->rules.n)
        vswitch_invalidate(ib->br->vs);
    vec_clear(&ib->rules);
    journal_commit(&journal, &ib->br->tables);
    str_clear(&ib->wanted);
}

static void add_rules(struct inband *ib, const wanted_vec *v)
{
    struct of_actions actions = OF_ACTIONS_INIT;
    if (ib->queue >= 0)
        of_put_set_queue(&actions, (uint32_t)ib->queue);
    of_put_output(&actions, PORT_NORMAL);
    const struct wanted *w;
    VEC_FOR_EACH (w, v) {
        struct rule *rule = tables_add_hidden(&ib->br->tables, 0, &w->match, w->priority, &actions,
                                              env_now_ms(ib->br->vs->env));
        vec_push(&ib->rules, rule_ref(rule));
    }
    of_actions_fini(&actions);
    vswitch_invalidate(ib->br->vs);
}

void inband_update_rules(struct inband *ib)
{
    wanted_vec v = VEC_INIT;
    struct str wanted = STR_INIT;
    want_all(ib, &v);
    if (v.n)
        str_put_n(&wanted, (const char *)v.data, v.n * sizeof *v.data);
    str_put_n(&wanted, (const char *)&ib->queue, sizeof ib->queue);
    if (wanted.n != ib->wanted.n || memcmp(str_c(&wanted), str_c(&ib->wanted), wanted.n) != 0) {
        inband_remove_rules(ib);
        add_rules(ib, &v);
        str_put_n(&ib->wanted, str_c(&wanted), wanted.n);
    }
    str_fini(&wanted);
    vec_fini(&v);
}
