/* trace_nat.h - what a trace supposes that the connection tracker does to addresses and ports: it takes the lowest that the action allows. */
#pragma once

#include "base/str.h"
#include "conntrack/conntrack.h"
#include "flow/key.h"

/* Changes KEY, and PACKET unless it is NULL, as ACTION would, and says so, if it translates at all. */
void trace_nat(struct str *out, const struct ct_action *action, struct flow_key *key,
               struct packet *packet);
