/* outlet.h - what the executor (exec.c) asks of the switch, and all of it that it knows: where packets go, who judges them on the way, and where those go on that
 * must be looked up again.
 *
 *     cache (megaflow.h) -- exec_actions(packet, list of dp.h) --> executor -- outlet_*() --> ports, tracker, meters, controllers, collectors, cache again
 *
 * Whatever carries out megaflows in the executor's place, a kernel or a card, takes the same lists and has to come back by the same doors. Numbers (ports, bridges,
 * meters) are resolved behind them, so that lists outlive what they name. tools/dev/check-layers holds exec.c to this header.
 *
 * A forwarder's packet may need the main thread (a controller, a collector, a port that is the loop's): that is known here, not in the executor.
 */
#pragma once

#include "switchd/dp.h"

struct packet;
struct vswitch;

void outlet_drop(struct vswitch *vs, enum drop_reason reason);
/* DP_OUTPUT. TRUNC: at most so many bytes leave, 0: all. LAST: nothing changes PACKET any more. */
void outlet_port(struct vswitch *vs, const struct packet *packet, const struct dp_action *a,
                 uint32_t trunc, bool last);
void outlet_controller(struct vswitch *vs, const struct packet *packet, const struct dp_action *a);
void outlet_sample(struct vswitch *vs, struct packet *packet, const struct dp_action *a);
/* DP_METER; false: it drops the packet, and has counted it. */
bool outlet_meter(struct vswitch *vs, const struct packet *packet, const struct dp_action *a);
/* DP_CT: through the tracker, which changes PACKET. */
void outlet_track(struct vswitch *vs, struct packet *packet, const struct ct_action *action);
/* The same for a fragment, as conntrack_hold; REST is how it goes on. */
enum ct_hold outlet_hold(struct vswitch *vs, struct packet *packet, const struct ct_action *action,
                         void *rest, struct ct_datagram **ret);
/* DP_RECIRC: PACKET itself is looked up again and carried out. */
void outlet_again(struct vswitch *vs, struct packet *packet, const struct dp_action *a);
