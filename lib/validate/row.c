/* row.c - what must fit together within one row: addresses of one version, ports on both sides. */
#include <stdlib.h>
#include <string.h>

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

/* ---- others ---- */

static int check_nat(const struct row *nat, const char **column, struct diag *diag)
{
    struct ip_addr external;
    struct ip_prefix logical;
    const char *type = validate_text(nat, "type");
    if (ip_addr_parse(validate_text(nat, "external_ip"), &external) ||
        ip_prefix_parse(validate_text(nat, "logical_ip"), &logical))
        return 0; /* told already, or an old row's */
    *column = "logical_ip";
    if (external.version != logical.addr.version)
        return diag_set(diag, ERR_INVALID, "expected an IPv%u address, as external_ip",
                        external.version);
    if (strcmp(type, "snat") && logical.len != ip_addr_bits(&logical.addr))
        return diag_set(diag, ERR_INVALID, "expected an address, not a network, for type %s", type);
    *column = "options";
    if (strcmp(type, "dnat_and_snat") && is_true(nat, "stateless"))
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
    for (size_t i = 0; hops && i < hops->n; i++) {
        if (ip_addr_parse(hops->atoms[i].string->s, i ? &ip : &first))
            return 0;
        if (i && ip.version != first.version)
            return diag_set(diag, ERR_INVALID, "\"%s\": expected an IPv%u address, as the others",
                            hops->atoms[i].string->s, first.version);
    }
    return 0;
}

static int check_acl(const struct row *acl, const char **column, struct diag *diag)
{
    const char *action = validate_text(acl, "action");
    *column = "label";
    if (validate_integer(acl, "label") && strcmp(action, "allow") &&
        strcmp(action, "allow-related"))
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
    (void)v;
    if (!strcmp(table, "Load_Balancer"))
        return check_load_balancer(before, after, column, diag);
    if (!strcmp(table, "NAT"))
        return check_nat(after, column, diag);
    if (!strcmp(table, "Logical_Router_Policy"))
        return check_policy(before, after, column, diag);
    return strcmp(table, "ACL") ? 0 : check_acl(after, column, diag);
}
