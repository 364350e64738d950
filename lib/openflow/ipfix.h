/* ipfix.h - NXST_IPFIX_BRIDGE and NXST_IPFIX_FLOW: how many flows and packets a switch tells its IPFIX collectors of. The first has one
 * answer for all packets of a bridge, the second one for each set of collectors that sample actions name.
 */
#pragma once

#include "openflow/flow_mod.h"

struct of_ipfix_stats {
    uint64_t total_flows, current_flows;
    uint64_t packets, ip4_packets, ip6_packets; /* sampled */
    uint64_t errors, ip4_errors, ip6_errors;    /* packets that made no record */
    uint64_t tx_messages, tx_errors;
    uint32_t collector_set; /* of NXST_IPFIX_FLOW */
};
void of_ipfix_stats_put(struct of_reply *reply, const struct of_ipfix_stats *is);
/* Walks a reply: *OFS starts at 0. 1, 0 at the end, negative -OF_ERROR. */
int of_ipfix_stats_next(const struct of_msg *msg, size_t *ofs,
                        struct of_ipfix_stats *ret) MUST_CHECK;
/* The body of a reply as ovs-ofctl writes it. 0, or the OF_ERROR of decoding. */
int of_ipfix_print(struct str *s, const struct of_msg *msg) MUST_CHECK;
