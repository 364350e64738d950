/* normalize.h - what a match says in vain. */
#pragma once

#include "flow/key.h"

/* Leaves out the fields of network and transport whose protocol MATCH does not say (OpenFlow 1.3 7.2.3.8): packets do not have them, or
 * they would be other fields. True: there were some. */
bool match_normalize(struct match *match);
