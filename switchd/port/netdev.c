/* netdev.c - see netdev.h. */
#include "switchd/port/netdev.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

static void ifreq_init(struct ifreq *ifr, const char *name)
{
    memset(ifr, 0, sizeof *ifr);
    size_t n = MIN(strlen(name), sizeof ifr->ifr_name - 1);
    memcpy(ifr->ifr_name, name, n);
}

/* One request about IFR's device; 0 or ERR_IO. */
static int request(unsigned long command, struct ifreq *ifr)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    int rc = ioctl(fd, command, ifr);
    close(fd);
    return rc < 0 ? ERR_IO : 0;
}

uint32_t netdev_ifindex(const char *name)
{
    return strlen(name) <= PORT_NAME_MAX ? if_nametoindex(name) : 0;
}

/* One question of ethtool's, answered into COMMAND. */
static bool ethtool_ask(const char *name, void *command)
{
    struct ifreq ifr;
    ifreq_init(&ifr, name);
    ifr.ifr_data = command;
    return !request(SIOCETHTOOL, &ifr);
}

static void read_link_settings(const char *name, struct port_status *status)
{
    struct ethtool_cmd cmd = {.cmd = ETHTOOL_GSET};
    if (!ethtool_ask(name, &cmd))
        return;
    uint32_t speed = ethtool_cmd_speed(&cmd);
    status->speed_mbps = speed == (uint32_t)SPEED_UNKNOWN || speed == UINT16_MAX ? 0 : speed;
    status->full_duplex = cmd.duplex == DUPLEX_FULL;
}

void netdev_read_status(const char *name, struct port_status *status)
{
    memset(status, 0, sizeof *status);
    status->ifindex = netdev_ifindex(name);
    if (!status->ifindex)
        return;
    struct ifreq ifr;
    ifreq_init(&ifr, name);
    if (!request(SIOCGIFFLAGS, &ifr)) {
        status->admin_up = ifr.ifr_flags & IFF_UP;
        status->link_up = ifr.ifr_flags & IFF_RUNNING;
    }
    ifreq_init(&ifr, name);
    if (!request(SIOCGIFHWADDR, &ifr))
        memcpy(status->mac.b, ifr.ifr_hwaddr.sa_data, sizeof status->mac.b);
    ifreq_init(&ifr, name);
    if (!request(SIOCGIFMTU, &ifr))
        status->mtu = (uint32_t)ifr.ifr_mtu;
    read_link_settings(name, status);
}

int netdev_set_up(const char *name)
{
    struct ifreq ifr;
    ifreq_init(&ifr, name);
    int err = request(SIOCGIFFLAGS, &ifr);
    if (err || ifr.ifr_flags & IFF_UP)
        return err;
    ifr.ifr_flags |= IFF_UP;
    return request(SIOCSIFFLAGS, &ifr);
}

int netdev_set_mtu(const char *name, uint32_t mtu)
{
    struct ifreq ifr;
    ifreq_init(&ifr, name);
    ifr.ifr_mtu = (int)mtu;
    return request(SIOCSIFMTU, &ifr);
}

int netdev_set_mac(const char *name, struct mac mac)
{
    struct ifreq ifr;
    ifreq_init(&ifr, name);
    ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(ifr.ifr_hwaddr.sa_data, mac.b, sizeof mac.b);
    return request(SIOCSIFHWADDR, &ifr);
}

uint32_t netdev_rx_queues(const char *name)
{
    struct ethtool_channels c = {.cmd = ETHTOOL_GCHANNELS};
    return ethtool_ask(name, &c) ? MAX(c.rx_count + c.combined_count, 1u) : 1;
}

bool netdev_is_local(const char *name)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    return ethtool_ask(name, &info) &&
           (!strcmp(info.driver, "veth") || !strcmp(info.driver, "tun"));
}

bool netdev_takes_tags(const char *name)
{
    struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
    return ethtool_ask(name, &flags) && flags.data & ETH_FLAG_RXVLAN;
}
