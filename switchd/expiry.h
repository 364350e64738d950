/* expiry.h - flows and MACs whose time is over leave, a slice at a time between packets (slice.h, docs/adr/0022-slices.md).
 *
 * A round looks at every flow with a timeout; the tick begins one each second, and goes on with one that has not come to its end.
 */
#pragma once

#include "io/deferred.h"

struct vswitch;

struct expiry {
    struct deferred call;
    uint32_t bridge; /* number of the one that the round has come to; 0: no round is on its way */
};

void expiry_init(struct vswitch *vs);
void expiry_fini(struct vswitch *vs);
/* Begins a round, or goes on with the one that is on its way, for one slice; the rest comes by itself. */
void expiry_go_on(struct vswitch *vs);
