/* prefix_list.h - numbers by network, in the text form that OVN's options have: "10.0.0.0/8:60;10.1.0.0/16:20;fd00::/16:7;300".
 */
#pragma once

#include "net/addr.h"

/* The number of the longest network that holds IP; else the one without a network; else 0. TEXT may be NULL. Entries that
 * cannot be read are passed over. */
uint32_t prefix_list_find(const char *text, const struct ip_addr *ip);
