/* tunnel_ecn.h - marks of congestion in and behind a tunnel (RFC 6040, normal mode): the outer header takes the inner one's, and gives back what the way
 * did to it. The inner IP header may be behind two tags. */
#pragma once

#include "flow/packet.h"

/* The mark of the IP header in PACKET, for the outer one; 0 where there is none. Section 4.1. */
uint8_t tunnel_ecn_of(const struct packet *packet);
/* Brings the mark of the outer header into the IP header of PACKET; false: drop it, its sender does not know the mark. Section 4.2. */
bool tunnel_ecn_mark(struct packet *packet, unsigned outer);
