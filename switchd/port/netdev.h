/* netdev.h - the ioctls on network devices that ports share.
 *
 * Each call opens and closes a socket of its own; none is on a packet's path. Only the first two return at once: the others wait while anybody configures any
 * device (rtnl), so they are for chores.
 */
#pragma once

#include "switchd/port/port.h"

/* 0: NAME does not exist. */
uint32_t netdev_ifindex(const char *name);
/* Fills STATUS, which was zero or told of NAME, from the device of this network namespace; zero when it does not exist. Speed and duplex stay.
 * True: its link is not as it was, so that they may be others (netdev_read_facts). */
bool netdev_read_status(const char *name, struct port_status *status);
/* What seldom changes; zero and empty texts where the kernel does not tell. */
struct netdev_facts {
    uint32_t speed_mbps;
    bool full_duplex;
    struct port_driver driver;
};
void netdev_read_facts(const char *name, struct netdev_facts *ret);
int netdev_set_up(const char *name) MUST_CHECK;
int netdev_set_mtu(const char *name, uint32_t mtu) MUST_CHECK;
int netdev_set_mac(const char *name, struct mac mac) MUST_CHECK;
/* How many queues the device receives by; 1 when it does not say. */
uint32_t netdev_rx_queues(const char *name);
/* Whether its frames come from a stack of this machine (veth, tun) and not from a wire. */
bool netdev_is_local(const char *name);
/* Whether it takes VLAN tags out of received frames (ethtool: rxvlan). */
bool netdev_takes_tags(const char *name);
