/* coalesce.h - TCP segments of a stream that follow one another, made one packet again (what a card's GRO does).
 *
 *     coalesce_begin(c, first); while (coalesce_add(c, next)) ...; coalesce_end(c)
 *
 * A segment is added when its headers are those of the first but for what cutting changes, its checksum is right and its
 * payload has the first's length; a shorter one is the last. Cutting the result gives the same segments (offload.h).
 */
#pragma once

#include "flow/packet.h"

struct coalesce {
    struct packet *packet;    /* NULL: nothing can be added */
    uint32_t l3, l4, payload; /* where they begin */
    uint32_t next_seq, segment;
    uint32_t n; /* segments in it */
};

/* PACKET: a whole Ethernet frame; what follows it in its buffer may be overwritten by coalesce_add as far as the next one's payload. */
void coalesce_begin(struct coalesce *c, struct packet *packet);
/* Adds NEXT, a frame that lies anywhere behind the packet in the same buffer, or in another one; then the packet has ROOM bytes
 * behind it, else UINT32_MAX. False: it is another packet, or there is no room. */
bool coalesce_add(struct coalesce *c, const struct packet *next, uint32_t room);
/* Sets lengths, checksums and offload marks of what was made. */
void coalesce_end(struct coalesce *c);
