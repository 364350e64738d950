/* dhcp.h - the options that put_dhcp_opts, put_dhcpv6_opts and put_nd_ra_opts may name; dhcp.def lists them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dhcp_type {
    DHCP_BOOL,
    DHCP_UINT8,
    DHCP_UINT16,
    DHCP_UINT32,
    DHCP_IPV4,
    DHCP_STATIC_ROUTES,
    DHCP_STR,
    DHCP_HOST_ID, /* a name or an address */
    DHCP_DOMAINS, /* several names, compressed */
    DHCP_IPV6,
    DHCP_MAC,
    DHCP_DOMAIN,
    DHCP_MODE,       /* put_nd_ra_opts: addr_mode */
    DHCP_PREFIX,     /* put_nd_ra_opts: a network */
    DHCP_PREFERENCE, /* put_nd_ra_opts: router_preference */
};

enum dhcp_family { DHCP_FAMILY_4, DHCP_FAMILY_6, DHCP_FAMILY_RA };

struct dhcp_option {
    const char *name;
    uint16_t code;
    enum dhcp_type type;
};

/* NULL if there is no such option. */
const struct dhcp_option *dhcp_option_find(enum dhcp_family family, const char *name, size_t n);
