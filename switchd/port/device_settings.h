/* device_settings.h - state and settings of a port's device. What the kernel answers at once is asked at once (netdev.h), the rest goes by chores
 * (port_chore.h) and is seen in port->status when it is done.
 */
#pragma once

#include "switchd/port/netdev.h"

/* Reads port->status. Where the link is another than it was, speed and driver are asked for; what was known of them stays until then. */
void device_refresh(struct port *port);
/* Takes over what was asked for elsewhere, about the link as device_refresh finds it next. */
void device_set_facts(struct port *port, const struct netdev_facts *facts);
/* Begins to change the device's MTU or MAC, unless just that is under way; then PORT is refreshed. A log line says when the kernel refuses. */
bool device_is_getting_mtu(const struct port *port, uint32_t mtu);
void device_set_mtu(struct port *port, uint32_t mtu);
void device_set_mac(struct port *port, struct mac mac);
