/* flow_text.h - a packet's flow, whole, as ofproto/trace shows it. */
#pragma once

#include "flow/key.h"

/* Appends KEY as ovs-vswitchd writes the flow of a packet: all fields of the headers that it has, zero or not, and of the
 * metadata what is not zero. NAMES may be NULL. */
void flow_put_text(struct str *s, const struct flow_key *key, const struct port_names *names);
