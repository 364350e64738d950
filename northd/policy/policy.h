/* policy.h - the compile units of routing policies (rooms 2 and 3 of docs/architecture.md). */
#pragma once

#include "northd/program.h"

void policy_declare_facts(struct northd_program *p);
void policy_declare_units(struct northd_program *p); /* what wants numbers of groups */
void policy_declare_flows(struct northd_program *p);

/* reroute.c: each row of Logical_Router_Policy, whether it needs a group */
void policy_group(struct inc_ctx *ctx, const void *key, void *aux);
/* reroute.c: the same, its flows */
void policy_flows(struct inc_ctx *ctx, const void *key, void *aux);
