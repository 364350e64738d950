/* match_tun.h - tunnel options in matches: what match.c and switches need besides key.h. */
#pragma once

#include "flow/key.h"

/* For a field that stands for an option of N_BITS: a mask beyond them is cut, one of all of them is one of all bits. False: the
 * value has more bits, and no option can have it. */
bool match_cut_tun(struct match *match, enum field_id id, unsigned n_bits) MUST_CHECK;
/* RET, which is A and B as far as the key goes, gets both's options. False: there is no room for them. */
bool match_intersect_tun(const struct match *a, const struct match *b,
                         struct match *ret) MUST_CHECK;
