/* packet_fanout.h - several packet sockets for one device, so that several forwarders can receive from it: packet(7), PACKET_FANOUT.
 *
 * The port's own socket is the first of a group that a program of a few instructions deals frames out to, by addresses and UDP, TCP or SCTP ports, the same
 * for both directions; so a flow stays with one socket, and in order. What has neither (ARP), and all fragments of a datagram, go by less: by the addresses, or
 * to the first. A socket hears nothing before it is in the group, and gets nothing before the program says so, which
 * changes at once: none is lost or comes twice when their number grows. When it falls they stay, and get nothing.
 */
#pragma once

#include "switchd/port/port.h"

enum { PACKET_FANOUT_MAX = 16 };

struct packet_fanout;

/* The first socket, and what those like it need. */
struct packet_fanout_base {
    struct port *port;
    int fd;
    struct port_watch *watch;
    uint32_t ifindex, n_slots;
};

/* What BASE's socket receives is dealt out to N as soon as they are open (chores.h); *F (NULL at first) has the others. A log line says when the kernel
 * gives fewer. */
void packet_fanout_set(struct packet_fanout **f, const struct packet_fanout_base *base, unsigned n);
unsigned
packet_fanout_count(const struct packet_fanout *f); /* sockets, with the first; NULL is allowed */
void packet_fanout_free(
    struct packet_fanout *f); /* NULL is allowed; before the first one's watch */
/* Frames that were lost by all but the first since the last call; NULL is allowed. */
uint64_t packet_fanout_lost(struct packet_fanout *f);
