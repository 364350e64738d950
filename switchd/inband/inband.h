/* inband.h - in-band control of a bridge: the way to its controllers and database managers, when that leads through the bridge.
 *
 * A switch whose management traffic crosses its own ports can be cut off by its own flow table. So while a bridge has
 * *remotes* (controllers and managers in connection mode in-band) it keeps hidden flows above every priority that OpenFlow
 * has, all of them with the action NORMAL (seeds IB-a to IB-i):
 *
 *     180000  DHCP requests from the local port        180003  ARP replies to the next hop's MAC
 *     180001  ARP replies to the local port's MAC      180004  ARP requests from the next hop's MAC
 *     180002  ARP requests from the local port's MAC   180005  ARP replies that carry a remote's address
 *                                                      180006  ARP requests from a remote's address
 *                                                      180007  TCP to a remote          180008  TCP from a remote
 *     180009  ARP requests for a remote or next hop    180010  ARP replies from a remote or next hop
 *
 * For IPv6 remotes the same with neighbour solicitations and advertisements for ARP requests and replies, and DHCPv6 both ways.
 *
 * The last two are not among the seeds' nine. With those alone a switch behind this one learns the MAC of the remote
 * only when the remote happens to ask something by broadcast, since neither its request nor the answer passes here.
 *
 * The local port's MAC is looked at each second. A remote's next hop (the remote itself, or the gateway to it) is
 * what the host's routing and neighbour tables say: asked every 10 seconds, every second while it is not known.
 *
 * Replies to the local port's own DHCP requests reach it whatever the tables say (dhcp.c).
 *
 * Router advertisements have no flow: they are for everybody, and so for the tables to let pass; an IPv6 route of the host is one that it
 * was given. Not possible: remotes by name (nothing resolves names here, and letting all of DNS pass would be
 * a hole in the policy); switches behind this one whose remotes this one is not told of, or that use another gateway: other_config:in-band-remotes
 * tells it of remotes, and of such a gateway, since what passes for a remote is what a gateway needs. The log says so when it looks like one (notice.c).
 *
 * Room 11 of docs/architecture.md.
 */
#pragma once

#include "io/loop.h"
#include "switchd/inband/kernel.h"
#include "switchd/xlate.h"

enum { INBAND_BASE_PRIORITY = 180000, INBAND_NO_QUEUE = -1 };

struct inband_remote {
    struct ip_addr ip;
    uint16_t port; /* TCP, host order */
};

struct inband;

/* For a bridge that wants it. KERNEL must outlive it. */
struct inband *inband_new(struct bridge *br, const struct inband_kernel *kernel);
/* Removes the flows. NULL is allowed. */
void inband_free(struct inband *ib);
/* Replaces the list; the same list again is nothing. Another one is looked into at once. */
void inband_set_remotes(struct inband *ib, const struct inband_remote *remotes, size_t n);
/* The queue that the flows put packets into; INBAND_NO_QUEUE: none. */
void inband_set_queue(struct inband *ib, int64_t queue);
/* Looks into what is due; a timer does it otherwise. */
void inband_run(struct inband *ib);
/* Lines of key and value about BR's in-band control. */
void inband_describe(const struct inband *ib, struct str *out);
uint64_t inband_refreshes(const struct inband *ib); /* how often the remotes were looked into */

/* After the translation of PACKET, which came from IN_PORT with KEY: lets replies to the local port's DHCP requests reach it, and
 * keeps those that the tables withhold from it out of the caches; and tells in the log of what looks like a switch that gets no help (notice.c). */
void inband_amend(struct inband *ib, const struct vport *in_port, const struct packet *packet,
                  const struct flow_key *key, struct xlate_out *out);
