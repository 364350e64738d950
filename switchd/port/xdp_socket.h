/* xdp_socket.h - an AF_XDP socket for one queue of a device, with memory that it shares with the kernel (Documentation/networking/af_xdp.rst).
 *
 * The memory is cut into slots of one size. Some are for receiving: they go round from the fill ring through a frame to
 * the switch, which works on it where it lies, and back. The others are for sending: a frame is copied into a free slot, and
 * the slot is free again when the completion ring says so. So a socket never asks for memory while it runs.
 *
 * Neither side rings a bell that the other does not ask for (XDP_USE_NEED_WAKEUP), but copy mode sends only when it is told to: once a
 * batch, like sendmmsg. There another socket of the same queue and memory sends, which nobody waits for: of one that an epoll knows, the kernel
 * tells the epoll of each frame that has left.
 */
#pragma once

#include <xdp/xsk.h>

#include "switchd/port/port.h"

enum { XDP_SLOTS = 1024, XDP_SLOTS_MAX = 4096, XDP_SLOT_MAX = 4096 };

struct xdp_socket {
    struct xsk_umem *umem;
    struct xsk_socket *xsk, *sender; /* the second may be the first */
    struct xsk_ring_prod fill, tx;
    struct xsk_ring_cons rx, done;
    uint8_t *memory;
    uint32_t slot_size;
    uint32_t n_rx, n_tx;       /* slots; n_rx may be 0 */
    uint32_t n_read;           /* frames read since the last release */
    uint64_t read[PORT_BATCH]; /* their slots */
    uint32_t n_free;
    uint64_t *free; /* slots to send from */
};

/* Bytes of the longest frame of a device with that MTU, and whether a slot can hold it. */
bool xdp_socket_fits(uint32_t mtu);
/* The same for one that is open. */
bool xdp_socket_takes(const struct xdp_socket *s, uint32_t mtu);
/* Binds a socket to QUEUE of the device NAME. ZERO_COPY: as the driver likes, else by copy. DIAG says which step failed. The kernel
 * lets a queue go some time after its socket was closed: that is waited for, 50 ms at most. */
int xdp_socket_open(struct xdp_socket *s, const char *name, uint32_t queue, uint32_t mtu,
                    uint32_t n_slots, bool zero_copy, struct diag *diag) MUST_CHECK;
/* A socket that only sends, frames of up to 2 kB, by the first queue of a device that needs no program for it. ERR_AGAIN: another
 * socket has the queue, perhaps one that was just closed. */
int xdp_socket_open_sender(struct xdp_socket *s, const char *name, uint32_t n_slots) MUST_CHECK;
void xdp_socket_close(struct xdp_socket *s);
int xdp_socket_fd(const struct xdp_socket *s);
bool xdp_socket_is_zero_copy(const struct xdp_socket *s);
/* Puts what is there, at most PORT_BATCH frames, into PORT's host's batch; the number of them. */
size_t xdp_socket_read(struct xdp_socket *s, struct port *port);
/* Gives the slots of what was read back to the kernel; false: there were none. */
bool xdp_socket_release(struct xdp_socket *s);
/* A slot to write a frame of at most slot_size bytes into, or NULL: all are on their way; then xdp_socket_put. */
uint8_t *xdp_socket_slot(struct xdp_socket *s);
void xdp_socket_put(struct xdp_socket *s,
                    uint32_t size); /* what slot gave last goes with the next kick */
/* Tells the kernel to send; false: something is left, which it could not take yet. */
bool xdp_socket_kick(struct xdp_socket *s);
/* Frames that were lost on the way in, since the socket was opened. */
uint64_t xdp_socket_lost(const struct xdp_socket *s);
