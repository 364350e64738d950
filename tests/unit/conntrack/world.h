/* world.h - packets for tests of the connection tracker, virtual time, and what the tracker said of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conntrack/conntrack.h"
#include "flow/rewrite.h"
#include "net/checksum.h"

struct world {
    struct env_seeded env;
    struct conntrack *ct;
    int64_t now_ms;
    struct ct_hint hints[7]; /* used in turn, for whatever packet comes: they must never matter */
    unsigned next_hint;
    unsigned n_beside; /* packets that conntrack_pass took */
};

static inline void world_init(struct world *w)
{
    env_seeded_init(&w->env, 1);
    w->ct = conntrack_new(&w->env.env);
    w->now_ms = 1000000;
    memset(w->hints, 0, sizeof w->hints);
    w->next_hint = w->n_beside = 0;
}

static inline void world_fini(struct world *w)
{
    conntrack_free(w->ct);
}

/* One packet to make. Addresses are text; PROTO decides what the rest means. */
struct spec {
    const char *src, *dst;
    uint8_t proto;
    uint16_t sport, dport; /* ICMP: id in SPORT, type in DPORT */
    uint16_t flags;        /* TCP */
    uint32_t seq, ack;
    uint16_t win; /* 0: 1000 */
    uint16_t len; /* of the payload */
    int scale;    /* window scale option; 0: none */
};

static inline struct ip_addr addr(const char *text)
{
    struct ip_addr a;
    assert_int_equal(ip_addr_parse(text, &a), 0);
    return a;
}

static inline void key_addresses(struct flow_key *key, const struct spec *s)
{
    struct ip_addr src = addr(s->src), dst = addr(s->dst);
    bool v4 = src.version == 4;
    key_set(key, FIELD_ETH_SRC, 0x020000000001);
    key_set(key, FIELD_ETH_DST, 0x020000000002);
    key_set(key, FIELD_ETH_TYPE, v4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    key_set(key, v4 ? FIELD_IP_SRC : FIELD_IPV6_SRC, ip_addr_to_u128(&src));
    key_set(key, v4 ? FIELD_IP_DST : FIELD_IPV6_DST, ip_addr_to_u128(&dst));
    key_set(key, FIELD_IP_TTL, 64);
    key->nw_proto = s->proto;
}

/* A packet with right checksums, its offsets set. */
static inline void make(struct packet *p, const struct spec *s)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_addresses(&key, s);
    bool icmp = s->proto == IP_PROTO_ICMP || s->proto == IP_PROTO_ICMPV6;
    if (icmp) {
        key.icmp_type = (uint8_t)s->dport;
    } else {
        key.tp_src = swap16(s->sport);
        key.tp_dst = swap16(s->dport);
        key.tcp_flags = swap16(s->flags);
    }
    packet_init(p);
    packet_compose(p, &key, s->len + (s->scale ? 4u : 0u));
    flow_extract(p, &key);
    uint8_t *l4 = packet_l4(p);
    if (icmp)
        put_be16(l4 + 4, s->sport);
    if (s->proto == IP_PROTO_TCP) {
        put_be32(l4 + 4, s->seq);
        put_be32(l4 + 8, s->ack);
        put_be16(l4 + 14, s->win ? s->win : 1000);
        if (s->scale) {
            uint8_t option[4] = {3, 3, (uint8_t)s->scale, 0};
            memcpy(l4 + 20, option, 4);
            put_be16(l4 + 12, (uint16_t)(get_be16(l4 + 12) + 0x1000));
        }
    }
    packet_finish_checksum(p);
}

/* All checksums of P are right. */
static inline void assert_checksums(struct packet *p)
{
    struct flow_key key;
    struct packet copy;
    flow_extract(p, &key);
    packet_init(&copy);
    packet_clone_into(&copy, p);
    if (key.eth_type == swap16(ETH_TYPE_IP))
        assert_int_equal(checksum(packet_l3(p), 20), 0);
    packet_finish_checksum(&copy);
    assert_int_equal(copy.size, p->size);
    assert_memory_equal(copy.data, p->data, p->size);
    packet_fini(&copy);
}

static inline struct ct_action track(uint16_t zone)
{
    return (struct ct_action){.zone = zone};
}

static inline struct ct_action commit(uint16_t zone)
{
    return (struct ct_action){.zone = zone, .flags = CT_COMMIT};
}

static inline void set_ip(struct ip6 *to, const char *text)
{
    struct ip_addr a = addr(text);
    memset(to, 0, sizeof *to);
    if (a.version == 4)
        memcpy(to, &a.v4, 4);
    else
        *to = a.v6;
}

/* A commit with NAT: FLAGS are CT_NAT_*; LAST may be NULL; ports 0: none. */
static inline struct ct_action nat(uint8_t flags, const char *first, const char *last,
                                   uint16_t port_min, uint16_t port_max)
{
    struct ct_action a = {.flags = CT_COMMIT | CT_TRANSLATE,
                          .nat = {.flags = flags, .port_min = port_min, .port_max = port_max}};
    a.nat.version = addr(first).version;
    set_ip(&a.nat.addr_min, first);
    set_ip(&a.nat.addr_max, last ? last : first);
    return a;
}

static inline struct ct_action undo(void)
{
    return (struct ct_action){.flags = CT_TRANSLATE};
}

/* BESIDE: as threads do that work side by side, if it can be done so; if not, nothing may have been done. */
static inline void execute(struct world *w, struct packet *p, const struct ct_action *a,
                           struct ct_hint *hint, bool beside)
{
    struct packet before;
    packet_init_copy(&before, p->data, p->size);
    struct flow_ct md = p->md.ct;
    bool done = beside && conntrack_pass(w->ct, p, a, w->now_ms, hint);
    w->n_beside += done;
    if (!done) {
        assert_int_equal(before.size, p->size);
        assert_memory_equal(before.data, p->data, p->size);
        assert_memory_equal(&md, &p->md.ct, sizeof md);
        conntrack_execute_near(w->ct, p, a, w->now_ms, hint);
    }
    packet_fini(&before);
}

static inline uint32_t run(struct world *w, struct packet *p, const struct ct_action *a)
{
    struct flow_key key;
    flow_extract(p, &key);
    execute(w, p, a, &w->hints[w->next_hint % 7], w->next_hint % 3 != 0);
    w->next_hint++;
    return swap32(p->md.ct.state);
}

/* Sends S and returns its ct_state. */
static inline uint32_t send(struct world *w, const struct spec *s, struct ct_action a)
{
    struct packet p;
    make(&p, s);
    uint32_t state = run(w, &p, &a);
    assert_checksums(&p);
    packet_fini(&p);
    return state;
}

static inline char *dump(struct world *w, unsigned show)
{
    struct str s = STR_INIT;
    struct ct_filter all = {0};
    conntrack_put(&s, w->ct, &all, show, w->now_ms);
    return str_steal(&s);
}

static inline void assert_dump(struct world *w, unsigned show, const char *want)
{
    char *got = dump(w, show);
    assert_string_equal(got, want);
    free(got);
}
