/* offload.h - doing in software what a packet's virtio-net marks ask of a device.
 *
 * Packets from local senders cross the switch with unfinished checksums and as TCP segments of up to
 * 64 kB (packet.h: csum_partial, gso_type). Where the next hop cannot take that (a tunnel's kernel
 * socket, a capture file, a controller), offload_finish turns the packet into ordinary ones. It
 * promises segments with right lengths, IP identifications, sequence numbers, flags and checksums.
 */
#pragma once

#include <linux/virtio_net.h>

#include "flow/packet.h"

/* Calls FN with one or more ordinary packets that together say what PACKET says. PACKET is not
 * changed. ERR_INVALID: its headers contradict its marks, nothing was called. */
int offload_finish(const struct packet *packet, void (*fn)(void *aux, const struct packet *packet),
                   void *aux) MUST_CHECK;
/* A segment of a packet: HEAD_LEN bytes of headers, then N of payload, which lies in the packet. */
typedef void offload_segment_fn(void *aux, const uint8_t *head, uint32_t head_len,
                                const uint8_t *payload, uint32_t n);
/* Calls FN with the segments of PACKET, whose gso_type is set. ERR_INVALID as above. */
int offload_cut(const struct packet *packet, offload_segment_fn *fn, void *aux) MUST_CHECK;
/* Completes in place the checksum of PACKET, which is csum_partial and no large segment. */
void offload_finish_checksum(struct packet *packet);
/* Marks PACKET csum_partial, of a sender on this machine but without a virtio-net header, when its checksum is the pseudo-header's sum. A
 * finished one that happens to be equal stays as it is when it is finished again. */
void offload_recognize(struct packet *packet);
/* Bytes of the longest frame that PACKET becomes on a wire: its own, or those of a whole segment. */
uint32_t offload_frame_len(const struct packet *packet);
static inline bool offload_is_plain(const struct packet *packet)
{
    return !packet->csum_partial && !packet->gso_type;
}

/* The packet's marks from a virtio-net header that came with it, and the header for sending it.
 * ERR_INVALID: the header lies about the frame. The packet's offsets are found where needed. */
int offload_from_vnet(struct packet *packet, const struct virtio_net_hdr *hdr) MUST_CHECK;
void offload_to_vnet(const struct packet *packet, struct virtio_net_hdr *hdr);
