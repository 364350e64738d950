/* compose.h - a frame from a key and the bytes that it carries. */
#pragma once

#include "flow/packet.h"

/* Like packet_compose (flow/rewrite.h) with the N bytes at PAYLOAD; NULL: a counting pattern of N bytes. */
void packet_compose_payload(struct packet *packet, const struct flow_key *key, const void *payload,
                            size_t n);
