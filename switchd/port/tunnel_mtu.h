/* tunnel_mtu.h - packets that, with a tunnel's headers, do not fit its path: their sender is told the size that would (RFC 1191, RFC 8201).
 *
 * The kernel refuses such a datagram when the outer header forbids fragments (df_default). The answer comes in by the tunnel, as if its far end had
 * sent it, so that flows take it to where it belongs: addresses of frame and packet are the other way round, the tunnel's key and options as they were. The
 * kernel's tunnels do the same. Who sends may be any thread; the loop answers, at most TUNNEL_MTU_NOTES in a turn.
 */
#pragma once

#include <sys/uio.h>

#include "flow/packet.h"
#include "switchd/port/tunnel_parts.h"

enum { TUNNEL_MTU_NOTES = 16 };

struct tunnel_mtu *tunnel_mtu_new(struct port_host *host);
void tunnel_mtu_free(struct tunnel_mtu *mtu); /* NULL is allowed */
/* A datagram in N pieces, tunnel header first, did not fit PORT's path to TO. */
void tunnel_mtu_note(struct tunnel_port *port, const struct dp_tunnel *to, const struct iovec *v,
                     size_t n);
/* The frame that tells the sender of the N bytes at FRAME (its beginning is enough) that IP packets may have MTU bytes. RET is initialised. False: there is
 * none to be sent, since it is no IP packet that could be smaller (IPv4 without DF, below IPv6's least MTU), an error itself, or not from one host to another. */
bool tunnel_mtu_answer(const uint8_t *frame, size_t n, uint32_t mtu, struct packet *ret) MUST_CHECK;
