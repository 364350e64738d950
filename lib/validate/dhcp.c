/* dhcp.c - values of options of DHCP and of router advertisements (ovn-nb(5), DHCP_Options, ipv6_ra_configs): each is what the action's
 * language takes as the action's only option, which is how northd and the controllers read it.
 */
#include "action/dhcp.h"
#include "action/action.h"
#include "base/err.h"
#include "validate/internal.h"

static const char *const expected[] = {
    [DHCP_BOOL] = "0 or 1",
    [DHCP_UINT8] = "a number from 0 to 255",
    [DHCP_UINT16] = "a number from 0 to 65535",
    [DHCP_UINT32] = "a number from 0 to 4294967295",
    [DHCP_IPV4] = "an IPv4 address, or several as {ADDRESS, ADDRESS}",
    [DHCP_STATIC_ROUTES] = "routes as {NETWORK,NEXTHOP, NETWORK,NEXTHOP}",
    [DHCP_STR] = "a text in double quotes",
    [DHCP_HOST_ID] = "an IPv4 address, or a text in double quotes",
    [DHCP_DOMAINS] = "names separated by commas, in double quotes",
    [DHCP_IPV6] = "an IPv6 address, or several as {ADDRESS, ADDRESS}",
    [DHCP_MAC] = "an Ethernet address (xx:xx:xx:xx:xx:xx)",
    [DHCP_DOMAIN] = "a name in double quotes",
};

/* Is VALUE what an option may be set to? */
static bool is_value(struct validate *v, enum dhcp_family family, const char *name,
                     const char *value)
{
    static const char *const before[] = {
        [DHCP_FAMILY_4] = "put_dhcp_opts(offerip = 1.1.1.1",
        [DHCP_FAMILY_6] = "put_dhcpv6_opts(ia_addr = ::1",
        [DHCP_FAMILY_RA] = "put_nd_ra_opts(addr_mode = \"slaac\", slla = 00:00:00:00:00:01"};
    struct action_pool *pool = action_pool_new(v->pool);
    struct str text = STR_INIT;
    struct actions *actions;
    struct diag diag = DIAG_INIT;
    str_putf(&text, "reg0[3] = %s, %s = %s);", before[family], name, value);
    bool good = !actions_parse(pool, str_c(&text), NULL, &actions, NULL, &diag);
    if (good) {
        good = actions->n == 1; /* nothing ends the action early */
        actions_unref(actions);
    }
    diag_fini(&diag);
    str_fini(&text);
    action_pool_free(pool);
    return good;
}

int validate_rdnss(struct validate *v, const char *text, struct diag *diag)
{
    if (is_value(v, DHCP_FAMILY_RA, "rdnss", text))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected %s", expected[DHCP_IPV6]);
}

/* Sets *family to what the options of ROW are for; false: the cidr, which says so, is none. */
static bool family_of(const struct row *row, enum dhcp_family *family)
{
    struct ip_prefix cidr;
    if (ip_prefix_parse(validate_text(row, "cidr"), &cidr))
        return false;
    *family = cidr.addr.version == 6 ? DHCP_FAMILY_6 : DHCP_FAMILY_4;
    return true;
}

/* Names that stand for something else than an option of the same name. */
static bool is_special(enum dhcp_family family, const char *name)
{
    return !strcmp(name, family == DHCP_FAMILY_6 ? "dhcpv6_stateless" : "server_mac");
}

static int check_option(struct validate *v, enum dhcp_family family, const char *name,
                        const char *value, struct diag *diag)
{
    const struct dhcp_option *o = dhcp_option_find(family, name, strlen(name));
    if (family == DHCP_FAMILY_4 && !strcmp(name, "server_mac"))
        return validate_mac(v, value, diag);
    if (family == DHCP_FAMILY_4 && !strcmp(name, "server_id"))
        return validate_address4(v, value, diag);
    if (!o || is_special(family, name) || is_value(v, family, name, value))
        return 0;
    return diag_set(diag, ERR_INVALID, "expected %s", expected[o->type]);
}

int validate_dhcp_options(struct validate *v, const struct row *before, const struct row *after,
                          struct diag *diag)
{
    const struct datum *options = validate_value(after, "options");
    const struct datum *old = before ? validate_value(before, "options") : NULL;
    enum dhcp_family family;
    if (!options || options == old || !family_of(after, &family))
        return 0;
    for (size_t i = 0; i < options->n; i++) {
        const char *name = options->atoms[i].string->s, *value = datum_values(options)[i].string->s;
        const char *had = old ? datum_map_text(old, name) : NULL;
        if ((!had || strcmp(had, value)) && check_option(v, family, name, value, diag)) {
            diag_prefix(diag, "%s \"%s\": ", name, value);
            return ERR_INVALID;
        }
    }
    return 0;
}

void validate_dhcp_names(const struct row *before, const struct row *row,
                         void (*unknown)(void *aux, const char *name), void *aux)
{
    const struct datum *options = validate_value(row, "options");
    const struct datum *old = before ? validate_value(before, "options") : NULL;
    enum dhcp_family family;
    if (!options || !family_of(row, &family))
        return;
    for (size_t i = 0; i < options->n; i++) {
        const char *name = options->atoms[i].string->s;
        if (!dhcp_option_find(family, name, strlen(name)) && !is_special(family, name) &&
            !(old && datum_map_text(old, name)))
            unknown(aux, name);
    }
}
