/* bypass.h - whether frames may go straight to a device, past what the kernel does between a socket and a driver.
 *
 * There queue disciplines hold frames back, and packet sockets (tcpdump) hear them. A device has nothing of the kind when its root queue
 * discipline is "noqueue", as a veth's is unless somebody changes that, and when nobody but the switch listens. Both are
 * looked up at most twice a second for all ports together, in a thread, so that tcpdump may miss what is sent in its first two seconds.
 */
#pragma once

#include "switchd/port/port.h"

struct bypass; /* what was looked up last, for all ports of a host */

/* Who waits for the first look at a device. */
struct bypass_asker {
    struct list node; /* begins as an empty list */
    void (*seen)(struct bypass_asker *asker);
};

/* As of the last look, and false before it; whoever asks keeps asking, each second or so. Before the first one ASKER is told when it is over, once.
 * N_OWN: the switch's own packet sockets on the device. */
bool bypass_is_free(struct port_host *host, uint32_t ifindex, unsigned n_own,
                    struct bypass_asker *asker);
/* Does not wait any more. */
void bypass_forget(struct bypass_asker *asker);
void bypass_free(struct bypass *bypass); /* NULL is allowed */
