/* xdp_program.h - the XDP program that hands a device's frames to sockets of the switch.
 *
 * It has one map, queue of the device to AF_XDP socket; frames of a queue without a socket are dropped, as the kernel's own stack
 * must not hear them either. A tag that came beside its frame (a veth's sender leaves it there) is put back in front of it,
 * which needs a kernel that lets programs ask for it (6.8, native mode). The program hangs on a BPF link: it is gone when the
 * process is, however it ends.
 */
#pragma once

#include "base/diag.h"

enum xdp_mode { XDP_MODE_NATIVE, XDP_MODE_GENERIC };

struct xdp_program {
    int map, link; /* -1: not made */
};

/* Loads the program and attaches it to a device. TAGS: its driver leaves tags beside frames, so that without a way to see them
 * native mode is refused. ERR_UNSUPPORTED: this device or kernel cannot, DIAG says what. */
int xdp_program_attach(struct xdp_program *program, uint32_t ifindex, uint32_t n_queues,
                       enum xdp_mode mode, bool tags, struct diag *diag) MUST_CHECK;
/* Frames of QUEUE go to the socket FD. */
int xdp_program_serve(struct xdp_program *program, uint32_t queue, int fd) MUST_CHECK;
void xdp_program_detach(struct xdp_program *program); /* also what was not attached */
