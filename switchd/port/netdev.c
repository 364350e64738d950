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

/* To ask the kernel by; it takes more time than to ask. -1: an error. */
static int request_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* One request about IFR's device; 0 or ERR_IO. */
static int request(unsigned long command, struct ifreq *ifr)
{
    int fd = request_socket();
    if (fd < 0)
        return ERR_IO;
    int rc = ioctl(fd, command, ifr);
    close(fd);
    return rc < 0 ? ERR_IO : 0;
}

/* Not SIOCGIFINDEX, for which the kernel would first look for a module of a name that no device has. FD is bound to the device instead, which
 * says so. */
static uint32_t find_device(int fd, const char *name)
{
    int ifindex = 0;
    socklen_t n = sizeof ifindex;
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, &n) < 0)
        return 0;
    return (uint32_t)ifindex;
}

uint32_t netdev_ifindex(const char *name)
{
    int fd = strlen(name) <= PORT_NAME_MAX && *name ? request_socket() : -1;
    uint32_t ifindex = fd < 0 ? 0 : find_device(fd, name);
    if (fd >= 0)
        close(fd);
    return ifindex;
}

/* One question of ethtool's, answered into COMMAND. */
static bool ethtool_ask(const char *name, void *command)
{
    struct ifreq ifr;
    ifreq_init(&ifr, name);
    ifr.ifr_data = command;
    return !request(SIOCETHTOOL, &ifr);
}

/* The next request of FD about the device NAME, answered into IFR. */
static bool ask(int fd, unsigned long command, const char *name, struct ifreq *ifr)
{
    ifreq_init(ifr, name);
    return ioctl(fd, command, ifr) >= 0;
}

/* False: the link is another than before. */
static bool read_device(int fd, const char *name, struct port_status *status)
{
    const struct port_status before = *status;
    struct ifreq ifr;
    memset(status, 0, sizeof *status);
    status->ifindex = find_device(fd, name);
    if (!status->ifindex)
        return true;
    if (ask(fd, SIOCGIFFLAGS, name, &ifr)) {
        status->admin_up = ifr.ifr_flags & IFF_UP;
        status->link_up = ifr.ifr_flags & IFF_RUNNING;
    }
    if (ask(fd, SIOCGIFHWADDR, name, &ifr))
        memcpy(status->mac.b, ifr.ifr_hwaddr.sa_data, sizeof status->mac.b);
    if (ask(fd, SIOCGIFMTU, name, &ifr))
        status->mtu = (uint32_t)ifr.ifr_mtu;
    status->speed_mbps = before.speed_mbps;
    status->full_duplex = before.full_duplex;
    return status->ifindex == before.ifindex && status->admin_up == before.admin_up &&
           status->link_up == before.link_up;
}

bool netdev_read_status(const char *name, struct port_status *status)
{
    int fd = strlen(name) <= PORT_NAME_MAX && *name ? request_socket() : -1;
    if (fd < 0) {
        memset(status, 0, sizeof *status);
        return false;
    }
    bool is_new = !read_device(fd, name, status);
    close(fd);
    return is_new;
}

static void read_driver(const char *name, struct port_driver *ret)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    if (!ethtool_ask(name, &info))
        return;
    memcpy(ret->name, info.driver, sizeof ret->name - 1);
    memcpy(ret->version, info.version, sizeof ret->version - 1);
    memcpy(ret->firmware, info.fw_version, sizeof ret->firmware - 1);
}

void netdev_read_facts(const char *name, struct netdev_facts *ret)
{
    struct ethtool_cmd cmd = {.cmd = ETHTOOL_GSET};
    memset(ret, 0, sizeof *ret);
    read_driver(name, &ret->driver);
    if (!ethtool_ask(name, &cmd))
        return;
    uint32_t speed = ethtool_cmd_speed(&cmd);
    ret->speed_mbps = speed == (uint32_t)SPEED_UNKNOWN || speed == UINT16_MAX ? 0 : speed;
    ret->full_duplex = cmd.duplex == DUPLEX_FULL;
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
