/* key.c - the forms of values of options: what northd gives addresses of, and how it judges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "validate/internal.h"

int validate_network4(struct validate *v, const char *text, struct diag *diag)
{
    struct ip_prefix prefix;
    be32 ip, mask;
    (void)v;
    if (!ip4_parse_masked(text, &ip, &mask) ||
        (!ip_prefix_parse(text, &prefix) && prefix.addr.version == 4))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected an IPv4 network (ADDRESS/LENGTH)");
}

int validate_network6(struct validate *v, const char *text, struct diag *diag)
{
    struct ip_prefix prefix;
    (void)v;
    if (!ip_prefix_parse(text, &prefix) && prefix.addr.version == 6)
        return 0;
    return diag_set(diag, ERR_INVALID, "expected an IPv6 network (ADDRESS/LENGTH)");
}

/* "10.0.0.4" or "10.0.0.6..10.0.0.8" */
static bool is_range4(char *word)
{
    char *dots = strstr(word, "..");
    struct ip_addr from, to;
    if (dots)
        *dots = '\0';
    return !ip_addr_parse(word, &from) && !ip_addr_parse(dots ? dots + 2 : word, &to) &&
           from.version == 4 && to.version == 4 && ip_addr_compare(&from, &to) <= 0;
}

int validate_exclude_ips(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    for (size_t pos = strspn(text, " "), n; text[pos]; pos += n + strspn(text + pos + n, " ")) {
        n = strcspn(text + pos, " ");
        char *word = xstrndup(text + pos, n);
        bool good = is_range4(word);
        free(word);
        if (!good)
            return diag_set_at(diag, ERR_INVALID, (long)pos,
                               "expected IPv4 addresses and ranges FIRST..LAST");
    }
    return 0;
}

int validate_mode(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    if (!strcmp(text, "default") || !strcmp(text, "strict") || !strcmp(text, "off"))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected default, strict or off");
}

/* "0a:0b:0c" */
int validate_mac_prefix(struct validate *v, const char *text, struct diag *diag)
{
    struct mac mac;
    char full[32];
    (void)v;
    snprintf(full, sizeof full, "%.9s:00:00:01", text);
    if (strlen(text) == 8 && !mac_parse(full, &mac) && mac_to_u64(mac) >> 24)
        return 0;
    return diag_set(diag, ERR_INVALID, "expected half an Ethernet address (xx:xx:xx), not zero");
}
