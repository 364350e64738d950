/* virtual.c - virtual ports: an address that one of several ports has, whichever shows that it does (rooms 1 to 3 of
 * docs/architecture.md; ovn-nb(5), options:virtual-ip and virtual-parents; ovn-northd(8), "ARP/ND responder", "ARP/ND Resolution").
 *
 * A parent that says in ARP or neighbour discovery that it has the address makes its chassis bind the virtual port. The switch does not
 * answer for the address: its owner does. A router sends to the owner's MAC address, and asks while there is none.
 */
#include "northd/port/port.h"

#include <stdlib.h>
#include <string.h>

#include "northd/router/router.h"
#include "rows/nb.h"

/* options:virtual-ip of the port's row. */
static bool virtual_ip(struct inc_ctx *ctx, struct northd_program *p, const void *lsp,
                       struct address *ret)
{
    const struct feed_row *row = inc_read_one(ctx, p->in_lsp_by_uuid, lsp);
    const char *text =
        nb_logical_switch_port_options_value(nb_logical_switch_port_cast(row->row), "virtual-ip");
    struct ip_addr ip;
    if (!text || ip_addr_parse(text, &ip))
        return false;
    *ret = address_make(ip.version, ip_addr_to_u128(&ip), ip_addr_bits(&ip));
    return true;
}

/* Whoever sends this has the address. */
static struct expr *claims(const struct lflow_out *l, const struct address *ip)
{
    struct str s = STR_INIT;
    address_put(&s, ip);
    const char *a = str_c(&s);
    struct expr *e =
        ip->version == 6
            ? expr_or(l->e, lflows_solicits(l, ip), lflows_match(l, "nd_na && nd.target == %s", a))
            : lflows_match(l,
                           "(arp.op == 1 && arp.spa == %s && arp.tpa == %s) || (arp.op == 2 && "
                           "arp.spa == %s)",
                           a, a, a);
    str_fini(&s);
    return e;
}

void port_virtual(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct feed_row *row = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const char *parents = nb_logical_switch_port_options_value(
        nb_logical_switch_port_cast(row->row), "virtual-parents");
    struct address ip;
    if (!parents || !virtual_ip(ctx, p, key, &ip)) {
        program_complain(ctx, p, key,
                         "virtual port %.64s has no options:virtual-ip that is an address, or no "
                         "virtual-parents",
                         lsp->name->s);
        return;
    }
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    char *list = xstrdup(parents), *rest = list, *text;
    while ((text = strsep(&rest, ",")) != NULL) {
        const struct rstr *name = program_intern(p, text);
        const struct fact_lsp *parent = inc_read_one(ctx, p->lsp_by_name, &name);
        if (parent && uuid_equal(&parent->ls, &lsp->ls))
            lflows_emit(&l, STAGE_SW_IN_ARP_RSP, 100,
                        expr_and(l.e, lflows_inport(&l, name), claims(&l, &ip)),
                        actions_of(l.a, action_bind_vport(l.a, lsp->name->s, SYM_INPORT),
                                   action_next(l.a), NULL));
        rstr_unref(name);
    }
    free(list);
}

/* The MAC address of who has the virtual port; 0: nobody, or it is not known. */
static uint64_t owner_mac(struct inc_ctx *ctx, struct northd_program *p, const struct rstr *port)
{
    const struct fact_virtual_parent *f = inc_read_one(ctx, p->port.parent_by_port, &port);
    const struct fact_lsp *parent = f ? inc_read_one(ctx, p->lsp_by_name, &f->parent) : NULL;
    const struct fact_port_addr *addr =
        parent ? inc_read_one(ctx, p->port_addr_by_lsp, &parent->uuid) : NULL;
    return addr ? addr->mac : 0;
}

void port_virtual_resolve(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct fact_link *link;
    struct address ip;
    if (!virtual_ip(ctx, p, key, &ip))
        return;
    uint64_t mac = owner_mac(ctx, p, lsp->name);
    INC_FOR_EACH(link, inc_read(ctx, p->link_by_ls, &lsp->ls))
    {
        if (!router_is_neighbor(ctx, p, &link->lrp, &ip))
            continue;
        struct lflow_out l = lflows_begin(ctx, p, &link->lr, &lsp->uuid);
        lflows_emit(&l, STAGE_RTR_IN_ARP_RESOLVE, 100,
                    expr_and(l.e, lflows_outport(&l, link->lrp_name), lflows_next_hop(&l, &ip)),
                    actions_of(l.a, lflows_load_mac(&l, SYM_ETH_DST, mac), action_next(l.a), NULL));
    }
}
