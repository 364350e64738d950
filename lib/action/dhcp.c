/* dhcp.c - the table of options; see dhcp.h. */
#include "action/dhcp.h"

#include <string.h>

static const struct dhcp_option options4[] = {
#define DHCP4(NAME, CODE, TYPE) {NAME, CODE, DHCP_##TYPE},
#define DHCP6(NAME, CODE, TYPE)
#include "action/dhcp.def"
#undef DHCP4
#undef DHCP6
    {NULL, 0, DHCP_BOOL},
};

static const struct dhcp_option options6[] = {
#define DHCP4(NAME, CODE, TYPE)
#define DHCP6(NAME, CODE, TYPE) {NAME, CODE, DHCP_##TYPE},
#include "action/dhcp.def"
#undef DHCP4
#undef DHCP6
    {NULL, 0, DHCP_BOOL},
};

/* Codes are those of RFC 4861 4.6, RFC 4191 2.3 and RFC 8106 5. */
static const struct dhcp_option options_ra[] = {
    {"addr_mode", 0, DHCP_MODE},
    {"slla", 1, DHCP_MAC},
    {"prefix", 3, DHCP_PREFIX},
    {"mtu", 5, DHCP_UINT32},
    {"router_preference", 0, DHCP_PREFERENCE},
    {"route_info", 24, DHCP_STR},
    {"rdnss", 25, DHCP_IPV6},
    {"dnssl", 31, DHCP_STR},
    {NULL, 0, DHCP_BOOL},
};

const struct dhcp_option *dhcp_option_find(enum dhcp_family family, const char *name, size_t n)
{
    const struct dhcp_option *o = family == DHCP_FAMILY_4   ? options4
                                  : family == DHCP_FAMILY_6 ? options6
                                                            : options_ra;
    for (; o->name; o++)
        if (strlen(o->name) == n && !memcmp(o->name, name, n))
            return o;
    return NULL;
}
