/* ingress.h - takes a device's received packets away from the kernel's own stack.
 *
 * A packet socket only listens: without this the host would also answer (ARP for its own addresses,
 * IPv6 neighbours) and route what machines send into the switch. A classifier on the device's ingress
 * hook, which comes after packet sockets, drops everything. It stays when the process dies, so there is
 * no moment in which the host hears a machine.
 */
#pragma once

#include <stdint.h>

#include "base/util.h"

/* 0, or ERR_UNSUPPORTED when the kernel has no such hook (the device then works all the same). */
int ingress_close(uint32_t ifindex) MUST_CHECK;
void ingress_open(uint32_t ifindex);
