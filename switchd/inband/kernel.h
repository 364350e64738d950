/* kernel.h - what in-band control asks the host: how it would reach an address, and which MAC it knows for a neighbour. */
#pragma once

#include "net/addr.h"

/* Where packets to an address go. */
struct next_hop {
    struct ip_addr ip; /* the gateway; the address itself when it is on the link */
    char device[16];
};

/* A table of functions, so that tests can be the host. */
struct inband_kernel {
    void *aux;
    /* 0; ERR_NOT_FOUND: no route; ERR_IO. */
    int (*route)(void *aux, const struct ip_addr *dst, struct next_hop *ret);
    /* 0; ERR_NOT_FOUND: not known (yet); ERR_IO: the device cannot be asked. */
    int (*neighbour)(void *aux, const struct next_hop *hop, struct mac *ret);
};

/* The routing and neighbour tables of this process's network namespace. A call is one question to the kernel, which answers
 * at once. */
extern const struct inband_kernel inband_kernel_real;
