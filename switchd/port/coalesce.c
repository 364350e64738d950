/* coalesce.c - see coalesce.h. */
#include "switchd/port/coalesce.h"

#include <linux/virtio_net.h>

#include "net/checksum.h"
#include "net/headers.h"

struct segment {
    uint32_t l3, l4, payload, end;
    bool v6;
};

enum { IP_MAX = 65535 };

static const struct tcp_header *tcp_at(const struct packet *p, uint32_t l4)
{
    return (const void *)(p->data + l4);
}

static uint32_t pseudo(const struct packet *p, uint32_t l3, bool v6, uint32_t n)
{
    const struct ip4_header *ip4 = (const void *)(p->data + l3);
    const struct ip6_header *ip6 = (const void *)(p->data + l3);
    return v6 ? checksum_pseudo6(&ip6->src, &ip6->dst, IP_PROTO_TCP, n)
              : checksum_pseudo4(ip4->src, ip4->dst, IP_PROTO_TCP, n);
}

/* Finds the layers of a frame that is nothing but a TCP segment with data; false: it is something else. */
static bool parse(const struct packet *p, struct segment *s)
{
    s->l3 = ETH_HEADER_LEN;
    if (p->size > ETH_HEADER_LEN && get_be16(p->data + s->l3 - 2) == ETH_TYPE_VLAN)
        s->l3 += VLAN_HEADER_LEN;
    if (p->size < s->l3 + IP4_HEADER_LEN + TCP_HEADER_LEN)
        return false;
    uint16_t type = get_be16(p->data + s->l3 - 2);
    const uint8_t *l3 = p->data + s->l3;
    s->v6 = type == ETH_TYPE_IPV6;
    if (type == ETH_TYPE_IP) {
        const struct ip4_header *ip = (const void *)l3;
        if (ip->ihl_ver != 0x45 || ip->proto != IP_PROTO_TCP || get_be16(&ip->frag_off) & ~IP4_DF)
            return false;
        s->l4 = s->l3 + IP4_HEADER_LEN;
        s->end = s->l3 + get_be16(&ip->tot_len);
    } else if (s->v6 && p->size >= s->l3 + IP6_HEADER_LEN + TCP_HEADER_LEN) {
        const struct ip6_header *ip = (const void *)l3;
        if (l3[0] >> 4 != 6 || ip->next != IP_PROTO_TCP)
            return false;
        s->l4 = s->l3 + IP6_HEADER_LEN;
        s->end = s->l4 + get_be16(&ip->payload_len);
    } else {
        return false;
    }
    uint16_t ctl = get_be16(&tcp_at(p, s->l4)->ctl);
    s->payload = s->l4 + (ctl >> 12) * 4u;
    return s->end == p->size && s->payload >= s->l4 + TCP_HEADER_LEN && s->payload < s->end &&
           (ctl & 0xfff & ~TCP_PSH) == TCP_ACK;
}

static bool checksum_right(const struct packet *p, const struct segment *s)
{
    uint32_t n = s->end - s->l4;
    return !checksum_fold(checksum_add(pseudo(p, s->l3, s->v6, n), p->data + s->l4, n));
}

void coalesce_begin(struct coalesce *c, struct packet *packet)
{
    struct segment s;
    *c = (struct coalesce){.packet = NULL};
    /* One that says "push" is the last of its kind. */
    if (!parse(packet, &s) || get_be16(&tcp_at(packet, s.l4)->ctl) & TCP_PSH)
        return;
    *c = (struct coalesce){.packet = packet,
                           .l3 = s.l3,
                           .l4 = s.l4,
                           .payload = s.payload,
                           .segment = s.end - s.payload,
                           .next_seq = get_be32(&tcp_at(packet, s.l4)->seq) + s.end - s.payload,
                           .n = 1};
}

/* The headers are the same but for lengths, identification, checksums, sequence and "push". */
static bool headers_equal(const struct coalesce *c, const struct packet *next,
                          const struct segment *s)
{
    const uint8_t *a = c->packet->data, *b = next->data;
    if (s->l3 != c->l3 || s->l4 != c->l4 || s->payload != c->payload || memcmp(a, b, c->l3))
        return false;
    const uint8_t *ip_a = a + c->l3, *ip_b = b + c->l3;
    if (s->v6 ? memcmp(ip_a, ip_b, 4) || memcmp(ip_a + 6, ip_b + 6, IP6_HEADER_LEN - 6)
              : memcmp(ip_a, ip_b, 2) || memcmp(ip_a + 6, ip_b + 6, 4) ||
                    memcmp(ip_a + 12, ip_b + 12, 8))
        return false;
    const struct tcp_header *x = tcp_at(c->packet, c->l4), *y = tcp_at(next, c->l4);
    return x->src == y->src && x->dst == y->dst && x->ack == y->ack && x->window == y->window &&
           x->urgent == y->urgent && !memcmp(x + 1, y + 1, c->payload - c->l4 - TCP_HEADER_LEN);
}

bool coalesce_add(struct coalesce *c, const struct packet *next, uint32_t room)
{
    struct segment s;
    struct packet *p = c->packet;
    if (!p || !parse(next, &s) || !headers_equal(c, next, &s))
        return false;
    uint32_t n = s.end - s.payload;
    struct segment first = {c->l3, c->l4, c->payload, p->size, s.v6};
    if (get_be32(&tcp_at(next, s.l4)->seq) != c->next_seq || n > c->segment || n > room ||
        p->size - c->l3 + n > IP_MAX || !checksum_right(next, &s) ||
        (c->n == 1 && !checksum_right(p, &first)))
        return false;
    bool push = get_be16(&tcp_at(next, s.l4)->ctl) & TCP_PSH;
    memmove(p->data + p->size, next->data + s.payload, n);
    p->size += n;
    p->cap = MAX(p->cap, (uint32_t)(p->data - p->base) + p->size);
    c->next_seq += n;
    c->n++;
    if (push) {
        uint8_t *ctl = p->data + c->l4 + offsetof(struct tcp_header, ctl);
        put_be16(ctl, get_be16(ctl) | TCP_PSH);
    }
    if (push || n < c->segment) {
        coalesce_end(c);
        c->packet = NULL;
    }
    return true;
}

void coalesce_end(struct coalesce *c)
{
    struct packet *p = c->packet;
    if (!p || c->n < 2)
        return;
    uint8_t *l3 = p->data + c->l3;
    bool v6 = l3[0] >> 4 == 6;
    if (v6) {
        put_be16(l3 + offsetof(struct ip6_header, payload_len), (uint16_t)(p->size - c->l4));
    } else {
        struct ip4_header *ip = (void *)l3;
        put_be16(&ip->tot_len, (uint16_t)(p->size - c->l3));
        put_be16(&ip->csum, 0);
        put_be16(&ip->csum, checksum(ip, IP4_HEADER_LEN));
    }
    put_be16(p->data + c->l4 + offsetof(struct tcp_header, csum),
             (uint16_t)~checksum_fold(pseudo(p, c->l3, v6, p->size - c->l4)));
    p->csum_partial = true;
    p->gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
    p->gso_size = (uint16_t)c->segment;
}
