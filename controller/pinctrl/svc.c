/* svc.c - opcode 18, handle_svc_check(P), and the checks that it answers: is a load balancer's backend alive?
 *
 * Rooms 11 and 12 of docs/architecture.md. The hypervisor that has the port of a Service_Monitor row sends to it, every interval, a TCP
 * SYN or a UDP datagram from the row's source addresses; the logical flows bring what comes back here. A SYN that is answered by
 * SYN and ACK in time is a success (and is reset), a datagram is one unless "port unreachable" comes back. After success_count or
 * failure_count in a row the row says online or offline.
 */
#include <stdlib.h>

#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"

enum { INTERVAL_S = 5, TIMEOUT_S = 3, SECONDS_MAX = 3600, EPHEMERAL = 49152 };

struct svc {
    struct hnode node; /* by row */
    const struct row *row;
    int64_t at_ms; /* of the next check, or of the end of the one that runs */
    bool is_waiting;
    unsigned good, bad; /* in a row */
    uint16_t port;      /* ours */
    uint32_t seq;
    const char *status; /* to be written, NULL: nothing */
};

/* What a check needs of SB; valid for the call. */
struct check {
    const struct sb_service_monitor *row;
    const struct sb_port_binding *port;
    struct ip_addr ip, src_ip;
    struct mac mac, src_mac;
    bool is_udp;
};

static void svc_free(struct pinctrl *p, struct svc *s)
{
    hmap_remove(&p->svcs, &s->node);
    row_unref(s->row);
    free(s);
}

void svc_clear(struct pinctrl *p)
{
    struct svc *s;
    HMAP_FOR_EACH_SAFE (s, node, &p->svcs)
        svc_free(p, s);
    timer_stop(&p->svc_timer);
}

static struct svc *svc_find(struct pinctrl *p, const struct uuid *row)
{
    struct svc *s;
    HMAP_FOR_EACH_WITH_HASH (s, node, uuid_hash(row), &p->svcs)
        if (uuid_equal(&s->row->uuid, row))
            return s;
    return NULL;
}

static void schedule(struct pinctrl *p)
{
    int64_t next = INT64_MAX;
    const struct svc *s;
    HMAP_FOR_EACH (s, node, &p->svcs)
        next = MIN(next, s->at_ms);
    if (next == INT64_MAX)
        timer_stop(&p->svc_timer);
    else
        timer_set_us(&p->svc_timer, next * 1000);
}

void svc_row_changed(struct pinctrl *p, const struct row *before, const struct row *after)
{
    struct svc *s = before ? svc_find(p, &before->uuid) : NULL;
    if (s && !after) {
        svc_free(p, s);
    } else if (s) {
        row_unref(s->row);
        s->row = row_ref(after);
    } else if (after) {
        s = NEW(struct svc);
        s->row = row_ref(after);
        s->at_ms = loop_now_ms(p->options.loop);
        hmap_insert(&p->svcs, &s->node, uuid_hash(&after->uuid));
    }
    schedule(p);
}

/* ---- What is checked ---- */

/* The MAC that the port has its address IP with. */
static bool find_mac(const struct sb_port_binding *port, const struct ip_addr *ip, struct mac *ret)
{
    const struct datum *d = sb_port_binding_mac(port);
    bool is_found = false;
    for (uint32_t i = 0; i < d->n && !is_found; i++) {
        char *copy = xstrdup(d->atoms[i].string->s), *rest = copy, *word = strsep(&rest, " ");
        bool has_mac = !mac_parse(word, ret);
        while (has_mac && !is_found && (word = strsep(&rest, " ")) != NULL) {
            struct ip_prefix prefix;
            is_found = !ip_prefix_parse(word, &prefix) && ip_addr_equal(&prefix.addr, ip);
        }
        free(copy);
    }
    return is_found;
}

/* False: the row makes no sense, or its port is not here. */
static bool read_check(struct pinctrl *p, const struct svc *s, struct check *c)
{
    c->row = sb_service_monitor_cast(s->row);
    c->port = sb_index_port_named(p->options.sb, sb_service_monitor_logical_port(c->row));
    const char *protocol = sb_service_monitor_protocol(c->row);
    c->is_udp = protocol && !strcmp(protocol, "udp");
    return pinctrl_is_ours(p, c->port) && (!protocol || strcmp(protocol, "icmp") != 0) &&
           !ip_addr_parse(sb_service_monitor_ip(c->row), &c->ip) &&
           !ip_addr_parse(sb_service_monitor_src_ip(c->row), &c->src_ip) &&
           c->ip.version == c->src_ip.version &&
           !mac_parse(sb_service_monitor_src_mac(c->row), &c->src_mac) &&
           find_mac(c->port, &c->ip, &c->mac);
}

static int64_t option(const struct check *c, const char *name, int64_t deflt)
{
    const char *text = sb_service_monitor_options_value(c->row, name);
    int64_t x;
    return text && !text_to_i64(text, 10, &x) && x > 0 && x <= SECONDS_MAX ? x : deflt;
}

/* ---- Packets ---- */

static void send_to_port(struct pinctrl *p, const struct svc *s, const struct check *c,
                         uint16_t flags, uint32_t seq)
{
    uint16_t dst = swap16((uint16_t)sb_service_monitor_port(c->row)), src = swap16(s->port);
    bool is4 = c->ip.version == 4;
    uint8_t proto = c->is_udp ? IP_PROTO_UDP : IP_PROTO_TCP;
    struct of_buf out = OF_BUF_INIT;
    frame_put_plain_eth(&out, c->mac, c->src_mac, is4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    size_t l3 = is4 ? frame_put_ip4(&out, c->src_ip.v4, c->ip.v4, proto, 64)
                    : frame_put_ip6(&out, &c->src_ip.v6, &c->ip.v6, proto, 64);
    if (c->is_udp) {
        struct udp_header udp = {src, dst, 0, 0};
        of_buf_put(&out, &udp, sizeof udp);
    } else {
        struct tcp_header tcp = {.src = src,
                                 .dst = dst,
                                 .seq = swap32(seq),
                                 .ctl = swap16((uint16_t)(sizeof tcp / 4 << 12 | flags)),
                                 .window = swap16(65160)};
        of_buf_put(&out, &tcp, sizeof tcp);
    }
    frame_end(&out, l3);
    inject_output(p, c->port, &out);
    of_buf_fini(&out);
}

static void begin_check(struct pinctrl *p, struct svc *s, const struct check *c, int64_t now)
{
    uint64_t random = env_random_u64(loop_env(p->options.loop));
    s->port = (uint16_t)(EPHEMERAL + random % (UINT16_MAX - EPHEMERAL));
    s->seq = (uint32_t)(random >> 32);
    s->is_waiting = true;
    s->at_ms = now + option(c, "timeout", TIMEOUT_S) * 1000;
    p->stats.checks_sent++;
    send_to_port(p, s, c, TCP_SYN, s->seq);
}

static void end_check(struct pinctrl *p, struct svc *s, const struct check *c, bool is_good,
                      int64_t now)
{
    const char *known = sb_service_monitor_status(c->row), *status = NULL;
    s->good = is_good ? s->good + 1 : 0;
    s->bad = is_good ? 0 : s->bad + 1;
    if (s->good >= option(c, "success_count", 1))
        status = "online";
    else if (s->bad >= option(c, "failure_count", 1))
        status = "offline";
    s->is_waiting = false;
    s->at_ms = now + option(c, "interval", INTERVAL_S) * 1000;
    p->stats.checks_failed += !is_good;
    if (status && (!known || strcmp(known, status) != 0)) {
        s->status = status;
        p->options.wake(p->options.aux);
    }
}

void svc_run(void *p_)
{
    struct pinctrl *p = p_;
    int64_t now = loop_now_ms(p->options.loop);
    struct svc *s;
    struct check c;
    HMAP_FOR_EACH (s, node, &p->svcs) {
        if (s->at_ms > now)
            continue;
        if (!read_check(p, s, &c) || !p->conn) {
            s->is_waiting = false; /* looks again */
            s->at_ms = now + INTERVAL_S * 1000;
        } else if (s->is_waiting) {
            end_check(p, s, &c, c.is_udp, now);
        } else {
            begin_check(p, s, &c, now);
        }
    }
    schedule(p);
}

/* ---- What comes back ---- */

/* The ports of the datagram that an ICMP error quotes, if it is one of ours to C. */
static bool quotes(const struct frame *f, const struct svc *s, const struct check *c)
{
    bool is4 = frame_is_ip4(f);
    size_t ip_len = is4 ? IP4_HEADER_LEN : IP6_HEADER_LEN;
    if (f->l4_len < ICMP_HEADER_LEN + ip_len + 4)
        return false;
    const uint8_t *ip = f->l4 + ICMP_HEADER_LEN, *udp = ip + ip_len;
    uint8_t proto = is4 ? ip[9] : ip[6];
    bool is_unreachable = is4 ? f->key.icmp_type == ICMP_DST_UNREACH && f->key.icmp_code == 3
                              : f->key.icmp_type == ICMP6_DST_UNREACH && f->key.icmp_code == 4;
    return is_unreachable && proto == IP_PROTO_UDP && get_be16(udp) == s->port &&
           get_be16(udp + 2) == (uint16_t)sb_service_monitor_port(c->row);
}

static bool comes_from(const struct frame *f, const struct check *c)
{
    return c->ip.version == 4 ? frame_is_ip4(f) && f->key.nw_src == c->ip.v4
                              : frame_is_ip6(f) && ip6_equal(f->key.ip6_src, c->ip.v6);
}

/* 1: the service answers, 0: it refuses, -1: the packet is not about this check. */
static int verdict(const struct frame *f, const struct svc *s, const struct check *c)
{
    struct tcp_header tcp;
    uint8_t proto = f->key.nw_proto;
    if (!s->is_waiting || !f->l4 || !comes_from(f, c))
        return -1;
    if (c->is_udp)
        return (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6) && quotes(f, s, c) ? 0 : -1;
    if (proto != IP_PROTO_TCP || f->l4_len < sizeof tcp)
        return -1;
    memcpy(&tcp, f->l4, sizeof tcp);
    if (swap16(tcp.dst) != s->port || swap16(tcp.src) != sb_service_monitor_port(c->row) ||
        !(swap16(tcp.ctl) & TCP_ACK) || swap32(tcp.ack) != s->seq + 1)
        return -1;
    return swap16(tcp.ctl) & TCP_RST ? 0 : swap16(tcp.ctl) & TCP_SYN ? 1 : -1;
}

void svc_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    const struct sb_port_binding *from =
        sb_index_port(p->options.sb, pinctrl_datapath(event), pinctrl_reg(event, FIELD_REG14));
    struct frame f;
    struct svc *s;
    struct check c;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    HMAP_FOR_EACH (s, node, &p->svcs) {
        if (!s->is_waiting || !read_check(p, s, &c) || c.port != from)
            continue;
        int v = verdict(&f, s, &c);
        if (v < 0)
            continue;
        if (v)
            send_to_port(p, s, &c, TCP_RST, s->seq + 1);
        end_check(p, s, &c, v, loop_now_ms(p->options.loop));
        schedule(p);
        return;
    }
}

void svc_write(struct pinctrl *p, struct writer *w)
{
    struct svc *s;
    HMAP_FOR_EACH (s, node, &p->svcs) {
        if (s->status)
            writer_text(w, "Service_Monitor", &s->row->uuid, "status", s->status);
        s->status = NULL;
    }
}
