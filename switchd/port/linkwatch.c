/* linkwatch.c - see linkwatch.h; a subscription to rtnetlink's link group. What the messages say is not
 * read: the devices are asked (netdev.h). */
#include "switchd/port/linkwatch.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct linkwatch {
    int fd;
    struct loop_fd *lfd;
    struct deferred call;
    void (*fn)(void *aux);
    void *aux;
};

static void link_readable(void *watch_, unsigned events)
{
    (void)events;
    struct linkwatch *watch = watch_;
    char buf[4096];
    for (int i = 0; i < 64 && recv(watch->fd, buf, sizeof buf, MSG_DONTWAIT) > 0; i++)
        continue;
    deferred_schedule(&watch->call);
}

static void link_changed(void *watch_)
{
    struct linkwatch *watch = watch_;
    watch->fn(watch->aux);
}

struct linkwatch *linkwatch_new(struct loop *loop, void (*fn)(void *aux), void *aux)
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
    watch->fn = fn;
    watch->aux = aux;
    watch->lfd = loop_fd_new(loop, fd, LOOP_READ, link_readable, watch);
    deferred_init(&watch->call, loop, LOOP_LATER, link_changed, watch);
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
