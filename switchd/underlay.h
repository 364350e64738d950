/* underlay.h - what tunnels run over: the kernel's routes and neighbours, in this process's network namespace.
 *
 * Each call is a question to the kernel, which answers at once. Changes are the kernel's too: the whole host sees them.
 */
#pragma once

#include "base/vec.h"
#include "net/addr.h"

struct underlay_route {
    struct ip_addr dst, gateway, source; /* version 0 of the last two: none */
    uint8_t prefix;
    bool local; /* an address of this host */
    bool added; /* by underlay_route_add */
    char device[16];
};
typedef VEC(struct underlay_route) underlay_routes;

struct underlay_neighbour {
    struct ip_addr ip;
    struct mac mac;
    bool permanent;
    char device[16];
};
typedef VEC(struct underlay_neighbour) underlay_neighbours;

/* Appends all unicast routes and own addresses, longest prefixes first. 0 or ERR_IO. */
int underlay_routes_get(underlay_routes *ret) MUST_CHECK;
/* How packets to DST go. 0, ERR_NOT_FOUND or ERR_IO. */
int underlay_route_lookup(const struct ip_addr *dst, struct underlay_route *ret) MUST_CHECK;
/* DST, PREFIX, DEVICE and GATEWAY count. 0, ERR_NOT_FOUND (no such device, no such route) or ERR_IO (the kernel will not). */
int underlay_route_add(const struct underlay_route *route) MUST_CHECK;
int underlay_route_del(const struct ip_addr *dst,
                       uint8_t prefix) MUST_CHECK; /* of those that were added */
/* Appends the neighbours whose MAC is known. 0 or ERR_IO. */
int underlay_neighbours_get(underlay_neighbours *ret) MUST_CHECK;
/* Makes it known as if it had answered; the kernel ages it. 0, ERR_NOT_FOUND (no such device) or ERR_IO. */
int underlay_neighbour_set(const struct underlay_neighbour *neighbour) MUST_CHECK;
int underlay_neighbour_del(const struct underlay_neighbour *neighbour) MUST_CHECK;
