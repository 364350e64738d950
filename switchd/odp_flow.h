/* odp_flow.h - flows as a datapath of Open vSwitch writes them: "in_port(1),eth(src=..,dst=..),eth_type(0x0800),ipv4(..)". */
#pragma once

#include "base/diag.h"
#include "flow/key.h"
#include "switchd/tlv.h"

/* Whether TEXT is such a flow, and not a match of OpenFlow. */
bool odp_flow_is(const char *text);
/* Appends the same flow as a match of OpenFlow, in_port left out: it goes to *IN_PORT as it stands (owned by the caller; NULL: none).
 * 0, or ERR_SYNTAX with DIAG. */
int odp_flow_to_match(const char *text, struct str *match, char **in_port,
                      struct diag *diag) MUST_CHECK;

/* How a match is written. */
struct odp_style {
    bool verbose;               /* also the fields that do not matter, with a mask of 0 */
    const char *in_port;        /* in the place of the number, or NULL */
    const struct tlv_map *tlvs; /* of the bridge where the packets come in, or NULL */
};
/* Appends MATCH, whose in_port is a datapath's number, as a datapath writes its flows. */
void odp_flow_put(struct str *s, const struct match *match, const struct odp_style *style);
