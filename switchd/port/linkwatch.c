/* linkwatch.c - see linkwatch.h; a subscription to rtnetlink's link group. Of the messages only the name is read: the devices are
 * asked (netdev.h). */
#include "switchd/port/linkwatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switchd/rtnetlink.h"

enum { MESSAGES_A_TURN = 64 };

struct linkwatch {
    int fd;
    struct loop_fd *lfd;
    struct deferred call;
    struct linkwatch_callbacks callbacks;
    void *aux;
};

/* NULL: none. */
static const char *device_name(const struct nlmsghdr *nlh)
{
    const struct ifinfomsg *info = NLMSG_DATA(nlh);
    size_t left = nlh->nlmsg_len - NLMSG_LENGTH(sizeof *info);
    for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == IFLA_IFNAME && memchr(RTA_DATA(a), '\0', RTA_PAYLOAD(a)))
            return RTA_DATA(a);
    return NULL;
}

static void tell(struct linkwatch *watch, const union rtnetlink_answer *answer, size_t n)
{
    for (const struct nlmsghdr *nlh = &answer->nlh; NLMSG_OK(nlh, n); nlh = NLMSG_NEXT(nlh, n)) {
        bool is_link = nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK;
        const char *name = is_link && nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg))
                               ? device_name(nlh)
                               : NULL;
        if (name)
            watch->callbacks.changed(watch->aux, name);
    }
}

static void link_readable(void *watch_, unsigned events UNUSED)
{
    struct linkwatch *watch = watch_;
    union rtnetlink_answer answer;
    for (int i = 0; i < MESSAGES_A_TURN; i++) {
        ssize_t n = recv(watch->fd, &answer, sizeof answer, MSG_DONTWAIT);
        if (n > 0)
            tell(watch, &answer, (size_t)n);
        else if (n < 0 && errno == ENOBUFS)
            watch->callbacks.changed(watch->aux, NULL);
        else
            break;
    }
    deferred_schedule(&watch->call);
}

static void settled(void *watch_)
{
    struct linkwatch *watch = watch_;
    watch->callbacks.settled(watch->aux);
}

struct linkwatch *linkwatch_new(struct loop *loop, const struct linkwatch_callbacks *callbacks,
                                void *aux)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return NULL;
    struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0) {
        close(fd);
        return NULL;
    }
    struct linkwatch *watch = NEW(struct linkwatch);
    watch->fd = fd;
    watch->callbacks = *callbacks;
    watch->aux = aux;
    watch->lfd = loop_fd_new(loop, fd, LOOP_READ, link_readable, watch);
    deferred_init(&watch->call, loop, LOOP_LATER, settled, watch);
    return watch;
}

void linkwatch_free(struct linkwatch *watch)
{
    if (!watch)
        return;
    deferred_cancel(&watch->call);
    loop_fd_free(watch->lfd);
    close(watch->fd);
    free(watch);
}
