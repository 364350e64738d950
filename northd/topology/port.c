/* port.c - Logical_Switch_Port and Logical_Router_Port rows, with the switch or router that they are on, into port facts,
 * their wishes for tunnel keys, and their membership in multicast groups (rooms 1 and 2 of docs/architecture.md).
 *
 * A port in several switches belongs to the one with the smallest uuid. A router port that has the name of a switch
 * port is left out, since bindings are known by name.
 */
#include "northd/topology/keys.h"
#include "northd/topology/topology.h"

#include <stdlib.h>

#include "rows/nb.h"

static const struct {
    const char *text;
    enum lsp_type type;
} lsp_types[] = {
    {"", LSP_VIF},
    {"router", LSP_ROUTER},
    {"localnet", LSP_LOCALNET},
    {"localport", LSP_LOCALPORT},
    {"virtual", LSP_VIRTUAL},
    {"l2gateway", LSP_L2GATEWAY},
    {"vtep", LSP_VTEP},
    {"external", LSP_EXTERNAL},
};

static enum lsp_type parse_type(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(lsp_types); i++)
        if (!strcmp(text, lsp_types[i].text))
            return lsp_types[i].type;
    return LSP_OTHER;
}

static void want_key(struct inc_ctx *ctx, struct northd_program *p, enum key_owner_kind kind,
                     const struct uuid *scope, const struct uuid *id, const struct rstr *name,
                     const char *wish)
{
    struct fact_want_key f;
    INC_CLEAR(f);
    f.scope = *scope;
    f.id = *id;
    f.name = name;
    f.wish = topology_requested_key(ctx, p, id, wish, KEYS_MAX_PORT);
    f.kind = kind;
    inc_emit(ctx, p->want_key, &f);
}

static void join_group(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp,
                       enum group group)
{
    struct fact_group g;
    INC_CLEAR(g);
    g.datapath = lsp->ls;
    g.group = group;
    inc_emit(ctx, p->group, &g);
    struct fact_member m;
    INC_CLEAR(m);
    m.datapath = lsp->ls;
    m.group = group;
    m.port = lsp->name;
    inc_emit(ctx, p->member, &m);
}

static bool has_unknown(const struct datum *addresses)
{
    for (size_t i = 0; i < addresses->n; i++)
        if (topology_is_unknown(addresses->atoms[i].string->s))
            return true;
    return false;
}

/* Whether senders' MAC addresses are learned on a port. */
static bool learns(const struct fact_lsp *lsp, const struct nb_logical_switch_port *row)
{
    const char *asked = nb_logical_switch_port_options_value(row, "localnet_learn_fdb");
    if (!(lsp->flags & PORT_UNKNOWN) || lsp->flags & (PORT_SECURED | PORT_DISABLED))
        return false;
    return lsp->type == LSP_VIF || (lsp->type == LSP_LOCALNET && asked && !strcmp(asked, "true"));
}

static bool text_is_true(const char *text)
{
    return text && !strcmp(text, "true");
}

/* What few ports have, so that what concerns it alone need not look at the others. */
static uint32_t traits(const struct nb_logical_switch_port *row)
{
    return (nb_logical_switch_port_options_value(row, "qdisc_queue_id") ? PORT_HAS_QUEUE : 0) |
           (nb_logical_switch_port_tag_request_present(row) ? PORT_HAS_TAG : 0) |
           (nb_logical_switch_port_dhcpv4_options(row) || nb_logical_switch_port_dhcpv6_options(row)
                ? PORT_HAS_DHCP
                : 0) |
           (nb_logical_switch_port_options_value(row, "requested-chassis") ? PORT_REQUESTS_CHASSIS
                                                                           : 0) |
           (text_is_true(nb_logical_switch_port_options_value(row, "disable_arp_nd_rsp"))
                ? PORT_ANSWERS_ITSELF
                : 0);
}

void topology_lsp(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct feed_ref *on = inc_read_one(ctx, p->in_ls_port_by_port, key);
    if (!on)
        return;
    const struct nb_logical_switch_port *row = nb_logical_switch_port_cast(f->row);
    struct fact_lsp lsp;
    INC_CLEAR(lsp);
    lsp.uuid = f->uuid;
    lsp.ls = on->row;
    const struct fact_want_key *before = inc_emitted_before(ctx, p->want_key);
    lsp.name =
        program_intern_again(p, before ? before->name : NULL, nb_logical_switch_port_name(row));
    lsp.type = parse_type(nb_logical_switch_port_type(row));
    if (lsp.type == LSP_ROUTER)
        lsp.peer = program_intern(p, nb_logical_switch_port_options_value(row, "router-port"));
    if (nb_logical_switch_port_enabled_present(row) && !nb_logical_switch_port_enabled(row))
        lsp.flags |= PORT_DISABLED;
    if (has_unknown(nb_logical_switch_port_addresses(row)))
        lsp.flags |= PORT_UNKNOWN;
    if (nb_logical_switch_port_port_security(row)->n)
        lsp.flags |= PORT_SECURED;
    if (learns(&lsp, row))
        lsp.flags |= PORT_LEARNS;
    lsp.flags |= traits(row);
    want_key(ctx, p, KEY_SWITCH_PORT, &lsp.ls, &lsp.uuid, lsp.name,
             nb_logical_switch_port_options_value(row, "requested-tnl-key"));
    if (!(lsp.flags & PORT_DISABLED)) {
        join_group(ctx, p, &lsp, GROUP_FLOOD);
        if (lsp.type != LSP_ROUTER)
            join_group(ctx, p, &lsp, GROUP_FLOOD_L2);
        if (lsp.flags & PORT_UNKNOWN)
            join_group(ctx, p, &lsp, GROUP_UNKNOWN);
    }
    inc_emit_take(ctx, p->lsp, &lsp);
}

/* 0: nonsense. RFC 791 3.1 has the least. */
static uint32_t parse_mtu(const char *text)
{
    char *end;
    unsigned long mtu = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && mtu >= 68 && mtu <= 65000 ? (uint32_t)mtu : 0;
}

void topology_lrp(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const struct feed_ref *on = inc_read_one(ctx, p->in_lr_port_by_port, key);
    if (!on)
        return;
    const struct nb_logical_router_port *row = nb_logical_router_port_cast(f->row);
    struct mac mac;
    if (mac_parse(nb_logical_router_port_mac(row), &mac))
        return;
    struct fact_lrp lrp;
    INC_CLEAR(lrp);
    lrp.name = program_intern(p, nb_logical_router_port_name(row));
    if (inc_read_one(ctx, p->lsp_by_name, &lrp.name)) {
        rstr_unref(lrp.name);
        return;
    }
    lrp.uuid = f->uuid;
    lrp.lr = on->row;
    lrp.peer = program_intern(p, nb_logical_router_port_peer(row));
    lrp.mac = mac_to_u64(mac);
    if (nb_logical_router_port_enabled_present(row) && !nb_logical_router_port_enabled(row))
        lrp.flags |= PORT_DISABLED;
    const char *any = nb_logical_router_port_options_value(row, "arp-reply-any-sender");
    if (any && !strcmp(any, "true"))
        lrp.flags |= LRP_ANSWER_ANY_SENDER;
    const char *mtu = nb_logical_router_port_options_value(row, "gateway_mtu");
    lrp.mtu = mtu ? parse_mtu(mtu) : 0;
    if (mtu && !lrp.mtu)
        program_complain(ctx, p, key, "options:gateway_mtu \"%s\" is not a number from 68 to 65000",
                         mtu);
    want_key(ctx, p, KEY_ROUTER_PORT, &lrp.lr, &lrp.uuid, lrp.name,
             nb_logical_router_port_options_value(row, "requested-tnl-key"));
    inc_emit_take(ctx, p->lrp, &lrp);
}
