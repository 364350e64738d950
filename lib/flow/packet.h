/* packet.h - a packet in memory and its reading into a flow key.
 *
 * A packet owns its buffer, with room in front for tunnel headers and tags. Where the layers begin
 * is found by packet_parse (flow_extract calls it) and kept up by lib/flow/rewrite.h. Everything
 * read is bounded by the buffer and by the lengths in the headers: a truncated or lying packet
 * yields the fields that are really there, the rest zero.
 */
#pragma once

#include "flow/key.h"
#include "net/headers.h"

#define PACKET_HEADROOM 128 /* outer Ethernet, tag, IPv6, UDP, Geneve with options */
#define PACKET_NO_OFS UINT16_MAX

/* What is known of a packet besides its bytes. Registers and metadata belong to the translation,
 * not to the packet. */
struct packet_metadata {
    uint32_t in_port; /* OpenFlow number, 32 bits, host order */
    uint32_t pkt_mark;
    uint32_t skb_priority;
    uint32_t recirc_id;
    uint32_t dp_hash;
    bool has_tunnel, has_ct; /* false: the struct below is ignored and need not be filled */
    struct flow_tunnel tunnel;
    struct flow_ct ct;
};

struct packet {
    uint8_t *base; /* the buffer; NULL after packet_init_view */
    uint32_t cap;
    bool lent;     /* the buffer is somebody else's: used, not freed */
    uint8_t *data; /* first byte of the frame */
    uint32_t size; /* bytes of the frame */
    /* From packet_parse, relative to data; PACKET_NO_OFS: that layer is not there or not
     * understood. */
    uint16_t l3_ofs, l4_ofs;
    uint8_t l4_proto; /* valid with l4_ofs */
    uint32_t l3_end;  /* end of the network packet, relative to data, without Ethernet padding */
    /* Offloads, in terms of virtio-net headers. */
    bool csum_partial; /* the L4 checksum holds only the pseudo-header's sum; whoever sends it
                          finishes it */
    bool csum_valid;   /* the L4 checksum is known to be right */
    uint8_t gso_type;  /* VIRTIO_NET_HDR_GSO_*; 0: an ordinary packet */
    uint16_t gso_size;
    struct packet_metadata md;
};

void packet_init(struct packet *packet); /* empty, owns nothing yet */
/* A packet with a copy of the frame and PACKET_HEADROOM before it. */
void packet_init_copy(struct packet *packet, const void *frame, size_t n);
/* A read-only view of FRAME; anything that needs to grow or own it copies it first. */
void packet_init_view(struct packet *packet, const void *frame, size_t n);
/* A packet in CAP bytes at BASE that its owner lends until packet_fini; DATA lies among them. */
void packet_init_lent(struct packet *packet, void *base, size_t cap, void *data, size_t n);
void packet_fini(struct packet *packet);
struct packet *packet_new_copy(const void *frame, size_t n);
struct packet *packet_clone(const struct packet *packet); /* with metadata and offsets */
void packet_clone_into(struct packet *dst, const struct packet *src);
void packet_free(struct packet *packet);

/* Makes the buffer writable, with at least HEAD bytes before and TAIL after the data. */
void packet_reserve(struct packet *packet, size_t head, size_t tail);
void *packet_push(struct packet *packet,
                  size_t n); /* N uninitialised bytes in front; offsets move along */
void packet_pull(struct packet *packet,
                 size_t n); /* drops N <= size bytes in front; offsets move along */
void *packet_append(struct packet *packet, size_t n); /* N uninitialised bytes at the end */
void packet_truncate(struct packet *packet, size_t n);

static inline void *packet_l3(const struct packet *packet)
{
    return packet->l3_ofs == PACKET_NO_OFS ? NULL : packet->data + packet->l3_ofs;
}

static inline void *packet_l4(const struct packet *packet)
{
    return packet->l4_ofs == PACKET_NO_OFS ? NULL : packet->data + packet->l4_ofs;
}

/* Bytes from the start of the transport header to the end of the network packet; 0 without one. */
static inline uint32_t packet_l4_size(const struct packet *packet)
{
    return packet->l4_ofs == PACKET_NO_OFS ? 0 : packet->l3_end - packet->l4_ofs;
}

/* Fills KEY from the frame and the metadata (registers, metadata, conj_id, actset_output are zero)
 * and sets the packet's offsets. Accepts any bytes. */
void flow_extract(struct packet *packet, struct flow_key *key);

/* The frame in one line as ovs-ofctl shows packets: match-like text of its key's packet fields. */
void packet_put_text(struct str *s, const struct packet *packet);
