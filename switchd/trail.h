/* trail.h - what translations leave behind: the effects that traffic is credited to, and what the working key held at each lookup (deps.h).
 *
 * Megaflows of one way through the tables differ in what packets they are for, seldom in this; so equal trails are one object, with references
 * to the rules of its effects. Of 40 tables a trail has 2 kB.
 *
 * Room 10 of docs/architecture.md.
 */
#pragma once

#include "switchd/xlate.h"

struct trail {
    struct hnode node;
    uint32_t refs, n_effects, n_writes;
    uint64_t written; /* as dep_view.written */
    struct effect *effects;
    struct dep_write *writes; /* both behind this */
};

/* The trail of OUT; one reference. */
struct trail *trail_intern(struct hmap *trails, const struct xlate_out *out);
void trail_unref(struct hmap *trails, struct trail *trail); /* NULL: nothing */
