/* dump.c - connections for people, in the format of ovs-appctl dpctl/dump-conntrack; and picking some of them. */
#include <inttypes.h>
#include <string.h>

#include "conntrack/conn.h"

/* ---- picking ---- */

static bool addr_matches(const struct ip_addr *want, const struct ct_tuple *t, const struct ip6 *a)
{
    if (!want->version)
        return true;
    return want->version == t->version &&
           (t->version == 4 ? !memcmp(&want->v4, a, 4) : !memcmp(&want->v6, a, 16));
}

static bool tuple_matches(const struct ct_tuple_filter *f, const struct ct_tuple *t)
{
    if (!addr_matches(&f->src, t, &t->src) || !addr_matches(&f->dst, t, &t->dst) ||
        (f->proto && f->proto != t->proto))
        return false;
    bool ports = f->src_port || f->dst_port, icmp = f->icmp_id || f->icmp_type || f->icmp_code;
    if (ct_proto_is_icmp(t->proto))
        return !ports && (!f->icmp_id || f->icmp_id == t->src_port) &&
               (!f->icmp_type || f->icmp_type == t->dst_port >> 8) &&
               (!f->icmp_code || f->icmp_code == (t->dst_port & 0xff));
    return !icmp && (!f->src_port || f->src_port == t->src_port) &&
           (!f->dst_port || f->dst_port == t->dst_port);
}

static bool conn_matches(const struct ct_filter *f, const struct ct_conn *conn)
{
    const struct ct_tuple *orig = &conn->end[CT_ORIG].tuple;
    return (!f->has_zone || f->zone == orig->zone) && tuple_matches(&f->tuple[CT_ORIG], orig) &&
           tuple_matches(&f->tuple[CT_REPLY], &conn->end[CT_REPLY].tuple) &&
           (swap32(conn->mark) & f->mark_mask) == (f->mark & f->mark_mask) &&
           (get_be128(&conn->label) & f->label_mask) == (f->label & f->label_mask);
}

uint32_t conntrack_flush(struct conntrack *ct, const struct ct_filter *filter)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < CT_WHEEL_SLOTS; i++) {
        struct ct_conn *conn, *next;
        LIST_FOR_EACH_SAFE (conn, next, expiry, &ct->wheel[i]) {
            if (conn_matches(filter, conn)) {
                ct_remove(ct, conn);
                n++;
            }
        }
    }
    return n;
}

/* ---- text ---- */

static const char *proto_name(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
        return "tcp";
    case IP_PROTO_UDP:
        return "udp";
    case IP_PROTO_SCTP:
        return "sctp";
    case IP_PROTO_ICMP:
        return "icmp";
    case IP_PROTO_ICMPV6:
        return "icmpv6";
    case IP_PROTO_IGMP:
        return "igmp";
    default:
        return NULL;
    }
}

static void put_addr(struct str *s, const struct ct_tuple *t, const struct ip6 *a)
{
    be32 v4;
    memcpy(&v4, a, 4);
    if (t->version == 4)
        ip4_put(s, v4);
    else
        ip6_put(s, *a);
}

static void put_tuple(struct str *s, const char *name, const struct ct_tuple *t)
{
    str_putf(s, "%s=(src=", name);
    put_addr(s, t, &t->src);
    str_put(s, ",dst=");
    put_addr(s, t, &t->dst);
    if (ct_proto_is_icmp(t->proto))
        str_putf(s, ",id=%u,type=%u,code=%u)", t->src_port, t->dst_port >> 8, t->dst_port & 0xffu);
    else
        str_putf(s, ",sport=%u,dport=%u)", t->src_port, t->dst_port);
}

static void put_state(struct str *s, const struct ct_conn *conn, unsigned show)
{
    const char *name = ct_state_name(conn);
    if (!name)
        return;
    if (show & CT_SHOW_MORE && conn->end[CT_ORIG].tuple.proto == IP_PROTO_TCP)
        str_putf(s, ",protoinfo=(state_orig=%s,state_reply=%s,wscale_orig=%u,wscale_reply=%u)",
                 tcp_side_name(&conn->tcp[CT_ORIG]), tcp_side_name(&conn->tcp[CT_REPLY]),
                 conn->tcp[CT_ORIG].scale, conn->tcp[CT_REPLY].scale);
    else
        str_putf(s, ",protoinfo=(state=%s)", name);
}

static void put_conn(struct str *s, const struct ct_conn *conn, unsigned show, int64_t now_ms)
{
    static const char *const helpers[] = {NULL, "ftp", "tftp"};
    const struct ct_tuple *orig = &conn->end[CT_ORIG].tuple;
    const char *proto = proto_name(orig->proto);
    if (proto)
        str_put(s, proto);
    else
        str_putf(s, "%u", orig->proto);
    str_putc(s, ',');
    put_tuple(s, "orig", orig);
    str_putc(s, ',');
    put_tuple(s, "reply", &conn->end[CT_REPLY].tuple);
    if (show & CT_SHOW_TIMES)
        str_putf(s, ",timeout=%" PRId64, MAX(conn->expires_ms - now_ms, 0) / 1000);
    if (orig->zone)
        str_putf(s, ",zone=%u", orig->zone);
    if (conn->mark)
        str_putf(s, ",mark=%u", swap32(conn->mark));
    u128 label = get_be128(&conn->label);
    if (label >> 64)
        str_putf(s, ",labels=0x%" PRIx64 "%016" PRIx64, (uint64_t)(label >> 64), (uint64_t)label);
    else if (label)
        str_putf(s, ",labels=0x%" PRIx64, (uint64_t)label);
    put_state(s, conn, show);
    if (conn->helper)
        str_putf(s, ",helper=%s", helpers[conn->helper]);
    if (conn->parent) {
        str_putc(s, ',');
        put_tuple(s, "parent", conn->parent);
    }
    str_putc(s, '\n');
}

void conntrack_put(struct str *s, const struct conntrack *ct, const struct ct_filter *filter,
                   unsigned show, int64_t now_ms)
{
    for (unsigned i = 0; i < CT_WHEEL_SLOTS; i++) {
        const struct ct_conn *conn;
        LIST_FOR_EACH (conn, expiry, &ct->wheel[i]) {
            if (conn->expires_ms > now_ms && conn_matches(filter, conn))
                put_conn(s, conn, show, now_ms);
        }
    }
}

/* ---- statistics ---- */

struct state_count {
    const char *name;
    uint32_t n;
};

static void count_state(struct state_count *counts, size_t max, const char *name)
{
    for (size_t i = 0; i < max; i++) {
        if (!counts[i].name)
            counts[i].name = name;
        if (!strcmp(counts[i].name, name)) {
            counts[i].n++;
            return;
        }
    }
}

void conntrack_put_stats(struct str *s, const struct conntrack *ct, const struct ct_filter *filter,
                         unsigned show)
{
    uint32_t n[256] = {0}, total = 0, others = 0;
    struct state_count states[16] = {{NULL, 0}};
    for (unsigned i = 0; i < CT_WHEEL_SLOTS; i++) {
        const struct ct_conn *conn;
        LIST_FOR_EACH (conn, expiry, &ct->wheel[i]) {
            uint8_t proto = conn->end[CT_ORIG].tuple.proto;
            if (!conn_matches(filter, conn))
                continue;
            total++;
            if (proto_name(proto))
                n[proto]++;
            else
                others++;
            if (proto == IP_PROTO_TCP)
                count_state(states, ARRAY_SIZE(states), ct_state_name(conn));
        }
    }
    str_putf(s, "Connections Stats:\n    Total: %u\n", total);
    static const struct {
        uint8_t proto;
        const char *name;
    } shown[] = {{IP_PROTO_TCP, "TCP"},   {IP_PROTO_UDP, "UDP"},       {IP_PROTO_SCTP, "SCTP"},
                 {IP_PROTO_ICMP, "ICMP"}, {IP_PROTO_ICMPV6, "ICMPV6"}, {IP_PROTO_IGMP, "IGMP"}};
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        if (!n[shown[i].proto])
            continue;
        str_putf(s, "  %s: %u\n", shown[i].name, n[shown[i].proto]);
        if (shown[i].proto != IP_PROTO_TCP || !(show & CT_SHOW_MORE))
            continue;
        str_put(s, "    Conn per TCP states:\n");
        for (size_t j = 0; j < ARRAY_SIZE(states) && states[j].name; j++)
            str_putf(s, "\t  [%s]=%u\n", states[j].name, states[j].n);
    }
    if (others)
        str_putf(s, "  Other: %u\n", others);
}

void conntrack_put_buckets(struct str *s, const struct conntrack *ct, unsigned above)
{
    unsigned buckets = CT_WHEEL_SLOTS, used = 0;
    str_putf(s, "Total Buckets: %u\nCurrent Connections: %u\n\n", buckets, ct->n);
    str_put(s, "+-----------+-----------------------------------------+\n"
               "|  Buckets  |         Connections per Buckets         |\n"
               "+-----------+-----------------------------------------+\n");
    for (unsigned i = 0; i < buckets; i += 8) {
        struct str line = STR_INIT;
        bool any = false;
        for (unsigned j = i; j < i + 8; j++) {
            unsigned n = 0;
            const struct list *l;
            for (l = ct->wheel[j].next; l != &ct->wheel[j]; l = l->next)
                n++;
            used += n > 0;
            any |= n > above;
            if (n > above)
                str_putf(&line, " %5u", n);
            else
                str_put(&line, "      ");
        }
        if (any)
            str_putf(s, "%4u..%3u   |%s\n", i, i + 7, str_c(&line));
        str_fini(&line);
    }
    str_putf(s, "\n%u of them in use\n", used);
}
