/* flow_text.h - a packet's key in one line, as ovs-ofctl and ofproto/trace show it. */
#pragma once

#include "flow/key.h"

/* All fields of the headers that the packet has, also zeros, and of the metadata those that are not zero. Of a second tag it says
 * only that there is none. NAMES may be NULL. */
void flow_put(struct str *s, const struct flow_key *key, const struct port_names *names);
