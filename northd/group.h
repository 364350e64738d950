/* group.h - the multicast groups that a switch may have, with the names and keys that peers know; room 5
 * of docs/architecture.md.
 */
#pragma once

#include <stdint.h>

enum group { GROUP_FLOOD, GROUP_UNKNOWN, GROUP_FLOOD_L2, N_GROUPS };

const char *group_name(enum group group);
uint32_t group_key(enum group group);
/* The group with a name, or N_GROUPS. */
enum group group_find(const char *name);
