/* action_set.h - what a write_actions instruction may hold. */
#pragma once

#include "openflow/actions.h"

/* 0, or OF_ERR_ACTION_BAD_TYPE when ACTIONS write something that no action set carries out. */
int action_set_check(const struct of_actions *actions);
