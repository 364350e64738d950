/* frame.h - reading the packet of a packet-in, and building the one that goes back.
 *
 * lib/flow does the reading (flow_extract is bounded and fuzzed); this names what handlers ask of it. A packet is built front to
 * back in an of_buf: the Ethernet header, an IP header, what is in it; frame_end then fills in lengths and checksums.
 */
#pragma once

#include "flow/packet.h"
#include "openflow/protocol.h"

struct frame {
    struct packet packet; /* a view: nothing to free */
    struct flow_key key;
    const uint8_t *l3, *l4; /* NULL: not there */
    size_t l3_len, l4_len;  /* to the end of the IP packet, without Ethernet padding */
};

extern const struct ip6 frame_all_nodes; /* ff02::1 (RFC 4291 2.7.1) */

/* Any bytes may be read; what is not there is NULL. */
void frame_read(struct frame *frame, const void *data, size_t n);
/* The payload of a UDP datagram that is here whole, or NULL. */
const uint8_t *frame_udp(const struct frame *frame, size_t *n);
static inline bool frame_is_ip4(const struct frame *frame)
{
    return frame->l3 && frame->key.eth_type == swap16(ETH_TYPE_IP);
}
static inline bool frame_is_ip6(const struct frame *frame)
{
    return frame->l3 && frame->key.eth_type == swap16(ETH_TYPE_IPV6);
}

/* ---- Building ---- */

/* The Ethernet header of FRAME with its tags, but another type and other addresses. */
void frame_put_eth(struct of_buf *out, const struct frame *frame, struct mac dst, struct mac src,
                   uint16_t type);
/* An Ethernet header without tags. */
void frame_put_plain_eth(struct of_buf *out, struct mac dst, struct mac src, uint16_t type);
/* IP headers; they return where they begin, for frame_end. */
size_t frame_put_ip4(struct of_buf *out, be32 src, be32 dst, uint8_t proto, uint8_t ttl);
size_t frame_put_ip6(struct of_buf *out, const struct ip6 *src, const struct ip6 *dst,
                     uint8_t proto, uint8_t hop_limit);
/* The IP packet that began at L3 ends here: its lengths, the UDP length, and all checksums. */
void frame_end(struct of_buf *out, size_t l3);
