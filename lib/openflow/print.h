/* print.h - any message as ovs-ofctl shows it: "OFPT_FLOW_MOD (OF1.5) (xid=0x2): ADD table:0 ..." */
#pragma once

#include "openflow/text.h"

/* Appends the text of the message with a final newline. VERBOSITY 0: the name and what fits a line; 1: all. */
void of_print(struct str *s, const struct of_msg *msg, int verbosity,
              const struct port_names *ports, const struct table_names *tables);
