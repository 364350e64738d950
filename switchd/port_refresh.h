/* port_refresh.h - how devices are: all are asked once a second, those that the kernel says have changed at once.
 *
 * What a device says costs some calls of the kernel, so a thousand of them are asked in slices between packets (docs/adr/0022-slices.md). Changes
 * that flows or controllers can see are told to them.
 */
#pragma once

#include "base/list.h"
#include "io/deferred.h"

struct vport;
struct vswitch;

struct port_refresh {
    struct list due, done; /* struct vport */
    struct deferred call;  /* the next slice */
};

void port_refresh_init(struct vswitch *vs);
void port_refresh_fini(struct vswitch *vs);
/* PORT takes part from now on; until it is removed from the list that it is on. */
void port_refresh_add(struct vport *port);
/* Begins a round, unless one is under way, and does its first slice. */
void port_refresh_round(struct vswitch *vs);
/* The ports whose device has that name, now; NULL: a round of all. False: there is none. */
bool port_refresh_device(struct vswitch *vs, const char *name);
/* All of them, now: in one piece. */
void port_refresh_all(struct vswitch *vs);
