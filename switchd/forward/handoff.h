/* handoff.h - actions that a forwarder's packet needs and only the main thread can do: to a controller, to collectors, out of a port whose way out is
 * the loop's own (dummies). The packet is copied, waits in order, and is served in slices like an upcall.
 *
 * HANDOFFS_MAX packets can wait; what comes beyond is dropped and counted (drop_upcall_queue).
 */
#pragma once

#include "base/list.h"
#include "io/deferred.h"

enum { HANDOFFS_MAX = 4096, HANDOFF_BYTES_MAX = 16 << 20 };

struct dp_action;
struct packet;
struct vswitch;

struct handoffs {
    struct list waiting;
    size_t n, n_bytes;
    struct deferred call;
    bool is_posted; /* the loop has been told */
    uint64_t n_ever;
};

void handoffs_init(struct vswitch *vs);
void handoffs_fini(struct vswitch *vs);
/* Drops, uncounted, what waits to leave by port DP_NO: it goes away, and its number may be another's. */
void handoffs_forget(struct vswitch *vs, uint32_t dp_no);
/* In a forwarder: has action A done to a copy of PACKET, of which at most TRUNC bytes leave (0: all). */
void handoff_put(struct vswitch *vs, const struct packet *packet, const struct dp_action *a,
                 uint32_t trunc);
