/* collectors.h - where exported records go: UDP sockets to IP:PORT targets, one for each, every datagram to all of them. */
#pragma once

#include "base/util.h"
#include "base/vec.h"

struct collector {
    char *target;
    int fd; /* -1: the target could not be used */
};
struct collectors {
    VEC(struct collector) list;
    uint64_t n_sent, n_errors; /* datagrams */
};

/* Sends to TARGETS from now on; those that stay keep their sockets. What is no IP:PORT is logged and left out; a target without a
 * port gets DEFAULT_PORT. */
void collectors_set(struct collectors *c, const char *const *targets, size_t n,
                    uint16_t default_port);
/* A datagram that a socket does not take at once is lost, and counted. */
void collectors_send(struct collectors *c, const void *data, size_t n);
void collectors_fini(struct collectors *c);
