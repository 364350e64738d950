/* nat.c - lr-nat-*: address translation of routers.
 *
 * Addresses are compared as values. The logical address is written in its usual form, the external
 * one as it was given.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

#define NAT_TABLES "Logical_Router NAT Logical_Router_Port"
#define ADD_TABLES NAT_TABLES " Logical_Switch_Port"

static int check_type(struct ctl_call *call, const char *type)
{
    if (!strcmp(type, "dnat") || !strcmp(type, "snat") || !strcmp(type, "dnat_and_snat"))
        return 0;
    return ctl_fail(call, "%s: type must be one of \"dnat\", \"snat\" and \"dnat_and_snat\".",
                    type);
}

static bool is_snat(const char *type)
{
    return !strcmp(type, "snat");
}

static bool same_address(const char *a, const char *b)
{
    struct ip_prefix p, q;
    char *x = nb_normal_prefix(a, &p), *y = nb_normal_prefix(b, &q);
    bool same = x && y ? !strcmp(x, y) : !strcmp(a, b);
    free(x);
    free(y);
    return same;
}

/* By which address NATs of a type are told apart. */
static const char *key_column(const char *type)
{
    return is_snat(type) ? "logical_ip" : "external_ip";
}

static bool is_stateless(const struct row *nat)
{
    const char *stateless = row_map_text(nat, "options", "stateless");
    return stateless && !strcmp(stateless, "true");
}

static bool has_gateway(const struct row *nat, const struct row *port)
{
    return port ? row_refers_to(nat, "gateway_port", &port->uuid)
                : !row_value(nat, "gateway_port")->n;
}

/* ---- lr-nat-add ---- */

struct request {
    const struct row *router, *gateway;               /* gateway may be NULL */
    const char *type, *external, *port, *mac, *range; /* from port on: may be NULL */
    char *logical;
    unsigned version;
};

static int parse_addresses(struct ctl_call *call, struct request *r)
{
    const char *logical = call->argv[3];
    struct ip_addr ip;
    struct ip_prefix prefix;
    if (ip_addr_parse(r->external, &ip))
        return ctl_fail(call, "%s: Not a valid IPv4 or IPv6 address.", r->external);
    r->version = ip.version;
    if (is_snat(r->type)) {
        r->logical = nb_normal_prefix(logical, &prefix);
        if (!r->logical || prefix.addr.version != ip.version)
            return ctl_fail(call, "%s: should be an IPv%u address or network.", logical,
                            r->version);
        return 0;
    }
    r->logical = nb_normal_address(logical, ip.version);
    return r->logical ? 0 : ctl_fail(call, "%s: Not a valid IPv%u address.", logical, r->version);
}

/* "PORT" or "LOW-HIGH". */
static bool is_port_range(const char *text)
{
    const char *dash = strchr(text, '-');
    char *low = dash ? xstrndup(text, (size_t)(dash - text)) : xstrdup(text);
    int64_t from, to;
    bool ok = nb_parse_integer(low, 1, UINT16_MAX, &from) &&
              (!dash || (nb_parse_integer(dash + 1, 1, UINT16_MAX, &to) && from < to));
    free(low);
    return ok;
}

static int parse_port(struct ctl_call *call, struct request *r)
{
    const struct row *port;
    struct mac mac;
    bool ranged = ctl_has_option(call, "--portrange");
    int argc = call->argc - 4;
    if (argc == (ranged ? 2 : 1))
        return ctl_fail(call, "lr-nat-add with logical_port must also specify external_mac.");
    if (argc >= 2) {
        r->port = call->argv[4];
        r->mac = call->argv[5];
        if (strcmp(r->type, "dnat_and_snat"))
            return ctl_fail(call, "logical_port and external_mac are only valid when type is "
                                  "\"dnat_and_snat\".");
        int err = nb_find(call, &nb_port, r->port, true, &port);
        if (err)
            return err;
        if (mac_parse(r->mac, &mac))
            return ctl_fail(call, "invalid mac address %s.", r->mac);
    }
    r->range = argc == 1 || argc == 3 ? call->argv[call->argc - 1] : NULL;
    if (r->range && !is_port_range(r->range))
        return ctl_fail(call, "invalid port range %s.", r->range);
    return 0;
}

/* Without --gateway-port: of several gateway ports, one must have EXTERNAL in its networks. */
static int check_gateways(struct ctl_call *call, const struct request *r)
{
    struct row_list ports = view_referenced(call->view, r->router, "ports");
    struct ip_addr ip;
    size_t n = 0;
    bool found = ip_addr_parse(r->external, &ip) != 0;
    for (size_t i = 0; i < ports.n; i++) {
        if (!nb_is_gateway_port(ports.rows[i]))
            continue;
        n++;
        const struct datum *networks = row_value(ports.rows[i], "networks");
        for (size_t j = 0; j < networks->n; j++) {
            struct ip_prefix network;
            found |= !ip_prefix_parse(networks->atoms[j].string->s, &network) &&
                     ip_prefix_contains(&network, &ip);
        }
    }
    row_list_fini(&ports);
    if (n < 2 || found)
        return 0;
    return ctl_fail(call,
                    "logical router: %s has multiple distributed gateway ports and gateway_port "
                    "can not be determined from external IP of NAT rule.",
                    call->argv[0]);
}

static int parse_gateway(struct ctl_call *call, struct request *r)
{
    const char *name = ctl_option(call, "--gateway-port");
    if (!name)
        return check_gateways(call, r);
    int err = nb_find(call, &nb_router_port, name, true, &r->gateway);
    if (!err && !nb_is_gateway_port(r->gateway))
        return ctl_fail(call, "%s is not a distributed gateway router port.", name);
    return err;
}

static int parse_request(struct ctl_call *call, struct request *r)
{
    int err = nb_find(call, &nb_router, call->argv[0], true, &r->router);
    r->type = call->argv[1];
    r->external = call->argv[2];
    if (!err)
        err = check_type(call, r->type);
    if (!err)
        err = parse_addresses(call, r);
    if (!err)
        err = parse_port(call, r);
    if (!err)
        err = parse_gateway(call, r);
    if (!err && ctl_has_option(call, "--stateless") && strcmp(r->type, "dnat_and_snat"))
        err = ctl_fail(call, "stateless is not applicable to dnat or snat types");
    return err;
}

/* May the new NAT stand beside NAT? *same: it is that one. */
static int compare(struct ctl_call *call, const struct request *r, const struct row *nat,
                   bool *same)
{
    bool external = same_address(row_text(nat, "external_ip"), r->external);
    bool logical = same_address(row_text(nat, "logical_ip"), r->logical);
    bool type = !strcmp(row_text(nat, "type"), r->type) && has_gateway(nat, r->gateway);
    *same = type && external && logical;
    if (*same && !ctl_has_option(call, "--may-exist"))
        return ctl_fail(call, "%s, %s: a NAT with this external_ip and logical_ip already exists",
                        r->external, r->logical);
    if (*same)
        return 0;
    if (external && (ctl_has_option(call, "--stateless") || is_stateless(nat)))
        return ctl_fail(call,
                        "%s, %s: External ip cannot be shared across stateless and stateful NATs",
                        r->external, r->logical);
    if (type && (is_snat(r->type) ? logical : external))
        return ctl_fail(call, "a NAT with this type (%s), %s (%s) already exists", r->type,
                        key_column(r->type), is_snat(r->type) ? r->logical : r->external);
    return 0;
}

static int find_same(struct ctl_call *call, const struct request *r, const struct row **ret)
{
    struct row_list nats = view_referenced(call->view, r->router, "nat");
    int err = 0;
    *ret = NULL;
    for (size_t i = 0; !err && !*ret && i < nats.n; i++) {
        bool same;
        err = compare(call, r, nats.rows[i], &same);
        *ret = same ? nats.rows[i] : NULL;
    }
    row_list_fini(&nats);
    return err;
}

static const struct row *set_or_clear(struct ctl_call *call, const struct row *row,
                                      const char *column, const char *text)
{
    return text ? view_set_text(call->view, row, column, text)
                : view_clear(call->view, row, column);
}

/* --match and --priority: only some packets. */
static int set_match(struct ctl_call *call, const struct row *nat)
{
    const char *match = ctl_option(call, "--match"), *text = ctl_option(call, "--priority");
    int64_t priority = 0;
    if (!match && !text)
        return 0;
    if (!ctl_server_has(call->ctl, row_column(nat, "match")))
        return ctl_fail(call, "the server's database has no matches of NATs");
    int err = text ? nb_parse_priority(call, text, &priority) : 0;
    if (err)
        return err;
    nat = view_set_text(call->view, nat, "match", match ? match : "");
    view_set_integer(call->view, nat, "priority", priority);
    return 0;
}

static int add(struct ctl_call *call, const struct request *r)
{
    const struct row *nat;
    int err = find_same(call, r, &nat);
    if (err)
        return err;
    if (nat) {
        nat = set_or_clear(call, nat, "logical_port", r->port);
        set_or_clear(call, nat, "external_mac", r->mac);
        return 0;
    }
    nat = nb_insert_into(call, r->router, "nat");
    nat = view_set_text(call->view, nat, "type", r->type);
    nat = view_set_text(call->view, nat, "external_ip", r->external);
    nat = view_set_text(call->view, nat, "logical_ip", r->logical);
    if (r->port) {
        nat = view_set_text(call->view, nat, "logical_port", r->port);
        nat = view_set_text(call->view, nat, "external_mac", r->mac);
    }
    if (r->range)
        nat = view_set_text(call->view, nat, "external_port_range", r->range);
    if (r->gateway)
        nat = view_set(call->view, nat, row_column(nat, "gateway_port"),
                       datum_new_uuid(&r->gateway->uuid));
    nat = view_set_key(call->view, nat, "options", "stateless",
                       ctl_has_option(call, "--stateless") ? "true" : "false");
    if (ctl_has_option(call, "--add-route"))
        nat = view_set_key(call->view, nat, "options", "add_route", "true");
    return set_match(call, nat);
}

static int run_add(struct ctl_call *call)
{
    struct request r = {0};
    int err = parse_request(call, &r);
    if (!err)
        err = add(call, &r);
    free(r.logical);
    return err;
}

/* ---- lr-nat-del ---- */

struct removal {
    const char *type, *ip; /* NULL: any */
    const struct row *router, *gateway;
};

static int parse_removal(struct ctl_call *call, struct removal *r)
{
    struct ip_prefix prefix;
    int err = nb_find(call, &nb_router, call->argv[0], true, &r->router);
    if (err || call->argc < 2)
        return err;
    r->type = call->argv[1];
    err = check_type(call, r->type);
    if (err || call->argc < 3)
        return err;
    bool is_ip = !ip_prefix_parse(call->argv[2], &prefix);
    r->ip = is_ip ? call->argv[2] : NULL;
    if (call->argc > 3 && !is_ip)
        return ctl_fail(call, "%s: Invalid IP address or CIDR", call->argv[2]);
    if (call->argc > 3 || !is_ip)
        err = nb_find(call, &nb_router_port, call->argv[call->argc - 1], true, &r->gateway);
    return err;
}

static bool is_meant(const struct removal *r, const struct row *nat)
{
    return (!r->type || !strcmp(row_text(nat, "type"), r->type)) &&
           (!r->ip || same_address(row_text(nat, key_column(r->type)), r->ip)) &&
           (!r->gateway || has_gateway(nat, r->gateway));
}

static int run_del(struct ctl_call *call)
{
    struct removal r = {0};
    int err = parse_removal(call, &r);
    if (err)
        return err;
    struct row_list nats = view_referenced(call->view, r.router, "nat");
    size_t n = 0;
    for (size_t i = 0; i < nats.n; i++)
        if (is_meant(&r, nats.rows[i])) {
            nb_delete_from(call, r.router, "nat", nats.rows[i]);
            n++;
        }
    row_list_fini(&nats);
    if (!n && r.ip && r.gateway && !ctl_has_option(call, "--if-exists"))
        return ctl_fail(call, "no matching NAT with the type (%s), %s (%s) and gateway_port (%s)",
                        r.type, key_column(r.type), r.ip, call->argv[3]);
    return 0;
}

/* ---- lr-nat-list ---- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *nat_line(struct ctl_call *call, const struct row *nat)
{
    struct str s = STR_INIT;
    struct row_list ports = view_referenced(call->view, nat, "gateway_port");
    const char *mac = row_text(nat, "external_mac"), *port = row_text(nat, "logical_port");
    str_putf(&s, "%-17.13s%-22.18s%-19.15s%-17.13s", row_text(nat, "type"),
             ports.n ? row_text(ports.rows[0], "name") : "", row_text(nat, "external_ip"),
             row_text(nat, "external_port_range"));
    if (*mac && *port)
        str_putf(&s, "%-20.16s%-21.17s%s\n", row_text(nat, "logical_ip"), mac, port);
    else
        str_putf(&s, "%s\n", row_text(nat, "logical_ip"));
    row_list_fini(&ports);
    return str_steal(&s);
}

static int run_list(struct ctl_call *call)
{
    const struct row *router;
    int err = nb_find(call, &nb_router, call->argv[0], true, &router);
    if (err)
        return err;
    struct row_list nats = view_referenced(call->view, router, "nat");
    char **lines = xcalloc(nats.n + 1, sizeof *lines);
    for (size_t i = 0; i < nats.n; i++)
        lines[i] = nat_line(call, nats.rows[i]);
    if (nats.n) {
        qsort(lines, nats.n, sizeof *lines, compare_lines);
        str_putf(&call->out, "%-17s%-22s%-19s%-17s%-20s%-21s%s\n", "TYPE", "GATEWAY_PORT",
                 "EXTERNAL_IP", "EXTERNAL_PORT", "LOGICAL_IP", "EXTERNAL_MAC", "LOGICAL_PORT");
    }
    for (size_t i = 0; i < nats.n; i++) {
        str_put(&call->out, lines[i]);
        free(lines[i]);
    }
    free(lines);
    row_list_fini(&nats);
    return 0;
}

/* ---- lr-nat-update-ext-ip ---- */

static int run_update_ext_ip(struct ctl_call *call)
{
    const struct row *router, *set;
    struct ip_prefix prefix;
    const char *type = call->argv[1], *ip = call->argv[2];
    int err = nb_find(call, &nb_router, call->argv[0], true, &router);
    if (!err)
        err = check_type(call, type);
    if (!err)
        err = nb_find(call, &nb_address_set, call->argv[3], true, &set);
    if (err)
        return err;
    if (ip_prefix_parse(ip, &prefix))
        return ctl_fail(call, "%s: Invalid IP address or CIDR", ip);
    struct removal which = {.type = type, .ip = ip};
    struct row_list nats = view_referenced(call->view, router, "nat");
    const struct row *nat = NULL;
    for (size_t i = 0; i < nats.n && !nat; i++)
        nat = is_meant(&which, nats.rows[i]) ? nats.rows[i] : NULL;
    row_list_fini(&nats);
    if (!nat)
        return ctl_fail(call, "%s: Could not locate nat rule for: %s.", type, ip);
    const char *column =
        ctl_has_option(call, "--is-exempted") ? "exempted_ext_ips" : "allowed_ext_ips";
    view_set(call->view, nat, row_column(nat, column), datum_new_uuid(&set->uuid));
    return 0;
}

const struct ctl_command nb_nat_commands[] = {
    {.help = "NAT commands"},
    {"lr-nat-add", 4, 7, "ROUTER TYPE EXTERNAL_IP LOGICAL_IP [PORT EXTERNAL_MAC] [PORT_RANGE]",
     "--may-exist,--stateless,--portrange,--add-route,--gateway-port=,--match=,--priority=",
     ADD_TABLES, NULL, run_add, "add a NAT: snat, dnat, dnat_and_snat"},
    {"lr-nat-del", 1, 4, "ROUTER [TYPE [IP] [GATEWAY_PORT]]", "--if-exists", NAT_TABLES, NULL,
     run_del, "delete NATs from ROUTER"},
    {"lr-nat-list", 1, 1, "ROUTER", NULL, NAT_TABLES, NULL, run_list, "print the NATs of ROUTER"},
    {"lr-nat-update-ext-ip", 4, 4, "ROUTER TYPE IP ADDRESS_SET", "--is-exempted",
     "Logical_Router NAT Address_Set", NULL, run_update_ext_ip,
     "translate only for (or not for) the addresses of a set"},
    {0},
};
