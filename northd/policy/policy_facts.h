/* policy_facts.h - facts of routing policies (room 2 of docs/architecture.md; ovn-nb(5), Logical_Router_Policy). */
#pragma once

#include "northd/facts.h"

struct policy_facts {
    struct inc_coll *in_policy, *in_lr_policy;
    struct inc_index *in_policy_by_uuid, *in_lr_policy_by_policy;
};
