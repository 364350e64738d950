/* options.c - rows of DHCP_Options into arguments of put_dhcp_opts and put_dhcpv6_opts (rooms 1 and 2 of docs/architecture.md).
 *
 * An option's value stands in NB as it stands in the action. Each is parsed alone, as the action's only option: one that
 * does not parse, or that ends the action, is told and left out, and the others hold. What DHCP cannot do without (the server's
 * addresses and, for IPv4, the lease time) makes the whole row useless when it is missing.
 */
#include "action/dhcp.h"
#include "northd/dhcp/dhcp.h"
#include "northd/topology/topology.h"
#include "rows/nb.h"

struct options {
    struct inc_ctx *ctx;
    struct northd_program *p;
    const struct nb_dhcp_options *row;
    struct fact_dhcp f;
    struct str text;
    bool v6;
};

static const char *get(const struct options *o, const char *name)
{
    return nb_dhcp_options_options_value(o->row, name);
}

/* Whether an option stands for something else than itself. */
static bool is_special(const struct options *o, const char *name)
{
    static const char *const v4[] = {"server_mac", "hostname"}, *const v6[] = {"dhcpv6_stateless"};
    for (size_t i = 0; i < (o->v6 ? ARRAY_SIZE(v6) : ARRAY_SIZE(v4)); i++)
        if (!strcmp(name, (o->v6 ? v6 : v4)[i]))
            return true;
    return false;
}

static bool is_option(const struct options *o, const char *name, const char *value)
{
    struct str s = STR_INIT;
    struct actions *actions;
    struct diag diag = DIAG_INIT;
    str_putf(&s, "reg0[3] = %s%s = %s);",
             o->v6 ? "put_dhcpv6_opts(" : "put_dhcp_opts(offerip = 1.1.1.1, ", name, value);
    int err = actions_parse(o->p->actions, str_c(&s), NULL, &actions, NULL, &diag);
    bool ok = !err && actions->n == 1;
    if (!err)
        actions_unref(actions);
    diag_fini(&diag);
    str_fini(&s);
    return ok;
}

static void put_options(struct options *o)
{
    const struct datum *map = nb_dhcp_options_options(o->row);
    for (size_t i = 0; i < map->n; i++) {
        const char *name = map->atoms[i].string->s, *value = datum_values(map)[i].string->s;
        bool hostname = !o->v6 && !strcmp(name, "hostname");
        if (is_special(o, name) && !hostname)
            continue;
        if (!is_option(o, name, value)) {
            bool known =
                dhcp_option_find(o->v6 ? DHCP_FAMILY_6 : DHCP_FAMILY_4, name, strlen(name));
            program_complain(o->ctx, o->p, &o->f.uuid,
                             known ? "DHCP option \"%.64s\" has a value that it cannot have: it "
                                     "is left out"
                                   : "DHCP option \"%.64s\" is unknown to this version of IP: it "
                                     "is left out",
                             name);
            continue;
        }
        if (hostname)
            o->f.hostname = program_intern(o->p, value);
        else
            str_putf(&o->text, "%s%s = %s", o->text.n ? ", " : "", name, value);
    }
}

static bool parse_mac(const char *text, uint64_t *ret)
{
    struct mac mac;
    if (!text || mac_parse(text, &mac))
        return false;
    *ret = mac_to_u64(mac);
    return true;
}

/* server_id is an IPv4 address, and an Ethernet address for DHCPv6, which makes a link-local one. */
static bool parse_server(struct options *o)
{
    struct ip_addr ip;
    if (o->v6) {
        if (!parse_mac(get(o, "server_id"), &o->f.mac))
            return false;
        o->f.server = address_make(6, ip6_to_u128(ip6_link_local(mac_from_u64(o->f.mac))), 128);
        return true;
    }
    if (!parse_mac(get(o, "server_mac"), &o->f.mac) || !get(o, "lease_time") ||
        !get(o, "server_id") || ip_addr_parse(get(o, "server_id"), &ip) || ip.version != 4)
        return false;
    o->f.server = address_make(4, ip_addr_to_u128(&ip), 32);
    return true;
}

static void put_netmask(struct options *o)
{
    if (o->v6 || get(o, "netmask"))
        return;
    u128 mask = o->f.cidr.plen ? 0xffffffffu << (32 - o->f.cidr.plen) : 0;
    struct address a = address_make(4, mask & 0xffffffffu, 32);
    str_putf(&o->text, "%snetmask = ", o->text.n ? ", " : "");
    address_put(&o->text, &a);
}

void dhcp_options(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct feed_row *f =
        inc_read_one(ctx, ((struct northd_program *)aux)->dhcp.in_options_by_uuid, key);
    struct options o = {.ctx = ctx, .p = aux, .row = nb_dhcp_options_cast(f->row)};
    INC_CLEAR(o.f);
    o.f.uuid = f->uuid;
    if (!topology_parse_network(nb_dhcp_options_cidr(o.row), &o.f.cidr)) {
        program_complain(ctx, o.p, &f->uuid, "DHCP options: cidr \"%.64s\" is no network",
                         nb_dhcp_options_cidr(o.row));
        return;
    }
    o.v6 = o.f.cidr.version == 6;
    if (!parse_server(&o)) {
        program_complain(ctx, o.p, &f->uuid, "DHCP options of %.64s: %s",
                         nb_dhcp_options_cidr(o.row),
                         o.v6 ? "server_id must be an Ethernet address"
                              : "server_id, server_mac and lease_time must be set");
        return;
    }
    put_options(&o);
    put_netmask(&o);
    const char *stateless = o.v6 ? get(&o, "dhcpv6_stateless") : NULL;
    o.f.stateless = stateless && !strcmp(stateless, "true");
    o.f.options = program_intern(o.p, str_c(&o.text));
    str_fini(&o.text);
    inc_emit_take(ctx, o.p->dhcp.dhcp, &o.f);
}
