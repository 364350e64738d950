/* text.h - addresses as texts for transactions. */
#pragma once

#include <stdio.h>

#include "base/str.h"
#include "net/addr.h"

struct text {
    char s[48];
};

static inline struct text mac_text(struct mac mac)
{
    struct text text;
    snprintf(text.s, sizeof text.s, "%02x:%02x:%02x:%02x:%02x:%02x", mac.b[0], mac.b[1], mac.b[2],
             mac.b[3], mac.b[4], mac.b[5]);
    return text;
}

static inline struct text ip_text(be32 ip)
{
    struct text text;
    uint32_t host = swap32(ip);
    snprintf(text.s, sizeof text.s, "%u.%u.%u.%u", host >> 24, host >> 16 & 0xff, host >> 8 & 0xff,
             host & 0xff);
    return text;
}

static inline struct text ip6_text(struct ip6 ip)
{
    struct text text;
    struct str s = STR_INIT;
    ip6_put(&s, ip);
    snprintf(text.s, sizeof text.s, "%s", str_c(&s));
    str_fini(&s);
    return text;
}
