/* port.c - ports that are answered by DHCP (room 3 of docs/architecture.md): for each Ethernet address of the port, the first of its IP
 * addresses that is in the options' network is offered. The answer goes back as if the server stood on the switch, and no ACL
 * stops it.
 */
#include "northd/dhcp/dhcp.h"
#include "rows/nb.h"

static void emit_use(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lsp,
                     const struct uuid *options, unsigned version, const char *hostname)
{
    struct fact_dhcp_use f;
    if (!options)
        return;
    INC_CLEAR(f);
    f.lsp = *lsp;
    f.options = *options;
    f.version = version;
    f.hostname = program_intern(p, hostname);
    inc_emit_take(ctx, p->dhcp.use, &f);
}

static bool is_hostname(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    return n && n < 256 && !text[n];
}

void dhcp_use(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct nb_logical_switch_port *lsp = nb_logical_switch_port_cast(f->row);
    const char *hostname = nb_logical_switch_port_options_value(lsp, "hostname");
    if (hostname && !is_hostname(hostname)) {
        program_complain(ctx, p, key, "port %.64s: options:hostname is no name of a host",
                         nb_logical_switch_port_name(lsp));
        hostname = NULL;
    }
    emit_use(ctx, p, key, nb_logical_switch_port_dhcpv4_options(lsp), 4, hostname);
    emit_use(ctx, p, key, nb_logical_switch_port_dhcpv6_options(lsp), 6, NULL);
}

/* --- Flows */

struct offer {
    const struct lflow_out *l;
    const struct fact_lsp *lsp;
    const struct rstr *inport; /* that it asks through: its own, or a localnet port */
    const struct fact_dhcp *dhcp;
    const struct rstr *hostname; /* of the port, or NULL */
    struct str server, ip;
    char mac[18], server_mac[18];
};

static struct expr *from(const struct offer *o, const char *rest)
{
    struct expr *e = expr_all(o->l->e, lflows_inport(o->l, o->inport),
                              lflows_match(o->l, "eth.src == %s && %s", o->mac, rest), NULL);
    return o->lsp->type == LSP_EXTERNAL
               ? expr_and(o->l->e, e, expr_resident(o->l->e, o->lsp->name->s, false))
               : e;
}

/* reg0[3] = put_dhcp..._opts(address, options); next; */
static struct actions *fill(const struct offer *o)
{
    const struct fact_dhcp *d = o->dhcp;
    struct str s = STR_INIT;
    if (d->cidr.version == 4)
        str_putf(&s, "put_dhcp_opts(offerip = %s, %s", str_c(&o->ip), d->options->s);
    else if (d->stateless)
        str_putf(&s, "put_dhcpv6_opts(%s", d->options->s);
    else
        str_putf(&s, "put_dhcpv6_opts(ia_addr = %s, %s", str_c(&o->ip), d->options->s);
    if (o->hostname)
        str_putf(&s, ", hostname = \"%s\"", o->hostname->s);
    else if (d->hostname)
        str_putf(&s, ", hostname = %s", d->hostname->s);
    struct actions *actions = lflows_actions(o->l, "reg0[3] = %s); next;", str_c(&s));
    str_fini(&s);
    return actions;
}

/* A client without an address asks everybody; one that renews asks from its address. */
static void offer4(const struct offer *o)
{
    struct str again = STR_INIT;
    struct actions *actions = fill(o);
    str_putf(&again,
             "ip4.src == %s && ip4.dst == {%s, 255.255.255.255} && udp.src == 68 && udp.dst == 67",
             str_c(&o->ip), str_c(&o->server));
    lflows_emit(o->l, STAGE_SW_IN_DHCP_OPTIONS, 100,
                from(o, "ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.src == 68 && "
                        "udp.dst == 67"),
                actions_ref(actions));
    lflows_emit(o->l, STAGE_SW_IN_DHCP_OPTIONS, 100, from(o, str_c(&again)), actions);
    lflows_emit(o->l, STAGE_SW_IN_DHCP_RESPONSE, 100,
                from(o, "ip4 && udp.src == 68 && udp.dst == 67 && reg0[3]"),
                lflows_actions(o->l,
                               "eth.dst = eth.src; eth.src = %s; ip4.src = %s; udp.src = 67; "
                               "udp.dst = 68; outport = inport; flags.loopback = 1; output;",
                               o->server_mac, str_c(&o->server)));
    str_fini(&again);
}

static void offer6(const struct offer *o)
{
    const char *asks = "ip6.dst == ff02::1:2 && udp.src == 546 && udp.dst == 547";
    lflows_emit(o->l, STAGE_SW_IN_DHCP_OPTIONS, 100, from(o, asks), fill(o));
    lflows_emit(o->l, STAGE_SW_IN_DHCP_RESPONSE, 100,
                expr_and(o->l->e, from(o, asks), lflows_match(o->l, "reg0[3]")),
                lflows_actions(o->l,
                               "eth.dst = eth.src; eth.src = %s; ip6.dst = ip6.src; ip6.src = %s; "
                               "udp.src = 547; udp.dst = 546; outport = inport; flags.loopback = "
                               "1; output;",
                               o->server_mac, str_c(&o->server)));
}

static void pass_acls(const struct offer *o)
{
    bool v6 = o->dhcp->cidr.version == 6;
    lflows_emit(o->l, STAGE_SW_OUT_ACL, 34000,
                expr_and(o->l->e, lflows_outport(o->l, o->inport),
                         lflows_match(o->l,
                                      "eth.src == %s && %s.src == %s && udp.src == %u && "
                                      "udp.dst == %u",
                                      o->server_mac, v6 ? "ip6" : "ip4", str_c(&o->server),
                                      v6 ? 547 : 67, v6 ? 546 : 68)),
                lflows_next(o->l));
}

static void put_mac(char buf[18], uint64_t mac)
{
    snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(mac >> 40 & 255),
             (unsigned)(mac >> 32 & 255), (unsigned)(mac >> 24 & 255), (unsigned)(mac >> 16 & 255),
             (unsigned)(mac >> 8 & 255), (unsigned)(mac & 255));
}

static void offer(struct offer *o, const struct rstr *inport)
{
    o->inport = inport;
    if (o->dhcp->cidr.version == 6)
        offer6(o);
    else
        offer4(o);
    pass_acls(o);
}

/* A machine outside asks through the switch's localnet ports. */
static void offer_through_all(struct inc_ctx *ctx, struct northd_program *p, struct offer *o)
{
    const struct fact_lsp *localnet;
    if (o->lsp->type != LSP_EXTERNAL)
        offer(o, o->lsp->name);
    else
        INC_FOR_EACH(localnet, inc_read(ctx, p->localnet_by_ls, &o->lsp->ls))
    offer(o, localnet->name);
}

void dhcp_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_dhcp_use *use = key;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, &use->lsp);
    const struct fact_dhcp *dhcp = inc_read_one(ctx, p->dhcp.dhcp_by_uuid, &use->options);
    if (!lsp || !dhcp || dhcp->cidr.version != use->version || lsp->flags & PORT_DISABLED ||
        (lsp->type != LSP_VIF && lsp->type != LSP_VIRTUAL && lsp->type != LSP_EXTERNAL))
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    struct offer o = {.l = &l, .lsp = lsp, .dhcp = dhcp, .hostname = use->hostname};
    const struct fact_port_addr *addr;
    uint64_t done = 0;
    address_put(&o.server, &dhcp->server);
    put_mac(o.server_mac, dhcp->mac);
    INC_FOR_EACH(addr, inc_read(ctx, p->port_addr_by_lsp, &use->lsp))
    {
        if (!address_in(&addr->ip, &dhcp->cidr) || addr->mac == done)
            continue;
        done = addr->mac;
        str_clear(&o.ip);
        address_put(&o.ip, &addr->ip);
        put_mac(o.mac, addr->mac);
        offer_through_all(ctx, p, &o);
    }
    str_fini(&o.ip);
    str_fini(&o.server);
}
