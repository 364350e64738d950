/* rtnetlink.h - what those who ask the kernel about its network have in common (rtnetlink(7)). */
#pragma once

#include <linux/rtnetlink.h>

#include "net/addr.h"

union rtnetlink_answer {
    struct nlmsghdr nlh;
    char bytes[32768];
};

/* Sends a message of N bytes by a socket of its own: its descriptor, on which the answer comes, or -1. */
int rtnetlink_ask(const void *request, size_t n);
/* The address in an attribute; version 0 when it is none. */
struct ip_addr rtnetlink_ip(const struct rtattr *a);
