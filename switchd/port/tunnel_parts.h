/* tunnel_parts.h - what the files of tunnels share: ports, where they listen (tunnel_receive.c), what they send from (tunnel_send.c). */
#pragma once

#include "base/hmap.h"
#include "switchd/port/tunnel.h"

enum { TUNNEL_SOCKET_BUFFER = 16 << 20, TUNNEL_QUEUES = 16 };

struct tunnel_port {
    struct port up;
    const struct tunnel_kind *kind;
    struct list node;       /* in tunnel_endpoint.ports */
    struct hnode by_remote; /* in tunnel_endpoint.remotes */
    struct tunnel_endpoint *endpoint;
    struct tunnel_options options;
};

struct tunnel_endpoint { /* one UDP port of one kind of tunnel */
    struct list node;
    const struct tunnel_kind *kind;
    struct port_host *host;
    uint16_t udp_port;
    uint32_t n_queues; /* none with a simulation's wire */
    struct tunnel_queue {
        struct tunnel_endpoint *endpoint;
        int fd;
        bool is_long; /* what came last */
        struct port_watch *watch;
    } queues[TUNNEL_QUEUES];
    struct list ports;
    struct hmap remotes; /* the same by remote_ip, all by whose flows it is said under none */
};

/* Sockets to send from: each has a UDP port of its own, and the inner flow chooses one. */
enum { TUNNEL_SOURCES = 64, TUNNEL_FLAVOURS = 8 };
struct tunnel_source { /* made on first use */
    int fd;            /* 0: not yet */
    bool segments;     /* UDP_SEGMENT works */
};

struct tunnel_table {
    struct list endpoints;
    pthread_mutex_t lock; /* while a source is made */
    struct tunnel_source sources[TUNNEL_FLAVOURS][TUNNEL_SOURCES];
    struct counter *no_port, *malformed, *congested;
    struct tunnel_mtu *mtu; /* tunnel_mtu.h */
};

static inline struct tunnel_port *tunnel_cast(struct port *port)
{
    return CONTAINER_OF(port, struct tunnel_port, up);
}

/* Where ports of REMOTE (version 0: any) are in tunnel_endpoint.remotes. */
uint64_t tunnel_remote_hash(const struct ip_addr *remote);
/* Of a queue's watch. */
void tunnel_queue_readable(void *queue, unsigned events);
