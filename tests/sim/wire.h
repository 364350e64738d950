/* wire.h - the network between the hypervisors: tunnelled packets arrive late, out of order, or not at all. */
#pragma once

#include "base/list.h"
#include "switchd/port/tunnel.h"

struct cluster;

struct wire {
    struct cluster *cluster;
    struct list ends, under_way;
    struct timer timer;
    int64_t delay_us;
    uint64_t n_packets;
};

struct wire_end {
    struct tunnel_wire wire; /* what the switch has */
    struct wire *of;
    struct list node;
    struct ip_addr ip;
    struct port_host *host; /* NULL: the switch is dead */
    bool is_cut;
};

void wire_init(struct wire *wire, struct cluster *c);
void wire_fini(struct wire *wire);
void wire_attach(struct wire *wire, struct wire_end *end, struct ip_addr ip);
