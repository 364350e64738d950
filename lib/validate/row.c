/* row.c - what must fit together within one row: addresses of one version, ports on both sides. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "validate/internal.h"

const struct datum *validate_value(const struct row *row, const char *column)
{
    const struct schema_column *c = schema_column_find(row->table, column);
    return c && c->index >= 0 ? row_get(row, c) : NULL;
}

const char *validate_text(const struct row *row, const char *column)
{
    const struct datum *value = validate_value(row, column);
    return value && value->n && value->key_type == ATOM_STRING ? value->atoms[0].string->s : "";
}

int64_t validate_integer(const struct row *row, const char *column)
{
    const struct datum *value = validate_value(row, column);
    return value && value->n && value->key_type == ATOM_INTEGER ? value->atoms[0].integer : 0;
}

static bool is_true(const struct row *row, const char *key)
{
    const struct datum *options = validate_value(row, "options");
    const char *text = options ? datum_map_text(options, key) : NULL;
    return text && !strcmp(text, "true");
}

/* ---- load balancers ---- */

static int check_backend(const char *vip, const struct ip_addr *vip_ip, int64_t vip_port,
                         const char *text, long pos, struct diag *diag)
{
    struct ip_addr ip;
    int64_t port;
    if (!validate_parse_endpoint(text, &ip, &port) || !port != !vip_port)
        return diag_set_at(diag, ERR_INVALID, pos, "backend \"%s\" of \"%s\": expected %s", text,
                           vip, vip_port ? "IP:PORT or [IP]:PORT" : "an IP address without a port");
    if (ip.version != vip_ip->version)
        return diag_set_at(
            diag, ERR_INVALID, pos,
            "backend \"%s\" of \"%s\": expected an IPv%u address, as the virtual one", text, vip,
            vip_ip->version);
    return 0;
}

static int check_vip(const char *vip, const char *backends, struct diag *diag)
{
    struct ip_addr ip;
    int64_t port;
    if (!validate_parse_endpoint(vip, &ip, &port))
        return diag_set(diag, ERR_INVALID, "\"%s\": expected IP, IP:PORT or [IP]:PORT", vip);
    char *copy = xstrdup(backends), *rest = copy, *word;
    int err = 0;
    while (!err && (word = strsep(&rest, ",")) != NULL)
        if (*word)
            err = check_backend(vip, &ip, port, word, word - copy, diag);
    free(copy);
    return err;
}

static int check_load_balancer(const struct row *before, const struct row *after,
                               const char **column, struct diag *diag)
{
    const struct datum *vips = validate_value(after, "vips");
    const struct datum *old = before ? validate_value(before, "vips") : NULL;
    int err = 0;
    *column = "vips";
    if (!vips || is_true(after, "template"))
        return 0;
    for (size_t i = 0; !err && i < vips->n; i++) {
        const char *vip = vips->atoms[i].string->s, *backends = datum_values(vips)[i].string->s;
        const char *had = old ? datum_map_text(old, vip) : NULL;
        if (!had || strcmp(had, backends))
            err = check_vip(vip, backends, diag);
    }
    return err;
}

/* ---- records of names ---- */

/* A name's addresses; of an address, its name (RFC 1035 3.5, RFC 3596 2.5). */
static int check_record(struct validate *v, const char *name, const char *value, struct diag *diag)
{
    size_t n = strlen(name);
    while (n && name[n - 1] == '.')
        n--;
    static const char *const reverse[] = {".in-addr.arpa", ".ip6.arpa"};
    for (size_t i = 0; i < ARRAY_SIZE(reverse); i++) {
        size_t len = strlen(reverse[i]);
        if (n > len && !strncasecmp(name + n - len, reverse[i], len))
            return 0;
    }
    return validate_addresses(v, value, diag);
}

static int check_dns(struct validate *v, const struct row *before, const struct row *after,
                     struct diag *diag)
{
    const struct datum *records = validate_value(after, "records");
    const struct datum *old = before ? validate_value(before, "records") : NULL;
    if (!records || records == old)
        return 0;
    for (size_t i = 0; i < records->n; i++) {
        const char *name = records->atoms[i].string->s, *value = datum_values(records)[i].string->s;
        const char *had = old ? datum_map_text(old, name) : NULL;
        if ((!had || strcmp(had, value)) && check_record(v, name, value, diag)) {
            diag_prefix(diag, "%s \"%s\": ", name, value);
            return ERR_INVALID;
        }
    }
    return 0;
}

/* ---- others ---- */

/* Is one of the columns, up to NULL, not as it was? What has not changed is not judged again. */
static bool is_touched(const struct row *before, const struct row *after,
                       const char *const *columns)
{
    if (!before)
        return true;
    for (; *columns; columns++) {
        const struct datum *old = validate_value(before, *columns);
        if (!old || !datum_equal(old, validate_value(after, *columns)))
            return true;
    }
    return false;
}
#define IS_TOUCHED(BEFORE, AFTER, ...)                                                             \
    is_touched(BEFORE, AFTER, (const char *const[]){__VA_ARGS__, NULL})

static int check_nat(const struct row *before, const struct row *nat, const char **column,
                     struct diag *diag)
{
    struct ip_addr external;
    struct ip_prefix logical;
    const char *type = validate_text(nat, "type");
    if (ip_addr_parse(validate_text(nat, "external_ip"), &external) ||
        ip_prefix_parse(validate_text(nat, "logical_ip"), &logical))
        return 0; /* told already, or an old row's */
    *column = "logical_ip";
    if (external.version != logical.addr.version &&
        IS_TOUCHED(before, nat, "external_ip", "logical_ip"))
        return diag_set(diag, ERR_INVALID, "expected an IPv%u address, as external_ip",
                        external.version);
    if (strcmp(type, "snat") && logical.len != ip_addr_bits(&logical.addr) &&
        IS_TOUCHED(before, nat, "type", "logical_ip"))
        return diag_set(diag, ERR_INVALID, "expected an address, not a network, for type %s", type);
    *column = "options";
    if (strcmp(type, "dnat_and_snat") && is_true(nat, "stateless") &&
        (IS_TOUCHED(before, nat, "type") || !is_true(before, "stateless")))
        return diag_set(diag, ERR_INVALID, "stateless: expected type dnat_and_snat, not %s", type);
    return 0;
}

static bool goes_nowhere(const struct row *policy)
{
    const struct datum *hops = validate_value(policy, "nexthops");
    return !strcmp(validate_text(policy, "action"), "reroute") && !(hops && hops->n) &&
           !*validate_text(policy, "nexthop") && !*validate_text(policy, "output_port");
}

static int check_policy(const struct row *before, const struct row *policy, const char **column,
                        struct diag *diag)
{
    const struct datum *hops = validate_value(policy, "nexthops");
    struct ip_addr first, ip;
    *column = "nexthops";
    if (goes_nowhere(policy) && !(before && goes_nowhere(before)))
        return diag_set(diag, ERR_INVALID, "expected an address, for action reroute");
    if (!IS_TOUCHED(before, policy, "nexthops"))
        return 0;
    for (size_t i = 0; hops && i < hops->n; i++) {
        if (ip_addr_parse(hops->atoms[i].string->s, i ? &ip : &first))
            return 0;
        if (i && ip.version != first.version)
            return diag_set(diag, ERR_INVALID, "\"%s\": expected an IPv%u address, as the others",
                            hops->atoms[i].string->s, first.version);
    }
    return 0;
}

static int check_acl(const struct row *before, const struct row *acl, const char **column,
                     struct diag *diag)
{
    const char *action = validate_text(acl, "action");
    *column = "label";
    if (validate_integer(acl, "label") && strcmp(action, "allow") &&
        strcmp(action, "allow-related") && IS_TOUCHED(before, acl, "label", "action"))
        return diag_set(diag, ERR_INVALID,
                        "expected 0 for action %s: only allow and allow-related make connections "
                        "that could carry a label",
                        action);
    return 0;
}

int validate_combinations(struct validate *v, const struct row *before, const struct row *after,
                          const char **column, struct diag *diag)
{
    const char *table = after->table->name;
    if (!strcmp(table, "DHCP_Options")) {
        *column = "options";
        return validate_dhcp_options(v, before, after, diag);
    }
    if (!strcmp(table, "DNS")) {
        *column = "records";
        return check_dns(v, before, after, diag);
    }
    if (!strcmp(table, "Load_Balancer"))
        return check_load_balancer(before, after, column, diag);
    if (!strcmp(table, "NAT"))
        return check_nat(before, after, column, diag);
    if (!strcmp(table, "Logical_Router_Policy"))
        return check_policy(before, after, column, diag);
    return strcmp(table, "ACL") ? 0 : check_acl(before, after, column, diag);
}
