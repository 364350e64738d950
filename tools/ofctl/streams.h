/* streams.h - see streams.c. */
#pragma once

#include "flow/packet.h"
#include "openflow/protocol.h"

struct streams;

struct stream_id {
    be32 src, dst;
    be16 src_port, dst_port;
};

/* FN gets whatever is at the start of a stream, returns how much of it it has used, and is called again when there is more.
 * SIZE_MAX: it wants nothing more of this stream. */
typedef size_t streams_fn(void *aux, const struct stream_id *id, const uint8_t *data, size_t n);
struct streams *streams_new(streams_fn *fn, void *aux);
void streams_free(struct streams *s);
/* Takes note of a packet of TCP over IPv4 whose key and offsets are those of flow_extract. */
void streams_add(struct streams *s, const struct packet *packet, const struct flow_key *key);
