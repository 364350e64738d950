/* tunnel_parts.h - what the files of tunnels share: ports, where they listen (tunnel_receive.c), what they send from (tunnel_send.c). */
#pragma once

#include "switchd/port/tunnel.h"

enum { TUNNEL_SOCKET_BUFFER = 16 << 20 };

struct tunnel_port {
    struct port up;
    const struct tunnel_kind *kind;
    struct list node; /* in tunnel_endpoint.ports */
    struct tunnel_endpoint *endpoint;
    struct ip_addr remote; /* version 0: any */
    uint64_t in_key;
    bool any_key; /* key=flow, or none said */
    bool csum, df;
};

struct tunnel_endpoint { /* one UDP port of one kind of tunnel */
    struct list node;
    const struct tunnel_kind *kind;
    struct port_host *host;
    uint16_t udp_port;
    int fd;
    struct loop_fd *lfd;
    struct list ports;
};

/* Sockets to send from: each has a UDP port of its own, and the inner flow chooses one. */
enum { TUNNEL_SOURCES = 64, TUNNEL_FLAVOURS = 8 };
struct tunnel_sender;

struct tunnel_table {
    struct list endpoints;
    struct tunnel_sender *senders[TUNNEL_FLAVOURS][TUNNEL_SOURCES]; /* made on first use */
    struct list busy;                                               /* senders with a queue */
    struct counter *no_port, *malformed;
};

static inline struct tunnel_port *tunnel_cast(struct port *port)
{
    return CONTAINER_OF(port, struct tunnel_port, up);
}

/* The loop's callback for an endpoint's descriptor. */
void tunnel_endpoint_readable(void *endpoint, unsigned events);
void tunnel_sender_free(struct tunnel_sender *sender); /* NULL is allowed */
