/* af_xdp.h - a device's frames through AF_XDP sockets (af_packet.c chooses between these and a packet socket).
 *
 * Cheaper for small packets, since the kernel makes no socket buffer of what it receives; dearer for TCP, since a segment of 64 kB cannot
 * cross: there are no virtio-net headers. So it is taken only when the Interface asks for it: type afxdp, or options:xdp-mode.
 *
 *     best-effort (or nothing), native, native-with-zerocopy    an XDP program that the driver runs; the other end of a veth
 *                                                               then cuts segments itself
 *     generic                                                   one that the kernel runs for drivers that cannot; what a
 *                                                               local sender leaves to the device (segments, tags) is lost
 *
 * best-effort takes generic mode where the driver is not a local sender's (veth, tun). Checksums that a local sender left unfinished look
 * like any others; they are recognised (offload_recognize) and finished when they leave by AF_XDP.
 */
#pragma once

#include "switchd/port/port.h"

struct af_xdp;

struct af_xdp_options {
    const char *name; /* of the device */
    uint32_t ifindex, mtu;
    const char *mode;
    uint32_t n_slots; /* to receive into, for each of its queues; 0: as many as usual */
};

/* Takes a device over. NULL: DIAG says why that cannot be. In any thread, as its closing: the kernel takes 10 to 20 ms for either. */
struct af_xdp *af_xdp_open(const struct af_xdp_options *options, struct diag *diag) MUST_CHECK;
void af_xdp_close(struct af_xdp *x);
/* From now on PORT's frames cross by X; until af_xdp_end. */
void af_xdp_begin(struct af_xdp *x, struct port *port);
void af_xdp_end(struct af_xdp *x);
bool af_xdp_is_mode(const char *mode);
/* "AF_XDP, native", or the like. */
const char *af_xdp_mode(const struct af_xdp *x);
/* As the functions of struct port_class. */
int af_xdp_send(struct af_xdp *x, const struct packet *packet) MUST_CHECK;
void af_xdp_flush(struct af_xdp *x, const struct port_out *out);
uint64_t af_xdp_lost(const struct af_xdp *x); /* frames lost on the way in, since it was opened */
/* False: frames of that MTU do not fit any more, it must be opened again. */
bool af_xdp_takes_mtu(const struct af_xdp *x, uint32_t mtu);
