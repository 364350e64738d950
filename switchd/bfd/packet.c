/* packet.c - BFD control packets in UDP over IPv4 (RFC 5881), as Open vSwitch addresses them. */
#include "net/addr.h"
#include "net/checksum.h"
#include "net/headers.h"
#include "switchd/bfd/bfd.h"

enum {
    IP_LEN = IP4_HEADER_LEN + UDP_HEADER_LEN + BFD_CONTROL_LEN,
    TOS_INTERNETWORK_CONTROL = 0xc0,
    TTL = 255,
    FLAG_POLL = 0x20,
    FLAG_FINAL = 0x10,
    FLAG_AUTH = 0x04,
    FLAG_DEMAND = 0x02,
    FLAG_MULTIPOINT = 0x01,
};
static const struct mac default_remote = {{0x00, 0x23, 0x20, 0x00, 0x00, 0x01}};

static void put_control(const struct bfd_control *c, uint8_t *p)
{
    p[0] = (uint8_t)(1 << 5 | c->diag); /* version 1 */
    p[1] = (uint8_t)(c->state << 6 | (c->poll ? FLAG_POLL : 0) | (c->final ? FLAG_FINAL : 0));
    p[2] = c->mult;
    p[3] = BFD_CONTROL_LEN;
    put_be32(p + 4, c->my_disc);
    put_be32(p + 8, c->your_disc);
    put_be32(p + 12, c->min_tx_us);
    put_be32(p + 16, c->min_rx_us);
    put_be32(p + 20, 0); /* no echo */
}

void bfd_compose(const struct bfd *bfd, const struct bfd_control *control, struct packet *ret)
{
    const struct bfd_options *o = &bfd->options;
    uint8_t frame[ETH_HEADER_LEN + IP_LEN];
    memset(frame, 0, sizeof frame);
    struct mac dst = mac_is_zero(o->remote_dst) ? default_remote : o->remote_dst;
    struct mac src = mac_is_zero(o->local_src) ? bfd->mac : o->local_src;
    memcpy(frame, &dst, sizeof dst);
    memcpy(frame + 6, &src, sizeof src);
    put_be16(frame + 12, ETH_TYPE_IP);
    struct ip4_header *ip = (void *)(frame + ETH_HEADER_LEN);
    ip->ihl_ver = 0x45;
    ip->tos = TOS_INTERNETWORK_CONTROL;
    put_be16(&ip->tot_len, IP_LEN);
    put_be16(&ip->frag_off, IP4_DF);
    ip->ttl = TTL;
    ip->proto = IP_PROTO_UDP;
    ip->src = o->ip_src;
    ip->dst = o->ip_dst;
    put_be16(&ip->csum, checksum(ip, IP4_HEADER_LEN));
    struct udp_header *udp = (void *)(ip + 1);
    put_be16(&udp->src, bfd->udp_src);
    put_be16(&udp->dst, BFD_PORT);
    put_be16(&udp->len, UDP_HEADER_LEN + BFD_CONTROL_LEN);
    put_control(control, (uint8_t *)(udp + 1));
    packet_init_copy(ret, frame, sizeof frame);
}

bool bfd_is_control(const struct bfd *bfd, const struct packet *packet, const uint8_t **control,
                    size_t *n)
{
    const uint8_t *p = packet->data;
    const struct mac *local = &bfd->options.local_dst;
    if (packet->size < ETH_HEADER_LEN + IP_LEN || get_be16(p + 12) != ETH_TYPE_IP)
        return false;
    const struct ip4_header *ip = (const void *)(p + ETH_HEADER_LEN);
    size_t ihl = (ip->ihl_ver & 0xfu) * 4u;
    size_t len = get_be16(&ip->tot_len);
    if (ip->ihl_ver >> 4 != 4 || ihl < IP4_HEADER_LEN || ip->proto != IP_PROTO_UDP ||
        len < ihl + UDP_HEADER_LEN || len > packet->size - ETH_HEADER_LEN)
        return false;
    const struct udp_header *udp = (const void *)((const uint8_t *)ip + ihl);
    if (get_be16(&udp->dst) != BFD_PORT)
        return false;
    if (!mac_is_zero(*local) && memcmp(local, p, sizeof *local) != 0)
        return false;
    if (bfd->options.check_tnl_key && packet->md.has_tunnel && packet->md.tunnel.id)
        return false;
    *control = (const uint8_t *)(udp + 1);
    *n = ip->ttl == TTL ? len - ihl - UDP_HEADER_LEN : 0; /* it came from further away: discarded */
    return true;
}

bool bfd_control_read(const uint8_t *p, size_t n, struct bfd_control *ret)
{
    if (n < BFD_CONTROL_LEN || p[0] >> 5 != 1 || p[3] < BFD_CONTROL_LEN || p[3] > n || !p[2] ||
        p[1] & (FLAG_AUTH | FLAG_DEMAND | FLAG_MULTIPOINT) || !get_be32(p + 4) ||
        (p[1] & FLAG_POLL && p[1] & FLAG_FINAL))
        return false;
    *ret = (struct bfd_control){.state = p[1] >> 6,
                                .diag = p[0] & 0x1f,
                                .mult = p[2],
                                .poll = p[1] & FLAG_POLL,
                                .final = p[1] & FLAG_FINAL,
                                .my_disc = get_be32(p + 4),
                                .your_disc = get_be32(p + 8),
                                .min_tx_us = get_be32(p + 12),
                                .min_rx_us = get_be32(p + 16)};
    return true;
}
