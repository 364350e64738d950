/* key.c - the forms of values of options: what northd gives addresses of, and how it judges. */
#include <limits.h>
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

/* ---- words of a few ---- */

int validate_ra_mode(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    if (!strcmp(text, "slaac") || !strcmp(text, "dhcpv6_stateful") ||
        !strcmp(text, "dhcpv6_stateless"))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected slaac, dhcpv6_stateful or dhcpv6_stateless");
}

int validate_ra_preference(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    if (!strcmp(text, "HIGH") || !strcmp(text, "MEDIUM") || !strcmp(text, "LOW"))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected HIGH, MEDIUM or LOW");
}

/* ---- numbers ---- */

static int check_number(const char *text, int64_t from, int64_t to, struct diag *diag)
{
    int64_t n;
    if (!text_to_i64(text, 10, &n) && n >= from && n <= to)
        return 0;
    return diag_set(diag, ERR_INVALID, "expected a number from %lld to %lld", (long long)from,
                    (long long)to);
}

/* Tunnel keys: 24 bits of a datapath, 15 of a port. */
int validate_datapath_key(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    return check_number(text, 1, 0xffffff, diag);
}

int validate_port_key(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    return check_number(text, 1, INT16_MAX, diag);
}

int validate_number32(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    return check_number(text, 0, UINT32_MAX, diag);
}

/* ---- addresses ---- */

int validate_address4(struct validate *v, const char *text, struct diag *diag)
{
    struct ip_addr ip;
    (void)v;
    if (!ip_addr_parse(text, &ip) && ip.version == 4)
        return 0;
    return diag_set(diag, ERR_INVALID, "expected an IPv4 address");
}

/* Addresses between DELIMITERS, at most N_EACH of a version. */
static bool are_addresses(const char *text, const char *delimiters, unsigned n_each)
{
    unsigned n4 = 0, n6 = 0;
    struct ip_addr ip;
    char *copy = xstrdup(text), *save = NULL, *word = strtok_r(copy, delimiters, &save);
    for (; word && !ip_addr_parse(word, &ip); word = strtok_r(NULL, delimiters, &save))
        *(ip.version == 4 ? &n4 : &n6) += 1;
    free(copy);
    return !word && n4 <= n_each && n6 <= n_each;
}

int validate_snat_addresses(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    if (are_addresses(text, " ", 1))
        return 0;
    return diag_set(diag, ERR_INVALID,
                    "expected an IPv4 address, an IPv6 address, or both with a space between");
}

int validate_lb_snat_addresses(struct validate *v, const char *text, struct diag *diag)
{
    if (!strcmp(text, "router_ip") || !validate_snat_addresses(v, text, NULL))
        return 0;
    return diag_set(diag, ERR_INVALID,
                    "expected router_ip, or an IPv4 address, an IPv6 address or both with a space "
                    "between");
}

int validate_hairpin_addresses(struct validate *v, const char *text, struct diag *diag)
{
    return strchr(text, '^') ? 0 /* of a template */ : validate_snat_addresses(v, text, diag);
}

int validate_addresses(struct validate *v, const char *text, struct diag *diag)
{
    (void)v;
    if (are_addresses(text, " ,", UINT_MAX))
        return 0;
    return diag_set(diag, ERR_INVALID,
                    "expected IPv4 and IPv6 addresses, separated by spaces or commas");
}
