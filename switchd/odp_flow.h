/* odp_flow.h - flows as a datapath of Open vSwitch writes them: "in_port(1),eth(src=..,dst=..),eth_type(0x0800),ipv4(..)". */
#pragma once

#include "base/diag.h"
#include "base/str.h"

/* Whether TEXT is such a flow, and not a match of OpenFlow. */
bool odp_flow_is(const char *text);
/* Appends the same flow as a match of OpenFlow, in_port left out: it goes to *IN_PORT as it stands (owned by the caller; NULL: none).
 * 0, or ERR_SYNTAX with DIAG. */
int odp_flow_to_match(const char *text, struct str *match, char **in_port,
                      struct diag *diag) MUST_CHECK;
