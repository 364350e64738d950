/* port_sec.c - port security as flows: what check_in_port_sec and check_out_port_sec answer.
 *
 * Room 8, tables 73 to 75. They answer in bit FLAG_PORT_SEC_DROP, which the asking flow has cleared: a port without security has no flow here, and all is
 * allowed. An entry is an Ethernet address and the IP addresses that go with it; without any, all go. What is not an address is left out: it
 * allows nothing. Units are ports that have security; only those of this hypervisor get flows.
 */
#include "controller/translate/oflow.h"

#include <stdlib.h>
#include <string.h>

#include "lflow/lflow.h"

enum { PRIO_DENY = 80, PRIO_MAC = 85, PRIO_ALLOW = 90, PRIO_FIRST = 95, MAX_ADDRESSES = 256 };
enum verdict { ALLOW, DENY, ASK_ND };
enum { DHCP_CLIENT = 68, DHCP_SERVER = 67, PROTO_UDP = 17, PROTO_ICMP6 = 58 };
enum { MLD_REPORT = 131, MLD2_REPORT = 143, ND_SOLICIT = 135, ND_ADVERT = 136 };

struct security {
    struct inc_ctx *ctx;
    struct program *p;
    const struct fact_place *at;
    struct oflow flow;
};

struct entry {
    struct mac mac;
    struct ip_prefix ip[MAX_ADDRESSES];
    size_t n, n4, n6;
};

static bool parse_entry(const char *text, struct entry *e)
{
    char *copy = xstrdup(text), *save = NULL, *word = strtok_r(copy, " ,\t", &save);
    bool ok = word && !mac_parse(word, &e->mac);
    e->n = e->n4 = e->n6 = 0;
    while (ok && e->n < MAX_ADDRESSES && (word = strtok_r(NULL, " ,\t", &save))) {
        struct ip_prefix *ip = &e->ip[e->n];
        if (ip_prefix_parse(word, ip)) {
            ok = false;
        } else {
            e->n++;
            *(ip->addr.version == 4 ? &e->n4 : &e->n6) += 1;
        }
    }
    free(copy);
    return ok;
}

static struct match *begin(struct security *s, bool in)
{
    oflow_begin(&s->flow);
    oflow_match_dp(&s->flow, s->at->dp_key);
    oflow_match_reg(&s->flow, in ? REG_INPORT : REG_OUTPORT, s->at->key);
    return &s->flow.match;
}

static void emit(struct security *s, unsigned table, unsigned priority, enum verdict verdict)
{
    struct subfield drop = subfield_make(REG_FLAGS, FLAG_PORT_SEC_DROP, 1);
    if (verdict == ASK_ND)
        oflow_resubmit(&s->flow, OFTABLE_PORT_SEC_IN_ND);
    else
        of_put_load(&s->flow.actions, &drop, verdict == DENY);
    oflow_emit(s->ctx, s->p, &s->flow, table, priority, uuid_prefix32(&s->at->port));
}

/* FIELD is the prefix; an address with host bits is itself alone, whatever its length says. */
static void match_prefix(struct match *m, enum field_id field, const struct ip_prefix *ip)
{
    struct ip_addr network = ip_prefix_network(ip);
    unsigned bits = ip_addr_bits(&ip->addr);
    u128 mask = u128_ones(bits);
    if (ip_addr_equal(&network, &ip->addr))
        mask = ip->len ? mask & ~u128_ones(bits - ip->len) : 0;
    match_set_masked(m, field, ip_addr_to_u128(&ip->addr), mask);
}

static struct ip_prefix link_local(struct mac mac)
{
    return (struct ip_prefix){ip_addr_from_v6(ip6_link_local(mac)), 128};
}

/* --- What may come in */

static struct match *begin_from(struct security *s, const struct entry *e, uint16_t eth_type)
{
    struct match *m = begin(s, true);
    match_set(m, FIELD_ETH_SRC, mac_to_u64(e->mac));
    if (eth_type)
        match_set(m, FIELD_ETH_TYPE, eth_type);
    return m;
}

static void in_ip4(struct security *s, const struct entry *e)
{
    struct match *m = begin_from(s, e, 0x0800); /* who has no address yet asks for one */
    match_set(m, FIELD_IP_SRC, 0);
    match_set(m, FIELD_IP_DST, 0xffffffff);
    match_set(m, FIELD_IP_PROTO, PROTO_UDP);
    match_set(m, FIELD_UDP_SRC, DHCP_CLIENT);
    match_set(m, FIELD_UDP_DST, DHCP_SERVER);
    emit(s, OFTABLE_PORT_SEC_IN, PRIO_ALLOW, ALLOW);
    for (size_t i = 0; i < e->n; i++) {
        if (e->ip[i].addr.version != 4)
            continue;
        match_prefix(begin_from(s, e, 0x0800), FIELD_IP_SRC, &e->ip[i]);
        emit(s, OFTABLE_PORT_SEC_IN, PRIO_ALLOW, ALLOW);
    }
}

static void in_ip6(struct security *s, const struct entry *e)
{
    static const uint8_t types[] = {MLD_REPORT, MLD2_REPORT, ND_SOLICIT};
    for (size_t i = 0; i < ARRAY_SIZE(types);
         i++) { /* who has no address yet looks for neighbours */
        struct match *m = begin_from(s, e, 0x86dd);
        match_set(m, FIELD_IPV6_SRC, 0);
        match_set_masked(m, FIELD_IPV6_DST, (u128)0xff02 << 112, (u128)0xffff << 112);
        match_set(m, FIELD_IP_PROTO, PROTO_ICMP6);
        match_set(m, FIELD_ICMPV6_TYPE, types[i]);
        match_set(m, FIELD_ICMPV6_CODE, 0);
        emit(s, OFTABLE_PORT_SEC_IN, PRIO_ALLOW, types[i] == ND_SOLICIT ? ASK_ND : ALLOW);
    }
    for (size_t i = 0; i <= e->n; i++) {
        struct ip_prefix ip = i < e->n ? e->ip[i] : link_local(e->mac);
        if (ip.addr.version != 6)
            continue;
        match_prefix(begin_from(s, e, 0x86dd), FIELD_IPV6_SRC, &ip);
        emit(s, OFTABLE_PORT_SEC_IN, PRIO_ALLOW, ASK_ND);
    }
}

static void in_arp(struct security *s, const struct entry *e, const struct ip_prefix *ip)
{
    struct match *m = begin_from(s, e, 0x0806);
    match_set(m, FIELD_ARP_SHA, mac_to_u64(e->mac));
    if (ip)
        match_prefix(m, FIELD_ARP_SPA, ip);
    emit(s, OFTABLE_PORT_SEC_IN_ND, PRIO_ALLOW, ALLOW);
}

static struct match *match_nd(struct match *m, uint8_t type)
{
    match_set(m, FIELD_ETH_TYPE, 0x86dd);
    match_set(m, FIELD_IP_PROTO, PROTO_ICMP6);
    match_set(m, FIELD_IP_TTL, 255);
    match_set(m, FIELD_ICMPV6_TYPE, type);
    match_set(m, FIELD_ICMPV6_CODE, 0);
    return m;
}

/* A neighbour message that says nothing of a link-layer address, or the right one. */
static void in_nd(struct security *s, const struct entry *e, uint8_t type,
                  const struct ip_prefix *target)
{
    const u128 lladdrs[] = {0, mac_to_u64(e->mac)};
    for (size_t i = 0; i < ARRAY_SIZE(lladdrs); i++) {
        struct match *m = match_nd(begin(s, true), type);
        match_set(m, type == ND_SOLICIT ? FIELD_ND_SLL : FIELD_ND_TLL, lladdrs[i]);
        if (target)
            match_prefix(m, FIELD_ND_TARGET, target);
        emit(s, OFTABLE_PORT_SEC_IN_ND, PRIO_ALLOW, ALLOW);
    }
}

static void in_entry(struct security *s, const struct entry *e)
{
    if (!e->n) {
        begin_from(s, e, 0);
        emit(s, OFTABLE_PORT_SEC_IN, PRIO_ALLOW, ASK_ND);
        in_arp(s, e, NULL);
        in_nd(s, e, ND_SOLICIT, NULL);
        in_nd(s, e, ND_ADVERT, NULL);
        return;
    }
    if (e->n4)
        in_ip4(s, e);
    if (e->n6) {
        struct ip_prefix own = link_local(e->mac);
        in_ip6(s, e);
        in_nd(s, e, ND_SOLICIT, NULL);
        in_nd(s, e, ND_ADVERT, &own);
    }
    for (size_t i = 0; i < e->n; i++) {
        if (e->ip[i].addr.version == 4)
            in_arp(s, e, &e->ip[i]);
        else
            in_nd(s, e, ND_ADVERT, &e->ip[i]);
    }
}

static void in_default(struct security *s)
{
    begin(s, true);
    emit(s, OFTABLE_PORT_SEC_IN, PRIO_DENY, DENY);
    match_set(begin(s, true), FIELD_ETH_TYPE, 0x0806);
    emit(s, OFTABLE_PORT_SEC_IN, PRIO_FIRST, ASK_ND);
    match_set(begin(s, true), FIELD_ETH_TYPE, 0x0806);
    emit(s, OFTABLE_PORT_SEC_IN_ND, PRIO_DENY, DENY);
    for (uint8_t type = ND_SOLICIT; type <= ND_ADVERT; type++) {
        match_nd(begin(s, true), type);
        emit(s, OFTABLE_PORT_SEC_IN_ND, PRIO_DENY, DENY);
    }
}

/* --- What may go out */

static struct match *begin_to(struct security *s, const struct entry *e, uint16_t eth_type)
{
    struct match *m = begin(s, false);
    match_set(m, FIELD_ETH_DST, mac_to_u64(e->mac));
    if (eth_type)
        match_set(m, FIELD_ETH_TYPE, eth_type);
    return m;
}

static void out_ip(struct security *s, const struct entry *e, const struct ip_prefix *ip)
{
    bool v4 = ip->addr.version == 4;
    match_prefix(begin_to(s, e, v4 ? 0x0800 : 0x86dd), v4 ? FIELD_IP_DST : FIELD_IPV6_DST, ip);
    emit(s, OFTABLE_PORT_SEC_OUT, PRIO_FIRST, ALLOW);
}

static void out_entry(struct security *s, const struct entry *e)
{
    static const char *const all4[] = {"255.255.255.255", "224.0.0.0/4"}, *const all6 = "ff00::/8";
    begin_to(s, e, 0);
    emit(s, OFTABLE_PORT_SEC_OUT, PRIO_MAC, ALLOW);
    if (!e->n)
        return;
    begin_to(s, e, 0x0800);
    emit(s, OFTABLE_PORT_SEC_OUT, PRIO_ALLOW, DENY);
    begin_to(s, e, 0x86dd);
    emit(s, OFTABLE_PORT_SEC_OUT, PRIO_ALLOW, DENY);
    struct ip_prefix ip;
    for (size_t i = 0; e->n4 && i < ARRAY_SIZE(all4); i++)
        if (!ip_prefix_parse(all4[i], &ip))
            out_ip(s, e, &ip);
    if (e->n6 && !ip_prefix_parse(all6, &ip)) {
        struct ip_prefix own = link_local(e->mac);
        out_ip(s, e, &ip);
        out_ip(s, e, &own);
    }
    for (size_t i = 0; i < e->n; i++) {
        out_ip(s, e, &e->ip[i]);
        if (e->ip[i].addr.version == 4 && e->ip[i].len < 32) {
            ip = (struct ip_prefix){ip_prefix_broadcast(&e->ip[i]), 32};
            out_ip(s, e, &ip);
        }
    }
}

void port_sec_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_place *at = inc_read_one(ctx, p->place_by_port, key);
    if (!at || at->how != PLACE_HERE)
        return;
    struct security s = {ctx, p, at, OFLOW_INIT};
    struct entry *e = arena_alloc(inc_arena(ctx), sizeof *e);
    const struct feed_text *text;
    INC_FOR_EACH(text, inc_read(ctx, p->in_port_sec_by_row, key))
    {
        if (!parse_entry(text->text->s, e))
            continue;
        in_entry(&s, e);
        out_entry(&s, e);
    }
    in_default(&s);
    begin(&s, false);
    emit(&s, OFTABLE_PORT_SEC_OUT, PRIO_DENY, DENY);
    oflow_fini(&s.flow);
}
