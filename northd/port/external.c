/* external.c - external ports: machines that reach their switch through a localnet port of it, from outside (rooms 1 to 3 of
 * docs/architecture.md; ovn-nb(5), Logical_Switch_Port type external; ovn-northd(8), "External ports"). One chassis of a group
 * serves each: it answers with DHCP (dhcp/port.c) and is their router; the others let requests for the router go by.
 */
#include "northd/gateway/gateway.h"
#include "northd/port/port.h"
#include "rows/nb.h"

const struct row *port_ha_group(struct inc_ctx *ctx, struct northd_program *p,
                                const struct row *lsp)
{
    const struct uuid *group =
        nb_logical_switch_port_ha_chassis_group(nb_logical_switch_port_cast(lsp));
    const struct feed_row *f =
        group ? inc_read_one(ctx, p->gateway.in_ha_group_by_uuid, group) : NULL;
    return f ? f->row : NULL;
}

void port_external_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct row *group = port_ha_group(ctx, p, row->row);
    if (!group)
        return;
    struct fact_ha_want f;
    INC_CLEAR(f);
    f.name = program_intern(p, nb_ha_chassis_group_name(nb_ha_chassis_group_cast(group)));
    f.source = group->uuid;
    inc_emit_take(ctx, p->gateway.ha_want, &f);
}

/* What comes from the machine through LOCALNET on a chassis that does not serve it. */
static struct expr *elsewhere(const struct lflow_out *l, const struct fact_lsp *lsp,
                              const struct fact_lsp *localnet, uint64_t mac)
{
    return expr_all(l->e, lflows_inport(l, localnet->name), expr_eq(l->e, SYM_ETH_SRC, mac),
                    expr_resident(l->e, lsp->name->s, true), NULL);
}

static void drop(const struct lflow_out *l, struct expr *from, struct expr *what)
{
    lflows_emit(l, STAGE_SW_IN_EXTERNAL_PORT, 100, expr_and(l->e, expr_ref(from), what),
                lflows_drop(l));
}

/* Questions for the router of LINK, and what is sent to it. */
static void drop_for_router(struct inc_ctx *ctx, const struct lflow_out *l, struct expr *from,
                            const struct fact_link *link)
{
    const struct fact_network *n;
    INC_FOR_EACH(n, inc_read(ctx, l->p->network_by_lrp, &link->lrp))
    drop(l, from,
         n->address.version == 6
             ? lflows_solicits(l, &n->address)
             : expr_and(l->e, expr_eq(l->e, SYM_ARP_TPA, address_value(&n->address)),
                        expr_eq(l->e, SYM_ARP_OP, 1)));
    drop(l, from, expr_eq(l->e, SYM_ETH_DST, link->mac));
}

void port_external(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key), *localnet;
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    const struct fact_port_addr *addr;
    const struct fact_link *link;
    INC_FOR_EACH(addr, inc_read(ctx, p->port_addr_by_lsp, key))
    {
        if (addr->ip.version)
            continue;
        INC_FOR_EACH(localnet, inc_read(ctx, p->localnet_by_ls, &lsp->ls))
        {
            struct expr *from = elsewhere(&l, lsp, localnet, addr->mac);
            INC_FOR_EACH(link, inc_read(ctx, p->link_by_ls, &lsp->ls))
            drop_for_router(ctx, &l, from, link);
            expr_unref(from);
        }
    }
}
