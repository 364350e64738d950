/* revalidate.h - keeps cached translations true while the switch changes, and the cache tidy.
 *
 * On a packet's way the question is whether the megaflow that it hit is current: one comparison, and after a change in one of its
 * domains (deps.h) a closer look. A megaflow that is not current is translated anew with that packet; what comes out equal is kept.
 *
 * Behind the packets' back a walk goes over all megaflows, in slices short enough not to be felt (WALK_SLICE_US): it credits flows
 * with traffic, drops what is idle, looks at what has changed, and translates anew, without a packet, what is used and in doubt. It
 * begins each second and soon after changes, and when it is done the changes that it has seen are forgotten.
 */
#pragma once

#include "switchd/megaflow.h"
#include "switchd/vswitch.h"

/* The closer look. */
bool megaflow_still_holds(struct megaflow *flow, const struct vswitch *vs);

static inline bool megaflow_is_fresh(const struct megaflow *flow, const struct vswitch *vs)
{
    return __builtin_expect(flow->generation == vs->generation, 1) &&
           flow->checked >= flow->deps->changed;
}
static inline bool megaflow_is_current(struct megaflow *flow, const struct vswitch *vs)
{
    return megaflow_is_fresh(flow, vs) || megaflow_still_holds(flow, vs);
}

void revalidate_init(struct vswitch *vs);
void revalidate_fini(struct vswitch *vs);
/* Something has changed: sees to it that a walk begins soon. */
void revalidate_soon(struct vswitch *vs);
/* Begins a walk, or goes on with the one that is on its way, for one slice at most. */
void revalidate_walk(struct vswitch *vs);
