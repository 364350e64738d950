/* text.h - flows as text: ovs-ofctl's syntax. parse(print(x)) is x.
 *
 * Both families of field names are understood (nw_src and ip_src, dl_dst and eth_dst ...), "field:value" as well as
 * "field=value", "action=" as well as "actions=", and reserved ports in any case.
 */
#pragma once

#include "base/diag.h"
#include "openflow/flow_mod.h"

/* Parses a flow such as "table=0,priority=100,ip actions=drop". For deletes and dumps actions are not allowed. TABLES and
 * PORTS may be NULL. RET is to be finished in any case. */
int of_flow_mod_parse(const char *text, enum of_flow_command command,
                      const struct port_names *ports, const struct table_names *tables,
                      struct of_flow_mod *ret, struct diag *diag) MUST_CHECK;
/* A match alone; *PRIORITY (may be NULL) is 32768 unless the text says. */
int of_match_parse(const char *text, const struct port_names *ports, struct match *ret,
                   uint16_t *priority, struct diag *diag) MUST_CHECK;
int of_flow_stats_request_parse(const char *text, const struct port_names *ports,
                                const struct table_names *tables, struct of_flow_stats_request *ret,
                                struct diag *diag) MUST_CHECK;

/* One line of dump-flows, without the leading blank and the newline: " cookie=0x0, duration=1.234s, table=0, ..." when
 * STATS, else only table, priority, match and actions (ovs-ofctl --no-stats). */
void of_flow_stats_print(struct str *s, const struct of_flow_stats *fs,
                         const struct port_names *ports, const struct table_names *tables,
                         bool stats);
/* The same flow as of_flow_mod_parse reads it. */
void of_flow_mod_print(struct str *s, const struct of_flow_mod *fm, const struct port_names *ports);
/* "4.493s": decimals in groups of three, as many as are not zero. */
void of_duration_put(struct str *s, uint32_t sec, uint32_t nsec);
