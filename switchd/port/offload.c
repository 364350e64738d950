/* offload.c - see offload.h. */
#include "switchd/port/offload.h"

#include <string.h>

#include "base/err.h"
#include "flow/rewrite.h"
#include "net/checksum.h"

/* Where a protocol's checksum stands in its header; 0: not one that senders leave unfinished. */
static uint16_t checksum_offset(uint8_t proto)
{
    return proto == IP_PROTO_TCP    ? offsetof(struct tcp_header, csum)
           : proto == IP_PROTO_UDP  ? offsetof(struct udp_header, csum)
           : proto == IP_PROTO_SCTP ? offsetof(struct sctp_header, csum)
                                    : 0;
}

/* Where the L4 header begins by a quick look at the frame, and its protocol; 0: not TCP, UDP, SCTP. */
static uint32_t find_l4(const struct packet *packet, uint8_t *proto)
{
    const uint8_t *p = packet->data;
    uint32_t ofs = ETH_HEADER_LEN;
    if (packet->size < ofs + VLAN_HEADER_LEN + IP4_HEADER_LEN)
        return 0;
    uint16_t type = get_be16(p + 12);
    for (int tags = 0; tags < 2 && (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ); tags++) {
        ofs += VLAN_HEADER_LEN;
        if (packet->size < ofs + IP4_HEADER_LEN)
            return 0;
        type = get_be16(p + ofs - 2);
    }
    if (type == ETH_TYPE_IP) {
        *proto = p[ofs + 9];
        ofs += (p[ofs] & 0xfu) * 4;
    } else if (type == ETH_TYPE_IPV6 && packet->size >= ofs + IP6_HEADER_LEN) {
        *proto = p[ofs + 6];
        ofs += IP6_HEADER_LEN;
    } else {
        return 0;
    }
    return checksum_offset(*proto) ? ofs : 0;
}

/* Sets the layers of a packet with an unfinished checksum that flow_extract does not see: behind two tags. */
static void locate(struct packet *packet)
{
    uint8_t proto = 0;
    uint32_t l4 =
        packet->csum_partial && packet->l4_ofs == PACKET_NO_OFS ? find_l4(packet, &proto) : 0;
    if (!l4 || l4 + checksum_offset(proto) + 2u > packet->size)
        return;
    const uint8_t *p = packet->data;
    uint32_t l3 = ETH_HEADER_LEN;
    while (get_be16(p + l3 - 2) == ETH_TYPE_VLAN || get_be16(p + l3 - 2) == ETH_TYPE_QINQ)
        l3 += VLAN_HEADER_LEN;
    uint32_t n = get_be16(p + l3 - 2) == ETH_TYPE_IP ? get_be16(p + l3 + 2)
                                                     : IP6_HEADER_LEN + get_be16(p + l3 + 4);
    packet->l3_ofs = (uint16_t)l3;
    packet->l4_ofs = (uint16_t)l4;
    packet->l4_proto = proto;
    packet->l3_end =
        !packet->gso_type && l3 + n > l4 && l3 + n < packet->size ? l3 + n : packet->size;
}

/* Completes a checksum at START + OFFSET whose field holds the pseudo-header's sum. */
static void finish_plain_checksum(struct packet *packet, uint32_t start, uint32_t offset)
{
    uint16_t sum = checksum(packet->data + start, packet->size - start);
    put_be16(packet->data + start + offset, sum ? sum : 0xffff);
}

int offload_from_vnet(struct packet *packet, const struct virtio_net_hdr *hdr)
{
    uint8_t gso_type = hdr->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    packet->csum_valid = hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID;
    if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        uint32_t start = hdr->csum_start, offset = hdr->csum_offset;
        if (start + offset + 2 > packet->size)
            return ERR_INVALID;
        uint8_t proto = 0;
        uint32_t l4 = find_l4(packet, &proto);
        if (l4 && l4 == start && offset == checksum_offset(proto))
            packet->csum_partial = true;
        else if (gso_type)
            return ERR_INVALID;
        else
            finish_plain_checksum(packet, start, offset);
    }
    if (gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return 0;
    if (!packet->csum_partial || !hdr->gso_size || gso_type == VIRTIO_NET_HDR_GSO_UDP)
        return ERR_INVALID;
    packet->gso_type = hdr->gso_type;
    packet->gso_size = hdr->gso_size;
    return 0;
}

/* Bytes up to the end of the transport header; 0: there is none that fits. */
static uint32_t headers_len(const struct packet *packet)
{
    if (packet->l4_ofs == PACKET_NO_OFS)
        return 0;
    uint32_t len = UDP_HEADER_LEN;
    if (packet->l4_proto == IP_PROTO_TCP) {
        if (packet_l4_size(packet) < TCP_HEADER_LEN)
            return 0;
        const struct tcp_header *tcp = packet_l4(packet);
        len = (get_be16(&tcp->ctl) >> 12) * 4u;
        if (len < TCP_HEADER_LEN)
            return 0;
    } else if (packet->l4_proto != IP_PROTO_UDP) {
        return 0;
    }
    return packet_l4_size(packet) >= len ? packet->l4_ofs + len : 0;
}

uint32_t offload_frame_len(const struct packet *packet)
{
    uint32_t head = packet->gso_type ? headers_len(packet) : 0;
    return head ? MIN(packet->size, head + packet->gso_size) : packet->size;
}

void offload_to_vnet(const struct packet *packet_, struct virtio_net_hdr *hdr)
{
    memset(hdr, 0, sizeof *hdr);
    if (!packet_->csum_partial)
        return;
    struct packet located = *packet_;
    const struct packet *packet = &located;
    locate(&located);
    if (packet->l4_ofs == PACKET_NO_OFS)
        return;
    hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    hdr->csum_start = packet->l4_ofs;
    hdr->csum_offset = checksum_offset(packet->l4_proto);
    if (packet->gso_type) {
        hdr->gso_type = packet->gso_type;
        hdr->gso_size = packet->gso_size;
        hdr->hdr_len = (uint16_t)headers_len(packet);
    }
}

enum { HEADERS_MAX = 512 };

/* Sets what is segment I's own in a copy of the headers, L3 and L4 offsets as in PACKET. OFFSET: of its N bytes in the payload. */
static void segment_headers(const struct packet *packet, uint8_t *head, uint32_t head_len,
                            unsigned i, uint32_t offset, const uint8_t *payload, uint32_t n,
                            bool last)
{
    uint8_t *l3 = head + packet->l3_ofs, *l4 = head + packet->l4_ofs;
    uint32_t l4_len = head_len - packet->l4_ofs + n, sum;
    if (l3[0] >> 4 == 4) {
        struct ip4_header *ip = (void *)l3;
        put_be16(&ip->tot_len, (uint16_t)(head_len - packet->l3_ofs + n));
        put_be16(&ip->id, (uint16_t)(get_be16(&ip->id) + i));
        put_be16(&ip->csum, 0);
        put_be16(&ip->csum, checksum(ip, (ip->ihl_ver & 0xfu) * 4));
        sum = checksum_pseudo4(ip->src, ip->dst, packet->l4_proto, l4_len);
    } else {
        struct ip6_header *ip = (void *)l3;
        put_be16(&ip->payload_len, (uint16_t)(head_len - packet->l3_ofs - IP6_HEADER_LEN + n));
        sum = checksum_pseudo6(&ip->src, &ip->dst, packet->l4_proto, l4_len);
    }
    struct tcp_header *tcp = (void *)l4;
    struct udp_header *udp = (void *)l4;
    uint8_t *csum =
        packet->l4_proto == IP_PROTO_TCP ? (uint8_t *)&tcp->csum : (uint8_t *)&udp->csum;
    if (packet->l4_proto == IP_PROTO_TCP) {
        put_be32(&tcp->seq, get_be32(&tcp->seq) + offset);
        uint16_t ctl = get_be16(&tcp->ctl);
        if (i)
            ctl &= (uint16_t)~TCP_CWR;
        if (!last)
            ctl &= (uint16_t) ~(TCP_FIN | TCP_PSH);
        put_be16(&tcp->ctl, ctl);
    } else {
        put_be16(&udp->len, (uint16_t)l4_len);
    }
    put_be16(csum, 0);
    sum = checksum_add(sum, l4, head_len - packet->l4_ofs);
    uint16_t value = checksum_fold(checksum_add(sum, payload, n));
    put_be16(csum, value || packet->l4_proto == IP_PROTO_TCP ? value : 0xffff);
}

int offload_cut(const struct packet *packet_, offload_segment_fn *fn, void *aux)
{
    struct packet located = *packet_;
    const struct packet *packet = &located;
    locate(&located);
    uint32_t head_len = headers_len(packet);
    if (!head_len || head_len > HEADERS_MAX || packet->l3_ofs == PACKET_NO_OFS ||
        packet->l3_end < head_len || packet->l3_end > packet->size || !packet->gso_size)
        return ERR_INVALID;
    const uint8_t *payload = packet->data + head_len;
    uint32_t total = packet->l3_end - head_len, offset = 0;
    unsigned i = 0;
    do {
        uint8_t head[HEADERS_MAX];
        uint32_t n = MIN(total - offset, packet->gso_size);
        memcpy(head, packet->data, head_len);
        segment_headers(packet, head, head_len, i++, offset, payload + offset, n,
                        offset + n == total);
        fn(aux, head, head_len, payload + offset, n);
        offset += n;
    } while (offset < total);
    return 0;
}

struct joining {
    const struct packet *packet;
    void (*fn)(void *aux, const struct packet *packet);
    void *aux;
};

/* Makes a packet of a segment. */
static void join_segment(void *joining_, const uint8_t *head, uint32_t head_len,
                         const uint8_t *payload, uint32_t n)
{
    const struct joining *j = joining_;
    struct packet seg;
    packet_init_copy(&seg, head, head_len);
    memcpy(packet_append(&seg, n), payload, n);
    seg.l3_ofs = j->packet->l3_ofs;
    seg.l4_ofs = j->packet->l4_ofs;
    seg.l4_proto = j->packet->l4_proto;
    seg.l3_end = seg.size;
    seg.md = j->packet->md;
    j->fn(j->aux, &seg);
    packet_fini(&seg);
}

static void find_layers(struct packet *packet)
{
    if (packet->l4_ofs != PACKET_NO_OFS)
        return;
    struct flow_key key;
    flow_extract(packet, &key);
    locate(packet);
}

void offload_finish_checksum(struct packet *packet)
{
    find_layers(packet);
    packet_finish_checksum(packet);
    packet->csum_partial = false;
}

int offload_finish(const struct packet *packet, void (*fn)(void *aux, const struct packet *packet),
                   void *aux)
{
    if (offload_is_plain(packet)) {
        fn(aux, packet);
        return 0;
    }
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    find_layers(&copy);
    int err = 0;
    if (copy.gso_type) {
        err = offload_cut(&copy, join_segment, &(struct joining){&copy, fn, aux});
    } else {
        offload_finish_checksum(&copy);
        fn(aux, &copy);
    }
    packet_fini(&copy);
    return err;
}

void offload_recognize(struct packet *packet)
{
    uint8_t proto = 0;
    uint32_t l4 = find_l4(packet, &proto), l3 = ETH_HEADER_LEN, n, sum;
    if (!l4)
        return;
    while (get_be16(packet->data + l3 - 2) == ETH_TYPE_VLAN ||
           get_be16(packet->data + l3 - 2) == ETH_TYPE_QINQ)
        l3 += VLAN_HEADER_LEN;
    const struct ip4_header *ip4 = (const void *)(packet->data + l3);
    const struct ip6_header *ip6 = (const void *)ip4;
    if (ip4->ihl_ver >> 4 == 4) {
        n = get_be16(&ip4->tot_len) - (l4 - l3);
        if (get_be16(&ip4->frag_off) & (IP4_MF | IP4_FRAG_OFF_MASK))
            return;
        sum = checksum_pseudo4(ip4->src, ip4->dst, proto, n);
    } else {
        n = get_be16(&ip6->payload_len);
        sum = checksum_pseudo6(&ip6->src, &ip6->dst, proto, n);
    }
    uint16_t offset = checksum_offset(proto), pseudo = (uint16_t)~checksum_fold(sum);
    if (n < offset + 2u || l4 > packet->size || n > packet->size - l4)
        return;
    const uint8_t *at = packet->data + l4 + offset;
    if (proto == IP_PROTO_SCTP)
        packet->csum_partial = get_be16(at) == 0 && get_be16(at + 2) == 0;
    else
        packet->csum_partial = get_be16(at) == pseudo;
}
