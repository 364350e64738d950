/* exec.h - carries out datapath actions on a packet.
 *
 * The executor of the seam (dp.h): it knows packets, and of the switch what outlet.h has. PACKET is changed; its offsets must be those of flow_extract. Every
 * packet or copy that goes nowhere is counted by its reason.
 */
#pragma once

#include "switchd/dp.h"

struct packet;
struct vswitch;

/* For conntrack_on_drop_fragment: a fragment that this executor left to the tracker. */
void exec_drop_fragment(void *vs, void *rest);
void exec_actions(struct vswitch *vs, struct packet *packet, const struct dp_actions *actions);
