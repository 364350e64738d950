/* norm_cover.h - does one match hold wherever another does? */
#pragma once

#include "expr/norm.h"

/* Is each cube of B within one of A? Then A matches all that B does; what only several cubes of A hold together is not seen. Both
 * of NORM_NO_CONJ, with the same numbers for ports. Each comparison takes one of *LOOKS; false, too, when none is left. */
bool norm_covers(const struct norm *a, const struct norm *b, size_t *looks);
