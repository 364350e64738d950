/* way.h - which routes lead nowhere; see struct validate_list. */
#pragma once

#include "validate/lists.h"

/* Logical_Router_Static_Route: the next hop is in a network of a port of the router, or a port is named that has one. */
validate_judge_list way_routes;
