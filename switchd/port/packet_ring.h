/* packet_ring.h - what a packet socket receives, in memory that it shares with the kernel: packet(7), PACKET_RX_RING.
 *
 * Frames lie in slots of one size, each with its virtio-net header and room in front for tags and tunnels, and are
 * worked on where they lie. One that is longer than a slot (a TCP segment of 64 kB) waits whole in the socket's queue
 * and is read from there. Version 2 of the ring, not 3: that one collects frames in blocks and keeps a lone frame until
 * a timeout of milliseconds.
 */
#pragma once

#include "switchd/port/port.h"

struct packet_ring {
    int fd;
    uint8_t *map;
    uint32_t slot_size, n_slots;
    uint32_t at, n_read; /* the next slot, and how many were read since the last release */
};

enum { PACKET_RING_SLOTS = 512, PACKET_RING_SLOTS_MAX = 4096 };

/* Gives FD, a packet socket that is not bound yet, a ring for a device of that MTU: N_SLOTS, or fewer when memory is short.
 * PACKET_VNET_HDR is set here. ERR_IO: errno says why. FD stays the caller's. */
int packet_ring_open(struct packet_ring *ring, int fd, uint32_t mtu, uint32_t n_slots) MUST_CHECK;
void packet_ring_close(struct packet_ring *ring); /* also one that was not opened */
/* Puts what is there, at most PORT_BATCH frames, into PORT's host's batch; the number of them. Bad ones are counted. */
size_t packet_ring_read(struct packet_ring *ring, struct port *port);
/* For who watches FD: gives PORT what is there, for a while; of a forwarder's turn, one batch. */
void packet_ring_serve(struct packet_ring *ring, struct port *port);
/* Frames that found no room since the last call. */
uint64_t packet_ring_lost(const struct packet_ring *ring);
/* Gives the slots of what was read back to the kernel; false: there were none. */
bool packet_ring_release(struct packet_ring *ring);
