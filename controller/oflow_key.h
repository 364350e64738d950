/* oflow_key.h - what makes two flows the same flow to a switch: table, priority and match.
 *
 * Rooms 7 and 8 of docs/architecture.md. The same match on hundreds of datapaths is what a hypervisor has most of, so the datapath stands apart from
 * the rest of the match, which they share.
 */
#pragma once

#include "controller/facts.h"
#include "flow/key.h"

/* The key of a flow; its match is a new reference to an interned blob. */
struct oflow_key oflow_key_of(struct rstr_pool *blobs, const struct match *match, unsigned table,
                              unsigned priority);
/* The whole match of KEY. */
void oflow_key_match(const struct oflow_key *key, struct match *ret);
uint64_t oflow_key_hash(const struct oflow_key *key);
bool oflow_key_equal(const struct oflow_key *a, const struct oflow_key *b);
