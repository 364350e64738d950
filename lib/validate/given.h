/* given.h - which ports should have been given an address, and were not; see struct validate_list. */
#pragma once

#include "validate/lists.h"

/* Logical_Switch_Port: "dynamic", on a switch with a subnet. */
validate_judge_list given_addresses;
