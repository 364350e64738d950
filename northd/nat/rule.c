/* rule.c - rows of NAT, with the router that they are on, into facts (rooms 1 and 2 of docs/architecture.md; ovn-nb(5), NAT). What makes
 * no sense is left out with a complaint; a rule on a router without a gateway has no place to work, and none.
 */
#include "northd/nat/nat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "northd/topology/topology.h"
#include "rows/nb.h"

struct rule {
    struct inc_ctx *ctx;
    struct northd_program *p;
    const struct nb_nat *row;
    const struct uuid *uuid;
    struct fact_nat f; /* without the key and where it works */
};

static PRINTF_FORMAT(2, 3) bool complain(struct rule *r, const char *format, ...)
{
    struct str s = STR_INIT;
    va_list args;
    va_start(args, format);
    str_vputf(&s, format, args);
    va_end(args);
    program_complain(r->ctx, r->p, r->uuid, "NAT: %s", str_c(&s));
    str_fini(&s);
    return false;
}

static bool parse_ip(const char *text, struct address *ret)
{
    struct ip_addr ip;
    if (ip_addr_parse(text, &ip))
        return false;
    *ret = address_make(ip.version, ip_addr_to_u128(&ip), ip_addr_bits(&ip));
    return true;
}

static bool parse_addresses(struct rule *r)
{
    const char *external = nb_nat_external_ip(r->row), *logical = nb_nat_logical_ip(r->row);
    if (!parse_ip(external, &r->f.external))
        return complain(r, "external_ip \"%s\" is not an address", external);
    struct address network;
    if (!parse_ip(logical, &r->f.logical)) {
        if (r->f.type != NAT_SNAT || !topology_parse_network(logical, &network))
            return complain(r, "logical_ip \"%s\" is not an address%s", logical,
                            r->f.type == NAT_SNAT ? " or network" : "");
        r->f.logical = address_network(&network, network.plen);
    }
    if (r->f.external.version != r->f.logical.version)
        return complain(r, "%s and %s are not of one version of IP", external, logical);
    return true;
}

/* "LO-HI" or "PORT" */
static bool parse_ports(struct rule *r)
{
    const char *text = nb_nat_external_port_range(r->row);
    unsigned lo = 0, hi = 0;
    int end = 0;
    if (!*text)
        return true;
    if (strlen(text) > 11 || strspn(text, "0123456789-") != strlen(text) ||
        (sscanf(text, "%5u%n-%5u%n", &lo, &end, &hi, &end) < 1) || text[end] || lo < 1 ||
        lo > 65535 || hi > 65535 || (strchr(text, '-') && hi < lo))
        return complain(r, "external_port_range \"%s\" is not LO-HI of 1 to 65535", text);
    r->f.text[NAT_PORTS] = program_intern(r->p, text);
    return true;
}

static const struct rstr *set_name(struct rule *r, const struct uuid *set)
{
    const struct feed_row *f = set ? inc_read_one(r->ctx, r->p->acl.in_set_by_uuid, set) : NULL;
    return f ? program_intern(r->p, nb_address_set_name(nb_address_set_cast(f->row))) : NULL;
}

static bool parse_sets(struct rule *r)
{
    r->f.text[NAT_ALLOWED] = set_name(r, nb_nat_allowed_ext_ips(r->row));
    r->f.text[NAT_EXEMPTED] = set_name(r, nb_nat_exempted_ext_ips(r->row));
    if (r->f.text[NAT_ALLOWED] && r->f.text[NAT_EXEMPTED])
        return complain(r, "has allowed_ext_ips and exempted_ext_ips; it may have one");
    return true;
}

static bool parse_match(struct rule *r)
{
    const char *text = nb_nat_match(r->row);
    struct expr *e = NULL;
    struct diag diag = DIAG_INIT;
    if (!*text)
        return true;
    int err = expr_parse(r->p->exprs, text, NULL, &e, &diag);
    if (err)
        complain(r, "match \"%s\": %s", text, diag_text(&diag));
    diag_fini(&diag);
    expr_unref(e);
    if (err)
        return false;
    r->f.text[NAT_MATCH] = program_intern(r->p, text);
    r->f.priority = (uint64_t)nb_nat_priority(r->row);
    return true;
}

static bool parse_type(struct rule *r)
{
    static const struct {
        const char *text;
        enum nat_type type;
    } types[] = {{"snat", NAT_SNAT}, {"dnat", NAT_DNAT}, {"dnat_and_snat", NAT_BOTH}};
    const char *text = nb_nat_type(r->row);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (!strcmp(text, types[i].text))
            r->f.type = types[i].type;
    const char *stateless = nb_nat_options_value(r->row, "stateless");
    if (r->f.type == NAT_BOTH && stateless && !strcmp(stateless, "true"))
        r->f.flags |= NAT_STATELESS;
    return r->f.type;
}

static bool parse_distributed(struct rule *r)
{
    const char *text = nb_nat_external_mac(r->row);
    struct mac mac;
    if (r->f.type != NAT_BOTH || !text || !*text || !nb_nat_logical_port(r->row))
        return true;
    if (mac_parse(text, &mac) || !mac_to_u64(mac))
        return complain(r, "external_mac \"%s\" is not a MAC address", text);
    r->f.mac = mac_to_u64(mac);
    r->f.flags |= NAT_DISTRIBUTED;
    return true;
}

/* --- Where a rule works */

static const struct fact_gateway_port *port_by_network(struct rule *r, struct inc_facts ports)
{
    const struct fact_gateway_port *port;
    INC_FOR_EACH(port, ports)
    {
        const struct fact_network *n;
        INC_FOR_EACH(n, inc_read(r->ctx, r->p->network_by_lrp, &port->lrp))
        if (address_in(&r->f.external, &n->address))
            return port;
    }
    return NULL;
}

static const struct fact_gateway_port *find_port(struct rule *r, const struct uuid *lr)
{
    struct inc_facts ports = inc_read(r->ctx, r->p->gateway.port_by_lr, lr);
    const struct uuid *named = nb_nat_gateway_port(r->row);
    const struct fact_gateway_port *port = NULL;
    if (named) {
        port = inc_read_one(r->ctx, r->p->gateway.port_by_lrp, named);
        if (ports.n && (!port || !uuid_equal(&port->lr, lr))) {
            complain(r, "gateway_port is not a distributed gateway port of the router");
            return NULL;
        }
    } else if (ports.n == 1) {
        port = ports.v[0];
    } else if (ports.n) {
        port = port_by_network(r, ports);
        if (!port)
            complain(r,
                     "%s is in the network of no gateway port of the router, and "
                     "gateway_port is not set",
                     nb_nat_external_ip(r->row));
    }
    return port;
}

static void emit_address(struct rule *r, const struct fact_nat *f)
{
    struct fact_nat_address a;
    INC_CLEAR(a);
    a.key.lr = f->key.lr;
    a.key.address = f->external;
    a.mac = f->mac;
    a.port_mac = f->port_mac;
    a.type = f->type;
    a.flags = f->flags;
    a.port = f->text[NAT_PORT_NAME];
    a.resident = f->text[NAT_RESIDENT];
    inc_emit(r->ctx, r->p->nat.address, &a);
}

static void emit(struct rule *r, const struct uuid *lr)
{
    struct fact_nat f = r->f;
    const struct fact_gateway_port *port = NULL;
    f.key.lr = *lr;
    f.key.nat = *r->uuid;
    if (inc_read_one(r->ctx, r->p->gateway.router_by_lr, lr)) {
        f.flags &= ~(uint32_t)NAT_DISTRIBUTED;
        f.mac = 0;
    } else {
        port = find_port(r, lr);
        if (!port)
            return;
        f.port_mac = port->mac;
        f.text[NAT_PORT_NAME] = port->lrp_name;
        f.text[NAT_RESIDENT] = f.flags & NAT_DISTRIBUTED
                                   ? program_intern(r->p, nb_nat_logical_port(r->row))
                                   : rstr_ref(port->redirect);
    }
    inc_emit(r->ctx, r->p->nat.nat, &f);
    emit_address(r, &f);
    inc_emit(r->ctx, r->p->nat.translates, &(struct fact_translates){*lr});
    if (f.flags & NAT_DISTRIBUTED)
        inc_emit(r->ctx, r->p->nat.distributed,
                 &(struct fact_nat_distributed){*lr, f.mac, f.text[NAT_PORT_NAME],
                                                f.text[NAT_RESIDENT]});
    rstr_unref(f.text[NAT_RESIDENT]);
}

void nat_rule(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->nat.in_nat_by_uuid, key);
    struct rule r = {.ctx = ctx, .p = p, .row = nb_nat_cast(row->row), .uuid = key};
    const struct feed_ref *on;
    INC_CLEAR(r.f);
    if (parse_type(&r) && parse_addresses(&r) && parse_distributed(&r) && parse_ports(&r) &&
        parse_sets(&r) && parse_match(&r))
        INC_FOR_EACH(on, inc_read(ctx, p->nat.in_lr_nat_by_nat, key))
    emit(&r, &on->row);
    for (size_t i = 0; i < N_NAT_TEXTS; i++)
        rstr_unref(r.f.text[i]);
}
