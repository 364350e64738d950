/* ring.h - rings of packet sockets that bench_packet shares with the kernel. */
#pragma once

#include <linux/if_packet.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RING_BLOCK = 256 << 10,
    RING_SLOT = 2048,
    RING_SLOTS = 1024, /* of a sending ring */
    RING_OFFSET = TPACKET2_HDRLEN - sizeof(struct sockaddr_ll),
    RING_FRAME_MAX = RING_SLOT - RING_OFFSET
};

/* Frames as they come, in blocks that are full or a millisecond old. */
struct receiver {
    int fd;
    uint8_t *ring;
    size_t block;
};

struct sender {
    int fd;
    uint8_t *ring;
    size_t slot, waiting;
};

void receiver_open(struct receiver *rx, const char *device);
/* The next block, or NULL; to be given back. */
struct tpacket_block_desc *receiver_block(const struct receiver *rx);
void receiver_release(struct receiver *rx);

void sender_open(struct sender *tx, const char *device);
/* FRAME of at most RING_FRAME_MAX bytes; some tens go together. */
void sender_put(struct sender *tx, const uint8_t *frame, uint32_t n);
void sender_kick(struct sender *tx);
