/* l2_lkup.c - where a frame goes: to the port that has its destination address; to all for a group address (common.c); to
 * the ports with "unknown" when nobody has it. What is for a disabled port is dropped, not taken for unknown (room 3 of
 * docs/architecture.md).
 */
#include "northd/lflows.h"
#include "northd/switch/switch.h"

void switch_l2_lkup(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    struct lflow_out l = lflows_begin(ctx, p, &lsp->ls, &lsp->uuid);
    const struct fact_port_addr *addr;
    INC_FOR_EACH(addr, inc_read(ctx, p->port_addr_by_lsp, key))
    {
        if (addr->ip.version)
            continue;
        lflows_emit(&l, STAGE_SW_IN_L2_LKUP, 50, expr_eq(l.e, SYM_ETH_DST, addr->mac),
                    lsp->flags & PORT_DISABLED ? lflows_drop(&l)
                                               : lflows_output_to(&l, lsp->name->s));
    }
}

void switch_l2_unknown(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct lflow_out l = lflows_begin(ctx, p, key, NULL);
    lflows_emit(&l, STAGE_SW_IN_L2_UNKNOWN, 50, expr_true(l.e),
                lflows_output_to(&l, group_name(GROUP_UNKNOWN)));
}
