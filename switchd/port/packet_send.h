/* packet_send.h - what a packet socket's frames leave by.
 *
 * One sendmmsg for all of a batch, from where the frames lie, each with its virtio-net header. A small frame without offloads goes a
 * cheaper way where nothing stands between sockets and the device (bypass.h): through an AF_XDP socket that only sends, for
 * which the device needs no program. Frames leave in the order in which they came, whichever way each takes.
 *
 * This is the port's, and one thread's at a time (port_lock). A forwarder that finds it in use does not wait: it sends by a packet socket of its own, which is bound to no
 * device (packet_send_beside).
 */
#pragma once

#include <linux/if_packet.h>
#include <sys/socket.h>

#include "switchd/port/bypass.h"
#include "switchd/port/xdp_socket.h"

enum { SEND_QUEUE = 64 };

struct fast_opening;

struct packet_send {
    struct port *port;
    int fd;                  /* the packet socket, somebody else's */
    uint32_t priority;       /* of the socket: what is sent goes into that queue of the device */
    struct xdp_socket *fast; /* NULL: not open yet, or refused */
    struct fast_opening *opening;
    bool use_fast;
    bool refused; /* not wanted, or the kernel has none */
    struct bypass_asker asker;
    uint32_t n_fast;
    size_t n;
    struct mmsghdr msgs[SEND_QUEUE];
    struct iovec iov[SEND_QUEUE][2];
    uint32_t bytes[SEND_QUEUE];
    struct sockaddr_ll to; /* of a socket that is bound to no device; else of family 0 */
};

/* FAST: the cheap way may be taken, once packet_send_refresh has found it free; the port is refreshed when that can be known. */
void packet_send_init(struct packet_send *tx, struct port *port, int fd, bool fast);
/* The cheap way's socket, which the caller closes and frees; or NULL. */
struct xdp_socket *packet_send_fini(struct packet_send *tx) MUST_CHECK;
/* Looks again whether the cheap way is free. N_OWN: the port's own packet sockets. */
void packet_send_refresh(struct packet_send *tx, unsigned n_own);
/* Queues PACKET; see port_send. */
void packet_send_put(struct packet_send *tx, struct port_out *out, const struct packet *packet,
                     bool last);
void packet_send_flush(struct packet_send *tx, struct port_out *out);
/* OUT's own, which sends for PORT from now on, until it is flushed; NULL: there is none. */
struct packet_send *packet_send_beside(struct port_out *out, struct port *port);
void packet_send_beside_free(struct packet_send *beside); /* NULL is allowed */
