/* action_check.h - what a switch says of actions that depends on the version they came in. */
#pragma once

#include "openflow/actions.h"

/* 0, or the error of an action of 1.1 and later (pop_vlan, dec_ttl, set_mpls_ttl ...) whose packets have no such header, as far as
 * MATCH and the actions before promise. 1.0 lets them do what they can. */
int of_actions_check_present(const struct of_actions *actions,
                             const struct match *match) MUST_CHECK;
