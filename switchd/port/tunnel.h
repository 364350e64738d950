/* tunnel.h - the tunnel end points of a process, and what a kind of tunnel adds to them.
 *
 * All ports of one kind and UDP port (Geneve 6081, VXLAN 4789, or their dst_port) of a network namespace
 * receive on one socket; a packet is given to the port that takes its key, its sender and the address it was sent to, of several to the one that names
 * the key, else the sender, else the address. A kind reads and writes its header and knows nothing else.
 * Kept in port_host.tunnels.
 *
 * With forwarders (forward/forwarder.h) several sockets share a UDP port (SO_REUSEPORT), one for each of them: the kernel chooses by addresses and UDP ports, so
 * by the inner flow, whose order is kept. All send by the same sockets, each thread what it has queued itself.
 */
#pragma once

#include "switchd/port/port.h"
#include "switchd/port/tunnel_options.h"

struct tunnel_header {
    size_t len; /* of the whole header */
    uint64_t vni;
    uint16_t flags;         /* TUN_FLAG_* */
    const uint8_t *options; /* Geneve's, inside the packet */
    size_t options_len;
};

struct tunnel_kind {
    uint16_t udp_port;
    /* The header at the start of N bytes; false: malformed. */
    bool (*read)(const uint8_t *data, size_t n, struct tunnel_header *ret);
    /* Writes the header, at most 8 + 252 bytes; returns its length. TLVS may be NULL. */
    size_t (*write)(const struct dp_tunnel *tunnel, const struct tlv_map *tlvs, uint8_t *out);
};
extern const struct tunnel_kind tunnel_geneve, tunnel_vxlan;

/* What carries tunnelled packets when it is not the kernel's UDP: a simulation's network. */
struct tunnel_wire {
    /* Takes a datagram of N bytes to UDP_PORT at DST. SRC: version 0 when the tunnel does not say. */
    void (*send)(struct tunnel_wire *wire, const struct ip_addr *src, const struct ip_addr *dst,
                 uint16_t udp_port, const void *data, size_t n);
};
/* A datagram arrives from such a wire. Lost when nothing listens on UDP_PORT. */
void tunnel_receive(struct port_host *host, uint16_t udp_port, const struct ip_addr *from,
                    const struct ip_addr *to, const void *data, size_t n);

void tunnel_table_free(struct tunnel_table *table); /* NULL is allowed; no port may be left */
/* What OUT's thread has queued for tunnels, whichever; NULL is allowed. */
void tunnel_senders_flush(struct port_out *out);
void tunnel_senders_free(struct tunnel_senders *senders);

/* The functions of a class of tunnel ports. */
int tunnel_open(struct port_host *host, const char *name, const struct port_class *class,
                const struct tunnel_kind *kind, const struct smap *options, struct port **ret,
                struct diag *diag) MUST_CHECK;
int tunnel_configure(struct port *port, const struct smap *options, struct diag *diag) MUST_CHECK;
int tunnel_send(struct port *port, struct port_out *out, const struct packet *packet,
                const struct dp_tunnel *tunnel, bool last);
void tunnel_flush(struct port *port, struct port_out *out);
/* What the options of PORT, a tunnel, say. */
const struct tunnel_options *tunnel_port_options(struct port *port);
void tunnel_refresh(struct port *port);
void tunnel_close(struct port *port);
