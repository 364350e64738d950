/* rtnetlink.c - see rtnetlink.h. */
#include "switchd/rtnetlink.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int rtnetlink_ask(const void *request, size_t n)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0 && send(fd, request, n, 0) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

struct ip_addr rtnetlink_ip(const struct rtattr *a)
{
    struct ip_addr ip = {0};
    size_t n = RTA_PAYLOAD(a);
    ip.version = n == 4 ? 4 : n == 16 ? 6 : 0;
    if (ip.version)
        memcpy(&ip.v6, RTA_DATA(a), n);
    return ip;
}
