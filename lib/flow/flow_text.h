/* flow_text.h - a packet's key in one line, as ovs-ofctl and ofproto/trace show it. */
#pragma once

#include "flow/key.h"

/* A match on all fields of the headers that the packet has, also zeros, and of the metadata on those that are not zero, but for actset_output
 * and packet_type. */
/* OPTS: the key's tunnel options beyond it, NULL: it has none. */
void flow_shown(struct match *ret, const struct flow_key *key, const struct tun_opts *opts);
/* All fields of the headers that the packet has, also zeros, and of the metadata those that are not zero. Of a second tag it says
 * only that there is none. NAMES may be NULL. */
void flow_put(struct str *s, const struct flow_key *key, const struct port_names *names);
