/* frame.c - see frame.h. Beside room 11 of docs/architecture.md.
 */
#include "controller/pinctrl/frame.h"

#include "net/checksum.h"

const struct ip6 frame_all_nodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

void frame_read(struct frame *f, const void *data, size_t n)
{
    packet_init_view(&f->packet, data, n);
    flow_extract(&f->packet, &f->key);
    f->l3 = packet_l3(&f->packet);
    f->l4 = packet_l4(&f->packet);
    f->l3_len = f->l3 ? f->packet.l3_end - f->packet.l3_ofs : 0;
    f->l4_len = packet_l4_size(&f->packet);
}

const uint8_t *frame_udp(const struct frame *f, size_t *n)
{
    struct udp_header udp;
    if (!f->l4 || f->key.nw_proto != IP_PROTO_UDP || f->l4_len < sizeof udp)
        return NULL;
    memcpy(&udp, f->l4, sizeof udp);
    size_t len = swap16(udp.len);
    if (len < sizeof udp || len > f->l4_len)
        return NULL;
    *n = len - sizeof udp;
    return f->l4 + sizeof udp;
}

void frame_put_plain_eth(struct of_buf *out, struct mac dst, struct mac src, uint16_t type)
{
    struct eth_header eth = {dst, src, swap16(type)};
    of_buf_put(out, &eth, sizeof eth);
}

void frame_put_eth(struct of_buf *out, const struct frame *f, struct mac dst, struct mac src,
                   uint16_t type)
{
    size_t tags = f->l3 ? f->packet.l3_ofs - sizeof(struct eth_header) : 0;
    of_buf_put(out, &dst, sizeof dst);
    of_buf_put(out, &src, sizeof src);
    of_buf_put(out, f->packet.data + 2 * sizeof(struct mac), tags);
    of_buf_put16(out, type);
}

size_t frame_put_ip4(struct of_buf *out, be32 src, be32 dst, uint8_t proto, uint8_t ttl)
{
    struct ip4_header ip = {.ihl_ver = 0x45, .ttl = ttl, .proto = proto, .src = src, .dst = dst};
    size_t at = out->n;
    of_buf_put(out, &ip, sizeof ip);
    return at;
}

size_t frame_put_ip6(struct of_buf *out, const struct ip6 *src, const struct ip6 *dst,
                     uint8_t proto, uint8_t hop_limit)
{
    struct ip6_header ip = {.ver_tc_flow = swap32(6u << 28),
                            .next = proto,
                            .hop_limit = hop_limit,
                            .src = *src,
                            .dst = *dst};
    size_t at = out->n;
    of_buf_put(out, &ip, sizeof ip);
    return at;
}

/* The checksum of what follows the IP header; SUM is that of the pseudo-header. */
static void end_l4(uint8_t *l4, size_t n, uint8_t proto, uint32_t sum)
{
    size_t at = proto == IP_PROTO_TCP   ? offsetof(struct tcp_header, csum)
                : proto == IP_PROTO_UDP ? offsetof(struct udp_header, csum)
                                        : offsetof(struct icmp_header, csum);
    if (proto == IP_PROTO_UDP)
        put_be16(l4 + offsetof(struct udp_header, len), (uint16_t)n);
    put_be16(l4 + at, 0);
    if (proto == IP_PROTO_ICMP)
        sum = 0;
    uint16_t csum = checksum_fold(checksum_add(sum, l4, n));
    put_be16(l4 + at, proto == IP_PROTO_UDP && !csum ? 0xffff : csum);
}

static void end_sctp(uint8_t *l4, size_t n)
{
    uint8_t *at = l4 + offsetof(struct sctp_header, csum);
    put_be32(at, 0);
    put_be32(at, __builtin_bswap32(checksum_crc32c(l4, n)));
}

void frame_end(struct of_buf *out, size_t l3)
{
    size_t n = out->n - l3, header = IP4_HEADER_LEN;
    uint8_t *p = out->data + l3, proto;
    uint32_t sum;
    if (p[0] >> 4 == 4) {
        struct ip4_header ip;
        memcpy(&ip, p, sizeof ip);
        ip.tot_len = swap16((uint16_t)n);
        ip.csum = 0;
        ip.csum = swap16(checksum(&ip, sizeof ip));
        memcpy(p, &ip, sizeof ip);
        proto = ip.proto;
        sum = checksum_pseudo4(ip.src, ip.dst, proto, (uint32_t)(n - header));
    } else {
        struct ip6_header ip;
        header = IP6_HEADER_LEN;
        memcpy(&ip, p, sizeof ip);
        ip.payload_len = swap16((uint16_t)(n - header));
        memcpy(p, &ip, sizeof ip);
        proto = ip.next;
        sum = checksum_pseudo6(&ip.src, &ip.dst, proto, (uint32_t)(n - header));
    }
    if (proto == IP_PROTO_SCTP)
        end_sctp(p + header, n - header);
    else
        end_l4(p + header, n - header, proto, sum);
}
