/* flow_hash.h - a number for a packet's flow, by which its packets go one way: a tunnel's source port, a queue of a tap. */
#pragma once

#include "flow/packet.h"

/* Of its addresses, protocol and ports. */
uint64_t flow_hash(const struct packet *packet);
