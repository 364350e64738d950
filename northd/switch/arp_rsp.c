/* arp_rsp.c - the switch answers for the addresses that it knows, so that requests for them need not be flooded: ARP for
 * IPv4, neighbour solicitations for IPv6 (room 3 of docs/architecture.md).
 *
 * A port's own requests for its own address pass (priority 100 over 50): a host that looks for duplicates of its address
 * must not be told that there is one. A port with "unknown" addresses answers for itself: what is behind it is not known. So
 * do whoever has a virtual port, machines outside, ports with options:disable_arp_nd_rsp, and all of a switch with other_config:vlan-passthru:
 * a request may be for a network inside it, of which addresses of NB say nothing.
 */
#include "northd/lflows.h"
#include "northd/switch/switch.h"
#include "rows/nb.h"

static struct expr *request_for(const struct lflow_out *l, const struct address *ip)
{
    if (ip->version == 6)
        return lflows_solicits(l, ip);
    return expr_all(l->e, expr_eq(l->e, SYM_ARP_TPA, address_value(ip)),
                    expr_eq(l->e, SYM_ARP_OP, 1), NULL);
}

static struct actions *reply(const struct lflow_out *l, const struct fact_lsp *lsp,
                             const struct fact_port_addr *addr)
{
    if (addr->ip.version == 4)
        return lflows_arp_reply(l, addr->mac, &addr->ip);
    return lflows_nd_reply(l, lsp->type == LSP_ROUTER ? ACTION_ND_NA_ROUTER : ACTION_ND_NA,
                           addr->mac, &addr->ip);
}

/* Nobody is there, and NB_Global options:ignore_lsp_down "false" asks not to answer for nobody. */
static bool is_missed(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lsp *lsp)
{
    if (lsp->type == LSP_ROUTER || lsp->type == LSP_LOCALPORT ||
        program_option_is(ctx, p, "ignore_lsp_down", true))
        return false;
    const struct feed_row *f = inc_read_one(ctx, p->in_lsp_by_uuid, &lsp->uuid);
    const struct nb_logical_switch_port *row = nb_logical_switch_port_cast(f->row);
    return nb_logical_switch_port_up_present(row) && !nb_logical_switch_port_up(row);
}

void switch_arp_rsp(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    if (lsp->type == LSP_LOCALNET) /* every chassis hears it: who is asked answers */
        lflows_emit(&l, STAGE_SW_IN_ARP_RSP, 100, lflows_inport(&l, lsp->name), lflows_next(&l));
    if (lsp->flags & (PORT_UNKNOWN | PORT_ANSWERS_ITSELF) || lsp->type == LSP_LOCALNET ||
        lsp->type == LSP_VIRTUAL || lsp->type == LSP_EXTERNAL || is_missed(ctx, p, lsp))
        return;
    const struct fact_datapath *ls = inc_read_one(ctx, p->datapath_by_uuid, &lsp->ls);
    if (ls->flags & DATAPATH_VLAN_PASSTHRU)
        return;
    const struct fact_port_addr *addr;
    INC_FOR_EACH(addr, inc_read(ctx, p->port_addr_by_lsp, key))
    {
        if (!addr->ip.version)
            continue;
        struct expr *request = request_for(&l, &addr->ip);
        lflows_emit(&l, STAGE_SW_IN_ARP_RSP, 50, expr_ref(request), reply(&l, lsp, addr));
        lflows_emit(&l, STAGE_SW_IN_ARP_RSP, 100,
                    expr_and(l.e, request, lflows_inport(&l, lsp->name)), lflows_next(&l));
    }
}
