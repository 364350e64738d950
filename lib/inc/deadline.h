/* deadline.h - time as facts: the host's half of it.
 *
 * A run function that must do something else after a time emits a fact into a collection of
 * deadlines, whose type begins with the time (int64_t, the host's own unit and clock), and reads,
 * by the same fact, a collection of those that have passed. It goes on emitting its deadline for as
 * long as it wants to read it; when nobody emits it any more the host takes the passed fact back.
 * The engine never sees a clock.
 */
#pragma once

#include "inc/inc.h"

struct inc_deadlines;

/* WANTED (derived; this watches it) and PASSED (an input) have the same type, which begins with an
 * int64_t time. */
struct inc_deadlines *inc_deadlines_new(struct inc *inc, const struct inc_coll *wanted,
                                        const struct inc_coll *passed);
void inc_deadlines_free(struct inc_deadlines *deadlines);
/* After a settle: takes in what has become wanted and unwanted, and asserts what has passed at NOW.
 * True when it has asserted or retracted anything, so that another settle is due. */
bool inc_deadlines_run(struct inc_deadlines *deadlines, int64_t now);
/* The time at which inc_deadlines_run should be called next; INT64_MAX when there is nothing to
 * wait for. */
int64_t inc_deadlines_next(const struct inc_deadlines *deadlines);
