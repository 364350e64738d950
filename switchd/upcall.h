/* upcall.h - packets that wait for a translation, off the way of those that the caches know.
 *
 * A packet of a device for which no megaflow answers is copied into the queue of the port that it came in by; so is one that finds none behind a ct
 * action. The loop serves the queues after its descriptors, one packet of each port in turn, for at most UPCALL_SLICE_US at a time: who sends
 * many new flows waits for himself. A queue holds UPCALLS_MAX packets and UPCALL_BYTES_MAX bytes; what comes beyond is dropped and
 * counted (drop_upcall_queue). While a packet waits, later ones of its flow (addresses and ports) wait behind it, so that
 * none overtakes it.
 *
 * Packets of dummy ports, of controllers, and those whose megaflow is stale are translated where they stand; but a forwarder (forward/forwarder.h) translates
 * nothing, and its stale ones wait too.
 */
#pragma once

#include "base/hmap.h"
#include "flow/packet.h"
#include "io/deferred.h"

enum { UPCALLS_MAX = 256, UPCALL_BYTES_MAX = 1 << 20, UPCALL_SLICE_US = 300, UPCALL_SLICE = 64 };

struct vswitch;
struct vport;
struct recirc_state;

struct upcalls {       /* of a switch */
    struct list ports; /* queues that are not empty, in the order of their turns */
    struct deferred call;
    bool dummies; /* dummy ports have queues too, for tests */
    uint64_t n_queued, n_waiting;
    bool is_posted; /* by a forwarder: the loop has been told */
};

struct upcall_queue { /* of a port */
    struct list node; /* in upcalls.ports unless empty */
    struct vport *port;
    struct list packets;
    struct hmap flows; /* the same, by flow */
    size_t n_bytes;
};

void upcalls_init(struct vswitch *vs);
void upcalls_fini(struct vswitch *vs);
/* Packets of PORT are on their way in this thread from here on; NULL: none are. */
void upcalls_begin(struct vswitch *vs, struct vport *port);
/* Whether a packet of KEY's flow waits at PORT. */
bool upcall_waits(const struct vport *port, const struct flow_key *key);
/* Queues a copy of PACKET, the one on its way in this thread, or drops it; it is to go on from STATE (NULL: from the beginning). False: it must be translated now. */
bool upcall_put(struct vswitch *vs, const struct packet *packet, struct recirc_state *state);
/* Drops what waits at PORT, uncounted: the port goes away. */
void upcalls_forget(struct vswitch *vs, struct vport *port);
