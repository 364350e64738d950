/* netdev.h - the ioctls on network devices that af_packet.c, af_xdp.c and tap.c share.
 *
 * Each call opens and closes a socket of its own; none is on a packet's path.
 */
#pragma once

#include "switchd/port/port.h"

/* Fills STATUS, which was zero or told of NAME, from the device of this network namespace; zero when it does not exist. The speed is asked for anew only
 * when the link has changed. */
void netdev_read_status(const char *name, struct port_status *status);
/* What drives the device, as Interface.status says it; empty texts where the kernel does not tell. */
struct netdev_driver {
    char name[32], version[32], firmware[32];
};
void netdev_read_driver(const char *name, struct netdev_driver *ret);
int netdev_set_up(const char *name) MUST_CHECK;
int netdev_set_mtu(const char *name, uint32_t mtu) MUST_CHECK;
int netdev_set_mac(const char *name, struct mac mac) MUST_CHECK;
/* 0: NAME does not exist. */
uint32_t netdev_ifindex(const char *name);
/* How many queues the device receives by; 1 when it does not say. */
uint32_t netdev_rx_queues(const char *name);
/* Whether its frames come from a stack of this machine (veth, tun) and not from a wire. */
bool netdev_is_local(const char *name);
/* Whether it takes VLAN tags out of received frames (ethtool: rxvlan). */
bool netdev_takes_tags(const char *name);
