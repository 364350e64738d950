/* print.h - any message as ovs-ofctl shows it: "OFPT_FLOW_MOD (OF1.5) (xid=0x2): ADD table:0 ..." */
#pragma once

#include "openflow/text.h"

/* Appends the text of the message with a final newline. VERBOSITY 0: without packets and lists of ports; 2: with what echoes carry; 3: with
 * the bytes of packets. */
void of_print(struct str *s, const struct of_msg *msg, int verbosity,
              const struct port_names *ports, const struct table_names *tables);
/* The frame of N bytes at DATA as PACKET_IN shows it: its fields, its checksum, a newline. */
void of_packet_print(struct str *s, const void *data, size_t n);
/* The bytes, sixteen a line; TEXT: with the printable characters behind. */
void of_hex_dump_put(struct str *s, const void *data, size_t n, bool text);
