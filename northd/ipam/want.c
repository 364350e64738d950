/* want.c - what a switch has to give, who wants something, and what is taken already (rooms 1 and 2 of docs/architecture.md). Switches
 * without a configuration cost nothing.
 */
#include "northd/ipam/ipam.h"
#include "northd/topology/topology.h"
#include "rows/nb.h"

enum { MIN_PLEN = 8, MAX_PLEN = 30 };

/* --- Configuration */

static struct address parse_subnet(struct inc_ctx *ctx, struct northd_program *p,
                                   const struct uuid *ls, const char *text)
{
    struct address a, none = address_make(0, 0, 0);
    if (!text)
        return none;
    if (!topology_parse_network(text, &a) || a.version != 4 || a.plen < MIN_PLEN ||
        a.plen > MAX_PLEN) {
        program_complain(ctx, p, ls,
                         "other_config:subnet \"%.64s\" of a switch is no IPv4 network of prefix "
                         "length 8 to 30: no address is given",
                         text);
        return none;
    }
    return address_network(&a, a.plen);
}

static struct address parse_prefix6(struct inc_ctx *ctx, struct northd_program *p,
                                    const struct uuid *ls, const char *text)
{
    struct address a, none = address_make(0, 0, 0);
    if (!text)
        return none;
    if (!topology_parse_network(text, &a) || a.version != 6) {
        program_complain(ctx, p, ls,
                         "other_config:ipv6_prefix \"%.64s\" of a switch is no IPv6 prefix", text);
        return none;
    }
    return address_network(&a, 64);
}

void ipam_config(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_ls_by_uuid, key);
    const struct nb_logical_switch *ls = nb_logical_switch_cast(f->row);
    const char *mac_only = nb_logical_switch_other_config_value(ls, "mac_only");
    struct fact_ipam_config c;
    INC_CLEAR(c);
    c.ls = f->uuid;
    c.subnet = parse_subnet(ctx, p, key, nb_logical_switch_other_config_value(ls, "subnet"));
    c.prefix6 = parse_prefix6(ctx, p, key, nb_logical_switch_other_config_value(ls, "ipv6_prefix"));
    if (!c.subnet.version && !c.prefix6.version && (!mac_only || strcmp(mac_only, "true")))
        return;
    c.excluded = program_intern(p, nb_logical_switch_other_config_value(ls, "exclude_ips"));
    inc_emit_take(ctx, p->ipam.config, &c);
}

/* --- Ports */

static void emit_used(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *ls,
                      uint64_t mac, const struct address *ip)
{
    struct fact_ipam_used f;
    INC_CLEAR(f);
    f.ls = *ls;
    f.mac = mac;
    if (ip) {
        f.ip = *ip;
        f.ip.plen = (uint16_t)address_bits(ip);
    }
    inc_emit(ctx, p->ipam.used, &f);
}

static void use_router(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp)
{
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lsp, &lsp->uuid);
    const struct fact_network *n;
    if (!link)
        return;
    emit_used(ctx, p, &lsp->ls, link->mac, NULL);
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, &link->lrp))
    emit_used(ctx, p, &lsp->ls, link->mac, &n->address);
}

static void use_static(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp,
                       const struct port_addr *a)
{
    emit_used(ctx, p, &lsp->ls, a->mac, NULL);
    for (size_t i = 0; i < a->n; i++)
        emit_used(ctx, p, &lsp->ls, a->mac, &a->ip[i]);
}

/* What follows the word dynamic: an address of each version, at most. */
static void ask_for(struct inc_ctx *ctx, const char *text, struct fact_ipam_want *want)
{
    const char *rest = strstr(text, "dynamic") + strlen("dynamic");
    char *fake = arena_printf(inc_arena(ctx), "00:00:00:00:00:01%s", rest);
    struct port_addr a = topology_parse_addr(fake, inc_arena(ctx));
    for (size_t i = 0; i < a.n; i++) {
        struct address *slot = a.ip[i].version == 6 ? &want->ip6 : &want->ip4;
        if (!slot->version)
            *slot = a.ip[i];
    }
}

static void remember(struct inc_ctx *ctx, const char *text, struct fact_ipam_want *want)
{
    if (!text)
        return;
    struct port_addr had = topology_parse_addr(text, inc_arena(ctx));
    if (had.kind != ADDR_STATIC)
        return;
    want->had_mac = had.mac;
    if (had.n && had.ip[0].version == 4)
        want->had_ip4 = had.ip[0];
}

void ipam_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (!inc_read_one(ctx, p->ipam.config_by_ls, &lsp->ls))
        return;
    const struct feed_row *f = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct nb_logical_switch_port *row = nb_logical_switch_port_cast(f->row);
    const struct datum *addresses = nb_logical_switch_port_addresses(row);
    bool wants = false;
    if (lsp->type == LSP_ROUTER)
        use_router(ctx, p, lsp);
    for (size_t i = 0; i < addresses->n; i++) {
        const char *text = addresses->atoms[i].string->s;
        struct port_addr a = topology_parse_addr(text, inc_arena(ctx));
        if (a.kind == ADDR_STATIC)
            use_static(ctx, p, lsp, &a);
        if (a.kind != ADDR_DYNAMIC || wants)
            continue; /* of several elements that hold the word the first counts */
        struct fact_ipam_want want;
        INC_CLEAR(want);
        want.ls = lsp->ls;
        want.lsp = lsp->uuid;
        want.mac = a.mac;
        ask_for(ctx, text, &want);
        remember(ctx, nb_logical_switch_port_dynamic_addresses(row), &want);
        inc_emit(ctx, p->ipam.want, &want);
        wants = true;
    }
}
