/* forwarder.h - threads that forward packets beside the main one (Open_vSwitch other_config:n-handler-threads; docs/adr/0023-forwarding-threads.md).
 *
 * Without them, which is the default, the loop's thread does everything, and nothing here costs anything. With them each waits for some of the
 * descriptors that packets come in by (watch.h), and works side by side with the others:
 *
 *     wait -> go in -> read a batch, caches, actions -> leave -> send what came out -> ...
 *
 * The turn (turn.h) is what makes it sound: inside, a forwarder reads what is shared and writes what is its own, and is alone when it must do more. The loop's
 * thread takes the whole with the first call of each of its own turns and gives it before it waits. What costs most, the kernel's work of sending, is done outside.
 *
 * A forwarder touches nothing of the loop (timers, deferred calls, connections): packets that need a translation wait as any others (upcall.h), and
 * actions that need the main thread are handed over (handoff.h), which is woken.
 *
 * While a forwarder sends, it is away: it holds ports without being inside. Whoever closes a port or changes how it sends waits until nobody is
 * (forwarders_settle); nobody can go away anew while he has the whole.
 */
#pragma once

#include "switchd/forward/watch.h"

enum { FORWARDERS_MAX = 64 };

struct forwarders;

/* N threads from now on, for all ports of HOST; below 2: none but the loop's own. Fewer, and a log line says why, when the system gives no more.
 * In the loop's thread. False: that was so before. True: ports may spread over them (port_class.refresh). */
bool forwarders_set(struct port_host *host, unsigned n);
unsigned forwarders_count(const struct port_host *host); /* 0: the loop's own */
/* In the loop's thread: returns when no forwarder is away. */
void forwarders_settle(struct port_host *host);
