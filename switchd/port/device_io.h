/* device_io.h - what a port's device is heard and spoken to by, AF_XDP sockets or a packet socket with its ring: opened and closed by chores (chores.h), as
 * the kernel takes its time. af_packet.c uses it.
 */
#pragma once

#include "switchd/port/af_xdp.h"
#include "switchd/port/netdev.h"
#include "switchd/port/packet_ring.h"
#include "switchd/port/xdp_socket.h"

struct device_io {
    struct af_xdp *xdp;      /* or, where that is NULL, */
    int fd;                  /* a packet socket, not bound yet; -1: none */
    struct packet_ring rx;   /* of it */
    struct xdp_socket *fast; /* what packet_send.h has opened */
};

#define DEVICE_IO_INIT ((struct device_io){.fd = -1})

struct device_opened {
    struct device_io io;
    struct netdev_facts facts;
    const char *no_xdp; /* AF_XDP was asked for, and why it is not; NULL: it is, or was not */
    int error;          /* errno where there is nothing at all */
    const char *failed; /* then: what of it */
    bool is_heard;      /* by the kernel's own stack too (ingress.h), which is not wanted */
};

struct device_opening;

/* Sets the device up and opens what O says: AF_XDP if it has a mode, and a packet socket if that cannot be. O's MTU is the least that it is
 * made for. Then FN(aux) takes what is there. */
struct device_opening *device_io_open(struct chores *chores, const struct af_xdp_options *o,
                                      void (*fn)(void *aux, const struct device_opened *opened),
                                      void *aux);
/* FN will not be called; what is opened nevertheless is closed. NULL is allowed. */
void device_io_cancel(struct device_opening *opening);
/* Closes IO, which nobody uses any more. */
void device_io_close(struct chores *chores, const struct device_io *io);
/* The device NAME, if it is still number IFINDEX, is the kernel's own again. */
void device_give_back(struct chores *chores, const char *name, uint32_t ifindex);
